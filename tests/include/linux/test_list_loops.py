"""From a link to the struct around it, and the loops of list.h."""

import pytest

from kernelsim.include.linux import list as lists
from kernelsim.machine.memory import Fault
from tests.include.linux.words import bare, filled, head_at, item, items, numbers

P1 = 0xDEAD000000000100


def test_entries_are_the_structs_around_the_links():
    m = bare()
    head, found = filled(m, 3)
    a, b, c = found
    assert lists.list_entry(b.link, item, "link") == b
    assert lists.list_first_entry(head, item, "link") == a
    assert lists.list_last_entry(head, item, "link") == c
    assert lists.list_next_entry(a, "link") == lists.list_prev_entry(c, "link") == b
    assert isinstance(lists.list_next_entry(a, "link"), item)
    assert lists.list_first_entry_or_null(head, item, "link") == a
    assert not lists.list_first_entry_or_null(head_at(m, 1), item, "link")
    beyond = lists.list_next_entry(c, "link")
    assert lists.list_entry_is_head(beyond, head, "link")
    assert not lists.list_entry_is_head(c, head, "link")


def test_every_loop_visits_what_it_says_in_order():
    m = bare()
    head, found = filled(m, 5)
    links = [one.link for one in found]
    mid = found[2]
    from_start = {
        lists.list_for_each_entry: found,
        lists.list_for_each_entry_safe: found,
        lists.list_for_each_entry_reverse: found[::-1],
        lists.list_for_each_entry_safe_reverse: found[::-1],
    }
    for loop, expected in from_start.items():
        assert list(loop(item, head, "link")) == expected
    from_mid = {
        lists.list_for_each_entry_continue: found[3:],
        lists.list_for_each_entry_continue_reverse: found[1::-1],
        lists.list_for_each_entry_from: found[2:],
        lists.list_for_each_entry_from_reverse: found[2::-1],
        lists.list_for_each_entry_safe_continue: found[3:],
        lists.list_for_each_entry_safe_from: found[2:],
    }
    for loop, expected in from_mid.items():
        assert list(loop(mid, head, "link")) == expected
    assert list(lists.list_for_each(head)) == list(lists.list_for_each_safe(head)) == links
    assert list(lists.list_for_each_prev(head)) == links[::-1]
    assert list(lists.list_for_each_prev_safe(head)) == links[::-1]
    assert list(lists.list_for_each_continue(mid.link, head)) == links[3:]
    start = lists.list_prepare_entry(item(m, 0), head, "link")
    assert list(lists.list_for_each_entry_continue(start, head, "link")) == found
    assert lists.list_prepare_entry(mid, head, "link") == mid


def test_the_safe_loops_let_the_body_delete_what_it_is_given():
    for loop in (lists.list_for_each_entry_safe, lists.list_for_each_entry_safe_reverse):
        m = bare()
        head, _ = filled(m, 5)
        seen = []
        for one in loop(item, head, "link"):
            seen.append(one.number)
            if one.number % 2:
                lists.list_del(one.link)
        assert sorted(seen) == [0, 1, 2, 3, 4]
        assert numbers(head) == [0, 2, 4]


def test_deleting_in_a_loop_that_is_not_safe_runs_into_the_poison():
    m = bare()
    head, _ = filled(m, 3)
    loop = lists.list_for_each_entry(item, head, "link")
    lists.list_del(next(loop).link)
    after = next(loop)
    assert after.link.address_ == P1
    with pytest.raises(Fault, match=r"poisoned list pointer"):
        after.number  # noqa: B018 - the body uses what it is given, as any body would


def test_a_loop_sees_what_its_body_appends():
    m = bare()
    head, found = filled(m, 2)
    late = items(m, 4)[3]
    seen = []
    for one in lists.list_for_each_entry(item, head, "link"):
        seen.append(one.number)
        if one == found[1]:
            lists.list_add_tail(late.link, head)
    assert seen == [0, 1, 3]
