"""kernel/time/namespace.c @ v5.10.188: namespaces of clocks, of which a task has two: its own, and its children's.

Left out: the offsets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import proc_ns, slab, time_namespace, user_namespace
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.include.uapi.linux.sched import CLONE_NEWTIME
from kernelsim.kernel import capability, ucount
from kernelsim.kernel import user_namespace as kernel_user_ns
from kernelsim.lib import is_single_threaded
from kernelsim.machine.ref import container_of
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "copy_time_ns",
    "put_time_ns",
    "time_ns_static_init",
    "timens_for_children_get",
    "timens_get",
    "timens_install",
    "timens_on_fork",
    "timens_owner",
    "timens_put",
]


def _clone_time_ns(m: Machine, user_ns: Any, old_ns: Any) -> Any:
    # clone_time_ns(): a new namespace, owned by `user_ns`; or -ENOSPC, -ENOMEM.
    counts = ucount.inc_ucount(
        m, user_ns, m.current.cred.euid, user_namespace.UCOUNT_TIME_NAMESPACES
    )
    if not counts:
        return -errno.ENOSPC
    address = slub.kmalloc(m, time_namespace.time_namespace.sizeof_, slab.GFP_KERNEL)
    ns = time_namespace.time_namespace(m, address)
    if not address:
        ucount.dec_ucount(m, counts, user_namespace.UCOUNT_TIME_NAMESPACES)
        return -errno.ENOMEM
    ns.kref = 1
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("timens_operations")
    ns.user_ns = user_namespace.get_user_ns(user_ns)
    ns.ucounts = counts
    return ns


def copy_time_ns(m: Machine, flags: int, user_ns: Any, old_ns: Any) -> Any:
    """Return `old_ns` (struct time_namespace *), counted once more, or a new one with CLONE_NEWTIME.

    Or a negative errno: -ENOSPC, -ENOMEM.
    """
    if not flags & CLONE_NEWTIME:
        return time_namespace.get_time_ns(old_ns)
    return _clone_time_ns(m, user_ns, old_ns)


def put_time_ns(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct time_namespace *); the last one frees it."""
    left = ns.kref - 1
    ns.kref = left
    if not left:
        ucount.dec_ucount(m, ns.ucounts, user_namespace.UCOUNT_TIME_NAMESPACES)
        kernel_user_ns.put_user_ns(m, ns.user_ns)
        slub.kfree(m, ns.address_)


def timens_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace of `task` (struct ns_common *), counted once more, NULL of a dead one."""
    proxy = task.nsproxy
    return time_namespace.get_time_ns(proxy.time_ns).ns if proxy else proxy


def timens_put(m: Machine, ns: Any) -> None:
    """Drop what timens_get() took."""
    put_time_ns(m, container_of(ns, time_namespace.time_namespace, "ns"))


def timens_install(m: Machine, set: Any, new: Any) -> int:
    """Let the namespaces `set` (struct nsset *) have `new` (struct ns_common *); 0, -EUSERS or -EPERM."""
    proxy, ns = set.nsproxy, container_of(new, time_namespace.time_namespace, "ns")
    if not is_single_threaded.current_is_single_threaded(m):
        return -errno.EUSERS
    if not capability.ns_capable(m, ns.user_ns, CAP_SYS_ADMIN) or not capability.ns_capable(
        m, set.cred.user_ns, CAP_SYS_ADMIN
    ):
        return -errno.EPERM
    time_namespace.get_time_ns(ns)
    put_time_ns(m, proxy.time_ns)
    proxy.time_ns = ns
    time_namespace.get_time_ns(ns)
    put_time_ns(m, proxy.time_ns_for_children)
    proxy.time_ns_for_children = ns
    return 0


def timens_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace (struct user_namespace *) that owns `ns` (struct ns_common *)."""
    return container_of(ns, time_namespace.time_namespace, "ns").user_ns


def timens_for_children_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace (struct ns_common *) that the children of `task` will live in, counted."""
    proxy = task.nsproxy
    return time_namespace.get_time_ns(proxy.time_ns_for_children).ns if proxy else proxy


def timens_on_fork(m: Machine, proxy: Any) -> None:
    """Let the new task with the namespaces `proxy` (struct nsproxy *) live where its parent's children do."""
    ns = proxy.time_ns_for_children
    if proxy.time_ns != ns:
        time_namespace.get_time_ns(ns)
        put_time_ns(m, proxy.time_ns)
        proxy.time_ns = ns


def time_ns_static_init(m: Machine) -> None:
    """Lay down init_time_ns."""
    ops = proc_ns._operations(m, "timens_operations", "time", CLONE_NEWTIME, "timens")
    proc_ns._operations(
        m,
        "timens_for_children_operations",
        "time_for_children",
        CLONE_NEWTIME,
        "timens",
        get="timens_for_children_get",
        real_ns_name="time",
    )
    ns = m.define("init_time_ns", time_namespace.time_namespace)
    ns.kref = 3
    ns.user_ns = m.symbol("init_user_ns")
    ns.ns.inum, ns.ns.ops = proc_ns.PROC_TIME_INIT_INO, ops
