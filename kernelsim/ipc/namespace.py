"""ipc/namespace.c @ v5.10.188: namespaces of System V IPC and message queues.

Left out: what is in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import ipc_namespace, proc_ns, slab, user_namespace
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.include.uapi.linux.sched import CLONE_NEWIPC
from kernelsim.kernel import capability, ucount
from kernelsim.kernel import user_namespace as kernel_user_ns
from kernelsim.machine.ref import container_of
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "copy_ipcs",
    "create_ipc_ns",
    "ipc_static_init",
    "ipcns_get",
    "ipcns_install",
    "ipcns_owner",
    "ipcns_put",
    "put_ipc_ns",
]


def create_ipc_ns(m: Machine, user_ns: Any, old_ns: Any) -> Any:
    """Make a namespace owned by `user_ns` (struct user_namespace *); or -ENOSPC, -ENOMEM."""
    counts = ucount.inc_ucount(
        m, user_ns, m.current.cred.euid, user_namespace.UCOUNT_IPC_NAMESPACES
    )
    if not counts:
        return -errno.ENOSPC
    address = slub.kmalloc(m, ipc_namespace.ipc_namespace.sizeof_, slab.GFP_KERNEL)
    ns = ipc_namespace.ipc_namespace(m, address)
    if not address:
        ucount.dec_ucount(m, counts, user_namespace.UCOUNT_IPC_NAMESPACES)
        return -errno.ENOMEM
    ns.count = 1
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("ipcns_operations")
    ns.user_ns = user_namespace.get_user_ns(user_ns)
    ns.ucounts = counts
    return ns


def copy_ipcs(m: Machine, flags: int, user_ns: Any, old_ns: Any) -> Any:
    """Return `old_ns` (struct ipc_namespace *), counted once more, or a new one with CLONE_NEWIPC.

    Or a negative errno: -ENOSPC, -ENOMEM.
    """
    if not flags & CLONE_NEWIPC:
        return ipc_namespace.get_ipc_ns(old_ns)
    return create_ipc_ns(m, user_ns, old_ns)


def put_ipc_ns(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct ipc_namespace *); the last one frees it."""
    left = ns.count - 1
    ns.count = left
    if not left:
        ucount.dec_ucount(m, ns.ucounts, user_namespace.UCOUNT_IPC_NAMESPACES)
        kernel_user_ns.put_user_ns(m, ns.user_ns)
        slub.kfree(m, ns.address_)


def ipcns_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace of `task` (struct ns_common *), counted once more, NULL of a dead one."""
    proxy = task.nsproxy
    return ipc_namespace.get_ipc_ns(proxy.ipc_ns).ns if proxy else proxy


def ipcns_put(m: Machine, ns: Any) -> None:
    """Drop what ipcns_get() took."""
    put_ipc_ns(m, container_of(ns, ipc_namespace.ipc_namespace, "ns"))


def ipcns_install(m: Machine, set: Any, new: Any) -> int:
    """Let the namespaces `set` (struct nsset *) have `new` (struct ns_common *); 0 or -EPERM."""
    proxy, ns = set.nsproxy, container_of(new, ipc_namespace.ipc_namespace, "ns")
    if not capability.ns_capable(m, ns.user_ns, CAP_SYS_ADMIN) or not capability.ns_capable(
        m, set.cred.user_ns, CAP_SYS_ADMIN
    ):
        return -errno.EPERM
    ipc_namespace.get_ipc_ns(ns)
    put_ipc_ns(m, proxy.ipc_ns)
    proxy.ipc_ns = ns
    return 0


def ipcns_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace (struct user_namespace *) that owns `ns` (struct ns_common *)."""
    return container_of(ns, ipc_namespace.ipc_namespace, "ns").user_ns


def ipc_static_init(m: Machine) -> None:
    """Lay down init_ipc_ns (ipc/msgutil.c)."""
    ops = proc_ns._operations(m, "ipcns_operations", "ipc", CLONE_NEWIPC, "ipcns")
    ns = m.define("init_ipc_ns", ipc_namespace.ipc_namespace)
    ns.count = 1
    ns.user_ns = m.symbol("init_user_ns")
    ns.ns.inum, ns.ns.ops = proc_ns.PROC_IPC_INIT_INO, ops
