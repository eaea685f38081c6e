"""The stubs of files."""

from __future__ import annotations

import errno
import operator
import os

from kernelsim.user import gate
from kernelsim.user.stubs import _c

__all__ = ["Files"]


class Files(gate.Gate):
    """The stubs of files."""

    async def pipe(self) -> tuple[int, int]:
        """Make a pipe; (descriptor to read from, descriptor to write to)."""
        fds = gate.UserBuffer()
        return await self.trap_("pipe2", fds, 0, result=lambda ax: fds.data)

    async def pipe2(self, flags: int) -> tuple[int, int]:
        """As `pipe`, with O_CLOEXEC, O_NONBLOCK or O_DIRECT for both ends."""
        fds = gate.UserBuffer()
        return await self.trap_("pipe2", fds, _c.to_int(flags, "flags"), result=lambda ax: fds.data)

    async def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        """Open a file: the devices /dev/null and /dev/console are all there is; its descriptor."""
        return await self.trap_(
            "open", str(path), _c.to_int(flags, "flags"), _c.to_int(mode, "mode")
        )

    async def read(self, fd: int, n: int) -> bytes:
        """Read up to `n` bytes; b"" at end of file."""
        fd, n = _c.to_int(fd, "fd"), operator.index(n)
        if n < 0:  # as os.read() does
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        buf = gate.UserBuffer()
        return await self.trap_("read", fd, buf, n, result=lambda ax: buf.data)

    async def write(self, fd: int, data: bytes) -> int:
        """Write `data`; how many bytes went."""
        if isinstance(data, str):
            raise TypeError("a bytes-like object is required, not 'str'")
        text = bytes(memoryview(data))
        return await self.trap_("write", _c.to_int(fd, "fd"), text, len(text))

    async def close(self, fd: int) -> None:
        """Close a descriptor."""
        await self.trap_("close", _c.to_int(fd, "fd"), result=lambda ax: None)

    async def dup(self, fd: int) -> int:
        """The lowest free descriptor for the same open file."""
        return await self.trap_("dup", _c.to_int(fd, "fd"))

    async def dup2(self, fd: int, fd2: int) -> int:
        """Make `fd2` a descriptor for the same open file."""
        return await self.trap_("dup2", _c.to_int(fd, "fd"), _c.to_int(fd2, "fd2"))

    async def dup3(self, fd: int, fd2: int, flags: int) -> int:
        """As `dup2`, with O_CLOEXEC in `flags`; the two numbers must differ."""
        args = _c.to_int(fd, "fd"), _c.to_int(fd2, "fd2"), _c.to_int(flags, "flags")
        return await self.trap_("dup3", *args)

    async def fcntl(self, fd: int, cmd: int, arg: int = 0) -> int:
        """Duplicate a descriptor, get or set its flags or those of its open file: F_* in `cmd`."""
        return await self.trap_(
            "fcntl", _c.to_int(fd, "fd"), _c.to_int(cmd, "cmd"), operator.index(arg)
        )

    async def close_range(self, first: int, last: int, flags: int = 0) -> None:
        """Close all descriptors from `first` to `last`."""
        args = operator.index(first), operator.index(last), _c.to_int(flags, "flags")
        await self.trap_("close_range", *args, result=lambda ax: None)

    async def lseek(self, fd: int, position: int, whence: int) -> int:
        """Set the position in a file."""
        return await self.trap_(
            "lseek", _c.to_int(fd, "fd"), operator.index(position), _c.to_int(whence, "whence")
        )

    async def umask(self, mask: int) -> int:
        """Set the mask of permissions that new files do not get; the old one."""
        return await self.trap_("umask", _c.to_int(mask, "mask"))
