"""The two stages on which actors play: the simulator, checked after each call, and real Linux."""

import contextlib
import ctypes
import functools
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import kernelsim as ks
from kernelsim import host
from kernelsim.arch.x86.entry import common, entry_64
from kernelsim.debug import stack, validate
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.linux import sched as sched_flags
from kernelsim.kernel import pid as kernel_pid
from kernelsim.user import libc as user_libc
from kernelsim.user import program as user_program
from kernelsim.user import replay
from tests.kernel import stage
from tests.oracle import actors, commands

__all__ = ["on_linux", "outcome", "simulated"]

DIRECTORY = "/bin"  # in the simulator; on Linux a directory of the run's own
REST = 1_000_000
PATIENCE = 30.0
_SOURCE = pathlib.Path(__file__).with_name("actor.c")


# --- what came of it --------------------------------------------------------------------------


def outcome(text: str) -> list[list[str]]:
    """What was told, command by command: who had it, what each actor told in order, the tasks.

    Handlers of one signal sent several times at once may run once or more: their lines are a set.
    """
    periods: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("- ") or not periods:
            periods.append([])
        periods[-1].append(line)
    return [_in_order(period) for period in periods]


def _in_order(period: list[str]) -> list[str]:
    told: dict[str, list[str]] = {}
    for line in period:
        told.setdefault(line.partition(" ")[0], []).append(line)
    found = []
    for who in sorted(told):
        handled = {line for line in told[who] if line.split()[1] in {"handles", "reaps"}}
        found += sorted(handled) + [line for line in told[who] if line not in handled]
    return found


# --- the simulator ----------------------------------------------------------------------------


class Violation(AssertionError):
    """The machine was not as it should be after a system call or at the end."""


class _Stage:
    # A machine whose calls are followed by a validation of everything.
    def __init__(self, program: list[commands.Command], every: int, seed: int) -> None:
        self.program, self.every, self.rng = program, every, random.Random(seed)
        self.k = ks.boot(memory="64M", record=False)
        self.cast = actors.Cast(self.k.machine, DIRECTORY)
        self.failed: BaseException | None = None
        self.told: list[str] = []

    async def enter(self, nr: int, args: tuple[Any, ...]) -> int:
        """A system call of an actor."""
        result = await entry_64.entry_SYSCALL_64(self.k.machine, nr, args)
        self.validate(common.syscall_name(nr))
        return result

    async def enter_now_and_then(self, nr: int, args: tuple[Any, ...]) -> int:
        # … of the director or init, whose calls are the same in each program.
        result = await entry_64.entry_SYSCALL_64(self.k.machine, nr, args)
        if not self.rng.randrange(self.every):
            self.validate(common.syscall_name(nr))
        return result

    def actor(self, me: int, task: Any, argv: Any, envp: Any) -> user_program.Program:
        assert argv == [f"{DIRECTORY}/actor{me}".encode(), DIRECTORY.encode()]
        return user_program.Program(actors.obey(self.cast, me), self.libc(self.enter))

    def validate(self, after: str) -> None:
        if any(task.signal.group_exit_task for task in self.k.tasks()):
            return  # an execve that waits for other threads is in the middle of something
        try:
            validate.validate_machine(self.k.machine)
        except Exception as error:  # noqa: BLE001 (a Fault on the way is one too)
            self.failed = Violation(f"after {after}: {error}")
            raise user_libc.Stop from None

    def libc(self, enter: Any) -> Any:
        stub = user_libc.Libc(enter, common.syscall_number, replay.Log())
        stub.tell_ = self.complain
        return stub

    def complain(self, text: str) -> None:
        self.failed = self.failed or Violation(text)

    async def init(self, libc: Any) -> int:
        # The namespace's pid 1, as in kernelsim.runs.
        await libc.setsid()
        for fd, device, mode in ((0, "/dev/null", 0), (1, "/dev/ttyS1", 1), (2, "/dev/ttyS2", 1)):
            await libc.close(fd)
            await libc.open(device, mode)
        if await libc.fork() == 0:
            await actors.direct(libc, self.program, self.settle(libc), self.start(libc))
            await libc.kill(-1, 9)
            return 0
        with contextlib.suppress(OSError):
            while True:
                await libc.wait()
        return 0

    def settle(self, libc: Any) -> Any:
        async def settle(show: bool) -> None:
            await libc.nanosleep(0, REST)
            if show:
                text = "".join(f"= {line}\n" for line in self.tasks())
                await libc.write(actors.OUT, text.encode())

        return settle

    def start(self, libc: Any) -> Any:
        async def start() -> None:
            path = f"{DIRECTORY}/actor0"
            await libc.trap_("execve", path, [path, DIRECTORY], [])
            raise user_libc.NewImage

        return start

    def tasks(self) -> list[str]:
        """All tasks of the namespace but init and the director, as /proc/PID/status has them."""
        m = self.k.machine
        ns = kernel_pid.task_active_pid_ns(m.current)
        found = []
        for leader in sched_signal.for_each_process(m):
            for task in sched_signal.for_each_thread(leader):
                number = kernel_pid.task_pid_nr_ns(task, ns)
                if number >= commands.FIRST_PID:
                    found.append((number, _words(task, ns)))
        return [words for _, words in sorted(found)]

    def run(self) -> str:
        k = self.k
        before = _ground(k)
        m = k.machine
        for me in range(commands.ACTORS):
            m.programs[f"{DIRECTORY}/actor{me}"] = functools.partial(self.actor, me)
        m.programs["run"] = lambda *_: user_program.Program(
            self.init, self.libc(self.enter_now_and_then)
        )
        child = k.call(k.init, "clone", sched_flags.CLONE_NEWPID | 17)
        with contextlib.suppress(user_libc.Stop):
            k.call(k.task(child), "execve", "run")
        if self.failed:
            raise self.failed
        after = _ground(k)
        if after != before:
            changed = {
                key: (before[key], after[key]) for key in before if before[key] != after[key]
            }
            raise Violation(f"left behind: {changed}; {stack.waiting(k)}")
        self.validate("the end")
        if self.failed:
            raise self.failed
        return b"".join(k.lines[1]).decode()


def _ground(k: Any) -> dict[str, Any]:
    # What may leak; a cache that the first namespace of a level has made stays.
    found = stage.ground(k)
    found["objects"] = {
        name: n for name, n in found["objects"].items() if n and name != "kmem_cache"
    }
    return found


def _words(task: Any, ns: Any) -> str:
    # One task, in the words of `_status`.
    def sets(handler: int) -> int:
        actions = task.sighand.action
        return sum(1 << i for i in range(64) if min(actions[i].sa_handler, 2) == handler)

    def of(kind: int) -> int:
        return kernel_pid.pid_nr_ns(task.signal.pids[kind], ns)

    sig = task.signal
    numbers = (
        kernel_pid.task_pid_nr_ns(task, ns),
        kernel_pid.task_tgid_nr_ns(task, ns),
        kernel_pid.task_tgid_nr_ns(task.real_parent, ns),
        of(sched.PIDTYPE_PGID),
        of(sched.PIDTYPE_SID),
    )
    pending = task.pending.signal, sig.shared_pending.signal
    masks = (*pending, task.blocked, sets(1), sets(2))
    return _line(
        numbers,
        sched.task_state_to_char(task),
        task.comm.string_().decode(),
        sig.nr_threads,
        masks,
    )


def _line(numbers: Any, state: str, comm: str, threads: int, masks: Any) -> str:
    pid, tgid, ppid, pgid, sid = numbers
    pnd, shd, blk, ign, cgt = masks
    if state == "Z":  # newer kernels drop what a dying process is sent
        pnd = shd = 0
    return (
        f"pid {pid} tgid {tgid} ppid {ppid} pgid {pgid} sid {sid} {state} {comm} threads {threads} "
        f"pnd {pnd:x} shd {shd:x} blk {blk:x} ign {ign:x} cgt {cgt:x}"
    )


def simulated(program: list[commands.Command], every: int = 8, seed: int = 0) -> str:
    """What the actors tell in the simulator.

    Everything is validated after each call of an actor, and after one in `every` of the director's
    and init's.  Raises Violation.
    """
    return _Stage(program, every, seed).run()


# --- real Linux -------------------------------------------------------------------------------

_C = ctypes.CDLL(None, use_errno=True)
_NEWNS, _REC_PRIVATE = 0x20000, 0x44000
_SYS_RT_SIGACTION = 13  # x86-64
_AT_REST = "SDTZ"


@contextlib.contextmanager
def compiled() -> Iterator[str]:
    """A directory with the actor, under the names actor0 to actor7."""
    with tempfile.TemporaryDirectory(prefix="kernelsim-actors-") as directory:
        first = f"{directory}/actor0"
        options = "-O1 -static -nostdlib -ffreestanding -fno-stack-protector -fno-pie -no-pie"
        subprocess.run([_compiler(), *options.split(), "-o", first, str(_SOURCE)], check=True)
        for i in range(1, commands.ACTORS):
            os.link(first, f"{directory}/actor{i}")
        yield directory


def _compiler() -> str:
    found = shutil.which("gcc") or shutil.which("cc")
    if not found:
        raise host.Unavailable("no C compiler")
    return found


def _default_actions() -> None:
    # Whoever started the tests may have had signals ignored, also those that glibc keeps to itself.
    for sig in range(1, 65):
        _C.syscall(_SYS_RT_SIGACTION, sig, bytes(32), None, 8)


def on_linux(program: list[commands.Command], directory: str) -> str:
    """What the actors in `directory` tell on the reader's own Linux."""

    async def main(libc: Any) -> int:
        async def start() -> None:
            path = f"{directory}/actor0"
            _default_actions()
            os.execv(path, [path, directory])  # noqa: S606 (no shell is meant)

        try:
            await actors.direct(libc, program, settle, start)
        finally:
            os.kill(-1, 9)
        return 0

    mounted = False

    async def settle(show: bool) -> None:
        nonlocal mounted
        if not mounted:
            _own_proc()
            mounted = True
        texts = _settled()
        if show:
            lines = [
                _status(text) for pid, text in sorted(texts.items()) if pid >= commands.FIRST_PID
            ]
            os.write(actors.OUT, "".join(f"= {line}\n" for line in lines).encode())

    run = host.run(main, timeout=2 * PATIENCE)
    if run.status or run.notes:
        raise AssertionError(f"status {run.status}: {run.notes}")
    return run.stdout.decode()


# A /proc of one's own, that knows this PID namespace only.
def _own_proc() -> None:
    for done in (
        _C.unshare(_NEWNS),
        _C.mount(b"none", b"/", None, _REC_PRIVATE, None),
        _C.mount(b"proc", b"/proc", b"proc", 0, None),
    ):
        if done:
            raise OSError(ctypes.get_errno(), "no /proc of its own")


# Everybody's /proc/PID/status, once nobody has run between two looks.
def _settled() -> dict[int, str]:
    deadline, given_up = time.monotonic() + PATIENCE, 0
    before = _look()
    while time.monotonic() < deadline:
        states = {re.search(r"State:\t(.)", text)[1] for text in before.values()}
        if states <= set(_AT_REST):
            after = _look()
            if after == before and (not _in_the_midst(after) or given_up > 200):
                return after
            before, given_up = after, given_up + 1
            time.sleep(0.0005 if given_up > 2 else 0)
        else:
            time.sleep(0.0001)
            before = _look()
    raise TimeoutError(f"not at rest: {before}")


def _look() -> dict[int, str]:
    me, found = str(os.getpid()), {}
    for process in os.listdir("/proc"):  # noqa: PTH208 (a hundred times a program)
        if process.isdigit() and process != me:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
                    path = f"/proc/{process}/task/{thread}/status"
                    fd = os.open(path, os.O_RDONLY)
                    found[int(thread)] = os.read(fd, 8192).decode()
                    os.close(fd)
    return found


# Is one of them in the midst of something?  A call may say that it sleeps, look around, and be put
# off the CPU while it does: then it is on a run queue and is in no function that waits.  Who sleeps
# where no signal wakes it waits for its vfork, or for something short, as does a namespace's init.
def _in_the_midst(texts: dict[int, str]) -> bool:
    for thread, text in texts.items():
        if "State:\tZ" in text:
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fd = os.open(f"/proc/{thread}/wchan", os.O_RDONLY)
            where = os.read(fd, 100)
            os.close(fd)
            if where in {b"0", b"zap_pid_ns_processes"}:
                return True
            if "State:\tD" in text and where not in {b"kernel_clone", b"wait_for_vfork_done"}:
                return True
    return False


def _status(text: str) -> str:
    words = dict(line.split("\t", 1) for line in text.replace(":\t", "\t").splitlines())

    def first(name: str) -> int:
        return int(words[name].split()[0])

    numbers = [first(name) for name in ("Pid", "Tgid", "PPid", "NSpgid", "NSsid")]
    masks = [int(words[name], 16) for name in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")]
    return _line(numbers, words["State"][0], words["Name"], first("Threads"), masks)
