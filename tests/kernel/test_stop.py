"""Stopping and continuing, masks, and signals for one thread: kernel/signal.c.  Values are 5.10's."""

import sys

import pytest

import kernelsim as ks
from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import wait

PTHREAD = 0x3D0F00
KILL, USR1, TERM, CHLD, CONT, STOP, TSTP = 9, 10, 15, 17, 18, 19, 20
STOPPED, CONTINUED = 0x1, 0x2  # SIGNAL_STOP_*


@pytest.fixture
def child(k, sh):
    return k.task(k.call(sh, "fork"))


def letter(task):
    return sched.task_state_to_char(task)


def test_a_stop_stops_every_thread_and_is_told_once(k, sh, child):
    threads = [child, *(k.task(k.call(child, "clone", PTHREAD)) for _ in range(2))]
    k.call(sh, "kill", child.pid, STOP)
    assert [letter(t) for t in threads] == ["T"] * 3
    assert child.signal.flags & STOPPED
    assert child.signal.group_stop_count == 0
    assert k.call(sh, "waitpid", -1, wait.WUNTRACED) == (child.pid, STOP << 8 | 0x7F)
    assert k.call(sh, "waitpid", -1, wait.WUNTRACED | wait.WNOHANG) == (0, 0)


def test_a_continue_wakes_every_thread_and_is_told_once(k, sh, child):
    threads = [child, k.task(k.call(child, "clone", PTHREAD))]
    k.call(sh, "kill", child.pid, STOP)
    k.call(sh, "kill", child.pid, CONT)
    assert [letter(t) for t in threads] == ["R"] * 2
    assert child.signal.flags & (STOPPED | CONTINUED) == CONTINUED
    assert k.call(sh, "waitpid", -1, wait.WCONTINUED) == (child.pid, 0xFFFF)
    assert k.call(sh, "waitpid", -1, wait.WCONTINUED | wait.WNOHANG) == (0, 0)


def test_wnowait_leaves_the_news_for_another_call(k, sh, child):
    k.call(sh, "kill", child.pid, STOP)
    look = wait.WSTOPPED | wait.WNOWAIT
    assert k.call(sh, "waitid", wait.P_ALL, 0, look) == (child.pid, CHLD, STOP, 5)
    assert k.call(sh, "waitid", wait.P_ALL, 0, wait.WSTOPPED) == (child.pid, CHLD, STOP, 5)
    again = wait.WSTOPPED | wait.WNOHANG
    assert k.call(sh, "waitid", wait.P_ALL, 0, again) is None


def test_sigkill_ends_what_is_stopped_and_others_wait(k, sh, child):
    number = child.pid
    k.call(sh, "kill", number, STOP)
    k.call(sh, "kill", number, TERM)
    assert letter(child) == "T"
    k.call(sh, "kill", number, KILL)
    assert k.call(sh, "waitpid", -1, 0) == (number, KILL)


def test_a_stopped_puppet_makes_no_calls(k, sh, child):
    k.call(sh, "kill", child.pid, STOP)
    with pytest.raises(ValueError, match="stopped"):
        k.call(child, "getpid")
    k.call(sh, "kill", child.pid, CONT)
    assert k.call(child, "getpid") == child.pid


def test_a_sleep_goes_on_after_a_stop(k, sh, child):
    r, _ = k.call(child, "pipe")
    assert k.call(child, "read", r, 1) is ks.PENDING
    k.call(sh, "kill", child.pid, STOP)
    assert letter(child) == "T"
    k.call(sh, "kill", child.pid, CONT)
    assert letter(child) == "S"
    assert k.result(child) is ks.PENDING


def test_the_parent_is_not_told_of_stops_that_it_does_not_want(k, sh, child):
    k.call(sh, "rt_sigaction", CHLD, (0x5000, 1), None, 8)  # SA_NOCLDSTOP
    k.call(sh, "sigprocmask", 0, {CHLD})
    k.call(sh, "kill", child.pid, STOP)
    assert k.call(sh, "sigpending") == set()
    k.call(sh, "kill", child.pid, KILL)
    assert k.call(sh, "sigpending") == {CHLD}


def test_a_stop_signal_and_a_continue_remove_each_other(k, child):
    k.call(child, "sigprocmask", 0, {TSTP, CONT})
    for sig, left in ((TSTP, {TSTP}), (CONT, {CONT}), (TSTP, {TSTP})):
        k.call(child, "kill", child.pid, sig)
        assert k.call(child, "sigpending") == left


def test_kill_and_stop_cannot_be_blocked(k, sh):
    k.call(sh, "sigprocmask", 2, set(range(1, 65)))
    assert sh.blocked == (1 << 64) - 1 & ~(1 << KILL - 1 | 1 << STOP - 1)


def test_an_ignored_signal_is_forgotten_also_where_it_is_pending(k, sh):
    k.call(sh, "sigprocmask", 0, {USR1})
    k.call(sh, "kill", sh.pid, USR1)
    assert k.call(sh, "sigpending") == {USR1}
    k.call(sh, "signal", USR1, 1)
    assert k.call(sh, "sigpending") == set()


def test_tgkill_reaches_one_thread(k, child):
    thread = k.task(k.call(child, "clone", PTHREAD))
    k.call(thread, "sigprocmask", 0, {USR1})
    k.call(child, "tgkill", child.pid, thread.pid, USR1)
    assert thread.pending.signal == 1 << USR1 - 1
    assert child.signal.shared_pending.signal == 0
    for tgid, tid, error in ((child.pid, 99, errno.ESRCH), (1, thread.pid, errno.ESRCH),
                             (0, thread.pid, errno.EINVAL), (child.pid, 0, errno.EINVAL)):  # fmt: skip
        with pytest.raises(OSError, match=r"Errno") as refused:
            k.call(child, "tgkill", tgid, tid, USR1)
        assert refused.value.errno == error


def test_a_signal_for_the_process_goes_to_a_thread_that_takes_it(k, sh):
    taken = []

    async def handler(m, sig):
        taken.append(m.current.pid)

    k.machine.user_text[0x5000] = handler
    leader = k.task(k.call(sh, "fork"))
    k.call(leader, "rt_sigaction", USR1, (0x5000, 0), None, 8)
    thread = k.task(k.call(leader, "clone", PTHREAD))
    k.call(leader, "sigprocmask", 0, {USR1})
    k.call(sh, "kill", leader.pid, USR1)
    assert taken == [thread.pid]


def test_sigsuspend_waits_with_another_mask_and_puts_the_old_one_back(k, sh, child):
    seen = []

    async def handler(m, sig):
        seen.append(m.current.blocked)

    k.machine.user_text[0x5000] = handler
    k.call(child, "rt_sigaction", USR1, (0x5000, 0), None, 8)
    k.call(child, "sigprocmask", 2, {USR1, TERM})
    k.call(sh, "kill", child.pid, USR1)
    with pytest.raises(InterruptedError):
        k.call(child, 130, 1 << 11, 8)
    assert seen == [1 << 11 | 1 << USR1 - 1]
    assert child.blocked == 1 << USR1 - 1 | 1 << TERM - 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (("waitid", 9, 0, wait.WEXITED), errno.EINVAL),
        (("waitid", wait.P_ALL, 0, 0), errno.EINVAL),
        (("waitid", wait.P_ALL, 0, wait.WEXITED | 0x100), errno.EINVAL),
        (("waitid", wait.P_PID, 0, wait.WEXITED), errno.EINVAL),
        (("waitid", wait.P_PGID, -1, wait.WEXITED), errno.EINVAL),
        (("waitid", wait.P_PID, 99, wait.WEXITED), errno.ECHILD),
        (("sigprocmask", 3, set()), errno.EINVAL),
        (("signal", KILL, 1), errno.EINVAL),
        (("prctl", 1, 65), errno.EINVAL),
        (("prctl", 12345, 0), errno.EINVAL),
    ],
)
def test_what_cannot_be_is_refused(k, sh, call, error):
    with pytest.raises(OSError, match=r"Errno") as refused:
        k.call(sh, *call)
    assert refused.value.errno == error


def test_a_subreaper_adopts_its_descendants(k, sh):
    k.call(sh, "prctl", 36, 1)
    middle = k.task(k.call(sh, "fork"))
    orphan = k.task(k.call(middle, "fork"))
    assert middle.signal.has_child_subreaper
    k.call(middle, "exit", 0)
    assert orphan.real_parent == sh


def test_descendants_that_are_there_already_learn_of_the_subreaper(k, sh):
    middle = k.task(k.call(sh, "fork"))
    orphan = k.task(k.call(middle, "fork"))
    k.call(sh, "prctl", 36, 1)
    assert orphan.signal.has_child_subreaper
    k.call(middle, "exit", 0)
    assert orphan.real_parent == sh


def test_the_parents_death_can_be_a_signal(k, sh):
    middle = k.task(k.call(sh, "fork"))
    orphan = k.task(k.call(middle, "fork"))
    k.call(orphan, "prctl", 1, TERM)
    assert k.call(orphan, "prctl", 2) == TERM
    number = orphan.pid
    k.call(middle, "exit", 0)
    with pytest.raises(LookupError):
        k.task(number)  # init has reaped it


def test_a_subreaper_above_a_long_line_reaches_all_of_it(k, sh):
    task, line = sh, []
    for _ in range(600):
        task = k.task(k.call(task, "fork"))
        line.append(task)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        k.call(sh, "prctl", 36, 1)
    finally:
        sys.setrecursionlimit(limit)
    assert all(task.signal.has_child_subreaper for task in line)


@pytest.mark.parametrize("call", ["kill", "tgkill"])
def test_a_namespaces_init_dies_of_a_sigkill_from_outside(k, sh, call):
    number = k.call(sh, "clone", 0x2000_0000 | CHLD)
    k.call(sh, call, *([number] if call == "kill" else [number, number]), KILL)
    assert k.call(sh, "waitpid", -1, 0) == (number, KILL)
