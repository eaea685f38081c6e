"""The function that a reader writes in the chapter on process identifiers, and how it is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import view
from kernelsim.exercise import checker, judging
from kernelsim.exercise.checker import Case, Finding
from kernelsim.exercise.identifier_drills import KINDS, Doing, Plot
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import task_struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["pid_tasks"]

_HEADS, _LINKS = pid_h.pid.offsetof_("tasks"), task_struct.offsetof_("pid_links")
_FAMILY = Plot(
    7,
    (
        Doing("fork", 7, 8),
        Doing("fork", 7, 9),
        Doing("fork", 7, 10),
        Doing("group", 8),
        Doing("join", 9, 8),
        Doing("join", 10, 8),
        Doing("thread", 9, 11),
    ),
)


@checker.exercise("pid_tasks", "who uses a struct pid, read from the words of its hash lists")
def pid_tasks() -> Iterator[Case]:
    """Cases for ``pid_tasks(m, pid, type)``: addresses and a number in, a list of addresses wanted."""
    for words, number, kind in (
        ("one task: PID of 8", 8, 0),
        ("one task: TGID of 8", 8, 1),
        ("nobody: PGID of 9", 9, 2),
        ("three tasks: PGID of 8", 8, 2),
        ("four tasks: SID of 7", 7, 3),
        ("a thread: PID of 11", 11, 0),
        ("a thread leads no process: TGID of 11", 11, 1),
    ):
        yield Case(words, _found(number, kind))


def _found(number: int, kind: int) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        k = _FAMILY.play()[0]
        m, pid = k.machine, k.get_pid(number).pid
        right = _chain(m, pid.address_, kind)
        value, trouble = checker.attempt(function, m, pid.address_, kind)
        what = f"pid_tasks(m, {pid.address_:#x}, {kind})"
        picture = view.pid_tasks(k, pid, KINDS[kind])
        if trouble:
            return Finding(f"{what} {trouble}", "", picture)
        found = list(value) if isinstance(value, list | tuple) else value
        if found == right:
            return None
        wanted = f"[{', '.join(map(hex, right))}]"
        said = judging.short(found) if not isinstance(found, list) else _words(found)
        return Finding(
            f"{what} returns {said}; it should be {wanted}.", _lost(found, right, kind), picture
        )

    return run


def _chain(m: Any, pid: int, kind: int) -> list[int]:
    found, node = [], m.read_u64(pid + _HEADS + 8 * kind)
    while node:
        found.append(node - _LINKS - 16 * kind)
        node = m.read_u64(node)
    return found


def _words(found: list[Any]) -> str:
    return f"[{', '.join(f'{n:#x}' if isinstance(n, int) else judging.short(n) for n in found)}]"


# The idea behind a wrong list.
def _lost(found: Any, right: list[int], kind: int) -> str:
    if not isinstance(found, list):
        return "Return a list, also of one task or of none."
    if found == [n + _LINKS + 16 * kind for n in right]:
        return "Those are the hlist_nodes: each lies in the middle of its task_struct."
    if kind and found == [n + 16 * kind for n in right]:
        return "Each task has four links: that of this type is 16 bytes further for each type before it."
    if right and found == right[:1]:
        return "That is the first one. The first word of a node is `next`."
    if sorted(map(str, found)) == sorted(map(str, right)):
        return "All are there, in another order than on the list."
    return ""
