"""Drills: as many questions as a reader wants, each computed by a machine from its seed.

The same topic, level and seed give the same question on every machine and every Python: chance
comes from `Dice` alone, which uses nothing of `random` but the sequence of floats that a seed
starts.
"""

from __future__ import annotations

import functools
import random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kernelsim.exercise.number import Number
from kernelsim.exercise.question import AnyQuestion, Option, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "LEVELS",
    "Answer",
    "Dice",
    "Questions",
    "ask",
    "choice",
    "find",
    "number",
    "questions",
    "topic",
    "topics",
]

T = TypeVar("T")
LEVELS = (1, 2, 3)


class Dice:
    """Chance that a seed decides, and how hard the question is to be: its `level`, from 1 to 3."""

    def __init__(self, seed: str, level: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret, a seed
        self.level = level

    def grade(self, easy: T, medium: T, hard: T) -> T:
        """Return the one of the three that the level says."""
        return (easy, medium, hard)[self.level - 1]

    def below(self, n: int) -> int:
        """Return a number from 0 on, less than `n`."""
        return int(self._random.random() * n)

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both among them."""
        return low + self.below(high - low + 1)

    def pick(self, items: Sequence[T]) -> T:
        """Return one of `items`."""
        return items[self.below(len(items))]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """Return `items` in some order."""
        rest, found = list(items), []
        while rest:
            found.append(rest.pop(self.below(len(rest))))
        return found


class Answer(NamedTuple):
    """A possible answer: its text, and what whoever chooses it has to hear."""

    text: str
    feedback: str


def choice(
    dice: Dice,
    prompt: str,
    answer: Callable[[], str],
    answers: Iterable[Answer],
    *,
    most: int = 4,
    shows: Callable[[], Any] | None = None,
) -> Question:
    """Return the question with at most `most` of the `answers`, in an order that the dice decide.

    `answer` computes the text of the right one, which is among them.  Of several with one text the
    first stays.
    """
    answer = functools.cache(answer)
    right = answer()
    different: dict[str, Answer] = {}
    for candidate in answers:
        different.setdefault(candidate.text, candidate)
    kept = [different.pop(right), *list(different.values())[: most - 1]]
    options = [Option(a.text, a.feedback, value=a.text) for a in dice.shuffled(kept)]
    return Question(prompt, options, answer, shows)


def number(
    prompt: str,
    answer: Callable[[], str],
    answers: Iterable[Answer],
    *,
    shows: Callable[[], Any] | None = None,
) -> Number:
    """Return the question with nothing to choose from: a number is to be typed.

    What `answers` say belongs to those numbers; the first is the right one.
    """
    right, *others = answers
    near: dict[Any, str] = {}
    for other in others:
        if other.text.lstrip("-").isdecimal() and other.text != right.text:
            near.setdefault(int(other.text), other.feedback)
    return Number(prompt, lambda: int(answer()), near, yes=right.feedback, shows=shows)


# --- topics -----------------------------------------------------------------------------------

_topics: dict[str, Callable[[Dice], AnyQuestion]] = {}


def topic(name: str) -> Callable[[Callable[[Dice], AnyQuestion]], Callable[[Dice], AnyQuestion]]:
    """Make the function below, which makes a question from dice, the topic `name`.

    How hard the question is to be, the dice know: `Dice.level`, `Dice.grade`.
    """

    def make(function: Callable[[Dice], AnyQuestion]) -> Callable[[Dice], AnyQuestion]:
        _topics[name] = function
        return function

    return make


def topics() -> list[str]:
    """Return the names of all topics."""
    return sorted(_topics)


def find(name: str) -> str:
    """Return the topic that `name` means: its name, or that with hyphens for blanks.

    Raises LookupError for a topic that there is not.
    """
    if name in _topics:
        return name
    plain = name.replace("-", " ").strip().lower() if isinstance(name, str) else ""
    if plain not in _topics:
        raise LookupError(f"there are no drills about {name!r}; there are {', '.join(topics())}")
    return plain


def ask(name: str, seed: int = 1, level: int = 1) -> AnyQuestion:
    """Return the question number `seed` about a topic, of a level from 1 (easy) to 3.

    Raises LookupError for a topic that there is not, TypeError for a seed or a level that is no
    number, ValueError for a level that there is not.
    """
    name = find(name)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"a seed is a whole number, not {seed!r}")
    _check_level(level)
    made = _topics[name](Dice(f"{name}:{level}:{seed}", level))
    made.name = f"drill-{name.replace(' ', '-')}"  # by which progress knows it
    return made


def _check_level(level: int) -> None:
    if isinstance(level, bool) or not isinstance(level, int):
        raise TypeError(f"a level is a whole number, not {level!r}")
    if level not in LEVELS:
        raise ValueError(f"there is no level {level}: they are 1, 2 and 3")


class Questions(NamedTuple):
    """All questions about some topics, in turn: called with a number, it returns that one."""

    topics: tuple[str, ...]
    level: int = 1

    def __call__(self, seed: int) -> AnyQuestion:
        """Return the question with that number, counted from 1."""
        round, place = divmod(seed - 1, len(self.topics))
        return ask(self.topics[place], round + 1, self.level)


def questions(*names: str, level: int = 1) -> Questions:
    """Return all questions about these topics, or about all there are, one topic after the other.

    Raises LookupError for a topic that there is not, ValueError for such a level.
    """
    _check_level(level)
    return Questions(tuple(find(name) for name in names) or tuple(topics()), level)
