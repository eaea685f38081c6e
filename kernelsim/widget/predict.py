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


class Predict(base.Widget, kind="predict"):
    """Asks a `kernelsim.exercise.Question`; one answer can be committed, then it is revealed.

    `chosen` is the number of the option that the reader committed to, -1 before; `why` the reason
    given.  What the machine does is computed only then.
    """

    prompt = traitlets.Unicode().tag(sync=True)
    options: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    why = traitlets.Unicode().tag(sync=True)
    revealed = traitlets.Dict().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)

    def __init__(self, question: Question) -> None:
        super().__init__()
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
        revealed = {
            "right": verdict.right,
            "correct": verdict.correct,
            "feedback": verdict.feedback,
            **_shown(self.question.shows()),
        }
        with self.hold_sync():
            self.why, self.chosen, self.revealed = why, verdict.chosen, revealed

    def heard(self, message: dict[str, Any]) -> None:
        """The reader commits."""
        if message.get("do") != "commit":
            return
        try:
            self.commit(int(message["choice"]), str(message.get("why", "")))
        except Exception as error:  # noqa: BLE001 (whatever it is, the reader gets a sentence)
            self.trouble = f"The machine could not find out ({type(error).__name__}: {error})."

    def static(self) -> dict[str, str]:
        """The question and its options; no answer."""
        pairs = zip(self.question.labels, self.options, strict=True)
        items = "<br>".join(f"<b>{label})</b> {_prose(text)}" for label, text in pairs)
        lines = "".join(f"<p>{_prose(line)}</p>" for line in self.prompt.splitlines())
        return {
            "text/plain": str(self.question),
            "text/html": f"{lines}<p>{items}</p>",
        }


# Text with `code` between backquotes as HTML; blanks in code stay as many as they are.
def _prose(text: str) -> str:
    parts = html.escape(text.strip()).split("`")
    parts[1::2] = [f"<code>{part.replace(' ', '&nbsp;')}</code>" for part in parts[1::2]]
    return "".join(parts)


# What there is to see once the question is answered: a picture, or text.
def _shown(found: Any) -> dict[str, str]:
    if isinstance(found, Picture):
        return {"svg": found.svg, "words": found.text}
    return {} if found is None else {"words": str(found)}
