"""What a signal does to who blocks it, ignores it, sleeps or is one thread of many."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait
from kernelsim.user.programs import common

__all__ = [
    "a_blocked_signal_comes_when_it_is_let_through",
    "a_pause_ends_with_a_handler",
    "a_pause_ends_with_sigkill",
    "each_signal_ends_a_sleeper",
    "ignored_signals_do_nothing",
    "raised_signals_end_their_sender",
    "tgkill_names_process_and_thread",
    "what_is_pending_is_told",
]

_DEADLY = (1, 2, 9, 10, 12, 13, 14, 15, 16, 26, 27, 29, 30)  # those that leave no core


async def each_signal_ends_a_sleeper(libc: Any) -> None:
    """A sleeping child that does nothing about a signal ends with it as its status word."""
    for sig in _DEADLY:
        pid = await libc.fork()
        if pid == 0:
            while True:
                await libc.pause()
        await libc.kill(pid, sig)
        await common.say(libc, f"{await libc.wait()}")


async def raised_signals_end_their_sender(libc: Any) -> None:
    """A child that sends itself a signal never comes to its exit."""
    for sig in _DEADLY:
        pid = await libc.fork()
        if pid == 0:
            await libc.kill(await libc.getpid(), sig)
            await libc.exit(0)
        await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def ignored_signals_do_nothing(libc: Any) -> None:
    """A child that ignores a signal lives on and exits with 1; SIGKILL cannot be ignored."""
    for sig in range(1, 14):
        ready, going = await libc.pipe(), await libc.pipe()
        pid = await libc.fork()
        if pid == 0:
            answer = await common.fails(libc.signal(sig, signal.SIG_IGN))
            await libc.write(ready[1], answer.encode())
            await libc.read(going[0], 1)
            await libc.exit(1)
        answer = await libc.read(ready[0], 64)
        await libc.kill(pid, sig)
        await libc.write(going[1], b"!")
        await common.say(libc, f"{sig} {answer.decode()}: {await libc.waitpid(pid, 0)}")
        for fd in (*ready, *going):
            await libc.close(fd)


async def a_blocked_signal_comes_when_it_is_let_through(libc: Any) -> None:
    """A standard and a real-time signal: blocked and pending, then handled before the call is over."""
    for sig in (signal.SIGINT, 35):
        seen: list[int] = []

        async def handler(number: int, seen: list[int] = seen) -> None:
            seen.append(number)

        await libc.signal(sig, handler)
        await libc.sigprocmask(signal.SIG_BLOCK, {sig})
        await libc.kill(await libc.getpid(), sig)
        await common.say(libc, f"{seen} {sorted(await libc.sigpending())}")
        before = await libc.sigprocmask(signal.SIG_UNBLOCK, {sig})
        await common.say(libc, f"{seen} {sorted(before)} {sorted(await libc.sigpending())}")


async def what_is_pending_is_told(libc: Any) -> None:
    """Nothing, one, two: sigpending names what has come and waits, and each is handled once."""
    seen: list[int] = []

    async def handler(sig: int) -> None:
        seen.append(sig)

    both = {signal.SIGUSR1, signal.SIGUSR2}
    old = await libc.sigprocmask(signal.SIG_SETMASK, both)
    me = await libc.getpid()
    await common.say(libc, f"{sorted(await libc.sigpending())} {seen}")
    for sig in sorted(both):
        await libc.signal(sig, handler)
        await libc.kill(me, sig)
        await common.say(libc, f"{sorted(await libc.sigpending())} {seen}")
    await libc.sigprocmask(signal.SIG_SETMASK, old)
    await common.say(libc, f"{sorted(await libc.sigpending())} {sorted(seen)}")


async def a_pause_ends_with_a_handler(libc: Any) -> None:
    """Eleven signals, each with a handler: the handler runs, and the pause is over."""
    for sig in (1, 2, 3, 4, 5, 6, 8, 11, 13, 14, 15):
        r, w = await libc.pipe()
        pid = await libc.fork()
        if pid == 0:
            seen: list[int] = []

            async def handler(number: int, seen: list[int] = seen) -> None:
                seen.append(number)

            await libc.signal(sig, handler)
            await libc.write(w, b"!")
            await libc.pause()
            await libc.exit(seen[0])
        await libc.read(r, 1)
        while (answer := await libc.waitpid(pid, wait.WNOHANG)) == (0, 0):
            await libc.kill(pid, sig)  # once more: the first may come before the pause
            await libc.nanosleep(0, 1_000_000)
        await common.say(libc, f"{sig}: {answer}")


async def a_pause_ends_with_sigkill(libc: Any) -> None:
    """A pause that SIGKILL ends does not return."""
    pid = await libc.fork()
    if pid == 0:
        await libc.pause()
        await common.say(libc, "never said")
        await libc.exit(0)
    await libc.kill(pid, signal.SIGKILL)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def tgkill_names_process_and_thread(libc: Any) -> None:
    """No number and no signal are EINVAL; a thread that is none, or not of that process, ESRCH."""
    seen: list[int] = []

    async def handler(sig: int) -> None:
        seen.append(sig)

    await libc.signal(signal.SIGUSR1, handler)
    me, thread = await libc.getpid(), await libc.gettid()
    for tgid, tid, sig in ((-1, thread, 10), (me, -1, 10), (0, thread, 10), (me, 0, 10),
                           (me, thread, -1), (me, thread, 65), (me, 30000, 10),
                           (30000, thread, 10), (1, thread, 10), (me, thread, 0)):  # fmt: skip
        answer = await common.fails(libc.tgkill(tgid, tid, sig))
        await common.say(libc, f"tgkill({tgid}, {tid}, {sig}): {answer} {seen}")
    await libc.tgkill(me, thread, signal.SIGUSR1)
    await common.say(libc, f"{seen}")
