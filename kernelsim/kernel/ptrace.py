"""kernel/ptrace.c @ v5.10.188: who may look into another task.

Left out: tracing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux.sched import coredump
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.linux.capability import CAP_SYS_PTRACE
from kernelsim.kernel import capability
from kernelsim.security import commoncap

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["ptrace_may_access"]


def ptrace_may_access(m: Machine, task: task_struct, *, realcreds: bool = False) -> bool:
    """Return whether the running task may see what is private to `task`, as in /proc or by setns(2).

    `realcreds`: by a system call that says so (PTRACE_MODE_REALCREDS), not by a file system.
    """
    current = m.current
    if sched_signal.same_thread_group(task, current):
        return True
    cred, theirs = current.cred, task.real_cred
    uid, gid = (cred.uid, cred.gid) if realcreds else (cred.fsuid, cred.fsgid)
    same = {theirs.euid, theirs.suid, theirs.uid} == {uid}
    same = same and {theirs.egid, theirs.sgid, theirs.gid} == {gid}
    if not same and not capability.ns_capable(m, theirs.user_ns, CAP_SYS_PTRACE):
        return False
    mm = task.mm
    if (
        mm
        and coredump.get_dumpable(mm) != coredump.SUID_DUMP_USER
        and not capability.ns_capable(m, mm.user_ns, CAP_SYS_PTRACE)
    ):
        return False
    # cap_ptrace_access_check()
    mine = cred.cap_permitted if realcreds else cred.cap_effective
    if cred.user_ns == theirs.user_ns and commoncap.cap_issubset(theirs.cap_permitted, mine):
        return True
    return capability.ns_capable(m, theirs.user_ns, CAP_SYS_PTRACE)
