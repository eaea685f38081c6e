"""The stubs of stdio's buffer."""

from __future__ import annotations

import contextlib
import operator

from kernelsim.user.stubs import files

BUFSIZ = 4096  # what glibc gives a stream on a pipe: the pipe's st_blksize

__all__ = ["Stdio"]


class Stdio(files.Files):
    """The stubs of stdio's buffer."""

    async def printf(self, text: str | bytes) -> int:
        """Append text to stdio's buffer, which a full block or the exit writes to descriptor 1."""
        data = text.encode() if isinstance(text, str) else bytes(text)
        self._buffer += data
        while len(self._buffer) > BUFSIZ:
            block = bytes(self._buffer[:BUFSIZ])
            del self._buffer[:BUFSIZ]
            await self.write(1, block)
        return len(data)

    async def fflush(self) -> int:
        """Write stdio's buffer to descriptor 1."""
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            await self.write(1, data)
        return 0

    async def exit(self, status: int) -> None:
        """End the process after writing out stdio's buffer."""
        operator.index(status)  # TypeError if it is none
        with contextlib.suppress(OSError):  # exit(3) has nobody to tell
            await self.fflush()
        await self._leave("exit", status)
