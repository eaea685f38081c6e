"""Random programs, on Linux and in the simulator: `make fuzz N=1000 SEED=1`.

Each is carried out by actors (tests/oracle/actors.py) on both; in the simulator the whole machine
is validated after each call, and nothing may be left behind at the end.  A difference is shrunk to
the fewest commands that still show it, and printed; at last a table says how often each call and
flag was made.
"""

import argparse
import collections
import concurrent.futures
import difflib
import functools
import os
import sys
import traceback

from tests.oracle import commands, coverage, due, stages

__all__ = ["Outcome", "compare", "differs", "main", "shrunk"]

AGAIN = 4  # where two deaths at once can come in two orders, Linux may need more than one try
EVERY = 8  # of the calls that only carry commands and news, one in so many is validated after

Outcome = list[list[str]]


def compare(
    program: list[commands.Command], directory: str, seed: int = 0
) -> tuple[str, Outcome, int]:
    """How the simulator's outcome differs from Linux's ("" if it does not), Linux's, the tries it took."""
    try:
        simulated = stages.outcome(stages.simulated(program, EVERY, seed))
    except Exception as error:  # noqa: BLE001 (a difference like any other)
        words = "".join(traceback.format_exception(error)[-4:])
        return f"the simulator: {words}", [], 0
    words, real = "", Outcome()
    for tries in range(1, AGAIN + 1):
        real = _of_5_10(program, stages.outcome(stages.on_linux(program, directory)))
        if real == simulated:
            return "", real, tries
        words = words or _difference(program, real, simulated)
    return words, real, AGAIN


def _of_5_10(program: list[commands.Command], real: Outcome) -> Outcome:
    # pidfd_getfd() of a dead process is ESRCH on newer kernels, where 5.10 finds no such descriptor.
    def line(text: str) -> str:
        words = text.split(" ")
        old = len(words) == 3 and words[1].isdigit() and words[2] == "-3"
        if old and program[int(words[1])].name == "pidfd_getfd":
            return f"{words[0]} {words[1]} -9"
        return text

    return [[line(text) for text in period] for period in real]


def _difference(program: list[commands.Command], real: Outcome, simulated: Outcome) -> str:
    # The first command after which they differ.
    for a, b in zip(real, simulated, strict=False):
        if a != b:
            lines = difflib.unified_diff(a, b, "Linux", "kernelsim", n=20, lineterm="")
            return "\n".join(lines)
    return f"Linux: {len(real)} periods, kernelsim: {len(simulated)}"


def differs(program: list[commands.Command], directory: str) -> str:
    """As `compare`, the words alone."""
    return compare(program, directory)[0]


def shrunk(program: list[commands.Command], directory: str) -> list[commands.Command]:
    """Leave out commands as long as a difference stays."""
    i = len(program) - 1
    while i >= 0:
        fewer = program[:i] + program[i + 1 :]
        if differs(fewer, directory):
            program = fewer
        i -= 1
    return program


def _tried(directory: str, seed: int) -> tuple[int, str, list[tuple[str, str]], int]:
    program = due.random_program(seed)
    words, told, tries = compare(program, directory, seed)
    return seed, words, list(coverage.made(program, told)), tries


def _said(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> int:
    """Run the programs that the command line asks for; the number of differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1000, help="how many programs")
    parser.add_argument("--seed", type=int, default=1, help="which ones: each seed has its own")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    given = parser.parse_args()
    seeds = range(given.seed * 1_000_000, given.seed * 1_000_000 + given.n)
    found, again, covered = 0, 0, collections.Counter[tuple[str, str]]()
    with stages.compiled() as directory:
        tried = functools.partial(_tried, directory)
        with concurrent.futures.ProcessPoolExecutor(given.jobs) as pool:
            for seed, words, made, tries in pool.map(tried, seeds, chunksize=4):
                covered.update(made)
                again += tries > 1
                if words:
                    found += 1
                    smallest = shrunk(due.random_program(seed), directory)
                    lines = "\n".join(f"  {command}" for command in smallest)
                    _said(f"seed {seed}:\n{lines}\n{differs(smallest, directory) or words}\n\n")
    _said(f"{coverage.table(covered)}\n{given.n} programs, {found} differences")
    _said(f"; Linux took more than one try at {again}\n")
    for name in coverage.missing(covered):
        _said(f"0 times: {name}\n")
    return min(found, 99)


if __name__ == "__main__":
    sys.exit(main())
