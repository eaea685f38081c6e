"""The processes of a run on the reader's own Linux: the starter, its init, and the program.

No counterpart in Linux. The caller forks the *starter*, which unshares a PID namespace (only a
process's children can be in the new one) and forks pid 1. Pid 1, the *init*, makes a session of
its own, forks pid 2, the program, and reaps until it has no children left. All of them tell the
caller what happened by lines appended to one file: a tuple whose first item is its kind.
A line torn by a SIGKILL is no literal and is dropped; the next one stands on its own.

This module runs only in forked children, where there is one thread and nothing may return to the
caller's stack: every way out is `os._exit`. Importable only on Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import gc
import os
import pathlib
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NoReturn

from kernelsim.host import image, libc
from kernelsim.user import program as user_program

__all__ = ["Program", "Programs", "go_on", "start"]

Program = Callable[..., Coroutine[Any, Any, int | None]]
Programs = Mapping[str, Program]

CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
PR_SET_PDEATHSIG = 1

# The private descriptors are high, so that a program sees 0, 1, 2 and then 3 as the first free one.
LOG = 200  # the file of lines
LIFE = 201  # held by the starter alone: the caller's read end is at its end when all is over
SPARE = 210

_C = ctypes.CDLL(None, use_errno=True)


def start(
    program: Program, caller: int, fds: Sequence[int], processes: int, programs: Programs
) -> NoReturn:
    """Be the starter: called in the child that `caller` (a pid) has just forked.

    fds: the write ends of stdout, stderr, log and life.
    """
    try:
        _place(fds)
        _forget_the_caller()
        _die_with_the_parent()
        if os.getppid() == caller:
            _start_init(program, processes, programs)
    except BaseException:  # noqa: BLE001  nothing may return to the caller's stack
        _tell("broken", traceback.format_exc())
    os._exit(0)


# Whatever the caller had open is closed; the pipes take their places, /dev/null is fd 0.
def _place(fds: Sequence[int]) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, SPARE) for fd in (null, *fds)]
    places = (0, 1, 2, LOG, LIFE)
    for fd, place in zip(high, places, strict=True):
        os.dup2(fd, place)
    for path in list(pathlib.Path("/proc/self/fd").iterdir()):
        if int(path.name) not in places:
            with contextlib.suppress(OSError):  # the one that iterdir itself had open
                os.close(int(path.name))


# What a Python caller leaves in a process that a C program would not find there.
def _forget_the_caller() -> None:
    sys.settrace(None)
    sys.setprofile(None)
    gc.disable()
    gc.freeze()  # the caller's objects are not ours to finalise
    sys.stdout = sys.stderr = _Notes()
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.setsid()  # a Ctrl-C at the terminal is for the caller alone, which then ends us


class _Notes:
    # Stands in for sys.stdout and sys.stderr: what Python prints becomes a line of the log.
    def write(self, text: str) -> int:
        _tell("note", text)
        return len(text)

    def flush(self) -> None:
        return


def _tell(kind: str, *what: Any) -> None:
    os.write(LOG, f"{(kind, *map(_plain, what))!a}\n".encode())


# The value as a literal: an enumeration's number, any buffer's bytes, what is left as its repr.
def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str | bytes):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, dict):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return tuple(map(_plain, items))
    return repr(value)


def _die_with_the_parent() -> None:
    _C.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


# The caller's SIGTERM means: time is up. It waits, blocked, until there is an init to kill.
def _start_init(program: Program, processes: int, programs: Programs) -> None:
    reason = _unshare()
    if reason:
        _tell("unavailable", reason)
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    init = os.fork()
    if init == 0:
        _be_init(program, processes, programs)
    signal.signal(signal.SIGTERM, lambda *_: _kill(init))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.waitpid(init, 0)


# The init may have ended by itself just now.
def _kill(init: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(init, signal.SIGKILL)


# Root may unshare a PID namespace; others may in a user namespace of their own, as its root.
def _unshare() -> str:
    uid, gid = os.geteuid(), os.getegid()
    if _C.unshare(CLONE_NEWPID) == 0:
        return ""
    if _C.unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0:
        return os.strerror(ctypes.get_errno())
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {uid} 1"),
            ("gid_map", f"0 {gid} 1"),
        ):
            pathlib.Path("/proc/self", name).write_bytes(text.encode())
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return ""


def _be_init(program: Program, processes: int, programs: Programs) -> NoReturn:
    try:
        _die_with_the_parent()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.setsid()
        os.close(LIFE)
        first = os.fork()
        if first == 0:
            name = getattr(program, "__name__", "program").encode()
            _be_program(user_program.started(program, [name], []), _library(processes, programs))
        for fd in (0, 1, 2):
            os.close(fd)
        _tell("status", _reap_all(first))
    except BaseException:  # noqa: BLE001  nothing may return to the caller's stack
        _tell("broken", traceback.format_exc())
    os._exit(0)


# Until ECHILD: orphans come to us, and when nobody is left, nobody can write any more.
def _reap_all(first: int) -> int:
    result = 0
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return result
        if pid == first:
            result = status


def _library(processes: int, programs: Programs) -> libc.Libc:
    replace = functools.partial(image.replace, programs, processes)
    return libc.Libc(lambda *call: _tell("call", *call), processes, _stop_all, replace)


def go_on() -> NoReturn:
    """Be a program after its execve: called in the new image."""
    try:
        programs, processes, path, note, argv, envp = image.begin()
        _tell("call", os.getpid(), "execve", note, None)
        gc.disable()
        sys.stdout = sys.stderr = _Notes()
        program = user_program.started(programs[path], argv, envp)
    except BaseException:  # noqa: BLE001  nothing may return to the caller's stack
        _tell("broken", traceback.format_exc())
        os._exit(1)
    _be_program(program, _library(processes, programs))


# A child that the program forks comes back here too, at the end of its main.
def _be_program(program: Program, calls: libc.Libc) -> NoReturn:
    try:
        calls.finish_(_drive(program(calls)))
    except BaseException as error:  # noqa: BLE001  as the interpreter does at its end
        calls.finish_(_status_of(error))


# Every await of libc is answered at once, so main runs to its end in one step.
def _drive(main: Coroutine[Any, Any, int | None]) -> int:
    try:
        main.send(None)
    except StopIteration as end:
        return int(end.value) if isinstance(end.value, int) else 0
    raise RuntimeError("main awaited something that is not a call of libc")


# As Python ends: SystemExit carries a status, anything else is told and gives 1.
def _status_of(error: BaseException) -> int:
    if isinstance(error, SystemExit) and (error.code is None or isinstance(error.code, int)):
        return error.code or 0
    _tell("note", f"[pid {os.getpid()}] {traceback.format_exc()}")
    return 1


# kill(-1) reaches every process of the namespace but its init and the caller.
def _stop_all() -> NoReturn:
    _tell("runaway")
    os.kill(-1, signal.SIGKILL)
    os._exit(1)
