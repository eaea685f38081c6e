"""kernel/futex/core.c @ v5.10.188: sleeping until a word in user memory changes, and waking who sleeps so.

Up to 5.10.161 the file is kernel/futex.c.  Left out: futexes with priority inheritance (-ENOSYS),
words in files and in memory that processes share (docs/fidelity.md), 32-bit programs.  The buckets'
locks are never taken: there is one CPU and nothing sleeps under them.  A key that only a local
variable holds is a tuple of its three words, the tasks to wake are a list.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import futex as futex_h
from kernelsim.include.linux import jhash, plist, sched, uaccess
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.types import atomic_t, spinlock_t
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import futex as uapi
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel.sched import core, wait
from kernelsim.kernel.time import hrtimer, timekeeping
from kernelsim.lib import plist as lib_plist
from kernelsim.machine import machine
from kernelsim.machine.ctype import array, ptr, u32, u64, ulong
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "do_futex",
    "exit_robust_list",
    "futex_atomic_op_inuser",
    "futex_data",
    "futex_exec_release",
    "futex_exit_release",
    "futex_hash_bucket",
    "futex_init",
    "futex_q",
    "futex_requeue",
    "futex_wait",
    "futex_wait_queue_me",
    "futex_wait_restart",
    "futex_wait_setup",
    "futex_wake",
    "futex_wake_op",
    "get_futex_key",
    "handle_futex_death",
    "hash_futex",
    "hb_waiters_dec",
    "hb_waiters_inc",
    "hb_waiters_pending",
    "mark_wake_futex",
    "queue_lock",
    "queue_me",
    "queue_unlock",
    "requeue_futex",
    "sys_futex",
    "sys_get_robust_list",
    "sys_set_robust_list",
    "unqueue_me",
]

FLAGS_SHARED, FLAGS_CLOCKRT, FLAGS_HAS_TIMEOUT = 1, 2, 4
FUTEX_READ, FUTEX_WRITE = 0, 1
MAX_RT_PRIO = 100
PAGE_SIZE = 4096
ROBUST_LIST_HEAD_SIZE = 24
HASHSIZE = 256  # per CPU, and there is one
_U32 = 0xFFFF_FFFF
_NSEC = 1_000_000_000

_Key = tuple[int, int, int]


class futex_q(Struct):
    """One waiter: it lies on its kernel stack and hangs in a bucket."""

    list = plist.plist_node
    task = ptr("task_struct")
    lock_ptr = ptr(spinlock_t)  # NULL: it was woken
    key = futex_h.futex_key
    pi_state = ptr("futex_pi_state")
    rt_waiter = ptr("rt_mutex_waiter")
    requeue_pi_key = ptr("futex_key")
    bitset = u32


class futex_pi_state(Struct):
    """What priority inheritance would need."""


class rt_mutex_waiter(Struct):
    """What priority inheritance would need."""


class futex_hash_bucket(Struct):
    """Those who wait for the words that hash to this bucket; a cache line each."""

    waiters = atomic_t
    lock = spinlock_t
    chain = plist.plist_head
    padding = array(u64, 5)  # ____cacheline_aligned_in_smp


class futex_data(Struct):
    """Where the buckets are, and how many."""

    queues = ptr("futex_hash_bucket")
    hashsize = ulong


# --- buckets and keys ------------------------------------------------------------------------


def hb_waiters_inc(hb: Any) -> None:
    """Count one more who waits, or is about to, in `hb` (struct futex_hash_bucket *)."""
    hb.waiters += 1


def hb_waiters_dec(hb: Any) -> None:
    """Count one less."""
    hb.waiters -= 1


def hb_waiters_pending(hb: Any) -> int:
    """Return how many wait in `hb` (int)."""
    pending: int = hb.waiters
    return pending


def hash_futex(m: Machine, key: _Key) -> Any:
    """Return the bucket (struct futex_hash_bucket *) of `key`."""
    words = struct.unpack("<4I", struct.pack("<2Q", key[0], key[1]))
    number = jhash.jhash2(words, len(words), key[2])
    data = m.symbol("__futex_data")
    at = data.queues.address_ + (number & data.hashsize - 1) * futex_hash_bucket.sizeof_
    return futex_hash_bucket(m, at)


def _key_of(q: Any) -> _Key:
    # The three words of a waiter's key.
    key = q.key
    return key.mm.address_, key.word, key.offset


def _set_key(q: Any, key: _Key) -> None:
    stored = q.key
    stored.mm, stored.word, stored.offset = key


def get_futex_key(m: Machine, uaddr: int, fshared: int, rw: int) -> Any:
    """Return the key of the word at `uaddr` (u32 *), -EINVAL if it is not aligned, or -EFAULT.

    All memory is the process's own, so a key is always (mm, page, offset); one that others could
    share has FUT_OFF_MMSHARED in its offset, and its page must be there.
    """
    offset = uaddr % PAGE_SIZE
    if uaddr % 4:
        return -errno.EINVAL
    if not uaccess.access_ok(uaddr, 4):
        return -errno.EFAULT
    mm = m.current.mm.address_
    if not fshared:
        return mm, uaddr - offset, offset
    if uaccess.get_user(m, uaddr) is None:  # get_user_pages_fast()
        return -errno.EFAULT
    return mm, uaddr - offset, offset | futex_h.FUT_OFF_MMSHARED


def _value(m: Machine, uaddr: int) -> int | None:
    # get_futex_value_locked(): the word (u32) at `uaddr`, None for -EFAULT.
    found = uaccess.get_user(m, uaddr)
    return found & _U32 if isinstance(found, int) else None


# --- waking ----------------------------------------------------------------------------------


def __unqueue_futex(q: Any) -> None:
    hb = futex_hash_bucket(q.machine_, q.lock_ptr - futex_hash_bucket.offsetof_("lock"))
    lib_plist.plist_del(q.list, hb.chain)
    hb_waiters_dec(hb)


def mark_wake_futex(m: Machine, wake_q: list[Any], q: Any) -> None:
    """Take the waiter `q` (struct futex_q *) out of its bucket, and note its task, to be woken."""
    p = q.task
    p.usage += 1  # get_task_struct()
    __unqueue_futex(q)
    q.lock_ptr = 0
    wake_q.append(p)  # wake_q_add_safe()


def futex_wake(m: Machine, uaddr: int, flags: int, nr_wake: int, bitset: int) -> int:
    """Wake up to `nr_wake` (int) of those who wait for the word and have a bit of `bitset` (u32).

    Returns how many, or -EINVAL, -EFAULT.  One is woken also where `nr_wake` is 0.
    """
    if not bitset:
        return -errno.EINVAL
    key = get_futex_key(m, uaddr, flags & FLAGS_SHARED, FUTEX_READ)
    if isinstance(key, int):
        return key
    hb = hash_futex(m, key)
    if not hb_waiters_pending(hb):
        return 0
    wake_q: list[Any] = []
    for this in plist.plist_for_each_entry_safe(futex_q, hb.chain, "list"):
        if _key_of(this) == key and this.bitset & bitset:
            mark_wake_futex(m, wake_q, this)
            if len(wake_q) >= nr_wake:
                break
    core.wake_up_q(m, wake_q)
    return len(wake_q)


def _sign_extend(value: int) -> int:
    # sign_extend32(value, 11)
    return value - 0x1000 if value & 0x800 else value


def futex_atomic_op_inuser(m: Machine, encoded_op: int, uaddr: int) -> int:
    """Change the word at `uaddr` as `encoded_op` (FUTEX_OP) says; whether its old value compares so.

    Returns 1 or 0, or -EFAULT, -ENOSYS.
    """
    op, cmp = encoded_op >> 28 & 7, encoded_op >> 24 & 15
    oparg, cmparg = _sign_extend(encoded_op >> 12 & 0xFFF), _sign_extend(encoded_op & 0xFFF)
    if encoded_op & uapi.FUTEX_OP_OPARG_SHIFT << 28:
        oparg = 1 << (oparg & 31)
    old = _value(m, uaddr)
    if old is None:
        return -errno.EFAULT
    changed = {
        uapi.FUTEX_OP_SET: oparg,
        uapi.FUTEX_OP_ADD: old + oparg,
        uapi.FUTEX_OP_OR: old | oparg,
        uapi.FUTEX_OP_ANDN: old & ~oparg,
        uapi.FUTEX_OP_XOR: old ^ oparg,
    }.get(op)
    if changed is None:
        return -errno.ENOSYS
    uaccess.put_user(m, changed & _U32, uaddr)
    oldval = old - (1 << 32) if old >> 31 else old
    found = {
        uapi.FUTEX_OP_CMP_EQ: oldval == cmparg,
        uapi.FUTEX_OP_CMP_NE: oldval != cmparg,
        uapi.FUTEX_OP_CMP_LT: oldval < cmparg,
        uapi.FUTEX_OP_CMP_GE: oldval >= cmparg,
        uapi.FUTEX_OP_CMP_LE: oldval <= cmparg,
        uapi.FUTEX_OP_CMP_GT: oldval > cmparg,
    }.get(cmp)
    return -errno.ENOSYS if found is None else int(found)


def _mark_some(m: Machine, wake_q: list[Any], hb: Any, key: _Key, nr_wake: int) -> None:
    woken = 0
    for this in plist.plist_for_each_entry_safe(futex_q, hb.chain, "list"):
        if _key_of(this) == key:
            mark_wake_futex(m, wake_q, this)
            woken += 1
            if woken >= nr_wake:
                return


def futex_wake_op(
    m: Machine, uaddr1: int, flags: int, uaddr2: int, nr_wake: int, nr_wake2: int, op: int
) -> int:
    """Change the second word, wake who waits for the first, and for the second if its old value says so.

    Returns how many, or -EINVAL, -EFAULT, -ENOSYS.
    """
    key1 = get_futex_key(m, uaddr1, flags & FLAGS_SHARED, FUTEX_READ)
    if isinstance(key1, int):
        return key1
    key2 = get_futex_key(m, uaddr2, flags & FLAGS_SHARED, FUTEX_WRITE)
    if isinstance(key2, int):
        return key2
    hb1, hb2 = hash_futex(m, key1), hash_futex(m, key2)
    op_ret = futex_atomic_op_inuser(m, op, uaddr2)
    if op_ret < 0:
        return op_ret
    wake_q: list[Any] = []
    _mark_some(m, wake_q, hb1, key1, nr_wake)
    if op_ret > 0:
        _mark_some(m, wake_q, hb2, key2, nr_wake2)
    core.wake_up_q(m, wake_q)
    return len(wake_q)


def requeue_futex(q: Any, hb1: Any, hb2: Any, key2: _Key) -> None:
    """Let the waiter `q` (struct futex_q *) wait for another word, perhaps in another bucket."""
    if hb1 != hb2:
        lib_plist.plist_del(q.list, hb1.chain)
        hb_waiters_dec(hb1)
        hb_waiters_inc(hb2)
        lib_plist.plist_add(q.list, hb2.chain)
        q.lock_ptr = hb2.address_of_("lock")
    _set_key(q, key2)


def futex_requeue(
    m: Machine,
    uaddr1: int,
    flags: int,
    uaddr2: int,
    nr_wake: int,
    nr_requeue: int,
    cmpval: int | None,
) -> int:
    """Wake `nr_wake` (int) who wait for the first word, and let `nr_requeue` (int) wait for the second.

    `cmpval` (u32 *, None for NULL) is what the first must be.  Returns how many in all, or
    -EINVAL, -EFAULT, -EAGAIN.
    """
    if nr_wake < 0 or nr_requeue < 0:
        return -errno.EINVAL
    key1 = get_futex_key(m, uaddr1, flags & FLAGS_SHARED, FUTEX_READ)
    if isinstance(key1, int):
        return key1
    key2 = get_futex_key(m, uaddr2, flags & FLAGS_SHARED, FUTEX_READ)
    if isinstance(key2, int):
        return key2
    hb1, hb2 = hash_futex(m, key1), hash_futex(m, key2)
    if cmpval is not None:
        curval = _value(m, uaddr1)
        if curval is None:
            return -errno.EFAULT
        if curval != cmpval:
            return -errno.EAGAIN
    wake_q: list[Any] = []
    task_count = 0
    for this in plist.plist_for_each_entry_safe(futex_q, hb1.chain, "list"):
        if task_count - nr_wake >= nr_requeue:
            break
        if _key_of(this) != key1:
            continue
        task_count += 1
        if task_count <= nr_wake:
            mark_wake_futex(m, wake_q, this)
        else:
            requeue_futex(this, hb1, hb2, key2)
    core.wake_up_q(m, wake_q)
    return task_count


# --- waiting ---------------------------------------------------------------------------------


def queue_lock(m: Machine, q: Any) -> Any:
    """Say that `q` (struct futex_q *) is about to wait; return its bucket."""
    hb = hash_futex(m, _key_of(q))
    hb_waiters_inc(hb)
    q.lock_ptr = hb.address_of_("lock")
    return hb


def queue_unlock(hb: Any) -> None:
    """Take back what `queue_lock` said."""
    hb_waiters_dec(hb)


def queue_me(m: Machine, q: Any, hb: Any) -> None:
    """Put the running task's `q` (struct futex_q *) into the bucket: by priority, then in order."""
    current = m.current
    plist.plist_node_init(q.list, min(current.normal_prio, MAX_RT_PRIO))
    lib_plist.plist_add(q.list, hb.chain)
    q.task = current


def unqueue_me(q: Any) -> int:
    """Take `q` (struct futex_q *) out of its bucket; 1, or 0 if who woke it has done so already."""
    if not q.lock_ptr:
        return 0
    __unqueue_futex(q)
    return 1


async def futex_wait_queue_me(m: Machine, hb: Any, q: Any, timeout: Any) -> None:
    """Queue, arm the timer if there is one, and sleep until woken, too late, or interrupted."""
    current = m.current
    current.state = sched.TASK_INTERRUPTIBLE
    queue_me(m, q, hb)
    if timeout is not None:
        hrtimer.hrtimer_sleeper_start_expires(m, timeout)
    if not plist.plist_node_empty(q.list) and (timeout is None or timeout.task):
        await core.schedule(m)
    current.state = sched.TASK_RUNNING


def futex_wait_setup(m: Machine, uaddr: int, val: int, flags: int, q: Any) -> Any:
    """Fill in `q` (struct futex_q *) and compare the word with `val` (u32).

    Returns the bucket (struct futex_hash_bucket *), or -EINVAL, -EFAULT, -EWOULDBLOCK.
    """
    key = get_futex_key(m, uaddr, flags & FLAGS_SHARED, FUTEX_READ)
    if isinstance(key, int):
        return key
    _set_key(q, key)
    hb = queue_lock(m, q)
    uval = _value(m, uaddr)
    if uval == val:
        return hb
    queue_unlock(hb)
    return -errno.EFAULT if uval is None else -errno.EAGAIN


async def futex_wait(
    m: Machine, uaddr: int, flags: int, val: int, abs_time: int | None, bitset: int
) -> int:
    """Sleep while the word at `uaddr` is `val` (u32), until one of `bitset` (u32) is woken.

    `abs_time` (ktime_t *) is when to give up.  Returns 0, or -EINVAL, -EFAULT, -EWOULDBLOCK,
    -ETIMEDOUT, -ERESTARTSYS, -ERESTART_RESTARTBLOCK.
    """
    if not bitset:
        return -errno.EINVAL
    timeout = None
    if abs_time is not None:  # futex_setup_timer()
        timeout = wait.stack_push(m, hrtimer.hrtimer_sleeper)
        hrtimer.hrtimer_init_sleeper(m, timeout, abs_time)
    q = wait.stack_push(m, futex_q)
    q.bitset, q.pi_state, q.rt_waiter, q.requeue_pi_key = bitset, 0, 0, 0
    ret = await _wait_for(m, uaddr, flags, val, q, timeout)
    if ret == -errno.ERESTARTSYS and abs_time is not None:
        ret = _restart_later(m, uaddr, flags, val, abs_time, bitset)
    wait.stack_pop(m, futex_q)
    if timeout is not None:
        hrtimer.hrtimer_cancel(m, timeout)
        wait.stack_pop(m, hrtimer.hrtimer_sleeper)
    return ret


async def _wait_for(m: Machine, uaddr: int, flags: int, val: int, q: Any, timeout: Any) -> int:
    # From `retry:` on: wait, and once more if nobody knows why it has woken.
    while True:
        hb = futex_wait_setup(m, uaddr, val, flags, q)
        if isinstance(hb, int):
            return hb
        await futex_wait_queue_me(m, hb, q, timeout)
        if not unqueue_me(q):
            return 0
        if timeout is not None and not timeout.task:
            return -errno.ETIMEDOUT
        if sched_signal.signal_pending(m.current):
            return -errno.ERESTARTSYS


def _restart_later(m: Machine, uaddr: int, flags: int, val: int, abs_time: int, bitset: int) -> int:
    # restart_block.futex: uaddr, val and flags in one word, bitset, time.
    restart = m.current.restart_block
    restart.data[0] = uaddr
    restart.data[1] = val | (flags | FLAGS_HAS_TIMEOUT) << 32
    restart.data[2], restart.data[3] = bitset, abs_time
    restart.fn = machine.text_address("futex_wait_restart")  # set_restart_fn()
    return -errno.ERESTART_RESTARTBLOCK


async def futex_wait_restart(m: Machine, restart: Any) -> int:
    """Go on waiting, until the same time, as `restart` (struct restart_block *) says."""
    uaddr, val, flags = restart.data[0], restart.data[1] & _U32, restart.data[1] >> 32
    time = restart.data[3] if flags & FLAGS_HAS_TIMEOUT else None
    restart.fn = machine.text_address("do_no_restart_syscall")
    return await futex_wait(m, uaddr, flags, val, time, restart.data[2] & _U32)


# --- the death of who holds one --------------------------------------------------------------


def sys_set_robust_list(m: Machine, head: Any, length: int) -> int:
    """set_robust_list(2): `head` is a place with the words held, and the one about to be.  0 or -EINVAL."""
    if length != ROBUST_LIST_HEAD_SIZE:
        return -errno.EINVAL
    m.current.robust_list = uaccess.user_address(m, head)
    return 0


def sys_get_robust_list(m: Machine, pid: int, head_ptr: Any, len_ptr: Any) -> int:
    """get_robust_list(2): 0, -ESRCH or -EFAULT."""
    p = kernel_pid.find_task_by_vpid(m, pid) if pid else m.current
    if not p:
        return -errno.ESRCH
    if uaccess.put_user(m, ROBUST_LIST_HEAD_SIZE, len_ptr):
        return -errno.EFAULT
    return uaccess.put_user(m, p.robust_list, head_ptr)


def handle_futex_death(m: Machine, uaddr: int, curr: Any, *, pending_op: bool) -> int:
    """If the dying `curr` (struct task_struct *) holds the word, say so in it and wake one; 0 or -1."""
    if uaddr % 4:
        return -1
    uval = _value(m, uaddr)
    if uval is None:
        return -1
    owner = uval & uapi.FUTEX_TID_MASK
    if pending_op and not owner:
        futex_wake(m, uaddr, FLAGS_SHARED, 1, uapi.FUTEX_BITSET_MATCH_ANY)
        return 0
    if owner != kernel_pid.task_pid_vnr(m, curr):
        return 0
    uaccess.put_user(m, uval & uapi.FUTEX_WAITERS | uapi.FUTEX_OWNER_DIED, uaddr)
    if uval & uapi.FUTEX_WAITERS:
        futex_wake(m, uaddr, FLAGS_SHARED, 1, uapi.FUTEX_BITSET_MATCH_ANY)
    return 0


def exit_robust_list(m: Machine, curr: Any) -> None:
    """Go through the words that the dying `curr` (struct task_struct *) says it holds."""
    head = uaccess.get_user(m, curr.robust_list)
    if head is None:
        return
    held, pending = head
    about_to_be = uaccess.user_address(m, pending)
    for word in list(held)[: uapi.ROBUST_LIST_LIMIT]:
        entry = uaccess.user_address(m, word)
        if entry != about_to_be and handle_futex_death(m, entry, curr, pending_op=False):
            return
    if about_to_be:
        handle_futex_death(m, about_to_be, curr, pending_op=True)


def _futex_cleanup(m: Machine, tsk: Any) -> None:
    # futex_cleanup_begin(), futex_cleanup()
    tsk.futex_state = futex_h.FUTEX_STATE_EXITING
    if tsk.robust_list:
        exit_robust_list(m, tsk)
        tsk.robust_list = 0


def futex_exec_release(m: Machine, tsk: Any) -> None:
    """Let `tsk` (struct task_struct *) give up its futexes: it gets another program."""
    _futex_cleanup(m, tsk)
    tsk.futex_state = futex_h.FUTEX_STATE_OK


def futex_exit_release(m: Machine, tsk: Any) -> None:
    """Let `tsk` (struct task_struct *) give up its futexes for ever."""
    _futex_cleanup(m, tsk)
    tsk.futex_state = futex_h.FUTEX_STATE_DEAD


# --- the system call -------------------------------------------------------------------------

_ANY = uapi.FUTEX_BITSET_MATCH_ANY
_CLOCKS = (uapi.FUTEX_WAIT_BITSET, uapi.FUTEX_WAIT_REQUEUE_PI)
_COUNTS = (
    *(uapi.FUTEX_REQUEUE, uapi.FUTEX_CMP_REQUEUE, uapi.FUTEX_CMP_REQUEUE_PI),
    uapi.FUTEX_WAKE_OP,
)
_TIMED = (uapi.FUTEX_WAIT, uapi.FUTEX_LOCK_PI, *_CLOCKS)


async def do_futex(
    m: Machine,
    uaddr: int,
    op: int,
    val: int,
    timeout: int | None,
    uaddr2: int,
    val2: int,
    val3: int,
) -> int:
    """Carry out `op` (int); -ENOSYS for what there is not."""
    cmd, flags = op & uapi.FUTEX_CMD_MASK, 0
    if not op & uapi.FUTEX_PRIVATE_FLAG:
        flags |= FLAGS_SHARED
    if op & uapi.FUTEX_CLOCK_REALTIME:
        flags |= FLAGS_CLOCKRT
        if cmd not in _CLOCKS:
            return -errno.ENOSYS
    if cmd in (uapi.FUTEX_WAIT, uapi.FUTEX_WAIT_BITSET):
        bitset = _ANY if cmd == uapi.FUTEX_WAIT else val3
        return await futex_wait(m, uaddr, flags, val, timeout, bitset)
    if cmd in (uapi.FUTEX_WAKE, uapi.FUTEX_WAKE_BITSET):
        bitset = _ANY if cmd == uapi.FUTEX_WAKE else val3
        return futex_wake(m, uaddr, flags, _int(val), bitset)
    if cmd in (uapi.FUTEX_REQUEUE, uapi.FUTEX_CMP_REQUEUE):
        cmpval = None if cmd == uapi.FUTEX_REQUEUE else val3
        return futex_requeue(m, uaddr, flags, uaddr2, _int(val), _int(val2), cmpval)
    if cmd == uapi.FUTEX_WAKE_OP:
        return futex_wake_op(m, uaddr, flags, uaddr2, _int(val), _int(val2), val3)
    return -errno.ENOSYS


def _int(value: int) -> int:
    # A u32 as the int that it is passed for.
    return value - (1 << 32) if value >> 31 else value


def _time(m: Machine, cmd: int, utime: Any) -> Any:
    # (0 or -errno, when to give up as ktime_t) from a place with (seconds, nanoseconds).
    found = uaccess.get_user(m, utime)
    if found is None:
        return -errno.EFAULT, None
    seconds, nanoseconds = found
    if seconds < 0 or not 0 <= nanoseconds < _NSEC:
        return -errno.EINVAL, None
    t = min(seconds * _NSEC + nanoseconds, (1 << 63) - 1)
    if cmd == uapi.FUTEX_WAIT:
        t = min(t + timekeeping.ktime_get_ns(m), (1 << 63) - 1)
    return 0, t


async def sys_futex(
    m: Machine, uaddr: Any, op: int, val: int, utime: Any = 0, uaddr2: Any = 0, val3: int = 0
) -> int:
    """futex(2): `uaddr` and `uaddr2` are words; `utime` is a place with (seconds, nanoseconds), or a number."""
    cmd, timeout, val2 = op & uapi.FUTEX_CMD_MASK, None, 0
    if utime and cmd in _TIMED:
        error, timeout = _time(m, cmd, utime)
        if error:
            return int(error)
    if cmd in _COUNTS:
        val2 = utime & _U32
    word, other = uaccess.user_address(m, uaddr), uaccess.user_address(m, uaddr2)
    return await do_futex(m, word, op, val & _U32, timeout, other, val2, val3 & _U32)


def futex_init(m: Machine) -> None:
    """Lay down the buckets: a core_initcall; in Linux alloc_large_system_hash() finds a place."""
    m.define("futex_queues", array(futex_hash_bucket, HASHSIZE))
    first = m.symbols["futex_queues"][0]
    chain = futex_hash_bucket.offsetof_("chain")
    buckets = bytearray(HASHSIZE * futex_hash_bucket.sizeof_)
    for at in range(chain, len(buckets), futex_hash_bucket.sizeof_):
        struct.pack_into("<2Q", buckets, at, first + at, first + at)  # plist_head_init()
    m.write(first, bytes(buckets))
    m.define("__futex_data", futex_data)
    data = m.symbol("__futex_data")
    data.queues, data.hashsize = first, HASHSIZE
