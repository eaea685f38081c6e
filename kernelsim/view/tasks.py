"""What views say of a task: its name, its state in a letter and a word, whether it is the same one.

Everything is read through references, from the machine of the task given; nothing is remembered.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import sched
from kernelsim.machine.memory import Fault
from kernelsim.view import text

__all__ = [
    "KINDS",
    "WORDS",
    "at",
    "comm",
    "find",
    "gone",
    "is_init_task",
    "kind",
    "name",
    "same",
    "state",
    "threads",
    "title",
]

WORDS = {
    "R": "running",
    "S": "sleeping",
    "D": "disk sleep",
    "T": "stopped",
    "t": "tracing stop",
    "X": "dead",
    "Z": "zombie",
    "P": "parked",
    "I": "idle",
}
"""The words of /proc/PID/status for the letter of a state."""

KINDS = {
    "R": "running",
    "S": "sleeping",
    "D": "disk",
    "T": "stopped",
    "t": "stopped",
    "X": "zombie",
    "Z": "zombie",
    "P": "idle",
    "I": "idle",
}
"""The kind of node, which chooses its colours."""

MOST_NAMES = 3  # in a sentence about tasks that are gone


def at(m: Any, address: int) -> Any:
    """The task at an address in machine ``m``: a struct task_struct *."""
    return sched.task_struct(m, address)


def name(task: Any) -> str:
    """The name of struct task_struct *`task` as ps shows it: kernel threads in brackets."""
    if is_init_task(task):
        return "init_task"
    return f"[{comm(task)}]" if task.flags & sched.PF_KTHREAD else comm(task)


def comm(task: Any) -> str:
    """The sixteen bytes of the name of struct task_struct *`task`, in visible characters."""
    return text.printable(task.comm.string_())


def is_init_task(task: Any) -> bool:
    """True if struct task_struct *`task` is the first task, a symbol of the kernel image."""
    address: int = task.machine_.symbol("init_task").address_
    return address == task.address_


def title(task: Any) -> str:
    """Name and number of struct task_struct *`task`, by which the text twin speaks of it."""
    return f"{name(task)} (pid {task.pid})"


def state(task: Any) -> str:
    """The letter of the state of struct task_struct *`task`."""
    return sched.task_state_to_char(task)


def kind(task: Any) -> str:
    """The kind of box for struct task_struct *`task`: its state, and `kthread` for kernel threads."""
    kernel = bool(task.flags & sched.PF_KTHREAD) and not is_init_task(task)
    return KINDS[state(task)] + (" kthread" if kernel else "")


def threads(task: Any) -> int:
    """How many threads the group of struct task_struct *`task` has."""
    return task.signal.nr_threads if task.signal else 1


def same(task: Any, old: Any) -> bool:
    """True if both struct task_struct * are one task, and not one that took another's memory."""
    return bool(task.pid == old.pid and task.start_time == old.start_time)


def find(m: Any, words: str) -> Any:
    """The task in the process list that `words` mean: its pid, its address, or part of its name.

    struct task_struct *, None if there is none; of several, the first in the list.
    """
    words = words.strip().lower()
    task, named, seen = m.symbol("init_task"), None, set()
    offset = sched.task_struct.offsetof_("tasks")
    try:
        while words and task.address_ not in seen:
            seen.add(task.address_)
            if words in {str(task.pid), f"{task.address_:#x}"}:
                return task
            if named is None and words in name(task).lower():
                named = task
            task = at(m, task.tasks.next.address_ - offset)
    except Fault:  # the list is broken: what was met before stands
        pass
    return named


def gone(tasks: list[Any], since: int | None) -> str:
    """A sentence about tasks (struct task_struct *, then) that are no more; empty for none."""
    if not tasks:
        return ""
    names = [title(task) for task in tasks[:MOST_NAMES]]
    more = len(tasks) - len(names)
    words = ", ".join(names) + (f" and {text.grouped(more)} more" if more else "")
    return f"Gone since event {since}: {words}."
