"""kernel/signal.c @ v5.10.188: sending signals and taking them.

Left out: limits of queued signals, core dumps, ptrace, alternate stacks, siginfo for handlers
(docs/fidelity.md).  The siglock: there is one CPU and nothing sleeps under it.
"""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.fs import file as fs_file
from kernelsim.include.linux import _words as w
from kernelsim.include.linux import hlist, sched, slab, uaccess
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import jobctl, task_struct
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched.signal import fatal_signal_pending
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm import signal as uapi
from kernelsim.include.uapi.linux import resource
from kernelsim.include.uapi.linux.capability import CAP_KILL
from kernelsim.kernel import capability, fork
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel import user as kernel_user
from kernelsim.kernel.sched import core, wait
from kernelsim.machine.memory import put
from kernelsim.mm import slub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.machine import Machine

__all__ = [
    "access_pidfd_pidns",
    "check_kill_permission",
    "collect_signal",
    "complete_signal",
    "dequeue_signal",
    "do_each_pid_task",
    "do_no_restart_syscall",
    "do_notify_parent",
    "do_notify_parent_cldstop",
    "do_notify_pidfd",
    "do_sigaction",
    "do_signal_stop",
    "exit_signals",
    "fatal_signal_pending",
    "flush_signal_handlers",
    "flush_signals",
    "flush_sigqueue",
    "flush_sigqueue_mask",
    "get_signal",
    "group_send_sig_info",
    "init_sigpending",
    "kernel_sigaction",
    "kill_pgrp_info",
    "kill_pid_info",
    "kill_something_info",
    "ksignal",
    "next_signal",
    "prepare_signal",
    "recalc_sigpending",
    "retarget_shared_pending",
    "send_sig",
    "send_signal",
    "set_current_blocked",
    "set_user_sigmask",
    "sig_fatal",
    "sig_ignored",
    "sig_task_ignored",
    "sigmask",
    "signal_wake_up",
    "signals_init",
    "sys_kill",
    "sys_pause",
    "sys_pidfd_send_signal",
    "sys_restart_syscall",
    "sys_rt_sigaction",
    "sys_rt_sigpending",
    "sys_rt_sigprocmask",
    "sys_rt_sigsuspend",
    "sys_tgkill",
    "sys_tkill",
    "task_clear_jobctl_pending",
    "task_join_group_stop",
    "task_participate_group_stop",
    "task_set_jobctl_pending",
    "wants_signal",
    "zap_other_threads",
]

SEND_SIG_NOINFO, SEND_SIG_PRIV = "noinfo", "priv"
_NSIG = 64
SIG_KTHREAD, SIG_KTHREAD_KERNEL = 2, 3  # a kernel thread's handler: it looks by itself


def sigmask(sig: int) -> int:
    """Return the bit (unsigned long) of signal `sig`."""
    return 1 << (sig - 1)


def _set(*signals: int) -> int:
    return sum(1 << (s - 1) for s in signals)


SIG_KERNEL_ONLY_MASK = _set(uapi.SIGKILL, uapi.SIGSTOP)
SIG_KERNEL_STOP_MASK = _set(uapi.SIGSTOP, uapi.SIGTSTP, uapi.SIGTTIN, uapi.SIGTTOU)
SIG_KERNEL_COREDUMP_MASK = _set(
    *(uapi.SIGQUIT, uapi.SIGILL, uapi.SIGTRAP, uapi.SIGABRT, uapi.SIGFPE, uapi.SIGSEGV),
    *(uapi.SIGBUS, uapi.SIGSYS, uapi.SIGXCPU, uapi.SIGXFSZ),
)
SIG_SYNCHRONOUS_MASK = _set(
    *(uapi.SIGSEGV, uapi.SIGBUS, uapi.SIGILL, uapi.SIGTRAP, uapi.SIGFPE, uapi.SIGSYS)
)
SIG_KERNEL_IGNORE_MASK = _set(uapi.SIGCONT, uapi.SIGCHLD, uapi.SIGWINCH, uapi.SIGURG)


def signals_init(m: Machine) -> None:
    """Make the cache of queued signals."""
    size = sched_signal.sigqueue.sizeof_
    m.static.sigqueue_cachep = slub.kmem_cache_create(m, "sigqueue", size, 0, slab.SLAB_PANIC)


_set_empty = sched.sigpending.store_("signal", "list.next", "list.prev")


def init_sigpending(pending: Any) -> None:
    """Make `pending` (struct sigpending *) empty."""
    _set_empty(pending, 0, pending.address_, pending.address_)  # the list is its first member


def __sigqueue_alloc(m: Machine, sig: int, t: task_struct, override_rlimit: bool) -> Any:
    # A struct sigqueue, counted for the user of `t`; NULL if that has too many or memory is short.
    user = t.cred.user
    user.sigpending += 1
    if user.sigpending == 1:
        kernel_user.get_uid(user)
    address, limit = 0, t.signal.rlim[resource.RLIMIT_SIGPENDING].rlim_cur
    if override_rlimit or user.sigpending <= limit:
        address = slub.kmem_cache_alloc(m, m.static.sigqueue_cachep, slab.GFP_ATOMIC)
    q = sched_signal.sigqueue(m, address)
    if not address:
        _drop_sigpending(m, user)
    else:
        lists.INIT_LIST_HEAD(q.list)
        q.user = user
    return q


def _drop_sigpending(m: Machine, user: Any) -> None:
    # One queued signal less; all of a user's together hold the user_struct.
    user.sigpending -= 1
    if not user.sigpending:
        kernel_user.free_uid(m, user)


def __sigqueue_free(m: Machine, q: Any) -> None:
    _drop_sigpending(m, q.user)
    slub.kmem_cache_free(m, m.static.sigqueue_cachep, q.address_)


def flush_sigqueue(m: Machine, queue: Any) -> None:
    """Forget every signal in `queue` (struct sigpending *)."""
    if queue.signal:
        queue.signal = 0
    head = queue.list
    while m.u64[head._o >> 3] != head.address_:  # not list_empty()
        q = lists.list_first_entry(head, sched_signal.sigqueue, "list")
        lists.list_del_init(q.list)
        __sigqueue_free(m, q)


def flush_sigqueue_mask(m: Machine, mask: int, pending: Any) -> None:
    """Forget the signals of `mask` (sigset_t) that are in `pending` (struct sigpending *)."""
    if not mask & pending.signal:
        return
    pending.signal &= ~mask
    for q in list(lists.list_for_each_entry(sched_signal.sigqueue, pending.list, "list")):
        if mask & sigmask(q.si_signo):
            lists.list_del_init(q.list)
            __sigqueue_free(m, q)


def do_each_pid_task(pid: Any, pid_type: int) -> Iterator[task_struct]:
    """Yield the tasks that use `pid` (struct pid *, may be NULL) as their `pid_type`."""
    if pid:
        yield from hlist.hlist_for_each_entry(
            task_struct, pid.tasks[pid_type], f"pid_links[{pid_type}]"
        )


# --- stopping: the bits of task->jobctl ------------------------------------------------------

_JOBCTL = jobctl.JOBCTL_PENDING_MASK | jobctl.JOBCTL_TRAP_FREEZE


def task_set_jobctl_pending(task: task_struct, mask: int) -> bool:
    """Ask `task` for what `mask` (unsigned long) says; false if it is about to die."""
    if fatal_signal_pending(task) or task.flags & sched.PF_EXITING:
        return False
    if mask & jobctl.JOBCTL_STOP_SIGMASK:
        task.jobctl &= ~jobctl.JOBCTL_STOP_SIGMASK
    task.jobctl |= mask
    return True


def task_clear_jobctl_pending(task: task_struct, mask: int) -> None:
    """Take back what was asked of `task`."""
    if mask & jobctl.JOBCTL_STOP_PENDING:
        mask |= jobctl.JOBCTL_STOP_CONSUME | jobctl.JOBCTL_STOP_DEQUEUED
    task.jobctl &= ~mask


def _set_stop_flags(sig: Any, flags: int) -> None:
    # signal_set_stop_flags()
    sig.flags = sig.flags & ~_STOP_FLAGS | flags


_STOP_FLAGS = (
    sched_signal.SIGNAL_STOP_STOPPED
    | sched_signal.SIGNAL_STOP_CONTINUED
    | sched_signal.SIGNAL_CLD_STOPPED
    | sched_signal.SIGNAL_CLD_CONTINUED
)


def task_participate_group_stop(task: task_struct) -> bool:
    """`task` takes its part in a group stop; return whether it completes one."""
    sig, consume = task.signal, task.jobctl & jobctl.JOBCTL_STOP_CONSUME
    task_clear_jobctl_pending(task, jobctl.JOBCTL_STOP_PENDING)
    if not consume:
        return False
    if sig.group_stop_count:
        sig.group_stop_count -= 1
    if not sig.group_stop_count and not sig.flags & sched_signal.SIGNAL_STOP_STOPPED:
        _set_stop_flags(sig, sched_signal.SIGNAL_STOP_STOPPED)
        return True
    return False


def task_join_group_stop(m: Machine, task: task_struct) -> None:
    """Let the new thread `task` join a group stop of the running task's process."""
    mask, sig = m.current.jobctl & jobctl.JOBCTL_STOP_SIGMASK, m.current.signal
    if sig.group_stop_count:
        sig.group_stop_count += 1
        mask |= jobctl.JOBCTL_STOP_CONSUME
    elif not sig.flags & sched_signal.SIGNAL_STOP_STOPPED:
        return
    task_set_jobctl_pending(task, mask | jobctl.JOBCTL_STOP_PENDING)


# --- pending -------------------------------------------------------------------------------


def recalc_sigpending(m: Machine) -> None:
    """Clear TIF_SIGPENDING of the running task if nothing waits for it (set it if something does)."""
    u64, t = m.u64, m.current._o >> 3
    shared = u64[m.index(u64[t + w.T_SIGNAL]) + w.S_SHARED_SET]
    pending = (u64[t + w.T_PENDING_SET] | shared) & ~u64[t + w.T_BLOCKED]
    pending = pending or u64[t + w.T_JOBCTL] & _JOBCTL
    flags = u64[t + w.T_FLAGS]
    if pending:
        if not flags & sched._TIF_SIGPENDING:
            put(m, t + w.T_FLAGS, flags | sched._TIF_SIGPENDING)
    elif flags & sched._TIF_SIGPENDING:
        put(m, t + w.T_FLAGS, flags & ~sched._TIF_SIGPENDING)


def signal_wake_up(m: Machine, t: task_struct, resume: bool) -> None:
    """Tell `t` that a signal waits; `resume` says to wake it from killable sleep and stops too."""
    t.thread_info.flags |= sched._TIF_SIGPENDING
    if t.on_rq:
        m.cpu.ready[t.address_] = None  # kick_process(): it must come by the kernel's exit
    core.wake_up_state(m, t, sched.TASK_INTERRUPTIBLE | (sched.TASK_WAKEKILL if resume else 0))


def _handler(t: task_struct, sig: int) -> int:
    # sig_handler(): the handler of `t` for `sig`.
    m = t.machine_
    sighand = m.index(m.u64[(t._o >> 3) + w.T_SIGHAND])
    handler: int = m.u64[sighand + w.H_ACTION + w.A_WORDS * (sig - 1)]
    return handler


def sig_task_ignored(t: task_struct, sig: int, force: bool) -> bool:
    """Return whether `t` would ignore `sig` if it were not blocked."""
    handler = _handler(t, sig)
    only = bool(sigmask(sig) & SIG_KERNEL_ONLY_MASK)
    if only and pid_h.is_global_init(t):
        return True
    m = t.machine_
    flags = m.u64[m.index(m.u64[(t._o >> 3) + w.T_SIGNAL]) + w.S_FLAGS_HI] >> 32
    if flags & sched_signal.SIGNAL_UNKILLABLE and handler == uapi.SIG_DFL and not (force and only):
        return True
    if handler == SIG_KTHREAD_KERNEL and t.flags & sched.PF_KTHREAD and not force:
        return True
    return handler == uapi.SIG_IGN or (
        handler == uapi.SIG_DFL and bool(sigmask(sig) & SIG_KERNEL_IGNORE_MASK)
    )


def sig_ignored(t: task_struct, sig: int, force: bool) -> bool:
    """Return whether `sig` would have no effect on `t`: ignored, and not blocked."""
    u64, i = t.machine_.u64, t._o >> 3
    if (u64[i + w.T_BLOCKED] | u64[i + w.T_REAL_BLOCKED]) & sigmask(sig):
        return False
    if u64[i + w.T_PTRACE_LO] & w.LO and sig != uapi.SIGKILL:
        return False
    return sig_task_ignored(t, sig, force)


def prepare_signal(m: Machine, sig: int, p: task_struct, force: bool) -> bool:
    """What happens when a signal is sent, whoever blocks it; return whether it is to be queued at all."""
    flags = p.signal.flags
    if flags & (sched_signal.SIGNAL_GROUP_EXIT | sched_signal.SIGNAL_GROUP_COREDUMP):
        if not flags & sched_signal.SIGNAL_GROUP_EXIT:
            return sig == uapi.SIGKILL
    elif sigmask(sig) & SIG_KERNEL_STOP_MASK:
        _flush_from_all(m, sigmask(uapi.SIGCONT), p)
    elif sig == uapi.SIGCONT:
        _continue(m, p)
    return not sig_ignored(p, sig, force)


def _flush_from_all(m: Machine, mask: int, p: task_struct) -> None:
    # From the queue of the process and from those of its threads.
    flush_sigqueue_mask(m, mask, p.signal.shared_pending)
    for t in sched_signal.for_each_thread(p):
        flush_sigqueue_mask(m, mask, t.pending)


def _continue(m: Machine, p: task_struct) -> None:
    # SIGCONT is sent: whatever stops is forgotten, and who is stopped is woken.
    sig = p.signal
    flush_sigqueue_mask(m, SIG_KERNEL_STOP_MASK, sig.shared_pending)
    for t in list(sched_signal.for_each_thread(p)):
        flush_sigqueue_mask(m, SIG_KERNEL_STOP_MASK, t.pending)
        task_clear_jobctl_pending(t, jobctl.JOBCTL_STOP_PENDING)
        core.wake_up_state(m, t, sched.__TASK_STOPPED)
    why = 0
    if sig.flags & sched_signal.SIGNAL_STOP_STOPPED:
        why = sched_signal.SIGNAL_CLD_CONTINUED
    elif sig.group_stop_count:
        why = sched_signal.SIGNAL_CLD_STOPPED
    if why:  # the first thread that runs again tells the parent: get_signal()
        _set_stop_flags(sig, why | sched_signal.SIGNAL_STOP_CONTINUED)
        sig.group_stop_count = 0
        sig.group_exit_code = 0


def wants_signal(m: Machine, sig: int, p: task_struct) -> bool:
    """Return whether the thread `p` may take `sig` now."""
    if p.blocked & sigmask(sig) or p.flags & sched.PF_EXITING:
        return False
    if sig == uapi.SIGKILL:
        return True
    if p.state & (sched.__TASK_STOPPED | sched.__TASK_TRACED):
        return False
    return bool(p.on_cpu) or not sched_signal.signal_pending(p)


def sig_fatal(t: task_struct, sig: int) -> bool:
    """Return whether `sig` would kill `t`: its default action is neither to ignore nor to stop."""
    harmless = SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK
    return not sigmask(sig) & harmless and t.sighand.action[sig - 1].sa_handler == uapi.SIG_DFL


def complete_signal(m: Machine, sig: int, p: task_struct, pid_type: int) -> None:
    """Choose the thread that takes `sig`, sent to `p`, and wake it; a fatal one takes the whole process."""
    sig_struct = p.signal
    if wants_signal(m, sig, p):
        t = p
    elif pid_type == sched.PIDTYPE_PID or sched_signal.thread_group_empty(p):
        return
    else:
        t = start = sig_struct.curr_target
        while not wants_signal(m, sig, t):
            t = lists.list_next_entry(t, "thread_group")
            if t == start:
                return
        sig_struct.curr_target = t
    fatal = sig_fatal(p, sig) and not sig_struct.flags & sched_signal.SIGNAL_GROUP_EXIT
    if fatal and not t.real_blocked & sigmask(sig) and not sigmask(sig) & SIG_KERNEL_COREDUMP_MASK:
        sig_struct.flags = sched_signal.SIGNAL_GROUP_EXIT
        sig_struct.group_exit_code = sig
        sig_struct.group_stop_count = 0
        for thread in list(sched_signal.for_each_thread(p)):
            thread.pending.signal |= sigmask(uapi.SIGKILL)
            signal_wake_up(m, thread, True)
        return
    signal_wake_up(m, t, sig == uapi.SIGKILL)


def __send_signal(
    m: Machine, sig: int, info: Any, t: task_struct, pid_type: int, force: bool
) -> int:
    result, ret = _TRACE_IGNORED, 0
    if prepare_signal(m, sig, t, force):
        pending = t.pending if pid_type == sched.PIDTYPE_PID else t.signal.shared_pending
        result = _TRACE_ALREADY_PENDING
        if not (sig < uapi.SIGRTMIN and pending.signal & sigmask(sig)):
            result = _TRACE_DELIVERED
            if sig != uapi.SIGKILL and not t.flags & sched.PF_KTHREAD:
                result = _queue_signal(m, sig, info, t, pending)
            if result == _TRACE_OVERFLOW_FAIL:
                ret = -errno.EAGAIN
            else:
                pending.signal |= sigmask(sig)
                complete_signal(m, sig, t, pid_type)
    if m.trace.on:
        comm = t.comm.string_().decode("utf-8", "replace")
        m.trace.emit(
            "signal_generate",
            sig=sig,
            comm=comm,
            pid=t.pid,
            group=int(pid_type != 0),
            result=result,
        )
    return ret


_TRACE_DELIVERED, _TRACE_IGNORED, _TRACE_ALREADY_PENDING = 0, 1, 2  # trace/events/signal.h
_TRACE_OVERFLOW_FAIL, _TRACE_LOSE_INFO = 3, 4


def _queue_signal(m: Machine, sig: int, info: Any, t: task_struct, pending: Any) -> int:
    # The details; if there is no room for them a signal of kill() goes without.  What the trace says.
    special = info in (SEND_SIG_NOINFO, SEND_SIG_PRIV)
    override_rlimit = sig < uapi.SIGRTMIN and (special or info[0] >= 0)
    q = __sigqueue_alloc(m, sig, t, override_rlimit)
    if not q:
        fails = not special and sig >= uapi.SIGRTMIN and info[0] != uapi.SI_USER
        return _TRACE_OVERFLOW_FAIL if fails else _TRACE_LOSE_INFO
    lists.list_add_tail(q.list, pending.list)
    q.si_signo = sig
    if info == SEND_SIG_NOINFO:
        q.si_code = uapi.SI_USER
        q.si_pid = kernel_pid.task_tgid_nr_ns(m.current, kernel_pid.task_active_pid_ns(t))
        q.si_uid = m.current.cred.uid
    elif info == SEND_SIG_PRIV:
        q.si_code = uapi.SI_KERNEL
    else:
        q.si_code, q.si_pid, q.si_status = info
    return _TRACE_DELIVERED


def send_signal(m: Machine, sig: int, info: Any, t: task_struct, pid_type: int) -> int:
    """Send `sig` to `t`; from outside its namespace, or from the kernel, with force."""
    force = False
    if info == SEND_SIG_NOINFO:
        force = not kernel_pid.task_pid_nr_ns(m.current, kernel_pid.task_active_pid_ns(t))
    elif info == SEND_SIG_PRIV:
        force = True
    elif not kernel_pid.task_pid_nr_ns(m.current, kernel_pid.task_active_pid_ns(t)):
        code, _, status = info  # whoever sends it can't be seen from there
        info, force = (code, 0, status), True
    return __send_signal(m, sig, info, t, pid_type, force)


def send_sig(m: Machine, sig: int, p: task_struct, priv: bool) -> int:
    """Send `sig` to the one thread `p`; `priv`: from the kernel."""
    return send_signal(m, sig, SEND_SIG_PRIV if priv else SEND_SIG_NOINFO, p, sched.PIDTYPE_PID)


def _kill_ok_by_cred(m: Machine, t: task_struct) -> bool:
    cred, tcred = m.current.cred, t.real_cred
    if {cred.euid, cred.uid} & {tcred.suid, tcred.uid}:
        return True
    return capability.ns_capable(m, tcred.user_ns, CAP_KILL)


def check_kill_permission(m: Machine, sig: int, info: Any, t: task_struct) -> int:
    """Return 0 if the running task may send `sig` to `t`, -EINVAL for no signal, -EPERM."""
    if not 0 <= sig <= _NSIG:
        return -errno.EINVAL
    if info == SEND_SIG_PRIV:
        return 0
    if sched_signal.same_thread_group(m.current, t) or _kill_ok_by_cred(m, t):
        return 0
    if sig == uapi.SIGCONT and sched_signal.task_session(t) == sched_signal.task_session(m.current):
        return 0
    return -errno.EPERM


def group_send_sig_info(
    m: Machine,
    sig: int,
    info: Any,
    p: task_struct,
    pid_type: int = sched.PIDTYPE_TGID,
    *,
    force: bool = False,
) -> int:
    """Send `sig` to the process of `p`, if permitted; 0 or a negative errno.  Signal 0 only checks."""
    retval = check_kill_permission(m, sig, info, p)
    if retval or not sig:
        return retval
    if not p.sighand:
        return -errno.ESRCH
    return send_signal(m, sig, info, p, pid_type)


def kill_pgrp_info(m: Machine, sig: int, info: Any, pgrp: Any) -> int:
    """Send `sig` to every process of the group `pgrp` (struct pid *); 0 if one got it, else an errno."""
    success, retval = False, -errno.ESRCH
    for p in list(do_each_pid_task(pgrp, sched.PIDTYPE_PGID)):
        err = group_send_sig_info(m, sig, info, p, sched.PIDTYPE_PGID)
        success |= not err
        retval = err
    return 0 if success else retval


def kill_pid_info(m: Machine, sig: int, info: Any, pid: Any) -> int:
    """Send `sig` to the process of `pid` (struct pid *, may be NULL); 0, -ESRCH, -EINVAL or -EPERM."""
    p = kernel_pid.pid_task(pid, sched.PIDTYPE_PID)
    return group_send_sig_info(m, sig, info, p) if p else -errno.ESRCH


def kill_something_info(m: Machine, sig: int, info: Any, pid: int) -> int:
    """Send `sig` to the process, group or everybody that `pid` (pid_t) says; 0 or a negative errno."""
    if pid > 0:
        return kill_pid_info(m, sig, info, kernel_pid.find_vpid(m, pid))
    if pid == -(1 << 31):
        return -errno.ESRCH
    if pid != -1:
        pgrp = kernel_pid.find_vpid(m, -pid) if pid else sched_signal.task_pgrp(m.current)
        return kill_pgrp_info(m, sig, info, pgrp)
    retval, count = 0, 0
    for p in list(sched_signal.for_each_process(m)):
        if kernel_pid.task_pid_vnr(m, p) > 1 and not sched_signal.same_thread_group(p, m.current):
            err = group_send_sig_info(m, sig, info, p, sched.PIDTYPE_MAX)
            count += 1
            if err != -errno.EPERM:
                retval = err
    return retval if count else -errno.ESRCH


def sys_kill(m: Machine, pid: int, sig: int) -> int:
    """kill(2)."""
    return kill_something_info(m, sig, SEND_SIG_NOINFO, pid)


# --- the end of a task ---------------------------------------------------------------------


def exit_signals(m: Machine, tsk: task_struct) -> None:
    """Take no more signals: PF_EXITING.  What was meant for the process goes to another thread."""
    tsk.flags |= sched.PF_EXITING
    if sched_signal.thread_group_empty(tsk) or sched_signal.signal_group_exit(tsk.signal):
        return
    if not sched_signal.signal_pending(tsk):
        return
    retarget_shared_pending(m, tsk, ~tsk.blocked)
    if tsk.jobctl & jobctl.JOBCTL_STOP_PENDING and task_participate_group_stop(tsk):
        do_notify_parent_cldstop(m, tsk, False, uapi.CLD_STOPPED)


def retarget_shared_pending(m: Machine, tsk: task_struct, which: int) -> None:
    """Signals of the process among `which` (sigset_t) that `tsk` would have taken: another thread must."""
    retarget = tsk.signal.shared_pending.signal & which
    for t in list(sched_signal.for_each_thread(tsk)):
        if not retarget:
            return
        if t == tsk or t.flags & sched.PF_EXITING or not retarget & ~t.blocked:
            continue
        retarget &= t.blocked
        if not sched_signal.signal_pending(t):
            signal_wake_up(m, t, False)


def zap_other_threads(m: Machine, p: task_struct) -> int:
    """Kill every other thread of the process of `p`; return how many there were."""
    count = 0
    for t in list(sched_signal.for_each_thread(p)):
        if t == p:
            continue
        count += 1
        task_clear_jobctl_pending(t, jobctl.JOBCTL_PENDING_MASK)
        if not t.exit_state:
            t.pending.signal |= sigmask(uapi.SIGKILL)
            signal_wake_up(m, t, True)
    return count


def do_notify_pidfd(m: Machine, task: task_struct) -> None:
    """Wake who polls a pidfd of the dead `task`."""
    wait.__wake_up(m, task.thread_pid.wait_pidfd, sched.TASK_NORMAL, 0, None)  # wake_up_all()


def do_notify_parent(m: Machine, tsk: task_struct, sig: int) -> bool:
    """Tell the parent of `tsk` that it has died, with signal `sig`; return whether nobody will wait for it."""
    do_notify_pidfd(m, tsk)
    parent = tsk.parent
    if sig != uapi.SIGCHLD and tsk.parent_exec_id != parent.self_exec_id:
        sig = uapi.SIGCHLD
    code = tsk.exit_code
    status = code & 0x7F
    cause = uapi.CLD_DUMPED if code & 0x80 else uapi.CLD_KILLED if status else uapi.CLD_EXITED
    action = parent.sighand.action[uapi.SIGCHLD - 1]
    autoreap = False
    if not tsk.ptrace and sig == uapi.SIGCHLD:
        handler = action.sa_handler
        if handler == uapi.SIG_IGN or action.sa_flags & uapi.SA_NOCLDWAIT:
            autoreap = True
            if handler == uapi.SIG_IGN:
                sig = 0
    if 0 < sig <= _NSIG:  # clone() takes any number as the exit signal
        number = kernel_pid.pid_nr_ns(tsk.thread_pid, kernel_pid.task_active_pid_ns(parent))
        __send_signal(
            m, sig, (cause, number, status or code >> 8), parent, sched.PIDTYPE_TGID, False
        )
    __wake_up_parent(m, tsk, parent)
    return autoreap


def __wake_up_parent(m: Machine, p: task_struct, parent: task_struct) -> None:
    wait.__wake_up(m, parent.signal.wait_chldexit, sched.TASK_INTERRUPTIBLE, 1, p)


def do_notify_parent_cldstop(m: Machine, tsk: task_struct, for_ptracer: bool, why: int) -> None:
    """Tell the parent that the process of `tsk` has stopped or goes on: `why` is CLD_*."""
    tsk = tsk.group_leader
    parent = tsk.real_parent
    number = kernel_pid.task_pid_nr_ns(tsk, kernel_pid.task_active_pid_ns(parent))
    status = uapi.SIGCONT if why == uapi.CLD_CONTINUED else tsk.signal.group_exit_code & 0x7F
    action = parent.sighand.action[uapi.SIGCHLD - 1]
    if action.sa_handler != uapi.SIG_IGN and not action.sa_flags & uapi.SA_NOCLDSTOP:
        info = (why, number, status)
        __send_signal(m, uapi.SIGCHLD, info, parent, sched.PIDTYPE_TGID, False)
    __wake_up_parent(m, tsk, parent)


# --- taking a signal -----------------------------------------------------------------------


def next_signal(pending: Any, mask: int) -> int:
    """Return the lowest signal of `pending` (struct sigpending *) that is not in `mask`, 0 if none.

    Those that a fault of the program itself sends come first.
    """
    ready = pending.signal & ~mask
    ready = ready & SIG_SYNCHRONOUS_MASK or ready
    return (ready & -ready).bit_length() if ready else 0


def dequeue_signal(m: Machine, tsk: task_struct, mask: int) -> int:
    """Take the lowest signal not in `mask` off the private queue, else off the shared one; 0 if none."""
    sig = 0
    for pending in (tsk.pending, tsk.signal.shared_pending):
        sig = next_signal(pending, mask)
        if sig:
            collect_signal(m, sig, pending)
            break
    recalc_sigpending(m)
    if sig and sigmask(sig) & SIG_KERNEL_STOP_MASK:
        tsk.jobctl |= jobctl.JOBCTL_STOP_DEQUEUED
    return sig


def collect_signal(m: Machine, sig: int, pending: Any) -> None:
    """Take one `sig` off the queue `pending` (struct sigpending *)."""
    same = [
        q
        for q in lists.list_for_each_entry(sched_signal.sigqueue, pending.list, "list")
        if q.si_signo == sig
    ]
    if same:
        lists.list_del_init(same[0].list)
        __sigqueue_free(m, same[0])
    if len(same) < 2:
        pending.signal &= ~sigmask(sig)


class ksignal(NamedTuple):
    """A signal to be handled, and the action that it had when it was taken."""

    sig: int
    sa_handler: int
    sa_flags: int
    sa_mask: int


async def do_signal_stop(m: Machine, signr: int) -> bool:
    """Begin a group stop with signal `signr`, or take part in the one under way; kernel/signal.c L2295.

    Returns true when the running task has been stopped and goes on again.
    """
    current = m.current
    sig = current.signal
    if not current.jobctl & jobctl.JOBCTL_STOP_PENDING:
        taken_back = not current.jobctl & jobctl.JOBCTL_STOP_DEQUEUED  # by a SIGCONT meanwhile
        if taken_back or sched_signal.signal_group_exit(sig):
            return False
        _start_group_stop(m, current, signr)
    notify = task_participate_group_stop(current)
    current.state = sched.TASK_STOPPED
    if notify:
        do_notify_parent_cldstop(m, current, False, uapi.CLD_STOPPED)
    await core.schedule(m)
    return True


def _start_group_stop(m: Machine, current: task_struct, signr: int) -> None:
    # Every thread of the process is asked to stop.
    sig, gstop = current.signal, jobctl.JOBCTL_STOP_PENDING | jobctl.JOBCTL_STOP_CONSUME
    if not sig.flags & sched_signal.SIGNAL_STOP_STOPPED:
        sig.group_exit_code = signr
    sig.group_stop_count = 0
    if task_set_jobctl_pending(current, signr | gstop):
        sig.group_stop_count += 1
    for t in list(sched_signal.for_each_thread(current)):
        if t == current or t.state & sched.__TASK_STOPPED:
            continue
        if task_set_jobctl_pending(t, signr | gstop):
            sig.group_stop_count += 1
            signal_wake_up(m, t, False)


def _tell_what_stopped(m: Machine, current: task_struct) -> None:
    # SIGCONT has left a note: SIGNAL_CLD_MASK.
    sig = current.signal
    why = uapi.CLD_CONTINUED if sig.flags & sched_signal.SIGNAL_CLD_CONTINUED else uapi.CLD_STOPPED
    sig.flags &= ~_CLD_MASK
    do_notify_parent_cldstop(m, current, False, why)


_CLD_MASK = sched_signal.SIGNAL_CLD_STOPPED | sched_signal.SIGNAL_CLD_CONTINUED


async def get_signal(m: Machine) -> ksignal | None:
    """Return the next signal for which the running task has a handler, None if there is none.

    Stops where a signal stops; does not return if one kills.  kernel/signal.c L2517.
    """
    current = m.current
    sig_struct, sighand = current.signal, current.sighand
    while True:
        if sig_struct.flags & _CLD_MASK:
            _tell_what_stopped(m, current)
        if sched_signal.signal_group_exit(sig_struct):
            current.pending.signal &= ~sigmask(uapi.SIGKILL)
            recalc_sigpending(m)
            current.flags |= sched.PF_SIGNALED
            await kernel_exit.do_group_exit(m, uapi.SIGKILL)
        if current.jobctl & jobctl.JOBCTL_STOP_PENDING and await do_signal_stop(m, 0):
            continue
        sig = dequeue_signal(m, current, current.blocked)
        if not sig:
            return None
        action = sighand.action[sig - 1]
        handler = action.sa_handler
        if m.trace.on:
            m.trace.emit("signal_deliver", sig=sig, sa_handler=handler, sa_flags=action.sa_flags)
        if handler == uapi.SIG_IGN:
            continue
        if handler != uapi.SIG_DFL:
            ksig = ksignal(sig, handler, action.sa_flags, action.sa_mask)
            if ksig.sa_flags & uapi.SA_RESETHAND:
                action.sa_handler = uapi.SIG_DFL
            return ksig
        await _default_action(m, current, sig)


async def _default_action(m: Machine, current: task_struct, sig: int) -> None:
    # What a signal does for which there is no handler; does not return if it kills.
    bit = sigmask(sig)
    if bit & SIG_KERNEL_IGNORE_MASK:
        return
    unkillable = current.signal.flags & sched_signal.SIGNAL_UNKILLABLE
    if unkillable and not bit & SIG_KERNEL_ONLY_MASK:
        return
    if bit & SIG_KERNEL_STOP_MASK:
        pgrp = sched_signal.task_pgrp(current)
        if sig == uapi.SIGSTOP or not kernel_exit.is_current_pgrp_orphaned(pgrp):
            await do_signal_stop(m, sig)
        return
    current.flags |= sched.PF_SIGNALED
    await kernel_exit.do_group_exit(m, sig)


def flush_signals(m: Machine, t: task_struct) -> None:
    """Forget all signals that wait for `t`."""
    t.thread_info.flags &= ~sched._TIF_SIGPENDING
    flush_sigqueue(m, t.pending)
    flush_sigqueue(m, t.signal.shared_pending)


def kernel_sigaction(m: Machine, sig: int, action: int) -> None:
    """Let the running kernel thread take `sig` (SIG_KTHREAD) or ignore it (SIG_IGN)."""
    current = m.current
    current.sighand.action[sig - 1].sa_handler = action
    if action == uapi.SIG_IGN:
        flush_sigqueue_mask(m, sigmask(sig), current.signal.shared_pending)
        flush_sigqueue_mask(m, sigmask(sig), current.pending)
        recalc_sigpending(m)


def flush_signal_handlers(t: task_struct, *, force_default: bool) -> None:
    """Set every handler of `t` to SIG_DFL; ignored signals stay ignored unless `force_default`."""
    for action in t.sighand.action:
        if force_default or action.sa_handler != uapi.SIG_IGN:
            action.sa_handler = uapi.SIG_DFL
        action.sa_flags = 0
        action.sa_mask = 0


# --- actions and masks, asked for by programs ------------------------------------------------


def sys_rt_sigaction(
    m: Machine, sig: int, act: tuple[int, ...] | None, oact: Any, sigsetsize: int
) -> int:
    """rt_sigaction(2): `act` is (handler, flags, mask) or None, `oact` a place for the old one or None.

    Returns 0, -EINVAL or -EFAULT.
    """
    if sigsetsize != 8:
        return -errno.EINVAL
    if act and isinstance(act, int):  # an address, where no program has put one
        return -errno.EFAULT
    retval, old = do_sigaction(m, sig, act or None)
    if not retval and oact and uaccess.put_user(m, old, oact):
        return -errno.EFAULT
    return retval


def do_sigaction(
    m: Machine, sig: int, act: tuple[int, ...] | None
) -> tuple[int, tuple[int, int, int]]:
    """Set what the running task does at `sig`: 0 or -EINVAL, and the old (handler, flags, mask)."""
    if not 1 <= sig <= _NSIG or (act is not None and sigmask(sig) & SIG_KERNEL_ONLY_MASK):
        return -errno.EINVAL, (0, 0, 0)
    current = m.current
    action = current.sighand.action[sig - 1]
    old = action.sa_handler, action.sa_flags, action.sa_mask
    if act is not None:
        handler, flags, mask = (*act, 0, 0)[:3]
        action.sa_handler, action.sa_flags = handler, flags
        action.sa_mask = mask & ~SIG_KERNEL_ONLY_MASK
        ignored = handler == uapi.SIG_DFL and sigmask(sig) & SIG_KERNEL_IGNORE_MASK
        if handler == uapi.SIG_IGN or ignored:
            _flush_from_all(m, sigmask(sig), current)
    return 0, old


def set_current_blocked(m: Machine, newset: int) -> None:
    """Block `newset` (sigset_t) from now on, but never SIGKILL and SIGSTOP."""
    current = m.current
    newset &= ~SIG_KERNEL_ONLY_MASK & (1 << 64) - 1
    if current.blocked == newset:
        return
    if sched_signal.signal_pending(current) and not sched_signal.thread_group_empty(current):
        retarget_shared_pending(m, current, newset & ~current.blocked)
    current.blocked = newset
    recalc_sigpending(m)


def set_user_sigmask(m: Machine, umask: int | None, sigsetsize: int) -> int:
    """Block `umask` (sigset_t; None: as before) until the system call ends; 0, -EINVAL.

    The mask from before is kept in saved_sigmask; whoever ends the call restores it.
    """
    if umask is None:
        return 0
    if sigsetsize != 8:
        return -errno.EINVAL
    current = m.current
    current.restore_sigmask = 1
    current.saved_sigmask = current.blocked
    set_current_blocked(m, umask)
    return 0


def sys_rt_sigprocmask(m: Machine, how: int, nset: int | None, oset: Any, sigsetsize: int) -> int:
    """rt_sigprocmask(2): `nset` (sigset_t) or None to change nothing, `oset` a place or None; 0, -EINVAL, -EFAULT."""
    if sigsetsize != 8:
        return -errno.EINVAL
    old = m.current.blocked
    if nset is not None:
        new = {uapi.SIG_BLOCK: old | nset, uapi.SIG_UNBLOCK: old & ~nset, uapi.SIG_SETMASK: nset}
        if how not in new:
            return -errno.EINVAL
        set_current_blocked(m, new[how])
    if oset and uaccess.put_user(m, old, oset):
        return -errno.EFAULT
    return 0


async def sys_restart_syscall(m: Machine) -> int:
    """restart_syscall(2): go on with what a signal without a handler has interrupted."""
    restart = m.current.restart_block
    result = m.call(restart.fn, restart)
    return int(await result if isinstance(result, CoroutineType) else result)


def do_no_restart_syscall(m: Machine, param: Any) -> int:
    """There is nothing to go on with: -EINTR."""
    return -errno.EINTR


def sys_rt_sigpending(m: Machine, uset: Any, sigsetsize: int) -> int:
    """rt_sigpending(2): what is blocked and has come, at the place `uset`; 0, -EINVAL, -EFAULT."""
    if not 0 <= sigsetsize <= 8:  # it has no sign
        return -errno.EINVAL
    current = m.current
    pending = current.pending.signal | current.signal.shared_pending.signal
    return uaccess.put_user(m, pending & current.blocked, uset)


async def sys_rt_sigsuspend(m: Machine, unewset: int, sigsetsize: int) -> int:
    """rt_sigsuspend(2): sleep with the mask `unewset` (sigset_t) until a handler has run; -ERESTARTNOHAND."""
    if sigsetsize != 8:
        return -errno.EINVAL
    current = m.current
    current.saved_sigmask = current.blocked
    set_current_blocked(m, unewset)
    retval = await sys_pause(m)
    current.restore_sigmask = 1
    return retval


async def sys_pause(m: Machine) -> int:
    """pause(2): sleep until a signal comes; -ERESTARTNOHAND."""
    current = m.current
    while not sched_signal.signal_pending(current):
        current.state = sched.TASK_INTERRUPTIBLE
        await core.schedule(m)
    return -errno.ERESTARTNOHAND


def access_pidfd_pidns(m: Machine, pid: Any) -> bool:
    """Return whether `pid` (struct pid *) is of the running task's namespace, or of one below it."""
    active = kernel_pid.task_active_pid_ns(m.current)
    p = pid_h.ns_of_pid(pid)
    while p:
        if p.address_ == active.address_:
            return True
        p = p.parent
    return False


def _copy_siginfo(m: Machine, info: Any, sig: int, pid: Any) -> Any:
    # What a program says of the signal that it sends: (si_code, si_pid, si_status), or an errno.
    found = uaccess.get_user(m, info)
    if found is None or isinstance(found, int):
        return -errno.EFAULT
    signo, code, number, _, status = found
    if signo != sig:
        return -errno.EINVAL
    own = m.current.thread_pid.address_ == pid.address_
    if not own and (code >= 0 or code == uapi.SI_TKILL):
        return -errno.EPERM  # only to oneself may one pretend to be the kernel
    return code, number, status


def sys_pidfd_send_signal(m: Machine, pidfd: int, sig: int, info: Any, flags: int) -> int:
    """pidfd_send_signal(2): send `sig` to the process that `pidfd` stands for.

    `info` is a place with (si_signo, si_code, si_pid, si_uid, si_status), or None: as kill(2).
    Returns 0, -EINVAL, -EBADF, -EFAULT, -EPERM, or -ESRCH when the process has been reaped.
    """
    if flags:
        return -errno.EINVAL
    f = fs_file.fdget(m, pidfd)
    if not f.file:
        return -errno.EBADF
    pid = fork.pidfd_pid(m, f.file)  # pidfd_to_pid(); a directory of /proc would do too
    ret = _pidfd_send(m, pid, sig, info)
    fs_file.fdput(m, f)
    return ret


def _pidfd_send(m: Machine, pid: Any, sig: int, info: Any) -> int:
    if isinstance(pid, int):
        return pid
    if not access_pidfd_pidns(m, pid):
        return -errno.EINVAL
    kinfo = _copy_siginfo(m, info, sig, pid) if info else SEND_SIG_NOINFO  # prepare_kill_siginfo()
    return kinfo if isinstance(kinfo, int) else kill_pid_info(m, sig, kinfo, pid)


def _do_tkill(m: Machine, tgid: int, pid: int, sig: int) -> int:
    # do_send_specific(): to one thread, and only to it.
    p = kernel_pid.find_task_by_vpid(m, pid)
    if not p or (tgid > 0 and kernel_pid.task_tgid_vnr(m, p) != tgid):
        return -errno.ESRCH
    error = check_kill_permission(m, sig, SEND_SIG_NOINFO, p)
    if error or not sig or not p.sighand:
        return error
    info = (uapi.SI_TKILL, kernel_pid.task_tgid_vnr(m, m.current), 0)
    return send_signal(m, sig, info, p, sched.PIDTYPE_PID)


def sys_tgkill(m: Machine, tgid: int, pid: int, sig: int) -> int:
    """tgkill(2): send `sig` to the thread `pid` of the process `tgid`; 0, -EINVAL, -ESRCH, -EPERM."""
    if pid <= 0 or tgid <= 0:
        return -errno.EINVAL
    return _do_tkill(m, tgid, pid, sig)


def sys_tkill(m: Machine, pid: int, sig: int) -> int:
    """tkill(2): send `sig` to the thread `pid`; 0, -EINVAL, -ESRCH, -EPERM."""
    if pid <= 0:
        return -errno.EINVAL
    return _do_tkill(m, 0, pid, sig)
