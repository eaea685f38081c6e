"""What random programs have to have, so that any hundred in a row make every call with every flag."""

from typing import Any

from tests.oracle import commands
from tests.oracle.commands import flags

__all__ = ["due", "random_program"]

Call = tuple[Any, ...]


def _each_clone(*names: str) -> list[Call]:
    # Each flag alone, by both calls.
    found: list[Call] = []
    for name in names:
        exit_signal = 0 if name == "PARENT" else 17
        found += [("clone", flags(name), 17)]
        if name != "DETACHED":
            found += [("clone3", flags(name), exit_signal, 0, 88)]
    return found


def _shared(*names: str) -> list[Call]:
    exit_signal = 0 if "THREAD" in names else 17
    return [("clone", flags(*names), exit_signal), ("clone3", flags(*names), exit_signal, 0, 88)]


_WITH_PIDFDS: list[Call] = [
    *(("pidfd_open", 3, 0), ("pidfd_send_signal", 3, 10, 0, 0), ("pidfd_getfd", 3, 0, 0)),
    *(("waitid", 3, 3, 5), ("poll", 3, 0)),
]
EACH: list[Call] = [
    *_each_clone(*commands.FORKS, "VFORK", *commands.SPACES),
    *(("clone3", flags(name), 17, 0, 88) for name in ("CLEAR_SIGHAND", "NEWTIME")),
    *(("clone", 0, sig) for sig in (0, 10, 17, 65)),
    *(("clone3", 0, sig, 0, 80) for sig in (0, 10, 17, 65)),
    *(("clone3", 0, 17, number, 80) for number in (50, -1)),
    *(("clone3", 0, 17, 0, size) for size in (64, 63)),
    *(("clone3", flags("DETACHED"), 17, 0, 88), ("clone3", flags("SIGHAND"), 17, 0, 88)),
    *(("unshare", flags(name)) for name in commands.SPACES),
    *(("unshare", flags(name)) for name in ("FS", "FILES", "THREAD", "SIGHAND", "VM", "SYSVSEM")),
    ("unshare", flags("NEWTIME")),
    *(("kill", 4 + sig % 3, sig) for sig in (*range(32), 34, 64, 65)),
    *(("kill", 0, 0), ("kill", -3, 0), ("kill", -4, 18), ("tkill", 4, 10), ("tgkill", 5, 5, 0)),
    *(
        ("wait4", -1, 1 | option)
        for option in (2, 8, 64, commands.WNOTHREAD, commands.WALL, commands.WCLONE)
    ),
    *(("wait4", pid, 1) for pid in (0, -3, 4, -1)),
    *(("waitid", 0, 0, 1 | option) for option in (2, 4, 8, 64, commands.WNOWAIT | 4)),
    *(
        ("waitid", 0, 0, 5 | option)
        for option in (commands.WNOTHREAD, commands.WALL, commands.WCLONE)
    ),
    *(("waitid", which, 4, 5) for which in (1, 2, 7)),
    *(("sigaction", 10, how, 0, 0) for how in (commands.DEFAULT, commands.IGNORE, commands.QUERY)),
    *(("sigaction", 17, commands.DEFAULT, sa, 0) for sa in commands.SA_FLAGS.values()),
    *(("sigprocmask", how, 1 << 9) for how in range(4)),
    *(("sigpending",), ("pause",), ("nap",), ("sigsuspend", 0), ("execve", 0), ("execve", 1)),
    *(("prctl", 1, 10), ("prctl", 36, 1), ("prctl", 9999, 0), ("name", 1)),
    *(("get", option) for option in (2, 16, 37)),
    *((name,) for name in ("getpid", "getppid", "gettid", "getpgrp", "setsid")),
    ("set_tid_address", 0),
    *(_WITH_PIDFDS if commands.PIDFDS else ()),
    *(("getpgid", 4), ("getsid", 4), ("setpgid", 0, 0), ("exit", 1), ("exit_group", 2)),
    *(
        ("umask", 0o77),
        ("dup", 0),
        ("dup2", 0, 5),
        ("dup3", 0, 6, commands.O_CLOEXEC),
        ("close", 5),
    ),
    *(
        ("fcntl", 0, commands.F_DUPFD, 3),
        ("fcntl", 0, commands.F_GETFD, 0),
        ("close_range", 3, 8, 0),
        ("vfork",),
    ),
]
HANDLED: list[Call] = [
    *(("sigaction", 10, commands.TELL, sa, 0) for sa in commands.SA_FLAGS.values()),
    *(("sigaction", 17, how, 0, 0) for how in (commands.TELL, commands.REAP)),
]
SHARED: list[Call] = [
    *_shared("VM"),
    *_shared("VM", "SIGHAND"),
    *_shared(*commands.PTHREAD),
    *_shared(*commands.PTHREAD, "CHILD_SETTID", "PARENT_SETTID"),
    *_shared(*commands.PTHREAD, "CHILD_CLEARTID"),
    *_shared(*commands.PTHREAD, "CHILD_SETTID", "CHILD_CLEARTID"),
    *_shared("VM", "VFORK"),
    ("join",),
]


def due(seed: int, manner: str) -> list[Call]:
    """What the program with that number has to have, besides what it draws."""
    turn = seed // 4
    found = [EACH[(6 * seed + i) % len(EACH)] for i in range(6)]
    if manner == "handlers":
        found += [HANDLED[turn % len(HANDLED)]]
    if manner == "threads":
        found += [SHARED[(2 * turn + seed % 2) % len(SHARED)]]
    return found


def random_program(seed: int) -> list[commands.Command]:
    """The program with that number."""
    return commands.random_program(seed, due(seed, commands.MANNERS[seed % 4]))
