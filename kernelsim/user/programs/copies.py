"""What a forked child has of its parent's: a copy of the memory, the same open files, other numbers."""

from __future__ import annotations

from typing import Any

from kernelsim.user.programs import common

__all__ = [
    "a_child_closes_all_it_has",
    "a_child_knows_its_number",
    "a_close_in_a_child_is_its_own",
    "children_read_one_pipe_dry",
    "memory_is_copied",
    "numbers_are_not_used_again_at_once",
    "what_is_written_stays_written",
]


async def a_child_knows_its_number(libc: Any) -> None:
    """Fork returns in the parent what getpid returns in the child; getppid is the parent."""
    r, w = await libc.pipe()
    me = await libc.getpid()
    pid = await libc.fork()
    if pid == 0:
        numbers = (await libc.getpid(), await libc.getppid() == me)
        await libc.write(w, f"{numbers}".encode())
        await libc.exit(42)
    ended, status = await libc.waitpid(pid, 0)
    told = (await libc.read(r, 64)).decode()
    await common.say(libc, f"{pid} {told} {ended == pid} {status:#06x}")


async def memory_is_copied(libc: Any) -> None:
    """A variable that the child changes stays as it was in the parent, and so the other way round."""
    value = ["parent's"]
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.read(r, 1)
        await common.say(libc, f"child finds {value[0]}")
        value[0] = "child's"
        await common.say(libc, f"child makes it {value[0]}")
        await libc.exit(0)
    value[0] = "parent's new one"
    await libc.write(w, b"!")
    await libc.waitpid(pid, 0)
    await common.say(libc, f"parent has {value[0]}")


async def children_read_one_pipe_dry(libc: Any) -> None:
    """Twenty children each read a byte that the parent wrote; what the parent finds is the end."""
    r, w = await libc.pipe()
    await libc.write(w, b"a" * 20)
    await libc.close(w)
    for _ in range(20):
        if await libc.fork() == 0:
            await libc.exit((await libc.read(r, 1))[0])
    codes = [(await libc.wait())[1] >> 8 for _ in range(20)]
    await common.say(libc, f"{codes == [97] * 20} {await libc.read(r, 1)!r}")


async def a_close_in_a_child_is_its_own(libc: Any) -> None:
    """One child closes its descriptor, another reads by its own; the parent's is open."""
    r, w = await libc.pipe()
    await libc.write(w, b"a")
    await libc.close(w)
    for reads in (False, True):
        pid = await libc.fork()
        if pid == 0:
            data = await libc.read(r, 1) if reads else b""
            await libc.close(r)
            await common.say(libc, f"{data!r} {await common.fails(libc.read(r, 1))}")
            await libc.exit(0)
        await libc.waitpid(pid, 0)
    await common.say(libc, f"{await libc.read(r, 1)!r}")


async def a_child_closes_all_it_has(libc: Any) -> None:
    """A child opens one of many descriptors anew and closes them all; the parent has them still."""
    fds = [await libc.open("/dev/null", 1) for _ in range(40)]
    pid = await libc.fork()
    if pid == 0:
        await libc.close(fds[0])
        await common.say(libc, f"{await libc.open('/dev/null', 1) == fds[0]}")
        for fd in fds:
            await libc.close(fd)
        await libc.exit(0)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    wrote = [await libc.write(fd, b"x") for fd in fds]
    await common.say(libc, f"{wrote == [1] * 40}")


async def numbers_are_not_used_again_at_once(libc: Any) -> None:
    """Fifty children, one after the other: each has a number of its own, and wait returns it."""
    seen, right = set(), 0
    for code in range(50):
        pid = await common.start(libc, code)
        right += await libc.wait() == (pid, code << 8)
        seen.add(pid)
    await common.say(libc, f"{len(seen)} numbers, {right} right")


async def what_is_written_stays_written(libc: Any) -> None:
    """What a child wrote is there also if it exits without closing."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.write(w, b"test_file")
        await libc.exit(0)
    await libc.wait()
    await libc.close(w)
    await common.say(libc, f"{await common.read_all(libc, r)!r}")
