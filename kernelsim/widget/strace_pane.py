"""Every system call, signal and death, as strace -f prints them, beside the timeline."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import traitlets

from kernelsim.debug import strace
from kernelsim.view import text
from kernelsim.widget import base, pane
from kernelsim.widget.history import Moment

__all__ = ["StracePane"]

WINDOW = 300  # rows sent to the browser
PRINTED = 400  # rows in what a page without a kernel shows
LONGEST = 1000  # characters of a row


class StracePane(pane.Pane, kind="strace"):
    """Shows strace's rows; those after the moment shown are dim, and a click goes there.

    `on_jump` is called with the moment when the row that the reader chose is done and the next call begins.

    :param k: a Kernel, or one as it was.
    :param who: the number of the task whose rows are wanted; "" for all.
    :param call: text that the rows must have in them, such as "fork".
    """

    title = "strace"

    rows: Any = traitlets.List().tag(sync=True)
    first = traitlets.Int().tag(sync=True)
    total = traitlets.Int().tag(sync=True)
    until = traitlets.Int().tag(sync=True)
    tasks: Any = traitlets.List().tag(sync=True)
    who = traitlets.Unicode().tag(sync=True)
    call = traitlets.Unicode().tag(sync=True)
    can_jump = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, k: Any, task: Any = None, who: int | str = "", call: str = "") -> None:
        self._strace: Any = None
        self._names: Any = None
        self._found: list[strace.Row] = []
        self._jump: Callable[[Moment], None] | None = None
        super().__init__(k, task)
        self.who, self.call = str(who), call
        self.observe(self._filtered, ["who", "call"])

    @property
    def on_jump(self) -> Callable[[Moment], None] | None:
        """What is called with a moment, as `Kernel.at` takes it, when the reader chooses a row."""
        return self._jump

    @on_jump.setter
    def on_jump(self, jump: Callable[[Moment], None] | None) -> None:
        self._jump = jump
        self.can_jump = jump is not None

    # -- drawing -------------------------------------------------------------------------------

    def draw(self) -> None:
        """Read what has happened meanwhile, and show the rows around the moment."""
        m = pane.present(self.look)
        if self._strace is None or self._strace.m is not m:
            self._strace, self._names = strace.Strace(m), pane.Names(m)
        self._choose()

    # The rows that pass the filter, and of them those around the moment.
    def _choose(self, first: int | None = None) -> None:
        rows, m = self._strace.rows(), self._strace.m
        pids = sorted({row.pid for row in rows})
        names = self._names
        self.tasks = [[str(pid), *names.badge(pid, m.trace.now)] for pid in pids]
        wanted = self.call.strip().lower()
        self._found = [
            row
            for row in rows
            if self.who in {"", str(row.pid)} and (not wanted or wanted in row.text.lower())
        ]
        self.until = pane.until(self.look)
        done = sum(1 for row in self._found if row.t < self.until)
        self.total = len(self._found)
        if first is None:
            first = self.total - WINDOW if done > self.total - WINDOW else done - WINDOW // 2
        self.first = min(max(first, 0), max(self.total - WINDOW, 0))
        shown = self._found[self.first : self.first + WINDOW]
        self.rows = [self._row(row) for row in shown]
        self.heading = self._words(done, m)

    def _row(self, row: strace.Row) -> list[Any]:
        whole = text.printable(row.text)
        more = "…" if len(whole) > LONGEST else ""
        badge = self._names.badge(row.pid, row.t)
        return [row.t, row.end, row.pid, *badge, whole[:LONGEST] + more, row.known]

    def _words(self, done: int, m: Any) -> str:
        if not m.trace.on:
            return "This machine keeps no record of what it did (record=False)."
        rows = text.counted(self.total, "row")
        if done == self.total:
            return f"{rows}."
        return (
            f"{rows}, {text.grouped(done)} of them before the moment shown; the later ones are dim."
        )

    # -- the reader ----------------------------------------------------------------------------

    def _filtered(self, _change: Any) -> None:
        self._late = True
        if self.layout.display != "none":
            self.catch_up()

    def asked(self, message: dict[str, Any]) -> None:
        """The reader chose a row, or wants earlier or later ones."""
        if message.get("do") == "jump" and self._jump is not None:
            row = next((row for row in self._found if row.t == message.get("t")), None)
            if row is not None:
                self._jump(self._after(row))
        elif message.get("do") in {"earlier", "later"}:
            by = WINDOW // 2 if message["do"] == "later" else -(WINDOW // 2)
            self._choose(self.first + by)

    # The moment when what the row tells is done and the next call begins.
    def _after(self, row: strace.Row) -> Moment:
        m = self._strace.m
        following = (r.t for r in self._strace.rows() if r.t > row.end and pane.is_call(m, r))
        return next(following, m.trace.now), 0

    # -- without a kernel ----------------------------------------------------------------------

    def static(self) -> dict[str, str]:
        """The rows until the moment shown, as text."""
        self.catch_up()
        rows = [row for row in self._found if row.t < self.until]
        lines = [f"... {len(rows) - PRINTED} rows before"] if len(rows) > PRINTED else []
        for row in rows[-PRINTED:]:
            known = row.text if row.end < self.until else row.text[: row.known]
            lines.append(f"[pid {row.pid:5}] {text.clip(text.printable(known), LONGEST)}")
        said = "\n".join(lines)
        return {
            "text/plain": "\n".join(filter(None, (self.heading, said))),
            "text/html": base.paragraphs(self.heading) + f"<pre>{html.escape(said)}</pre>",
        }
