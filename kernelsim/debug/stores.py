"""Every store to a word between two times, one by one: what an event is made of.

A time `t` falls between two events; between them the kernel stores many words.  Each store here
carries the moment right after it, in the form that `Kernel.at` takes.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.debug import changes
from kernelsim.machine import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.machine import Machine

__all__ = ["Store", "stores"]


class Store(NamedTuple):
    """A 64-bit word stored to the object of C type `type` at `address`, into its member `field`.

    ``k.at(*store.when)`` is the kernel right after it.
    """

    when: tuple[int, int]
    type: str
    address: int
    field: str
    old: int
    new: int

    def __repr__(self) -> str:
        return f"({self.type} *){self.address:#x}->{self.field} = {self.new:#018x}"


def stores(k: Any, since: int, until: int | None = None, of: str = "") -> list[Store]:
    """Return the stores of single words in [since, until), in the order in which they were made.

    `of` keeps those to a struct, ``"task_struct"``, or to a member of it and what is inside,
    ``"task_struct.tasks"``.  Left out are blocks (a struct copied, memory cleared) and memory that
    belongs to no known object.
    """
    m = getattr(k, "machine", k)
    until = m.trace.now if until is None else until
    start, end, after = m.trace.place(since), m.trace.place(until), m.at(until)
    found, later, past = [], dict[int, int](), {}
    for begin, position in _records(m, start, end):
        undone = dict(m.undo_records(begin, position))
        if position - begin == _WORD:
            t = _time(m, position)
            if t not in past:
                past = {t: (m.at(t), m.at(t + 1))}
            ((index, old),) = undone.items()
            place = _place(past[t], memory.DIRECT_MAP + (index << 3))
            if place and _is_of(place, of):
                when = t, position - m.trace.place(t)
                found.append(Store(when, *place, old, later.get(index, after.u64[index])))
        later |= undone
    return found[::-1]


_WORD = 2  # length of the record of one word: its old value, its index


# Where each record of the journal in [start, end) begins and ends, newest first.
def _records(m: Machine, start: int, end: int) -> Iterator[tuple[int, int]]:
    for begin, position, _, _ in m.records(start, end):
        yield begin, position


# The time between whose event and the next the journal became `position` words long.
def _time(m: Machine, position: int) -> int:
    return bisect.bisect_left(range(m.trace.now), position, key=m.trace.place) - 1


# (C type, address, member) of the object that the word at `address` is in: one that was there at
# the end of the event or, if it was freed meanwhile, at its beginning.
def _place(past: tuple[Any, Any], address: int) -> tuple[str, int, str] | None:
    before, after = past
    found = changes.object_of(after, address) or changes.object_of(before, address)
    if found is None:
        return None
    t, start = found
    offset = after.offset(address) - after.offset(start)
    return t.c, start, next((path for path, _, _ in changes._fields_in(t, offset, offset + 8)), "")


def _is_of(place: tuple[str, int, str], of: str) -> bool:
    struct, _, member = of.partition(".")
    if struct and place[0] != f"struct {struct}":
        return False
    return not member or place[2] == member or place[2].startswith((f"{member}.", f"{member}["))
