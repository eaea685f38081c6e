"""A life cycle, clone → run → exit → wait → release: simulated, and in the real kernel.

Each side is a fresh process of its own: the real one a small Python that has imported nothing, a
recording and a not recording kernel apart from each other, for recording changes the functions.
They take turns, a few dozen cycles each, and ratios are taken turn by turn.
"""

from __future__ import annotations

import os
import subprocess
import sys

from bench.table import Row, Rows, Size, median

REAL = """
import os, sys, time
def cycle():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
"""
SIMULATED = """
import sys, time
import kernelsim as ks
k = ks.boot(record={record})
sh = k.spawn("sh")
def cycle():
    child = k.call(sh, "fork")
    k.call(child, "exit", 0)
    k.call(sh, "waitpid", child, 0)
"""
LOOP = """
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        cycle()
        times.append(time.perf_counter() - start)
    print(*times, flush=True)
"""


class Side:
    """A process that runs life cycles when asked to."""

    def __init__(self, source: str, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *options, "-c", source + LOOP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cycle(self, times: int) -> float:
        """Run some life cycles; the median, in microseconds."""
        assert self._process.stdin
        assert self._process.stdout
        print(times, file=self._process.stdin, flush=True)
        return 1e6 * median([float(word) for word in self._process.stdout.readline().split()])

    def end(self) -> None:
        self._process.communicate()


def rows(size: Size) -> Rows:
    sides = {
        "off": Side(SIMULATED.format(record=False)),
        "on": Side(SIMULATED.format(record=True)),
    }
    if hasattr(os, "fork"):
        sides["real"] = Side(REAL, "-I", "-S")
    for side in sides.values():
        side.cycle(size.cycles)  # to warm up
    turns = [
        {name: side.cycle(size.cycles) for name, side in sides.items()} for _ in range(size.rounds)
    ]
    for side in sides.values():
        side.end()
    yield Row("life cycle, recording off", median([turn["off"] for turn in turns]), "µs")
    yield Row("life cycle, recording on", median([turn["on"] for turn in turns]), "µs")
    cost = median([turn["on"] / turn["off"] for turn in turns])
    if "real" in sides:
        yield Row("life cycle, real kernel", median([turn["real"] for turn in turns]), "µs")
        for name, target in (("off", 0.6), ("on", 1.0)):
            ratio = median([turn[name] / turn["real"] for turn in turns])
            yield Row(f"life cycle, simulated / real, recording {name}", ratio, "x", target)
    yield Row("life cycle, recording on / off", cost, "x")
