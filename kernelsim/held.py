"""A reference to a struct pid, taken and dropped as kernel code does that remembers a process.

    held = k.get_pid(300)     # find_get_pid(): the struct pid that has the number now; count + 1
    held.pid, held.task()     # struct pid *; the task that uses it as its PID, or NULL
    held.put()                # put_pid(): count - 1, and at 0 it is freed

A pidfd, an open file below /proc/PID, a terminal with its foreground group hold such references.
Nothing here stops who drops one that is not his.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from kernelsim.kernel import pid as kernel_pid

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TYPES", "Held"]

TYPES = ("PID", "TGID", "PGID", "SID")
"""What a struct pid can be to a task, in the order of ``enum pid_type``."""


class Held:
    """One reference to the struct pid that has a number when the reference is taken.

    :param k: a Kernel.  :param number: in the initial namespace.
    :raises OSError: ESRCH, no struct pid has the number.
    """

    def __init__(self, k: Any, number: int) -> None:
        self.machine = m = k.machine
        self.note: Callable[[str, tuple[Any, ...]], None] = lambda name, args: None
        found = kernel_pid.find_pid_ns(m, number, m.symbol("init_pid_ns"))
        if not found:
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        self.pid = kernel_pid.get_pid(found)

    def __repr__(self) -> str:
        return f"a reference to {self.pid!r}"

    def task(self, type: str = "PID") -> Any:
        """Return pid_task(): the first struct task_struct * that uses it as `type`, or NULL."""
        if type not in TYPES:
            raise ValueError(f"type is one of {', '.join(TYPES)}, not {type!r}")
        return kernel_pid.pid_task(self.pid, TYPES.index(type))

    def put(self) -> None:
        """Drop a reference: put_pid(). :raises Fault: the struct pid has been freed."""
        self.note("put", ())
        kernel_pid.put_pid(self.machine, self.pid)
