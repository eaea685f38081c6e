"""The life of one task as a film: a step for each change of the words that say where it stands.

ks.widget.life(k, child)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelsim import view as views
from kernelsim.debug.stores import stores
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.view import tasks
from kernelsim.view.film import Film, Frame
from kernelsim.view.states import Words, boxes, words
from kernelsim.widget.history import History, Moment
from kernelsim.widget.player import Player

__all__ = ["life"]


def life(k: Any, task: Any, since: int = 0, *, still: int = -1) -> Player:
    """Play where a task of a recorded run stood, from one change of its words to the next.

    :param k: a Kernel that records.
    :param task: struct task_struct *.
    :param since: the time to begin at; stores to its memory before it was new are left out.
    :param still: the frame that a page shows where nothing can be stepped.
    """
    history, before = History(k), (since, 0)
    look = history.at(before)
    frames = [Frame(views.states(look, task, brief=True), f"The film begins at event {since}.", "")]
    for moment, function, now in _steps(k, history, task, since):
        picture = views.states(history.at(moment), task, since=history.at(before), brief=True)
        frames.append(Frame(picture, f"{function}(): " * bool(function) + _said(now), ""))
        before = moment
    return Player(Film("The states of a task", frames, still))


# The moments at which its words have changed, the function that stored, and the words; None for
# those of a task that is no more.
def _steps(
    k: Any, history: History, task: Any, since: int
) -> Iterator[tuple[Moment, str, Words | None]]:
    at, size = task.address_, task_struct.sizeof_
    start = words(tasks.at(k.at(since).machine, at))
    last = start if start.state < sched.TASK_STATE_MAX else None
    for store in stores(k, since, of="task_struct"):
        if not at <= store.address < at + size:
            continue
        now = words(tasks.at(k.at(*store.when).machine, at))
        is_born = last is not None or (boxes(now) == ("new",) and not now.on_cpu)
        if is_born and now != last:
            last = now
            yield store.when, history.function(store.when), now
    if (
        last is not None
        and last.exit_state
        and tasks.at(k.at(k.now).machine, at).state != last.state
    ):
        yield history.now, "", None


def _said(now: Words | None) -> str:
    if now is None:
        return "Its memory is freed: there is no such task any more."
    place = f"state {now.state:#x}, exit_state {now.exit_state:#x}"
    return f"{place}, on_rq {now.on_rq}, on_cpu {now.on_cpu}."
