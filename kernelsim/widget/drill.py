"""A drill: one question after the other, as many as the reader wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from kernelsim.widget import base
from kernelsim.widget.predict import Predict

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelsim.exercise import Question

__all__ = ["Drill"]


class Drill(ipywidgets.VBox):  # type: ignore[misc]  # it ships no types
    """Asks the questions of `kernelsim.exercise.questions`, beginning with number `seed`.

    `tried` and `right` count the questions that the reader has committed to.

    :param questions: called with a number, returns that question; the same number, the same one.
    """

    def __init__(self, questions: Callable[[int], Question], seed: int = 1) -> None:
        self.questions, self.seed = questions, seed
        self.tried = self.right = 0
        self.another = ipywidgets.Button(description="another question")
        self.score = ipywidgets.Label()
        super().__init__()
        self.add_class("kernelsim-drill")
        self.another.on_click(lambda _: self.ask(self.seed + 1))
        self.ask(seed)

    def __repr__(self) -> str:
        return f"Drill, question {self.seed}"

    def ask(self, seed: int) -> None:
        """Ask the question with this number."""
        self.seed = seed
        self.question = Predict(self.questions(seed))
        self.question.observe(self._counted, "revealed")
        self.children = (self.question, ipywidgets.HBox([self.another, self.score]))
        self._say()

    def _counted(self, change: Any) -> None:
        self.tried += 1
        self.right += bool(change["new"].get("correct"))
        self._say()

    def _say(self) -> None:
        score = f"; {self.right} right of {self.tried}" if self.tried else ""
        self.score.value = f"question {self.seed}{score}"

    def static(self) -> dict[str, str]:
        """The question and its options; no answer."""
        found = self.question.static()
        return {**found, "text/plain": f"{self!r}\n{found['text/plain']}"}

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return base.bundle(super()._repr_mimebundle_(**options), self.static())
