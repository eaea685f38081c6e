"""A question with options, whose answer the machine computes when it is asked for.

    def forked_last():
        k = ks.boot()
        child = k.call(k.spawn("bash"), "fork")
        return 0 if k.tasks()[-1].pid == child else 1

    Question(
        "Where does fork put the child?",
        options=[Option("at the end", "Yes: …"), Option("at the beginning", "No: …")],
        answer=forked_last,
    )

The author writes what each option deserves as feedback; which option is right is never written
down.  `answer` runs at most once, and not before somebody has chosen.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Option", "Question", "Verdict"]


@dataclasses.dataclass(frozen=True)
class Option:
    """One answer to choose, and what is said to whoever chooses it.

    :param text: the answer.
    :param feedback: why it is right, or which idea behind it is not.
    :param value: what `Question.answer` returns when this option is right, for questions whose
        answer is a value and not the number of an option.
    """

    text: str
    feedback: str = ""
    value: Any = None


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What comes of choosing an option."""

    chosen: int
    right: int
    feedback: str

    def __bool__(self) -> bool:
        return self.chosen == self.right

    @property
    def correct(self) -> bool:
        """Whether the option chosen is the right one."""
        return bool(self)


class Question:
    """A prompt, at least two options, and a way to find out which one is right.

    :param prompt: the question, as text.
    :param options: what can be chosen.  Text alone stands for an Option without feedback.
    :param answer: called without arguments; returns the number of the right option, counted from
        0, or, if the options have values, the value of the right one.
    :param shows: called without arguments when the question has been answered; returns what there
        is to see then, a Picture or text.
    """

    def __init__(
        self,
        prompt: str,
        options: Sequence[Option | str],
        answer: Callable[[], Any],
        shows: Callable[[], Any] | None = None,
    ) -> None:
        if not callable(answer):
            raise TypeError("an answer is computed: give a function, not the number of an option")
        self.prompt = prompt
        self.options = tuple(Option(o) if isinstance(o, str) else o for o in options)
        self._answer, self._shows = answer, shows
        texts = [option.text for option in self.options]
        if len(texts) < 2 or len(set(texts)) < len(texts):
            raise ValueError(f"a question has two options or more, all different, not {texts}")

    def __repr__(self) -> str:
        return f"Question({self.prompt!r}, {len(self.options)} options)"

    def __str__(self) -> str:
        lines = [f"  {label}) {o.text}" for label, o in zip(self.labels, self.options, strict=True)]
        return "\n".join([self.prompt, *lines])

    @property
    def labels(self) -> tuple[str, ...]:
        """The letters by which the options are chosen, from a on."""
        return tuple(chr(ord("a") + i) for i in range(len(self.options)))

    @functools.cached_property
    def right(self) -> int:
        """The number of the right option; computed now, if it was not before.

        Raises ValueError when the computed answer is none of the options.
        """
        answer = self._answer()
        values = [option.value for option in self.options]
        if any(value is not None for value in values):
            if answer not in values:
                raise ValueError(f"the machine's answer {answer!r} is none of {values}")
            return values.index(answer)
        if isinstance(answer, bool) or not isinstance(answer, int):
            raise TypeError(f"the number of an option is an int, not {answer!r}")
        if not 0 <= answer < len(self.options):
            raise ValueError(f"there is no option {answer}: they are 0 to {len(self.options) - 1}")
        return answer

    def check(self, choice: int | str) -> Verdict:
        """Return what comes of choosing an option, by its number or its letter."""
        if isinstance(choice, str):
            letter = choice.strip().lower()
            if letter not in self.labels:
                raise ValueError(
                    f"there is no option {choice!r}: they are {', '.join(self.labels)}"
                )
            choice = self.labels.index(letter)
        if isinstance(choice, bool) or not isinstance(choice, int):
            raise TypeError(f"an option is chosen by number or letter, not {choice!r}")
        if not 0 <= choice < len(self.options):
            raise ValueError(f"there is no option {choice}: they are 0 to {len(self.options) - 1}")
        return Verdict(choice, self.right, self.options[choice].feedback)

    def shows(self) -> Any:
        """Return what there is to see once the question is answered; None for nothing."""
        return self._shows() if self._shows else None
