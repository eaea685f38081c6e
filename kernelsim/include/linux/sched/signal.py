"""include/linux/sched/signal.h, signal_types.h @ v5.10.188: what the threads of a process share.

Left out: POSIX timers, the statistics of I/O and of taskstats, audit, the OOM killer's fields but
two.  The flags that signal_struct keeps (SIGNAL_*) are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import sigpending
from kernelsim.include.linux.types import atomic_t, hlist_head, list_head, refcount_t, spinlock_t
from kernelsim.include.linux.wait import wait_queue_head
from kernelsim.include.uapi.linux.resource import RLIM_NLIMITS
from kernelsim.machine.ctype import array, bits, func, ptr, s16, s32, u32, u64, ulong, void
from kernelsim.machine.memory import POISON
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.machine import Machine

__all__ = [
    "SIGNAL_GROUP_EXIT",
    "SIGNAL_UNKILLABLE",
    "delay_group_leader",
    "fatal_signal_pending",
    "for_each_process",
    "for_each_thread",
    "k_sigaction",
    "rlimit",
    "same_thread_group",
    "sighand_struct",
    "signal_group_exit",
    "signal_pending",
    "signal_pending_state",
    "signal_struct",
    "sigqueue",
    "task_pgrp",
    "task_session",
    "task_tgid",
    "thread_group_empty",
    "thread_group_leader",
]

SIGNAL_STOP_STOPPED = 0x00000001
SIGNAL_STOP_CONTINUED = 0x00000002
SIGNAL_GROUP_EXIT = 0x00000004
SIGNAL_GROUP_COREDUMP = 0x00000008
SIGNAL_CLD_STOPPED = 0x00000010
SIGNAL_CLD_CONTINUED = 0x00000020
SIGNAL_UNKILLABLE = 0x00000040


class rlimit(Struct):
    """A resource limit."""

    rlim_cur = ulong
    rlim_max = ulong


class k_sigaction(Struct):
    """What happens at a signal."""

    sa_handler = ptr(func)
    sa_flags = ulong
    sa_restorer = ptr(func)
    sa_mask = u64


class sigqueue(Struct):
    """The details of one signal sent."""

    list = list_head
    flags = s32
    si_signo = s32  # siginfo_t, as far as it is kept
    si_errno = s32
    si_code = s32
    si_pid = s32
    si_uid = u32
    si_status = s32
    user = ptr("user_struct")


class sighand_struct(Struct):
    """The signal handlers."""

    siglock = spinlock_t
    count = refcount_t
    signalfd_wqh = wait_queue_head
    action = array(k_sigaction, 64)


class signal_struct(Struct):
    """What the threads of one process share but memory, files and handlers."""

    sigcnt = refcount_t
    live = atomic_t
    nr_threads = s32
    thread_head = list_head
    wait_chldexit = wait_queue_head
    curr_target = ptr("task_struct")
    shared_pending = sigpending
    multiprocess = hlist_head
    group_exit_code = s32
    notify_count = s32
    group_exit_task = ptr("task_struct")
    group_stop_count = s32
    flags = u32
    is_child_subreaper = bits(u32, 1)
    has_child_subreaper = bits(u32, 1)
    pids = array(ptr("pid"), sched.PIDTYPE_MAX)
    tty_old_pgrp = ptr("pid")
    leader = s32
    tty = ptr(void)
    utime = u64
    stime = u64
    cutime = u64
    cstime = u64
    gtime = u64
    cgtime = u64
    prev_cputime = sched.prev_cputime
    nvcsw = ulong
    nivcsw = ulong
    cnvcsw = ulong
    cnivcsw = ulong
    min_flt = ulong
    maj_flt = ulong
    cmin_flt = ulong
    cmaj_flt = ulong
    sum_sched_runtime = u64
    rlim = array(rlimit, RLIM_NLIMITS)
    oom_score_adj = s16
    oom_score_adj_min = s16


def for_each_process(m: Machine) -> Iterator[sched.task_struct]:
    """Yield every thread group leader (struct task_struct *) after init_task."""
    return lists.list_for_each_entry(sched.task_struct, m.symbol("init_task").tasks, "tasks")


def for_each_thread(p: sched.task_struct) -> Iterator[sched.task_struct]:
    """Yield every thread (struct task_struct *) of the process of `p`."""
    return lists.list_for_each_entry(sched.task_struct, p.signal.thread_head, "thread_node")


def thread_group_leader(p: sched.task_struct) -> bool:
    """Return whether `p` leads its thread group."""
    return p.exit_signal >= 0


def thread_group_empty(p: sched.task_struct) -> bool:
    """Return whether `p` is the only thread of its process."""
    m, i = p.machine_, (p._o + _THREAD_GROUP) >> 3
    try:
        following: int = m.u64[i]
    except IndexError:
        m.fault(p.address_, "struct task_struct", "thread_group")
    if following == POISON:
        m.check(p.address_, "struct task_struct", "thread_group")
    return following == p.address_ + _THREAD_GROUP


_THREAD_GROUP = sched.task_struct.offsetof_("thread_group")


def delay_group_leader(p: sched.task_struct) -> bool:
    """Return whether `p` is a leader that other threads outlive."""
    return thread_group_leader(p) and not thread_group_empty(p)


def same_thread_group(p1: sched.task_struct, p2: sched.task_struct) -> bool:
    """Return whether both are threads of one process."""
    return p1.signal.address_ == p2.signal.address_


def signal_group_exit(sig: signal_struct) -> bool:
    """Return whether the whole process is going away."""
    return bool(sig.flags & SIGNAL_GROUP_EXIT) or bool(sig.group_exit_task)


def signal_pending(p: sched.task_struct) -> bool:
    """Return whether a signal waits to be delivered to `p`."""
    return bool(
        p.machine_.u64[p._o >> 3] & sched._TIF_SIGPENDING
    )  # thread_info.flags is the first word


def signal_pending_state(state: int, p: sched.task_struct) -> bool:
    """Return whether a task about to sleep in `state` must stay awake for a signal."""
    if not state & (sched.TASK_INTERRUPTIBLE | sched.TASK_WAKEKILL):
        return False
    if not signal_pending(p):
        return False
    return bool(state & sched.TASK_INTERRUPTIBLE) or fatal_signal_pending(p)


def fatal_signal_pending(p: sched.task_struct) -> bool:
    """Return whether SIGKILL waits to be delivered to `p`."""
    return bool(p.pending.signal & 1 << 8) and signal_pending(p)


def task_tgid(task: sched.task_struct) -> object:
    """Return the struct pid * of the process of `task`."""
    return task.signal.pids[sched.PIDTYPE_TGID]


def task_pgrp(task: sched.task_struct) -> object:
    """Return the struct pid * of the process group of `task`."""
    return task.signal.pids[sched.PIDTYPE_PGID]


def task_session(task: sched.task_struct) -> object:
    """Return the struct pid * of the session of `task`."""
    return task.signal.pids[sched.PIDTYPE_SID]
