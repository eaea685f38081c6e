"""include/linux/file.h @ v5.10.188: an open file while a call uses it."""

from __future__ import annotations

from typing import Any, NamedTuple

from kernelsim.machine.ctype import ptr, u32
from kernelsim.machine.ref import Struct

__all__ = ["FDPUT_FPUT", "fd"]

FDPUT_FPUT = 1


class fd(NamedTuple):
    """What fdget() found: the open file (struct file *), NULL if none, and whether to give it back."""

    file: Any
    flags: int


class _fd(Struct):
    # struct fd as it lies on the kernel stack of a caller that holds a count of the file.
    file = ptr("file")
    flags = u32
