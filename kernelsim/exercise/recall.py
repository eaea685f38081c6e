"""Which questions of earlier chapters come back today."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kernelsim.exercise import bank, progress
from kernelsim.exercise.progress import Progress

__all__ = ["agenda"]


def agenda(kept: Progress, before: str = "") -> list[tuple[dt.date, str]]:
    """Return the named questions that have been answered, each with the day it comes back.

    Those that come back first are first; of one day, those of the chapter read longest ago.

    :param before: only those of chapters before this one.
    """
    tries: dict[str, list[dict[str, Any]]] = {}
    for record in kept.records():  # a question that was worded anew is still the same one
        tries.setdefault(record.name, []).extend(record.tries)
    found = [
        (progress.due(sorted(tries[name], key=lambda one: one["date"])), name)
        for name in bank.names()
        if name in tries and (not before or name.partition("-")[0] < before)
    ]
    return sorted(found, key=lambda entry: entry[0])
