"""What nearly every program needs: a line on fd 1, a pipe read to its end, an errno's name.

No counterpart in Linux. Plain coroutines over `libc`, so that they are replayed as main is.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from kernelsim.include.uapi.asm import errno

__all__ = ["collect", "fails", "read_all", "say", "start"]

# Linux's names for Linux's numbers, on whatever system the simulator runs.
_NAMES = {number: name for name, number in vars(errno).items() if name.startswith("E")}


async def say(libc: Any, text: str) -> None:
    """Write one line to fd 1 with one call."""
    await libc.write(1, f"{text}\n".encode())


async def read_all(libc: Any, fd: int) -> bytes:
    """Read a pipe (int fd) until its last writer has closed it."""
    data = b""
    while chunk := await libc.read(fd, 4096):
        data += chunk
    return data


async def fails(call: Awaitable[Any]) -> str:
    """Await a call that should fail: the name of its errno, or what it returned."""
    try:
        return f"returned {await call!r}"
    except OSError as error:
        return _NAMES.get(error.errno or 0, str(error.errno))


async def start(libc: Any, status: int) -> int:
    """Fork a child that exits at once with `status`, and return its pid."""
    pid: int = await libc.fork()
    if pid == 0:
        await libc.exit(status)
    return pid


async def collect(libc: Any) -> int:
    """Wait for all children and return how many there were."""
    count = 0
    while await fails(libc.wait()) != "ECHILD":
        count += 1
    return count
