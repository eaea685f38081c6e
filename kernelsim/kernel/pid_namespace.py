"""kernel/pid_namespace.c @ v5.10.188: namespaces of process numbers.

Left out: reboot(2) in a namespace, the sysctl tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import ns_common, proc_ns, sched, slab
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import user_namespace as user_ns_h
from kernelsim.include.linux.pid import PIDNS_ADDING
from kernelsim.include.uapi.asm import errno, signal
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.include.uapi.linux.sched import CLONE_NEWPID
from kernelsim.kernel import capability, ucount, user_namespace
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel import signal as kernel_signal
from kernelsim.kernel.sched import core
from kernelsim.lib import idr
from kernelsim.machine.ref import container_of
from kernelsim.mm import slab_common, slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "copy_pid_ns",
    "create_pid_cachep",
    "create_pid_namespace",
    "get_pid_ns",
    "pid_namespaces_init",
    "pidns_for_children_get",
    "pidns_get",
    "pidns_get_parent",
    "pidns_install",
    "pidns_owner",
    "pidns_put",
    "put_pid_ns",
    "zap_pid_ns_processes",
]


def pid_namespaces_init(m: Machine) -> None:
    """Make the cache of struct pid_namespace."""
    m.static.pid_ns_cachep = slub.kmem_cache_create(m, "pid_namespace", pid_h.pid_namespace.sizeof_)


def create_pid_cachep(m: Machine, level: int) -> Any:
    """Return the cache (struct kmem_cache *) for pids of namespaces at `level`, made at first use."""
    name = f"pid_{level + 1}"
    for cache in slab_common.caches(m):
        if slab_common.cache_name(m, cache) == name:
            return cache
    size = pid_h.pid.sizeof_ + level * pid_h.upid.sizeof_
    return slub.kmem_cache_create(m, name, size, 0, slab.SLAB_HWCACHE_ALIGN | slab.SLAB_ACCOUNT)


def create_pid_namespace(m: Machine, user_ns: Any, parent: Any) -> Any:
    """Make a namespace below `parent` (struct pid_namespace *); struct pid_namespace * or a negative errno.

    -EINVAL unless `user_ns` is that of `parent` or below it, -ENOSPC when the nesting would be deeper
    than 32 levels or a limit is reached, -ENOMEM.
    """
    if not user_namespace.in_userns(parent.user_ns, user_ns):
        return -errno.EINVAL
    level = parent.level + 1
    if level > pid_h.MAX_PID_NS_LEVEL:
        return -errno.ENOSPC
    counts = ucount.inc_ucount(m, user_ns, m.current.cred.euid, user_ns_h.UCOUNT_PID_NAMESPACES)
    if not counts:
        return -errno.ENOSPC
    address = slub.kmem_cache_alloc(m, m.static.pid_ns_cachep, slab.GFP_KERNEL)
    if not address:
        ucount.dec_ucount(m, counts, user_ns_h.UCOUNT_PID_NAMESPACES)
        return -errno.ENOMEM
    ns = pid_h.pid_namespace(m, address)
    idr_h.idr_init(m, ns.idr)
    try:
        ns.pid_cachep = create_pid_cachep(m, level)
    except MemoryError:
        slub.kmem_cache_free(m, m.static.pid_ns_cachep, address)
        ucount.dec_ucount(m, counts, user_ns_h.UCOUNT_PID_NAMESPACES)
        return -errno.ENOMEM
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("pidns_operations")
    ns.kref = 1
    ns.level = level
    ns.parent = get_pid_ns(parent)
    ns.user_ns = user_ns_h.get_user_ns(user_ns)
    ns.ucounts = counts
    ns.pid_allocated = PIDNS_ADDING
    return ns


def copy_pid_ns(m: Machine, flags: int, user_ns: Any, old_ns: Any) -> Any:
    """Return the namespace for the children of a task cloned with `flags`: `old_ns`, or a new one.

    struct pid_namespace *, or -EINVAL if the caller's children already live in another namespace.
    """
    if not flags & CLONE_NEWPID:
        return get_pid_ns(old_ns)
    if kernel_pid.task_active_pid_ns(m.current).address_ != old_ns.address_:
        return -errno.EINVAL
    return create_pid_namespace(m, user_ns, old_ns)


def get_pid_ns(ns: Any) -> Any:
    """Take a reference to `ns` (struct pid_namespace *); the initial one is not counted."""
    if ns.address_ != ns.machine_.symbol("init_pid_ns").address_:
        ns.kref += 1
    return ns


def put_pid_ns(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct pid_namespace *); the last one frees it and drops its parent's."""
    initial = m.symbol("init_pid_ns").address_
    while ns.address_ != initial:
        parent = ns.parent
        kref = ns.kref - 1
        ns.kref = kref
        if kref:
            return
        idr.idr_destroy(m, ns.idr)
        ucount.dec_ucount(m, ns.ucounts, user_ns_h.UCOUNT_PID_NAMESPACES)
        user_namespace.put_user_ns(m, ns.user_ns)
        slub.kmem_cache_free(m, m.static.pid_ns_cachep, ns.address_)
        ns = parent


async def zap_pid_ns_processes(m: Machine, ns: Any) -> None:
    """The init of `ns` (struct pid_namespace *) dies: kill everybody else there and wait for the end."""
    me = m.current
    kernel_pid.disable_pid_allocation(ns)
    action = me.sighand.action[signal.SIGCHLD - 1]
    action.sa_handler = signal.SIG_IGN
    nr = 2
    while True:
        pid = kernel_pid.find_ge_pid(m, nr, ns)
        if not pid:
            break
        task = kernel_pid.pid_task(pid, sched.PIDTYPE_PID)
        if task and not kernel_signal.fatal_signal_pending(task):
            kernel_signal.group_send_sig_info(
                m, signal.SIGKILL, kernel_signal.SEND_SIG_PRIV, task, force=True
            )
        nr = pid.numbers[ns.level].nr + 1
    while True:
        me.thread_info.flags &= ~sched._TIF_SIGPENDING
        if await kernel_exit.kernel_wait4(m, -1, None, kernel_exit.__WALL, None) == -errno.ECHILD:
            break
    init_pids = 1 if me.exit_signal >= 0 else 2
    while True:
        me.state = sched.TASK_INTERRUPTIBLE
        if ns.pid_allocated == init_pids:
            break
        await core.schedule(m)
    me.state = sched.TASK_RUNNING


# --- entering ----------------------------------------------------------------------------------


def pidns_get(m: Machine, task: task_struct) -> Any:
    """Return the namespace in which `task` lives (struct ns_common *), counted; NULL of a reaped one."""
    pid = task.thread_pid
    return get_pid_ns(pid_h.ns_of_pid(pid)).ns if pid else pid


def pidns_for_children_get(m: Machine, task: task_struct) -> Any:
    """Return that of its future children (struct ns_common *), counted; NULL while that has no init."""
    proxy = task.nsproxy
    ns = proxy.pid_ns_for_children if proxy else None
    if ns is None or not ns.child_reaper:
        return ns_common.ns_common(m, 0)
    return get_pid_ns(ns).ns


def pidns_put(m: Machine, ns: Any) -> None:
    """Drop what pidns_get() took."""
    put_pid_ns(m, container_of(ns, pid_h.pid_namespace, "ns"))


def pidns_install(m: Machine, set: Any, ns: Any) -> int:
    """Let future children live in `ns` (struct ns_common *), by way of `set` (struct nsset *).

    Returns 0, -EPERM, or -EINVAL unless it is one's own namespace or below it.
    """
    proxy, active = set.nsproxy, kernel_pid.task_active_pid_ns(m.current)
    new = ancestor = container_of(ns, pid_h.pid_namespace, "ns")
    if not capability.ns_capable(m, new.user_ns, CAP_SYS_ADMIN) or not capability.ns_capable(
        m, set.cred.user_ns, CAP_SYS_ADMIN
    ):
        return -errno.EPERM
    if new.level < active.level:
        return -errno.EINVAL
    while ancestor.level > active.level:
        ancestor = ancestor.parent
    if ancestor != active:
        return -errno.EINVAL
    put_pid_ns(m, proxy.pid_ns_for_children)
    proxy.pid_ns_for_children = get_pid_ns(new)
    return 0


def pidns_get_parent(m: Machine, ns: Any) -> Any:
    """Return the namespace above `ns` (both struct ns_common *), counted; -EPERM if one can't see it."""
    active = kernel_pid.task_active_pid_ns(m.current)
    parent = p = container_of(ns, pid_h.pid_namespace, "ns").parent
    while p and p != active:
        p = p.parent
    return get_pid_ns(parent).ns if p else -errno.EPERM


def pidns_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace (struct user_namespace *) that owns `ns` (struct ns_common *)."""
    return container_of(ns, pid_h.pid_namespace, "ns").user_ns
