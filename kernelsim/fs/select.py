"""fs/select.c @ v5.10.188: poll(2), ppoll(2): one task on many queues, woken by the first.

Left out: busy polling of network devices, the slack of timeouts; a timeout is one number of
nanoseconds (ktime_t) where Linux has a struct timespec64, 0 for "do not wait", None for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.fs import file_table
from kernelsim.include.linux import poll as poll_h
from kernelsim.include.linux import sched, slab, thread_info, uaccess
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import eventpoll, resource
from kernelsim.kernel import signal
from kernelsim.kernel.sched import wait
from kernelsim.kernel.time import hrtimer, timekeeping
from kernelsim.machine import machine
from kernelsim.machine.ctype import array, ptr, s32
from kernelsim.machine.memory import PAGE_SIZE
from kernelsim.machine.ref import Struct, container_of
from kernelsim.mm import page_alloc, slub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.machine import Machine

__all__ = [
    "do_poll",
    "do_restart_poll",
    "do_sys_poll",
    "poll_freewait",
    "poll_get_entry",
    "poll_initwait",
    "poll_list",
    "poll_schedule_timeout",
    "poll_select_set_timeout",
    "poll_table_page",
    "pollwake",
    "stack_pps",
    "sys_poll",
    "sys_ppoll",
]

NSEC_PER_MSEC, NSEC_PER_SEC = 1_000_000, 1_000_000_000
KTIME_MAX = (1 << 63) - 1


class poll_table_page(Struct):
    """A page of waiters, for those that do not fit into poll_wqueues."""

    next = ptr("poll_table_page")
    entry = ptr("poll_table_entry")  # the first free one
    entries = array(poll_h.poll_table_entry, 0, flexible=True)


class poll_list(Struct):
    """Some of the descriptors asked for, as copied from the program."""

    next = ptr("poll_list")
    len = s32
    entries = array(poll_h.pollfd, 0, flexible=True)


N_STACK_PPS = (poll_h.POLL_STACK_ALLOC - poll_list.sizeof_) // poll_h.pollfd.sizeof_
POLLFD_PER_PAGE = (PAGE_SIZE - poll_list.sizeof_) // poll_h.pollfd.sizeof_


class stack_pps(Struct):
    """The first of these lists, on the kernel stack; a local array in Linux."""

    head = poll_list
    room = array(poll_h.pollfd, N_STACK_PPS)


# --- the waiters ---------------------------------------------------------------------------


def poll_initwait(m: Machine, pwq: Any) -> None:
    """Make `pwq` (struct poll_wqueues *) empty, the running task's."""
    poll_h.init_poll_funcptr(pwq.pt, machine.text_address("__pollwait"))
    pwq.polling_task = m.current
    pwq.triggered = pwq.error = pwq.inline_index = 0
    pwq.table = None


def _free_poll_entry(m: Machine, entry: Any) -> None:
    wait.remove_wait_queue(entry.wait_address, entry.wait)
    file_table.fput(m, entry.filp)


def poll_freewait(m: Machine, pwq: Any) -> None:
    """Wait for nothing any more: leave all queues, drop all files, free the pages."""
    for i in range(pwq.inline_index):
        _free_poll_entry(m, pwq.inline_entries[i])
    page = pwq.table
    while page:
        entry, first = page.entry, page.address_of_("entries")
        while entry.address_ > first:
            entry -= 1
            _free_poll_entry(m, entry)
        page, old = page.next, page
        page_alloc.free_pages(m, old.address_, 0)


def poll_get_entry(m: Machine, p: Any) -> Any:
    """Return room for one more waiter (struct poll_table_entry *) in `p`, NULL if there is no memory."""
    i = p.inline_index
    if i < poll_h.N_INLINE_POLL_ENTRIES:
        p.inline_index = i + 1
        return p.inline_entries[i]
    table = p.table
    if not table or table.entry.address_ + _ENTRY > PAGE_SIZE + table.address_:  # POLL_TABLE_FULL
        new = poll_table_page(m, page_alloc.alloc_pages(m, slab.GFP_KERNEL, 0))
        if not new:
            p.error = -errno.ENOMEM
            return poll_h.poll_table_entry(m, 0)
        new.entry = new.address_of_("entries")
        new.next = table
        p.table = table = new
    entry = table.entry
    table.entry = entry + 1
    return entry


_ENTRY = poll_h.poll_table_entry.sizeof_


def __pollwake(m: Machine, wq_entry: Any, mode: int, sync: int, key: Any) -> int:
    pwq = poll_h.poll_wqueues(m, wq_entry.private)
    pwq.triggered = 1
    dummy_wait = wait.stack_push(m, type(wq_entry))
    wait.init_waitqueue_func_entry(
        dummy_wait, pwq.polling_task, machine.text_address("default_wake_function")
    )
    woken = wait.default_wake_function(m, dummy_wait, mode, sync, key)
    wait.stack_pop(m, type(wq_entry))
    return woken


def pollwake(m: Machine, wq_entry: Any, mode: int, sync: int, key: Any) -> int:
    """Wake the task that polls, if `key` (EPOLL*, 0 or None: anything) has something that it asks for."""
    entry = container_of(wq_entry, poll_h.poll_table_entry, "wait")
    if key and not key & entry.key:
        return 0
    return __pollwake(m, wq_entry, mode, sync, key)


def __pollwait(m: Machine, filp: Any, wait_address: Any, p: Any) -> None:
    # The poll_table's _qproc: join one more queue.
    pwq = container_of(p, poll_h.poll_wqueues, "pt")
    entry = poll_get_entry(m, pwq)
    if not entry:
        return
    entry.filp = file_table.get_file(filp)
    entry.wait_address = wait_address
    entry.key = p._key
    wait.init_waitqueue_func_entry(entry.wait, pwq, machine.text_address("pollwake"))
    wait.add_wait_queue(wait_address, entry.wait)


async def poll_schedule_timeout(m: Machine, pwq: Any, state: int, expires: int | None) -> int:
    """Sleep in `state` until woken, or until `expires` (ktime_t): 0 if the time is over, else -EINTR."""
    rc = -errno.EINTR
    m.current.state = state
    if not pwq.triggered:
        rc = await hrtimer.schedule_hrtimeout_range(m, expires)
    m.current.state = sched.TASK_RUNNING
    pwq.triggered = 0
    return rc


# --- how long ------------------------------------------------------------------------------


def poll_select_set_timeout(m: Machine, sec: int, nsec: int) -> int:
    """Return when `sec` (time64_t) and `nsec` (long) from now are over, 0 for at once; -EINVAL."""
    if sec < 0 or not 0 <= nsec < NSEC_PER_SEC:
        return -errno.EINVAL
    if not sec and not nsec:
        return 0
    return min(timekeeping.ktime_get_ns(m) + sec * NSEC_PER_SEC + nsec, KTIME_MAX)


def _poll_select_finish(m: Machine, end_time: int | None, p: Any, ret: int) -> int:
    # The mask as before, and what is left of the time to the place `p`.
    current = m.current
    if ret != -errno.ERESTARTNOHAND and current.restore_sigmask:  # else get_signal() needs the mask
        current.restore_sigmask = 0
        signal.set_current_blocked(m, current.saved_sigmask)
    if p and end_time:
        left = max(end_time - timekeeping.ktime_get_ns(m), 0)
        uaccess.put_user(m, divmod(left, NSEC_PER_SEC), p)
    return ret


# --- poll ----------------------------------------------------------------------------------


def _walk(head: Any) -> Iterator[Any]:
    # The struct pollfds of all lists.
    walk = head
    while walk:
        first = poll_h.pollfd(head.machine_, walk.address_of_("entries"))
        for i in range(walk.len):
            yield first + i
        walk = walk.next


def _do_pollfd(m: Machine, pfd: Any, pwait: Any) -> int:
    # What is there for one descriptor; joins its file's queues, unless `pwait` waits no more.
    fd, mask = pfd.fd, 0
    if fd >= 0:
        mask = eventpoll.EPOLLNVAL
        f = fs_file.fdget(m, fd)
        if f.file:
            filter_ = pfd.events | eventpoll.EPOLLERR | eventpoll.EPOLLHUP
            pwait._key = filter_
            mask = poll_h.vfs_poll(m, f.file, pwait) & filter_
            fs_file.fdput(m, f)
    pfd.revents = mask
    return mask


async def do_poll(m: Machine, head: Any, table: Any, end_time: int | None) -> int:
    """Look, sleep, look again, until there is something (how many), the time is over (0), or a signal.

    `head` (struct poll_list *) has the descriptors, `table` (struct poll_wqueues *) the waiters.
    Returns -ERESTARTNOHAND for a signal, -ENOMEM.
    """
    pt = table.pt
    timed_out = end_time == 0
    if timed_out:
        pt._qproc = 0
    while True:
        count = 0
        for pfd in _walk(head):
            if _do_pollfd(m, pfd, pt):
                count += 1
                pt._qproc = 0  # found something: no need to wait on the others
        pt._qproc = 0  # all are waited for now
        if not count:
            count = table.error
            if sched_signal.signal_pending(m.current):
                count = -errno.ERESTARTNOHAND
        if count or timed_out:
            return count
        timed_out = not await poll_schedule_timeout(m, table, sched.TASK_INTERRUPTIBLE, end_time)


def _copy_pollfds(m: Machine, head: Any, ufds: Any, nfds: int) -> int:
    # From the program into lists: what fits on the stack, then a page each.  0, -EFAULT or -ENOMEM.
    asked = uaccess.get_user(m, ufds) if nfds else ()
    walk, done, length = head, 0, min(nfds, N_STACK_PPS)
    walk.next = None
    while True:
        walk.len = length
        if not length:
            return 0
        if asked is None or isinstance(asked, int) or len(asked) < done + length:
            return -errno.EFAULT
        first = poll_h.pollfd(m, walk.address_of_("entries"))
        for i, (fd, events, *_) in enumerate(asked[done : done + length]):
            pfd = first + i
            pfd.fd, pfd.events = fd, events & 0xFFFF
        done += length
        if done == nfds:
            return 0
        length = min(nfds - done, POLLFD_PER_PAGE)
        size = poll_list.sizeof_ + length * poll_h.pollfd.sizeof_
        walk.next = slub.kmalloc(m, size, slab.GFP_KERNEL)
        walk = walk.next
        if not walk:
            return -errno.ENOMEM


def _free_lists(m: Machine, head: Any) -> None:
    walk = head.next
    while walk:
        walk, pos = walk.next, walk
        slub.kfree(m, pos.address_)


async def do_sys_poll(m: Machine, ufds: Any, nfds: int, end_time: int | None) -> int:
    """Wait until one of `nfds` descriptors is as asked, or `end_time` (ktime_t); how many are.

    `ufds` is a place with (fd, events) for each, which gets (fd, events, revents).  Or -EINVAL for
    more than RLIMIT_NOFILE, -EFAULT, -ENOMEM, -ERESTARTNOHAND.
    """
    if nfds > m.current.signal.rlim[resource.RLIMIT_NOFILE].rlim_cur:
        return -errno.EINVAL
    head = wait.stack_push(m, stack_pps).head
    err = _copy_pollfds(m, head, ufds, nfds)
    if not err:
        table = wait.stack_push(m, poll_h.poll_wqueues)
        poll_initwait(m, table)
        fdcount = await do_poll(m, head, table, end_time)
        poll_freewait(m, table)
        wait.stack_pop(m, poll_h.poll_wqueues)
        found = [(pfd.fd, pfd.events, pfd.revents) for pfd in _walk(head)]
        err = (uaccess.put_user(m, found, ufds) if nfds else 0) or fdcount
    _free_lists(m, head)
    wait.stack_pop(m, stack_pps)
    return err


_UFDS, _COUNT, _SEC, _NSEC = range(4)  # restart_block.poll, as words of the union
_HAS_TIMEOUT = 32  # the bit of has_timeout in the word that nfds is in


async def do_restart_poll(m: Machine, restart_block: Any) -> int:
    """Go on with a poll that a signal without a handler has interrupted; as do_sys_poll."""
    data = restart_block.data
    count = data[_COUNT]
    end_time = data[_SEC] * NSEC_PER_SEC + data[_NSEC] if count >> _HAS_TIMEOUT else None
    ret = await do_sys_poll(m, data[_UFDS], count & 0xFFFF_FFFF, end_time)
    if ret == -errno.ERESTARTNOHAND:
        ret = thread_info.set_restart_fn(restart_block, machine.text_address("do_restart_poll"))
    return ret


async def sys_poll(m: Machine, ufds: Any, nfds: int, timeout_msecs: int) -> int:
    """poll(2): as do_sys_poll; for `timeout_msecs` (int, milliseconds) at most, negative: for ever."""
    nfds &= 0xFFFF_FFFF  # unsigned int
    end_time = None
    if timeout_msecs >= 0:
        sec, msec = divmod(timeout_msecs, 1000)
        end_time = poll_select_set_timeout(m, sec, msec * NSEC_PER_MSEC)
    ret = await do_sys_poll(m, ufds, nfds, end_time)
    if ret == -errno.ERESTARTNOHAND:
        restart_block = m.current.restart_block
        data = restart_block.data
        data[_UFDS] = uaccess.user_address(m, ufds)
        data[_COUNT] = nfds | (end_time is not None) << _HAS_TIMEOUT
        data[_SEC], data[_NSEC] = divmod(end_time or 0, NSEC_PER_SEC)
        ret = thread_info.set_restart_fn(restart_block, machine.text_address("do_restart_poll"))
    return ret


async def sys_ppoll(
    m: Machine, ufds: Any, nfds: int, tsp: Any, sigmask: int | None, sigsetsize: int
) -> int:
    """ppoll(2): as poll, with the mask `sigmask` (sigset_t; None: as it is) while it waits.

    `tsp` is a place with (seconds, nanoseconds), which gets what is left, or None: for ever.
    """
    nfds &= 0xFFFF_FFFF
    end_time = None
    if tsp:
        ts = uaccess.get_user(m, tsp)
        if ts is None:
            return -errno.EFAULT
        end_time = poll_select_set_timeout(m, *ts)
        if end_time < 0:
            return -errno.EINVAL
    ret = signal.set_user_sigmask(m, sigmask, sigsetsize)
    if ret:
        return ret
    ret = await do_sys_poll(m, ufds, nfds, end_time)
    return _poll_select_finish(m, end_time, tsp, ret)
