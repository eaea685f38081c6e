"""What the host's libc has for CPU time and limits: what was used, and what may be.

No counterpart in Linux.  Python's resource module makes a ValueError of most that is refused;
programs are to see the errno.
"""

from __future__ import annotations

import errno
import operator
import os
import time
from typing import TYPE_CHECKING, Any, NoReturn

from kernelsim.user.stubs.resources import struct_rusage

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS"]


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


# os knows wait3 and wait4, with a struct_rusage of Python's own.
def _wait4(pid: int, options: int) -> tuple[int, int, struct_rusage]:
    found, status, ru = os.wait4(pid, options)
    return found, status, struct_rusage(*ru)


def _wait3(options: int) -> tuple[int, int, struct_rusage]:
    return _wait4(-1, options)


# The resource module makes a ValueError of what is no `who`.
def _getrusage(who: int) -> struct_rusage:
    import resource  # only here: there is none on Windows

    try:
        return struct_rusage(*resource.getrusage(who))
    except ValueError:
        _fail(errno.EINVAL)


# And of every limit that is refused: so prlimit() itself, which getrlimit() and setrlimit() call too.
def _prlimit(pid: int, number: int, limits: Any = None) -> tuple[int, int]:
    return _call_prlimit(pid, number, limits, want_old=True)


def _getrlimit(number: int) -> tuple[int, int]:
    return _call_prlimit(0, number, None, want_old=True)


def _setrlimit(number: int, limits: Any) -> None:
    _call_prlimit(0, number, limits, want_old=False)


def _call_prlimit(pid: int, number: int, limits: Any, *, want_old: bool) -> tuple[int, int]:
    import ctypes

    libc, pair = ctypes.CDLL(None, use_errno=True), ctypes.c_long * 2
    new = None if limits is None else ctypes.byref(pair(*map(operator.index, limits)))
    old = pair()
    if libc.prlimit(pid, number, new, ctypes.byref(old) if want_old else None):
        _fail(ctypes.get_errno())
    return old[0], old[1]


# A busy loop, until the thread has used so much CPU time.
def _compute(nanoseconds: int) -> None:
    end = time.thread_time_ns() + operator.index(nanoseconds)
    while time.thread_time_ns() < end:
        sum(range(1000))


def _times() -> tuple[float, ...]:
    return tuple(os.times())


CALLS: dict[str, Callable[..., Any]] = {
    "compute": _compute,
    "getrlimit": _getrlimit,
    "getrusage": _getrusage,
    "prlimit": _prlimit,
    "setrlimit": _setrlimit,
    "times": _times,
    "wait3": _wait3,
    "wait4": _wait4,
}
