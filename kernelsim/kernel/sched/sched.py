"""kernel/sched/sched.h @ v5.10.188: the run queue.

Left out: the deadline and real-time queues' contents, bandwidth control, load tracking (PELT),
domains; there is one CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import sched
from kernelsim.include.linux.rbtree import rb_root_cached
from kernelsim.include.linux.sched import load_weight
from kernelsim.include.linux.types import spinlock_t
from kernelsim.machine.ctype import func, ptr, s32, u32, u64, ulong
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "cfs_rq",
    "clear_tsk_need_resched",
    "rq",
    "sched_class",
    "set_tsk_need_resched",
    "test_tsk_need_resched",
    "this_rq",
]

DEQUEUE_SLEEP = 0x01
DEQUEUE_NOCLOCK = 0x08
ENQUEUE_WAKEUP = 0x01
ENQUEUE_NOCLOCK = 0x08
ENQUEUE_INITIAL = 0x80
WF_FORK = 0x02

sched_prio_to_weight = (
    88761,
    71755,
    56483,
    46273,
    36291,
    29154,
    23254,
    18705,
    14949,
    11916,
    9548,
    7620,
    6100,
    4904,
    3906,
    3121,
    2501,
    1991,
    1586,
    1277,
    1024,
    820,
    655,
    526,
    423,
    335,
    272,
    215,
    172,
    137,
    110,
    87,
    70,
    56,
    45,
    36,
    29,
    23,
    18,
    15,
)
sched_prio_to_wmult = (
    48388,
    59856,
    76040,
    92818,
    118348,
    147320,
    184698,
    229616,
    287308,
    360437,
    449829,
    563644,
    704093,
    875809,
    1099582,
    1376151,
    1717300,
    2157191,
    2708050,
    3363326,
    4194304,
    5237765,
    6557202,
    8165337,
    10153587,
    12820798,
    15790321,
    19976592,
    24970740,
    31350126,
    39045157,
    49367440,
    61356676,
    76695844,
    95443717,
    119304647,
    148102320,
    186737708,
    238609294,
    286331153,
)
NICE_0_LOAD = 1024 << 10


class sched_class(Struct):
    """A scheduling class: its functions, in the order in which the classes are asked."""

    enqueue_task = ptr(func)
    dequeue_task = ptr(func)
    check_preempt_curr = ptr(func)
    pick_next_task = ptr(func)
    put_prev_task = ptr(func)
    set_next_task = ptr(func)
    task_fork = ptr(func)


class cfs_rq(Struct):
    """The tasks of the fair class, in a red-black tree by vruntime; `curr` is not in the tree."""

    load = load_weight
    nr_running = u32
    h_nr_running = u32
    idle_h_nr_running = u32
    exec_clock = u64
    min_vruntime = u64
    tasks_timeline = rb_root_cached
    curr = ptr("sched_entity")
    next = ptr("sched_entity")
    last = ptr("sched_entity")
    skip = ptr("sched_entity")


class rq(Struct):
    """The run queue of a CPU."""

    lock = spinlock_t
    nr_running = u32
    nr_switches = u64
    cfs = cfs_rq
    nr_uninterruptible = ulong
    curr = ptr("task_struct")
    idle = ptr("task_struct")
    stop = ptr("task_struct")
    prev_mm = ptr("mm_struct")
    next_balance = ulong
    clock = u64
    clock_task = u64
    cpu = s32
    online = s32
    calc_load_active = s32


def this_rq(m: Machine) -> Any:
    """Return the run queue (struct rq *) of this CPU."""
    return m.static.runqueue


def test_tsk_need_resched(tsk: sched.task_struct) -> bool:
    """Return whether `tsk` is to give up the CPU at the next occasion."""
    return bool(tsk.machine_.u64[tsk._o >> 3] & sched._TIF_NEED_RESCHED)


def set_tsk_need_resched(tsk: sched.task_struct) -> None:
    """Ask `tsk` to give up the CPU at the next occasion."""
    tsk.thread_info.flags |= sched._TIF_NEED_RESCHED


def clear_tsk_need_resched(tsk: sched.task_struct) -> None:
    """Take the request back."""
    m, i = tsk.machine_, tsk._o >> 3  # thread_info.flags is the first word
    flags = m.u64[i]
    if flags & sched._TIF_NEED_RESCHED:
        tsk.thread_info.flags = flags & ~sched._TIF_NEED_RESCHED
