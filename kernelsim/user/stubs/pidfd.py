"""The stubs of pidfds, and of waiting for several descriptors at once."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from kernelsim.include.uapi.linux import sched
from kernelsim.user import gate
from kernelsim.user.stubs import _c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Pidfds", "Timespec"]


class Timespec(gate.UserBuffer):
    """A place with a time (seconds, nanoseconds), where the kernel stores what is left of it."""

    __slots__ = ("asked",)

    def __init__(self, asked: tuple[int, int]) -> None:
        self.asked = self.data = asked


class Pidfds(gate.Gate):
    """The stubs of pidfds, and of waiting for several descriptors at once."""

    async def clone_pidfd(
        self, flags: int, fn: Callable[[Any], Any] | None = None
    ) -> tuple[int, int | None]:
        """As `clone`, with a descriptor for the child: (pid, pidfd), in the child (0, None)."""
        if fn is not None and not callable(fn):
            raise TypeError(f"the child runs an async function of libc, not {type(fn).__name__}")
        pidfd = gate.UserBuffer()
        found = await self.trap_(
            "clone",
            operator.index(flags) | sched.CLONE_PIDFD,
            0 if fn is None else gate.Stack(fn),
            pidfd,
            result=lambda ax: (ax, pidfd.data),
        )
        return found or (0, None)

    async def pidfd_open(self, pid: int, flags: int = 0) -> int:
        """A descriptor for the process `pid`, which stays its own when the number is another's."""
        return await self.trap_("pidfd_open", _c.to_int(pid, "pid"), _c.to_int(flags, "flags"))

    async def pidfd_send_signal(
        self, pidfd: int, sig: int, siginfo: None = None, flags: int = 0
    ) -> None:
        """Send signal `sig` to the process of a pidfd."""
        if siginfo is not None:
            raise TypeError("siginfo must be None")
        args = _c.to_int(pidfd, "pidfd"), _c.to_int(sig, "signal"), None, _c.to_int(flags, "flags")
        await self.trap_("pidfd_send_signal", *args, result=lambda ax: None)

    async def pidfd_getfd(self, pidfd: int, fd: int, flags: int = 0) -> int:
        """A descriptor for the open file that the process of a pidfd has as `fd`."""
        args = _c.to_int(pidfd, "pidfd"), _c.to_int(fd, "fd"), _c.to_int(flags, "flags")
        return await self.trap_("pidfd_getfd", *args)

    async def poll(
        self, fds: Iterable[tuple[int, int]], milliseconds: int | None = None
    ) -> list[tuple[int, int]]:
        """Wait until a descriptor of `fds` (fd, POLL* asked for) is ready: those that are, (fd, POLL*).

        For so many milliseconds at most; None or less than 0: for ever.
        """
        place = _pollfds(fds)
        wait = -1 if milliseconds is None else _c.to_int(milliseconds, "timeout")
        args = place, len(place.data), wait
        return await self.trap_("poll", *args, result=lambda ax: _ready(place))

    async def ppoll(
        self,
        fds: Iterable[tuple[int, int]],
        time: tuple[int, int] | None = None,
        mask: Iterable[int] | None = None,
    ) -> list[tuple[int, int]]:
        """As `poll`, with `time` as (seconds, nanoseconds) and `mask`: the signals blocked meanwhile."""
        place = _pollfds(fds)
        wait = None if time is None else Timespec(time)
        blocked = None if mask is None else _c.sigset(mask)
        args = place, len(place.data), wait, blocked, 8
        return await self.trap_("ppoll", *args, result=lambda ax: _ready(place))


# The array of struct pollfd.
def _pollfds(fds: Iterable[tuple[int, int]]) -> gate.UserBuffer:
    place = gate.UserBuffer()
    place.data = [(_c.to_int(fd, "fd"), _c.to_int(events, "events")) for fd, events in fds]
    return place


def _ready(place: gate.UserBuffer) -> list[tuple[int, int]]:
    # With no descriptors the kernel stores nothing.
    return [(fd, revents) for fd, _, revents in place.data if revents]
