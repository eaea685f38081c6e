"""wait and waitpid: which child, how it ended, and what there is to wait for."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.linux import wait
from kernelsim.user.programs import common

__all__ = [
    "reap_twice",
    "status_words",
    "wait_any",
    "wait_blocks_until_the_end",
    "wait_for_the_named_child",
    "wait_in_order_of_release",
    "wait_sums_exit_codes",
    "wait_without_children",
    "waitpid_bad_options",
    "waitpid_no_hang",
    "waitpid_no_hang_until_done",
    "waitpid_no_hang_without_children",
    "waitpid_not_my_grandchild",
    "waitpid_own_group",
    "waitpid_strangers",
    "waitpid_unknown_group",
]


async def wait_any(libc: Any) -> None:
    """`wait` returns the pid and the status word of a child that has ended."""
    pid = await common.start(libc, 7)
    ended, status = await libc.wait()
    await common.say(libc, f"child {pid}: wait returned {ended}, {status:#06x}")


async def wait_blocks_until_the_end(libc: Any) -> None:
    """The parent sleeps in wait until the child has written all its lines."""
    if await libc.fork() == 0:
        for number in range(3):
            await common.say(libc, f"child works {number}")
            await libc.sched_yield()
        return
    await libc.wait()
    await common.say(libc, "parent goes on")


async def status_words(libc: Any) -> None:
    """The exit code is in bits 8 to 15, and only its low eight bits arrive."""
    for code in (0, 1, 3, 42, 127, 128, 255, 256, 0x1FF, -1):
        await common.start(libc, code)
        _, status = await libc.wait()
        await common.say(libc, f"exit({code}) gives {status:#06x}, code {status >> 8}")


async def wait_for_the_named_child(libc: Any) -> None:
    """`waitpid` takes the child that was asked for, whichever has ended first."""
    first = await common.start(libc, 1)
    second = await common.start(libc, 2)
    third = await common.start(libc, 3)
    for pid in (third, first, second):
        await common.say(libc, f"{await libc.waitpid(pid, 0)}")


async def wait_in_order_of_release(libc: Any) -> int:
    """`wait` answers in the order of the ends, not of the births: here last born, first gone."""
    gates = []
    for number in range(4):
        r, w = await libc.pipe()
        if await libc.fork() == 0:
            await libc.read(r, 1)
            return number
        await libc.close(r)
        gates.append(w)
    for gate in reversed(gates):
        await libc.write(gate, b"!")
        pid, status = await libc.wait()
        await common.say(libc, f"child {pid} with {status >> 8}")
    return 0


async def wait_sums_exit_codes(libc: Any) -> int:
    """Ten children run side by side; in whatever order they end, the sum is the same."""
    for code in range(10):
        await common.start(libc, code)
    total = 0
    for _ in range(10):
        _, status = await libc.wait()
        total += status >> 8
    await common.say(libc, f"sum {total}, then {await common.fails(libc.wait())}")
    return total


async def wait_without_children(libc: Any) -> None:
    """Who has no children need not wait: ECHILD."""
    await common.say(libc, await common.fails(libc.wait()))
    await common.say(libc, await common.fails(libc.waitpid(-1, 0)))


async def reap_twice(libc: Any) -> None:
    """A child is reaped once: the second waitpid for it fails."""
    pid = await common.start(libc, 5)
    await common.say(libc, await common.fails(libc.waitpid(pid, 0)))
    await common.say(libc, await common.fails(libc.waitpid(pid, 0)))


async def waitpid_no_hang(libc: Any) -> int:
    """WNOHANG: while the child lives the answer is (0, 0), at once."""
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.read(r, 1)
        return 9
    await common.say(libc, f"{await libc.waitpid(pid, wait.WNOHANG)}")
    await common.say(libc, f"{await libc.waitpid(-1, wait.WNOHANG)}")
    await libc.write(w, b"!")
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    return 0


async def waitpid_no_hang_until_done(libc: Any) -> None:
    """Polling: ask, let others run, ask again, until the child has ended."""
    pid = await common.start(libc, 4)
    answer = (0, 0)
    while answer == (0, 0):
        await libc.sched_yield()
        answer = await libc.waitpid(pid, wait.WNOHANG)
    await common.say(libc, f"{answer}")


async def waitpid_no_hang_without_children(libc: Any) -> None:
    """WNOHANG does not turn "there is no child" into "not yet"."""
    await common.say(libc, await common.fails(libc.waitpid(-1, wait.WNOHANG)))


async def waitpid_strangers(libc: Any) -> None:
    """Neither init, nor the caller itself, nor a number that nobody has: ECHILD."""
    pid = await common.start(libc, 0)
    for stranger in (1, await libc.getpid(), await libc.getppid(), 30000):
        await common.say(libc, f"{stranger}: {await common.fails(libc.waitpid(stranger, 0))}")
    await common.say(libc, f"{pid}: {await common.fails(libc.waitpid(pid, 0))}")


async def waitpid_not_my_grandchild(libc: Any) -> int:
    """A living grandchild is not there to be waited for, its parent's child is."""
    r, w = await libc.pipe()
    child = await libc.fork()
    if child == 0:
        grandchild = await common.start(libc, 6)
        await libc.write(w, str(grandchild).encode())
        _, status = await libc.waitpid(grandchild, 0)
        return status >> 8
    grandchild = int(await libc.read(r, 16))
    await common.say(libc, f"{grandchild}: {await common.fails(libc.waitpid(grandchild, 0))}")
    await common.say(libc, f"{child}: {await common.fails(libc.waitpid(child, 0))}")
    return 0


async def waitpid_own_group(libc: Any) -> None:
    """As a pid 0 means any child in the caller's process group; a fork stays in its parent's."""
    pid = await common.start(libc, 8)
    ended, status = await libc.waitpid(0, 0)
    await common.say(libc, f"{pid} {ended} {status:#06x}")
    await common.say(libc, await common.fails(libc.waitpid(0, 0)))


async def waitpid_unknown_group(libc: Any) -> None:
    """A negative pid names a process group: none of the children is in that one."""
    pid = await common.start(libc, 8)
    await common.say(libc, await common.fails(libc.waitpid(-30000, 0)))
    await common.say(libc, await common.fails(libc.waitpid(-pid, wait.WNOHANG)))
    await common.say(libc, await common.fails(libc.waitpid(-(2**31), 0)))
    await common.say(libc, await common.fails(libc.waitpid(pid, 0)))


async def waitpid_bad_options(libc: Any) -> None:
    """An option that wait4 does not know is EINVAL, and the child is still there afterwards."""
    pid = await common.start(libc, 2)
    for options in (wait.WEXITED, 0x10, wait.WNOWAIT):
        await common.say(libc, await common.fails(libc.waitpid(pid, options)))
    await common.say(libc, await common.fails(libc.waitpid(pid, 0)))
