"""The ways out of a process, and what the parent sees of them."""

from __future__ import annotations

from typing import Any

from kernelsim.user.programs import common

__all__ = [
    "caught_error_goes_on",
    "child_ends_where_main_ends",
    "exception_in_a_child",
    "exception_leaves_main",
    "exit_does_not_unwind",
    "exit_from_a_deep_frame",
    "exit_keeps_eight_bits",
    "exit_leaves_the_rest_undone",
    "exit_under_three_names",
    "main_ends_before_its_child",
    "none_is_success",
    "returned_number_is_the_exit_code",
    "uncaught_oserror",
]


async def none_is_success(libc: Any) -> None:
    """A main without a result exits with 0."""
    await common.say(libc, "done")


async def returned_number_is_the_exit_code(libc: Any) -> int:
    """What main returns is the exit code, of the program and of a child."""
    if await libc.fork() == 0:
        return 11
    _, status = await libc.wait()
    await common.say(libc, f"child {status:#06x}")
    return 22


async def exit_keeps_eight_bits(libc: Any) -> int:
    """Of 0x1234 the low byte arrives."""
    await common.say(libc, "0x1234 & 0xff is 0x34")
    return 0x1234


async def exit_under_three_names(libc: Any) -> None:
    """`exit`, `_exit` and exit_group end a process with one thread alike."""
    for way in (libc.exit, libc._exit, libc.exit_group):
        if await libc.fork() == 0:
            await way(33)
        _, status = await libc.wait()
        await common.say(libc, f"{status:#06x}")


async def exit_leaves_the_rest_undone(libc: Any) -> None:
    """After exit comes nothing."""
    if await libc.fork() == 0:
        await common.say(libc, "last words")
        await libc.exit(1)
        await common.say(libc, "never said")
    await libc.wait()


async def exit_does_not_unwind(libc: Any) -> None:
    """`exit` ends the process where it stands: no finally is run, for C has none."""
    if await libc.fork() == 0:
        try:
            await libc.exit(3)
        except BaseException:  # noqa: BLE001  whatever it were, it would be wrong
            await common.say(libc, "never caught")
        finally:
            await common.say(libc, "never cleaned up")
    _, status = await libc.wait()
    await common.say(libc, f"{status:#06x}")


async def exit_from_a_deep_frame(libc: Any) -> None:
    """`exit` ends the process however deep in its functions it stands."""

    async def dive(depth: int) -> None:
        if depth == 0:
            await libc.exit(77)
        await dive(depth - 1)
        await common.say(libc, "never back")

    if await libc.fork() == 0:
        await dive(20)
    _, status = await libc.wait()
    await common.say(libc, f"{status:#06x}")


async def exception_in_a_child(libc: Any) -> None:
    """A Python exception that nobody catches ends the process with 1, as Python does."""
    if await libc.fork() == 0:
        raise ValueError("nobody catches this")
    _, status = await libc.wait()
    await common.say(libc, f"{status:#06x}")


async def exception_leaves_main(libc: Any) -> None:
    """The same for the program's first process; what it had written stays."""
    await common.say(libc, "before")
    raise LookupError("nobody catches this")


async def uncaught_oserror(libc: Any) -> None:
    """A failed call that nobody catches is such an exception too."""
    await common.say(libc, "about to close what is not open")
    await libc.close(77)
    await common.say(libc, "never said")


async def caught_error_goes_on(libc: Any) -> int:
    """A failed call changes nothing: the program may go on."""
    tries = 0
    for fd in (50, 51, 52):
        try:
            await libc.close(fd)
        except OSError:
            tries += 1
    await common.say(libc, f"{tries} failures")
    return tries


async def child_ends_where_main_ends(libc: Any) -> None:
    """A child that is not stopped runs on behind the fork to the end of main, as its parent."""
    pid = await libc.fork()
    if pid:
        await libc.wait()
    await common.say(libc, "both say this")


async def main_ends_before_its_child(libc: Any) -> int:
    """The run is over when all processes are; its status is that of the first one."""
    r, w = await libc.pipe()
    if await libc.fork() == 0:
        await libc.close(w)
        await common.read_all(libc, r)
        await common.say(libc, "child, after its parent closed the pipe by ending")
        return 1
    await common.say(libc, "parent ends")
    return 44
