"""Drills about identifiers: the four numbers of a task, the struct pids of a story, the lists on them.

Every answer is read from a machine on which the tasks have done what the question tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import session, view
from kernelsim.exercise import drill, family
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.include.uapi.linux import sched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.exercise.question import AnyQuestion

__all__ = ["THREAD", "Doing", "Plot", "Task"]

THREAD = (
    sched.CLONE_VM | sched.CLONE_FS | sched.CLONE_FILES | sched.CLONE_SIGHAND | sched.CLONE_THREAD
)
"""The flags with which clone makes a thread."""

KINDS = ("PID", "TGID", "PGID", "SID")
_SAID = {
    "fork": "{who} forks {whom}",
    "thread": "{who} makes a thread, {whom}",
    "group": "{who} calls setpgid(0, 0)",
    "join": "{who} calls setpgid(0, {whom})",
    "session": "{who} calls setsid()",
    "gone": "{who} exits, and its parent waits for it",
    "held": "somebody takes a reference to the struct pid of {who}, and keeps it",
}


class Doing(NamedTuple):
    """One step: what `who` does, to or with `whom`."""

    what: str
    who: int
    whom: int = 0

    def __str__(self) -> str:
        return _SAID[self.what].format(who=self.who, whom=self.whom)


class Task(NamedTuple):
    """A task as somebody keeps track of it: its four numbers, and its parent's."""

    pid: int
    tgid: int
    pgid: int
    sid: int
    parent: int


class Plot(NamedTuple):
    """Steps that begin with a shell, number `first`, which leads a session; more count from there."""

    first: int
    steps: tuple[Doing, ...] = ()

    def tasks(self) -> dict[int, Task]:
        """Who is there after the steps, by the rules of fork, setpgid and setsid."""
        n = self.first
        found = {n: Task(n, n, n, n, 1)}
        for what, who, whom in self.steps:
            task = found[who]
            if what == "fork":
                found[whom] = task._replace(pid=whom, tgid=whom, parent=task.tgid)
            elif what == "thread":
                found[whom] = task._replace(pid=whom)
            elif what == "gone":
                del found[who]
            elif what in {"group", "join", "session"}:
                sid = who if what == "session" else task.sid
                for one in [t for t in found.values() if t.tgid == who]:
                    found[one.pid] = one._replace(pgid=whom or who, sid=sid)
        return found

    def play(self) -> tuple[Any, dict[int, Any]]:
        """Return a machine (Kernel) on which it is so, and the references that are held, by number."""
        k: Any = session.boot(record=False, memory="40M")
        family.start_numbers_at(k, self.first)
        k.call(k.spawn("sh"), "setsid")
        held: dict[int, Any] = {}
        parents = {n: t.parent for n, t in self._ever().items()}
        for what, who, whom in self.steps:
            if what in {"fork", "thread"}:
                made = k.call(who, "fork") if what == "fork" else k.call(who, "clone", THREAD)
                assert made == whom
            elif what in {"group", "join"}:
                k.call(who, "setpgid", 0, whom)
            elif what == "session":
                k.call(who, "setsid")
            elif what == "held":
                held[who] = k.get_pid(who)
            else:
                k.call(who, "exit", 0)
                k.call(parents[who], "waitpid", who, 0)
        return k, held

    # All who were ever there.
    def _ever(self) -> dict[int, Task]:
        return Plot(self.first, tuple(step for step in self.steps if step.what != "gone")).tasks()

    def lines(self) -> Iterator[str]:
        """The steps as lines of a question."""
        n = self.first
        yield f"The shell, number {n}, leads the session {n} and the process group {n}. Then"
        yield from (f"    `{step}`" for step in self.steps)


# --- making one -------------------------------------------------------------------------------


# What could be done next, of a kind.
def _possible(plot: Plot, kind: str) -> list[Doing]:
    tasks = plot.tasks()
    leaders = [t for t in tasks.values() if t.pid == t.tgid]
    following = max([plot.first, *(step.whom for step in plot.steps)]) + 1
    groups = {t.pgid: t.sid for t in tasks.values()}
    threaded = {t.tgid for t in tasks.values() if t.pid != t.tgid}
    others = [t for t in leaders if t.pid != plot.first]
    if kind == "fork":
        return [Doing(kind, t.pid, following) for t in leaders]
    if kind == "thread":
        return [Doing(kind, t.pid, following) for t in others if t.pid not in threaded]
    if kind == "group":
        return [Doing(kind, t.pid) for t in others if t.pid not in (t.pgid, t.sid)]
    if kind == "join":
        return [
            Doing(kind, t.pid, group)
            for t in others
            for group, sid in groups.items()
            if t.pid != t.sid and group not in (t.pgid, t.pid) and sid == t.sid
        ]
    if kind == "session":
        return [Doing(kind, t.pid) for t in others if t.pid not in groups]
    if kind == "held":
        held = {step.who for step in plot.steps if step.what == kind}
        return [Doing(kind, t.pid) for t in others if t.pid not in held]
    return [Doing(kind, t.pid) for t in others if t.pid not in threaded and t.parent in tasks]


def _plot(dice: Dice, length: int, kinds: str) -> Plot:
    made = Plot(dice.between(3, 90))
    while len(made.steps) < length:
        possible = _possible(made, "fork" if len(made.steps) < 2 else dice.pick(kinds.split()))
        if possible:
            made = made._replace(steps=(*made.steps, dice.pick(possible)))
    return made


# --- the numbers of a task --------------------------------------------------------------------


@drill.topic("the numbers of a task")
def _numbers(dice: Dice) -> AnyQuestion:
    kinds = dice.grade("fork group", "fork thread group join", "fork thread group join session")
    while True:
        plot = _plot(dice, dice.grade(4, 5, 7), kinds)
        several = [t for t in plot.tasks().values() if len({*t[:4]}) > 1]
        if several:
            break
    task = dice.pick(several)
    who, place = task.pid, dice.grade(2, 1 + dice.below(2), 1 + dice.below(3))

    def answer() -> str:
        found = plot.play()[0].task(who)
        return str(found.signal.pids[place].numbers[0].nr)

    tasks = plot.tasks()
    right = answer()
    asked = f"its {KINDS[place]}"
    wrong = [
        Answer(str(who), "That is its PID, and nobody else's."),
        Answer(str(task.tgid), "That is its process, its TGID."),
        Answer(str(task.pgid), "That is its process group."),
        Answer(str(task.sid), "That is its session."),
        Answer(str(task.parent), "That is its parent. Numbers are copied from it, not it."),
        Answer(str(plot.first), "That is the shell. Who is still in its group, or its session?"),
        *(Answer(str(n), "Go through the steps once more.") for n in tasks),
    ]
    said = {
        1: "Yes: the process it belongs to; a thread has its leader's.",
        2: "Yes: fork copies the group; setpgid() and setsid() change it.",
        3: "Yes: fork copies the session; only setsid() begins one.",
    }
    prompt = "\n".join([*plot.lines(), f"What is {asked} of task {who}?".replace("its ", "the ")])
    return drill.choice(dice, prompt, answer, [Answer(right, said[place]), *wrong])


# --- which struct pids there are --------------------------------------------------------------


# Those of the story that have not been freed, by number, with their counts.
def _alive(plot: Plot) -> dict[int, int]:
    k, held = plot.play()
    found = {n: int(one.pid.count) for n, one in held.items()}
    for task in plot.tasks():
        one = k.task(task)
        pids = [one.thread_pid, *(one.signal.pids[kind] for kind in (1, 2, 3))]
        found |= {pid.numbers[0].nr: int(pid.count) for pid in pids}
    return dict(sorted(found.items()))


def _listed(numbers: Any) -> str:
    return ", ".join(map(str, sorted(numbers)))


# With somebody who is gone, and mostly one who has left his number to others.
def _with_a_death(dice: Dice, kinds: str) -> Plot:
    while True:
        plot = _plot(dice, dice.grade(5, 7, 8), kinds)
        tasks = plot.tasks()
        gone = {step.who for step in plot.steps if step.what == "gone"}
        left = gone & {n for task in tasks.values() for n in task[:4]}
        if gone and (left or not dice.below(8)):
            return plot


@drill.topic("which struct pids there are")
def _struct_pids(dice: Dice) -> AnyQuestion:
    kinds = dice.grade(
        "fork group gone", "fork group join gone", "fork group join thread held gone"
    )
    plot = _with_a_death(dice, kinds)

    def answer() -> str:
        return _listed(_alive(plot))

    tasks = plot.tasks().values()
    held = {step.who for step in plot.steps if step.what == "held"}
    ever = {plot.first, *(step.whom for step in plot.steps if step.what in {"fork", "thread"})}
    pids = {t.pid for t in tasks}
    used = {n for t in tasks for n in t[:4]}
    wrong = [
        (pids, "Who is gone may have left his number to a group, or to a holder."),
        (used, "A struct pid that somebody holds is not freed, though its number is free."),
        (ever, "Who was waited for, and is used and held by nobody, has no struct pid any more."),
        (pids | held, "A process group keeps the struct pid of its number."),
        ({t.tgid for t in tasks}, "A thread has a struct pid of its own."),
        (used - {plot.first}, "The shell has one too."),
        (used | {max(ever) + 1}, "Nobody has had that number."),
        ({t.pgid for t in tasks}, "Not only groups have one."),
    ]
    answers = [
        Answer(answer(), "Yes: those that a task uses in some way, and those that are held."),
        *(Answer(_listed(numbers), words) for numbers, words in wrong if numbers),
    ]
    prompt = "\n".join(
        [
            *plot.lines(),
            f"Which struct pids are there with a number from {plot.first} on, free or not?",
        ]
    )
    return drill.choice(dice, prompt, answer, answers, shows=lambda: _drawn(plot))


@drill.topic("the count of a struct pid")
def _count(dice: Dice) -> AnyQuestion:
    kinds = dice.grade("fork group held", "fork group join held gone", "fork group join held gone")
    while True:
        plot = _plot(dice, dice.grade(5, 7, 9), kinds)
        if any(step.what == "held" for step in plot.steps):
            break
    alive = _alive(plot)
    held = {step.who for step in plot.steps if step.what == "held"}
    who = dice.pick(sorted(held)) if dice.below(3) else dice.pick(sorted(alive))

    def answer() -> str:
        return str(_alive(plot)[who])

    tasks = plot.tasks()
    uses = sum(n == who for t in tasks.values() for n in t[:4])
    right = int(answer())
    why = {
        2: "Yes: one for the number, which is in use, and one for the holder.",
        1: "Yes: one for the number." if who not in held else
           "Yes: the holder's. The number has been given back, and its reference is dropped.",
    }  # fmt: skip
    answers = [
        Answer(str(right), why.get(right, "Yes.")),
        Answer(str(uses), "Tasks on its lists are not counted one by one."),
        Answer(str(uses + 1), "Tasks on its lists are not counted one by one."),
        Answer("0", "At 0 it would have been freed."),
        Answer("2", "One for the number as long as some task uses it, and one for each holder."),
        Answer("1", "One for the number as long as some task uses it, and one for each holder."),
    ]
    prompt = "\n".join([*plot.lines(), f"What is the count of the struct pid that was {who}'s?"])
    return drill.number(prompt, answer, answers, shows=lambda: _drawn(plot))


def _drawn(plot: Plot) -> Any:
    k, held = plot.play()
    holders = {f"holder of {number}": one.pid for number, one in held.items()}
    return view.identifiers(k, holders=holders)
