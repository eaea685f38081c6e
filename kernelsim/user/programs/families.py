"""Parents that die first, children that nobody waits for, and who gets them."""

from __future__ import annotations

from typing import Any

from kernelsim.user.programs import common

__all__ = [
    "double_fork",
    "init_reaps_what_the_parent_left",
    "orphan_chain",
    "orphan_gets_init",
    "orphan_of_main",
    "orphan_skips_its_grandparent",
    "siblings_have_one_parent",
    "zombie_keeps_its_number",
    "zombie_waits_to_be_reaped",
]


async def siblings_have_one_parent(libc: Any) -> None:
    """`getppid` names the same parent in every child."""
    for _ in range(3):
        if await libc.fork() == 0:
            await common.say(libc, f"{await libc.getpid()} child of {await libc.getppid()}")
            return
        await libc.wait()


async def orphan_gets_init(libc: Any) -> None:
    """When the parent has died, getppid is 1."""
    ready_r, ready_w = await libc.pipe()
    go_r, go_w = await libc.pipe()
    parent = await libc.fork()
    if parent == 0:
        if await libc.fork() == 0:
            await common.say(libc, f"before: parent {await libc.getppid()}")
            await libc.write(ready_w, b"!")
            await libc.read(go_r, 1)
            await common.say(libc, f"after: parent {await libc.getppid()}")
            return
        await libc.read(ready_r, 1)
        return
    await libc.waitpid(parent, 0)
    await libc.write(go_w, b"!")


async def orphan_of_main(libc: Any) -> int:
    """The program's first process dies; its child sees the number of its parent change to 1."""
    parent = await libc.getpid()
    if await libc.fork() == 0:
        while await libc.getppid() == parent:
            await libc.sched_yield()
        await common.say(libc, f"parent was {parent}, is {await libc.getppid()}")
        return 1
    await common.say(libc, "main ends")
    return 0


async def orphan_skips_its_grandparent(libc: Any) -> None:
    """An orphan goes to init, not to its living grandparent, who has nothing to wait for."""
    go_r, go_w = await libc.pipe()
    back_r, back_w = await libc.pipe()
    parent = await libc.fork()
    if parent == 0:
        orphan = await libc.fork()
        if orphan == 0:
            await libc.read(go_r, 1)
            await libc.write(back_w, str(await libc.getppid()).encode())
            await libc.read(go_r, 1)
            return
        await libc.write(back_w, str(orphan).encode())
        return
    orphan = int(await libc.read(back_r, 16))
    await libc.waitpid(parent, 0)
    await libc.write(go_w, b"1")
    await common.say(libc, f"I am {await libc.getpid()}, the orphan's parent is")
    await common.say(libc, (await libc.read(back_r, 16)).decode())
    await common.say(libc, f"{orphan}: {await common.fails(libc.waitpid(orphan, 0))}")
    await libc.write(go_w, b"2")


async def orphan_chain(libc: Any) -> None:
    """In a chain of five each ends after its fork: the last one's parent is init."""
    r, w = await libc.pipe()
    depth = 0
    while depth < 5 and await libc.fork() == 0:
        depth += 1
    if depth == 0:
        await libc.wait()
    if depth < 5:
        return
    await libc.close(w)
    await common.read_all(libc, r)
    while await libc.getppid() != 1:
        await libc.sched_yield()
    await common.say(libc, f"depth {depth}, pid {await libc.getpid()}, all before me are gone")


async def double_fork(libc: Any) -> None:
    """How a daemon is born: fork twice, let the middle one end, nobody ever waits for the last."""
    ready_r, ready_w = await libc.pipe()
    go_r, go_w = await libc.pipe()
    middle = await libc.fork()
    if middle == 0:
        if await libc.fork() == 0:
            await libc.read(go_r, 1)
            await common.say(libc, f"daemon {await libc.getpid()} of {await libc.getppid()}")
            await libc.write(ready_w, b"!")
        return
    await libc.waitpid(middle, 0)
    await libc.write(go_w, b"!")
    await libc.read(ready_r, 1)
    await common.say(libc, f"launcher: {await common.fails(libc.wait())}")


async def zombie_waits_to_be_reaped(libc: Any) -> int:
    """The status of a child that is long dead is kept until somebody asks for it."""
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        return 12
    await libc.close(w)
    await common.say(libc, f"the dead one's pipe: {await common.read_all(libc, r)!r}")
    for number in range(3):
        await common.say(libc, f"other work {number}")
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    return 0


async def zombie_keeps_its_number(libc: Any) -> None:
    """As long as it is not reaped, nobody else gets its pid; nor soon after."""
    zombie = await common.start(libc, 1)
    others = []
    for _ in range(3):
        others.append(await common.start(libc, 0))
        await libc.waitpid(others[-1], 0)
    await common.say(libc, f"zombie {zombie}, others {others}")
    await libc.waitpid(zombie, 0)
    late = await common.start(libc, 0)
    await common.say(libc, f"after reaping: {late}, {await common.collect(libc)} left")


async def init_reaps_what_the_parent_left(libc: Any) -> None:
    """The zombies of a parent that never waited are not its parent's to wait for."""
    parent = await libc.fork()
    if parent == 0:
        children = [await common.start(libc, code) for code in range(3)]
        await common.say(libc, f"left behind: {children}")
        return
    await libc.waitpid(parent, 0)
    for pid in range(parent + 1, parent + 4):
        await common.say(libc, f"{pid}: {await common.fails(libc.waitpid(pid, 0))}")
