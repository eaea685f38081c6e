"""The gate: how a program gets into the kernel, and how a forked child repeats its parent's past.

Every stub of the C library passes through `Gate.trap_`, which executes the SYSCALL instruction.
The gate also keeps the results, for `fork`: a coroutine can't be copied, so a child gets a fresh
coroutine of the same program whose calls return the parent's results once more, up to the fork
itself, which returns 0 (docs/adr/0001).
"""

from __future__ import annotations

import operator
import os
from typing import TYPE_CHECKING, Any

from kernelsim.include.uapi.asm import errno
from kernelsim.user import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Dead", "Gate", "NewImage", "Stack", "Stop", "UserBuffer", "Word", "exit_status"]


class UserBuffer:
    """A place in the program's memory that the kernel may write: what a pointer argument is."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data: Any = None

    def __repr__(self) -> str:
        return "NULL" if self.data is None else repr(self.data)


class Word(UserBuffer):
    """A place in the program's memory that has a value: an int, or what a struct holds."""

    __slots__ = ()

    def __init__(self, data: Any = 0) -> None:
        self.data = data


class Stack:
    """A new stack for clone(), with the function on it that the child runs."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __repr__(self) -> str:
        return getattr(self.function, "__name__", "?")


FORK_ = object()  # stands in a replay for the fork that the process comes from


class NewImage(BaseException):
    """execve() has replaced the program that called it."""


class Stop(BaseException):
    """Ends a program that does not end by itself, from outside."""


class Dead(BaseException):
    """The process is gone: what is left of its program can do nothing any more."""


def exit_status(value: Any) -> int:
    """Return the exit status that main()'s result means: an int is one, anything else is 0."""
    return int(value) if isinstance(value, int) else 0


_ERRNO = {number: name for name, number in vars(errno).items() if name.startswith("E")}


def _nothing(ax: int) -> None:
    # What computing returns.
    return


class Gate:
    """The way into the kernel of one process or thread.

    `enter` is the SYSCALL instruction, `numbers` the table of system call numbers by name.
    """

    Plain_: type[Any]  # the library whose calls are real
    Replaying_: type[Any]  # the library of a child that repeats its parent's calls

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
        self.handlers_: dict[int, Callable[[int], Any]] = {}  # of signals, by their address
        self.named_: list[int] = []  # those addresses that came with calls of one's own, in order
        self.again_: list[int] = []  # … of an ancestor, whose calls are still to be repeated
        self._result: Any = None  # of the call under way: what turns rax into its result
        self.late_: list[tuple[int, int]] = []  # signals that came before the past was over
        self.tell_: Callable[[str], None] | None = None  # who is told of a traceback
        self.compute_: Callable[[int], Any] | None = None  # what user mode does without the kernel
        self.dead_ = False

    async def trap_(self, name: str, *args: Any, result: Callable[[int], Any] | None = None) -> Any:
        """Make the system call `name`; `result` turns what the kernel returned into what the caller gets.

        Raises OSError when the kernel returns an error.
        """
        if self._replay is not None:
            return await self._passed(name, args, result)
        if self.dead_:
            raise Dead
        log = self._log
        self._result = result
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

    async def work_(self, nanoseconds: int) -> None:
        """Stay in user mode for so long; what handlers do meanwhile is kept as with a call."""
        if self._replay is not None:
            await self._passed("", (), None)
            return
        if self.dead_:
            raise Dead
        if self.compute_ is None:
            raise RuntimeError("nobody counts the time of this program")
        self._result = _nothing
        try:
            await self.compute_(nanoseconds)
        except GeneratorExit:
            self.dead_ = self._log is not None
            raise
        if self._log is not None:
            self._log.own.append(None)

    def child_(self) -> Any:
        """Return the libc of a process that is being forked off right now."""
        assert self._log is not None
        log = replay.Log(self._log)
        libc = self.Replaying_(self._enter, self._numbers, log)
        libc.tell_, libc.compute_ = self.tell_, self.compute_
        libc._replay = log.past()
        libc.again_ = self.named_ + self.again_
        other = self.handlers_.keys() - set(libc.again_)  # other threads have set them
        libc.handlers_ = {address: self.handlers_[address] for address in sorted(other)}
        log.own.append(0)
        return libc

    def thread_(self) -> Any:
        """Return the libc of a task that shares this one's memory and begins with a function of its own."""
        libc = self.Plain_(self._enter, self._numbers, replay.Log())
        libc.tell_, libc.note_, libc.compute_ = self.tell_, self.note_, self.compute_
        libc._buffer, libc.handlers_ = self._buffer, self.handlers_
        return libc

    def _past(self) -> Any:
        # What the next call returned in an ancestor; 0 for the fork that this process comes from.
        assert self._replay is not None
        value = next(self._replay, FORK_)
        if value is FORK_:
            self.stop_replay_()
            return 0
        if value.__class__ is replay.Failed:
            raise OSError(value.number, os.strerror(value.number))
        return value

    async def _passed(self, name: str, args: tuple[Any, ...], result: Any) -> Any:
        # As _past(), with the handlers that ran meanwhile; a fork in one of them ends the past there.
        value = self._past()
        while value.__class__ is replay.Handled:
            await self.handlers_[value.address](value.sig)
            if self._replay is not None:
                value = self._past()
            elif value.outcome is None:
                value = await self.trap_(name, *args, result=result)
            elif value.outcome.__class__ is replay.Failed:
                raise OSError(value.outcome.number, os.strerror(value.outcome.number))
            else:
                (value,) = value.outcome
        if self._replay is None:
            for address, sig in self._put_off():
                await self.handle_(address, sig, 0)
        return value

    async def handle_(self, address: int, sig: int, ax: int | None) -> bool:
        """Run the handler at `address` for `sig`; false if there is none.

        `ax` is what the call under way has returned, None if it is made once more.  Before the child
        of a fork has caught up with its past it has no handlers yet: then later.
        """
        if self._replay is not None:
            self.late_.append((address, sig))
            return True
        if address not in self.handlers_:
            return False
        if self._log is not None:
            self._log.own.append(replay.Handled(address, sig, self._outcome(ax)))
        await self.handlers_[address](sig)
        return True

    def _outcome(self, ax: int | None) -> Any:
        # What the call under way has come to, as replay.Handled keeps it.
        if ax is None:
            return None
        if -errno.MAX_ERRNO <= ax < 0:
            return replay.Failed(-ax)
        return (ax if self._result is None else self._result(ax),)

    def _put_off(self) -> list[tuple[int, int]]:
        put_off, self.late_ = self.late_, []
        return put_off

    def stop_replay_(self) -> None:
        """Let the next call be a real one: it is not one whose result was kept."""
        self._replay = None
        self.__class__ = self.Plain_

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
        except NewImage:
            self.note_(name, args, None)
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
