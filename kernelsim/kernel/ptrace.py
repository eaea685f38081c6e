"""kernel/ptrace.c, include/linux/ptrace.h @ v5.10.188: who may look into another task.

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

__all__ = [
    "PTRACE_MODE_ATTACH_REALCREDS",
    "PTRACE_MODE_READ_FSCREDS",
    "PTRACE_MODE_READ_REALCREDS",
    "ptrace_may_access",
]

PTRACE_MODE_READ, PTRACE_MODE_ATTACH = 0x01, 0x02
PTRACE_MODE_FSCREDS, PTRACE_MODE_REALCREDS = 0x08, 0x10
PTRACE_MODE_READ_FSCREDS = PTRACE_MODE_READ | PTRACE_MODE_FSCREDS
PTRACE_MODE_READ_REALCREDS = PTRACE_MODE_READ | PTRACE_MODE_REALCREDS
PTRACE_MODE_ATTACH_REALCREDS = PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS


def ptrace_may_access(m: Machine, task: task_struct, mode: int) -> bool:
    """Return whether the running task may look into `task`, with `mode` (PTRACE_MODE_*).

    With its ids for files (FSCREDS, as in /proc), or with the real ones (REALCREDS, as by a system
    call that names the other task).
    """
    current = m.current
    if sched_signal.same_thread_group(task, current):
        return True
    cred, tcred, by_fs = current.cred, task.real_cred, mode & PTRACE_MODE_FSCREDS
    uid, gid = (cred.fsuid, cred.fsgid) if by_fs else (cred.uid, cred.gid)
    same = {tcred.euid, tcred.suid, tcred.uid} == {uid} and (
        {tcred.egid, tcred.sgid, tcred.gid} == {gid}
    )
    if not same and not capability.ns_capable(m, tcred.user_ns, CAP_SYS_PTRACE):
        return False
    mm = task.mm
    if (
        mm
        and coredump.get_dumpable(mm) != coredump.SUID_DUMP_USER
        and not capability.ns_capable(m, mm.user_ns, CAP_SYS_PTRACE)
    ):
        return False
    caps = cred.cap_effective if by_fs else cred.cap_permitted  # cap_ptrace_access_check()
    if cred.user_ns == tcred.user_ns and commoncap.cap_issubset(tcred.cap_permitted, caps):
        return True
    return capability.ns_capable(m, tcred.user_ns, CAP_SYS_PTRACE)
