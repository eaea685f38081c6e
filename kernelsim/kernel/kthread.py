"""kernel/kthread.c @ v5.10.188: kthreadd, the parent of all kernel threads.

Left out: creating and stopping threads on request (docs/fidelity.md): kthreadd sleeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.fs import exec as fs_exec
from kernelsim.include.linux import sched
from kernelsim.include.linux import types as types_h
from kernelsim.include.uapi.asm.signal import SIG_IGN
from kernelsim.kernel.sched import core

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["kthreadd"]


async def kthreadd(m: Machine, unused: int) -> int:
    """Make the kernel threads that are asked for: a loop that sleeps while nobody asks."""
    tsk = m.current
    fs_exec.set_task_comm(m, tsk, "kthreadd")
    for action in tsk.sighand.action:  # ignore_signals()
        action.sa_handler = SIG_IGN
    tsk.flags |= sched.PF_NOFREEZE
    requests = m.define("kthread_create_list", types_h.list_head)
    requests.next = requests.prev = requests
    while True:
        tsk.state = sched.TASK_INTERRUPTIBLE
        if requests.next == requests:
            await core.schedule(m)
        tsk.state = sched.TASK_RUNNING
