"""Sending and taking signals, as far as they are built (fact sheet 9)."""

import errno

import pytest

import kernelsim as ks
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.kernel import signal
from tests.kernel import stage

EINVAL, ESRCH, EPERM = errno.EINVAL, errno.ESRCH, errno.EPERM
DEFAULT, IGNORE = 0, 1
IGNORED_BY_DEFAULT = {17, 18, 23, 28}
STOPS = {19, 20, 21, 22}


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def fork(k, task):
    return k.task(k.call(task, "fork"))


def error(k, task, *call):
    try:
        k.call(task, *call)
    except OSError as refused:
        return refused.errno
    return 0


def handle(k, task, sig, handler, flags=0):
    k.call(task, "rt_sigaction", sig, (handler, flags), None, 8)


# The signals queued for a task or a process, in order.
def queued(pending):
    return [
        q.si_signo for q in lists.list_for_each_entry(sched_signal.sigqueue, pending.list, "list")
    ]


# --- what happens by default -------------------------------------------------------------------


@pytest.mark.parametrize("sig", range(1, 65))
def test_the_default_action_of_each_signal(k, sh, sig):
    child = fork(k, sh)
    number = child.pid
    assert k.call(sh, "kill", number, sig) is None
    if sig == 19:
        assert (child.state, child.on_rq) == (0x104, 0)
        k.call(sh, "kill", number, 18)
        assert (child.state, child.on_rq) == (0, 1)
    elif (
        sig in IGNORED_BY_DEFAULT | STOPS
    ):  # the group is orphaned: SIGTSTP and its like do nothing
        assert (child.exit_state, child.on_rq) == (0, 1)
        assert (child.pending.signal, child.signal.shared_pending.signal) == (0, 0)
    else:
        assert k.call(sh, "waitpid", number, 0) == (number, sig)
    stage.check(k)


def test_a_signal_that_is_ignored_is_not_even_queued(k, sh):
    child = fork(k, sh)
    handle(k, child, 15, IGNORE)
    begin = k.now
    k.call(sh, "kill", child.pid, 15)
    generated = [e.fields for e in k.events(begin) if e.name == "signal_generate"]
    assert [f["result"] for f in generated] == [1]  # TRACE_SIGNAL_IGNORED
    assert child.signal.shared_pending.signal == 0
    k.call(sh, "kill", child.pid, 9)
    assert k.call(sh, "waitpid", -1, 0) == (4, 9)


def test_handlers_are_inherited_by_fork_and_only_ignoring_survives_execve(k, sh):
    handle(k, sh, 10, IGNORE)
    handle(k, sh, 12, 0x5000)
    child = fork(k, sh)
    actions = child.sighand.action
    assert (actions[9].sa_handler, actions[11].sa_handler) == (IGNORE, 0x5000)
    k.call(child, "execve", "sh")
    assert (actions[9].sa_handler, actions[11].sa_handler) == (IGNORE, DEFAULT)
    assert sh.sighand.action[11].sa_handler == 0x5000


# --- kill --------------------------------------------------------------------------------------


def test_whom_kill_means(k, sh):
    shell = fork(k, sh)
    k.call(shell, "setsid")
    mates = [fork(k, shell) for _ in range(2)]
    group = fork(k, shell)
    k.call(group, "setpgid", 0, 0)
    for task in (shell, *mates, group):
        handle(k, task, 10, IGNORE)

    def told(caller, pid):
        begin = k.now
        k.call(caller, "kill", pid, 10)
        return [e.fields["pid"] for e in k.events(begin) if e.name == "signal_generate"]

    assert told(shell, mates[0].pid) == [mates[0].pid]
    assert told(shell, 0) == [mates[1].pid, mates[0].pid, shell.pid]  # newest first, itself too
    assert told(shell, -group.pid) == [group.pid]
    handle(k, sh, 10, IGNORE)
    everybody = [t.pid for t in k.tasks() if t.pid not in (1, shell.pid)]
    assert told(shell, -1) == everybody  # not init, not itself; kthreadd ignores it


def test_the_checks_of_kill_in_their_order(k, sh):
    assert error(k, sh, "kill", 4711, 999) == ESRCH  # nobody, whatever the signal
    assert error(k, sh, "kill", -4711, 0) == ESRCH
    assert error(k, sh, "kill", -(1 << 31), 0) == ESRCH
    for sig in (-1, 65, 999):
        assert error(k, sh, "kill", sh.pid, sig) == EINVAL
    assert error(k, sh, "kill", sh.pid, 0) == 0
    child = fork(k, sh)
    for name in ("uid", "suid", "euid"):
        setattr(child.cred, name, 1000)
    for other in (1, sh.pid):
        assert error(k, child, "kill", other, 28) == 0  # CAP_KILL
    child.cred.cap_effective = 0
    assert error(k, child, "kill", sh.pid, 15) == EPERM
    assert error(k, child, "kill", sh.pid, 0) == EPERM
    assert error(k, child, "kill", sh.pid, 65) == EINVAL
    assert error(k, child, "kill", child.pid, 0) == 0
    assert error(k, child, "kill", sh.pid, 18) == 0  # SIGCONT within the session
    assert error(k, child, "kill", 2, 18) == 0
    assert error(k, child, "kill", -1, 0) == 0  # what is not permitted is not counted as an error
    stage.check(k)


def test_a_group_is_reached_if_one_member_is(k, sh):
    lead = fork(k, sh)
    k.call(lead, "setpgid", 0, 0)
    mine = fork(k, lead)
    for name in ("uid", "suid", "euid"):
        setattr(mine.cred, name, 1000)
    mine.cred.cap_effective = 0
    assert error(k, mine, "kill", -lead.pid, 0) == 0
    k.call(mine, "setpgid", 0, 0)
    assert error(k, mine, "kill", -lead.pid, 0) == EPERM


# --- queues ------------------------------------------------------------------------------------


def test_a_standard_signal_is_queued_once_and_a_real_time_one_each_time(k, sh):
    child = fork(k, sh)
    child.blocked = (1 << 64) - 1 & ~(1 << 8)
    for sig in (10, 34, 10, 34, 12, 34):
        k.call(sh, "kill", child.pid, sig)
    pending = child.signal.shared_pending
    assert queued(pending) == [10, 34, 34, 12, 34]
    assert pending.signal == 1 << 9 | 1 << 11 | 1 << 33
    assert k.slabs()["sigqueue"] == 5
    assert not child.thread_info.flags & 4  # blocked: nothing to do
    taken = [signal.dequeue_signal(k.machine, child, 0) for _ in range(6)]
    assert taken == [10, 12, 34, 34, 34, 0]
    assert (queued(pending), pending.signal, k.slabs()["sigqueue"]) == ([], 0, 0)


def test_a_threads_own_signals_are_taken_before_the_process_s(k, sh):
    child = fork(k, sh)
    child.blocked = (1 << 64) - 1
    signal.send_sig(k.machine, 12, child, False)
    k.call(sh, "kill", child.pid, 10)
    assert (queued(child.pending), queued(child.signal.shared_pending)) == ([12], [10])
    assert [signal.dequeue_signal(k.machine, child, 0) for _ in range(3)] == [12, 10, 0]
    assert signal.dequeue_signal(k.machine, child, 0) == 0


def test_what_is_queued_goes_with_the_task(k, sh):
    child = fork(k, sh)
    child.blocked = (1 << 64) - 1 & ~(1 << 8)
    for sig in (34, 35, 36):
        k.call(sh, "kill", child.pid, sig)
    signal.send_sig(k.machine, 37, child, True)
    assert k.slabs()["sigqueue"] == 4
    k.call(sh, "kill", child.pid, 9)
    assert k.call(sh, "waitpid", -1, 0) == (4, 9)
    assert k.slabs()["sigqueue"] == 0


def test_a_child_has_nothing_pending_and_the_same_signals_blocked(k, sh):
    sh.blocked = 1 << 9
    k.call(k.init, "kill", sh.pid, 10)
    child = fork(k, sh)
    assert sh.signal.shared_pending.signal == 1 << 9
    assert (child.signal.shared_pending.signal, child.pending.signal, child.blocked) == (
        0,
        0,
        1 << 9,
    )


# --- waking ------------------------------------------------------------------------------------


def test_a_sleeper_is_woken_by_what_it_does_not_block(k, sh):
    child = fork(k, sh)
    k.call(child, "pipe")
    child.blocked = 1 << 9
    assert k.call(child, "read", 3, 1) is ks.PENDING
    k.call(sh, "kill", child.pid, 10)
    assert (child.state, k.result(child)) == (1, ks.PENDING)
    k.call(sh, "kill", child.pid, 15)
    assert child.exit_state == 0x20


def test_a_killed_process_takes_its_threads_along_and_keeps_the_signal_as_status(k, sh):
    leader = fork(k, sh)
    number = leader.pid
    thread = stage.clone(k, leader, stage.PTHREAD)
    k.call(thread, "pipe")
    assert k.call(thread, "read", 3, 1) is ks.PENDING
    k.call(sh, "kill", number, 15)
    assert k.call(sh, "waitpid", -1, 0) == (number, 15)
    stage.check(k)


def test_the_number_of_a_thread_means_its_process(k, sh):
    leader = fork(k, sh)
    number = leader.pid
    thread = stage.clone(k, leader, stage.PTHREAD)
    k.call(sh, "kill", thread.pid, 9)
    assert k.call(sh, "waitpid", -1, 0) == (number, 9)


# --- handlers ----------------------------------------------------------------------------------


def test_a_handler_at_an_address_without_code_is_a_segmentation_fault(k, sh):
    child = fork(k, sh)
    handle(k, child, 10, 0x1234)
    k.call(sh, "kill", child.pid, 10)
    assert k.call(sh, "waitpid", -1, 0) == (4, 11)


def test_a_handler_runs_with_its_signal_blocked_and_ends_a_pause(k, sh):
    m, seen = k.machine, []

    async def handler(m, sig):
        seen.append((sig, m.current.pid, m.current.blocked))

    m.user_text[0x6000] = handler
    child = fork(k, sh)
    handle(k, child, 10, 0x6000)
    child.sighand.action[9].sa_mask = 1 << 11
    child.blocked = 1 << 20
    assert k.call(child, "pause") is ks.PENDING
    k.call(sh, "kill", child.pid, 10)
    assert seen == [(10, child.pid, 1 << 9 | 1 << 11 | 1 << 20)]
    assert child.blocked == 1 << 20
    assert k.result(child) is None
    handle(k, child, 12, 0x6000, 0x40000000 | 0x80000000)  # SA_NODEFER | SA_RESETHAND
    k.call(child, "kill", child.pid, 12)
    assert seen[1] == (12, child.pid, 1 << 20)
    assert child.sighand.action[11].sa_handler == DEFAULT
    k.call(sh, "kill", child.pid, 12)
    assert child.exit_state == 0x20


@pytest.mark.parametrize("flags", [0, 0x10000000])
def test_a_wait_that_a_handler_cuts_short_is_restarted_if_it_is_so_wished(k, sh, flags):
    async def handler(m, sig):
        pass

    k.machine.user_text[0x6000] = handler
    parent = fork(k, sh)
    handle(k, parent, 10, 0x6000, flags)
    child = fork(k, parent)
    number = child.pid
    assert k.call(parent, "waitpid", -1, 0) is ks.PENDING
    k.call(sh, "kill", parent.pid, 10)
    if flags:
        assert k.result(parent) is ks.PENDING
        k.call(child, "exit_group", 1)
        assert k.result(parent) == (number, 0x100)
    else:
        with pytest.raises(InterruptedError):
            k.result(parent)
    stage.check(k)


@pytest.mark.parametrize(
    ("sig", "result"), [(0, EINVAL), (65, EINVAL), (-1, EINVAL), (9, EINVAL), (19, EINVAL), (64, 0)]
)
def test_which_actions_can_be_set(k, sh, sig, result):
    assert error(k, sh, "rt_sigaction", sig, (IGNORE, 0), None, 8) == result
    assert error(k, sh, "rt_sigaction", sig, None, None, 8) == (0 if sig in (9, 19, 64) else EINVAL)
    assert error(k, sh, "rt_sigaction", 10, (IGNORE, 0), None, 4) == EINVAL
