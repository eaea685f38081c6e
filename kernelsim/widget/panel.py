"""A panel that fires system calls: choose a task, a call, its arguments; see what comes of it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import traitlets

from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.cpu import Panic
from kernelsim.machine.memory import Fault
from kernelsim.session import PENDING
from kernelsim.view import tasks
from kernelsim.widget import answers, base, calls, words
from kernelsim.widget.answers import Answer
from kernelsim.widget.history import History

__all__ = ["SyscallPanel"]

KEPT = 4  # answers shown
OFFERED = 200  # tasks to choose from


class SyscallPanel(base.Widget, kind="panel"):
    """Fires system calls for the puppets of a kernel.

    :param k: a Kernel.
    :param task: the task to begin with, as a reference, a pid or an address.
    :param names: the calls to offer, of `calls.CALLS`; all of them by default.
    """

    tasks: Any = traitlets.List().tag(sync=True)
    task = traitlets.Unicode().tag(sync=True)
    calls: Any = traitlets.List().tag(sync=True)
    answers: Any = traitlets.List().tag(sync=True)
    locked = traitlets.Unicode().tag(sync=True)

    def __init__(self, k: Any, task: Any = None, names: Sequence[str] | None = None) -> None:
        super().__init__()
        self.on_fired: Callable[[], None] | None = None
        self.on_unlock: Callable[[str], None] | None = None
        self.calls = [_plain(call) for call in calls.choose(list(names) if names else None)]
        self._waiting: dict[int, tuple[str, str]] = {}  # puppets asleep: who, and in which call
        self.drive(k, task)

    def __repr__(self) -> str:
        offered = ", ".join(call["name"] for call in self.calls)
        return f"System calls of {self._label(self.task)}: {offered}"

    # -- whom to drive -------------------------------------------------------------------------

    def drive(self, k: Any, task: Any = None) -> None:
        """Fire at the tasks of `k` from now on."""
        self.kernel = k
        self._history = History(k)
        self._waiting = {
            address: call
            for address, call in self._waiting.items()
            if k.result(task_struct(k.machine, address)) is PENDING
        }
        self.answers = []
        if task is not None:
            self.task = hex(_address(k, task))
        elif self.task not in {hex(t.address_) for t in k.tasks()}:
            self.task = ""
        self.look()

    def look(self) -> None:
        """Read from the kernel who is there."""
        found = [hex(task.address_) for task in _puppets(self.kernel)]
        if not self.task and found:
            self.task = found[min(1, len(found) - 1)]  # the first one after init
        lacks = [self.task] if self.task and self.task not in found else []
        if len(found) > OFFERED:  # the first and the last ones; a picture selects any
            shown = found[: OFFERED // 2] + found[-OFFERED // 2 :]
            found = shown if self.task in shown or lacks else [*shown, self.task]
        labels = [[address, _puppet_label(self.kernel, address)] for address in found]
        self.tasks = labels + [[a, f"{self._label(a)}, {self._why_not()}"] for a in lacks]

    def _reference(self) -> Any:
        return task_struct(self.kernel.machine, int(self.task, 16)) if self.task else None

    def _label(self, address: str) -> str:
        try:
            return words.name(task_struct(self.kernel.machine, int(address, 16)))
        except (Fault, ValueError):
            return f"the task_struct at {address}"

    # Why the chosen task is not among the puppets.
    def _why_not(self) -> str:
        try:
            task = self._reference()
            return tasks.WORDS[tasks.state(task)] if task.exit_state else "not a puppet"
        except Fault:
            return "gone"

    # -- firing --------------------------------------------------------------------------------

    def fire(self, name: str, *arguments: Any) -> Answer:
        """Fire a call for the chosen task and say what came of it; nothing is raised."""
        if self.locked:
            return Answer("refused", calls.written(name, arguments), self.locked)
        who, call = self._label(self.task), calls.written(name, arguments)
        answer = self._fired(who, call, name, arguments)
        with self.hold_sync():  # the picture first, it is what the reader looks at
            self._say(answer, *self._woken())
            self.look()
            if self.on_fired is not None:
                self.on_fired()
        return answer

    def _fired(self, who: str, call: str, name: str, arguments: tuple[Any, ...]) -> Answer:
        k, task = self.kernel, self._reference()
        if task is None:
            return Answer("refused", call, "there is no task to fire it at")
        try:
            value = k.call(task, name, *arguments)
        except Exception as error:  # noqa: BLE001 (whatever it is, the reader gets a sentence)
            return answers.failure(who, call, error)
        sleeps_in = ""
        if value is PENDING:
            self._waiting[task.address_] = who, call
            sleeps_in = self._history.sleeps_in(task.pid, self._history.now)
        return answers.answer(who, call, value, alive=_alive(task), sleeps_in=sleeps_in)

    # The answers that sleeping tasks have got meanwhile.
    def _woken(self) -> Iterable[Answer]:
        for address, (who, call) in list(self._waiting.items()):
            task = task_struct(self.kernel.machine, address)
            try:
                value = self.kernel.result(task)
            except Exception as error:  # noqa: BLE001 (as above)
                answer = answers.failure(who, call, error)
            else:
                if value is PENDING or isinstance(value, Panic):
                    continue
                answer = answers.answer(who, call, value, alive=_alive(task))
            del self._waiting[address]
            yield answer._replace(tail=f"{answer.tail} (it slept until now)".strip())

    def _say(self, *found: Answer) -> None:
        self.answers = [*([*answer] for answer in found[::-1]), *self.answers][:KEPT]

    def heard(self, message: dict[str, Any]) -> None:
        """The reader fired a call, with its arguments as text, or wants to leave the past."""
        if message.get("do") != "fire":
            if self.on_unlock is not None and self.locked:
                self.on_unlock(str(message.get("do")))
            return
        name, texts = str(message.get("call")), [str(text) for text in message.get("texts", ())]
        try:
            (call,) = calls.choose([name])
            arguments = calls.arguments(call, texts)
        except ValueError as error:
            self._say(Answer("refused", f"{name}({', '.join(texts)})", str(error)))
        else:
            self.fire(name, *arguments)

    def static(self) -> dict[str, str]:
        """What could be fired, in words."""
        return {"text/plain": repr(self), "text/html": f"<p>{html.escape(repr(self))}</p>"}


# A call as the script gets it.
def _plain(call: calls.Call) -> dict[str, Any]:
    parameters = [
        {"name": p.name, "kind": p.kind, "default": p.default, "choices": [c[0] for c in p.choices]}
        for p in call.parameters
    ]
    return {"name": call.name, "words": call.words, "parameters": parameters}


# Each live puppet, in list order.
def _puppets(k: Any) -> Iterable[Any]:
    for task in k.tasks():
        is_thread = bool(task.flags & sched.PF_KTHREAD)
        if not (is_thread or task.exit_state or task.address_ in k.machine.cpu.user):
            yield task


def _puppet_label(k: Any, address: str) -> str:
    task = task_struct(k.machine, int(address, 16))
    letter = tasks.state(task)
    return words.name(task) + ("" if letter == "R" else f", {tasks.WORDS[letter]}")


def _alive(task: Any) -> bool:
    try:
        return not task.exit_state
    except Fault:
        return False


def _address(k: Any, task: Any) -> int:
    # The address of a task given as a reference, an address or a pid.
    address: int = getattr(task, "address_", task)
    return next((t.address_ for t in k.tasks() if t.pid == address), address)
