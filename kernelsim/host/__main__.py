"""`python -m kernelsim.host record`: write what this machine's Linux does with each program."""

from __future__ import annotations

import argparse

from kernelsim.host import transcripts
from kernelsim.user import programs

__all__ = ["main"]


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m kernelsim.host", description=__doc__)
    parser.add_argument("command", choices=["record"])
    parser.parse_args()
    transcripts.record(programs.ALL)


if __name__ == "__main__":
    main()
