"""fork: one call, two returns, and how many processes come of it."""

from __future__ import annotations

from typing import Any

from kernelsim.user.programs import common

__all__ = [
    "chain_of_forks",
    "child_has_its_own_variables",
    "child_returns_through_the_frames",
    "fibonacci_by_processes",
    "fork_and_or",
    "fork_in_a_loop",
    "fork_in_a_loop_with_break",
    "fork_returns_the_pid",
    "fork_returns_twice",
    "fork_tree",
    "gettid_is_getpid",
    "many_children_alive",
    "next_pid_after_a_grandchild",
    "pids_count_up",
    "variables_follow_the_branch",
]


async def fork_returns_twice(libc: Any) -> None:
    """One call returns 0 in the child and the child's pid in the parent."""
    pid = await libc.fork()
    if pid == 0:
        await common.say(libc, f"child: fork returned {pid}, I am {await libc.getpid()}")
        return
    await libc.wait()
    await common.say(libc, f"parent: fork returned {pid}, I am {await libc.getpid()}")


async def fork_returns_the_pid(libc: Any) -> None:
    """What fork returns to the parent is what getpid returns to the child."""
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.write(w, str(await libc.getpid()).encode())
        return
    told = int(await libc.read(r, 16))
    await libc.wait()
    await common.say(libc, f"{pid} == {told} is {pid == told}")


async def gettid_is_getpid(libc: Any) -> None:
    """A process with one thread has one number for both, before and after a fork."""
    pid = await libc.fork()
    if pid:
        await libc.wait()
    await common.say(libc, f"pid {await libc.getpid()} tid {await libc.gettid()}")


async def pids_count_up(libc: Any) -> None:
    """Each new process has the next number, although the ones before are gone."""
    pids = []
    for status in range(5):
        pids.append(await common.start(libc, status))
        await libc.wait()
    await common.say(libc, f"pids {pids}")


async def next_pid_after_a_grandchild(libc: Any) -> None:
    """Numbers are given in the order of the forks, whoever forks."""
    child = await libc.fork()
    if child == 0:
        grandchild = await common.start(libc, 0)
        await libc.wait()
        await common.say(libc, f"grandchild {grandchild}")
        return
    await libc.wait()
    second = await common.start(libc, 0)
    await libc.wait()
    await common.say(libc, f"children {child} and {second}")


async def child_has_its_own_variables(libc: Any) -> None:
    """After fork there are two variables: the child's change is not the parent's."""
    value = 1
    pid = await libc.fork()
    if pid == 0:
        value += 10
        await common.say(libc, f"child: {value}")
        return
    await libc.wait()
    await common.say(libc, f"parent: {value}")


async def variables_follow_the_branch(libc: Any) -> None:
    """Each process remembers the path of its own forks: all words of three letters."""
    word = ""
    for _ in range(3):
        if await libc.fork() == 0:
            word += "c"
        else:
            await libc.wait()
            word += "p"
    await common.say(libc, word)


async def chain_of_forks(libc: Any) -> None:
    """Every process forks one child and waits for it: the last one ends first."""
    depth = 0
    while depth < 6 and await libc.fork() == 0:
        depth += 1
    if depth < 6:
        await libc.wait()
    await common.say(libc, f"depth {depth} pid {await libc.getpid()} of {await libc.getppid()}")


async def fork_in_a_loop(libc: Any) -> None:
    """Four forks in a row make 2 to the 4 processes."""
    for _ in range(4):
        await libc.fork()
    await common.collect(libc)
    await libc.write(1, b".")


async def fork_in_a_loop_with_break(libc: Any) -> None:
    """If the child leaves the loop, n forks make n children."""
    me = "parent"
    for number in range(4):
        if await libc.fork() == 0:
            me = f"child {number}"
            break
        await libc.wait()
    await common.say(libc, f"{me} has pid {await libc.getpid()}, parent {await libc.getppid()}")


async def fork_and_or(libc: Any) -> None:
    """The riddle `fork() && fork() || fork()`: five processes."""
    _ = (await libc.fork() and await libc.fork()) or await libc.fork()
    await common.collect(libc)
    await libc.write(1, b"x")


async def fork_tree(libc: Any) -> None:
    """A tree of processes prints itself, each line before its children's."""
    depth = 0
    children = 3
    while True:
        line = f"{'  ' * depth}{await libc.getpid()} child of {await libc.getppid()}"
        await common.say(libc, line)
        for width in range(children):
            if await libc.fork() == 0:
                depth, children = depth + 1, width
                break
            await libc.wait()
        else:
            return


async def many_children_alive(libc: Any) -> None:
    """Twenty children live at the same time, blocked in read, until the parent closes a pipe."""
    r, w = await libc.pipe()
    pids = []
    for _ in range(20):
        pid = await libc.fork()
        if pid == 0:
            await libc.close(w)
            await libc.read(r, 1)
            return
        pids.append(pid)
    await libc.close(w)
    await common.say(libc, f"children {pids[0]} to {pids[-1]}")
    await common.say(libc, f"waited for {await common.collect(libc)}")


async def child_returns_through_the_frames(libc: Any) -> None:
    """A fork deep in the call stack: both processes have all frames and return through them."""

    async def inner() -> str:
        return "child" if await libc.fork() == 0 else "parent"

    async def outer() -> str:
        return f"{await inner()} was here"

    text = await outer()
    await common.collect(libc)
    await common.say(libc, text)


async def fibonacci_by_processes(libc: Any) -> int:
    """Each process asks two children for the numbers before its own; the answer is the exit code."""
    n = 7
    while n >= 2:
        total = 0
        for step in (1, 2):
            if await libc.fork() == 0:
                n -= step
                break
            _, status = await libc.wait()
            total += status >> 8
        else:
            await common.say(libc, f"fib({n}) = {total}")
            return total
    return n
