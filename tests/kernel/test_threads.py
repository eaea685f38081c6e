"""Threads, which no system call makes yet: what they share, and how they and their leader die."""

import pytest

import kernelsim as ks
from kernelsim.kernel import exit as kernel_exit
from tests.kernel import stage


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def test_a_thread_shares_what_a_process_shares_with_nobody(k, sh):
    k.call(sh, "pipe")
    ns = k.machine.symbol("init_pid_ns")
    before = shared_counts(sh)
    ns.idr.idr_next = 103
    thread = stage.clone(k, sh, stage.PTHREAD, exit_signal=0)
    assert (thread.pid, thread.tgid, thread.exit_signal) == (103, sh.pid, -1)
    assert (thread.real_parent, thread.parent) == (k.init, k.init)  # the leader's parent
    assert thread.group_leader == sh
    assert shared_counts(sh) == {name: count + 1 for name, count in before.items()}
    for shared in ("mm", "fs", "files", "sighand", "signal", "cred", "nsproxy"):
        assert getattr(thread, shared) == getattr(sh, shared), shared
    assert [stage.members(thread.thread_pid, kind) for kind in range(4)] == [[103], [], [], []]
    assert (sh.thread_group.next, thread.thread_group.next) == (
        thread.thread_group,
        sh.thread_group,
    )
    assert thread not in k.tasks()  # for_each_process(): leaders only
    assert (k.call(thread, "getpid"), k.call(thread, "gettid")) == (sh.pid, 103)
    assert k.call(thread, "getppid") == 1
    stage.check(k)


def shared_counts(t):
    sig = t.signal
    counts = t.mm.mm_users, t.fs.users, t.files.count, t.sighand.count
    return dict(enumerate((*counts, sig.nr_threads, sig.live, sig.sigcnt)))


def test_a_dead_leader_waits_for_its_last_thread(k, sh):
    leader = k.task(k.call(sh, "fork"))
    thread = stage.clone(k, leader, stage.PTHREAD)
    number = leader.pid
    stage.inside(k, leader, kernel_exit.do_exit(k.machine, 3 << 8))
    assert (leader.exit_state, thread.exit_state) == (0x20, 0)
    assert k.call(sh, "waitpid", number, 1) == (0, 0)  # WNOHANG: not yet
    assert k.call(sh, "waitpid", number, 0) is ks.PENDING
    stage.inside(k, thread, kernel_exit.do_exit(k.machine, 0))
    assert k.result(sh) == (number, 3 << 8)
    assert k.task(sh.pid)
    with pytest.raises(ks.Fault, match="use after free"):
        _ = thread.pid
    stage.check(k)


def test_exit_group_takes_all_threads_along(k, sh):
    before = stage.ground(k)
    leader = k.task(k.call(sh, "fork"))
    threads = [stage.clone(k, leader, stage.PTHREAD) for _ in range(3)]
    assert leader.signal.nr_threads == 4
    number = leader.pid
    k.call(threads[1], "exit_group", 7)
    assert k.call(sh, "waitpid", -1, 0) == (number, 7 << 8)
    assert {**stage.ground(k), "objects": 0} == {**before, "objects": 0}
    stage.check(k)
