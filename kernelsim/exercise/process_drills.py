"""Drills about processes: who is on the list, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import session
from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice

if TYPE_CHECKING:
    from kernelsim.exercise.question import Question

__all__: list[str] = []  # the topics are found by name: drill.topics()


@drill.topic("who is on the process list")
def _processes(dice: Dice) -> Question:
    shells = dice.grade(1, 1 + dice.below(2), 2)
    steps: list[tuple[str, int]] = []  # (what, which of the processes so far)
    alive, made = list(range(shells)), shells
    for _ in range(dice.grade(2, 4, 6) + dice.below(2)):
        children = [n for n in alive if n >= shells]
        what = dice.pick(("fork", "fork", "exit"))
        if what == "exit" and children:
            gone = dice.pick(children)
            alive.remove(gone)
            steps.append(("exit", gone))
        else:
            steps.append(("fork", dice.pick(range(shells))))
            alive.append(made)
            made += 1
    names = {n: f"pid {n + 3}" for n in range(made)}
    lines = [
        f"    {names[n]} {'calls fork' if what == 'fork' else 'exits; its parent waits for it'}"
        for what, n in steps
    ]
    shell = "shells" if shells > 1 else "shell"
    listed = ", ".join(str(n + 3) for n in range(shells))
    prompt = "\n".join(
        [
            f"On the process list are 1, 2 and the {shell} {listed}. Then, one after the other,",
            *lines,
            "Which numbers does list_for_each_entry now meet, in which order?",
        ]
    )
    played = _play(shells, steps)
    everybody = list(range(1, made + 3))
    reused = [n for n in everybody if n < 3 + len(alive)]
    newest_first = [*played[: 2 + shells], *played[2 + shells :][::-1]]
    family = _by_family(shells, steps, set(played))
    answers = [
        Answer(
            _said(played), "Yes: fork links at the tail, release_task() unlinks; no number returns."
        ),
        Answer(
            _said(newest_first),
            "fork links the child at the tail: the newest stands last, before the head.",
        ),
        Answer(_said(family), "The list knows no families: a child goes to the end of it."),
        Answer(_said(everybody), "Whoever has been waited for was unlinked by release_task()."),
        Answer(
            _said(reused), "Numbers go up; a number that became free is not the next one given."
        ),
        Answer(
            _said([0, *played]), "init_task is the head: the loop starts behind it and ends at it."
        ),
        Answer(_said(played[1:]), "The first one counts: the head is init_task, not process 1."),
    ]
    return drill.choice(dice, prompt, lambda: _said(_play(shells, steps)), answers)


def _said(pids: list[int]) -> str:
    return " ".join(map(str, pids))


# Play the steps on a kernel; return the pids in the order of the list.
def _play(shells: int, steps: list[tuple[str, int]]) -> list[Any]:
    k = session.boot(record=False)
    tasks: list[Any] = [k.spawn("sh") for _ in range(shells)]
    parents: list[int] = [0] * shells
    for what, n in steps:
        if what == "fork":
            tasks.append(k.task(k.call(tasks[n], "fork")))
            parents.append(n)
        else:
            pid = tasks[n].pid
            k.call(tasks[n], "exit", 0)
            k.call(tasks[parents[n]], "waitpid", pid, 0)
    return [task.pid for task in k.tasks()]


# The pids as somebody would order them who thinks that children follow their parent.
def _by_family(shells: int, steps: list[tuple[str, int]], alive: set[int]) -> list[int]:
    children: dict[int, list[int]] = {n: [] for n in range(shells)}
    made = shells
    for what, n in steps:
        if what == "fork":
            children[n].append(made)
            made += 1
    order = [1, 2, *(n + 3 for shell in children for n in (shell, *children[shell]))]
    return [pid for pid in order if pid in alive]
