"""make bench: measure, and print one table.

Every section runs in a fresh process.  What is measured depends on the machine and on who else uses
it; so nothing here is a test, and ratios are taken between neighbours in time.

    python bench/run.py [--tiny] [section …]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from bench import clicks, growth, ids, life, looking, past, start, stepping, weight
from bench.table import FULL, HEADER, TINY

SECTIONS = {
    "life": life.rows,
    "growth": growth.rows,
    "memory": weight.rows,
    "memory-recorded": weight.rows_recorded,
    "idr": ids.rows,
    "hash": ids.hash_rows,
    "start": start.rows,
    "looking": looking.rows,
    "past": past.rows,
    "stepping": stepping.rows,
    "clicks": clicks.rows,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="measure kernelsim")
    parser.add_argument("section", nargs="*", help=", ".join(SECTIONS))
    parser.add_argument("--tiny", action="store_true", help="only see that every row runs")
    parser.add_argument("--rows", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not set(chosen.section) <= SECTIONS.keys():
        parser.error(f"the sections are {', '.join(SECTIONS)}")
    if chosen.rows:
        for name in chosen.section:
            for row in SECTIONS[name](TINY if chosen.tiny else FULL):
                print(row, flush=True)
        return 0
    print(HEADER, flush=True)
    options = ["--rows", "--tiny"] if chosen.tiny else ["--rows"]
    for name in chosen.section or SECTIONS:
        done = subprocess.run([sys.executable, __file__, *options, name], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
