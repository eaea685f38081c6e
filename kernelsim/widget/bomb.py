"""A fork bomb: every process forks, again and again, until the kernel refuses."""

from __future__ import annotations

from typing import Any, NamedTuple

from kernelsim.include.linux.sched import task_struct

__all__ = ["MOST", "Bomb", "explode"]

MOST = 4000
"""Forks in one go: about two seconds.  A machine with much memory has not refused by then."""


class Bomb(NamedTuple):
    """How many forks there were, and what ended them: an exception, or None."""

    forks: int
    error: OSError | None


def explode(k: Any, task: Any, most: int = MOST) -> Bomb:
    """Let struct task_struct *`task` fork, then it and its child, and so on; say how it ended.

    Raises what the first fork raises if it is no errno, as `Kernel.call` does.
    """
    first = k.machine.symbol("init_task")
    link = task_struct.offsetof_("tasks")
    forking, count = [task], 0
    while True:
        for parent in list(forking):
            try:
                pid = k.call(parent, "fork")
            except OSError as error:
                return Bomb(count, error)
            if not isinstance(pid, int) or count == most:  # it sleeps, or a panic, or enough
                return Bomb(count, None)
            count += 1
            forking.append(task_struct(k.machine, first.tasks.prev.address_ - link))
