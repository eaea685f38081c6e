"""Calls in words: those of namespaces, users, names, pidfds and polling; `strace_args` has all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.debug import strace_args
from kernelsim.include.uapi.linux import eventpoll, sched

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["arguments", "early", "result"]

_SHOWN = strace_args.BUFFER
_NAMESPACES = [(name, value) for name, value in vars(sched).items() if name.startswith("CLONE_NEW")]
_CLONE = sorted(
    ((name, value) for name, value in vars(sched).items() if name.startswith("CLONE_")),
    key=lambda item: item[1],
)
_EVENTS = [
    (name.removeprefix("E"), value)
    for name, value in vars(eventpoll).items()
    if name.startswith("EPOLL") and isinstance(value, int)
]
_PIDFD = [("PIDFD_NONBLOCK", 0o4000)]


def _id(value: int) -> str:
    return "-1" if value == 0xFFFF_FFFF else str(value)


def _ids(a: tuple[Any, ...], ret: int) -> list[str]:
    return [_id(one) for one in a]


def _told(a: tuple[Any, ...], ret: int) -> list[str]:
    return [f"[{place.data}]" if ret >= 0 else _SHOWN for place in a]


def _unshare(a: tuple[Any, ...], ret: int) -> list[str]:
    known = [item for item in _CLONE if item[1] & ~sched.CSIGNAL]
    return [strace_args.flags(a[0] & 0xFFFF_FFFF, known, "CLONE_")]


def _setns(a: tuple[Any, ...], ret: int) -> list[str]:
    return [str(a[0]), strace_args.flags(a[1] & 0xFFFF_FFFF, _NAMESPACES, "CLONE_NEW")]


def _name(a: tuple[Any, ...], ret: int) -> list[str]:
    data = a[0].data
    whole = isinstance(data, bytes) and a[1] <= 64
    return [strace_args.quote(data[: a[1]], 64) if whole else _SHOWN, str(a[1])]


def _uname(a: tuple[Any, ...], ret: int) -> list[str]:
    if ret < 0:
        return [_SHOWN]
    sysname, nodename = (strace_args.quote(one.encode()) for one in a[0].data[:2])
    return [f"{{sysname={sysname}, nodename={nodename}, ...}}"]


def _readlink(a: tuple[Any, ...], ret: int) -> list[str]:
    path = strace_args.quote(str(a[0]).encode(), 4095)
    return [path, strace_args.quote(a[1].data) if ret >= 0 else _SHOWN, str(a[2])]


def _group_list(groups: Any) -> str:
    return f"[{', '.join(map(_id, groups))}]"


def _getgroups(a: tuple[Any, ...], ret: int) -> list[str]:
    return [str(a[0]), _group_list(a[1].data) if ret >= 0 else _SHOWN]


def _setgroups(a: tuple[Any, ...], ret: int) -> list[str]:
    return [str(a[0]), _group_list(a[1].data)]


def _pidfd_open(a: tuple[Any, ...], ret: int) -> list[str]:
    return [str(a[0]), strace_args.flags(a[1] & 0xFFFF_FFFF, _PIDFD, "PIDFD_")]


def _pidfd_send_signal(a: tuple[Any, ...], ret: int) -> list[str]:
    return [str(a[0]), strace_args.signal_name(a[1]), "NULL", str(a[3])]


def _events(value: int) -> str:
    return strace_args.flags(value & 0xFFFF, _EVENTS, "POLL")


def _polled(place: Any) -> str:
    words = [
        f"{{fd={one[0]}, events={_events(one[1])}}}" if one[0] >= 0 else f"{{fd={one[0]}}}"
        for one in place.data
    ]
    return f"[{', '.join(words)}]"


def _poll(a: tuple[Any, ...], ret: int) -> list[str]:
    return [_polled(a[0]), str(a[1]), str(a[2])]


def _ppoll(a: tuple[Any, ...], ret: int) -> list[str]:
    mask = "NULL" if a[3] is None else strace_args._sigset(a[3])
    time = "NULL"
    if a[2] is not None:  # what was asked for: the kernel has stored what is left
        seconds, nanoseconds = getattr(a[2], "asked", a[2].data)
        time = f"{{tv_sec={seconds}, tv_nsec={nanoseconds}}}"
    return [_polled(a[0]), str(a[1]), time, mask, str(a[4])]


# How many arguments are known when the call is entered, and how all of them are written.
_CALLS: dict[str, tuple[int, Callable[[tuple[Any, ...], int], list[str]]]] = {
    "getgroups": (1, _getgroups),
    "getresgid": (0, _told),
    "getresuid": (0, _told),
    "pidfd_open": (2, _pidfd_open),
    "pidfd_send_signal": (4, _pidfd_send_signal),
    "poll": (3, _poll),
    "ppoll": (5, _ppoll),
    "readlink": (1, _readlink),
    "setdomainname": (2, _name),
    "setgid": (1, _ids),
    "setgroups": (2, _setgroups),
    "sethostname": (2, _name),
    "setns": (2, _setns),
    "setregid": (2, _ids),
    "setresgid": (3, _ids),
    "setresuid": (3, _ids),
    "setreuid": (2, _ids),
    "setuid": (1, _ids),
    "uname": (0, _uname),
    "unshare": (1, _unshare),
}


def arguments(name: str, args: tuple[Any, ...], ret: int) -> list[str]:
    """Return the arguments of a call `name` that returned `ret` (negative: an error)."""
    if name in _CALLS:
        return _CALLS[name][1](args, ret)
    found = strace_args.arguments(name, args, ret)
    if name == "clone" and args[0] & sched.CLONE_PIDFD and len(args) > 2:
        found.append(f"parent_tid={f'[{args[2].data}]' if ret >= 0 else _SHOWN}")
    return found


def early(name: str, args: tuple[Any, ...]) -> int:
    """Return how many arguments strace knows, and prints, when the call begins."""
    return _CALLS[name][0] if name in _CALLS else strace_args.early(name, args)


def result(name: str, ret: int, args: tuple[Any, ...] = ()) -> str:
    """Return what a call `name` with `args` that returned `ret` gives: what is ready, a time that is over."""
    words = strace_args.result(name, ret, args)
    if name not in {"poll", "ppoll"} or ret < 0:
        return words
    if not ret:
        return f"{words} (Timeout)"
    ready = [f"{{fd={one[0]}, revents={_events(one[2])}}}" for one in args[0].data if one[2]]
    return f"{words} ([{', '.join(ready)}])"
