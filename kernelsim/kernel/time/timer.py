"""kernel/time/timer.c @ v5.10.188: what a tick of the clock does.

Left out: the timer wheel; sleeping is `hrtimer`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.kernel.sched import core, cputime
from kernelsim.kernel.time import hrtimer, posix_cpu_timers

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["run_local_timers", "update_process_times"]


def update_process_times(m: Machine, user_tick: int) -> None:
    """Charge a tick to the running task, in user mode if `user_tick` (int), and do what is due."""
    cputime.account_process_tick(m, m.current, user_tick)
    run_local_timers(m)
    core.scheduler_tick(m)
    posix_cpu_timers.run_posix_cpu_timers(m)


def run_local_timers(m: Machine) -> None:
    """Wake the tasks whose time has come."""
    hrtimer.hrtimer_run_queues(m)
