"""include/linux/sched/coredump.h @ v5.10.188: whether others of the same user may look into a process."""

from __future__ import annotations

from typing import Any

__all__ = ["SUID_DUMP_DISABLE", "SUID_DUMP_ROOT", "SUID_DUMP_USER", "get_dumpable"]

SUID_DUMP_DISABLE, SUID_DUMP_USER, SUID_DUMP_ROOT = range(3)
MMF_DUMPABLE_MASK = 3
MMF_DUMP_FILTER_DEFAULT = (
    1 << 2 | 1 << 3 | 1 << 6 | 1 << 7
)  # anonymous memory, ELF headers, huge pages


def get_dumpable(mm: Any) -> int:
    """Return SUID_DUMP_* of `mm` (struct mm_struct *)."""
    flags: int = mm.flags
    return flags & MMF_DUMPABLE_MASK


def _set_dumpable(mm: Any, value: int) -> None:
    # fs/exec.c has it; here it lies below whoever needs it.
    mm.flags = mm.flags & ~MMF_DUMPABLE_MASK | value
