"""pidfds: a descriptor that stands for a process, to wait for it, to signal it, to reach its files."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait
from kernelsim.include.uapi.linux.eventpoll import POLLIN, POLLNVAL
from kernelsim.user.programs import common

__all__ = [
    "a_pidfd_can_be_neither_read_nor_written",
    "a_pidfd_is_inherited_and_anybody_may_poll_it",
    "a_pidfd_is_its_parents_alone",
    "a_pidfd_is_readable_when_the_child_has_ended",
    "a_pidfd_of_a_reaped_child_reaches_nobody",
    "a_pidfd_of_oneself",
    "a_pidfd_of_who_is_no_child_cannot_be_waited_for",
    "a_pidfd_sends_a_signal",
    "a_pidfd_that_does_not_block",
    "pidfd_getfd_reaches_into_another_process",
    "pidfd_open_refuses",
    "the_first_of_three_children_to_end",
    "waitid_by_pidfd",
    "waitid_by_pidfd_refuses",
    "what_is_no_pidfd_is_refused",
]

O_NONBLOCK = 0o4000


async def _sleeper(libc: Any, status: int = 0) -> tuple[int, int, int]:
    # A child that ends with `status` when the descriptor is closed: (pid, pidfd, descriptor).
    r, w = await libc.pipe()
    pid, pidfd = await libc.clone_pidfd(signal.SIGCHLD)
    if pid == 0:
        await libc.close(w)
        await libc.read(r, 1)
        await libc.exit(status)
    await libc.close(r)
    return pid, pidfd, w


async def _ready(libc: Any, pidfd: int, ms: int = 0) -> bool:
    # Does the pidfd say that the process has ended?
    found = await libc.poll([(pidfd, POLLIN)], ms)
    return any(revents & POLLIN for _, revents in found)


async def a_pidfd_is_readable_when_the_child_has_ended(libc: Any) -> None:
    """poll() on a pidfd waits for the end of the process; the zombie is still there to be reaped."""
    pid, pidfd, w = await _sleeper(libc, 5)
    await common.say(libc, f"while it lives: {await _ready(libc, pidfd)}")
    await libc.close(w)
    await common.say(libc, f"after: {await _ready(libc, pidfd, -1)}")
    await common.say(libc, f"reaped: {await libc.waitpid(pid, 0) == (pid, 5 << 8)}")
    await common.say(libc, f"and then: {await _ready(libc, pidfd, -1)}")


async def a_pidfd_sends_a_signal(libc: Any) -> None:
    """A signal sent by a pidfd reaches the process; 0 only asks."""
    pid, pidfd, w = await _sleeper(libc)
    await common.say(libc, f"asked: {await libc.pidfd_send_signal(pidfd, 0)}")
    await libc.pidfd_send_signal(pidfd, signal.SIGTERM)
    await common.say(libc, f"status {(await libc.waitpid(pid, 0))[1]}")
    for sig in (0, signal.SIGTERM):
        await common.say(libc, f"{sig}: {await common.fails(libc.pidfd_send_signal(pidfd, sig))}")
    await libc.close(w)


async def a_pidfd_of_a_reaped_child_reaches_nobody(libc: Any) -> None:
    """Once the process is reaped its pidfd stands for nobody, whoever has the number then."""
    pid, pidfd, w = await _sleeper(libc)
    await libc.close(w)
    await libc.waitpid(pid, 0)
    await common.say(libc, f"open: {await common.fails(libc.pidfd_open(pid))}")
    await common.say(libc, f"kill: {await common.fails(libc.pidfd_send_signal(pidfd, 9))}")
    answer = await common.fails(libc.waitid(wait.P_PIDFD, pidfd, wait.WEXITED))
    await common.say(libc, f"waitid: {answer}")
    await common.say(libc, f"getfd: {await common.fails(libc.pidfd_getfd(pidfd, 0))}")
    await common.say(libc, f"ended: {await _ready(libc, pidfd)}")


async def waitid_by_pidfd(libc: Any) -> None:
    """waitid() takes a pidfd; WNOWAIT leaves the zombie, WNOHANG does not wait."""
    pid, pidfd, w = await _sleeper(libc, 6)
    nobody = await libc.waitid(wait.P_PIDFD, pidfd, wait.WEXITED | wait.WNOHANG)
    await common.say(libc, f"at once: {nobody}")
    await libc.close(w)
    for options in (wait.WEXITED | wait.WNOWAIT, wait.WEXITED):
        found = await libc.waitid(wait.P_PIDFD, pidfd, options)
        await common.say(libc, f"{found[0] == pid} {found[1:]}")
    await common.say(libc, await common.fails(libc.wait()))


async def a_pidfd_that_does_not_block(libc: Any) -> None:
    """With O_NONBLOCK waitid() of a process that lives is EAGAIN; WNOHANG still says nobody."""
    pid, _, w = await _sleeper(libc, 3)
    pidfd = await libc.pidfd_open(pid, O_NONBLOCK)
    for options in (wait.WEXITED, wait.WEXITED | wait.WNOHANG):
        answer = await common.fails(libc.waitid(wait.P_PIDFD, pidfd, options))
        await common.say(libc, answer)
    await libc.close(w)
    await _ready(libc, pidfd, -1)
    found = await libc.waitid(wait.P_PIDFD, pidfd, wait.WEXITED)
    await common.say(libc, f"{found[0] == pid} {found[1:]}")


async def waitid_by_pidfd_refuses(libc: Any) -> None:
    """A number that is no descriptor, a descriptor that is no pidfd."""
    r, _ = await libc.pipe()
    for fd in (-1, 99, r):
        answer = await common.fails(libc.waitid(wait.P_PIDFD, fd, wait.WEXITED))
        await common.say(libc, f"{fd}: {answer}")
    pidfd = await libc.pidfd_open(await libc.getpid())
    for options in (0, 0x4000):
        answer = await common.fails(libc.waitid(wait.P_PIDFD, pidfd, options))
        await common.say(libc, f"options {options:#x}: {answer}")


async def pidfd_open_refuses(libc: Any) -> None:
    """Flags that do not exist, numbers that are none, numbers that nobody has."""
    me = await libc.getpid()
    for pid, flags in ((me, 1), (me, 0o2000000), (0, 0), (-1, 0), (-me, 0), (9999, 0), (9999, 1)):
        await common.say(
            libc, f"{pid} {flags:#x}: {await common.fails(libc.pidfd_open(pid, flags))}"
        )


async def what_is_no_pidfd_is_refused(libc: Any) -> None:
    """A signal, or a descriptor, by way of a number that is no pidfd: EBADF; flags come first."""
    r, _ = await libc.pipe()
    me = await libc.pidfd_open(await libc.getpid())
    for fd in (99, r, -1):
        await common.say(libc, f"{fd}: {await common.fails(libc.pidfd_send_signal(fd, 0))}")
        await common.say(libc, f"{fd}: {await common.fails(libc.pidfd_getfd(fd, 0))}")
    await common.say(libc, await common.fails(libc.pidfd_send_signal(99, 0, None, 1 << 20)))
    await common.say(libc, await common.fails(libc.pidfd_getfd(99, 0, 1)))
    await common.say(libc, await common.fails(libc.pidfd_send_signal(me, 65)))


async def a_pidfd_of_oneself(libc: Any) -> None:
    """One may have a pidfd of oneself: it is not readable while one lives, and signals arrive."""
    pidfd = await libc.pidfd_open(await libc.getpid())
    await common.say(libc, f"ended: {await _ready(libc, pidfd)}")
    await libc.sigprocmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    await libc.pidfd_send_signal(pidfd, signal.SIGUSR1)
    await common.say(libc, f"pending: {sorted(await libc.sigpending())}")
    await common.say(libc, f"again: {await libc.pidfd_getfd(pidfd, pidfd)}")


async def a_pidfd_is_its_parents_alone(libc: Any) -> None:
    """The descriptor is made after the table was copied: the child does not have it."""
    r, w = await libc.pipe()
    pid, pidfd = await libc.clone_pidfd(signal.SIGCHLD)
    if pid == 0:
        found = await libc.poll([(w + 1, POLLIN)], 0)
        await libc.write(w, b"not there" if found == [(w + 1, POLLNVAL)] else b"there")
        await libc.exit(0)
    await common.say(libc, f"fd {pidfd} in the child: {(await libc.read(r, 20)).decode()}")
    await common.say(libc, f"closed: {await libc.close(pidfd)}, {await common.collect(libc)} child")


async def a_pidfd_is_inherited_and_anybody_may_poll_it(libc: Any) -> None:
    """A sister of the process waits for its end by the pidfd that she inherited."""
    _, pidfd, w = await _sleeper(libc)
    r2, w2 = await libc.pipe()
    if await libc.fork() == 0:
        await libc.close(w)
        await libc.write(w2, b"!")
        ended = await _ready(libc, pidfd, -1)
        mine = await common.fails(libc.waitid(wait.P_PIDFD, pidfd, wait.WEXITED))
        await common.say(libc, f"sister: ended {ended}, waitid {mine}")
        await libc.exit(0)
    await libc.read(r2, 1)
    await libc.close(w)
    await common.collect(libc)
    await common.say(libc, f"parent: {await _ready(libc, pidfd)}")


async def a_pidfd_of_who_is_no_child_cannot_be_waited_for(libc: Any) -> None:
    """waitid() by the pidfd of one's parent, or of oneself: ECHILD."""
    parent = await libc.pidfd_open(await libc.getpid())
    if await libc.fork() == 0:
        for pidfd in (parent, await libc.pidfd_open(await libc.getpid())):
            answer = await common.fails(libc.waitid(wait.P_PIDFD, pidfd, wait.WEXITED))
            await common.say(libc, answer)
        await libc.exit(0)
    await libc.wait()


async def the_first_of_three_children_to_end(libc: Any) -> None:
    """One poll() watches many children; it says which have ended, and takes none of them."""
    fds = [((await _sleeper(libc))[1], POLLIN) for _ in range(3)]
    for turn in (1, 0, 2):
        await libc.pidfd_send_signal(fds[turn][0], signal.SIGKILL)
        await _ready(libc, fds[turn][0], -1)
        ended = [fd for fd, revents in await libc.poll(fds, -1) if revents & POLLIN]
        await common.say(libc, f"ended: {[fd in ended for fd, _ in fds]}")
    await common.say(libc, f"{await common.collect(libc)} children reaped")


async def pidfd_getfd_reaches_into_another_process(libc: Any) -> None:
    """A pipe that only the child has: its parent takes an end of it out of the child's table."""
    r, w = await libc.pipe()
    pid, pidfd = await libc.clone_pidfd(signal.SIGCHLD)
    if pid == 0:
        inner, outer = await libc.pipe()
        await libc.write(w, bytes([inner, outer]))
        data = await libc.read(inner, 20)
        await common.say(libc, f"child reads {data.decode()}")
        await libc.exit(0)
    inner, outer = await libc.read(r, 2)
    mine = await libc.pidfd_getfd(pidfd, outer)
    await common.say(libc, f"the child's {outer} is the parent's {mine}")
    await libc.write(mine, b"from outside")
    await libc.waitpid(pid, 0)
    await common.say(libc, f"gone: {await common.fails(libc.pidfd_getfd(pidfd, inner))}")
    await libc.signal(signal.SIGPIPE, signal.SIG_IGN)
    await common.say(libc, f"its reader too: {await common.fails(libc.write(mine, b'x'))}")


async def a_pidfd_can_be_neither_read_nor_written(libc: Any) -> None:
    """It is a descriptor like any other, but for what can be done with it."""
    pidfd = await libc.pidfd_open(await libc.getpid())
    await common.say(libc, f"read: {await common.fails(libc.read(pidfd, 1))}")
    await common.say(libc, f"write: {await common.fails(libc.write(pidfd, b'x'))}")
    await common.say(libc, f"lseek: {await common.fails(libc.lseek(pidfd, 0, 0))}")
    copy = await libc.dup(pidfd)
    await libc.close(pidfd)
    await common.say(libc, f"a copy: {await libc.pidfd_send_signal(copy, 0)}")
