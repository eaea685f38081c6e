"""What differs between two futures of one machine: in one sentence, and which tasks to mark.

Pure functions of two looks, as `Kernel.at` gives them.  A task is the same in both if its number
is; what happened before the futures parted is the same anyway.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kernelsim.machine.memory import Fault
from kernelsim.view import tasks
from kernelsim.widget import words

__all__ = ["Difference", "between"]

MOST = 3  # differences in the sentence


class Difference(NamedTuple):
    """A sentence, and the addresses of the tasks that differ, in the first look and in the second."""

    sentence: str
    marked: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def between(a: Any, b: Any, names: tuple[str, str]) -> Difference:
    """Compare two looks at two machines; `names` is what the sentence calls them."""
    try:
        one, other = ({task.pid: task for task in look.tasks()} for look in (a, b))
        found = [(pid, _said(pid, one, other, names)) for pid in sorted(one.keys() | other.keys())]
    except Fault as fault:
        return Difference(f"A list is broken: {fault}.")
    found = [(pid, said) for pid, said in found if said]
    said = [s for _, s in found[:MOST]]
    if len(found) > MOST:
        said.append(f"and {len(found) - MOST:,} more tasks differ")
    said += _printed(a, b, names)
    if not said:
        return Difference(f"No task differs between {names[0]} and {names[1]}.")
    sentence = "; ".join(said)
    marked = tuple(
        tuple(hex(tasks_[pid].address_) for pid, _ in found if pid in tasks_)
        for tasks_ in (one, other)
    )
    return Difference(sentence[:1].upper() + sentence[1:] + ".", (marked[0], marked[1]))


# What differs about the task with a number, "" if nothing does.
def _said(pid: int, one: Any, other: Any, names: tuple[str, str]) -> str:
    if pid not in other or pid not in one:
        there = one if pid in one else other
        return f"{words.name(there[pid])} is only in {names[0] if pid in one else names[1]}"
    mine, yours = _facts(one[pid]), _facts(other[pid])
    differs = [i for i in range(len(mine)) if mine[i] != yours[i]]
    if not differs:
        return ""
    i = differs[0]
    return f"{words.name(one[pid])} {mine[i]} in {names[0]}, {yours[i]} in {names[1]}"


def _facts(task: Any) -> tuple[str, ...]:
    letter = tasks.state(task)
    state = f"is {'a ' if letter == 'Z' else ''}{tasks.WORDS[letter]}"
    parent = f"is a child of task {task.real_parent.pid}"
    return f"is called {tasks.comm(task)}", state, parent


# What the two have written to the console, where both are looked at as they are now.
def _printed(a: Any, b: Any, names: tuple[str, str]) -> list[str]:
    texts = [getattr(look, "console", None) for look in (a, b)]
    if None in texts or texts[0] == texts[1]:
        return []
    shown = [repr(text)[1:] for text in texts]
    return [f"{names[0]} has printed {shown[0]}, {names[1]} {shown[1]}"]
