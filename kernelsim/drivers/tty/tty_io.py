"""drivers/tty/tty_io.c, drivers/char/mem.c @ v5.10.188: a console that swallows what is written, and /dev/null.

What is written to the console leaves the machine as on a serial line: it is a device, not memory.
Left out: everything that makes a terminal; reading gives end of file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.include.linux import fs
from kernelsim.include.uapi.asm import errno
from kernelsim.machine import machine

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["null_lseek", "read_null", "sys_open", "tty_init", "tty_write", "write_null"]

MODE = fs.FMODE_READ | fs.FMODE_WRITE | fs.FMODE_CAN_READ | fs.FMODE_CAN_WRITE | fs.FMODE_STREAM


def tty_init(m: Machine) -> None:
    """Set up the operations of the console and of /dev/null."""
    tty, null = m.define("tty_fops", fs.file_operations), m.define("null_fops", fs.file_operations)
    tty.read, tty.write = machine.text_address("read_null"), machine.text_address("tty_write")
    null.llseek = machine.text_address("null_lseek")
    null.read, null.write = machine.text_address("read_null"), machine.text_address("write_null")


def sys_open(m: Machine, filename: str, flags: int, mode: int) -> int:
    """open(2) of a device: its descriptor, or -ENOENT for everything else, -EMFILE, -ENOMEM."""
    if filename not in _DEVICES:
        return -errno.ENOENT
    fops, line = _DEVICES[filename]
    fd = fs_file.get_unused_fd(m)
    if fd < 0:
        return fd
    file = fs_file.alloc_file(m, m.symbol(fops), _MODES.get(flags & 3, 0) | fs.FMODE_STREAM, line)
    if isinstance(file, int):
        fs_file.put_unused_fd(m, fd)
        return file
    file.f_flags = flags & ~fs.O_CLOEXEC
    fs_file.fd_install(m, fd, file)
    return fd


_DEVICES = {"/dev/null": ("null_fops", 0), "/dev/console": ("tty_fops", 1)}
_DEVICES |= {f"/dev/ttyS{line}": ("tty_fops", line) for line in range(3)}
_READ, _WRITE = fs.FMODE_READ | fs.FMODE_CAN_READ, fs.FMODE_WRITE | fs.FMODE_CAN_WRITE
_MODES = {fs.O_RDONLY: _READ, fs.O_WRONLY: _WRITE, fs.O_RDWR: _READ | _WRITE}


async def tty_write(m: Machine, file: Any, data: bytes) -> int:
    """Send `data` down the line that `file` stands for; all of it."""
    if data:
        m.line_out(file.private_data, data)
    return len(data)


async def read_null(m: Machine, file: Any, buf: Any, count: int) -> int:
    """Read nothing: end of file."""
    buf.data = b""
    return 0


def null_lseek(m: Machine, file: Any, offset: int, whence: int) -> int:
    """Stay at the beginning of nothing: 0."""
    file.f_pos = 0
    return 0


async def write_null(m: Machine, file: Any, data: bytes) -> int:
    """Take everything and forget it."""
    return len(data)
