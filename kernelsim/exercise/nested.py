"""Processes in nested PID namespaces: made by puppets, with their numbers at each level."""

from __future__ import annotations

from typing import Any

from kernelsim import session
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux.sched import CLONE_NEWPID

__all__ = [
    "NEWPID",
    "clone",
    "container",
    "fork",
    "found",
    "lives_in",
    "number_in",
    "numbers",
    "shell",
]

NEWPID = CLONE_NEWPID
SMALL = "40M"  # the memory of a machine with a few tasks


def shell(*, record: bool = False) -> tuple[Any, Any]:
    """Return a Kernel, and its shell (struct task_struct *) with number 3."""
    k: Any = session.boot(memory=SMALL, record=record)
    return k, k.spawn("sh")


def clone(k: Any, task: Any, flags: int = NEWPID) -> Any:
    """Let `task` clone with `flags` and SIGCHLD; return the child (struct task_struct *)."""
    k.call(task, "clone", flags | SIGCHLD)
    return k.tasks()[-1]


def fork(k: Any, task: Any) -> Any:
    """Let `task` fork; return the child (struct task_struct *)."""
    return clone(k, task, 0)


def container(*, record: bool = False) -> tuple[Any, list[Any]]:
    """Return a Kernel, and in a row the shell, A, B (each first in a namespace) and B's child C."""
    k, sh = shell(record=record)
    a = clone(k, sh)
    b = clone(k, a)
    return k, [sh, a, b, fork(k, b)]


def numbers(task: Any) -> list[int]:
    """Return the numbers of a task (struct task_struct *), that of the initial namespace first."""
    pid = task.thread_pid
    return [pid.numbers[level].nr for level in range(pid.level + 1)]


def lives_in(task: Any) -> Any:
    """Return the namespace of a task (struct pid_namespace *)."""
    return pid_h.ns_of_pid(task.thread_pid)


def number_in(task: Any, ns: Any) -> int:
    """Return the number of `task` in `ns` (struct pid_namespace *), 0 if it has none."""
    pid = task.thread_pid
    upid = pid.numbers[ns.level] if ns.level <= pid.level else None
    return int(upid.nr) if upid is not None and upid.ns.address_ == ns.address_ else 0


def found(task: Any, number: int) -> Any:
    """Return who has `number` where `task` lives (struct task_struct *), None if nobody has."""
    ns = lives_in(task)
    everybody = sched_signal.for_each_process(task.machine_)
    return next((other for other in everybody if number_in(other, ns) == number), None)
