"""The C library's stubs: what a program calls, and how it gets into the kernel.

Names, arguments and results are those of Python's `os` module; a failed call raises `OSError`
with the errno.  Every stub passes through one gate, `Libc.trap_`, which executes the SYSCALL
instruction.  The gate also keeps the results, for `fork`: a coroutine can't be copied, so a child
gets a fresh coroutine of the same program whose calls return the parent's results once more, up
to the fork itself, which returns 0 (docs/adr/0001).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
import os
from typing import TYPE_CHECKING, Any

from kernelsim.include.uapi.asm import errno
from kernelsim.user import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "CALLS",
    "Dead",
    "Libc",
    "NewImage",
    "Stop",
    "UserBuffer",
    "exit_status",
]

BUFSIZ = 4096  # what glibc gives a stream on a pipe: the pipe's st_blksize


class UserBuffer:
    """A place in the program's memory that the kernel may write: what a pointer argument is."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data: Any = None

    def __repr__(self) -> str:
        return "NULL" if self.data is None else repr(self.data)


_FORK = object()  # stands in a replay for the fork that the process comes from


class NewImage(BaseException):
    """execve() has replaced the program that called it."""


class Stop(BaseException):
    """Ends a program that does not end by itself, from outside."""


class Dead(BaseException):
    """The process is gone: what is left of its program can do nothing any more."""


def exit_status(value: Any) -> int:
    """Return the exit status that main()'s result means: an int is one, anything else is 0."""
    return int(value) if isinstance(value, int) else 0


def _int(value: Any, name: str) -> int:
    # An int as C has it: 32 bits, signed.
    number = operator.index(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError(f"{name} {number} does not fit into a C int")
    return number


class Libc:
    """What a program gets as `libc`: one coroutine per call.

    `enter` is the SYSCALL instruction, `numbers` the table of system call numbers by name.
    """

    def __init__(
        self,
        enter: Callable[..., Any],
        numbers: Callable[[str], int],
        log: replay.Log | None = None,
    ) -> None:
        self._enter = enter
        self._numbers = numbers
        self._log = log
        self._replay: Iterator[Any] | None = None  # the results still to be handed out once more
        self.note_: Callable[[str, tuple[Any, ...], Any], None] | None = None
        self._buffer = bytearray()
        self.tell_: Callable[[str], None] | None = None  # who is told of a traceback
        self.dead_ = False

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"libc has no call {name!r}; it has {', '.join(sorted(CALLS))}")

    async def trap_(self, name: str, *args: Any, result: Callable[[int], Any] | None = None) -> Any:
        """Make the system call `name`; `result` turns what the kernel returned into what the caller gets.

        Raises OSError when the kernel returns an error.
        """
        if self._replay is not None:
            return self._past()
        if self.dead_:
            raise Dead
        log = self._log
        try:
            ax = await self._enter(self._numbers(name), args)
        except GeneratorExit:  # the machine is gone, or this process; a puppet's stub is shared
            self.dead_ = log is not None
            raise
        if -errno.MAX_ERRNO <= ax < 0:  # the wrapper's test: errno = -rax, return -1
            if log is not None:
                log.own.append(replay.Failed(-ax))
            raise OSError(-ax, os.strerror(-ax))
        value = ax if result is None else result(ax)
        if log is not None:
            log.own.append(value)
        return value

    def child_(self) -> Libc:
        """Return the libc of a process that is being forked off right now."""
        assert self._log is not None
        log = replay.Log(self._log)
        libc = _Replaying(self._enter, self._numbers, log)
        libc.tell_ = self.tell_
        libc._replay = log.past()
        log.own.append(0)
        return libc

    def _past(self) -> Any:
        # What the next call returned in an ancestor; 0 for the fork that this process comes from.
        assert self._replay is not None
        value = next(self._replay, _FORK)
        if value is _FORK:
            self.stop_replay_()
            return 0
        if value.__class__ is replay.Failed:
            raise OSError(value.number, os.strerror(value.number))
        return value

    def stop_replay_(self) -> None:
        """Let the next call be a real one: it is not one whose result was kept."""
        self._replay = None
        self.__class__ = Libc

    async def trap_number_(self, number: int, *args: Any) -> Any:
        """Make the system call with that number, whether there is one or not."""
        if self.dead_:
            raise Dead
        ax = await self._enter(number, args)
        if -errno.MAX_ERRNO <= ax < 0:
            raise OSError(-ax, os.strerror(-ax))
        return ax

    async def _noting(self, name: str, args: tuple[Any, ...], call: Any) -> Any:
        # Carry out `call` and note it, unless it is only replayed; the fork that ends a replay is noted.
        assert self.note_ is not None
        new = self._replay is None
        try:
            value = await call
        except OSError as error:
            if new:
                self.note_(name, args, _ERRNO.get(error.errno or 0, str(error.errno)))
            raise
        if new or self._replay is None:
            self.note_(name, args, value)
        return value

    async def _leave(self, name: str, status: int) -> None:
        # A call that does not return is noted before it; the kernel keeps the status's low byte.
        number = operator.index(status)
        if self.note_ is not None and self._replay is None:
            self.note_(name, (status,), None)
        await self.trap_("exit_group", number & 0xFFFF_FFFF)

    # --- processes --------------------------------------------------------------------------

    async def fork(self) -> int:
        """Make a copy of this process; 0 in the child, the child's pid in the parent."""
        return await self.trap_("fork")

    async def clone(self, flags: int) -> int:
        """Make a new process with raw clone flags, the exit signal in the low byte."""
        return await self.trap_("clone", operator.index(flags))

    async def waitpid(self, pid: int, options: int) -> tuple[int, int]:
        """Wait for children; (pid, status word), or (0, 0) with WNOHANG when none is ready."""
        return await self._wait4(_int(pid, "pid"), _int(options, "options"))

    async def wait(self) -> tuple[int, int]:
        """Wait for any child; (pid, status word)."""
        return await self._wait4(-1, 0)

    async def _wait4(self, pid: int, options: int) -> tuple[int, int]:
        stat = UserBuffer()
        return await self.trap_(
            "wait4", pid, stat, options, None, result=lambda ax: (ax, stat.data or 0)
        )

    async def execve(self, path: str) -> None:
        """Run another program in this process; returns only if that fails."""
        await self.trap_("execve", str(path))
        raise NewImage

    async def _exit(self, status: int) -> None:
        await self._leave("_exit", status)

    async def exit_group(self, status: int) -> None:
        """End the process; stdio's buffer is lost."""
        await self._leave("exit_group", status)

    async def exit(self, status: int) -> None:
        """End the process after writing out stdio's buffer."""
        operator.index(status)  # TypeError if it is none
        with contextlib.suppress(OSError):  # exit(3) has nobody to tell
            await self.fflush()
        await self._leave("exit", status)

    async def pause(self) -> None:
        """Sleep until a signal has been handled; raises OSError with EINTR then."""
        await self.trap_("pause")

    async def kill(self, pid: int, sig: int) -> None:
        """Send signal `sig` to the process, group or everybody that `pid` says."""
        await self.trap_("kill", _int(pid, "pid"), _int(sig, "signal"), result=lambda ax: None)

    async def getpid(self) -> int:
        """The number of this process."""
        return await self.trap_("getpid")

    async def getppid(self) -> int:
        """The number of the parent process, 0 if it is outside this namespace."""
        return await self.trap_("getppid")

    async def gettid(self) -> int:
        """The number of this thread."""
        return await self.trap_("gettid")

    async def getpgid(self, pid: int) -> int:
        """The number of the process group of `pid`, 0 for oneself."""
        return await self.trap_("getpgid", _int(pid, "pid"))

    async def getpgrp(self) -> int:
        """The number of one's own process group."""
        return await self.trap_("getpgrp")

    async def setpgid(self, pid: int, pgrp: int) -> None:
        """Move the process `pid` into the group `pgrp`."""
        await self.trap_("setpgid", _int(pid, "pid"), _int(pgrp, "pgrp"), result=lambda ax: None)

    async def getsid(self, pid: int) -> int:
        """The number of the session of `pid`, 0 for oneself."""
        return await self.trap_("getsid", _int(pid, "pid"))

    async def setsid(self) -> None:
        """Begin a session of one's own."""
        await self.trap_("setsid", result=lambda ax: None)

    async def sched_yield(self) -> None:
        """Let others run first."""
        await self.trap_("sched_yield", result=lambda ax: None)

    async def nanosleep(self, seconds: int, nanoseconds: int = 0) -> int:
        """Sleep; 0."""
        return await self.trap_("nanosleep", operator.index(seconds), operator.index(nanoseconds))

    # --- files ------------------------------------------------------------------------------

    async def pipe(self) -> tuple[int, int]:
        """Make a pipe; (descriptor to read from, descriptor to write to)."""
        fds = UserBuffer()
        return await self.trap_("pipe2", fds, 0, result=lambda ax: fds.data)

    async def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        """Open a file: the devices /dev/null and /dev/console are all there is; its descriptor."""
        return await self.trap_("open", str(path), _int(flags, "flags"), _int(mode, "mode"))

    async def read(self, fd: int, n: int) -> bytes:
        """Read up to `n` bytes; b"" at end of file."""
        fd, n = _int(fd, "fd"), operator.index(n)
        if n < 0:  # as os.read() does
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        buf = UserBuffer()
        return await self.trap_("read", fd, buf, n, result=lambda ax: buf.data)

    async def write(self, fd: int, data: bytes) -> int:
        """Write `data`; how many bytes went."""
        if isinstance(data, str):
            raise TypeError("a bytes-like object is required, not 'str'")
        text = bytes(memoryview(data))
        return await self.trap_("write", _int(fd, "fd"), text, len(text))

    async def close(self, fd: int) -> None:
        """Close a descriptor."""
        await self.trap_("close", _int(fd, "fd"), result=lambda ax: None)

    async def dup(self, fd: int) -> int:
        """The lowest free descriptor for the same open file."""
        return await self.trap_("dup", _int(fd, "fd"))

    async def dup2(self, fd: int, fd2: int) -> int:
        """Make `fd2` a descriptor for the same open file."""
        return await self.trap_("dup2", _int(fd, "fd"), _int(fd2, "fd2"))

    async def lseek(self, fd: int, position: int, whence: int) -> int:
        """Set the position in a file."""
        return await self.trap_(
            "lseek", _int(fd, "fd"), operator.index(position), _int(whence, "whence")
        )

    async def umask(self, mask: int) -> int:
        """Set the mask of permissions that new files do not get; the old one."""
        return await self.trap_("umask", _int(mask, "mask"))

    # --- stdio ------------------------------------------------------------------------------

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


_PRIVATE = ("_noting", "_leave", "_wait4", "_past")
CALLS = frozenset(
    n for n, f in vars(Libc).items() if callable(f) and not n.endswith("_") and n not in _PRIVATE
)
_UNNOTED = {"printf", "fflush", "exit", "_exit", "exit_group"}  # no system calls, or noted before
_ERRNO = {number: name for name, number in vars(errno).items() if name.startswith("E")}


def _noted(name: str, stub: Callable[..., Any]) -> Callable[..., Any]:
    # The stub, noting each call where somebody wants to know.
    @functools.wraps(stub)
    def call(self: Libc, *args: Any) -> Any:
        coroutine = stub(self, *args)
        return coroutine if self.note_ is None else self._noting(name, args, coroutine)

    return call


for _name in CALLS - _UNNOTED:
    setattr(Libc, _name, _noted(_name, getattr(Libc, _name)))


class _Replaying(Libc):
    # A libc whose calls so far are an ancestor's.  A long line of forks replays many of them, so the
    # calls without arguments, with which nothing can be wrong, take the shortest way.
    pass


def _replayed(name: str) -> Callable[..., Any]:
    async def call(self: Any) -> Any:
        value = next(self._replay, _FORK)
        if value is not _FORK and value.__class__ is not replay.Failed:
            return value
        self._replay = itertools.chain((value,) if value is not _FORK else (), self._replay)
        return await getattr(Libc, name)(self)

    return call


for _name in CALLS - _UNNOTED:
    if getattr(Libc, _name).__wrapped__.__code__.co_argcount == 1:
        setattr(_Replaying, _name, _replayed(_name))
