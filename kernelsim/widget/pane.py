"""What all panes share: what they show and when, and how they speak of tasks.

A pane is a widget with a `title` that shows something of a machine beside its pictures:
``show(look, since, task)`` shows another moment.  While it is hidden (``layout.display`` is
"none"), and before it was ever seen, it only notes what it is to show.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator
from typing import Any, ClassVar

import traitlets

from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import text
from kernelsim.widget import base

__all__ = ["COLOURS", "Names", "Pane", "is_call", "letter", "present", "tasks_of", "until"]

COLOURS = 6
"""The tasks have so many colours, in turn; the letter tells which one it is."""


class Pane(base.Widget):
    """A widget beside the pictures of one machine.

    :param k: a Kernel, or one as it was.
    """

    title: ClassVar[str]

    heading = traitlets.Unicode().tag(sync=True)

    def __init__(self, k: Any, task: Any = None) -> None:
        super().__init__()
        self.look, self.since, self.task = k, None, task
        self._late = True
        self.layout.observe(self._seen, "display")

    def __repr__(self) -> str:
        self.catch_up()
        return f"{type(self).__name__}: {self.heading}"

    def show(self, look: Any, since: Any = None, task: Any = None) -> None:
        """Show a moment of a machine.

        :param look: a Kernel, or one as it was.
        :param since: the moment a step before, if there is one.
        :param task: struct task_struct *, the task that the reader has chosen, if any.
        """
        self.look, self.since, self.task = look, since, task
        self._late = True
        if self.layout.display != "none":
            self.catch_up()

    def catch_up(self) -> None:
        """Draw what was to be shown while the pane was hidden."""
        if self._late:
            self._late = False
            with self.hold_sync():
                self.draw()

    def draw(self) -> None:
        """Bring what is shown up to date with `look`, `since` and `task`."""

    def heard(self, message: dict[str, Any]) -> None:
        """The pane has come to be seen, or the reader asks for something."""
        self.catch_up()
        if message.get("do") != "seen":
            with self.hold_sync():
                self.asked(message)

    def asked(self, message: dict[str, Any]) -> None:
        """Do what the reader asked for."""

    def _seen(self, change: Any) -> None:
        if change["new"] != "none":
            self.catch_up()


def present(look: Any) -> Any:
    """The machine that a look is a look at, as it is now."""
    return getattr(look.machine, "present", look.machine)


def until(look: Any) -> int:
    """The number of events that have happened at a look's moment, also in the middle of one."""
    m, t = present(look), look.now
    if m is look.machine or not m.trace.on:
        return int(t)
    return int(t) + (look.machine.u64.position > m.trace.place(t))


def tasks_of(look: Any) -> Iterator[task_struct]:
    """Yield every task of a look, init_task first, then in the order of the list, threads after their leader.

    Where the list is broken, or not laid down yet, those before that place.
    """
    first = look.machine.symbol("init_task")
    yield first
    seen = {first.address_}
    try:
        for leader in sched_signal.for_each_process(look.machine):
            threads = leader.signal.nr_threads  # a Fault, where there is no task
            if leader.address_ in seen:
                return  # it never comes back to its head
            seen.add(leader.address_)
            yield leader
            if threads > 1:
                every = sched_signal.for_each_thread(leader)
                yield from (thread for thread in every if thread.address_ != leader.address_)
    except Fault:
        return


def is_call(m: Any, row: Any) -> bool:
    """Whether a row of strace is the beginning of a call: the others are signals, deaths, what was resumed."""
    return row.t in m.trace.fields and bool(m.trace.event(row.t).name == "sys_enter")


@functools.cache
def letter(pid: int) -> str:
    """The letter of the task with a number, the same in every pane: A for 1, Z for 26, AA for 27.

    >>> letter(0), letter(1), letter(26), letter(27), letter(703)
    ('0', 'A', 'Z', 'AA', 'AAA')
    """
    found = "" if pid > 0 else "0"
    while pid > 0:
        pid, last = divmod(pid - 1, 26)
        found = chr(ord("A") + last) + found
    return found


class Names:
    """What the tasks of a machine were called, and when, as its events tell."""

    def __init__(self, m: Any) -> None:
        self.m = m
        self._read = 0
        self._known: dict[int, list[tuple[int, str]]] = {0: [(0, "swapper")]}

    def __call__(self, pid: int, t: int) -> str:
        """The name that task `pid` had at time `t`; "" if no event tells."""
        self._catch_up()
        known = self._known.get(pid, [])
        place = bisect.bisect_right(known, t, key=lambda one: one[0])
        return known[max(place - 1, 0)][1] if known else ""

    def badge(self, pid: int, t: int) -> list[Any]:
        """Letter, number of the colour, and words for a task at a time."""
        name = self(pid, t)
        return [letter(pid), pid % COLOURS, f"task {pid}" + (f" ({name})" if name else "")]

    def _catch_up(self) -> None:
        fields, event = self.m.trace.fields, self.m.trace.event
        new = len(fields) - self._read
        self._read = len(fields)
        for t in [t for t, _ in zip(reversed(fields), range(new), strict=False)][::-1]:
            e = event(t)
            if e.name == "sched_process_fork":
                self._add(e.fields["child_pid"], t, e.fields["child_comm"])
            elif e.name == "task_rename":
                self._add(e.fields["pid"], t, e.fields["newcomm"])

    def _add(self, pid: int, t: int, name: Any) -> None:
        self._known.setdefault(pid, []).append((t, text.printable(name)))
