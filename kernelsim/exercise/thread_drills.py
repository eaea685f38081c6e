"""Drills about processes with threads: which numbers a task prints, and whose child is whose.

Every answer is that of a machine on which the tasks are made, and ended, as the question tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import session
from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux import sched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.exercise.question import AnyQuestion

__all__ = ["FIRST", "Step", "Story"]

FIRST = 3  # bash, alone in its process; who is made later counts from there
EXIT = 60  # exit(2), which ends one thread
_THREAD = (
    sched.CLONE_VM | sched.CLONE_FS | sched.CLONE_FILES | sched.CLONE_SIGHAND | sched.CLONE_THREAD
)
_SAID = {
    "thread": "{who} makes a thread, {whom}",
    "fork": "{who} forks {whom}",
    "end": "{who} ends alone, by exit(2)",
    "exit": "{who} calls exit_group()",
}


class Step(NamedTuple):
    """What a task does: thread, fork (`whom` is the new task), end (that task alone), exit (all threads)."""

    what: str
    who: int
    whom: int = 0

    def __str__(self) -> str:
        return _SAID[self.what].format(who=self.who, whom=self.whom)


class Story(NamedTuple):
    """Steps of tasks, the first of which is bash, number `FIRST`."""

    steps: tuple[Step, ...] = ()

    def play(self) -> Any:
        """Return a machine (Kernel) on which the tasks have taken the steps."""
        k: Any = session.boot(record=False, memory="40M")
        k.spawn("bash")
        for what, who, whom in self.steps:
            if what in {"thread", "fork"}:
                flags = _THREAD if what == "thread" else SIGCHLD
                assert k.call(who, "clone", flags) == whom
            else:
                k.call(who, EXIT if what == "end" else "exit", 0)
        return k

    def prints(self, who: int) -> str:
        """What the machine has for getpid(), gettid() and getppid() in the task, between blanks."""
        k = self.play()
        return " ".join(str(k.call(who, name)) for name in ("getpid", "gettid", "getppid"))

    def parent(self, who: int) -> int:
        """The number of the task that the machine has for its parent (real_parent)."""
        return int(self.play().task(who).real_parent.pid)

    def processes(self) -> dict[int, int]:
        """The process of each task, by number: that of its first task."""
        found = {FIRST: FIRST}
        for what, who, whom in self.steps:
            if whom:
                found[whom] = found[who] if what == "thread" else whom
        return found

    def ended(self) -> set[int]:
        """Who has ended, by number."""
        process, found = self.processes(), set()
        for what, who, _ in self.steps:
            if what == "end":
                found.add(who)
            elif what == "exit":
                found |= {number for number, one in process.items() if one == process[who]}
        return found

    def maker(self, who: int) -> int:
        """Who has made a task; 1 for the first."""
        return next((step.who for step in self.steps if step.whom == who), 1)

    def lines(self) -> Iterator[str]:
        """The steps as lines of a question."""
        yield f"bash, number {FIRST}, is alone in its process, and a child of init. Then"
        yield from (f"    `{step}`" for step in self.steps)


# Some tasks: each is a thread or a child of one that was there; at least one of each.
def _made(dice: Dice, count: int) -> Story:
    while True:
        steps = tuple(
            Step(dice.pick(("thread", "thread", "fork")), FIRST + dice.below(n + 1), FIRST + 1 + n)
            for n in range(count)
        )
        if {step.what for step in steps} == {"thread", "fork"}:
            return Story(steps)


# --- which numbers are printed ------------------------------------------------------------------


@drill.topic("what a thread prints")
def _prints(dice: Dice) -> AnyQuestion:
    story = _made(dice, dice.grade(2, 3, 5))
    threads = [step.whom for step in story.steps if step.what == "thread"]
    who = dice.pick(threads if dice.level < 3 else [step.whom for step in story.steps])
    if dice.level == 3 and dice.below(2):
        return _printers(story, story.processes()[who])
    right, process = story.prints(who), story.processes()[who]
    above = story.processes().get(story.maker(process), 1)
    answers = [
        Answer(right, "Yes: the process, the task, and the process of its parent. Threads of a "
               "process have one parent."),
        Answer(f"{who} {who} {above}", "getpid names no thread: it returns the number of the process."),
        Answer(f"{process} {who} {process}", "Who makes a thread is not its parent: it has the "
               "parent of its process."),
        Answer(f"{process} {process} {above}", "gettid returns the number of the task itself."),
        Answer(f"{who} {process} {above}", "The other way round: getpid is the process, gettid the task."),
        Answer(f"{process} {who} {story.maker(who)}", "getppid is about the process, and not about "
               "who has made the task."),
        Answer(f"{process} {who} 1", "Init is the parent of bash. Who is a child of somebody else?"),
        Answer(f"{who} {who} {process}", "So it would be for a child process."),
    ]  # fmt: skip
    lines = [*story.lines(), f"What does {who} print for getpid(), gettid() and getppid()?"]
    return drill.choice(dice, "\n".join(lines), lambda: story.prints(who), answers)


# Backwards: how many print that.
def _printers(story: Story, process: int) -> AnyQuestion:
    everybody = [FIRST, *(step.whom for step in story.steps)]
    lines = [
        *story.lines(),
        f"How many of the {len(everybody)} tasks print `{process}` for getpid()?",
    ]

    def answer() -> str:
        return str([story.prints(n).split()[0] for n in everybody].count(str(process)))

    made = [step.whom for step in story.steps if step.what == "thread" and step.who == process]
    answers = [
        Answer(
            answer(), "Yes: the first task of the process, and all its threads, whoever made them."
        ),
        Answer("1", f"Each thread of the process prints {process}, and not its own number."),
        Answer(str(len(made)), "The first task of the process prints it too."),
        Answer(str(1 + len(made)), "Threads can be made by threads: they are all of one process."),
        Answer(
            str(len(everybody)), "Who forks makes a new process, and that has a number of its own."
        ),
    ]
    return drill.number("\n".join(lines), answer, answers)


# --- whose child it is --------------------------------------------------------------------------


# Who forks `child`, and then, perhaps, tasks of that process end.
def _family(dice: Dice) -> tuple[Story, int]:
    story = _made(dice, dice.grade(1, 2, 3)) if dice.level > 1 else _threads(1 + dice.below(2))
    threads = [n for n, one in story.processes().items() if _size(story, one) > 1]
    forker = dice.pick(threads)
    child = FIRST + 1 + len(story.steps)
    steps = [*story.steps, Step("fork", forker, child)]
    process = story.processes()
    others = dice.shuffled(n for n in process if process[n] == process[forker] and n != forker)
    if dice.below(5):  # one time in five nobody ends
        if dice.level > 1 and others and dice.below(2):
            steps.append(Step("end", others.pop()))
        whole = dice.level == 3 and not dice.below(4)
        steps.append(Step("exit" if whole else "end", forker))
        if dice.level == 3 and not whole and others and dice.below(2):
            steps.append(Step("end", others.pop()))
    return Story(tuple(steps)), child


def _threads(count: int) -> Story:
    return Story(tuple(Step("thread", FIRST, FIRST + 1 + n) for n in range(count)))


def _size(story: Story, process: int) -> int:
    return list(story.processes().values()).count(process)


@drill.topic("the child of a thread")
def _child(dice: Dice) -> AnyQuestion:
    story, child = _family(dice)
    right, forker = story.parent(child), story.maker(child)
    ended, process = story.ended(), story.processes()
    above = story.maker(process[forker])

    def why(number: int) -> str:
        if number == right:
            return _why(story, right, forker)
        if number == forker:
            return f"{number} has forked it, and has ended: it has given its children away."
        if number in ended:
            return f"{number} has ended."
        if number == 1:
            return "Init comes last: a thread of the same process lives."
        if process.get(number) != process[forker]:
            return "Another process: the grandparent adopts nobody."
        if forker not in ended:
            return "Who calls fork is the parent: a thread is a task, with children of its own."
        return "A thread of the same process adopts, but the first on its list that lives."

    likely = [forker, process[forker], 1, above, *(n for n in process if n != child)]
    answers = [Answer(_said(number), why(number)) for number in dict.fromkeys([right, *likely])]
    answers.append(
        Answer(f"nobody: {child} ends too", "A process does not end because its parent does.")
    )
    lines = [*story.lines(), f"Which task is the parent of {child} then (real_parent)?"]
    return drill.choice(dice, "\n".join(lines), lambda: _said(story.parent(child)), answers)


def _said(number: int) -> str:
    return "1, init" if number == 1 else str(number)


def _why(story: Story, right: int, forker: int) -> str:
    if right == forker:
        return "Yes: who calls fork is the parent, be it a thread or not."
    if right == 1:
        return "Yes: no thread of that process lives, and no subreaper is above: init."
    return "Yes: another thread of the process adopts first, the first on its list that lives."
