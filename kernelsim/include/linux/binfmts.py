"""include/linux/binfmts.h @ v5.10.188: what execve(2) gathers of the new program before it begins.

In Linux this stands on the kernel's heap, and the strings on pages of the new stack; here it lives
only as long as the call, outside of the machine's memory.
"""

from __future__ import annotations

import dataclasses
from typing import Any

__all__ = ["MAX_ARG_STRINGS", "MAX_ARG_STRLEN", "linux_binprm"]

MAX_ARG_STRLEN = 131072
MAX_ARG_STRINGS = 0x7FFF_FFFF


@dataclasses.dataclass(slots=True)
class linux_binprm:
    """The program, its new address space and its arguments."""

    filename: str | bytes
    mm: Any  # struct mm_struct *; None once the task has it
    p: int  # the top of the strings, unsigned long
    cred: Any = None  # struct cred *; None once the task has them
    argmin: int = 0  # how low it may come
    argc: int = 0
    envc: int = 0
    exec: int = 0  # where the file's name stands
    point_of_no_return: bool = False
    argv: list[bytes] = dataclasses.field(default_factory=list)
    envp: list[bytes] = dataclasses.field(default_factory=list)
