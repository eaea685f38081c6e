"""kernel/sched/core.c @ v5.10.188: choosing who runs, switching, waking.

`await schedule(m)` is the only thing in the whole kernel that suspends a task.
Left out: other CPUs, run queue locks, the real-time and deadline classes' queues, load average.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.kernel import process
from kernelsim.include.linux import _words as w
from kernelsim.include.linux import sched as uapi
from kernelsim.include.linux import slab, uaccess
from kernelsim.include.linux.mm_types import mm_struct
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import resource
from kernelsim.include.uapi.linux import sched as policies
from kernelsim.include.uapi.linux.capability import CAP_SYS_NICE
from kernelsim.kernel import capability, fork
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel.sched import fair, sched
from kernelsim.kernel.time import timekeeping
from kernelsim.machine import cpu, machine
from kernelsim.machine.memory import put
from kernelsim.mm import page_alloc

if TYPE_CHECKING:
    from kernelsim.include.linux.sched.task import kernel_clone_args
    from kernelsim.machine.machine import Machine

__all__ = [
    "activate_task",
    "can_nice",
    "check_preempt_curr",
    "context_switch",
    "deactivate_task",
    "do_task_dead",
    "finish_task_switch",
    "init_idle",
    "pick_next_task",
    "preempt_schedule",
    "sched_fork",
    "sched_init",
    "sched_post_fork",
    "schedule",
    "schedule_tail",
    "scheduler_tick",
    "set_load_weight",
    "set_user_nice",
    "task_nice",
    "task_sched_runtime",
    "try_to_wake_up",
    "ttwu_do_activate",
    "ttwu_do_wakeup",
    "wake_up_new_task",
    "wake_up_process",
    "wake_up_q",
    "wake_up_state",
]

_THREAD_FLAGS = task_struct.offsetof_("thread_info.flags") >> 3
NSEC_PER_TICK = 4_000_000  # HZ = 250
MIN_NICE, MAX_NICE = -20, 19
RR_TIMESLICE = 25  # 100 ms in ticks

# Stores of several members at once, for what happens at every fork, switch or wait.
_set_off_queue = task_struct.store_(
    *("on_rq", "se.on_rq", "se.exec_start", "se.sum_exec_runtime", "se.prev_sum_exec_runtime"),
    *("se.nr_migrations", "se.vruntime", "se.group_node.next", "se.group_node.prev"),
)
_set_no_class = task_struct.store_(
    *("dl.rb_node.__rb_parent_color", "rt.run_list.next", "rt.run_list.prev"),
    *("rt.timeout", "rt.time_slice", "rt.on_rq", "rt.on_list"),
)
_set_state_prio = task_struct.store_("state", "prio")
_set_class = task_struct.store_(
    *("sched_class", "sched_info.pcount", "sched_info.run_delay"),
    *("sched_info.last_arrival", "sched_info.last_queued", "on_cpu"),
)
_set_running = task_struct.store_("state", "recent_used_cpu", "wake_cpu")
_GROUP_NODE, _DL_NODE, _RUN_LIST = (
    task_struct.offsetof_(path) for path in ("se.group_node", "dl.rb_node", "rt.run_list")
)
_CURR, _PREV_MM, _SWITCHES = (
    sched.rq.offsetof_(name) >> 3 for name in ("curr", "prev_mm", "nr_switches")
)


def sched_init(m: Machine) -> None:
    """Set up the run queue and make the boot task its idle task."""
    for name in ("idle_sched_class", "fair_sched_class"):
        m.define(name, sched.sched_class)
    cls = m.symbol("fair_sched_class")
    for member, function in (
        ("enqueue_task", "enqueue_task_fair"),
        ("dequeue_task", "dequeue_task_fair"),
        ("check_preempt_curr", "check_preempt_wakeup"),
        ("pick_next_task", "pick_next_task_fair"),
        ("put_prev_task", "put_prev_task_fair"),
        ("set_next_task", "set_next_task_fair"),
        ("task_fork", "task_fork_fair"),
    ):
        setattr(cls, member, machine.text_address(function))
    m.static.fair = cls.address_
    per_cpu = page_alloc.alloc_pages(m, slab.GFP_KERNEL, 0)  # pcpu_alloc: this CPU's copy
    rq = m.static.runqueue = m.place("runqueues", sched.rq, per_cpu)
    fair.init_cfs_rq(rq.cfs)
    set_load_weight(m.symbol("init_task"))
    init_idle(m, m.symbol("init_task"), 0)


def init_idle(m: Machine, idle: task_struct, cpu_number: int) -> None:
    """Make `idle` the idle task of CPU `cpu_number` (int)."""
    rq = sched.this_rq(m)
    idle.state = uapi.TASK_RUNNING
    idle.se.exec_start = timekeeping.ktime_get_ns(m)
    idle.flags |= uapi.PF_IDLE
    rq.idle = idle
    rq.curr = idle
    idle.on_rq = uapi.TASK_ON_RQ_QUEUED
    idle.on_cpu = 1
    idle.sched_class = m.symbol("idle_sched_class")
    idle.comm = f"swapper/{cpu_number}"


def set_load_weight(p: task_struct) -> None:
    """Set the weight of `p` from its static priority."""
    load, prio = p.se.load, p.static_prio - 100
    if not p.state & uapi.TASK_NEW and p.sched_class.address_ == p.machine_.static.fair:
        fair.reweight_task(p.machine_, p, prio)
        return
    load.weight = sched.sched_prio_to_weight[prio] << 10
    load.inv_weight = sched.sched_prio_to_wmult[prio]


# --- a new task ----------------------------------------------------------------------------


def __sched_fork(p: task_struct) -> None:
    # Everything of the scheduler's that the copy must not share with the parent
    a = p.address_
    group_node, dl_node, run_list = a + _GROUP_NODE, a + _DL_NODE, a + _RUN_LIST
    _set_off_queue(p, 0, 0, 0, 0, 0, 0, 0, group_node, group_node)
    _set_no_class(p, dl_node, run_list, run_list, 0, RR_TIMESLICE, 0, 0)


def sched_fork(m: Machine, clone_flags: int, p: task_struct) -> int:
    """Make `p` a new task of the scheduler's: TASK_NEW, so that nothing can wake it yet.

    Returns 0, or -EAGAIN for a deadline task.
    """
    __sched_fork(p)
    prio = m.current.normal_prio
    _set_state_prio(p, uapi.TASK_NEW, prio)
    if p.sched_reset_on_fork:
        if p.policy in (policies.SCHED_FIFO, policies.SCHED_RR, policies.SCHED_DEADLINE):
            p.policy, p.static_prio, p.rt_priority = policies.SCHED_NORMAL, 120, 0
        elif p.static_prio < 120:
            p.static_prio = 120
        p.prio = p.normal_prio = prio = p.static_prio
        set_load_weight(p)
        p.sched_reset_on_fork = 0
    if prio < 0:
        return -errno.EAGAIN
    _set_class(p, m.static.fair, 0, 0, 0, 0, 0)
    return 0


def sched_post_fork(m: Machine, p: task_struct, kargs: kernel_clone_args) -> None:
    """Place `p` in virtual time, now that fork can no longer fail."""
    p.cpu = 0
    fair.task_fork_fair(m, p)


def wake_up_new_task(m: Machine, p: task_struct) -> None:
    """Let the new task `p` run for the first time: TASK_RUNNING and onto the run queue."""
    cpu_number = p.cpu
    _set_running(p, uapi.TASK_RUNNING, cpu_number, cpu_number)
    rq = sched.this_rq(m)
    fair.update_rq_clock(m, rq)
    activate_task(m, rq, p, sched.ENQUEUE_NOCLOCK)
    if m.trace.on:
        m.trace.emit("sched_wakeup_new", comm=_comm(p), pid=p.pid, prio=p.prio, target_cpu=0)
    check_preempt_curr(m, rq, p, sched.WF_FORK)


# --- on and off the queue, and waking ------------------------------------------------------


def activate_task(m: Machine, rq: Any, p: task_struct, flags: int) -> None:
    """Put `p` on the run queue `rq` (struct rq *)."""
    fair.enqueue_task_fair(m, rq, p, flags)
    p.on_rq = uapi.TASK_ON_RQ_QUEUED
    m.cpu.ready[p.address_] = None


def deactivate_task(m: Machine, rq: Any, p: task_struct, flags: int) -> None:
    """Take `p` off the run queue `rq` (struct rq *)."""
    p.on_rq = 0
    m.cpu.ready.pop(p.address_, None)
    fair.dequeue_task_fair(m, rq, p, flags)


def check_preempt_curr(m: Machine, rq: Any, p: task_struct, flags: int) -> None:
    """Ask the running task to give way to `p` if that is more important."""
    curr = rq.curr
    if m.u64[(curr._o >> 3) + w.T_SCHED_CLASS] == m.static.fair:
        fair.check_preempt_wakeup(m, rq, p, flags)
    else:
        sched.set_tsk_need_resched(curr)


def try_to_wake_up(m: Machine, p: task_struct, state: int, wake_flags: int) -> int:
    """Wake `p` if it sleeps in one of the states `state` (unsigned int); return 1 if it did, else 0."""
    if not p.state & state:
        return 0
    rq = sched.this_rq(m)
    if m.trace.on:
        m.trace.emit("sched_waking", comm=_comm(p), pid=p.pid, prio=p.prio, target_cpu=0)
    if p.address_ == m.current.address_:
        _running_again(m, p)
        return 1
    if p.on_rq:  # ttwu_runnable(): it has not left the queue yet
        fair.update_rq_clock(m, rq)
        ttwu_do_wakeup(m, rq, p, wake_flags)
        return 1
    p.state = uapi.TASK_WAKING
    fair.update_rq_clock(m, rq)
    ttwu_do_activate(m, rq, p, wake_flags)
    return 1


def ttwu_do_activate(m: Machine, rq: Any, p: task_struct, wake_flags: int) -> None:
    """Enqueue a task that wakes up and make it runnable."""
    if p.sched_contributes_to_load:
        rq.nr_uninterruptible -= 1
    activate_task(m, rq, p, sched.ENQUEUE_WAKEUP | sched.ENQUEUE_NOCLOCK)
    ttwu_do_wakeup(m, rq, p, wake_flags)


def ttwu_do_wakeup(m: Machine, rq: Any, p: task_struct, wake_flags: int) -> None:
    """Make a queued task runnable, preempting the running one if that is due."""
    check_preempt_curr(m, rq, p, wake_flags)
    _running_again(m, p)


def _running_again(m: Machine, p: task_struct) -> None:
    p.state = uapi.TASK_RUNNING
    if m.trace.on:
        m.trace.emit("sched_wakeup", comm=_comm(p), pid=p.pid, prio=p.prio, target_cpu=0)


def wake_up_process(m: Machine, p: task_struct) -> int:
    """Wake `p` from TASK_INTERRUPTIBLE or TASK_UNINTERRUPTIBLE; return 1 if it slept, else 0."""
    return try_to_wake_up(m, p, uapi.TASK_NORMAL, 0)


def wake_up_state(m: Machine, p: task_struct, state: int) -> int:
    """Wake `p` from the states `state` (unsigned int); return 1 if it slept in one, else 0."""
    return try_to_wake_up(m, p, state, 0)


def wake_up_q(m: Machine, head: list[Any]) -> None:
    """Wake the tasks of `head` (struct wake_q_head *), each of which has a reference more; drop that."""
    for task in head:
        wake_up_process(m, task)
        fork.put_task_struct(m, task)


# --- the switch ----------------------------------------------------------------------------


async def schedule(m: Machine) -> None:
    """Give up the CPU: the running task sleeps if its state says so, and another one runs.

    Returns when the task runs again.
    """
    while True:
        await __schedule(m, preempt=False)
        if not m.u64[(m.current._o >> 3) + _THREAD_FLAGS] & uapi._TIF_NEED_RESCHED:
            return


async def preempt_schedule(m: Machine) -> None:
    """Give up the CPU but stay runnable: another task is to run first."""
    await __schedule(m, preempt=True)


async def __schedule(m: Machine, *, preempt: bool) -> None:
    rq = sched.this_rq(m)
    prev = rq.curr
    timekeeping.update_wall_time(m, timekeeping.NSEC_PER_SWITCH)
    fair.update_rq_clock(m, rq)
    prev_state = prev.state
    voluntary = not preempt and bool(prev_state)
    if voluntary:
        if prev_state != uapi.TASK_DEAD and sched_signal.signal_pending_state(prev_state, prev):
            prev.state = uapi.TASK_RUNNING
        else:
            load = prev_state & uapi.TASK_UNINTERRUPTIBLE and not prev_state & uapi.TASK_NOLOAD
            if load or prev.sched_contributes_to_load:
                prev.sched_contributes_to_load = 1 if load else 0
            if load:
                rq.nr_uninterruptible += 1
            deactivate_task(m, rq, prev, sched.DEQUEUE_SLEEP | sched.DEQUEUE_NOCLOCK)
    following = pick_next_task(m, rq, prev)
    sched.clear_tsk_need_resched(prev)
    if following.address_ != prev.address_:
        _count_switch(m, rq, prev, following, voluntary)
        if m.trace.on:
            _trace_sched_switch(m, prev, following)
        await context_switch(m, rq, prev, following)


def _count_switch(
    m: Machine, rq: Any, prev: task_struct, following: task_struct, voluntary: bool
) -> None:
    # nr_switches, rq->curr, and prev's count of switches of that kind
    u64, r = m.u64, rq._o >> 3
    count = (prev._o >> 3) + (w.T_NVCSW if voluntary else w.T_NIVCSW)
    if m.log is not None:
        m.log_words(r + _SWITCHES, r + _CURR, count)
    u64[r + _SWITCHES] += 1
    u64[r + _CURR] = following.address_
    u64[count] += 1


def pick_next_task(m: Machine, rq: Any, prev: task_struct) -> task_struct:
    """Return the task to run next: the fair class's choice, else the idle task."""
    if prev.address_ != rq.idle.address_:
        fair.put_prev_task_fair(m, rq, prev)
    return fair.pick_next_task_fair(m, rq) or rq.idle


def _trace_sched_switch(m: Machine, prev: task_struct, following: task_struct) -> None:
    m.trace.emit(
        "sched_switch",
        prev_comm=_comm(prev),
        prev_pid=prev.pid,
        prev_prio=prev.prio,
        prev_state=uapi.task_state_to_char(prev),
        next_comm=_comm(following),
        next_pid=following.pid,
        next_prio=following.prio,
    )


async def context_switch(m: Machine, rq: Any, prev: task_struct, following: task_struct) -> None:
    """Switch from `prev` to `following`: the address space, then the stack and the registers."""
    u64, t = m.u64, prev._o >> 3
    following.on_cpu = 1
    if not u64[
        (following._o >> 3) + w.T_MM
    ]:  # to a kernel thread: it borrows the address space (lazy TLB)
        borrowed = prev.active_mm
        following.active_mm = borrowed
        if u64[t + w.T_MM]:
            borrowed.mm_count += 1
        else:
            prev.active_mm = None
    elif not u64[t + w.T_MM]:  # from a kernel thread to a user task: give the loan back
        put(m, (rq._o >> 3) + _PREV_MM, u64[t + w.T_ACTIVE_MM])
        put(m, t + w.T_ACTIVE_MM, 0)
    process.__switch_to(m, prev, following)
    await cpu.switch()
    finish_task_switch(m, task_struct.ref_(m, m.cpu.last))


def finish_task_switch(m: Machine, prev: task_struct) -> None:
    """Finish the switch, on the new task's stack: let go of `prev`, for ever if it is dead."""
    rq = sched.this_rq(m)
    loan = (rq._o >> 3) + _PREV_MM
    mm = m.u64[loan]
    if mm:
        put(m, loan, 0)
    dead = prev.state == uapi.TASK_DEAD
    prev.on_cpu = 0
    if mm:
        fork.mmdrop(m, mm_struct.ref_(m, mm))
    if dead:
        m.cpu.drop(prev.address_)
        fork.put_task_stack(m, prev)
        kernel_exit.put_task_struct_rcu_user(m, prev)


def schedule_tail(m: Machine, prev: task_struct) -> None:
    """The first thing that a new task does: finish the switch that brought it here, note its number."""
    finish_task_switch(m, prev)
    tid = m.current.set_child_tid
    if tid:
        uaccess.put_user(m, kernel_pid.task_pid_vnr(m, m.current), tid)


async def do_task_dead(m: Machine) -> None:
    """Leave the CPU for ever."""
    current = m.current
    current.state = uapi.TASK_DEAD
    current.flags |= uapi.PF_NOFREEZE
    await __schedule(m, preempt=False)
    raise RuntimeError("a dead task runs again")  # BUG()


def task_sched_runtime(m: Machine, p: task_struct) -> int:
    """Return how long (u64, ns) `p` has run, up to now if it runs."""
    rq = sched.this_rq(m)
    if rq.curr.address_ == p.address_ and p.on_rq == uapi.TASK_ON_RQ_QUEUED:
        fair.update_rq_clock(m, rq)
        fair.update_curr(m, rq)
    ran: int = p.se.sum_exec_runtime
    return ran


def scheduler_tick(m: Machine) -> None:
    """What the timer interrupt does: charge the running task, see whether its slice is over."""
    rq = sched.this_rq(m)
    fair.update_rq_clock(m, rq)
    curr = rq.curr
    if curr.sched_class.address_ == m.static.fair:
        fair.task_tick_fair(m, rq, curr)


def task_nice(p: task_struct) -> int:
    """Return the nice value of `p`, -20 to 19."""
    nice: int = p.static_prio - 120
    return nice


def set_user_nice(m: Machine, p: task_struct, nice: int) -> None:
    """Give `p` the nice value `nice` (long) and the weight that belongs to it."""
    if task_nice(p) == nice or not MIN_NICE <= nice <= MAX_NICE:
        return
    rq = sched.this_rq(m)
    fair.update_rq_clock(m, rq)
    queued, running = p.on_rq == uapi.TASK_ON_RQ_QUEUED, rq.curr.address_ == p.address_
    if queued:
        fair.dequeue_task_fair(m, rq, p, sched.DEQUEUE_NOCLOCK)
    if running:
        fair.put_prev_task_fair(m, rq, p)
    p.static_prio = nice + 120
    set_load_weight(p)
    old_prio = p.prio
    p.prio = p.normal_prio = p.static_prio  # effective_prio()
    if queued:
        fair.enqueue_task_fair(m, rq, p, sched.ENQUEUE_NOCLOCK)
    if running:
        fair.set_next_task_fair(m, rq, p)
    if queued and rq.cfs.nr_running > 1:  # prio_changed_fair()
        if not running:
            check_preempt_curr(m, rq, p, 0)
        elif p.prio > old_prio:
            sched.set_tsk_need_resched(p)


def can_nice(m: Machine, p: task_struct, nice: int) -> bool:
    """Return whether the running task may give `p` the nice value `nice` (int), lower than it is."""
    limit: int = p.signal.rlim[resource.RLIMIT_NICE].rlim_cur
    return MAX_NICE + 1 - nice <= limit or capability.capable(m, CAP_SYS_NICE)


def _comm(p: task_struct) -> str:
    return p.comm.string_().decode("utf-8", "replace")
