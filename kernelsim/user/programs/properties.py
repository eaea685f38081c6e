"""What a process may set for itself: its name, its parent's death, being a subreaper, sharing no more."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import prctl, sched
from kernelsim.user.programs import common

__all__ = [
    "a_name_has_fifteen_bytes",
    "a_subreaper_is_told_of_orphans",
    "prctl_refuses",
    "the_parents_death_is_a_signal",
    "unshare_refuses_what_it_does_not_know",
]


async def the_parents_death_is_a_signal(libc: Any) -> None:
    """PR_SET_PDEATHSIG is not inherited; the orphan dies of the signal, and its new parent reaps it."""
    await libc.prctl(prctl.PR_SET_CHILD_SUBREAPER, 1)
    await libc.prctl(prctl.PR_SET_PDEATHSIG, signal.SIGUSR2)
    await common.say(libc, f"{await libc.prctl(prctl.PR_GET_PDEATHSIG)}")
    r, w = await libc.pipe()
    middle = await libc.fork()
    if middle == 0:
        await common.say(libc, f"{await libc.prctl(prctl.PR_GET_PDEATHSIG)}")
        if await libc.fork() == 0:
            await libc.prctl(prctl.PR_SET_PDEATHSIG, signal.SIGTERM)
            await libc.write(w, b"!")
            while True:
                await libc.pause()
        await libc.read(r, 1)
        await libc.exit(0)
    await common.say(libc, f"{await libc.waitpid(middle, 0)}")
    await common.say(libc, f"{await libc.wait()}")


async def prctl_refuses(libc: Any) -> None:
    """No such option and no such signal are EINVAL, a name at an address without memory EFAULT."""
    for option, arg in ((999, 1), (prctl.PR_SET_PDEATHSIG, -1), (prctl.PR_SET_PDEATHSIG, 65),
                        (prctl.PR_SET_NAME, 8), (prctl.PR_SET_PDEATHSIG, 64)):  # fmt: skip
        await common.say(libc, await common.fails(libc.prctl(option, arg)))


async def a_subreaper_is_told_of_orphans(libc: Any) -> None:
    """An orphan's new parent is the subreaper, which gets its SIGCHLD; no child inherits the office."""
    seen: list[int] = []

    async def told(sig: int) -> None:
        seen.append(sig)

    await libc.signal(signal.SIGCHLD, told)
    await libc.prctl(prctl.PR_SET_CHILD_SUBREAPER, 1)
    me = await libc.getpid()
    r, w = await libc.pipe()
    child = await libc.fork()
    if child == 0:
        if await libc.fork() == 0:
            await libc.read(r, 1)
            await common.say(libc, f"adopted: {await libc.getppid() == me}")
            await libc.exit(4)
        await common.say(libc, f"child: {await libc.prctl(prctl.PR_GET_CHILD_SUBREAPER)}")
        await libc.exit(3)
    await common.say(libc, f"{await libc.waitpid(child, 0)} {len(seen)}")
    await libc.write(w, b"!")
    await common.say(libc, f"{await libc.wait()} {len(seen)}")
    await common.say(libc, f"me: {await libc.prctl(prctl.PR_GET_CHILD_SUBREAPER)}")


async def a_name_has_fifteen_bytes(libc: Any) -> None:
    """PR_SET_NAME keeps fifteen bytes; a child has its parent's name."""
    for name in ("short", "fifteen_letters", "more_than_fifteen"):
        await libc.prctl(prctl.PR_SET_NAME, name)
        await common.say(libc, f"{await libc.prctl(prctl.PR_GET_NAME)}")
    pid = await libc.fork()
    if pid == 0:
        await common.say(libc, f"{await libc.prctl(prctl.PR_GET_NAME)}")
        await libc.exit(0)
    await libc.waitpid(pid, 0)


async def unshare_refuses_what_it_does_not_know(libc: Any) -> None:
    """Tables can be had for oneself, shared or not; a flag that unshare has not is EINVAL."""
    for flags in (sched.CLONE_FILES, sched.CLONE_FS, sched.CLONE_FILES | sched.CLONE_FS, 0, -1,
                  sched.CLONE_PARENT):  # fmt: skip
        await common.say(libc, await common.fails(libc.unshare(flags)))
