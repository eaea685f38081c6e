"""How long it takes to begin: importing, booting."""

from __future__ import annotations

import subprocess
import sys

import kernelsim as ks
from bench.table import Row, Rows, Size, best_ms, median

IMPORT = """
import time
start = time.perf_counter()
import kernelsim
print(time.perf_counter() - start)
"""


def importing() -> float:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
    )
    return 1e3 * float(done.stdout)


def rows(size: Size) -> Rows:
    importing()  # to have everything compiled
    took = median([importing() for _ in range(size.starts)])
    yield Row("import kernelsim, in a fresh process", took, "ms", 150)
    for record in (False, True):
        took = best_ms(lambda record=record: ks.boot(record=record), size.starts)  # type: ignore[misc]
        yield Row(f"boot(), recording {'on' if record else 'off'}", took, "ms", 50)
