"""Predict, then see: a question whose options are shown, one answer, and what the machine did."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import traitlets

from kernelsim.view import Picture
from kernelsim.widget import base

if TYPE_CHECKING:
    from kernelsim.exercise import Question

__all__ = ["Predict"]


class Predict(base.Widget):
    """Asks a `kernelsim.exercise.Question`; one answer can be committed, then it is revealed.

    `chosen` is the number of the option that the reader committed to, −1 before; `why` the reason
    given.  What the machine does is computed only then.
    """

    prompt = traitlets.Unicode().tag(sync=True)
    options = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    why = traitlets.Unicode().tag(sync=True)
    revealed = traitlets.Dict().tag(sync=True)

    def __init__(self, question: Question) -> None:
        super().__init__(kind="predict")
        self.question = question
        self.prompt = question.prompt
        self.options = [option.text for option in question.options]

    def __repr__(self) -> str:
        return f"Predict({self.question!r})"

    def commit(self, choice: int, why: str = "") -> None:
        """Commit to an option, by its number; the first commitment counts."""
        if self.chosen >= 0:
            return
        verdict = self.question.check(choice)
        with self.hold_sync():
            self.why = why
            self.chosen = verdict.chosen
            self.revealed = {
                "right": verdict.right,
                "correct": verdict.correct,
                "feedback": verdict.feedback,
                **_shown(self.question.shows()),
            }

    def heard(self, message: dict[str, Any]) -> None:
        """The reader commits."""
        if message.get("do") == "commit":
            self.commit(int(message["choice"]), str(message.get("why", "")))

    def static(self) -> dict[str, str]:
        """The question and its options; no answer."""
        items = "".join(f"<li>{html.escape(text)}</li>" for text in self.options)
        listed = f'<ol type="a">{items}</ol>'
        return {
            "text/plain": str(self.question),
            "text/html": base.paragraphs(self.prompt) + listed,
        }


# What there is to see once the question is answered: a picture, or text.
def _shown(found: Any) -> dict[str, str]:
    if isinstance(found, Picture):
        return {"svg": found.svg, "words": found.text}
    return {} if found is None else {"words": str(found)}
