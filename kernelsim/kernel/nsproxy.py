"""kernel/nsproxy.c @ v5.10.188: the set of namespaces of a task, and entering another's.

Left out: what the mount, IPC, network, control group and time namespaces isolate; they are made,
counted, owned and entered as in Linux (docs/fidelity.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.fs import file_table, fs_struct, nsfs
from kernelsim.fs import namespace as mnt_namespace
from kernelsim.include.linux import nsproxy as nsproxy_h
from kernelsim.include.linux import sched, slab, time_namespace
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import sched as flags_h
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.ipc import namespace as ipc_namespace
from kernelsim.kernel import capability, cred, fork, pid_namespace, ptrace, utsname
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel.cgroup import namespace as cgroup_namespace
from kernelsim.kernel.sched import wait
from kernelsim.kernel.time import namespace as timens
from kernelsim.mm import slub
from kernelsim.net.core import net_namespace

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
    "sys_setns",
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
# The members of struct nsproxy, each with the module and the names of the functions that copy and
# drop it, in the order in which create_new_namespaces() makes them.
_KINDS = (
    ("mnt_ns", mnt_namespace, "copy_mnt_ns", "put_mnt_ns"),
    ("uts_ns", utsname, "copy_utsname", "put_uts_ns"),
    ("ipc_ns", ipc_namespace, "copy_ipcs", "put_ipc_ns"),
    ("pid_ns_for_children", pid_namespace, "copy_pid_ns", "put_pid_ns"),
    ("cgroup_ns", cgroup_namespace, "copy_cgroup_ns", "put_cgroup_ns"),
    ("net_ns", net_namespace, "copy_net_ns", "put_net"),
    ("time_ns_for_children", timens, "copy_time_ns", "put_time_ns"),
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
    for i, (member, module, copy, _put) in enumerate(_KINDS):
        ns = getattr(module, copy)(m, flags, user_ns, getattr(old, member))
        if isinstance(ns, int):
            for done, its, _copy, put in reversed(_KINDS[:i]):
                getattr(its, put)(m, getattr(new, done))
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
    mnt_namespace.put_mnt_ns(m, ns.mnt_ns)
    utsname.put_uts_ns(m, ns.uts_ns)
    ipc_namespace.put_ipc_ns(m, ns.ipc_ns)
    pid_namespace.put_pid_ns(m, ns.pid_ns_for_children)
    timens.put_time_ns(m, ns.time_ns)
    timens.put_time_ns(m, ns.time_ns_for_children)
    cgroup_namespace.put_cgroup_ns(m, ns.cgroup_ns)
    net_namespace.put_net(m, ns.net_ns)
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


# --- setns --------------------------------------------------------------------------------------


def _check_setns_flags(flags: int) -> int:
    known = CLONE_NS_FLAGS | flags_h.CLONE_NEWUSER
    return -errno.EINVAL if not flags or flags & ~known else 0


def _put_nsset(m: Machine, set: Any) -> None:
    # Undo what _prepare_nsset() did, but for what commit_nsset() has handed over.
    flags = set.flags
    if flags & flags_h.CLONE_NEWUSER and set.cred:
        cred.put_cred(m, set.cred)
    if set.fs and flags & flags_h.CLONE_NEWNS and flags & ~flags_h.CLONE_NEWNS:
        slub.kmem_cache_free(m, m.static.fs_cachep, set.fs.address_)  # free_fs_struct()
    if set.nsproxy:
        free_nsproxy(m, set.nsproxy)


def _prepare_nsset(m: Machine, flags: int, set: Any) -> int:
    # Copies of all that is about to change; 0 or a negative errno.
    me = m.current
    proxy = create_new_namespaces(m, 0, me, me.cred.user_ns)
    if isinstance(proxy, int):
        return proxy
    set.nsproxy, set.flags = proxy, flags
    set.cred = cred.prepare_creds(m) if flags & flags_h.CLONE_NEWUSER else me.cred
    if flags == flags_h.CLONE_NEWNS:
        set.fs = me.fs
    elif flags & flags_h.CLONE_NEWNS and set.cred:
        set.fs = fs_struct.copy_fs_struct(m, me.fs)
    if not set.cred or (flags & flags_h.CLONE_NEWNS and not set.fs):
        _put_nsset(m, set)
        return -errno.ENOMEM
    return 0


def _validate_ns(m: Machine, set: Any, ns: Any) -> int:
    found: int = m.call(ns.ops.install, set, ns)
    return found


def _validate_nsset(m: Machine, set: Any, pid: Any) -> int:
    # Install all that the flags name of the process of `pid`; 0 or a negative errno.
    task = kernel_pid.pid_task(pid, sched.PIDTYPE_PID)
    if not task:
        return -errno.ESRCH
    if not ptrace.ptrace_may_access(m, task, ptrace.PTRACE_MODE_READ_REALCREDS):
        return -errno.EPERM
    proxy = task.nsproxy
    if not proxy:
        return -errno.ESRCH
    _count(proxy, 1)  # get_nsproxy()
    theirs = {
        flags_h.CLONE_NEWUSER: task.real_cred.user_ns,
        flags_h.CLONE_NEWNS: proxy.mnt_ns,
        flags_h.CLONE_NEWUTS: proxy.uts_ns,
        flags_h.CLONE_NEWIPC: proxy.ipc_ns,
        flags_h.CLONE_NEWPID: kernel_pid.task_active_pid_ns(task),
        flags_h.CLONE_NEWCGROUP: proxy.cgroup_ns,
        flags_h.CLONE_NEWNET: proxy.net_ns,
        flags_h.CLONE_NEWTIME: proxy.time_ns,
    }
    retval = 0
    for flag, ns in theirs.items():
        if set.flags & flag and not retval:
            retval = _validate_ns(m, set, ns.ns)
    if not _count(proxy, -1):  # put_nsproxy()
        free_nsproxy(m, proxy)
    return retval


def _commit_nsset(m: Machine, set: Any) -> None:
    # The point of no return.
    if set.flags & flags_h.CLONE_NEWUSER:
        cred.commit_creds(m, set.cred)
        set.cred = None
    switch_task_namespaces(m, m.current, set.nsproxy)
    set.nsproxy = None


def sys_setns(m: Machine, fd: int, flags: int) -> int:
    """setns(2): enter the namespace of a file in /proc/PID/ns, or those of a pidfd's process that `flags` name.

    Returns 0, -EBADF, -EINVAL, -EPERM, -ESRCH, -EUSERS or -ENOMEM; then nothing has changed.
    """
    file = fs_file.fget(m, fd)
    if not file:
        return -errno.EBADF
    ns, pid, err = None, None, 0
    if nsfs.proc_ns_file(file):
        ns = nsfs.get_proc_ns(file)
        if flags and ns.ops.type != flags:
            err = -errno.EINVAL
        flags = ns.ops.type
    else:
        pid = fork.pidfd_pid(m, file)
        err = -errno.EINVAL if isinstance(pid, int) else _check_setns_flags(flags)
    if not err:
        err = _setns(m, flags, ns, pid)
    file_table.fput(m, file)
    return err


def _setns(m: Machine, flags: int, ns: Any, pid: Any) -> int:
    set = wait.stack_push(m, nsproxy_h.nsset)
    set.flags, set.nsproxy, set.fs, set.cred = 0, None, None, None
    err = _prepare_nsset(m, flags, set)
    if not err:
        err = _validate_ns(m, set, ns) if ns is not None else _validate_nsset(m, set, pid)
        if not err:
            _commit_nsset(m, set)
        _put_nsset(m, set)
    wait.stack_pop(m, nsproxy_h.nsset)
    return err
