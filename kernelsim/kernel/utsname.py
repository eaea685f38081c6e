"""kernel/utsname.c @ v5.10.188: host names of a container's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import proc_ns, slab, user_namespace, utsname
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.include.uapi.linux.sched import CLONE_NEWUTS
from kernelsim.kernel import capability, ucount
from kernelsim.kernel import user_namespace as kernel_user_ns
from kernelsim.machine.ref import container_of
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "clone_uts_ns",
    "copy_utsname",
    "put_uts_ns",
    "uts_ns_init",
    "utsns_get",
    "utsns_install",
    "utsns_owner",
    "utsns_put",
]


def clone_uts_ns(m: Machine, user_ns: Any, old_ns: Any) -> Any:
    """Make a namespace with the names of `old_ns` (struct uts_namespace *), owned by `user_ns`; or -ENOSPC, -ENOMEM."""
    counts = ucount.inc_ucount(
        m, user_ns, m.current.cred.euid, user_namespace.UCOUNT_UTS_NAMESPACES
    )
    if not counts:
        return -errno.ENOSPC
    address = slub.kmem_cache_alloc(m, m.static.uts_ns_cache, slab.GFP_KERNEL)
    ns = utsname.uts_namespace(m, address)
    if not address:
        ucount.dec_ucount(m, counts, user_namespace.UCOUNT_UTS_NAMESPACES)
        return -errno.ENOMEM
    ns.kref = 1
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("utsns_operations")
    m.write(ns.name.address_, m.read(old_ns.name.address_, utsname.new_utsname.sizeof_))
    ns.user_ns = user_namespace.get_user_ns(user_ns)
    ns.ucounts = counts
    return ns


def copy_utsname(m: Machine, flags: int, user_ns: Any, old_ns: Any) -> Any:
    """Return `old_ns` (struct uts_namespace *), counted once more, or a new one with CLONE_NEWUTS.

    Or a negative errno: -ENOSPC, -ENOMEM.
    """
    if not flags & CLONE_NEWUTS:
        return utsname.get_uts_ns(old_ns)
    return clone_uts_ns(m, user_ns, old_ns)


def put_uts_ns(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct uts_namespace *); the last one frees it."""
    left = ns.kref - 1
    ns.kref = left
    if not left:
        ucount.dec_ucount(m, ns.ucounts, user_namespace.UCOUNT_UTS_NAMESPACES)
        kernel_user_ns.put_user_ns(m, ns.user_ns)
        slub.kmem_cache_free(m, m.static.uts_ns_cache, ns.address_)


def utsns_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace of `task` (struct ns_common *), counted once more, NULL of a dead one."""
    proxy = task.nsproxy
    return utsname.get_uts_ns(proxy.uts_ns).ns if proxy else proxy


def utsns_put(m: Machine, ns: Any) -> None:
    """Drop what utsns_get() took."""
    put_uts_ns(m, container_of(ns, utsname.uts_namespace, "ns"))


def utsns_install(m: Machine, set: Any, new: Any) -> int:
    """Let the namespaces `set` (struct nsset *) have `new` (struct ns_common *); 0 or -EPERM."""
    proxy, ns = set.nsproxy, container_of(new, utsname.uts_namespace, "ns")
    if not capability.ns_capable(m, ns.user_ns, CAP_SYS_ADMIN) or not capability.ns_capable(
        m, set.cred.user_ns, CAP_SYS_ADMIN
    ):
        return -errno.EPERM
    utsname.get_uts_ns(ns)
    put_uts_ns(m, proxy.uts_ns)
    proxy.uts_ns = ns
    return 0


def utsns_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace (struct user_namespace *) that owns `ns` (struct ns_common *)."""
    return container_of(ns, utsname.uts_namespace, "ns").user_ns


def uts_ns_init(m: Machine) -> None:
    """Make the cache of struct uts_namespace."""
    flags = slab.SLAB_PANIC | slab.SLAB_ACCOUNT
    size = utsname.uts_namespace.sizeof_
    m.static.uts_ns_cache = slub.kmem_cache_create(m, "uts_namespace", size, 0, flags)
