"""Python's values as C has them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["environment", "signals", "sigset", "strings", "to_int"]


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


def strings(argv: Iterable[str | bytes]) -> list[bytes]:
    """An array of strings.  ValueError and TypeError for what os.execve() would not take."""
    if isinstance(argv, str | bytes):
        raise TypeError("execve: argv must be a tuple or list")
    found = [_string(arg) for arg in argv]
    if not found:
        raise ValueError("execve: argv must not be empty")
    if not found[0]:
        raise ValueError("execve: argv first element cannot be empty")
    return found


def environment(env: Mapping[str, str]) -> list[bytes]:
    """An environment: strings NAME=value."""
    found = []
    for name, value in env.items():
        key = _string(name)
        if not key or b"=" in key[1:]:
            raise ValueError("illegal environment variable name")
        found.append(key + b"=" + _string(value))
    return found


def _string(text: str | bytes) -> bytes:
    if not isinstance(text, str | bytes):
        raise TypeError(f"expected str or bytes, not {type(text).__name__}")
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    if b"\0" in data:
        raise ValueError("embedded null byte")
    return data


def signals(mask: int) -> set[int]:
    """The signals in a sigset_t."""
    return {sig for sig in range(1, 65) if mask >> (sig - 1) & 1}
