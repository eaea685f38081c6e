"""kernel/cgroup/namespace.c @ v5.10.188: namespaces of control groups.

Left out: the groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cgroup, proc_ns, slab, user_namespace
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.include.uapi.linux.sched import CLONE_NEWCGROUP
from kernelsim.kernel import capability, ucount
from kernelsim.kernel import user_namespace as kernel_user_ns
from kernelsim.machine.ref import container_of
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "cgroup_static_init",
    "cgroupns_get",
    "cgroupns_install",
    "cgroupns_owner",
    "cgroupns_put",
    "copy_cgroup_ns",
    "put_cgroup_ns",
]


def _create(m: Machine, user_ns: Any, old_ns: Any) -> Any:
    # A new namespace, owned by `user_ns`; or -ENOSPC, -ENOMEM.
    counts = ucount.inc_ucount(
        m, user_ns, m.current.cred.euid, user_namespace.UCOUNT_CGROUP_NAMESPACES
    )
    if not counts:
        return -errno.ENOSPC
    address = slub.kmalloc(m, cgroup.cgroup_namespace.sizeof_, slab.GFP_KERNEL)
    ns = cgroup.cgroup_namespace(m, address)
    if not address:
        ucount.dec_ucount(m, counts, user_namespace.UCOUNT_CGROUP_NAMESPACES)
        return -errno.ENOMEM
    ns.count = 1
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("cgroupns_operations")
    ns.user_ns = user_namespace.get_user_ns(user_ns)
    ns.ucounts = counts
    return ns


def copy_cgroup_ns(m: Machine, flags: int, user_ns: Any, old_ns: Any) -> Any:
    """Return `old_ns` (struct cgroup_namespace *), counted once more, or a new one with CLONE_NEWCGROUP.

    Or a negative errno: -ENOSPC, -ENOMEM, -EPERM.
    """
    if not flags & CLONE_NEWCGROUP:
        return cgroup.get_cgroup_ns(old_ns)
    if not capability.ns_capable(m, user_ns, CAP_SYS_ADMIN):
        return -errno.EPERM
    return _create(m, user_ns, old_ns)


def put_cgroup_ns(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct cgroup_namespace *); the last one frees it."""
    left = ns.count - 1
    ns.count = left
    if not left:
        ucount.dec_ucount(m, ns.ucounts, user_namespace.UCOUNT_CGROUP_NAMESPACES)
        kernel_user_ns.put_user_ns(m, ns.user_ns)
        slub.kfree(m, ns.address_)


def cgroupns_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace of `task` (struct ns_common *), counted once more, NULL of a dead one."""
    proxy = task.nsproxy
    return cgroup.get_cgroup_ns(proxy.cgroup_ns).ns if proxy else proxy


def cgroupns_put(m: Machine, ns: Any) -> None:
    """Drop what cgroupns_get() took."""
    put_cgroup_ns(m, container_of(ns, cgroup.cgroup_namespace, "ns"))


def cgroupns_install(m: Machine, set: Any, new: Any) -> int:
    """Let the namespaces `set` (struct nsset *) have `new` (struct ns_common *); 0 or -EPERM."""
    proxy, ns = set.nsproxy, container_of(new, cgroup.cgroup_namespace, "ns")
    if not capability.ns_capable(m, ns.user_ns, CAP_SYS_ADMIN) or not capability.ns_capable(
        m, set.cred.user_ns, CAP_SYS_ADMIN
    ):
        return -errno.EPERM
    if ns == proxy.cgroup_ns:
        return 0
    cgroup.get_cgroup_ns(ns)
    put_cgroup_ns(m, proxy.cgroup_ns)
    proxy.cgroup_ns = ns
    return 0


def cgroupns_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace (struct user_namespace *) that owns `ns` (struct ns_common *)."""
    return container_of(ns, cgroup.cgroup_namespace, "ns").user_ns


def cgroup_static_init(m: Machine) -> None:
    """Lay down init_cgroup_ns (kernel/cgroup/cgroup.c)."""
    ops = proc_ns._operations(m, "cgroupns_operations", "cgroup", CLONE_NEWCGROUP, "cgroupns")
    ns = m.define("init_cgroup_ns", cgroup.cgroup_namespace)
    ns.count = 2
    ns.user_ns = m.symbol("init_user_ns")
    ns.ns.inum, ns.ns.ops = proc_ns.PROC_CGROUP_INIT_INO, ops
