"""The kernel stack of a sleeping task, read off the chain of its suspended coroutines."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import sched
from kernelsim.kernel.trace import ftrace

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["kernel_stack", "waiting", "wchan"]

_SCHEDULER = {"schedule", "__schedule", "context_switch", "preempt_schedule", "switch"}


def kernel_stack(m: Machine, task: sched.task_struct) -> list[str]:
    """Return the kernel functions that `task` is in, innermost first; empty if it is in user mode or dead."""
    frames: list[str] = []
    inner: Any = m.cpu.contexts.get(task.address_)
    while inner is not None and hasattr(inner, "cr_code"):
        parts = PurePath(inner.cr_code.co_filename).parts
        room = parts[parts.index("kernelsim") + 1] if "kernelsim" in parts else ""
        name = inner.cr_code.co_name
        if name in {"traced_async", "user_mode"}:
            pass
        elif room in ftrace.ROOMS:
            if ftrace.is_symbol(name):  # helpers of ours are part of who calls them
                frames.append(ftrace.symbol(name))
        elif frames and room not in ftrace.ROOMS:
            frames.clear()  # user mode lies between: what was before belongs to an earlier entry
        inner = inner.cr_await
    return frames[::-1]


def wchan(m: Machine, task: sched.task_struct) -> str:
    """Return the function that `task` sleeps in, "0" if it does not sleep: /proc/PID/wchan."""
    if not task.state:
        return "0"
    return next((f for f in kernel_stack(m, task) if f not in _SCHEDULER), "0")


def waiting(kernel: Any) -> str:
    """Say in words where every sleeping task waits."""
    m = kernel.machine
    asleep = [t for t in kernel.tasks() if t.state and not t.exit_state and t.mm]
    return ", ".join(f"task {t.pid} in {wchan(m, t)}" for t in asleep) or "no task sleeps"
