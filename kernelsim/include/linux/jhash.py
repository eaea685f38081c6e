"""include/linux/jhash.h @ v5.10.188: Bob Jenkins's hash.  Left out: of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JHASH_INITVAL", "jhash2"]

JHASH_INITVAL = 0xDEADBEEF
_U32 = 0xFFFF_FFFF


def _rol32(word: int, shift: int) -> int:
    return (word << shift | word >> (32 - shift)) & _U32


# The rounds of __jhash_mix() and __jhash_final(): how far one word is rotated in each.
_MIX = (4, 6, 8, 16, 19, 4)
_FINAL = (14, 11, 25, 16, 4, 14, 24)


def jhash2(k: Sequence[int], length: int, initval: int) -> int:
    """Return the hash (u32) of the first `length` words (u32) of `k`, begun with `initval` (u32)."""
    a = b = c = (JHASH_INITVAL + (length << 2) + initval) & _U32
    at = 0
    while length > 3:
        a, b, c = (a + k[at]) & _U32, (b + k[at + 1]) & _U32, (c + k[at + 2]) & _U32
        for shift in _MIX:
            a = (a - c & _U32) ^ _rol32(c, shift)
            c = c + b & _U32
            a, b, c = b, c, a
        length -= 3
        at += 3
    if not length:
        return c
    last = [*k[at : at + length], 0, 0]
    a, b, c = (a + last[0]) & _U32, (b + last[1]) & _U32, (c + last[2]) & _U32
    for shift in _FINAL:
        c = (c ^ b) - _rol32(b, shift) & _U32
        a, b, c = b, c, a
    return b  # the last round's c
