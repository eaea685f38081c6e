"""The stubs of who one is, and what one may set of oneself."""

from __future__ import annotations

import operator
from typing import Any

from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import prctl
from kernelsim.user import gate
from kernelsim.user.stubs import _c

_GETS = (prctl.PR_GET_PDEATHSIG, prctl.PR_GET_NAME, prctl.PR_GET_CHILD_SUBREAPER)

__all__ = ["Numbers"]


class Numbers(gate.Gate):
    """The stubs of who one is, and what one may set of oneself."""

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
        return await self.trap_("getpgid", _c.to_int(pid, "pid"))

    async def getpgrp(self) -> int:
        """The number of one's own process group."""
        return await self.trap_("getpgrp")

    async def setpgid(self, pid: int, pgrp: int) -> None:
        """Move the process `pid` into the group `pgrp`."""
        await self.trap_(
            "setpgid", _c.to_int(pid, "pid"), _c.to_int(pgrp, "pgrp"), result=lambda ax: None
        )

    async def getsid(self, pid: int) -> int:
        """The number of the session of `pid`, 0 for oneself."""
        return await self.trap_("getsid", _c.to_int(pid, "pid"))

    async def setsid(self) -> None:
        """Begin a session of one's own."""
        await self.trap_("setsid", result=lambda ax: None)

    async def prctl(self, option: int, arg: Any = 0) -> Any:
        """Set or get a property of this process; what a PR_GET_… option asks for, else None."""
        if option in _GETS:
            found = gate.UserBuffer()
            return await self.trap_("prctl", option, found, result=lambda ax: found.data)
        if option == prctl.PR_GET_DUMPABLE:
            return await self.trap_("prctl", option)
        if isinstance(arg, str | bytes):
            name = gate.UserBuffer()
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
            left = gate.UserBuffer()
            try:
                return await self.trap_("nanosleep", *rest, left)
            except OSError as error:
                if error.errno != errno.EINTR:
                    raise
                rest = left.data or (0, 0)
