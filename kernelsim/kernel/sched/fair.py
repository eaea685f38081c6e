"""kernel/sched/fair.c @ v5.10.188: the completely fair scheduler.

A task's vruntime is the time it has run, scaled by its weight; the task with the least runs next.
Left out: groups, load tracking (PELT), buddies other than `next`, NUMA, bandwidth control.

These functions run at every switch, so they read and write words of memory directly: `e` is the
index of the first word of an entity (struct sched_entity), `c` of the queue (struct cfs_rq);
names such as `_VRUNTIME` are offsets in words.  Virtual time is a u64 that wraps: differences
are compared by their sign bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import rbtree
from kernelsim.include.linux import sched as sched_h
from kernelsim.kernel.sched import sched
from kernelsim.lib import rbtree as lib_rbtree
from kernelsim.machine.memory import DIRECT_MAP, POISON, put

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "calc_delta_fair",
    "check_preempt_wakeup",
    "dequeue_task_fair",
    "enqueue_task_fair",
    "init_cfs_rq",
    "pick_next_task_fair",
    "place_entity",
    "put_prev_task_fair",
    "queued_tasks",
    "reweight_task",
    "sched_slice",
    "set_next_task_fair",
    "task_fork_fair",
    "task_of",
    "task_tick_fair",
    "update_curr",
    "update_min_vruntime",
    "update_rq_clock",
    "wakeup_preempt_entity",
]

# The sysctls for one CPU, in nanoseconds; more CPUs scale them up (SCHED_TUNABLESCALING_LOG).
sysctl_sched_latency = 6_000_000
sysctl_sched_min_granularity = 750_000
sysctl_sched_wakeup_granularity = 1_000_000
sched_nr_latency = 8

_MASK = (1 << 64) - 1
_SIGN = 1 << 63
_LOW = 0xFFFF_FFFF
_SE = sched_h.task_struct.offsetof_("se")


def _words(t: Any, *members: str) -> list[int]:
    # The offsets of members in 64-bit words.
    return [t.offsetof_(member) >> 3 for member in members]


_LOAD, _INVERSE, _RUN_NODE, _ON_RQ = _words(
    sched_h.sched_entity, "load", "load.inv_weight", "run_node", "on_rq"
)
_EXEC_START, _SUM_EXEC, _VRUNTIME, _PREV_SUM = _words(
    sched_h.sched_entity, "exec_start", "sum_exec_runtime", "vruntime", "prev_sum_exec_runtime"
)
_CURR, _NEXT, _MIN_VRUNTIME, _TREE, _LEFTMOST, _RUNNING = _words(
    *(sched.cfs_rq, "curr", "next", "min_vruntime", "tasks_timeline"),
    *("tasks_timeline.rb_leftmost", "nr_running"),
)
_BOTH_RUNNING = 1 << 32 | 1  # one in nr_running and one in h_nr_running, which share a word
_CLOCK, _CLOCK_TASK, _CFS, _RQ_RUNNING = _words(
    sched.rq, "clock", "clock_task", "cfs", "nr_running"
)
_RQ_ONE = 1 << 32  # nr_running of struct rq is the upper half of its word
_SE_WORDS = _SE >> 3
_LONG_SLEEP = (1 << 63) // 1024  # ns, 104 days: entity_is_long_sleeper()
_NODE_TO_KEY = _VRUNTIME - _RUN_NODE


def _entity(m: Machine, p: task_struct) -> int:
    # The index of the first word of the entity of `p`; Fault if the task has been freed.
    e = (p._o >> 3) + _SE_WORDS
    if m.u64[e] == POISON:
        m.check(p.address_, "struct task_struct", "se")
    return e


def _signed(value: int) -> int:
    # (s64)value
    value &= _MASK
    return value - (_MASK + 1) if value & _SIGN else value


def task_of(se: Any) -> task_struct:
    """Return the task (struct task_struct *) of the entity `se` (struct sched_entity *)."""
    return sched_h.task_struct(se.machine_, se.address_ - _SE)


def _calc_delta(delta: int, weight: int, load: int, inv_weight: int) -> int:
    # __calc_delta(): delta * weight / load in the kernel's fixed point; weights are scaled up by 2^10.
    fact, shift = weight >> 10, 32
    if not inv_weight:
        scaled = load >> 10
        inv_weight = 1 if scaled >= _LOW else _LOW if not scaled else _LOW // scaled
    fact *= inv_weight
    while fact >> 32:
        fact >>= 1
        shift -= 1
    return (delta * fact) >> shift


def _fair(m: Machine, delta: int, e: int) -> int:
    # calc_delta_fair() for the entity at word `e`.
    weight = m.u64[e]
    if weight == sched.NICE_0_LOAD:
        return delta
    return _calc_delta(delta, sched.NICE_0_LOAD, weight, m.u64[e + _INVERSE] & _LOW)


def calc_delta_fair(delta: int, se: Any) -> int:
    """Return `delta` (u64, ns) of real time as virtual time of `se` (struct sched_entity *)."""
    return _fair(se.machine_, delta, se._o >> 3)


def init_cfs_rq(cfs_rq: Any) -> None:
    """Make `cfs_rq` (struct cfs_rq *) empty; virtual time starts just below its wrap."""
    cfs_rq.tasks_timeline.rb_root.rb_node = None
    cfs_rq.tasks_timeline.rb_leftmost = None
    cfs_rq.min_vruntime = _MASK + 1 - (1 << 20)


# --- time ----------------------------------------------------------------------------------


def update_rq_clock(m: Machine, rq: Any) -> None:
    """Bring the clock of `rq` (struct rq *) up to now."""
    u64, i = m.u64, rq._o >> 3
    now = u64[m.static.clock]
    if u64[i + _CLOCK] != now:
        if m.log is not None:
            m.log_words(i + _CLOCK, i + _CLOCK_TASK)
        u64[i + _CLOCK] = u64[i + _CLOCK_TASK] = now


def update_curr(m: Machine, rq: Any) -> None:
    """Charge the running entity of `rq` (struct rq *) for the time since it was last looked at."""
    u64, i = m.u64, rq._o >> 3
    curr = u64[i + _CFS + _CURR]
    if not curr:
        return
    e = (curr ^ DIRECT_MAP) >> 3
    now = u64[i + _CLOCK_TASK]
    delta = now - u64[e + _EXEC_START]
    if delta <= 0:
        return
    if m.log is not None:
        m.log_words(e + _EXEC_START, e + _SUM_EXEC, e + _VRUNTIME)
    u64[e + _EXEC_START] = now
    u64[e + _SUM_EXEC] += delta
    u64[e + _VRUNTIME] = (u64[e + _VRUNTIME] + _fair(m, delta, e)) & _MASK
    _update_min_vruntime(m, i + _CFS)


def update_min_vruntime(cfs_rq: Any) -> None:
    """Move the virtual time of `cfs_rq` up to the least vruntime there is; it never goes back."""
    _update_min_vruntime(cfs_rq.machine_, cfs_rq._o >> 3)


def _update_min_vruntime(m: Machine, c: int) -> None:
    u64 = m.u64
    curr, left, low = u64[c + _CURR], u64[c + _LEFTMOST], None
    if curr:
        e = (curr ^ DIRECT_MAP) >> 3
        if u64[e + _ON_RQ] & _LOW:
            low = u64[e + _VRUNTIME]
    if left:
        vruntime = u64[((left ^ DIRECT_MAP) >> 3) + _NODE_TO_KEY]
        if low is None or (vruntime - low) & _SIGN:
            low = vruntime
    if low is not None:
        ahead = low - u64[c + _MIN_VRUNTIME]
        if ahead and not ahead & _SIGN:
            put(m, c + _MIN_VRUNTIME, low)


def sched_slice(cfs_rq: Any, se: Any) -> int:
    """Return the time (u64, ns) that `se` may run of each period, by its share of the weight."""
    return _slice(cfs_rq.machine_, cfs_rq._o >> 3, se._o >> 3)


def _slice(m: Machine, c: int, e: int) -> int:
    u64 = m.u64
    running, load, inverse, weight = (
        u64[c + _RUNNING] & _LOW,
        u64[c],
        u64[c + _INVERSE] & _LOW,
        u64[e],
    )
    if not u64[e + _ON_RQ] & _LOW:
        running, load, inverse = running + 1, load + weight, 0
    period = sysctl_sched_latency
    if running > sched_nr_latency:
        period = running * sysctl_sched_min_granularity
    return max(_calc_delta(period, weight, load, inverse), sysctl_sched_min_granularity)


def place_entity(cfs_rq: Any, se: Any, initial: int) -> None:
    """Give an entity that comes onto the queue a vruntime: new ones wait a slice, sleepers gain half a period."""
    _place_entity(cfs_rq.machine_, cfs_rq._o >> 3, se._o >> 3, initial)


def _place_entity(m: Machine, c: int, e: int, initial: int) -> None:
    u64 = m.u64
    credit = _fair(m, _slice(m, c, e), e) if initial else -(sysctl_sched_latency >> 1)
    vruntime = (u64[c + _MIN_VRUNTIME] + credit) & _MASK
    ahead = vruntime - u64[e + _VRUNTIME]
    start = u64[e + _EXEC_START]
    long_sleeper = start and u64[c - _CFS + _CLOCK_TASK] - start > _LONG_SLEEP
    if ahead and (long_sleeper or not ahead & _SIGN):
        put(m, e + _VRUNTIME, vruntime)


# --- on and off the queue ------------------------------------------------------------------


def __enqueue_entity(m: Machine, c: int, e: int) -> None:
    # Into the tree, to the right of everything with the same vruntime.
    u64, key = m.u64, m.u64[e + _VRUNTIME]
    root = rbtree.rb_root_cached.ref_(m, (c + _TREE) << 3 ^ DIRECT_MAP)
    link, parent, leftmost = root.address_, 0, True
    node: int = u64[c + _TREE]
    while node:
        parent, i = node, (node ^ DIRECT_MAP) >> 3
        if (key - u64[i + _NODE_TO_KEY]) & _SIGN:
            link, node = parent + 16, u64[i + 2]
        else:
            link, node, leftmost = parent + 8, u64[i + 1], False
    run_node = rbtree.rb_node.ref_(m, (e + _RUN_NODE) << 3 ^ DIRECT_MAP)
    rbtree.rb_link_node(run_node, rbtree.rb_node.ref_(m, parent), link)
    lib_rbtree.rb_insert_color_cached(run_node, root, leftmost)


def __dequeue_entity(m: Machine, c: int, e: int) -> None:
    root = rbtree.rb_root_cached.ref_(m, (c + _TREE) << 3 ^ DIRECT_MAP)
    lib_rbtree.rb_erase_cached(rbtree.rb_node.ref_(m, (e + _RUN_NODE) << 3 ^ DIRECT_MAP), root)


def _account(m: Machine, i: int, weight: int, one: int) -> None:
    # account_entity_enqueue() and _dequeue(), and the run queue's own count; `one` is 1 or -1.
    u64, c = m.u64, i + _CFS
    if u64[c + _INVERSE]:
        put(m, c + _INVERSE, 0)
    if m.log is not None:
        m.log_words(c + _LOAD, c + _RUNNING, i + _RQ_RUNNING)
    u64[c + _LOAD] += one * weight
    u64[c + _RUNNING] += one * _BOTH_RUNNING
    u64[i + _RQ_RUNNING] += one * _RQ_ONE


def enqueue_task_fair(m: Machine, rq: Any, p: task_struct, flags: int) -> None:
    """Put `p` on the queue `rq` (struct rq *); `flags` (int) says whether it wakes up or is new."""
    u64, i, e = m.u64, rq._o >> 3, _entity(m, p)
    c = i + _CFS
    curr = u64[c + _CURR] == p.address_ + _SE
    renormalise = not flags & sched.ENQUEUE_WAKEUP
    if renormalise and curr:
        put(m, e + _VRUNTIME, (u64[e + _VRUNTIME] + u64[c + _MIN_VRUNTIME]) & _MASK)
    update_curr(m, rq)
    if renormalise and not curr:
        put(m, e + _VRUNTIME, (u64[e + _VRUNTIME] + u64[c + _MIN_VRUNTIME]) & _MASK)
    _account(m, i, u64[e], 1)
    if flags & sched.ENQUEUE_WAKEUP:
        _place_entity(m, c, e, 0)
    if not curr:
        __enqueue_entity(m, c, e)
    put(m, e + _ON_RQ, u64[e + _ON_RQ] | 1)


def dequeue_task_fair(m: Machine, rq: Any, p: task_struct, flags: int) -> None:
    """Take `p` off the queue `rq` (struct rq *); `flags` (int) says whether it goes to sleep."""
    u64, i, e, se = m.u64, rq._o >> 3, _entity(m, p), p.address_ + _SE
    c = i + _CFS
    update_curr(m, rq)
    if u64[c + _NEXT] == se:  # clear_buddies()
        put(m, c + _NEXT, 0)
    if u64[c + _CURR] != se:
        __dequeue_entity(m, c, e)
    put(m, e + _ON_RQ, u64[e + _ON_RQ] & ~1)
    _account(m, i, u64[e], -1)
    if not flags & sched.DEQUEUE_SLEEP:
        put(m, e + _VRUNTIME, (u64[e + _VRUNTIME] - u64[c + _MIN_VRUNTIME]) & _MASK)
    _update_min_vruntime(m, c)


def reweight_task(m: Machine, p: task_struct, prio: int) -> None:
    """Give `p` the weight of the priority `prio` (int): 0 for nice -20, 39 for nice 19."""
    rq, load, weight = sched.this_rq(m), p.se.load, sched.sched_prio_to_weight[prio] << 10
    if p.se.on_rq:  # reweight_entity()
        if rq.cfs.curr.address_ == p.address_ + _SE:
            update_curr(m, rq)
        rq.cfs.load.weight += weight - load.weight
        rq.cfs.load.inv_weight = 0
    load.weight, load.inv_weight = weight, sched.sched_prio_to_wmult[prio]


# --- who runs next -------------------------------------------------------------------------


def wakeup_preempt_entity(curr: Any, se: Any) -> int:
    """Return 1 if `se` should run instead of `curr`, 0 if it leads by too little, -1 if it does not."""
    return _leads(curr.machine_, curr._o >> 3, se._o >> 3)


def _leads(m: Machine, curr: int, e: int) -> int:
    vdiff = (m.u64[curr + _VRUNTIME] - m.u64[e + _VRUNTIME]) & _MASK
    if not vdiff or vdiff & _SIGN:
        return -1
    return 1 if vdiff > _fair(m, sysctl_sched_wakeup_granularity, e) else 0


def check_preempt_wakeup(m: Machine, rq: Any, p: task_struct, wake_flags: int) -> None:
    """Ask the running task to give way if `p`, just woken, has run much less."""
    curr = rq.curr
    if curr.address_ == p.address_ or sched.test_tsk_need_resched(curr):
        return
    update_curr(m, rq)
    if _leads(m, _entity(m, curr), _entity(m, p)) == 1:
        put(m, (rq._o >> 3) + _CFS + _NEXT, p.address_ + _SE)
        sched.set_tsk_need_resched(curr)


def queued_tasks(m: Machine, rq: Any) -> list[task_struct]:
    """Return the tasks that wait in the tree of `rq` (struct rq *), next one first."""
    node = rbtree.rb_first_cached(rq.cfs.tasks_timeline)
    tasks = []
    while node:
        tasks.append(sched_h.task_struct(m, node.address_ - 8 * _RUN_NODE - _SE))
        node = lib_rbtree.rb_next(node)
    return tasks


def _pick_next_entity(m: Machine, rq: Any, c: int) -> int:
    # The leftmost entity, or the `next` buddy if that is not much further right: its address.
    u64 = m.u64
    se: int = u64[c + _LEFTMOST] - 8 * _RUN_NODE
    buddy = u64[c + _NEXT]
    if buddy and _leads(m, (buddy ^ DIRECT_MAP) >> 3, (se ^ DIRECT_MAP) >> 3) < 1:
        se = buddy
    if m.choose is not None:
        chosen = m.choose(rq, sched_h.task_struct.ref_(m, se - _SE))
        if chosen is not None:
            se = chosen.address_ + _SE
    if buddy == se:
        put(m, c + _NEXT, 0)
    return se


def pick_next_task_fair(m: Machine, rq: Any) -> task_struct | None:
    """Return the task to run next and take it out of the tree; None if the queue is empty."""
    c = (rq._o >> 3) + _CFS
    if not m.u64[c + _RUNNING] & _LOW:
        return None
    p = sched_h.task_struct.ref_(m, _pick_next_entity(m, rq, c) - _SE)
    set_next_task_fair(m, rq, p)
    return p


def set_next_task_fair(m: Machine, rq: Any, p: task_struct) -> None:
    """Make `p` the running one: out of the tree, its clock started."""
    u64, i, e = m.u64, rq._o >> 3, _entity(m, p)
    c = i + _CFS
    if u64[e + _ON_RQ] & _LOW:
        __dequeue_entity(m, c, e)
    if m.log is not None:
        m.log_words(e + _EXEC_START, c + _CURR, e + _PREV_SUM)
    u64[e + _EXEC_START] = u64[i + _CLOCK_TASK]
    u64[c + _CURR] = p.address_ + _SE
    u64[e + _PREV_SUM] = u64[e + _SUM_EXEC]


def put_prev_task_fair(m: Machine, rq: Any, prev: task_struct) -> None:
    """Stop `prev`: charge it, and back into the tree if it is still runnable."""
    c, e = (rq._o >> 3) + _CFS, _entity(m, prev)
    if m.u64[e + _ON_RQ] & _LOW:
        update_curr(m, rq)
        __enqueue_entity(m, c, e)
    put(m, c + _CURR, 0)


def task_fork_fair(m: Machine, p: task_struct) -> None:
    """Give the new task `p` its first vruntime, relative to the queue's."""
    rq = sched.this_rq(m)
    update_rq_clock(m, rq)
    u64, c, e = m.u64, (rq._o >> 3) + _CFS, _entity(m, p)
    curr = u64[c + _CURR]
    if curr:
        update_curr(m, rq)
        put(m, e + _VRUNTIME, u64[((curr ^ DIRECT_MAP) >> 3) + _VRUNTIME])
    _place_entity(m, c, e, 1)
    put(m, e + _VRUNTIME, (u64[e + _VRUNTIME] - u64[c + _MIN_VRUNTIME]) & _MASK)


def task_tick_fair(m: Machine, rq: Any, curr: task_struct) -> None:
    """At a clock tick: ask the running task to give way if it has had its slice."""
    update_curr(m, rq)
    u64, c, e = m.u64, (rq._o >> 3) + _CFS, _entity(m, curr)
    if u64[c + _RUNNING] & _LOW <= 1:
        return
    ideal = _slice(m, c, e)
    ran = u64[e + _SUM_EXEC] - u64[e + _PREV_SUM]
    if ran <= ideal:
        if ran < sysctl_sched_min_granularity:
            return
        left = (u64[c + _LEFTMOST] ^ DIRECT_MAP) >> 3
        if _signed(u64[e + _VRUNTIME] - u64[left + _NODE_TO_KEY]) <= ideal:
            return
    sched.set_tsk_need_resched(curr)
