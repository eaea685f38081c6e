"""Actors and their director, for both kernels: who carries out a random program.

The director (pid 2) sends each command to an actor through a pipe and then lets everybody come to
rest (`settle`), so that what happens does not depend on a race.  An actor makes the call, says so
(CALLED), waits to be told to go on, tells what came of it and says that it is ready.  A command
for one that is busy (asleep in a call, stopped, dead) goes to the next that is not.

`obey` is the actor of the simulator; on Linux it is tests/oracle/actor.c.
"""

import struct
from collections.abc import Awaitable, Callable
from typing import Any

from kernelsim.arch.x86.entry import common
from kernelsim.include.linux import uaccess
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import sched
from kernelsim.user import gate
from tests.oracle import commands

__all__ = ["Actor", "Cast", "direct", "obey"]

OUT, ACK, FIRST_PIPE, CALLED, SENTINEL = 100, 18, 20, 64, 255
SIZE = 80
_SA_RESTORER = 0x04000000
_OPS = {number: name for name, number in commands.OPS.items()}
_PRCTL_NAME = 15


def _pipe_of(actor: int) -> int:
    return FIRST_PIPE + 2 * actor


# --- the director -----------------------------------------------------------------------------


async def direct(
    libc: Any,
    program: list[commands.Command],
    settle: Callable[[bool], Awaitable[None]],
    start: Callable[[], Awaitable[None]],
) -> None:
    """Let actors carry out `program`.

    `settle(show)` comes back when everybody is at rest, and shows the tasks if asked to; `start()`
    makes the calling process actor 0.
    """
    await libc.dup2(1, OUT)
    for place in (ACK, *map(_pipe_of, range(commands.ACTORS))):
        ends = await libc.pipe()
        for i, end in enumerate(ends):
            await libc.dup2(end, place + i)
            await libc.close(end)
    if await libc.fork() == 0:
        await libc.setpgid(0, 0)  # who signals its group spares the director and init
        await start()
    await settle(False)
    ready = await _acknowledged(libc)
    for number, command in enumerate(program):
        order = [(command.actor + i) % commands.ACTORS for i in range(commands.ACTORS)]
        if command.name in commands.EXACT:
            order = order[:1]
        to = next((actor for actor in order if actor in ready), None)
        await libc.write(OUT, f"- {number} {to}\n".encode())
        if to is None:
            continue
        ready.discard(to)
        record = commands.encode(number, command, _number)
        await libc.write(_pipe_of(to) + 1, record)
        await settle(True)
        while came := await _acknowledged(libc):
            ready |= {actor for actor in came if actor < CALLED}
            called = [actor - CALLED for actor in came if actor >= CALLED]
            if not called:
                break
            for actor in called:
                await libc.write(_pipe_of(actor) + 1, b"!")
            await settle(False)


async def _acknowledged(libc: Any) -> set[int]:
    # Who has written to the pipe of acknowledgements: it is read up to a byte of our own.
    await libc.write(ACK + 1, bytes([SENTINEL]))
    return set(await libc.read(ACK, 4096)) - {SENTINEL}


def _number(name: str) -> int:
    return commands.NUMBERS.get(name) or common.syscall_number(name)


# --- the simulator's actor --------------------------------------------------------------------


class _World:
    # What the actors that share memory share beside Python's objects: actor.c's `places`.
    def __init__(self, known: list[list[int]] | None = None) -> None:
        n = range(commands.ACTORS)
        self.places = [[gate.UserBuffer() for _ in range(3)] for _ in n]
        for place, values in zip(self.places, known or [[0, 0, 0] for _ in n], strict=True):
            for word, value in zip(place, values, strict=True):
                word.data = value

    def copy(self) -> "_World":
        return _World([[word.data or 0 for word in place] for place in self.places])


class Cast:
    """All actors of a program: machine `m`, the programs' directory, and the handlers, as code."""

    def __init__(self, m: Any, directory: str) -> None:
        self.m, self.directory = m, directory
        self.playing: dict[int, Actor] = {}  # by the address of the task
        self.handlers = {commands.TELL: self._handles, commands.REAP: self._reaps}

    async def _handles(self, sig: int) -> None:
        await self.playing[self.m.current.address_].tell("handles", sig)

    async def _reaps(self, sig: int) -> None:
        await self._handles(sig)
        await self.playing[self.m.current.address_].reap()


class Actor:
    """One actor: who it is, of which cast, with whom it shares its memory."""

    def __init__(self, libc: Any, me: int, cast: Cast, world: _World) -> None:
        self.libc, self.me, self.cast, self.world = libc, me, cast, world

    async def obey(self) -> int:
        """Carry out commands for ever."""
        while True:
            self.cast.playing[self.cast.m.current.address_] = self
            await self._acknowledge(0)
            number, op, nr, child, *args = struct.unpack("<10q", await self._read(SIZE))
            result = await self._carry_out(_OPS[op], nr, child, args)
            if _OPS[op] == "spawn" and result[0] == 0:
                self.me, self.world = child, self.world.copy()
                continue
            await self._acknowledge(CALLED)
            await self._read(1)
            await self.tell(number, *result)

    # Make a call: [what the kernel returned, and what `more` finds then].
    async def _call(
        self, name: str, *args: Any, more: Callable[[], tuple[Any, ...]] = tuple
    ) -> Any:
        try:
            found = await self.libc.trap_(name, *args, result=lambda ax: [ax, *more()])
        except OSError as error:
            return [-(error.errno or 0), *[0] * len(more())]
        return found or [0]  # a forked child gets a bare 0

    async def _read(self, n: int) -> bytes:
        place = gate.UserBuffer()
        while True:
            try:
                return await self.libc.trap_(
                    "read", _pipe_of(self.me), place, n, result=lambda ax: place.data
                )
            except OSError as error:
                if error.errno != errno.EINTR:
                    raise

    async def _acknowledge(self, how: int) -> None:
        await self._call("write", ACK + 1, bytes([self.me | how]), 1)

    async def tell(self, *what: Any) -> None:
        """Say a line."""
        line = f"{self.me} {' '.join(map(str, what))}\n".encode()
        await self._call("write", OUT, line, len(line))

    async def reap(self) -> None:
        """Wait for all children that have something to say."""
        while (found := await self._wait4(-1, 11))[0] > 0:
            await self.tell("reaps", *found)

    # --- what it can do -----------------------------------------------------------------------

    async def _carry_out(self, op: str, nr: int, child: int, args: list[int]) -> list[int]:
        if op == "call":
            name = common.syscall_name(nr)
            return await self._call(name, *args[: ARGUMENTS.get(name, 0)])
        if op == "spawn":
            return await self._spawn(nr, child, args)
        if op == "join":
            word = self.world.places[child][1]
            return await self._call("futex", word, 0, word.data or 1)
        if op == "peek":
            places = self.world.places[child]
            words = await self._call("getpid", more=lambda: tuple(p.data or 0 for p in places[:2]))
            return words[1:]
        return await getattr(self, f"_{op}")(*args)

    async def _wait4(self, pid: int, options: int, *_: int) -> list[int]:
        status = gate.UserBuffer()
        return await self._call(
            "wait4", pid, status, options, None, more=lambda: (status.data or 0,)
        )

    async def _waitid(self, which: int, pid: int, options: int, *_: int) -> list[int]:
        info = gate.UserBuffer()

        def found() -> tuple[int, ...]:
            signo, code, number, _, status = info.data or (0,) * 5
            return signo, code, number, status

        return await self._call("waitid", which, pid, info, options, None, more=found)

    async def _sigaction(self, sig: int, how: int, flags: int, mask: int, *_: int) -> list[int]:
        handler = self.cast.handlers.get(how, how)
        act = None
        if how != commands.QUERY:
            act = (self.libc._address(handler), flags, _unsigned(mask))
        old = gate.UserBuffer()

        def before() -> tuple[int, ...]:
            address, was, mask = old.data or (0, 0, 0)
            known = self.libc.handlers_.get(address, address)
            kinds = [kind for kind, one in self.cast.handlers.items() if one == known]
            return (*(kinds or [address]), was & ~_SA_RESTORER, _signed(mask))

        return await self._call("rt_sigaction", sig, act, old, 8, more=before)

    async def _sigprocmask(self, how: int, mask: int, *_: int) -> list[int]:
        old = gate.UserBuffer()
        args = how, _unsigned(mask), old, 8
        return await self._call("rt_sigprocmask", *args, more=lambda: (_signed(old.data or 0),))

    async def _sigpending(self, *_: int) -> list[int]:
        found = gate.UserBuffer()
        more = lambda: (_signed(found.data or 0),)  # noqa: E731
        return await self._call("rt_sigpending", found, 8, more=more)

    async def _sigsuspend(self, mask: int, *_: int) -> list[int]:
        return await self._call("rt_sigsuspend", _unsigned(mask), 8)

    async def _spawn(self, nr: int, child: int, args: list[int]) -> list[int]:
        flags, exit_signal, wanted, size, *_ = args
        name = common.syscall_name(nr)
        if name in {"fork", "vfork"}:
            return await self._call(name)
        tids = list(self.world.places[child])
        if not flags & sched.CLONE_VM:
            tids[1] = gate.UserBuffer()  # it is stored into the child's memory, which is a copy
        stack: Any = 0
        if flags & sched.CLONE_VM:
            cast, world = self.cast, self.world
            stack = gate.Stack(lambda libc: Actor(libc, child, cast, world).obey())
        pidfd = flags & sched.CLONE_PIDFD

        def stored() -> tuple[int, ...]:
            first = name == "clone" or flags & sched.CLONE_PARENT_SETTID
            second = name == "clone3" and pidfd
            return tids[0].data or 0 if first else 0, tids[2].data or 0 if second else 0

        more: Any = stored if pidfd or flags & sched.CLONE_PARENT_SETTID else tuple
        if name == "clone":
            found = await self._call(
                name, flags | exit_signal, stack, tids[0], tids[1], 0, more=more
            )
        else:
            place = self._clone_args(flags, exit_signal, wanted, stack, tids)
            found = await self._call(name, place, size, more=more)
        return found[:1] if found[0] < 0 else found

    def _clone_args(
        self, flags: int, exit_signal: int, wanted: int, stack: Any, tids: list[Any]
    ) -> gate.UserBuffer:
        # struct clone_args, in user memory.
        m, length = self.cast.m, 64 << 10
        number, place = gate.UserBuffer(), gate.UserBuffer()
        number.data = (wanted,)
        args = (
            *(flags, *(uaccess.user_address(m, tids[i]) for i in (2, 1, 0))),
            exit_signal,
            *((uaccess.user_address(m, stack) - length, length) if stack else (0, 0)),
            *(0, uaccess.user_address(m, number) if wanted else 0, int(wanted != 0), 0),
        )
        place.data = struct.pack("<11Q", *args).ljust(8192, b"\0")
        return place

    async def _execve(self, missing: int, *_: int) -> list[int]:
        name = "x" if missing else str(self.me)
        path = f"{self.cast.directory}/actor{name}"
        result = await self._call("execve", path, [path, self.cast.directory], [])
        if result[0] == 0:
            raise gate.NewImage
        return result

    async def _get(self, option: int, *_: int) -> list[int]:
        place = gate.UserBuffer()

        def value() -> tuple[int]:
            data = place.data or 0
            if isinstance(data, bytes | str):
                text = data.encode() if isinstance(data, str) else data
                data = int.from_bytes(text.ljust(4, b"\0")[:4], "little")
            return (data,)

        return await self._call("prctl", option, place, more=value)

    async def _name(self, letter: int, *_: int) -> list[int]:
        place = gate.UserBuffer()
        place.data = bytes([ord("a") + letter])
        return await self._call("prctl", _PRCTL_NAME, place)

    async def _poll(self, fd: int, timeout: int, *_: int) -> list[int]:
        place = gate.UserBuffer()
        place.data = [(fd, 1, 0)]
        return await self._call("poll", place, 1, timeout, more=lambda: (place.data[0][2] & 33,))

    async def _nap(self, *_: int) -> list[int]:
        return await self._call("nanosleep", 1000, 0, gate.UserBuffer())


ARGUMENTS = {
    "kill": 2,
    "tkill": 2,
    "tgkill": 3,
    "exit": 1,
    "exit_group": 1,
    "unshare": 1,
    "umask": 1,
    "set_tid_address": 1,
    "pidfd_open": 2,
    "pidfd_send_signal": 4,
    "pidfd_getfd": 3,
    "dup": 1,
    "dup2": 2,
    "dup3": 3,
    "fcntl": 3,
    "close": 1,
    "close_range": 3,
    "getpgid": 1,
    "getsid": 1,
    "setpgid": 2,
    "prctl": 2,
}
"""How many arguments the plain calls take."""


def obey(cast: Cast, me: int) -> Callable[[Any], Any]:
    """The program of actor `me`: what its execve runs."""

    async def main(libc: Any) -> int:
        return await Actor(libc, me, cast, _World()).obey()

    return main


def _unsigned(n: int) -> int:
    return n & (1 << 64) - 1


def _signed(n: int) -> int:
    return n - (1 << 64) if n >> 63 else n
