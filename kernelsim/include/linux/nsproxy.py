"""include/linux/nsproxy.h @ v5.10.188: the namespaces of a task, but for the user namespace."""

from __future__ import annotations

from kernelsim.include.linux.types import atomic_t
from kernelsim.machine.ctype import ptr, u32
from kernelsim.machine.ref import Struct

__all__ = ["nsproxy", "nsset"]


class nsproxy(Struct):
    """A set of namespaces that tasks share until one of them gets its own."""

    count = atomic_t
    uts_ns = ptr("uts_namespace")
    ipc_ns = ptr("ipc_namespace")
    mnt_ns = ptr("mnt_namespace")
    pid_ns_for_children = ptr("pid_namespace")
    net_ns = ptr("net")
    time_ns = ptr("time_namespace")
    time_ns_for_children = ptr("time_namespace")
    cgroup_ns = ptr("cgroup_namespace")


class nsset(Struct):
    """What setns(2) prepares; it lies on the caller's kernel stack."""

    flags = u32
    nsproxy = ptr("nsproxy")
    fs = ptr("fs_struct")
    cred = ptr("cred")
