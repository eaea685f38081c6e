"""Predict, then see: a question of any kind, one answer, and what the machine did."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Self

import IPython
import traitlets

from kernelsim.exercise import progress as progress_
from kernelsim.view import Picture
from kernelsim.widget import base

if TYPE_CHECKING:
    from kernelsim.exercise import AnyQuestion, Verdict
    from kernelsim.exercise.progress import Progress

__all__ = ["CONFIDENCE", "Predict"]

CONFIDENCE = ("sure", "think so", "guess")
LONGEST = 200  # characters of a reason


class Predict(base.Widget):
    """Asks a question of `kernelsim.exercise`; one answer can be committed, then it is revealed.

    `chosen` is the answer that the reader committed to, None before; `why` the reason given and
    `sure` the confidence.  What the machine does is computed only then.

    :param progress: where an answer that comes from a page is kept; by default, and in a notebook
        that somebody has open, beside the notebook.  What Python itself commits is kept nowhere.
    """

    prompt = traitlets.Unicode().tag(sync=True)
    form = traitlets.Dict().tag(sync=True)
    draft = traitlets.Dict().tag(sync=True)  # the page's own, so that no view loses what is typed
    confidence: Any = traitlets.List(list(CONFIDENCE)).tag(sync=True)
    revealed = traitlets.Dict().tag(sync=True)
    notice = traitlets.Unicode().tag(sync=True)  # of progress that is not kept
    trouble = traitlets.Unicode().tag(sync=True)
    refusals = traitlets.Int(0).tag(sync=True)  # so that the same trouble is told twice

    def __new__(cls, question: AnyQuestion, *_arguments: Any, **_options: Any) -> Self:
        """Return a widget of the class for this kind: pages keep one style for each class."""
        return super().__new__(_CLASSES[question.kind] if cls is Predict else cls)

    def __init__(self, question: AnyQuestion, progress: Progress | None = None) -> None:
        super().__init__()
        self.question = question
        self.progress = progress
        self.chosen: Any = None
        self.why = self.sure = ""
        self.prompt, self.form = question.prompt, question.form()

    def __repr__(self) -> str:
        return f"Predict({self.question!r})"

    @property
    def committed(self) -> bool:
        """Whether an answer has been committed."""
        return bool(self.revealed)

    def commit(self, answer: Any, why: str = "", sure: str = "") -> None:
        """Commit to an answer, as the question reads it; the first commitment counts.

        Raises ValueError or TypeError for what is no answer; nothing is committed then.
        """
        if not self.committed:
            self._reveal(self.question.check(answer), why, sure)

    def _reveal(self, verdict: Verdict, why: str, sure: str) -> None:
        place = self.question.place
        shown = _shown(self.question.shows())
        self.chosen, self.why, self.sure = verdict.chosen, why, sure
        self.revealed = {
            "correct": verdict.correct,
            "said": verdict.said,
            "did": verdict.did,
            "feedback": verdict.feedback,
            "notes": [list(note) for note in verdict.notes],
            "answer": None if verdict.chosen is None else place(verdict.chosen),
            "right": None if verdict.right is None else place(verdict.right),
            "why": why,
            "sure": sure,
            **shown,
        }

    def heard(self, message: dict[str, Any]) -> None:
        """The reader commits."""
        if message.get("do") != "commit" or self.committed:
            return
        try:
            said = self.question.read(message.get("answer"))
        except (ValueError, TypeError) as error:
            self._refuse(str(error))
            return
        sure = message.get("sure")
        why = message.get("why")
        try:
            verdict = self.question.judge(said)
            self._reveal(
                verdict,
                why[:LONGEST] if isinstance(why, str) else "",
                sure if sure in CONFIDENCE else "",
            )
        except Exception as error:  # noqa: BLE001 (whatever it is, the reader gets a sentence)
            self._refuse(f"The machine could not find out ({type(error).__name__}: {error}).")
            return
        self._keep(verdict)

    def _refuse(self, text: str) -> None:
        with self.hold_sync():
            self.trouble, self.refusals = text, self.refusals + 1

    # Only here anything is written: an answer has come from a page.
    def _keep(self, verdict: Verdict) -> None:
        kept = self.progress or (progress_.here() if _somebody_is_there() else None)
        if kept is not None:
            self.notice = kept.add(self.question, verdict, why=self.why, sure=self.sure)

    def static(self) -> dict[str, str]:
        """The question and what can be answered; no answer."""
        lines = "".join(f"<p>{_prose(line)}</p>" for line in self.prompt.splitlines())
        found = {"text/plain": str(self.question)}
        picture = getattr(self.question, "picture", None)
        if isinstance(picture, Picture):
            found["image/svg+xml"] = picture.svg
            return {**found, "text/html": lines + picture.html()}
        if "options" in self.form:
            items = [f"<b>{label})</b> {_prose(text)}" for label, text in self.form["options"]]
        elif "steps" in self.form:
            items = [f"• {_prose(text)}" for text in self.form["steps"]]
        else:
            items = [
                f"<i>{html.escape(line)}</i>" for line in found["text/plain"].splitlines()[-1:]
            ]
        return {**found, "text/html": f"{lines}<p>{'<br>'.join(items)}</p>"}


class _One(Predict, kind="asksOne"):
    pass


class _Text(Predict, kind="asksText"):
    pass


class _Parent(Predict, kind="asksParent"):
    pass


class _Order(Predict, kind="asksOrder"):
    pass


_CLASSES: dict[str, Any] = {
    "choice": _One,
    "number": _Text,
    "text": _Text,
    "parent": _Parent,
    "order": _Order,
}


# Whether this is the kernel of a notebook: a test, or a script, has nobody whose progress it is.
def _somebody_is_there() -> bool:
    return getattr(IPython.get_ipython(), "kernel", None) is not None


# Text with `code` between backquotes as HTML; blanks in code stay as many as they are.
def _prose(text: str) -> str:
    parts = html.escape(text.strip()).split("`")
    parts[1::2] = [f"<code>{part.replace(' ', '&nbsp;')}</code>" for part in parts[1::2]]
    return "".join(parts)


# What there is to see once the question is answered: a picture, two of them, or text.
def _shown(found: Any) -> dict[str, Any]:
    if found is None:
        return {}
    pictures = [found] if isinstance(found, Picture) else found
    if isinstance(pictures, list | tuple) and all(isinstance(p, Picture) for p in pictures):
        captions = ["before", "after"] if len(pictures) == 2 else [""] * len(pictures)
        return {
            "pictures": [
                {"caption": caption, "svg": p.svg, "words": p.text, "summary": p.summary}
                for caption, p in zip(captions, pictures, strict=True)
            ]
        }
    return {"words": str(found)}
