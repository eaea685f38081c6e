"""A panel that fires system calls: choose a task, a call, its arguments; see what comes of it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import traitlets

from kernelsim import steer
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.cpu import Panic
from kernelsim.machine.memory import Fault
from kernelsim.session import PENDING
from kernelsim.view import tasks
from kernelsim.widget import answers, base, bomb, calls, clone, words
from kernelsim.widget.answers import Answer
from kernelsim.widget.history import History

__all__ = ["ADDRESS", "SyscallPanel", "threads"]

KEPT = 4  # answers shown
ADDRESS = re.compile(r"(0x[0-9a-f]{1,16})?")  # or none
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
    fired = traitlets.Int().tag(sync=True)  # answers so far: also two that are alike differ in it
    doing = traitlets.Unicode().tag(sync=True)
    programs: Any = traitlets.List().tag(sync=True)
    locked = traitlets.Unicode().tag(sync=True)

    def __init__(self, k: Any, task: Any = None, names: Sequence[str] | None = None) -> None:
        super().__init__()
        self.on_fired: Callable[[], None] | None = None
        self.on_unlock: Callable[[str], None] | None = None
        self._names: dict[str, str] = {}
        self.oops = ""  # the bug in the kernel that the last call ran into
        self.calls = [_plain(call) for call in calls.choose(list(names) if names else None)]
        # Puppets asleep, by address: who, in which call as C writes it, and in which function.
        self._waiting: dict[int, tuple[str, str, str]] = {}
        self.drive(k, task)

    def __repr__(self) -> str:
        offered = ", ".join(call["name"] for call in self.calls)
        return f"System calls of {self._label(self.task)}: {offered}"

    @traitlets.validate("task")
    def _is_address(self, proposal: Any) -> str:
        value: str = proposal["value"]
        return value if ADDRESS.fullmatch(value) else self.task

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
        self.answers, self.oops, self._names = [], "", {}
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
        labels = [[address, self._puppet_label(address)] for address in found]
        self.tasks = labels + [[a, f"{self._label(a)}, {self._why_not()}"] for a in lacks]
        self.programs = sorted(name for name in self.kernel.machine.programs if name)
        self.doing = self._asleep()

    # A task as the list of tasks names it: who it is, and that it sleeps.
    def _puppet_label(self, address: str) -> str:
        task = task_struct(self.kernel.machine, int(address, 16))
        letter = tasks.state(task)
        label = words.name(task) + (f", thread of {task.tgid}" if task.tgid != task.pid else "")
        if letter == "R":
            return label
        call = self._waiting.get(task.address_, ("", "", ""))[1]
        return f"{label}, {tasks.WORDS[letter]}" + (f" in {call}" if call else "")

    # What the chosen task waits for, "" if it can make a call.
    def _asleep(self) -> str:
        who, call, function = self._waiting.get(int(self.task or "0", 16), ("", "", ""))
        if not call:
            return ""
        where = f" in {function}()" if function else ""
        return f"{who} sleeps{where}, inside {call}. Its answer comes when the kernel wakes it."

    def _reference(self) -> Any:
        return task_struct(self.kernel.machine, int(self.task, 16)) if self.task else None

    def _label(self, address: str) -> str:
        try:
            name = words.name(task_struct(self.kernel.machine, int(address, 16)))
        except (Fault, ValueError):
            return self._names.get(address, f"the task_struct at {address}")
        self._names[address] = name  # for when it is gone
        return name

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
        self._tell(answer)
        return answer

    def interrupt(self, task: Any) -> Any:
        """Let a timer interrupt come, after which `task` runs, or whom CFS chooses (None); who runs now."""
        try:
            ran = self.kernel.run_next(task)
        except Exception as error:  # noqa: BLE001 (as for calls)
            self._tell(answers.failure("a timer interrupt", "who runs next?", error))
            return None
        by = "the scheduler chose: it has the least vruntime" if task is None else "you chose"
        self._tell(Answer("result", "a timer interrupt", f"{words.name(ran)} runs now, as {by}"))
        return ran

    # Say an answer, and everything that has become of it.
    def _tell(self, answer: Answer) -> None:
        self.oops = answer.tail if answer.kind == "oops" else ""
        with self.hold_sync():  # the picture first, it is what the reader looks at
            self._say(answer, *self._woken())
            self.look()
            if self.on_fired is not None:
                self.on_fired()

    def _fired(self, who: str, call: str, name: str, arguments: tuple[Any, ...]) -> Answer:
        k, task = self.kernel, self._reference()
        if task is None:
            return Answer("refused", call, "there is no task to fire it at")
        try:
            if name == calls.BOMB:
                return self._bombed(who, bomb.explode(k, task))
            value = k.call(task, name, *arguments)
        except Exception as error:  # noqa: BLE001 (whatever it is, the reader gets a sentence)
            return answers.failure(who, call, error, _why(task, name, arguments, error))
        sleeps_in = ""
        if value is PENDING:
            sleeps_in = self._history.sleeps_in(task.pid, self._history.now)
            self._waiting[task.address_] = who, call, sleeps_in
        return answers.answer(who, call, value, alive=_alive(task), sleeps_in=sleeps_in)

    def _bombed(self, who: str, ended: bomb.Bomb) -> Answer:
        head = f"{who}: {calls.BOMB}, {ended.forks:,} forks"
        if ended.error is not None:
            error = ended.error
            return answers.failure(f"{head}, then", "fork()", error, _why(None, "fork", (), error))
        if self.kernel.panic is not None:
            return answers.failure(head, "fork()", self.kernel.panic)
        return Answer(
            "result", head, "no end yet; the kernel has not refused. Fire it again to go on"
        )

    # The answers that sleeping tasks have got meanwhile.
    def _woken(self) -> Iterable[Answer]:
        for address, (who, call, _) in list(self._waiting.items()):
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
        self.fired += 1

    def heard(self, message: dict[str, Any]) -> None:
        """The reader fired a call, with its arguments as text, or wants to leave the past."""
        if message.get("do") != "fire":
            if self.on_unlock is not None and self.locked:
                self.on_unlock(str(message.get("do")))
            return
        name, texts = str(message.get("call")), message.get("texts")
        texts = [str(text) for text in texts] if isinstance(texts, list) else []
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
    return {"name": call.name, "words": call.words, "parameters": [*map(_form, call.parameters)]}


def _form(p: calls.Parameter) -> dict[str, Any]:
    built = steer.clone_flags()
    flags = [
        {
            "name": flag.name,
            "value": flag.value,
            "group": clone.GROUPS.get(flag.group, ""),
            "on": flag.on,
            "off": flag.off,
            "note": "" if flag.value & built or not flag.group else "not simulated yet",
        }
        for flag in p.flags
    ]
    form = {"name": p.name, "kind": p.kind, "default": p.default, "flags": flags}
    presets = clone.PRESETS if p.flags and p.flags[0] in clone.CLONE.values() else {}
    return form | {"choices": [[*choice] for choice in p.choices], "presets": presets}


# Each live puppet, in list order, and its threads.
def _puppets(k: Any) -> Iterable[Any]:
    for process in k.tasks():
        if process.flags & sched.PF_KTHREAD:
            continue
        for task in threads(process):
            if not task.exit_state and task.address_ not in k.machine.cpu.user:
                yield task


def threads(process: Any) -> Iterable[Any]:
    """Yield the threads of a process (struct task_struct *): itself, and what it made with CLONE_THREAD."""
    if sched_signal.thread_group_empty(process):
        return (process,)
    return sched_signal.for_each_thread(process)


# Why a call failed, where more can be said than what the errno means.
def _why(task: Any, name: str, arguments: tuple[Any, ...], error: Exception) -> str:
    errno = answers.errno_name(error)
    if not errno:
        return ""
    is_init = task is not None and bool(task.signal.flags & sched_signal.SIGNAL_UNKILLABLE)
    return calls.why(name, arguments, errno, is_init=is_init)


def _alive(task: Any) -> bool:
    try:
        return not task.exit_state
    except Fault:
        return False


def _address(k: Any, task: Any) -> int:
    # The address of a task given as a reference, an address or a pid.
    address: int = getattr(task, "address_", task)
    return next((t.address_ for t in k.tasks() if t.pid == address), address)
