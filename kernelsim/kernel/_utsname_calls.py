"""The part of kernel/sys.c @ v5.10.188 about the names of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import uaccess
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux.capability import CAP_SYS_ADMIN
from kernelsim.kernel import capability

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["sys_newuname", "sys_setdomainname", "sys_sethostname"]

_LENGTH = 64  # __NEW_UTS_LEN
_NAMES = ("sysname", "nodename", "release", "version", "machine", "domainname")


def sys_newuname(m: Machine, name: Any) -> int:
    """uname(2): six names, of the running task's UTS namespace, are stored at `name`; 0 or -EFAULT."""
    names = m.current.nsproxy.uts_ns.name
    found = tuple(getattr(names, one).string_().decode("utf-8", "replace") for one in _NAMES)
    return uaccess.put_user(m, found, name)


def _set(m: Machine, member: str, name: Any, length: int) -> int:
    ns = m.current.nsproxy.uts_ns
    if not capability.ns_capable(m, ns.user_ns, CAP_SYS_ADMIN):
        return -errno.EPERM
    if not 0 <= length <= _LENGTH:
        return -errno.EINVAL
    data = uaccess.get_user(m, name)
    if data is None or len(data) < length:
        return -errno.EFAULT
    setattr(ns.name, member, data[:length].ljust(_LENGTH + 1, b"\0"))
    return 0


def sys_sethostname(m: Machine, name: Any, length: int) -> int:
    """sethostname(2): 0, -EPERM, -EINVAL for more than 64 bytes, -EFAULT."""
    return _set(m, "nodename", name, length)


def sys_setdomainname(m: Machine, name: Any, length: int) -> int:
    """setdomainname(2): as sethostname(2)."""
    return _set(m, "domainname", name, length)
