"""Drills about the arcs between states: which states a task goes through when something is done.

The answer is read from a machine that does it: the boxes in which the task stands, event by event.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kernelsim import session, view
from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import signal
from kernelsim.view.states import BOXES, boxes, words

if TYPE_CHECKING:
    from kernelsim.exercise.question import Question

__all__ = ["way_of"]

_SIGNALS = ("SIGTERM", "SIGKILL", "SIGSTOP", "SIGCONT")
_STARTS = {
    "run": "can run, but does not: its parent has the CPU",
    "pause": "sleeps in pause()",
    "stop": "was stopped by SIGSTOP",
    "vfork": "has called vfork(), and waits for its child, which does nothing yet",
    "exit": "has exited",
}
_DEEDS = {
    "pause": "It calls pause().",
    "vfork": "It calls vfork().",
    "exit": "It calls exit().",
    "wait": "Its parent calls waitpid() for it.",
    **{name: f"Its parent sends it {name}." for name in _SIGNALS},
}
_CAN = {
    "run": ("pause", "vfork", "exit", *_SIGNALS[:3]),
    "pause": _SIGNALS,
    "stop": _SIGNALS,
    "vfork": _SIGNALS,
    "exit": ("wait", *_SIGNALS),
}
GONE = "no task_struct any more"


# Have the child do, or suffer, one thing.
def _do(k: Any, shell: Any, child: Any, deed: str) -> None:
    if deed in _SIGNALS:
        k.call(shell, "kill", child.pid, getattr(signal, deed))
    elif deed == "wait":
        k.call(shell, "waitpid", child.pid, 0)
    elif deed == "exit":
        k.call(child, "exit", 0)
    else:
        k.call(child, deed)


# The kernel, the child, and when the first deed began.
def _play(start: str, deeds: tuple[str, ...]) -> tuple[Any, Any, int]:
    k: Any = session.boot()
    shell = k.spawn("sh")
    child = k.task(k.call(shell, "fork"))
    if start == "stop":
        _do(k, shell, child, "SIGSTOP")
    elif start != "run":
        _do(k, shell, child, start)
    begin = k.now
    for deed in deeds:
        _do(k, shell, child, deed)
    return k, child, begin


@functools.cache
def way_of(start: str, *deeds: str) -> str:
    """Return the states through which a task goes from `start` when the `deeds` are done, in words."""
    k, child, begin = _play(start, deeds)
    address, kind = child.address_, type(child)
    found: list[str] = []
    for t in range(begin, k.now + 1):
        now = words(kind(k.at(t).machine, address))
        if now.state >= sched.TASK_STATE_MAX:  # its memory is freed
            names = [GONE]
        else:
            names = [BOXES[name].name.partition(" ")[0] for name in boxes(now)]
        if found[-1:] != [" with ".join(names)]:
            found.append(" with ".join(names))
    return " → ".join(found) if len(found) > 1 else f"{found[0]}, as before"


def _picture(start: str, deeds: tuple[str, ...]) -> Any:
    k, child, begin = _play(start, deeds)
    return view.states(k, child, since=begin)


def _why(way: str) -> str:
    if way.endswith("as before"):
        return "Yes: it is not woken by that, or it is dead, and nobody is there to be woken."
    if "TASK_WAKING" in way:
        return "Yes: it is woken, waits for the CPU, and what it finds then, it does itself."
    return "Yes: it does that itself, when it has the CPU; or its parent does, when it is dead."


# What may be done to a task, one thing after the other.
def _deeds(dice: Dice, start: str) -> tuple[str, ...]:
    first = dice.pick(_CAN[start])
    if dice.level < 3 or first == "wait":
        return (first,)
    return first, dice.pick(_SIGNALS)


@drill.topic("the way of a task")
def _way(dice: Dice) -> Question:
    starts = dice.grade(("run", "pause"), ("run", "pause", "stop", "exit"), tuple(_STARTS))
    start = dice.pick(starts)
    deeds = _deeds(dice, start)
    right = way_of(start, *deeds)
    wrong = [
        Answer(way_of(one, *others), f"So it goes when it {_STARTS[one]}. {_said(others)}")
        for one in (start, *dice.shuffled(_STARTS))
        for others in ((other, *deeds[1:]) for other in dice.shuffled(_CAN[one]) if other != "wait")
    ]
    prompt = (
        f"A task {_STARTS[start]}. It neither handles nor ignores signals. {_said(deeds)} Which "
        "states does it go through, the first one included?"
    )
    return drill.choice(
        dice,
        prompt,
        lambda: way_of(start, *deeds),
        [Answer(right, _why(right)), *(answer for answer in wrong if answer.text != right)],
        shows=lambda: _picture(start, deeds),
    )


def _said(deeds: tuple[str, ...]) -> str:
    return " Then: ".join(_DEEDS[deed] for deed in deeds)
