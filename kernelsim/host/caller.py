"""`host.run`: a program in a fresh PID namespace of the reader's own Linux, seen from outside.

No counterpart in Linux. The program is handed over by `os.fork` and not to a fresh interpreter,
because what a reader runs is most often a function of their notebook, which no other process can
import. The forked child keeps one thread of the caller's (a Jupyter kernel has several); it takes
no lock that another could have held, closes every descriptor it inherited and never returns.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import os
import platform
import selectors
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from kernelsim.host import result

if TYPE_CHECKING:
    from kernelsim.host import inside

__all__ = ["kernel_release", "run", "unavailable"]

MAX_OUTPUT = 64 << 20
_CHUNK = 1 << 16


def run(
    program: inside.Program,
    *,
    programs: inside.Programs | None = None,
    timeout: float = 20.0,
    processes: int = 500,
) -> result.Run:
    """Run `async def program(libc)` as pid 2 of a fresh PID namespace and tell what came of it.

    Pid 1 is a small init, leader of session 1 and process group 1, which reaps until it has no
    children left; pid 2 inherits both. fd 0 is /dev/null, fds 1 and 2 are pipes that are read from
    outside; 3 is the first free one. All signals have their default action. An int that
    main returns is the exit status, anything else is 0; an exception that leaves it gives 1.

    `programs` are those that `libc.execve` finds, by path, besides the machine's own: another
    Python is executed under that name, which runs the function.  A program may also be
    `program(libc, argv)` or `program(libc, argv, env)`; the first one has its own name as argument.

    Raises `Unavailable` where this cannot be done, `Timeout` after `timeout` seconds and `Runaway`
    after `processes` forks or 64 MiB of output; nothing is left running in any case.
    """
    if not inspect.iscoroutinefunction(program):
        raise TypeError(f"a program is an `async def` function of libc, not {program!r}")
    if not sys.platform.startswith("linux"):
        raise result.Unavailable(f"a fresh PID namespace needs Linux; this is {sys.platform}")
    import fcntl  # there is none on Windows

    with contextlib.ExitStack() as stack:
        log = stack.enter_context(
            os.fdopen(os.memfd_create("kernelsim-host-log"), "r+b", buffering=0)
        )
        # Two writers at one time share a memfd's position without a lock; appending has one.
        fcntl.fcntl(log.fileno(), fcntl.F_SETFL, os.O_APPEND)
        pipes = [os.pipe() for _ in ("stdout", "stderr", "life")]
        reads = [stack.enter_context(os.fdopen(read, "rb", buffering=0)) for read, _ in pipes]
        writes = [stack.enter_context(os.fdopen(write, "wb", buffering=0)) for _, write in pipes]
        with _starter(program, (writes[0], writes[1], log, writes[2]), processes, programs or {}):
            for write in writes:
                write.close()
            stdout, stderr = _drain(reads, timeout)
        lines = _lines(log)
    return _result(lines, stdout, stderr, processes)


def unavailable() -> str:
    """Why no program can be run here, or "" if it can: the message of `Unavailable`."""
    try:
        run(_nothing)
    except result.Unavailable as reason:
        return str(reason)
    return ""


async def _nothing(_libc: Any) -> None:
    return


def kernel_release() -> str:
    """The running kernel's name and version, without what a distribution appends to it."""
    return f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}"


# Whatever happens meanwhile, the starter is ended, and by it the init, and by that all others.
@contextlib.contextmanager
def _starter(
    program: inside.Program,
    files: Sequence[IO[bytes]],
    processes: int,
    programs: inside.Programs,
) -> Iterator[None]:
    from kernelsim.host import inside  # only here: it needs Linux

    caller = os.getpid()
    with warnings.catch_warnings():  # Python 3.12 and later warn of a fork beside other threads
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
        if pid == 0:
            inside.start(program, caller, [file.fileno() for file in files], processes, programs)
    try:
        yield
    finally:
        with contextlib.suppress(ChildProcessError):  # a caller that ignores SIGCHLD
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


# Read stdout and stderr until the starter is gone and nothing is left to read.
def _drain(reads: Sequence[IO[bytes]], timeout: float) -> tuple[bytes, bytes]:
    data = {file.fileno(): bytearray() for file in reads}
    stdout, stderr, life = data
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for fd in data:
            selector.register(fd, selectors.EVENT_READ)
        while (alive := life in selector.get_map()) or selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()) if alive else 0)
            if alive and time.monotonic() >= deadline:
                text = f"the program had not ended after {timeout:g} seconds"
                raise result.Timeout(text, bytes(data[stdout]))
            if not alive and not ready:
                break
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                data[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
            if len(data[stdout]) + len(data[stderr]) > MAX_OUTPUT:
                raise result.Runaway(f"more than {MAX_OUTPUT} bytes of output", bytes(data[stdout]))
    return bytes(data[stdout]), bytes(data[stderr])


# What the processes appended, in order; a line torn by a SIGKILL is left out.
def _lines(log: IO[bytes]) -> list[tuple[Any, ...]]:
    log.seek(0)
    lines = []
    for line in log.read().decode("ascii").split("\n"):
        with contextlib.suppress(SyntaxError, ValueError):
            lines.append(ast.literal_eval(line))
    return lines


def _result(
    lines: list[tuple[Any, ...]], stdout: bytes, stderr: bytes, processes: int
) -> result.Run:
    def of(kind: str) -> list[tuple[Any, ...]]:
        return [line[1:] for line in lines if line[0] == kind]

    for (reason,) in of("unavailable"):
        raise result.Unavailable(
            f"no fresh PID namespace here ({reason}): it takes root with CAP_SYS_ADMIN, "
            "or a kernel that lets users make user namespaces"
        )
    if of("runaway"):
        raise result.Runaway(f"the program forked more than {processes} times", stdout)
    if not of("status"):
        raise RuntimeError(
            "the runner itself failed:\n" + "".join(text for (text,) in of("broken"))
        )
    return result.Run(
        stdout=stdout,
        status=of("status")[0][0],
        stderr=stderr,
        records=tuple(result.Call(*what) for what in of("call")),
        notes="".join(text for (text,) in of("note")),
        kernel_release=kernel_release(),
    )
