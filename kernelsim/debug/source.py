"""Where a function stands in the source of Linux 5.10.188: path, line, and a link to read it.

    source.place("copy_process")   # Place(path='kernel/fork.c', line=1857)
    source.link("copy_process")    # https://elixir.bootlin.com/linux/v5.10.188/source/kernel/fork.c#L1857

The table beside this module is written by `source_table` from the kernel's own files.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

__all__ = ["Place", "link", "place", "table"]

TABLE = Path(__file__).with_name("source.tsv")
RELEASE = "5.10.188"
SITE = f"https://elixir.bootlin.com/linux/v{RELEASE}/source"


class Place(NamedTuple):
    """A file of the kernel source, and the line where a function's definition names it."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@functools.cache
def table() -> dict[str, Place]:
    """Return where each function is defined, by name; a system call's is ``sys_NAME``."""
    rows = (line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines())
    return {name: Place(path, int(line)) for name, path, line in rows}


def place(name: str) -> Place | None:
    """Return where the function `name` is defined, None for one that is not in the table.

    ``__x64_sys_fork`` is made by the line that defines ``sys_fork``.
    """
    return table().get(name.removeprefix("__x64_"))


def link(name: str) -> str:
    """Return the address of the line where the function `name` is defined, "" for one not in the table."""
    found = place(name)
    return f"{SITE}/{found.path}#L{found.line}" if found else ""
