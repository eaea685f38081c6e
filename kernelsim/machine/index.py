"""An index of the journal: where in it each word of memory was stored to.

A word's value at an earlier moment is what the first record after that moment says.  The index
finds this record with a bisection, however long ago the moment is.  It is read off the journal
backwards, as far as anybody has looked back, and goes on with it: each record is read once.

Where a record ends is its number.  It is noted for each word that it covers, but for lines of
eight words that it covers wholly only once, for a block is mostly many lines.
"""

from __future__ import annotations

import bisect
import collections
import functools
from array import array
from typing import TYPE_CHECKING

from kernelsim.machine.memory import BLOCK, COUNT, SAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.memory import Memory

__all__ = ["Index", "of"]

LINE = 1 << 62  # added to the number of a line, to tell it from that of a word
NEVER = 1 << 62  # beyond every journal
KEPT = 1 << 16  # words whose last answer is kept
_ends = functools.partial(array, "q")


def of(memory: Memory, since: int = NEVER) -> Index:
    """Return the index of the memory's journal, read back as far as position `since` and up to now."""
    if memory.past_index is None:
        memory.past_index = Index(memory)
    found: Index = memory.past_index
    if found.end != len(found.journal):
        found.extend()
    found.reach(since)
    return found


class Index:
    """Where in the journal between `begin` and `end` each word was stored to."""

    __slots__ = ("answers", "begin", "end", "journal", "newer", "older")

    def __init__(self, memory: Memory) -> None:
        if memory.journal is None:
            raise ValueError("this machine was booted with record=False: it has no past")
        self.journal = memory.journal
        self.begin = self.end = len(self.journal)
        # By words and lines, the ends of records in ascending order: those that were there when
        # the index was made, negated, for they are read backwards; and those that came since.
        self.older: dict[int, array[int]] = collections.defaultdict(_ends)
        self.newer: dict[int, array[int]] = collections.defaultdict(_ends)
        self.answers: dict[int, tuple[int, int, int | None]] = {}

    def reach(self, position: int) -> None:
        """Read the journal back to `position`."""
        if position < self.begin:
            older, end = self.older, self.begin
            for end, first, n in self._records(max(position, 0), self.begin):
                if n == 1:
                    older[first].append(-end)
                else:
                    for key in _keys(first, n):
                        older[key].append(-end)
            self.begin = self.start(end)

    def extend(self) -> None:
        """Read what has been journaled since the index was read last."""
        end = len(self.journal)
        for place, first, n in list(self._records(self.end, end))[::-1]:
            for key in _keys(first, n):
                self.newer[key].append(place)
        self.end = end
        self.answers.clear()

    # The records in [since, until), newest first: where each ends, its first word, how many.
    def _records(self, since: int, until: int) -> Iterator[tuple[int, int, int]]:
        journal = self.journal
        while until > since:
            tail = journal[until - 1]
            if tail < BLOCK:
                yield until, tail, 1
                until -= 2
            else:
                yield until, journal[until - 2], tail & COUNT
                until -= 3 if tail & SAME else (tail & COUNT) + 2

    def start(self, end: int) -> int:
        """Return where the record that ends at `end` begins."""
        tail = self.journal[end - 1]
        if tail < BLOCK:
            return end - 2
        return end - 3 if tail & SAME else end - 2 - (tail & COUNT)

    def find(self, i: int, position: int) -> tuple[int, int, int | None]:
        """Return what word `i` was when the journal was `position` long.

        The answer holds for all positions from the first number up to the second one; the third is
        the value, None if it has not been stored to since.  `reach` must have been there.
        """
        low, high = self.begin, NEVER
        for key in (i, LINE + (i >> 3)):
            if (ends := self.older.get(key)) is not None:
                n = bisect.bisect_left(ends, -position)
                if n:
                    high = min(high, -ends[n - 1])
                if n < len(ends):
                    low = max(low, -ends[n])
            if (ends := self.newer.get(key)) is not None:
                n = bisect.bisect_right(ends, position)
                if n < len(ends):
                    high = min(high, ends[n])
                if n:
                    low = max(low, ends[n - 1])
        if len(self.answers) >= KEPT:
            self.answers.clear()
        answer = self.answers[i] = low, high, None if high == NEVER else self.value(i, high)
        return answer

    def value(self, i: int, end: int) -> int:
        """Return the old value of word `i` that stands in the record that ends at `end`."""
        journal, begin = self.journal, self.start(end)
        if journal[end - 1] & (BLOCK | SAME) == BLOCK:
            return journal[begin + i - journal[end - 2]]
        return journal[begin]

    def stores(self, i: int, since: int, until: int) -> list[int]:
        """Return the ends of the records in (since, until] that have an old value of word `i`.

        In ascending order; the journal must have been read as far as that.
        """
        found: list[int] = []
        for key in (i, LINE + (i >> 3)):
            if (ends := self.older.get(key)) is not None:
                first, last = bisect.bisect_left(ends, -until), bisect.bisect_left(ends, -since)
                found += [-end for end in ends[first:last]]
            if (ends := self.newer.get(key)) is not None:
                first, last = bisect.bisect_right(ends, since), bisect.bisect_right(ends, until)
                found += ends[first:last]
        return sorted(found)

    def stored(self, first: int, last: int) -> set[int]:
        """Return which of the words from `first` up to `last` are in the index."""
        words, lines = range(first, last), range(LINE + (first >> 3), LINE + (last + 7 >> 3))
        found = (self.older.keys() & words) | (self.newer.keys() & words)
        for line in (self.older.keys() & lines) | (self.newer.keys() & lines):
            found.update(range((line - LINE) * 8, (line - LINE) * 8 + 8))
        return found.intersection(words)


# The words and lines by which a record of `n` words from `first` on is found.
def _keys(first: int, n: int) -> Iterator[int]:
    last, begin, end = first + n, (first + 7) >> 3, (first + n) >> 3
    if begin >= end:
        yield from range(first, last)
        return
    yield from range(first, begin * 8)
    yield from range(LINE + begin, LINE + end)
    yield from range(end * 8, last)
