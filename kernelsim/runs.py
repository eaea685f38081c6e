"""`ks.run`: a program in the simulator, in a PID namespace of its own, as `ks.host.run` runs it on Linux."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from kernelsim import session
from kernelsim.arch.x86.entry import common, entry_64
from kernelsim.debug import stack
from kernelsim.host import result as host_result
from kernelsim.include.uapi.linux import sched
from kernelsim.kernel import pid as kernel_pid
from kernelsim.user import libc, replay
from kernelsim.user import program as user_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Run", "Stuck", "run"]

_STANDARD = ((0, "/dev/null", 0), (1, "/dev/ttyS1", 1), (2, "/dev/ttyS2", 1))  # as on the host
CALL_LIMIT = 1_000_000
RELEASE = "5.10.188 (simulated)"


@dataclasses.dataclass(frozen=True, repr=False)
class Run(host_result.Run):
    """The outcome of a run in the simulator: as on the host, and the kernel it ran on."""

    kernel: session.Kernel | None = None

    __repr__ = host_result.Run.__repr__


class Stuck(host_result.Timeout):
    """Every process of the program sleeps and nothing can wake one; the message says where each waits."""


class _Recorder:
    # Notes the calls of every process, as the host's libc does, and stops a program without end.
    def __init__(self, kernel: session.Kernel, processes: int) -> None:
        self.kernel, self.processes = kernel, processes
        self.records: list[host_result.Call] = []
        self.notes: list[str] = []
        self.runaway = ""
        self.calls = 0

    async def enter(self, nr: int, args: tuple[Any, ...]) -> int:
        m = self.kernel.machine
        self.calls += 1
        if self.calls > CALL_LIMIT:
            self.runaway = f"more than {CALL_LIMIT} system calls"
        if self.runaway:
            raise libc.Stop
        return await entry_64.entry_SYSCALL_64(m, nr, args)

    def note(self, name: str, args: tuple[Any, ...], value: Any) -> None:
        m = self.kernel.machine
        pid = kernel_pid.task_tgid_vnr(m, m.current)
        self.records.append(host_result.Call(pid, name, args, value))
        if name == "fork" and value == 0 and pid > self.processes:
            self.runaway = f"more than {self.processes} processes"

    def tell(self, text: str) -> None:
        m = self.kernel.machine
        self.notes.append(f"[pid {kernel_pid.task_tgid_vnr(m, m.current)}] {text}")

    def libc(self, *, noting: bool) -> libc.Libc:
        stub = libc.Libc(self.enter, common.syscall_number, replay.Log())
        stub.note_ = self.note if noting else None
        stub.tell_ = self.tell
        stub.compute_ = functools.partial(entry_64.user_work, self.kernel.machine)
        return stub

    def image(self, main: Callable[..., Any]) -> Callable[..., user_program.Program]:
        def begin(task: Any, argv: list[bytes], envp: list[bytes]) -> user_program.Program:
            started = user_program.started(main, argv, envp)
            return user_program.Program(started, self.libc(noting=True))

        return begin


def run(
    program: Callable[..., Any],
    *,
    programs: Mapping[str, Callable[..., Any]] | None = None,
    record: bool = True,
    memory: int | str = "256M",
    processes: int = 500,
) -> Run:
    """Run `async def program(libc)` as pid 2 of a fresh PID namespace whose pid 1 reaps; return a Run.

    `programs` are those on the disk, by path: what `libc.execve` finds.  A program may also be
    `program(libc, argv)` or `program(libc, argv, env)`; the first one has its own name as argument.
    Raises Stuck when it can't end, Runaway when it does not, TypeError for what is no program.
    """
    if not callable(program):
        raise TypeError(f"a program is an async function of libc, not {type(program).__name__}")
    kernel = session.boot(memory=memory, record=record)
    recorder = _Recorder(kernel, processes)
    status: list[int] = []
    main = user_program.started(program, [getattr(program, "__name__", "program").encode()], [])

    async def first(stub: libc.Libc) -> int:
        # The namespace's pid 1: starts the program and reaps until nobody is left.
        await stub.setsid()
        for fd, device, mode in _STANDARD:
            await stub.close(fd)
            await stub.open(device, mode)
        pid = await stub.fork()
        if pid == 0:
            stub.note_ = recorder.note
            return libc.exit_status(await main(stub))
        while True:
            try:
                reaped, word = await stub.wait()
            except OSError:
                return 0
            if reaped == pid:
                status.append(word)

    path = "run" if "run" not in (programs or {}) else "/bin/run"
    kernel.machine.programs[path] = lambda task, argv, envp: user_program.Program(
        first, recorder.libc(noting=False)
    )
    for name, other in (programs or {}).items():
        kernel.machine.programs[name] = recorder.image(other)
    child = kernel.call(kernel.init, "clone", sched.CLONE_NEWPID | 17)
    with contextlib.suppress(libc.Stop):
        kernel.call(kernel.task(child), "execve", path)
    out, err = (b"".join(kernel.lines[line]) for line in (1, 2))
    if recorder.runaway:
        raise host_result.Runaway(f"the program does not end: {recorder.runaway}", out)
    if not status or _alive(kernel, child):
        raise Stuck(f"nobody can run any more: {stack.waiting(kernel)}", out)
    return Run(
        out, status[0], err, tuple(recorder.records), "".join(recorder.notes), RELEASE, kernel
    )


def _alive(kernel: session.Kernel, pid: int) -> bool:
    try:
        return bool(kernel.task(pid))
    except LookupError:
        return False
