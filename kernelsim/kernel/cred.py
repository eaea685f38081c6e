"""kernel/cred.c @ v5.10.188: credentials.

Left out: keyrings, security modules but capabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cred as cred_h
from kernelsim.include.linux import sched, slab
from kernelsim.include.linux import user_namespace as user_ns_h
from kernelsim.include.linux.sched import coredump
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.sched import CLONE_NEWUSER, CLONE_THREAD
from kernelsim.kernel import groups, user, user_namespace
from kernelsim.mm import slub
from kernelsim.security import commoncap

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "commit_creds",
    "copy_creds",
    "cred_init",
    "cred_static_init",
    "exit_creds",
    "prepare_creds",
    "prepare_exec_creds",
    "put_cred",
]


def cred_static_init(m: Machine) -> None:
    """Lay down init_cred and init_groups."""
    init_groups = m.define("init_groups", cred_h.group_info)
    init_groups.usage = 2
    cred = m.define("init_cred", cred_h.cred)
    cred.usage = 4
    for name in ("cap_permitted", "cap_effective", "cap_bset"):
        setattr(cred, name, cred_h.CAP_FULL_SET)
    cred.user, cred.user_ns = m.symbol("root_user"), m.symbol("init_user_ns")
    cred.group_info = init_groups


def cred_init(m: Machine) -> None:
    """Make the cache of struct cred."""
    flags = slab.SLAB_HWCACHE_ALIGN | slab.SLAB_PANIC | slab.SLAB_ACCOUNT
    m.static.cred_jar = slub.kmem_cache_create(m, "cred_jar", cred_h.cred.sizeof_, 0, flags)


_users = cred_h.user_struct.add_("processes")
_usage = cred_h.cred.add_("usage")
_groups = cred_h.group_info.add_("usage")
_get_shared = cred_h.cred.load_("group_info", "user", "user_ns")
_set_cred = sched.task_struct.store_("cred", "real_cred")
_clear_cred = sched.task_struct.store_("real_cred", "cred")


def prepare_creds(m: Machine) -> Any:
    """Return a copy (struct cred *) of the running task's credentials, or NULL if there is no memory."""
    address = slub.kmem_cache_alloc(m, m.static.cred_jar, slab.GFP_KERNEL, init=False)
    new = cred_h.cred.ref_(m, address)
    if address:
        old = m.current.cred
        m.copy(address, old.address_, cred_h.cred.sizeof_, fresh=True)
        new.usage = 1
        group_info, owner, user_ns = _get_shared(new)
        _groups(cred_h.group_info.ref_(m, group_info), 1)
        user._count(cred_h.user_struct.ref_(m, owner), 1)  # get_uid()
        user_ns_h._count(cred_h.user_namespace.ref_(m, user_ns), 1)  # get_user_ns()
    return new


def prepare_exec_creds(m: Machine) -> Any:
    """Return new credentials (struct cred *) for an execve(2) of the running task, NULL if there is no memory."""
    new = prepare_creds(m)
    if new:
        new.suid = new.fsuid = new.euid
        new.sgid = new.fsgid = new.egid
    return new


def copy_creds(m: Machine, p: task_struct, clone_flags: int) -> int:
    """Give the new task `p` credentials: shared for a thread, else a copy, in a new user namespace with CLONE_NEWUSER.

    Returns 0, -ENOMEM, or what `create_user_ns` returns.
    """
    if clone_flags & CLONE_THREAD:
        p.cred.usage += 2
        p.cred.user.processes += 1
        return 0
    new = prepare_creds(m)
    if not new:
        return -errno.ENOMEM
    if clone_flags & CLONE_NEWUSER:
        ret = user_namespace.create_user_ns(m, new)
        if ret:
            put_cred(m, new)
            return ret
    _users(new.user, 1)
    new.usage = 2
    _set_cred(p, new.address_, new.address_)
    return 0


def put_cred(m: Machine, cred: Any) -> None:
    """Drop a reference to `cred` (struct cred *); the last one frees it and what it holds."""
    if not _usage(cred, -1):
        groups.put_group_info(m, cred.group_info)
        user.free_uid(m, cred.user)
        user_ns = cred.user_ns
        slub.kmem_cache_free(m, m.static.cred_jar, cred.address_)
        user_namespace.put_user_ns(m, user_ns)


def _cred_cap_issubset(set: Any, subset: Any) -> bool:
    # Has `subset` no capability that `set` lacks (struct cred *)?
    if set.user_ns == subset.user_ns:
        return commoncap.cap_issubset(subset.cap_permitted, set.cap_permitted)
    ns = subset.user_ns
    while ns.parent:
        if ns.parent == set.user_ns and ns.owner == set.euid:
            return True
        ns = ns.parent
    return False


def commit_creds(m: Machine, new: Any) -> int:
    """Let the running task act as `new` (struct cred *), whose reference goes over to it; 0."""
    task = m.current
    old = task.real_cred
    _usage(new, 1)
    changed = any(getattr(old, n) != getattr(new, n) for n in ("euid", "egid", "fsuid", "fsgid"))
    if changed or not _cred_cap_issubset(old, new):
        if task.mm:
            coredump._set_dumpable(task.mm, coredump.SUID_DUMP_DISABLE)  # suid_dumpable is 0
        task.pdeath_signal = 0
    if new.user != old.user:
        _users(new.user, 1)
    _set_cred(task, new.address_, new.address_)
    if new.user != old.user:
        _users(old.user, -1)
    put_cred(m, old)
    put_cred(m, old)
    return 0


def exit_creds(m: Machine, tsk: task_struct) -> None:
    """Let `tsk` have no credentials any more."""
    real, cred = tsk.real_cred, tsk.cred
    _clear_cred(tsk, 0, 0)
    put_cred(m, real)
    put_cred(m, cred)
