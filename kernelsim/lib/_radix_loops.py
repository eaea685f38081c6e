"""lib/radix-tree.c @ v5.10.188, the loops over radix trees; `radix_tree` has them all.

As in C, the place of a loop is a `radix_tree_iter`; what the loop yields is the address of a slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelsim.include.linux.radix_tree import (
    RADIX_TREE_ITER_CONTIG,
    RADIX_TREE_ITER_TAG_MASK,
    RADIX_TREE_ITER_TAGGED,
    RADIX_TREE_RETRY,
    radix_tree_iter,
    radix_tree_iter_init,
    radix_tree_next_slot,
)
from kernelsim.lib import _radix_node as nodes
from kernelsim.lib._radix_node import SLOTS, TAGS, node_address, node_index, root_index

__all__ = [
    "radix_tree_for_each_slot",
    "radix_tree_for_each_tagged",
    "radix_tree_iter_resume",
    "radix_tree_next_chunk",
]

_MASK = (1 << 64) - 1


def radix_tree_next_chunk(m: Any, root: Any, iter: radix_tree_iter, flags: int) -> int:
    """Return the next slot (void **) in use, or tagged, from `iter.next_index` on, NULL if none.

    `flags` is RADIX_TREE_ITER_TAGGED | tag to see tagged entries only; RADIX_TREE_ITER_CONTIG to
    stop at the first hole.  `iter` gets the slot's index, its node, and where that node ends.
    """
    u64, r = m.u64, root_index(root)
    tag = flags & RADIX_TREE_ITER_TAG_MASK if flags & RADIX_TREE_ITER_TAGGED else -1
    if tag >= 0 and not nodes.root_tag_get(m, r, tag):
        return 0
    index = iter.next_index
    if not index and iter.index:
        return 0  # the end of all indices
    found = None
    while found is None:
        child, _, maxindex = nodes.load_root(m, r)
        if index > maxindex or not child:
            return 0
        if child & 3 != 2:
            iter.index, iter.next_index, iter.tags, iter.node = index, maxindex + 1, 1, 0
            return root.address_ + 8
        found, index = _descend(m, child, index, tag, contig=bool(flags & RADIX_TREE_ITER_CONTIG))
        if index < 0:
            return 0
    n, offset = found
    last = (64 << (u64[n] & 0xFF)) - 1
    iter.index = index & ~last | offset
    iter.next_index = ((index | last) + 1) & _MASK
    iter.node = node_address(n)
    if tag >= 0:
        iter.tags = u64[n + TAGS + tag] >> offset
    return node_address(n + SLOTS + offset)


def _descend(
    m: Any, child: int, index: int, tag: int, *, contig: bool
) -> tuple[tuple[int, int] | None, int]:
    # Go down from `child` to the first slot in use (or tagged) from `index` on.  The result is
    # ((node, offset), index); (None, index) to start again at the root; (None, -1) at the end.
    u64 = m.u64
    while True:
        n = node_index(m, child)
        shift = u64[n] & 0xFF
        offset = index >> shift & 63
        child = u64[n + SLOTS + offset]
        if not (u64[n + TAGS + tag] >> offset & 1 if tag >= 0 else child):
            if contig:
                return None, -1
            offset = _next_offset(m, n, tag, offset + 1)
            index = (index & ~((64 << shift) - 1)) + (offset << shift) & _MASK
            if not index:
                return None, -1
            if offset == 64:
                return None, index
            child = u64[n + SLOTS + offset]
        if not child:
            return None, index
        if child == RADIX_TREE_RETRY or not shift or child & 3 != 2:
            return (n, offset), index


def _next_offset(m: Any, n: int, tag: int, offset: int) -> int:
    # The first slot in use (or tagged) of a node from `offset` on, 64 if there is none.
    if tag >= 0:
        return nodes.find_next_bit(m.u64[n + TAGS + tag], offset)
    while offset < 64 and not m.u64[n + SLOTS + offset]:
        offset += 1
    return offset


def radix_tree_for_each_slot(m: Any, root: Any, iter: radix_tree_iter, start: int) -> Iterator[int]:
    """Yield the slots (void **) in use from index `start` on; `iter.index` is where we are."""
    return _for_each(m, root, iter, start, 0)


def radix_tree_for_each_tagged(
    m: Any, root: Any, iter: radix_tree_iter, start: int, tag: int
) -> Iterator[int]:
    """Yield the slots (void **) with `tag` from index `start` on; `iter.index` is where we are."""
    return _for_each(m, root, iter, start, RADIX_TREE_ITER_TAGGED | tag)


def _for_each(m: Any, root: Any, iter: radix_tree_iter, start: int, flags: int) -> Iterator[int]:
    slot = radix_tree_iter_init(iter, start)
    while slot or (slot := radix_tree_next_chunk(m, root, iter, flags)):
        yield slot
        slot = radix_tree_next_slot(m, slot, iter, flags)


def radix_tree_iter_resume(slot: int, iter: radix_tree_iter) -> int:
    """Let the loop look up the index after the current one from the root; return NULL."""
    iter.index = (iter.index + 1) & _MASK
    iter.next_index = iter.index
    iter.tags = 0
    return 0
