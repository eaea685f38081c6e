"""kernel/nsproxy.c @ v5.10.188: the set of namespaces of a task.

Left out: every namespace but the pid namespace (docs/fidelity.md); their pointers are NULL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import nsproxy as nsproxy_h
from kernelsim.include.linux import slab
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import sched as flags_h
from kernelsim.kernel import pid_namespace
from kernelsim.mm import slub

if TYPE_CHECKING:
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
CAP_SYS_ADMIN = 21


def nsproxy_static_init(m: Machine) -> None:
    """Lay down init_nsproxy."""
    proxy = m.define("init_nsproxy", nsproxy_h.nsproxy)
    proxy.count = 1
    proxy.pid_ns_for_children = m.symbol("init_pid_ns")


def nsproxy_cache_init(m: Machine) -> None:
    """Make the cache of struct nsproxy."""
    m.static.nsproxy_cachep = slub.kmem_cache_create(
        m, "nsproxy", nsproxy_h.nsproxy.sizeof_, 0, slab.SLAB_PANIC
    )


_count = nsproxy_h.nsproxy.add_("count")


def copy_namespaces(m: Machine, flags: int, tsk: task_struct) -> int:
    """Share the parent's namespaces, or give `tsk` its own as `flags` (u64) say.

    Returns 0, -EPERM without CAP_SYS_ADMIN, -EINVAL, -ENOSPC or -ENOMEM.
    """
    old_ns = tsk.nsproxy
    if not flags & CLONE_NS_FLAGS:
        _count(old_ns, 1)
        return 0
    if not tsk.cred.cap_effective & 1 << CAP_SYS_ADMIN:
        return -errno.EPERM
    if flags & flags_h.CLONE_NEWIPC and flags & flags_h.CLONE_SYSVSEM:
        return -errno.EINVAL
    new_ns = create_new_namespaces(m, flags, tsk, tsk.cred.user_ns)
    if isinstance(new_ns, int):
        return new_ns
    tsk.nsproxy = new_ns
    return 0


def create_new_namespaces(m: Machine, flags: int, tsk: task_struct, user_ns: Any) -> Any:
    """Make a new set of namespaces; return struct nsproxy *, or a negative errno."""
    address = slub.kmem_cache_alloc(m, m.static.nsproxy_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    new = nsproxy_h.nsproxy(m, address)
    new.count = 1
    pid_ns = pid_namespace.copy_pid_ns(m, flags, user_ns, tsk.nsproxy.pid_ns_for_children)
    if isinstance(pid_ns, int):
        slub.kmem_cache_free(m, m.static.nsproxy_cachep, address)
        return pid_ns
    new.pid_ns_for_children = pid_ns
    return new


def unshare_nsproxy_namespaces(m: Machine, unshare_flags: int) -> Any:
    """Return new namespaces (struct nsproxy *) for the running task, None if none are asked for.

    Or a negative errno: -EPERM without CAP_SYS_ADMIN, -EINVAL, -ENOSPC, -ENOMEM.
    """
    if not unshare_flags & CLONE_NS_FLAGS:
        return None
    current = m.current
    if not current.cred.cap_effective & 1 << CAP_SYS_ADMIN:
        return -errno.EPERM
    return create_new_namespaces(m, unshare_flags, current, current.cred.user_ns)


def free_nsproxy(m: Machine, ns: Any) -> None:
    """Drop the namespaces of `ns` (struct nsproxy *) and free it."""
    if ns.pid_ns_for_children:
        pid_namespace.put_pid_ns(m, ns.pid_ns_for_children)
    slub.kmem_cache_free(m, m.static.nsproxy_cachep, ns.address_)


def switch_task_namespaces(m: Machine, p: task_struct, new: Any) -> None:
    """Give `p` the namespaces `new` (struct nsproxy * or NULL) and drop the old ones."""
    ns = p.nsproxy
    p.nsproxy = new
    if ns.address_ and not _count(ns, -1):
        free_nsproxy(m, ns)


def exit_task_namespaces(m: Machine, p: task_struct) -> None:
    """Let `p` have no namespaces any more."""
    switch_task_namespaces(m, p, None)
