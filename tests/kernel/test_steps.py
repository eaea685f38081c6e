"""The order of the steps of fork, exit and release, held against the fact sheet's lists (§5.4, §7)."""

import pytest

import kernelsim as ks

# kernel/fork.c:copy_process() and what kernel_clone() does after it, as far as it is built.
FORK = (
    *("dup_task_struct", "copy_creds", "sched_fork", "copy_files", "copy_fs", "copy_sighand"),
    *("copy_signal", "copy_mm", "copy_namespaces", "copy_thread", "alloc_pid", "attach_pid"),
    *("sched_post_fork", "get_task_pid", "wake_up_new_task", "put_pid"),
)
# kernel/exit.c:do_exit()
EXIT = (
    *("exit_signals", "exit_mm", "exit_files", "exit_fs", "exit_task_namespaces", "exit_thread"),
    *("exit_notify", "do_task_dead"),
)
# kernel/exit.c:release_task()
RELEASE = ("__exit_signal", "put_pid", "put_task_struct_rcu_user")
UNHASH = ("__unhash_process", "flush_sigqueue", "__cleanup_sighand")


@pytest.fixture(scope="module")
def life():
    k = ks.boot()
    bash = k.spawn("bash")
    begin = k.now
    child = k.call(bash, "fork")
    k.call(k.task(child), "exit", 3)
    assert k.call(bash, "waitpid", child, 0) == (child, 0x300)
    return k.events(begin)


# The functions that `function` calls itself, in order, without repetition.
def steps(events, function):
    depth, inside, names, pid = 0, False, [], None
    for event in events:
        if event.kind == "event" or (inside and event.pid != pid):
            continue
        if event.kind == "enter":
            if inside and depth == 0 and event.name not in names:
                names.append(event.name)
            if inside:
                depth += 1
            elif event.name == function:
                inside, pid = True, event.pid
        elif inside:
            if depth == 0:
                break
            depth -= 1
    return names


def in_order(names, expected):
    return [name for name in names if name in expected]


def test_copy_process_takes_its_steps_in_the_kernels_order(life):
    names = steps(life, "copy_process") + steps(life, "kernel_clone")
    assert in_order(names, FORK) == list(FORK)


def test_do_exit_takes_its_steps_in_the_kernels_order(life):
    assert in_order(steps(life, "do_exit"), EXIT) == list(EXIT)


def test_release_task_takes_its_steps_in_the_kernels_order(life):
    assert in_order(steps(life, "release_task"), RELEASE) == list(RELEASE)
    assert in_order(steps(life, "__exit_signal"), UNHASH) == list(UNHASH)


def test_a_forked_process_has_the_fact_sheets_fields():
    k = ks.boot()
    bash = k.spawn("bash")
    cursor = k.machine.symbol("init_pid_ns").idr.idr_next
    child = k.task(k.call(bash, "fork"))
    assert (child.pid, child.tgid, child.exit_signal) == (cursor, cursor, 17)
    assert k.machine.symbol("init_pid_ns").idr.idr_next == cursor + 1
    assert child.real_parent == child.parent == bash
    assert child.group_leader == child
    assert child.flags & 0x40  # PF_FORKNOEXEC
    assert (child.usage, child.rcu_users, child.stack_refcount) == (1, 2, 1)
    pid = child.thread_pid
    assert pid.count == 1
    assert pid.tasks[0].first
    assert pid.tasks[1].first
    assert not pid.tasks[2].first
    assert not pid.tasks[3].first
    signal = child.signal
    assert (signal.nr_threads, signal.live, signal.sigcnt) == (1, 1, 1)
    assert k.machine.read_u64(child.stack) == 0x57AC6E9D
    assert child.state == 0
    assert child.on_rq == 1


def test_after_boot_the_machine_is_as_the_fact_sheet_says():
    k = ks.boot()
    m = k.machine
    swapper, ns = m.symbol("init_task"), m.symbol("init_pid_ns")
    assert [t.pid for t in k.tasks()] == [1, 2]
    assert ns.idr.idr_next == 3
    assert ns.pid_allocated == (1 << 31) + 2
    assert m.add("nr_threads", 0) == 2
    assert ns.child_reaper == k.task(1)
    assert swapper.comm.string_() == b"swapper/0"
    assert k.task(1).real_parent == k.task(2).real_parent == swapper
    assert (k.task(1).exit_signal, k.task(2).exit_signal) == (17, 0)  # by exec, and by clone
    assert k.task(2).flags == 0x208040
    assert not k.task(1).flags & 0x200000  # execve made it a user process
    node = ns.idr.idr_rt.xa_head & ~3
    assert m.read(node + 2, 1) == b"\2"  # one leaf with two numbers in it
