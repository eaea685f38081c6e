"""Which structs the kernel counts the pointers to, in which member, and what holds namespaces."""

from __future__ import annotations

from typing import Any

from kernelsim.fs import mount
from kernelsim.include.linux import (
    cgroup,
    cred,
    fs,
    ipc_namespace,
    nsproxy,
    time_namespace,
    user_namespace,
    utsname,
)
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.net import net_namespace
from kernelsim.include.uapi.linux import sched as sched_flags

__all__ = ["COUNTERS", "KINDS", "MEMBERS", "OWNED", "SHOWN", "USER_NS_FILES", "pid_files"]

# The counted structs: the member that counts, and what C's initialiser of the static one adds to
# the pointers that there are.
COUNTERS: dict[type[Any], tuple[str, dict[str, int]]] = {
    cred.cred: ("usage", {"init_cred": 2}),
    cred.group_info: ("usage", {"init_groups": 1}),
    cred.user_struct: ("count", {}),
    cgroup.cgroup_namespace: ("count", {"init_cgroup_ns": 1}),
    fs.file: ("f_count", {}),
    fs.files_struct: ("count", {}),
    fs.fs_struct: ("users", {}),
    nsproxy.nsproxy: ("count", {}),
    pid_h.pid: ("count", {}),
    pid_h.pid_namespace: ("kref", {}),
    ipc_namespace.ipc_namespace: ("count", {}),
    mount.mnt_namespace: ("count", {}),
    net_namespace.net: ("count", {}),
    time_namespace.time_namespace: ("kref", {"init_time_ns": 1}),
    user_namespace.ucounts: ("count", {}),
    # seven static objects point to it, three of which C counts
    user_namespace.user_namespace: ("count", {"init_user_ns": -4}),
    utsname.uts_namespace: ("kref", {"init_uts_ns": 1}),
    sched_signal.sighand_struct: ("count", {}),
    sched_signal.signal_struct: ("sigcnt", {}),
}
MEMBERS = (  # of struct nsproxy
    *("uts_ns", "ipc_ns", "mnt_ns", "pid_ns_for_children", "net_ns", "time_ns"),
    *("time_ns_for_children", "cgroup_ns"),
)
OWNED: tuple[type[Any], ...] = (
    cgroup.cgroup_namespace,
    ipc_namespace.ipc_namespace,
    mount.mnt_namespace,
    net_namespace.net,
    pid_h.pid_namespace,
    time_namespace.time_namespace,
    utsname.uts_namespace,
)
KINDS: dict[int, Any] = {  # of a namespace's file
    sched_flags.CLONE_NEWCGROUP: cgroup.cgroup_namespace,
    sched_flags.CLONE_NEWIPC: ipc_namespace.ipc_namespace,
    sched_flags.CLONE_NEWNET: net_namespace.net,
    sched_flags.CLONE_NEWNS: mount.mnt_namespace,
    sched_flags.CLONE_NEWPID: pid_h.pid_namespace,
    sched_flags.CLONE_NEWTIME: time_namespace.time_namespace,
    sched_flags.CLONE_NEWUSER: user_namespace.user_namespace,
    sched_flags.CLONE_NEWUTS: utsname.uts_namespace,
}
USER_NS_FILES = ("uid_map", "gid_map", "setgroups")


def pid_files(m: Any) -> list[Any]:
    """Return the operations (struct file_operations *) of the files that keep a struct pid."""
    shown = [f"proc_{kind}_{name}_operations" for kind in ("tgid", "tid") for name in SHOWN]
    return [m.symbol(name) for name in ("pidfd_fops", *shown)]


SHOWN = ("stat", "status")
