"""The libc of the simulated programs, on the reader's own Linux.

No counterpart in Linux: names, arguments and results are those of Python's `os` module, so most
calls *are* functions of `os` and `signal`. To add one, add a line to `CALLS`. Left out: what
Python can't call safely (vfork, and clone that shares something) and what no program uses yet (memory).
"""

from __future__ import annotations

import contextlib
import errno
import operator
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from kernelsim.host import pidfds, resources

__all__ = ["BUFSIZ", "CALLS", "Libc", "Word"]

BUFSIZ = 4096  # what glibc gives a stream on a pipe: the pipe's st_blksize


# os.pipe would set O_CLOEXEC, which C's pipe does not.
def _pipe() -> tuple[int, int]:
    return os.pipe2(0)


# os.dup would set O_CLOEXEC too; F_DUPFD 0 takes the lowest free number, as dup does.
def _dup(fd: int) -> int:
    import fcntl  # only here: this module must be importable where there is no fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD, 0) if fd >= 0 else _fail(errno.EBADF)


# os.dup2 leaves the errno of a negative number to chance.
def _dup2(fd: int, fd2: int) -> int:
    return os.dup2(fd, fd2) if fd >= 0 and fd2 >= 0 else _fail(errno.EBADF)


# os.open sets O_CLOEXEC, open does it only when told.
def _open(path: str, flags: int, mode: int = 0o777) -> int:
    fd = os.open(path, flags, mode)
    os.set_inheritable(fd, not flags & _O_CLOEXEC)
    return fd


# os has no nanosleep: struct timespec's two members are the arguments, and it returns 0.
def _nanosleep(seconds: int, nanoseconds: int = 0) -> int:
    if seconds < 0 or not 0 <= nanoseconds < 1_000_000_000:
        _fail(errno.EINVAL)
    time.sleep(seconds + nanoseconds / 1e9)
    return 0


# As os.waitid, less the user.
def _waitid(idtype: int, number: int, options: int) -> tuple[int, int, int, int] | None:
    found = os.waitid(idtype, number, options)
    return found and (found.si_pid, found.si_signo, found.si_status, found.si_code)


# A handler is a coroutine function; its calls are answered at once, so one step runs it to its end.
def _signal(sig: int, handler: Any) -> Any:
    before = _handlers.get(sig)
    if isinstance(handler, int):
        old = signal.signal(sig, handler)
        _handlers.pop(sig, None)
    else:

        def run(number: int, _frame: object) -> None:
            with contextlib.suppress(StopIteration):
                handler(number).send(None)

        old = signal.signal(sig, run)
        _handlers[sig] = handler
    return before if before is not None else int(old) if isinstance(old, int) else 0


_O_CLOEXEC = 0o2000000
_handlers: dict[int, Any] = {}
_GETS = (2, 16, 37)  # PR_GET_PDEATHSIG, PR_GET_NAME, PR_GET_CHILD_SUBREAPER


# os has neither dup3 nor close_range, and fcntl.fcntl refuses negative descriptors.
def _dup3(fd: int, fd2: int, flags: int) -> int:
    return _c_call("dup3", fd, fd2, flags)


# What the runner itself has open up there stays open.
def _close_range(first: int, last: int, flags: int = 0) -> None:
    first, last = first & _UINT, last & _UINT
    for low, high in ((first, min(last, 199)), (max(first, 203), last)):
        if low <= high or first > last:
            _c_call("syscall", 436, low, high, flags)


_UINT = 0xFFFF_FFFF


def _fcntl(fd: int, cmd: int, arg: int = 0) -> int:
    return _c_call("fcntl", fd, cmd, arg)


def _c_call(name: str, *args: int) -> int:
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    value: int = function(*map(ctypes.c_long, args))
    return value if value >= 0 else _fail(ctypes.get_errno())


# os has no prctl.
def _prctl(option: int, arg: Any = 0) -> Any:
    import ctypes  # only here: a third of the time that importing this module takes

    libc = ctypes.CDLL(None, use_errno=True)
    place = ctypes.create_string_buffer(16) if option == 16 else ctypes.c_int()
    name = arg.encode() if isinstance(arg, str) else arg
    found: int = libc.prctl(option, ctypes.byref(place) if option in _GETS else name, 0, 0, 0)
    if found < 0:
        _fail(ctypes.get_errno())
    if option == 3:  # PR_GET_DUMPABLE
        return found
    return place.value if option in _GETS else None


# Nor tgkill, which glibc has under this name since 2.30.
def _tgkill(tgid: int, tid: int, sig: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.tgkill(tgid, tid, sig):
        _fail(ctypes.get_errno())


# os.unshare is there from Python 3.12 on.
def _unshare(flags: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(ctypes.c_int(flags)):
        _fail(ctypes.get_errno())


class Word:
    """A place in the program's memory that holds an int (uint32_t in C)."""

    def __init__(self, value: int = 0) -> None:
        import ctypes

        self.place_ = ctypes.c_uint32(operator.index(value))

    def __repr__(self) -> str:
        return repr(self.data)

    @property
    def data(self) -> int:
        """Its value."""
        return self.place_.value

    @data.setter
    def data(self, value: int) -> None:
        self.place_.value = value


_SYS_FUTEX, _SYS_SET_TID_ADDRESS = 202, 218  # x86-64


# A system call that glibc has no function for, with words, times and numbers as arguments.
def _syscall(number: int, *args: Any) -> int:
    import ctypes

    class Timespec(ctypes.Structure):
        _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))

    def raw(value: Any) -> Any:
        if isinstance(value, Word):
            return ctypes.byref(value.place_)
        if isinstance(value, tuple):
            return ctypes.byref(Timespec(*value))
        return ctypes.c_long(value or 0)

    libc = ctypes.CDLL(None, use_errno=True)
    found: int = libc.syscall(ctypes.c_long(number), *map(raw, args))
    return found if found >= 0 else _fail(ctypes.get_errno())


def _futex(
    word: Any, op: int, value: int, timeout: Any = None, word2: Any = None, value3: int = 0
) -> int:
    return _syscall(_SYS_FUTEX, word, op, value, timeout, word2, value3)


def _futex_wait(word: Any, value: int, timeout: float | None = None) -> None:
    time = None if timeout is None else divmod(round(timeout * 10**9), 10**9)
    _syscall(_SYS_FUTEX, word, 0, value, time)


def _futex_wake(word: Any, count: int = 1) -> int:
    return _syscall(_SYS_FUTEX, word, 1, count)


def _futex_requeue(word: Any, wake: int, requeue: int, word2: Any, value: int | None = None) -> int:
    return _syscall(_SYS_FUTEX, word, 3 if value is None else 4, wake, requeue, word2, value)


_kept: list[Word] = []  # words whose address the kernel keeps


def _set_tid_address(word: Any) -> int:
    _kept.append(word)
    return _syscall(_SYS_SET_TID_ADDRESS, word)


# os.setns is there from Python 3.12 on.
def _setns(fd: int, nstype: int = 0) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, nstype):
        _fail(ctypes.get_errno())


def _sethostname(name: str) -> None:
    import socket

    socket.sethostname(name)


def _sigprocmask(how: int, mask: Any) -> set[int]:
    return set(map(int, signal.pthread_sigmask(how, mask)))


def _sigpending() -> set[int]:
    return set(map(int, signal.sigpending()))


# What does not fit into a C int is refused, as os does with its arguments.
def _int(status: int) -> int:
    number = operator.index(status)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError(f"status {number} does not fit into a C int")
    return number


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


_BY_OS = (
    *("fork", "wait", "waitpid", "kill", "sched_yield", "getpriority", "setpriority", "nice"),
    *("getpid", "getppid", "getpgid", "setpgid", "getsid", "setsid", "getpgrp"),
    *("read", "write", "close", "lseek", "umask", "getcwd", "chdir"),
    *("getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups"),
    *("setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups"),
    *("uname", "readlink"),
)
CALLS: dict[str, Callable[..., Any]] = {
    **{name: getattr(os, name) for name in _BY_OS if hasattr(os, name)},
    "gettid": threading.get_native_id,
    "pipe": _pipe,
    **({"pipe2": os.pipe2} if hasattr(os, "pipe2") else {}),
    "dup": _dup,
    "dup2": _dup2,
    "dup3": _dup3,
    "close_range": _close_range,
    "fcntl": _fcntl,
    "nanosleep": _nanosleep,
    "open": _open,
    "waitid": _waitid,
    **resources.CALLS,
    "prctl": _prctl,
    "signal": _signal,
    "sigprocmask": _sigprocmask,
    "sigpending": _sigpending,
    "futex": _futex,
    "futex_wait": _futex_wait,
    "futex_wake": _futex_wake,
    "futex_requeue": _futex_requeue,
    "set_tid_address": _set_tid_address,
    "tgkill": _tgkill,
    "unshare": _unshare,
    "setns": _setns,
    "gethostname": lambda: os.uname().nodename,
    "sethostname": _sethostname,
    **pidfds.CALLS,
    **({"pause": signal.pause} if hasattr(signal, "pause") else {}),
}


class Libc:
    """What a program gets as `libc`: one coroutine per call, all through one gate that notes it.

    `note(call)` is told (pid, name, args, result) after each call, in the process that made it;
    for one that does not return, before it, or in the new image. `runaway()` is called in a new process whose pid is
    above `processes`. `replace(path, argv, env)` is execve.
    """

    def __init__(
        self,
        note: Callable[[int, str, tuple[Any, ...], Any], None],
        processes: int,
        runaway: Callable[[], NoReturn],
        replace: Callable[..., NoReturn],
    ) -> None:
        self._note = note
        self._processes = processes
        self._runaway = runaway
        self._replace = replace
        self._buffer = bytearray()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name not in CALLS:
            raise AttributeError(f"libc has no call {name!r}; it has {', '.join(sorted(CALLS))}")

        async def call(*args: Any, **more: Any) -> Any:
            return self._enter(name, args, more)

        call.__name__ = name
        return call

    # The one gate: every call of the table passes here.
    def _enter(self, name: str, args: tuple[Any, ...], more: Any = None) -> Any:
        try:
            result = CALLS[name](*args, **(more or {}))
        except OSError as error:
            number = error.errno or 0
            self._note(os.getpid(), name, args, errno.errorcode.get(number, str(number)))
            raise
        child = result in (0, (0, None)) and name in ("fork", "clone_pidfd")
        if child and os.getpid() > self._processes:
            self._runaway()
        self._note(os.getpid(), name, args, result)
        return result

    @staticmethod
    def word(value: int = 0) -> Word:
        """Return a new word (int) in this process's memory: `.data` is its value."""
        return Word(value)

    async def execve(self, path: str, argv: Any = None, env: Any = None) -> NoReturn:
        """Run the program `path` in this process, with those arguments and that environment."""
        try:
            self._replace(path, argv, env)
        except OSError as error:
            args = (path,) if argv is None and env is None else (path, argv, env)
            number = error.errno or 0
            self._note(os.getpid(), "execve", args, errno.errorcode.get(number, str(number)))
            raise

    async def _exit(self, status: int) -> NoReturn:
        self._leave("_exit", _int(status))

    async def exit_group(self, status: int) -> NoReturn:
        """End the process (int status); stdio's buffer is lost."""
        self._leave("exit_group", _int(status))

    async def exit(self, status: int) -> NoReturn:
        """End the process (int status) after writing out stdio's buffer."""
        self.finish_(_int(status))

    def finish_(self, status: int) -> NoReturn:
        """`exit` for the end of main, where nothing is left to await."""
        with contextlib.suppress(OSError):  # exit(3) has nobody to tell either
            self._flush()
        self._leave("exit", status)

    def _leave(self, name: str, status: int) -> NoReturn:
        self._note(os.getpid(), name, (status,), None)
        os._exit(status & 0xFF)

    async def printf(self, text: str | bytes) -> int:
        """Append text to stdio's buffer, which a full block or the exit writes to fd 1."""
        data = text.encode() if isinstance(text, str) else bytes(text)
        self._buffer += data
        while len(self._buffer) > BUFSIZ:
            self._enter("write", (1, bytes(self._buffer[:BUFSIZ])))
            del self._buffer[:BUFSIZ]
        return len(data)

    async def fflush(self) -> int:
        """Write stdio's buffer to fd 1."""
        self._flush()
        return 0

    def _flush(self) -> None:
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            self._enter("write", (1, data))
