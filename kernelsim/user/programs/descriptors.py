"""File descriptors: small numbers, each process has its own table of them, forks copy it."""

from __future__ import annotations

from typing import Any

from kernelsim.user.programs import common

__all__ = [
    "bad_descriptors",
    "child_closes_for_itself",
    "child_opens_for_itself",
    "close_twice",
    "dup2_bad_arguments",
    "dup2_far_away",
    "dup2_on_itself",
    "dup2_replaces",
    "dup_shares_the_pipe",
    "dup_takes_the_lowest",
    "first_free_is_three",
    "inherited_pipe_is_the_same_pipe",
    "lowest_free_number",
    "number_zero_can_be_taken",
    "redirect_and_back",
    "standard_input_is_empty",
    "wrong_end_of_the_pipe",
]


async def first_free_is_three(libc: Any) -> None:
    """A program starts with 0, 1 and 2: its first pipe has 3 and 4."""
    await common.say(libc, f"{await libc.pipe()} {await libc.pipe()}")


async def lowest_free_number(libc: Any) -> None:
    """A new descriptor has the lowest number that is free."""
    await libc.pipe()
    await libc.pipe()
    await libc.close(4)
    await libc.close(5)
    await common.say(libc, f"pipe {await libc.pipe()}")
    await libc.close(3)
    await common.say(libc, f"pipe {await libc.pipe()}")


async def dup_takes_the_lowest(libc: Any) -> None:
    """`dup` takes the lowest free number too."""
    r, w = await libc.pipe()
    await common.say(libc, f"{r} {w} {await libc.dup(w)} {await libc.dup(r)}")
    await libc.close(r)
    await common.say(libc, f"{await libc.dup(w)}")


async def dup_shares_the_pipe(libc: Any) -> None:
    """Two numbers for one end: closing one leaves the other open."""
    r, w = await libc.pipe()
    other = await libc.dup(w)
    await libc.close(w)
    await libc.write(other, b"still open")
    await libc.close(other)
    await common.say(libc, f"{await common.read_all(libc, r)!r}")


async def dup2_replaces(libc: Any) -> None:
    """`dup2` closes what was at the number, here the last write end of another pipe."""
    old_r, old_w = await libc.pipe()
    new_r, new_w = await libc.pipe()
    await common.say(libc, f"dup2 returned {await libc.dup2(new_w, old_w)}")
    await common.say(libc, f"old pipe: {await libc.read(old_r, 10)}")
    await libc.write(old_w, b"hello")
    await common.say(libc, f"new pipe: {await libc.read(new_r, 10)}")


async def dup2_on_itself(libc: Any) -> None:
    """`dup2` of a descriptor on itself does nothing."""
    r, w = await libc.pipe()
    await common.say(libc, f"dup2 returned {await libc.dup2(w, w)}")
    await libc.write(w, b"open")
    await common.say(libc, f"{await libc.read(r, 10)}")


async def dup2_far_away(libc: Any) -> None:
    """`dup2` may leave a gap; the next descriptor fills it from below."""
    r, w = await libc.pipe()
    await common.say(libc, f"{await libc.dup2(w, 100)}")
    await common.say(libc, f"{await libc.dup(w)} {await libc.pipe()}")
    await libc.write(100, b"from afar")
    await common.say(libc, f"{await libc.read(r, 10)}")


async def dup2_bad_arguments(libc: Any) -> None:
    """`dup2` of what is not open fails and leaves the target alone."""
    r, w = await libc.pipe()
    for old, new in ((77, r), (-1, r), (r, -1), (77, 77)):
        await common.say(libc, f"dup2({old}, {new}): {await common.fails(libc.dup2(old, new))}")
    await libc.write(w, b"intact")
    await common.say(libc, f"{await libc.read(r, 10)}")


async def bad_descriptors(libc: Any) -> None:
    """A number that is not open: EBADF from every call."""
    for fd in (3, 99, -1):
        await common.say(libc, f"read {fd}: {await common.fails(libc.read(fd, 1))}")
        await common.say(libc, f"write {fd}: {await common.fails(libc.write(fd, b'x'))}")
        await common.say(libc, f"close {fd}: {await common.fails(libc.close(fd))}")
        await common.say(libc, f"dup {fd}: {await common.fails(libc.dup(fd))}")
        await common.say(libc, f"lseek {fd}: {await common.fails(libc.lseek(fd, 0, 0))}")


async def wrong_end_of_the_pipe(libc: Any) -> None:
    """One end is for reading, the other for writing: EBADF."""
    r, w = await libc.pipe()
    await common.say(libc, f"write to the read end: {await common.fails(libc.write(r, b'x'))}")
    await common.say(libc, f"read from the write end: {await common.fails(libc.read(w, 1))}")


async def close_twice(libc: Any) -> None:
    """The second close of a number is an error."""
    r, _ = await libc.pipe()
    await common.say(libc, await common.fails(libc.close(r)))
    await common.say(libc, await common.fails(libc.close(r)))


async def child_closes_for_itself(libc: Any) -> None:
    """The child's table is a copy: its close does not close the parent's descriptor."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.close(r)
        await libc.close(w)
        await common.say(libc, f"child: {await common.fails(libc.write(w, b'x'))}")
        return
    await libc.wait()
    await libc.write(w, b"open here")
    await common.say(libc, f"parent: {await libc.read(r, 10)}")


async def child_opens_for_itself(libc: Any) -> None:
    """What the child opens after the fork is not in the parent's table."""
    if await libc.fork() == 0:
        await common.say(libc, f"child: {await libc.pipe()}")
        return
    await libc.wait()
    await common.say(libc, f"parent: {await common.fails(libc.read(3, 1))}, {await libc.pipe()}")


async def inherited_pipe_is_the_same_pipe(libc: Any) -> None:
    """The copy of a descriptor means the same pipe: what one reads is gone for the other."""
    r, w = await libc.pipe()
    await libc.write(w, b"abcdef")
    if await libc.fork() == 0:
        await common.say(libc, f"child: {await libc.read(r, 2)}")
        return
    await libc.wait()
    await common.say(libc, f"parent: {await libc.read(r, 10)}")


async def redirect_and_back(libc: Any) -> None:
    """Let fd 1 be a pipe for a while, then what it was: keep a dup of it."""
    r, w = await libc.pipe()
    kept = await libc.dup(1)
    await libc.dup2(w, 1)
    await common.say(libc, "into the pipe")
    await libc.dup2(kept, 1)
    await libc.close(kept)
    await common.say(libc, f"caught {await libc.read(r, 100)}")


async def number_zero_can_be_taken(libc: Any) -> None:
    """0, 1 and 2 are numbers like others: free after close, and the lowest."""
    await libc.close(0)
    r, w = await libc.pipe()
    await common.say(libc, f"{r} {w}")
    kept = await libc.dup(1)
    await libc.close(1)
    error = await common.fails(libc.write(1, b"nobody hears this"))
    again = await libc.dup(kept)
    await common.say(libc, f"{again} is open again, write had said {error}")


async def standard_input_is_empty(libc: Any) -> None:
    """With fd 0 at /dev/null reading ends at once; it is not open for writing."""
    await common.say(libc, f"{await libc.read(0, 10)} {await libc.read(0, 10)}")
    await common.say(libc, await common.fails(libc.write(0, b"x")))
