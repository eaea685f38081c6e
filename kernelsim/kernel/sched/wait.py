"""kernel/sched/wait.c, completion.c @ v5.10.188: waiting for something, and waking who waits.

A waiter's entry lies on its kernel stack (`stack_push`), as in Linux.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import sched
from kernelsim.include.linux import wait as wait_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.kernel.sched import core
from kernelsim.machine import machine

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "__wake_up",
    "add_wait_queue",
    "autoremove_wake_function",
    "complete",
    "default_wake_function",
    "finish_wait",
    "init_completion",
    "init_wait",
    "init_waitqueue_func_entry",
    "init_waitqueue_head",
    "prepare_to_wait",
    "prepare_to_wait_exclusive",
    "remove_wait_queue",
    "stack_pop",
    "stack_push",
    "wait_for_completion",
]

# Stores of several members at once, for what happens at every fork, switch or wait.
_set_flags_private = wait_h.wait_queue_entry.store_("flags", "private", "func")
_set_head = wait_h.wait_queue_head.store_("head.next", "head.prev")
_HEAD = wait_h.wait_queue_head.offsetof_("head")


def stack_push(m: Machine, t: Any) -> Any:
    """Make room for a local variable of type `t` on the running task's kernel stack; return it."""
    size = -(-t.sizeof_ // 16) * 16
    return t.ref_(m, _sp(m.current, -size))


def stack_pop(m: Machine, t: Any) -> None:
    """Take the last local variable, of type `t`, off the running task's kernel stack."""
    _sp(m.current, -(-t.sizeof_ // 16) * 16)


_sp = sched.task_struct.add_("thread.sp")


def init_waitqueue_head(wq_head: Any) -> None:
    """Make `wq_head` (struct wait_queue_head *) empty."""
    head = wq_head.address_ + _HEAD
    _set_head(wq_head, head, head)


def init_waitqueue_func_entry(wq_entry: Any, private: Any, function: int) -> None:
    """Make `wq_entry` (struct wait_queue_entry *) the waiter `private`, woken by `function`."""
    _set_flags_private(wq_entry, 0, private, function)


def add_wait_queue(wq_head: Any, wq_entry: Any) -> None:
    """Put a waiter at the head of the queue."""
    wq_entry.flags &= ~wait_h.WQ_FLAG_EXCLUSIVE
    lists.list_add(wq_entry.entry, wq_head.head)


def remove_wait_queue(wq_head: Any, wq_entry: Any) -> None:
    """Take a waiter off the queue."""
    lists.list_del(wq_entry.entry)


def prepare_to_wait(m: Machine, wq_head: Any, wq_entry: Any, state: int) -> None:
    """Join the queue, if not yet on it, and be in `state` (int) from now on."""
    entry = wq_entry.entry
    if entry.next.address_ == entry.address_:
        lists.list_add(entry, wq_head.head)
    m.current.state = state


def prepare_to_wait_exclusive(m: Machine, wq_head: Any, wq_entry: Any, state: int) -> None:
    """Join the end of the queue as one of whom only some are woken, and be in `state` (int) from now on."""
    wq_entry.flags |= wait_h.WQ_FLAG_EXCLUSIVE
    entry = wq_entry.entry
    if entry.next.address_ == entry.address_:
        lists.list_add_tail(entry, wq_head.head)
    m.current.state = state


def finish_wait(m: Machine, wq_head: Any, wq_entry: Any) -> None:
    """Be running again, and off the queue."""
    m.current.state = sched.TASK_RUNNING
    entry = wq_entry.entry
    if entry.next.address_ != entry.address_:
        lists.list_del_init(entry)


def init_wait(m: Machine, wq_entry: Any) -> None:
    """Make `wq_entry` the running task's, to leave the queue by itself when woken (DEFINE_WAIT)."""
    init_waitqueue_func_entry(wq_entry, m.current, machine.text_address("autoremove_wake_function"))
    entry = wq_entry.entry
    entry.next = entry.prev = entry


def default_wake_function(m: Machine, wq_entry: Any, mode: int, flags: int, key: Any) -> int:
    """Wake the waiter's task if it sleeps in one of the states `mode`; return whether it did."""
    return core.try_to_wake_up(m, sched.task_struct(m, wq_entry.private), mode, flags)


def autoremove_wake_function(m: Machine, wq_entry: Any, mode: int, flags: int, key: Any) -> int:
    """Wake the waiter and take it off the queue."""
    woken = default_wake_function(m, wq_entry, mode, flags, key)
    if woken:
        lists.list_del_init(wq_entry.entry)
    return woken


def __wake_up(m: Machine, wq_head: Any, mode: int, nr_exclusive: int, key: Any) -> None:
    """Wake the waiters of `wq_head`: all that are not exclusive, `nr_exclusive` that are."""
    head = wq_head.head
    if head.next.address_ == head.address_:
        return
    for curr in list(lists.list_for_each_entry(wait_h.wait_queue_entry, wq_head.head, "entry")):
        flags = curr.flags
        woken = m.call(curr.func, curr, mode, 0, key)
        if woken and flags & wait_h.WQ_FLAG_EXCLUSIVE:
            nr_exclusive -= 1
            if not nr_exclusive:
                return


def init_completion(x: Any) -> None:
    """Make `x` (struct completion *) not done yet."""
    x.done = 0
    init_waitqueue_head(x.wait)


def complete(m: Machine, x: Any) -> None:
    """Say that `x` (struct completion *) is done once more, and wake one waiter."""
    x.done += 1
    __wake_up(m, x.wait, sched.TASK_NORMAL | sched.TASK_WAKEKILL, 1, None)


async def wait_for_completion(m: Machine, x: Any, state: int = sched.TASK_UNINTERRUPTIBLE) -> int:
    """Wait in `state` (int) until `x` (struct completion *) is done; 0, or 1 if a signal came first."""
    current = m.current
    interrupted = 0
    if not x.done:
        wait = stack_push(m, wait_h.wait_queue_entry)
        init_wait(m, wait)
        wait.flags = wait_h.WQ_FLAG_EXCLUSIVE
        lists.list_add_tail(wait.entry, x.wait.head)
        while not x.done:
            if sched_signal.signal_pending_state(state, current):
                interrupted = 1
                break
            current.state = state
            await core.schedule(m)
            if not x.done and wait.entry.next.address_ == wait.entry.address_:
                lists.list_add_tail(wait.entry, x.wait.head)
        finish_wait(m, x.wait, wait)
        stack_pop(m, wait_h.wait_queue_entry)
    if not interrupted:
        x.done -= 1
    return interrupted
