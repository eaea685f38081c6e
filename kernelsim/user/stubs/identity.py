"""The stubs of users, groups, names and namespaces."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.user import gate
from kernelsim.user.stubs import _c

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Identity", "Uname"]


class Uname(NamedTuple):
    """What uname() tells, as `os.uname_result`."""

    sysname: str
    nodename: str
    release: str
    version: str
    machine: str


def _id(value: Any) -> int:
    # A uid_t or gid_t; -1 is the one that is none.
    number = operator.index(value)
    if not -1 <= number < (1 << 32) - 1:
        raise OverflowError(f"{number} is no id: 0 to 4294967294, or -1")
    return number & 0xFFFF_FFFF


class Identity(gate.Gate):
    """The stubs of users, groups, names and namespaces."""

    async def getuid(self) -> int:
        """The real user."""
        return await self.trap_("getuid")

    async def geteuid(self) -> int:
        """The user as whom this process acts."""
        return await self.trap_("geteuid")

    async def getgid(self) -> int:
        """The real group."""
        return await self.trap_("getgid")

    async def getegid(self) -> int:
        """The group as which this process acts."""
        return await self.trap_("getegid")

    async def getresuid(self) -> tuple[int, int, int]:
        """The real, effective and saved user."""
        places = [gate.UserBuffer() for _ in range(3)]
        return await self.trap_("getresuid", *places, result=lambda ax: _read(places))

    async def getresgid(self) -> tuple[int, int, int]:
        """The real, effective and saved group."""
        places = [gate.UserBuffer() for _ in range(3)]
        return await self.trap_("getresgid", *places, result=lambda ax: _read(places))

    async def setuid(self, uid: int) -> None:
        """Be the user `uid`."""
        await self.trap_("setuid", _id(uid), result=lambda ax: None)

    async def setgid(self, gid: int) -> None:
        """Be the group `gid`."""
        await self.trap_("setgid", _id(gid), result=lambda ax: None)

    async def setreuid(self, ruid: int, euid: int) -> None:
        """Set the real and the effective user; -1 leaves one as it is."""
        await self.trap_("setreuid", _id(ruid), _id(euid), result=lambda ax: None)

    async def setregid(self, rgid: int, egid: int) -> None:
        """Set the real and the effective group; -1 leaves one as it is."""
        await self.trap_("setregid", _id(rgid), _id(egid), result=lambda ax: None)

    async def setresuid(self, ruid: int, euid: int, suid: int) -> None:
        """Set the real, effective and saved user; -1 leaves one as it is."""
        args = (_id(ruid), _id(euid), _id(suid))
        await self.trap_("setresuid", *args, result=lambda ax: None)

    async def setresgid(self, rgid: int, egid: int, sgid: int) -> None:
        """Set the real, effective and saved group; -1 leaves one as it is."""
        args = (_id(rgid), _id(egid), _id(sgid))
        await self.trap_("setresgid", *args, result=lambda ax: None)

    async def getgroups(self) -> list[int]:
        """The supplementary groups."""
        found = gate.UserBuffer()
        found.data = []
        return await self.trap_("getgroups", 65536, found, result=lambda ax: found.data)

    async def setgroups(self, groups: Iterable[int]) -> None:
        """Be in the supplementary groups `groups`."""
        wished = gate.UserBuffer()
        wished.data = [_id(group) for group in groups]
        await self.trap_("setgroups", len(wished.data), wished, result=lambda ax: None)

    # --- names ------------------------------------------------------------------------------

    async def uname(self) -> Uname:
        """The names of the machine: sysname, nodename, release, version, machine."""
        found = gate.UserBuffer()
        return await self.trap_("uname", found, result=lambda ax: Uname(*found.data[:5]))

    async def gethostname(self) -> str:
        """The machine's name in the network, as this UTS namespace has it."""
        found = gate.UserBuffer()
        return await self.trap_("uname", found, result=lambda ax: found.data[1])

    async def sethostname(self, name: str | bytes) -> None:
        """Give the machine another name, in this UTS namespace."""
        place = gate.UserBuffer()
        place.data = name.encode() if isinstance(name, str) else bytes(name)
        await self.trap_("sethostname", place, len(place.data), result=lambda ax: None)

    # --- namespaces -------------------------------------------------------------------------

    async def unshare(self, flags: int) -> None:
        """Stop sharing with others what `flags` say."""
        await self.trap_("unshare", operator.index(flags), result=lambda ax: None)

    async def setns(self, fd: int, nstype: int = 0) -> None:
        """Enter the namespace of an open /proc/PID/ns/…, or those of a pidfd's process that `nstype` names."""
        args = _c.to_int(fd, "fd"), _c.to_int(nstype, "nstype")
        await self.trap_("setns", *args, result=lambda ax: None)

    async def readlink(self, path: str) -> str:
        """What a symbolic link says: those in /proc are all there is."""
        place = gate.UserBuffer()
        return await self.trap_(
            "readlink", str(path), place, 4096, result=lambda ax: place.data.decode()
        )


def _read(places: list[gate.UserBuffer]) -> tuple[int, ...]:
    return tuple(place.data for place in places)
