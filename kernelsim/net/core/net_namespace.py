"""net/core/net_namespace.c @ v5.10.188: namespaces of networks.

Left out: the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import proc_ns, slab, user_namespace
from kernelsim.include.net import net_namespace
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.include.uapi.linux.sched import CLONE_NEWNET
from kernelsim.kernel import capability, ucount
from kernelsim.kernel import user_namespace as kernel_user_ns
from kernelsim.machine.ref import container_of
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "copy_net_ns",
    "net_ns_init",
    "net_static_init",
    "netns_get",
    "netns_install",
    "netns_owner",
    "netns_put",
    "put_net",
]


def _create(m: Machine, user_ns: Any, old_ns: Any) -> Any:
    # net_alloc() and setup_net(): a new namespace, owned by `user_ns`; or -ENOSPC, -ENOMEM.
    counts = ucount.inc_ucount(
        m, user_ns, m.current.cred.euid, user_namespace.UCOUNT_NET_NAMESPACES
    )
    if not counts:
        return -errno.ENOSPC
    address = slub.kmem_cache_alloc(m, m.static.net_cachep, slab.GFP_KERNEL)
    ns = net_namespace.net(m, address)
    if not address:
        ucount.dec_ucount(m, counts, user_namespace.UCOUNT_NET_NAMESPACES)
        return -errno.ENOMEM
    ns.passive = ns.count = 1
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("netns_operations")
    ns.user_ns = user_namespace.get_user_ns(user_ns)
    ns.ucounts = counts
    return ns


def copy_net_ns(m: Machine, flags: int, user_ns: Any, old_ns: Any) -> Any:
    """Return `old_ns` (struct net *), counted once more, or a new one with CLONE_NEWNET.

    Or a negative errno: -ENOSPC, -ENOMEM.
    """
    if not flags & CLONE_NEWNET:
        return net_namespace.get_net(old_ns)
    return _create(m, user_ns, old_ns)


def put_net(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct net *); the last one frees it."""
    left = ns.count - 1
    ns.count = left
    if not left:
        ucount.dec_ucount(m, ns.ucounts, user_namespace.UCOUNT_NET_NAMESPACES)
        kernel_user_ns.put_user_ns(m, ns.user_ns)
        slub.kmem_cache_free(m, m.static.net_cachep, ns.address_)


def netns_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace of `task` (struct ns_common *), counted once more, NULL of a dead one."""
    proxy = task.nsproxy
    return net_namespace.get_net(proxy.net_ns).ns if proxy else proxy


def netns_put(m: Machine, ns: Any) -> None:
    """Drop what netns_get() took."""
    put_net(m, container_of(ns, net_namespace.net, "ns"))


def netns_install(m: Machine, set: Any, new: Any) -> int:
    """Let the namespaces `set` (struct nsset *) have `new` (struct ns_common *); 0 or -EPERM."""
    proxy, ns = set.nsproxy, container_of(new, net_namespace.net, "ns")
    if not capability.ns_capable(m, ns.user_ns, CAP_SYS_ADMIN) or not capability.ns_capable(
        m, set.cred.user_ns, CAP_SYS_ADMIN
    ):
        return -errno.EPERM
    net_namespace.get_net(ns)
    put_net(m, proxy.net_ns)
    proxy.net_ns = ns
    return 0


def netns_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace (struct user_namespace *) that owns `ns` (struct ns_common *)."""
    return container_of(ns, net_namespace.net, "ns").user_ns


def net_ns_init(m: Machine) -> None:
    """Make the cache of struct net, and set up init_net."""
    flags = slab.SLAB_HWCACHE_ALIGN | slab.SLAB_PANIC
    size = net_namespace.net.sizeof_
    m.static.net_cachep = slub.kmem_cache_create(m, "net_namespace", size, 64, flags)
    init_net = m.symbol("init_net")
    init_net.user_ns = user_namespace.get_user_ns(m.symbol("init_user_ns"))
    init_net.passive = 1
    proc_ns.ns_alloc_inum(m, init_net.ns)
    init_net.ns.ops = m.symbol("netns_operations")


def net_static_init(m: Machine) -> None:
    """Lay down init_net."""
    proc_ns._operations(m, "netns_operations", "net", CLONE_NEWNET, "netns")
    m.define("init_net", net_namespace.net).count = 1
