"""Namespaces of numbers: nested to the limit, seen from outside, and the death of their init."""

import errno

import pytest

import kernelsim as ks
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel import pid_namespace, signal
from tests.kernel import stage

NEWPID = 0x20000000
ADDING = 1 << 31


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


# A child of `task` that is the init of a namespace of its own.
def container(k, task):
    k.call(task, "clone", NEWPID | 17)
    return k.tasks()[-1]


def fork(k, task):
    k.call(task, "fork")
    return k.tasks()[-1]


def ns_of(task):
    return kernel_pid.task_active_pid_ns(task)


# --- nesting -----------------------------------------------------------------------------------


def test_32_levels_nest_and_the_33rd_is_refused(k, sh):
    task, before = sh, stage.ground(k)["objects"]
    for level in range(1, 33):
        task = container(k, task)
        pid = task.thread_pid
        assert pid.level == level == ns_of(task).level
        numbers = [pid.numbers[i].nr for i in range(level + 1)]
        assert numbers == [3 + level, *range(level, 0, -1)]
        assert (k.call(task, "getpid"), k.call(task, "getppid")) == (1, 0)
        assert ns_of(task).parent == pid.numbers[level - 1].ns
        assert ns_of(task).pid_cachep.object_size == 112 + 16 * level
    ground = stage.ground(k)
    with pytest.raises(OSError, match="No space left") as refused:
        k.call(task, "clone", NEWPID | 17)
    assert refused.value.errno == errno.ENOSPC
    assert stage.ground(k) == ground
    stage.check(k)
    assert k.call(task, "fork") == 2  # in its own namespace all is well
    first = k.task(4)
    k.call(k.init, "kill", first.pid, 9)
    assert k.call(sh, "waitpid", -1, 0) == (4, 9)
    stage.check(k)
    after = stage.ground(k)["objects"]
    assert {name: after[name] for name in before if name != "kmem_cache"} == {
        name: count for name, count in before.items() if name != "kmem_cache"
    }
    assert after["kmem_cache"] == before["kmem_cache"] + 32  # the caches stay: pid_2 … pid_33


def test_each_depth_has_one_cache_made_at_first_use(k, sh):
    first, second = container(k, sh), container(k, sh)
    assert ns_of(first) != ns_of(second)
    assert ns_of(first).pid_cachep == ns_of(second).pid_cachep
    assert k.slabs()["pid_2"] == 2
    assert ns_of(first).ns.inum != ns_of(second).ns.inum
    assert ns_of(first).ns.inum >= 0xF0000000  # PROC_DYNAMIC_FIRST


# --- who sees whom -----------------------------------------------------------------------------


def test_a_process_is_seen_from_above_and_not_from_below_or_beside(k, sh):
    left, right = container(k, sh), container(k, sh)
    inside = fork(k, left)
    assert (k.call(inside, "getpid"), k.call(inside, "getppid")) == (2, 1)
    for asker, number in ((inside, sh.pid), (right, 2), (inside, inside.pid)):
        with pytest.raises(ProcessLookupError):
            k.call(asker, "kill", number, 0)
    assert k.call(sh, "kill", inside.pid, 0) is None
    assert k.call(inside, "kill", 2, 0) is None
    assert (
        k.call(left, "getpgid", 2) == k.call(left, "getsid", 0) == 0
    )  # of outside: no number here
    k.call(left, "setsid")
    assert k.call(left, "getsid", 0) == 1
    assert k.call(sh, "getsid", left.pid) == left.pid
    stage.check(k)


def test_clone_returns_the_number_that_the_caller_counts_with(k, sh):
    outer = container(k, sh)
    assert k.call(outer, "clone", NEWPID | 17) == 2
    inner = k.tasks()[-1]
    assert k.call(inner, "fork") == 2
    deepest = k.tasks()[-1]
    assert [deepest.thread_pid.numbers[i].nr for i in range(3)] == [6, 3, 2]
    assert deepest.pid == deepest.tgid == 6


def test_a_signal_from_outside_comes_from_number_0(k, sh):
    init = container(k, sh)
    child = fork(k, init)
    seen = []

    async def send():
        child.blocked = 1 << 9
        signal.kill_something_info(k.machine, 10, signal.SEND_SIG_NOINFO, child.pid)
        entry = child.signal.shared_pending.list.next
        seen.append(ks.container_of(entry, sched_signal.sigqueue, "list").si_pid)

    stage.inside(k, sh, send())
    assert seen == [0]


# --- the init of a namespace -------------------------------------------------------------------


def test_signals_from_inside_do_not_reach_the_init_unless_it_has_a_handler(k, sh):
    init = container(k, sh)
    child = fork(k, init)
    for sig in (9, 15, 19, 1):
        assert k.call(child, "kill", 1, sig) is None  # it works, and nothing happens
        assert k.call(init, "kill", 1, sig) is None
    assert (init.exit_state, init.pending.signal, init.signal.shared_pending.signal) == (0, 0, 0)


def test_from_outside_sigkill_reaches_it_and_sigterm_does_not(k, sh):
    init = container(k, sh)
    k.call(sh, "kill", init.pid, 15)
    assert init.exit_state == 0
    number = init.pid
    k.call(sh, "kill", number, 9)
    assert k.call(sh, "waitpid", number, 0) == (number, 9)


def test_the_global_init_is_not_killed_even_by_sigkill(k, sh):
    for sig in (9, 15, 11, 19):
        assert k.call(sh, "kill", 1, sig) is None
    assert k.init.exit_state == 0
    assert k.panic is None


def test_the_death_of_the_init_kills_everybody_in_the_namespace_and_below(k, sh):
    stage.end(k, sh, k.call(sh, "clone", NEWPID | 17))
    before = stage.ground(k)
    init = container(k, sh)
    ns, number = ns_of(init), init.pid
    children = [fork(k, init) for _ in range(3)]
    zombie = children[0]
    k.call(zombie, "exit_group", 5)
    nested = container(k, children[1])
    below = fork(k, nested)
    k.call(below, "setsid")
    k.call(children[2], "pipe")
    assert k.call(children[2], "read", 3, 1) is ks.PENDING
    assert ns.pid_allocated == ADDING + 6
    k.call(init, "exit_group", 3)
    assert [t.pid for t in k.tasks()] == [1, 2, sh.pid, number]
    assert (init.exit_state, ns.pid_allocated) == (0x20, 1)
    assert k.call(sh, "waitpid", -1, 0) == (number, 0x300)
    after = stage.ground(k)
    del after["objects"]["pid_3"]
    after["objects"]["kmem_cache"] -= 1
    assert after == before
    with pytest.raises(ks.Fault, match="use after free"):
        _ = ns.kref
    stage.check(k)


def test_an_init_that_is_killed_waits_for_its_children_before_it_is_a_zombie(k, sh):
    init = container(k, sh)
    number = init.pid
    fork(k, init)
    begin = k.now
    k.call(sh, "kill", number, 9)
    events = [e for e in k.events(begin) if e.kind == "event"]
    exits = [e.fields["pid"] for e in events if e.name == "sched_process_exit"]
    assert exits == [number, number + 1]
    assert "disable_pid_allocation" in {e.name for e in k.events(begin)}
    assert k.call(sh, "waitpid", number, 0) == (number, 9)


def test_nobody_is_born_in_a_namespace_without_init(k, sh):
    init = container(k, sh)
    other = fork(k, sh)
    other_ns = other.nsproxy
    other.nsproxy = init.nsproxy  # as setns() leaves it: its children are born there
    k.call(other, "fork")
    child = k.tasks()[-1]
    assert (k.call(child, "getpid"), k.call(child, "getppid")) == (2, 0)
    init.nsproxy.count += 1
    number, dead = init.pid, child.pid
    k.call(init, "exit_group", 0)
    assert (child.exit_state, init.exit_state) == (0x20, 0)  # its parent outside must reap it first
    assert k.call(other, "waitpid", -1, 0) == (dead, 9)
    assert k.call(sh, "waitpid", number, 0) == (number, 0)
    before = stage.ground(k)
    with pytest.raises(OSError, match="memory") as refused:
        k.call(other, "fork")
    assert refused.value.errno == errno.ENOMEM
    assert stage.ground(k) == before
    kernel_proxy = other.nsproxy
    other.nsproxy = other_ns
    assert k.call(other, "fork")
    assert kernel_proxy.count == 1


def test_a_first_process_that_is_never_born_leaves_the_namespace_closed(k, sh):
    m = k.machine
    ns = pid_namespace.create_pid_namespace(m, sh.cred.user_ns, m.symbol("init_pid_ns"))
    pid = kernel_pid.alloc_pid(m, ns)
    assert (pid.numbers[1].nr, ns.pid_allocated) == (1, ADDING + 1)
    kernel_pid.free_pid(m, pid)
    assert ns.pid_allocated == 0
    assert kernel_pid.alloc_pid(m, ns) == -errno.ENOMEM


def test_a_failed_first_number_is_tried_again_as_1(k, sh):
    m = k.machine
    outer = m.symbol("init_pid_ns")
    ns = pid_namespace.create_pid_namespace(m, sh.cred.user_ns, outer)
    m.add("pid_max", 301 - 32768)
    outer.idr.idr_next = 300
    held = kernel_pid.alloc_pid(m, outer)
    assert held.numbers[0].nr == 300
    assert kernel_pid.alloc_pid(m, ns) == -errno.EAGAIN  # 1 was there, but none at level 0
    assert (ns.idr.idr_next, ns.pid_allocated) == (0, ADDING)
    kernel_pid.free_pid(m, held)
    assert kernel_pid.alloc_pid(m, ns).numbers[1].nr == 1


def test_children_of_a_reaped_namespace_keep_its_parent_alive_until_they_are_gone(k, sh):
    outer = container(k, sh)
    inner = container(k, outer)
    outer_ns, inner_ns = ns_of(outer), ns_of(inner)
    assert outer_ns.kref == 3  # its nsproxy, its init's pid, the namespace below
    number = outer.pid
    k.call(outer, "exit_group", 0)
    for ns in (inner_ns,):
        with pytest.raises(ks.Fault):
            _ = ns.kref
    assert outer_ns.kref == 1  # the zombie's struct pid
    k.call(sh, "waitpid", number, 0)
    with pytest.raises(ks.Fault, match="put_pid_ns"):
        _ = outer_ns.kref
