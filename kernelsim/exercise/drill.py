"""Drills: as many questions as a reader wants, each computed by a machine from its seed.

The same topic and seed give the same question on every machine and every Python: chance comes
from `Dice` alone, which uses nothing of `random` but the sequence of floats that a seed starts.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kernelsim.exercise.question import Option, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Answer", "Dice", "Questions", "ask", "choice", "questions", "topic", "topics"]

T = TypeVar("T")


class Dice:
    """Chance that a seed decides."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret, a seed

    def below(self, n: int) -> int:
        """Return a number from 0 on, less than `n`."""
        return int(self._random.random() * n)

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
    different: dict[str, Answer] = {}
    for candidate in answers:
        different.setdefault(candidate.text, candidate)
    right = answer()
    kept = [different.pop(right), *list(different.values())[: most - 1]]
    options = [Option(a.text, a.feedback, value=a.text) for a in dice.shuffled(kept)]
    return Question(prompt, options, answer, shows)


# --- topics -----------------------------------------------------------------------------------

_topics: dict[str, Callable[[Dice], Question]] = {}


def topic(name: str) -> Callable[[Callable[[Dice], Question]], Callable[[Dice], Question]]:
    """Make the function below, which makes a question from dice, the topic `name`."""

    def make(function: Callable[[Dice], Question]) -> Callable[[Dice], Question]:
        _topics[name] = function
        return function

    return make


def topics() -> list[str]:
    """Return the names of all topics."""
    return sorted(_topics)


def ask(name: str, seed: int = 1) -> Question:
    """Return the question number `seed` about a topic.

    Raises LookupError for a topic that there is not, TypeError for a seed that is no number.
    """
    if name not in _topics:
        raise LookupError(f"there are no drills about {name!r}; there are {', '.join(topics())}")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"a seed is a whole number, not {seed!r}")
    return _topics[name](Dice(f"{name}:{seed}"))


class Questions(NamedTuple):
    """All questions about some topics, in turn: called with a number, it returns that one."""

    topics: tuple[str, ...]

    def __call__(self, seed: int) -> Question:
        """Return the question with that number, counted from 1."""
        round, place = divmod(seed - 1, len(self.topics))
        return ask(self.topics[place], round + 1)


def questions(*names: str) -> Questions:
    """Return all questions about these topics, or about all there are, one topic after the other.

    Raises LookupError for a topic that there is not.
    """
    for name in names:
        ask(name)
    return Questions(names or tuple(topics()))
