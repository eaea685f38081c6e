"""Lists where there is no memory, in freed memory, in the past, and with a wrong link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.types import list_head
from kernelsim.machine import memory
from kernelsim.machine.memory import Fault, ReadOnly
from kernelsim.machine.ref import ValidationError
from tests.include.linux.words import bare, filled, item, numbers

USES = {
    "init": lambda ref, head, new: lists.INIT_LIST_HEAD(ref),
    "del": lambda ref, head, new: lists.list_del(ref),
    "empty": lambda ref, head, new: lists.list_empty(ref),
    "add it": lambda ref, head, new: lists.list_add(ref, head),
    "add behind it": lambda ref, head, new: lists.list_add(new, ref),
    "add before it": lambda ref, head, new: lists.list_add_tail(new, ref),
    "walk": lambda ref, head, new: list(lists.list_for_each(ref)),
    "walk safely": lambda ref, head, new: list(lists.list_for_each_safe(ref)),
    "first": lambda ref, head, new: lists.list_first_entry(ref, item, "link"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("address", [0, 0xFFFF_C900_0000_0000])
def test_a_list_at_an_address_without_memory_faults(use, address):
    m = bare()
    head, found = filled(m, 1)
    with pytest.raises(Fault) as caught:
        USES[use](list_head(m, address), head, found[0].other)
    assert (caught.value.address, caught.value.type) == (address, "struct list_head")


def test_a_list_that_leads_to_an_address_without_memory_faults():
    m = bare()
    head, found = filled(m, 1)
    head.next = 0xFFFF_C900_0000_0000
    with pytest.raises(Fault):
        lists.list_add(found[0].other, head)
    with pytest.raises(Fault):
        list(lists.list_for_each_entry(item, head, "link"))


def test_whoever_comes_from_a_sound_entry_to_a_freed_one_faults():
    m = bare()
    head, found = filled(m, 3)
    gone = found[1]
    m.who_freed = lambda address: "free_item" * (0 <= address - gone.address_ < item.sizeof_)
    m.fill(gone.address_, memory.POISON, item.sizeof_)
    uses = (
        lambda: lists.list_del(found[0].link),
        lambda: lists.list_add(found[0].other, found[0].link),
        lambda: list(lists.list_for_each_entry(item, head, "link")),
        lambda: list(lists.list_for_each_entry_safe(item, head, "link")),
        lambda: lists.list_next_entry(gone, "link"),
    )
    for use in uses:
        with pytest.raises(Fault, match=r"use after free, freed by free_item"):
            use()


@pytest.mark.parametrize("use", USES)
def test_every_use_of_a_freed_link_faults(use):
    m = bare()
    head, found = filled(m, 2)
    m.who_freed = lambda address: "free_item" * (address >= found[1].address_)
    m.fill(found[1].address_, memory.POISON, item.sizeof_)
    with pytest.raises(Fault, match=r"use after free, freed by free_item"):
        USES[use](found[1].link, head, found[0].other)


def test_a_word_that_happens_to_look_freed_is_used_all_the_same():
    m = bare()
    head, found = filled(m, 1)
    m.fill(found[0].other.address_, memory.POISON, 16)
    lists.list_add(found[0].other, head)
    assert lists.validate_list(head) == 2


def test_a_machine_of_the_past_shows_its_lists_and_refuses_to_change_them():
    m = bare(record=True)
    head, found = filled(m, 2)
    m.trace.emit("before")
    lists.list_del(found[0].link)
    past = m.at(0)
    then = head.at_(past)
    assert numbers(then) == [0, 1]
    assert numbers(head) == [1]
    for change in (lists.list_del, lists.INIT_LIST_HEAD):
        with pytest.raises(ReadOnly):
            change(found[0].link.at_(past))
    with pytest.raises(ReadOnly):
        lists.list_add(found[0].other.at_(past), then)


@given(st.integers(0, 3), st.sampled_from(["next", "prev"]), st.integers(0, 4))
def test_validate_list_finds_any_one_wrong_link_and_names_both_ends(at, member, value):
    m = bare()
    head, found = filled(m, 3)
    links = [head, *(one.link for one in found)]
    wrong = [*links, list_head(m, 0)][value]
    if getattr(links[at], member) == wrong:
        return
    setattr(links[at], member, wrong)
    with pytest.raises(ValidationError) as caught:
        lists.validate_list(head)
    assert len([word for word in str(caught.value).split() if word.startswith("0x")]) >= 2
    assert any(f"{link.address_:#x}" in str(caught.value) for link in (links[at], wrong))
