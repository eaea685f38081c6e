"""Python's values as C has them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["signals", "sigset", "to_int"]


def to_int(value: Any, name: str) -> int:
    """An int as C has it: 32 bits, signed."""
    number = operator.index(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError(f"{name} {number} does not fit into a C int")
    return number


def sigset(signals: Iterable[int]) -> int:
    """A sigset_t: bit n - 1 for signal n.  ValueError for what is no signal, as in Python."""
    found = 0
    for sig in signals:
        if not 1 <= sig <= 64:
            raise ValueError(f"signal number {sig} out of range [1; 64]")
        found |= 1 << (sig - 1)
    return found


def signals(mask: int) -> set[int]:
    """The signals in a sigset_t."""
    return {sig for sig in range(1, 65) if mask >> (sig - 1) & 1}
