"""What lies at an address, whatever address it is."""

import pytest

from kernelsim.debug.places import Places, looking, member_at, threads, visible
from kernelsim.include.linux.poison import LIST_POISON1
from kernelsim.include.linux.sched import task_struct
from kernelsim.mm import slub
from tests.debug import family


def test_objects_are_named_and_so_are_the_members_inside_them():
    k, bash, _, child = family.booted()
    here = Places(k.machine)
    words = {
        bash.address_: "task 3 (bash)",
        bash.tasks.next.address_: "tasks of task 4 (bash)",
        child.sibling.address_: "sibling of task 5 (bash)",
        bash.pid_links[1].address_: "pid_links[1] of task 3 (bash)",
        bash.thread_pid.address_: "pid 3",
        bash.stack: "the kernel stack of task 3 (bash)",
        bash.sched_class.address_: "fair_sched_class",
        k.task(2).address_: "task 2 ([kthreadd])",
        k.machine.symbol("init_task").address_: "task 0 (init_task)",
        bash.files.address_ + 0x18: "fdtab.fd of a files_struct",
    }
    assert {address: here.at(address).words for address in words} == words


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (0, "null"),
        (0x10, "null"),
        (LIST_POISON1, "poison"),
        (0x6B6B6B6B6B6B6B6B, "poison"),
        (0xFFFFFFFFFFFFFF00, "unmapped"),
        (0xFFFF888FFFFF0000, "unmapped"),
        (0x400000, "unmapped"),
        (-1, "unmapped"),
        (1 << 70, "unmapped"),
        (0xFFFFEA0000000040, "page"),
        (0xFFFF888000000000, "memory"),
    ],
)
def test_what_is_no_object_has_a_word_too(address, kind):
    k, *_ = family.booted()
    place = Places(k.machine).at(address)
    assert place.kind == kind
    assert place.words


def test_a_freed_object_says_who_freed_it_and_when():
    k, bash, zombie, _ = family.booted()
    before = k.now
    k.call(bash, "waitpid", zombie.pid, 0)
    place = Places(k.machine).at(zombie.address_)
    assert place.kind == "freed"
    assert "freed by free_task in task 3 at t=" in place.said
    assert Places(k.at(before).machine).at(zombie.address_).words == "task 4 (bash)"


def test_a_function_is_known_by_its_address():
    k, bash, *_ = family.booted()
    enqueue = k.machine.symbol("fair_sched_class").enqueue_task
    assert Places(k.machine).at(enqueue).words == "enqueue_task_fair()"
    assert bash.sched_class.enqueue_task == enqueue


def test_looking_leaves_no_event():
    k, bash, *_ = family.booted()
    now = k.now
    here = Places(k.machine)
    for address in (bash.address_, bash.stack, bash.files.address_, 0):
        here.at(address)
    with looking(k.machine):
        slub.object_at(k.machine, bash.address_)
    assert k.now == now
    slub.object_at(k.machine, bash.address_)
    assert k.now > now


def test_a_broken_list_ends_where_it_breaks():
    k, bash, *_ = family.booted()
    bash.tasks.next = 0xDEAD0000
    assert [t.pid for t in threads(k.machine)] == [0, 1, 2, 3]
    bash.tasks.next = bash.tasks
    assert [t.pid for t in threads(k.machine)] == [0, 1, 2, 3]


def test_a_name_is_visible_whatever_a_program_chose():
    assert visible(b"a\nb\xff\x1b") == "a\\nb\\xff\\x1b"
    assert visible("\u202eabc".encode()) == "\\u202eabc"


def test_the_member_at_an_offset_is_the_outermost_that_begins_there():
    assert member_at(task_struct, task_struct.offsetof_("tasks")) == "tasks"
    assert member_at(task_struct, task_struct.offsetof_("tasks.prev")) == "tasks.prev"
    assert member_at(task_struct, task_struct.offsetof_("comm") + 3) == "comm"
    assert member_at(task_struct, task_struct.offsetof_("se.load.inv_weight")).endswith(
        "load.inv_weight"
    )
