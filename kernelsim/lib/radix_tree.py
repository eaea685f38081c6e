"""lib/radix-tree.c @ v5.10.188: trees of 64-slot nodes, the ground that the IDR stands on.

A tree is as high as its highest index needs: it grows at the top, and shrinks when the top node's
only child is in slot 0.  A plain tree keeps a single entry at index 0 in the root, without a node;
an IDR never does.  Slots, nodes and entries are addresses (int), errors are negative errnos, and
what C returns through a pointer comes in a tuple.

The first part of Linux's file, nodes and tags, is in `_radix_node`; its last, for the IDR, in `idr`.

Left out: gang look-ups, CPU hotplug (the pool of a CPU that goes away).
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import slab, xarray
from kernelsim.include.linux.idr import IDR_FREE
from kernelsim.include.linux.radix_tree import (
    RADIX_TREE_MAX_PATH,
    RADIX_TREE_MAX_TAGS,
    RADIX_TREE_RETRY,
    radix_tree_iter,
)
from kernelsim.include.linux.radix_tree import radix_tree_preload as radix_tree_pool
from kernelsim.include.uapi.asm import errno
from kernelsim.lib import _radix_loops
from kernelsim.lib import _radix_node as nodes
from kernelsim.lib._radix_loops import *  # noqa: F403 - the loops of the same file
from kernelsim.lib._radix_node import (
    COUNT_1,
    SLOTS,
    TAGS,
    VALUES_1,
    node_address,
    node_index,
    put,
    root_index,
    word_index,
)
from kernelsim.machine import machine
from kernelsim.machine.memory import DIRECT_MAP, POISON
from kernelsim.mm import slub

__all__ = [
    "__radix_tree_lookup",
    "__radix_tree_replace",
    "radix_tree_delete",
    "radix_tree_delete_item",
    "radix_tree_init",
    "radix_tree_insert",
    "radix_tree_iter_delete",
    "radix_tree_iter_replace",
    "radix_tree_iter_tag_clear",
    "radix_tree_lookup",
    "radix_tree_lookup_slot",
    "radix_tree_maybe_preload",
    "radix_tree_preload",
    "radix_tree_replace_slot",
    "radix_tree_tag_clear",
    "radix_tree_tag_get",
    "radix_tree_tag_set",
    "radix_tree_tagged",
]
__all__ += _radix_loops.__all__

SLAB_RECLAIM_ACCOUNT = 0x00020000
RADIX_TREE_PRELOAD_SIZE = 2 * RADIX_TREE_MAX_PATH - 1  # two branches that share the root
_GFP_MASK = 0x7FFFF0  # __GFP_BITS_MASK & ~GFP_ZONEMASK


def radix_tree_init(m: Any) -> None:
    """Make the cache of nodes, and the pool of them that is kept for insertions."""
    ctor = machine.function(nodes, "radix_tree_node_ctor")
    size, flags = xarray.xa_node.sizeof_, slab.SLAB_PANIC | SLAB_RECLAIM_ACCOUNT
    m.static.radix_tree_node_cachep = slub.kmem_cache_create(
        m, "radix_tree_node", size, 0, flags, ctor
    )
    m.static.radix_tree_preloads = m.define("radix_tree_preloads", radix_tree_pool)


def radix_tree_preload(m: Any, gfp_mask: int) -> int:
    """Put enough nodes aside that one insertion can't fail; return 0 or -ENOMEM.

    On success preemption is off until radix_tree_preload_end().
    """
    return nodes.fill_pool(m, gfp_mask, RADIX_TREE_PRELOAD_SIZE)


def radix_tree_maybe_preload(m: Any, gfp_mask: int) -> int:
    """radix_tree_preload() if `gfp_mask` allows to sleep; else return 0."""
    if not gfp_mask & nodes.GFP_DIRECT_RECLAIM:
        return 0
    return nodes.fill_pool(m, gfp_mask, RADIX_TREE_PRELOAD_SIZE)


# --- entries -------------------------------------------------------------------------------


def _create(m: Any, root: Any, index: int) -> tuple[int, int]:
    # __radix_tree_create(): (node, word of the slot) for `index`, or (-ENOMEM, -1).
    u64, r = m.u64, root_index(root)
    gfp = root.xa_flags & _GFP_MASK
    child, shift, maxindex = nodes.load_root(m, r)
    n, slot, offset = -1, r + 1, 0
    if index > maxindex:
        shift = nodes.radix_tree_extend(m, root, gfp, index, shift)
        if shift < 0:
            return shift, -1
        child = u64[r + 1]
    while shift > 0:
        shift -= 6
        if not child:
            parent = node_address(n)
            new = nodes.radix_tree_node_alloc(m, gfp, parent, root.address_, shift, offset, 0)
            if new < 0:
                return -errno.ENOMEM, -1
            child = node_address(new) | 2
            put(m, slot, child)
            if n >= 0:
                put(m, n, u64[n] + COUNT_1)
        elif child & 3 != 2:
            break
        n = node_index(m, child)
        offset = index >> (u64[n] & 0xFF) & 63
        slot = n + SLOTS + offset
        child = u64[slot]
    return n, slot


def radix_tree_insert(m: Any, root: Any, index: int, item: int) -> int:
    """Store `item` (void *) at `index` (unsigned long); return 0, -EEXIST or -ENOMEM."""
    n, slot = _create(m, root, index)
    if slot < 0:
        return n
    if m.u64[slot]:
        return -errno.EEXIST
    put(m, slot, item)
    if n >= 0:
        put(m, n, m.u64[n] + COUNT_1 + (VALUES_1 if item & 1 else 0))
    return 0


def __radix_tree_lookup(m: Any, root: Any, index: int) -> tuple[int, int, int]:
    """Return (entry, node, slot) for `index` (unsigned long); the slot is NULL if there is none."""
    entry, n, slot = _lookup(m, root_index(root), index)
    if slot < 0:
        return 0, 0, 0
    return entry, node_address(n), node_address(slot) if n >= 0 else root.address_ + 8


def _lookup(m: Any, r: int, index: int) -> tuple[int, int, int]:
    # __radix_tree_lookup() in words: (entry, node or -1, word of the slot or -1).
    u64 = m.u64
    while True:
        entry, _, maxindex = nodes.load_root(m, r)
        if index > maxindex:
            return 0, -1, -1
        n, slot = -1, r + 1
        while entry & 3 == 2:
            n = (entry ^ DIRECT_MAP) >> 3
            shift = u64[n] & 0xFF
            slot = n + SLOTS + (index >> shift & 63)
            entry = u64[slot]
            if not shift or entry == RADIX_TREE_RETRY:
                break
        if entry != RADIX_TREE_RETRY:
            return entry, n, slot


def radix_tree_lookup_slot(m: Any, root: Any, index: int) -> int:
    """Return the slot (void **) of the entry at `index` (unsigned long), NULL if there is none."""
    entry, _, slot = __radix_tree_lookup(m, root, index)
    return slot if entry else 0


def radix_tree_lookup(m: Any, root: Any, index: int) -> int:
    """Return the entry (void *) at `index` (unsigned long), NULL if there is none."""
    u64 = m.u64
    try:
        entry: int = u64[(root._o >> 3) + 1]
        shift = 0
        if entry & 3 == 2:
            n = (entry ^ DIRECT_MAP) >> 3
            shift = u64[n] & 0xFF
            if index >> shift > 63:
                return 0
            entry = u64[n + SLOTS + (index >> shift)]
            while shift and entry & 3 == 2:
                shift -= 6  # what node->shift is, level by level
                entry = u64[((entry ^ DIRECT_MAP) >> 3) + SLOTS + (index >> shift & 63)]
        elif index and entry != POISON:
            entry = 0
    except IndexError:
        entry = POISON
    if entry == POISON or entry & 3 == 2:
        return _lookup(m, root_index(root), index)[0]  # the slow road: it faults, or starts again
    return entry


def __radix_tree_replace(m: Any, root: Any, node: int, slot: int, item: int) -> None:
    """Store `item` (void *) to `slot` of `node`, as __radix_tree_lookup() gave them, and account."""
    u64, r = m.u64, root_index(root)
    s, n = m.index(slot), m.index(node) if node else -1
    old = u64[s]
    if u64[r] & nodes.IS_IDR and n >= 0:
        # Callers may store NULL in an IDR: it is the tag that tells whether a slot is in use.
        free = u64[n + TAGS + IDR_FREE] >> s - n - SLOTS & 1
        count = 0 if not free else 1 if not old else bool(item) - 1
    else:
        count = bool(item) - bool(old)
    values = (item & 1) - (old & 1)
    if n >= 0 and (count or values):
        put(m, n, u64[n] + count * COUNT_1 + values * VALUES_1)
    put(m, s, item)
    if n < 0 or u64[n] & nodes.COUNT < 2 * COUNT_1:  # else there is nothing to free
        nodes.delete_node(m, r, n)


def radix_tree_replace_slot(m: Any, root: Any, slot: int, item: int) -> None:
    """Store `item` (void *) to `slot` (void **), which holds an entry of the same kind."""
    __radix_tree_replace(m, root, 0, slot, item)


def radix_tree_iter_replace(m: Any, root: Any, iter: radix_tree_iter, slot: int, item: int) -> None:
    """Store `item` (void *) to `slot` (void **), at which the loop `iter` is."""
    __radix_tree_replace(m, root, iter.node, slot, item)


def _delete(m: Any, r: int, n: int, slot: int) -> bool:
    # __radix_tree_delete() in words.
    old, offset = m.u64[slot], slot - n - SLOTS if n >= 0 else 0
    if nodes.root_is_idr(m, r):
        nodes.node_tag_set(m, r, n, IDR_FREE, offset)
    else:
        for tag in range(RADIX_TREE_MAX_TAGS):
            nodes.node_tag_clear(m, r, n, tag, offset)
    if n >= 0:
        put(m, n, m.u64[n] - COUNT_1 - (VALUES_1 if old & 1 else 0))
    put(m, slot, 0)
    return nodes.delete_node(m, r, n)


def radix_tree_iter_delete(m: Any, root: Any, iter: radix_tree_iter, slot: int) -> None:
    """Delete the entry in `slot` (void **), at which the loop `iter` is."""
    if _delete(m, root_index(root), node_index(m, iter.node), word_index(m, slot)):
        iter.index = iter.next_index


def radix_tree_delete_item(m: Any, root: Any, index: int, item: int) -> int:
    """Delete the entry at `index`, if it is `item` or `item` is NULL; return it, else NULL."""
    r = root_index(root)
    entry, n, slot = _lookup(m, r, index)
    if slot < 0:
        return 0
    if not entry:
        offset = slot - n - SLOTS
        if not nodes.root_is_idr(m, r) or nodes.node_tag_get(m, r, n, IDR_FREE, offset):
            return 0
    if item and entry != item:
        return 0
    _delete(m, r, n, slot)
    return entry


def radix_tree_delete(m: Any, root: Any, index: int) -> int:
    """Delete the entry at `index` (unsigned long); return it, NULL if there was none."""
    return radix_tree_delete_item(m, root, index, 0)


# --- tags ----------------------------------------------------------------------------------


def radix_tree_tagged(m: Any, root: Any, tag: int) -> bool:
    """Return whether any entry has `tag` (unsigned int)."""
    return nodes.root_tag_get(m, root_index(root), tag)


def radix_tree_tag_set(m: Any, root: Any, index: int, tag: int) -> int:
    """Give the entry at `index`, which must exist, `tag` (unsigned int); return the entry."""
    r = root_index(root)
    entry, _, maxindex = nodes.load_root(m, r)
    assert index <= maxindex
    while entry & 3 == 2:
        n = node_index(m, entry)
        offset = index >> (m.u64[n] & 0xFF) & 63
        entry = m.u64[n + SLOTS + offset]
        assert entry
        tags = m.u64[n + TAGS + tag]
        if not tags >> offset & 1:
            put(m, n + TAGS + tag, tags | 1 << offset)
    if not nodes.root_tag_get(m, r, tag):
        nodes.root_tag_set(m, r, tag)
    return entry


def radix_tree_tag_clear(m: Any, root: Any, index: int, tag: int) -> int:
    """Take `tag` (unsigned int) from the entry at `index`; return the entry, NULL if none."""
    r = root_index(root)
    entry, n, slot = _lookup(m, r, index)
    if entry:
        nodes.node_tag_clear(m, r, n, tag, slot - n - SLOTS)
    return entry


def radix_tree_iter_tag_clear(m: Any, root: Any, iter: radix_tree_iter, tag: int) -> None:
    """Take `tag` (unsigned int) from the entry at which the loop `iter` is."""
    n = m.index(iter.node) if iter.node else -1
    nodes.node_tag_clear(m, root_index(root), n, tag, iter.index & 63)


def radix_tree_tag_get(m: Any, root: Any, index: int, tag: int) -> bool:
    """Return whether the entry at `index` (unsigned long) has `tag` (unsigned int)."""
    r = root_index(root)
    entry, _, maxindex = nodes.load_root(m, r)
    if not nodes.root_tag_get(m, r, tag) or index > maxindex:
        return False
    while entry & 3 == 2:
        n = (entry ^ DIRECT_MAP) >> 3
        offset = index >> (m.u64[n] & 0xFF) & 63
        if not m.u64[n + TAGS + tag] >> offset & 1:
            return False
        entry = m.u64[n + SLOTS + offset]
        if entry == RADIX_TREE_RETRY:
            break
    return True
