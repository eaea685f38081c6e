"""Lists sorted by priority: the kernel's own test of them (plist_test in lib/plist.c), and a model."""

import random

from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import plist
from kernelsim.lib import plist as lib_plist
from kernelsim.machine import ctype
from kernelsim.machine.machine import Machine

COUNT = 241
SIZE = plist.plist_node.sizeof_


def a_list():
    m = Machine(32 << 20)
    head = m.define("test_head", plist.plist_head)
    m.define("test_node", ctype.array(plist.plist_node, COUNT))
    plist.plist_head_init(head)
    nodes = list(m.symbol("test_node"))
    for node in nodes:
        plist.plist_node_init(node, 0)
    return head, nodes


# plist_test_check(): as many as expected, in order, and the first of each priority on a ring.
def check(head, expected):
    assert plist.plist_head_empty(head) == (not expected)
    if not expected:
        return
    prio_pos = first = plist.plist_first(head)
    count = 0
    for node in lists.list_for_each_entry(plist.plist_node, head.node_list, "node_list"):
        count += 1
        if node == first:
            continue
        if node.prio == prio_pos.prio:
            assert lists.list_empty(node.prio_list)
            continue
        assert prio_pos.prio < node.prio
        assert prio_pos.prio_list.next == node.prio_list
        prio_pos = node
    assert count == expected
    assert prio_pos.prio_list.next == first.prio_list


def test_the_kernels_own_test_of_it_passes():
    head, nodes = a_list()
    r, expected = 4711, 0
    for _ in range(1000):
        r = r * 193939 % 47629
        node = nodes[r % COUNT]
        if plist.plist_node_empty(node):
            r = r * 193939 % 47629
            node.prio = r % 99
            lib_plist.plist_add(node, head)
            expected += 1
        else:
            lib_plist.plist_del(node, head)
            expected -= 1
        check(head, expected)
    for node in nodes:
        if not plist.plist_node_empty(node):
            lib_plist.plist_del(node, head)
            expected -= 1
            check(head, expected)
    assert expected == 0


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 1000))
def test_equals_stay_in_the_order_of_their_arrival(priorities, seed):
    head, nodes = a_list()
    model = []
    for n, prio in enumerate(priorities):
        nodes[n].prio = prio
        lib_plist.plist_add(nodes[n], head)
        model.append((prio, n))
    for prio, n in random.Random(seed).sample(model, len(model) // 2):
        lib_plist.plist_del(nodes[n], head)
        model.remove((prio, n))
    found = lists.list_for_each_entry(plist.plist_node, head.node_list, "node_list")
    assert [node.address_ for node in found] == [nodes[n].address_ for _, n in sorted(model)]
    check(head, len(model))
