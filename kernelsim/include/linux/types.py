"""include/linux/types.h @ v5.10.188: the list heads and the small types that everything embeds.

Left out: everything that is only a name for an integer; see `kernelsim.machine.ctype`.
"""

from __future__ import annotations

from kernelsim.machine.ctype import func, ptr, s32, u32, ulong
from kernelsim.machine.ref import Struct

__all__ = [
    "atomic_t",
    "callback_head",
    "gfp_t",
    "hlist_head",
    "hlist_node",
    "list_head",
    "pid_t",
    "refcount_t",
    "size_t",
    "spinlock_t",
]

pid_t = s32.named("pid_t")
gfp_t = u32.named("gfp_t")
size_t = ulong.named("size_t")
refcount_t = u32.named("refcount_t")  # struct { atomic_t refs; }: one word, so we show the word
atomic_t = s32.named("atomic_t")
spinlock_t = u32.named("spinlock_t")  # the qspinlock's word; 0 = unlocked


class list_head(Struct):
    """A node, and the head, of a circular doubly linked list."""

    next = ptr("list_head")
    prev = ptr("list_head")


class hlist_head(Struct):
    """The head of a hash list: one pointer."""

    first = ptr("hlist_node")


class hlist_node(Struct):
    """A node of a hash list; `pprev` points to the pointer that points here."""

    next = ptr("hlist_node")
    pprev = ptr(ptr("hlist_node"))


class callback_head(Struct):
    """A callback to run later; rcu_head is the same struct."""

    next = ptr("callback_head")
    func = ptr(func)
