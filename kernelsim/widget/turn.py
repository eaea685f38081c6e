"""Who runs and who waits for the CPU, by vruntime; let another one run next, or let CFS choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from kernelsim import steer
from kernelsim.machine.memory import Fault
from kernelsim.widget import base, words

__all__ = ["Turn"]

MOST = 4  # tasks shown; the others are counted
_MS = 1_000_000


class Turn(base.Widget, kind="turn"):
    """Shows the run queue of a kernel at a moment, and who is chosen there.

    At the present every waiting task can be brought to the CPU.  At a choice in the past another
    one can be chosen, in a branch.  `on_run` is told the address, in hex; "" lets CFS choose.
    """

    rows: Any = traitlets.List().tag(sync=True)  # address, label, vruntime, what it is, action
    more = traitlets.Unicode().tag(sync=True)
    scheduler = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.on_run: Callable[[str], None] | None = None

    def __repr__(self) -> str:
        return f"Who runs next: {self._words()}"

    def _words(self) -> str:
        rows = [
            f"{label} ({', '.join(filter(None, (vruntime, what)))})"
            for _, label, vruntime, what, _ in self.rows
        ]
        return "; ".join([*rows, *filter(None, [self.more])]) or "nobody: all sleep"

    def show(self, look: Any, choice: Any, *, past: bool) -> None:
        """Show the queue of a kernel at a moment, and the `steer.Choice` that is made there, or None."""
        try:
            queued = steer.queue(look)
        except (Fault, ValueError):  # the queue is broken: the pictures say so
            queued = []
        rows = [_row(q, choice, queued, past=past) for q in queued]
        marked = [i for i, row in enumerate(rows) if row[3]]  # who runs is shown, wherever it is
        others = [i for i, row in enumerate(rows) if not row[3]]
        shown = [rows[i] for i in sorted([*marked, *others][:MOST])]
        with self.hold_sync():
            self.rows = shown
            self.more = f"and {len(rows) - MOST:,} more" if len(rows) > MOST else ""
            self.scheduler = not past and len(rows) > 1

    def heard(self, message: dict[str, Any]) -> None:
        """The reader says who is to run next."""
        if message.get("do") == "run" and self.on_run is not None:
            address = message.get("task", "")
            if (address == "" and self.scheduler) or address in [r[0] for r in self.rows if r[4]]:
                self.on_run(address)

    def static(self) -> dict[str, str]:
        """The queue in words."""
        return {"text/plain": repr(self), "text/html": base.paragraphs(repr(self))}


# A row for the script: address, label, vruntime, what it is, and what a click on it does.
def _row(q: steer.Queued, choice: Any, queued: list[steer.Queued], *, past: bool) -> list[str]:
    address, lead = q.task.address_, q.lead - min(other.lead for other in queued)
    vruntime = f"vruntime +{lead / _MS:.3f} ms" if lead else "least vruntime"
    what, action = "runs" if q.running else "", ""
    if choice is not None:
        what = _chosen(address, choice)
        action = "let it run" if address in choice.menu and address != choice.ran else ""
    elif not past and not q.running:
        action = "let it run"
    return [hex(address), words.name(q.task), vruntime, what, action]


def _chosen(address: int, choice: Any) -> str:
    if address == choice.ran:
        return "the scheduler's choice" if address == choice.cfs else "chosen by you"
    if address == choice.cfs:
        return "would be the scheduler's choice"
    return "" if address in choice.menu else "has nothing to do"
