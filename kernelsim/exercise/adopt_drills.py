"""Drills about orphans: who adopts them, among init, subreapers and the init of a namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import session, view
from kernelsim.exercise import drill, family
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.exercise.parent import Parent
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux.sched import CLONE_NEWPID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.exercise.question import AnyQuestion
    from kernelsim.view import Picture

__all__: list[str] = []  # the topics are found by name: drill.topics()


class _Chain(NamedTuple):
    # A chain of processes, each the child of the one before; the first is a child of init.
    first: int
    length: int
    subreapers: tuple[int, ...]  # by number, as the others
    container: int  # who is the init of a namespace that it began, or 0
    dying: tuple[int, ...]  # in the order in which they exit

    def play(self) -> Any:
        k: Any = session.boot(record=False)
        family.start_numbers_at(k, self.first)
        k.spawn("sh")
        for number in range(self.first + 1, self.first + self.length):
            if number == self.container:
                child = k.call(number - 1, "clone", CLONE_NEWPID | SIGCHLD)
            else:
                child = k.call(number - 1, "fork")
            assert k.tasks()[-1].pid == number, child
        for number in self.subreapers:
            family.make_subreaper(k, number)
        for number in self.dying:
            k.call(number, "exit", 0)
        return k

    @property
    def orphan(self) -> int:
        return self.dying[-1] + 1

    # The number that the machine has for the orphan's new parent.
    def parent(self) -> int:
        return int(self.play().task(self.orphan).real_parent.pid)

    def lines(self) -> Iterator[str]:
        for number in range(self.first + 1, self.first + self.length):
            how = " with CLONE_NEWPID" if number == self.container else ""
            yield f"    `{number - 1} {'clones' if how else 'forks'} {number}{how}`"
        yield from (f"    `{number} becomes a subreaper`" for number in self.subreapers)
        yield from (f"    `{number} exits`" for number in self.dying)


def _chain(dice: Dice) -> _Chain:
    first, length = dice.between(3, 90), dice.grade(3, 5, 6) + dice.below(2)
    numbers = range(first, first + length)
    container = first + dice.between(1, length - 3) if dice.level == 3 else 0
    may_die = [n for n in numbers[:-1] if n != container and (n > container or n > first)]
    dying = dice.shuffled(may_die)[: dice.grade(1, 1 + dice.below(2), 2)]
    if container:  # the last one dies inside, so that the namespace matters
        inside = [n for n in may_die if n > container]
        last = dice.pick(inside)
        dying = [*[n for n in dying if n != last][:1], last]
    if dying[-1] + 1 in dying:  # the orphan is to live
        dying.remove(dying[-1] + 1)
    others = [n for n in numbers if n not in dying[-1:] and n != dying[-1] + 1]
    wanted = dice.grade(dice.below(2), 1 + dice.below(2), 1 + dice.below(2))
    return _Chain(
        first, length, tuple(sorted(dice.shuffled(others)[:wanted])), container, tuple(dying)
    )


@drill.topic("who adopts the orphan")
def _adopts(dice: Dice) -> AnyQuestion:
    chain = _chain(dice)
    orphan = chain.orphan
    prompt = "\n".join(
        [
            f"The shell, number {chain.first}, is a child of init, number 1. One after the other,",
            *chain.lines(),
            f"Who is the parent of {orphan} now?"
            + (" (All numbers are those of the initial namespace.)" if chain.container else ""),
        ]
    )
    right = chain.parent()
    feedback = {"nobody": "A process does not end because its parent does: it gets a new parent."}
    for number in range(chain.first + chain.length - 1, chain.first - 1, -1):
        feedback[str(number)] = _why_not(chain, number)
    feedback["1, init"] = "Init is the last resort: " + (
        "the namespace has an init of its own." if chain.container else "a subreaper is nearer."
    )
    text = _said(right)
    feedback[text] = _why(chain, right)
    likely = [str(chain.dying[-1] - 1), "1, init", str(chain.container), str(chain.dying[-1])]
    likely += [*map(str, chain.subreapers), f"nobody: {orphan} ends too"]
    feedback[f"nobody: {orphan} ends too"] = feedback.pop("nobody")
    rest = [text for text in feedback if text not in {*likely, str(orphan)}]
    wrong = [Answer(t, feedback[t]) for t in [*dice.shuffled(likely), *rest] if t in feedback]

    def shows() -> Any:
        return _drawn(chain, orphan)

    if dice.level == 3:  # nothing to choose from but the tree before the first exit
        near = {int(a.text.partition(",")[0]): a.feedback for a in wrong if a.text[0].isdecimal()}
        return Parent(
            prompt,
            lambda: _drawn(chain._replace(dying=()), orphan),
            chain.parent,
            near
            | {orphan: "Nobody is their own parent.", 2: "kthreadd adopts kernel threads only."},
            yes=feedback[text],
            no="Only a subreaper or an init adopts, and it has to be above.",
            shows=shows,
        )
    answers = [Answer(text, feedback[text]), *wrong]
    return drill.choice(dice, prompt, lambda: _said(chain.parent()), answers, shows=shows)


def _drawn(chain: _Chain, orphan: int) -> Picture:
    return view.process_tree(chain.play(), focus=orphan, rankdir="TB")


def _said(number: int) -> str:
    return "1, init" if number == 1 else str(number)


def _why(chain: _Chain, right: int) -> str:
    if right == chain.container and right not in chain.subreapers:
        return "Yes: the init of its namespace. No subreaper is between, and none outside is asked."
    if right in chain.subreapers:
        return "Yes: going up from the dead one, it is the first subreaper that lives."
    return "Yes: no subreaper is above the dead one, so init adopts."


def _why_not(chain: _Chain, number: int) -> str:
    if number in chain.dying:
        return f"{number} is dead: it has given its children away."
    if chain.container and number < chain.container:
        return f"{number} is outside the namespace: an orphan stays inside, with a parent in it."
    if number in chain.subreapers and number > chain.dying[-1]:
        return f"{number} is below the dead one: only who is above it can adopt."
    if number in chain.subreapers:
        return f"{number} is a subreaper, but another one is nearer."
    if number == chain.dying[-1] - 1:
        return "That is the grandparent. It adopts only if it is a subreaper, or an init."
    return f"{number} is no subreaper and no init: it adopts nobody."
