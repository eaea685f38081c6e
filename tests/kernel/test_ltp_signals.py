"""Signals, threads and waits as the Linux Test Project expects them, where plain Python can't tell.

Each test is named after the cases that publish the expectation, as in test_ltp.py, which also says
what is left out.
"""

import errno

import pytest

import kernelsim as ks
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import sched as flags
from kernelsim.include.uapi.linux import wait
from tests.kernel import stage

SIGCHLD, USR1 = signal.SIGCHLD, signal.SIGUSR1
THREAD = flags.CLONE_VM | flags.CLONE_SIGHAND | flags.CLONE_THREAD
BAD = (1 << 64) - 1  # (void *) -1


def fork(k, task):
    return k.task(k.call(task, "fork"))


CORE = (3, 4, 5, 6, 7, 8, 11, 24, 25, 31)  # the signals that would leave a core file


@pytest.mark.parametrize("sig", CORE, ids=lambda sig: f"kill11-waitpid01-waitid10-{sig}")
def test_a_child_that_dies_of_a_fault_is_told_of_by_the_signal(k, sh, sig):
    for own in (False, True):
        child = fork(k, sh)
        pid = child.pid
        k.call(child if own else sh, "kill", pid, sig)
        answer = k.call(sh, "waitid", wait.P_ALL, 0, wait.WEXITED | wait.WNOWAIT)
        assert answer == (pid, SIGCHLD, sig, signal.CLD_KILLED)
        assert k.call(sh, "waitpid", pid, 0) == (pid, sig)


@pytest.mark.parametrize("sig", [1, 2, 3, 4, 5, 6, 8, 11, 13, 14, 15])
def test_pause01_pause_is_eintr_when_a_handler_has_run(k, sh, sig):
    child = fork(k, sh)
    seen = stage.handle(k, child, sig)
    assert k.call(child, 34) is ks.PENDING
    k.call(sh, "kill", child.pid, sig)
    with pytest.raises(InterruptedError):
        k.result(child)
    assert [number for number, *_ in seen] == [sig]


# --- threads ------------------------------------------------------------------------------------


def test_tgkill01_each_thread_handles_what_is_sent_to_it(k, sh):
    seen = stage.handle(k, sh, USR1)
    threads = [k.task(k.call(sh, "clone", THREAD)) for _ in range(10)]
    for thread in threads:
        k.call(sh, "tgkill", sh.pid, thread.pid, USR1)
        assert [who for _, who, *_ in seen] == [thread.pid]
        seen.clear()


def test_tgkill03_the_number_of_a_thread_that_has_ended_is_nobodys(k, sh):
    thread, gone = (k.task(k.call(sh, "clone", THREAD)) for _ in range(2))
    number = gone.pid
    k.call(gone, 60, 0)
    assert stage.refused(k, sh, "tgkill", sh.pid, number, USR1) == errno.ESRCH
    assert stage.refused(k, sh, "tgkill", number, thread.pid, USR1) == errno.ESRCH
    assert stage.refused(k, sh, "tgkill", thread.pid, thread.pid, USR1) == errno.ESRCH
    k.call(thread, "sigprocmask", signal.SIG_BLOCK, {USR1})
    assert k.call(sh, "tgkill", sh.pid, thread.pid, USR1) is None
    assert thread.pending.signal == 1 << USR1 - 1


def test_tkill01_a_signal_to_oneself_is_handled_before_the_call_is_over(k, sh):
    seen = stage.handle(k, sh, USR1)
    k.call(sh, "tkill", k.call(sh, "gettid"), USR1)
    assert [number for number, *_ in seen] == [USR1]


@pytest.mark.parametrize(("tid", "error"), [(-1, errno.EINVAL), (30000, errno.ESRCH)])
def test_tkill02_tkill_refuses(k, sh, tid, error):
    assert stage.refused(k, sh, "tkill", tid, USR1) == error


def test_gettid02_every_thread_has_a_number_of_its_own(k, sh):
    threads = [k.task(k.call(sh, "clone", THREAD)) for _ in range(10)]
    numbers = {k.call(thread, "gettid") for thread in threads}
    assert len(numbers) == 10
    assert {k.call(thread, "getpid") for thread in threads} == {sh.pid}
    assert sh.pid not in numbers


# --- actions and masks --------------------------------------------------------------------------


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGSTOP, 9999])
def test_sigaction02_what_cannot_be_handled(k, sh, sig):
    assert stage.refused(k, sh, "rt_sigaction", sig, (stage.HANDLER, 0, 0), None, 8) == errno.EINVAL


@pytest.mark.parametrize("sig", [USR1, 34, 64])
def test_sigaction02_rt_sigaction02_addresses_without_memory(k, sh, sig):
    assert stage.refused(k, sh, "rt_sigaction", sig, BAD, None, 8) == errno.EFAULT
    assert stage.refused(k, sh, "rt_sigaction", sig, None, BAD, 8) == errno.EFAULT
    assert sh.sighand.action[sig - 1].sa_handler == signal.SIG_DFL
    assert (
        stage.refused(k, sh, "rt_sigaction", 9999, BAD, None, 8) == errno.EFAULT
    )  # looked at first
    assert stage.refused(k, sh, "rt_sigaction", 9999, None, BAD, 8) == errno.EINVAL  # stored last


def test_rt_sigaction03_the_size_of_a_set_is_eight(k, sh):
    for size in (-1, 0, 4, 16):
        assert (
            stage.refused(k, sh, "rt_sigaction", 34, (stage.HANDLER, 0, 0), None, size)
            == errno.EINVAL
        )
        assert stage.refused(k, sh, "rt_sigaction", 34, BAD, None, size) == errno.EINVAL


RESETHAND, SIGINFO = signal.SA_RESETHAND, signal.SA_SIGINFO


@pytest.mark.parametrize("sa_flags", [RESETHAND | SIGINFO, RESETHAND, signal.SA_NODEFER])
def test_rt_sigaction01_every_real_time_signal_can_be_handled(k, sh, sa_flags):
    for sig in range(34, 65):
        seen = stage.handle(k, sh, sig, sa_flags, 1 << sig - 1)
        k.call(sh, "kill", sh.pid, sig)
        assert [number for number, *_ in seen] == [sig]


@pytest.mark.parametrize("sa_flags", [RESETHAND | SIGINFO, RESETHAND])
def test_sigaction01_a_handler_for_once_keeps_its_flags_and_blocks_its_signal(k, sh, sa_flags):
    for mask in (0, 1 << USR1 - 1):
        seen = stage.handle(k, sh, USR1, sa_flags, mask)
        k.call(sh, "kill", sh.pid, USR1)
        assert seen == [(USR1, sh.pid, 1 << USR1 - 1, sa_flags, signal.SIG_DFL)]


def test_rt_sigprocmask02_a_wrong_size_and_an_address_without_memory(k, sh):
    every = BAD
    assert (
        stage.refused(k, sh, "rt_sigprocmask", signal.SIG_BLOCK, every, stage.place(), 1)
        == errno.EINVAL
    )
    assert sh.blocked == 0
    assert stage.refused(k, sh, "rt_sigprocmask", signal.SIG_BLOCK, every, BAD, 8) == errno.EFAULT
    assert sh.blocked == every & ~(1 << signal.SIGKILL - 1 | 1 << signal.SIGSTOP - 1)


def test_sigpending02_a_place_is_needed(k, sh):
    assert stage.refused(k, sh, "rt_sigpending", BAD, 8) == errno.EFAULT
    assert stage.refused(k, sh, "rt_sigpending", stage.place(), 9) == errno.EINVAL
    assert stage.refused(k, sh, "rt_sigpending", stage.place(), -1) == errno.EINVAL


# --- wait ---------------------------------------------------------------------------------------


def test_a_status_that_cannot_be_stored_is_efault_and_the_child_is_reaped(k, sh):
    for call in (("wait4", -1, BAD, 0, None), ("waitid", wait.P_ALL, 0, BAD, wait.WEXITED, None)):
        number = {"wait4": 61, "waitid": 247}[call[0]]
        k.call(fork(k, sh), "exit", 0)
        assert stage.refused(k, sh, number, *call[1:]) == errno.EFAULT
        assert stage.refused(k, sh, "wait") == errno.ECHILD


def test_waitid_says_nobody_also_when_it_fails(k, sh):
    found = stage.place("stale")
    assert stage.refused(k, sh, 247, wait.P_ALL, 0, found, wait.WEXITED, None) == errno.ECHILD
    assert found.data == (0, 0, 0, 0, 0)
