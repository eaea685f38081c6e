"""The flags of clone() in words: what parent and child share with each, what without it, what is refused.

The rules are those of `copy_process()` in kernel/fork.c, in its order; see `refused`.
"""

from __future__ import annotations

from typing import NamedTuple

from kernelsim.include.uapi.linux import sched

__all__ = [
    "CLONE",
    "GROUPS",
    "PRESETS",
    "UNSHARE",
    "Flag",
    "refused",
    "refused_here",
    "refused_unshare",
]


class Flag(NamedTuple):
    """A flag: the group it is shown in, what it does (`on`), and what happens without it (`off`)."""

    name: str
    value: int
    group: str
    on: str
    off: str


GROUPS = {
    "shared": "Shared instead of copied",
    "family": "Kinship and waiting",
    "names": "Namespaces of its own",
    "told": "Numbers and registers",
}
"""The groups of flags, in words."""

_WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "shared": {
        "VM": (
            "one address space: what one writes, the other reads",
            "an address space of its own; a page is copied when one of them writes to it",
        ),
        "FS": (
            "one root, working directory and umask: chdir() moves both",
            "its own copy of root, working directory and umask",
        ),
        "FILES": (
            "one table of descriptors: what one opens or closes, both do",
            "its own copy of the table; the open files and their positions stay shared",
        ),
        "SIGHAND": (
            "one table of signal handlers: signal() in one counts for both",
            "its own copy of the signal handlers",
        ),
        "SYSVSEM": (
            "one list of semaphore operations to be undone at exit",
            "nothing to undo for System V semaphores",
        ),
        "IO": ("one I/O context: the disk's scheduler takes them for one", "its own I/O context"),
    },
    "family": {
        "THREAD": (
            "a thread of the caller's process: the same tgid and signal_struct; nobody waits for it",
            "a process of its own: its tgid is its pid",
        ),
        "PARENT": (
            "a sibling of the caller: the caller's parent is its parent, and gets its exit signal",
            "a child of the caller",
        ),
        "VFORK": (
            "the caller sleeps until the child calls execve() or ends",
            "both go on at once",
        ),
        "PTRACE": ("traced by the tracer of the caller, if it has one", "not traced"),
        "UNTRACED": ("no tracer can force CLONE_PTRACE on it", "a tracer may take it over too"),
    },
    "names": {
        "NEWPID": (
            "number 1 of a new PID namespace",
            "numbered as the caller's children are",
        ),
        "NEWNS": ("its own table of mounts, a copy", "the caller's table of mounts"),
        "NEWUTS": ("its own host name", "the caller's host name"),
        "NEWIPC": ("its own System V objects and message queues", "the caller's System V objects"),
        "NEWUSER": (
            "its own user namespace, where it may do everything",
            "the caller's user namespace",
        ),
        "NEWNET": ("its own network devices and ports", "the caller's network"),
        "NEWCGROUP": ("sees its own cgroup as the root", "the caller's view of cgroups"),
    },
    "told": {
        "PARENT_SETTID": ("its number is stored in the caller's memory, at parent_tid", ""),
        "CHILD_SETTID": ("its number is stored in its own memory, at child_tid", ""),
        "CHILD_CLEARTID": (
            "when it lets go of its memory, 0 is stored at child_tid and a waiter is woken",
            "",
        ),
        "SETTLS": ("its thread-local storage is set from tls", ""),
        "PIDFD": ("the caller gets a descriptor that stands for it", ""),
    },
}

CLONE = {
    flag.name: flag
    for group, flags in _WORDS.items()
    for flag in (
        Flag(f"CLONE_{name}", getattr(sched, f"CLONE_{name}"), group, on, off)
        for name, (on, off) in flags.items()
    )
}
"""The flags of clone() by name, group by group."""

PRESETS = {
    "as fork()": "SIGCHLD",
    "as vfork()": "CLONE_VM|CLONE_VFORK|SIGCHLD",
    "a thread": "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_SYSVSEM|CLONE_THREAD|no signal",
    "number 1 of a namespace": "CLONE_NEWPID|SIGCHLD",
}
"""Combinations that every system uses, in words."""

_LEFT = {
    "FS": "a copy of root, working directory and umask, if they were shared",
    "FILES": "a copy of the table of descriptors, if it was shared",
    "SYSVSEM": "nothing to undo for System V semaphores any more",
    "VM": "refused if anybody shares the memory, else no change",
    "SIGHAND": "refused if anybody shares the handlers, else no change",
    "THREAD": "refused if the process has several threads, else no change",
    "NEWPID": "its next children are numbered in a new PID namespace; it stays where it is",
    "NEWTIME": "its next children count time from moments of their own; it stays where it is",
    **{name: words for name, (words, _) in _WORDS["names"].items() if name != "NEWPID"},
}

_NEWTIME = Flag(
    "CLONE_NEWTIME", sched.CLONE_NEWTIME, "names", "", ""
)  # clone() takes it for a signal

UNSHARE = {
    name: flag._replace(on=_LEFT[name.removeprefix("CLONE_")], off="")
    for name, flag in (CLONE | {"CLONE_NEWTIME": _NEWTIME}).items()
    if name.removeprefix("CLONE_") in _LEFT
}
"""The flags of unshare() by name: what the caller has of its own afterwards."""

_PAIRS = (
    ("NEWNS", "FS", "two that share a working directory must see the same mounts"),
    ("NEWUSER", "FS", "whoever may do everything must not move another one's root"),
)
_NEEDS = (
    ("THREAD", "SIGHAND", "threads of one process share their signal handlers"),
    ("SIGHAND", "VM", "a handler is an address, and means nothing in other memory"),
)


def _has(flags: int, *names: str) -> bool:
    return all(flags & CLONE[f"CLONE_{name}"].value for name in names)


def refused(flags: int, supported: int, *, is_init: bool = False) -> str:
    """Say why clone() answers EINVAL to `flags` (unsigned long); "" if they alone are no reason.

    :param supported: the flags that kernelsim carries out.
    :param is_init: whether the caller is number 1 of a PID namespace.
    """
    for a, b, why in _PAIRS:
        if _has(flags, a, b):
            return f"CLONE_{a} and CLONE_{b} exclude each other: {why}"
    for a, b, why in _NEEDS:
        if _has(flags, a) and not _has(flags, b):
            return f"CLONE_{a} needs CLONE_{b}: {why}"
    if is_init and _has(flags, "PARENT"):
        return "CLONE_PARENT is not for number 1 of a namespace: its sibling would have no reaper"
    for name in ("NEWUSER", "NEWPID"):
        if _has(flags, "THREAD", name):
            return f"CLONE_THREAD and CLONE_{name} exclude each other: threads share their process's namespaces"
    if _has(flags, "PIDFD", "THREAD"):
        return "CLONE_PIDFD and CLONE_THREAD exclude each other: a pidfd stands for a process"
    if _has(flags, "PIDFD", "PARENT_SETTID"):
        return "CLONE_PIDFD and CLONE_PARENT_SETTID exclude each other: clone() stores both at parent_tid"
    if _has(flags, "NEWIPC", "SYSVSEM"):
        return "CLONE_NEWIPC and CLONE_SYSVSEM exclude each other: operations on the old semaphores can't be undone"
    return _not_built(flags, supported)


def refused_here(flags: int) -> str:
    """Say why clone() answers EINVAL to `flags` (unsigned long) that go together; "" if it can't be them."""
    if _has(flags, "THREAD") or _has(flags, "NEWPID"):
        return "the caller's children are numbered in another PID namespace than the caller"
    return ""


def refused_unshare(flags: int, supported: int) -> str:
    """Say why unshare() answers EINVAL to `flags` (unsigned long); "" if they alone are no reason."""
    known = 0
    for flag in UNSHARE.values():
        known |= flag.value
    if flags & ~known:
        return "one of the flags is not for unshare()"
    if flags & ~supported:
        return _not_built(flags, supported)
    alone = (
        _has(flags, "NEWUSER")
        or _has(flags, "VM")
        or _has(flags, "SIGHAND")
        or _has(flags, "THREAD")
    )
    why = ["the caller has a new PID namespace for its children already"] * _has(flags, "NEWPID")
    if alone:
        why.append("somebody shares the memory or the handlers, or the process has several threads")
    return ", or ".join(why)


def _not_built(flags: int, supported: int) -> str:
    names = [name for name, flag in CLONE.items() if flags & flag.value & ~supported]
    if not names:
        return ""
    verb = "is" if len(names) == 1 else "are"
    return f"{' and '.join(names)} {verb} not simulated yet: Linux would do it, kernelsim refuses"
