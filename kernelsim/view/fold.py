"""What to leave out of a picture that would be too large, by the same rule in every view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Run", "runs", "window"]


class Run(NamedTuple):
    """Neighbours ``start`` to ``stop`` (without it), all shown or all folded into one box."""

    shown: bool
    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many they are."""
        return self.stop - self.start


def window(count: int, centres: Iterable[int], around: int, ends: int = 1) -> set[int]:
    """Positions to keep of ``count``: the first and last ``ends``, and ``around`` each centre.

    >>> sorted(window(100, [50], around=1))
    [0, 49, 50, 51, 99]
    """
    kept = {*range(min(ends, count)), *range(max(count - ends, 0), count)}
    for centre in centres:
        kept.update(range(max(centre - around, 0), min(centre + around + 1, count)))
    return kept


def runs(count: int, keep: Iterable[int]) -> list[Run]:
    """All positions in order as runs; one left out alone is shown, for its box costs as much.

    >>> runs(7, [0, 5])
    [Run(shown=True, start=0, stop=1), Run(shown=False, start=1, stop=5), Run(shown=True, start=5, stop=7)]
    """
    found: list[Run] = []

    def show(start: int, stop: int) -> None:
        if found and found[-1].shown:
            start = found.pop().start
        found.append(Run(True, start, stop))

    end = 0
    for place in [*sorted(set(keep)), count]:
        if place - end == 1:
            show(end, place)
        elif place > end:
            found.append(Run(False, end, place))
        if place < count:
            show(place, place + 1)
        end = place + 1
    return found
