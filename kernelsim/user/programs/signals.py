"""SIGKILL and SIGPIPE: death by signal as the parent sees it."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.user.programs import common

__all__ = [
    "init_cannot_be_killed_from_inside",
    "kill_a_sleeping_child",
    "kill_oneself",
    "kill_the_dead",
    "write_without_a_reader",
]


async def kill_a_sleeping_child(libc: Any) -> None:
    """SIGKILL ends a process in whatever call it sleeps; the status word is the signal's number."""
    r, _ = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.read(r, 1)
        await common.say(libc, "never said")
        return
    await libc.kill(pid, signal.SIGKILL)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def kill_oneself(libc: Any) -> None:
    """The program's own status word, when a signal ended its first process."""
    await common.say(libc, "last words")
    await libc.kill(await libc.getpid(), signal.SIGKILL)
    await common.say(libc, "never said")


async def kill_the_dead(libc: Any) -> None:
    """A zombie can be signalled in vain; once reaped it is gone: ESRCH."""
    pid = await common.start(libc, 3)
    r, w = await libc.pipe()
    await libc.close(w)
    await common.say(libc, f"signal 0: {await common.fails(libc.kill(pid, 0))}")
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    await common.say(libc, f"signal 0: {await common.fails(libc.kill(pid, 0))}")
    await common.say(libc, f"SIGKILL: {await common.fails(libc.kill(pid, signal.SIGKILL))}")
    await libc.close(r)


async def init_cannot_be_killed_from_inside(libc: Any) -> None:
    """Pid 1 of a namespace ignores even SIGKILL from its own children: kill says it worked."""
    await common.say(libc, await common.fails(libc.kill(1, signal.SIGKILL)))
    await common.start(libc, 0)
    await libc.wait()
    await common.say(libc, f"parent is still {await libc.getppid()}")


async def write_without_a_reader(libc: Any) -> None:
    """Writing into a pipe that nobody can read any more is death by SIGPIPE, 13."""
    r, w = await libc.pipe()
    await libc.close(r)
    if await libc.fork() == 0:
        await libc.write(w, b"is anybody there?")
        await common.say(libc, "never said")
        return
    await common.say(libc, f"{await libc.wait()}")
