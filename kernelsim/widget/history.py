"""The moments of a recorded machine at which a reader may want to stop, and which calls lie between.

A moment is what `Kernel.at` takes: a time (a number of events), and a number of journal words
beyond it, inside one event.  There are four ways to walk: from one call that was fired from
outside to the next, from one system call to the next, from one choice of who runs next to the
next, or from one store into the structures that pictures show to the next.  All is read off the
trace and the journal, and the choices off the scheduler's hook; nothing is remembered but how far
they were read.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kernelsim.debug import stack
from kernelsim.include.linux.poison import LIST_POISON2
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine import index, memory
from kernelsim.machine.trace import PLACE_SHIFT

__all__ = ["LEVELS", "Call", "History", "Moment", "Store"]

Moment = tuple[int, int]

LEVELS = {
    "fired": "what was fired",
    "call": "system calls",
    "choice": "who runs next",
    "store": "stores to the lists",
}
"""The ways to walk, in words."""

# Members of task_struct that pictures show; a store to one of them is worth a stop.
WATCHED = (
    "state",
    "exit_state",
    "pid",
    "real_parent",
    "tasks.next",
    "tasks.prev",
    "children.next",
    "children.prev",
    "sibling.next",
    "sibling.prev",
)
_NEXT_CALL = {"sys_enter"}
# A puppet's call brings at most these: its own, and init waits twice and pauses.
MOST_OF_A_PUPPET = 4
WORD = 2  # length of a journal record of one word


class Call(NamedTuple):
    """A system call, as strace prints it, and the moment when the next one begins."""

    end: Moment
    words: str


class Store(NamedTuple):
    """A word stored: the member of the task_struct at `address`, from `old` to `new`."""

    address: int
    member: str
    old: int
    new: int


class History:
    """What happened in one kernel, in steps; it grows as the kernel goes on.

    :param k: a Kernel; one that records nothing has one moment only, now.
    """

    def __init__(self, k: Any) -> None:
        self.k = k
        self.records = bool(k.machine.trace.on)
        self._seen = 0  # events whose tracepoints were read, and those whose stores were
        self._read = 0
        self._enters: list[int] = []  # times at which a system call begins
        self._stores: dict[Moment, Store] = {}
        self._inside: dict[tuple[int, frozenset[str]], stack.Inside] = {}
        self._tasks: set[int] = set()  # all that were ever linked
        self._listed: set[int] = {k.machine.symbol("init_task").address_}
        self.at = functools.lru_cache(maxsize=16)(self._at)
        self.words = functools.lru_cache(maxsize=1024)(self._words)

    # The kernel at a past moment, read-only; one that has no past, as it is.
    def _at(self, moment: Moment) -> Any:
        return self.k.at(*moment) if self.records else self.k

    @property
    def now(self) -> Moment:
        """The present."""
        return (self.k.now if self.records else 0, 0)

    @property
    def ever(self) -> frozenset[int]:
        """Addresses of all tasks that were in the list, as far as its stores were read."""
        return frozenset(self._tasks)

    def usual_level(self) -> str:
        """How to walk if nobody says: from call to call where a program makes them by itself."""
        if not self.records:
            return "fired"
        fired = self._fired()
        self._calls(fired)
        last = bisect.bisect_left(self._enters, fired[-1]) if fired else 0
        return "call" if len(self._enters) - last > MOST_OF_A_PUPPET else "fired"

    def moments(self, level: str) -> list[Moment]:
        """Return the moments of a level (a key of `LEVELS`), oldest first; the last one is now."""
        if not self.records:
            return [self.now]
        fired = self._fired()
        found = {(t, 0) for t in fired}
        if level in {"call", "store"}:
            found.update((t, 0) for t in self._calls(fired))
        if level == "choice":
            found.update((choice.time, 0) for choice in self.k.chooser.noted)
        if level == "store":
            self._read_stores()
            start = min(found, default=self.now)
            found.update(moment for moment in self._stores if moment > start)
        return sorted(found | {self.now})

    def choice(self, moment: Moment) -> Any:
        """The choice of who runs next that is made at a moment, a `steer.Choice`; None for none."""
        noted = self.k.chooser.noted
        place = bisect.bisect_left(noted, moment[0], key=lambda choice: choice.time)
        is_one = place < len(noted) and (noted[place].time, 0) == moment
        return noted[place] if is_one else None

    # When something was done from outside, a call fired or a program loaded.
    def _fired(self) -> list[int]:
        return [when for when, *_ in self.k.commands]

    # When each system call began: where it was fired, or else at its sys_enter.
    def _calls(self, fired: list[int]) -> list[int]:
        event = self.k.machine.trace.event
        for t in self.k.machine.trace.points(self._seen, self.k.now):
            if event(t).name in _NEXT_CALL:
                self._enters.append(t)
        self._seen = self.k.now
        first = fired[0] if fired else self.k.now
        begun = {bisect.bisect_left(self._enters, when): when for when in fired}
        return [begun.get(i, t) for i, t in enumerate(self._enters) if t >= first]

    def calls(self, most: int = 300, until: Moment | None = None) -> list[Call]:
        """Return the last system calls: the words of each, and the moment to see what it did.

        :param until: only what has ended up to this moment.
        """
        found = [m for m in self.moments("call") if not m[1]]
        moments = [m for m in found if until is None or m <= until][-most - 1 :]
        pairs = itertools.pairwise(moments)
        calls = (Call(end, self.words(start[0], end[0])) for start, end in pairs)
        return [call for call in calls if call.words]

    # The first system call begun in [since, until), as strace prints it; "" for none.
    def _words(self, since: int, until: int) -> str:
        first = bisect.bisect_left(self._enters, since)
        if first == len(self._enters) or self._enters[first] >= until:
            return ""
        following = self._enters[first + 1] if first + 1 < len(self._enters) else until
        lines = self.k.strace(self._enters[first], min(until, following)).splitlines()
        pid, _, call = lines[0].removeprefix("[pid ").partition("] ")
        return f"{pid.strip()}: {re.sub(' += ', ' = ', call)}"

    # -- stores --------------------------------------------------------------------------------

    def store(self, moment: Moment) -> Store | None:
        """Return the store that was made just before a moment inside an event, None for none."""
        return self._stores.get(moment)

    # Note each store of one word into a member that pictures show: all to tasks that are in the
    # list, and those to the links of one that is about to enter it or has just left it.
    def _read_stores(self) -> None:
        m, now = self.k.machine, self.k.now
        head, members = self._watched(m)
        for t, position, i, old, new in _stored(m, members, self._read, now):
            address, member = members[i]
            if i == head:
                self._listed.add(new - _LINK)
            if member == "tasks.prev" and new == LIST_POISON2:
                self._listed.discard(address)
            store = Store(address, member, *(_part(member, word) for word in (old, new)))
            is_seen = address in self._listed or member.startswith("tasks.")
            if is_seen and store.old != store.new:
                self._stores[t, position - m.trace.place(t)] = store
        self._read = now

    # The index of the word init_task.tasks.prev, to which a new task is linked; and what the words
    # are that are watched: the members of all tasks that were ever linked.
    def _watched(self, m: Any) -> tuple[int, dict[int, tuple[int, str]]]:
        first = m.symbol("init_task").address_
        head = m.offset(first + task_struct.offsetof_("tasks.prev")) >> 3
        since, now = m.trace.place(self._read), m.trace.place(m.trace.now)
        looked = index.of(m, since)
        ends = looked.stores(head, since, now)
        links = {looked.value(head, end) for end in ends if end - looked.start(end) == WORD}
        links = {link for link in links | {m.u64[head]} if link > memory.DIRECT_MAP}
        self._tasks |= {first, *(link - _LINK for link in links)}
        at = {path: task_struct.offsetof_(path) for path in WATCHED}
        return head, {
            m.offset(t + at[p]) >> 3: (t, p) for t in sorted(self._tasks) for p in WATCHED
        }

    def function(self, moment: Moment) -> str:
        """The innermost kernel function that was running at a moment; "" in user mode."""
        if not self.records or not moment[0]:
            return ""
        t = moment[0] - (0 if moment[1] else 1)
        return self._innermost(t, self.k.machine.trace.event(t).pid, _SWITCH)

    def sleeps_in(self, pid: int, moment: Moment) -> str:
        """The kernel function that task `pid` sleeps in at a moment; "" where that is not known."""
        if not self.records:
            return ""
        return self._innermost(moment[0] - 1, pid, _SWITCH | _SCHEDULER)

    # The last function that `pid` has entered and not left after event `t`, but for `ignored`.
    def _innermost(self, t: int, pid: int, ignored: frozenset[str]) -> str:
        inside = self._inside.get((pid, ignored))
        if inside is None:
            inside = self._inside[pid, ignored] = stack.Inside(self.k.machine, pid, ignored)
        return inside.after(t)


_SWITCH = frozenset({"__switch_to", "finish_task_switch"})  # begun by one task, ended by another
_SCHEDULER = frozenset({"schedule", "__schedule", "context_switch", "schedule_timeout"})
_LINK = task_struct.offsetof_("tasks")


# What the stored word means for the member: an int shares its word with another member.
def _part(member: str, word: int) -> int:
    ctype, offset = task_struct.field_(member)
    return word if ctype.sizeof_ == 8 else word >> 8 * (offset & 7) & 0xFFFFFFFF


# The single words of `watched` that were stored from event `since` on, oldest first: (the event
# after which, where the journal's record ends, index, old value, new value).
def _stored(
    m: Any, watched: dict[int, Any], since: int, now: int
) -> Iterator[tuple[int, int, int, int, int]]:
    first, last = m.trace.place(since), m.trace.place(now)
    looked, words = index.of(m, first), m.trace.words
    found = []
    for i in watched:
        ends = looked.stores(i, first, last)
        values = [*(looked.value(i, end) for end in ends), m.u64[i]]
        for n, end in enumerate(ends):
            if end - looked.start(end) == WORD:
                found.append((end, i, values[n], values[n + 1]))
    for end, i, old, new in sorted(found):
        yield bisect.bisect_left(words, end << PLACE_SHIFT) - 1, end, i, old, new
