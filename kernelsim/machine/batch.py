"""Functions made for code that runs at every fork, switch and exit: many members at once, counters.

They do what as many look-ups and assignments on a reference do, checks and journal included.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kernelsim.machine import ctype, memory
from kernelsim.machine.access import pointer

__all__ = ["make_add", "make_load", "make_store"]


class _Place(NamedTuple):
    # A member: its type, and the texts that stand for the index of its word, for that word, and for
    # the member itself.  `w` and `h` are the reference's windows, `i` the index of its first word.
    type: Any
    offset: int
    at: str
    word: str
    member: str


def _place(cls: Any, path: str) -> _Place:
    t, offset = cls.field_(path)
    if isinstance(t, (type, ctype.Array, ctype.Bits)):
        raise TypeError(f"{cls.c}: {path} can't be assigned together with others")
    view = "u64" if isinstance(t, ctype.Ptr) else t.view
    shift = {8: 0, 4: 1, 2: 2, 1: 3}[t.sizeof_]
    if cls.alignof_ < 8:  # it may begin in the middle of a word
        index, member = f"(self._o + {offset}) >> 3", f"(self._o + {offset}) >> {3 - shift}"
        return _Place(t, offset, index, f"m.u64[{index}]", f"m.{view}[{member}]")
    index, word = f"i + {offset >> 3}", f"w[{offset >> 3}]"
    member = f"m.{view}[(i << {shift}) + {offset // t.sizeof_}]"
    member = {"u64": word, "s32": f"h[{offset >> 2}]"}.get(view, member)
    return _Place(t, offset, index, word, member)


# Open the windows that the text uses.
_OPEN = "m, i = self.machine_, self._o >> 3"


def _opening(*places: _Place) -> str:
    texts = " ".join(place.word + place.member for place in places)
    windows = [f"; {name} = self._{name}" for name in ("w", "h") if f"{name}[" in texts]
    return _OPEN + "".join(windows)


def _made(source: str, cls: Any, what: str) -> Any:
    scope: dict[str, Any] = {"pointer": pointer}
    exec(compile(source, f"<{what} {cls.__name__}>", "exec"), scope)  # noqa: S102 - our own text
    return scope[what]


_STORE = """
def store(self, {parameters}):
    {opening}
    try:
        if {first.word} == {poison}:
            m.check(self.address_ + {first.offset}, {type!r}, {name!r})
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


def _logged(run: list[_Place]) -> str:
    return f"log(({', '.join(f'{place.word}, {place.at}' for place in run)}))"


def make_store(cls: Any, names: tuple[str, ...]) -> Any:
    """Generate the function that stores the members `names` of a reference to `cls`."""
    places = [_place(cls, name) for name in names]
    stores = [f"{place.member} = v{n}" for n, place in enumerate(places)]
    logged: list[str] = []
    run: list[_Place] = []  # the stores since the last ones journaled
    for n, place in enumerate(places):
        if place.word in {other.word for other in run}:  # its old value is what was just stored
            logged, run = [*logged, _logged(run), *stores[n - len(run) : n]], []
        run.append(place)
    logged += [_logged(run), *stores[len(stores) - len(run) :]]
    pointers = [n for n, place in enumerate(places) if isinstance(place.type, ctype.Ptr)]
    source = _STORE.format(
        parameters=", ".join(f"v{n}" for n in range(len(names))),
        opening=_opening(*places),
        first=places[0],
        poison=memory.POISON,
        type=cls.c,
        name=names[0],
        pointers="".join(_STORE_POINTER.format(n=n) for n in pointers),
        stores="\n        ".join(stores),
        logged="\n        ".join(logged),
    )
    return _made(source, cls, "store")


_LOAD = """
def load(self):
    {opening}
    try:
        if {first.word} == {poison}:
            m.check(self.address_ + {first.offset}, {type!r}, {name!r})
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
    return {values}
"""


def make_load(cls: Any, names: tuple[str, ...]) -> Any:
    """Generate the function that returns the members `names` of a reference to `cls`; pointers as ints."""
    places = [_place(cls, name) for name in names]
    source = _LOAD.format(
        opening=_opening(*places),
        first=places[0],
        poison=memory.POISON,
        type=cls.c,
        name=names[0],
        values=", ".join(place.member for place in places),
    )
    return _made(source, cls, "load")


_ADD = """
def add(self, n):
    {opening}
    try:
        old = {place.word}
    except IndexError:
        m.fault(self.address_, {type!r}, {name!r})
    if old == {poison}:
        m.check(self.address_ + {place.offset}, {type!r}, {name!r})
    if m.log is not None:
        m.journal.extend((old, {place.at}))
    {place.member} = v = {place.member} + n
    return v
"""


def make_add(cls: Any, name: str) -> Any:
    """Generate the function that adds to the member `name` of a reference to `cls`."""
    place = _place(cls, name)
    source = _ADD.format(
        opening=_opening(place), place=place, poison=memory.POISON, type=cls.c, name=name
    )
    return _made(source, cls, "add")
