"""A whole machine checked: every list, tree, number and count against every other.

The kernel keeps each fact in several places: a task is in the list of tasks, among its parent's
children, in the lists of its pids, in the run queue.  `validate_machine` reads them all and
compares.  It reads only, so that it takes a machine as it was at an earlier time as well.
"""

from __future__ import annotations

from typing import Any

from kernelsim.debug import stack_locals
from kernelsim.debug.census import Census, validate_counts, validate_slabs
from kernelsim.include.linux import fs, hlist, kthread, rbtree, sched
from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.wait import wait_queue_entry
from kernelsim.kernel import pid as kernel_pid
from kernelsim.lib import idr
from kernelsim.machine.ref import ValidationError, container_of

__all__ = ["validate_machine"]


def validate_machine(k: Any) -> None:
    """Check the machine of `k` (a Kernel, a `k.at(t)` or a Machine), which must be at rest.

    At rest means between two calls of the facade: nobody is in the middle of something, but for
    those that sleep.  Raises ValidationError (an AssertionError) with the addresses that disagree.
    """
    m = getattr(k, "machine", k)
    census = Census(m)
    _task_lists(m, census.tasks)
    _family(census.tasks)
    for task in census.tasks:
        _task(task, census.vforks[task.address_] + len(stack_locals.stoppers(task)))
    _pids(m, census)
    _runqueue(m, census.tasks)
    _wait_queues(census)
    validate_counts(census)
    validate_slabs(census)


def _check(true: bool, text: str) -> None:
    if not true:
        raise ValidationError(text)


# --- tasks ---------------------------------------------------------------------------------


def _task_lists(m: Any, tasks: list[Any]) -> None:
    # The list of processes, and of each the two lists of its threads.
    lists.validate_list(m.symbol("init_task").tasks)
    for leader in (t for t in tasks if t == t.group_leader):
        threads = lists.validate_list(leader.signal.thread_head)
        others = lists.validate_list(leader.thread_group)
        _check(
            threads == others + 1,
            f"{leader!r}: {threads} on thread_head, {others} others on thread_group",
        )
        for t in sched_signal.for_each_thread(leader):
            _check(
                t.signal == leader.signal,
                f"{t!r}->signal is {t.signal!r}, its leader's is {leader.signal!r}",
            )
            _check(
                t.group_leader == leader,
                f"{t!r} is a thread of {leader!r} but is led by {t.group_leader!r}",
            )
            _check(
                t.tgid == leader.pid,
                f"{t!r}->tgid is {t.tgid}, but {leader!r}->pid is {leader.pid}",
            )


def _family(tasks: list[Any]) -> None:
    # Every process is the child of just one task, and of the one that it names.
    found: dict[Any, Any] = {}
    for parent in tasks:
        lists.validate_list(parent.children)
        lists.validate_list(parent.ptraced)
        for child in lists.list_for_each_entry(task_struct, parent.children, "sibling"):
            _check(
                child not in found,
                f"{child!r} is a child of {found.get(child)!r} and of {parent!r}",
            )
            _check(
                child.real_parent == parent,
                f"{child!r} among the children of {parent!r} names {child.real_parent!r}",
            )
            found[child] = parent
    processes = {t for t in tasks[1:] if t == t.group_leader}
    _check(
        found.keys() == processes,
        f"processes {processes ^ found.keys()} are not both in the list and somebody's child",
    )
    for t in tasks:
        _check(
            t.parent == t.real_parent or bool(t.ptrace),
            f"{t!r}: parent {t.parent!r}, real_parent {t.real_parent!r}",
        )


def _task(t: Any, waiting: int) -> None:
    # What a task holds fits its state: a live one has a stack, a zombie only its number; so many
    # callers of vfork() and kthread_stop() count it.
    if t.exit_state:
        _check(
            t.exit_state == sched.EXIT_ZOMBIE,
            f"{t!r} is released (exit_state {t.exit_state:#x}) but in the list",
        )
        held = (t.mm, t.active_mm, t.files, t.fs, t.nsproxy, t.stack)
        _check(not any(held), f"{t!r} is a zombie but holds one of {held}")
        _check(
            (t.state, t.rcu_users) == (sched.TASK_DEAD, 1),
            f"{t!r}: state {t.state:#x}, rcu_users {t.rcu_users}",
        )
    else:
        _check(
            t.machine_.read_u64(t.stack) == sched.STACK_END_MAGIC,
            f"{t!r}: the end of its stack {t.stack:#x} is overwritten",
        )
        _check(
            t.thread.sp <= t.stack + sched.THREAD_SIZE,
            f"{t!r}: sp {t.thread.sp:#x} is not in its stack {t.stack:#x}",
        )
        _check(t.rcu_users == 2 or not t.pid, f"{t!r} lives, but its rcu_users is {t.rcu_users}")
    _check(t.usage == 1 + waiting or not t.pid, f"{t!r}->usage is {t.usage}")
    _check(not t.mm or t.active_mm == t.mm, f"{t!r}: mm {t.mm!r}, active_mm {t.active_mm!r}")


# --- pids ----------------------------------------------------------------------------------


def _pids(m: Any, census: Census) -> None:
    # Each task is on the lists of its pids, and nobody else is.
    expected = set()
    for t in census.tasks[1:]:
        expected.add((t.address_, sched.PIDTYPE_PID, t.thread_pid.address_))
        if t == t.group_leader:
            kinds = range(sched.PIDTYPE_TGID, sched.PIDTYPE_MAX)
            expected |= {(t.address_, kind, t.signal.pids[kind].address_) for kind in kinds}
    found, numbered = set(), set()
    for ns in census._all(pid_h.pid_namespace):
        idr_h.validate_idr(m, ns.idr)
        numbered |= {address for address, _ in idr.idr_for_each_entry(m, ns.idr)}
    for pid in [
        m.symbol("init_struct_pid"),
        *(pid_h.pid(m, address) for address in sorted(numbered)),
        *(pid for pid in census._all(pid_h.pid) if pid.address_ not in numbered),
    ]:
        if pid.address_ in numbered:
            kernel_pid.validate_pid(m, pid)
        for kind in range(sched.PIDTYPE_MAX):
            hlist.validate_hlist(pid.tasks[kind])
            users = hlist.hlist_for_each_entry(task_struct, pid.tasks[kind], f"pid_links[{kind}]")
            found |= {(t.address_, kind, pid.address_) for t in users}
    _check(
        expected == found,
        f"(task, kind, pid) either in use or linked, not both: {_hex(expected ^ found)}",
    )
    for t in census.tasks:
        number = t.thread_pid.numbers[0].nr
        _check(t.pid == number, f"{t!r}->pid is {t.pid}, but {t.thread_pid!r} is number {number}")


def _hex(triples: set[tuple[int, int, int]]) -> str:
    return ", ".join(f"({task:#x}, {kind}, {pid:#x})" for task, kind, pid in sorted(triples))


# --- the run queue -------------------------------------------------------------------------


def _runqueue(m: Any, tasks: list[Any]) -> None:
    rq = m.symbol("runqueues")
    cfs = rq.cfs

    def entity(node: Any) -> Any:
        return container_of(node, sched.sched_entity, "run_node")

    def less(a: Any, b: Any) -> bool:
        return (entity(a).vruntime - entity(b).vruntime) & 1 << 63 != 0

    in_tree = rbtree.validate_rbtree(cfs.tasks_timeline, less)
    queued = [t for t in tasks if t != rq.idle and t.on_rq]
    running = [cfs.curr] if cfs.curr else []
    _check(
        in_tree + len(running) == len(queued),
        f"{rq!r}: {in_tree} in the tree, {running}, but {len(queued)} tasks are on_rq",
    )
    for counter in (cfs.nr_running, cfs.h_nr_running, rq.nr_running):
        _check(
            counter == len(queued),
            f"{rq!r}: nr_running {counter}, but {len(queued)} tasks are on_rq",
        )
    weight = sum(t.se.load.weight for t in queued)
    _check(
        cfs.load.weight == weight,
        f"{cfs!r}->load.weight is {cfs.load.weight}, its tasks weigh {weight}",
    )
    _check(rq.curr == m.current, f"{rq!r}->curr is {rq.curr!r}, but {m.current!r} runs")
    for t in tasks:
        _check(
            bool(t.on_cpu) == (t == rq.curr), f"{t!r}->on_cpu is {t.on_cpu}, but {rq.curr!r} runs"
        )
        _check(bool(t.on_rq or t.state), f"{t!r} is TASK_RUNNING, but on no queue")
        _check(
            t == rq.idle or bool(t.se.on_rq) == bool(t.on_rq),
            f"{t!r}: on_rq {t.on_rq}, but se.on_rq {t.se.on_rq}",
        )
    heavy = sum(bool(t.sched_contributes_to_load) and not t.on_rq for t in tasks)
    _check(
        rq.nr_uninterruptible == heavy,
        f"{rq!r}->nr_uninterruptible is {rq.nr_uninterruptible}, but {heavy} tasks count",
    )


# --- waiting -------------------------------------------------------------------------------


def _wait_queues(census: Census) -> None:
    # Who waits is a live task, on its own stack.
    m, live = census.m, {t.address_: t for t in census.tasks if not t.exit_state}
    queues = [t.signal.wait_chldexit for t in census.tasks if t == t.group_leader]
    for address in sorted(census.pipes):
        pipe = fs.pipe_inode_info(m, address)
        queues += [pipe.rd_wait, pipe.wr_wait]
    for t in census.tasks:
        if t.flags & sched.PF_KTHREAD and t.set_child_tid:
            own = kthread.kthread(m, t.set_child_tid)
            queues += [own.parked.wait, own.exited.wait]
    queues += [pid.wait_pidfd for pid in census._all(pid_h.pid)]
    pollers = {pwq.address_: pwq.polling_task.address_ for pwq in census.polls}
    for queue in queues:
        lists.validate_list(queue.head)
        for entry in lists.list_for_each_entry(wait_queue_entry, queue.head, "entry"):
            task = live.get(pollers.get(entry.private, entry.private))
            _check(
                task is not None,
                f"{entry!r} on {queue!r} belongs to {entry.private:#x}, which is no live task",
            )
            assert task is not None
            inside = task.thread.sp <= entry.address_ < task.stack + sched.THREAD_SIZE
            inside = inside or entry.private in pollers  # in a page that its poll_wqueues leads to
            _check(inside, f"{entry!r} on {queue!r} is not on the stack of {task!r}")
