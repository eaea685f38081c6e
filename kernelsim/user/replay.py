"""The results of a program's calls, kept so that a forked child can be given them once more."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Failed", "Handled", "Log"]


class Handled:
    """A handler that ran before a call returned: its address, the signal, and what the call then did.

    `outcome` is the call's result as a tuple of one, a Failed, or None when it was made once more.
    """

    __slots__ = ("address", "outcome", "sig")

    def __init__(self, address: int, sig: int, outcome: Any) -> None:
        self.address, self.sig, self.outcome = address, sig, outcome


class Failed:
    """A call that failed, with that errno."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class Log:
    """What the calls of a process returned so far: its ancestors' up to the fork, then its own."""

    __slots__ = ("before", "own")

    def __init__(self, parent: Log | None = None) -> None:
        self.own: list[Any] = []
        self.before: tuple[tuple[list[Any], int], ...] = ()  # (an ancestor's own, how many of them)
        if parent is not None:
            self.before = (*parent.before, (parent.own, len(parent.own)))
        if len(self.before) > _MOST_ANCESTORS:
            flat = list(self.past())
            self.before = ((flat, len(flat)),)

    def past(self) -> Iterator[Any]:
        """Yield what the ancestors' calls returned, oldest first."""
        return itertools.chain.from_iterable(itertools.islice(own, n) for own, n in self.before)


_MOST_ANCESTORS = 64  # beyond that their results are copied into one list
