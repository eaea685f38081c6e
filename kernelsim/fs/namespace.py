"""fs/namespace.c @ v5.10.188: namespaces of mounts.

Left out: the mounts; there are neither paths nor file systems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import mount
from kernelsim.include.linux import proc_ns, slab, user_namespace
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN, CAP_SYS_CHROOT
from kernelsim.include.uapi.linux.sched import CLONE_NEWNS
from kernelsim.kernel import capability, ucount
from kernelsim.kernel import user_namespace as kernel_user_ns
from kernelsim.machine.ref import container_of
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "copy_mnt_ns",
    "mnt_init",
    "mntns_get",
    "mntns_install",
    "mntns_owner",
    "mntns_put",
    "put_mnt_ns",
]


def _alloc_mnt_ns(m: Machine, user_ns: Any) -> Any:
    # alloc_mnt_ns(): a new namespace, owned by `user_ns`; or -ENOSPC, -ENOMEM.
    counts = ucount.inc_ucount(
        m, user_ns, m.current.cred.euid, user_namespace.UCOUNT_MNT_NAMESPACES
    )
    if not counts:
        return -errno.ENOSPC
    address = slub.kmalloc(m, mount.mnt_namespace.sizeof_, slab.GFP_KERNEL)
    ns = mount.mnt_namespace(m, address)
    if not address:
        ucount.dec_ucount(m, counts, user_namespace.UCOUNT_MNT_NAMESPACES)
        return -errno.ENOMEM
    ns.count = 1
    ns.mounts = 1
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("mntns_operations")
    ns.user_ns = user_namespace.get_user_ns(user_ns)
    ns.ucounts = counts
    return ns


def copy_mnt_ns(m: Machine, flags: int, user_ns: Any, old_ns: Any) -> Any:
    """Return `old_ns` (struct mnt_namespace *), counted once more, or a new one with CLONE_NEWNS.

    Or a negative errno: -ENOSPC, -ENOMEM.
    """
    if not flags & CLONE_NEWNS:
        return mount.get_mnt_ns(old_ns)
    return _alloc_mnt_ns(m, user_ns)


def put_mnt_ns(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct mnt_namespace *); the last one frees it."""
    left = ns.count - 1
    ns.count = left
    if not left:
        ucount.dec_ucount(m, ns.ucounts, user_namespace.UCOUNT_MNT_NAMESPACES)
        kernel_user_ns.put_user_ns(m, ns.user_ns)
        slub.kfree(m, ns.address_)


def mntns_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace of `task` (struct ns_common *), counted once more, NULL of a dead one."""
    proxy = task.nsproxy
    return mount.get_mnt_ns(proxy.mnt_ns).ns if proxy else proxy


def mntns_put(m: Machine, ns: Any) -> None:
    """Drop what mntns_get() took."""
    put_mnt_ns(m, container_of(ns, mount.mnt_namespace, "ns"))


def mntns_install(m: Machine, set: Any, new: Any) -> int:
    """Let the namespaces `set` (struct nsset *) have `new` (struct ns_common *); 0, -EPERM or -EINVAL."""
    proxy, ns = set.nsproxy, container_of(new, mount.mnt_namespace, "ns")
    if not capability.ns_capable(m, ns.user_ns, CAP_SYS_ADMIN) or not capability.ns_capable(
        m, set.cred.user_ns, CAP_SYS_CHROOT
    ):
        return -errno.EPERM
    if not capability.ns_capable(m, set.cred.user_ns, CAP_SYS_ADMIN):
        return -errno.EPERM
    if set.fs.users != 1:
        return -errno.EINVAL
    mount.get_mnt_ns(ns)
    put_mnt_ns(m, proxy.mnt_ns)
    proxy.mnt_ns = ns
    return 0


def mntns_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace (struct user_namespace *) that owns `ns` (struct ns_common *)."""
    return container_of(ns, mount.mnt_namespace, "ns").user_ns


def mnt_init(m: Machine) -> None:
    """Give init_task the initial namespace: init_mount_tree()."""
    proc_ns._operations(m, "mntns_operations", "mnt", CLONE_NEWNS, "mntns")
    ns = _alloc_mnt_ns(m, m.symbol("init_user_ns"))
    m.symbol("init_nsproxy").mnt_ns = mount.get_mnt_ns(ns)
