"""Where a pointer leads, and what a reader means who types an address or a name.

Both answer with a `View`, an address and a C type to see it as, or with a sentence that says why
there is nothing to be seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.debug.places import looking, threads, visible
from kernelsim.include.linux import sched
from kernelsim.machine import ctype, machine, memory
from kernelsim.machine.memory import Fault
from kernelsim.mm import slab_common, slub

if TYPE_CHECKING:
    from kernelsim.debug.places import Place, Places

__all__ = ["View", "find", "follow", "view_of"]

MOST_WORDS = 16  # of memory that no known object lies in
LONGEST_TEXT = 64
_CAST = re.compile(r"\(?\s*(?:struct\s+)?(\w+)\s*\*\s*\)\s*(.+)", re.DOTALL)
_SUM = re.compile(r"&?\s*([A-Za-z_]\w*(?:\.[\w-]+)*)((?:\.\w+|\[\d+\])*)\s*(?:\+\s*(\w+))?")
_TASK = re.compile(r"(?:task|pid)\s+(\d+)", re.IGNORECASE)
HINT = "an address such as 0xffff888000104000, a symbol such as init_task, or task 3"


class View(NamedTuple):
    """Something to look at: the object of C type `type` at `address`; `member` is what was meant in it."""

    type: Any
    address: int
    member: str = ""


def follow(places: Places, address: int, t: Any) -> View | str:
    """Return what a pointer to C type `t` (None: to void) with the value `address` leads to."""
    place = places.at(address)
    if place.kind in {"null", "poison", "unmapped"}:
        return place.said or place.words
    if place.kind == "function":
        return f"{place.said} Code is not simulated: there are no bytes to show."
    known = ctype.REGISTRY.get(t) if isinstance(t, str) else t
    if isinstance(known, type):
        return _checked(places, View(known, address))
    if known is None or isinstance(known, ctype.Void):
        return _whole(places, place, address)
    return _many(places, place, known, address)


def view_of(places: Places, address: int) -> View | str:
    """Return what lies at `address`, whatever it is: the whole object, and the member there."""
    return follow(places, address, None)


# The whole object that an address lies in; words of memory where none is known.
def _whole(places: Places, place: Place, address: int) -> View | str:
    if place.type is not None:
        offset = address - place.start
        if not place.member and offset > 0:
            return View(place.type, place.start, f"@{offset:#x}")
        return _checked(places, View(place.type, place.start, place.member))
    room = _room(places, address)
    return View(ctype.array(ctype.ulong, min(room // 8, MOST_WORDS) or 1), address & ~7)


# What a pointer to integers or pointers leads to: as many as there are.
def _many(places: Places, place: Place, t: Any, address: int) -> View:
    struct: Any = place.type
    if isinstance(struct, type) and place.member:
        path = place.member.rpartition("[")[0] or place.member
        member, begin = place.type.field_(path)
        if isinstance(member, ctype.Array) and ctype.resolve(member.element).c == t.c:
            end = place.start + begin + member.sizeof_
            return View(ctype.array(member.element, (end - address) // t.sizeof_), address)
    if isinstance(place.type, ctype.Array):
        return View(place.type, place.start)
    room = _room(places, address)
    if t is ctype.char:
        text = places.m.read(address, min(room, LONGEST_TEXT)).partition(b"\0")[0]
        return View(ctype.array(ctype.char, len(text) + 1), address)
    known = place.type is None and place.kind == "object"
    return View(ctype.array(t, max(room // t.sizeof_, 1) if known else 1), address)


# How many bytes from `address` on belong together: to the end of the slab object, else of the page.
def _room(places: Places, address: int) -> int:
    with looking(places.m):
        name, start, _ = slub.object_at(places.m, address) or ("", 0, False)
        for cache in slab_common.caches(places.m) if name else ():
            if slab_common.cache_name(places.m, cache) == name:
                end: int = start + cache.object_size
                return max(end - address, 8)
    return memory.PAGE_SIZE - address % memory.PAGE_SIZE


# A view whose bytes can be read to the end, or a sentence.
def _checked(places: Places, view: View) -> View | str:
    try:
        places.m.read(view.address, view.type.sizeof_)
    except Fault as fault:
        return f"A {ctype.type_name(view.type)} at {view.address:#x} cannot be read: {fault}."
    return view


# --- what a reader types -------------------------------------------------------------------


def find(places: Places, text: str) -> View | str:
    """Return what `text` means: an address, a symbol (and a member of it), a task, with or without a cast."""
    text = text.strip()
    if not text:
        return f"Type {HINT}."
    shown = visible(text[:60].encode("utf-8", "backslashreplace"))
    if (cast := _CAST.fullmatch(text)) and text.startswith("("):
        return _cast(places, cast[1], cast[2], shown)
    if task := _TASK.fullmatch(text):
        return _task(places, int(task[1][:20]))
    address = _address(places, text)
    if isinstance(address, str):
        return address or f"“{shown}” is neither an address nor a symbol. Type {HINT}."
    if 0 < address < sched.TASK_STATE_MAX and not text.lower().startswith("0x"):
        return f"{places.at(address).said} For the task with that number type task {address}."
    return view_of(places, address)


def _cast(places: Places, name: str, rest: str, shown: str) -> View | str:
    t = ctype.REGISTRY.get(name)
    if t is None:
        return f"There is no struct {name} here."
    address = _address(places, rest)
    if isinstance(address, str):
        return address or f"“{shown}” casts no address and no symbol. Type {HINT}."
    return follow(places, address, t)


def _task(places: Places, number: int) -> View | str:
    for task in threads(places.m):
        try:
            if task.pid == number:
                return View(sched.task_struct, task.address_)
        except Fault:
            continue
    return f"There is no task {number} at this moment."


# The address that a text stands for; a sentence, or "" where it stands for none.
def _address(places: Places, text: str) -> int | str:
    text = text.strip().replace("_", "") if text[:2].lower() == "0x" else text.strip()
    try:
        number = int(text, 0)
    except ValueError:
        return _named(places, text)
    if not 0 <= number < 1 << 64:
        return f"{visible(text[:40].encode())} is no address: those have 64 bits."
    return number


def _named(places: Places, text: str) -> int | str:
    found = _SUM.fullmatch(text)
    if found is None:
        return ""
    name, path, more = found[1], found[2] or "", found[3]
    symbols = places.m.symbols
    while name not in symbols and "." in name:
        name, _, last = name.rpartition(".")
        path = f".{last}{path}"
    if name not in symbols:
        return _function(name)
    address, t = symbols[name]
    if path:
        try:
            address += t.offsetof_(path.removeprefix("."))
        except (AttributeError, TypeError, ValueError):
            return f"{name} is {ctype.type_name(t)}: it has no member {path.removeprefix('.')}."
    try:
        return int(address) + (int(more, 0) if more else 0)
    except ValueError:
        return f"“{visible(more.encode())}” is no number."


def _function(name: str) -> int | str:
    try:
        return machine.text_address(name)
    except KeyError:
        return ""
