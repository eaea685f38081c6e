"""include/linux/futex.h @ v5.10.188: what a futex is known by, and how far a task has let go of its own.

Left out: futexes with priority inheritance, 32-bit programs.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.ctype import ptr, u32, u64, ulong, union
from kernelsim.machine.ref import Struct

__all__ = [
    "FUTEX_STATE_DEAD",
    "FUTEX_STATE_EXITING",
    "FUTEX_STATE_OK",
    "FUT_OFF_INODE",
    "FUT_OFF_MMSHARED",
    "futex_init_task",
    "futex_key",
]

FUT_OFF_INODE = 1
FUT_OFF_MMSHARED = 2
FUTEX_STATE_OK, FUTEX_STATE_EXITING, FUTEX_STATE_DEAD = range(3)


class futex_key(Struct):
    """union futex_key: three words with three sets of names (private, shared, both)."""

    first = union(mm=ptr("mm_struct"), i_seq=u64)
    mm: Any
    second = union(address=ulong, pgoff=ulong, word=ulong)
    word: Any
    offset = u32


_set_futex = task_struct.store_("robust_list", "futex_state")


def futex_init_task(tsk: Any) -> None:
    """Let `tsk` (struct task_struct *) hold no robust futexes."""
    _set_futex(tsk, 0, FUTEX_STATE_OK)
