"""include/linux/poison.h @ v5.10.188: values that say "nobody may use this".

Left out: the poison of subsystems that are not here (timers, page poisoning, mutexes, keys).
"""

from __future__ import annotations

__all__ = [
    "LIST_POISON1",
    "LIST_POISON2",
    "POISON_END",
    "POISON_FREE",
    "POISON_INUSE",
    "POISON_POINTER_DELTA",
]

POISON_POINTER_DELTA = 0xDEAD_0000_0000_0000  # x86-64: an address that never is one

LIST_POISON1 = POISON_POINTER_DELTA + 0x100  # next of a deleted list entry
LIST_POISON2 = POISON_POINTER_DELTA + 0x122  # prev or pprev of a deleted list entry

POISON_INUSE = 0x5A
POISON_FREE = 0x6B
POISON_END = 0xA5
