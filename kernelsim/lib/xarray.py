"""lib/xarray.c @ v5.10.188: looking an entry up, as the XArray's own interface does.

Left out: everything that changes an XArray; our trees are changed by lib/radix_tree.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.xarray import (
    XA_CHUNK_MASK,
    xa_is_node,
    xa_is_retry,
    xa_is_sibling,
    xa_is_zero,
    xa_node,
    xa_to_node,
    xa_to_sibling,
)

__all__ = ["xa_load"]


def xa_load(m: Any, xa: Any, index: int) -> int:
    """Return the entry (void *) at `index` (unsigned long) of struct xarray *`xa`, or NULL."""
    while True:
        entry = _xas_load(m, xa, index)
        if not xa_is_retry(entry):
            return 0 if xa_is_zero(entry) else entry


def _xas_load(m: Any, xa: Any, index: int) -> int:
    entry: int = xa.xa_head
    if not xa_is_node(entry):
        return 0 if index else entry
    node: Any = xa_node(m, xa_to_node(entry))
    if index >> node.shift > XA_CHUNK_MASK:
        return 0
    while xa_is_node(entry):
        node = xa_node(m, xa_to_node(entry))
        entry = node.slots[index >> node.shift & XA_CHUNK_MASK]
        if xa_is_sibling(entry):
            entry = node.slots[xa_to_sibling(entry)]
        if not node.shift:
            break
    return entry
