"""A drill: one question after the other, as many as the reader wants, of a chosen topic and level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from kernelsim import exercise
from kernelsim.exercise import drill
from kernelsim.widget import base
from kernelsim.widget.predict import Predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelsim.exercise import AnyQuestion

__all__ = ["Drill"]

KEPT = 40  # questions that can be looked at again as they were answered


class _Bar(base.Widget, kind="drill"):
    # Which question of which topic and level, and the score; what the reader asks for goes to `act`.
    topics: Any = traitlets.List().tag(sync=True)  # to choose from; empty if there is no choice
    topic = traitlets.Unicode().tag(sync=True)  # "" for all of them in turn
    level = traitlets.Int(1).tag(sync=True)
    number = traitlets.Int(1).tag(sync=True)
    score = traitlets.Unicode().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)

    def __init__(self, act: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._act = act

    def heard(self, message: dict[str, Any]) -> None:
        self._act(message)


class Drill(ipywidgets.VBox):  # type: ignore[misc]  # it ships no types
    """Asks the questions of `kernelsim.exercise.questions`, beginning with number `seed`.

    A question that was answered stays so: going back shows it with its answer.  `tried` and
    `right` count the questions that the reader has committed to, each once.

    :param questions: called with a number from 1 on, returns that question; the same number, the
        same one.  Without it, all topics there are; with `exercise.questions(…)`, the reader can
        choose among its topics, and the level.
    """

    def __init__(
        self, questions: Callable[[int], AnyQuestion] | None = None, seed: int = 1
    ) -> None:
        self.questions = exercise.questions() if questions is None else questions
        self.tried = self.right = 0
        self.question: Predict
        self._asked: dict[tuple[str, int, int], Predict] = {}
        self._counted: set[tuple[str, int, int]] = set()
        self.bar = _Bar(self._hear)
        super().__init__()
        self.add_class("kernelsim-drill")
        self.add_class("kernelsim-turn")
        if isinstance(self.questions, drill.Questions):
            self.bar.topics, self.bar.level = list(self.questions.topics), self.questions.level
        self.ask(seed)

    def __repr__(self) -> str:
        return f"Drill, question {self.seed}"

    @property
    def seed(self) -> int:
        """The number of the question that is asked."""
        return self.bar.number

    @property
    def score(self) -> str:
        """Which question it is, and how many were right."""
        return self.bar.score

    # --- which question -----------------------------------------------------------------------

    def ask(self, seed: int) -> None:
        """Ask the question with this number, of the topic and level chosen."""
        self._ask(self.bar.topic, self.bar.level, seed)

    def next(self) -> None:
        """Ask the next question."""
        self.ask(self.seed + 1)

    def previous(self) -> None:
        """Ask the one before, as it was answered; the first one stays."""
        if self.seed > 1:
            self.ask(self.seed - 1)

    def choose(self, topic: str = "", level: int = 1) -> None:
        """Ask about one of the topics, "" for all in turn, at a level, from question 1 on.

        Raises LookupError or ValueError where there is no such topic or level to choose.
        """
        if topic and topic not in self.bar.topics:
            raise LookupError(f"there is no topic {topic!r} here")
        if level not in drill.LEVELS:
            raise ValueError(f"there is no level {level!r}")
        self._ask(topic, level, 1)

    # Show a question; what can fail comes first, so that a failure leaves what was there.
    def _ask(self, topic: str, level: int, seed: int) -> None:
        key = topic, level, seed
        if key not in self._asked:
            made = Predict(self._source(topic, level)(seed))
            made.observe(lambda change: self._count(key, change["new"]), "revealed")
            self._asked[key] = made
            for old in [one for one in self._asked if one != key][: -KEPT or None]:
                self._asked.pop(old).close()
        self.question = self._asked[key]
        with self.bar.hold_sync():
            self.bar.topic, self.bar.level, self.bar.number = key
            self.bar.trouble = ""
            self._say()
        self.children = (self.bar, self.question)

    def _source(self, topic: str, level: int) -> Callable[[int], AnyQuestion]:
        if not isinstance(self.questions, drill.Questions):
            return self.questions
        topics = [topic] if topic else self.questions.topics
        return exercise.questions(*topics, level=level).__call__

    # --- the score ----------------------------------------------------------------------------

    def _count(self, key: tuple[str, int, int], revealed: dict[str, Any]) -> None:
        if key not in self._counted:
            self._counted.add(key)
            self.tried += 1
            self.right += bool(revealed.get("correct"))
        self._say()

    def _say(self) -> None:
        score = f"; {self.right} right of {self.tried}" if self.tried else ""
        self.bar.score = f"question {self.seed}{score}"

    # --- the reader ---------------------------------------------------------------------------

    # Messages from the page; an odd one does nothing.
    def _hear(self, message: dict[str, Any]) -> None:
        what: Any = message.get("do")
        topic: Any = message.get("topic")
        level: Any = message.get("level")
        try:
            if what == "next":
                self.next()
            elif what == "previous":
                self.previous()
            elif what == "topic" and (topic == "" or topic in self.bar.topics):
                self.choose(topic, self.bar.level)
            elif what == "level" and type(level) is int and level in drill.LEVELS:
                self.choose(self.bar.topic, level)
        except Exception as error:  # noqa: BLE001 (whatever it is, the reader gets a sentence)
            self.bar.trouble = f"There is no such question ({type(error).__name__}: {error})."

    def static(self) -> dict[str, str]:
        """The question and what can be answered; no answer."""
        found = self.question.static()
        return {**found, "text/plain": f"{self!r}\n{found['text/plain']}"}

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return base.bundle(super()._repr_mimebundle_(**options), self.static())
