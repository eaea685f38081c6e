"""kernel/nsproxy.c @ v5.10.188: the set of namespaces of a task, and entering another's.

Left out: what the mount, IPC, network, control group and time namespaces isolate; they are made,
counted, owned and entered as in Linux (docs/fidelity.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import namespace as mnt_namespace
from kernelsim.include.linux import nsproxy as nsproxy_h
from kernelsim.include.linux import slab, time_namespace
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import sched as flags_h
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.ipc import namespace as ipc_namespace
from kernelsim.kernel import capability, pid_namespace, utsname
from kernelsim.kernel.cgroup import namespace as cgroup_namespace
from kernelsim.kernel.time import namespace as timens
from kernelsim.mm import slub
from kernelsim.net.core import net_namespace

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "copy_namespaces",
    "create_new_namespaces",
    "exit_task_namespaces",
    "free_nsproxy",
    "nsproxy_cache_init",
    "nsproxy_static_init",
    "switch_task_namespaces",
    "unshare_nsproxy_namespaces",
]

CLONE_NS_FLAGS = (
    flags_h.CLONE_NEWNS
    | flags_h.CLONE_NEWUTS
    | flags_h.CLONE_NEWIPC
    | flags_h.CLONE_NEWPID
    | flags_h.CLONE_NEWNET
    | flags_h.CLONE_NEWCGROUP
    | flags_h.CLONE_NEWTIME
)
# The members of struct nsproxy, each with the functions that copy and drop it, in the order in
# which create_new_namespaces() makes them.
_KINDS: tuple[tuple[str, Callable[..., Any], Callable[..., Any]], ...] = (
    ("mnt_ns", mnt_namespace.copy_mnt_ns, mnt_namespace.put_mnt_ns),
    ("uts_ns", utsname.copy_utsname, utsname.put_uts_ns),
    ("ipc_ns", ipc_namespace.copy_ipcs, ipc_namespace.put_ipc_ns),
    ("pid_ns_for_children", pid_namespace.copy_pid_ns, pid_namespace.put_pid_ns),
    ("cgroup_ns", cgroup_namespace.copy_cgroup_ns, cgroup_namespace.put_cgroup_ns),
    ("net_ns", net_namespace.copy_net_ns, net_namespace.put_net),
    ("time_ns_for_children", timens.copy_time_ns, timens.put_time_ns),
)


def nsproxy_static_init(m: Machine) -> None:
    """Lay down init_nsproxy; its mnt_ns comes when there are mounts."""
    proxy = m.define("init_nsproxy", nsproxy_h.nsproxy)
    proxy.count = 1
    for member in ("uts", "ipc", "net", "time", "cgroup"):
        name = "init_net" if member == "net" else f"init_{member}_ns"
        setattr(proxy, f"{member}_ns", m.symbol(name))
    proxy.time_ns_for_children = proxy.time_ns
    proxy.pid_ns_for_children = m.symbol("init_pid_ns")


def nsproxy_cache_init(m: Machine) -> None:
    """Make the cache of struct nsproxy."""
    m.static.nsproxy_cachep = slub.kmem_cache_create(
        m, "nsproxy", nsproxy_h.nsproxy.sizeof_, 0, slab.SLAB_PANIC
    )


_count = nsproxy_h.nsproxy.add_("count")
_get_times = nsproxy_h.nsproxy.load_("time_ns", "time_ns_for_children")


def copy_namespaces(m: Machine, flags: int, tsk: task_struct) -> int:
    """Share the parent's namespaces, or give `tsk` its own as `flags` (u64) say.

    Returns 0, -EPERM without CAP_SYS_ADMIN in the user namespace of `tsk`, -EINVAL, -ENOSPC or -ENOMEM.
    """
    old_ns = tsk.nsproxy
    if not flags & CLONE_NS_FLAGS:
        mine, children = _get_times(old_ns)
        if mine == children:
            _count(old_ns, 1)
            return 0
    elif not capability.ns_capable(m, tsk.real_cred.user_ns, CAP_SYS_ADMIN):
        return -errno.EPERM
    if flags & flags_h.CLONE_NEWIPC and flags & flags_h.CLONE_SYSVSEM:
        return -errno.EINVAL
    new_ns = create_new_namespaces(m, flags, tsk, tsk.real_cred.user_ns)
    if isinstance(new_ns, int):
        return new_ns
    timens.timens_on_fork(m, new_ns)
    tsk.nsproxy = new_ns
    return 0


def create_new_namespaces(m: Machine, flags: int, tsk: task_struct, user_ns: Any) -> Any:
    """Make a new set of namespaces, those that `flags` name new ones owned by `user_ns`.

    Returns struct nsproxy *, or a negative errno; then nothing is left of it.
    """
    address = slub.kmem_cache_alloc(m, m.static.nsproxy_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    new, old = nsproxy_h.nsproxy(m, address), tsk.nsproxy
    new.count = 1
    for i, (member, copy, _put) in enumerate(_KINDS):
        ns = copy(m, flags, user_ns, getattr(old, member))
        if isinstance(ns, int):
            for done, _copy, put in reversed(_KINDS[:i]):
                put(m, getattr(new, done))
            slub.kmem_cache_free(m, m.static.nsproxy_cachep, address)
            return ns
        setattr(new, member, ns)
    new.time_ns = time_namespace.get_time_ns(old.time_ns)
    return new


def unshare_nsproxy_namespaces(m: Machine, unshare_flags: int, new_cred: Any = None) -> Any:
    """Return new namespaces (struct nsproxy *) for the running task, None if none are asked for.

    They are owned by the user namespace of `new_cred` (struct cred *), or by the task's.  Or a
    negative errno: -EPERM without CAP_SYS_ADMIN there, -EINVAL, -ENOSPC, -ENOMEM.
    """
    if not unshare_flags & CLONE_NS_FLAGS:
        return None
    current = m.current
    user_ns = (new_cred or current.cred).user_ns
    if not capability.ns_capable(m, user_ns, CAP_SYS_ADMIN):
        return -errno.EPERM
    return create_new_namespaces(m, unshare_flags, current, user_ns)


def free_nsproxy(m: Machine, ns: Any) -> None:
    """Drop the namespaces of `ns` (struct nsproxy *) and free it."""
    for member in ("mnt_ns", "uts_ns", "ipc_ns", "pid_ns_for_children"):
        _PUT[member](m, getattr(ns, member))
    timens.put_time_ns(m, ns.time_ns)
    timens.put_time_ns(m, ns.time_ns_for_children)
    cgroup_namespace.put_cgroup_ns(m, ns.cgroup_ns)
    net_namespace.put_net(m, ns.net_ns)
    slub.kmem_cache_free(m, m.static.nsproxy_cachep, ns.address_)


_PUT = {member: put for member, _copy, put in _KINDS}


def switch_task_namespaces(m: Machine, p: task_struct, new: Any) -> None:
    """Give `p` the namespaces `new` (struct nsproxy * or NULL) and drop the old ones."""
    ns = p.nsproxy
    p.nsproxy = new
    if ns.address_ and not _count(ns, -1):
        free_nsproxy(m, ns)


def exit_task_namespaces(m: Machine, p: task_struct) -> None:
    """Let `p` have no namespaces any more."""
    switch_task_namespaces(m, p, None)
