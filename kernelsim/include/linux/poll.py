"""include/linux/poll.h, uapi/asm-generic/poll.h @ v5.10.188: waiting for several files at once.

A file's `poll` says what can be done with it at once, and on which queues one would have to wait.
Left out: mangle_poll(), which changes nothing on x86-64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux.wait import wait_queue_entry
from kernelsim.include.uapi.linux import eventpoll
from kernelsim.machine.ctype import array, func, ptr, s32, u16, u32
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "DEFAULT_POLLMASK",
    "N_INLINE_POLL_ENTRIES",
    "POLL_STACK_ALLOC",
    "init_poll_funcptr",
    "poll_table_entry",
    "poll_table_struct",
    "poll_wait",
    "poll_wqueues",
    "pollfd",
    "vfs_poll",
]

MAX_STACK_ALLOC = 832
POLL_STACK_ALLOC = SELECT_STACK_ALLOC = 256
WQUEUES_STACK_ALLOC = MAX_STACK_ALLOC - POLL_STACK_ALLOC

DEFAULT_POLLMASK = (
    eventpoll.EPOLLIN | eventpoll.EPOLLOUT | eventpoll.EPOLLRDNORM | eventpoll.EPOLLWRNORM
)
poll_t = u32.named("__poll_t")


class pollfd(Struct):
    """What a program asks of one descriptor, and the answer."""

    fd = s32
    events = u16.named("short")
    revents = u16.named("short")


class poll_table_struct(Struct):
    """What a file's `poll` gets: how to wait (NULL: not at all), and for what."""

    _qproc = ptr(func)  # void (*)(struct file *, wait_queue_head_t *, poll_table *)
    _key = poll_t


class poll_table_entry(Struct):
    """One waiter on one queue of one file."""

    filp = ptr("file")
    key = poll_t
    wait = wait_queue_entry
    wait_address = ptr("wait_queue_head")


N_INLINE_POLL_ENTRIES = WQUEUES_STACK_ALLOC // poll_table_entry.sizeof_


class poll_wqueues(Struct):
    """All waiters of one poll(2) or select(2); it lies on the caller's kernel stack."""

    pt = poll_table_struct
    table = ptr("poll_table_page")
    polling_task = ptr("task_struct")
    triggered = s32
    error = s32
    inline_index = s32
    inline_entries = array(poll_table_entry, N_INLINE_POLL_ENTRIES)


def init_poll_funcptr(pt: Any, qproc: int) -> None:
    """Let `pt` (poll_table *) wait by `qproc`, for everything."""
    pt._qproc, pt._key = qproc, 0xFFFF_FFFF


def poll_wait(m: Machine, filp: Any, wait_address: Any, p: Any) -> None:
    """Wait on the queue `wait_address` (wait_queue_head_t *) of `filp`, if `p` (poll_table *) waits."""
    if p._qproc and wait_address:
        m.call(p._qproc, filp, wait_address, p)


def vfs_poll(m: Machine, file: Any, pt: Any) -> int:
    """Return what can be done with `file` (struct file *) at once, EPOLL*; a file with no `poll` never waits."""
    poll = file.f_op.poll
    return int(m.call(poll, file, pt)) if poll else DEFAULT_POLLMASK
