"""The kernel stack of a task: read off the chain of its suspended coroutines, or off the events before a time.

A coroutine knows its present only.  What a task was in at an earlier time are the functions that
it had entered until then and not left; a machine that records has them in its trace.
"""

from __future__ import annotations

import bisect
import collections
from array import array
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import sched
from kernelsim.kernel.trace import ftrace

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from kernelsim.machine.machine import Machine
    from kernelsim.machine.trace import Event

__all__ = ["SCHEDULER", "Inside", "kernel_stack", "past_stack", "proc_stack", "waiting", "wchan"]

SCHEDULER = {
    *("schedule", "__schedule", "context_switch", "preempt_schedule", "switch"),
    "schedule_hrtimeout_range",
}
"""The functions in the section .sched.text: in_sched_functions()."""

# Where a task comes from user mode, or from nowhere: below it nothing is on the stack.
_FIRST = {"entry_SYSCALL_64", "irqentry_exit_to_user_mode", "ret_from_fork"}


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
        elif frames and task.flags & sched.PF_KTHREAD:
            frames.append(name)  # it never is in user mode: this was loaded into the kernel
        elif frames and room not in ftrace.ROOMS:
            frames.clear()  # user mode lies between: what was before belongs to an earlier entry
        inner = inner.cr_await
    return frames[::-1]


def past_stack(m: Machine, pid: int, t: int) -> list[str]:
    """Return the functions that task `pid` had entered before time `t` and not left, innermost first.

    Empty for a task that was in user mode, or not there.
    """
    trace, frames = m.trace, list[str]()
    left: collections.Counter[str] = collections.Counter()
    points = reversed(trace.points(0, t))
    # Where it was born: who had the number before is somebody else.
    born = next((point for point in points if trace.fields[point].get("child_pid") == pid), -1)
    times = trace.times(pid)
    for place in range(bisect.bisect_left(times, t) - 1, bisect.bisect_right(times, born) - 1, -1):
        event = trace.event(times[place])
        if event.kind == "event":
            continue
        if event.kind == "exit":
            left[event.name] += 1
        elif left[event.name]:
            left[event.name] -= 1
        else:
            frames.append(event.name)
        if event.name in _FIRST and not left[event.name]:
            break
    return frames


class Inside:
    """Which function task `pid` was in at each time, the innermost but for those of `ignored`.

    It is read off the events once, and grows with them.
    """

    def __init__(self, m: Machine, pid: int, ignored: AbstractSet[str] = frozenset()) -> None:
        self.trace, self.pid, self.ignored = m.trace, pid, ignored
        self._open: list[tuple[str, int]] = []  # functions entered and not left, and when
        self._tops = array("q")  # after each event of the task: when the innermost was entered

    def after(self, t: int) -> str:
        """Return the function that the task was in after event `t`; "" in user mode, or before it began."""
        times = self.trace.times(self.pid)
        for when in times[len(self._tops) :]:
            self._read(self.trace.event(when))
            self._tops.append(self._open[-1][1] if self._open else -1)
        place = bisect.bisect_right(times, t) - 1
        entered = self._tops[place] if place >= 0 else -1
        return self.trace.event(entered).name if entered >= 0 else ""

    def _read(self, event: Event) -> None:
        name = event.name
        if event.kind == "event" or name in self.ignored:
            return
        if event.kind == "enter":
            self._open.append((name, event.t))
            return
        found = (i for i in range(len(self._open) - 1, -1, -1) if self._open[i][0] == name)
        if (place := next(found, None)) is not None:
            del self._open[place]


def proc_stack(frames: list[str]) -> str:
    """Return the text of /proc/PID/stack: the scheduler's own functions are left out, and the offsets."""
    shown = (_RETURNS.get(frame, frame) for frame in frames if frame not in SCHEDULER)
    return "".join(f"[<0>] {frame}\n" for frame in shown)


# The return address into the system call's entry lies behind a second label.
_RETURNS = {"entry_SYSCALL_64": "entry_SYSCALL_64_after_hwframe"}


def wchan(m: Machine, task: sched.task_struct) -> str:
    """Return the function that `task` sleeps in, "0" if it does not sleep: /proc/PID/wchan."""
    if not task.state:
        return "0"
    return next((f for f in kernel_stack(m, task) if f not in SCHEDULER), "0")


def waiting(kernel: Any) -> str:
    """Say in words where every sleeping task waits."""
    m = kernel.machine
    asleep = [t for t in kernel.tasks() if t.state and not t.exit_state and t.mm]
    return ", ".join(f"task {t.pid} in {wchan(m, t)}" for t in asleep) or "no task sleeps"
