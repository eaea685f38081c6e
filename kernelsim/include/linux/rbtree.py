"""include/linux/rbtree.h @ v5.10.188: red-black trees, whose nodes are embedded like list heads.

The user of a tree descends by its own order, links the new node as a leaf (`rb_link_node`) and
lets `rb_insert_color` (lib/rbtree) restore the balance.  The lowest bit of a node's first word is
its colour, the rest is the address of its parent.  What of the header calls lib/rbtree stands
there: `rb_insert_color_cached`, `rb_erase_cached`, `rb_replace_node_cached`.

Left out: trees with augmented nodes, and the loop in post-order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from kernelsim.machine.ctype import ptr, ulong
from kernelsim.machine.memory import DIRECT_MAP, POISON, Fault
from kernelsim.machine.ref import Struct, ValidationError, container_of

__all__ = [
    "RB_BLACK",
    "RB_CLEAR_NODE",
    "RB_EMPTY_NODE",
    "RB_EMPTY_ROOT",
    "RB_RED",
    "RB_ROOT",
    "RB_ROOT_CACHED",
    "rb_entry",
    "rb_entry_safe",
    "rb_first_cached",
    "rb_link_node",
    "rb_node",
    "rb_parent",
    "rb_root",
    "rb_root_cached",
    "validate_rbtree",
]

RB_RED = 0
RB_BLACK = 1


class rb_node(Struct):
    """A node: `__rb_parent_color` is the parent's address with the colour in bit 0."""

    __rb_parent_color = ulong
    rb_right = ptr("rb_node")
    rb_left = ptr("rb_node")


class rb_root(Struct):
    """A tree: the pointer to its top node."""

    rb_node = ptr("rb_node")


class rb_root_cached(Struct):
    """A tree that also knows its leftmost node."""

    rb_root = rb_root
    rb_leftmost = ptr("rb_node")


_RIGHT, _LEFT = rb_node.offsetof_("rb_right") >> 3, rb_node.offsetof_("rb_left") >> 3

rb_entry = container_of


def RB_ROOT(root: Any) -> None:
    """Make struct rb_root *`root` an empty tree."""
    root.rb_node = None


def RB_ROOT_CACHED(root: Any) -> None:
    """Make struct rb_root_cached *`root` an empty tree."""
    root.rb_root.rb_node = None
    root.rb_leftmost = None


def rb_entry_safe(ptr: Any, type: Any, member: str) -> Any:
    """container_of() for a node that may be NULL: then the result is NULL, too."""
    return container_of(ptr, type, member) if ptr else type(ptr.machine_, 0)


def rb_parent(r: Any) -> Any:
    """Return the parent of struct rb_node *`r`, NULL at the top."""
    return rb_node(r.machine_, r.__rb_parent_color & ~3)


def RB_EMPTY_ROOT(root: Any) -> bool:
    """Return whether struct rb_root *`root` has no nodes."""
    return not root.rb_node


def RB_EMPTY_NODE(node: Any) -> bool:
    """Return whether struct rb_node *`node` was marked by RB_CLEAR_NODE() as being in no tree."""
    return node.__rb_parent_color == node.address_


def RB_CLEAR_NODE(node: Any) -> None:
    """Mark struct rb_node *`node` as being in no tree."""
    node.__rb_parent_color = node.address_


def rb_link_node(node: Any, parent: Any, rb_link: int) -> None:
    """Make `node` a red leaf below `parent` (both struct rb_node *; NULL: it is the only node).

    `rb_link` (struct rb_node **) is the address of the pointer, NULL so far, that is to point to
    it: ``parent.address_of_("rb_left")``, ``…("rb_right")`` or that of the root's `rb_node`.
    rb_insert_color() must follow.
    """
    m, address, i = node.machine_, node.address_, node._o >> 3
    u64, o = m.u64, rb_link ^ DIRECT_MAP
    link = (o if o < m.size else m.far(rb_link)) >> 3
    try:
        if u64[i] == POISON or u64[link] == POISON:
            m.check(address, "struct rb_node", "__rb_parent_color")
            m.check(rb_link, "struct rb_node *")
    except IndexError:
        m.fault(address if node._o >= m.size else rb_link, "struct rb_node")
    if m.log is not None:
        m.log_words(i, i + _RIGHT, i + _LEFT, link)
    u64[i] = 0 if parent is None else parent.address_
    u64[i + _RIGHT] = 0
    u64[i + _LEFT] = 0
    u64[link] = address


def rb_first_cached(root: Any) -> Any:
    """Return the leftmost node of struct rb_root_cached *`root`, NULL if it is empty."""
    return root.rb_leftmost


# --- looking -------------------------------------------------------------------------------


def validate_rbtree(root: Any, less: Callable[[Any, Any], bool] | None = None) -> int:
    """Check a tree (struct rb_root * or struct rb_root_cached *); return the number of its nodes.

    Raises ValidationError, with both addresses, for a child that does not point to its parent, a
    red child of a red parent, paths with different numbers of black nodes, a wrong leftmost node
    and, if `less` is given, for neighbours in order of which the second one is less.
    """
    cached = isinstance(root, rb_root_cached)
    top = (root.rb_root if cached else root).rb_node
    nodes: list[Any] = []
    try:
        _validate_subtree(top, 0, RB_RED, nodes)
    except Fault as fault:
        raise ValidationError(f"rb_root {root.address_:#x}: {fault}") from fault
    first = nodes[0].address_ if nodes else 0
    if cached and root.rb_leftmost != first:
        leftmost = root.rb_leftmost.address_
        raise ValidationError(f"rb_leftmost is {leftmost:#x}, but the leftmost is {first:#x}")
    if less:
        for before, after in itertools.pairwise(nodes):
            if less(after, before):
                raise ValidationError(f"rb_node {after.address_:#x} < {before.address_:#x}")
    return len(nodes)


def _validate_subtree(node: Any, parent: int, parent_color: int, nodes: list[Any]) -> int:
    # Append the subtree's nodes in order; return the number of black nodes on each path down.
    if not node:
        return 0
    address, word = node.address_, node.__rb_parent_color
    if word & ~1 != parent:
        raise ValidationError(
            f"rb_node {address:#x}: parent is {word & ~1:#x}, but {parent:#x} points to the node"
        )
    if parent_color == word & 1 == RB_RED:
        raise ValidationError(f"rb_node {address:#x} is red, and so is its parent {parent:#x}")
    left = _validate_subtree(node.rb_left, address, word & 1, nodes)
    nodes.append(node)
    right = _validate_subtree(node.rb_right, address, word & 1, nodes)
    if left != right:
        raise ValidationError(
            f"rb_node {address:#x}: {left} black nodes below {node.rb_left.address_:#x}, "
            f"but {right} below {node.rb_right.address_:#x}"
        )
    return left + (word & 1)
