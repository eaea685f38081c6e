"""The functions that a reader writes in the chapter on the process list, and how they are checked."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from kernelsim import session, view
from kernelsim.exercise import checker
from kernelsim.exercise.checker import Case, Finding
from kernelsim.exercise.workbench import Workbench, crate, parcel
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.types import list_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["comm_of", "list_add", "list_for_each_entry"]

TASKS, COMM = task_struct.offsetof_("tasks"), task_struct.offsetof_("comm")


# --- container_of, by hand --------------------------------------------------------------------


@checker.exercise("comm_of", "the name of the task whose `tasks` is at an address")
def comm_of() -> Iterator[Case]:
    """Cases for ``comm_of(m, link)``: `link` is the address (int) of task->tasks; bytes are wanted."""
    k = session.boot()
    for name in ("sshd", "a-longer-name"):
        k.spawn(name)
    for task in [*k.tasks(), k.machine.symbol("init_task")]:
        name = task.comm.string_().decode()
        yield Case(f"the task called {name}", _named(k, task))


def _named(k: Any, task: Any) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        m, link, right = k.machine, task.tasks.address_, task.comm.string_()
        value, trouble = checker.attempt(function, m, link)
        what = f"comm_of(m, {link:#x})"
        if trouble:
            return Finding(f"{what} {trouble}")
        if value is None:
            return Finding(f"{what} returns None: return the bytes of the name.")
        if value == right and isinstance(value, bytes):
            return None
        why = f"{what} returns {_short(value)}; the name is {right!r}."
        return Finding(why, _misread(m, link, value, right), view.task_list(k, focus=task))

    return run


def _short(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}…"


# The idea behind a wrong name: which address would have given it.
def _misread(m: Any, link: int, value: Any, right: bytes) -> str:
    if not isinstance(value, bytes):
        return f"That is a {type(value).__name__}; m.read() gives bytes, and bytes are wanted."
    if value.rstrip(b"\0") == right or value.startswith(right + b"\0"):
        return "The name ends before its first NUL byte; what follows is not part of it."
    if not value:
        return "There is a name; the bytes that you looked at begin with NUL."
    for address, words in (
        (link + COMM, _FROM_THE_MIDDLE),
        (link + TASKS + COMM, _ADDED),
        (link - TASKS, "That is how the task_struct begins; the name stands further on."),
        (link, "Those are the words `next` and `prev` themselves."),
    ):
        if m.read(address, len(value)) == value:
            return words
    return ""


_FROM_THE_MIDDLE = (
    "You counted from `link`, but the offset of `comm` counts from the beginning of the "
    "task_struct, and `link` points into the middle."
)
_ADDED = (
    "You added the offset of `tasks`; from a member back to the beginning of its struct it is a "
    "subtraction."
)


# --- list_add ---------------------------------------------------------------------------------


@checker.exercise("list_add", "insert an entry right after another")
def list_add() -> Iterator[Case]:
    """Cases for ``list_add(new, head)``: both struct list_head *; `new` goes right after `head`."""
    yield Case("into an empty list", _added("", "head"))
    yield Case("before the only entry", _added("A", "head"))
    yield Case("before three entries", _added("ABC", "head"))
    yield Case("after an entry in the middle, for any link can play the head", _added("ABC", "B"))
    yield Case("after the last entry", _added("AB", "B"))


def _added(order: str, after: str) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        mine, right = Workbench(order, spare="N"), Workbench(order, spare="N")
        m = mine.machine
        start = m.trace.now, len(m.journal or ())
        outcome = checker.attempt(function, mine.link("N"), mine.link(after))
        right.do("list_add", "N", after)
        what = f"list_add(&N.link, &{after}{'' if after == 'head' else '.link'})"
        return _compare(mine, right, what, outcome.trouble, stored=len(m.journal or ()) > start[1])

    return run


# What is wrong with the links of `mine`, measured by those of `right`.
def _compare(
    mine: Workbench, right: Workbench, what: str, trouble: str, *, stored: bool
) -> Finding | None:
    words, wanted = mine.words(), right.words()
    wrong = {path: wanted[path] for path in words if words[path] != wanted[path]}
    if not trouble and not wrong:
        return None
    if not trouble and not stored:
        return Finding(f"{what} stores nothing: the list is as it was.")
    ways = f"Forward the list now reads {mine.walk()}, backward {mine.walk('prev')}."
    picture = mine.picture(what, wrong, ways)
    if trouble:
        return Finding(f"{what} {trouble}", picture=picture)
    first = next(iter(wrong))
    why = f"{first} is {mine.called(words[first])}, and should be {mine.called(wanted[first])}."
    more = f" {len(wrong) - 1} more like it." if len(wrong) > 1 else ""
    return Finding(f"After {what}: {why}{more}", _idea(mine, right, wrong), picture)


# The idea behind a wrong list.
def _idea(mine: Workbench, right: Workbench, wrong: dict[str, int]) -> str:
    new = mine.link("N").address_
    words = mine.words()
    if mine.walk() != right.walk() and mine.walk().split() == [*right.walk().split()[1:], "N"]:
        return "`N` has become the last entry: so does list_add_tail()."
    if new in (words["N.link.next"], words["N.link.prev"]):
        return "`N` points to itself: a word was read after it had been overwritten."
    if mine.walk() == right.walk():
        return "Forward all is well. Backward it is not: two of the four words are `prev`."
    if mine.walk("prev") == right.walk("prev"):
        return "Backward all is well. Forward it is not: two of the four words are `next`."
    if len(wrong) < 4:
        return "Four words change: two of the new entry, and one of each of its neighbours."
    return ""


# --- list_for_each_entry ----------------------------------------------------------------------


@checker.exercise("list_for_each_entry", "a generator over the structs of a list")
def list_for_each_entry() -> Iterator[Case]:
    """Cases for ``list_for_each_entry(type, head, member)``: the struct around each link of `head`."""
    yield Case("an empty list", _walked(parcel, ""))
    yield Case("one entry", _walked(parcel, "A"))
    yield Case("three entries", _walked(parcel, "ABC"))
    yield Case("structs with their link elsewhere", _walked(crate, "ABC"))
    yield Case("a process's children, linked by `sibling`", _children)


def _walked(kind: Any, order: str) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        bench = Workbench(order, kind=kind)
        picture = bench.picture("The list")
        return _yields(function, (kind, bench.head, "link"), bench.entries, picture)

    return run


def _children(function: Any) -> Finding | None:
    k = session.boot()
    shell = k.spawn("sh")
    family = {f"pid {pid}": k.task(pid) for pid in (k.call(shell, "fork"), k.call(shell, "fork"))}
    picture = view.process_tree(k, focus=shell)
    return _yields(function, (task_struct, shell.children, "sibling"), family, picture)


MOST = 50  # structs that are taken from a loop


# Compare what the function yields with the kernel's own loop.
def _yields(
    function: Any, args: tuple[Any, Any, str], names: dict[str, Any], picture: Any
) -> Finding | None:
    kind, head, member = args
    right = list(lists.list_for_each_entry(kind, head, member))
    value, trouble = checker.attempt(function, *args, then=_taken)
    if trouble:
        return Finding(f"the loop {trouble}.", picture=picture)
    if value is None:
        return Finding("the function returns None: it is to be a generator, with `yield`.")
    if value == right and all(type(one) is kind for one in value):
        return None
    said = ", ".join(_who(one, names, head, member, kind) for one in value[:6]) or "nothing"
    said += " …" if len(value) > 6 else ""
    wanted = ", ".join(_who(one, names, head, member, kind) for one in right) or "nothing"
    hint = _lost(value, right, args)
    return Finding(f"the loop yields {said}; it should yield {wanted}.", hint, picture)


def _taken(value: Any) -> Any:
    return None if value is None else list(itertools.islice(value, MOST))


def _who(one: Any, names: dict[str, Any], head: Any, member: str, kind: Any) -> str:
    for name, entry in names.items():
        if one == entry:
            return name if type(one) is kind else f"{name} as {one!r}"
        if one == entry.address_ + kind.offsetof_(member):
            return f"the link of {name}"
    if one == head:
        return "the head"
    if one == head.address_ - kind.offsetof_(member):
        return "what would be around the head"
    return _short(one)


# The idea behind a wrong walk.
def _lost(value: list[Any], right: list[Any], args: tuple[Any, Any, str]) -> str:
    kind, head, member = args
    around_head = head.address_ - kind.offsetof_(member)
    if value and all(isinstance(one, list_head) for one in value):
        return "Those are the links; what is wanted are the structs around them."
    if len(value) == MOST:
        return "It does not stop. A list that is a ring has no NULL: where does it end?"
    if around_head in value:
        return "The head is in no struct: where its container would be, there is something else."
    if value == right[::-1]:
        return "That is the way back, along `prev`."
    if not value:
        return "The only entry is missing: does the loop begin too late, or end too early?"
    if value == right[:-1]:
        return "The last one is missing: the loop ends when the link is the head, not one before."
    if value == right[1:]:
        return "The first one is missing: it is what `head.next` leads to."
    return ""
