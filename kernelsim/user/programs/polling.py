"""poll and ppoll: one process that waits for several descriptors at once."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux.eventpoll import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDNORM,
    POLLWRNORM,
)
from kernelsim.user.programs import common

__all__ = [
    "a_full_pipe_is_not_writable",
    "a_handler_interrupts_poll",
    "a_reader_that_is_gone_is_an_error",
    "a_writer_that_is_gone_is_a_hangup",
    "dev_null_is_always_ready",
    "poll_counts_each_entry",
    "poll_many_descriptors",
    "poll_takes_what_is_asked",
    "poll_tells_which_pipe_has_something",
    "poll_waits_for_a_while",
    "poll_wakes_at_the_first_byte",
    "ppoll_lets_a_signal_in",
    "ppoll_refuses",
    "two_pollers_of_one_pipe",
    "what_is_not_open_is_said_so",
]

ALL = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLWRNORM
_NAMES = {
    POLLIN: "IN",
    POLLPRI: "PRI",
    POLLOUT: "OUT",
    POLLERR: "ERR",
    POLLHUP: "HUP",
    POLLNVAL: "NVAL",
    POLLRDNORM: "RDNORM",
    POLLWRNORM: "WRNORM",
}


def _words(events: int) -> str:
    return "|".join(name for bit, name in _NAMES.items() if events & bit) or "nothing"


async def _tell(libc: Any, what: str, fds: list[tuple[int, int]], ms: int = 0) -> None:
    found = await libc.poll(fds, ms)
    text = ", ".join(f"{fd} {_words(revents)}" for fd, revents in found) or "nothing"
    await common.say(libc, f"{what}: {text}")


async def poll_tells_which_pipe_has_something(libc: Any) -> None:
    """Of several pipes poll() names those that can be read, or written to, at once."""
    r1, w1 = await libc.pipe()
    r2, w2 = await libc.pipe()
    ends = [(fd, POLLIN | POLLOUT) for fd in (r1, w1, r2, w2)]
    await _tell(libc, "empty", ends)
    await libc.write(w2, b"x")
    await _tell(libc, "one has a byte", ends)
    await libc.read(r2, 1)
    await _tell(libc, "it is read", ends)


async def poll_takes_what_is_asked(libc: Any) -> None:
    """Only what is asked for is told; errors and a hangup always are."""
    r, w = await libc.pipe()
    await libc.write(w, b"x")
    for asked in (ALL, POLLIN, POLLRDNORM, POLLPRI, POLLOUT, 0):
        await _tell(libc, _words(asked), [(r, asked), (w, asked)])
    await libc.close(w)
    await _tell(libc, "nothing, hung up", [(r, 0)])


async def a_writer_that_is_gone_is_a_hangup(libc: Any) -> None:
    """POLLHUP when the last writer has closed; what is left can still be read."""
    r, w = await libc.pipe()
    await libc.write(w, b"rest")
    w2 = await libc.dup(w)
    await libc.close(w)
    await _tell(libc, "one writer left", [(r, ALL)])
    await libc.close(w2)
    await _tell(libc, "none left", [(r, ALL)], -1)
    await libc.read(r, 10)
    await _tell(libc, "empty", [(r, ALL)], -1)


async def a_reader_that_is_gone_is_an_error(libc: Any) -> None:
    """POLLERR on the writing end when nobody can read any more."""
    r, w = await libc.pipe()
    await libc.close(r)
    await _tell(libc, "asked for all", [(w, ALL)])
    await _tell(libc, "asked for nothing", [(w, 0)], -1)


async def a_full_pipe_is_not_writable(libc: Any) -> None:
    """POLLOUT means that there is a free page, not a free byte."""
    r, w = await libc.pipe()
    await libc.write(w, bytes(65536))
    await _tell(libc, "full", [(w, POLLOUT)])
    await libc.read(r, 4095)
    await _tell(libc, "4095 bytes less", [(w, POLLOUT)])
    await libc.read(r, 1)
    await _tell(libc, "a page less", [(w, POLLOUT)])


async def dev_null_is_always_ready(libc: Any) -> None:
    """What has no way to wait is always ready, for all four."""
    fd = await libc.open("/dev/null", 2)
    await _tell(libc, "null", [(fd, ALL)], -1)


async def what_is_not_open_is_said_so(libc: Any) -> None:
    """POLLNVAL for what is not open, at once; a negative number is passed over."""
    r, _ = await libc.pipe()
    await _tell(libc, "not open", [(77, POLLIN), (r, POLLIN)], -1)
    await _tell(libc, "negative", [(-1, POLLIN), (-77, POLLIN), (r, POLLIN)], 1)
    await libc.close(r)
    await _tell(libc, "closed", [(r, POLLIN)], -1)


async def poll_counts_each_entry(libc: Any) -> None:
    """One descriptor may stand in the list as often as one likes."""
    r, w = await libc.pipe()
    await libc.write(w, b"x")
    await _tell(libc, "thrice", [(r, POLLIN), (r, POLLOUT), (r, POLLIN)])


async def poll_waits_for_a_while(libc: Any) -> None:
    """With nothing to wait for poll() is a sleep; with a timeout it ends without an answer."""
    r, _ = await libc.pipe()
    await _tell(libc, "nothing to wait for", [], 1)
    await _tell(libc, "for a millisecond", [(r, POLLIN)], 1)
    for timeout in ((0, 0), (0, 1_000_000)):
        await common.say(libc, f"ppoll: {await libc.ppoll([(r, POLLIN)], timeout)}")


async def poll_wakes_at_the_first_byte(libc: Any) -> None:
    """The parent sleeps in poll() on two pipes; each child writes to one, when the parent says so."""
    r1, w1 = await libc.pipe()
    r2, w2 = await libc.pipe()
    go, start = await libc.pipe()
    for end, letter in ((w1, b"a"), (w2, b"b")):
        if await libc.fork() == 0:
            await libc.read(go, 1)
            await libc.write(end, letter)
            await libc.exit(0)
    found = b""
    for _ in range(2):
        await libc.write(start, b"!")
        for fd, _ in await libc.poll([(r1, POLLIN), (r2, POLLIN)], -1):
            found += await libc.read(fd, 1)
    await common.say(libc, f"{sorted(found.decode())}, {await common.collect(libc)} children")


async def two_pollers_of_one_pipe(libc: Any) -> None:
    """Whoever polls is woken, all of them; only one gets the byte."""
    r, w = await libc.pipe()
    done, tell = await libc.pipe()
    for _ in range(2):
        if await libc.fork() == 0:
            found = await libc.poll([(r, POLLIN)], -1)
            await libc.write(tell, b"w" if found == [(r, POLLIN)] else b"?")
            await libc.exit(0)
    await libc.write(w, b"x")
    await common.collect(libc)
    await common.say(libc, f"woken: {(await libc.read(done, 10)).decode()}")
    await _tell(libc, "still there", [(r, POLLIN)])


async def poll_many_descriptors(libc: Any) -> None:
    """More descriptors than fit on the kernel's stack; the last one is found."""
    r, w = await libc.pipe()
    copies = [await libc.dup(r) for _ in range(40)]
    last, end = await libc.pipe()
    fds = [(fd, POLLIN) for fd in (*copies * 15, last)]
    await common.say(libc, f"{len(fds)} entries: {await libc.poll(fds, 1)}")
    if await libc.fork() == 0:
        await libc.write(end, b"x")
        await libc.exit(0)
    found = await libc.poll(fds, -1)
    await common.say(libc, f"the last: {found == [(last, POLLIN)]}")
    await libc.write(w, b"y")
    await common.say(
        libc, f"all: {len(await libc.poll(fds, -1))}, {await common.collect(libc)} child"
    )


async def a_handler_interrupts_poll(libc: Any) -> None:
    """poll() is not made once more after a handler, whatever SA_RESTART says."""
    seen: list[int] = []

    async def handler(sig: int) -> None:
        seen.append(sig)

    await libc.signal(signal.SIGUSR1, handler)
    r, _ = await libc.pipe()
    child = await libc.fork()
    if child == 0:
        await libc.nanosleep(0, 50_000_000)
        await libc.kill(await libc.getppid(), signal.SIGUSR1)
        await libc.exit(0)
    answer = await common.fails(libc.poll([(r, POLLIN)], -1))
    await common.say(libc, f"poll: {answer}, handled {seen}")
    await libc.waitpid(child, 0)


async def ppoll_lets_a_signal_in(libc: Any) -> None:
    """A signal that is blocked all the time but inside ppoll(): no race between test and sleep."""
    seen: list[int] = []

    async def handler(sig: int) -> None:
        seen.append(sig)

    await libc.signal(signal.SIGUSR1, handler)
    await libc.sigprocmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    await libc.kill(await libc.getpid(), signal.SIGUSR1)
    await common.say(libc, f"before: {seen} {sorted(await libc.sigpending())}")
    r, w = await libc.pipe()
    await common.say(libc, f"with the mask: {await libc.ppoll([(r, POLLIN)], (0, 1000))} {seen}")
    answer = await common.fails(libc.ppoll([(r, POLLIN)], (5, 0), ()))
    await common.say(libc, f"ppoll: {answer} {seen}")
    mask = await libc.sigprocmask(signal.SIG_BLOCK, ())
    await common.say(libc, f"after: {sorted(mask)} {sorted(await libc.sigpending())}")
    await libc.kill(await libc.getpid(), signal.SIGUSR1)
    await libc.write(w, b"x")
    found = await libc.ppoll([(r, POLLIN)], (5, 0), ())
    await common.say(libc, f"something is there: {found == [(r, POLLIN)]} {seen}")
    await common.say(libc, f"and it waits: {sorted(await libc.sigpending())}")


async def ppoll_refuses(libc: Any) -> None:
    """Times that are none."""
    for timeout in ((-1, 0), (0, -1), (0, 1_000_000_000)):
        await common.say(libc, f"{timeout}: {await common.fails(libc.ppoll([], timeout))}")
