"""wait4: whom it selects, when it sleeps, what it reports (fact sheet 8)."""

import pytest

import kernelsim as ks
from kernelsim.include.linux import wait as wait_h
from tests.kernel import stage

WNOHANG, WUNTRACED, WCONTINUED, WNOTHREAD, WALL, WCLONE = (
    *(1, 2, 8),
    *(0x20000000, 0x40000000, -0x80000000),
)


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def fork(k, task):
    return k.task(k.call(task, "fork"))


def die(k, task, status=0):
    number = task.pid
    k.call(task, "exit_group", status)
    return number


# --- arguments ---------------------------------------------------------------------------------


def test_a_child_is_needed(k, sh):
    for pid in (-1, 0, 1, 2, sh.pid, 4711, -4711, -sh.pid, (1 << 31) - 1):
        with pytest.raises(ChildProcessError):
            k.call(sh, "waitpid", pid, 0)
        with pytest.raises(ChildProcessError):
            k.call(sh, "waitpid", pid, WNOHANG)


@pytest.mark.parametrize("options", [4, 0x10, 0x01000000, 1 << 20, -1, 0x60000010])
def test_options_that_wait4_does_not_have_are_einval_before_anything_is_looked_at(k, sh, options):
    child = fork(k, sh)
    die(k, child)
    for pid in (-1, child.pid, -(1 << 31)):
        with pytest.raises(OSError, match="Invalid argument"):
            k.call(sh, "waitpid", pid, options)
    assert k.call(sh, "waitpid", -1, 0)[0] == 4


def test_the_smallest_int_is_no_group(k, sh):
    fork(k, sh)
    with pytest.raises(ProcessLookupError):
        k.call(sh, "waitpid", -(1 << 31), WNOHANG)


# --- selection ---------------------------------------------------------------------------------


def test_a_pid_selects_that_child_and_zombies_come_in_the_order_of_birth(k, sh):
    children = [fork(k, sh) for _ in range(4)]
    numbers = [die(k, child, i) for i, child in reversed(list(enumerate(children)))][::-1]
    assert k.call(sh, "waitpid", numbers[2], 0) == (numbers[2], 2 << 8)
    with pytest.raises(ChildProcessError):
        k.call(sh, "waitpid", numbers[2], 0)
    assert [k.call(sh, "waitpid", -1, 0) for _ in range(3)] == [
        (numbers[i], i << 8) for i in (0, 1, 3)
    ]


def test_zero_and_negative_numbers_select_groups(k, sh):
    own, other = fork(k, sh), fork(k, sh)
    k.call(other, "setpgid", 0, 0)
    group = other.pid
    mine, its = die(k, own), die(k, other)
    assert k.call(sh, "waitpid", -group, 0) == (its, 0)
    assert k.call(sh, "waitpid", 0, 0) == (mine, 0)
    third = fork(k, sh)
    k.call(third, "setpgid", 0, 0)
    with pytest.raises(ChildProcessError):  # it is in no group of ours
        k.call(sh, "waitpid", 0, WNOHANG)
    assert k.call(sh, "waitpid", -third.pid, WNOHANG) == (0, 0)


def test_children_with_another_exit_signal_need_their_option(k, sh):
    clone, plain = k.task(k.call(sh, "clone", 10)), fork(k, sh)
    k.call(sh, "rt_sigaction", 10, (1, 0), None, 8)
    cloned, forked = die(k, clone, 1), die(k, plain, 2)
    with pytest.raises(ChildProcessError):
        k.call(sh, "waitpid", cloned, 0)
    with pytest.raises(ChildProcessError):
        k.call(sh, "waitpid", forked, WCLONE)
    assert k.call(sh, "waitpid", -1, WCLONE) == (cloned, 0x100)
    assert k.call(sh, "waitpid", -1, WALL) == (forked, 0x200)


def test_a_grandchild_is_nobody_to_wait_for(k, sh):
    child = fork(k, sh)
    grandchild = fork(k, child)
    with pytest.raises(ChildProcessError):
        k.call(sh, "waitpid", grandchild.pid, WNOHANG)
    assert k.call(sh, "waitpid", -1, WNOHANG) == (0, 0)


def test_a_thread_waits_for_its_siblings_children_unless_told_otherwise(k, sh):
    thread = stage.clone(k, sh, stage.PTHREAD)
    number = die(k, fork(k, sh), 3)
    with pytest.raises(ChildProcessError):
        k.call(thread, "waitpid", -1, WNOTHREAD)
    assert k.call(thread, "waitpid", -1, 0) == (number, 0x300)


# --- sleeping ----------------------------------------------------------------------------------


def test_a_waiter_sleeps_on_its_own_queue_until_a_child_dies(k, sh):
    child = fork(k, sh)
    number = child.pid
    assert k.call(sh, "waitpid", -1, 0) is ks.PENDING
    assert (sh.state, sh.on_rq) == (1, 0)  # TASK_INTERRUPTIBLE: S
    head = sh.signal.wait_chldexit.head
    entry = ks.container_of(head.next, wait_h.wait_queue_entry, "entry")
    assert entry.private == sh
    assert sh.stack < entry.address_ < sh.stack + 0x4000  # it lies on the waiter's kernel stack
    assert head.prev == entry.entry
    k.call(child, "exit_group", 7)
    assert k.result(sh) == (number, 0x700)
    assert (sh.state, sh.on_rq, head.next) == (0, 1, head)
    assert k.result(sh) is None
    stage.check(k)


def test_only_the_child_that_is_waited_for_wakes_the_waiter(k, sh):
    first, second = fork(k, sh), fork(k, sh)
    other, wanted = first.pid, second.pid
    assert k.call(sh, "waitpid", wanted, 0) is ks.PENDING
    begin = k.now
    k.call(first, "exit_group", 1)
    woken = [e.fields["pid"] for e in k.events(begin) if e.name == "sched_wakeup"]
    assert woken == []  # child_wait_callback() lets it sleep; SIGCHLD is ignored by default
    assert k.result(sh) is ks.PENDING
    k.call(second, "exit_group", 2)
    assert k.result(sh) == (wanted, 0x200)
    assert k.call(sh, "waitpid", -1, WNOHANG) == (other, 0x100)


def test_a_waiter_is_woken_by_echild_when_nobody_is_left_to_wait_for(k, sh):
    k.call(sh, "rt_sigaction", 17, (1, 0), None, 8)  # children reap themselves
    children = [fork(k, sh) for _ in range(2)]
    assert k.call(sh, "waitpid", -1, 0) is ks.PENDING
    k.call(children[0], "exit_group", 0)
    assert k.result(sh) is ks.PENDING
    k.call(children[1], "exit_group", 0)
    with pytest.raises(ChildProcessError):
        k.result(sh)


def test_waiting_for_another_process_group_ends_when_its_last_member_leaves_it(k, sh):
    child = fork(k, sh)
    k.call(child, "setpgid", 0, 0)
    group = child.pid
    assert k.call(sh, "waitpid", -group, 0) is ks.PENDING
    k.call(k.init, "getpid")
    assert k.result(sh) is ks.PENDING
    k.call(child, "exit_group", 4)
    assert k.result(sh) == (group, 0x400)


def test_a_signal_that_kills_ends_the_wait_and_leaves_the_queue_clean(k, sh):
    waiter = fork(k, sh)
    child = fork(k, waiter)
    number = waiter.pid
    assert k.call(waiter, "waitpid", -1, 0) is ks.PENDING
    k.call(sh, "kill", number, 15)
    assert k.call(sh, "waitpid", number, 0) == (number, 15)
    assert child.real_parent == k.init
    stage.check(k)


def test_a_child_that_dies_before_the_wait_is_there_at_once(k, sh):
    number = die(k, fork(k, sh), 1)
    switches = sh.nvcsw
    assert k.call(sh, "waitpid", -1, 0) == (number, 0x100)
    assert sh.nvcsw == switches  # it did not sleep


# --- what is passed on -------------------------------------------------------------------------


def test_the_times_and_counts_of_the_dead_go_to_the_parents_children(k, sh):
    names = ("utime", "stime", "gtime", "nvcsw", "nivcsw", "min_flt", "maj_flt")
    child = fork(k, sh)
    for i, name in enumerate(names):
        setattr(child, name, 100 * (i + 1))
        setattr(child.signal, f"c{name}", 7 * (i + 1))
        setattr(child.signal, name, i + 1)
    wanted, unwanted = child.nvcsw, child.nivcsw
    k.call(child, "exit_group", 0)
    wanted, unwanted = child.nvcsw - wanted, child.nivcsw - unwanted  # its last switches
    ran = child.se.sum_exec_runtime
    k.call(sh, "waitpid", -1, 0)
    expected = {name: 108 * (i + 1) for i, name in enumerate(names)}
    stime = 202 * ran // (101 + 202)  # the exact time, divided as the ticks stand
    expected |= {"utime": ran - stime + 7, "stime": stime + 14}
    expected["nvcsw"] += wanted
    expected["nivcsw"] += unwanted
    assert {name: getattr(sh.signal, f"c{name}") for name in names} == expected
    assert [getattr(sh.signal, name) for name in names] == [0] * 7
    other = fork(k, sh)
    k.call(other, "exit_group", 0)
    ran = other.se.sum_exec_runtime
    k.call(sh, "waitpid", -1, 0)
    assert sh.signal.cutime == expected["utime"] + ran  # no tick came: all is user time
    assert sh.signal.cstime == expected["stime"]


def test_numbers_are_those_of_the_callers_namespace(k, sh):
    inner = k.task(k.call(sh, "clone", 0x20000000 | 17))
    assert k.call(inner, "fork") == 2
    child = k.tasks()[-1]
    k.call(child, "exit_group", 1)
    assert k.call(inner, "waitpid", 2, 0) == (2, 0x100)
    number = die(k, inner, 2)
    assert k.call(sh, "waitpid", number, 0) == (number, 0x200)
