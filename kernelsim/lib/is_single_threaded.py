"""lib/is_single_threaded.c @ v5.10.188: whether somebody else lives in this memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["current_is_single_threaded"]


def current_is_single_threaded(m: Machine) -> bool:
    """Return whether the running task is the only one of its process and of its address space."""
    task = m.current
    mm = task.mm
    if task.signal.live != 1:
        return False
    if mm.mm_users == 1:
        return True
    for p in signal.for_each_process(m):
        if p.flags & sched.PF_KTHREAD or p == task.group_leader:
            continue
        for t in signal.for_each_thread(p):
            if t.mm == mm:
                return False
            if t.mm:
                break
    return True
