"""The part of kernel/sys.c @ v5.10.188 about users and groups.

Left out: setfsuid and setfsgid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.include.linux import sched, uaccess
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SETGID, CAP_SETUID
from kernelsim.include.uapi.linux.resource import RLIMIT_NPROC
from kernelsim.kernel import capability, cred, user, user_namespace
from kernelsim.security import commoncap

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelsim.machine.machine import Machine

__all__ = [
    "sys_getegid",
    "sys_geteuid",
    "sys_getgid",
    "sys_getresgid",
    "sys_getresuid",
    "sys_getuid",
    "sys_setgid",
    "sys_setregid",
    "sys_setresgid",
    "sys_setresuid",
    "sys_setreuid",
    "sys_setuid",
]

_NONE = 0xFFFF_FFFF  # (uid_t) -1: leave it as it is


class _Kind(NamedTuple):
    # Users and groups are set by the same rules, on other members.
    real: str
    effective: str
    saved: str
    fs: str
    cap: int
    make: Callable[[Any, int], int]


_UID = _Kind("uid", "euid", "suid", "fsuid", CAP_SETUID, user_namespace.make_kuid)
_GID = _Kind("gid", "egid", "sgid", "fsgid", CAP_SETGID, user_namespace.make_kgid)


def _set_user(m: Machine, new: Any) -> int:
    # Let `new` (struct cred *) be counted as its uid says; 0 or -EAGAIN.  The limit bites at execve.
    new_user = user.alloc_uid(m, new.uid)
    if not new_user:
        return -errno.EAGAIN
    current = m.current
    limit = sched_signal.signal_struct.ref_(m, current.signal.address_).rlim[RLIMIT_NPROC].rlim_cur
    if new_user.processes >= limit and new_user != m.symbol("root_user"):
        current.flags |= sched.PF_NPROC_EXCEEDED
    else:
        current.flags &= ~sched.PF_NPROC_EXCEEDED
    user.free_uid(m, new.user)
    new.user = new_user
    return 0


def _commit(m: Machine, kind: _Kind, new: Any, old: Any, retval: int) -> int:
    # The common end: a changed uid is another user, root's capabilities come and go.
    if not retval and kind is _UID and new.uid != old.uid:
        retval = _set_user(m, new)
    if retval:
        cred.put_cred(m, new)  # abort_creds()
        return retval
    if kind is _UID:
        root = user_namespace.make_kuid(old.user_ns, 0)
        commoncap.cap_task_fix_setuid(new, old, root)
    return cred.commit_creds(m, new)


def _set(m: Machine, kind: _Kind, id: int) -> int:
    # setuid() and setgid(): all ids for the privileged, else the effective one only.
    old = m.current.cred
    kid = kind.make(old.user_ns, id)
    if kid == _NONE:
        return -errno.EINVAL
    new = cred.prepare_creds(m)
    if not new:
        return -errno.ENOMEM
    retval = 0
    if capability.ns_capable(m, old.user_ns, kind.cap):
        setattr(new, kind.saved, kid)
        setattr(new, kind.real, kid)
    elif kid not in (getattr(old, kind.real), getattr(old, kind.saved)):
        retval = -errno.EPERM
    setattr(new, kind.effective, kid)
    setattr(new, kind.fs, kid)
    return _commit(m, kind, new, old, retval)


def _given(kind: _Kind, user_ns: Any, ids: tuple[int, ...]) -> list[int] | int:
    # The kernel's ids, -1 for those to be left alone; -EINVAL for one that has no mapping.
    found = [id & _NONE for id in ids]
    kernels = [kind.make(user_ns, id) if id != _NONE else -1 for id in found]
    return -errno.EINVAL if _NONE in kernels else kernels


def _setre(m: Machine, kind: _Kind, real: int, effective: int) -> int:
    # setreuid() and setregid().
    old = m.current.cred
    ids = _given(kind, old.user_ns, (real, effective))
    if isinstance(ids, int):
        return ids
    new = cred.prepare_creds(m)
    if not new:
        return -errno.ENOMEM
    was = {name: getattr(old, getattr(kind, name)) for name in ("real", "effective", "saved")}
    retval = 0
    for name, id, free in (
        ("real", ids[0], {was["real"], was["effective"]}),
        ("effective", ids[1], set(was.values())),
    ):
        if id < 0 or retval:
            continue
        if id not in free and not capability.ns_capable(m, old.user_ns, kind.cap):
            retval = -errno.EPERM
        setattr(new, getattr(kind, name), id)
    if ids[0] >= 0 or ids[1] not in (-1, was["real"]):
        setattr(new, kind.saved, getattr(new, kind.effective))
    setattr(new, kind.fs, getattr(new, kind.effective))
    return _commit(m, kind, new, old, retval)


def _setres(m: Machine, kind: _Kind, *given: int) -> int:
    # setresuid() and setresgid(): real, effective, saved.
    old = m.current.cred
    ids = _given(kind, old.user_ns, given)
    if isinstance(ids, int):
        return ids
    names = (kind.real, kind.effective, kind.saved)
    was = [getattr(old, name) for name in names]
    if all(id in (-1, before) for id, before in zip(ids, was, strict=True)) and (
        ids[1] in (-1, getattr(old, kind.fs))
    ):
        return 0
    if {id for id in ids if id >= 0} - set(was) and not capability.ns_capable(
        m, old.user_ns, kind.cap
    ):
        return -errno.EPERM
    new = cred.prepare_creds(m)
    if not new:
        return -errno.ENOMEM
    for name, id in zip(names, ids, strict=True):
        if id >= 0:
            setattr(new, name, id)
    setattr(new, kind.fs, getattr(new, kind.effective))
    return _commit(m, kind, new, old, 0)


def sys_setuid(m: Machine, uid: int) -> int:
    """setuid(2): 0, -EINVAL for a uid without mapping, -EPERM, -EAGAIN, -ENOMEM."""
    return _set(m, _UID, uid & _NONE)


def sys_setgid(m: Machine, gid: int) -> int:
    """setgid(2): 0, -EINVAL, -EPERM, -ENOMEM."""
    return _set(m, _GID, gid & _NONE)


def sys_setreuid(m: Machine, ruid: int, euid: int) -> int:
    """setreuid(2): -1 leaves an id as it is; 0, -EINVAL, -EPERM, -EAGAIN, -ENOMEM."""
    return _setre(m, _UID, ruid, euid)


def sys_setregid(m: Machine, rgid: int, egid: int) -> int:
    """setregid(2): -1 leaves an id as it is; 0, -EINVAL, -EPERM, -ENOMEM."""
    return _setre(m, _GID, rgid, egid)


def sys_setresuid(m: Machine, ruid: int, euid: int, suid: int) -> int:
    """setresuid(2): -1 leaves an id as it is; 0, -EINVAL, -EPERM, -EAGAIN, -ENOMEM."""
    return _setres(m, _UID, ruid, euid, suid)


def sys_setresgid(m: Machine, rgid: int, egid: int, sgid: int) -> int:
    """setresgid(2): -1 leaves an id as it is; 0, -EINVAL, -EPERM, -ENOMEM."""
    return _setres(m, _GID, rgid, egid, sgid)


def _uid(m: Machine, member: str) -> int:
    current = m.current.cred
    return user_namespace.from_kuid_munged(current.user_ns, getattr(current, member))


def _gid(m: Machine, member: str) -> int:
    current = m.current.cred
    return user_namespace.from_kgid_munged(current.user_ns, getattr(current, member))


def sys_getuid(m: Machine) -> int:
    """getuid(2): the real user."""
    return _uid(m, "uid")


def sys_geteuid(m: Machine) -> int:
    """geteuid(2): the user as whom one acts."""
    return _uid(m, "euid")


def sys_getgid(m: Machine) -> int:
    """getgid(2): the real group."""
    return _gid(m, "gid")


def sys_getegid(m: Machine) -> int:
    """getegid(2): the group as which one acts."""
    return _gid(m, "egid")


def _put(m: Machine, ids: list[int], places: tuple[Any, ...]) -> int:
    for id, place in zip(ids, places, strict=True):
        if uaccess.put_user(m, id, place):
            return -errno.EFAULT
    return 0


def sys_getresuid(m: Machine, ruid: Any, euid: Any, suid: Any) -> int:
    """getresuid(2): the real, effective and saved user are stored at three places; 0 or -EFAULT."""
    return _put(m, [_uid(m, name) for name in ("uid", "euid", "suid")], (ruid, euid, suid))


def sys_getresgid(m: Machine, rgid: Any, egid: Any, sgid: Any) -> int:
    """getresgid(2): the real, effective and saved group are stored at three places; 0 or -EFAULT."""
    return _put(m, [_gid(m, name) for name in ("gid", "egid", "sgid")], (rgid, egid, sgid))
