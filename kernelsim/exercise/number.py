"""A question that is answered with a whole number."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Literal

from kernelsim.exercise import question
from kernelsim.exercise.question import AnyQuestion, Near, Verdict

__all__ = ["Number"]

_NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)")
LONGEST = 40  # characters


class Number(AnyQuestion):
    """A whole number; only the number that the machine computes is right.

    :param answer: returns the number.
    :param near: what single wrong numbers deserve to hear, by number.
    :param yes: what the right one deserves to hear.
    :param no: what any other number does.
    :param base: 16 for an address: it is shown in hexadecimal, and has to be typed so.
    """

    kind = "number"

    def __init__(
        self,
        prompt: str,
        answer: Callable[[], int],
        near: Near | None = None,
        *,
        yes: str = "",
        no: str = "",
        base: Literal[10, 16] = 10,
        shows: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(prompt, answer, shows)
        self.base = base
        self._near, self._yes, self._no = near or {}, yes, no

    @property
    def hint(self) -> str:
        """What kind of number is expected."""
        return "in hexadecimal, as in 0x1f" if self.base == 16 else "a whole number, 17 or 0x11"

    def _lines(self) -> list[str]:
        return [f"({self.hint})"]

    def form(self) -> dict[str, Any]:
        """What to write into the field."""
        return {"hint": self.hint}

    def read(self, answer: int | str) -> int:
        """Return the number that was given, or typed: decimal, or hexadecimal after 0x."""
        if isinstance(answer, bool) or not isinstance(answer, int | str):
            raise TypeError(f"a number is wanted, not {answer!r}")
        if isinstance(answer, int):
            return answer
        text = answer.strip().replace("\N{MINUS SIGN}", "-")
        if not text:
            raise ValueError(f"Nothing is typed in yet: {self.hint}.")
        if len(text) > LONGEST or not _NUMBER.fullmatch(text):
            raise ValueError(f"“{text[:LONGEST]}” is no whole number: write 17, or 0x11.")
        if "x" in text.lower():
            return int(text, 16)
        if self.base == 16 and text.lstrip("+-") != "0":
            raise ValueError(f"“{text}” could mean two numbers: write hexadecimal ones with 0x.")
        return int(text)

    @functools.cached_property
    def right(self) -> int:
        """The number; computed now, if it was not before."""
        answer = self._computed
        if isinstance(answer, bool) or not isinstance(answer, int):
            raise TypeError(f"the machine's answer is a number, not {answer!r}")
        return answer

    @property
    def did(self) -> str:
        """The number as it is shown."""
        return self._shown(self.right)

    def _shown(self, number: int) -> str:
        return f"{number:#x}" if self.base == 16 else str(number)

    def judge(self, said: int) -> Verdict:
        """Return what comes of a number."""
        correct = said == self.right
        feedback = self._yes if correct else question.told(self._near).get(said, self._no)
        return Verdict(correct, self._shown(said), self.did, feedback, said, self.right)
