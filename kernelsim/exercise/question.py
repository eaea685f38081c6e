"""Questions whose answers the machine computes when they are asked for.

    def forked_last():
        k = ks.boot()
        child = k.call(k.spawn("bash"), "fork")
        return 0 if k.tasks()[-1].pid == child else 1

    Question(
        "Where does fork put the child?",
        options=[Option("at the end", "Yes: …"), Option("at the beginning", "No: …")],
        answer=forked_last,
    )

The author writes what each answer deserves as feedback; which one is right is never written down.
`answer` runs at most once, and not before somebody has committed to something.

Here are what all kinds share (`AnyQuestion`), one of several (`Question`), and the letter of a
state (`Letter`); beside this module are `number`, `parent`, `order` and `free_text`.
"""

from __future__ import annotations

import abc
import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from kernelsim.view import tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AnyQuestion", "Letter", "Near", "Note", "Option", "Question", "Verdict", "told"]

Near = Mapping[Any, str] | Callable[[], Mapping[Any, str]]
"""What single answers deserve to hear, by answer; a function is called after the commitment."""


class Note(NamedTuple):
    """What is said of one item of an answer that has several: a step of an order.

    :param item: the number of the item, as `AnyQuestion.form` numbers them.
    :param mark: ``kept``, ``early``, ``late``, ``stray`` or ``missing``.
    :param text: the mark in a sentence, with the reason; empty if kept.
    """

    item: int
    mark: str
    text: str


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What comes of an answer.

    :param said: the answer given, in words.
    :param did: what the machine did, in words.
    :param feedback: what belongs to the answer given: why it is right, or which idea is not.
    :param chosen: the answer given, as a value; of a Question, the number of the option.
    :param right: the machine's, as a value.
    :param notes: of an answer with several items, a word on each.
    """

    correct: bool
    said: str
    did: str
    feedback: str = ""
    chosen: Any = None
    right: Any = None
    notes: tuple[Note, ...] = ()

    def __bool__(self) -> bool:
        return self.correct


class AnyQuestion(abc.ABC):
    """What every kind of question is: a prompt, and a way to find out what is right.

    `name` is the name by which progress and recall know it: ``04-where-fork-puts-the-child``;
    empty for a question that comes once.

    :param prompt: the question, as text; code stands between backquotes.
    :param answer: called without arguments, at most once, and not before somebody has answered.
    :param shows: called without arguments when the question has been answered; returns what there
        is to see then: a Picture, text, or two Pictures, before and after.
    """

    kind: ClassVar[str]
    name: str = ""

    def __init__(
        self, prompt: str, answer: Callable[[], Any], shows: Callable[[], Any] | None = None
    ) -> None:
        if not callable(answer):
            raise TypeError("an answer is computed: give a function, not the answer itself")
        self.prompt = prompt
        self._answer, self._shows = answer, shows

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.prompt!r})"

    def __str__(self) -> str:
        return "\n".join([self.prompt, *(f"  {line}" for line in self._lines())])

    @property
    def key(self) -> str:
        """Name and wording: what is asked the same way is the same question."""
        wording = hashlib.sha256(str(self).encode()).hexdigest()[:10]
        return f"{self.name}#{wording}"

    @functools.cached_property
    def _computed(self) -> Any:
        return self._answer()

    # The question's form in text, below the prompt.
    @abc.abstractmethod
    def _lines(self) -> list[str]: ...

    @abc.abstractmethod
    def form(self) -> dict[str, Any]:
        """Return what a page needs to ask it, ready for JSON; the answer is not in it."""

    @abc.abstractmethod
    def read(self, answer: Any) -> Any:
        """Return an answer that a reader gave, as a value; the machine does not run.

        Raises ValueError, with a sentence for the reader, or TypeError for what is no answer.
        """

    @abc.abstractmethod
    def judge(self, said: Any) -> Verdict:
        """Return what comes of an answer that `read` returned."""

    @property
    @abc.abstractmethod
    def did(self) -> str:
        """What the machine did, in words; computed now, if it was not before."""

    def place(self, value: Any) -> Any:
        """Return a value of a verdict as `form` names it, None where it names none."""
        return None

    def check(self, answer: Any) -> Verdict:
        """Return what comes of an answer; the machine runs now, if it did not before."""
        return self.judge(self.read(answer))

    def shows(self) -> Any:
        """Return what there is to see once the question is answered; None for nothing."""
        return self._shows() if self._shows else None


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


class Question(AnyQuestion):
    """One of several: a prompt, at least two options, and a way to find out which one is right.

    :param prompt: the question, as text.
    :param options: what can be chosen.  Text alone stands for an Option without feedback.
    :param answer: returns the number of the right option, counted from 0, or, if the options have
        values, the value of the right one.
    :param shows: what there is to see afterwards.
    """

    kind = "choice"

    def __init__(
        self,
        prompt: str,
        options: Sequence[Option | str],
        answer: Callable[[], Any],
        shows: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(prompt, answer, shows)
        self.options = tuple(Option(o) if isinstance(o, str) else o for o in options)
        texts = [option.text for option in self.options]
        if len(texts) < 2 or len(set(texts)) < len(texts):
            raise ValueError(f"a question has two options or more, all different, not {texts}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.prompt!r}, {len(self.options)} options)"

    @property
    def labels(self) -> tuple[str, ...]:
        """The letters by which the options are chosen, from a on."""
        return tuple(chr(ord("a") + i) for i in range(len(self.options)))

    def _lines(self) -> list[str]:
        return [f"{label}) {o.text}" for label, o in zip(self.labels, self.options, strict=True)]

    def form(self) -> dict[str, Any]:
        """The options, each with its label."""
        pairs = zip(self.labels, self.options, strict=True)
        return {"options": [[label, option.text] for label, option in pairs]}

    @functools.cached_property
    def right(self) -> int:
        """The number of the right option; computed now, if it was not before.

        Raises ValueError when the computed answer is none of the options.
        """
        answer = self._computed
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

    @property
    def did(self) -> str:
        """The text of the right option."""
        return self.options[self.right].text

    def read(self, answer: int | str) -> int:
        """Return the number of an option, given by number or by its letter."""
        if isinstance(answer, str):
            return self._numbered(answer)
        if isinstance(answer, bool) or not isinstance(answer, int):
            raise TypeError(f"an option is chosen by number or letter, not {answer!r}")
        if not 0 <= answer < len(self.options):
            raise ValueError(f"there is no option {answer}: they are 0 to {len(self.options) - 1}")
        return answer

    def _numbered(self, letter: str) -> int:
        label = letter.strip()
        if label not in self.labels:
            label = label.lower()
        if label not in self.labels:
            raise ValueError(f"there is no option {letter!r}: they are {', '.join(self.labels)}")
        return self.labels.index(label)

    def place(self, value: Any) -> Any:
        """The number of an option."""
        return value

    def judge(self, said: int) -> Verdict:
        """Return what comes of choosing the option with this number."""
        chosen = self.options[said]
        return Verdict(said == self.right, chosen.text, self.did, chosen.feedback, said, self.right)


class Letter(Question):
    """The letter of a task's state, as ps and /proc show it: one of R S D T t Z X I.

    :param answer: returns the letter that the machine shows.
    :param feedback: by letter, what whoever says it has to hear; what a letter means is said anyway.
    """

    MEANS: ClassVar[dict[str, str]] = {
        "R": "`R` is a task that runs, or could: it waits for nothing but a CPU.",
        "S": "`S` is a task that sleeps until what it waits for happens, or a signal comes.",
        "D": "`D` is a task that sleeps and cannot be woken by signals.",
        "T": "`T` is a task that a signal has stopped; SIGCONT lets it go on.",
        "t": "`t` is a task that its tracer has stopped.",
        "Z": "`Z` is a task that has ended, and whose parent has not yet asked how.",
        "X": "`X` is a task that has ended and is being taken down; hardly anybody ever sees one.",
        "I": "`I` is a kernel thread that sleeps, and is not counted as load.",
    }

    def __init__(
        self,
        prompt: str,
        answer: Callable[[], str],
        feedback: Mapping[str, str] | None = None,
        shows: Callable[[], Any] | None = None,
    ) -> None:
        feedback = feedback or {}
        if strange := [letter for letter in feedback if letter not in self.MEANS]:
            raise ValueError(f"{', '.join(strange)}: the letters are {' '.join(self.MEANS)}")
        options = [
            Option(
                tasks.WORDS[letter], " ".join(filter(None, (feedback.get(letter), means))), letter
            )
            for letter, means in self.MEANS.items()
        ]
        super().__init__(prompt, options, answer, shows)

    @property
    def labels(self) -> tuple[str, ...]:
        """The letters themselves; T and t are two."""
        return tuple(self.MEANS)

    def judge(self, said: int) -> Verdict:
        """Return what comes of saying the letter with this number."""
        return dataclasses.replace(super().judge(said), said=self._named(said))

    @property
    def did(self) -> str:
        """The letter that the machine shows, and its name."""
        return self._named(self.right)

    def _named(self, number: int) -> str:
        return f"{self.labels[number]}, {self.options[number].text}"


def told(near: Near) -> Mapping[Any, str]:
    """Return feedback by answer, computed if it has to be."""
    return near() if callable(near) else near
