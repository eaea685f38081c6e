"""A question that is answered by putting steps in order; some of them do not belong."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from kernelsim.exercise.question import AnyQuestion, Note, Verdict

__all__ = ["Order", "Step"]


@dataclasses.dataclass(frozen=True)
class Step:
    """One line to put in its place, or to leave out.

    :param text: the line; code stands between backquotes.
    :param why: said to whoever puts it in a wrong place: why it comes where it does, or why it
        does not come at all.
    :param value: what stands for this line in the machine's answer; by default the text.
    """

    text: str
    why: str = ""
    value: Hashable = None


class Order(AnyQuestion):
    """Steps to put in the order in which the machine takes them.

    The steps are shown in an order that hangs on their texts alone, not on the author's.  Which
    ones do not belong is not written down: they are those that the machine does not take.

    :param steps: the lines.  Text alone stands for a Step without a reason.
    :param answer: returns the values of the steps that the machine takes, in its order.
    :param yes: what the right order deserves to hear.
    """

    kind = "order"

    def __init__(
        self,
        prompt: str,
        steps: Sequence[Step | str],
        answer: Callable[[], Iterable[Hashable]],
        *,
        yes: str = "",
        shows: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(prompt, answer, shows)
        given = [Step(s) if isinstance(s, str) else s for s in steps]
        if len({step.text for step in given}) < max(len(given), 2):
            raise ValueError("an order has two steps or more, all different")
        values = [s.text if s.value is None else s.value for s in given]
        if len(set(values)) < len(values):
            raise ValueError(f"two steps stand for one value: {values}")
        self.steps = tuple(sorted(given, key=lambda step: _mixed(prompt, step.text)))
        self._yes = yes

    def _lines(self) -> list[str]:
        return [f"- {step.text}" for step in self.steps]

    def form(self) -> dict[str, Any]:
        """The steps, mixed."""
        return {"steps": [step.text for step in self.steps]}

    def read(self, answer: Sequence[int | str]) -> tuple[int, ...]:
        """Return the numbers of steps, given as such or as texts, in order."""
        if isinstance(answer, str) or not isinstance(answer, Sequence):
            raise TypeError(f"an order is a list of steps, not {answer!r}")
        texts = [step.text for step in self.steps]
        found: list[int] = []
        for one in answer:
            number = texts.index(one) if one in texts else one
            if isinstance(number, bool) or not isinstance(number, int):
                raise TypeError(f"a step is given by its number or its text, not {one!r}")
            if not 0 <= number < len(texts) or number in found:
                raise ValueError(f"there is no step {one!r}, or it is there twice")
            found.append(number)
        if not found:
            raise ValueError("No step is in the order yet.")
        return tuple(found)

    @functools.cached_property
    def right(self) -> tuple[int, ...]:
        """The numbers of the steps in the machine's order; computed now, if they were not before."""
        values = [step.text if step.value is None else step.value for step in self.steps]
        taken = list(self._computed)
        for value in taken:
            if value not in values:
                raise ValueError(f"the machine's step {value!r} is none of {values}")
        if not taken or len(set(taken)) < len(taken):
            raise ValueError(f"each step is taken once, not {taken}")
        return tuple(values.index(value) for value in taken)

    @property
    def did(self) -> str:
        """The machine's order, a numbered line for each step."""
        return self._numbered(self.right)

    def _numbered(self, numbers: Iterable[int]) -> str:
        texts = (self.steps[number].text for number in numbers)
        return "\n".join(f"{place}. {text}" for place, text in enumerate(texts, 1))

    def place(self, value: tuple[int, ...]) -> list[int]:
        """The numbers of steps, for JSON."""
        return list(value)

    def judge(self, said: tuple[int, ...]) -> Verdict:
        """Return what comes of an order, with a note on each step."""
        correct = said == self.right
        kept = _longest_in_common(said, self.right)
        notes = tuple(self._note(number, said, kept) for number in said)
        missing = tuple(self._missing(number) for number in self.right if number not in said)
        wrong = len(said) - len(kept) + len(missing)
        feedback = self._yes if correct else _counted(len(kept), len(self.right), wrong)
        return Verdict(
            correct, self._numbered(said), self.did, feedback, said, self.right, notes + missing
        )

    # A word on a step that was put in the order.  One that cannot stay among those kept stands
    # before or behind where it should, never both: what is kept is in the machine's order.
    def _note(self, number: int, said: tuple[int, ...], kept: set[int]) -> Note:
        if number in kept:
            return Note(number, "kept", "")
        if number not in self.right:
            return self._say(number, "stray", "does not belong here.")
        place, here = self.right.index(number), said.index(number)
        due = [n for n in self.right[:place] if n in kept and said.index(n) > here]
        if due:
            return self._say(
                number, "early", f"stands too early: it comes after {self._q(due[-1])}."
            )
        due = [n for n in self.right[place + 1 :] if n in kept and said.index(n) < here]
        return self._say(number, "late", f"stands too late: it comes before {self._q(due[0])}.")

    def _missing(self, number: int) -> Note:
        place = self.right.index(number)
        where = f"after {self._q(self.right[place - 1])}" if place else "first"
        return self._say(number, "missing", f"is missing: it comes {where}.")

    def _say(self, number: int, mark: str, words: str) -> Note:
        return Note(number, mark, f"{self._q(number)} {words} {self.steps[number].why}".rstrip())

    def _q(self, number: int) -> str:
        return f"“{self.steps[number].text}”"


# A place that nobody chose, the same everywhere.
def _mixed(prompt: str, text: str) -> str:
    return hashlib.sha256(f"{prompt}\n{text}".encode()).hexdigest()


def _counted(kept: int, steps: int, wrong: int) -> str:
    things = "1 thing is" if wrong == 1 else f"{wrong} things are"
    return f"{kept} of {steps} steps are in order; {things} wrong."


# The members of the longest sequence that both have in this order; of several the first found.
def _longest_in_common(said: tuple[int, ...], right: tuple[int, ...]) -> set[int]:
    best: list[tuple[int, ...]] = []  # of each member of `said`, the longest that ends with it
    for number in said:
        if number in right:
            fits = [run for run in best if right.index(run[-1]) < right.index(number)]
            best.append((*_longest(fits), number))
    return set(_longest(best))


def _longest(runs: list[tuple[int, ...]]) -> tuple[int, ...]:
    return max(runs, key=len, default=())
