"""The hash lists of list.h and rculist.h: a model, words in order, and what is broken on purpose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux import _links, rculist
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.types import hlist_head, hlist_node
from kernelsim.machine import ctype, memory
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import Struct, ValidationError
from tests.include.linux.words import BASE, bare, stores

P1, P2 = 0xDEAD000000000100, 0xDEAD000000000122


class hashed(Struct):
    number = ctype.s32
    node = hlist_node
    padding = ctype.u64


# Two empty heads and `count` unhashed items.
def fresh(m, count):
    heads = hlist_head(m, BASE), hlist_head(m, BASE + 8)
    found = [hashed(m, BASE + 0x100 + i * hashed.sizeof_) for i in range(count)]
    for head in heads:
        lists.INIT_HLIST_HEAD(head)
    for i, one in enumerate(found):
        one.number = i
        lists.INIT_HLIST_NODE(one.node)
    return *heads, found


# A list of `count` items, in order.
def filled(m, count):
    head, other, found = fresh(m, count)
    for one in found[::-1]:
        lists.hlist_add_head(one.node, head)
    return head, other, found


def numbers(head):
    found = [one.number for one in lists.hlist_for_each_entry(hashed, head, "node")]
    assert lists.validate_hlist(head) == len(found)
    return found


ADDERS = {
    "head": (lists.hlist_add_head, rculist.hlist_add_head_rcu),
    "tail": (rculist.hlist_add_tail_rcu,),
    "before": (lists.hlist_add_before, rculist.hlist_add_before_rcu),
    "behind": (lists.hlist_add_behind, rculist.hlist_add_behind_rcu),
}
DELETERS = (
    lists.hlist_del,
    lists.hlist_del_init,
    rculist.hlist_del_rcu,
    rculist.hlist_del_init_rcu,
)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 99)), max_size=40))
def test_every_operation_does_what_it_does_to_a_python_list(steps):
    m = bare()
    head, other, found = filled(m, 10)
    model = list(range(10))
    for n, at, choice in steps:
        node, where = found[n].node, sorted(ADDERS)[choice % 4]
        add = ADDERS[where][choice // 4 % len(ADDERS[where])]
        at = model[at % len(model)] if model else n
        if n in model:
            DELETERS[choice % 4](node)
            model.remove(n)
        elif where in ("head", "tail"):
            add(node, head)
            model.insert(0 if where == "head" else len(model), n)
        elif at != n:
            add(node, found[at].node)
            model.insert(model.index(at) + (where == "behind"), n)
        assert numbers(head) == model
        assert lists.hlist_empty(head) == (not model)
        for i in model:
            assert not lists.hlist_unhashed(found[i].node)
            alone = lists.hlist_is_singular_node(found[i].node, head)
            assert alone == (model == [i])
    lists.hlist_move_list(head, other)
    assert (numbers(head), numbers(other)) == ([], model)


@pytest.mark.parametrize("add", [lists.hlist_add_head, *ADDERS["tail"]])
def test_the_first_node_of_an_empty_list_is_its_only_one(add):
    m = bare()
    head, _, found = fresh(m, 1)
    add(found[0].node, head)
    assert numbers(head) == [0]
    assert lists.hlist_is_singular_node(found[0].node, head)


@given(st.permutations(range(4)), st.sampled_from(DELETERS), st.booleans())
def test_undoing_the_journal_gives_back_the_bytes_after_any_operation(order, delete, rcu):
    m = bare(record=True)
    head, other, found = filled(m, 4)
    before, start = m.read(BASE, 0x1000), len(m.journal)
    for n in order:
        delete(found[n].node)
        (rculist.hlist_add_head_rcu if rcu else lists.hlist_add_head)(found[n].node, other)
    assert numbers(other) == order[::-1]
    for i, old in m.undo_records(start, len(m.journal)):
        m.u64[i] = old
    assert m.read(BASE, 0x1000) == before
    assert numbers(head) == [0, 1, 2, 3]


def test_hlist_add_head_rcu_publishes_a_finished_node():
    m = bare(record=True)
    head, _, found = filled(m, 2)
    lists.hlist_del_init(found[0].node)
    h, first, n = head.address_, found[1].node.address_, found[0].node.address_
    start = len(m.journal)
    rculist.hlist_add_head_rcu(found[0].node, head)
    assert stores(m, start) == [(n, 0, first), (n + 8, 0, h), (h, first, n), (first + 8, h, n)]


def test_hlist_add_head_stores_in_the_kernels_order():
    m = bare(record=True)
    head, _, found = filled(m, 2)
    lists.hlist_del_init(found[0].node)
    h, first, n = head.address_, found[1].node.address_, found[0].node.address_
    start = len(m.journal)
    lists.hlist_add_head(found[0].node, head)
    assert stores(m, start) == [(n, 0, first), (first + 8, h, n), (h, first, n), (n + 8, 0, h)]


def test_each_way_to_delete_leaves_the_node_as_the_kernel_does():
    left = {
        lists.hlist_del: (P1, P2),
        lists.hlist_del_init: (0, 0),
        rculist.hlist_del_rcu: ("next", P2),
        rculist.hlist_del_init_rcu: ("next", 0),
    }
    for delete, (next_, pprev) in left.items():
        m = bare(record=True)
        head, _, found = filled(m, 3)
        a, b, c = (one.node.address_ for one in found)
        start = len(m.journal)
        delete(found[1].node)
        assert stores(m, start)[:2] == [(a, b, c), (c + 8, b, a)]
        expected = {"next": c if next_ == "next" else next_, "pprev": pprev}
        assert found[1].node.value_() == expected
        assert numbers(head) == [0, 2]
        assert not m.trace.words


def test_a_reader_on_a_node_deleted_under_rcu_finds_the_way_on():
    m = bare()
    head, _, found = filled(m, 4)
    seen = []
    for one in rculist.hlist_for_each_entry_rcu(hashed, head, "node"):
        seen.append(one.number)
        rculist.hlist_del_rcu(one.node)
    assert seen == [0, 1, 2, 3]
    assert lists.hlist_empty(head)
    assert list(rculist.hlist_for_each_entry_continue_rcu(found[1], "node")) == found[2:]


def test_deleting_an_unhashed_node_with_init_does_nothing():
    m = bare(record=True)
    _, _, found = filled(m, 1)
    lists.hlist_del_init(found[0].node)
    start = len(m.journal)
    lists.hlist_del_init(found[0].node)
    rculist.hlist_del_init_rcu(found[0].node)
    assert stores(m, start) == []
    with pytest.raises(Fault, match="NULL pointer dereference"):
        lists.hlist_del(found[0].node)


def test_a_fake_node_can_be_deleted_without_a_list():
    m = bare()
    _, _, found = fresh(m, 1)
    node = found[0].node
    lists.hlist_add_fake(node)
    assert lists.hlist_fake(node)
    assert not lists.hlist_unhashed(node)
    lists.hlist_del_init(node)
    assert lists.hlist_unhashed(node)


def test_a_sound_list_never_takes_the_slow_road(monkeypatch):
    for slow in ("_hlist_insert_rcu_slowly", "_hlist_remove_slowly"):
        monkeypatch.delattr(_links, slow)
    m = bare()
    head, other, found = filled(m, 3)
    lists.hlist_del(found[1].node)
    rculist.hlist_del_rcu(found[0].node)
    lists.hlist_del_init(found[2].node)
    for one in found:
        rculist.hlist_add_head_rcu(one.node, other)
    rculist.hlist_del_init_rcu(found[2].node)
    assert (numbers(head), numbers(other)) == ([], [1, 0])


def test_words_that_happen_to_look_freed_are_used_all_the_same():
    m = bare()
    head, _, found = filled(m, 2)
    for delete in DELETERS:
        new = hashed(m, BASE + 0x800)
        m.fill(new.node.address_, memory.POISON, 16)
        rculist.hlist_add_head_rcu(new.node, head)
        assert numbers(head)[1:] == [0, 1]
        head.first = memory.POISON  # and the next deletion puts it right
        start = {"next": found[0].node, "pprev": head.address_}
        assert new.node.value_() == start
        delete(new.node)
        assert numbers(head) == [0, 1]
        assert lists.hlist_unhashed(new.node) == (delete in DELETERS[1::2])
        assert (new.node.next == found[0].node) == (delete in DELETERS[2:])


def test_a_replaced_node_leads_on_and_the_heads_of_two_lists_can_be_swapped():
    m = bare()
    head, other, found = filled(m, 3)
    new = hashed(m, BASE + 0x800)
    new.number = 9
    rculist.hlist_replace_rcu(found[1].node, new.node)
    assert numbers(head) == [0, 9, 2]
    assert found[1].node.value_() == {"next": found[2].node, "pprev": P2}
    for one in found[0], new:
        rculist.hlist_del_rcu(one.node)
    rculist.hlist_add_head_rcu(found[0].node, other)
    rculist.hlists_swap_heads_rcu(head, other)
    assert (numbers(head), numbers(other)) == ([0], [2])


def test_every_loop_visits_what_it_says():
    m = bare()
    head, other, found = filled(m, 4)
    nodes = [one.node for one in found]
    assert list(lists.hlist_for_each(head)) == list(lists.hlist_for_each_safe(head)) == nodes
    assert list(lists.hlist_for_each_entry_safe(hashed, head, "node")) == found
    assert list(lists.hlist_for_each_entry_continue(found[1], "node")) == found[2:]
    assert list(lists.hlist_for_each_entry_from(found[1], "node")) == found[1:]
    assert list(rculist.hlist_for_each_entry_from_rcu(hashed(m, 0), "node")) == []
    assert list(lists.hlist_for_each_entry(hashed, other, "node")) == []
    assert lists.hlist_entry(found[1].node, hashed, "node") == found[1]
    assert lists.hlist_entry_safe(found[1].node, hashed, "node") == found[1]
    assert not lists.hlist_entry_safe(hlist_node(m, 0), hashed, "node")
    for one in lists.hlist_for_each_entry_safe(hashed, head, "node"):
        lists.hlist_del(one.node)
    assert numbers(head) == []


def test_a_list_works_between_the_kernel_image_and_the_direct_map():
    m = bare()
    head, _, found = filled(m, 2)
    in_image = m.define("init_hashed", hashed)
    in_image.number = 7
    rculist.hlist_add_before_rcu(in_image.node, found[1].node)
    assert numbers(head) == [0, 7, 1]
    rculist.hlist_del_rcu(found[0].node)
    rculist.hlist_add_head_rcu(found[0].node, head)
    rculist.hlist_del_rcu(found[1].node)
    assert numbers(head) == [0, 7]
    rculist.hlist_del_rcu(found[0].node)
    rculist.hlist_add_head_rcu(found[1].node, head)
    assert numbers(head) == [1, 7]


@pytest.mark.parametrize("victim", [0, 1, 2])
def test_freed_nodes_fault_from_every_side(victim):
    m = bare()
    head, _, found = filled(m, 3)
    gone = found[victim]
    m.who_freed = lambda address: "free_hashed" * (0 <= address - gone.address_ < hashed.sizeof_)
    m.fill(gone.address_, memory.POISON, hashed.sizeof_)
    new = hashed(m, BASE + 0x800)
    uses = [
        lambda: list(lists.hlist_for_each_entry(hashed, head, "node")),
        lambda: lists.hlist_del(gone.node),
        lambda: rculist.hlist_add_head_rcu(gone.node, head),
        lambda: lists.hlist_add_behind(new.node, gone.node),
        lambda: lists.INIT_HLIST_NODE(gone.node),
    ]
    uses += [lambda: rculist.hlist_del_rcu(found[victim - 1].node)] * (victim > 0)
    uses += [lambda: rculist.hlist_del_rcu(found[victim + 1].node)] * (victim < 2)
    uses += [lambda: rculist.hlist_add_head_rcu(new.node, head)] * (victim == 0)
    for use in uses:
        with pytest.raises(Fault, match="use after free, freed by free_hashed"):
            use()


def test_validate_hlist_names_both_addresses_of_a_wrong_back_pointer():
    m = bare()
    head, _, found = filled(m, 3)
    a, b = found[0].node, found[1].node
    b.pprev = b.address_
    with pytest.raises(ValidationError, match=f"{b.address_:#x}.*{a.address_:#x}"):
        lists.validate_hlist(head)
    b.pprev = a.address_
    b.next = 0xFFFF_C900_0000_0000
    with pytest.raises(ValidationError, match=f"{b.address_:#x} is 0xffffc90000000000"):
        lists.validate_hlist(head)
    b.next = a
    with pytest.raises(ValidationError):
        lists.validate_hlist(head)
