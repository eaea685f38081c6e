"""kernel/groups.c @ v5.10.188: supplementary groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cred as cred_h
from kernelsim.include.linux import slab, uaccess
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SETGID
from kernelsim.kernel import capability, cred, user_namespace
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["groups_alloc", "may_setgroups", "put_group_info", "sys_getgroups", "sys_setgroups"]

NGROUPS_MAX = 65536
_usage = cred_h.group_info.add_("usage")
_GID = cred_h.group_info.offsetof_("gid")


def groups_alloc(m: Machine, gidsetsize: int) -> Any:
    """Return room for so many groups (struct group_info *), NULL if there is no memory."""
    new = cred_h.group_info(m, slub.kmalloc(m, _GID + 4 * max(gidsetsize, 1), slab.GFP_KERNEL))
    if new:
        new.usage = 1
        new.ngroups = gidsetsize
    return new


def put_group_info(m: Machine, group_info: Any) -> None:
    """Drop a reference to `group_info` (struct group_info *); the last one frees it."""
    if not _usage(group_info, -1):
        slub.kfree(m, group_info.address_)


def sys_getgroups(m: Machine, gidsetsize: int, grouplist: Any) -> int:
    """getgroups(2): how many groups one is in; `grouplist` takes them unless `gidsetsize` is 0; -EINVAL."""
    current = m.current.cred
    if gidsetsize < 0:
        return -errno.EINVAL
    info = current.group_info
    n: int = info.ngroups
    if gidsetsize:
        if n > gidsetsize:
            return -errno.EINVAL
        found = [user_namespace.from_kgid_munged(current.user_ns, info.gid[i]) for i in range(n)]
        if uaccess.put_user(m, found, grouplist):
            return -errno.EFAULT
    return n


def may_setgroups(m: Machine) -> bool:
    """Return whether the running task may choose its groups."""
    user_ns = m.current.cred.user_ns
    return capability.ns_capable(m, user_ns, CAP_SETGID) and user_namespace.userns_may_setgroups(
        user_ns
    )


def sys_setgroups(m: Machine, gidsetsize: int, grouplist: Any) -> int:
    """setgroups(2): be in the groups at `grouplist`; 0, -EPERM, -EINVAL, -ENOMEM, -EFAULT."""
    if not may_setgroups(m):
        return -errno.EPERM
    if not 0 <= gidsetsize <= NGROUPS_MAX:
        return -errno.EINVAL
    wished = uaccess.get_user(m, grouplist)
    if wished is None or len(wished) < gidsetsize:
        return -errno.EFAULT
    info = groups_alloc(m, gidsetsize)
    if not info:
        return -errno.ENOMEM
    user_ns = m.current.cred.user_ns
    ids = [user_namespace.make_kgid(user_ns, gid) for gid in wished[:gidsetsize]]
    if 0xFFFF_FFFF in ids:
        put_group_info(m, info)
        return -errno.EINVAL
    for i, gid in enumerate(sorted(ids)):
        info.gid[i] = gid
    new = cred.prepare_creds(m)
    if not new:
        put_group_info(m, info)
        return -errno.ENOMEM
    put_group_info(m, new.group_info)  # set_groups()
    new.group_info = info
    return cred.commit_creds(m, new)
