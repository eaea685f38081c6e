"""kernel/sys.c @ v5.10.188: who am I, what have I used, and what may I.

Left out: most of prctl, terminals, I/O counts, pages in memory (docs/fidelity.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import exec as fs_exec
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import sched, uaccess
from kernelsim.include.linux.resource import rusage
from kernelsim.include.linux.sched import coredump
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import prctl, resource
from kernelsim.include.uapi.linux.capability import CAP_SYS_NICE, CAP_SYS_RESOURCE
from kernelsim.kernel import capability, pid, signal, user_namespace
from kernelsim.kernel.sched import core, cputime, wait
from kernelsim.kernel.time import timekeeping

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "accumulate_thread_rusage",
    "check_prlimit_permission",
    "do_prlimit",
    "getrusage",
    "ksys_setsid",
    "set_one_prio",
    "sys_getpgid",
    "sys_getpgrp",
    "sys_getpid",
    "sys_getppid",
    "sys_getpriority",
    "sys_getrlimit",
    "sys_getrusage",
    "sys_getsid",
    "sys_gettid",
    "sys_prctl",
    "sys_prlimit64",
    "sys_sched_yield",
    "sys_setpgid",
    "sys_setpriority",
    "sys_setrlimit",
    "sys_setsid",
    "sys_times",
    "sys_umask",
]


SYSCTL_NR_OPEN = 1 << 20  # fs/file.c
_NSEC_PER_USEC, _NSEC_PER_SEC = 1_000, 1_000_000_000
_NSEC_PER_CLOCK = 10_000_000  # USER_HZ is 100
INITIAL_JIFFIES = (
    1 << 32
) - 300 * 250  # as if Linux had been up for long: five minutes to the wrap


# --- priorities ------------------------------------------------------------------------------


def set_one_prio(m: Machine, p: task_struct, niceval: int, error: int) -> int:
    """Give `p` the nice value `niceval` (int); -EPERM, -EACCES, else `error`, 0 for -ESRCH."""
    cred, pcred = m.current.cred, p.cred
    same = cred.euid in (pcred.uid, pcred.euid)
    if not same and not capability.ns_capable(m, pcred.user_ns, CAP_SYS_NICE):
        return -errno.EPERM
    if niceval < core.task_nice(p) and not core.can_nice(m, p, niceval):
        return -errno.EACCES
    core.set_user_nice(m, p, niceval)
    return 0 if error == -errno.ESRCH else error


def _meant(m: Machine, which: int, who: int) -> list[task_struct]:
    # The tasks that getpriority() and setpriority() speak of.
    if which == resource.PRIO_PROCESS:
        p = _find(m, who)
        return [] if p is None else [p]
    if which == resource.PRIO_PGRP:
        pgrp = pid.find_vpid(m, who) if who else sched_signal.task_pgrp(m.current)
        members = signal.do_each_pid_task(pgrp, sched.PIDTYPE_PGID)
        return [t for p in list(members) for t in sched_signal.for_each_thread(p)]
    cred = m.current.cred
    uid = user_namespace.make_kuid(cred.user_ns, who & 0xFFFF_FFFF) if who else cred.uid
    everybody = (
        t for p in sched_signal.for_each_process(m) for t in sched_signal.for_each_thread(p)
    )
    return [t for t in everybody if t.cred.uid == uid and pid.task_pid_vnr(m, t)]


def sys_setpriority(m: Machine, which: int, who: int, niceval: int) -> int:
    """setpriority(2): 0, -EINVAL, -ESRCH, -EPERM, -EACCES."""
    if not resource.PRIO_PROCESS <= which <= resource.PRIO_USER:
        return -errno.EINVAL
    error = -errno.ESRCH
    niceval = min(max(niceval, core.MIN_NICE), core.MAX_NICE)
    for p in _meant(m, which, who):
        error = set_one_prio(m, p, niceval, error)
    return error


def sys_getpriority(m: Machine, which: int, who: int) -> int:
    """getpriority(2): 20 less the least nice value, so that it is never negative; -EINVAL, -ESRCH."""
    if not resource.PRIO_PROCESS <= which <= resource.PRIO_USER:
        return -errno.EINVAL
    found = [core.MAX_NICE + 1 - core.task_nice(p) for p in _meant(m, which, who)]
    return max(found, default=-errno.ESRCH)


# --- numbers ---------------------------------------------------------------------------------


def sys_getpid(m: Machine) -> int:
    """getpid(2): the number of the process, which is that of its first thread."""
    return pid.task_tgid_vnr(m, m.current)


def sys_gettid(m: Machine) -> int:
    """gettid(2): the number of this thread."""
    return pid.task_pid_vnr(m, m.current)


def sys_getppid(m: Machine) -> int:
    """getppid(2): the number of the parent, 0 if it can't be seen from this namespace."""
    return pid.task_tgid_vnr(m, m.current.real_parent)


def sys_times(m: Machine, tbuf: Any) -> int:
    """times(2): the time in ticks of 10 ms; at `tbuf` (may be NULL) what was used, or -EFAULT.

    That is (user, system) of the process and of its waited-for children, in such ticks.
    """
    if tbuf is not None:
        utime, stime = cputime.thread_group_cputime_adjusted(m, m.current)
        sig = m.current.signal
        used = tuple(ns // _NSEC_PER_CLOCK for ns in (utime, stime, sig.cutime, sig.cstime))
        if uaccess.put_user(m, used, tbuf):
            return -errno.EFAULT
    jiffies = INITIAL_JIFFIES + timekeeping.ktime_get_ns(m) // core.NSEC_PER_TICK
    return jiffies * core.NSEC_PER_TICK // _NSEC_PER_CLOCK


async def sys_sched_yield(m: Machine) -> int:
    """sched_yield(2): let others run first."""
    await core.preempt_schedule(m)
    return 0


def _find(m: Machine, number: int) -> task_struct | None:
    # The task with that number, the running one for 0.
    if not number:
        return m.current
    task = pid.find_task_by_vpid(m, number)
    return task or None


def _group_error(m: Machine, p: task_struct, number: int, pgid: int) -> int:
    # The checks of setpgid() on the target `p`, in the kernel's order; 0 if there is nothing wrong.
    leader = m.current.group_leader
    if p.exit_signal < 0:
        return -errno.EINVAL
    if p.real_parent.signal == leader.signal:
        if sched_signal.task_session(p) != sched_signal.task_session(leader):
            return -errno.EPERM
        if not p.flags & sched.PF_FORKNOEXEC:
            return -errno.EACCES
    elif p != leader:
        return -errno.ESRCH
    if p.signal.leader:
        return -errno.EPERM
    if pgid != number:
        members = pid.pid_task(pid.find_vpid(m, pgid), sched.PIDTYPE_PGID)
        if not members or sched_signal.task_session(members) != sched_signal.task_session(leader):
            return -errno.EPERM
    return 0


def sys_setpgid(m: Machine, number: int, pgid: int) -> int:
    """setpgid(2): move a process into a group; 0, -EINVAL, -ESRCH, -EPERM, -EACCES."""
    leader = m.current.group_leader
    number = number or pid.task_pid_vnr(m, leader)
    pgid = pgid or number
    if pgid < 0:
        return -errno.EINVAL
    p = pid.find_task_by_vpid(m, number)
    if not p:
        return -errno.ESRCH
    error = _group_error(m, p, number, pgid)
    if error:
        return error
    target = p.thread_pid if pgid == number else pid.find_vpid(m, pgid)
    if sched_signal.task_pgrp(p) != target:
        pid.change_pid(m, p, sched.PIDTYPE_PGID, target)
    return 0


def sys_getpgid(m: Machine, number: int) -> int:
    """getpgid(2): the number of the process group; -ESRCH."""
    p = _find(m, number)
    return -errno.ESRCH if p is None else pid.pid_vnr(m, sched_signal.task_pgrp(p))


def sys_getpgrp(m: Machine) -> int:
    """getpgrp(2): the number of one's own process group."""
    return sys_getpgid(m, 0)


def sys_getsid(m: Machine, number: int) -> int:
    """getsid(2): the number of the session; -ESRCH."""
    p = _find(m, number)
    return -errno.ESRCH if p is None else pid.pid_vnr(m, sched_signal.task_session(p))


def ksys_setsid(m: Machine) -> int:
    """Begin a session and a process group of one's own; its number, or -EPERM for who leads one already."""
    leader = m.current.group_leader
    own = leader.thread_pid
    if leader.signal.leader or pid.pid_task(own, sched.PIDTYPE_PGID):
        return -errno.EPERM
    leader.signal.leader = 1
    for kind in (sched.PIDTYPE_SID, sched.PIDTYPE_PGID):  # set_special_pids()
        if leader.signal.pids[kind] != own:
            pid.change_pid(m, leader, kind, own)
    leader.signal.tty = 0
    return pid.pid_vnr(m, own)


def sys_setsid(m: Machine) -> int:
    """setsid(2)."""
    return ksys_setsid(m)


# --- limits ----------------------------------------------------------------------------------


def sys_getrlimit(m: Machine, number: int, rlim: Any) -> int:
    """getrlimit(2): (soft, hard) to the place `rlim`; 0, -EINVAL or -EFAULT."""
    old: list[int] = []
    return do_prlimit(m, m.current, number, None, old) or uaccess.put_user(m, tuple(old), rlim)


def do_prlimit(
    m: Machine, tsk: task_struct, number: int, new: tuple[int, int] | None, old: list[int]
) -> int:
    """Read the limit `number` (unsigned int) of `tsk` into `old`, then make it `new` (soft, hard).

    Returns 0, -EINVAL, -EPERM, or -ESRCH for one that is being released.
    """
    if not 0 <= number < resource.RLIM_NLIMITS:
        return -errno.EINVAL
    if new is not None:
        if new[0] > new[1]:
            return -errno.EINVAL
        if number == resource.RLIMIT_NOFILE and new[1] > SYSCTL_NR_OPEN:
            return -errno.EPERM
    if not tsk.sighand:
        return -errno.ESRCH
    rlim = tsk.signal.rlim[number]
    raises = new is not None and new[1] > rlim.rlim_max
    if raises and not capability.capable(m, CAP_SYS_RESOURCE):
        return -errno.EPERM
    old[:] = rlim.rlim_cur, rlim.rlim_max
    if new is not None:
        rlim.rlim_cur, rlim.rlim_max = new
    return 0


def check_prlimit_permission(m: Machine, task: task_struct) -> int:
    """Return 0 if the running task may look at and set the limits of `task`, else -EPERM."""
    if m.current.address_ == task.address_:
        return 0
    cred, tcred = m.current.cred, task.cred
    id_match = {cred.uid} == {tcred.euid, tcred.suid, tcred.uid} and {cred.gid} == {
        tcred.egid,
        tcred.sgid,
        tcred.gid,
    }
    if not id_match and not capability.ns_capable(m, tcred.user_ns, CAP_SYS_RESOURCE):
        return -errno.EPERM
    return 0


def sys_prlimit64(m: Machine, number: int, res: int, new_rlim: Any, old_rlim: Any) -> int:
    """prlimit64(2): limit `res` of process `number`, 0 for oneself; 0 or a negative errno.

    The places, either of which may be NULL, hold (soft, hard).  Errors: EFAULT, ESRCH, EPERM, EINVAL.
    """
    new = None
    if new_rlim is not None:
        new = uaccess.get_user(m, new_rlim)
        if new is None:
            return -errno.EFAULT
    tsk = _find(m, number)
    if tsk is None:
        return -errno.ESRCH
    ret = check_prlimit_permission(m, tsk)
    if ret:
        return ret
    old: list[int] = []
    ret = do_prlimit(m, tsk, res, new, old)
    if not ret and old_rlim is not None:
        ret = uaccess.put_user(m, tuple(old), old_rlim)
    return ret


def sys_setrlimit(m: Machine, number: int, rlim: Any) -> int:
    """setrlimit(2): the place `rlim` holds (soft, hard); 0, -EFAULT, -EINVAL, -EPERM."""
    new = uaccess.get_user(m, rlim)
    return -errno.EFAULT if new is None else do_prlimit(m, m.current, number, new, [])


# --- what was used ---------------------------------------------------------------------------


def accumulate_thread_rusage(t: task_struct, r: Any) -> None:
    """Add the counts of the thread `t` to `r` (struct rusage *)."""
    r.ru_nvcsw += t.nvcsw
    r.ru_nivcsw += t.nivcsw
    r.ru_minflt += t.min_flt
    r.ru_majflt += t.maj_flt


def getrusage(m: Machine, p: task_struct, who: int, r: Any) -> None:
    """Fill `r` (struct rusage *) with what the thread, the process or the children of `p` have used."""
    m.fill(r.address_, 0, rusage.sizeof_)
    utime = stime = 0
    sig = p.signal
    if who == resource.RUSAGE_THREAD:
        utime, stime = cputime.task_cputime_adjusted(m, m.current)
        accumulate_thread_rusage(p, r)
    elif not p.sighand:  # lock_task_sighand()
        return
    if who in (resource.RUSAGE_BOTH, resource.RUSAGE_CHILDREN):
        utime, stime = sig.cutime, sig.cstime
        r.ru_nvcsw, r.ru_nivcsw = sig.cnvcsw, sig.cnivcsw
        r.ru_minflt, r.ru_majflt = sig.cmin_flt, sig.cmaj_flt
    if who in (resource.RUSAGE_BOTH, resource.RUSAGE_SELF):
        tgutime, tgstime = cputime.thread_group_cputime_adjusted(m, p)
        utime, stime = utime + tgutime, stime + tgstime
        r.ru_nvcsw += sig.nvcsw
        r.ru_nivcsw += sig.nivcsw
        r.ru_minflt += sig.min_flt
        r.ru_majflt += sig.maj_flt
        for t in sched_signal.for_each_thread(p):
            accumulate_thread_rusage(t, r)
    for time, ns in ((r.ru_utime, utime), (r.ru_stime, stime)):  # ns_to_kernel_old_timeval()
        time.tv_sec, rest = divmod(ns, _NSEC_PER_SEC)
        time.tv_usec = rest // _NSEC_PER_USEC


def _rusage_to_user(m: Machine, r: Any, ru: Any) -> int:
    # copy_to_user(): 16 members, the times as (seconds, microseconds); 0 or -EFAULT.
    values = r.value_().values()
    plain = (tuple(v.values()) if isinstance(v, dict) else v for v in values)
    return uaccess.put_user(m, tuple(plain), ru)


def sys_getrusage(m: Machine, who: int, ru: Any) -> int:
    """getrusage(2): what was used to the place `ru`; 0, -EINVAL or -EFAULT."""
    if who not in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN, resource.RUSAGE_THREAD):
        return -errno.EINVAL
    r = wait.stack_push(m, rusage)
    getrusage(m, m.current, who, r)
    error = _rusage_to_user(m, r, ru)
    wait.stack_pop(m, rusage)
    return error


def sys_umask(m: Machine, mask: int) -> int:
    """umask(2): set the file mode creation mask; the old one."""
    fs = m.current.fs
    old: int = fs.umask
    fs.umask = mask & 0o777
    return old


def _propagate_has_child_subreaper(m: Machine, top: task_struct) -> None:
    # walk_process_tree(): every descendant learns that there is a subreaper above it, but for those
    # who know and those in another namespace.
    below = [top]
    while below:
        for thread in sched_signal.for_each_thread(below.pop()):
            for child in lists.list_for_each_entry(sched.task_struct, thread.children, "sibling"):
                if child.signal.has_child_subreaper or pid_h.is_child_reaper(child.thread_pid):
                    continue
                child.signal.has_child_subreaper = 1
                below.append(child)


def sys_prctl(
    m: Machine, option: int, arg2: Any = 0, arg3: int = 0, arg4: int = 0, arg5: int = 0
) -> int:
    """prctl(2): the signal at the parent's death, the name, being a subreaper; 0 or -EINVAL, -EFAULT."""
    me = m.current
    if option == prctl.PR_SET_PDEATHSIG:
        if not 0 <= arg2 <= 64:
            return -errno.EINVAL
        me.pdeath_signal = arg2
    elif option == prctl.PR_GET_PDEATHSIG:
        return uaccess.put_user(m, me.pdeath_signal, arg2)
    elif option == prctl.PR_SET_NAME:
        name = uaccess.get_user(m, arg2)
        if name is None:
            return -errno.EFAULT
        fs_exec.set_task_comm(m, me, name)
    elif option == prctl.PR_GET_NAME:
        return uaccess.put_user(m, me.comm.string_(), arg2)
    elif option == prctl.PR_SET_CHILD_SUBREAPER:
        me.signal.is_child_subreaper = int(bool(arg2))
        if arg2:
            _propagate_has_child_subreaper(m, me)
    elif option == prctl.PR_GET_CHILD_SUBREAPER:
        return uaccess.put_user(m, me.signal.is_child_subreaper, arg2)
    elif option == prctl.PR_GET_DUMPABLE:
        return coredump.get_dumpable(me.mm)
    elif option == prctl.PR_SET_DUMPABLE:
        if arg2 not in (coredump.SUID_DUMP_DISABLE, coredump.SUID_DUMP_USER):
            return -errno.EINVAL
        coredump._set_dumpable(me.mm, arg2)
    else:
        return -errno.EINVAL
    return 0
