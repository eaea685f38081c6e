"""include/linux/sched/task.h @ v5.10.188: the arguments of kernel_clone()."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["kernel_clone_args"]


@dataclass(slots=True)
class kernel_clone_args:
    """struct kernel_clone_args: it lives on the caller's stack and nothing points to it."""

    flags: int = 0  # u64
    pidfd: Any = None  # int __user *
    child_tid: int = 0  # int __user *
    parent_tid: int = 0  # int __user *
    exit_signal: int = 0  # int
    stack: int = 0  # unsigned long; a kernel thread's function
    stack_size: int = 0  # unsigned long; a kernel thread's argument
    tls: int = 0  # unsigned long
    set_tid: tuple[int, ...] = ()  # pid_t *, size_t set_tid_size
    user: Any = None  # ours: what the child runs in user mode (docs/adr, program model)
