"""The memory of the Python process with many live tasks."""

from __future__ import annotations

import re
from pathlib import Path

from bench import growth
from bench.table import Row, Rows, Size

STATUS = Path("/proc/self/status")


def resident_mib() -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", STATUS.read_text(encoding="utf-8"))
    assert found
    return int(found[1]) / 1024


def weigh(size: Size, *, record: bool) -> Rows:
    if not STATUS.exists():
        return
    before = resident_mib()
    k = growth.populate(size.tasks, record=record)
    after, count = resident_mib(), len(k.tasks())
    mode = "on" if record else "off"
    yield Row(f"memory with {count:,} live tasks, recording {mode}", after, "MiB", 512)
    yield Row(f"  of it for each task, recording {mode}", 1024 * (after - before) / count, "KiB")


def rows(size: Size) -> Rows:
    yield from weigh(size, record=False)


def rows_recorded(size: Size) -> Rows:
    yield from weigh(size, record=True)
