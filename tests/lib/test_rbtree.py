"""lib/rbtree.py: shapes recorded from the kernel's own C, order against a sorted list, breakage."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.lib import rbtree
from kernelsim.machine import ctype
from kernelsim.machine.ref import Struct, ValidationError
from tests.include.linux.words import BASE, bare

VECTORS = sorted((Path(__file__).parent.parent / "data" / "rbtree").glob("*.json"))


class keyed(Struct):
    key = ctype.s64
    node = rbtree.rb_node


def key_of(node):
    return rbtree.rb_entry(node, keyed, "node").key


def less(one, other):
    return key_of(one) < key_of(other)


# A tree in memory whose items go by number.
class Tree:
    def __init__(self, m):
        self.m = m
        self.root = m.define("tree", rbtree.rb_root_cached)
        rbtree.RB_ROOT_CACHED(self.root)

    def item(self, n):
        return keyed(self.m, BASE + n * keyed.sizeof_)

    def number(self, node):
        return (rbtree.rb_entry(node, keyed, "node").address_ - BASE) // keyed.sizeof_

    # Descend and link, as kernel code does; equal keys go to the right.
    def insert(self, n, key):
        item = self.item(n)
        item.key = key
        link, parent, leftmost = self.root.address_, None, True
        while pos := self.m.read_u64(link):
            parent = rbtree.rb_node(self.m, pos)
            goes_left = key < key_of(parent)
            link = parent.address_of_("rb_left" if goes_left else "rb_right")
            leftmost = leftmost and goes_left
        rbtree.rb_link_node(item.node, parent, link)
        rbtree.rb_insert_color_cached(item.node, self.root, leftmost)

    def erase(self, n):
        rbtree.rb_erase_cached(self.item(n).node, self.root)

    def replace(self, old, new):
        self.item(new).key = self.item(old).key
        rbtree.rb_replace_node_cached(self.item(old).node, self.item(new).node, self.root)

    def shape(self):
        return shape_below(self, self.root.rb_root.rb_node)

    def forward(self):
        node, found = rbtree.rb_first(self.root.rb_root), []
        while node:
            found.append(self.number(node))
            node = rbtree.rb_next(node)
        return found

    def backward(self):
        node, found = rbtree.rb_last(self.root.rb_root), []
        while node:
            found.append(self.number(node))
            node = rbtree.rb_prev(node)
        return found


# The nodes from `node` down, as the vectors write them.
def shape_below(tree, node):
    if not node:
        return "."
    color = "rb"[node.__rb_parent_color & 1]
    left, right = (shape_below(tree, child) for child in (node.rb_left, node.rb_right))
    return f"({tree.number(node)}{color}{left}{right})"


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_trees_have_the_shape_that_the_kernels_own_code_gives_them(path, record):
    run, tree = json.loads(path.read_text()), Tree(bare(record=record))
    shapes = dict(run["shapes"])
    assert shapes
    for i, op in enumerate(run["ops"]):
        name, *args = op.split()
        getattr(tree, name)(*map(int, args))
        assert shapes.get(i, tree.shape()) == tree.shape(), f"after operation {i}, {op}"
        rbtree.validate_rbtree(tree.root, less)


def test_there_are_recorded_shapes():
    assert len(VECTORS) == 5


@given(st.lists(st.tuples(st.integers(0, 24), st.integers(0, 9)), max_size=80))
def test_the_order_is_that_of_a_sorted_list(steps):
    tree, model = Tree(bare()), {}
    for when, (n, key) in enumerate(steps):
        if n in model:
            tree.erase(n)
            del model[n]
        else:
            tree.insert(n, key)
            model[n] = key, when  # equal keys: first come, first
        expected = sorted(model, key=model.get)
        assert tree.forward() == tree.backward()[::-1] == expected
        assert rbtree.validate_rbtree(tree.root, less) == len(model)
        first = rbtree.rb_first_cached(tree.root)
        assert (tree.number(first) if first else None) == (expected[0] if expected else None)
        assert rbtree.RB_EMPTY_ROOT(tree.root.rb_root) == (not model)


def test_a_tree_without_a_cached_leftmost_node_works_the_same():
    m = bare()
    root = m.define("tree", rbtree.rb_root)
    rbtree.RB_ROOT(root)
    nodes = [rbtree.rb_node(m, BASE + 24 * i) for i in range(3)]
    assert not rbtree.rb_first(root)
    assert not rbtree.rb_last(root)
    rbtree.rb_link_node(nodes[0], None, root.address_)
    rbtree.rb_insert_color(nodes[0], root)
    for parent, node in itertools.pairwise(nodes):
        rbtree.rb_link_node(node, parent, parent.address_of_("rb_right"))
        rbtree.rb_insert_color(node, root)
    assert root.rb_node == nodes[1] == rbtree.rb_parent(nodes[0]) == rbtree.rb_parent(nodes[2])
    rbtree.rb_erase(nodes[0], root)
    rbtree.rb_replace_node(nodes[2], nodes[0], root)
    assert rbtree.validate_rbtree(root) == 2
    assert rbtree.rb_last(root) == nodes[0]
    rbtree.rb_erase(nodes[1], root)
    rbtree.rb_erase(nodes[0], root)
    assert rbtree.RB_EMPTY_ROOT(root)


def test_a_cleared_node_is_in_no_tree():
    m = bare()
    node = rbtree.rb_node(m, BASE)
    assert not rbtree.RB_EMPTY_NODE(node)
    rbtree.RB_CLEAR_NODE(node)
    assert rbtree.RB_EMPTY_NODE(node)
    assert not rbtree.rb_next(node)
    assert not rbtree.rb_prev(node)
    assert not rbtree.rb_entry_safe(rbtree.rb_node(m, 0), keyed, "node")
    assert rbtree.rb_entry_safe(node, keyed, "node").node == node


# A tree of seven items, in order.
def seven():
    tree = Tree(bare())
    for n in range(7):
        tree.insert(n, 10 * n)
    return tree


def test_validate_rbtree_names_a_child_and_the_parent_it_denies():
    tree = seven()
    top = tree.root.rb_root.rb_node
    child = top.rb_left
    child.__setattr__("__rb_parent_color", child.address_ | 1)
    with pytest.raises(ValidationError, match=f"{child.address_:#x}.*{top.address_:#x}"):
        rbtree.validate_rbtree(tree.root)


def test_validate_rbtree_finds_red_below_red_and_uneven_black():
    for flip in range(7):
        tree = seven()
        node = tree.item(flip).node
        node.__setattr__("__rb_parent_color", node.__rb_parent_color ^ 1)
        with pytest.raises(ValidationError, match=r"0x\w+.*0x\w+"):
            rbtree.validate_rbtree(tree.root)


def test_validate_rbtree_finds_wrong_order_and_a_wrong_leftmost_node():
    tree = seven()
    tree.item(3).key = 55
    with pytest.raises(ValidationError, match=f"{tree.item(4).node.address_:#x} < "):
        rbtree.validate_rbtree(tree.root, less)
    rbtree.validate_rbtree(tree.root)
    tree.root.rb_leftmost = tree.item(1).node
    with pytest.raises(ValidationError, match=f"{tree.item(1).node.address_:#x}"):
        rbtree.validate_rbtree(tree.root)
    tree.root.rb_root.rb_node.rb_left = 0xFFFF_C900_0000_0000
    with pytest.raises(ValidationError, match="no memory"):
        rbtree.validate_rbtree(tree.root)
