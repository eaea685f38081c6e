"""A question that is answered in the reader's own words, or with what a program prints."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from kernelsim.exercise import question
from kernelsim.exercise.question import AnyQuestion, Near, Verdict

__all__ = ["Checker", "Text"]

Checker = Callable[[str, str], Verdict | tuple[bool, str]]
"""Called with the text given and the machine's; returns whether it is right and the feedback."""

LONGEST = 10_000  # characters


class Text(AnyQuestion):
    """Free text, which a checker judges; without one, it has to be the machine's, line by line.

    Blanks at the end of a line and empty lines at the end do not count.

    :param answer: returns the machine's text, as str or bytes.
    :param checker: called with the text given and the machine's, both trimmed as above.
    :param near: what single wrong texts deserve to hear, by text; asked before `checker` is.
    :param yes: what the right text deserves to hear, where there is no checker.
    :param no: what any other does.
    :param lines: how high the field is.
    """

    kind = "text"

    def __init__(
        self,
        prompt: str,
        answer: Callable[[], str | bytes],
        checker: Checker | None = None,
        near: Near | None = None,
        *,
        yes: str = "",
        no: str = "",
        lines: int = 3,
        shows: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(prompt, answer, shows)
        if checker is not None and not callable(checker):
            raise TypeError(f"a checker is a function, not {checker!r}")
        self.lines = lines
        self._checker = checker
        self._near, self._yes, self._no = near or {}, yes, no

    def _lines(self) -> list[str]:
        return ["(your own words)" if self._checker else "(text, line by line)"]

    def form(self) -> dict[str, Any]:
        """How high the field is."""
        return {"lines": self.lines}

    def read(self, answer: str) -> str:
        """Return the text, trimmed."""
        if not isinstance(answer, str):
            raise TypeError(f"a text is wanted, not {answer!r}")
        if len(answer) > LONGEST:
            raise ValueError(f"This is longer than {LONGEST:,} characters.")
        if not (text := _trimmed(answer)).strip():
            raise ValueError("Nothing is written yet.")
        return text

    @functools.cached_property
    def right(self) -> str:
        """The machine's text; computed now, if it was not before."""
        answer = self._computed
        if isinstance(answer, bytes):
            answer = answer.decode(errors="replace")
        if not isinstance(answer, str):
            raise TypeError(f"the machine's answer is a text, not {answer!r}")
        return _trimmed(answer)

    @property
    def did(self) -> str:
        """The machine's text."""
        return self.right

    def judge(self, said: str) -> Verdict:
        """Return what comes of a text."""
        near = {_trimmed(text): word for text, word in question.told(self._near).items()}
        if said in near and said != self.right:
            return Verdict(False, said, self.did, near[said], said, self.right)
        if self._checker is None:
            correct = said == self.right
            feedback = self._yes if correct else self._no
        else:
            found = self._checker(said, self.right)
            if isinstance(found, Verdict):
                return found
            correct, feedback = bool(found[0]), str(found[1])
        return Verdict(correct, said, self.did, feedback, said, self.right)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip()
