"""container_of as a subtraction: the right choice finds the structure, a wrong one nonsense."""

import pytest

from kernelsim.debug import containers
from kernelsim.debug.places import Places
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.sched.signal import signal_struct
from kernelsim.include.linux.types import list_head
from kernelsim.include.linux.wait import wait_queue_head
from tests.debug import family


def subtract(k, link, t, member):
    address = getattr(link, "address_", link)
    return containers.subtract(Places(k.machine), address, t, member)


def test_the_right_type_and_member_find_the_structure():
    k, bash, zombie, _ = family.booted()
    found = subtract(k, bash.tasks.next, task_struct, "tasks")
    assert found.result == zombie.address_ == found.link - found.offset
    assert found.right
    assert ("pid", "4", "") in found.found
    assert "task 4 (bash)" in found.verdict


def test_children_next_is_a_siblings_link():
    k, bash, zombie, _ = family.booted()
    link = bash.children.next
    wrong = subtract(k, link, task_struct, "children")
    assert wrong.right is False
    assert "sibling of task 4 (bash)" in wrong.verdict
    assert {name: value for name, value, _ in wrong.found}["pid"] != "4"
    assert subtract(k, link, task_struct, "sibling").result == zombie.address_


def test_the_head_of_a_list_is_in_another_structure_than_its_entries():
    k, bash, *_ = family.booted()
    head = bash.thread_node.next
    assert not subtract(k, head, task_struct, "thread_node").right
    assert subtract(k, head, signal_struct, "thread_head").right
    queue = bash.signal.wait_chldexit.head
    assert subtract(k, queue, wait_queue_head, "head").right


@pytest.mark.parametrize("link", [0, 0xDEAD000000000100, 0xFFFFFFFFFFFFFF00])
def test_a_link_that_is_none_is_subtracted_from_all_the_same(link):
    k, *_ = family.booted()
    found = subtract(k, link, task_struct, "tasks")
    assert found.result == (link - task_struct.offsetof_("tasks")) % (1 << 64)
    assert found.right is False
    assert found.found == []
    assert all(line == "" for _, line in found.lines)


def test_the_lines_lead_from_the_beginning_to_the_member():
    k, bash, *_ = family.booted()
    found = subtract(k, bash.tasks, task_struct, "tasks")
    offsets = [offset for offset, _ in found.lines]
    assert offsets[0] == 0
    assert {found.offset, found.offset + 8} <= {*offsets}
    assert bytes.fromhex(dict(found.lines)[found.offset]) == k.machine.read(found.link, 8)


def test_a_waiter_on_a_stack_cannot_be_judged():
    k, _bash, _zombie, child = family.booted()
    k.call(child, "fork")
    k.call(child, "waitpid", -1, 0)
    entry = child.signal.wait_chldexit.head.next
    found = subtract(k, entry, task_struct, "tasks")
    assert found.right is None
    assert "kernel stack of task 5" in found.verdict


def test_candidates_are_those_that_embed_the_type():
    known = containers.candidates(list_head)
    assert {"tasks", "children", "sibling", "se.group_node"} <= {*known["task_struct"]}
    assert known["signal_struct"][0] == "thread_head"
    assert containers.candidates(task_struct) == {}
    assert containers.likely(list_head) == ("task_struct", "tasks")
    assert containers.likely(task_struct) == ("", "")
