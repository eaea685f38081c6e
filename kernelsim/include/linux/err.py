"""include/linux/err.h @ v5.10.188: an errno in the place of a pointer.

The last 4095 addresses are no memory; a function that returns a pointer says with them what failed.
"""

from __future__ import annotations

__all__ = ["ERR_PTR", "IS_ERR", "MAX_ERRNO", "PTR_ERR"]

MAX_ERRNO = 4095
_2_64 = 1 << 64


def ERR_PTR(error: int) -> int:
    """Return `error` (long), a negative errno, as an address (void *)."""
    return error % _2_64


def PTR_ERR(ptr: int) -> int:
    """Return the negative errno (long) that the address `ptr` (const void *) is."""
    return ptr - _2_64


def IS_ERR(ptr: int) -> bool:
    """Return whether the address `ptr` (const void *) is an errno."""
    return ptr >= _2_64 - MAX_ERRNO
