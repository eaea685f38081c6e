"""The table: one row for each figure, and whether it is within its target."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Rows = Iterator["Row"]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 15  # pairs of measurements, one beside the other
    cycles: int = 60  # life cycles in each
    levels: tuple[int, ...] = (100, 1_000, 10_000, 32_768)  # live tasks
    ids: tuple[int, ...] = (64, 4_096, 262_144, 4_194_303)
    hashed: tuple[int, ...] = (64, 4_096, 32_767, 262_144)
    tasks: int = 32_768  # live tasks when memory is weighed
    crowd: int = 10_000  # tasks in the folded picture
    starts: int = 7  # fresh processes


FULL = Size()
TINY = Size(2, 2, (3, 6), (64, 100), (20, 40), 4, 40, 1)  # to see that every row runs


@dataclass(frozen=True)
class Row:
    """One figure; `target` is the most that it may be, None if nothing was promised."""

    name: str
    figure: float
    unit: str
    target: float | None = None

    def __str__(self) -> str:
        digits = 2 if self.unit == "x" else 1
        target, verdict = "", ""
        if self.target is not None:
            target = f"≤ {self.target:g} {self.unit}"
            verdict = "ok" if self.figure <= self.target else "OVER"
        return f"{self.name:<62} {self.figure:>9.{digits}f} {self.unit:<3} {target:>11}  {verdict}".rstrip()


HEADER = f"{'what':<62} {'figure':>9} {'':<3} {'target':>11}"


def median(values: list[float]) -> float:
    return statistics.median(values)


def seconds(action: Callable[[], object]) -> float:
    """How long `action` takes, once."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def best_ms(action: Callable[[], object], times: int) -> float:
    """The shortest of several times, in milliseconds: what it takes when nobody disturbs."""
    return 1e3 * min(seconds(action) for _ in range(times))
