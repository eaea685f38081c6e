"""Stop and continue, and what a parent is told of it: job control without a terminal."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait
from kernelsim.user.programs import common

__all__ = [
    "a_continued_child_is_told_of_once",
    "a_killed_child_need_not_be_continued",
    "a_stop_is_told_of_once",
    "an_orphaned_group_ignores_the_keyboards_stop",
    "an_orphaned_stopped_group_is_hung_up",
    "continue_takes_a_stop_back",
    "waitid_tells_how",
]


async def _sleeper(libc: Any) -> int:
    # A child that sleeps until somebody ends it, in a group of its own; its number.
    pid = await libc.fork()
    if pid == 0:
        await libc.setpgid(0, 0)
        while True:
            await libc.pause()
    await libc.setpgid(pid, pid)
    return int(pid)


async def a_stop_is_told_of_once(libc: Any) -> None:
    """WUNTRACED tells of a stop once; the status word is (signal << 8) | 0x7f."""
    pid = await _sleeper(libc)
    await libc.kill(pid, signal.SIGSTOP)
    await common.say(libc, f"{await libc.waitpid(pid, wait.WUNTRACED)}")
    await common.say(libc, f"{await libc.waitpid(pid, wait.WUNTRACED | wait.WNOHANG)}")
    await libc.kill(pid, signal.SIGKILL)
    await common.say(libc, f"{await libc.waitpid(pid, wait.WUNTRACED)}")


async def a_continued_child_is_told_of_once(libc: Any) -> None:
    """WCONTINUED: 0xffff, once."""
    pid = await _sleeper(libc)
    await libc.kill(pid, signal.SIGSTOP)
    await libc.waitpid(pid, wait.WUNTRACED)
    await libc.kill(pid, signal.SIGCONT)
    await common.say(libc, f"{await libc.waitpid(pid, wait.WCONTINUED)}")
    await common.say(libc, f"{await libc.waitpid(pid, wait.WCONTINUED | wait.WNOHANG)}")
    await libc.kill(pid, signal.SIGTERM)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def a_killed_child_need_not_be_continued(libc: Any) -> None:
    """SIGTERM waits until a stopped process goes on; SIGKILL does not."""
    pid = await _sleeper(libc)
    await libc.kill(pid, signal.SIGSTOP)
    await libc.waitpid(pid, wait.WUNTRACED)
    await libc.kill(pid, signal.SIGTERM)
    await common.say(libc, f"{await libc.waitpid(pid, wait.WNOHANG)}")
    await libc.kill(pid, signal.SIGKILL)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def continue_takes_a_stop_back(libc: Any) -> None:
    """SIGCONT removes a stop signal that waits, and a stop signal removes SIGCONT."""
    blocked = {signal.SIGTSTP, signal.SIGCONT}
    await libc.sigprocmask(signal.SIG_BLOCK, blocked)
    me = await libc.getpid()
    await libc.kill(me, signal.SIGTSTP)
    await common.say(libc, f"{sorted(await libc.sigpending())}")
    await libc.kill(me, signal.SIGCONT)
    await common.say(libc, f"{sorted(await libc.sigpending())}")
    await libc.kill(me, signal.SIGTSTP)
    await common.say(libc, f"{sorted(await libc.sigpending())}")
    await libc.kill(me, signal.SIGCONT)
    await libc.sigprocmask(signal.SIG_UNBLOCK, blocked)
    await common.say(libc, "still here")


async def an_orphaned_group_ignores_the_keyboards_stop(libc: Any) -> None:
    """SIGTSTP does nothing to a group that nobody outside it could continue; SIGSTOP always stops."""
    pid = await libc.fork()
    if pid == 0:
        await libc.setsid()
        await libc.kill(0, signal.SIGTSTP)
        await libc.exit(5)
    await common.say(libc, f"{await libc.waitpid(pid, wait.WUNTRACED)}")


async def an_orphaned_stopped_group_is_hung_up(libc: Any) -> None:
    """When a group with a stopped member is orphaned, it gets SIGHUP and then SIGCONT."""
    r, w = await libc.pipe()
    shell = await libc.fork()
    if shell == 0:
        await libc.setsid()
        job = await _sleeper(libc)
        await libc.kill(job, signal.SIGSTOP)
        await libc.waitpid(job, wait.WUNTRACED)
        await libc.exit(0)  # the job's read end of nothing: w closes when it is gone too
    await libc.close(w)
    await libc.waitpid(shell, 0)
    await common.say(libc, f"the job is gone: {await libc.read(r, 1)!r}")


async def waitid_tells_how(libc: Any) -> None:
    """Waitid has a code for each way: exited, killed, stopped, continued; WNOWAIT leaves it there."""
    everything = wait.WEXITED | wait.WSTOPPED | wait.WCONTINUED
    pid = await _sleeper(libc)
    for sig in (signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL):
        await libc.kill(pid, sig)
        await common.say(libc, f"{await libc.waitid(wait.P_PID, pid, everything)}")
    pid = await common.start(libc, 7)
    await common.say(libc, f"{await libc.waitid(wait.P_PID, pid, wait.WEXITED | wait.WNOWAIT)}")
    await common.say(libc, f"{await libc.waitid(wait.P_ALL, 0, wait.WEXITED)}")
    await common.say(libc, await common.fails(libc.waitid(wait.P_ALL, 0, wait.WEXITED)))
    await common.say(libc, await common.fails(libc.waitid(wait.P_ALL, 0, wait.WNOHANG)))
    await common.say(libc, await common.fails(libc.waitid(9, 0, wait.WEXITED)))
