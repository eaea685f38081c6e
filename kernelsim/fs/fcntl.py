"""fs/fcntl.c @ v5.10.188: what is asked and told of a descriptor and of its open file.

Left out: locks, leases, owners and signals of a file, seals, write hints, the size of a pipe:
-EINVAL, as for a command that does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.include.uapi.asm import errno, fcntl

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["SETFL_MASK", "do_fcntl", "setfl", "sys_fcntl"]

SETFL_MASK = fcntl.O_APPEND | fcntl.O_NONBLOCK | fcntl.O_DIRECT | fcntl.O_NOATIME
_UINT, _ULONG = 0xFFFF_FFFF, (1 << 64) - 1


def setfl(m: Machine, filp: Any, arg: int) -> int:
    """Set what may be set of the flags of `filp` (struct file *) to `arg`; 0, or -EINVAL for O_DIRECT.

    Only a pipe takes O_DIRECT: its reads then return what one write wrote.
    """
    if arg & fcntl.O_DIRECT and filp.f_op != m.symbol("pipefifo_fops"):
        return -errno.EINVAL
    filp.f_flags = arg & SETFL_MASK | filp.f_flags & ~SETFL_MASK
    return 0


def do_fcntl(m: Machine, fd: int, cmd: int, arg: int, filp: Any) -> int:
    """Carry out `cmd` (unsigned int) with `arg` (unsigned long); its result, -EINVAL, -EMFILE or -ENOMEM."""
    match cmd:
        case fcntl.F_DUPFD:
            return fs_file.f_dupfd(m, arg & _UINT, filp, 0)
        case fcntl.F_DUPFD_CLOEXEC:
            return fs_file.f_dupfd(m, arg & _UINT, filp, fcntl.O_CLOEXEC)
        case fcntl.F_GETFD:
            return fcntl.FD_CLOEXEC if fs_file.get_close_on_exec(m, fd) else 0
        case fcntl.F_SETFD:
            fs_file.set_close_on_exec(m, fd, arg & fcntl.FD_CLOEXEC)
            return 0
        case fcntl.F_GETFL:
            return int(filp.f_flags)
        case fcntl.F_SETFL:
            return setfl(m, filp, arg)
    return -errno.EINVAL


def sys_fcntl(m: Machine, fd: int, cmd: int, arg: int) -> int:
    """fcntl(2) with F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL; -EBADF, -EINVAL, -EMFILE."""
    fd &= _UINT
    f = fs_file.fdget_raw(m, fd)
    if not f.file:
        return -errno.EBADF
    retval = do_fcntl(m, fd, cmd & _UINT, arg & _ULONG, f.file)
    fs_file.fdput(m, f)
    return retval
