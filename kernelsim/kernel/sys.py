"""kernel/sys.c @ v5.10.188: who am I.

Left out: resource limits, most of prctl, terminals (docs/fidelity.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import exec as fs_exec
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import sched, uaccess
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import prctl
from kernelsim.kernel import pid
from kernelsim.kernel.sched import core

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "ksys_setsid",
    "sys_getpgid",
    "sys_getpgrp",
    "sys_getpid",
    "sys_getppid",
    "sys_getsid",
    "sys_gettid",
    "sys_prctl",
    "sys_sched_yield",
    "sys_setpgid",
    "sys_setsid",
    "sys_umask",
]


def sys_getpid(m: Machine) -> int:
    """getpid(2): the number of the process, which is that of its first thread."""
    return pid.task_tgid_vnr(m, m.current)


def sys_gettid(m: Machine) -> int:
    """gettid(2): the number of this thread."""
    return pid.task_pid_vnr(m, m.current)


def sys_getppid(m: Machine) -> int:
    """getppid(2): the number of the parent, 0 if it can't be seen from this namespace."""
    return pid.task_tgid_vnr(m, m.current.real_parent)


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
    else:
        return -errno.EINVAL
    return 0
