"""Handlers and masks: a program's own answer to a signal."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.user.programs import common

__all__ = [
    "a_blocked_signal_waits",
    "a_call_is_made_again_after_a_handler",
    "a_child_inherits_handlers_and_mask",
    "a_handler_may_fork",
    "a_handler_runs_instead",
    "each_death_is_a_signal",
    "ignored_children_leave_no_zombies",
    "signals_of_one_number_are_merged",
]


async def a_handler_runs_instead(libc: Any) -> None:
    """What would kill runs a function; SIG_DFL and SIG_IGN put it back; the old action is returned."""

    async def handler(sig: int) -> None:
        await common.say(libc, f"handled {sig}")

    me = await libc.getpid()
    await common.say(libc, f"{await libc.signal(signal.SIGTERM, handler)}")
    await libc.kill(me, signal.SIGTERM)
    await common.say(libc, f"{await libc.signal(signal.SIGTERM, signal.SIG_IGN) is handler}")
    await libc.kill(me, signal.SIGTERM)
    await common.say(libc, f"{await libc.signal(signal.SIGTERM, signal.SIG_DFL)}")
    await common.say(libc, await common.fails(libc.signal(signal.SIGKILL, handler)))
    await libc.kill(me, signal.SIGTERM)
    await common.say(libc, "never said")


async def a_blocked_signal_waits(libc: Any) -> None:
    """A blocked signal is pending until it is let through, and then comes before the call returns."""
    seen: list[int] = []

    async def handler(sig: int) -> None:
        seen.append(sig)

    for sig in (signal.SIGUSR1, signal.SIGUSR2):
        await libc.signal(sig, handler)
    await libc.sigprocmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
    me = await libc.getpid()
    await libc.kill(me, signal.SIGUSR2)
    await libc.kill(me, signal.SIGUSR1)
    await common.say(libc, f"{seen} {sorted(await libc.sigpending())}")
    old = await libc.sigprocmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    await common.say(libc, f"{seen} {sorted(await libc.sigpending())} {sorted(old)}")
    await libc.sigprocmask(signal.SIG_SETMASK, set())
    await common.say(libc, f"{seen} {sorted(await libc.sigpending())}")


async def signals_of_one_number_are_merged(libc: Any) -> None:
    """Three blocked SIGUSR1 are one; three real-time signals are three."""
    seen: list[int] = []

    async def handler(sig: int) -> None:
        seen.append(sig)

    me, realtime = await libc.getpid(), 40
    for sig in (signal.SIGUSR1, realtime):
        await libc.signal(sig, handler)
    await libc.sigprocmask(signal.SIG_BLOCK, {signal.SIGUSR1, realtime})
    for _ in range(3):
        await libc.kill(me, signal.SIGUSR1)
    await libc.sigprocmask(signal.SIG_SETMASK, set())
    await common.say(libc, f"{seen.count(signal.SIGUSR1)}")


async def a_child_inherits_handlers_and_mask(libc: Any) -> None:
    """Fork copies handlers and the mask, and leaves what is pending behind."""

    async def handler(sig: int) -> None:
        await common.say(libc, f"handled {sig}")

    await libc.signal(signal.SIGUSR1, handler)
    await libc.sigprocmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    await libc.kill(await libc.getpid(), signal.SIGUSR1)
    pid = await libc.fork()
    if pid == 0:
        await common.say(libc, f"child: {sorted(await libc.sigpending())}")
        await libc.kill(await libc.getpid(), signal.SIGUSR1)
        await libc.sigprocmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        await libc.exit(0)
    await libc.waitpid(pid, 0)
    await common.say(libc, f"parent: {sorted(await libc.sigpending())}")
    await libc.sigprocmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


async def a_call_is_made_again_after_a_handler(libc: Any) -> None:
    """A wait that a handler interrupts goes on afterwards."""

    async def handler(sig: int) -> None:
        await common.say(libc, f"handled {sig}")

    await libc.signal(signal.SIGUSR1, handler)
    r, w = await libc.pipe()
    parent = await libc.getpid()
    pid = await libc.fork()
    if pid == 0:
        await libc.kill(parent, signal.SIGUSR1)
        await libc.read(r, 1)
        await libc.exit(4)

    async def let_go(sig: int) -> None:
        await libc.write(w, b"x")

    await libc.signal(signal.SIGUSR2, let_go)
    helper = await libc.fork()
    if helper == 0:
        await libc.nanosleep(0, 50_000_000)
        await libc.kill(parent, signal.SIGUSR2)
        await libc.exit(0)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    await common.say(libc, f"{await libc.waitpid(helper, 0)}")


async def each_death_is_a_signal(libc: Any) -> None:
    """A handler for SIGCHLD runs when a child ends, and reaps it."""
    seen: list[tuple[int, int]] = []

    async def reap(sig: int) -> None:
        seen.append(await libc.waitpid(-1, 1))

    await libc.signal(signal.SIGCHLD, reap)
    for status in (3, 4):
        pid = await libc.fork()
        if pid == 0:
            await libc.exit(status)
        while not seen:
            await libc.nanosleep(0, 1_000_000)
        await common.say(libc, f"{seen.pop()}")


async def ignored_children_leave_no_zombies(libc: Any) -> None:
    """With SIGCHLD ignored, wait sleeps until the last child is gone and then finds none."""
    await libc.signal(signal.SIGCHLD, signal.SIG_IGN)
    for status in (1, 2, 3):
        await common.start(libc, status)
    await common.say(libc, await common.fails(libc.wait()))


async def a_handler_may_fork(libc: Any) -> None:
    """The child of a fork in a handler returns from the handler, like its parent."""
    made: list[int] = []

    async def handler(sig: int) -> None:
        made.append(await libc.fork())

    await libc.signal(signal.SIGUSR1, handler)
    await libc.kill(await libc.getpid(), signal.SIGUSR1)
    if made == [0]:
        await common.say(libc, f"child {await libc.getpid()}")
        await libc.exit(6)
    await common.say(libc, f"{await libc.waitpid(made[0], 0)}")
