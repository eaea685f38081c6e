"""Who am I: numbers, groups and sessions, with their checks in the kernel's order (fact sheet 10)."""

import pytest

import kernelsim as ks
from tests.kernel import stage

EINVAL, ESRCH, EPERM, EACCES = 22, 3, 1, 13


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    shell = k.spawn("sh")
    k.call(shell, "setsid")
    return shell


def fork(k, task):
    return k.task(k.call(task, "fork"))


# The errno of a call that fails, 0 if it works.
def error(k, task, *call):
    try:
        k.call(task, *call)
    except OSError as refused:
        return refused.errno
    return 0


def test_numbers_of_oneself_and_of_the_parent(k, sh):
    child = fork(k, sh)
    numbers = [k.call(child, name) for name in ("getpid", "gettid", "getppid", "getpgrp")]
    assert numbers == [child.pid, child.pid, sh.pid, sh.pid]
    assert k.call(k.init, "getppid") == 0
    assert k.call(sh, "getppid") == 1


def test_others_can_be_asked_after_whatever_their_session(k, sh):
    stranger = k.spawn("stranger")
    k.call(stranger, "setsid")
    for task, number in ((sh, 0), (stranger, sh.pid)):
        assert k.call(task, "getpgid", number) == k.call(task, "getsid", number) == sh.pid
    for call in ("getpgid", "getsid"):
        assert k.call(sh, call, 1) == 0  # init's group has no number: it is swapper's
        for nobody in (4711, -1, -sh.pid, 1 << 30):
            assert error(k, sh, call, nobody) == ESRCH


# --- setpgid -----------------------------------------------------------------------------------


def test_a_group_of_ones_own_or_of_a_sibling_in_the_session(k, sh):
    first, second = fork(k, sh), fork(k, sh)
    k.call(sh, "setpgid", first.pid, 0)
    assert k.call(first, "getpgrp") == first.pid
    k.call(second, "setpgid", 0, first.pid)
    assert stage.members(first.thread_pid, 2) == [second.pid, first.pid]
    k.call(second, "setpgid", 0, first.pid)  # once more changes nothing
    assert stage.members(first.thread_pid, 2) == [second.pid, first.pid]
    k.call(first, "setpgid", 0, sh.pid)
    assert stage.members(sh.thread_pid, 2) == [first.pid, sh.pid]
    stage.check(k)


def test_a_group_goes_away_with_its_last_member(k, sh):
    leader, member = fork(k, sh), fork(k, sh)
    for task in (leader, member):
        k.call(sh, "setpgid", task.pid, leader.pid)
    pid, number = leader.thread_pid, leader.pid
    stage.end(k, sh, number)
    assert k.call(member, "getpgrp") == number
    k.call(member, "setpgid", 0, 0)
    with pytest.raises(ks.Fault, match="use after free"):
        _ = pid.count
    assert error(k, member, "setpgid", 0, number) == EPERM


def test_each_check_of_setpgid_comes_before_the_next(k, sh):
    child, stranger = fork(k, sh), k.spawn("stranger")
    k.call(stranger, "setsid")
    # 1. a negative group; even for nobody
    assert error(k, sh, "setpgid", 4711, -1) == EINVAL
    assert error(k, sh, "setpgid", -5, 0) == EINVAL  # the group is then that of the process
    # 2. no such process; even into a group that is not there
    assert error(k, sh, "setpgid", 4711, 4712) == ESRCH
    # 3. a thread that leads nobody
    thread = stage.clone(k, child, stage.PTHREAD)
    assert error(k, sh, "setpgid", thread.pid, 4711) == EINVAL
    # 4. neither oneself nor a child
    assert error(k, child, "setpgid", sh.pid, 4711) == ESRCH
    assert error(k, sh, "setpgid", stranger.pid, 0) == ESRCH
    # 5. a child in another session
    away = fork(k, sh)
    k.call(away, "setsid")
    assert error(k, sh, "setpgid", away.pid, 4711) == EPERM
    # 6. a child that has done an exec
    other = fork(k, sh)
    k.call(other, "execve", "sh")
    assert error(k, sh, "setpgid", other.pid, 4711) == EACCES
    assert error(k, other, "setpgid", 0, 0) == 0  # it may itself
    # 7. a session leader
    assert error(k, sh, "setpgid", 0, 0) == EPERM
    assert error(k, sh, "setpgid", 0, 4711) == EPERM
    # 8. a group that is not there, or in another session
    plain = fork(k, sh)
    assert error(k, plain, "setpgid", 0, 4711) == EPERM
    assert error(k, plain, "setpgid", 0, stranger.pid) == EPERM
    assert error(k, plain, "setpgid", 0, plain.pid) == 0
    stage.check(k)


def test_a_thread_speaks_for_its_process(k, sh):
    child = fork(k, sh)
    thread = stage.clone(k, child, stage.PTHREAD)
    k.call(thread, "setpgid", 0, 0)
    assert k.call(child, "getpgrp") == child.pid
    assert error(k, thread, "setsid") == EPERM
    assert k.call(child, "getsid", 0) == sh.pid  # it leads a group, so no session


# --- setsid ------------------------------------------------------------------------------------


def test_a_session_of_ones_own(k, sh):
    child = fork(k, sh)
    child.signal.tty = 0xFFFF888000001000
    before = child.thread_pid.count
    k.call(child, "setsid")
    assert (child.signal.leader, child.signal.tty) == (1, 0)
    assert [k.call(child, "getsid", 0), k.call(child, "getpgrp")] == [child.pid, child.pid]
    assert [stage.members(child.thread_pid, kind) for kind in range(4)] == [[child.pid]] * 4
    assert child.thread_pid.count == before
    assert child.pid not in stage.members(sh.thread_pid, 2) + stage.members(sh.thread_pid, 3)
    grandchild = fork(k, child)
    assert k.call(grandchild, "getsid", 0) == child.pid
    assert grandchild.signal.leader == 0
    stage.check(k)


def test_who_leads_a_session_or_a_group_can_not_begin_one(k, sh):
    assert error(k, sh, "setsid") == EPERM
    leader, member = fork(k, sh), fork(k, sh)
    k.call(leader, "setpgid", 0, 0)
    assert error(k, leader, "setsid") == EPERM
    k.call(member, "setpgid", 0, leader.pid)
    k.call(leader, "setpgid", 0, sh.pid)  # it has left, but the group of its number is there
    assert error(k, leader, "setsid") == EPERM
    k.call(member, "setpgid", 0, sh.pid)
    assert error(k, leader, "setsid") == 0
    assert error(k, member, "setsid") == 0


# --- and the rest ------------------------------------------------------------------------------


def test_the_mask_for_new_files_keeps_nine_bits_and_is_inherited(k, sh):
    assert k.call(sh, "umask", 0o7777) == 0o022
    assert k.call(sh, "umask", -1) == 0o777
    child = fork(k, sh)
    assert k.call(child, "umask", 0) == 0o777
    assert k.call(sh, "umask", 0o022) == 0o777


def test_yielding_lets_others_run_and_keeps_one_runnable(k, sh):
    before, unwanted = sh.nvcsw, sh.nivcsw
    assert k.call(sh, "sched_yield") is None
    assert (sh.state, sh.on_rq, sh.nvcsw) == (0, 1, before)
    assert sh.nivcsw in (unwanted, unwanted + 1)
