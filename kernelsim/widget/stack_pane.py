"""The kernel stack of a task: where it sleeps and how it came there."""

from __future__ import annotations

import html
import itertools
from typing import Any

import traitlets

from kernelsim.debug import source, stack
from kernelsim.view import tasks
from kernelsim.widget import base, pane, stack_picture, words
from kernelsim.widget.stack_picture import Frame

__all__ = ["StackPane"]

OFFERED = 200  # tasks to choose from


class StackPane(pane.Pane, kind="stack"):
    """Shows the kernel stack of one task, as /proc/PID/stack prints it and as a picture.

    :param k: a Kernel, or one as it was.
    :param task: struct task_struct *; without one, a task that sleeps.
    """

    title = "Kernel stack"

    tasks: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)
    frames: Any = traitlets.List().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    wchan = traitlets.Unicode().tag(sync=True)

    def __init__(self, k: Any, task: Any = None) -> None:
        self._given = ""
        super().__init__(k, task)

    def draw(self) -> None:
        """Show the stack of the task given, of the one chosen here, or of one that sleeps."""
        found = list(itertools.islice(pane.tasks_of(self.look), OFFERED))
        if (given := _hex(self.task)) != self._given:  # else what the reader has chosen here stays
            self._given, self.chosen = given, given or self.chosen
        self.chosen = self.chosen or next(iter(_asleep(found)), hex(found[0].address_))
        task = next((task for task in found if hex(task.address_) == self.chosen), None)
        if task is None:  # one of those behind, or none
            behind = itertools.islice(pane.tasks_of(self.look), OFFERED, None)
            task = next((task for task in behind if hex(task.address_) == self.chosen), None)
            found += [task] if task is not None else []
        self.tasks = [[hex(one.address_), _label(one)] for one in found]
        if task is None:
            self.tasks = [
                *self.tasks,
                [self.chosen, f"the task_struct at {self.chosen}, not there"],
            ]
        self._draw(task)

    def _draw(self, task: Any) -> None:
        found = self._stack(task) if task is not None else []
        asleep = bool(found) and bool(task.state)
        self.wchan = next((f for f in found if f not in stack.SCHEDULER), "") if asleep else ""
        self.heading, self.note = self._words(task, found)
        self.text = stack.proc_stack(found)
        self.frames = [list(_frame(name, i, found, self.wchan)) for i, name in enumerate(found)]

    # The functions that a task is in, innermost first.
    def _stack(self, task: Any) -> list[str]:
        if task.exit_state:
            return []
        m = pane.present(self.look)
        if self.look.machine is m:
            return stack.kernel_stack(m, task)
        return stack.past_stack(m, int(task.pid), pane.until(self.look))

    # What the task does, and what there is to say about its stack.
    def _words(self, task: Any, found: list[str]) -> tuple[str, str]:
        if task is None:
            return f"There is no task at {self.chosen} at this moment.", ""
        who = words.name(task)
        if task.exit_state:
            return f"{who} is a zombie: it has no stack any more.", _DEAD
        if self.look.machine.current.address_ == task.address_:
            if found:
                return f"{who} is on the CPU, in {found[0]}().", _INSIDE
            return f"{who} is on the CPU, in user mode: its kernel stack is empty.", ""
        if not task.state:
            return f"{who} can run and waits for the CPU.", "" if found else _FRESH
        where = f" in {self.wchan}()" if self.wchan else ""
        return f"{who} {_VERBS.get(tasks.state(task), 'waits')}{where}.", ""

    def asked(self, message: dict[str, Any]) -> None:
        """The reader chose another task."""
        if message.get("do") == "choose" and any(message.get("task") == t[0] for t in self.tasks):
            self.chosen = message["task"]
            self.draw()

    def static(self) -> dict[str, str]:
        """The picture and the text of the stack."""
        self.catch_up()
        frames = [Frame(*frame) for frame in self.frames]
        said = "\n".join(filter(None, (self.heading, self.note, self.text)))
        found = {"text/plain": said}
        if not frames:
            return found | {"text/html": base.paragraphs(self.heading, self.note)}
        svg = stack_picture.draw(self.heading, frames)
        figure = stack_picture.figure(svg, self.heading)
        text = f"<pre>{html.escape(self.text)}</pre>"
        return found | {"image/svg+xml": svg, "text/html": figure + text}


_VERBS = {"S": "sleeps", "D": "sleeps, and no signal wakes it,", "T": "is stopped", "I": "idles"}
_DEAD = "It left the CPU for ever in do_task_dead(); only its task_struct waits to be read."
_INSIDE = "It is on the way: these are the functions that it has entered so far."
_FRESH = "It was interrupted in user mode, or has never run."


def _hex(task: Any) -> str:
    address = getattr(task, "address_", task)
    return hex(address) if isinstance(address, int) else str(address or "")


def _asleep(found: list[Any]) -> list[str]:
    # Those that sleep: the user's first, then init, then kernel threads.
    sleepers = [task for task in found if task.state and not task.exit_state]
    sleepers.sort(key=lambda task: (not task.mm, task.pid == 1))
    return [hex(task.address_) for task in sleepers]


def _label(task: Any) -> str:
    return f"{words.name(task)}, {tasks.state(task)}"


def _frame(name: str, i: int, found: list[str], wchan: str) -> Frame:
    first = wchan and next(n for n, f in enumerate(found) if f not in stack.SCHEDULER)
    where = source.place(name)
    kind = "scheduler" if name in stack.SCHEDULER else "wchan" if i == first and wchan else ""
    return Frame(name, str(where or ""), source.link(name), kind)
