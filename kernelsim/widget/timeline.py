"""A timeline over everything that happened: step, jump, come back."""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import Any

import traitlets

from kernelsim.widget import base, words
from kernelsim.widget.history import LEVELS, History, Moment

__all__ = ["Timeline"]


class Timeline(base.Widget, kind="timeline"):
    """Walks through the past of a kernel; `place` is the number of the moment shown.

    :param k: a Kernel.
    :param level: how to walk, a key of `history.LEVELS`; by default from one call that was fired
        to the next, or from one system call to the next where a program makes them.
    """

    place = traitlets.Int().tag(sync=True)
    last = traitlets.Int().tag(sync=True)
    level = traitlets.Enum(list(LEVELS), default_value="fired").tag(sync=True)
    levels = traitlets.List(list(LEVELS.items())).tag(sync=True)
    calls: Any = traitlets.List().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    past = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, k: Any, level: str | None = None) -> None:
        super().__init__()
        self.on_moved: Callable[[], None] | None = None
        self._moments: list[Moment] = []
        self._reading = False
        self.drive(k, level)
        self.observe(self._walked, "place")
        self.observe(self._changed_level, "level")

    def __repr__(self) -> str:
        return f"Timeline, {self.label}: {self.sentence}"

    def drive(self, k: Any, level: str | None = None) -> None:
        """Walk through the past of `k` from now on, beginning now."""
        self.kernel = k
        self.history = History(k)
        known, self._moments = bool(self._moments), []
        self.level = level or (self.level if known else self.history.usual_level())
        self.look(to_now=True)

    # -- where we are --------------------------------------------------------------------------

    @property
    def moment(self) -> Moment:
        """The moment shown, as `Kernel.at` takes it."""
        return self._moments[self.place]

    @property
    def previous(self) -> Moment:
        """The moment before it, at the same way of walking."""
        return self._moments[max(self.place - 1, 0)]

    @property
    def end(self) -> Moment:
        """The present, as it was when we looked last."""
        return self._moments[-1]

    def seen(self, moment: Moment) -> Any:
        """The kernel at a moment: itself if that is now."""
        return self.kernel if moment == self.history.now else self.history.at(moment)

    # -- moving --------------------------------------------------------------------------------

    def look(self, *, to_now: bool = False) -> None:
        """Read what has happened meanwhile; go to the present, or stay where we are."""
        moment = self._moments[self.place] if self._moments else None
        self._moments = self.history.moments(self.level)
        place = len(self._moments) - 1
        if not to_now and moment is not None and moment < self._moments[-1]:
            place = max(i for i, m in enumerate(self._moments) if m <= moment or i == 0)
        self._reading = True  # on_moved is for the reader's own steps
        with self.hold_sync():
            self.last = len(self._moments) - 1
            self.calls = [call.words for call in self._jumps()]
            self.place = place
            self._describe()
        self._reading = False

    def _jumps(self) -> list[Any]:
        self._ends = self.history.calls() if self.history.records else []
        return self._ends

    def step(self, by: int) -> None:
        """Move by so many steps; at either end, stay."""
        self._go(self.place + by)

    # Pictures are sent before the place, which is sent with its words.
    def _go(self, place: int) -> None:
        with self.hold_sync():
            self.place = min(max(place, 0), self.last)

    def jump(self, number: int) -> None:
        """Go to the moment after a system call, by its number in `calls`."""
        end = self._ends[number].end
        if end not in self._moments:
            self.level = "call"
        self._go(self._moments.index(end))

    def go(self, moment: Moment) -> None:
        """Go to a moment, or to the last one before it at this way of walking."""
        self._go(max(bisect.bisect_right(self._moments, moment) - 1, 0))

    def _walked(self, change: Any) -> None:
        if self._reading:
            return
        if not 0 <= change["new"] < len(self._moments):
            self.place = min(max(change["new"], 0), len(self._moments) - 1)
            return
        if self.on_moved is not None:
            self.on_moved()
        self._describe()

    def _changed_level(self, _change: Any) -> None:
        if self._moments:
            self.look(to_now=not self.past)
            if self.on_moved is not None:
                self.on_moved()

    def heard(self, message: dict[str, Any]) -> None:
        """The reader steps or jumps."""
        do, number, by = (message.get(name) for name in ("do", "number", "by"))
        if do == "jump" and isinstance(number, int) and 0 <= number < len(self.calls):
            self.jump(number)
        elif do == "step" and isinstance(by, int):
            self.step(by)

    # -- words ---------------------------------------------------------------------------------

    def _describe(self) -> None:
        with self.hold_sync():
            self.past = self.place < self.last
            self.label = self._label()
            self.sentence = self._sentence()

    def _label(self) -> str:
        if not self.history.records:
            return "now; this machine keeps no past (record=False)"
        t, stores = self.moment
        where = f"event {t}" + (f", store {stores // 2}" if stores else "")
        return f"{where}, {'the past' if self.past else 'now'}"

    # What happened on the way here from the moment before, and what it has changed.
    def _sentence(self) -> str:
        if not self.place:
            return "Nothing has been fired yet: the kernel has booted."
        said = words.told(self.history, self.previous, self.moment)
        choice = self.history.choice(self.moment)
        if choice is None or not self.past:
            return said
        return f"{said} {words.chosen(choice, self.seen(self.moment))}"

    def static(self) -> dict[str, str]:
        """Where we are, in words."""
        return {"text/plain": repr(self), "text/html": base.paragraphs(repr(self))}
