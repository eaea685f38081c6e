"""Trace: what happened, as a compact list of events, each at a place in the journal.

An event is one 64-bit word: the journal's length when it happened, the pid of the task that was
running, and a code (a function entered, a function left, a tracepoint).  The number of events so
far is the machine's time `t`.  The fields of a tracepoint are kept beside it.  With recording off
nothing is kept, and nobody is told but of what must not happen: WARN, oops, panic.
"""

from __future__ import annotations

import bisect
import itertools
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Event", "Trace", "code"]

CODE_BITS, PID_BITS = 12, 22
EXIT = 1 << (CODE_BITS - 1)
_CODE_MASK = EXIT - 1
_PID_MASK = (1 << PID_BITS) - 1
PLACE_SHIFT = CODE_BITS + PID_BITS

_names: list[str] = []
_codes: dict[str, int] = {}


def code(name: str) -> int:
    """Return the number that stands for the function or tracepoint `name`."""
    number = _codes.get(name)
    if number is None:
        number = _codes[name] = len(_names)
        if number > _CODE_MASK:
            raise OverflowError(f"more than {_CODE_MASK} functions and tracepoints")
        _names.append(name)
    return number


class Event(NamedTuple):
    """Something that happened at time `t`, while the task `pid` was running.

    `kind` is ``"enter"``, ``"exit"`` (of the kernel function `name`) or ``"event"`` (the tracepoint
    `name` with `fields`).
    """

    t: int
    kind: str
    name: str
    pid: int
    fields: dict[str, Any]

    def __repr__(self) -> str:
        fields = " ".join(f"{k}={v}" for k, v in self.fields.items())
        return f"{self.t}: [{self.pid}] {self.name}{'' if self.kind == 'event' else ' ' + self.kind} {fields}".rstrip()


class Trace:
    """The events of one machine."""

    def __init__(self, journal: array[int] | None) -> None:
        self.on = journal is not None
        self.journal = journal
        self.words: array[int] = array("Q")
        self.append = self.words.append
        self.fields: dict[int, dict[str, Any]] = {}
        self._points: list[int] = []  # the times of tracepoints, as far as anybody has asked
        self._times: dict[int, tuple[array[int], int]] = {}  # … of a task's events, up to where
        self.pid = 0
        self.tag = 0  # the running task's pid, in its place in the word
        self.subscribers: list[Callable[[str, dict[str, Any]], None]] = []

    def set_pid(self, pid: int) -> None:
        """Say which task runs from now on."""
        self.pid = pid
        self.tag = (pid & _PID_MASK) << CODE_BITS

    @property
    def now(self) -> int:
        """The number of events so far."""
        return len(self.words)

    def emit(self, name: str, **fields: Any) -> None:
        """Record the tracepoint `name` and tell the subscribers."""
        if self.journal is not None:
            self.fields[len(self.words)] = fields
            self.append(len(self.journal) << PLACE_SHIFT | self.tag | code(name))
        for subscriber in self.subscribers:
            subscriber(name, fields)

    def place(self, t: int) -> int:
        """Return how long the journal was at time `t`, before event `t` happened."""
        if self.journal is None:
            raise ValueError("this machine was booted with record=False: it has no past")
        if isinstance(t, bool) or not isinstance(t, int):
            raise TypeError(f"a time is an int, not {type(t).__name__}")
        if not 0 <= t <= len(self.words):
            raise ValueError(f"time {t} is not between 0 and {len(self.words)}, which is now")
        return len(self.journal) if t == len(self.words) else self.words[t] >> PLACE_SHIFT

    def points(self, since: int, until: int) -> list[int]:
        """Return the times of the tracepoints in [since, until)."""
        known = self._points
        if len(known) != len(self.fields):
            fresh = itertools.islice(reversed(self.fields), len(self.fields) - len(known))
            known += list(fresh)[::-1]
        return known[bisect.bisect_left(known, since) : bisect.bisect_left(known, until)]

    def times(self, pid: int) -> array[int]:
        """Return the times of all events that happened while the task `pid` was running, in order."""
        known, seen = self._times.get(pid, (array("Q"), 0))
        mask, mine = _PID_MASK << CODE_BITS, (pid & _PID_MASK) << CODE_BITS
        known.extend([t for t, word in enumerate(self.words[seen:], seen) if word & mask == mine])
        self._times[pid] = known, len(self.words)
        return known

    def event(self, t: int) -> Event:
        """Return the event at time `t`."""
        word = self.words[t]
        name, pid = _names[word & _CODE_MASK], word >> CODE_BITS & _PID_MASK
        fields = self.fields.get(t)
        kind = "event" if fields is not None else "exit" if word & EXIT else "enter"
        return Event(t, kind, name, pid, fields or {})

    def events(self, since: int = 0, until: int | None = None) -> Iterator[Event]:
        """Yield the events in [since, until)."""
        for t in range(since, len(self.words) if until is None else min(until, len(self.words))):
            yield self.event(t)
