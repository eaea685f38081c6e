"""Random programs, on Linux and in the simulator: `make fuzz N=1000 SEED=1`.

A difference is shrunk to the fewest commands that still show it, and printed.
"""

import argparse
import collections
import concurrent.futures
import sys

import kernelsim as ks
from kernelsim import host
from tests.oracle import agents

__all__ = ["differs", "main", "shrunk"]

PATIENCE = (1, 3, 10)  # a busy machine may take longer to come to rest than agents.REST


def differs(commands: list[agents.Command]) -> str:
    """Say how the simulator's outcome differs from Linux's, "" if it does not."""
    program = agents.program(commands)
    try:
        simulated = agents.outcome(ks.run(program))
    except Exception as error:  # noqa: BLE001 (a difference like any other)
        return f"the simulator: {type(error).__name__}: {error}"
    words = ""
    for factor in PATIENCE:
        slower = agents.program(commands, factor * agents.REST)
        real = agents.outcome(host.run(slower, timeout=60))
        if real == simulated:
            return ""
        words = f"Linux:     {real}\nkernelsim: {simulated}"
    return words


def shrunk(commands: list[agents.Command]) -> list[agents.Command]:
    """Leave out commands as long as the difference stays."""
    i = len(commands) - 1
    while i >= 0:
        fewer = commands[:i] + commands[i + 1 :]
        if commands[i].name != "fork" and differs(fewer):
            commands = fewer
        i -= 1
    return commands


def _tried(seed: int) -> tuple[int, str]:
    return seed, differs(agents.script(seed))


def main() -> int:
    """Run the programs that the command line asks for; the number of differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1000, help="how many programs")
    parser.add_argument("--seed", type=int, default=1, help="which ones: each seed has its own")
    parser.add_argument("--jobs", type=int, default=4, help="how many at a time")
    given = parser.parse_args()
    seeds = range(given.seed * 1_000_000, given.seed * 1_000_000 + given.n)
    found, covered = 0, collections.Counter[str]()
    with concurrent.futures.ProcessPoolExecutor(given.jobs) as pool:
        for seed, words in pool.map(_tried, seeds, chunksize=4):
            covered.update(agents.coverage(agents.script(seed)))
            if words:
                found += 1
                smallest = shrunk(agents.script(seed))
                lines = "\n".join(f"  {command}" for command in smallest)
                sys.stdout.write(f"seed {seed}:\n{lines}\n{differs(smallest) or words}\n\n")
    table = "\n".join(f"{count:6} {what}" for what, count in sorted(covered.items()))
    sys.stdout.write(f"{table}\n{given.n} programs, {found} differences\n")
    return min(found, 99)


if __name__ == "__main__":
    sys.exit(main())
