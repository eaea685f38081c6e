"""The bench runs, every row of it; how long anything takes is no test."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent / "bench"


def test_every_row_of_the_bench_runs():
    done = subprocess.run(
        [sys.executable, str(BENCH / "run.py"), "--tiny"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    table = done.stdout
    for word in (
        "life cycle, simulated / small Python",
        "among 6 / 3",
        "idr_find at 100",
        "import",
        "SVG",
    ):
        assert word in table


def test_an_unknown_section_is_refused_with_the_names_of_those_there_are():
    done = subprocess.run(
        [sys.executable, str(BENCH / "run.py"), "lief"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "life, growth" in done.stderr
