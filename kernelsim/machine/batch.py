"""Functions made for code that runs at every fork, switch and exit: many members at once, counters.

They do what as many look-ups and assignments on a reference do, checks and journal included.
"""

from __future__ import annotations

from typing import Any

from kernelsim.machine import ctype, memory
from kernelsim.machine.access import pointer

__all__ = ["make_add", "make_load", "make_store"]


def _place(cls: Any, path: str) -> tuple[Any, str, str]:
    # (type, index of its word, the expression that stands for the member) where `i` is the index
    # of the struct's first word.
    t, offset = cls.field_(path)
    if isinstance(t, (type, ctype.Array, ctype.Bits)):
        raise TypeError(f"{cls.c}: {path} can't be assigned together with others")
    pointer = isinstance(t, ctype.Ptr)
    view = "u64" if pointer or t.view == "u64" else f"m.{t.view}"
    shift = {8: 0, 4: 1, 2: 2, 1: 3}[t.sizeof_]
    if cls.alignof_ < 8:  # it may begin in the middle of a word
        return t, f"(self._o + {offset}) >> 3", f"{view}[(self._o + {offset}) >> {3 - shift}]"
    first = f"(i << {shift})" if shift else "i"
    return t, f"i + {offset >> 3}", f"{view}[{first} + {offset // t.sizeof_}]"


def _made(source: str, cls: Any, what: str) -> Any:
    scope: dict[str, Any] = {"pointer": pointer}
    exec(compile(source, f"<{what} {cls.__name__}>", "exec"), scope)  # noqa: S102 - our own text
    return scope[what]


_STORE = """
def store(self, {parameters}):
    m, i = self.machine_, self._o >> 3
    u64 = m.u64
    try:
        if u64[{first}] == {poison}:
            m.check(self.address_ + {offset}, {type!r}, {name!r})
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
{pointers}
    if m.log is None:
        {stores}
    else:
        log = m.journal.extend
        {logged}
"""

_STORE_POINTER = """
    if v{n}.__class__ is not int:
        v{n} = pointer(v{n})"""


def _logged(words: list[str]) -> str:
    return f"log(({', '.join(f'u64[{word}], {word}' for word in words)}))"


def make_store(cls: Any, names: tuple[str, ...]) -> Any:
    """Generate the function that stores the members `names` of a reference to `cls`."""
    stores: list[str] = []
    logged: list[str] = []
    pointers: list[str] = []
    run: list[str] = []  # the words of the stores since the last ones journaled
    for n, name in enumerate(names):
        t, word, place = _place(cls, name)
        if isinstance(t, ctype.Ptr):
            pointers.append(_STORE_POINTER.format(n=n))
        stores.append(f"{place} = v{n}")
        if word in run:  # a second store to the same word: its old value is the first one's
            logged, run = [*logged, _logged(run), *stores[-len(run) - 1 : -1]], []
        run.append(word)
    logged += [_logged(run), *stores[len(stores) - len(run) :]]
    source = _STORE.format(
        parameters=", ".join(f"v{n}" for n in range(len(names))),
        first=_place(cls, names[0])[1],
        offset=cls.offsetof_(names[0]),
        poison=memory.POISON,
        type=cls.c,
        name=names[0],
        pointers="".join(pointers),
        stores="\n        ".join(stores),
        logged="\n        ".join(logged),
    )
    return _made(source, cls, "store")


_LOAD = """
def load(self):
    m, i = self.machine_, self._o >> 3
    u64 = m.u64
    try:
        if u64[{first}] == {poison}:
            m.check(self.address_ + {offset}, {type!r}, {name!r})
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
    return {values}
"""


def make_load(cls: Any, names: tuple[str, ...]) -> Any:
    """Generate the function that returns the members `names` of a reference to `cls`; pointers as ints."""
    source = _LOAD.format(
        first=_place(cls, names[0])[1],
        offset=cls.offsetof_(names[0]),
        poison=memory.POISON,
        type=cls.c,
        name=names[0],
        values=", ".join(_place(cls, name)[2] for name in names),
    )
    return _made(source, cls, "load")


_ADD = """
def add(self, n):
    m, i = self.machine_, self._o >> 3
    u64 = m.u64
    try:
        old = u64[{word}]
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
    if old == {poison}:
        m.check(self.address_ + {offset}, {type!r}, {name!r})
    if m.log is not None:
        m.log_word({word})
    {place} = v = {place} + n
    return v
"""


def make_add(cls: Any, name: str) -> Any:
    """Generate the function that adds to the member `name` of a reference to `cls`."""
    _, word, place = _place(cls, name)
    source = _ADD.format(
        word=word,
        place=place,
        offset=cls.offsetof_(name),
        poison=memory.POISON,
        type=cls.c,
        name=name,
    )
    return _made(source, cls, "add")
