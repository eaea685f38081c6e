"""kernel/cred.c, user.c @ v5.10.188: credentials.

Left out: keyrings, security modules, user namespaces other than the initial one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cred as cred_h
from kernelsim.include.linux import sched, slab
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.sched import CLONE_NEWUSER, CLONE_THREAD
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "copy_creds",
    "cred_init",
    "cred_static_init",
    "exit_creds",
    "prepare_creds",
    "put_cred",
]


def cred_static_init(m: Machine) -> None:
    """Lay down init_user_ns, root_user and init_cred."""
    ns, user = (
        m.define("init_user_ns", cred_h.user_namespace),
        m.define("root_user", cred_h.user_struct),
    )
    ns.count = 3
    user.count = 1
    user.processes = 1
    cred = m.define("init_cred", cred_h.cred)
    cred.usage = 4
    for name in ("cap_permitted", "cap_effective", "cap_bset"):
        setattr(cred, name, cred_h.CAP_FULL_SET)
    cred.user, cred.user_ns = user, ns


def cred_init(m: Machine) -> None:
    """Make the cache of struct cred."""
    flags = slab.SLAB_HWCACHE_ALIGN | slab.SLAB_PANIC | slab.SLAB_ACCOUNT
    m.static.cred_jar = slub.kmem_cache_create(m, "cred_jar", cred_h.cred.sizeof_, 0, flags)


_users = cred_h.user_struct.add_("processes")
_usage = cred_h.cred.add_("usage")
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
    return new


def copy_creds(m: Machine, p: task_struct, clone_flags: int) -> int:
    """Give the new task `p` credentials: shared for a thread, else a copy; 0, -ENOMEM or -EINVAL.

    CLONE_NEWUSER is refused with -EINVAL: there is one user namespace (docs/fidelity.md).
    """
    if clone_flags & CLONE_THREAD:
        p.cred.usage += 2
        p.cred.user.processes += 1
        return 0
    if clone_flags & CLONE_NEWUSER:
        return -errno.EINVAL
    new = prepare_creds(m)
    if not new:
        return -errno.ENOMEM
    _users(new.user, 1)
    new.usage = 2
    _set_cred(p, new.address_, new.address_)
    return 0


def put_cred(m: Machine, cred: Any) -> None:
    """Drop a reference to `cred` (struct cred *); the last one frees it."""
    if not _usage(cred, -1):
        slub.kmem_cache_free(m, m.static.cred_jar, cred.address_)


def exit_creds(m: Machine, tsk: task_struct) -> None:
    """Let `tsk` have no credentials any more."""
    real, cred = tsk.real_cred, tsk.cred
    _clear_cred(tsk, 0, 0)
    put_cred(m, real)
    put_cred(m, cred)
