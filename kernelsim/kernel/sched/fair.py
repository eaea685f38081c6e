"""kernel/sched/fair.c @ v5.10.188: the completely fair scheduler.

A task's vruntime is the time it has run, scaled by its weight; the task with the least runs next.
Left out: groups, load tracking (PELT), buddies other than `next`, NUMA, bandwidth control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import rbtree
from kernelsim.include.linux import sched as uapi
from kernelsim.kernel.sched import sched
from kernelsim.lib import rbtree as lib_rbtree
from kernelsim.machine import memory

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "check_preempt_wakeup",
    "dequeue_task_fair",
    "enqueue_task_fair",
    "init_cfs_rq",
    "pick_next_task_fair",
    "put_prev_task_fair",
    "queued_tasks",
    "set_next_task_fair",
    "task_fork_fair",
    "task_tick_fair",
]

# The sysctls for one CPU, in nanoseconds; more CPUs scale them up (SCHED_TUNABLESCALING_LOG).
sysctl_sched_latency = 6_000_000
sysctl_sched_min_granularity = 750_000
sysctl_sched_wakeup_granularity = 1_000_000
sched_nr_latency = 8

_MASK = memory.BLOCK * 2 - 1
_SE = uapi.task_struct.offsetof_("se")
_RUN_NODE = uapi.sched_entity.offsetof_("run_node")
_VRUNTIME = uapi.sched_entity.offsetof_("vruntime")


def _signed(value: int) -> int:
    # (s64)value
    return value - (_MASK + 1) if value & memory.BLOCK else value


def task_of(se: Any) -> task_struct:
    """Return the task (struct task_struct *) of the entity `se` (struct sched_entity *)."""
    return uapi.task_struct(se.machine_, se.address_ - _SE)


def _calc_delta(delta: int, weight: int, load: int, inv_weight: int) -> int:
    # delta * weight / load in the kernel's fixed point; weights are scaled up by 2^10.
    fact, shift = weight >> 10, 32
    if not inv_weight:
        scaled = load >> 10
        inv_weight = 1 if scaled >= 0xFFFF_FFFF else 0xFFFF_FFFF if not scaled else 0xFFFF_FFFF // scaled
    fact *= inv_weight
    while fact >> 32:
        fact >>= 1
        shift -= 1
    return (delta * fact) >> shift


def calc_delta_fair(delta: int, se: Any) -> int:
    """Return `delta` (u64, ns) of real time as virtual time of `se` (struct sched_entity *)."""
    load = se.load
    weight = load.weight
    return delta if weight == sched.NICE_0_LOAD else _calc_delta(delta, sched.NICE_0_LOAD, weight, load.inv_weight)


def init_cfs_rq(cfs_rq: Any) -> None:
    """Make `cfs_rq` (struct cfs_rq *) empty; virtual time starts just below its wrap."""
    cfs_rq.tasks_timeline.rb_root.rb_node = None
    cfs_rq.tasks_timeline.rb_leftmost = None
    cfs_rq.min_vruntime = _MASK + 1 - (1 << 20)


def update_curr(m: Machine, rq: Any, cfs_rq: Any) -> None:
    """Charge the running entity for the time since it was last looked at."""
    curr = cfs_rq.curr
    if not curr.address_:
        return
    now = rq.clock_task
    delta_exec = now - curr.exec_start
    if delta_exec <= 0:
        return
    curr.exec_start = now
    curr.sum_exec_runtime += delta_exec
    curr.vruntime = (curr.vruntime + calc_delta_fair(delta_exec, curr)) & _MASK
    update_min_vruntime(cfs_rq)


def _leftmost(cfs_rq: Any) -> int:
    # The address of the leftmost entity's run_node, 0 if the tree is empty.
    node: int = cfs_rq.tasks_timeline.rb_leftmost.address_
    return node


def update_min_vruntime(cfs_rq: Any) -> None:
    """Move the queue's virtual time up to the least vruntime there is; it never goes back."""
    curr = cfs_rq.curr
    low: int | None = None
    if curr.address_ and curr.on_rq:
        low = curr.vruntime
    left = _leftmost(cfs_rq)
    if left:
        vruntime = cfs_rq.machine_.read_u64(left - _RUN_NODE + _VRUNTIME)
        if low is None or _signed((vruntime - low) & _MASK) < 0:
            low = vruntime
    if low is not None:
        old = cfs_rq.min_vruntime
        if _signed((low - old) & _MASK) > 0:
            cfs_rq.min_vruntime = low


def _enqueue_entity(m: Machine, cfs_rq: Any, se: Any) -> None:
    # __enqueue_entity(): into the tree, to the right of everything with the same vruntime.
    u64, key = m.u64, se.vruntime
    root = cfs_rq.tasks_timeline
    link = root.address_
    parent, leftmost = 0, True
    node: int = u64[m.offset(link) >> 3]
    while node:
        parent = node
        i = (node ^ memory.DIRECT_MAP) >> 3
        if _signed((key - u64[i + ((_VRUNTIME - _RUN_NODE) >> 3)]) & _MASK) < 0:
            link = node + 16
            node = u64[i + 2]
        else:
            link = node + 8
            node = u64[i + 1]
            leftmost = False
    run_node = se.run_node
    rbtree.rb_link_node(run_node, rbtree.rb_node(m, parent), link)
    lib_rbtree.rb_insert_color_cached(run_node, root, leftmost)


def _dequeue_entity(cfs_rq: Any, se: Any) -> None:
    # __dequeue_entity()
    lib_rbtree.rb_erase_cached(se.run_node, cfs_rq.tasks_timeline)


def _sched_vslice(cfs_rq: Any, se: Any) -> int:
    return calc_delta_fair(sched_slice(cfs_rq, se), se)


def sched_slice(cfs_rq: Any, se: Any) -> int:
    """Return the time (u64, ns) that `se` may run of each period, by its share of the weight."""
    on_rq = se.on_rq
    running = cfs_rq.nr_running + (not on_rq)
    period = running * sysctl_sched_min_granularity if running > sched_nr_latency else sysctl_sched_latency
    weight, load, inverse = se.load.weight, cfs_rq.load.weight, cfs_rq.load.inv_weight
    if not on_rq:
        load, inverse = load + weight, 0
    return max(_calc_delta(period, weight, load, inverse), sysctl_sched_min_granularity)


def place_entity(cfs_rq: Any, se: Any, initial: int) -> None:
    """Give an entity that comes onto the queue a vruntime: new ones wait a slice, sleepers gain half a period."""
    vruntime = cfs_rq.min_vruntime
    vruntime += _sched_vslice(cfs_rq, se) if initial else -(sysctl_sched_latency >> 1)
    vruntime &= _MASK
    if _signed((vruntime - se.vruntime) & _MASK) > 0:
        se.vruntime = vruntime


def _account_entity_enqueue(cfs_rq: Any, se: Any) -> None:
    load = cfs_rq.load
    load.weight += se.load.weight
    load.inv_weight = 0
    cfs_rq.nr_running += 1


def enqueue_task_fair(m: Machine, rq: Any, p: task_struct, flags: int) -> None:
    """Put `p` on the queue `rq` (struct rq *); `flags` (int) says whether it wakes up or is new."""
    cfs_rq, se = rq.cfs, p.se
    curr = cfs_rq.curr.address_ == se.address_
    renormalise = not flags & sched.ENQUEUE_WAKEUP
    if renormalise and curr:
        se.vruntime = (se.vruntime + cfs_rq.min_vruntime) & _MASK
    update_curr(m, rq, cfs_rq)
    if renormalise and not curr:
        se.vruntime = (se.vruntime + cfs_rq.min_vruntime) & _MASK
    _account_entity_enqueue(cfs_rq, se)
    if flags & sched.ENQUEUE_WAKEUP:
        place_entity(cfs_rq, se, 0)
    if not curr:
        _enqueue_entity(m, cfs_rq, se)
    se.on_rq = 1
    cfs_rq.h_nr_running += 1
    rq.nr_running += 1


def dequeue_task_fair(m: Machine, rq: Any, p: task_struct, flags: int) -> None:
    """Take `p` off the queue `rq` (struct rq *); `flags` (int) says whether it goes to sleep."""
    cfs_rq, se = rq.cfs, p.se
    update_curr(m, rq, cfs_rq)
    _clear_buddies(cfs_rq, se)
    if se.address_ != cfs_rq.curr.address_:
        _dequeue_entity(cfs_rq, se)
    se.on_rq = 0
    load = cfs_rq.load
    load.weight -= se.load.weight
    load.inv_weight = 0
    cfs_rq.nr_running -= 1
    if not flags & sched.DEQUEUE_SLEEP:
        se.vruntime = (se.vruntime - cfs_rq.min_vruntime) & _MASK
    update_min_vruntime(cfs_rq)
    cfs_rq.h_nr_running -= 1
    rq.nr_running -= 1


def _clear_buddies(cfs_rq: Any, se: Any) -> None:
    if cfs_rq.next.address_ == se.address_:
        cfs_rq.next = None


def wakeup_preempt_entity(curr: Any, se: Any) -> int:
    """Return 1 if `se` should run instead of `curr`, 0 if it leads by too little, -1 if it does not."""
    vdiff = _signed((curr.vruntime - se.vruntime) & _MASK)
    if vdiff <= 0:
        return -1
    return 1 if vdiff > calc_delta_fair(sysctl_sched_wakeup_granularity, se) else 0


def check_preempt_wakeup(m: Machine, rq: Any, p: task_struct, wake_flags: int) -> None:
    """Ask the running task to give way if `p`, just woken, has run much less."""
    curr = rq.curr
    se, pse = curr.se, p.se
    if se.address_ == pse.address_ or sched.test_tsk_need_resched(curr):
        return
    update_curr(m, rq, rq.cfs)
    if wakeup_preempt_entity(se, pse) == 1:
        rq.cfs.next = pse
        sched.set_tsk_need_resched(curr)


def queued_tasks(m: Machine, rq: Any) -> list[task_struct]:
    """Return the tasks that wait in the tree of `rq` (struct rq *), next one first."""
    node = rbtree.rb_first_cached(rq.cfs.tasks_timeline)
    tasks = []
    while node:
        tasks.append(uapi.task_struct(m, node.address_ - _RUN_NODE - _SE))
        node = lib_rbtree.rb_next(node)
    return tasks


def _pick_next_entity(m: Machine, rq: Any, cfs_rq: Any) -> Any:
    # The leftmost entity, or the `next` buddy if that is not much further right.
    left = uapi.sched_entity(m, _leftmost(cfs_rq) - _RUN_NODE)
    se, buddy = left, cfs_rq.next
    if buddy.address_ and wakeup_preempt_entity(buddy, left) < 1:
        se = buddy
    if m.choose is not None:
        chosen = m.choose(rq, task_of(se))
        if chosen is not None:
            se = chosen.se
    if buddy.address_ == se.address_:
        cfs_rq.next = None
    return se


def pick_next_task_fair(m: Machine, rq: Any) -> task_struct | None:
    """Return the task to run next and take it out of the tree; None if the queue is empty."""
    cfs_rq = rq.cfs
    if not cfs_rq.nr_running:
        return None
    se = _pick_next_entity(m, rq, cfs_rq)
    p = task_of(se)
    set_next_task_fair(m, rq, p)
    return p


def set_next_task_fair(m: Machine, rq: Any, p: task_struct) -> None:
    """Make `p` the running one: out of the tree, its clock started."""
    cfs_rq, se = rq.cfs, p.se
    if se.on_rq:
        _dequeue_entity(cfs_rq, se)
    se.exec_start = rq.clock_task
    cfs_rq.curr = se
    se.prev_sum_exec_runtime = se.sum_exec_runtime


def put_prev_task_fair(m: Machine, rq: Any, prev: task_struct) -> None:
    """Stop `prev`: charge it, and back into the tree if it is still runnable."""
    cfs_rq, se = rq.cfs, prev.se
    if se.on_rq:
        update_curr(m, rq, cfs_rq)
        _enqueue_entity(m, cfs_rq, se)
    cfs_rq.curr = None


def task_fork_fair(m: Machine, p: task_struct) -> None:
    """Give the new task `p` its first vruntime, relative to the queue's."""
    rq = sched.this_rq(m)
    update_rq_clock(m, rq)
    cfs_rq, se = rq.cfs, p.se
    curr = cfs_rq.curr
    if curr.address_:
        update_curr(m, rq, cfs_rq)
        se.vruntime = curr.vruntime
    place_entity(cfs_rq, se, 1)
    se.vruntime = (se.vruntime - cfs_rq.min_vruntime) & _MASK


def task_tick_fair(m: Machine, rq: Any, curr: task_struct) -> None:
    """At a clock tick: ask the running task to give way if it has had its slice."""
    cfs_rq, se = rq.cfs, curr.se
    update_curr(m, rq, cfs_rq)
    if cfs_rq.nr_running <= 1:
        return
    ideal = sched_slice(cfs_rq, se)
    ran = se.sum_exec_runtime - se.prev_sum_exec_runtime
    if ran <= ideal:
        if ran < sysctl_sched_min_granularity:
            return
        left = uapi.sched_entity(m, _leftmost(cfs_rq) - _RUN_NODE)
        if _signed((se.vruntime - left.vruntime) & _MASK) <= ideal:
            return
    sched.set_tsk_need_resched(curr)


def update_rq_clock(m: Machine, rq: Any) -> None:
    """Bring the clock of `rq` (struct rq *) up to now."""
    now = m.u64[m.static.clock]
    rq.clock = now
    rq.clock_task = now
