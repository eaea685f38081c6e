"""include/linux/nsproxy.h @ v5.10.188: the namespaces of a task, but for the user namespace."""

from __future__ import annotations

from kernelsim.include.linux.types import atomic_t
from kernelsim.machine.ctype import ptr, void
from kernelsim.machine.ref import Struct

__all__ = ["nsproxy"]


class nsproxy(Struct):
    """A set of namespaces that tasks share until one of them gets its own."""

    count = atomic_t
    uts_ns = ptr(void)
    ipc_ns = ptr(void)
    mnt_ns = ptr(void)
    pid_ns_for_children = ptr("pid_namespace")
    net_ns = ptr(void)
    time_ns = ptr(void)
    time_ns_for_children = ptr(void)
    cgroup_ns = ptr(void)
