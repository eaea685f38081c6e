"""kernel/fork.c @ v5.10.188: the birth of tasks.

`copy_process` builds the new task in the kernel's order; when a step fails, everything done so
far is undone in reverse order, as the `bad_fork_*` labels do.

Left out: ptrace, System V semaphores, I/O contexts, cgroups, audit, perf, NUMA, io_uring;
locks, for there is one CPU and nothing in copy_process sleeps.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.kernel import process
from kernelsim.fs import anon_inodes, file_table, fs_struct
from kernelsim.fs import file as fs_file
from kernelsim.include.linux import (
    _links,
    fs,
    poll,
    rculist,
    sched,
    slab,
    uaccess,
    user_namespace,
)
from kernelsim.include.linux import futex as futex_h
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.mm_types import mm_struct
from kernelsim.include.linux.sched import coredump, task_struct
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched.task import kernel_clone_args
from kernelsim.include.linux.wait import completion
from kernelsim.include.uapi.asm import errno, fcntl
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux import eventpoll, resource
from kernelsim.include.uapi.linux import sched as uapi
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from kernelsim.include.uapi.linux.futex import FUTEX_BITSET_MATCH_ANY
from kernelsim.kernel import capability, cred, kthread, nsproxy, signal
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel import user_namespace as kernel_user_ns
from kernelsim.kernel.futex import core as futex
from kernelsim.kernel.sched import core, wait
from kernelsim.kernel.time import timekeeping
from kernelsim.lib import is_single_threaded
from kernelsim.machine import ctype, machine
from kernelsim.machine.ctype import ptr
from kernelsim.machine.ref import Struct
from kernelsim.mm import page_alloc, slub

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "__cleanup_sighand",
    "copy_files",
    "copy_fs",
    "copy_mm",
    "copy_process",
    "copy_sighand",
    "copy_signal",
    "dup_mm",
    "dup_task_struct",
    "exec_mm_release",
    "exit_mm_release",
    "fork_init",
    "free_task",
    "kernel_clone",
    "kernel_thread",
    "ksys_unshare",
    "mm_alloc",
    "mm_release",
    "mmdrop",
    "mmput",
    "pidfd_pid",
    "pidfd_poll",
    "pidfd_release",
    "pidfd_show_fdinfo",
    "proc_caches_init",
    "put_signal_struct",
    "put_task_stack",
    "put_task_struct",
    "sys_clone",
    "sys_clone3",
    "sys_fork",
    "sys_set_tid_address",
    "sys_unshare",
    "sys_vfork",
    "unshare_fd",
    "unshare_files",
    "wait_for_vfork_done",
]

_HW = slab.SLAB_HWCACHE_ALIGN | slab.SLAB_PANIC | slab.SLAB_ACCOUNT
_STACK_ORDER = 2
MIN_THREADS, MAX_THREADS = 20, 0x3FFFFFFF
_NSIG = 64

# Stores of several members at once, and counters: for what happens at every fork.
_set_own = task_struct.store_(
    *("stack", "stack_refcount", "seccomp.filter", "thread_info.flags", "stack_canary"),
    *("cpus_ptr", "rcu_users", "usage"),
)
_set_child_tids = task_struct.store_("set_child_tid", "clear_child_tid")
_set_clean = task_struct.store_(
    *("flags", "children.next", "children.prev", "sibling.next", "sibling.prev"),
    *("vfork_done", "alloc_lock", "pending.signal", "pending.list.next", "pending.list.prev"),
    *("utime", "stime", "gtime", "prev_cputime.utime", "prev_cputime.stime", "prev_cputime.lock"),
)
_set_new_signal = sched_signal.signal_struct.store_(
    *("nr_threads", "live", "sigcnt", "thread_head.next", "thread_head.prev")
)
_set_thread_node = task_struct.store_("thread_node.next", "thread_node.prev")
_get_oom_score = sched_signal.signal_struct.load_("oom_score_adj", "oom_score_adj_min")
_set_oom_score = sched_signal.signal_struct.store_("oom_score_adj", "oom_score_adj_min")
_set_no_mm = task_struct.store_("min_flt", "maj_flt", "nvcsw", "nivcsw", "mm", "active_mm")
_set_mm = task_struct.store_("mm", "active_mm")
_set_new_mm = mm_struct.store_("mm_users", "mm_count", "owner")
_set_number = task_struct.store_(
    *("pid", "group_leader", "tgid", "pdeath_signal", "thread_group.next", "thread_group.prev"),
    *("task_works", "start_time", "start_boottime"),
)
_set_family = task_struct.store_("real_parent", "parent_exec_id", "exit_signal")
_set_public = task_struct.store_(
    *("ptrace_entry.next", "ptrace_entry.prev", "ptraced.next", "ptraced.prev"),
    *("jobctl", "parent", "ptrace", "thread_pid"),
)
_set_pids = sched_signal.signal_struct.store_("pids[1]", "pids[2]", "pids[3]")
_get_pids = sched_signal.signal_struct.load_("pids[2]", "pids[3]", "tty")
_stack_refcount = task_struct.add_("stack_refcount")
_usage = task_struct.add_("usage")
_mm_users, _mm_count = mm_struct.add_("mm_users"), mm_struct.add_("mm_count")
_sigcnt = sched_signal.signal_struct.add_("sigcnt")
_sighand_count = sched_signal.sighand_struct.add_("count")


def fork_init(m: Machine) -> None:
    """Make the cache of task_structs and set the limits."""
    m.static.task_struct_cachep = slub.kmem_cache_create(
        m, "task_struct", task_struct.sizeof_, 64, _HW
    )
    for name in ("nr_threads", "max_threads", "process_counts"):
        m.define(name, ctype.s32)
    m.define("total_forks", ctype.s32)  # unsigned long in Linux
    pages = m.symbol("contig_zone").managed_pages
    threads = min(max(pages * 4096 // (sched.THREAD_SIZE * 8), MIN_THREADS), MAX_THREADS)
    m.add("max_threads", threads)
    rlim = m.symbol("init_task").signal.rlim
    for number in (resource.RLIMIT_NPROC, resource.RLIMIT_SIGPENDING):
        rlim[number].rlim_cur = rlim[number].rlim_max = threads // 2
    init_user_ns = m.symbol("init_user_ns")
    for kind in range(user_namespace.UCOUNT_COUNTS):
        init_user_ns.ucount_max[kind] = threads // 2


def proc_caches_init(m: Machine) -> None:
    """Make the caches of what tasks consist of."""
    for name, attribute, t in (
        ("sighand_cache", "sighand_cachep", sched_signal.sighand_struct),
        ("signal_cache", "signal_cachep", sched_signal.signal_struct),
        ("files_cache", "files_cachep", fs.files_struct),
        ("fs_cache", "fs_cachep", fs.fs_struct),
        ("mm_struct", "mm_cachep", mm_struct),
    ):
        setattr(m.static, attribute, slub.kmem_cache_create(m, name, t.sizeof_, 0, _HW))
    nsproxy.nsproxy_cache_init(m)
    fops = m.define("pidfd_fops", fs.file_operations)
    for member in ("release", "poll", "show_fdinfo"):
        setattr(fops, member, machine.text_address(f"pidfd_{member}"))


# --- the task_struct and its stack ---------------------------------------------------------


def dup_task_struct(m: Machine, orig: task_struct) -> Any:
    """Return a copy (struct task_struct *) of `orig` with a stack of its own, NULL if there is no memory."""
    address = slub.kmem_cache_alloc(m, m.static.task_struct_cachep, slab.GFP_KERNEL, init=False)
    tsk = task_struct.ref_(m, address)
    if not address:
        return tsk
    stack = page_alloc.alloc_pages(m, slab.GFP_KERNEL, _STACK_ORDER)
    if not stack:
        slub.kmem_cache_free(m, m.static.task_struct_cachep, address)
        return task_struct(m, 0)
    m.copy(address, orig.address_, task_struct.sizeof_, fresh=True)  # arch_dup_task_struct()
    flags, cpus_ptr = _get_copied(tsk)
    if cpus_ptr == orig.address_ + _CPUS_MASK:
        cpus_ptr = address + _CPUS_MASK
    flags &= ~sched._TIF_NEED_RESCHED  # clear_tsk_need_resched()
    m.write_u64(stack, sched.STACK_END_MAGIC)  # set_task_stack_end_magic()
    # rcu_users is 2: one for whoever reaps it, one for the scheduler
    _set_own(tsk, stack, 1, 0, flags, _canary(address), cpus_ptr, 2, 1)
    return tsk


_get_copied = task_struct.load_("thread_info.flags", "cpus_ptr")


_CPUS_MASK = task_struct.offsetof_("cpus_mask")


def _canary(seed: int) -> int:
    # A number that looks random and is the same each time; the lowest byte is 0, as in Linux.
    return (seed * 0x9E37_79B9_7F4A_7C15 & (1 << 64) - 1) & ~0xFF


def put_task_stack(m: Machine, tsk: task_struct) -> None:
    """Drop a reference to the kernel stack of `tsk`; the last one frees it."""
    if not _stack_refcount(tsk, -1):
        page_alloc.free_pages(m, tsk.stack, _STACK_ORDER)
        tsk.stack = 0


def free_task(m: Machine, tsk: task_struct) -> None:
    """Free the task_struct `tsk`, and what a kernel thread has besides."""
    if tsk.flags & sched.PF_KTHREAD:
        kthread.free_kthread_struct(m, tsk)
    slub.kmem_cache_free(m, m.static.task_struct_cachep, tsk.address_)


def put_task_struct(m: Machine, tsk: task_struct) -> None:
    """Drop a reference (usage) to `tsk`; the last one frees it and what it still holds."""
    if not _usage(tsk, -1):
        __put_task_struct(m, tsk)


def __put_task_struct(m: Machine, tsk: task_struct) -> None:
    cred.exit_creds(m, tsk)
    put_signal_struct(m, tsk.signal)
    free_task(m, tsk)


# --- what a task consists of ---------------------------------------------------------------


def copy_files(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Share the parent's table of open files (CLONE_FILES) or copy it; 0, -ENOMEM or -EMFILE."""
    old = m.current.files
    if not old.address_:
        return 0
    if clone_flags & uapi.CLONE_FILES:
        old.count += 1
        return 0
    new = fs_file.dup_fd(m, old)
    if isinstance(new, int):
        return new
    tsk.files = new
    return 0


def copy_fs(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Share the parent's fs_struct (CLONE_FS) or copy it; 0, -EAGAIN during an exec, -ENOMEM."""
    old = m.current.fs
    if clone_flags & uapi.CLONE_FS:
        if old.in_exec:
            return -errno.EAGAIN
        old.users += 1
        return 0
    new = fs_struct.copy_fs_struct(m, old)
    tsk.fs = new
    return 0 if new.address_ else -errno.ENOMEM


def _dup_sighand(m: Machine, old: Any) -> Any:
    # A copy (struct sighand_struct *) of `old` with a count of 1, NULL if there is no memory.
    address = slub.kmem_cache_alloc(m, m.static.sighand_cachep, slab.GFP_KERNEL, init=False)
    new = sched_signal.sighand_struct.ref_(m, address)
    if address:
        m.copy(address, old.address_, sched_signal.sighand_struct.sizeof_, fresh=True)
        new.count = 1
        wait.init_waitqueue_head(new.signalfd_wqh)
    return new


def copy_sighand(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Share the parent's signal handlers (CLONE_SIGHAND) or copy them; 0 or -ENOMEM."""
    current = m.current.sighand
    if clone_flags & uapi.CLONE_SIGHAND:
        current.count += 1
        return 0
    new = _dup_sighand(m, current)
    tsk.sighand = new.address_
    if not new.address_:
        return -errno.ENOMEM
    if clone_flags & uapi.CLONE_CLEAR_SIGHAND:
        signal.flush_signal_handlers(tsk, force_default=False)
    return 0


_RLIM = sched_signal.signal_struct.offsetof_("rlim")
_THREAD_HEAD = sched_signal.signal_struct.offsetof_("thread_head")
_THREAD_NODE = task_struct.offsetof_("thread_node")


def copy_signal(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Give a new process its signal_struct (a thread shares its group's); 0 or -ENOMEM."""
    if clone_flags & uapi.CLONE_THREAD:
        return 0
    address = slub.kmem_cache_alloc(m, m.static.signal_cachep, slab.GFP_KERNEL)
    tsk.signal = address
    if not address:
        return -errno.ENOMEM
    sig = sched_signal.signal_struct.ref_(m, address)
    head, node = address + _THREAD_HEAD, tsk.address_ + _THREAD_NODE
    _set_new_signal(sig, 1, 1, 1, node, node)
    _set_thread_node(tsk, head, head)
    wait.init_waitqueue_head(sig.wait_chldexit)
    sig.curr_target = tsk
    signal.init_sigpending(sig.shared_pending)
    old = m.current.signal
    m.copy(address + _RLIM, old.address_ + _RLIM, 16 * resource.RLIM_NLIMITS)
    _set_oom_score(sig, *_get_oom_score(old))
    return 0


def put_signal_struct(m: Machine, sig: Any) -> None:
    """Drop a reference (sigcnt) to `sig` (struct signal_struct *); the last one frees it."""
    if not _sigcnt(sig, -1):
        slub.kmem_cache_free(m, m.static.signal_cachep, sig.address_)


def copy_mm(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Share the parent's address space (CLONE_VM), copy it, or have none (kernel threads); 0 or -ENOMEM."""
    _set_no_mm(tsk, 0, 0, 0, 0, 0, 0)
    oldmm = m.current.mm
    if not oldmm.address_:
        return 0
    if clone_flags & uapi.CLONE_VM:
        _mm_users(oldmm, 1)
        mm = oldmm
    else:
        mm = dup_mm(m, tsk, oldmm)
        if not mm.address_:
            return -errno.ENOMEM
    _set_mm(tsk, mm.address_, mm.address_)
    return 0


def dup_mm(m: Machine, tsk: task_struct, oldmm: Any) -> Any:
    """Return a copy (struct mm_struct *) of `oldmm` owned by `tsk`, NULL if there is no memory."""
    address = slub.kmem_cache_alloc(m, m.static.mm_cachep, slab.GFP_KERNEL, init=False)
    mm = mm_struct.ref_(m, address)
    if address:
        m.copy(address, oldmm.address_, mm_struct.sizeof_, fresh=True)
        _set_new_mm(mm, 1, 1, tsk.address_)
        user_namespace.get_user_ns(mm.user_ns)
    return mm


def mm_alloc(m: Machine, owner: task_struct) -> Any:
    """Return a new, empty address space (struct mm_struct *), NULL if there is no memory."""
    mm = mm_struct(m, slub.kmem_cache_alloc(m, m.static.mm_cachep, slab.GFP_KERNEL))
    if mm:
        mm.mm_users = mm.mm_count = 1
        mm.flags = coredump.MMF_DUMP_FILTER_DEFAULT
        mm.owner = owner
        mm.user_ns = user_namespace.get_user_ns(m.current.cred.user_ns)
    return mm


def mmput(m: Machine, mm: Any) -> None:
    """Drop a user (mm_users) of `mm` (struct mm_struct *); the last one empties it."""
    if not _mm_users(mm, -1):
        mmdrop(m, mm)


def mmdrop(m: Machine, mm: Any) -> None:
    """Drop a reference (mm_count) to `mm` (struct mm_struct *); the last one frees it."""
    if not _mm_count(mm, -1):
        kernel_user_ns.put_user_ns(m, mm.user_ns)
        slub.kmem_cache_free(m, m.static.mm_cachep, mm.address_)


def mm_release(m: Machine, tsk: task_struct, mm: Any) -> None:
    """`tsk` leaves its address space `mm` (struct mm_struct *), by exit or exec: tell who waits for that.

    A joining thread by a 0 in its clear_child_tid, a vfork's parent and kthread_stop by vfork_done.
    """
    address = tsk.clear_child_tid
    if address:
        if mm.address_ and mm.mm_users > 1:
            uaccess.put_user(m, 0, address)
            # do_futex(address, FUTEX_WAKE, 1)
            futex.futex_wake(m, address, futex.FLAGS_SHARED, 1, FUTEX_BITSET_MATCH_ANY)
        tsk.clear_child_tid = 0
    done = tsk.vfork_done
    if done.address_:  # complete_vfork_done()
        tsk.vfork_done = None
        wait.complete(m, done)


def exit_mm_release(m: Machine, tsk: task_struct, mm: Any) -> None:
    """`tsk` leaves its address space `mm` (struct mm_struct *) by exit."""
    futex.futex_exit_release(m, tsk)
    mm_release(m, tsk, mm)


def exec_mm_release(m: Machine, tsk: task_struct, mm: Any) -> None:
    """`tsk` leaves its address space `mm` (struct mm_struct *) by exec."""
    futex.futex_exec_release(m, tsk)
    mm_release(m, tsk, mm)


def sys_set_tid_address(m: Machine, tidptr: Any) -> int:
    """set_tid_address(2): where a 0 is to go when this thread ends; its number."""
    m.current.clear_child_tid = uaccess.user_address(m, tidptr)
    return kernel_pid.task_pid_vnr(m, m.current)


# --- pidfds --------------------------------------------------------------------------------


def pidfd_pid(m: Machine, file: Any) -> Any:
    """Return the struct pid * that `file` (struct file *) stands for, -EBADF if it is no pidfd."""
    if file.f_op.address_ == m.symbol("pidfd_fops").address_:
        return pid_h.pid(m, file.private_data)
    return -errno.EBADF


def pidfd_release(m: Machine, file: Any) -> int:
    """The last descriptor is closed: the process's struct pid may be freed."""
    pid = pid_h.pid(m, file.private_data)
    file.private_data = 0
    kernel_pid.put_pid(m, pid)
    return 0


def pidfd_show_fdinfo(m: Machine, f: Any, ns: Any) -> str:
    """Return what /proc/PID/fdinfo tells of the pidfd `f` beside what it tells of every file.

    The process's numbers from `ns` (struct pid_namespace *, the one that /proc shows) downwards; 0
    if it can't be seen from there, -1 if it is gone.
    """
    pid, nr, numbers = pid_h.pid(m, f.private_data), -1, []
    if pid_h.pid_has_task(pid, sched.PIDTYPE_PID):
        nr = kernel_pid.pid_nr_ns(pid, ns)
    if nr > 0:
        numbers = [pid.numbers[i].nr for i in range(ns.level + 1, pid.level + 1)]
    return f"Pid:\t{nr}\nNSpid:\t{chr(9).join(map(str, [nr, *numbers]))}\n"


def pidfd_poll(m: Machine, file: Any, pts: Any) -> int:
    """Return EPOLLIN | EPOLLRDNORM when the whole process has exited, else 0; `pts` is a poll_table *."""
    pid = pid_h.pid(m, file.private_data)
    poll.poll_wait(m, file, pid.wait_pidfd, pts)
    return eventpoll.EPOLLIN | eventpoll.EPOLLRDNORM if kernel_exit.thread_group_exited(pid) else 0


# --- copy_process --------------------------------------------------------------------------


def _check_flags(m: Machine, flags: int) -> int:
    # Which flags go together; 0 or -EINVAL.
    if not flags:
        return 0

    def both(a: int, b: int) -> bool:
        return bool(flags & a) and bool(flags & b)

    current = m.current
    if both(uapi.CLONE_NEWNS, uapi.CLONE_FS) or both(uapi.CLONE_NEWUSER, uapi.CLONE_FS):
        return -errno.EINVAL
    if flags & uapi.CLONE_THREAD and not flags & uapi.CLONE_SIGHAND:
        return -errno.EINVAL
    if flags & uapi.CLONE_SIGHAND and not flags & uapi.CLONE_VM:
        return -errno.EINVAL
    if flags & uapi.CLONE_PARENT and current.signal.flags & sched_signal.SIGNAL_UNKILLABLE:
        return -errno.EINVAL
    if flags & uapi.CLONE_THREAD:
        elsewhere = kernel_pid.task_active_pid_ns(current) != current.nsproxy.pid_ns_for_children
        if flags & (uapi.CLONE_NEWUSER | uapi.CLONE_NEWPID) or elsewhere:
            return -errno.EINVAL
    if both(uapi.CLONE_PIDFD, uapi.CLONE_DETACHED | uapi.CLONE_THREAD):
        return -errno.EINVAL
    return 0


def _may_have_more(m: Machine, p: task_struct) -> bool:
    # Is the user below RLIMIT_NPROC, or exempt from it?
    real = p.real_cred
    user = real.user
    if user.processes < m.read_u64(p.signal.address_ + _RLIM + 16 * resource.RLIMIT_NPROC):
        return True
    if user.address_ == m.symbol("root_user").address_:
        return True
    return capability.capable(m, CAP_SYS_RESOURCE) or capability.capable(m, CAP_SYS_ADMIN)


def _clean_copy(p: task_struct) -> None:
    # What the child does not inherit, though the whole struct was copied.
    a, keep = p.address_, ~(sched.PF_SUPERPRIV | sched.PF_WQ_WORKER | sched.PF_IDLE)
    children, sibling, pending = a + _CHILDREN, a + _SIBLING, a + _PENDING
    flags = p.flags & keep | sched.PF_FORKNOEXEC
    _set_clean(
        *(p, flags, children, children, sibling, sibling, 0, 0),
        *(0, pending, pending),  # init_sigpending()
        *(0, 0, 0, 0, 0, 0),  # the times; prev_cputime_init()
    )


_CHILDREN, _SIBLING = task_struct.offsetof_("children"), task_struct.offsetof_("sibling")
_PENDING = task_struct.offsetof_("pending")  # whose first member is the list


# Cleaning up after each step; the argument list is (m, flags, p).


def _cleanup_count(m: Machine, flags: int, p: task_struct) -> None:
    p.cred.user.processes -= 1
    cred.exit_creds(m, p)


def _cleanup_policy(m: Machine, flags: int, p: task_struct) -> None:
    pass  # mpol_put(): we have no memory policies


def _cleanup_files(m: Machine, flags: int, p: task_struct) -> None:
    fs_file.exit_files(m, p)


def _cleanup_fs(m: Machine, flags: int, p: task_struct) -> None:
    fs_struct.exit_fs(m, p)


def _cleanup_sighand(m: Machine, flags: int, p: task_struct) -> None:
    __cleanup_sighand(m, p.sighand)


def __cleanup_sighand(m: Machine, sighand: Any) -> None:
    """Drop a reference (count) to `sighand` (struct sighand_struct *)."""
    if not _sighand_count(sighand, -1):
        slub.kmem_cache_free(m, m.static.sighand_cachep, sighand.address_)


def _cleanup_signal(m: Machine, flags: int, p: task_struct) -> None:
    if not flags & uapi.CLONE_THREAD:
        slub.kmem_cache_free(m, m.static.signal_cachep, p.signal.address_)


def _cleanup_mm(m: Machine, flags: int, p: task_struct) -> None:
    if p.mm:
        mmput(m, p.mm)


def _cleanup_namespaces(m: Machine, flags: int, p: task_struct) -> None:
    nsproxy.exit_task_namespaces(m, p)


def _cleanup_thread(m: Machine, flags: int, p: task_struct) -> None:
    process.exit_thread(m, p)


# The steps that copy or share something, in order, each with what undoes it: the label
# bad_fork_cleanup_<name>, which is reached when a later step fails.  (By name, so that ftrace sees it.)
_THIS = sys.modules[__name__]
_STEPS = (
    (core, "sched_fork", _cleanup_policy),
    (_THIS, "copy_files", _cleanup_files),
    (_THIS, "copy_fs", _cleanup_fs),
    (_THIS, "copy_sighand", _cleanup_sighand),
    (_THIS, "copy_signal", _cleanup_signal),
    (_THIS, "copy_mm", _cleanup_mm),
    (nsproxy, "copy_namespaces", _cleanup_namespaces),
)


def _unwind(m: Machine, flags: int, p: task_struct, undo: list[Any], retval: int) -> int:
    # From bad_fork_cleanup_* to bad_fork_free: undo in reverse, then free the task itself.
    for step in reversed(undo):
        step(m, flags, p)
    p.state = sched.TASK_DEAD
    put_task_stack(m, p)
    free_task(m, p)
    return retval


def copy_process(m: Machine, pid: Any, args: kernel_clone_args) -> Any:
    """Make a new task as a copy of the running one, not yet runnable; kernel/fork.c L1857.

    `pid` (struct pid *) is NULL, but for idle tasks.  Returns struct task_struct *, or a negative
    errno: EINVAL, EAGAIN, ENOMEM, EPERM, ENOSPC, EINTR, ERESTARTNOINTR.
    """
    flags, current = args.flags, m.current
    retval = _check_flags(m, flags)
    if retval:
        return retval
    signal.recalc_sigpending(m)
    if sched_signal.signal_pending(current):
        return -errno.ERESTARTNOINTR
    p = dup_task_struct(m, current)
    if not p.address_:
        return -errno.ENOMEM
    undo: list[Any] = []
    _set_child_tids(
        p,
        args.child_tid if flags & uapi.CLONE_CHILD_SETTID else 0,
        args.child_tid if flags & uapi.CLONE_CHILD_CLEARTID else 0,
    )
    if not _may_have_more(m, p):
        return _unwind(m, flags, p, undo, -errno.EAGAIN)
    current.flags &= ~sched.PF_NPROC_EXCEEDED
    retval = cred.copy_creds(m, p, flags)
    if retval < 0:
        return _unwind(m, flags, p, undo, retval)
    undo.append(_cleanup_count)
    if m.add("nr_threads", 0) >= m.add("max_threads", 0):
        return _unwind(m, flags, p, undo, -errno.EAGAIN)
    _clean_copy(p)
    for module, step, cleanup in _STEPS:
        retval = getattr(module, step)(m, flags, p)
        if retval:
            return _unwind(m, flags, p, undo, retval)
        undo.append(cleanup)
    process.copy_thread(m, flags, args, p)
    undo.append(_cleanup_thread)
    if not pid:
        pid = kernel_pid.alloc_pid(m, p.nsproxy.pid_ns_for_children, args.set_tid)
        if isinstance(pid, int):
            return _unwind(m, flags, p, undo, pid)
        undo.append(lambda m, flags, p: kernel_pid.free_pid(m, pid))
    pidfile = None
    if flags & uapi.CLONE_PIDFD:
        pidfd, pidfile = _get_pidfd(m, args, pid, undo)
        if pidfd < 0:
            return _unwind(m, flags, p, undo, pidfd)
    futex_h.futex_init_task(p)
    _number(current, flags, p, pid)
    retval = _join_family(m, current, args, p, pid)
    if retval:
        return _unwind(m, flags, p, undo, retval)
    _publish(m, current, flags, p, pid)
    if pidfile:
        fs_file.fd_install(m, pidfd, pidfile)
    core.sched_post_fork(m, p, args)
    if m.trace.on:
        _trace_task_newtask(m, p, flags)
    return p


def _trace_task_newtask(m: Machine, p: task_struct, flags: int) -> None:
    m.trace.emit(
        "task_newtask",
        pid=p.pid,
        comm=p.comm.string_().decode("utf-8", "replace"),
        clone_flags=flags,
        oom_score_adj=p.signal.oom_score_adj,
    )


def _get_pidfd(m: Machine, args: kernel_clone_args, pid: Any, undo: list[Any]) -> tuple[int, Any]:
    # A descriptor of the parent's for the child, its number stored at args.pidfd, not yet usable.
    # It comes after copy_files(), so that the child has it only if the table is shared.
    flags = fcntl.O_RDWR | fcntl.O_CLOEXEC
    pidfd = fs_file.get_unused_fd_flags(m, flags)
    if pidfd < 0:
        return pidfd, None
    fops = m.symbol("pidfd_fops")
    pidfile = anon_inodes.anon_inode_getfile(m, "[pidfd]", fops, pid.address_, flags)
    if isinstance(pidfile, int):
        fs_file.put_unused_fd(m, pidfd)
        return pidfile, None
    kernel_pid.get_pid(pid)  # held by pidfile now

    def put_pidfd(m: Machine, flags: int, p: task_struct) -> None:
        file_table.fput(m, pidfile)
        fs_file.put_unused_fd(m, pidfd)

    undo.append(put_pidfd)
    return uaccess.put_user(m, pidfd, args.pidfd) or pidfd, pidfile


def _number(current: task_struct, flags: int, p: task_struct, pid: Any) -> None:
    # The numbers, and what else depends on being a thread or a process.
    number = pid_h.pid_nr(pid)
    leader, tgid = p.address_, number
    if flags & uapi.CLONE_THREAD:
        leader, tgid = current.group_leader.address_, current.tgid
    group, now = p.address_ + _THREAD_GROUP, timekeeping.ktime_get_ns(p.machine_)
    _set_number(p, number, leader, tgid, 0, group, group, 0, now, now)


_THREAD_GROUP = task_struct.offsetof_("thread_group")


def _join_family(
    m: Machine, current: task_struct, args: kernel_clone_args, p: task_struct, pid: Any
) -> int:
    # Under tasklist_lock: who the parent is; the last checks.  0, -ENOMEM or -EINTR.
    flags = args.flags
    if flags & (uapi.CLONE_PARENT | uapi.CLONE_THREAD):
        p.real_parent = current.real_parent
        p.parent_exec_id = current.parent_exec_id
        p.exit_signal = -1 if flags & uapi.CLONE_THREAD else current.group_leader.exit_signal
    else:
        _set_family(p, current.address_, current.self_exec_id, args.exit_signal)
    if not pid_h.ns_of_pid(pid).pid_allocated & pid_h.PIDNS_ADDING:
        return -errno.ENOMEM
    if sched_signal.fatal_signal_pending(current):
        return -errno.EINTR
    return 0


def _publish(m: Machine, current: task_struct, flags: int, p: task_struct, pid: Any) -> None:
    # From here on everybody can see the task.  Nothing can fail any more.
    m.fill(p.address_ + _PID_LINKS, 0, 64)  # init_task_pid_links()
    if not p.pid:  # an idle task is in no list
        return
    entry, ptraced = p.address_ + _PTRACE_ENTRY, p.address_ + _PTRACED
    parent = p.real_parent.address_
    _set_public(  # ptrace_init_task(), then init_task_pid()
        p, entry, entry, ptraced, ptraced, 0, parent, 0, pid.address_
    )
    if p.exit_signal >= 0:
        _publish_process(m, current, p, pid)
    else:
        _publish_thread(m, current, p)
    kernel_pid.attach_pid(p, sched.PIDTYPE_PID)
    m.add("nr_threads", 1)
    m.add("total_forks", 1)


_PID_LINKS = task_struct.offsetof_("pid_links")
_PTRACE_ENTRY, _PTRACED = (task_struct.offsetof_(name) for name in ("ptrace_entry", "ptraced"))


_TASKS = task_struct.offsetof_("tasks")


def _publish_process(m: Machine, current: task_struct, p: task_struct, pid: Any) -> None:
    sig, parents = p.signal, current.signal
    pgrp, session, tty = _get_pids(parents)
    _set_pids(sig, pid.address_, pgrp, session)  # init_task_pid()
    if pid_h.is_child_reaper(pid):
        pid_h.ns_of_pid(pid).child_reaper = p
        sig.flags |= sched_signal.SIGNAL_UNKILLABLE
    sig.tty = tty
    parent = p.real_parent
    above = parent.signal
    sig.has_child_subreaper = above.has_child_subreaper or above.is_child_subreaper
    _links.insert_tail(m, p.address_ + _SIBLING, parent.address_ + _CHILDREN)
    first = m.symbol("init_task").address_ + _TASKS
    _links.insert_tail(m, p.address_ + _TASKS, first, rcu=True)
    kernel_pid.attach_pid(p, sched.PIDTYPE_TGID)
    kernel_pid.attach_pid(p, sched.PIDTYPE_PGID)
    kernel_pid.attach_pid(p, sched.PIDTYPE_SID)
    m.add("process_counts", 1)


def _publish_thread(m: Machine, current: task_struct, p: task_struct) -> None:
    sig = current.signal
    sig.nr_threads += 1
    sig.live += 1
    sig.sigcnt += 1
    signal.task_join_group_stop(m, p)
    rculist.list_add_tail_rcu(p.thread_group, p.group_leader.thread_group)
    rculist.list_add_tail_rcu(p.thread_node, p.signal.thread_head)


# --- the ways in ---------------------------------------------------------------------------


class _vfork(Struct):
    # What kernel_clone() counts while it sleeps: its local variables of these names.
    pid = ptr("pid")
    p = ptr("task_struct")


async def kernel_clone(m: Machine, args: kernel_clone_args) -> int:
    """Make a new task and let it run; kernel/fork.c L2462.

    Returns its number (pid_t) as the caller counts, or a negative errno (see `copy_process`).
    """
    flags = args.flags
    both = flags & uapi.CLONE_PIDFD and flags & uapi.CLONE_PARENT_SETTID
    if both and args.pidfd == args.parent_tid:
        return -errno.EINVAL
    p = copy_process(m, None, args)
    if isinstance(p, int):
        return p
    current = m.current
    if m.trace.on:
        name = current.comm.string_().decode("utf-8", "replace")
        m.trace.emit(
            "sched_process_fork", comm=name, pid=current.pid, child_comm=name, child_pid=p.pid
        )
    pid = kernel_pid.get_task_pid(p, sched.PIDTYPE_PID)
    nr = kernel_pid.pid_vnr(m, pid)
    if flags & uapi.CLONE_PARENT_SETTID:
        uaccess.put_user(m, nr, args.parent_tid)
    vfork = None
    if flags & uapi.CLONE_VFORK:
        vfork = wait.stack_push(m, completion)
        held = wait.stack_push(m, _vfork)
        held.pid, held.p = pid, p
        p.vfork_done = vfork
        wait.init_completion(vfork)
        _usage(p, 1)  # get_task_struct()
    core.wake_up_new_task(m, p)
    if vfork is not None:
        await wait_for_vfork_done(m, p, vfork)
        wait.stack_pop(m, _vfork)
        wait.stack_pop(m, completion)
    kernel_pid.put_pid(m, pid)
    return nr


async def wait_for_vfork_done(m: Machine, child: task_struct, vfork: Any) -> int:
    """Wait until `child` has left the borrowed memory (`vfork`: struct completion *), or a fatal signal.

    Returns 0, or 1 when the caller is killed; drops the reference to `child`.
    """
    killed = await wait.wait_for_completion(m, vfork, sched.TASK_KILLABLE)
    if killed:
        child.vfork_done = None
    put_task_struct(m, child)
    return killed


async def kernel_thread(m: Machine, fn: int, arg: int, flags: int) -> int:
    """Start a kernel thread that runs the function at `fn` (int (*)(void *)) with `arg` (void *).

    Returns its number (pid_t) or a negative errno.
    """
    args = kernel_clone_args(
        flags=(flags | uapi.CLONE_VM | uapi.CLONE_UNTRACED) & ~uapi.CSIGNAL,
        exit_signal=flags & uapi.CSIGNAL,
        stack=fn,
        stack_size=arg,
    )
    return await kernel_clone(m, args)


async def sys_fork(m: Machine) -> int:
    """fork(2): clone with nothing shared and SIGCHLD as the exit signal."""
    return await kernel_clone(m, kernel_clone_args(exit_signal=SIGCHLD))


async def sys_vfork(m: Machine) -> int:
    """vfork(2): the child borrows the memory, and the parent waits until it gives it back."""
    flags = uapi.CLONE_VFORK | uapi.CLONE_VM
    return await kernel_clone(m, kernel_clone_args(flags=flags, exit_signal=SIGCHLD))


UNSUPPORTED = uapi.CLONE_PTRACE | uapi.CLONE_INTO_CGROUP
"""The flags that we do not carry out, and refuse with -EINVAL (docs/fidelity.md)."""


async def sys_clone(
    m: Machine, flags: int, newsp: Any = 0, parent_tid: Any = 0, child_tid: Any = 0, tls: int = 0
) -> int:
    """clone(2) on x86-64: the exit signal in the low byte of `flags`.

    `newsp` is the top of the child's stack: 0, or a place that says what the child runs.
    """
    flags &= 0xFFFF_FFFF  # lower_32_bits()
    if flags & ~uapi.CSIGNAL & UNSUPPORTED:
        return -errno.EINVAL
    args = kernel_clone_args(
        flags=flags & ~uapi.CSIGNAL,
        pidfd=parent_tid,
        child_tid=uaccess.user_address(m, child_tid),
        parent_tid=parent_tid,
        exit_signal=flags & uapi.CSIGNAL,
        stack=newsp,
        tls=tls,
    )
    return await kernel_clone(m, args)


CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE_VER1, CLONE_ARGS_SIZE_VER2 = 64, 80, 88
CLONE_LEGACY_FLAGS = 0xFFFF_FFFF
_PAGE_SIZE, _INT_MAX = 4096, (1 << 31) - 1


def _copy_clone_args(m: Machine, uargs: Any, usize: int) -> Any:
    # copy_clone_args_from_user(): kernel_clone_args, or a negative errno.
    if usize > _PAGE_SIZE:
        return -errno.E2BIG
    if usize < CLONE_ARGS_SIZE_VER0:
        return -errno.EINVAL
    data = uaccess.get_user(m, uargs)  # copy_struct_from_user()
    if data is None or len(data) < usize:
        return -errno.EFAULT
    if any(data[CLONE_ARGS_SIZE_VER2:usize]):
        return -errno.E2BIG
    words = struct.unpack("<11Q", bytes(data[:usize]).ljust(CLONE_ARGS_SIZE_VER2, b"\0")[:88])
    flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls = words[:8]
    set_tid, set_tid_size, cgroup = words[8:]
    if set_tid_size > pid_h.MAX_PID_NS_LEVEL or bool(set_tid) != bool(set_tid_size):
        return -errno.EINVAL
    if exit_signal & ~uapi.CSIGNAL or exit_signal > _NSIG:
        return -errno.EINVAL
    if flags & uapi.CLONE_INTO_CGROUP and (cgroup > _INT_MAX or usize < CLONE_ARGS_SIZE_VER2):
        return -errno.EINVAL
    tids = uaccess.get_user(m, set_tid) if set_tid else ()
    if tids is None or len(tids) < set_tid_size:
        return -errno.EFAULT
    return kernel_clone_args(
        flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls,
        tuple(tids[:set_tid_size]),
    )  # fmt: skip


def _clone3_args_valid(kargs: kernel_clone_args) -> bool:
    flags = kargs.flags
    clear = uapi.CLONE_SIGHAND | uapi.CLONE_CLEAR_SIGHAND
    if flags & ~(CLONE_LEGACY_FLAGS | uapi.CLONE_CLEAR_SIGHAND | uapi.CLONE_INTO_CGROUP):
        return False
    if flags & (uapi.CLONE_DETACHED | uapi.CSIGNAL & ~uapi.CLONE_NEWTIME) or flags & clear == clear:
        return False
    if flags & (uapi.CLONE_THREAD | uapi.CLONE_PARENT) and kargs.exit_signal:
        return False
    if bool(kargs.stack) != bool(kargs.stack_size):  # clone3_stack_valid()
        return False
    if kargs.stack and not uaccess.access_ok(kargs.stack, kargs.stack_size):
        return False
    kargs.stack += kargs.stack_size
    return True


async def sys_clone3(m: Machine, uargs: Any, size: int) -> int:
    """clone3(2): `uargs` (struct clone_args *) is a place with `size` bytes, eleven u64 at most.

    Returns the child's number or -E2BIG, -EINVAL, -EFAULT, or what `copy_process` returns.
    """
    kargs = _copy_clone_args(m, uargs, size)
    if isinstance(kargs, int):
        return kargs
    if not _clone3_args_valid(kargs) or kargs.flags & UNSUPPORTED:
        return -errno.EINVAL
    if kargs.stack:
        kargs.stack = m.user_memory.get(kargs.stack, kargs.stack)
    return await kernel_clone(m, kargs)


# --- unshare -------------------------------------------------------------------------------

_UNSHARE = (
    uapi.CLONE_THREAD
    | uapi.CLONE_FS
    | uapi.CLONE_NEWNS
    | uapi.CLONE_SIGHAND
    | uapi.CLONE_VM
    | uapi.CLONE_FILES
    | uapi.CLONE_SYSVSEM
    | uapi.CLONE_NEWUTS
    | uapi.CLONE_NEWIPC
    | uapi.CLONE_NEWNET
    | uapi.CLONE_NEWUSER
    | uapi.CLONE_NEWPID
    | uapi.CLONE_NEWCGROUP
    | uapi.CLONE_NEWTIME
)


def _check_unshare_flags(m: Machine, flags: int) -> int:
    # check_unshare_flags(): 0 or -EINVAL.
    if flags & ~_UNSHARE:
        return -errno.EINVAL
    current = m.current
    if flags & (uapi.CLONE_THREAD | uapi.CLONE_SIGHAND | uapi.CLONE_VM) and (
        not sched_signal.thread_group_empty(current)
    ):
        return -errno.EINVAL
    if flags & (uapi.CLONE_SIGHAND | uapi.CLONE_VM) and current.sighand.count > 1:
        return -errno.EINVAL
    if flags & uapi.CLONE_VM and not is_single_threaded.current_is_single_threaded(m):
        return -errno.EINVAL
    return 0


def ksys_unshare(m: Machine, flags: int) -> int:
    """Stop sharing what `flags` (unsigned long) say; kernel/fork.c L2946.

    Returns 0, or -EINVAL, -ENOMEM, -EMFILE, -EPERM, -ENOSPC; then nothing has changed.
    """
    implied = (
        (uapi.CLONE_NEWUSER, uapi.CLONE_THREAD | uapi.CLONE_FS),
        (uapi.CLONE_VM, uapi.CLONE_SIGHAND),
        (uapi.CLONE_SIGHAND, uapi.CLONE_THREAD),
        (uapi.CLONE_NEWNS, uapi.CLONE_FS),
    )
    for flag, also in implied:
        flags |= also if flags & flag else 0
    err = _check_unshare_flags(m, flags)
    return err or _unshare(m, flags)


def _unshare(m: Machine, flags: int) -> int:
    # Copy all that is to be copied; if one fails, give back the others.
    current, new_fs = m.current, None
    if flags & uapi.CLONE_FS and current.fs.users > 1:  # unshare_fs()
        new_fs = fs_struct.copy_fs_struct(m, current.fs)
        if not new_fs.address_:
            return -errno.ENOMEM
    new_fd = unshare_fd(m, flags)
    if isinstance(new_fd, int):
        _drop_copies(m, new_fs, None)
        return new_fd
    new_cred = kernel_user_ns.unshare_userns(m, flags)
    if isinstance(new_cred, int):
        _drop_copies(m, new_fs, new_fd)
        return new_cred
    new_nsproxy = nsproxy.unshare_nsproxy_namespaces(m, flags, new_cred)
    if isinstance(new_nsproxy, int):
        if new_cred is not None:
            cred.put_cred(m, new_cred)
        _drop_copies(m, new_fs, new_fd)
        return new_nsproxy
    if new_nsproxy is not None:
        nsproxy.switch_task_namespaces(m, current, new_nsproxy)
    if new_fs is not None:
        fs_struct.exit_fs(m, current)
        current.fs = new_fs
    if new_fd is not None:
        fs_file.exit_files(m, current)
        current.files = new_fd
    if new_cred is not None:
        cred.commit_creds(m, new_cred)
    return 0


def _drop_copies(m: Machine, new_fs: Any, new_fd: Any) -> None:
    if new_fd is not None:
        fs_file.put_files_struct(m, new_fd)
    if new_fs is not None:
        slub.kmem_cache_free(m, m.static.fs_cachep, new_fs.address_)


def unshare_fd(m: Machine, flags: int, max_fds: int = fs_file.NR_OPEN_MAX) -> Any:
    """Return a copy (struct files_struct *) of a table that is shared, None if it is not or need not be.

    Or a negative errno: -ENOMEM, -EMFILE.
    """
    files = m.current.files
    if flags & uapi.CLONE_FILES and files.address_ and files.count > 1:
        return fs_file.dup_fd(m, files, max_fds)
    return None


def unshare_files(m: Machine) -> Any:
    """Give the running task a table of files of its own; the one that it had shared, None, or an errno."""
    copy = unshare_fd(m, uapi.CLONE_FILES)
    if copy is None or isinstance(copy, int):
        return copy
    current = m.current
    displaced = current.files
    current.files = copy
    return displaced


def sys_unshare(m: Machine, flags: int) -> int:
    """unshare(2)."""
    return ksys_unshare(m, flags)
