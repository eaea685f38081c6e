"""Kernel threads: how they are made, stopped and parked, what they share, and what fails."""

import errno
import os
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.arch.x86.entry import common
from kernelsim.debug import stack
from kernelsim.include.linux import kthread as kthread_h
from kernelsim.include.linux import sched
from kernelsim.include.linux.wait import completion
from kernelsim.include.uapi.asm import signal as sig
from kernelsim.include.uapi.asm.signal import SIG_IGN
from kernelsim.kernel import kthread, signal
from kernelsim.machine import machine
from tests.kernel import stage

PLAIN = 0x208040  # PF_KTHREAD, PF_NOFREEZE (inherited from kthreadd), PF_FORKNOEXEC
WORKER = 0x4208060  # with PF_NO_SETAFFINITY and PF_WQ_WORKER
KTHREADD = Path("/proc/2/stat")


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def own(thread):
    return kthread_h.kthread(thread.machine_, thread.set_child_tid)


# (flags, state letter, parent) of each kernel thread of this machine, by name.
def real_threads():
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        if int(fields[6]) & sched.PF_KTHREAD:
            found[name] = int(fields[6]), fields[0], int(fields[1])
    return found


def is_real_kthreadd():
    try:
        fields = KTHREADD.read_text().split()
    except OSError:
        return False
    return fields[1] == "(kthreadd)" and int(fields[8]) & sched.PF_KTHREAD


on_linux = pytest.mark.skipif(not is_real_kthreadd(), reason="no kernel threads to be seen here")


# --- making one ----------------------------------------------------------------------------


def test_a_new_thread_sleeps_until_it_is_woken_and_knows_what_it_will_run(k, sh):
    async def body(kernel):
        return 0

    thread = k.kthread_create("x", body, by=sh)
    self = own(thread)
    assert (self.flags, self.data, self.parked.done, self.exited.done) == (0, 0, 0, 0)
    assert k.machine.module_text[self.threadfn].__name__ == "body"
    assert self.threadfn >= 0xFFFF_FFFF_C000_0000
    assert thread.vfork_done == self.exited
    assert stack.proc_stack(stack.kernel_stack(k.machine, thread)) == (
        "[<0>] kthread\n[<0>] ret_from_fork\n"
    )
    assert (thread.thread.fn, thread.comm.string_()) == (machine.text_address("kthread"), b"x")
    assert kthread.kthread_func(k.machine, thread) == self.threadfn
    assert kthread.kthread_func(k.machine, sh) == 0
    stage.check(k)


def test_a_kernel_thread_is_kthreadds_child_and_has_nothing_of_who_asked(k, sh):
    k.call(sh, "setsid")
    k.call(sh, "pipe")
    thread, kthreadd = k.kthread_run("clean", by=sh), k.task(2)
    assert (thread.real_parent, thread.mm.address_, thread.nsproxy) == (
        kthreadd,
        0,
        kthreadd.nsproxy,
    )
    assert (thread.fs, thread.files) == (kthreadd.fs, kthreadd.files)  # CLONE_FS, CLONE_FILES
    assert thread.signal.pids[sched.PIDTYPE_SID] == kthreadd.signal.pids[sched.PIDTYPE_SID]
    assert thread.sighand != kthreadd.sighand
    assert {action.sa_handler for action in thread.sighand.action} == {SIG_IGN}
    assert thread.exit_signal == sig.SIGCHLD
    assert k.task(3) == sh


def test_the_name_is_cut_to_fifteen_bytes(k):
    assert k.kthread_run("kworker/0:0H-events").comm.string_() == b"kworker/0:0H-ev"


def test_what_is_asked_for_first_is_made_first(k, sh):
    other = k.spawn("other")
    names = [k.kthread_run(name, by=by).pid for name, by in (("a", sh), ("b", other))]
    assert names == [5, 6]
    assert [t.comm.string_() for t in k.tasks()][-2:] == [b"a", b"b"]


@on_linux
def test_flags_letter_and_parent_are_those_of_linux(k, sh):
    real = real_threads()
    kthreadd = k.task(2)
    assert real["kthreadd"] == (kthreadd.flags, sched.task_state_to_char(kthreadd), 0)
    idle = k.kthread_run("rcu_preempt", by=sh)
    assert (idle.flags, sched.task_state_to_char(idle), idle.real_parent.pid) == (PLAIN, "I", 2)
    assert (PLAIN, "I", 2) in {real.get("rcu_preempt"), real.get("rcu_sched")}

    async def body(kernel):
        kernel.current.flags |= sched.PF_WQ_WORKER  # set_pf_worker()
        await ks.threads.worker(kernel)

    bound = k.kthread_create("kworker/0:0H", body)
    k.kthread_bind(bound)
    k.wake_up_process(bound)
    worker = bound.flags, sched.task_state_to_char(bound), bound.real_parent.pid
    assert worker == (WORKER, "I", 2)
    assert worker in {found for name, found in real.items() if name.startswith("kworker/")}


def test_a_thread_borrows_the_address_space_of_whoever_ran_before(k, sh):
    async def body(kernel):
        mm = kernel.current.active_mm
        seen.append((kernel.current.mm.address_, mm.address_, mm.mm_users, mm.mm_count))

    seen = []
    mm = sh.mm
    assert (mm.mm_users, mm.mm_count) == (1, 1)
    thread = k.kthread_create("lazy", body, by=sh)
    k.call(sh, "getpid")
    k.wake_up_process(thread, by=sh)
    assert seen == [(0, mm.address_, 1, 2)]  # mmgrab() in context_switch()
    k.call(sh, "getpid")
    assert (mm.mm_users, mm.mm_count) == (1, 1)  # mmdrop() in finish_task_switch()


# --- stopping ------------------------------------------------------------------------------


def test_kthread_stop_returns_what_the_function_returned(k, sh):
    async def body(kernel):
        kernel.set_current_state(kernel.TASK_INTERRUPTIBLE)
        while not kernel.kthread_should_stop():
            await kernel.schedule()
            kernel.set_current_state(kernel.TASK_INTERRUPTIBLE)
        kernel.set_current_state(kernel.TASK_RUNNING)
        return 42

    before = stage.ground(k)
    thread = k.kthread_run("ticker", body, by=sh)
    assert k.kthread_stop(thread, by=sh) == 42
    assert stage.ground(k) == before
    with pytest.raises(ks.DeadTask, match="use after free"):
        k.kthread_stop(thread)


def test_a_thread_that_never_ran_is_stopped_without_running(k):
    async def body(kernel):
        ran.append(kernel)

    ran = []
    before = stage.ground(k)
    assert k.kthread_stop(k.kthread_create("x", body)) == -errno.EINTR
    assert (ran, stage.ground(k)) == ([], before)


def test_stop_ends_parking_too(k):
    before = stage.ground(k)
    thread = k.kthread_run("x")
    k.kthread_park(thread)
    assert k.kthread_stop(thread) == 0
    assert stage.ground(k) == before


def test_a_thread_may_end_by_itself(k):
    async def body(kernel):
        await kernel.do_exit(0)

    before = stage.ground(k)
    thread = k.kthread_create("brief", body)
    assert k.wake_up_process(thread) == 1
    assert stage.ground(k) == before


# --- parking -------------------------------------------------------------------------------


def test_a_new_thread_parks_before_its_function(k):
    ran = []

    async def body(kernel):
        ran.append(kernel.current.pid)

    thread = k.kthread_create("x", body)
    assert k.kthread_park(thread) == 0
    assert (sched.task_state_to_char(thread), ran) == ("P", [])
    frames = stack.kernel_stack(k.machine, thread)
    assert frames[3:] == ["__kthread_parkme", "kthread", "ret_from_fork"]
    number = thread.pid
    k.kthread_unpark(thread)
    assert ran == [number]


def test_who_is_to_park_already_is_busy(k):
    thread = k.kthread_run("x")
    k.kthread_park(thread)
    with pytest.raises(OSError, match="busy"):
        k.kthread_park(thread)
    assert [e for e in k.events() if e.name == "WARN"]
    k.kthread_unpark(thread)
    assert (own(thread).flags, sched.task_state_to_char(thread)) == (0, "I")


def test_who_parks_a_thread_that_does_not_listen_waits_in_d(k, sh):
    async def body(kernel):
        while not kernel.kthread_should_stop():
            kernel.set_current_state(kernel.TASK_INTERRUPTIBLE)
            await kernel.schedule()

    thread = k.kthread_run("x", body)
    assert k.kthread_park(thread, by=sh) is ks.PENDING
    assert sched.task_state_to_char(sh) == "D"
    frames = [f for f in stack.kernel_stack(k.machine, sh) if f not in stack.SCHEDULER]
    assert frames == ["wait_for_completion", "kthread_park"]
    stage.check(k)


# --- signals -------------------------------------------------------------------------------


def test_kill_of_a_kernel_thread_succeeds_and_does_nothing(k, sh):
    thread = k.kthread_run("x")
    before = stage.ground(k)
    for number in (sig.SIGKILL, sig.SIGSTOP, sig.SIGTERM, sig.SIGCONT, 34):
        assert k.call(sh, "kill", thread.pid, number) is None
        assert (thread.state, thread.thread_info.flags) == (sched.TASK_IDLE, 0)
        assert (thread.pending.signal, thread.signal.shared_pending.signal) == (0, 0)
    assert stage.ground(k) == before


@on_linux
def test_kill_of_a_real_kernel_thread_does_the_same():
    before = real_threads()["kthreadd"]
    try:
        os.kill(2, sig.SIGKILL)
    except PermissionError:
        pytest.skip("only root may")
    assert real_threads()["kthreadd"] == before
    pending = [
        line.split()[1]
        for line in Path("/proc/2/status").read_text().splitlines()
        if line.startswith(("SigPnd", "ShdPnd", "SigIgn"))
    ]
    assert pending == ["0" * 16, "0" * 16, "f" * 16]


def test_an_allowed_signal_wakes_the_thread_which_looks_by_itself(k, sh):
    async def body(kernel):
        kernel.allow_signal(sig.SIGKILL)
        while not kernel.signal_pending():
            kernel.set_current_state(kernel.TASK_INTERRUPTIBLE)
            await kernel.schedule()
        found.append(kernel.current.signal.shared_pending.signal)
        kernel.flush_signals()
        found.append((kernel.signal_pending(), kernel.current.signal.shared_pending.signal))
        return 9

    found = []
    before = stage.ground(k)
    thread = k.kthread_run("killable", body)
    k.call(sh, "kill", thread.pid, sig.SIGTERM)
    assert found == []
    k.call(sh, "kill", thread.pid, sig.SIGKILL)
    assert found == [1 << 8, (False, 0)]
    assert stage.ground(k) == before


# --- when somebody is killed, or memory runs out -------------------------------------------


@pytest.mark.parametrize("nth", range(12))  # the allocation that fails, then; 0: none
def test_whoever_is_killed_while_it_asks_leaves_the_request_to_kthreadd(k, sh, nth):
    m, kthreadd, found = k.machine, k.task(2), []
    before = stage.ground(k)
    asks = k.task(k.call(sh, "fork"))

    async def killed():
        signal.send_sig(m, sig.SIGKILL, asks, True)  # before kthreadd comes to run
        found.append(await kthread.kthread_create(m, m.load_function(body), 0, "x"))
        found.append(kthreadd.on_rq)
        m.fail_nth = nth
        await common.irqentry_exit_to_user_mode(m)

    async def body(m, data):
        found.append("never")

    stage.inside(k, asks, killed())
    assert found == [-errno.EINTR, 1]
    assert m.fail_nth == max(nth - 8, 0)  # SIGCHLD, those of a fork, struct kthread
    m.fail_nth = 0
    assert k.call(sh, "waitpid", -1, 0)[1] == sig.SIGKILL
    assert stage.ground(k) == before
    stage.check(k)


@pytest.mark.parametrize("by", ["init", "sh"])
def test_a_thread_that_can_not_be_made_leaves_nothing(by):
    k, sh = stage.booted(record=False)
    asks = sh if by == "sh" else k.init
    k.kthread_stop(k.kthread_run("warm", by=asks))
    codes = []
    for nth in range(1, 80):
        before = stage.ground(k)
        k.machine.fail_nth = nth
        try:
            thread, code = k.kthread_run("x", by=asks), None
        except OSError as refused:
            thread, code = None, refused.errno
        left, k.machine.fail_nth = k.machine.fail_nth, 0
        codes.append(code)
        if thread:
            assert k.kthread_stop(thread, by=asks) == 0
        assert stage.ground(k) == before, f"allocation {nth}"
        stage.check(k)
        if left:
            break
    # the request; task_struct, stack, cred, sighand, signal, pid; struct kthread
    assert codes[by == "init" :] == [errno.ENOMEM] * 8 + [None]  # init's SIGHUP goes without


def test_the_struct_of_a_thread_has_linuxs_size():
    assert kthread_h.kthread.sizeof_ == 104  # with CONFIG_BLK_CGROUP
    assert completion.sizeof_ == 32
    assert kthread_h.kthread_create_info.sizeof_ == 56
