"""Numbers for things: an IDR of one's own.

    k = ks.boot()
    ids = k.idr()                    # a struct idr in the kernel's memory
    ids.alloc("keyboard")            # 0: the lowest free number
    ids.alloc_cyclic("disk", 10)     # 10: cyclic, from 10 on
    ids.find(10), ids.nodes()        # what has the number; the nodes of the tree
    ids                              # in a notebook: its picture

What has a number is a `thing`, a name in memory of its own; an address or a reference will do,
too.  Errors are OSErrors, as those of system calls are.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import slab, xarray
from kernelsim.include.uapi.asm import errno
from kernelsim.lib import idr
from kernelsim.machine.ctype import array, char
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import Struct
from kernelsim.mm import slab_common, slub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "LINE",
    "Idr",
    "Node",
    "Step",
    "as_int",
    "cache_called",
    "checked",
    "digits",
    "looking",
    "thing",
]

LINE = 64  # bytes that a CPU brings from memory at once
LONGEST = 23


class thing(Struct):
    """What gets a number in an IDR of one's own: nothing but a name."""

    name = array(char, LONGEST + 1)


@dataclass(frozen=True, slots=True)
class Node:
    """An xa_node: which numbers are below it, and how many of its 64 slots are used and full."""

    address: int
    shift: int
    offset: int
    count: int
    full: int  # slots whose IDR_FREE bit is clear
    first: int  # the first number below it


class Step(NamedTuple):
    """One step of a look-up: in the node at `address`, slot `slot` is taken; `entry` is in it."""

    address: int
    shift: int
    slot: int
    entry: int


def digits(index: int, levels: int = 0) -> tuple[int, ...]:
    """Return `index` in digits of six bits, the highest first, at least `levels` of them."""
    found: tuple[int, ...] = ()
    while index or len(found) < max(levels, 1):
        found, index = (index & 63, *found), index >> 6
    return found


def checked(result: int) -> int:
    """Return what a kernel function returned; raise OSError for a negative errno."""
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def as_int(value: Any, what: str) -> int:
    """Return `value` if it is an int; raise TypeError that calls it `what`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} is an int, not {type(value).__name__}")
    return value


class Idr:
    """An IDR in the memory of a kernel; `idr` is the reference to its struct idr.

    :param k: a Kernel.  :param base: the first number, as for idr_init_base().
    """

    def __init__(self, k: Any, base: int = 0) -> None:
        self.machine = m = k.machine
        self.note: Callable[[str, tuple[Any, ...]], None] = lambda name, args: None
        if not 0 <= as_int(base, "base") < 1 << 31:
            raise ValueError(f"base is {base}: an int that is not negative")
        taken = sum(name.startswith("your_idr") for name in m.symbols)
        self.name = f"your_idr_{taken + 1}" if taken else "your_idr"
        self.idr = m.define(self.name, idr_h.idr)
        idr.idr_init_base(m, self.idr, base)
        self._made, self._things = 0, cache_called(m, "thing", thing.sizeof_)

    def __repr__(self) -> str:
        many, nodes = len(self), len(self.nodes())
        return f"(struct idr *){self.idr.address_:#x}: {many} numbers, {nodes} nodes"

    def __len__(self) -> int:
        """How many numbers are in use."""
        return sum(node.count for node in self.nodes() if not node.shift)

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers with something, ascending."""
        with looking(self.machine):
            return iter([number for _, number in idr.idr_for_each_entry_ul(self.machine, self.idr)])

    # -- giving and taking ---------------------------------------------------------------------

    def alloc(self, what: Any = "", start: int = 0, end: int = 0) -> int:
        """Give `what` the lowest free number from `start` up to `end`, exclusive; 0 is no limit.

        :raises OSError: ENOSPC if none is free, EINVAL for a negative `start`, ENOMEM.
        """
        return self._store(what, idr.idr_alloc, start, end)

    def alloc_cyclic(self, what: Any = "", start: int = 0, end: int = 0) -> int:
        """Give `what` the next free number after the last one given so; after `end` from `start` on."""
        return self._store(what, idr.idr_alloc_cyclic, start, end)

    def alloc_u32(self, what: Any = "", start: int = 0, last: int = (1 << 32) - 1) -> int:
        """Give `what` the lowest free number from `start` up to `last`, inclusive."""
        return self._store(what, idr.idr_alloc_u32, start, last)

    def _store(self, what: Any, how: Any, start: int, end: int) -> int:
        as_int(start, "start"), as_int(end, "end")
        self._doing(how.__name__.removeprefix("idr_"), what, start, end)
        m, pointer = self.machine, self._pointer(what)
        result = how(m, self.idr, pointer, start, end, slab.GFP_KERNEL)
        if result < 0:
            self._drop(pointer)
        return checked(result)

    def remove(self, number: int) -> str | int | None:
        """Free a number; return what had it, None if nothing did."""
        self._doing("remove", as_int(number, "number"))
        return self._given(idr.idr_remove(self.machine, self.idr, number))

    def replace(self, number: int, what: Any = "") -> str | int | None:
        """Let `what` have a number that is in use; return what had it before.

        :raises OSError: ENOENT if the number is free.
        """
        self._doing("replace", as_int(number, "number"), what)
        pointer = self._pointer(what)
        old = idr.idr_replace(self.machine, self.idr, pointer, number)
        if old < 0:
            self._drop(pointer)
        return self._given(checked(old))

    def destroy(self) -> None:
        """Free all nodes: no number is in use any more. What had them stays."""
        self._doing("destroy")
        idr.idr_destroy(self.machine, self.idr)

    # Something is about to be done: a branch of the kernel is to do it too.
    def _doing(self, name: str, *args: Any) -> None:
        self.note(name, args)

    # -- looking -------------------------------------------------------------------------------

    def find(self, number: int) -> str | int | None:
        """Return what has a number: a thing's name or an address; None for nothing."""
        with looking(self.machine):
            return self._called(idr.idr_find(self.machine, self.idr, as_int(number, "number")))

    def next(self, number: int) -> int | None:
        """Return the first number from `number` on that has something, None if there is none."""
        with looking(self.machine):
            entry, found = idr.idr_get_next(self.machine, self.idr, as_int(number, "number"))
        return found if entry else None

    @property
    def base(self) -> int:
        """The first number, which is at index 0."""
        return int(self.idr.idr_base)

    @property
    def cursor(self) -> int:
        """Where the next alloc_cyclic() begins to search."""
        return int(self.idr.idr_next)

    @cursor.setter
    def cursor(self, number: int) -> None:
        idr_h.idr_set_cursor(self.machine, self.idr, as_int(number, "cursor"))

    @property
    def is_empty(self) -> bool:
        """Whether no number is in use."""
        with looking(self.machine):
            return idr_h.idr_is_empty(self.machine, self.idr)

    def nodes(self) -> list[Node]:
        """Return the nodes of the tree, each before those below it, from left to right."""
        found: list[Node] = []
        self._collect(self.idr.idr_rt.xa_head, self.base, found)
        return found

    def _collect(self, entry: int, first: int, found: list[Node]) -> None:
        if not xarray.xa_is_node(entry):
            return
        node: Any = xarray.xa_node(self.machine, xarray.xa_to_node(entry))
        full = 64 - int(node.tags[idr_h.IDR_FREE][0]).bit_count()
        found.append(Node(node.address_, node.shift, node.offset, node.count, full, first))
        for slot in range(xarray.XA_CHUNK_SIZE if node.shift else 0):
            self._collect(node.slots[slot], first + (slot << node.shift), found)

    def path(self, number: int) -> list[Step]:
        """Return the steps of a look-up: node by node, from the top, as far as there is one."""
        entry, index = self.idr.idr_rt.xa_head, as_int(number, "number") - self.base
        found: list[Step] = []
        while xarray.xa_is_node(entry):
            node: Any = xarray.xa_node(self.machine, xarray.xa_to_node(entry))
            if index < 0 or (not found and index >> node.shift > xarray.XA_CHUNK_MASK):
                break
            slot = index >> node.shift & xarray.XA_CHUNK_MASK
            entry = node.slots[slot]
            found.append(Step(node.address_, node.shift, slot, entry))
            if not node.shift:
                break
        return found

    def lines(self, number: int) -> int:
        """Return how many lines of 64 bytes a look-up of the number reads, besides struct idr."""
        slots = xarray.xa_node.offsetof_("slots")
        read = {at // LINE for step in self.path(number)
                for at in (step.address, step.address + slots + 8 * step.slot)}  # fmt: skip
        return len(read)

    def validate(self) -> int:
        """Check the tree; return the number of its nodes. :raises ValidationError: it is broken."""
        return idr_h.validate_idr(self.machine, self.idr)

    def picture(self, since: Any = None, path: int | None = None, **options: Any) -> Any:
        """Draw it: `ks.view.idr` with its arguments."""
        from kernelsim import view

        return view.idr(self, since=since, path=path, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle: dict[str, str] = self.picture()._repr_mimebundle_(include, exclude)
        return bundle

    # -- things --------------------------------------------------------------------------------

    def called(self, entry: int, m: Any = None) -> str:
        """Return the name of the thing at an address, "" for what is no thing."""
        m = m or self.machine
        try:
            with looking(m):
                found = slub.object_at(m, entry)
        except Fault:
            return ""
        if not found or found[0] != "thing" or found[1] != entry:
            return ""
        one: Any = thing(m, entry)
        return bytes(one.name.string_()).decode("utf-8", "replace")

    def _called(self, entry: int) -> str | int | None:
        return self.called(entry) or entry or None

    def _pointer(self, what: Any) -> int:
        if not isinstance(what, str):
            address = getattr(what, "address_", what)
            if isinstance(address, bool) or not isinstance(address, int) or address & 3:
                raise TypeError(f"{what!r} cannot have a number: a name, or an address, aligned")
            return address
        self._made += 1
        name = (what or f"thing {self._made}").encode()
        if len(name) > LONGEST or 0 in name:
            raise ValueError(f"{what!r} is no name of at most {LONGEST} bytes without NUL")
        m = self.machine
        address = slub.kmem_cache_alloc(m, self._things, slab.GFP_KERNEL)
        if not address:
            checked(-errno.ENOMEM)
        m.write(address, name)
        return address

    def _given(self, entry: int) -> str | int | None:
        name = self._called(entry)
        self._drop(entry)
        return name

    def _drop(self, entry: int) -> None:
        if self.called(entry):
            slub.kmem_cache_free(self.machine, self._things, entry)


def cache_called(m: Any, name: str, size: int) -> Any:
    """Return the slab cache of that name; make it, for objects of `size` bytes, if need be."""
    with looking(m):
        known = {slab_common.cache_name(m, cache): cache for cache in slab_common.caches(m)}
        return known[name] if name in known else slub.kmem_cache_create(m, name, size)


@contextlib.contextmanager
def looking(m: Any) -> Iterator[None]:
    """Look at machine `m`, and leave no events."""
    was, m.trace.on = m.trace.on, False
    try:
        yield
    finally:
        m.trace.on = was
