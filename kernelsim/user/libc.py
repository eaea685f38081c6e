"""The C library's stubs: what a program calls, and how it gets into the kernel.

Names, arguments and results are those of Python's `os` module; a failed call raises `OSError`
with the errno.  How a stub gets into the kernel is the gate's business (`gate`).
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from kernelsim.user import gate, replay
from kernelsim.user.gate import Dead, NewImage, Stop, UserBuffer, Word, exit_status
from kernelsim.user.stubs import (
    identity,
    numbers,
    pidfd,
    processes,
    resources,
    signals,
    stdio,
    threads,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS", "Dead", "Libc", "NewImage", "Stop", "UserBuffer", "Word", "exit_status"]


class Libc(
    processes.Processes,
    pidfd.Pidfds,
    signals.Signals,
    numbers.Numbers,
    identity.Identity,
    resources.Resources,
    threads.Threads,
    stdio.Stdio,
):
    """What a program gets as `libc`: one coroutine per call."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"libc has no call {name!r}; it has {', '.join(sorted(CALLS))}")


CALLS = frozenset(
    name
    for part in Libc.__mro__[1 : Libc.__mro__.index(gate.Gate)]
    for name in vars(part)
    if (name == "_exit" or not name.startswith("_"))
    and name != "word"  # no call: a place in memory
)
_UNNOTED = {"printf", "fflush", "exit", "_exit", "exit_group"}  # no system calls, or noted before


def _noted(name: str, stub: Callable[..., Any]) -> Callable[..., Any]:
    # The stub, noting each call where somebody wants to know.
    @functools.wraps(stub)
    def call(self: Libc, *args: Any, **more: Any) -> Any:
        coroutine = stub(self, *args, **more)
        if self.note_ is None:
            return coroutine
        return self._noting(name, (*args, *more.values()), coroutine)

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
