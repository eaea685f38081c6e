"""A question that is answered by pointing at a task in a drawn tree, such as the new parent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kernelsim.exercise import question
from kernelsim.exercise.question import AnyQuestion, Near, Verdict
from kernelsim.view import Picture

__all__ = ["Parent"]


class Parent(AnyQuestion):
    """One of the tasks of a picture, by default of ``view.process_tree``.

    The picture is made when the question is asked, so it is of a machine at a moment, ``k.at(t)``,
    or of a machine that nobody else uses.  Boxes that stand for many cannot be chosen.

    :param tree: returns the picture to point into; a Picture does too.
    :param answer: returns struct task_struct * of the right task, or its pid.
    :param near: what single wrong tasks deserve to hear, by pid.
    :param yes: what the right one deserves to hear.
    :param no: what any other does.
    """

    kind = "parent"

    def __init__(
        self,
        prompt: str,
        tree: Callable[[], Picture] | Picture,
        answer: Callable[[], Any],
        near: Near | None = None,
        *,
        yes: str = "",
        no: str = "",
        shows: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(prompt, answer, shows)
        self._tree = tree
        self._near, self._yes, self._no = near or {}, yes, no

    @functools.cached_property
    def picture(self) -> Picture:
        """The picture to point into."""
        return self._tree if isinstance(self._tree, Picture) else self._tree()

    # The tasks that can be chosen: address and label by pid, in the picture's order.
    @functools.cached_property
    def _tasks(self) -> dict[int, tuple[int, str]]:
        found = {}
        for node in self.picture.nodes:
            pid = next((field.value for field in node.fields if field.name == "pid"), "")
            if node.address is not None and pid.isdecimal():
                found[int(pid)] = node.address, node.label
        if len(found) < 2:
            raise ValueError(f"there are fewer than two tasks to choose from in {self.picture!r}")
        return found

    def _lines(self) -> list[str]:
        return [f"- {label}" for _, label in self._tasks.values()]

    def form(self) -> dict[str, Any]:
        """The picture, its words, and the names of the tasks in it, by address."""
        names = {f"{address:#x}": label for address, label in self._tasks.values()}
        picture = self.picture
        return {
            "svg": picture.svg,
            "words": picture.text,
            "summary": picture.summary,
            "names": names,
        }

    def read(self, answer: Any) -> int:
        """Return the pid of a task, given as pid, as address or as struct task_struct *."""
        found = self._pid(answer)
        if found is None:
            pids = ", ".join(map(str, self._tasks))
            raise ValueError(f"there is no task {answer!r} in the picture: there are {pids}")
        return found

    # The pid of a task of the picture, None for what is none.
    def _pid(self, task: Any) -> int | None:
        if isinstance(task, str):
            try:
                task = int(task, 0)
            except ValueError:
                return None
        task = getattr(task, "address_", task)
        if isinstance(task, bool) or not isinstance(task, int):
            raise TypeError(f"a task is chosen by its pid or address, not {task!r}")
        if task in self._tasks:
            return task
        return next((pid for pid, (address, _) in self._tasks.items() if address == task), None)

    @functools.cached_property
    def right(self) -> int:
        """The pid of the right task; computed now, if it was not before."""
        pid = self._pid(self._computed)
        if pid is None:
            raise ValueError(f"the machine's answer {self._computed!r} is not in the picture")
        return pid

    @property
    def did(self) -> str:
        """Name and number of the right task."""
        return self._tasks[self.right][1]

    def judge(self, said: int) -> Verdict:
        """Return what comes of choosing the task with this pid."""
        correct = said == self.right
        feedback = self._yes if correct else question.told(self._near).get(said, self._no)
        return Verdict(correct, self._tasks[said][1], self.did, feedback, said, self.right)

    def place(self, value: int) -> str:
        """The address of a task of the picture, in hex."""
        return f"{self._tasks[value][0]:#x}"
