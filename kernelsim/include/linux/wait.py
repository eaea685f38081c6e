"""include/linux/wait.h, completion.h, swait.h @ v5.10.188: queues that tasks wait on.

Left out: swait queues; a completion's queue is an ordinary one here.
"""

from __future__ import annotations

from kernelsim.include.linux.types import list_head, spinlock_t
from kernelsim.machine.ctype import func, ptr, u32, void
from kernelsim.machine.ref import Struct

__all__ = ["WQ_FLAG_EXCLUSIVE", "completion", "wait_queue_entry", "wait_queue_head"]

WQ_FLAG_EXCLUSIVE = 0x01


class wait_queue_head(Struct):
    """The head of a queue of waiters."""

    lock = spinlock_t
    head = list_head


class wait_queue_entry(Struct):
    """One waiter; it lies on the kernel stack of the task that waits."""

    flags = u32
    private = ptr(void)  # the task
    func = ptr(func)  # int (*)(wait_queue_entry *, unsigned mode, int flags, void *key)
    entry = list_head


class completion(Struct):
    """Something that will be done once."""

    done = u32
    wait = wait_queue_head
