"""kernel/time/hrtimer.c @ v5.10.188: sleeping for a time.

When nothing can run, virtual time jumps to the first timer's expiry.  Left out: other clocks,
slack (a timer may fire a little later, so that the CPU wakes once for several).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import rbtree, sched, uaccess
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.asm import errno
from kernelsim.kernel.sched import core, wait
from kernelsim.kernel.time import timekeeping
from kernelsim.lib import rbtree as lib_rbtree
from kernelsim.machine import machine
from kernelsim.machine.ctype import ptr, u64
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

KTIME_MAX = (1 << 63) - 1

__all__ = [
    "hrtimer_cancel",
    "hrtimer_get_next_event",
    "hrtimer_init_sleeper",
    "hrtimer_interrupt",
    "hrtimer_nanosleep_restart",
    "hrtimer_run_queues",
    "hrtimer_sleeper",
    "hrtimer_sleeper_start_expires",
    "hrtimers_init",
    "schedule_hrtimeout_range",
    "sys_nanosleep",
]


class hrtimer_sleeper(Struct):
    """A timer, and the task that it wakes; it lies on that task's kernel stack."""

    node = rbtree.rb_node
    expires = u64
    task = ptr("task_struct")


def hrtimers_init(m: Machine) -> None:
    """Lay down the queue of timers, ordered by expiry."""
    m.define("hrtimer_bases", rbtree.rb_root_cached)


def _enqueue(m: Machine, timer: Any) -> None:
    root, expires = m.symbol("hrtimer_bases"), timer.expires
    link, parent, leftmost = root.address_, rbtree.rb_node(m, 0), True
    node = root.rb_root.rb_node
    while node:
        parent = node
        if expires < hrtimer_sleeper(m, node.address_).expires:
            link, node = node.address_of_("rb_left"), node.rb_left
        else:
            link, node, leftmost = node.address_of_("rb_right"), node.rb_right, False
    rbtree.rb_link_node(timer.node, parent, link)
    lib_rbtree.rb_insert_color_cached(timer.node, root, leftmost)


def hrtimer_init_sleeper(m: Machine, sl: Any, expires: int) -> None:
    """Make `sl` (struct hrtimer_sleeper *) one that wakes the running task at `expires` (ktime_t)."""
    rbtree.RB_CLEAR_NODE(sl.node)
    sl.expires, sl.task = expires, m.current


def hrtimer_sleeper_start_expires(m: Machine, sl: Any) -> None:
    """Let `sl` (struct hrtimer_sleeper *) run; one that is running already goes on."""
    if rbtree.RB_EMPTY_NODE(sl.node):
        _enqueue(m, sl)


def hrtimer_cancel(m: Machine, timer: Any) -> int:
    """Stop `timer` (struct hrtimer_sleeper *); 1 if it was running, 0 if not yet or no longer."""
    if not timer.task or rbtree.RB_EMPTY_NODE(timer.node):
        return 0
    lib_rbtree.rb_erase_cached(timer.node, m.symbol("hrtimer_bases"))
    return 1


def hrtimer_interrupt(m: Machine) -> bool:
    """Let time pass until the first timer and wake its task; False if there is no timer."""
    root = m.symbol("hrtimer_bases")
    first = rbtree.rb_first_cached(root)
    if not first:
        return False
    timer = hrtimer_sleeper(m, first.address_)
    timekeeping.update_wall_time(m, max(0, timer.expires - timekeeping.ktime_get_ns(m)))
    lib_rbtree.rb_erase_cached(timer.node, root)
    task = task_struct(m, timer.task.address_)
    timer.task = None
    core.wake_up_process(m, task)
    return True


def hrtimer_get_next_event(m: Machine) -> int:
    """Return when (u64, ns) the first timer expires, KTIME_MAX if there is none."""
    first = rbtree.rb_first_cached(m.symbol("hrtimer_bases"))
    expires: int = hrtimer_sleeper(m, first.address_).expires if first else KTIME_MAX
    return expires


def hrtimer_run_queues(m: Machine) -> None:
    """Wake the tasks whose timers have expired, while somebody else runs."""
    while hrtimer_get_next_event(m) <= timekeeping.ktime_get_ns(m):
        hrtimer_interrupt(m)


_NSEC = 1_000_000_000
_RMTP, _EXPIRES = 1, 2  # restart_block.nanosleep.rmtp and .expires, as words of their union


async def sys_nanosleep(m: Machine, seconds: int, nanoseconds: int, rmtp: Any = None) -> int:
    """nanosleep(2): 0, -EINVAL, -ERESTART_RESTARTBLOCK, which a handler turns into -EINTR.

    What is left of the time goes to the place `rmtp`, as (seconds, nanoseconds).
    """
    if seconds < 0 or not 0 <= nanoseconds < 1_000_000_000:
        return -errno.EINVAL
    m.current.restart_block.data[_RMTP] = uaccess.user_address(m, rmtp)
    return await _sleep_until(m, timekeeping.ktime_get_ns(m) + seconds * _NSEC + nanoseconds)


async def hrtimer_nanosleep_restart(m: Machine, restart: Any) -> int:
    """Go on sleeping, until the same time, as `restart` (struct restart_block *) says."""
    return await _sleep_until(m, restart.data[_EXPIRES])


def _start(m: Machine, expires: int) -> Any:
    # A timer on the kernel stack that wakes the running task.
    timer = wait.stack_push(m, hrtimer_sleeper)
    hrtimer_init_sleeper(m, timer, expires)
    hrtimer_sleeper_start_expires(m, timer)
    return timer


async def _sleep_until(m: Machine, expires: int) -> int:
    # do_nanosleep(), and what it leaves in restart_block.
    current = m.current
    timer = _start(m, expires)
    while timer.task and not sched_signal.signal_pending(current):
        current.state = sched.TASK_INTERRUPTIBLE
        await core.schedule(m)
    interrupted = bool(timer.task)
    if interrupted:
        lib_rbtree.rb_erase_cached(timer.node, m.symbol("hrtimer_bases"))
        current.restart_block.data[_EXPIRES] = expires
        current.restart_block.fn = machine.text_address("hrtimer_nanosleep_restart")
        left = max(expires - timekeeping.ktime_get_ns(m), 0)
        if current.restart_block.data[_RMTP]:
            uaccess.put_user(m, divmod(left, _NSEC), current.restart_block.data[_RMTP])
    wait.stack_pop(m, hrtimer_sleeper)
    current.state = sched.TASK_RUNNING
    return -errno.ERESTART_RESTARTBLOCK if interrupted else 0


async def schedule_hrtimeout_range(m: Machine, expires: int | None) -> int:
    """Sleep in the state that the caller has set, until `expires` (ktime_t) at most; None: for ever.

    Returns 0 when the time is over, -EINTR when somebody woke the task before.
    """
    if expires is None:
        await core.schedule(m)
        return -errno.EINTR
    current = m.current
    if not expires:
        current.state = sched.TASK_RUNNING
        return 0
    timer = _start(m, expires)
    await core.schedule(m)
    early = bool(timer.task)
    if early:  # hrtimer_cancel()
        lib_rbtree.rb_erase_cached(timer.node, m.symbol("hrtimer_bases"))
    wait.stack_pop(m, hrtimer_sleeper)
    current.state = sched.TASK_RUNNING
    return -errno.EINTR if early else 0
