"""include/linux/xarray.h @ v5.10.188: the nodes of radix trees, and what a slot may hold.

The two lowest bits of a slot say what it holds: 00 a pointer (or NULL), 10 something internal
(a node, as its address + 2, or a mark for readers), 01 and 11 an integer of 63 bits.

Left out: the XArray's own interface but for its constants (`xa_load` is in lib/xarray); radix
trees, and with them the IDR, have theirs in `radix_tree`.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.types import callback_head, gfp_t, list_head, spinlock_t
from kernelsim.machine import ctype
from kernelsim.machine.ctype import ptr, u8, ulong, union, void
from kernelsim.machine.ref import Struct

__all__ = [
    "XA_CHUNK_MASK",
    "XA_CHUNK_SHIFT",
    "XA_CHUNK_SIZE",
    "XA_MARK_LONGS",
    "XA_MAX_MARKS",
    "XA_RETRY_ENTRY",
    "XA_ZERO_ENTRY",
    "xa_empty",
    "xa_init",
    "xa_init_flags",
    "xa_is_internal",
    "xa_is_node",
    "xa_is_retry",
    "xa_is_sibling",
    "xa_is_value",
    "xa_is_zero",
    "xa_mk_internal",
    "xa_mk_node",
    "xa_mk_value",
    "xa_node",
    "xa_to_internal",
    "xa_to_node",
    "xa_to_sibling",
    "xa_to_value",
    "xarray",
]

XA_CHUNK_SHIFT = 6
XA_CHUNK_SIZE = 1 << XA_CHUNK_SHIFT
XA_CHUNK_MASK = XA_CHUNK_SIZE - 1
XA_MAX_MARKS = 3
XA_MARK_LONGS = 1
_MASK = (1 << 64) - 1
_uchar = u8.named("unsigned char")


class xarray(Struct):
    """The root of a tree; also called radix_tree_root."""

    xa_lock = spinlock_t
    xa_flags = gfp_t  # flags, and above __GFP_BITS_SHIFT the tags of the whole tree
    xa_head = ptr(void)  # NULL, the one entry at index 0, or the top node


class xa_node(Struct):
    """A node with 64 slots; also called radix_tree_node."""

    shift = _uchar  # bits of the index that the levels below use
    offset = _uchar  # slot in the parent
    count = _uchar  # slots in use
    nr_values = _uchar  # slots that hold integers
    parent = ptr("xa_node")  # NULL at the top
    array = ptr("xarray")
    _in_use_or_not = union(private_list=list_head, rcu_head=callback_head)
    slots = ctype.array(ptr(void), XA_CHUNK_SIZE)
    _two_names = union(
        tags=ctype.array(ctype.array(ulong, XA_MARK_LONGS), XA_MAX_MARKS),
        marks=ctype.array(ctype.array(ulong, XA_MARK_LONGS), XA_MAX_MARKS),
    )


def xa_mk_value(v: int) -> int:
    """Return the entry that stands for the integer `v` (unsigned long, below 2^63)."""
    return (v << 1 | 1) & _MASK


def xa_to_value(entry: int) -> int:
    """Return the integer that `entry` stands for."""
    return entry >> 1


def xa_is_value(entry: int) -> bool:
    """Return whether `entry` is an integer."""
    return bool(entry & 1)


def xa_mk_internal(v: int) -> int:
    """Return the internal entry number `v`."""
    return (v << 2 | 2) & _MASK


def xa_to_internal(entry: int) -> int:
    """Return the number of the internal entry `entry`."""
    return entry >> 2


def xa_is_internal(entry: int) -> bool:
    """Return whether `entry` is neither a pointer nor an integer."""
    return entry & 3 == 2


XA_RETRY_ENTRY = xa_mk_internal(256)
XA_ZERO_ENTRY = xa_mk_internal(257)


def xa_is_zero(entry: int) -> bool:
    """Return whether `entry` reserves a slot and reads as NULL."""
    return entry == XA_ZERO_ENTRY


def xa_is_retry(entry: int) -> bool:
    """Return whether `entry` tells a reader that the node is gone, to start again at the root."""
    return entry == XA_RETRY_ENTRY


def xa_is_sibling(entry: int) -> bool:
    """Return whether `entry` says that another slot of the node holds the entry."""
    return xa_is_internal(entry) and entry < xa_mk_internal(XA_CHUNK_SIZE - 1)


def xa_to_sibling(entry: int) -> int:
    """Return the slot that holds the entry."""
    return xa_to_internal(entry)


def xa_is_node(entry: int) -> bool:
    """Return whether `entry` is a node."""
    return xa_is_internal(entry) and entry > 4096


def xa_mk_node(node: int) -> int:
    """Return the entry for the node at address `node`."""
    return node | 2


def xa_to_node(entry: int) -> int:
    """Return the address of the node that `entry` is."""
    return entry - 2


def xa_init_flags(xa: Any, flags: int) -> None:
    """Make struct xarray *`xa` an empty tree with `flags` (gfp_t)."""
    xa.xa_lock = 0
    xa.xa_flags = flags
    xa.xa_head = None


def xa_init(xa: Any) -> None:
    """Make struct xarray *`xa` an empty tree."""
    xa_init_flags(xa, 0)


def xa_empty(xa: Any) -> bool:
    """Return whether struct xarray *`xa` holds nothing."""
    return not xa.xa_head
