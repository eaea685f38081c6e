"""What differs between two times of a machine, as fields of structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.include.linux import (
    cred,
    fs,
    mm_types,
    nsproxy,
    pid,
    sched,
    user_namespace,
    utsname,
    xarray,
)
from kernelsim.include.linux import slab as slab_h
from kernelsim.include.linux.sched import signal
from kernelsim.include.net import net_namespace
from kernelsim.machine import ctype, memory
from kernelsim.machine.machine import Machine, PastMachine
from kernelsim.machine.ref import Struct
from kernelsim.mm import page_alloc, slub

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Change", "diff", "object_of", "used_pages"]

# What the objects of each cache are.
TYPES: dict[str, Any] = {
    "task_struct": sched.task_struct,
    "pid": pid.pid,
    "signal_cache": signal.signal_struct,
    "sighand_cache": signal.sighand_struct,
    "files_cache": fs.files_struct,
    "fs_cache": fs.fs_struct,
    "mm_struct": mm_types.mm_struct,
    "cred_jar": cred.cred,
    "nsproxy": nsproxy.nsproxy,
    "pid_namespace": pid.pid_namespace,
    "uts_namespace": utsname.uts_namespace,
    "user_namespace": user_namespace.user_namespace,
    "net_namespace": net_namespace.net,
    "uid_cache": cred.user_struct,
    "radix_tree_node": xarray.xa_node,
    "filp": fs.file,
    "sigqueue": signal.sigqueue,
    "kmem_cache": slab_h.kmem_cache,
}


class Change(NamedTuple):
    """A field that differs: of the object of C type `type` at `address`, the member `field`.

    Of a static integer or pointer `field` is its name.
    """

    type: str
    address: int
    field: str
    old: Any
    new: Any

    def __repr__(self) -> str:
        whose = f"({self.type} *){self.address:#x}->" if self.type.startswith("struct ") else ""
        return f"{whose}{self.field}: {_show(self.old)} → {_show(self.new)}"


def _show(value: Any) -> str:
    return f"{value:#x}" if isinstance(value, int) and value > 0xFFFF else repr(value)


def object_of(m: Any, address: int) -> tuple[Any, int] | None:
    """Return (C type, address) of the object that `address` lies in, None where nothing is known."""
    found = slub.object_at(m, address)
    if found is not None:
        name, start, used = found
        t = TYPES.get("pid" if name.startswith("pid_") and name != "pid_namespace" else name)
        return (t, start) if used and t is not None else None
    name = _static(m, address)
    start, t = m.symbols.get(name, (0, None))
    return (t, start) if isinstance(t, type) else None


def _static(m: Any, address: int) -> str:
    # The name of the static object, perhaps a per-CPU one, that the direct map's `address` lies in.
    image = address ^ memory.DIRECT_MAP
    if memory.PHYSICAL_IMAGE <= image < memory.PHYSICAL_IMAGE + memory.IMAGE_SIZE:
        address = memory.IMAGE_MAP + image
    found = (name for name, (start, t) in m.symbols.items() if start <= address < start + t.sizeof_)
    return next(found, "")


def _leaf(t: Any, offset: int) -> tuple[str, Any, int] | None:
    # (path, type, its offset) of the innermost member of `t` at `offset`.
    if isinstance(t, ctype.Array):
        element = ctype.resolve(t.element)
        if t.element is ctype.char:
            return "", t, 0
        i = offset // element.sizeof_
        inner = _leaf(element, offset - i * element.sizeof_)
        return (
            None
            if inner is None
            else (_path(f"[{i}]", inner[0]), inner[1], inner[2] + i * element.sizeof_)
        )
    if not (isinstance(t, type) and issubclass(t, Struct)):
        return "", t, 0
    for f in t.fields_:
        flexible = isinstance(f.type, ctype.Array) and f.type.flexible and offset >= f.offset
        if f.offset <= offset < f.offset + f.type.sizeof_ or flexible:
            inner = _leaf(f.type, offset - f.offset)
            if inner is None:
                return None
            return _path(f.name, inner[0]), inner[1], inner[2] + f.offset
    return None


def _path(outer: str, inner: str) -> str:
    return f"{outer}.{inner}" if inner and not inner.startswith("[") else outer + inner


def _fields_in(t: Any, start: int, stop: int) -> Iterator[tuple[str, Any, int]]:
    # The innermost members of `t` that lie in the bytes [start, stop): path, type, offset.  Of the
    # members of a union only the first one; for a bit field the type is the Field itself.
    offset = start
    while offset < stop:
        leaf = _leaf(t, offset)
        if leaf is None or (leaf[2] < offset and offset > start):
            offset += 1
            continue
        _, inner, at = leaf
        yield from _bit_fields(t, *leaf) if isinstance(inner, ctype.Bits) else [leaf]
        offset = max(offset + 1, at + inner.sizeof_)


def _bit_fields(t: Any, path: str, unit: ctype.Bits, at: int) -> Iterator[tuple[str, Any, int]]:
    # All the bit fields that share the unit of the first one, which is at `path`.
    outer, _, first = path.rpartition(".")
    holder = t.field_(outer)[0] if outer else t
    place = holder.offsetof_(first)
    for f in holder.fields_:
        if isinstance(f.type, ctype.Bits) and f.offset == place:
            yield _path(outer, f.name) if outer else f.name, f, at


def _value(m: Any, address: int, t: Any) -> Any:
    if isinstance(t, ctype.Field):
        unit = int.from_bytes(m.read(address, t.type.sizeof_), "little")
        return unit >> t.bit & (1 << t.type.width) - 1
    data = m.read(address, t.sizeof_)
    if isinstance(t, ctype.Array):
        return bytes(data).split(b"\0", 1)[0]
    return int.from_bytes(data, "little", signed=bool(getattr(t, "signed", False)))


def diff(machine: Machine, t0: int, t1: int) -> list[Change]:
    """Return the members that differ between the times `t0` and `t1`, ordered by address.

    Stores outside of known objects (stacks, free lists, page descriptors) are left out.
    """
    before, after = PastMachine(machine, t0), PastMachine(machine, t1)
    low, high = sorted((machine.trace.place(t0), machine.trace.place(t1)))
    words = sorted({i for i, _ in machine.undo_records(low, high)})
    seen: set[tuple[int, str]] = set()
    out: list[Change] = []
    for i in words:
        if before.u64[i] == after.u64[i]:
            continue
        direct = memory.DIRECT_MAP + (i << 3)
        for change in _changes_in_word(before, after, direct):
            if (change.address, change.field) not in seen:
                seen.add((change.address, change.field))
                out.append(change)
    return out


def _changes_in_word(before: PastMachine, after: PastMachine, direct: int) -> Iterator[Change]:
    found = object_of(after, direct) or object_of(before, direct)
    if found is None:
        yield from _static_changes(before, after, direct)
        return
    t, start = found
    offset = before.offset(direct) - before.offset(start)
    for path, leaf, at in _fields_in(t, offset, offset + 8):
        old, new = (_value(m, start + at, leaf) for m in (before, after))
        if old != new:
            yield Change(t.c, start, path, old, new)


def _static_changes(before: PastMachine, after: PastMachine, direct: int) -> Iterator[Change]:
    # The static integers and pointers of which the word at `direct` is a part.
    for address in (direct, direct + 4):
        name = _static(after, address)
        start, t = after.symbols.get(name, (0, None))
        if isinstance(t, ctype.Int | ctype.Ptr):
            old, new = (_value(m, start, t) for m in (before, after))
            if old != new:
                yield Change(t.c, start, name, old, new)


def used_pages(m: Machine) -> Iterator[tuple[int, memoryview]]:
    """Yield (physical offset, bytes) of every page that is in use, in order."""
    free = bytearray(m.size >> memory.PAGE_SHIFT)
    for pfn, order in page_alloc.free_blocks(m):
        free[pfn : pfn + (1 << order)] = b"\1" * (1 << order)
    for pfn, is_free in enumerate(free):
        if not is_free and pfn >= page_alloc.FIRST_PAGE:
            start = pfn << memory.PAGE_SHIFT
            yield start, m.u8[start : start + memory.PAGE_SIZE]
