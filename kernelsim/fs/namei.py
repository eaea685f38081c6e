"""fs/namei.c @ v5.10.188: from a path to what it names.

Left out: directories, links and everything else that is neither a device nor a program nor in /proc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file_table
from kernelsim.fs.proc import base as proc
from kernelsim.include.linux import fs
from kernelsim.include.uapi.asm import errno, fcntl

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["DEVICES", "do_filp_open", "getname"]

PATH_MAX = 4096
_READ, _WRITE = fs.FMODE_READ | fs.FMODE_CAN_READ, fs.FMODE_WRITE | fs.FMODE_CAN_WRITE
_MODES = {fcntl.O_RDONLY: _READ, fcntl.O_WRONLY: _WRITE, fcntl.O_RDWR: _READ | _WRITE}
_GONE = fcntl.O_CREAT | fcntl.O_EXCL | fcntl.O_NOCTTY | fcntl.O_TRUNC  # once it is open

# What is in /dev, which is all that there is: the operations and the line of each device.
DEVICES = {"/dev/null": ("null_fops", 0), "/dev/console": ("tty_fops", 1)}
DEVICES |= {f"/dev/ttyS{line}": ("tty_fops", line) for line in range(3)}


def getname(filename: Any) -> int:
    """Return what is wrong with the path `filename` (const char *): 0, -EFAULT, -ENOENT or -ENAMETOOLONG."""
    if not isinstance(filename, str | bytes):
        return -errno.EFAULT
    if not filename:
        return -errno.ENOENT
    length = len(
        filename if isinstance(filename, bytes) else filename.encode("utf-8", "surrogateescape")
    )
    return -errno.ENAMETOOLONG if length >= PATH_MAX else 0


def do_filp_open(m: Machine, pathname: str | bytes, flags: int) -> Any:
    """Open the device or the file in /proc `pathname`: the open file (struct file *), -ENOENT, -EEXIST, -ENOTDIR, -EINVAL or -ENOMEM."""
    filename = (
        pathname if isinstance(pathname, str) else pathname.decode("utf-8", "surrogateescape")
    )
    if filename.startswith("/proc/"):
        mode = _MODES.get(flags & fcntl.O_ACCMODE, 0)
        return proc.proc_open(m, filename, mode, flags & ~_GONE)
    if filename not in DEVICES:
        return -errno.ENOENT
    if flags & fcntl.O_CREAT and flags & fcntl.O_EXCL:
        return -errno.EEXIST
    if flags & fcntl.O_DIRECTORY:
        return -errno.ENOTDIR
    if flags & fcntl.O_DIRECT:  # no device here has direct_IO
        return -errno.EINVAL
    fops, line = DEVICES[filename]
    mode = _MODES.get(flags & fcntl.O_ACCMODE, 0) | fs.FMODE_STREAM
    return file_table.alloc_file(m, m.symbol(fops), mode, line, flags & ~_GONE)
