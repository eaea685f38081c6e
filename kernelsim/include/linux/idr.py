"""include/linux/idr.h @ v5.10.188: small numbers for pointers, with a cursor to hand them out.

Left out: the IDA, which only numbers.  The loop `idr_for_each_entry` is in lib/idr.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import radix_tree
from kernelsim.include.linux.xarray import xarray
from kernelsim.machine.ctype import u32
from kernelsim.machine.ref import Struct, ValidationError

__all__ = [
    "IDR_FREE",
    "IDR_RT_MARKER",
    "idr",
    "idr_get_cursor",
    "idr_init",
    "idr_init_base",
    "idr_is_empty",
    "idr_preload_end",
    "idr_set_cursor",
    "validate_idr",
]

IDR_FREE = 0  # the tag that says: there is a free number here or below
IDR_RT_MARKER = radix_tree.ROOT_IS_IDR | 1 << (radix_tree.ROOT_TAG_SHIFT + IDR_FREE)


class idr(Struct):
    """A radix tree of pointers by number; number `idr_base` is at index 0."""

    idr_rt = xarray
    idr_base = u32
    idr_next = u32


def idr_init_base(m: Any, idr: Any, base: int) -> None:
    """Make struct idr *`idr` empty; its first number is `base` (int)."""
    radix_tree.INIT_RADIX_TREE(idr.idr_rt, IDR_RT_MARKER)
    idr.idr_base = base
    idr.idr_next = 0


def idr_init(m: Any, idr: Any) -> None:
    """Make struct idr *`idr` empty."""
    idr_init_base(m, idr, 0)


def idr_get_cursor(m: Any, idr: Any) -> int:
    """Return the number from which idr_alloc_cyclic() will search."""
    cursor: int = idr.idr_next
    return cursor


def idr_set_cursor(m: Any, idr: Any, val: int) -> None:
    """Let idr_alloc_cyclic() search from the number `val` (unsigned int)."""
    idr.idr_next = val


def idr_is_empty(m: Any, idr: Any) -> bool:
    """Return whether no number is in use."""
    root = idr.idr_rt
    free = root.xa_flags >> (radix_tree.ROOT_TAG_SHIFT + IDR_FREE) & 1
    return radix_tree.radix_tree_empty(root) and bool(free)


def idr_preload_end(m: Any) -> None:
    """End what idr_preload() began: preemption may happen again."""


def validate_idr(m: Any, idr: Any) -> int:
    """Check struct idr *`idr` and its tree; return the number of nodes.

    Raises ValidationError, with both addresses, for what `validate_radix_tree` finds, for an entry
    that is not in a node, and for an empty tree that is not marked free.
    """
    root = idr.idr_rt
    if root.xa_head and not radix_tree.radix_tree_is_internal_node(root.xa_head):
        raise ValidationError(f"idr {idr.address_:#x}: xa_head {root.xa_head:#x} is not a node")
    if not root.xa_head and not idr_is_empty(m, idr):
        raise ValidationError(f"idr {idr.address_:#x}: xa_head is 0x0, but IDR_FREE is not set")
    return radix_tree.validate_radix_tree(root)
