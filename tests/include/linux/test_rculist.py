"""rculist.h: what readers see while a list changes under them."""

import pytest

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import rculist
from kernelsim.include.linux.types import list_head
from tests.include.linux.words import bare, filled, head_at, item, numbers, stores, warnings

P2 = 0xDEAD000000000122


def test_an_entry_is_published_before_the_back_pointer_to_it_is_stored():
    for add, side in ((rculist.list_add_rcu, 0), (rculist.list_add_tail_rcu, 1)):
        m = bare(record=True)
        head, found = filled(m, 1)
        h, a, new = head.address_, found[0].link.address_, found[0].other.address_
        prev, next_ = ((h, a), (a, h))[side]
        start = len(m.journal)
        add(found[0].other, head)
        expected = [
            (new, 0, next_),
            (new + 8, 0, prev),
            (prev, next_, new),
            (next_ + 8, prev, new),
        ]
        assert stores(m, start) == expected


def test_a_deleted_entry_keeps_its_way_on_and_loses_its_way_back():
    m = bare(record=True)
    head, found = filled(m, 3)
    a, b, c = (one.link.address_ for one in found)
    start = len(m.journal)
    rculist.list_del_rcu(found[1].link)
    assert stores(m, start) == [(c + 8, b, a), (a, b, c), (b + 8, a, P2)]
    assert numbers(head) == [0, 2]


def test_a_reader_on_entries_that_are_deleted_reaches_the_end():
    m = bare()
    head, found = filled(m, 4)
    seen = []
    for one in rculist.list_for_each_entry_rcu(item, head, "link"):
        seen.append(one)
        rculist.list_del_rcu(one.link)
    assert seen == found
    assert lists.list_empty(head)


def test_a_replaced_entry_still_leads_on():
    m = bare()
    head, found = filled(m, 3)
    new = found[2].other
    rculist.list_replace_rcu(found[1].link, new)
    links = [found[0].link, new, found[2].link]
    assert list(lists.list_for_each(head)) == links
    assert list(lists.list_for_each_prev(head)) == links[::-1]
    assert found[1].link.value_() == {"next": found[2].link, "prev": P2}


@pytest.mark.parametrize("tail", [False, True])
def test_a_spliced_list_is_empty_to_new_readers_before_it_moves(tail):
    m = bare()
    head, _ = filled(m, 3)
    target = head_at(m, 1)
    lists.list_add(item(m, target.address_ + 0x800).link, target)
    seen = []
    splice = rculist.list_splice_tail_init_rcu if tail else rculist.list_splice_init_rcu
    splice(head, target, lambda: seen.append(lists.list_empty(head)))
    assert seen == [True]
    assert numbers(target) == ([0, 0, 1, 2] if tail else [0, 1, 2, 0])
    splice(head, target, lambda: seen.append("an empty list has no readers to wait for"))
    assert seen == [True]


def test_entries_are_found_from_links():
    m = bare()
    head, found = filled(m, 3)
    assert rculist.list_entry_rcu(found[1].link, item, "link") == found[1]
    assert rculist.list_first_or_null_rcu(head, item, "link") == found[0]
    assert rculist.list_next_or_null_rcu(head, found[0].link, item, "link") == found[1]
    assert not rculist.list_next_or_null_rcu(head, found[2].link, item, "link")
    onward = rculist.list_for_each_entry_continue_rcu(found[0], head, "link")
    assert list(onward) == found[1:]
    assert list(rculist.list_for_each_entry_from_rcu(found[1], head, "link")) == found[1:]
    empty = head_at(m, 1)
    rculist.INIT_LIST_HEAD_RCU(empty)
    assert not rculist.list_first_or_null_rcu(empty, item, "link")


def test_the_same_checks_guard_lists_under_rcu():
    m = bare(record=True)
    head, found = filled(m, 2)
    rculist.list_add_rcu(found[0].link, head)
    rculist.list_add_tail_rcu(found[1].link, found[1].link)
    rculist.list_del_rcu(found[0].link)
    rculist.list_del_rcu(found[0].link)
    double, again, twice = warnings(m)
    assert double.startswith("list_add double add: new=")
    assert again.startswith("list_add double add: new=")
    assert (
        twice == f"list_del corruption, {found[0].link.address_:x}->prev is LIST_POISON2 ({P2:x})"
    )
    assert numbers(head) == [1]
    rculist.list_add_tail_rcu(list_head(m, found[0].other.address_), head)
    assert lists.validate_list(head) == 2
