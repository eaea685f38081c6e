"""lib/rbtree.c @ v5.10.188: red-black trees, kept balanced.

1. A node is red or black.  2. The root is black.  3. All leaves (NULL) are black.  4. Both children
of a red node are black.  5. Every path from a node to its leaves has the same number of black
nodes.  By 4 and 5 the longest path is at most twice as long as the shortest.

The kernel writes each case of the rebalancing twice, for a left and for a right child.  Here
`near` and `far` are the offsets of the two child pointers, as seen from the side worked on.

Left out: augmented trees, replacing under RCU and the loop in post-order.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import rbtree
from kernelsim.include.linux.rbtree import *  # noqa: F403 - all of trees in one place
from kernelsim.include.linux.rbtree import RB_BLACK, RB_RED
from kernelsim.machine import memory
from kernelsim.machine.memory import POISON

__all__ = [
    "rb_erase",
    "rb_erase_cached",
    "rb_first",
    "rb_insert_color",
    "rb_insert_color_cached",
    "rb_last",
    "rb_next",
    "rb_prev",
    "rb_replace_node",
    "rb_replace_node_cached",
]
__all__ += rbtree.__all__

RIGHT = rbtree.rb_node.offsetof_("rb_right")
LEFT = rbtree.rb_node.offsetof_("rb_left")
LEFTMOST = rbtree.rb_root_cached.offsetof_("rb_leftmost")
_SIDES = LEFT + RIGHT  # the other side of `near` is _SIDES - near


def _change_child(m: Any, old: int, new: int, parent: int, root: int) -> None:
    # Let whatever points to `old` point to `new`: __rb_change_child().
    if not parent:
        m.write_u64(root, new)
    elif m.read_u64(parent + LEFT) == old:
        m.write_u64(parent + LEFT, new)
    else:
        m.write_u64(parent + RIGHT, new)


def _set_parent(m: Any, node: int, parent: int) -> None:
    m.write_u64(node, m.read_u64(node) & 1 | parent)


def _rotate_set_parents(m: Any, old: int, new: int, root: int, color: int) -> None:
    # `new` takes the parent and colour of `old`, which gets `new` as its parent and `color`.
    word = m.read_u64(old)
    m.write_u64(new, word)
    m.write_u64(old, new | color)
    _change_child(m, old, new, word & ~3, root)


def rb_insert_color(node: Any, root: Any) -> None:
    """Balance the tree `root` (struct rb_root *) after rb_link_node() of struct rb_node *`node`."""
    m = node.machine_
    _insert(m, node.address_, m.read_u64(node.address_), root.address_)


def _insert(m: Any, node: int, parent: int, root: int) -> None:
    # __rb_insert(); `node` is red, so that its first word is `parent`.
    get, put = m.read_u64, m.write_u64
    while True:
        if not parent:  # the node is the root: the first one, or case 1 has come up here
            put(node, RB_BLACK)
            return
        gparent = get(parent)
        if gparent & RB_BLACK:
            return
        near = LEFT if parent != get(gparent + RIGHT) else RIGHT
        far = _SIDES - near
        uncle = get(gparent + far)
        if not uncle or get(uncle) & RB_BLACK:
            break
        # Case 1: the uncle is red. Flip colours and go on at the grandparent.
        put(uncle, gparent | RB_BLACK)
        put(parent, gparent | RB_BLACK)
        node = gparent
        parent = get(node) & ~3
        put(node, parent | RB_RED)
    child = get(parent + far)
    if node == child:  # Case 2: the node is on the inner side. Rotate at its parent.
        child = get(node + near)
        put(parent + far, child)
        put(node + near, parent)
        if child:
            put(child, parent | RB_BLACK)
        put(parent, node | RB_RED)
        parent = node
        child = get(node + far)
    # Case 3: the node is on the outer side. Rotate at its grandparent.
    put(gparent + near, child)
    put(parent + far, gparent)
    if child:
        put(child, gparent | RB_BLACK)
    _rotate_set_parents(m, gparent, parent, root, RB_RED)


def rb_erase(node: Any, root: Any) -> None:
    """Remove struct rb_node *`node` from the tree `root` (struct rb_root *)."""
    _erase(node.machine_, node.address_, root.address_)


def _erase(m: Any, node: int, root: int) -> None:
    rebalance = _unlink(m, node, root)
    if rebalance:
        _erase_color(m, rebalance, root)


def _unlink(m: Any, node: int, root: int) -> int:
    # __rb_erase_augmented(): the node under which a black one is missing now, or 0.
    get, put = m.read_u64, m.write_u64
    child, left, word = get(node + RIGHT), get(node + LEFT), get(node)
    parent = word & ~3
    if not left:  # Case 1: at most one child, which is red and becomes black
        _change_child(m, node, child, parent, root)
        if child:
            put(child, word)
            return 0
        return parent if word & RB_BLACK else 0
    if not child:
        put(left, word)
        _change_child(m, node, left, parent, root)
        return 0
    successor, below = child, get(child + LEFT)
    if not below:  # Case 2: the successor in order is the right child
        parent = successor
        child2 = get(successor + RIGHT)
    else:  # Case 3: it is the leftmost node under the right child
        while below:
            parent, successor = successor, below
            below = get(successor + LEFT)
        child2 = get(successor + RIGHT)
        put(parent + LEFT, child2)
        put(successor + RIGHT, child)
        _set_parent(m, child, successor)
    put(successor + LEFT, left)
    _set_parent(m, left, successor)
    _change_child(m, node, successor, word & ~3, root)
    if child2:
        put(child2, parent | RB_BLACK)
        rebalance = 0
    else:
        rebalance = parent if get(successor) & RB_BLACK else 0
    put(successor, word)
    return rebalance


def _erase_color(m: Any, parent: int, root: int) -> None:
    # ____rb_erase_color(): paths through `node`, a child of `parent`, lack one black node.
    get, put = m.read_u64, m.write_u64
    node = 0
    while True:
        near = LEFT if node != get(parent + RIGHT) else RIGHT
        far = _SIDES - near
        sibling = get(parent + far)
        if not get(sibling) & RB_BLACK:  # Case 1: a red sibling. Rotate at the parent.
            child = get(sibling + near)
            put(parent + far, child)
            put(sibling + near, parent)
            put(child, parent | RB_BLACK)
            _rotate_set_parents(m, parent, sibling, root, RB_RED)
            sibling = child
        outer, inner = get(sibling + far), get(sibling + near)
        if (outer and not get(outer) & RB_BLACK) or (inner and not get(inner) & RB_BLACK):
            break
        # Case 2: both of the sibling's children are black. Make it red.
        put(sibling, parent | RB_RED)
        word = get(parent)
        if not word & RB_BLACK:
            put(parent, word | RB_BLACK)
            return
        node, parent = parent, word & ~3
        if not parent:
            return
    if not outer or get(outer) & RB_BLACK:
        # Case 3: only the sibling's inner child is red. Rotate at the sibling.
        child = get(inner + far)
        put(sibling + near, child)
        put(inner + far, sibling)
        put(parent + far, inner)
        if child:
            put(child, sibling | RB_BLACK)
        outer, sibling = sibling, inner
    # Case 4: the sibling's outer child is red. Rotate at the parent and flip colours.
    child = get(sibling + near)
    put(parent + far, child)
    put(sibling + near, parent)
    put(outer, sibling | RB_BLACK)
    if child:
        _set_parent(m, child, parent)
    _rotate_set_parents(m, parent, sibling, root, RB_BLACK)


# --- the leftmost node, cached -------------------------------------------------------------


# The scheduler comes here at every switch, so these look at words of memory first: in a small tree
# there is mostly nothing to balance.


def rb_insert_color_cached(node: Any, root: Any, leftmost: bool) -> None:
    """rb_insert_color() for struct rb_root_cached *`root`; `leftmost`: the node is the first."""
    m, address, i = node.machine_, node.address_, node._o >> 3
    parent = _words(node, root)[0]
    if leftmost:
        memory.put(m, (root._o >> 3) + (LEFTMOST >> 3), address)
    if not parent:  # as _insert() does
        memory.put(m, i, RB_BLACK)
    elif not m.read_u64(parent) & RB_BLACK:
        _insert(m, address, parent, root.address_)


def _words(node: Any, root: Any) -> tuple[int, int, int]:
    # The words of `node`: parent and colour, right, left.  Fault if it or `root` is not there or freed.
    m, i = node.machine_, node._o >> 3
    u64 = m.u64
    try:
        word, top = u64[i], u64[root._o >> 3]
        if word != POISON != top:
            return word, u64[i + 1], u64[i + 2]
    except IndexError:
        pass
    m.read_u64(node.address_)
    m.read_u64(root.address_)
    return u64[i], u64[i + 1], u64[i + 2]  # that it reads like poison was chance


def rb_erase_cached(node: Any, root: Any) -> None:
    """rb_erase() for struct rb_root_cached *`root`."""
    m, address, r = node.machine_, node.address_, root._o >> 3
    word, right, left = _words(node, root)
    alone = word == RB_BLACK and not right and not left and m.u64[r] == address
    if m.u64[r + (LEFTMOST >> 3)] == address:
        memory.put(m, r + (LEFTMOST >> 3), 0 if alone else _neighbour(m, address, RIGHT))
    if alone:
        memory.put(m, r, 0)
    else:
        _erase(m, address, root.address_)


def rb_replace_node_cached(victim: Any, new: Any, root: Any) -> None:
    """rb_replace_node() for struct rb_root_cached *`root`."""
    if root.rb_leftmost == victim:
        root.rb_leftmost = new
    rb_replace_node(victim, new, root.rb_root)


# --- walking -------------------------------------------------------------------------------


def _end(m: Any, node: int, side: int) -> int:
    # The node furthest down on one side of the subtree `node`.
    while node:
        last, node = node, m.read_u64(node + side)
    return last


def rb_first(root: Any) -> Any:
    """Return the first struct rb_node * in order of struct rb_root *`root`, NULL if it is empty."""
    return _first(root, LEFT)


def rb_last(root: Any) -> Any:
    """Return the last struct rb_node * in order of struct rb_root *`root`, NULL if it is empty."""
    return _first(root, RIGHT)


def _first(root: Any, side: int) -> Any:
    m = root.machine_
    top = m.read_u64(root.address_)
    return rbtree.rb_node(m, _end(m, top, side) if top else 0)


def rb_next(node: Any) -> Any:
    """Return the struct rb_node * that follows `node` in order, NULL after the last one."""
    m = node.machine_
    return rbtree.rb_node(m, _neighbour(m, node.address_, RIGHT))


def rb_prev(node: Any) -> Any:
    """Return the struct rb_node * before `node` in order, NULL before the first one."""
    m = node.machine_
    return rbtree.rb_node(m, _neighbour(m, node.address_, LEFT))


def _neighbour(m: Any, node: int, side: int) -> int:
    # Down on that side and then all the way back; or up, until we come from the other side.
    parent: int = m.read_u64(node)
    if parent == node:  # RB_EMPTY_NODE
        return 0
    child = m.read_u64(node + side)
    if child:
        return _end(m, child, _SIDES - side)
    parent &= ~3
    while parent and node == m.read_u64(parent + side):
        node, parent = parent, m.read_u64(parent) & ~3
    return parent


def rb_replace_node(victim: Any, new: Any, root: Any) -> None:
    """Put `new` in the place of `victim` (both struct rb_node *) without rebalancing."""
    m = victim.machine_
    word, right, left = (m.read_u64(victim.address_ + i) for i in (0, RIGHT, LEFT))
    for offset, value in ((0, word), (RIGHT, right), (LEFT, left)):
        m.write_u64(new.address_ + offset, value)
    if left:
        _set_parent(m, left, new.address_)
    if right:
        _set_parent(m, right, new.address_)
    _change_child(m, victim.address_, new.address_, word & ~3, root.address_)
