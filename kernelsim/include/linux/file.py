"""include/linux/file.h @ v5.10.188: an open file while a call uses it."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["FDPUT_FPUT", "fd"]

FDPUT_FPUT = 1


class fd(NamedTuple):
    """What fdget() found: the open file (struct file *), NULL if none, and whether to give it back."""

    file: Any
    flags: int
