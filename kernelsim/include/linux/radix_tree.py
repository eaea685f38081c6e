"""include/linux/radix-tree.h @ v5.10.188: trees of 64-slot nodes, indexed by unsigned long.

A tree has three tags.  A tag's bit is set in a node where it is set anywhere below that slot, and
in the root's flags where it is set anywhere at all.  In an IDR tag 0, IDR_FREE, says that there is
a free slot.  Entries are addresses, so are slots and nodes here (int, 0 is NULL); a root is a
reference to struct radix_tree_root, or to anything that begins with one, as struct idr does.

Left out: gang look-ups.  The loops, which call lib/radix_tree, are there.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import xarray
from kernelsim.include.linux.xarray import xa_init_flags
from kernelsim.machine.ctype import ptr, u32
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import Struct, ValidationError

__all__ = [
    "INIT_RADIX_TREE",
    "RADIX_TREE_INTERNAL_NODE",
    "RADIX_TREE_ITER_CONTIG",
    "RADIX_TREE_ITER_TAGGED",
    "RADIX_TREE_ITER_TAG_MASK",
    "RADIX_TREE_MAP_MASK",
    "RADIX_TREE_MAP_SHIFT",
    "RADIX_TREE_MAP_SIZE",
    "RADIX_TREE_MAX_PATH",
    "RADIX_TREE_MAX_TAGS",
    "RADIX_TREE_RETRY",
    "ROOT_IS_IDR",
    "ROOT_TAG_SHIFT",
    "radix_tree_deref_slot",
    "radix_tree_empty",
    "radix_tree_is_internal_node",
    "radix_tree_iter",
    "radix_tree_iter_init",
    "radix_tree_iter_retry",
    "radix_tree_next_slot",
    "radix_tree_node",
    "radix_tree_preload",
    "radix_tree_preload_end",
    "radix_tree_root",
    "validate_radix_tree",
]

RADIX_TREE_INTERNAL_NODE = 2
RADIX_TREE_MAP_SHIFT = xarray.XA_CHUNK_SHIFT
RADIX_TREE_MAP_SIZE = 1 << RADIX_TREE_MAP_SHIFT
RADIX_TREE_MAP_MASK = RADIX_TREE_MAP_SIZE - 1
RADIX_TREE_MAX_TAGS = xarray.XA_MAX_MARKS
RADIX_TREE_MAX_PATH = 11  # levels that an index of 64 bits may need
RADIX_TREE_RETRY = xarray.XA_RETRY_ENTRY
ROOT_IS_IDR = 4
ROOT_TAG_SHIFT = 23  # __GFP_BITS_SHIFT without lockdep: the root's tags are above the flags
RADIX_TREE_ITER_TAG_MASK = 0x0F
RADIX_TREE_ITER_TAGGED = 0x10
RADIX_TREE_ITER_CONTIG = 0x20
_MASK = (1 << 64) - 1

radix_tree_root = xarray.xarray
radix_tree_node = xarray.xa_node


class radix_tree_preload(Struct):
    """Nodes put aside for an insertion that must not fail, linked by their `parent`."""

    nr = u32
    nodes = ptr("xa_node")


class radix_tree_iter:
    """Where a loop over a tree is: struct radix_tree_iter, which lives on the stack.

    `index` of the current slot; `next_index`, one beyond the last one of this node; `tags`, the
    bits of the slots from the current one on; `node` (address) that has the slot.
    """

    __slots__ = ("index", "next_index", "node", "tags")

    def __init__(self) -> None:
        self.index = self.next_index = self.tags = self.node = 0


def radix_tree_is_internal_node(entry: int) -> bool:
    """Return whether `entry` (void *) is internal, as the address + 2 of a node is."""
    return entry & 3 == RADIX_TREE_INTERNAL_NODE


def INIT_RADIX_TREE(root: Any, mask: int) -> None:
    """Make struct radix_tree_root *`root` an empty tree that allocates its nodes with gfp `mask`."""
    xa_init_flags(root, mask)


def radix_tree_empty(root: Any) -> bool:
    """Return whether struct radix_tree_root *`root` holds nothing."""
    return not root.xa_head


def radix_tree_deref_slot(m: Any, slot: int) -> int:
    """Return the entry in the slot (void **) at address `slot`."""
    entry: int = m.read_u64(slot)
    return entry


def radix_tree_iter_init(iter: radix_tree_iter, start: int) -> int:
    """Let the loop begin at index `start` (unsigned long); return NULL."""
    iter.index = 0
    iter.next_index = start
    return 0


def radix_tree_iter_retry(iter: radix_tree_iter) -> int:
    """Let the loop look the current index up again, from the root; return NULL."""
    iter.next_index = iter.index
    iter.tags = 0
    return 0


def radix_tree_next_slot(m: Any, slot: int, iter: radix_tree_iter, flags: int) -> int:
    """Return the next slot (void **) in use, or tagged, of the same node; NULL if there is none."""
    if flags & RADIX_TREE_ITER_TAGGED:
        iter.tags >>= 1
        if not iter.tags:
            return 0
        if not iter.tags & 1 and flags & RADIX_TREE_ITER_CONTIG:
            return 0
        step = (iter.tags & -iter.tags).bit_length()
        iter.tags >>= step - 1
        iter.index = (iter.index + step) & _MASK
        return slot + 8 * step
    for _ in range(((iter.next_index - iter.index) & _MASK) - 1):
        slot += 8
        iter.index = (iter.index + 1) & _MASK
        if m.read_u64(slot):
            return slot
        if flags & RADIX_TREE_ITER_CONTIG:
            iter.next_index = 0  # forbids going on to the next node
            break
    return 0


def radix_tree_preload_end(m: Any) -> None:
    """End what radix_tree_preload() began: preemption may happen again."""


# --- looking -------------------------------------------------------------------------------


def validate_radix_tree(root: Any) -> int:
    """Check every node of a tree, also of an IDR's; return the number of nodes.

    Raises ValidationError, with both addresses, for a node that does not name its parent, its root
    or its place, a wrong count, or a tag that is not set just where it is set further down.
    """
    root = radix_tree_root(root.machine_, root.address_)
    head = root.xa_head
    if not xarray.xa_is_node(head):
        return 0
    node: Any = radix_tree_node(root.machine_, xarray.xa_to_node(head))
    try:
        count = _validate_node(root, node, radix_tree_node(root.machine_, 0), 0, node.shift)
    except Fault as fault:
        raise ValidationError(f"radix_tree_root {root.address_:#x}: {fault}") from fault
    for tag in range(RADIX_TREE_MAX_TAGS):
        flag = root.xa_flags >> (ROOT_TAG_SHIFT + tag) & 1
        if flag != (node.tags[tag][0] != 0):
            raise ValidationError(
                f"radix_tree_root {root.address_:#x}: tag {tag} is {flag}, "
                f"but the top node {node.address_:#x} has {node.tags[tag][0]:#x}"
            )
    return count


def _validate_node(root: Any, node: Any, parent: Any, offset: int, shift: int) -> int:
    # Check `node`, which should be at slot `offset` of `parent`, and all below; count them.
    expected = {"parent": parent, "array": root, "offset": offset, "shift": shift}
    idr, slots = root.xa_flags & ROOT_IS_IDR, list(node.slots)
    values, nodes = 0, 1
    tags = [node.tags[tag][0] for tag in range(RADIX_TREE_MAX_TAGS)]
    summed = [bool(idr), False, False]  # the tags of an absent child
    for i, entry in enumerate(slots):
        child = radix_tree_node(root.machine_, xarray.xa_to_node(entry))
        values += xarray.xa_is_value(entry)
        below = summed
        if shift and xarray.xa_is_node(entry):
            nodes += _validate_node(root, child, node, i, shift - RADIX_TREE_MAP_SHIFT)
            below = [child.tags[tag][0] != 0 for tag in range(RADIX_TREE_MAX_TAGS)]
        elif entry:
            continue
        elif idr and not shift:
            continue  # NULL may be stored in an IDR: the tag alone says whether the slot is free
        if [bool(word >> i & 1) for word in tags] != below:
            raise ValidationError(
                f"xa_node {node.address_:#x}: the tags of slot {i} are not those of {entry:#x}"
            )
    used = 64 - tags[0].bit_count() if idr and not shift else 64 - slots.count(0)
    for name, value in (expected | {"count": used, "nr_values": values}).items():
        found = getattr(node, name)
        if found != value:
            raise ValidationError(
                f"xa_node {node.address_:#x} in slot {offset} of {parent.address_:#x}: "
                f"{name} is {found!r}, should be {value!r}"
            )
    return nodes
