"""One sentence on what has changed between two moments of a machine, and on a single store.

Pure functions of two looks at a machine, as `Kernel.at` gives them; `told` finds them by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kernelsim import steer
from kernelsim.include.linux import sched
from kernelsim.include.linux.poison import LIST_POISON1, LIST_POISON2
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import tasks
from kernelsim.widget.history import History, Moment, Store

__all__ = ["chosen", "difference", "name", "stored", "told"]

MOST = 3  # changes in one sentence
_POISON = {LIST_POISON1: "LIST_POISON1", LIST_POISON2: "LIST_POISON2", 0: "NULL"}
_STATES = {
    "state": [n for n in sched.__all__ if n.startswith("TASK_")],
    "exit_state": [n for n in sched.__all__ if n.startswith("EXIT_")],
}
_COMPARED = [
    task_struct.offsetof_(member) + more >> 3
    for member, more in (
        ("state", 0),
        ("exit_state", 0),
        ("real_parent", 0),
        ("comm", 0),
        ("comm", 8),
    )
]
_BECAME = {
    "Z": "is a zombie now",
    "S": "sleeps now",
    "D": "sleeps now, and no signal can wake it",
    "T": "is stopped now",
    "R": "can run again",
}


def name(task: Any) -> str:
    """Number and name of struct task_struct *`task`: ``task 3 (bash)``."""
    return f"task {task.pid} ({tasks.name(task)})"


def difference(before: Any, after: Any) -> str:
    """Say what has changed in the list and the tree of tasks between two looks at one machine."""
    try:
        found = _changes(_census(before), _census(after))
    except Fault as fault:
        return f"The list is broken: {fault}."
    if not found:
        return "No task has changed."
    more = len(found) - MOST
    shown = found[:MOST] + ([f"and {more} more changes"] if more > 0 else [])
    return "; ".join(shown)[:1].upper() + "; ".join(shown)[1:] + "."


def told(history: History, before: Moment, moment: Moment) -> str:
    """Say what happened between two moments: the call or the store, and what it has changed."""
    look = history.at(moment)
    if store := history.store(moment):
        function = history.function(moment)
        return f"{function}(): " * bool(function) + stored(store, look, history.ever)
    call = history.words(before[0], moment[0])
    changed = difference(history.at(before), look)
    if not call:
        return _numbered(history, before, moment) or _switched(history.at(before), look) or changed
    stop = " " if call.endswith(">") else ". "  # a call that sleeps ends with <unfinished ...>
    return f"{call}{stop}{changed}"


# What was done to IDRs and hash tables of the reader's own.
def _numbered(history: History, before: Moment, moment: Moment) -> str:
    done = [
        f"{name}({', '.join(map(repr, values))})"
        for when, kind, args in history.k.commands
        if kind == "_number" and before[0] <= when < moment[0]
        for _, name, *values in [args]
    ]
    more = len(done) - MOST
    shown = done[:MOST] + ([f"and {more} more"] if more > 0 else [])
    return f"{'; '.join(shown)}." if done else ""


# Who runs now, if it is another task than before.
def _switched(before: Any, after: Any) -> str:
    was, now = ([q.task for q in steer.queue(look) if q.running] for look in (before, after))
    if not now or [task.address_ for task in was] == [task.address_ for task in now]:
        return ""
    return f"{name(now[0])[:1].upper()}{name(now[0])[1:]} runs now."


# What is compared, of each task in list order, by address: (reference, its predecessor).
def _census(look: Any) -> dict[tuple[int, int], tuple[Any, Any]]:
    found = {}
    last = look.machine.symbol("init_task")
    for task in look.tasks():
        found[task.address_, task.start_time] = task, last
        last = task
    return found


def _changes(old: dict[Any, tuple[Any, Any]], new: dict[Any, tuple[Any, Any]]) -> list[str]:
    found = [
        f"{name(task)} is linked after {name(last)}"
        for key, (task, last) in new.items()
        if key not in old
    ]
    found += [
        f"{name(task)} is unlinked and gone" for key, (task, _) in old.items() if key not in new
    ]
    for key in old:
        if key in new and _words(old[key][0]) != _words(new[key][0]):
            found += _of_task(old[key][0], new[key][0])
    return found


# The words of a task_struct that hold what is compared: quick to read, for there may be thousands.
def _words(task: Any) -> list[int]:
    m = task.machine_
    first = m.offset(task.address_) >> 3
    return [m.u64[first + word] for word in _COMPARED]


def _of_task(old: Any, new: Any) -> list[str]:
    found = []
    was, now = tasks.state(old), tasks.state(new)
    if was != now:
        word = _BECAME.get(now, f"is now in state {now} ({tasks.WORDS.get(now, '?')})")
        found.append(f"{name(new)} {word}")
    if tasks.comm(old) != tasks.comm(new):
        found.append(f"{name(old)} is now called {tasks.comm(new)}")
    if old.real_parent.address_ != new.real_parent.address_:
        found.append(f"{name(new)} is now a child of {name(new.real_parent)}")
    return found


def chosen(choice: steer.Choice, look: Any) -> str:
    """Say who could run next at a moment, and who did."""
    could = [name(task_struct(look.machine, address)) for address in choice.menu]
    ran = name(task_struct(look.machine, choice.ran))
    more = f" or {len(could) - MOST} others" if len(could) > MOST else ""
    by = "the scheduler takes" if choice.ran == choice.cfs else "it was decided that next runs"
    return f"Now {' or '.join(could[:MOST])}{more} can run: {by} {ran}."


def stored(store: Store, look: Any, ever: Collection[int] = ()) -> str:
    """Say which word was stored: the member, whose it is, and what it holds now.

    :param ever: addresses of tasks that are in the list at other moments.
    """
    m = look.machine
    task = task_struct(m, store.address)
    listed = {t.address_ for t in look.tasks()} | {m.symbol("init_task").address_}
    whose = name(task) if store.address in listed else f"a task_struct outside the list, {task!r}"
    return f"{store.member} of {whose} is now {_meaning(store, look, ever)}."


# What a watched word means: a state, a task, or the list_head that it points to.
def _meaning(store: Store, look: Any, ever: Collection[int]) -> str:
    value = store.new
    if store.member.endswith("state"):
        return next((n for n in _STATES[store.member] if getattr(sched, n) == value), hex(value))
    if value in _POISON:
        return _POISON[value]
    listed = [look.machine.symbol("init_task"), *look.tasks()]
    others = sorted({*ever} - {task.address_ for task in listed})
    known = {task.address_: name(task) for task in listed}
    known |= dict.fromkeys(others, "a task_struct outside the list")
    for address, whose in known.items():
        for member in ("tasks", "children", "sibling"):
            if value - address == task_struct.offsetof_(member):
                return f"the {member} of {whose}, {value:#x}"
        if value == address:
            return f"{whose}, {value:#x}"
    return f"{value:#x}"
