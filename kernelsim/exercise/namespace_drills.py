"""Drills about PID namespaces: numbers at each level, whom a number means, orphans, what is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import view
from kernelsim.exercise import drill, nested
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.include.uapi.linux import sched

if TYPE_CHECKING:
    from kernelsim.exercise.question import AnyQuestion

__all__ = ["KINDS", "Story"]  # the topics are found by name: drill.topics()

NAMES = "ABCDEFGH"
NOBODY = "nobody: ESRCH"


class Story(NamedTuple):
    """Who makes whom: for A, B, … the name of the parent, and whether with CLONE_NEWPID."""

    steps: tuple[tuple[str, bool], ...]

    def play(self) -> tuple[Any, dict[str, Any]]:
        """Return a Kernel on which it is so, and the tasks (struct task_struct *) by name."""
        k, sh = nested.shell()
        made = {"sh": sh}
        for name, (parent, contained) in zip(NAMES, self.steps, strict=False):
            made[name] = nested.clone(k, made[parent], nested.NEWPID if contained else 0)
        return k, made

    def lines(self) -> list[str]:
        """Return the steps as text."""
        return [
            f"    `{parent} clones {name} with CLONE_NEWPID`"
            if contained
            else f"    `{parent} forks {name}`"
            for name, (parent, contained) in zip(NAMES, self.steps, strict=False)
        ]

    def picture(self, focus: str) -> Any:
        """Draw it, with one of them in the focus."""
        k, made = self.play()
        return view.namespaces(k, focus=made[focus])


def _story(dice: Dice) -> Story:
    length = dice.grade(3, 4, 6) + dice.below(2)
    inits = {dice.below(2), *([2 + dice.below(2)] if dice.level > 1 else [])}
    steps: list[tuple[str, bool]] = []
    for place in range(length):
        # Whoever is made next has more often than not a parent that is deep inside.
        known = ["sh", *NAMES[:place]]
        parent = known[-1] if dice.below(3) < 2 else dice.pick(known)
        steps.append((parent, place in inits))
    return Story(tuple(steps))


def _told(story: Story, *words: str) -> str:
    return "\n".join(
        [
            "sh has the number 3, and the last number given is 3. One after the other,",
            *story.lines(),
            *words,
        ]
    )


def _said(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


# --- numbers ----------------------------------------------------------------------------------


@drill.topic("the pid at each level")
def _each_level(dice: Dice) -> AnyQuestion:
    while True:
        story = _story(dice)
        _, made = story.play()
        deep = [name for name in made if made[name].thread_pid.level >= dice.grade(1, 1, 2)]
        if deep:
            break
    name = dice.pick(deep)
    right = nested.numbers(made[name])

    def answer() -> str:
        return _said(nested.numbers(story.play()[1][name]))

    def shows() -> Any:
        return story.picture(name)

    wrong = [
        ([right[0]] * len(right), "Each namespace counts by itself."),
        (right[::-1], "Level 0 is the outermost; there the number is the largest."),
        ([right[0], *[1] * (len(right) - 1)], "1 is who came first to a namespace."),
        ([*right[:-1], right[-1] + 1], "Count who is in the innermost namespace."),
        (right[-1:], "The levels around see it too: it has a number in each."),
        ([right[0] + 1, *right[1:]], "Level 0 counts everybody: A is 4."),
        ([right[0], *(n + 1 for n in right[1:])], "The first in a namespace is 1."),
    ]  # fmt: skip
    answers = [
        Answer(_said(right), "Yes: a number in its own namespace and in each around it."),
        *(Answer(_said(numbers), words) for numbers, words in dice.shuffled(wrong)),
    ]
    if dice.level == 3:
        level = dice.between(1, len(right) - 1)
        near = [Answer(str(n), "That is its number at another level.") for n in right]
        return drill.number(
            _told(story, f"Which number has {name} at level {level}, counted from 0?"),
            lambda: str(nested.numbers(story.play()[1][name])[level]),
            [Answer(str(right[level]), answers[0].feedback), *near],
            shows=shows,
        )
    levels = " and ".join(map(str, range(len(right))))
    prompt = _told(story, f"Which numbers has {name}, at the levels {levels}?")
    return drill.choice(dice, prompt, answer, answers, shows=shows)


# --- whom a number means ----------------------------------------------------------------------


# The name of whom a number means where the caller lives, "" for nobody.
def _who(made: dict[str, Any], caller: str, number: int) -> str:
    who = nested.found(made[caller], number)
    same = (name for name, task in made.items() if who and task.address_ == who.address_)
    return next(same, "")


@drill.topic("whom kill reaches")
def _reaches(dice: Dice) -> AnyQuestion:
    while True:
        story = _story(dice)
        _, made = story.play()
        inside = [name for name in made if made[name].thread_pid.level]
        if inside:
            break
    caller = dice.pick(inside if dice.below(4) else list(made))
    level = made[caller].thread_pid.level
    known = sorted({n for task in made.values() for n in nested.numbers(task)})
    known = [n for n in known if level or n > 2]  # 1 and 2 are in no story
    meant = [n for n in known if _who(made, caller, n)]
    number = dice.pick(meant if dice.below(3) else known)

    def answer() -> str:
        _, tasks = story.play()
        return _who(tasks, caller, number) or NOBODY

    wrong = []
    for name, task in dice.shuffled(made.items()):
        numbers = nested.numbers(task)
        if len(numbers) <= level:
            words = f"{name} has no number where {caller} lives: nobody inside can name it."
        elif number in numbers:
            words = f"{name} is {number} at level {numbers.index(number)}; {caller} counts at level {level}."
        else:
            words = f"{name} is {numbers[level]} at level {level}."
        wrong.append(Answer(name, words))
    right = answer()
    wrong.sort(key=lambda one: number not in nested.numbers(made[one.text]))
    answers = [
        Answer(right, f"Yes: {caller} lives at level {level}, and its numbers are meant."),
        Answer(NOBODY, f"Somebody is {number} in {caller}'s namespace."),
        *wrong,
    ]
    prompt = _told(story, f"{caller} calls `kill({number}, SIGTERM)`. Whom does it reach?")
    return drill.choice(dice, prompt, answer, answers, shows=lambda: story.picture(caller))


# --- orphans ----------------------------------------------------------------------------------


@drill.topic("the orphan of a container")
def _orphan(dice: Dice) -> AnyQuestion:
    while True:
        story = _story(dice)
        _, made = story.play()
        # A parent that is not the first in its namespace, with a child of the same namespace or below.
        pairs = [
            (name, parent)
            for name, (parent, _) in zip(NAMES, story.steps, strict=False)
            if parent != "sh" and nested.numbers(made[parent])[-1] != 1
        ]
        inside = [pair for pair in pairs if made[pair[1]].thread_pid.level]
        if inside or (pairs and not dice.below(3)):
            break
    pairs = inside or pairs
    child, dying = dice.pick(pairs)

    def answer() -> str:
        k, tasks = story.play()
        k.call(tasks[dying], "exit", 0)
        parent = tasks[child].real_parent
        names = [name for name, task in tasks.items() if task.address_ == parent.address_]
        return names[0] if names else "init"

    right = answer()
    above = dict(zip(NAMES, (parent for parent, _ in story.steps), strict=False))
    answers = [
        Answer(right, f"Yes: number 1 of {dying}'s namespace. Nobody has asked to be a subreaper."),
        Answer(above[dying], "The grandparent adopts only as a subreaper, or as a number 1."),
        Answer("init", f"{dying}'s namespace has a number 1 of its own."),
        Answer(child, "Nobody is their own parent."),
        *(
            Answer(name, f"{name} is not the first process of {dying}'s namespace.")
            for name in dice.shuffled(name for name in made if name not in {dying, child})
        ),
    ]
    prompt = _told(story, f"{dying} exits. Who is the parent of {child} now?")
    return drill.choice(dice, prompt, answer, answers, shows=lambda: story.picture(child))


# --- what is shared ---------------------------------------------------------------------------

KINDS = {
    "uts": (sched.CLONE_NEWUTS, "CLONE_NEWUTS"),
    "ipc": (sched.CLONE_NEWIPC, "CLONE_NEWIPC"),
    "mnt": (sched.CLONE_NEWNS, "CLONE_NEWNS"),
    "pid": (sched.CLONE_NEWPID, "CLONE_NEWPID"),
    "net": (sched.CLONE_NEWNET, "CLONE_NEWNET"),
    "cgroup": (sched.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"),
}
"""The kinds asked for, by their names in /proc/PID/ns: flag and its name."""


def _own(k: Any, one: Any, other: Any) -> list[str]:
    # The kinds that two tasks do not share, by their links.
    def link(task: Any, kind: str) -> Any:
        return k.call(task, "readlink", f"/proc/self/ns/{kind}")

    return [kind for kind in KINDS if link(one, kind) != link(other, kind)]


@drill.topic("which namespaces are shared")
def _shared(dice: Dice) -> AnyQuestion:
    count = dice.grade(1, 2, 3)
    chosen = dice.shuffled(KINDS)[:count]
    if dice.below(2) and "pid" not in chosen:
        chosen[-1] = "pid"
    flags = " | ".join(KINDS[kind][1] for kind in KINDS if kind in chosen)
    bits = sum(KINDS[kind][0] for kind in chosen)
    way = dice.grade("clone", dice.pick(("clone", "unshare")), dice.pick(("unshare", "later")))

    def answer() -> str:
        k, sh = nested.shell()
        if way == "clone":
            return _said_kinds(_own(k, sh, nested.clone(k, sh, bits)))
        child = nested.fork(k, sh)
        k.call(child, "unshare", bits)
        if way == "later":
            child = nested.fork(k, child)
        return _said_kinds(_own(k, sh, child))

    prompt = {
        "clone": f"sh makes a child with `clone({flags} | SIGCHLD)`. Which namespaces do sh and "
        "the child not share?",
        "unshare": f"sh forks A. A calls `unshare({flags})`. In which namespaces do sh and A "
        "differ, as the links in /proc/PID/ns tell?",
        "later": f"sh forks A. A calls `unshare({flags})` and forks B. In which namespaces do sh "
        "and B differ, as the links in /proc/PID/ns tell?",
    }[way]
    right = answer()
    without = [kind for kind in KINDS if kind in chosen and kind != "pid"]
    listed = [kind for kind in KINDS if kind in chosen]
    rest = [kind for kind in KINDS if kind not in chosen]
    wrong = [
        (listed, "unshare leaves its caller's own PID namespace as it is: a pid is for life."),
        (without, "Who is born after it, is born inside." if way == "later" else "CLONE_NEWPID is among the flags."),
        (rest, "A flag CLONE_NEW* says what is new, not what is shared."),
        ([], "Each of the flags makes a new namespace."),
        ([*KINDS], "What no flag names stays shared."),
        (sorted([*listed, rest[0]], key=list(KINDS).index), f"No flag is for {rest[0]}."),
    ]  # fmt: skip
    answers = [
        Answer(right, "Yes: what the flags name, and the PID namespace at birth only."),
        *(Answer(_said_kinds(kinds), words) for kinds, words in wrong),
    ]
    return drill.choice(dice, prompt, answer, answers)


def _said_kinds(kinds: list[str]) -> str:
    return ", ".join(kinds) or "none"
