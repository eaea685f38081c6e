"""What a named real kernel did with each program, for machines that cannot run them.

No counterpart in Linux. `python -m kernelsim.host record` writes the file that `transcript` reads:
stdout and wait status per program, and the kernel's name; the calls are left out.
"""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

from kernelsim.host import caller, result

__all__ = ["PATH", "record", "transcript"]

PATH = pathlib.Path(__file__).with_name("transcripts.json")


def transcript(program: Callable[..., Any] | str) -> result.Run:
    """The recorded run of a program of `kernelsim.user.programs`, given itself or its name.

    `kernel_release` of the result names the kernel; it has no records. KeyError for a program that
    was not recorded.
    """
    name = program if isinstance(program, str) else program.__name__
    book = _read()
    if name not in book["programs"]:
        raise KeyError(f"no recorded run of {name!r}; there are {', '.join(book['programs'])}")
    stdout, status = book["programs"][name]
    return result.Run(stdout=stdout.encode(), status=status, kernel_release=book["kernel"])


@functools.cache
def _read() -> dict[str, Any]:
    book: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return book


def record(programs: Mapping[str, Any]) -> None:
    """Run every program on this machine's Linux and write what came of it to `PATH`."""
    runs = {name: caller.run(programs[name]) for name in sorted(programs)}
    book = {
        "kernel": caller.kernel_release(),
        "programs": {name: [run.stdout.decode(), run.status] for name, run in runs.items()},
    }
    PATH.write_text(json.dumps(book, indent=1) + "\n", encoding="utf-8")
    _read.cache_clear()
