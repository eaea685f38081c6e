"""Checkers: run a reader's function against cases, and say which one fails, where and why.

A checker never shows a solution.  For each case it lets the reader's function work on a machine
of its own, does the same on another one with the kernel's own code, and compares.  What the
reader's code raises, or that it never ends, is a result like any other, and happens in a process
of its own (`isolation`).  Cases go from small to large: the first that fails is the smallest one.
"""

from __future__ import annotations

import gc
import html
import linecache
import sys
import textwrap
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.exercise import isolation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import CodeType, FrameType

    from kernelsim.view import Picture

__all__ = ["Case", "Exercise", "Finding", "Outcome", "Report", "attempt", "check", "exercise"]

WIDTH = 96  # of a report, in characters
MOST_PRINTED = 12  # lines of what a function prints that a report repeats
MOST_LINES = 20_000  # that a function may run before it is said never to end


class Finding(NamedTuple):
    """What is wrong: one sentence, perhaps a hint, and the state in which it shows."""

    why: str
    hint: str = ""
    picture: Picture | None = None


class Case(NamedTuple):
    """One case: in words, and what tries a function on it; None if nothing is wrong."""

    words: str
    run: Callable[[Any], Finding | None]


class Outcome(NamedTuple):
    """What came of calling a reader's function: its result or, if it raised, `trouble` in words."""

    value: Any = None
    trouble: str = ""


@dataclass(frozen=True)
class Exercise:
    """A function for the reader to write, and the cases that it has to master."""

    name: str
    asks: str
    cases: Callable[[], Iterable[Case]]

    def check(self, function: Callable[..., Any]) -> Report:
        """Try `function` on every case."""
        if not callable(function):
            raise TypeError(f"a function is checked, not {type(function).__name__}")
        found: list[tuple[str, Finding | None]] = []
        open_case = ""  # begun, and its result not seen
        for one in isolation.results(lambda: _tried(self.cases(), function)):
            if isinstance(one, isolation.Cut):
                if one.why:
                    found.append((open_case or "the first case", Finding(f"It {one.why}.")))
                return Report(self.name, found, one.printed)
            if isinstance(one, str):
                open_case = one
            else:
                found.append((open_case, None if one == () else Finding(*one)))
        raise AssertionError("results end with a Cut")


# The words of each case before it is tried, and then what is wrong, () for nothing.
def _tried(cases: Iterable[Case], function: Callable[..., Any]) -> Iterator[Any]:
    for case in cases:
        yield case.words
        try:
            finding = case.run(function)
        except Exception as error:  # noqa: BLE001 - a machine that was left unusable is a result
            finding = Finding(
                f"What is left is no machine that can be looked at: {type(error).__name__}: {error}.",
                "Write only to what the exercise is about.",
            )
        yield () if finding is None else tuple(finding)
        del finding
        gc.collect()  # the machines of this case


class Report:
    """Which cases passed, and what is wrong with the others; true if nothing is.

    `printed` is what the function printed, or the beginning of it.
    """

    def __init__(
        self, name: str, results: Sequence[tuple[str, Finding | None]], printed: str = ""
    ) -> None:
        self.name = name
        self.results = tuple(results)
        self.printed = printed

    def __bool__(self) -> bool:
        return not self.failures

    @property
    def failures(self) -> list[Finding]:
        """What is wrong, in the order of the cases."""
        return [finding for _, finding in self.results if finding is not None]

    @property
    def picture(self) -> Picture | None:
        """The state in which the first case fails, None if it can't be drawn."""
        return self.failures[0].picture if self.failures else None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> list[str]:
        passed, total = len(self.results) - len(self.failures), len(self.results)
        if self:
            end = "all pass. Well done." if total > 1 else "it passes. Well done."
            return [f"{self.name}: {total} cases, {end}", *self._printed()]
        lines = [f"{self.name}: {passed} of {total} cases pass."]
        first = self.failures[0]
        for words, finding in self.results:
            lines.append(f"  {'pass' if finding is None else 'FAIL'}  {words}")
            if finding is first:
                lines += _indented(first.why) + _indented(first.hint)
        return lines + self._printed()

    def _printed(self) -> list[str]:
        lines = self.printed.splitlines()
        more = ["    …"] if len(lines) > MOST_PRINTED else []
        cut = [f"    {line[:WIDTH]}" for line in lines[:MOST_PRINTED]]
        return ["  It printed:", *cut, *more] if lines else []

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        picture = self.picture
        if picture is None:
            return {"text/plain": str(self)}
        drawn = picture._repr_mimebundle_()
        bundle = {"text/plain": f"{self}\n\n{drawn['text/plain']}"}
        if "text/html" in drawn:
            words = f"<pre>{html.escape(str(self))}</pre>"
            bundle |= {**drawn, **bundle, "text/html": words + drawn["text/html"]}
        return bundle


# Lines that fit the width of a notebook.
def _indented(words: str) -> list[str]:
    margin = " " * 8
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


# --- running a reader's function --------------------------------------------------------------


class _NeverEnds(BaseException):
    # Not an Exception: a reader's `except Exception` must not swallow it.
    pass


def attempt(
    function: Callable[..., Any], *args: Any, then: Callable[[Any], Any] = lambda value: value
) -> Outcome:
    """Call `function`, then `then` on its result, and return what comes of it, be it an exception."""
    before = sys.gettrace()
    sys.settrace(_counter(before))
    try:
        return Outcome(then(function(*args)))
    except _NeverEnds:
        return Outcome(trouble=f"runs for ever: stopped after {MOST_LINES} lines")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the reader is told
        return Outcome(trouble=_trouble(error, getattr(function, "__code__", None)))
    finally:
        sys.settrace(before)


# A trace function that stops code which runs too many lines, and else does what `before` did.
def _counter(before: Any) -> Any:
    left = MOST_LINES

    def count(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise _NeverEnds
        if before is not None:
            before(frame, event, arg)
        return count

    return count


# What was raised, and in which line of the reader's own code.
def _trouble(error: BaseException, code: CodeType | None) -> str:
    what = (
        f"raises {type(error).__name__}: {error}"
        if str(error)
        else f"raises {type(error).__name__}"
    )
    mine = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if code is not None and frame.filename == code.co_filename
    ]
    if not mine or code is None or mine[-1].lineno is None:
        return what
    number = mine[-1].lineno
    line = linecache.getline(code.co_filename, number).strip()
    return f"{what} (line {number - code.co_firstlineno + 1}: {line})" if line else what


# --- the exercises by name --------------------------------------------------------------------

_exercises: dict[str, Exercise] = {}


def exercise(name: str, asks: str) -> Callable[[Any], Exercise]:
    """Make the function below, which yields cases, the exercise `name`."""

    def make(cases: Callable[[], Iterable[Case]]) -> Exercise:
        _exercises[name] = made = Exercise(name, asks, cases)
        return made

    return make


def check(function: Callable[..., Any], name: str = "") -> Report:
    """Check a reader's function; which exercise it is for, `name` says, or its own name (``my_…``).

    Raises LookupError when there is no such exercise.
    """
    name = name or getattr(function, "__name__", "").removeprefix("my_")
    if name not in _exercises:
        known = ", ".join(sorted(_exercises))
        raise LookupError(f"there is no exercise {name!r}; there are {known}")
    return _exercises[name].check(function)
