"""kernel/fork.c @ v5.10.188: the birth of tasks.

`copy_process` builds the new task in the kernel's order; when a step fails, everything done so
far is undone in reverse order, as the `bad_fork_*` labels do.

Left out: clone3's arguments, pidfds, vfork's wait, ptrace, cgroups, audit, perf, NUMA, io_uring;
locks, for there is one CPU and nothing in here sleeps.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.kernel import process
from kernelsim.fs import file as fs_file
from kernelsim.fs import fs_struct
from kernelsim.include.linux import fs, rculist, sched, slab
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import types as types_h
from kernelsim.include.linux.mm_types import mm_struct
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.sched.task import kernel_clone_args
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux import sched as uapi
from kernelsim.kernel import cred, nsproxy, signal
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel.sched import core, wait
from kernelsim.kernel.sched import sched as sched_h
from kernelsim.kernel.time import timekeeping
from kernelsim.machine import ctype
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
    "fork_init",
    "free_task",
    "kernel_clone",
    "kernel_thread",
    "mm_alloc",
    "mm_release",
    "mmdrop",
    "mmput",
    "proc_caches_init",
    "put_signal_struct",
    "put_task_stack",
    "put_task_struct",
    "sys_clone",
    "sys_fork",
]

_HW = slab.SLAB_HWCACHE_ALIGN | slab.SLAB_PANIC | slab.SLAB_ACCOUNT
_STACK_ORDER = 2
MIN_THREADS, MAX_THREADS = 20, 0x3FFFFFFF
CAP_SYS_ADMIN, CAP_SYS_RESOURCE = 21, 24

# Stores of several members at once, for what happens at every fork, switch or wait.
_set_stack_stack_refcount = task_struct.store_("stack", "stack_refcount")
_set_rcu_users_usage = task_struct.store_("rcu_users", "usage")
_set_nr_threads_live = sched_signal.signal_struct.store_("nr_threads", "live", "sigcnt")
_set_links = types_h.list_head.store_("next", "prev")
_set_min_flt_maj_flt = task_struct.store_(
    "min_flt", "maj_flt", "nvcsw", "nivcsw", "mm", "active_mm"
)
_set_mm_active_mm = task_struct.store_("mm", "active_mm")
_set_vfork_done_alloc_lock = task_struct.store_("vfork_done", "alloc_lock")
_set_utime_stime = task_struct.store_("utime", "stime", "gtime")
_set_set_child_tid_clear_child_tid = task_struct.store_("set_child_tid", "clear_child_tid")
_set_task_works_start_time = task_struct.store_("task_works", "start_time", "start_boottime")
_set_jobctl_parent = task_struct.store_("jobctl", "parent", "ptrace")
_set_mm_users_mm_count = mm_struct.store_("mm_users", "mm_count", "owner")
_set_pid_group_leader = task_struct.store_("pid", "group_leader", "tgid")
_set_real_parent_parent_exec_id = task_struct.store_("real_parent", "parent_exec_id", "exit_signal")


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
    limits = m.symbol("init_task").signal.rlim[sched_signal.RLIMIT_NPROC]
    limits.rlim_cur = limits.rlim_max = threads // 2


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


# --- the task_struct and its stack ---------------------------------------------------------


def dup_task_struct(m: Machine, orig: task_struct) -> Any:
    """Return a copy (struct task_struct *) of `orig` with a stack of its own, NULL if there is no memory."""
    address = slub.kmem_cache_alloc(m, m.static.task_struct_cachep, slab.GFP_KERNEL, init=False)
    tsk = task_struct(m, address)
    if not address:
        return tsk
    stack = page_alloc.alloc_pages(m, slab.GFP_KERNEL, _STACK_ORDER)
    if not stack:
        slub.kmem_cache_free(m, m.static.task_struct_cachep, address)
        return task_struct(m, 0)
    m.copy(address, orig.address_, task_struct.sizeof_, fresh=True)  # arch_dup_task_struct()
    _set_stack_stack_refcount(tsk, stack, 1)
    tsk.seccomp.filter = 0
    sched_h.clear_tsk_need_resched(tsk)
    m.write_u64(stack, sched.STACK_END_MAGIC)  # set_task_stack_end_magic()
    tsk.stack_canary = _canary(address)
    if orig.cpus_ptr == orig.address_ + _CPUS_MASK:
        tsk.cpus_ptr = address + _CPUS_MASK
    _set_rcu_users_usage(tsk, 2, 1)  # rcu_users: one for whoever reaps it, one for the scheduler
    return tsk


_CPUS_MASK = task_struct.offsetof_("cpus_mask")


def _canary(seed: int) -> int:
    # A number that looks random and is the same each time; the lowest byte is 0, as in Linux.
    return (seed * 0x9E37_79B9_7F4A_7C15 & (1 << 64) - 1) & ~0xFF


def put_task_stack(m: Machine, tsk: task_struct) -> None:
    """Drop a reference to the kernel stack of `tsk`; the last one frees it."""
    count = tsk.stack_refcount - 1
    tsk.stack_refcount = count
    if not count:
        page_alloc.free_pages(m, tsk.stack, _STACK_ORDER)
        tsk.stack = 0


def free_task(m: Machine, tsk: task_struct) -> None:
    """Free the task_struct `tsk`."""
    slub.kmem_cache_free(m, m.static.task_struct_cachep, tsk.address_)


def put_task_struct(m: Machine, tsk: task_struct) -> None:
    """Drop a reference (usage) to `tsk`; the last one frees it and what it still holds."""
    usage = tsk.usage - 1
    tsk.usage = usage
    if not usage:
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


def copy_sighand(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Share the parent's signal handlers (CLONE_SIGHAND) or copy them; 0 or -ENOMEM."""
    current = m.current.sighand
    if clone_flags & uapi.CLONE_SIGHAND:
        current.count += 1
        return 0
    address = slub.kmem_cache_alloc(m, m.static.sighand_cachep, slab.GFP_KERNEL, init=False)
    tsk.sighand = address
    if not address:
        return -errno.ENOMEM
    m.copy(address, current.address_, sched_signal.sighand_struct.sizeof_, fresh=True)
    new = sched_signal.sighand_struct(m, address)
    new.count = 1
    wait.init_waitqueue_head(new.signalfd_wqh)
    if clone_flags & uapi.CLONE_CLEAR_SIGHAND:
        signal.flush_signal_handlers(tsk, force_default=False)
    return 0


_RLIM = sched_signal.signal_struct.offsetof_("rlim")


def copy_signal(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Give a new process its signal_struct (a thread shares its group's); 0 or -ENOMEM."""
    if clone_flags & uapi.CLONE_THREAD:
        return 0
    address = slub.kmem_cache_alloc(m, m.static.signal_cachep, slab.GFP_KERNEL)
    tsk.signal = address
    if not address:
        return -errno.ENOMEM
    sig = sched_signal.signal_struct(m, address)
    _set_nr_threads_live(sig, 1, 1, 1)
    head, node = sig.thread_head, tsk.thread_node
    _set_links(head, node, node)
    _set_links(node, head, head)
    wait.init_waitqueue_head(sig.wait_chldexit)
    sig.curr_target = tsk
    signal.init_sigpending(sig.shared_pending)
    old = m.current.signal
    m.copy(address + _RLIM, old.address_ + _RLIM, 16 * sched_signal.RLIM_NLIMITS)
    sig.oom_score_adj = old.oom_score_adj
    sig.oom_score_adj_min = old.oom_score_adj_min
    return 0


def put_signal_struct(m: Machine, sig: Any) -> None:
    """Drop a reference (sigcnt) to `sig` (struct signal_struct *); the last one frees it."""
    count = sig.sigcnt - 1
    sig.sigcnt = count
    if not count:
        slub.kmem_cache_free(m, m.static.signal_cachep, sig.address_)


def copy_mm(m: Machine, clone_flags: int, tsk: task_struct) -> int:
    """Share the parent's address space (CLONE_VM), copy it, or have none (kernel threads); 0 or -ENOMEM."""
    _set_min_flt_maj_flt(tsk, 0, 0, 0, 0, 0, 0)
    oldmm = m.current.mm
    if not oldmm.address_:
        return 0
    if clone_flags & uapi.CLONE_VM:
        oldmm.mm_users += 1
        mm = oldmm
    else:
        mm = dup_mm(m, tsk, oldmm)
        if not mm.address_:
            return -errno.ENOMEM
    _set_mm_active_mm(tsk, mm, mm)
    return 0


def dup_mm(m: Machine, tsk: task_struct, oldmm: Any) -> Any:
    """Return a copy (struct mm_struct *) of `oldmm` owned by `tsk`, NULL if there is no memory."""
    address = slub.kmem_cache_alloc(m, m.static.mm_cachep, slab.GFP_KERNEL, init=False)
    mm = mm_struct(m, address)
    if address:
        m.copy(address, oldmm.address_, mm_struct.sizeof_, fresh=True)
        _set_mm_users_mm_count(mm, 1, 1, tsk)
    return mm


def mm_alloc(m: Machine, owner: task_struct) -> Any:
    """Return a new, empty address space (struct mm_struct *), NULL if there is no memory."""
    mm = mm_struct(m, slub.kmem_cache_alloc(m, m.static.mm_cachep, slab.GFP_KERNEL))
    if mm:
        mm.mm_users = mm.mm_count = 1
        mm.owner = owner
    return mm


def mmput(m: Machine, mm: Any) -> None:
    """Drop a user (mm_users) of `mm` (struct mm_struct *); the last one empties it."""
    users = mm.mm_users - 1
    mm.mm_users = users
    if not users:
        mmdrop(m, mm)


def mmdrop(m: Machine, mm: Any) -> None:
    """Drop a reference (mm_count) to `mm` (struct mm_struct *); the last one frees it."""
    count = mm.mm_count - 1
    mm.mm_count = count
    if not count:
        slub.kmem_cache_free(m, m.static.mm_cachep, mm.address_)


def mm_release(m: Machine, tsk: task_struct) -> None:
    """`tsk` leaves its address space, by exit or exec: tell who waits for that (vfork, kthread_stop)."""
    tsk.clear_child_tid = 0
    done = tsk.vfork_done
    if done.address_:
        tsk.vfork_done = None
        wait.complete(m, done)


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
    if user.processes < m.read_u64(p.signal.address_ + _RLIM + 16 * sched_signal.RLIMIT_NPROC):
        return True
    if user.address_ == m.symbol("root_user").address_:
        return True
    return bool(m.current.cred.cap_effective & (1 << CAP_SYS_RESOURCE | 1 << CAP_SYS_ADMIN))


def _clean_copy(p: task_struct) -> None:
    # What the child does not inherit, though the whole struct was copied.
    p.flags = (
        p.flags & ~(sched.PF_SUPERPRIV | sched.PF_WQ_WORKER | sched.PF_IDLE) | sched.PF_FORKNOEXEC
    )
    lists.INIT_LIST_HEAD(p.children)
    lists.INIT_LIST_HEAD(p.sibling)
    _set_vfork_done_alloc_lock(p, 0, 0)
    signal.init_sigpending(p.pending)
    _set_utime_stime(p, 0, 0, 0)


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
    count = sighand.count - 1
    sighand.count = count
    if not count:
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
    _set_set_child_tid_clear_child_tid(
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
    _number(current, flags, p, pid)
    retval = _join_family(m, current, args, p, pid)
    if retval:
        return _unwind(m, flags, p, undo, retval)
    _publish(m, current, flags, p, pid)
    core.sched_post_fork(m, p, args)
    if m.trace.on:
        comm = p.comm.string_().decode("utf-8", "replace")
        m.trace.emit(
            "task_newtask",
            pid=p.pid,
            comm=comm,
            clone_flags=flags,
            oom_score_adj=p.signal.oom_score_adj,
        )
    return p


def _number(current: task_struct, flags: int, p: task_struct, pid: Any) -> None:
    # The numbers, and what else depends on being a thread or a process.
    number = pid_h.pid_nr(pid)
    if flags & uapi.CLONE_THREAD:
        _set_pid_group_leader(p, number, current.group_leader, current.tgid)
    else:
        _set_pid_group_leader(p, number, p, number)
    p.pdeath_signal = 0
    lists.INIT_LIST_HEAD(p.thread_group)
    now = timekeeping.ktime_get_ns(p.machine_)
    _set_task_works_start_time(p, 0, now, now)


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
        _set_real_parent_parent_exec_id(p, current, current.self_exec_id, args.exit_signal)
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
    lists.INIT_LIST_HEAD(p.ptrace_entry)  # ptrace_init_task()
    lists.INIT_LIST_HEAD(p.ptraced)
    _set_jobctl_parent(p, 0, p.real_parent, 0)
    p.thread_pid = pid
    if p.exit_signal >= 0:
        _publish_process(m, current, p, pid)
    else:
        _publish_thread(current, p)
    kernel_pid.attach_pid(p, sched.PIDTYPE_PID)
    m.add("nr_threads", 1)
    m.add("total_forks", 1)


_PID_LINKS = task_struct.offsetof_("pid_links")


def _publish_process(m: Machine, current: task_struct, p: task_struct, pid: Any) -> None:
    sig, parents = p.signal, current.signal
    pids, theirs = sig.pids, parents.pids
    pids[sched.PIDTYPE_TGID] = pid
    pids[sched.PIDTYPE_PGID] = theirs[sched.PIDTYPE_PGID]
    pids[sched.PIDTYPE_SID] = theirs[sched.PIDTYPE_SID]
    if pid_h.is_child_reaper(pid):
        pid_h.ns_of_pid(pid).child_reaper = p
        sig.flags |= sched_signal.SIGNAL_UNKILLABLE
    sig.tty = parents.tty
    parent = p.real_parent
    sig.has_child_subreaper = parent.signal.has_child_subreaper or parent.signal.is_child_subreaper
    lists.list_add_tail(p.sibling, parent.children)
    rculist.list_add_tail_rcu(p.tasks, m.symbol("init_task").tasks)
    kernel_pid.attach_pid(p, sched.PIDTYPE_TGID)
    kernel_pid.attach_pid(p, sched.PIDTYPE_PGID)
    kernel_pid.attach_pid(p, sched.PIDTYPE_SID)
    m.add("process_counts", 1)


def _publish_thread(current: task_struct, p: task_struct) -> None:
    sig = current.signal
    sig.nr_threads += 1
    sig.live += 1
    sig.sigcnt += 1
    rculist.list_add_tail_rcu(p.thread_group, p.group_leader.thread_group)
    rculist.list_add_tail_rcu(p.thread_node, p.signal.thread_head)


# --- the ways in ---------------------------------------------------------------------------


async def kernel_clone(m: Machine, args: kernel_clone_args) -> int:
    """Make a new task and let it run; kernel/fork.c L2462.

    Returns its number (pid_t) as the caller counts, or a negative errno (see `copy_process`).
    """
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
    core.wake_up_new_task(m, p)
    kernel_pid.put_pid(m, pid)
    return nr


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


# The flags that this release of ours carries out; the others are refused (docs/fidelity.md).
SUPPORTED = uapi.CLONE_NEWPID | uapi.CLONE_PARENT


async def sys_clone(m: Machine, flags: int) -> int:
    """clone(2) with a raw flags word, the exit signal in its low byte; -EINVAL for what is not built."""
    flags &= 0xFFFF_FFFF  # lower_32_bits()
    if flags & ~(uapi.CSIGNAL | SUPPORTED):
        return -errno.EINVAL
    return await kernel_clone(
        m, kernel_clone_args(flags=flags & ~uapi.CSIGNAL, exit_signal=flags & uapi.CSIGNAL)
    )
