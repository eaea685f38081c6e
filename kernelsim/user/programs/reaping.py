"""Which child wait4 and waitid take: eight at a barrier, in two groups, running, stopped and gone."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait
from kernelsim.user.programs import common

__all__ = [
    "a_child_is_reaped_by_name_among_many",
    "children_at_work_are_all_reaped",
    "children_of_two_groups_are_all_children",
    "polling_reaps_one_group_after_the_other",
    "polling_tells_running_from_gone",
    "stopped_children_are_told_of_and_reaped_later",
    "stopped_children_are_told_of_by_group",
    "waitid_leaves_a_stop_for_another_call",
    "waitid_takes_a_group",
    "waitid_takes_a_number",
    "waitid_tells_an_exit",
    "waitid_tells_of_a_killed_child",
    "waitid_without_an_answer",
    "waitpid_refuses",
]

_KIDS = 8


async def _barrier(libc: Any, *, stops: bool = False) -> tuple[list[int], int, int]:
    # Eight children that wait until fd is closed, stop if wished, and exit with 3; the caller moves
    # into a group of its own when four are born.  Returns their numbers, fd, and the first group.
    r, w = await libc.pipe()
    group = await libc.getpgid(0)
    pids = []
    for number in range(_KIDS):
        if number == _KIDS // 2:
            await libc.setpgid(0, 0)
        pid = await libc.fork()
        if pid == 0:
            await libc.close(w)
            await libc.read(r, 1)
            if stops:
                await libc.kill(await libc.getpid(), signal.SIGSTOP)
            await libc.exit(3)
        pids.append(pid)
    return pids, w, group


async def _reap(libc: Any, pid: int, options: int = 0) -> tuple[list[tuple[int, int]], int]:
    # Wait until there is nobody left: who exited, with what; how often SIGCONT had to be sent.
    gone: list[tuple[int, int]] = []
    stops = 0
    while True:
        try:
            number, status = await libc.waitpid(pid, options)
        except ChildProcessError:
            return sorted(gone), stops
        if number == 0:
            await libc.nanosleep(0, 1_000_000)
        elif status == signal.SIGSTOP << 8 | 0x7F:
            stops += 1
            await libc.kill(number, signal.SIGCONT)
        else:
            gone.append((number, status))


async def a_child_is_reaped_by_name_among_many(libc: Any) -> None:
    """Of 25 children the named one is reaped, once; the other 24 are still there."""
    pids = [await common.start(libc, 0) for _ in range(25)]
    await common.say(libc, f"{await libc.waitpid(pids[12], 0)}")
    await common.say(libc, await common.fails(libc.waitpid(pids[12], 0)))
    await common.say(libc, f"{await common.collect(libc)}")


async def waitpid_refuses(libc: Any) -> None:
    """No child, not my child, no such option, no such group: each has its errno."""
    for pid, options in ((-1, 0), (1, 0), (-1, -1), (-(2**31), 0), (32769, 0)):
        answer = await common.fails(libc.waitpid(pid, options))
        await common.say(libc, f"waitpid({pid}, {options}): {answer}")


async def children_of_two_groups_are_all_children(libc: Any) -> None:
    """As a pid -1 means every child, in whatever group it is, and with WNOHANG too."""
    for options in (0, wait.WNOHANG):
        pids, w, _ = await _barrier(libc)
        await common.say(libc, f"{await libc.waitpid(-1, wait.WNOHANG)}")
        await libc.close(w)
        gone, _ = await _reap(libc, -1, options)
        await common.say(libc, f"{[pid for pid, _ in gone] == pids} {gone}")


async def stopped_children_are_told_of_and_reaped_later(libc: Any) -> None:
    """With WUNTRACED each of eight children is told of twice: as it stops, and as it exits."""
    pids, w, _ = await _barrier(libc, stops=True)
    await common.say(libc, f"{await libc.waitpid(-1, wait.WNOHANG | wait.WUNTRACED)}")
    await libc.close(w)
    gone, stops = await _reap(libc, -1, wait.WUNTRACED)
    await common.say(libc, f"{stops} stops; {[pid for pid, _ in gone] == pids} {gone}")


async def polling_tells_running_from_gone(libc: Any) -> None:
    """WNOHANG: 0 while the child runs, its number when it is gone, ECHILD when there is none."""
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.read(r, 1)
        await libc.exit(0)
    await common.say(libc, f"{await libc.waitpid(pid, wait.WNOHANG)}")
    await libc.write(w, b"!")
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
    pid = await common.start(libc, 0)
    while (answer := await libc.waitpid(pid, wait.WNOHANG)) == (0, 0):
        await libc.nanosleep(0, 1_000_000)
    await common.say(libc, f"{answer}")
    for options in (0, wait.WNOHANG):
        await common.say(libc, await common.fails(libc.waitpid(-1, options)))


async def children_at_work_are_all_reaped(libc: Any) -> None:
    """Children that exit, compute, fork and sleep: waitpid(0) reaps them all, and none of theirs."""
    made = []
    for number in range(_KIDS):
        pid = await libc.fork()
        if pid == 0:
            for _ in range(3 if number in (4, 5) else 0):
                grandchild = await common.start(libc, 4)
                await libc.waitpid(grandchild, 0)
            if number in (6, 7):
                await libc.nanosleep(0, 2_000_000)
            await libc.exit(3 + sum(range(1000 if number in (2, 3) else 0)) % 2)
        made.append(pid)
    gone, _ = await _reap(libc, 0)
    codes = [status >> 8 for _, status in gone]
    await common.say(libc, f"{len(gone)} of {len(made)}: {codes.count(3)}")


async def polling_reaps_one_group_after_the_other(libc: Any) -> None:
    """As a pid 0 means the caller's group of now, -group that group: four children each."""
    for options in (0, wait.WNOHANG):
        if await libc.fork() == 0:
            pids, w, group = await _barrier(libc)
            for pid in (0, -group):
                await common.say(libc, f"{await libc.waitpid(pid, wait.WNOHANG)}")
            await libc.close(w)
            own, _ = await _reap(libc, 0, options)
            first, _ = await _reap(libc, -group, options)
            await common.say(libc, f"{[pid for pid, _ in first + own] == pids} {first} {own}")
            await libc.exit(0)
        await libc.wait()


async def stopped_children_are_told_of_by_group(libc: Any) -> None:
    """Stops are told of to who waits for that group, and left alone by who waits for another."""
    pids, w, group = await _barrier(libc, stops=True)
    for pid in (0, -group):
        answer = await libc.waitpid(pid, wait.WNOHANG | wait.WUNTRACED)
        await common.say(libc, f"{answer}")
    await libc.close(w)
    own, stops = await _reap(libc, 0, wait.WUNTRACED)
    await common.say(libc, f"{stops} stops; {[pid for pid, _ in own] == pids[4:]}")
    first, stops = await _reap(libc, -group, wait.WUNTRACED)
    await common.say(libc, f"{stops} stops; {[pid for pid, _ in first] == pids[:4]}")


async def waitid_tells_an_exit(libc: Any) -> None:
    """CLD_EXITED, SIGCHLD and the exit code itself, which is no status word."""
    pid = await common.start(libc, 123)
    answer = await libc.waitid(wait.P_ALL, 0, wait.WEXITED)
    await common.say(libc, f"{pid}: {answer}")


async def waitid_without_an_answer(libc: Any) -> None:
    """WNOHANG alone asks for nothing: EINVAL; with WEXITED nobody is ECHILD, and not yet is None."""
    for options in (wait.WNOHANG, wait.WNOHANG | wait.WEXITED):
        await common.say(libc, await common.fails(libc.waitid(wait.P_ALL, 0, options)))
    r, w = await libc.pipe()
    pid = await libc.fork()
    if pid == 0:
        await libc.read(r, 1)
        await libc.exit(0)
    answer = await libc.waitid(wait.P_ALL, pid, wait.WNOHANG | wait.WEXITED)
    await common.say(libc, f"{answer}")
    await common.say(libc, await common.fails(libc.waitid(wait.P_PID, 1, wait.WEXITED)))
    await libc.write(w, b"!")
    await common.say(libc, f"{await libc.waitid(wait.P_ALL, pid, wait.WEXITED)}")


async def waitid_takes_a_group(libc: Any) -> None:
    """P_PGID: another group's number is ECHILD, the own one's gives the child."""
    pid = await common.start(libc, 0)
    group = await libc.getpgid(0)
    other = libc.waitid(wait.P_PGID, group + 1, wait.WEXITED)
    await common.say(libc, await common.fails(other))
    answer = await libc.waitid(wait.P_PGID, group, wait.WEXITED)
    await common.say(libc, f"{pid}: {answer}")


async def waitid_takes_a_number(libc: Any) -> None:
    """P_PID: the next number is ECHILD, the child's own gives the child."""
    pid = await common.start(libc, 0)
    other = libc.waitid(wait.P_PID, pid + 1, wait.WEXITED)
    await common.say(libc, await common.fails(other))
    answer = await libc.waitid(wait.P_PID, pid, wait.WEXITED)
    await common.say(libc, f"{pid}: {answer}")


async def waitid_leaves_a_stop_for_another_call(libc: Any) -> None:
    """CLD_STOPPED with WNOWAIT is there for the next call; after SIGCONT it is CLD_CONTINUED."""
    pid = await libc.fork()
    if pid == 0:
        await libc.kill(await libc.getpid(), signal.SIGSTOP)
        while True:
            await libc.pause()
    for options in (wait.WSTOPPED | wait.WNOWAIT, wait.WSTOPPED, wait.WSTOPPED | wait.WNOHANG):
        await common.say(libc, f"{await libc.waitid(wait.P_PID, pid, options)}")
    await libc.kill(pid, signal.SIGCONT)
    await common.say(libc, f"{await libc.waitid(wait.P_PID, pid, wait.WCONTINUED)}")
    await libc.kill(pid, signal.SIGKILL)
    await common.say(libc, f"{await libc.waitid(wait.P_PID, pid, wait.WEXITED)}")


async def waitid_tells_of_a_killed_child(libc: Any) -> None:
    """CLD_KILLED and the signal that did it."""
    for sig in (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1):
        pid = await libc.fork()
        if pid == 0:
            while True:
                await libc.pause()
        await libc.kill(pid, sig)
        answer = await libc.waitid(wait.P_ALL, 0, wait.WEXITED)
        await common.say(libc, f"{pid}: {answer}")
