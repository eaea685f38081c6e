"""Drills about families of processes: which tree is left, and which steps made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim import view
from kernelsim.exercise import drill, family
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.exercise.family import IDEAS, Belief, Story

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.exercise.question import Question

__all__: list[str] = []  # the topics are found by name: drill.topics()

HOW = (
    "`7(8 9Z)` means: 8 and 9 are children of 7, and 9 is a zombie. Init, number 1, waits for every "
    "child that it has."
)
KINDS = (
    "fork fork leaf wait",
    "fork fork fork orphan leaf wait",
    "fork fork fork orphan leaf wait subreaper",
)


# A story of the dice's level: easy ones have no orphans, hard ones some and a subreaper.
def _story(dice: Dice) -> Story:
    while True:
        made = family.story(dice, dice.grade(4, 6, 8), dice.grade(*KINDS))
        trees = {family.tree(made.imagined(idea)) for idea, _ in IDEAS}
        differ = len(trees - {family.tree(made.imagined())}) >= dice.grade(1, 2, 3)
        if differ and len(made.imagined()) > dice.grade(2, 3, 4) and _hard_enough(dice, made):
            return made


def _hard_enough(dice: Dice, made: Story) -> bool:
    if dice.level == 1:
        return True
    other = Belief(orphans="grandparent" if dice.level == 2 else "init")
    return family.tree(made.imagined()) != family.tree(made.imagined(other))


def _left(made: Story) -> str:
    return family.tree(family.family_of(made.played()))


# --- which tree is left -----------------------------------------------------------------------


@drill.topic("the final tree")
def _final(dice: Dice) -> Question:
    made = _story(dice)
    prompt = "\n".join(
        [
            f"Init's only child is the shell, number {made.first}. Then, one after the other,",
            *(f"    `{step}`" for step in made.steps),
            f"Which tree is left? {HOW}",
        ]
    )
    right = Answer(
        family.tree(made.imagined()),
        "Yes: exit gives the children away and leaves a zombie, a wait removes it.",
    )
    wrong = dice.shuffled(
        Answer(family.tree(made.imagined(idea)), feedback) for idea, feedback in IDEAS
    )
    return drill.choice(
        dice,
        prompt,
        lambda: _left(made),
        [right, *wrong, *_shifted(dice, made)],
        shows=lambda: view.process_tree(made.played(), rankdir="TB"),
    )


# Other trees of the same processes: one of them below somebody else, or dead or alive wrongly.
def _shifted(dice: Dice, made: Story) -> Iterator[Answer]:
    found = made.imagined()
    for number in dice.shuffled(n for n in found if n > made.first):
        for above in dice.shuffled(found):
            if above != found[number].parent and not found[above].dead and above < number:
                moved = {**found, number: found[number]._replace(parent=above)}
                yield Answer(
                    family.tree(moved),
                    f"{number} is not a child of {above}. Go through the steps one at a time.",
                )
    for number in dice.shuffled(n for n in found if n > made.first):
        turned = {**found, number: found[number]._replace(dead=not found[number].dead)}
        state = "alive" if found[number].dead else "a zombie"
        yield Answer(family.tree(turned), f"{number} is not {state}. Go through the steps.")


# --- which steps made it ----------------------------------------------------------------------


@drill.topic("which calls made this tree")
def _backwards(dice: Dice) -> Question:
    made = _story(dice)
    end = family.tree(made.imagined())
    offered = {str(made): made}
    answers = [Answer(str(made), "Yes.")]
    for slip in _slips(dice, made):
        led = family.tree(slip.imagined())
        if led != end and str(slip) not in offered:
            offered[str(slip)] = slip
            answers.append(Answer(str(slip), f"That leaves `{led}`."))
        if len(answers) == 4:
            break

    return drill.choice(
        dice,
        f"Init's only child was the shell, number {made.first}. Now the tree is `{end}`. "
        f"Which steps led here? {HOW}",
        lambda: next(text for text, one in offered.items() if _left(one) == end),
        answers,
        shows=lambda: view.process_tree(made.played(), rankdir="TB"),
    )


# The same story with one slip: another one forks or exits, a step is left out, two are swapped;
# and, where that is not enough, other stories.
def _slips(dice: Dice, made: Story) -> Iterator[Story]:
    steps, slips = made.steps, []
    numbers = [made.first, *(step.whom for step in steps if step.what == "fork")]
    for i, step in enumerate(steps):
        if step.what != "wait":
            slips += [(*steps[:i], step._replace(who=n), *steps[i + 1 :]) for n in numbers]
        if step.what != "fork":
            slips.append((*steps[:i], *steps[i + 1 :]))
        if i:
            slips.append((*steps[: i - 1], step, steps[i - 1], *steps[i + 1 :]))
    for slip in dice.shuffled(slips):
        if _possible(made._replace(steps=slip)):
            yield made._replace(steps=slip)
    while True:
        yield family.story(dice, len(steps), dice.grade(*KINDS), made.first)


# Whether each step can be taken when its turn comes, and no wait would sleep.
def _possible(made: Story) -> bool:
    following = made.first + 1
    for i, (what, who, whom) in enumerate(made.steps):
        now = made._replace(steps=made.steps[:i]).imagined()
        if who not in now or now[who].dead:
            return False
        if what == "fork":
            if whom != following:
                return False
            following += 1
        if what == "wait" and now.get(whom) != (who, True):
            return False
    return True
