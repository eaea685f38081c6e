"""The questions of the chapters by name, so that another chapter can ask them again.

@bank.asked_in("04")
def where_fork_puts_the_child() -> Question: ...

bank.question("04-where-fork-puts-the-child")
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from kernelsim.exercise.question import AnyQuestion

__all__ = ["asked_in", "chapters", "names", "question"]

Q = TypeVar("Q", bound=AnyQuestion)
_makers: dict[str, Callable[[], AnyQuestion]] = {}


def asked_in(chapter: str) -> Callable[[Callable[[], Q]], Callable[[], Q]]:
    """Give the question that the function below makes a name, ``CHAPTER-ITS-NAME``."""

    def name_it(function: Callable[[], Q]) -> Callable[[], Q]:
        name = f"{chapter}-{function.__name__.strip('_').replace('_', '-')}"
        if name in _makers:
            raise ValueError(f"there are two questions named {name}")

        @functools.wraps(function)
        def make() -> Q:
            made = function()
            made.name = name
            return made

        _makers[name] = make
        return make

    return name_it


def question(name: str) -> AnyQuestion:
    """Return a fresh question by its name.

    Raises LookupError for a name that there is not.
    """
    if name not in _makers:
        raise LookupError(f"there is no question {name!r}; there are {', '.join(names())}")
    return _makers[name]()


def names(chapter: str = "") -> list[str]:
    """Return the names of all questions, or of a chapter's, in the order of the chapters."""
    order = sorted(_makers, key=lambda name: name.partition("-")[0])
    return [name for name in order if not chapter or name.partition("-")[0] == chapter]


def chapters() -> list[str]:
    """Return the numbers of the chapters that have questions, in order."""
    return list(dict.fromkeys(name.partition("-")[0] for name in names()))
