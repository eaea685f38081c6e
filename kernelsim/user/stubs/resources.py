"""The stubs of what was used and what may be: CPU time, limits, priorities."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import resource
from kernelsim.user import gate
from kernelsim.user.stubs import _c

__all__ = ["Resources", "struct_rusage", "used"]

_UNSIGNED = (1 << 64) - 1


class struct_rusage(NamedTuple):
    """What was used: the members of `resource.struct_rusage`, times in seconds."""

    ru_utime: float = 0.0
    ru_stime: float = 0.0
    ru_maxrss: int = 0
    ru_ixrss: int = 0
    ru_idrss: int = 0
    ru_isrss: int = 0
    ru_minflt: int = 0
    ru_majflt: int = 0
    ru_nswap: int = 0
    ru_inblock: int = 0
    ru_oublock: int = 0
    ru_msgsnd: int = 0
    ru_msgrcv: int = 0
    ru_nsignals: int = 0
    ru_nvcsw: int = 0
    ru_nivcsw: int = 0


def used(data: Any) -> struct_rusage:
    """Return what the kernel stored as a struct rusage, zeros where it stored none."""
    if data is None:
        return struct_rusage()
    utime, stime, *counts = data
    return struct_rusage(*(s + us * 1e-6 for s, us in (utime, stime)), *counts)


def _limits(data: Any) -> tuple[int, int]:
    # (soft, hard) as Python's resource module has them: -1 is RLIM_INFINITY.
    soft, hard = (-1 if limit == resource.RLIM_INFINITY else limit for limit in data)
    return soft, hard


def _buffer(limits: Any) -> gate.UserBuffer:
    # A struct rlimit with (soft, hard) in it.
    soft, hard = limits
    place = gate.UserBuffer()
    place.data = tuple(operator.index(limit) & _UNSIGNED for limit in (soft, hard))
    return place


class Resources(gate.Gate):
    """The stubs of what was used and what may be: CPU time, limits, priorities."""

    async def compute(self, nanoseconds: int) -> None:
        """Compute for so long, in CPU time: no system call; a tick may let others run first."""
        await self.work_(operator.index(nanoseconds))

    async def getrusage(self, who: int) -> struct_rusage:
        """What this process, its waited-for children or this thread has used (RUSAGE_…)."""
        place = gate.UserBuffer()
        return await self.trap_(
            "getrusage", _c.to_int(who, "who"), place, result=lambda ax: used(place.data)
        )

    async def times(self) -> tuple[float, float, float, float, float]:
        """CPU time of this process, user and system, of its waited-for children, and the clock: in s."""
        place = gate.UserBuffer()
        return await self.trap_(
            "times", place, result=lambda ax: tuple(n / 100 for n in (*place.data, ax))
        )

    async def getrlimit(self, number: int) -> tuple[int, int]:
        """The limit RLIMIT_…: (soft, hard), -1 for none."""
        place = gate.UserBuffer()
        return await self.trap_(
            "getrlimit", _c.to_int(number, "resource"), place, result=lambda ax: _limits(place.data)
        )

    async def setrlimit(self, number: int, limits: tuple[int, int]) -> None:
        """Set the limit RLIMIT_… to (soft, hard), -1 for none."""
        place = _buffer(limits)
        await self.trap_("setrlimit", _c.to_int(number, "resource"), place, result=lambda ax: None)

    async def prlimit(
        self, pid: int, number: int, limits: tuple[int, int] | None = None
    ) -> tuple[int, int]:
        """Another process's limit, which becomes `limits` if they are given; what it was."""
        new = None if limits is None else _buffer(limits)
        old = gate.UserBuffer()
        args = _c.to_int(pid, "pid"), _c.to_int(number, "resource"), new, old
        return await self.trap_("prlimit64", *args, result=lambda ax: _limits(old.data))

    async def getpriority(self, which: int, who: int) -> int:
        """The least nice value of the process, group or user that PRIO_… and `who` say."""
        args = _c.to_int(which, "which"), _c.to_int(who, "who")
        return await self.trap_("getpriority", *args, result=lambda ax: 20 - ax)

    async def setpriority(self, which: int, who: int, priority: int) -> None:
        """Give the process, group or user that PRIO_… and `who` say a nice value, -20 to 19."""
        args = _c.to_int(which, "which"), _c.to_int(who, "who"), _c.to_int(priority, "priority")
        await self.trap_("setpriority", *args, result=lambda ax: None)

    async def nice(self, increment: int) -> int:
        """Be nicer by `increment`; the new nice value."""
        own = resource.PRIO_PROCESS, 0

        async def value() -> int:
            return await self.trap_("getpriority", *own, result=lambda ax: 20 - ax)

        wish = await value() + _c.to_int(increment, "increment")
        try:
            await self.trap_("setpriority", *own, wish, result=lambda ax: None)
        except OSError as error:  # what nice() always said, and setpriority() does not
            if error.errno != errno.EACCES:
                raise
            raise PermissionError(errno.EPERM, "Operation not permitted") from None
        return await value()
