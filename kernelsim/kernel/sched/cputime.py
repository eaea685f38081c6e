"""kernel/sched/cputime.c @ v5.10.188: how much CPU time a task has used, in user mode and in the kernel.

Time is told apart by ticks, as with CONFIG_TICK_CPU_ACCOUNTING: each tick of 4 ms goes whole to
the mode that it came in.  The scheduler knows exactly how long a task ran; cputime_adjust()
divides that time as the ticks stand.  Left out: the statistics of CPUs (kernel_cpustat), idle and
stolen time, time in interrupts, guests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import _words as w
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.kernel.sched import core, sched

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "account_process_tick",
    "account_system_time",
    "account_user_time",
    "cputime_adjust",
    "task_cputime_adjusted",
    "thread_group_cputime",
    "thread_group_cputime_adjusted",
]

_UTIME, _STIME = (task_struct.offsetof_(name) >> 3 for name in ("utime", "stime"))
_GROUP_UTIME, _GROUP_STIME = (
    sched_signal.signal_struct.offsetof_(name) >> 3 for name in ("utime", "stime")
)


def account_user_time(m: Machine, p: task_struct, cputime: int) -> None:
    """Charge `p` for `cputime` (u64, ns) in user mode."""
    p.utime += cputime


def account_system_time(m: Machine, p: task_struct, hardirq_offset: int, cputime: int) -> None:
    """Charge `p` for `cputime` (u64, ns) in the kernel; `hardirq_offset` (int) tells of interrupts."""
    p.stime += cputime


def account_process_tick(m: Machine, p: task_struct, user_tick: int) -> None:
    """Charge `p` for a whole tick, in user mode if the tick came there (`user_tick`, int)."""
    if user_tick:
        account_user_time(m, p, core.NSEC_PER_TICK)
    elif p.address_ != sched.this_rq(m).idle.address_:
        account_system_time(m, p, 0, core.NSEC_PER_TICK)


def thread_group_cputime(m: Machine, tsk: task_struct) -> tuple[int, int, int]:
    """Return what the process of `tsk` has used, with its dead threads: struct task_cputime.

    These are the ticks in user mode and in the kernel, and the exact time, all in ns (u64).
    """
    sig, u64 = tsk.signal, m.u64
    if sched_signal.same_thread_group(m.current, tsk):
        core.task_sched_runtime(m, m.current)
    s = sig._o >> 3
    utime, stime, runtime = u64[s + _GROUP_UTIME], u64[s + _GROUP_STIME], u64[s + w.S_SUM_SCHED]
    for t in sched_signal.for_each_thread(tsk):
        i = t._o >> 3
        utime, stime = utime + u64[i + _UTIME], stime + u64[i + _STIME]
        runtime += u64[i + w.T_SUM_EXEC]
    return utime, stime, runtime


def cputime_adjust(m: Machine, curr: tuple[int, int, int], prev: Any) -> tuple[int, int]:
    """Divide the exact time of `curr` (struct task_cputime *) as its ticks stand; (user, system) in ns.

    Neither is ever less than it was last time, which `prev` (struct prev_cputime *) keeps.
    """
    utime, stime, rtime = curr
    if prev.stime + prev.utime < rtime:
        if not stime:  # no ticks, or all in user mode: then all of the time is taken to be there
            utime = rtime
        elif not utime:
            stime = rtime
        else:
            stime = stime * rtime // (stime + utime)
        stime = max(stime, prev.stime)
        utime = rtime - stime
        if utime < prev.utime:
            utime = prev.utime
            stime = rtime - utime
        prev.stime, prev.utime = stime, utime
    return prev.utime, prev.stime


def task_cputime_adjusted(m: Machine, p: task_struct) -> tuple[int, int]:
    """Return the time that the one thread `p` has used in user mode and in the kernel, in ns (u64)."""
    return cputime_adjust(m, (p.utime, p.stime, p.se.sum_exec_runtime), p.prev_cputime)


def thread_group_cputime_adjusted(m: Machine, p: task_struct) -> tuple[int, int]:
    """Return the time that the process of `p` has used in user mode and in the kernel, in ns (u64)."""
    return cputime_adjust(m, thread_group_cputime(m, p), p.signal.prev_cputime)
