"""A structure in memory as a table: every member with its C type, offset, bytes, value and meaning.

All comes from the declaration and from the bytes: padding shows as gaps, unions with all their
members, arrays with what repeats in them told once.  Nothing faults here but the reading of the
bytes themselves, so that freed memory and nonsense can be looked at too.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernelsim.debug import meaning
from kernelsim.debug.places import visible
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import types, xarray
from kernelsim.include.linux.rbtree import rb_node
from kernelsim.machine import ctype, memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.debug.places import Places

__all__ = ["Row", "size_of", "table", "type_text"]

REPEATED = 3  # elements of an array that are alike and told as one
MOST_ELEMENTS = 4096
MOST_LEVELS = 32  # of PID namespaces
_KERNEL = 0xFFFF_8000_0000_0000  # above it a number may be an address


@dataclass(slots=True)
class Row:
    """One row of the table.

    `path` is the member's path from the structure's beginning; rows of what is inside a member
    follow it with a greater `depth`.  `kind` is field, group (a struct, union or array) or gap.
    `value` is the value as C has it, `words` say what it means, `was` is the value at the earlier
    moment, if it differed (of a group only `changed` says so).  `target` is the address that a
    pointer leads to, `pointee` the C type there.
    """

    path: str
    name: str
    depth: int
    ctype: str
    offset: int
    size: int
    kind: str = "field"
    value: str = ""
    words: str = ""
    was: str | None = None
    changed: bool = False
    target: int | None = None
    pointee: Any = None
    bits: tuple[int, int] | None = None
    text: bool = False


def type_text(t: Any) -> str:
    """Return the C type as text: ``struct list_head``, ``void (*)()``, ``unsigned int : 1``."""
    t = ctype.resolve(t)
    if isinstance(t, ctype.Bits):
        return f"{t.c} : {t.width}"
    if isinstance(t, ctype.Ptr) and t.target is ctype.func:
        return "void (*)()"
    if isinstance(t, ctype.Array):
        return f"{type_text(t.element)} [{t.length}]"
    return ctype.type_name(t)


def size_of(m: Any, t: Any, address: int) -> int:
    """Return how many bytes an object of C type `t` at `address` has; Fault if none can be read.

    A struct pid has as many numbers as its level says.
    """
    size: int = t.sizeof_
    if t is pid_h.pid:
        place = address + pid_h.pid.offsetof_("level")
        level = int.from_bytes(m.read(place, 4), "little")
        size += pid_h.upid.sizeof_ * (level if level <= MOST_LEVELS else 0)
    return size


def table(
    places: Places, t: Any, address: int, old: bytes | None, then: Places | None
) -> list[Row]:
    """Return the rows of the object of C type `t` at `address`.

    `old` are its bytes at an earlier moment, and `then` what lay where in that machine.
    """
    data = places.m.read(address, size_of(places.m, t, address))
    reader = _Reader(places, address, data, old, then)
    if isinstance(t, type):
        reader.struct(t, "", 0, 0)
    elif isinstance(t, ctype.Array) and t.element is not ctype.char:
        reader.elements(t, "", "", "", 0, 0)
    else:
        reader.leaf("", "*", t, "*", 0, 0)
    return reader.out


class _Reader:
    # Walks through a type and writes rows.

    def __init__(
        self, places: Places, address: int, data: bytes, old: bytes | None, then: Places | None
    ) -> None:
        self.places, self.address, self.data = places, address, data
        self.old, self.then = old, then
        self.out: list[Row] = []

    # -- structures ----------------------------------------------------------------------------

    def struct(self, t: Any, path: str, depth: int, at: int) -> None:
        end, t = at, ctype.resolve(t)
        for group, found in itertools.groupby(t.fields_, lambda f: f.group or f.name):
            fields = list(found)
            start = at + fields[0].offset
            self.gap(end, start, path, depth)
            if fields[0].group:
                union = t.members_[group]
                self.union(t, union, fields, path, depth, at)
                end = start + union.sizeof_
            else:
                self.member(t, fields[0], path, depth, at)
                f = fields[0]
                bits = f.bit + f.type.width + 7 >> 3 if isinstance(f.type, ctype.Bits) else 0
                end = max(end, start + (bits or f.type.sizeof_))
        self.gap(end, at + t.sizeof_, path, depth)

    def gap(self, start: int, end: int, path: str, depth: int) -> None:
        if start < end:
            inner = f"{path}.gap@{start:#x}" if path else f"gap@{start:#x}"
            noun = "byte that belongs" if end - start == 1 else "bytes that belong"
            row = Row(inner, "padding", depth, "", start, end - start, "gap")
            row.words = f"{end - start} {noun} to no member"
            self.out.append(row)

    def union(
        self, t: Any, union: Any, fields: list[ctype.Field], path: str, depth: int, at: int
    ) -> None:
        offset = at + fields[0].offset
        outer = f"{path}.union@{offset:#x}" if path else f"union@{offset:#x}"
        row = Row(outer, "union", depth, "union", offset, union.sizeof_, "group")
        row.words = f"{' or '.join(f.name for f in fields)}: the same bytes"

        def members() -> None:
            for f in fields:
                self.member(t, f, path, depth + 1, at)

        self.group(row, members)

    def member(self, t: Any, f: ctype.Field, path: str, depth: int, at: int) -> None:
        inner = f"{path}.{f.name}" if path else f.name
        offset = at + f.offset
        if isinstance(f.type, type):
            self.embedded(f.type, inner, f.name, depth, offset)
        elif isinstance(f.type, ctype.Array) and f.type.element is not ctype.char:
            row = Row(inner, f.name, depth, type_text(f.type), offset, f.type.sizeof_, "group")
            if f.type.flexible:
                row.size = len(self.data) - offset
            self.group(
                row, lambda: self.elements(f.type, t.__name__, f.name, inner, depth + 1, offset)
            )
        else:
            self.leaf(t.__name__, f.name, f.type, inner, depth, offset, f.bit)

    def embedded(self, t: Any, path: str, name: str, depth: int, offset: int) -> None:
        row = Row(path, name, depth, type_text(t), offset, t.sizeof_, "group")
        row.words = self.summary(t, offset)
        self.group(row, lambda: self.struct(t, path, depth + 1, offset))

    # A row, and below it the rows that `inside` writes.
    def group(self, row: Row, inside: Any) -> None:
        self.out.append(row)
        first = len(self.out)
        inside()
        row.changed = any(r.changed for r in self.out[first:])

    # -- arrays --------------------------------------------------------------------------------

    def elements(
        self, t: ctype.Array, owner: str, member: str, path: str, depth: int, at: int
    ) -> None:
        element = ctype.resolve(t.element)
        size = element.sizeof_
        count = (len(self.data) - at) // size if t.flexible else t.length
        for first, last in self.runs(at, size, min(count, MOST_ELEMENTS)):
            offset, many = at + first * size, last - first + 1
            name = f"[{first}]" if many == 1 else f"[{first} … {last}]"
            inner = f"{path}[{first}]"
            start = len(self.out)
            if isinstance(element, type):
                self.embedded(element, inner, name, depth, offset)
            elif isinstance(element, ctype.Array):
                row = Row(inner, name, depth, type_text(element), offset, size, "group")
                inside = element, owner, member, inner, depth + 1, offset
                self.group(row, functools.partial(self.elements, *inside))
            else:
                self.leaf(owner, member, element, inner, depth, offset)
                self.out[-1].name = name
            row = self.out[start]
            if many > 1:
                row.size = many * size
                row.words = f"{many} elements, all alike" + (f": {row.words}" if row.words else "")

    # (first, last) of the elements that are told together: alike, and not changed.
    def runs(self, at: int, size: int, count: int) -> Iterator[tuple[int, int]]:
        def key(i: int) -> tuple[bytes, int]:
            place = slice(at + i * size, at + (i + 1) * size)
            same = self.old is None or self.old[place] == self.data[place]
            return self.data[place], -1 if same else i

        for _, found in itertools.groupby(range(count), key):
            run = list(found)
            if len(run) >= REPEATED:
                yield run[0], run[-1]
            else:
                yield from ((i, i) for i in run)

    # -- single values -------------------------------------------------------------------------

    def leaf(
        self, owner: str, member: str, t: Any, path: str, depth: int, offset: int, bit: int = 0
    ) -> None:
        size = t.sizeof_
        raw = self.data[offset : offset + size]
        row = Row(path, member, depth, type_text(t), offset, size)
        row.text = isinstance(t, ctype.Array)
        if isinstance(t, ctype.Bits):
            row.bits = bit, t.width
        number = _number(t, raw, bit)
        row.value = _value(member, t, raw, number)
        row.words, row.target, row.pointee = self.words(owner, member, t, raw, number, offset)
        self.compare(row, owner, member, t, bit)
        self.out.append(row)

    def compare(self, row: Row, owner: str, member: str, t: Any, bit: int) -> None:
        if self.old is None:
            return
        raw = self.old[row.offset : row.offset + row.size]
        now = self.data[row.offset : row.offset + row.size]
        if raw == now or len(raw) < row.size:
            return
        number = _number(t, raw, bit)
        if row.bits and number == _number(t, now, bit):
            return
        row.changed, row.was = True, _value(member, t, raw, number)
        words = meaning.meaning(owner, member, t, number)
        if isinstance(t, ctype.Ptr) and number and self.then is not None:
            words = self.then.at(number).words
        if words and words != row.was:
            row.was += f" ({words})"

    # What the value means, where it leads to, and the C type there.
    def words(
        self, owner: str, member: str, t: Any, raw: bytes, number: int, offset: int
    ) -> tuple[str, int | None, Any]:
        if len(raw) > 1 and not raw.strip(bytes([memory.POISON_BYTE])):
            letter = ": the letter k" if isinstance(t, ctype.Array) else ""
            return f"poison: 0x6b in every byte{letter}", None, None
        if isinstance(t, ctype.Array):
            return "", None, None
        said = meaning.meaning(owner, member, t, number)
        if owner in {"xarray", "xa_node"} and isinstance(t, ctype.Ptr) and t.target is ctype.void:
            return self.entry(number)
        if owner == "rb_node" and not isinstance(t, ctype.Ptr):
            parent = number & ~3
            if number == self.address + offset:
                return "in no tree: it holds its own address", number, rb_node
            above = f"; parent: {self.places.at(parent).words}" if parent else "; no parent"
            return said + above, parent or None, rb_node
        if isinstance(t, ctype.Ptr):
            if number < 2 and said:  # SIG_DFL, SIG_IGN
                return said, None, None
            pointee = None if t.target in {ctype.void, ctype.func} else t.target
            if not number:
                return "", 0, pointee
            if owner in _LINKS and number == self.address + offset - _own_offset(owner, member):
                return "itself", number, pointee
            return self.places.at(number).words, number, pointee
        if not said and len(raw) == 8 and number >= _KERNEL:
            place = self.places.at(number)
            if place.kind not in {"unmapped", "memory"}:
                return place.words, number, None
        return said, None, None

    # An entry of an XArray: a pointer whose low bits may say that it is something else.
    def entry(self, number: int) -> tuple[str, int | None, Any]:
        if xarray.xa_is_value(number):
            return f"the integer {xarray.xa_to_value(number)}", None, None
        if xarray.xa_is_internal(number) and number > memory.PAGE_SIZE:
            node = number - 2
            return f"{self.places.at(node).words}; bit 1 says: a node", node, xarray.xa_node
        if not number:
            return "", 0, None
        return self.places.at(number).words, number, None

    # One line about an embedded structure, where one says it.
    def summary(self, t: Any, offset: int) -> str:
        def word(member: str) -> int:
            at, size = offset + t.offsetof_(member), t.field_(member)[0].sizeof_
            return int.from_bytes(self.data[at : at + size], "little")

        if t is types.list_head:
            ahead, behind = word("next"), word("prev")
            if ahead == behind == self.address + offset:
                return "points to itself: empty, or in no list"
            return f"→ {self.places.at(ahead).words}  ← {self.places.at(behind).words}"
        if t is types.hlist_head:
            return f"→ {self.places.at(word('first')).words}" if word("first") else "an empty list"
        if t is types.hlist_node:
            return f"→ {self.places.at(word('next')).words}" if word("next") else "→ NULL"
        if t is pid_h.upid:
            return f"{word('nr')} in {self.places.at(word('ns')).words}" if word("ns") else ""
        return ""


_LINKS = {"list_head"}


def _own_offset(owner: str, member: str) -> int:
    offset: int = ctype.REGISTRY[owner].offsetof_(member)
    return offset


def _number(t: Any, raw: bytes, bit: int) -> int:
    if isinstance(t, ctype.Bits):
        return int.from_bytes(raw, "little") >> bit & (1 << t.width) - 1
    return int.from_bytes(raw, "little", signed=bool(getattr(t, "signed", False)))


def _value(member: str, t: Any, raw: bytes, number: int) -> str:
    if isinstance(t, ctype.Array):
        return f'"{visible(raw.split(bytes(1))[0])}"'
    if isinstance(t, ctype.Ptr):
        return f"{number:#018x}" if number else "NULL"
    plain = len(raw) > 1 and raw.strip(bytes([memory.POISON_BYTE]))
    hexadecimal = member in _IN_HEX or member.startswith("cap_") or member.endswith("flags")
    if number > 9 and (hexadecimal or not plain or number >= _KERNEL):
        return f"{number:#x}"
    return str(number)


_IN_HEX = {
    "blocked", "cpus_mask", "f_mode", "marks", "page_type", "personality", "real_blocked", "sa_mask",
    "saved_sigmask", "signal", "sp", "stack_canary", "tags", "__rb_parent_color",
}  # fmt: skip
