"""What the host's libc has for pidfds, and poll to watch them.

No counterpart in Linux.  Python's select.poll hides what is refused; programs are to see the errno.
"""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS"]


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


# A raw clone: as fork, for there is one thread here and nothing of Python's that a fork would mend.
# PyDLL keeps the interpreter's lock, so that the child has it too.
def _clone_pidfd(flags: int, fn: None = None) -> tuple[int, int | None]:
    import ctypes

    if fn is not None or flags & _SHARES or os.uname().machine != "x86_64":
        _fail(errno.ENOSYS)
    libc = ctypes.PyDLL(None, use_errno=True)
    pidfd = ctypes.c_int()
    pid = libc.syscall(56, flags | 0x1000, 0, ctypes.byref(pidfd), 0, 0)
    if pid < 0:
        _fail(ctypes.get_errno())
    return (pid, pidfd.value) if pid else (0, None)


_SHARES = 0x00000F00 & ~0x200 | 0x4000 | 0x00010000  # memory, files, handlers: unsafe for Python


def _pidfd_getfd(pidfd: int, fd: int, flags: int = 0) -> int:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    found: int = libc.syscall(438, pidfd, fd, flags)
    return found if found >= 0 else _fail(ctypes.get_errno())


# select.poll knows each descriptor once, none below 0, and repeats what a handler interrupts.
def _poll(fds: Any, timeout: int | None = None) -> list[tuple[int, int]]:
    return _polled("poll", list(fds), -1 if timeout is None else timeout)


def _ppoll(fds: Any, timeout: Any = None, mask: Any = None) -> list[tuple[int, int]]:
    import ctypes

    time = None if timeout is None else (ctypes.c_long * 2)(*timeout)
    blocked = None
    if mask is not None:
        blocked = (ctypes.c_ulong * 16)(sum(1 << (sig - 1) for sig in mask))
    return _polled("ppoll", list(fds), time, blocked)


def _polled(name: str, fds: list[tuple[int, int]], *args: Any) -> list[tuple[int, int]]:
    import ctypes

    class pollfd(ctypes.Structure):
        _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))

    libc = ctypes.CDLL(None, use_errno=True)
    array = (pollfd * len(fds))(*(pollfd(fd, events) for fd, events in fds))
    if getattr(libc, name)(array, ctypes.c_ulong(len(fds)), *args) < 0:
        _fail(ctypes.get_errno())
    return [(one.fd, one.revents) for one in array if one.revents]


CALLS: dict[str, Callable[..., Any]] = {
    "clone_pidfd": _clone_pidfd,
    "pidfd_getfd": _pidfd_getfd,
    "poll": _poll,
    "ppoll": _ppoll,
    **({"pidfd_open": os.pidfd_open} if hasattr(os, "pidfd_open") else {}),
    **(
        {"pidfd_send_signal": signal.pidfd_send_signal}
        if hasattr(signal, "pidfd_send_signal")
        else {}
    ),
}
