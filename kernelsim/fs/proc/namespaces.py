"""fs/proc/namespaces.c @ v5.10.188: the links in /proc/PID/ns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import nsfs
from kernelsim.include.uapi.asm import errno
from kernelsim.kernel import ptrace

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["ns_entries", "proc_ns_get_link", "proc_ns_readlink"]

ns_entries = {
    "net": "netns_operations",
    "uts": "utsns_operations",
    "ipc": "ipcns_operations",
    "pid": "pidns_operations",
    "pid_for_children": "pidns_for_children_operations",
    "user": "userns_operations",
    "mnt": "mntns_operations",
    "cgroup": "cgroupns_operations",
    "time": "timens_operations",
    "time_for_children": "timens_for_children_operations",
}
"""The names in the folder, in its order, each with the symbol of its operations."""


def proc_ns_get_link(m: Machine, task: task_struct, name: str, mode: int, flags: int) -> Any:
    """Follow /proc/PID/ns/`name` and open what it leads to; struct file *, -EACCES, -ENOENT, -ENOMEM."""
    if not ptrace.ptrace_may_access(m, task, ptrace.PTRACE_MODE_READ_FSCREDS):
        return -errno.EACCES
    return nsfs.ns_get_path(m, task, m.symbol(ns_entries[name]), mode, flags)


def proc_ns_readlink(m: Machine, task: task_struct, name: str) -> str | int:
    """Return what the link /proc/PID/ns/`name` says, or -EACCES, -ENOENT."""
    if not ptrace.ptrace_may_access(m, task, ptrace.PTRACE_MODE_READ_FSCREDS):
        return -errno.EACCES
    return nsfs.ns_get_name(m, task, m.symbol(ns_entries[name]))
