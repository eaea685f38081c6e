"""Drills about numbers: which one the next process gets, and which one it has in each namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import session, view
from kernelsim.exercise import drill, family
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux.sched import CLONE_NEWPID

if TYPE_CHECKING:
    from kernelsim.exercise.question import AnyQuestion, Question

__all__ = ["Numbers"]  # the topics are found by name: drill.topics()

RESERVED = 300  # RESERVED_PIDS: once past that, numbers wrap to here


# --- the next number --------------------------------------------------------------------------


class Numbers(NamedTuple):
    """Who is there, by number, and which number was given last; the next fork is the shell's."""

    shell: int
    living: tuple[int, ...]  # children of the shell
    zombies: tuple[int, ...]
    groups: tuple[int, ...]  # whose leader was waited for, while a member lives on
    freed: tuple[int, ...]  # who was there, and was waited for
    last: int  # the last number given
    limit: int  # pid_max

    def play(self) -> Any:
        """Return a machine (Kernel) on which it is so."""
        k: Any = session.boot(record=False, pid_max=self.limit)
        family.start_numbers_at(k, self.shell)
        k.spawn("sh")
        for number in sorted((*self.living, *self.zombies, *self.groups, *self.freed)):
            family.start_numbers_at(k, number)
            child = k.call(self.shell, "fork")
            assert child == number
        for leader, member in zip(self.groups, self.living, strict=False):
            k.call(leader, "setpgid", 0, 0)
            k.call(self.shell, "setpgid", member, leader)
        for number in (*self.zombies, *self.groups, *self.freed):
            k.call(number, "exit", 0)
        for number in (*self.groups, *self.freed):
            k.call(self.shell, "waitpid", number, 0)
        family.start_numbers_at(k, self.last + 1)
        return k

    def next(self) -> int:
        """Return the number that the next fork gives; raises OSError where it fails."""
        return int(self.play().call(self.shell, "fork"))

    def lines(self) -> list[str]:
        """Return what is there in words."""
        found = [f"    `pid_max` is {self.limit}, and the last number given was {self.last}"]
        listed = ", ".join(map(str, (1, 2, self.shell, *sorted(self.living))))
        found.append(f"    alive are {listed}")
        found += [f"    {n} is a zombie" for n in self.zombies]
        for leader, member in zip(self.groups, self.living, strict=False):
            found.append(f"    {leader} was waited for; {member} is in the process group {leader}")
        if self.freed:
            found.append(f"    {', '.join(map(str, self.freed))}: waited for, and gone")
        return found


def _numbers(dice: Dice) -> Numbers:
    if dice.level == 1:  # far from the end: the numbers go up
        shell = dice.between(3, 120)
        others = sorted(dice.shuffled(range(shell + 1, shell + 9))[: 3 + dice.below(2)])
        freed = dice.shuffled(others)[: 1 + dice.below(2)]
        living = tuple(n for n in others if n not in freed)
        return Numbers(shell, living, (), (), tuple(sorted(freed)), others[-1], 32768)
    limit, shell = RESERVED + 20 + dice.below(60), dice.between(3, 250)
    if dice.level == 2:  # at the end, or nearly
        taken = sorted(dice.shuffled(range(RESERVED, RESERVED + 4))[: dice.below(4)])
        freed = [n for n in range(RESERVED, RESERVED + 3) if n not in taken][:1]
        last = limit - dice.pick((1, 1, 1, 2))
        return Numbers(shell, tuple(taken), (), (), tuple(freed), last, limit)
    low = list(range(RESERVED, RESERVED + 4 + dice.below(2)))
    kinds = [dice.pick(("living", "zombie", "group", "freed")) for _ in low]
    of = {k: [n for n, kind in zip(low, kinds, strict=True) if kind == k] for k in set(kinds)}
    members = [limit - 3 - i for i in range(len(of.get("group", [])))]
    last = limit - 1
    return Numbers(
        shell, (*members, *of.get("living", [])), tuple(of.get("zombie", ())),
        tuple(of.get("group", ())), tuple(of.get("freed", ())), last, limit,
    )  # fmt: skip


@drill.topic("the next pid")
def _next(dice: Dice) -> AnyQuestion:
    there = _numbers(dice)
    used = {1, 2, there.shell, *there.living, *there.zombies, *there.groups}
    lowest = next(n for n in range(1, there.limit) if n not in used)
    wrapped = there.last + 1 >= there.limit
    right = "Yes: one more than the last number given."
    if wrapped:
        right = (
            f"Yes: after the last number it goes on at {RESERVED}, with the first that nobody has."
        )
    answers = [Answer(str(there.next()), right)]
    wrong = [
        Answer(str(lowest), "The lowest free number is not looked for: numbers go up, and wrap late."),
        *(Answer(str(n), "A free number is not taken at once: the search begins at the last one given.")
          for n in there.freed[:1]),
        Answer(
            str(there.last + 1),
            f"`pid_max` is {there.limit}: numbers stay below it." if wrapped else "One more.",
        ),
        *(Answer(str(n), f"{n} is a zombie: its number is taken until somebody waits for it.")
          for n in there.zombies[:1]),
        *(Answer(str(n), f"{n} is still the number of a process group: the struct pid stays.")
          for n in there.groups[:1]),
        *(Answer(str(n), f"{n} is alive.") for n in there.living if n == RESERVED),
    ]  # fmt: skip
    rest = [
        Answer("none: fork fails with EAGAIN", "Not every number is taken: the search goes on."),
        Answer(str(RESERVED), f"{RESERVED} is where the numbers go on after a wrap."),
        Answer(str(there.last + 2), "The next one, not the one after it."),
        Answer(str(RESERVED + 1), "Go up from the last number, or after it from 300."),
    ]
    prompt = "\n".join(
        [
            "This is so:",
            *there.lines(),
            f"Now {there.shell} forks. Which number does the child get?",
        ]
    )
    answers += [*dice.shuffled(wrong), *rest]
    if dice.level == 3:
        return drill.number(prompt, lambda: str(there.next()), answers)
    return drill.choice(dice, prompt, lambda: str(there.next()), answers)


# --- numbers in namespaces --------------------------------------------------------------------

NAMES = ("the initial namespace", "B", "C", "D")


class _Nest(NamedTuple):
    # Namespaces one inside the other; each step is (who, whether it begins a namespace).
    first: int
    steps: tuple[tuple[int, bool], ...]

    def play(self) -> Any:
        k: Any = session.boot(record=False)
        family.start_numbers_at(k, self.first)
        k.spawn("sh")
        for who, new in self.steps:
            k.call(who, "clone", CLONE_NEWPID | SIGCHLD) if new else k.call(who, "fork")
        return k

    def lines(self) -> list[str]:
        found, level = [], 0
        for child, (who, new) in enumerate(self.steps, self.first + 1):
            level += new
            how = f" with CLONE_NEWPID: namespace {NAMES[level]}" if new else ""
            found.append(f"    `{who} {'clones' if new else 'forks'} {child}{how}`")
        return found


# The numbers (int) of a task in each namespace that sees it, the initial one first.
def _seen(k: Any, number: int) -> list[int]:
    pid = k.task(number).thread_pid
    return [int(pid.numbers[level].nr) for level in range(pid.level + 1)]


def _nest(dice: Dice) -> tuple[_Nest, int, int]:
    depth = dice.grade(1, 2, 3)
    first = dice.between(3, 90)
    steps: list[tuple[int, bool]] = []
    inside = [[first]]
    for level in range(depth + 1):
        if level:
            steps.append((dice.pick(inside[-1]), True))
            inside.append([first + len(steps)])
        for _ in range(1 + dice.below(dice.grade(3, 2, 2))):
            steps.append((dice.pick(inside[-1]), False))
            inside[-1].append(first + len(steps))
    for _ in range(1 + dice.below(2)):
        where = dice.pick(inside)
        steps.append((dice.pick(where), False))
        where.append(first + len(steps))
    target = dice.pick([n for ring in inside[1:] for n in ring])
    level = next(i for i, ring in enumerate(inside) if target in ring)
    asked = dice.between(1, depth) if dice.below(4) == 0 else dice.between(1, level)
    return _Nest(first, tuple(steps)), target, asked


HIDDEN = "none: it is not visible there"


@drill.topic("pids in namespaces")
def _in_namespaces(dice: Dice) -> Question:
    nest, target, asked = _nest(dice)

    def answer() -> str:
        seen = _seen(nest.play(), target)
        return str(seen[asked]) if asked < len(seen) else HIDDEN

    k = nest.play()
    seen, right = _seen(k, target), answer()
    there = f"namespace {NAMES[asked]}"
    good = "Yes: it has one number in each namespace from its own up to the initial one."
    if right == HIDDEN:
        good = f"Yes: it lives above {there}, and who is inside sees only what is inside."
    elif seen[asked] == 1:
        good = "Yes: it is the first in there, the namespace's init."
    elsewhere = [Answer(str(n), f"That is its number in {NAMES[level]}. Each namespace counts by itself.")
                 for level, n in enumerate(seen) if level != asked]  # fmt: skip
    wrong = [
        *dice.shuffled([
            *elsewhere,
            Answer(HIDDEN, f"{target} was made inside {there}, or below it: it is seen there."
                   if right != HIDDEN else ""),
            Answer("1", "Only the first process of a namespace is its number 1."),
        ]),
        *(Answer(str(n), f"Count who was made in {there} before it, also those in namespaces below.")
          for n in dice.shuffled(range(2, 6))),
    ]  # fmt: skip
    prompt = "\n".join(
        [
            f"The shell, number {nest.first}, is in the initial namespace, and so are all numbers below.",
            "One after the other,",
            *nest.lines(),
            f"Which number does {target} have in {there}?",
        ]
    )
    return drill.choice(
        dice,
        prompt,
        answer,
        [Answer(right, good), *wrong],
        shows=lambda: view.process_tree(nest.play(), focus=target),
    )
