"""The differences between two times, as members of structs."""

import pytest

import kernelsim as ks
from kernelsim.debug.changes import Change


@pytest.fixture(scope="module")
def k():
    k = ks.boot()
    k.spawn("sh")
    return k


@pytest.fixture(scope="module")
def sh(k):
    return k.task(3)


# What differs after `poke` has stored something: (struct, member, old, new) each.
def poked(k, poke):
    since = k.now
    k.machine.trace.emit("before")
    poke()
    return [tuple(change) for change in k.diff(since)]


def change(ref, member, old, new):
    return type(ref).c, ref.address_, member, old, new


# --- one store -----------------------------------------------------------------------------


def test_a_member_is_named_with_its_old_and_new_value(k, sh):
    def poke():
        sh.flags = 7

    assert poked(k, poke) == [change(sh, "flags", 0, 7)]


def test_members_that_share_a_word_are_told_apart(k, sh):
    def poke():
        sh.exit_signal = 9  # exit_code and exit_signal are the halves of one word

    assert poked(k, poke) == [change(sh, "exit_signal", 17, 9)]


def test_signed_members_have_their_sign(k, sh):
    def poke():
        sh.exit_code = -1

    assert poked(k, poke) == [change(sh, "exit_code", 0, -1)]


def test_bit_fields_are_told_apart_though_they_share_a_unit(k, sh):
    def poke():
        sh.in_iowait = 1
        sh.sched_migrated = 1

    assert poked(k, poke) == [change(sh, "sched_migrated", 0, 1), change(sh, "in_iowait", 0, 1)]


def test_a_string_is_one_member_however_many_words_it_has(k, sh):
    def poke():
        sh.comm = "a_longer_name"

    assert poked(k, poke) == [change(sh, "comm", b"sh", b"a_longer_name")]


def test_embedded_structs_and_arrays_give_a_path(k, sh):
    def poke():
        sh.signal.rlim[2].rlim_cur = 5
        sh.thread_pid.numbers[0].nr = 33
        sh.se.load.weight = 1

    expected = [
        change(sh, "se.load.weight", 1 << 20, 1),
        change(sh.signal, "rlim[2].rlim_cur", (1 << 64) - 1, 5),
        change(sh.thread_pid, "numbers[0].nr", 3, 33),
    ]
    assert sorted(poked(k, poke)) == sorted(expected)


def test_of_a_union_the_first_member_is_named_and_no_other(k, sh):
    def poke():
        sh.rcu_users = 3

    assert poked(k, poke) == [change(sh, "rcu_users", 2, 3)]


def test_static_and_per_cpu_structs_are_known(k):
    ns, rq = k.machine.symbol("init_pid_ns"), k.machine.symbol("runqueues")

    def poke():
        ns.idr.idr_next = 77
        rq.nr_switches = 1000

    switches = rq.nr_switches
    expected = [change(ns, "idr.idr_next", 4, 77), change(rq, "nr_switches", switches, 1000)]
    assert sorted(poked(k, poke)) == sorted(expected)


def test_static_numbers_and_pointers_are_known_by_their_names(k):
    m = k.machine
    place, task = m.symbols["current_task"][0], m.current.address_

    def poke():
        m.add("nr_threads", 2)
        m.write_u64(place, 0)
        m.write_u64(place, m.symbol("init_task").address_)

    after = m.symbol("init_task").address_
    found = poked(k, poke)
    m.write_u64(place, task)
    assert ("int", m.symbol("nr_threads"), "nr_threads", 3, 5) in found
    assert ("struct task_struct *", place, "current_task", task, after) in found
    assert len(found) == 2


# --- more than one -------------------------------------------------------------------------


def test_what_is_stored_and_stored_back_is_no_change(k, sh):
    def poke():
        old = sh.jobctl
        sh.jobctl = 1
        sh.jobctl = old

    assert poked(k, poke) == []


def test_the_way_back_is_the_way_there_reversed():
    k = ks.boot()
    sh, since = k.spawn("sh"), k.now
    k.call(sh, "setsid")
    there, back = k.diff(since, k.now), k.diff(k.now, since)
    assert [(c.type, c.address, c.field, c.new, c.old) for c in there] == [tuple(c) for c in back]
    assert there


def test_changes_come_in_the_order_of_memory_and_once():
    k = ks.boot()
    sh, since = k.spawn("sh"), k.now
    k.call(sh, "fork")
    changes = k.diff(since)
    offsets = [k.machine.offset(c.address) for c in changes if c.type.startswith("struct ")]
    assert offsets == sorted(offsets)
    assert len({(c.address, c.field) for c in changes}) == len(changes)


def test_a_call_that_only_looks_changes_the_clock_and_nothing_else():
    k = ks.boot()
    sh, since = k.spawn("sh"), k.now
    k.call(sh, "getpid")
    assert {c.field for c in k.diff(since)} == {"tk_core"}


def test_a_fork_changes_the_lists_that_the_child_enters():
    k = ks.boot()
    sh, since = k.spawn("sh"), k.now
    child = k.task(k.call(sh, "fork"))
    new = {(c.type, c.address, c.field): c.new for c in k.diff(since)}
    init_task = k.machine.symbol("init_task")
    assert new["struct task_struct", sh.address_, "children.next"] == child.sibling.address_
    assert new["struct task_struct", sh.address_, "tasks.next"] == child.tasks.address_
    assert new["struct task_struct", init_task.address_, "tasks.prev"] == child.tasks.address_
    assert new["struct task_struct", child.address_, "pid"] == 4
    assert new["int", k.machine.symbol("nr_threads"), "nr_threads"] == 4


def test_an_exit_shows_what_the_zombie_lost():
    k = ks.boot()
    sh = k.spawn("sh")
    child, since = k.task(k.call(sh, "fork")), k.now
    k.call(child, "exit_group", 3)
    new = {c.field: c.new for c in k.diff(since) if c.address == child.address_}
    assert (new["exit_state"], new["exit_code"], new["state"]) == (0x20, 0x300, 0x80)
    assert {name for name in ("mm", "files", "fs", "nsproxy", "stack") if new[name] == 0} == {
        *("mm", "files", "fs", "nsproxy", "stack")
    }


# --- words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Change("struct task_struct", 0xFFFF888000104980, "exit_state", 0, 32),
            "(struct task_struct *)0xffff888000104980->exit_state: 0 → 32",
        ),
        (
            Change("struct list_head", 0xFFFF888000104980, "next", 0xFFFF888000104980, 0),
            "(struct list_head *)0xffff888000104980->next: 0xffff888000104980 → 0",
        ),
        (
            Change("struct task_struct", 16, "comm", b"a", b"b"),
            "(struct task_struct *)0x10->comm: b'a' → b'b'",
        ),
        (Change("int", 0xFFFFFFFF81805000, "nr_threads", 3, 4), "nr_threads: 3 → 4"),
    ],
)
def test_a_change_prints_as_a_line_of_c(change, expected):
    assert repr(change) == expected
