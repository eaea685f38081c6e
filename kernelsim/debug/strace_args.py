"""Arguments and results of system calls in words, as strace 6.1 decodes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.entry import common
from kernelsim.include.uapi.asm import errno, fcntl, signal
from kernelsim.include.uapi.linux import futex, resource, sched, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["arguments", "call_name", "early", "flags", "quote", "result", "signal_name"]

BUFFER = "0x7ffc0000"  # where a pointer to user memory leads: we have the values, not the addresses
STRING_LIMIT = 32
_PATH_MAX = 4096

_ERRNO = {
    number: name for name, number in vars(errno).items() if name.startswith("E") and number < 512
}
_RESTART = {
    errno.ERESTARTSYS: "ERESTARTSYS (To be restarted if SA_RESTART is set)",
    errno.ERESTARTNOINTR: "ERESTARTNOINTR (To be restarted)",
    errno.ERESTARTNOHAND: "ERESTARTNOHAND (To be restarted if no handler)",
    errno.ERESTART_RESTARTBLOCK: "ERESTART_RESTARTBLOCK (Interrupted by signal)",
}
_SIGNALS = {
    number: name
    for name, number in vars(signal).items()
    if name.startswith("SIG") and not name.startswith(("SIG_", "SIGRTMIN"))
}
_WAIT = (
    "WNOHANG",
    "WEXITED",
    "WSTOPPED",
    "WCONTINUED",
    "WNOWAIT",
    "__WCLONE",
    "__WALL",
    "__WNOTHREAD",
)
_SA = {
    "SA_RESTORER": 0x04000000,
    "SA_ONSTACK": 0x08000000,
    "SA_RESTART": signal.SA_RESTART,
    "SA_INTERRUPT": 0x20000000,
    "SA_NODEFER": signal.SA_NODEFER,
    "SA_RESETHAND": signal.SA_RESETHAND,
    "SA_SIGINFO": signal.SA_SIGINFO,
    "SA_NOCLDSTOP": signal.SA_NOCLDSTOP,
    "SA_NOCLDWAIT": signal.SA_NOCLDWAIT,
}
_OPEN = {
    name: getattr(fcntl, name)
    for name in (
        *("O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_SYNC"),
        *("O_DSYNC", "O_DIRECT", "O_LARGEFILE", "O_NOFOLLOW", "O_NOATIME", "O_CLOEXEC"),
        *("O_PATH", "O_TMPFILE", "O_DIRECTORY"),
    )
}
_OPEN["FASYNC"] = fcntl.FASYNC
_FCNTL = {
    getattr(fcntl, name): name
    for name in (
        *("F_DUPFD", "F_GETFD", "F_SETFD", "F_GETFL", "F_SETFL", "F_DUPFD_CLOEXEC"),
        *("F_SETPIPE_SZ", "F_GETPIPE_SZ"),
    )
}
_CLONE = {
    n: v
    for n, v in vars(sched).items()
    if n.startswith("CLONE_") and sched.CSIGNAL < v <= sched.CLONE_IO
}
_ESCAPES = {ord(c): f"\\{e}" for c, e in zip('\n\t\r\v\f"\\', 'ntrvf"\\', strict=True)}


def call_name(number: int) -> str:
    """Return the name of system call `number`, or what strace prints for one that does not exist."""
    return common.syscall_name(number) or f"syscall_{number & (1 << 64) - 1:#x}"


def signal_name(sig: int) -> str:
    """Return the name of signal `sig`, the number itself if it has none."""
    if sig == signal.SIGRTMIN:
        return "SIGRTMIN"
    return (
        f"SIGRT_{sig - signal.SIGRTMIN}"
        if signal.SIGRTMIN < sig <= 64
        else _SIGNALS.get(sig, str(sig))
    )


def quote(data: bytes, limit: int = STRING_LIMIT) -> str:
    """Return `data` as a C string of at most `limit` characters."""
    text, shown = "", data[:limit]
    for i, b in enumerate(shown):
        digit_follows = shown[i + 1 : i + 2].isdigit()
        octal = f"\\{b:03o}" if digit_follows else f"\\{b:o}"
        text += _ESCAPES.get(b) or (chr(b) if 32 <= b < 127 else octal)
    return f'"{text}"' + ("..." if len(data) > limit else "")


def flags(value: int, names: Iterable[tuple[str, int]], prefix: str) -> str:
    """Return the `names` of the bits set in `value`, and the rest as a number."""
    found = []
    for name, bits in names:
        if value & bits == bits:
            found.append(name)
            value &= ~bits
    if not found:
        return f"{value:#x} /* {prefix}??? */" if value else "0"
    return "|".join(found + ([f"{value:#x}"] if value else []))


# --- one call after the other ----------------------------------------------------------------


def _status(word: int) -> str:
    sig = signal_name(word & 0x7F)
    if word & 0x7F == 0:
        text = f"WIFEXITED(s) && WEXITSTATUS(s) == {word >> 8 & 0xFF}"
    elif word == 0xFFFF:
        text = "WIFCONTINUED(s)"
    elif word & 0xFF == 0x7F:
        text = f"WIFSTOPPED(s) && WSTOPSIG(s) == {signal_name(word >> 8 & 0xFF)}"
    else:
        text = f"WIFSIGNALED(s) && WTERMSIG(s) == {sig}" + (
            " && WCOREDUMP(s)" if word & 0x80 else ""
        )
    return f"[{{{text}}}]"


def _pointer(place: Any) -> str:
    return "NULL" if place is None else BUFFER


def _wait4(a: tuple[Any, ...], ret: int) -> list[str]:
    status = _status(a[1].data or 0) if ret > 0 and a[1] is not None else _pointer(a[1])
    options = flags(a[2] & 0xFFFF_FFFF, [(name, getattr(wait, name)) for name in _WAIT], "W")
    return [str(a[0]), status, options, _pointer(a[3])]


def _read(a: tuple[Any, ...], ret: int) -> list[str]:
    return [str(a[0]), quote(a[1].data) if ret >= 0 else BUFFER, str(a[2])]


def _pipe2(a: tuple[Any, ...], ret: int) -> list[str]:
    ends = f"[{', '.join(map(str, a[0].data))}]" if ret >= 0 else BUFFER
    return [ends, flags(a[1] & 0xFFFF_FFFF, _OPEN.items(), "O_")]


def _open_flags(value: int) -> str:
    access = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")[value & 3]
    rest = value & 0xFFFF_FFFC
    return access + (f"|{flags(rest, _OPEN.items(), 'O_')}" if rest else "")


def _open(a: tuple[Any, ...], ret: int) -> list[str]:
    return [
        _path(a[0]),
        _open_flags(a[1]),
        *([f"{a[2]:#03o}".replace("0o", "0")] if a[1] & _OPEN["O_CREAT"] else []),
    ]


def _fcntl(a: tuple[Any, ...], ret: int) -> list[str]:
    cmd = a[1] & 0xFFFF_FFFF
    shown = [str(a[0]), _FCNTL.get(cmd, f"{cmd:#x} /* F_??? */")]
    if cmd in (fcntl.F_GETFD, fcntl.F_GETFL, fcntl.F_GETPIPE_SZ):
        return shown
    if cmd == fcntl.F_SETFD:
        return [*shown, flags(a[2] & 0xFFFF_FFFF, [("FD_CLOEXEC", fcntl.FD_CLOEXEC)], "FD_")]
    if cmd == fcntl.F_SETFL:
        return [*shown, _open_flags(a[2])]
    arg = a[2] & (1 << 64) - 1
    return [*shown, str(arg) if cmd in _FCNTL else f"{arg:#x}"]


def _close_range(a: tuple[Any, ...], ret: int) -> list[str]:
    names = [("CLOSE_RANGE_UNSHARE", fcntl.CLOSE_RANGE_UNSHARE)]
    first, last = (fd & 0xFFFF_FFFF for fd in a[:2])
    return [str(first), str(last), flags(a[2] & 0xFFFF_FFFF, names, "CLOSE_RANGE_")]


def _execve(a: tuple[Any, ...], ret: int) -> list[str]:
    shown = [_path(a[0])]
    if len(a) > 1:
        shown.append(_pointer(a[1]) if not isinstance(a[1], list | tuple) else _strings(a[1]))
    if len(a) > 2:
        many = isinstance(a[2], list | tuple)
        words = f" /* {len(a[2])} var{'' if len(a[2]) == 1 else 's'} */" if many else ""
        shown.append(f"{_pointer(a[2])}{words}")
    return shown


def _strings(argv: Any) -> str:
    return f"[{', '.join(_plain(arg) for arg in argv if arg is not None)}]"


def _sigset(mask: int) -> str:
    # A set of which more than two thirds are in is shown as what is not in it.
    inverted = mask.bit_count() >= 64 * 2 // 3
    shown = ~mask if inverted else mask
    names = [signal_name(n + 1).removeprefix("SIG") for n in range(64) if shown >> n & 1]
    return f"{'~' if inverted else ''}[{' '.join(names)}]"


def _rt_sigaction(a: tuple[Any, ...], ret: int) -> list[str]:
    action = _pointer(a[1])
    if a[1] is not None:
        handler = {0: "SIG_DFL", 1: "SIG_IGN"}.get(a[1][0], f"{a[1][0]:#x}")
        mask = _sigset(a[1][2]) if len(a[1]) > 2 else "[]"
        action = f"{{sa_handler={handler}, sa_mask={mask}, sa_flags={flags(a[1][1], _SA.items(), 'SA_')}}}"
    return [signal_name(a[0]), action, _pointer(a[2]), str(a[3])]


def _clone(a: tuple[Any, ...], ret: int) -> list[str]:
    exit_signal = a[0] & sched.CSIGNAL
    parts = [
        flags(a[0] & ~sched.CSIGNAL, sorted(_CLONE.items(), key=lambda item: item[1]), "CLONE_")
    ]
    if exit_signal:
        parts = [part for part in parts if part != "0"] + [signal_name(exit_signal)]
    more = []
    if a[0] & sched.CLONE_PARENT_SETTID and len(a) > 2:
        more.append(f"parent_tid=[{max(ret, 0)}]")
    if a[0] & (sched.CLONE_CHILD_SETTID | sched.CLONE_CHILD_CLEARTID) and len(a) > 3:
        more.append(f"child_tidptr={_pointer(a[3])}")
    return ["child_stack=NULL", f"flags={'|'.join(parts)}", *more]


_FUTEX_OPS = (
    *("WAIT", "WAKE", "FD", "REQUEUE", "CMP_REQUEUE", "WAKE_OP", "LOCK_PI", "UNLOCK_PI"),
    *("TRYLOCK_PI", "WAIT_BITSET", "WAKE_BITSET", "WAIT_REQUEUE_PI", "CMP_REQUEUE_PI"),
)
_CLOCKED = (futex.FUTEX_WAIT_BITSET, futex.FUTEX_WAIT_REQUEUE_PI)


def _futex_op(op: int) -> str:
    cmd, clock = op & futex.FUTEX_CMD_MASK, op & futex.FUTEX_CLOCK_REALTIME
    if not 0 <= cmd < len(_FUTEX_OPS) or (clock and cmd not in _CLOCKED):
        return f"{op:#x} /* FUTEX_??? */"
    private = "_PRIVATE" if op & futex.FUTEX_PRIVATE_FLAG else ""
    return f"FUTEX_{_FUTEX_OPS[cmd]}{private}{'|FUTEX_CLOCK_REALTIME' if clock else ''}"


def _place(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:#x}" if value else "NULL"
    return _pointer(value)


def _timespec(place: Any) -> str:
    if isinstance(place, int) or place is None:
        return _place(place)
    seconds, nanoseconds = place.data
    return f"{{tv_sec={seconds}, tv_nsec={nanoseconds & (1 << 64) - 1}}}"


def _hex(word: int) -> str:
    return f"{word:#x}" if word else "0"


def _wake_op(word: int) -> str:
    ops, cmps = ("SET", "ADD", "OR", "ANDN", "XOR"), ("EQ", "NE", "LT", "LE", "GT", "GE")
    op, cmp = word >> 28 & 7, word >> 24 & 15
    shift = "FUTEX_OP_OPARG_SHIFT<<28|" if word >> 31 & 1 else ""
    how = f"FUTEX_OP_{ops[op]}<<28" if op < len(ops) else f"{op:#x}<<28 /* FUTEX_OP_??? */"
    known = cmp < len(cmps)
    when = f"FUTEX_OP_CMP_{cmps[cmp]}<<24" if known else f"{cmp:#x}<<24 /* FUTEX_OP_CMP_??? */"
    return f"{shift}{how}|{_hex(word >> 12 & 0xFFF)}<<12|{when}|{_hex(word & 0xFFF)}"


def _futex(a: tuple[Any, ...], ret: int) -> list[str]:
    word, op, val, utime, word2, val3 = (tuple(a) + (0,) * 6)[:6]
    cmd, bits = op & futex.FUTEX_CMD_MASK, val3 & 0xFFFF_FFFF
    texts = [_place(word), _futex_op(op), str(val & 0xFFFF_FFFF)]
    bitset = "FUTEX_BITSET_MATCH_ANY" if bits == futex.FUTEX_BITSET_MATCH_ANY else _hex(bits)
    if cmd in (futex.FUTEX_WAKE, futex.FUTEX_FD):
        return texts
    if cmd == futex.FUTEX_WAKE_BITSET:
        return [*texts, bitset]
    if cmd in (futex.FUTEX_WAIT, futex.FUTEX_WAIT_BITSET):
        texts.append(_timespec(utime))
        return [*texts, bitset] if cmd == futex.FUTEX_WAIT_BITSET else texts
    if cmd in (futex.FUTEX_REQUEUE, futex.FUTEX_CMP_REQUEUE, futex.FUTEX_WAKE_OP):
        texts += [str(utime & 0xFFFF_FFFF), _place(word2)]
        if cmd == futex.FUTEX_REQUEUE:
            return texts
        return [*texts, _wake_op(bits) if cmd == futex.FUTEX_WAKE_OP else str(bits)]
    return [*texts, _timespec(utime), _place(word2), _hex(bits)]


def _nanosleep(a: tuple[Any, ...], ret: int) -> list[str]:
    return [f"{{tv_sec={a[0]}, tv_nsec={a[1]}}}", "NULL"]


def _lseek(a: tuple[Any, ...], ret: int) -> list[str]:
    names = ("SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE")
    whence = names[a[2]] if 0 <= a[2] < len(names) else f"{a[2] & 0xFFFFFFFF:#x} /* SEEK_??? */"
    return [str(a[0]), str(a[1]), whence]


_RLIMITS = {n: name for name, n in vars(resource).items() if name.startswith("RLIMIT_")}
_WHO = {n: name for name, n in vars(resource).items() if name.startswith("RUSAGE_")}


def _resource(number: int) -> str:
    return _RLIMITS.get(number, f"{number & 0xFFFF_FFFF:#x} /* RLIMIT_??? */")


def _rlimit(place: Any) -> str:
    # strace writes multiples of 1024 as products.
    if place is None or place.data is None:
        return _pointer(place)

    def word(limit: int) -> str:
        if limit == resource.RLIM_INFINITY:
            return "RLIM64_INFINITY"
        return f"{limit // 1024}*1024" if limit > 1024 and not limit % 1024 else str(limit)

    return f"{{rlim_cur={word(place.data[0])}, rlim_max={word(place.data[1])}}}"


def _prlimit64(a: tuple[Any, ...], ret: int) -> list[str]:
    old = _rlimit(a[3]) if ret >= 0 else _pointer(a[3])
    return [str(a[0]), _resource(a[1]), _rlimit(a[2]), old]


def _octal(mode: int) -> str:
    return f"0{mode & 0xFFFF:02o}"


# How many arguments are known when the call is entered, and how all of them are written.
_CALLS: dict[str, tuple[int, Callable[[tuple[Any, ...], int], list[str]]]] = {
    "clone": (2, _clone),
    "close_range": (3, _close_range),
    "dup3": (
        3,
        lambda a, ret: [str(a[0]), str(a[1]), flags(a[2] & 0xFFFF_FFFF, _OPEN.items(), "O_")],
    ),
    "execve": (3, _execve),
    "fcntl": (3, _fcntl),
    "futex": (6, _futex),
    "kill": (2, lambda a, ret: [str(a[0]), signal_name(a[1])]),
    "lseek": (3, _lseek),
    "nanosleep": (1, _nanosleep),
    "open": (3, _open),
    "getrusage": (1, lambda a, ret: [_WHO.get(a[0], str(a[0])), _pointer(a[1])]),
    "prlimit64": (3, _prlimit64),
    "pipe2": (0, _pipe2),
    "read": (1, _read),
    "rt_sigaction": (2, _rt_sigaction),
    "umask": (1, lambda a, ret: [_octal(a[0])]),
    "wait4": (1, _wait4),
}


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return quote(value)
    if isinstance(value, str):
        return quote(value.encode())
    return str(value) if isinstance(value, int) else _pointer(value)


def _path(value: Any) -> str:
    # Paths are shown whole, whatever the limit for strings is.
    return quote(value.encode(), _PATH_MAX - 1) if isinstance(value, str) else _plain(value)


def arguments(name: str, args: tuple[Any, ...], ret: int) -> list[str]:
    """Return the arguments of a call `name` that returned `ret` (negative: an error)."""
    if name in _CALLS:
        return _CALLS[name][1](args, ret)
    if name.startswith("syscall_"):
        return [f"{a:#x}" if a else "0" for a in (*args, *(6 - len(args)) * (0,))]
    return [_plain(a) for a in args]


def early(name: str, args: tuple[Any, ...]) -> int:
    """Return how many arguments strace knows, and prints, when the call begins."""
    return _CALLS[name][0] if name in _CALLS else len(arguments(name, args, -1))


def result(name: str, ret: int, args: tuple[Any, ...] = ()) -> str:
    """Return what a call `name` with `args` that returned `ret` gives: the error's name, flags by name."""
    if -ret in _RESTART:
        return f"? {_RESTART[-ret]}"
    if -errno.MAX_ERRNO <= ret < 0:
        return f"-1 {_ERRNO.get(-ret, f'ERRNO_{-ret}')} ({os.strerror(-ret)})"
    if name == "fcntl" and args[1] == fcntl.F_GETFL:
        return f"{ret:#x} (flags {_open_flags(ret)})"
    if name == "fcntl" and args[1] == fcntl.F_GETFD and ret:
        return f"{ret:#x} (flags FD_CLOEXEC)"
    return _octal(ret) if name == "umask" else str(ret)
