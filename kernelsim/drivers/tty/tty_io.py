"""drivers/tty/tty_io.c, drivers/char/mem.c @ v5.10.188: a console that swallows what is written, and /dev/null.

What is written to the console leaves the machine as on a serial line: it is a device, not memory.
Left out: everything that makes a terminal; reading gives end of file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import fs
from kernelsim.include.uapi.asm import errno, fcntl
from kernelsim.machine import machine

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["null_lseek", "read_null", "tty_init", "tty_read", "tty_write", "write_null"]

MODE = fs.FMODE_READ | fs.FMODE_WRITE | fs.FMODE_CAN_READ | fs.FMODE_CAN_WRITE | fs.FMODE_STREAM


def tty_init(m: Machine) -> None:
    """Set up the operations of the console and of /dev/null."""
    tty, null = m.define("tty_fops", fs.file_operations), m.define("null_fops", fs.file_operations)
    tty.read, tty.write = machine.text_address("tty_read"), machine.text_address("tty_write")
    null.llseek = machine.text_address("null_lseek")
    null.read, null.write = machine.text_address("read_null"), machine.text_address("write_null")


async def tty_write(m: Machine, file: Any, data: bytes) -> int:
    """Send `data` down the line that `file` stands for; all of it."""
    if data:
        m.line_out(file.private_data, data)
    return len(data)


async def tty_read(m: Machine, file: Any, buf: Any, count: int) -> int:
    """Read a line that nobody ever types on: end of file, or -EAGAIN with O_NONBLOCK."""
    if count and file.f_flags & fcntl.O_NONBLOCK:
        return -errno.EAGAIN
    buf.data = b""
    return 0


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
