"""Pidfds and poll: what they hold, what they refuse, and that nothing is left behind.

What programs see is compared with real Linux by the programs in user/programs/pidfds and polling.
"""

import errno

import pytest

import kernelsim as ks
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.uapi.linux import sched, wait
from kernelsim.include.uapi.linux.resource import RLIMIT_NOFILE
from tests.kernel import stage
from tests.kernel.test_failing_allocations import failing

POLLIN = 1


@pytest.fixture
def family():
    k, sh = stage.booted()
    return k, sh, k.task(k.call(sh, "fork"))


def test_a_pidfd_keeps_the_struct_pid_of_who_was_reaped(family):
    k, sh, child = family
    before, number = stage.ground(k)["objects"], child.pid
    pid = child.thread_pid
    fd = k.call(sh, "pidfd_open", number)
    held = pid.count
    stage.end(k, sh, number)
    stage.check(k)
    assert (held, pid.count) == (2, 1)
    assert pid_h.pid_nr(pid) == number
    with pytest.raises(OSError, match="No such process"):
        k.call(sh, "pidfd_send_signal", fd, 0)
    again = k.task(k.call(sh, "fork"))
    assert again.thread_pid != pid
    k.call(sh, "close", fd)
    stage.end(k, sh, again.pid)
    stage.check(k)
    after = stage.ground(k)["objects"]
    assert after["pid"] == before["pid"] - 1


def test_a_poll_of_a_pidfd_ends_with_the_whole_process(family):
    k, sh, child = family
    number = child.pid
    thread = k.task(k.call(child, "clone", stage.PTHREAD))
    fd = k.call(sh, "pidfd_open", child.pid)
    assert k.call(sh, "poll", [(fd, POLLIN)], None) is ks.PENDING
    stage.check(k)
    k.call(child, 60, 0)  # exit(2) of the leader alone
    assert k.result(sh) is ks.PENDING
    k.call(thread, 60, 0)
    assert k.result(sh) == [(fd, POLLIN)]
    assert k.call(sh, "waitid", wait.P_PIDFD, fd, wait.WEXITED)[0] == number
    stage.check(k)


def test_a_clone_with_a_pidfd_fails_at_each_allocation_and_leaves_nothing_behind():
    k, sh = stage.booted()
    tried = list(failing(k, lambda: k.call(sh, "clone_pidfd", 17)))
    errors = [error for _, error, _ in tried]
    assert errors[-1] is None
    assert set(errors[:-1]) == {errno.ENOMEM}
    child, fd = tried[-1][2]
    assert k.machine.read_u64(sh.files.fdt.close_on_exec) >> fd & 1
    stage.end(k, sh, child)
    k.call(sh, "close", fd)
    stage.check(k)


def test_a_clone_without_a_free_descriptor_makes_no_child():
    k, sh = stage.booted()
    k.call(sh, "setrlimit", RLIMIT_NOFILE, (3, 3))
    before = stage.ground(k)
    with pytest.raises(OSError, match="Too many open files"):
        k.call(sh, "clone_pidfd", 17)
    assert stage.ground(k) == before
    stage.check(k)


@pytest.mark.parametrize("flag", [sched.CLONE_THREAD, sched.CLONE_DETACHED])
def test_neither_a_thread_nor_a_detached_child_has_a_pidfd(flag):
    k, sh = stage.booted()
    more = stage.PTHREAD & ~17 if flag == sched.CLONE_THREAD else flag | 17
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(sh, "clone_pidfd", more)


def test_a_pidfd_leads_into_the_namespaces_of_its_process(family):
    k, sh, child = family
    k.call(child, "unshare", sched.CLONE_NEWUTS | sched.CLONE_NEWIPC)
    k.call(child, "sethostname", "box")
    fd = k.call(sh, "pidfd_open", child.pid)
    k.call(sh, "setns", fd, sched.CLONE_NEWUTS | sched.CLONE_NEWIPC)
    assert k.call(sh, "gethostname") == "box"
    assert sh.nsproxy.ipc_ns == child.nsproxy.ipc_ns
    for wrong in (0, sched.CLONE_VM, sched.CLONE_NEWUTS | sched.CLONE_FS):
        with pytest.raises(OSError, match="Invalid argument"):
            k.call(sh, "setns", fd, wrong)
    stage.end(k, sh, child.pid)
    with pytest.raises(OSError, match="No such process"):
        k.call(sh, "setns", fd, sched.CLONE_NEWUTS)
    stage.check(k)


def test_each_allocation_of_a_poll_may_fail(family):
    k, sh, _child = family
    r, _w = k.call(sh, "pipe")
    errors = [error for _, error, _ in failing(k, lambda: k.call(sh, "poll", [(r, 1)] * 80, 0))]
    assert errors[-1] is None
    assert set(errors[:-1]) <= {errno.ENOMEM}
    k.call(sh, "setrlimit", RLIMIT_NOFILE, (5, 5))
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(sh, "poll", [(r, 1)] * 6, 0)


def test_who_is_killed_in_a_poll_gives_back_its_waiters(family):
    k, sh, child = family
    r, _w = k.call(child, "pipe")
    assert k.call(child, "poll", [(r, 1)] * 100, None) is ks.PENDING
    stage.check(k)
    number = child.pid
    k.call(sh, "kill", number, 9)
    assert k.call(sh, "waitpid", number, 0) == (number, 9)
    stage.check(k)
