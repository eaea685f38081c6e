"""kernel/exit.c @ v5.10.188: the death of tasks, and waiting for it.

Left out: core dumps, taskstats, accounting, io_uring, ptrace, robust futexes
(docs/fidelity.md).  tasklist_lock: there is one CPU and nothing sleeps under it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.kernel import process
from kernelsim.fs import file as fs_file
from kernelsim.fs import fs_struct
from kernelsim.include.linux import _links, sched, uaccess
from kernelsim.include.linux import _words as w
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import wait as wait_h
from kernelsim.include.linux.cred import user_struct
from kernelsim.include.linux.poison import LIST_POISON2
from kernelsim.include.linux.resource import rusage
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.asm import errno, fcntl
from kernelsim.include.uapi.asm import signal as asm_signal
from kernelsim.include.uapi.asm.signal import SIGCHLD, SIGCONT, SIGHUP
from kernelsim.include.uapi.linux import resource
from kernelsim.include.uapi.linux import wait as uapi
from kernelsim.kernel import fork, nsproxy, pid_namespace, signal
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel import sys as kernel_sys
from kernelsim.kernel.sched import core, cputime, wait
from kernelsim.machine import cpu, machine
from kernelsim.machine.ctype import ptr, s32, u32
from kernelsim.machine.memory import put
from kernelsim.machine.ref import Struct, container_of

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "child_wait_callback",
    "do_exit",
    "do_group_exit",
    "do_wait",
    "do_wait_thread",
    "eligible_child",
    "eligible_pid",
    "exit_mm",
    "exit_notify",
    "find_alive_thread",
    "find_child_reaper",
    "find_new_reaper",
    "forget_original_parent",
    "has_stopped_jobs",
    "is_current_pgrp_orphaned",
    "kernel_wait4",
    "kernel_waitid",
    "kill_orphaned_pgrp",
    "panic",
    "put_task_struct_rcu_user",
    "release_task",
    "reparent_leader",
    "sys_exit",
    "sys_exit_group",
    "sys_wait4",
    "sys_waitid",
    "thread_group_exited",
    "wait_consider_task",
    "wait_opts",
    "wait_task_continued",
    "wait_task_stopped",
    "wait_task_zombie",
    "waitid_info",
    "will_become_orphaned_pgrp",
]

__WALL = uapi.__WALL
INT_MIN = -(1 << 31)


class waitid_info(Struct):
    """What waitid() tells of a child; it lies on the caller's kernel stack."""

    pid = s32
    uid = u32
    status = s32
    cause = s32


class wait_opts(Struct):
    """What a waiting task waits for; it lies on its kernel stack."""

    wo_type = s32
    wo_flags = u32
    wo_pid = ptr("pid")
    wo_info = ptr("waitid_info")
    wo_stat = s32
    wo_rusage = ptr("rusage")
    child_wait = wait_h.wait_queue_entry
    notask_error = s32


# Stores of several members at once, and counters: for what happens at every exit and wait.
_set_wait_opts = wait_opts.store_(
    "wo_type", "wo_pid", "wo_info", "wo_flags", "wo_stat", "wo_rusage"
)
_nr_threads = sched_signal.signal_struct.add_("nr_threads")
_live = sched_signal.signal_struct.add_("live")
_rcu_users = task_struct.add_("rcu_users")
_processes = user_struct.add_("processes")


# --- release -------------------------------------------------------------------------------


def __unhash_process(m: Machine, p: task_struct, group_dead: bool) -> None:
    m.add("nr_threads", -1)
    kernel_pid.detach_pid(m, p, sched.PIDTYPE_PID)
    if group_dead:
        kernel_pid.detach_pid(m, p, sched.PIDTYPE_TGID)
        kernel_pid.detach_pid(m, p, sched.PIDTYPE_PGID)
        kernel_pid.detach_pid(m, p, sched.PIDTYPE_SID)
        _links.remove(m, p.address_ + _TASKS, None, LIST_POISON2)  # list_del_rcu()
        sibling = p.address_ + _SIBLING
        _links.remove(m, sibling, sibling, sibling)  # list_del_init()
        m.add("process_counts", -1)
    _links.remove(m, p.address_ + _THREAD_GROUP, None, LIST_POISON2)
    _links.remove(m, p.address_ + _THREAD_NODE, None, LIST_POISON2)


_TASKS, _SIBLING, _CHILDREN = 8 * w.T_TASKS, 8 * w.T_SIBLING, 8 * w.T_CHILDREN
_THREAD_GROUP, _THREAD_NODE = 8 * w.T_THREAD_GROUP, 8 * w.T_THREAD_NODE


def __exit_signal(m: Machine, tsk: task_struct) -> None:
    sig, sighand = tsk.signal, tsk.sighand
    group_dead = tsk.exit_signal >= 0
    if group_dead:
        sig.tty = 0
    else:
        notify_count = sig.notify_count
        if notify_count > 0:
            sig.notify_count = notify_count - 1
            if notify_count == 1:
                core.wake_up_process(m, sig.group_exit_task)
        if tsk == sig.curr_target:
            sig.curr_target = lists.list_next_entry(tsk, "thread_group")
    _add_times(sig, tsk)
    _nr_threads(sig, -1)
    __unhash_process(m, tsk, group_dead)
    signal.flush_sigqueue(m, tsk.pending)
    tsk.sighand = None
    fork.__cleanup_sighand(m, sighand)
    if sched_signal.signal_pending(tsk):
        tsk.thread_info.flags &= ~sched._TIF_SIGPENDING
    if group_dead:
        signal.flush_sigqueue(m, sig.shared_pending)


def _add_times(sig: Any, tsk: task_struct) -> None:
    # What the dying thread has used goes to its process; zero costs nothing.
    m, t, s = tsk.machine_, tsk._o >> 3, sig._o >> 3
    u64 = m.u64
    for of_task, own, _ in _TIMES:
        used = u64[t + of_task]
        if used:
            put(m, s + own, u64[s + own] + used)
    put(m, s + w.S_SUM_SCHED, u64[s + w.S_SUM_SCHED] + u64[t + w.T_SUM_EXEC])


# The times and counts of what was used: their words in a task_struct, and for the process and for
# its waited-for children in a signal_struct.
_TIMES = [
    (
        task_struct.offsetof_(name) >> 3,
        sched_signal.signal_struct.offsetof_(name) >> 3,
        sched_signal.signal_struct.offsetof_(f"c{name}") >> 3,
    )
    for name in ("utime", "stime", "gtime", "nvcsw", "nivcsw", "min_flt", "maj_flt")
]


def put_task_struct_rcu_user(m: Machine, task: task_struct) -> None:
    """Drop one of the two references (rcu_users) to `task`; after the last, and a grace period, one of usage."""
    if not _rcu_users(task, -1):
        fork.put_task_struct(m, task)  # delayed_put_task_struct()


def release_task(m: Machine, p: task_struct) -> None:
    """Remove the dead task `p` from everywhere; the last thread but a dead leader takes that along."""
    while True:
        _processes(p.cred.user, -1)
        thread_pid = kernel_pid.get_pid(p.thread_pid)
        __exit_signal(m, p)
        leader, zap_leader = p.group_leader, False
        if (
            leader.address_ != p.address_
            and sched_signal.thread_group_empty(leader)
            and leader.exit_state == sched.EXIT_ZOMBIE
        ):
            zap_leader = signal.do_notify_parent(m, leader, leader.exit_signal)
            if zap_leader:
                leader.exit_state = sched.EXIT_DEAD
        kernel_pid.put_pid(m, thread_pid)
        put_task_struct_rcu_user(m, p)
        if not zap_leader:
            return
        p = leader


# --- exit ----------------------------------------------------------------------------------


def exit_mm(m: Machine, tsk: task_struct) -> None:
    """Let `tsk` have no address space any more; it is still borrowed until the next switch."""
    mm = tsk.mm
    fork.exit_mm_release(m, tsk, mm)
    if not mm.address_:
        return
    fork._mm_count(mm, 1)
    tsk.mm = None
    if mm.owner.address_ == tsk.address_:
        mm.owner = None
    fork.mmput(m, mm)


def will_become_orphaned_pgrp(pgrp: Any, ignored_task: task_struct | None) -> bool:
    """Return whether no member of `pgrp` (struct pid *) has a parent elsewhere in its session."""
    for p in signal.do_each_pid_task(pgrp, sched.PIDTYPE_PGID):
        if ignored_task is not None and p == ignored_task:
            continue
        if p.exit_state and sched_signal.thread_group_empty(p):
            continue
        parent = p.real_parent
        if pid_h.is_global_init(parent):
            continue
        if sched_signal.task_pgrp(parent) != pgrp and sched_signal.task_session(
            parent
        ) == sched_signal.task_session(p):
            return False
    return True


def is_current_pgrp_orphaned(pgrp: Any) -> bool:
    """Return whether the running task's group `pgrp` (struct pid *) is orphaned."""
    return will_become_orphaned_pgrp(pgrp, None)


def has_stopped_jobs(pgrp: Any) -> bool:
    """Return whether a process of the group `pgrp` (struct pid *) is stopped."""
    return any(
        p.signal.flags & sched_signal.SIGNAL_STOP_STOPPED
        for p in signal.do_each_pid_task(pgrp, sched.PIDTYPE_PGID)
    )


def kill_orphaned_pgrp(m: Machine, tsk: task_struct, parent: task_struct | None) -> None:
    """If the group loses its last link to the session and has stopped members: SIGHUP, SIGCONT."""
    pgrp, ignored = sched_signal.task_pgrp(tsk), None
    if parent is None:
        parent, ignored = tsk.real_parent, tsk
    if sched_signal.task_pgrp(parent) == pgrp or sched_signal.task_session(
        parent
    ) != sched_signal.task_session(tsk):
        return
    if will_become_orphaned_pgrp(pgrp, ignored) and has_stopped_jobs(pgrp):
        signal.kill_pgrp_info(m, SIGHUP, signal.SEND_SIG_PRIV, pgrp)
        signal.kill_pgrp_info(m, SIGCONT, signal.SEND_SIG_PRIV, pgrp)


def find_alive_thread(p: task_struct) -> task_struct | None:
    """Return a thread of the process of `p` that is not exiting, None if there is none."""
    return next(
        (t for t in sched_signal.for_each_thread(p) if not t.flags & sched.PF_EXITING), None
    )


async def find_child_reaper(
    m: Machine, father: task_struct, dead: list[task_struct]
) -> task_struct:
    """Who adopts in this namespace; if its init dies itself, everybody else there goes first."""
    ns = kernel_pid.task_active_pid_ns(father)
    reaper: task_struct = ns.child_reaper
    if reaper.address_ != father.address_:
        return reaper
    alive = find_alive_thread(father)
    if alive is not None:
        ns.child_reaper = alive
        return alive
    for p in dead:
        release_task(m, p)
    dead.clear()
    await pid_namespace.zap_pid_ns_processes(m, ns)
    return father


def find_new_reaper(m: Machine, father: task_struct, child_reaper: task_struct) -> task_struct:
    """A thread of the same process, the nearest subreaper, or the namespace's init."""
    thread = find_alive_thread(father)
    if thread is not None:
        return thread
    if father.signal.has_child_subreaper:
        level = father.thread_pid.level
        reaper = father.real_parent
        while reaper.thread_pid.level == level:
            if reaper == m.symbol("init_task"):
                break
            if reaper.signal.is_child_subreaper:
                alive = find_alive_thread(reaper)
                if alive is not None:
                    return alive
            reaper = reaper.real_parent
    return child_reaper


def reparent_leader(
    m: Machine, father: task_struct, p: task_struct, dead: list[task_struct]
) -> None:
    """Let the child `p` of the dying `father` be one like any other; a zombie may be reaped at once."""
    if p.exit_state == sched.EXIT_DEAD:
        return
    p.exit_signal = SIGCHLD
    if (
        p.exit_state == sched.EXIT_ZOMBIE
        and sched_signal.thread_group_empty(p)
        and signal.do_notify_parent(m, p, p.exit_signal)
    ):
        p.exit_state = sched.EXIT_DEAD
        dead.insert(0, p)
    kill_orphaned_pgrp(m, p, father)


async def forget_original_parent(m: Machine, father: task_struct, dead: list[task_struct]) -> None:
    """Give the children of `father` a new parent."""
    reaper = await find_child_reaper(m, father, dead)
    children = father.children
    if lists.list_empty(children):
        return
    reaper = find_new_reaper(m, father, reaper)
    for p in lists.list_for_each_entry(task_struct, children, "sibling"):
        for t in sched_signal.for_each_thread(p):
            t.real_parent = reaper
            if not t.ptrace:
                t.parent = reaper
            if t.pdeath_signal:
                signal.group_send_sig_info(m, t.pdeath_signal, signal.SEND_SIG_NOINFO, t)
        if not sched_signal.same_thread_group(reaper, father):
            reparent_leader(m, father, p, dead)
    lists.list_splice_tail_init(children, reaper.children)


async def exit_notify(m: Machine, tsk: task_struct, group_dead: bool) -> None:
    """Tell the family; become a zombie, or nothing at all."""
    dead: list[task_struct] = []
    await forget_original_parent(m, tsk, dead)
    if group_dead:
        kill_orphaned_pgrp(m, tsk.group_leader, None)
    tsk.exit_state = sched.EXIT_ZOMBIE
    if tsk.exit_signal >= 0:
        autoreap = sched_signal.thread_group_empty(tsk) and signal.do_notify_parent(
            m, tsk, tsk.exit_signal
        )
    else:
        autoreap = True
    if autoreap:
        tsk.exit_state = sched.EXIT_DEAD
        dead.insert(0, tsk)
    if tsk.signal.notify_count < 0:
        core.wake_up_process(m, tsk.signal.group_exit_task)
    for p in dead:
        release_task(m, p)


async def do_exit(m: Machine, code: int) -> None:
    """End the running thread with the status word `code` (long); kernel/exit.c L760.  Never returns.

    Panics when it is the idle task or the last thread of the global init.
    """
    tsk = m.current
    if not tsk.pid:
        panic(m, "Attempted to kill the idle task!")
    signal.exit_signals(m, tsk)
    sig = tsk.signal
    group_dead = not _live(sig, -1)
    if group_dead and pid_h.is_global_init(tsk):
        panic(
            m,
            f"Attempted to kill init! exitcode=0x{(sig.group_exit_code or code) & 0xFFFF_FFFF:08x}",
        )
    tsk.exit_code = code
    exit_mm(m, tsk)
    if m.trace.on:
        comm = tsk.comm.string_().decode("utf-8", "replace")
        m.trace.emit("sched_process_exit", comm=comm, pid=tsk.pid, prio=tsk.prio)
    fs_file.exit_files(m, tsk)
    fs_struct.exit_fs(m, tsk)
    nsproxy.exit_task_namespaces(m, tsk)
    process.exit_thread(m, tsk)
    await exit_notify(m, tsk, group_dead)
    await core.do_task_dead(m)


def panic(m: Machine, reason: str) -> None:
    """Stop the machine for good: kernel/panic.c."""
    m.trace.emit("panic", reason=reason)
    raise cpu.Panic(reason)


async def do_group_exit(m: Machine, exit_code: int) -> None:
    """End the whole process of the running thread with the status word `exit_code` (int).  Never returns."""
    tsk = m.current
    sig = tsk.signal
    if sched_signal.signal_group_exit(sig):
        exit_code = sig.group_exit_code
    elif not sched_signal.thread_group_empty(tsk):
        sig.group_exit_code = exit_code
        sig.flags = sched_signal.SIGNAL_GROUP_EXIT
        signal.zap_other_threads(m, tsk)
    await do_exit(m, exit_code)


async def sys_exit(m: Machine, error_code: int) -> int:
    """exit(2): end this thread only."""
    await do_exit(m, (error_code & 0xFF) << 8)
    return 0


async def sys_exit_group(m: Machine, error_code: int) -> int:
    """exit_group(2): end the process."""
    await do_group_exit(m, (error_code & 0xFF) << 8)
    return 0


# --- wait ----------------------------------------------------------------------------------


def eligible_pid(wo: Any, p: task_struct) -> bool:
    """Return whether `p` has the pid, or is in the group, that is waited for."""
    wo_type = wo.wo_type
    if wo_type == sched.PIDTYPE_MAX:
        return True
    pid = p.thread_pid if wo_type == sched.PIDTYPE_PID else p.signal.pids[wo_type]
    return bool(pid.address_ == wo.wo_pid.address_)


def eligible_child(wo: Any, p: task_struct) -> bool:
    """Is `p` selected, and of the kind (clone or not) that is waited for?."""
    if not eligible_pid(wo, p):
        return False
    flags = wo.wo_flags
    if p.ptrace or flags & __WALL:
        return True
    return (p.exit_signal != SIGCHLD) == bool(flags & uapi.__WCLONE)


def child_wait_callback(m: Machine, wq_entry: Any, mode: int, sync: int, p: Any) -> int:
    """Wake a waiting parent for its child `p` (struct task_struct *), if it waits for that one."""
    wo = container_of(wq_entry, wait_opts, "child_wait")
    if not eligible_pid(wo, p):
        return 0
    if wo.wo_flags & uapi.__WNOTHREAD and wq_entry.private != p.parent.address_:
        return 0
    return wait.default_wake_function(m, wq_entry, mode, sync, p)


def _add_child_times(m: Machine, p: task_struct) -> None:
    # What the child and its waited-for children used becomes the parent's children's.
    sig, psig = p.signal, m.current.signal
    t, s, ps = p._o >> 3, sig._o >> 3, psig._o >> 3
    u64 = m.u64
    times = cputime.thread_group_cputime_adjusted(m, p)
    for i, (of_task, own, of_children) in enumerate(_TIMES):
        used = times[i] if i < 2 else u64[t + of_task] + u64[s + own]
        used += u64[s + of_children]
        if used:
            put(m, ps + of_children, u64[ps + of_children] + used)


def _tell_used(m: Machine, wo: Any, p: task_struct) -> None:
    # Fill in wo_rusage, where the caller wants it.
    used = wo.wo_rusage
    if used.address_:
        kernel_sys.getrusage(m, p, resource.RUSAGE_BOTH, used)


def _inform(wo: Any, pid: int, p: task_struct, cause: int, status: int) -> None:
    # Fill in wo_info, where the caller is waitid().
    info = wo.wo_info
    if info.address_:
        info.cause, info.status, info.pid, info.uid = cause, status, pid, p.cred.uid


def _inform_of_death(wo: Any, pid: int, p: task_struct, code: int) -> None:
    if not code & 0x7F:
        _inform(wo, pid, p, asm_signal.CLD_EXITED, code >> 8)
    else:
        cause = asm_signal.CLD_DUMPED if code & 0x80 else asm_signal.CLD_KILLED
        _inform(wo, pid, p, cause, code & 0x7F)


def wait_task_zombie(m: Machine, wo: Any, p: task_struct) -> int:
    """Take the status of the zombie `p` and release it; its number, or 0 if someone else was faster."""
    pid = kernel_pid.task_pid_vnr(m, p)
    flags = wo.wo_flags
    if not flags & uapi.WEXITED:
        return 0
    if flags & uapi.WNOWAIT:
        _tell_used(m, wo, p)
        wo.wo_stat = p.exit_code
        _inform_of_death(wo, pid, p, p.exit_code)
        return pid
    if p.exit_state != sched.EXIT_ZOMBIE:
        return 0
    p.exit_state = sched.EXIT_DEAD
    if p.exit_signal >= 0:
        _add_child_times(m, p)
    _tell_used(m, wo, p)
    sig = p.signal
    wo.wo_stat = sig.group_exit_code if sig.flags & sched_signal.SIGNAL_GROUP_EXIT else p.exit_code
    _inform_of_death(wo, pid, p, wo.wo_stat)
    release_task(m, p)
    return pid


def wait_task_stopped(m: Machine, wo: Any, p: task_struct) -> int:
    """Report the stopped process `p`, each stop once; its number, or 0 if there is nothing to report."""
    sig, flags = p.signal, wo.wo_flags
    if not flags & uapi.WUNTRACED or not sig.flags & sched_signal.SIGNAL_STOP_STOPPED:
        return 0
    exit_code = sig.group_exit_code
    if not exit_code:
        return 0
    if not flags & uapi.WNOWAIT:
        sig.group_exit_code = 0
    pid = kernel_pid.task_pid_vnr(m, p)
    _tell_used(m, wo, p)
    wo.wo_stat = exit_code << 8 | 0x7F
    _inform(wo, pid, p, asm_signal.CLD_STOPPED, exit_code)
    return pid


def wait_task_continued(m: Machine, wo: Any, p: task_struct) -> int:
    """Report that the process `p` goes on, once; its number, or 0 if there is nothing to report."""
    sig, flags = p.signal, wo.wo_flags
    if not flags & uapi.WCONTINUED or not sig.flags & sched_signal.SIGNAL_STOP_CONTINUED:
        return 0
    if not flags & uapi.WNOWAIT:
        sig.flags &= ~sched_signal.SIGNAL_STOP_CONTINUED
    pid = kernel_pid.task_pid_vnr(m, p)
    _tell_used(m, wo, p)
    wo.wo_stat = 0xFFFF
    _inform(wo, pid, p, asm_signal.CLD_CONTINUED, SIGCONT)
    return pid


def wait_consider_task(m: Machine, wo: Any, p: task_struct) -> int:
    """Number of `p` if it is to be reported, else 0; notes that there is somebody to wait for."""
    exit_state = p.exit_state
    if exit_state == sched.EXIT_DEAD or not eligible_child(wo, p):
        return 0
    if exit_state == sched.EXIT_ZOMBIE and not sched_signal.delay_group_leader(p):
        return wait_task_zombie(m, wo, p)
    wo.notask_error = 0
    if wo.wo_flags & (uapi.WUNTRACED | uapi.WCONTINUED):
        return wait_task_stopped(m, wo, p) or wait_task_continued(m, wo, p)
    return 0


def do_wait_thread(m: Machine, wo: Any, tsk: task_struct) -> int:
    """Look at every child of the thread `tsk`."""
    head = tsk.address_ + _CHILDREN
    node = m.u64[m.index(head)]
    while node != head:
        retval = wait_consider_task(m, wo, task_struct.ref_(m, node - _SIBLING))
        if retval:
            return retval
        node = m.u64[m.index(node)]
    return 0


def _look_for_children(m: Machine, wo: Any, current: task_struct) -> int:
    tsk = current
    while True:
        retval = do_wait_thread(m, wo, tsk)
        if retval or wo.wo_flags & uapi.__WNOTHREAD:
            return retval
        following = m.u64[(tsk._o + _THREAD_GROUP) >> 3] - _THREAD_GROUP
        if following == current.address_:
            return 0
        tsk = task_struct(m, following)


async def do_wait(m: Machine, wo: Any) -> int:
    """Set the state, look, sleep, look again."""
    current = m.current
    queue, entry = current.signal.wait_chldexit, wo.child_wait
    wait.init_waitqueue_func_entry(entry, current, machine.text_address("child_wait_callback"))
    wait.add_wait_queue(queue, entry)
    while True:
        wo.notask_error = -errno.ECHILD
        wo_type = wo.wo_type
        retval = 0
        if wo_type == sched.PIDTYPE_MAX or pid_h.pid_has_task(wo.wo_pid, wo_type):
            current.state = sched.TASK_INTERRUPTIBLE
            retval = _look_for_children(m, wo, current)
            if retval:
                break
        retval = wo.notask_error
        if retval or wo.wo_flags & uapi.WNOHANG:
            break
        if sched_signal.signal_pending(current):
            retval = -errno.ERESTARTSYS
            break
        await core.schedule(m)
    current.state = sched.TASK_RUNNING
    wait.remove_wait_queue(queue, entry)
    return retval


async def kernel_wait4(m: Machine, upid: int, stat: Any, options: int, ru: Any) -> int:
    """Wait for children; kernel/exit.c L1653.

    `upid` (pid_t) says which, `stat` (int *, a UserBuffer or None) takes the status word, `options`
    (int) are W* flags, `ru` (struct rusage *, None for NULL) takes what the child has used.  Returns the child's number, 0 with WNOHANG when none is ready, or -EINVAL,
    -ESRCH, -ECHILD, -EFAULT, -ERESTARTSYS.
    """
    allowed = (
        uapi.WNOHANG | uapi.WUNTRACED | uapi.WCONTINUED | uapi.__WNOTHREAD | uapi.__WCLONE | __WALL
    )
    options &= 0xFFFF_FFFF  # its sign is __WCLONE
    if options & ~allowed:
        return -errno.EINVAL
    if upid == INT_MIN:
        return -errno.ESRCH
    wo_type, pid = sched.PIDTYPE_MAX, pid_h.pid.ref_(m, 0)
    if upid < -1:
        wo_type, pid = sched.PIDTYPE_PGID, kernel_pid.find_get_pid(m, -upid)
    elif upid == 0:
        wo_type, pid = sched.PIDTYPE_PGID, kernel_pid.get_task_pid(m.current, sched.PIDTYPE_PGID)
    elif upid > 0:
        wo_type, pid = sched.PIDTYPE_PID, kernel_pid.find_get_pid(m, upid)
    wo = wait.stack_push(m, wait_opts)
    _set_wait_opts(wo, wo_type, pid, 0, options | uapi.WEXITED, 0, ru.address_ if ru else 0)
    retval = await do_wait(m, wo)
    status = wo.wo_stat
    wait.stack_pop(m, wait_opts)
    kernel_pid.put_pid(m, pid)
    if retval > 0 and stat and uaccess.put_user(m, status, stat):
        return -errno.EFAULT
    return retval


async def sys_wait4(m: Machine, upid: int, stat_addr: Any, options: int, ru: Any) -> int:
    """wait4(2): the place `ru`, if there is one, takes what the child and its children have used."""
    if ru is None:
        return await kernel_wait4(m, upid, stat_addr, options, None)
    r = wait.stack_push(m, rusage)
    err = await kernel_wait4(m, upid, stat_addr, options, r)
    if err > 0 and kernel_sys._rusage_to_user(m, r, ru):
        err = -errno.EFAULT
    wait.stack_pop(m, rusage)
    return err


async def kernel_waitid(m: Machine, which: int, upid: int, info: Any, options: int, ru: Any) -> int:
    """Wait for children; kernel/exit.c L1554.

    `which` is P_ALL, P_PID, P_PGID or P_PIDFD, `info` (struct waitid_info *) takes who it was.
    Returns the child's number, 0 with WNOHANG when none is ready, or -EINVAL, -EBADF, -ECHILD,
    -ERESTARTSYS, -EAGAIN when none is ready and the pidfd has O_NONBLOCK.
    """
    ends = uapi.WEXITED | uapi.WSTOPPED | uapi.WCONTINUED
    allowed = ends | uapi.WNOHANG | uapi.WNOWAIT | uapi.__WNOTHREAD | uapi.__WCLONE | __WALL
    options &= 0xFFFF_FFFF
    if options & ~allowed or not options & ends:
        return -errno.EINVAL
    wo_type, pid, f_flags = sched.PIDTYPE_MAX, pid_h.pid.ref_(m, 0), 0
    if which == uapi.P_PID:
        if upid <= 0:
            return -errno.EINVAL
        wo_type, pid = sched.PIDTYPE_PID, kernel_pid.find_get_pid(m, upid)
    elif which == uapi.P_PGID:
        if upid < 0:
            return -errno.EINVAL
        wo_type = sched.PIDTYPE_PGID
        own = not upid
        pid = (
            kernel_pid.get_task_pid(m.current, sched.PIDTYPE_PGID)
            if own
            else kernel_pid.find_get_pid(m, upid)
        )
    elif which == uapi.P_PIDFD:
        if upid < 0:
            return -errno.EINVAL
        wo_type = sched.PIDTYPE_PID
        pid, f_flags = kernel_pid.pidfd_get_pid(m, upid)
        if isinstance(pid, int):
            return pid
    elif which != uapi.P_ALL:
        return -errno.EINVAL
    wo = wait.stack_push(m, wait_opts)
    nonblock = bool(f_flags & fcntl.O_NONBLOCK)
    wo_flags = options | (uapi.WNOHANG if nonblock else 0)
    _set_wait_opts(wo, wo_type, pid, info.address_, wo_flags, 0, ru.address_ if ru else 0)
    retval = await do_wait(m, wo)
    if not retval and nonblock and not options & uapi.WNOHANG:
        retval = -errno.EAGAIN
    wait.stack_pop(m, wait_opts)
    kernel_pid.put_pid(m, pid)
    return retval


async def sys_waitid(
    m: Machine, which: int, upid: int, infop: Any, options: int, ru: Any = None
) -> int:
    """waitid(2): `infop` is a place for (si_signo, si_code, si_pid, si_uid, si_status) or None.

    It is stored there also when nobody was found, or nothing was asked for that makes sense: zeros.
    `ru` is a place for what the child and its children have used, or None.
    """
    info = wait.stack_push(m, waitid_info)
    info.pid = info.uid = info.status = info.cause = 0
    r = None if ru is None else wait.stack_push(m, rusage)
    err = await kernel_waitid(m, which, upid, info, options, r)
    found = (SIGCHLD if err > 0 else 0, info.cause, info.pid, info.uid, info.status)
    unmapped = err > 0 and r is not None and kernel_sys._rusage_to_user(m, r, ru)
    if r is not None:
        wait.stack_pop(m, rusage)
    wait.stack_pop(m, waitid_info)
    if unmapped:
        return -errno.EFAULT
    if infop and uaccess.put_user(m, found, infop):
        return -errno.EFAULT
    return min(err, 0)


def thread_group_exited(pid: Any) -> bool:
    """Return whether all threads of the process `pid` (struct pid *) are zombies, dead or gone."""
    task = kernel_pid.pid_task(pid, sched.PIDTYPE_PID)
    return not task or (bool(task.exit_state) and sched_signal.thread_group_empty(task))
