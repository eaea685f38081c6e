"""The C library's stubs: what a program calls, and how it gets into the kernel.

Names, arguments and results are those of Python's `os` module; a failed call raises `OSError`
with the errno.  How a stub gets into the kernel is the gate's business (`gate`).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
import os
from typing import TYPE_CHECKING, Any

from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm import signal as asm_signal
from kernelsim.include.uapi.linux import prctl
from kernelsim.user import gate, replay
from kernelsim.user.gate import Dead, NewImage, Stack, Stop, UserBuffer, exit_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["CALLS", "Dead", "Libc", "NewImage", "Stop", "UserBuffer", "exit_status"]

BUFSIZ = 4096  # what glibc gives a stream on a pipe: the pipe's st_blksize


def _int(value: Any, name: str) -> int:
    # An int as C has it: 32 bits, signed.
    number = operator.index(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError(f"{name} {number} does not fit into a C int")
    return number


def _sigset(signals: Iterable[int]) -> int:
    # A sigset_t: bit n - 1 for signal n.  ValueError for what is no signal, as in Python.
    found = 0
    for sig in signals:
        if not 1 <= sig <= 64:
            raise ValueError(f"signal number {sig} out of range [1; 64]")
        found |= 1 << (sig - 1)
    return found


def _signals(mask: int) -> set[int]:
    return {sig for sig in range(1, 65) if mask >> (sig - 1) & 1}


_GETS = (prctl.PR_GET_PDEATHSIG, prctl.PR_GET_NAME, prctl.PR_GET_CHILD_SUBREAPER)
_HANDLERS = 0x402000  # where the code of a program's handlers is said to begin


class Libc(gate.Gate):
    """What a program gets as `libc`: one coroutine per call."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"libc has no call {name!r}; it has {', '.join(sorted(CALLS))}")

    # --- processes --------------------------------------------------------------------------

    async def fork(self) -> int:
        """Make a copy of this process; 0 in the child, the child's pid in the parent."""
        return await self.trap_("fork")

    async def vfork(self) -> int:
        """Make a child that borrows this process's memory; the parent waits until it execs or exits."""
        return await self.trap_("vfork")

    async def clone(self, flags: int, fn: Callable[[Libc], Any] | None = None) -> int:
        """Make a new task with raw clone flags, the exit signal in the low byte.

        Without `fn` the child goes on here, with 0; with it, it runs `async def fn(libc)`.
        """
        if fn is None:
            return await self.trap_("clone", operator.index(flags))
        if not callable(fn):
            raise TypeError(f"the child runs an async function of libc, not {type(fn).__name__}")
        return await self.trap_("clone", operator.index(flags), Stack(fn))

    async def unshare(self, flags: int) -> None:
        """Stop sharing with others what `flags` say."""
        await self.trap_("unshare", operator.index(flags), result=lambda ax: None)

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

    async def waitid(self, idtype: int, id: int, options: int) -> tuple[int, int, int, int] | None:
        """Wait for children: (si_pid, si_signo, si_status, si_code), or None with WNOHANG when none is ready."""
        info = UserBuffer()
        args = (_int(idtype, "idtype"), _int(id, "id"), info, _int(options, "options"), None)
        signo, code, pid, _, status = await self.trap_("waitid", *args, result=lambda ax: info.data)
        return (pid, signo, status, code) if pid else None

    async def kill(self, pid: int, sig: int) -> None:
        """Send signal `sig` to the process, group or everybody that `pid` says."""
        await self.trap_("kill", _int(pid, "pid"), _int(sig, "signal"), result=lambda ax: None)

    # --- signals ----------------------------------------------------------------------------

    async def pause(self) -> None:
        """Sleep until a signal has been handled."""
        try:
            await self.trap_("pause")
        except OSError as error:  # it never returns anything else
            if error.errno != errno.EINTR:
                raise

    async def signal(self, sig: int, handler: Any) -> Any:
        """Set what happens at `sig`: SIG_DFL, SIG_IGN, or `async def handler(sig)`; the old one.

        Calls that the handler interrupts are made once more, as Python does it.
        """
        if not 1 <= sig <= 64:
            raise ValueError("signal number out of range")
        return await self.sigaction(sig, handler, asm_signal.SA_RESTART)

    async def sigaction(
        self, sig: int, handler: Any, flags: int = 0, mask: Iterable[int] = ()
    ) -> Any:
        """As `signal`, with SA_* flags, and signals that are blocked while the handler runs."""
        old = UserBuffer()
        act = self._address(handler), operator.index(flags), _sigset(mask)
        address, _, _ = await self.trap_(
            "rt_sigaction", _int(sig, "signal"), act, old, 8, result=lambda ax: old.data
        )
        return self.handlers_.get(address, address)

    def _address(self, handler: Any) -> int:
        # Where a handler is: functions get addresses in the order in which they are named.
        if not callable(handler) or isinstance(handler, int):
            return operator.index(handler)
        if self._log is None:
            raise TypeError("a puppet has no code that could handle a signal: SIG_DFL or SIG_IGN")
        known = [address for address, one in self.handlers_.items() if one is handler]
        if known:
            return known[0]
        address = _HANDLERS + 16 * len(self.handlers_)
        self.handlers_[address] = handler
        return address

    async def sigprocmask(self, how: int, mask: Iterable[int]) -> set[int]:
        """Block (SIG_BLOCK), unblock or set the signals that wait; the set before."""
        old = UserBuffer()
        args = (_int(how, "how"), _sigset(mask), old, 8)
        return _signals(await self.trap_("rt_sigprocmask", *args, result=lambda ax: old.data))

    async def sigpending(self) -> set[int]:
        """The signals that have come and wait because they are blocked."""
        found = UserBuffer()
        return _signals(await self.trap_("rt_sigpending", found, 8, result=lambda ax: found.data))

    async def tgkill(self, tgid: int, tid: int, sig: int) -> None:
        """Send signal `sig` to one thread."""
        args = (_int(tgid, "tgid"), _int(tid, "tid"), _int(sig, "signal"))
        await self.trap_("tgkill", *args, result=lambda ax: None)

    # --- numbers ----------------------------------------------------------------------------

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

    async def prctl(self, option: int, arg: Any = 0) -> Any:
        """Set or get a property of this process; what a PR_GET_… option asks for, else None."""
        if option in _GETS:
            found = UserBuffer()
            return await self.trap_("prctl", option, found, result=lambda ax: found.data)
        if isinstance(arg, str | bytes):
            name = UserBuffer()
            name.data = arg if isinstance(arg, bytes) else arg.encode()
            arg = name
        return await self.trap_("prctl", operator.index(option), arg, result=lambda ax: None)

    async def sched_yield(self) -> None:
        """Let others run first."""
        await self.trap_("sched_yield", result=lambda ax: None)

    async def nanosleep(self, seconds: int, nanoseconds: int = 0) -> int:
        """Sleep, also if handlers run meanwhile; 0."""
        rest: tuple[int, int] = operator.index(seconds), operator.index(nanoseconds)
        while True:
            left = UserBuffer()
            try:
                return await self.trap_("nanosleep", *rest, left)
            except OSError as error:
                if error.errno != errno.EINTR:
                    raise
                rest = left.data or (0, 0)

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


_PRIVATE = ("_wait4", "_address")
CALLS = frozenset(
    n for n, f in vars(Libc).items() if callable(f) and not n.endswith("_") and n not in _PRIVATE
)
_UNNOTED = {"printf", "fflush", "exit", "_exit", "exit_group"}  # no system calls, or noted before


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


_NO_VALUES = (replay.Failed, replay.Handled)


def _replayed(name: str) -> Callable[..., Any]:
    async def call(self: Any) -> Any:
        value = next(self._replay, gate.FORK_)
        if value is not gate.FORK_ and value.__class__ not in _NO_VALUES:
            return value
        self._replay = itertools.chain((value,) if value is not gate.FORK_ else (), self._replay)
        return await getattr(Libc, name)(self)

    return call


for _name in CALLS - _UNNOTED - {"sigpending"}:  # it makes a set of what the trap returned
    if getattr(Libc, _name).__wrapped__.__code__.co_argcount == 1:
        setattr(_Replaying, _name, _replayed(_name))

Libc.Plain_, Libc.Replaying_ = Libc, _Replaying
