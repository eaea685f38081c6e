"""kernel/sched/core.c: what may be done to a task only while it is off the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct

__all__ = ["do_set_cpus_allowed", "wait_task_inactive"]


def wait_task_inactive(p: task_struct, match_state: int) -> int:
    """Wait until `p`, in the state `match_state` (long), has left the CPU and the queue.

    Returns a number (unsigned long) that is another one after each sleep of `p`, or 0 if its state
    is another.  On one CPU there is nothing to wait for: nobody is preempted on the way to sleep.
    """
    if match_state and p.state != match_state:
        return 0
    return int(p.nvcsw) | 1 << 63


def do_set_cpus_allowed(p: task_struct, new_mask: int) -> None:
    """Let `p` run on the CPUs of `new_mask` (const struct cpumask *) only."""
    p.cpus_mask = new_mask
    p.nr_cpus_allowed = new_mask.bit_count()
