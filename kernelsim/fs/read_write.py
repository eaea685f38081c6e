"""fs/read_write.c @ v5.10.188: read and write.

User memory is not simulated yet: `buf` is the bytes themselves, or a place that takes them, so
EFAULT can't happen (docs/fidelity.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.include.linux import fs
from kernelsim.include.uapi.asm import errno

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["ksys_read", "ksys_write", "sys_lseek", "sys_read", "sys_write", "vfs_read", "vfs_write"]

MAX_RW_COUNT = 0x7FFF_F000
SEEK_MAX = 4  # SEEK_HOLE
_UINT = 0xFFFF_FFFF


async def vfs_write(m: Machine, file: Any, buf: bytes) -> int:
    """Write `buf` to `file` (struct file *); how many bytes, or a negative errno: -EBADF, -EINVAL, the file's own."""
    mode = file.f_mode
    if not mode & fs.FMODE_WRITE:
        return -errno.EBADF
    if not mode & fs.FMODE_CAN_WRITE:
        return -errno.EINVAL
    retval: int = await m.call(file.f_op.write, file, buf[:MAX_RW_COUNT])
    return retval


async def vfs_read(m: Machine, file: Any, buf: Any, count: int) -> int:
    """Read up to `count` (size_t) bytes of `file` into `buf`; how many, or a negative errno."""
    mode = file.f_mode
    if not mode & fs.FMODE_READ:
        return -errno.EBADF
    if not mode & fs.FMODE_CAN_READ:
        return -errno.EINVAL
    if count < 0:
        return -errno.EFAULT  # access_ok(): as size_t it reaches beyond user space
    retval: int = await m.call(file.f_op.read, file, buf, min(count, MAX_RW_COUNT))
    return retval


async def ksys_write(m: Machine, fd: int, buf: bytes) -> int:
    """Write to a descriptor: fs/read_write.c L647."""
    f = fs_file.fdget(m, fd)
    if not f.file:
        return -errno.EBADF
    retval = await vfs_write(m, f.file, buf)
    fs_file.fdput(m, f)
    return retval


async def ksys_read(m: Machine, fd: int, buf: Any, count: int) -> int:
    """Read from a descriptor."""
    f = fs_file.fdget(m, fd)
    if not f.file:
        return -errno.EBADF
    retval = await vfs_read(m, f.file, buf, count)
    fs_file.fdput(m, f)
    return retval


async def sys_write(m: Machine, fd: int, buf: bytes, count: int) -> int:
    """write(2)."""
    return await ksys_write(m, fd & _UINT, buf[:count])


async def sys_read(m: Machine, fd: int, buf: Any, count: int) -> int:
    """read(2)."""
    return await ksys_read(m, fd & _UINT, buf, count)


def sys_lseek(m: Machine, fd: int, offset: int, whence: int) -> int:
    """lseek(2): the new position; -EBADF, -EINVAL for a bad `whence`, -ESPIPE for what has none."""
    f = fs_file.fdget(m, fd & _UINT)
    if not f.file:
        return -errno.EBADF
    retval = -errno.EINVAL
    if 0 <= whence <= SEEK_MAX:
        llseek = f.file.f_op.llseek
        retval = int(m.call(llseek, f.file, offset, whence)) if llseek else -errno.ESPIPE
    fs_file.fdput(m, f)
    return retval
