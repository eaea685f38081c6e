"""A life cycle, clone → run → exit → wait → release: simulated, and in the real kernel.

Each side is a fresh process of its own, a recording and a not recording kernel apart from each
other, for recording changes the functions.  They take turns, a few dozen cycles each, and ratios
are taken turn by turn.

What fork costs for real depends on what the process has mapped.  So there are two real ones: a
*small* Python, an interpreter with what a small script imports (some 100 mappings), which the
targets mean; and a *bare* one, which has imported nothing (some 40), three times as fast.
"""

from __future__ import annotations

import os
import subprocess
import sys

from bench.table import Row, Rows, Size, median

BARE = """
import os, sys, time
def cycle():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
"""
SMALL = "import argparse, json, pathlib, random, re, subprocess, tempfile, threading" + BARE
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
        sides["small"] = Side(SMALL, "-I", "-S")
        sides["bare"] = Side(BARE, "-I", "-S")
    for side in sides.values():
        side.cycle(size.cycles)  # to warm up
    turns = [
        {name: side.cycle(size.cycles) for name, side in sides.items()} for _ in range(size.rounds)
    ]
    for side in sides.values():
        side.end()
    yield Row("life cycle, recording off", _middle(turns, "off"), "µs")
    yield Row("life cycle, recording on", _middle(turns, "on"), "µs")
    cost = median([turn["on"] / turn["off"] for turn in turns])
    for real in ("small", "bare") if "small" in sides else ():
        yield Row(f"life cycle, {real} Python in the real kernel", _middle(turns, real), "µs")
        for name, target in (("off", 0.6), ("on", 1.0)):
            ratio = median([turn[name] / turn[real] for turn in turns])
            what = f"life cycle, simulated / {real} Python, recording {name}"
            yield Row(what, ratio, "x", target if real == "small" else None)
    yield Row("life cycle, recording on / off", cost, "x")


def _middle(turns: list[dict[str, float]], side: str) -> float:
    return median([turn[side] for turn in turns])
