"""lib/radix-tree.c @ v5.10.188, first part: nodes, their tags, and the height of trees.

For speed a node is known here by `n`, the index of its first word in memory (-1 is none), a root
by `r`, and a slot by the index of its word.  Nodes are always in the direct map, for the slab
allocator hands them out.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.idr import IDR_FREE, idr
from kernelsim.include.linux.radix_tree import (
    RADIX_TREE_MAX_TAGS,
    RADIX_TREE_RETRY,
    ROOT_IS_IDR,
    ROOT_TAG_SHIFT,
)
from kernelsim.include.linux.xarray import xa_node
from kernelsim.include.uapi.asm import errno
from kernelsim.machine.memory import DIRECT_MAP, POISON, put
from kernelsim.mm import slub

__all__ = [
    "ALL_FREE",
    "BASE_LO",
    "COUNT",
    "COUNT_1",
    "GFP_DIRECT_RECLAIM",
    "IS_IDR",
    "NEXT_HI",
    "PARENT",
    "SLOTS",
    "TAGS",
    "VALUES_1",
    "delete_node",
    "fill_pool",
    "find_next_bit",
    "load_root",
    "node_address",
    "node_index",
    "node_tag_clear",
    "node_tag_get",
    "node_tag_set",
    "put",
    "radix_tree_extend",
    "radix_tree_node_alloc",
    "radix_tree_node_ctor",
    "radix_tree_node_free",
    "radix_tree_node_rcu_free",
    "root_index",
    "root_is_idr",
    "root_tag_clear",
    "root_tag_get",
    "root_tag_set",
    "word_index",
]

PARENT = xa_node.offsetof_("parent") >> 3
LIST = xa_node.offsetof_("private_list") >> 3
ARRAY = xa_node.offsetof_("array") >> 3
SLOTS = xa_node.offsetof_("slots") >> 3
TAGS = xa_node.offsetof_("tags") >> 3
COUNT_1 = 1 << 8 * xa_node.offsetof_("count")  # 1 in the byte `count` of a node's first word
COUNT = 0xFF * COUNT_1
VALUES_1 = 1 << 8 * xa_node.offsetof_("nr_values")
ALL_FREE = (1 << 64) - 1

GFP_DIRECT_RECLAIM = 0x400  # __GFP_DIRECT_RECLAIM: the caller may sleep
__GFP_ACCOUNT = 0x400000
_SIZE = xa_node.sizeof_
_WORDS = _SIZE >> 3
IS_IDR = ROOT_IS_IDR << 32  # in a root's first word, which is xa_lock and xa_flags
BASE_LO = idr.offsetof_("idr_base") >> 3  # in an IDR's word …
NEXT_HI = idr.offsetof_("idr_next") >> 3  # … which is idr_base and idr_next
_TAG_0 = 1 << (32 + ROOT_TAG_SHIFT)


def word_index(m: Any, address: int) -> int:
    """Return the index of the word at `address`."""
    o: int = address ^ DIRECT_MAP
    return (o if o < m.size else m.offset(address)) >> 3


def root_index(root: Any) -> int:
    """Return the index of the first word of struct radix_tree_root *`root`."""
    r: int = root._o >> 3
    try:
        head = root.machine_.u64[r + 1]
    except IndexError:
        root.machine_.fault(root.address_, "struct radix_tree_root", "xa_head")
    if head == POISON:
        root.machine_.check(root.address_, "struct radix_tree_root", "xa_head")
    return r


def node_index(m: Any, entry: int) -> int:
    """Return the index of the first word of the node that `entry`, or an address, names."""
    if not entry:
        return -1
    i: int = (entry ^ DIRECT_MAP) >> 3
    try:
        first = m.u64[i]
    except IndexError:
        m.fault(entry & ~3, "struct xa_node", "shift")
    if first == POISON:
        m.check(entry & ~3, "struct xa_node", "shift")
    return i


def node_address(n: int) -> int:
    """Return the address of the node whose first word is number `n`, NULL for none."""
    return n << 3 | DIRECT_MAP if n >= 0 else 0


def find_next_bit(word: int, offset: int) -> int:
    """Return the lowest bit from `offset` on that is set in the 64-bit `word`, 64 if none is."""
    rest = word >> offset << offset
    return (rest & -rest).bit_length() - 1 if rest else 64


# --- tags ----------------------------------------------------------------------------------


def root_is_idr(m: Any, r: int) -> bool:
    """Return whether the tree is an IDR's."""
    return bool(m.u64[r] & IS_IDR)


def root_tag_get(m: Any, r: int, tag: int) -> bool:
    """Return whether the root has `tag`."""
    return bool(m.u64[r] & _TAG_0 << tag)


def root_tag_set(m: Any, r: int, tag: int) -> None:
    """Give the root `tag`."""
    put(m, r, m.u64[r] | _TAG_0 << tag)


def root_tag_clear(m: Any, r: int, tag: int) -> None:
    """Take `tag` from the root."""
    put(m, r, m.u64[r] & ~(_TAG_0 << tag))


def node_tag_get(m: Any, r: int, n: int, tag: int, offset: int) -> bool:
    """Return whether slot `offset` of the node, or without a node the root, has `tag`."""
    if n < 0:
        return root_tag_get(m, r, tag)
    return bool(m.u64[n + TAGS + tag] >> offset & 1)


def node_tag_set(m: Any, r: int, n: int, tag: int, offset: int) -> None:
    """Set `tag` for slot `offset` of the node, and upwards as far as it is not set yet."""
    u64 = m.u64
    while n >= 0:
        tags = u64[n + TAGS + tag]
        if tags >> offset & 1:
            return
        put(m, n + TAGS + tag, tags | 1 << offset)
        offset, parent = u64[n] >> 8 & 0xFF, u64[n + PARENT]
        n = (parent ^ DIRECT_MAP) >> 3 if parent else -1
    if not root_tag_get(m, r, tag):
        root_tag_set(m, r, tag)


def node_tag_clear(m: Any, r: int, n: int, tag: int, offset: int) -> None:
    """Clear `tag` for slot `offset` of the node, and upwards as far as no other slot has it."""
    u64 = m.u64
    while n >= 0:
        tags = u64[n + TAGS + tag]
        if not tags >> offset & 1:
            return
        tags &= ~(1 << offset)
        put(m, n + TAGS + tag, tags)
        if tags:
            return
        offset, parent = u64[n] >> 8 & 0xFF, u64[n + PARENT]
        n = (parent ^ DIRECT_MAP) >> 3 if parent else -1
    if root_tag_get(m, r, tag):
        root_tag_clear(m, r, tag)


# --- allocation ----------------------------------------------------------------------------


def radix_tree_node_alloc(
    m: Any, gfp: int, parent: int, root: int, shift: int, offset: int, count: int
) -> int:
    """Allocate a node with no values in it; return its index, -1 if there is no memory.

    `parent` (struct radix_tree_node *, or NULL) and `root` are addresses.  Where the caller must
    not sleep, the pool that radix_tree_preload() or idr_preload() has filled is the last resort.
    """
    address = slub.kmem_cache_alloc(m, m.static.radix_tree_node_cachep, gfp)
    if not address and not gfp & GFP_DIRECT_RECLAIM:
        pool = m.static.radix_tree_preloads
        if pool.nr:
            node = pool.nodes
            pool.nodes = node.parent
            pool.nr -= 1
            address = node.address_
    if not address:
        return -1
    u64, n = m.u64, (address ^ DIRECT_MAP) >> 3
    if m.log is not None:
        m.log_words(n, n + PARENT, n + ARRAY)
    u64[n] = shift | offset << 8 | count * COUNT_1
    u64[n + PARENT] = parent
    u64[n + ARRAY] = root
    return n


def fill_pool(m: Any, gfp: int, nr: int) -> int:
    """Let the pool have `nr` nodes, __radix_tree_preload(); return 0 or -ENOMEM."""
    pool = m.static.radix_tree_preloads
    while pool.nr < nr:
        address = slub.kmem_cache_alloc(m, m.static.radix_tree_node_cachep, gfp & ~__GFP_ACCOUNT)
        if not address:
            return -errno.ENOMEM
        xa_node(m, address).parent = pool.nodes
        pool.nodes = address
        pool.nr += 1
    return 0


def radix_tree_node_free(m: Any, n: int) -> None:
    """Free the node once nobody can be reading it any more: at once, for there is one CPU."""
    head = (n + LIST) << 3 | DIRECT_MAP
    if m.u64[n + LIST] != head:
        m.warn("radix_tree_node_free: private_list is not empty")
    radix_tree_node_rcu_free(m, head)


def radix_tree_node_rcu_free(m: Any, head: int) -> None:
    """Give a node back, clean as its constructor made it; `head` is the address of its rcu_head."""
    u64, node, i = m.u64, head - 8 * LIST, m.index(head)
    slots, end = i - LIST + SLOTS, i - LIST + _WORDS  # the slots, and the tags behind them
    if m.log is not None:
        m.log_block(slots, end - slots)
        m.log_words(i, i + 1)
    u64[slots:end] = m.pattern(0, end - slots)
    u64[i] = u64[i + 1] = head  # INIT_LIST_HEAD(&node->private_list), which is in the same place
    slub.kmem_cache_free(m, m.static.radix_tree_node_cachep, node)


def radix_tree_node_ctor(m: Any, arg: int) -> None:
    """Make the node at address `arg` what every free one is: zeros and an empty private_list."""
    m.fill(arg, 0, _SIZE)
    lists.INIT_LIST_HEAD(xa_node(m, arg).private_list)


# --- height --------------------------------------------------------------------------------


def load_root(m: Any, r: int) -> tuple[int, int, int]:
    """Return (entry in the root, bits of an index that the tree uses, last index it can hold)."""
    u64 = m.u64
    head = u64[r + 1]
    if head & 3 != 2:
        return head, 0, 0
    n = (head ^ DIRECT_MAP) >> 3
    first = u64[n] if n < m.size >> 3 else POISON
    if first == POISON:
        node_index(m, head)  # which faults
    return head, (first & 0xFF) + 6, (64 << (first & 0xFF)) - 1


def radix_tree_extend(m: Any, root: Any, gfp: int, index: int, shift: int) -> int:
    """Make the tree high enough for `index`; return the bits it uses then, or -ENOMEM.

    A tree without entries gets no nodes yet: whoever descends makes them.
    """
    u64, r = m.u64, root._o >> 3
    maxshift = shift
    while index > (64 << maxshift) - 1:
        maxshift += 6
    entry, idr = u64[r + 1], root_is_idr(m, r)
    if not entry and (not idr or root_tag_get(m, r, IDR_FREE)):
        return maxshift + 6
    while shift <= maxshift:
        n = radix_tree_node_alloc(m, gfp, 0, root.address_, shift, 0, 1)
        if n < 0:
            return -errno.ENOMEM
        if idr:
            put(m, n + TAGS, ALL_FREE)
            if not root_tag_get(m, r, IDR_FREE):
                put(m, n + TAGS, ALL_FREE - 1)
                root_tag_set(m, r, IDR_FREE)
        else:
            for tag in range(RADIX_TREE_MAX_TAGS):
                if root_tag_get(m, r, tag):
                    put(m, n + TAGS + tag, 1)
        if entry & 3 == 2:
            put(m, node_index(m, entry) + PARENT, node_address(n))
        elif entry & 1:
            put(m, n, u64[n] + VALUES_1)
        put(m, n + SLOTS, entry)
        entry = node_address(n) | 2
        put(m, r + 1, entry)
        shift += 6
    return maxshift + 6


def _shrink(m: Any, r: int) -> bool:
    # radix_tree_shrink(): let an only child in slot 0 take the place of the top node.
    u64, shrunk = m.u64, False
    idr = u64[r] & IS_IDR
    while u64[r + 1] & 3 == 2:
        n = (u64[r + 1] ^ DIRECT_MAP) >> 3
        first, child = u64[n], u64[n + SLOTS]
        if first & COUNT != COUNT_1 or not child:
            break
        if not first & 0xFF and idr:
            break  # idr_replace() may store a pointer that the root would take for a node
        if child & 3 == 2:
            put(m, ((child ^ DIRECT_MAP) >> 3) + PARENT, 0)
        put(m, r + 1, child)
        if idr and not u64[n + TAGS + IDR_FREE] & 1:
            root_tag_clear(m, r, IDR_FREE)
        put(m, n, first & ~COUNT)
        if child & 3 != 2:
            put(m, n + SLOTS, RADIX_TREE_RETRY)
        radix_tree_node_free(m, n)
        shrunk = True
    return shrunk


def delete_node(m: Any, r: int, n: int) -> bool:
    """Free the node if it is empty, and so on upwards; shrink the tree; true if one was freed."""
    u64, deleted = m.u64, False
    while n >= 0:
        first = u64[n]
        if first & COUNT:
            if first & COUNT == COUNT_1 and n << 3 | DIRECT_MAP | 2 == u64[r + 1]:
                deleted |= _shrink(m, r)
            return deleted
        parent = (u64[n + PARENT] ^ DIRECT_MAP) >> 3 if u64[n + PARENT] else -1
        if parent >= 0:
            put(m, parent + SLOTS + (first >> 8 & 0xFF), 0)
            put(m, parent, u64[parent] - COUNT_1)
        else:
            if not root_is_idr(m, r):
                put(m, r, u64[r] & (_TAG_0 - 1))  # root_tag_clear_all()
            put(m, r + 1, 0)
        radix_tree_node_free(m, n)
        deleted = True
        n = parent
    return deleted
