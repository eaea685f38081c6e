"""container_of, as a subtraction that can be watched: from a member's address to its structure's.

Nothing is looked up: the address of the member, minus its offset in the type, is the address of the
structure, if the type and the member are the right ones.  Whether they are is told afterwards, by
what the slab caches and the symbols know to lie there.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.debug import changes, fields
from kernelsim.debug.places import Place, Places, article
from kernelsim.machine import ctype, memory
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Subtraction", "candidates", "embeds", "likely", "subtract"]

LINE = 8  # bytes
AROUND = 2  # lines shown at the beginning, before the member and behind it
_MASK = (1 << 64) - 1
_TELLING = {"task_struct": ("pid", "comm", "state")}  # members by which one knows it


class Subtraction(NamedTuple):
    """What ``container_of(link, struct TYPE, MEMBER)`` computes, and what is found there.

    `lines` are (offset from the structure's beginning, bytes in hex), those of one gap left out;
    `found` are members read there as (name, value, meaning); `right` is None where nobody knows.
    """

    link: int
    type: Any
    member: str
    offset: int
    size: int
    result: int
    lines: list[tuple[int, str]]
    found: list[tuple[str, str, str]]
    right: bool | None
    verdict: str


@functools.cache
def candidates(t: Any) -> dict[str, list[str]]:
    """Return the members of type `t` that structs embed: their paths, by the struct's name."""
    found: dict[str, list[str]] = {}
    for name, struct in sorted(ctype.REGISTRY.items()):
        if struct.__module__.startswith("kernelsim."):
            paths = [path for path, inner in _embedded(struct, "") if inner is t]
            if paths:
                found[name] = paths
    return found


# The embedded structs of `t`: (path, type), also those inside others and in arrays.
def _embedded(t: Any, path: str) -> Iterator[tuple[str, Any]]:
    for f in t.fields_:
        inner = f"{path}.{f.name}" if path else f.name
        if isinstance(f.type, type):
            yield inner, f.type
            yield from _embedded(f.type, inner)
        elif isinstance(f.type, ctype.Array) and isinstance(ctype.resolve(f.type.element), type):
            for i in range(min(f.type.length, 8)):
                element = ctype.resolve(f.type.element)
                yield f"{inner}[{i}]", element
                yield from _embedded(element, f"{inner}[{i}]")


def embeds(t: Any, inner: Any, offset: int) -> bool:
    """Return whether struct `t` has a member of the struct type `inner` at `offset`."""
    found = (path for path, member in _embedded(t, "") if member is inner)
    return any(t.offsetof_(path) == offset for path in found)


def likely(t: Any) -> tuple[str, str]:
    """Return the struct and member to begin with for a link of type `t`: no answer, a first guess."""
    known = candidates(t)
    if "tasks" in known.get("task_struct", ()):
        return "task_struct", "tasks"
    if "task_struct" in known:
        return "task_struct", known["task_struct"][0]
    return next(((name, paths[0]) for name, paths in known.items()), ("", ""))


def subtract(places: Places, link: int, t: Any, member: str) -> Subtraction:
    """Compute ``container_of(link, t, member)`` and say what lies at the result."""
    inner, offset = t.field_(member)
    result = (link - offset) & _MASK
    right, verdict = _verdict(places, link, t, member, result)
    lines = list(_lines(places.m, result, offset, inner.sizeof_))
    found = _found(places, t, result)
    return Subtraction(link, t, member, offset, inner.sizeof_, result, lines, found, right, verdict)


# The lines of bytes at the beginning of the structure and around the member.
def _lines(m: Any, start: int, offset: int, size: int) -> Iterator[tuple[int, str]]:
    first, last = offset // LINE, (offset + size - 1) // LINE
    near = {*range(AROUND + 1), *range(first - 1, last + 2)}
    for number in sorted(n for n in near if n >= 0):
        try:
            yield number * LINE, m.read(start + number * LINE & _MASK, LINE).hex()
        except Fault:
            yield number * LINE, ""


# What can be read there as a struct of that type: the members that tell most.
def _found(places: Places, t: Any, address: int) -> list[tuple[str, str, str]]:
    try:
        rows = fields.table(places, t, address, None, None)
    except Fault:
        return []
    told = _TELLING.get(t.__name__)
    plain = [r for r in rows if r.kind == "field"]
    chosen = [r for r in plain if r.path in told] if told else plain[:3]
    return [(r.path, r.value, r.words) for r in chosen]


# Whether type and member are the right ones for this link, and a sentence on it.
def _verdict(
    places: Places, link: int, t: Any, member: str, result: int
) -> tuple[bool | None, str]:
    name, place = t.__name__, places.at(link)
    if place.kind in {"null", "poison", "unmapped"}:
        return False, (
            f"There is no link at {link:#x} ({place.words}); the subtraction does not ask and gives "
            f"{result:#x}. {_there(places, result)}"
        )
    if not isinstance(place.type, type) or not issubclass(place.type, Struct):
        task = "" if place.kind != "stack" else f": it lies on {place.words}"
        return None, f"Neither a slab cache nor a symbol knows what holds this link{task}."
    if place.type is t and place.start == result:
        state = " It is freed." if place.kind == "freed" else ""
        return True, f"Here begins {article(name)} indeed: {places.at(result).words}.{state}"
    if embeds(place.type, t, result - place.start):
        return True, f"Here lies {article(name)} indeed: {places.at(result).words}."
    own = _path(place, link)
    whole = article(place.type.__name__)
    why = f"The link is {own}: it lies in {whole}, {link - place.start:#x} bytes behind its beginning."
    return False, f"Nonsense. {why} {_there(places, result)}"


def _there(places: Places, result: int) -> str:
    place = places.at(result)
    if place.kind == "unmapped" or result < memory.PAGE_SIZE:
        return f"At {result:#x} nothing is mapped: to use it would be a fault."
    return f"At {result:#x} lies {place.words}."


# What the link is in the object that holds it: "sibling of task 4 (bash)".
def _path(place: Place, link: int) -> str:
    leaf = changes._leaf(place.type, link - place.start)
    if place.member or leaf is None:
        return place.words
    return f"{leaf[0].rpartition('.')[0] or leaf[0]} of {place.words}"
