"""Random programs: commands to actors, and what calls and flags they cover.

An actor is a task: a process, a thread, or something between, as the flags of the clone that made
it say.  What two commands do must not depend on who is faster, so each program has a manner: with
handlers of SIGCHLD (then nobody signals a whole group: of several SIGCHLD only the first counts), with
groups (then nobody sleeps until just any child ends), or with tasks that share memory (then both
hold).
"""

import dataclasses
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from kernelsim.arch.x86.entry import common
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import sched

__all__ = ["ACTORS", "Command", "encode", "flags", "op_of", "random_program"]

ACTORS = 8
FIRST_PID = 3  # of an actor: 2 is the director
LENGTH = 26

# As in actor.c.
OPS = {
    name: number
    for number, name in enumerate(
        (
            *("call", "wait4", "waitid", "sigaction", "sigprocmask", "sigpending", "sigsuspend"),
            *("spawn", "execve", "get", "name", "peek", "nap", "join", "poll"),
        )
    )
}
EXACT = {"peek", "join"}  # of the words that actor 0 has in memory: nobody else may do it
NUMBERS = {"clone": 56, "fork": 57, "vfork": 58, "clone3": 435}
MANNERS = ("handlers", "groups", "threads", "threads")
F_DUPFD, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, O_CLOEXEC = 0, 1, 2, 1030, 0o2000000
DEFAULT, IGNORE, TELL, REAP, QUERY = range(5)
WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 1 << 24
WNOTHREAD, WALL, WCLONE = 1 << 29, 1 << 30, -1 << 31

PIDFDS = common.sys_call_table[common.syscall_number("pidfd_open")] is not None
FORKS = (
    *("FS", "FILES", "PARENT", "IO", "SYSVSEM", "UNTRACED", "PARENT_SETTID", "CHILD_SETTID"),
    *("CHILD_CLEARTID", "DETACHED", "SETTLS"),
    *(("PIDFD",) if PIDFDS else ()),
)
PTHREAD = ("VM", "FS", "FILES", "SIGHAND", "THREAD", "SYSVSEM")
SHARING = (
    *(
        PTHREAD,
        PTHREAD,
        PTHREAD,
        ("VM",),
        ("VM", "SIGHAND"),
        ("VM", "FS", "FILES"),
        ("VM", "VFORK"),
    ),
    *(("VM", "SIGHAND", "THREAD"), ("VM", "FILES", "PARENT")),
)
WRONG = (
    *(("THREAD",), ("THREAD", "SIGHAND"), ("SIGHAND",), ("VM", "THREAD"), ("FS", "NEWNS")),
    *(("FS", "NEWUSER"), ("VM", "SIGHAND", "THREAD", "NEWPID"), ("PIDFD", "DETACHED")),
    *(("VM", "SIGHAND", "THREAD", "NEWUSER"), ("NEWIPC", "SYSVSEM")),
)
WRONG3 = (
    *(("DETACHED",), ("SIGHAND", "VM", "CLEAR_SIGHAND"), 1 << 40, 0x11, ("FS", "NEWNS")),
    *(("SIGHAND",), ("VM", "THREAD")),
)
UNSHARES = (
    *((), ("FS",), ("FILES",), ("FS", "FILES"), ("THREAD",), ("SIGHAND",), ("VM",), ("SYSVSEM",)),
    *(("PARENT",), ("NEWPID",), ("VM", "FS"), ("NEWUSER",), ("NEWNS",), ("NEWUTS", "NEWIPC")),
)
SPACES = ("NEWNS", "NEWUTS", "NEWIPC", "NEWNET", "NEWCGROUP", "NEWUSER", "NEWPID")
EXIT_SIGNALS = (17, 17, 17, 17, 0, 0, signal.SIGUSR1, 34, 65, signal.SIGCONT, signal.SIGSTOP)
SA_FLAGS = {
    name: getattr(signal, name)
    for name in (
        *("SA_NOCLDSTOP", "SA_NOCLDWAIT", "SA_SIGINFO", "SA_RESTART", "SA_NODEFER"),
        "SA_RESETHAND",
    )
}


def flags(*names: str) -> int:
    """The clone flags with those names, less CLONE_."""
    return sum(getattr(sched, f"CLONE_{name}") for name in names)


JOINED = flags("VM", "CHILD_SETTID", "CHILD_CLEARTID")


@dataclasses.dataclass(frozen=True)
class Command:
    """What an actor is to do: a system call with its arguments; `child` is the actor that it makes."""

    actor: int
    name: str
    args: tuple[int, ...] = ()
    child: int = 0

    def __str__(self) -> str:
        to = f" -> actor {self.child}" if self.child else ""
        return f"actor {self.actor}: {self.name}({', '.join(hex(n) if n > 255 else str(n) for n in self.args)}){to}"


def op_of(name: str) -> str:
    """Which of actor.c's operations carries out the call `name`."""
    return "spawn" if name in NUMBERS else name if name in OPS else "call"


def encode(number: int, command: Command, number_of: Callable[[str], int]) -> bytes:
    """The command as actor.c reads it (struct command); `number_of` knows system calls."""
    op = op_of(command.name)
    nr = number_of(command.name) if op in {"call", "spawn"} else 0
    args = (*command.args, *[0] * 6)[:6]
    return struct.pack("<10q", number, OPS[op], nr, command.child, *args)


def random_program(
    seed: int, due: Sequence[tuple[Any, ...]], length: int = LENGTH
) -> list[Command]:
    """The program with that number, in which somebody makes each of the calls `due`."""
    rng = random.Random(seed)
    writer = _Writer(rng, MANNERS[seed % 4])
    places = dict(zip(rng.sample(range(1, 14), len(due)), due, strict=True))
    while len(writer.found) < length:
        writer.add(*places.pop(len(writer.found), ()) or writer.draw())
    return writer.found


class _Writer:
    """Who draws a program's commands, one after the other."""

    def __init__(self, rng: random.Random, manner: str) -> None:
        self.rng, self.manner = rng, manner
        self.spawned = 1
        self.found: list[Command] = []
        self.one_of = ""
        self.parents: list[int] = []
        self.joined: list[int] = []  # actors that tell the kernel to clear a word at their end
        self.kinds = [kind for n, kinds in _OFTEN.items() for kind in kinds * n]
        self.kinds += ["pidfds"] * 3 * PIDFDS
        if manner == "threads":
            self.kinds += ["thread"] * 12 + ["peek"] * 2 + ["join"]

    def draw(self) -> tuple[Any, ...]:
        """A call with its arguments."""
        rng = self.rng
        kind = rng.choice(self.kinds)
        if self.spawned < 3 and rng.random() < 0.4:
            births = ("fork", "clone", "thread") if self.manner == "threads" else ("fork", "clone")
            kind = rng.choice(births)
        method = getattr(self, "_" + kind, None)
        return method() if method else (kind,)  # without arguments

    def add(self, name: str, *args: int) -> None:
        """Let somebody make the call, if it can be made."""
        rng = self.rng
        vforks = name == "vfork" or (op_of(name) == "spawn" and args and args[0] & flags("VFORK"))
        if self.manner == "threads" and (vforks or name == "execve"):
            # newer kernels let an execve take a signal that was for a thread asleep in its vfork
            if self.one_of in {"", "vfork" if vforks else "execve"}:
                self.one_of = "vfork" if vforks else "execve"
            else:
                return
        actor = rng.randrange(self.spawned) if rng.random() < 0.8 else self.spawned - 1
        child = 0
        if op_of(name) == "spawn":
            if self.spawned == ACTORS:
                return
            child, self.spawned = self.spawned, self.spawned + 1
            self.parents.append(actor)
            if name.startswith("clone") and args[0] & JOINED == JOINED:
                self.joined.append(child)
        elif name in {"wait4", "waitid"} and self.parents and rng.random() < 0.8:
            actor = rng.choice(self.parents)
        elif name in EXACT:
            if self.spawned == 1:
                return
            known = self.joined if name == "join" and self.joined else range(1, self.spawned)
            actor, child = 0, rng.choice(known)
        self.found.append(Command(actor, name, args, child))

    # --- what there is to draw from ---------------------------------------------------------------

    def _pid(self, *others: int) -> int:
        return self.rng.choice((*range(FIRST_PID, FIRST_PID + max(self.spawned, 3) + 1), *others))

    def _signal(self) -> int:
        common = (
            *(0, signal.SIGHUP, signal.SIGKILL, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM),
            *(signal.SIGCHLD, signal.SIGCONT, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN),
            *(signal.SIGCONT, signal.SIGCONT, signal.SIGSTOP, signal.SIGUSR1, 34, 64, 65),
        )
        return self.rng.choice(common) if self.rng.random() < 0.7 else self.rng.randint(1, 31)

    def _some(self, names: tuple[str, ...], p: float) -> tuple[str, ...]:
        return tuple(name for name in names if self.rng.random() < p)

    # --- births -----------------------------------------------------------------------------------

    def _clone(self) -> tuple[Any, ...]:
        names = self._some(FORKS, 0.2) + self._some(("VFORK", *SPACES), 0.05)
        exit_signal = self.rng.choice(EXIT_SIGNALS)
        if self.rng.random() < 0.3:
            names = tuple(set(names) - {"DETACHED"}) + self._some(("CLEAR_SIGHAND",), 0.4)
            return self._clone3(flags(*sorted(names)), 0 if "PARENT" in names else exit_signal)
        return "clone", flags(*names), exit_signal

    def _thread(self) -> tuple[Any, ...]:
        names = {*self.rng.choice(SHARING), *self._some(FORKS[5:9], 0.3)}
        exit_signal = self.rng.choice(EXIT_SIGNALS)
        if self.rng.random() < 0.3:
            return self._clone3(flags(*names), 0 if names & {"THREAD", "PARENT"} else exit_signal)
        return "clone", flags(*names), exit_signal

    def _clone3(self, wanted: int, exit_signal: int) -> tuple[Any, ...]:
        rng = self.rng
        number = rng.choice((0, 0, 0, 4, 50, 51, 1, -1, 1 << 23))
        size = rng.choice((80, 88, 88) if number else (64, 80, 88))
        return "clone3", wanted, min(exit_signal, 65), number, size

    def _wrong(self) -> tuple[Any, ...]:
        rng = self.rng
        if rng.random() < 0.5:
            return "clone", flags(*rng.choice(WRONG)), 17
        wrong = rng.choice(WRONG3)
        wanted = wrong if isinstance(wrong, int) else flags(*wrong)
        return rng.choice(
            (
                *(("clone3", wanted, 0, 0, 88), ("clone3", wanted, 0, 0, 88)),
                *(("clone3", flags(*some), 17, 0, 88) for some in (("PARENT",), PTHREAD)),
                ("clone3", 0, rng.choice((65, 300)), 0, 88),
                ("clone3", 0, 17, 0, rng.choice((0, 63, 5000))),
            )
        )

    def _unshare(self) -> tuple[Any, ...]:
        return "unshare", flags(*self.rng.choice(UNSHARES))

    def _execve(self) -> tuple[Any, ...]:
        return "execve", int(self.rng.random() < 0.2)

    # --- ends, and waiting for them ---------------------------------------------------------------

    def _exit(self) -> tuple[Any, ...]:
        name = self.rng.choice(
            ("exit", "exit", "exit_group") if self.manner == "threads" else ("exit", "exit_group")
        )
        return name, self.rng.choice((0, 1, 255, 256))

    def _wait_options(self, pid: int, known: int) -> int:
        # Blocks only where it is certain who will be found, and by whom.
        if self.manner == "handlers" or (self.manner == "groups" and known and pid > 0):
            return 0 if self.rng.random() < 0.4 else WNOHANG
        return WNOHANG

    def _wait4(self) -> tuple[Any, ...]:
        rng = self.rng
        pid = self._pid(*[-1] * 9, 0, -FIRST_PID, -FIRST_PID - 1, 50)
        options = self._wait_options(pid, 1)
        for option in (WUNTRACED, WCONTINUED, WNOTHREAD, WALL, WCLONE):
            options |= option if rng.random() < 0.25 else 0
        return "wait4", pid, options | (64 if rng.random() < 0.05 else 0)

    def _waitid(self) -> tuple[Any, ...]:
        rng = self.rng
        which = rng.choice((0, 0, 0, 0, 1, 1, 2, 7))
        number = self._pid(0, 50)
        options = self._wait_options(number, which == 1)
        for option in (
            WEXITED,
            WEXITED,
            WEXITED,
            WUNTRACED,
            WCONTINUED,
            WNOWAIT,
            WNOTHREAD,
            WALL,
            WCLONE,
        ):
            options |= option if rng.random() < 0.3 else 0
        return "waitid", which, number, options | (64 if rng.random() < 0.05 else 0)

    # --- signals ----------------------------------------------------------------------------------

    def _kill(self) -> tuple[Any, ...]:
        others = (0, 99, 1, -FIRST_PID, -FIRST_PID - 1, -FIRST_PID - 2)
        pid, sig = self._pid(*others), self._signal()
        return "kill", pid, 0 if pid <= 0 and self.manner == "handlers" else sig

    def _tkill(self) -> tuple[Any, ...]:
        return "tkill", self._pid(99, 0, -1), self._signal()

    def _tgkill(self) -> tuple[Any, ...]:
        tid = self._pid(99)
        tgid = self.rng.choice((tid, tid, FIRST_PID, self._pid(0, -1)))
        return "tgkill", tgid, tid, self._signal()

    def _sigaction(self) -> tuple[Any, ...]:
        rng = self.rng
        sig = self._signal() or signal.SIGCHLD
        how = rng.choice((DEFAULT, IGNORE, TELL, TELL, TELL, REAP, QUERY))
        if how == REAP:
            sig = signal.SIGCHLD
        if self.manner != "handlers" and sig == signal.SIGCHLD and how in {TELL, REAP}:
            how = QUERY
        sa = sum(SA_FLAGS[name] for name in self._some(tuple(SA_FLAGS), 0.25))
        mask = 1 << (self.rng.choice((10, 12, 17)) - 1) if rng.random() < 0.2 else 0
        return "sigaction", sig, how, sa, mask

    def _mask(self) -> int:
        mask = 0
        for _ in range(2):
            mask |= 1 << ((self._signal() or 1) - 1)
        return _signed(mask & (1 << 64) - 1)

    def _sigprocmask(self) -> tuple[Any, ...]:
        return "sigprocmask", self.rng.choice((0, 0, 1, 2, 2, 3)), self._mask()

    def _sigsuspend(self) -> tuple[Any, ...]:
        return "sigsuspend", self._mask()

    # --- who one is -------------------------------------------------------------------------------

    def _ids(self) -> tuple[Any, ...]:
        name = self.rng.choice(("getpid", "getppid", "gettid", "getpgrp", "getpgid", "getsid"))
        return (name, self._pid(0, 0, 99)) if name in {"getpgid", "getsid"} else (name,)

    def _setpgid(self) -> tuple[Any, ...]:
        pid, pgid = self._pid(99, -1), self._pid(-1, 99)
        return "setpgid", self.rng.choice((0, 0, pid)), self.rng.choice((0, 0, pgid))

    def _prctl(self) -> tuple[Any, ...]:
        rng = self.rng
        return rng.choice(
            (
                ("prctl", 1, rng.choice((signal.SIGUSR1, signal.SIGTERM, signal.SIGSTOP, 0, 65))),
                *(("prctl", 36, rng.choice((0, 1, 1, 2))), ("prctl", 9999, 0)),
                *(("get", rng.choice((2, 16, 37))), ("name", rng.randrange(26))),
            )
        )

    # --- what shows who shares what ---------------------------------------------------------------

    def _umask(self) -> tuple[Any, ...]:
        return "umask", self.rng.choice((0, 0o22, 0o77, 0o1777))

    def _files(self) -> tuple[Any, ...]:
        rng = self.rng
        fd, to = rng.randint(3, 6), rng.randint(3, 8)
        return rng.choice(
            (
                *(("dup", 0), ("dup", fd), ("dup2", 0, to), ("dup2", fd, to), ("close", fd)),
                *(("dup3", 0, to, O_CLOEXEC), ("dup3", fd, fd, 0), ("fcntl", fd, F_GETFD, 0)),
                *(("fcntl", 0, F_DUPFD, to), ("fcntl", 0, F_DUPFD_CLOEXEC, 3)),
                *(("fcntl", fd, F_SETFD, 1), ("close_range", fd, to, rng.choice((0, 2, 1)))),
            )
        )

    def _pidfds(self) -> tuple[Any, ...]:
        rng, fd = self.rng, self.rng.randint(3, 5)
        pid = FIRST_PID if self.manner == "threads" else self._pid(99)  # newer kernels know threads
        return rng.choice(
            (
                *[("pidfd_open", pid, rng.choice((0, 0, 0, 0o4000, 1)))] * 3,
                *(("pidfd_send_signal", fd, self._signal(), 0, 0), ("pidfd_getfd", fd, 0, 0)),
                *(("waitid", 3, fd, WNOHANG | WEXITED), ("poll", fd, 0)),
            )
        )


def _signed(n: int) -> int:
    return n - (1 << 64) if n >> 63 else n


_OFTEN = {
    9: ("kill",),
    8: ("clone",),
    7: ("wait4", "sigaction"),
    6: ("fork", "waitid"),
    5: ("setpgid",),
    4: ("sigprocmask", "prctl"),
    3: ("exit", "tgkill", "ids", "files"),
    2: ("wrong", "unshare", "execve", "setsid", "umask"),
    1: ("vfork", "tkill", "sigpending", "sigsuspend", "pause", "nap"),
}
