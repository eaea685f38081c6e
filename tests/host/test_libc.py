"""The host's libc: what is noted of a call, and where Python's os differs from C."""

from __future__ import annotations

import inspect
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from kernelsim import host
from kernelsim.host import libc
from kernelsim.user import libc as user_libc

if TYPE_CHECKING:
    from kernelsim.host import inside

pytestmark = pytest.mark.needs_namespaces


def _records(program: inside.Program) -> list[tuple[Any, ...]]:
    return [tuple(call) for call in host.run(program).records]


def test_each_call_is_noted_with_its_result_or_errno():
    async def program(libc):
        r, w = await libc.pipe()
        await libc.write(w, b"ab")
        await libc.read(r, 1)
        try:
            await libc.wait()
        except ChildProcessError:
            await libc.exit(4)

    assert _records(program) == [
        (2, "pipe", (), (3, 4)),
        (2, "write", (4, b"ab"), 2),
        (2, "read", (3, 1), b"a"),
        (2, "wait", (), "ECHILD"),
        (2, "exit", (4,), None),
    ]


def test_fork_is_noted_in_both_processes():
    async def program(libc):
        if await libc.fork() == 0:
            await libc._exit(0)
        await libc.wait()

    records = _records(program)
    assert [call for call in records if call[0] == 2] == [
        (2, "fork", (), 3),
        (2, "wait", (), (3, 0)),
        (2, "exit", (0,), None),
    ]
    assert [call for call in records if call[0] == 3] == [
        (3, "fork", (), 0),
        (3, "_exit", (0,), None),
    ]


def test_arguments_are_noted_as_plain_values():
    async def program(libc):
        await libc.kill(await libc.getpid(), signal.Signals.SIGCHLD)
        await libc.write(2, memoryview(b"\n\xff"))
        await libc.write(2, "no\u2028text\udc80")

    assert [call[1:3] for call in _records(program)] == [
        ("getpid", ()),
        ("kill", (2, 17)),
        ("write", (2, b"\n\xff")),
        ("exit", (1,)),
    ]


def test_calls_are_a_table():
    async def program(libc):
        await libc.getpid()
        await libc.pipe()

    table = host.run(program).calls
    assert list(table.columns) == ["pid", "name", "args", "result"]
    assert list(table["name"]) == ["getpid", "pipe", "exit"]
    assert list(table["result"]) == [2, (3, 4), None]


def test_descriptors_are_inheritable_as_in_c():
    async def program(libc):
        r, w = await libc.pipe()
        fds = (r, w, await libc.dup(r), await libc.dup2(w, 9))
        await libc.write(1, str([os.get_inheritable(fd) for fd in fds]).encode())

    assert host.run(program).stdout == b"[True, True, True, True]"


def test_exit_status_must_be_a_c_int():
    async def program(libc):
        for status, error in ((1 << 31, OverflowError), ("3", TypeError)):
            try:
                await libc.exit(status)
            except error:
                await libc.write(1, b"refused ")
        await libc.exit(-(1 << 31) + 5)

    run = host.run(program)
    assert (run.stdout, run.status) == (b"refused refused ", 0x500)


def test_opened_file_is_inheritable_too():
    async def program(libc):
        fd = await libc.open("/dev/null", os.O_WRONLY)
        await libc.write(1, f"{fd} {os.get_inheritable(fd)} {await libc.write(fd, b'x')}".encode())

    assert host.run(program).stdout == b"3 True 1"


# A clone with raw flags would go behind Python's back.  What Python itself would not survive, or has no function for.
NOT_ON_THE_HOST = {"clone", "set_robust_list", "sigaction", "vfork"}


def test_host_has_the_simulator_s_calls_but_for_some():
    mine = {
        name for name in dir(libc.Libc) if inspect.iscoroutinefunction(getattr(libc.Libc, name))
    }
    assert user_libc.CALLS - mine - set(libc.CALLS) == NOT_ON_THE_HOST


def test_unknown_call_is_refused_by_name():
    async def program(libc):
        await libc.frok()

    run = host.run(program)
    assert run.status == 0x100
    assert (
        "libc has no call 'frok'; it has chdir, clone_pidfd, close, close_range, compute"
        in run.notes
    )


@pytest.mark.parametrize(
    ("seconds", "nanoseconds", "result"),
    [(0, 1, 0), (0, 10**9, "EINVAL"), (-1, 0, "EINVAL"), (0, -1, "EINVAL")],
)
def test_nanosleep_takes_a_timespec(seconds, nanoseconds, result):
    async def program(libc):
        await libc.nanosleep(seconds, nanoseconds)

    assert _records(program)[0][3] == result


def test_printf_is_written_by_exit_and_lost_by_underscore_exit():
    async def program(libc):
        await libc.printf("before fork;")
        if await libc.fork() == 0:
            await libc.printf("child;")
            await libc.exit(0)
        await libc.wait()
        if await libc.fork() == 0:
            await libc.printf("lost;")
            await libc._exit(0)
        await libc.wait()
        await libc.fflush()
        await libc.printf("end")

    assert host.run(program).stdout == b"before fork;child;before fork;end"


def test_printf_writes_full_blocks():
    async def program(libc):
        await libc.printf("x" * (2 * libc_bufsiz + 1))

    libc_bufsiz = libc.BUFSIZ
    sizes = [call[3] for call in _records(program) if call[1] == "write"]
    assert sizes == [libc.BUFSIZ, libc.BUFSIZ, 1]
