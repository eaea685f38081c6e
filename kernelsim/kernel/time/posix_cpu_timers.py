"""kernel/time/posix-cpu-timers.c @ v5.10.188: RLIMIT_CPU.

Looked at with each tick, as Linux does, and by the ticks alone, which need not add up to what
getrusage() tells.  Left out: timers on CPU clocks, setitimer(), RLIMIT_RTTIME, the cache of the
next expiry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import signal as uapi_signal
from kernelsim.include.uapi.linux import resource
from kernelsim.kernel import signal
from kernelsim.kernel.sched import cputime

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["check_process_timers", "check_rlimit", "run_posix_cpu_timers"]

_NSEC_PER_SEC = 1_000_000_000


def check_rlimit(m: Machine, time: int, limit: int, signo: int) -> bool:
    """Send the running process `signo` (int) if `time` has reached `limit` (both u64, ns)."""
    if time < limit:
        return False
    signal.send_signal(m, signo, signal.SEND_SIG_PRIV, m.current, sched.PIDTYPE_TGID)
    return True


def check_process_timers(m: Machine, tsk: task_struct) -> None:
    """At the hard limit of CPU time: SIGKILL; from the soft one on SIGXCPU, once a second."""
    limit = tsk.signal.rlim[resource.RLIMIT_CPU]
    soft, hard = limit.rlim_cur, limit.rlim_max
    if soft == resource.RLIM_INFINITY:
        return
    utime, stime, _ = cputime.thread_group_cputime(m, tsk)
    time = utime + stime
    if hard != resource.RLIM_INFINITY and check_rlimit(
        m, time, hard * _NSEC_PER_SEC, uapi_signal.SIGKILL
    ):
        return
    if check_rlimit(m, time, soft * _NSEC_PER_SEC, uapi_signal.SIGXCPU):
        limit.rlim_cur = soft + 1


def run_posix_cpu_timers(m: Machine) -> None:
    """See at a tick whether the running process has used up its CPU time."""
    check_process_timers(m, m.current)
