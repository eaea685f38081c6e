"""Recall: questions of earlier chapters, asked again some days after they were answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import ipywidgets

from kernelsim.exercise import bank, progress, recall
from kernelsim.exercise.progress import Progress
from kernelsim.widget import base
from kernelsim.widget.predict import Predict

__all__ = ["Recall"]

WORDS = (
    "Recall: some days after you have answered a chapter's questions, they come back here, "
    "the ones you missed sooner."
)

_LARGE = {"font_size": "15px"}


class Recall(ipywidgets.VBox):  # type: ignore[misc]  # it ships no types
    """Asks what is due today of the questions that the reader has answered.

    Nothing of it is in a saved notebook but what it is for: what is due hangs on the reader and
    on the day.

    :param chapter: the number of the chapter it stands in, "05": it asks of those before it;
        "" asks of all.
    :param progress: what has been answered; by default what is kept beside the notebook.
    :param today: says which day it is.
    """

    def __init__(
        self,
        chapter: str = "",
        progress: Progress | None = None,
        today: Callable[[], dt.date] = dt.date.today,
    ) -> None:
        self.chapter, self.progress, self.today = chapter, progress, today
        self.asked: list[str] = []
        self.question: Predict | None = None
        self.another = ipywidgets.Button(description="next question", style=_LARGE)
        self.anyway = ipywidgets.Button(description="ask one anyway", style=_LARGE)
        self.said = ipywidgets.Label(style=_LARGE)
        super().__init__()
        self.add_class("kernelsim-drill")
        self.another.on_click(lambda _: self.ask())
        self.anyway.on_click(lambda _: self.ask(early=True))
        self.ask()

    def __repr__(self) -> str:
        return WORDS

    # All that may come back, but for what was asked here already: (day, name).
    def _agenda(self) -> list[tuple[dt.date, str]]:
        kept = self.progress or progress.here()
        found = recall.agenda(kept, self.chapter)
        return [entry for entry in found if entry[1] not in self.asked]

    @property
    def due(self) -> list[str]:
        """The names of the questions that are due today and were not asked here yet."""
        return [name for day, name in self._agenda() if day <= self.today()]

    def ask(self, *, early: bool = False) -> None:
        """Ask the next question that is due, or, `early`, the next one that will be."""
        coming = self._agenda()
        names = [name for _, name in coming] if early else self.due
        if not names:
            self._rest(coming)
            return
        self.asked.append(names[0])
        self.question = Predict(bank.question(names[0]), self.progress)
        self.question.observe(lambda _: self._say(), "revealed")
        self._say()

    # What stands below the question: the way on only when it is answered.
    def _say(self) -> None:
        assert self.question is not None
        more = len(self.due)
        name = self.asked[-1].partition("-")[0]
        self.said.value = f"from chapter {name}" + (f"; {more} more due today" if more else "")
        row = [self.another, self.said] if self.question.committed else [self.said]
        self.children = (self.question, ipywidgets.HBox(row))

    # Nothing is due.
    def _rest(self, coming: list[tuple[dt.date, str]]) -> None:
        self.question = None
        if coming:
            self.said.value = (
                f"Nothing is due today. The next question comes back on {coming[0][0]}."
            )
        elif self.asked:
            self.said.value = "That is all for today."
        else:
            self.said.value = "Nothing has been answered yet that could come back."
        row = [self.said, self.anyway] if coming else [self.said]
        self.children = (ipywidgets.HBox(row),)  # type: ignore[assignment]  # as many as there are

    def static(self) -> dict[str, str]:
        """What it is for."""
        return {"text/plain": WORDS, "text/html": base.paragraphs(WORDS)}

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return base.bundle(super()._repr_mimebundle_(**options), self.static())
