"""What a fork and a life cycle cost among many live tasks.

The live tasks are children of many puppets, and who forks and waits is a puppet of its own: what
Linux does once for each child of the same parent (looking through them in wait) is not measured.
"""

from __future__ import annotations

from typing import Any

import kernelsim as ks
from bench.table import Row, Rows, Size, median, seconds

BROOD = 128  # children of each puppet
BATCH = 10


def populate(tasks: int, *, record: bool = False) -> Any:
    """A kernel with `tasks` live processes."""
    k = ks.boot(memory="8G", pid_max=131_072, record=record)
    parent = k.spawn("parent")
    for n in range(tasks - len(k.tasks())):
        if n % BROOD:
            k.call(parent, "fork")
        else:
            parent = k.spawn("parent")
    return k


class Crowd:
    """A kernel with many tasks, and one that forks and waits."""

    def __init__(self, tasks: int) -> None:
        self.k = populate(tasks)
        self.parent = self.k.spawn("fresh")

    def life(self, times: int) -> float:
        """Microseconds for a life cycle."""
        k, parent = self.k, self.parent

        def cycle() -> None:
            child = k.call(parent, "fork")
            k.call(child, "exit", 0)
            k.call(parent, "waitpid", child, 0)

        return 1e6 * median([seconds(cycle) for _ in range(times)])

    def fork(self, times: int) -> float:
        """Microseconds for a fork alone; the children end afterwards."""
        k, parent = self.k, self.parent
        costs = [seconds(lambda: k.call(parent, "fork")) for _ in range(times)]
        for task in k.tasks()[-times:]:
            k.call(task, "exit", 0)
            k.call(parent, "wait")
        return 1e6 * median(costs)


def rows(size: Size) -> Rows:
    crowds = [Crowd(level) for level in size.levels]
    for what in ("life cycle", "fork"):
        turns = [
            [crowd.life(BATCH) if what == "life cycle" else crowd.fork(BATCH) for crowd in crowds]
            for _ in range(size.rounds)
        ]
        for i, level in enumerate(size.levels):
            yield Row(f"{what} among {level:,} tasks", median([turn[i] for turn in turns]), "µs")
        for i, level in enumerate(size.levels[1:], 1):
            ratio = median([turn[i] / turn[0] for turn in turns])
            target = 1.3 if i == len(size.levels) - 1 else None
            yield Row(f"{what} among {level:,} / {size.levels[0]:,}", ratio, "x", target)
