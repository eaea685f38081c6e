"""include/linux/thread_info.h @ v5.10.188: how an interrupted system call says how it goes on.

Left out: the flags' own functions; TIF_* are in `sched`.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import errno

__all__ = ["set_restart_fn"]


def set_restart_fn(restart: Any, fn: int) -> int:
    """Let restart_syscall(2) call `fn` (long (*)(struct restart_block *)); -ERESTART_RESTARTBLOCK."""
    restart.fn = fn
    return -errno.ERESTART_RESTARTBLOCK
