"""Process groups and sessions: who is in which, who may move, whom kill reaches."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait
from kernelsim.user.programs import common

__all__ = [
    "a_group_kills_itself",
    "a_group_of_ones_own",
    "a_leader_of_a_left_group_begins_no_session",
    "a_session_is_inherited",
    "groups_can_be_asked_for",
    "groups_that_cannot_be_joined",
    "kill_reaches_one_group_after_the_other",
    "kill_reaches_the_own_group_only",
    "kill_refuses",
    "no_group_joins_two_sessions",
    "nobody_has_that_number",
]


async def _sleep_for_ever(libc: Any) -> None:
    while True:
        await libc.pause()


async def kill_reaches_the_own_group_only(libc: Any) -> None:
    """kill(0) goes to the members of the caller's group; who has left it lives on."""
    await libc.setpgid(0, 0)
    inside: list[int] = []
    outside: list[int] = []
    for number in range(4):
        pid = await libc.fork()
        if pid == 0:
            await _sleep_for_ever(libc)
        if number % 2:
            await libc.setpgid(pid, pid)
        (outside if number % 2 else inside).append(pid)
    await libc.signal(signal.SIGUSR1, signal.SIG_IGN)
    await libc.kill(0, signal.SIGUSR1)
    for pid in inside:
        await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    for pid in outside:
        await common.say(libc, f"{await libc.waitpid(pid, wait.WNOHANG)}")
        await libc.kill(pid, signal.SIGKILL)
        await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def kill_refuses(libc: Any) -> None:
    """No such signal is EINVAL; nobody of that number, and the smallest int, are ESRCH."""
    me = await libc.getpid()
    for pid, sig in ((me, 2000), (me, -1), (30000, signal.SIGKILL), (-(2**31), signal.SIGKILL),
                     (-(2**31), 0), (-30000, 0)):  # fmt: skip
        await common.say(libc, f"kill({pid}, {sig}): {await common.fails(libc.kill(pid, sig))}")


async def a_group_kills_itself(libc: Any) -> None:
    """SIGKILL to the own group, as 0 or as its negative number, leaves nobody of six."""
    for whole in (True, False):
        r, w = await libc.pipe()
        leader = await libc.fork()
        if leader == 0:
            await libc.setpgid(0, 0)
            for _ in range(5):
                if await libc.fork() == 0:
                    await _sleep_for_ever(libc)
            await libc.kill(0 if whole else -(await libc.getpgrp()), signal.SIGKILL)
            await _sleep_for_ever(libc)
        await libc.close(w)
        await common.say(libc, f"{await libc.waitpid(leader, 0)}")
        await common.say(libc, f"nobody has the pipe: {await libc.read(r, 1)!r}")
        await libc.close(r)


async def _crew(libc: Any, ready: int) -> None:
    # Lead a group of six, report it at `ready`, and exit with the number of those that SIGUSR1 ends.
    await libc.setpgid(0, 0)
    crew = []
    for _ in range(5):
        pid = await libc.fork()
        if pid == 0:
            await _sleep_for_ever(libc)
        crew.append(pid)
    await libc.signal(signal.SIGUSR1, signal.SIG_IGN)
    await libc.write(ready, b"!")
    ends = [await libc.waitpid(pid, 0) for pid in crew]
    await libc.exit(sum(status == signal.SIGUSR1 for _, status in ends))


async def kill_reaches_one_group_after_the_other(libc: Any) -> None:
    """Two groups of six: a signal to the one is none to the other."""
    leaders = []
    for _ in range(2):
        r, w = await libc.pipe()
        pid = await libc.fork()
        if pid == 0:
            await _crew(libc, w)
        await libc.read(r, 1)
        leaders.append(pid)
    for pid in leaders:
        await common.say(libc, f"{await libc.waitpid(pid, wait.WNOHANG)}")
        await libc.kill(-pid, signal.SIGUSR1)
        await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def a_group_of_ones_own(libc: Any) -> None:
    """To set the group that one has is no error; setpgid(0, 0) makes a new one."""
    group = await libc.getpgrp()
    await libc.setpgid(await libc.getpid(), group)
    await common.say(libc, f"{await libc.getpgrp() == group}")
    pid = await libc.fork()
    if pid == 0:
        await common.say(libc, f"{await libc.getpgrp() == group}")
        await libc.setpgid(0, 0)
        await common.say(libc, f"{await libc.getpgrp() == await libc.getpid()}")
        await libc.exit(0)
    await libc.waitpid(pid, 0)


async def groups_that_cannot_be_joined(libc: Any) -> None:
    """A negative group is EINVAL, who is no child ESRCH, a group that is none EPERM."""
    me, parent, group = await libc.getpid(), await libc.getppid(), await libc.getpgrp()
    for pid, pgid in ((me, -1), (parent, group), (30000, group), (me, 32768), (-5, group)):
        answer = await common.fails(libc.setpgid(pid, pgid))
        await common.say(libc, f"setpgid({pid}, {pgid}): {answer}")


async def no_group_joins_two_sessions(libc: Any) -> None:
    """A session leader stays in its group, and nobody from outside comes into it: EPERM."""
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.setsid()
        await common.say(libc, f"leader: {await common.fails(libc.setpgid(0, 0))}")
        await libc.write(w, b"!")
        await _sleep_for_ever(libc)
    await libc.read(r, 1)
    await common.say(libc, await common.fails(libc.setpgid(pid, await libc.getppid())))
    await common.say(libc, await common.fails(libc.setpgid(0, pid)))
    await libc.kill(pid, signal.SIGKILL)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def groups_can_be_asked_for(libc: Any) -> None:
    """A child has its parent's group, and may ask for anybody's."""
    group = await libc.getpgid(0)
    pid = await libc.fork()
    if pid == 0:
        me = await libc.getpid()
        answers = [await libc.getpgid(who) for who in (0, me, group, 1)]
        await common.say(libc, f"{[answer == group for answer in answers]} {answers[3]}")
        await common.say(libc, f"{await libc.getpgrp() == group}")
        await libc.exit(0)
    await libc.waitpid(pid, 0)


async def nobody_has_that_number(libc: Any) -> None:
    """Getpgid and getsid of a number that nobody has, or could have: ESRCH."""
    for call in (libc.getpgid, libc.getsid):
        for pid in (-99, 30000):
            await common.say(libc, await common.fails(call(pid)))


async def a_session_is_inherited(libc: Any) -> None:
    """A child has its parent's session until it begins one of its own; then it leads a group too."""
    session = await libc.getsid(0)
    pid = await libc.fork()
    if pid == 0:
        await common.say(libc, f"{await libc.getsid(0) == session}")
        await libc.setsid()
        me = await libc.getpid()
        numbers = (await libc.getsid(0), await libc.getpgrp())
        await common.say(libc, f"{numbers == (me, me)}")
        await common.say(libc, await common.fails(libc.setsid()))
        await libc.exit(0)
    await libc.waitpid(pid, 0)


async def a_leader_of_a_left_group_begins_no_session(libc: Any) -> None:
    """While others are in the group of one's number, setsid is EPERM, also from another group."""
    await libc.setpgid(0, 0)
    pid = await libc.fork()
    if pid == 0:
        await libc.setpgid(0, 0)
        other = await libc.fork()
        if other == 0:
            await _sleep_for_ever(libc)
        await libc.setpgid(0, await libc.getppid())
        await common.say(libc, await common.fails(libc.setsid()))
        await libc.kill(other, signal.SIGKILL)
        await common.say(libc, f"{await libc.waitpid(other, 0)}")
        await common.say(libc, await common.fails(libc.setsid()))
        await libc.exit(0)
    await libc.waitpid(pid, 0)
