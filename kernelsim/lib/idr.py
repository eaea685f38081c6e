"""lib/idr.c and the IDR's part of lib/radix-tree.c @ v5.10.188: numbers for pointers.

A number is in use or free; the tag IDR_FREE says so, for NULL may be stored under a number, too.
Pointers are addresses (int; a reference will do), NULL is 0.  Where C returns a number through a
pointer, it is part of the result here.  A struct idr begins with its
radix_tree_root, so that a reference to the one serves as a reference to the other.

Left out: the IDA, which gives numbers without pointers, and the once of WARN_ON_ONCE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kernelsim.include.linux.idr import (
    IDR_FREE,
    IDR_RT_MARKER,
    idr,
    idr_get_cursor,
    idr_init,
    idr_init_base,
    idr_is_empty,
    idr_preload_end,
    idr_set_cursor,
    validate_idr,
)
from kernelsim.include.linux.radix_tree import (
    radix_tree_is_internal_node,
    radix_tree_iter,
    radix_tree_iter_retry,
)
from kernelsim.include.linux.xarray import xa_is_internal, xa_is_node, xa_is_retry
from kernelsim.include.uapi.asm import errno
from kernelsim.lib import _radix_node as nodes
from kernelsim.lib import radix_tree
from kernelsim.lib._radix_node import COUNT_1, PARENT, SLOTS, TAGS, node_address, node_index, put
from kernelsim.machine.memory import DIRECT_MAP

__all__ = [
    "idr",
    "idr_alloc",
    "idr_alloc_cyclic",
    "idr_alloc_u32",
    "idr_destroy",
    "idr_find",
    "idr_for_each",
    "idr_for_each_entry",
    "idr_for_each_entry_continue",
    "idr_for_each_entry_continue_ul",
    "idr_for_each_entry_ul",
    "idr_get_cursor",
    "idr_get_free",
    "idr_get_next",
    "idr_get_next_ul",
    "idr_init",
    "idr_init_base",
    "idr_is_empty",
    "idr_preload",
    "idr_preload_end",
    "idr_remove",
    "idr_replace",
    "idr_set_cursor",
    "validate_idr",
]

INT_MAX = (1 << 31) - 1
IDR_PRELOAD_SIZE = 11  # the longest path of an index of 31 bits is 6: two of them share the root
_MASK = (1 << 64) - 1


# --- the IDR's part of lib/radix-tree.c ----------------------------------------------------


def idr_preload(m: Any, gfp_mask: int) -> None:
    """Put nodes aside, so that the next idr_alloc() under a lock does not fail; it may sleep.

    Preemption is off until idr_preload_end().
    """
    nodes.fill_pool(m, gfp_mask, IDR_PRELOAD_SIZE)


def idr_get_free(m: Any, root: Any, iter: radix_tree_iter, gfp: int, max: int) -> int:
    """Return the first free slot (void **) with an index from `iter.next_index` to `max`.

    `root` is a struct radix_tree_root *, or what begins with one; the slot's node is made if need
    be.  -ENOSPC if none is free, -ENOMEM.
    """
    r, start = nodes.root_index(root), iter.next_index
    while True:
        child, shift, maxindex = nodes.load_root(m, r)
        if start <= maxindex and not nodes.root_tag_get(m, r, IDR_FREE):
            start = maxindex + 1
        if start > max:
            return -errno.ENOSPC
        if start > maxindex:
            shift = nodes.radix_tree_extend(m, root, gfp, start, shift)
            if shift < 0:
                return shift
            child = m.u64[r + 1]
        if not shift and not start:
            shift = 6  # an IDR never keeps an entry in the root itself
        n, offset, start = _find_free(m, root, r, child, start, shift, max, gfp)
        if offset < 0:
            return offset
        if n >= 0:
            break
    last = (64 << (m.u64[n] & 0xFF)) - 1
    iter.index = start
    iter.next_index = 1 + min(max, start | last)
    iter.node = node_address(n)
    iter.tags = m.u64[n + TAGS + IDR_FREE] >> offset
    return node_address(n + SLOTS + offset)


def _find_free(
    m: Any, root: Any, r: int, child: int, start: int, shift: int, max: int, gfp: int
) -> tuple[int, int, int]:
    # Go down to a free slot: (node, offset, index); (-1, 0, index) if the tree has to grow first;
    # (-1, -errno, index) if there is none.
    u64, n, slot, offset = m.u64, -1, r + 1, 0
    while shift:
        shift -= 6
        if not child:
            parent = node_address(n)
            new = nodes.radix_tree_node_alloc(m, gfp, parent, root.address_, shift, offset, 0)
            if new < 0:
                return -1, -errno.ENOMEM, start
            put(m, new + TAGS + IDR_FREE, nodes.ALL_FREE)
            child = node_address(new) | 2
            put(m, slot, child)
            if n >= 0:
                put(m, n, u64[n] + COUNT_1)
        n = (child ^ DIRECT_MAP) >> 3
        bits = u64[n] & 0xFF
        offset = start >> bits & 63
        tags = u64[n + TAGS + IDR_FREE]
        if not tags >> offset & 1:
            offset = nodes.find_next_bit(tags, offset + 1)
            start = (start & ~((64 << bits) - 1)) + (offset << bits) & _MASK
            if start > max or not start:
                return -1, -errno.ENOSPC, start
            while offset == 64:  # nothing more in this node: on to the right of it
                offset = (u64[n] >> 8 & 0xFF) + 1
                n = node_index(m, u64[n + PARENT])
                if n < 0:
                    return -1, 0, start
                shift = u64[n] & 0xFF
        slot = n + SLOTS + offset
        child = u64[slot]
    return n, offset, start


def idr_destroy(m: Any, idr: Any) -> None:
    """Free all memory of struct idr *`idr`, which is empty then; what it pointed to stays."""
    r = nodes.root_index(idr)
    head = m.u64[r + 1]
    if radix_tree_is_internal_node(head):
        _free_nodes(m, node_index(m, head))
    put(m, r + 1, 0)
    nodes.root_tag_set(m, r, IDR_FREE)


def _free_nodes(m: Any, top: int) -> None:
    # radix_tree_free_nodes(): free the node and all below, children first.
    u64, n, offset = m.u64, top, 0
    while True:
        entry = u64[n + SLOTS + offset]
        if xa_is_node(entry) and u64[n] & 0xFF:
            n, offset = node_index(m, entry), 0
            continue
        offset += 1
        while offset == 64:
            old, offset = n, (u64[n] >> 8 & 0xFF) + 1
            n = node_index(m, u64[n + PARENT])
            nodes.radix_tree_node_free(m, old)
            if old == top:
                return


# --- lib/idr.c -----------------------------------------------------------------------------


def idr_alloc_u32(m: Any, idr: Any, ptr: int, nextid: int, max: int, gfp: int) -> int:
    """Store `ptr` under the first free number from `nextid` (u32) to `max`, inclusive.

    Returns the number (C stores it through `nextid`), -ENOSPC or -ENOMEM.
    """
    r, iter = nodes.root_index(idr), radix_tree_iter()
    base = m.u64[r + nodes.BASE_LO] & 0xFFFF_FFFF
    if not m.u64[r] & nodes.IS_IDR:
        m.warn("idr_alloc_u32: the root is not an IDR's")
        idr.idr_rt.xa_flags |= IDR_RT_MARKER
    iter.next_index = 0 if nextid < base else nextid - base  # radix_tree_iter_init()
    slot = idr_get_free(m, idr, iter, gfp, (max - base) & _MASK)
    if slot < 0:
        return slot
    radix_tree.radix_tree_iter_replace(m, idr, iter, slot, int(ptr))
    radix_tree.radix_tree_iter_tag_clear(m, idr, iter, IDR_FREE)
    return (iter.index + base) & 0xFFFF_FFFF


def idr_alloc(m: Any, idr: Any, ptr: int, start: int, end: int, gfp: int) -> int:
    """Store `ptr` under the first free number from `start` (int) to `end`, exclusive.

    `end` <= 0 means no limit.  Returns the number, -ENOSPC, -ENOMEM, or -EINVAL for `start` < 0.
    """
    if start < 0:
        m.warn("idr_alloc: start < 0")
        return -errno.EINVAL
    return idr_alloc_u32(m, idr, ptr, start, end - 1 if end > 0 else INT_MAX, gfp)


def idr_alloc_cyclic(m: Any, idr: Any, ptr: int, start: int, end: int, gfp: int) -> int:
    """idr_alloc() that searches from the number after the last one it gave, then from `start`."""
    cursor = nodes.root_index(idr) + nodes.NEXT_HI
    id, max = m.u64[cursor] >> 32, end - 1 if end > 0 else INT_MAX
    if id < start or id > INT_MAX:  # as ints
        id = start & 0xFFFF_FFFF
    err = idr_alloc_u32(m, idr, ptr, id, max, gfp)
    if err == -errno.ENOSPC and id > start & 0xFFFF_FFFF:
        err = idr_alloc_u32(m, idr, ptr, start & 0xFFFF_FFFF, max, gfp)
    if err >= 0:
        put(m, cursor, m.u64[cursor] & 0xFFFF_FFFF | (err + 1 & 0xFFFF_FFFF) << 32)
    return err


def _int(value: int) -> int:
    # C's (int) of an unsigned int.
    return value - (1 << 32) if value >> 31 else value


def idr_remove(m: Any, idr: Any, id: int) -> int:
    """Free the number `id` (unsigned long); return its pointer, NULL also if it was not in use."""
    base = m.u64[nodes.root_index(idr) + nodes.BASE_LO] & 0xFFFF_FFFF
    return radix_tree.radix_tree_delete_item(m, idr, (id - base) & _MASK, 0)


def idr_find(m: Any, idr: Any, id: int) -> int:
    """Return the pointer (void *) under number `id` (unsigned long), NULL if it is not in use."""
    base = m.u64[nodes.root_index(idr) + nodes.BASE_LO] & 0xFFFF_FFFF
    return radix_tree.radix_tree_lookup(m, idr, (id - base) & _MASK)


def idr_for_each(m: Any, idr: Any, fn: Callable[[int, int, Any], int], data: Any) -> int:
    """Call ``fn(id, ptr, data)`` for each number with a pointer, ascending, until it returns not 0.

    Returns what `fn` returned last, 0 if it was never called.
    """
    iter, base = radix_tree_iter(), _int(idr.idr_base)
    for slot in radix_tree.radix_tree_for_each_slot(m, idr, iter, 0):
        id = (iter.index + base) & _MASK
        if id > INT_MAX:
            m.warn("idr_for_each: id > INT_MAX")
            break
        ret = fn(id, m.read_u64(slot), data)
        if ret:
            return ret
    return 0


def idr_get_next_ul(m: Any, idr: Any, nextid: int) -> tuple[int, int]:
    """Return (pointer, number) of the first pointer that is not NULL from number `nextid` on.

    (0, `nextid`) if there is none.  `nextid` is an unsigned long.
    """
    iter, base = radix_tree_iter(), idr.idr_base
    start = 0 if nextid < base else nextid - base
    for slot in radix_tree.radix_tree_for_each_slot(m, idr, iter, start):
        entry = m.read_u64(slot)
        if not entry:
            continue
        in_node = slot != idr.address_ + 8
        if not xa_is_internal(entry) or (in_node and not xa_is_retry(entry)):
            return entry, (iter.index + base) & _MASK
        radix_tree_iter_retry(iter)
    return 0, nextid


def idr_get_next(m: Any, idr: Any, nextid: int) -> tuple[int, int]:
    """idr_get_next_ul() for numbers that are ints: (0, `nextid`) if the next one is above INT_MAX."""
    entry, id = idr_get_next_ul(m, idr, nextid & _MASK)
    if id > INT_MAX:
        m.warn("idr_get_next: id > INT_MAX")
        return 0, nextid
    return entry, id


def idr_for_each_entry(m: Any, idr: Any) -> Iterator[tuple[int, int]]:
    """Yield (pointer, number) for each number (int) with a pointer, ascending."""
    return idr_for_each_entry_continue(m, idr, 0)


def idr_for_each_entry_ul(m: Any, idr: Any) -> Iterator[tuple[int, int]]:
    """Yield (pointer, number) for each number (unsigned long) with a pointer, ascending."""
    return idr_for_each_entry_continue_ul(m, idr, 0)


def idr_for_each_entry_continue(m: Any, idr: Any, id: int) -> Iterator[tuple[int, int]]:
    """idr_for_each_entry() that begins with the number `id` (int), if that is in use."""
    entry, id = idr_get_next(m, idr, id)
    while entry:
        yield entry, id
        entry, id = idr_get_next(m, idr, id + 1)


def idr_for_each_entry_continue_ul(m: Any, idr: Any, id: int) -> Iterator[tuple[int, int]]:
    """idr_for_each_entry_ul() that begins with the number `id` (unsigned long), if it is in use."""
    last = id
    while last <= id:  # until the number after the last one is 0
        entry, id = idr_get_next_ul(m, idr, id)
        if not entry:
            return
        yield entry, id
        last, id = id, (id + 1) & _MASK


def idr_replace(m: Any, idr: Any, ptr: int, id: int) -> int:
    """Store `ptr` under number `id` (unsigned long), which must be in use; return the old pointer.

    -ENOENT if the number is not in use.
    """
    index = (id - (m.u64[nodes.root_index(idr) + nodes.BASE_LO] & 0xFFFF_FFFF)) & _MASK
    entry, node, slot = radix_tree.__radix_tree_lookup(m, idr, index)
    if not slot or radix_tree.radix_tree_tag_get(m, idr, index, IDR_FREE):
        return -errno.ENOENT
    radix_tree.__radix_tree_replace(m, idr, node, slot, int(ptr))
    return entry
