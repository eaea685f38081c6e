"""Which calls, flags and options random programs have made, and which of all there are were not."""

import collections
from collections.abc import Iterable, Iterator

from kernelsim.include.uapi.linux import sched
from tests.oracle import commands

__all__ = ["ALL", "NEVER", "labels", "made", "table"]

_WAIT = {
    "WNOHANG": 1,
    "WUNTRACED": 2,
    "WCONTINUED": 8,
    "__WNOTHREAD": 1 << 29,
    "__WALL": 1 << 30,
    "__WCLONE": 1 << 31,
}
_WAITID = {
    "WNOHANG": 1,
    "WSTOPPED": 2,
    "WEXITED": 4,
    "WCONTINUED": 8,
    "WNOWAIT": 1 << 24,
    "__WNOTHREAD": 1 << 29,
    "__WALL": 1 << 30,
    "__WCLONE": 1 << 31,
}
_IDTYPES = {0: "P_ALL", 1: "P_PID", 2: "P_PGID", 3: "P_PIDFD"}
_HOW = ("SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK")
_ACTIONS = ("SIG_DFL", "SIG_IGN", "a handler", "a handler that reaps", "NULL")
_PRCTL = {
    1: "PR_SET_PDEATHSIG",
    2: "PR_GET_PDEATHSIG",
    15: "PR_SET_NAME",
    16: "PR_GET_NAME",
    36: "PR_SET_CHILD_SUBREAPER",
    37: "PR_GET_CHILD_SUBREAPER",
}
_CLONE = sorted(
    (value, name)
    for name, value in vars(sched).items()
    if name.startswith("CLONE_") and name != "CLONE_NEWTIME"
)
_LEGACY = [name for value, name in _CLONE if value < 1 << 32]
_SHARED = (
    "THREAD",
    "FS",
    "NEWNS",
    "SIGHAND",
    "VM",
    "FILES",
    "SYSVSEM",
    "NEWUTS",
    "NEWIPC",
    "NEWNET",
)
_UNSHARE = [f"CLONE_{name}" for name in (*_SHARED, "NEWUSER", "NEWPID", "NEWCGROUP", "NEWTIME")]
_EXIT_SIGNALS = {0: "no exit signal", 17: "SIGCHLD", 10: "SIGUSR1", 65: "exit signal 65"}

ALL = (
    *("fork", "vfork", "clone", "clone3", "unshare", "execve", "exit", "exit_group", "wait4"),
    *("waitid", "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigpending"),
    *("rt_sigsuspend", "pause", "prctl", "getpid", "getppid", "gettid", "getpgid", "getpgrp"),
    *("getsid", "setpgid", "setsid", "umask", "dup", "dup2", "dup3", "fcntl", "close"),
    *("close_range", "nanosleep", "futex", "set_tid_address", "pidfd_open"),
    *("pidfd_send_signal", "pidfd_getfd", "poll"),
    *(f"clone {name}" for name in _LEGACY),
    *(f"clone3 {name}" for _, name in _CLONE),
    "clone3 CLONE_NEWTIME",
    *(f"clone {words}" for words in _EXIT_SIGNALS.values()),
    *(f"clone3 {words}" for words in _EXIT_SIGNALS.values()),
    *(
        "clone3 set_tid",
        "clone3 size 64",
        "clone3 size 80",
        "clone3 size 88",
        "clone3 a wrong size",
    ),
    *(f"unshare {name}" for name in _UNSHARE),
    *(f"wait4 {name}" for name in _WAIT),
    *("wait4 pid < -1", "wait4 pid -1", "wait4 pid 0", "wait4 pid > 0", "wait4 a wrong option"),
    *(f"waitid {name}" for name in _WAITID),
    *(f"waitid {name}" for name in _IDTYPES.values()),
    *("waitid a wrong option", "waitid a wrong idtype"),
    *(f"kill signal {sig}" for sig in (*range(32), 34, 64, 65)),
    *("kill pid > 0", "kill pid 0", "kill pid -1", "kill pid < -1"),
    *(f"rt_sigaction {name}" for name in (*_ACTIONS, *commands.SA_FLAGS)),
    *(f"rt_sigprocmask {name}" for name in (*_HOW, "a wrong how")),
    *(f"prctl {name}" for name in (*_PRCTL.values(), "a wrong option")),
)
"""The calls, and each of their flags and options."""

# What of it no program can do, and why.
NEVER = {
    "clone CLONE_PTRACE": "nobody traces here: refused (docs/fidelity.md)",
    "clone3 CLONE_PTRACE": "nobody traces here: refused (docs/fidelity.md)",
    "kill pid -1": "would reach the director, who is to go on",
    "clone3 CLONE_INTO_CGROUP": "no control groups: refused (docs/fidelity.md)",
}
_OF_PIDFDS = ("pidfd_open", "pidfd_send_signal", "pidfd_getfd", "poll", "waitid P_PIDFD")
if not commands.PIDFDS:
    _CLONES = ("clone CLONE_PIDFD", "clone3 CLONE_PIDFD")
    NEVER |= dict.fromkeys((*_OF_PIDFDS, *_CLONES), "no pidfds yet")


def labels(name: str, args: tuple[int, ...]) -> Iterator[str]:
    """What of ALL a command makes."""
    call = _CALLS.get(name, name)
    yield call
    known = _LABELS.get(name)
    if known:
        yield from (f"{call} {words}" for words in known(*args))


_CALLS = {
    **{name: f"rt_{name}" for name in ("sigaction", "sigprocmask", "sigpending", "sigsuspend")},
    "nap": "nanosleep",
    "join": "futex",
    "get": "prctl",
    "name": "prctl",
}


def _flags(value: int, names: dict[str, int]) -> Iterator[str]:
    return (name for name, flag in names.items() if value & flag)


def _of_clone(flags: int, exit_signal: int, *_: int) -> Iterator[str]:
    yield from (name for value, name in _CLONE if flags & value)
    if exit_signal in _EXIT_SIGNALS:
        yield _EXIT_SIGNALS[exit_signal]


def _of_clone3(flags: int, exit_signal: int, number: int, size: int) -> Iterator[str]:
    yield from _of_clone(flags, exit_signal)
    if flags & sched.CLONE_NEWTIME:
        yield "CLONE_NEWTIME"
    if number:
        yield "set_tid"
    yield f"size {size}" if size in {64, 80, 88} else "a wrong size"


def _of_unshare(flags: int) -> Iterator[str]:
    return _flags(flags, {name: getattr(sched, name) for name in _UNSHARE})


def _of_wait4(pid: int, options: int) -> Iterator[str]:
    yield "pid > 0" if pid > 0 else "pid < -1" if pid < -1 else f"pid {pid}"
    yield from _flags(options, _WAIT)
    if options & 64:
        yield "a wrong option"


def _of_waitid(which: int, _pid: int, options: int) -> Iterator[str]:
    yield _IDTYPES.get(which, "a wrong idtype")
    yield from _flags(options, _WAITID)
    if options & 64:
        yield "a wrong option"


def _of_kill(pid: int, sig: int) -> Iterator[str]:
    yield "pid > 0" if pid > 0 else "pid < -1" if pid < -1 else f"pid {pid}"
    yield f"signal {sig}"


def _of_sigaction(_sig: int, how: int, flags: int, _mask: int) -> Iterator[str]:
    yield _ACTIONS[how]
    yield from _flags(flags, commands.SA_FLAGS)


def _of_prctl(option: int, *_: int) -> Iterator[str]:
    yield _PRCTL.get(option, "a wrong option")


_LABELS = {
    "clone": _of_clone,
    "clone3": _of_clone3,
    "unshare": _of_unshare,
    "wait4": _of_wait4,
    "waitid": _of_waitid,
    "kill": _of_kill,
    "sigaction": _of_sigaction,
    "prctl": _of_prctl,
    "get": _of_prctl,
    "name": lambda _: iter(("PR_SET_NAME",)),
    "sigprocmask": lambda how, _: iter(_HOW[how : how + 1] or ("a wrong how",)),
}


def made(program: list[commands.Command], told: list[list[str]]) -> Iterator[tuple[str, str]]:
    """What the program's commands have made, each with what came of it: "done", "refused", "no return"."""
    results = {}
    for period in told:
        for line in period:
            words = line.split()
            if len(words) > 2 and words[0].isdigit() and words[1].isdigit():
                results[int(words[1])] = int(words[2])
    for period in told:
        words = period[0].split() if period and period[0].startswith("- ") else ()
        if words and words[2] != "None":
            number = int(words[1])
            result = results.get(number)
            how = "no return" if result is None else "refused" if result < 0 else "done"
            yield from (
                (label, how) for label in labels(program[number].name, program[number].args)
            )


def table(counts: collections.Counter[tuple[str, str]]) -> str:
    """The counts, a line for each of ALL and whatever else was made."""
    names = [*ALL, *sorted({name for name, _ in counts} - set(ALL))]
    lines = [f"{'done':>8} {'refused':>8} {'no return':>10}"]
    for name in names:
        done, refused, silent = (counts[name, how] for how in ("done", "refused", "no return"))
        note = ""
        if not done + refused + silent:
            note = f"  0 times: {NEVER[name]}" if name in NEVER else "  0 times"
        lines.append(f"{done:8} {refused:8} {silent:10}  {name}{note}")
    return "\n".join(lines)


def missing(counts: Iterable[tuple[str, str]]) -> list[str]:
    """What of ALL was made not once, though it could have been."""
    found = {name for name, _ in counts}
    return [name for name in ALL if name not in found and name not in NEVER]
