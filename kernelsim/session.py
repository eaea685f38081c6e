"""The facade: a kernel that a reader boots, pokes and looks at, now or at an earlier time."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from typing import TYPE_CHECKING, Any

from kernelsim import numbering, steer, threads
from kernelsim.arch.x86.entry import common, entry_64
from kernelsim.arch.x86.kernel import vmlinux
from kernelsim.debug import changes, ftrace, strace
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait as wait_flags
from kernelsim.init import main
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel.trace import ftrace as kernel_ftrace
from kernelsim.machine.cpu import Panic
from kernelsim.machine.machine import Machine, PastMachine
from kernelsim.machine.ref import ValidationError
from kernelsim.mm import slab_common
from kernelsim.puppets import PENDING, DeadTask, Driver
from kernelsim.user import libc, replay
from kernelsim.user import program as user_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from kernelsim.machine.trace import Event

__all__ = [
    "PENDING",
    "DeadTask",
    "Kernel",
    "KernelAt",
    "Look",
    "boot",
    "parse_size",
]


vmlinux.link_kernel()
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SMALLEST = 33 << 20
REAP, WAKE = 0x401000, 0x401040  # the addresses of init's handlers for SIGCHLD and SIGHUP


def parse_size(size: int | str) -> int:
    """Return the number of bytes that `size` means: an int, or text such as "256M".

    Raises ValueError or TypeError for anything else.
    """
    if isinstance(size, str):
        match = re.fullmatch(r"(\d+)([KMG]?)B?", size.strip().upper())
        if not match:
            raise ValueError(f"{size!r} is not a size: give bytes, or text such as '256M'")
        return int(match[1]) * _UNITS[match[2]]
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError(f"a size is an int or text such as '256M', not {type(size).__name__}")
    return size


def boot(
    cpus: int = 1, memory: int | str = "256M", pid_max: int = 32768, *, record: bool = True
) -> Kernel:
    """Boot a kernel: swapper (0), init (1, a puppet that reaps) and kthreadd (2) exist.

    `memory` is the size of RAM, `pid_max` as kernel.pid_max; `record` keeps every store and event,
    for `at`, `diff`, `events` and `branch`.  Raises ValueError for what can't be.
    """
    return Kernel(cpus=cpus, memory=memory, pid_max=pid_max, record=record)


class Look:
    """What can be seen of a machine, now or at an earlier time."""

    machine: Machine | PastMachine
    now: int

    @contextlib.contextmanager
    def _looking(self) -> Iterator[Any]:
        # The machine, for kernel functions that are called to look: they leave no events.
        trace = self.machine.trace
        was, trace.on = trace.on, False
        try:
            yield self.machine
        finally:
            trace.on = was

    def task(self, pid: int) -> task_struct:
        """Return the task (struct task_struct *) with that number in the initial namespace.

        Raises LookupError when there is none.
        """
        if isinstance(pid, bool) or not isinstance(pid, int):
            raise TypeError(f"a pid is an int, not {type(pid).__name__}")
        with self._looking() as m:
            found = (
                kernel_pid.find_task_by_pid_ns(m, pid, pid_h.init_pid_ns(m))
                if pid
                else m.symbol("init_task")
            )
        if not found:
            raise LookupError(f"there is no task with pid {pid}")
        return found

    def tasks(self) -> list[task_struct]:
        """Return every process's task_struct, in the order of the task list; init_task is not one.

        Raises ValidationError where the list, corrupted, never comes back to its head.
        """
        seen: dict[int, task_struct] = {}
        for task in sched_signal.for_each_process(self.machine):  # type: ignore[arg-type]
            if task.address_ in seen:
                raise ValidationError(
                    f"the task list does not come back to its head: {task!r} comes again "
                    f"after {next(reversed(seen.values()))!r}"
                )
            seen[task.address_] = task
        return list(seen.values())

    def slabs(self) -> dict[str, int]:
        """Return how many objects of each slab cache are in use."""
        with self._looking() as m:
            return slab_common.usage(m)

    def ps(self) -> str:
        """Return the processes as a table: number, parent, group, session, state letter, name."""
        with self._looking() as m:
            ns = pid_h.init_pid_ns(m)
            lines = ["    PID    PPID    PGID     SID S COMMAND"]
            for t in self.tasks():
                numbers = (
                    t.pid,
                    kernel_pid.task_tgid_nr_ns(t.real_parent, ns),
                    *(
                        kernel_pid.pid_nr_ns(t.signal.pids[k], ns)
                        for k in (sched.PIDTYPE_PGID, sched.PIDTYPE_SID)
                    ),
                )
                row = " ".join(f"{n:7}" for n in numbers)
                comm = t.comm.string_().decode("utf-8", "replace")
                lines.append(f"{row} {sched.task_state_to_char(t)} {comm}")
        return "\n".join(lines) + "\n"


class KernelAt(Look):
    """A kernel as it was at time `now`; it can be looked at, not changed."""

    def __init__(self, machine: PastMachine) -> None:
        self.machine = machine
        self.now = machine.now

    def __repr__(self) -> str:
        return f"<kernel at t={self.now}, read-only>"


class Kernel(Look, numbering.Numbering, threads.Threads):
    """A booted kernel."""

    machine: Machine

    def __init__(
        self,
        cpus: int = 1,
        memory: int | str = "256M",
        pid_max: int = 32768,
        *,
        record: bool = True,
    ) -> None:
        if isinstance(pid_max, bool) or not isinstance(pid_max, int):
            raise TypeError(f"pid_max is an int, not {type(pid_max).__name__}")
        if cpus != 1:
            raise ValueError(f"{cpus!r} CPUs: this release simulates one")
        if (size := parse_size(memory)) < SMALLEST:
            raise ValueError(f"a memory size of {size} bytes: the kernel needs at least 33M")
        self._arguments = {"cpus": cpus, "memory": memory, "pid_max": pid_max, "record": record}
        self.machine = m = Machine(size, record=bool(record))
        self.lines: dict[int, list[bytes]] = {0: [], 1: [], 2: []}
        self.commands: list[tuple[int, str, tuple[Any, ...]]] = []
        self._numbered = []
        m.line_out = lambda line, data: self.lines[line].append(data)
        m.programs["/sbin/init"] = None
        m.user_text[REAP], m.user_text[WAKE] = self._reap, self._wake
        if record:
            kernel_ftrace.register(m)
        self._driver = Driver(m)
        self.chooser = steer.Chooser(self._driver)
        enter = functools.partial(entry_64.entry_SYSCALL_64, m)
        self._stub = libc.Libc(enter, common.syscall_number)
        self._stub.compute_ = functools.partial(entry_64.user_work, m)
        main.start_kernel(m)
        if kernel_pid.set_pid_max(m, pid_max):
            raise ValueError(f"pid_max {pid_max!r} is not between 301 and 4194304")
        m.cpu.contexts[m.symbol("init_task").address_] = main.boot_task(m)
        self._driver.run()
        if self._driver.panic is not None:
            raise self._driver.panic
        self._fire(self.init, "rt_sigaction", signal.SIGCHLD, (REAP, 0), None, 8)
        self._fire(self.init, "rt_sigaction", signal.SIGHUP, (WAKE, 0), None, 8)
        self._driver.sleeper = self.init.address_
        self._fire(self.init, "getpid")
        self.chooser.noted.clear()

    def __repr__(self) -> str:
        state = f", {self.panic}" if self.panic else ""
        return f"<kernel at t={self.now}, {len(self.tasks())} processes{state}>"

    @property
    def init(self) -> task_struct:
        """The process with number 1."""
        return self.task(1)

    @property
    def now(self) -> int:  # type: ignore[override]
        """The number of events so far: the time."""
        return self.machine.trace.now

    @property
    def panic(self) -> Panic | None:
        """The panic that ended this machine, None while it lives."""
        return self._driver.panic

    @property
    def console(self) -> bytes:
        """What was written to the console so far."""
        return b"".join(self.lines[1])

    # --- acting -------------------------------------------------------------------------------

    async def _reap(self, m: Machine, sig: int) -> None:
        # The user half of init: a handler for SIGCHLD that waits for every dead child.
        stub = self._libc()
        while True:
            try:
                pid, _ = await stub.waitpid(-1, wait_flags.WNOHANG)
            except OSError:
                return
            if not pid:
                return

    async def _wake(self, m: Machine, sig: int) -> None:
        # init's handler for SIGHUP: it is to look what there is to do.
        return

    def _libc(self) -> libc.Libc:
        return self._stub

    def spawn(self, name: str) -> task_struct:
        """Start a puppet called `name`, a child of init: fork, then execve; return its task_struct."""
        if not isinstance(name, str) or not name or "\0" in name:
            raise ValueError(f"{name!r} can't be a program's name: text, not empty, without NUL")
        name.encode()  # UnicodeEncodeError, a ValueError, for what no file can be called
        self._file(name)
        pid = self.call(self.init, "fork")
        if isinstance(pid, Panic):
            raise pid
        task = self.task(pid)
        try:
            self.call(task, "execve", name)
        except OSError:
            self.call(task, "exit_group", 127)
            raise
        return task

    def _file(self, name: str) -> None:
        # Have a program `name` on the disk: one that is a puppet, if none is there.
        if name not in self.machine.programs:
            self.machine.programs[name] = None
            self.commands.append((self.now, "_file", (name,)))

    def call(self, task: task_struct, name: str | int, *args: Any) -> Any:
        """Fire a system call for a puppet, with libc's name, arguments and result.

        Returns the result, PENDING if the call sleeps, None if it never returns (exit), or a Panic
        if it ended the machine.  Raises OSError if the call fails, DeadTask, ValueError for a name
        or number that is no system call, TypeError for arguments of the wrong kind.
        """
        if self.panic is not None:
            raise self.panic
        task = self._idle_puppet(task)
        coroutine = self._call(name, args)
        self.commands.append((self.now, "call", (task, name, *args)))
        self._driver.fire(task.address_, str(name), coroutine)
        return self.result(task)

    def _call(self, name: str | int, args: tuple[Any, ...]) -> Any:
        # The coroutine that makes the call: libc's stub, or a bare SYSCALL instruction.
        stub = self._libc()
        if name in libc.CALLS:
            return getattr(stub, name)(*args)
        number = name if isinstance(name, int) else common.syscall_number(name)
        common.check_arguments(number, args)
        return stub.trap_number_(number, *args)

    def _fire(self, task: task_struct, name: str, *args: Any) -> None:
        self._driver.fire(task.address_, name, self._libc().trap_(name, *args))

    def result(self, task: task_struct) -> Any:
        """Return the result of the task's last call, PENDING while it sleeps, or the machine's Panic.

        Raises what the call raised.
        """
        if not isinstance(task, task_struct):
            raise TypeError(f"a task is a struct task_struct *, not {type(task).__name__}")
        if self.panic is not None:
            return self.panic
        value = self._driver.result(task)
        if isinstance(value, Exception):
            raise value
        return value

    def run_next(self, task: task_struct | None = None) -> task_struct:
        """Let a timer interrupt come: `task` runs next, or CFS's choice; return who runs now."""
        return steer.run_next(self, self._driver, task)

    def load(self, name: str, program: Callable[..., Any]) -> None:
        """Put a Python program on the machine's disk, for execve.

        It is `async def main(libc)`, `main(libc, argv)` or `main(libc, argv, env)`: argv is the list
        of its arguments, env the dict of its environment.
        """
        m = self.machine

        def image(task: task_struct, argv: list[bytes], envp: list[bytes]) -> user_program.Program:
            enter = functools.partial(entry_64.entry_SYSCALL_64, m)
            stub = libc.Libc(enter, common.syscall_number, replay.Log())
            stub.compute_ = functools.partial(entry_64.user_work, m)
            return user_program.Program(user_program.started(program, argv, envp), stub)

        m.programs[name] = image
        self.commands.append((self.now, "load", (name, program)))

    # --- time ---------------------------------------------------------------------------------

    def at(self, t: int, stores: int = 0) -> KernelAt:
        """Return the kernel as it was at time `t`, before event `t`; read-only.

        `stores` moves on by that many words of the journal, inside one event.
        """
        return KernelAt(PastMachine(self.machine, t, stores))

    def diff(self, t0: int, t1: int | None = None) -> list[changes.Change]:
        """Return the fields that differ between the times `t0` and `t1` (now, if not given)."""
        return changes.diff(self.machine, t0, self.now if t1 is None else t1)

    def state_hash(self) -> str:
        """Return a number, as 64 hexadecimal digits, that two machines share if their memory is the same."""
        digest = hashlib.sha256()
        for offset, page in changes.used_pages(self.machine):
            digest.update(offset.to_bytes(8, "little"))
            digest.update(page)
        return digest.hexdigest()

    def branch(self, t: int | None = None, choose: task_struct | None = None) -> Self:
        """Return a new machine in the state after the last command begun before time `t` (default: now).

        It is booted afresh and does the same once more; the two then go their own ways.
        `choose` is who runs next at time `t`, the time of one of `chooser.noted`.
        """
        if t is not None:
            self.machine.trace.place(t)  # ValueError for a time that has not been
        other = type(self)(**self._arguments)  # type: ignore[arg-type]
        steer.replay(self, other, t, choose)
        return other

    def reboot(self) -> Self:
        """Return a new machine, just booted, with the same parameters and the same programs on its disk."""
        other = type(self)(**self._arguments)  # type: ignore[arg-type]
        steer.copy_disk(self, other)
        return other

    # --- what happened ------------------------------------------------------------------------

    def events(self, since: int = 0, until: int | None = None) -> list[Event]:
        """Return the events in [since, until): tracepoints, and kernel functions entered and left."""
        return list(self.machine.trace.events(since, until))

    def function_graph(self, since: int = 0, until: int | None = None) -> str:
        """Return the kernel functions called in [since, until) in the form of ftrace's function_graph."""
        return ftrace.function_graph(self.machine, since, until)

    def strace(self, since: int = 0, until: int | None = None) -> str:
        """Return the system calls made in [since, until) in the form of strace -f."""
        return strace.strace(self.machine, since, until)
