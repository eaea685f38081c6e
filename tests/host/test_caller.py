"""host.run: what a program sees, what comes back, and that nothing is left behind."""

import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import signal
import sys
from typing import Any

import pytest

from kernelsim import host

pytestmark = pytest.mark.needs_namespaces


def _open_fds() -> list[int]:
    return sorted(int(path.name) for path in pathlib.Path("/proc/self/fd").iterdir())


def _status() -> bytes:
    return pathlib.Path("/proc/self/status").read_bytes()


# The children of this process, whichever thread has them; a browser may be one of them.
def _children() -> set[str]:
    lists = pathlib.Path("/proc/self/task").glob("*/children")
    return {pid for path in lists for pid in path.read_text(encoding="ascii").split()}


@pytest.fixture(autouse=True)
def _leaves_nothing_behind():
    before, children = _open_fds(), _children()
    yield
    assert _open_fds() == before
    assert _children() <= children


# Give the calling process a name, which its children inherit.
def _take_name(name: str) -> None:
    pathlib.Path("/proc/self/comm").write_text(name)


# The processes on this machine with this name, zombies too.
def _named(name: str) -> list[str]:
    found: list[str] = []
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            found += [path.parent.name] * (path.read_text().strip() == name)
    return found


def test_program_is_pid_2_under_an_init_that_leads_session_and_group():
    async def program(libc):
        numbers = [await libc.getpid(), await libc.getppid()]
        numbers += [await libc.getsid(0), await libc.getpgrp(), await libc.getpgid(1)]
        await libc.write(1, str(numbers).encode())

    assert host.run(program).stdout == b"[2, 1, 1, 1, 1]"


def test_program_has_three_descriptors_and_three_is_free():
    async def program(libc):
        low = [fd for fd in _open_fds() if fd < 200]
        r, w = await libc.pipe()
        await libc.write(1, f"{low} {r} {w} {await libc.read(0, 1)!r}".encode())

    # 3 is the one by which iterdir itself reads
    assert host.run(program).stdout == b"[0, 1, 2, 3] 3 4 b''"


def test_all_signals_have_their_default_action():
    async def program(libc):
        await libc.write(1, _status())

    words = host.run(program).stdout.decode().split()
    # Signals 32 and 33 are the C library's own: what make starts has them ignored.
    ours = ~(3 << 31)
    masks = {
        name: int(words[words.index(f"{name}:") + 1], 16) & ours for name in ("SigBlk", "SigIgn")
    }
    caught = int(words[words.index("SigCgt:") + 1], 16)
    assert masks == {"SigBlk": 0, "SigIgn": 0}
    assert caught & 0xFFFF == 0


def test_stdout_stderr_and_notes_are_kept_apart():
    async def program(libc):
        await libc.write(1, b"out")
        await libc.write(2, b"err")
        print("a stray print")  # noqa: T201  a reader may try it

    run = host.run(program)
    assert (run.stdout, run.stderr, run.notes) == (b"out", b"err", "a stray print\n")


def test_a_megabyte_of_output_arrives():
    async def program(libc):
        for _ in range(16):
            await libc.write(1, b"x" * 65536)

    assert len(host.run(program).stdout) == 1 << 20


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(None, 0), ("5", 0), (0, 0), (7, 0x700), (256, 0), (1 << 40, 0), (True, 0x100), (-1, 0xFF00)],
)
def test_result_of_main_is_the_exit_status(outcome, status):
    async def program(_libc):
        return outcome

    assert host.run(program).status == status


@pytest.mark.parametrize(
    ("error", "status"),
    [(SystemExit(5), 0x500), (SystemExit(), 0), (SystemExit("bye"), 0x100), (ValueError(), 0x100)],
)
def test_exception_that_leaves_main_gives_the_status_python_gives(error, status):
    async def program(_libc):
        raise error

    assert host.run(program).status == status


def test_traceback_is_in_the_notes_and_not_on_stderr():
    async def program(_libc):
        raise ZeroDivisionError("told in the notes")

    run = host.run(program)
    assert run.notes.startswith("[pid 2] Traceback")
    assert run.notes.endswith("ZeroDivisionError: told in the notes\n")
    assert run.stderr == b""


def test_awaiting_anything_but_libc_is_an_error_of_the_program():
    class Foreign:
        def __await__(self):
            yield

    async def program(_libc):
        await Foreign()

    run = host.run(program)
    assert run.status == 0x100
    assert "not a call of libc" in run.notes


def test_status_is_the_first_process_s_though_others_end_later():
    async def program(libc):
        if await libc.fork() == 0:
            while await libc.getppid() != 1:
                await libc.sched_yield()
            await libc.write(1, b"later")
            return 9
        return 3

    run = host.run(program)
    assert (run.status, run.exit_code, run.stdout) == (0x300, 3, b"later")


def test_status_tells_the_signal_that_killed_it():
    async def program(libc):
        await libc.kill(await libc.getpid(), signal.SIGKILL)

    run = host.run(program)
    assert (run.status, run.exit_code) == (9, -9)


def test_timeout_tells_what_was_written_and_leaves_nobody():
    name = f"ks-hang-{os.getpid()}"[:15]

    async def program(libc):
        _take_name(name)
        r, _ = await libc.pipe()
        await libc.fork()
        await libc.fork()
        await libc.write(1, b"x")
        await libc.read(r, 1)

    with pytest.raises(host.Timeout, match=r"after 3 seconds") as caught:
        host.run(program, timeout=3)
    assert caught.value.stdout == b"xxxx"
    assert isinstance(caught.value, TimeoutError)
    assert _named(name) == []


def test_interrupt_leaves_nobody():
    name = f"ks-intr-{os.getpid()}"[:15]

    async def program(libc):
        _take_name(name)
        r, _ = await libc.pipe()
        await libc.read(r, 1)

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            host.run(program)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert _named(name) == []


def test_fork_bomb_is_stopped():
    async def program(libc):
        while True:
            await libc.fork()

    with pytest.raises(host.Runaway, match="more than 40 times"):
        host.run(program, processes=40)


def test_endless_output_is_stopped(monkeypatch):
    monkeypatch.setattr("kernelsim.host.caller.MAX_OUTPUT", 1 << 20)

    async def program(libc):
        while True:
            await libc.write(1, b"x" * 4096)

    with pytest.raises(host.Runaway, match="bytes of output"):
        host.run(program)


def test_runs_from_several_threads_do_not_disturb_each_other():
    def one(number):
        async def program(libc):
            if await libc.fork() == 0:
                await libc.write(1, f"{number} {await libc.getpid()}".encode())
                return number
            return (await libc.wait())[1] >> 8

        run = host.run(program)
        return run.stdout, run.exit_code

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(one, range(12)))
    assert outcomes == [(f"{number} 3".encode(), number) for number in range(12)]


def test_what_is_no_program_is_refused():
    things: tuple[Any, ...] = (None, "fork_tree", lambda libc: libc)
    for thing in things:
        with pytest.raises(TypeError, match="async def"):
            host.run(thing)


def test_elsewhere_than_on_linux_it_says_so(monkeypatch):
    async def program(_libc):
        return

    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(host.Unavailable, match="needs Linux; this is darwin"):
        host.run(program)
    assert "needs Linux" in host.unavailable()


def test_without_the_right_to_a_namespace_it_says_so():
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:  # as nobody, and with a /proc/self that is not ours: no user namespace either
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
        os.write(w, host.unavailable().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(r, 1000).startswith(b"no fresh PID namespace here (")
    os.close(r)
    os.close(w)
