"""Text as it may be shown: hostile names made harmless, widths counted in cells.

A task's name is sixteen bytes that a program chooses (``prctl(PR_SET_NAME)``): it may hold quotes,
braces, line feeds, half of a UTF-8 character or a reversal of the writing direction. Whatever it
is, it becomes here one line of visible characters; ``dot`` and ``draw`` then escape those for their
own syntax.
"""

from __future__ import annotations

import functools
import unicodedata

__all__ = ["cells", "clip", "counted", "grouped", "printable"]

# A character that is shown as it is, yet takes no cell of its own or changes its neighbours.
_JOINING = frozenset({"Mn", "Mc", "Me", "Cf"})
_NAMED = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\0": r"\0", "\x1b": r"\e"}


def printable(text: str | bytes) -> str:
    r"""The text on one line, every character visible and one to two cells wide.

    >>> printable(b"a\nb\xff")
    'a\\nb\\xff'
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


@functools.lru_cache(maxsize=4096)
def _visible(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    # isprintable() is false for controls, surrogates, private and unassigned characters and all
    # separators but the space.
    if char.isprintable() and unicodedata.category(char) not in _JOINING:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cells(text: str) -> int:
    """Width of printable text in columns of a terminal; wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def clip(text: str, limit: int) -> str:
    """The text if it fits into ``limit`` cells, else its beginning and ``…``."""
    if cells(text) <= limit:
        return text
    kept = ""
    for char in text:
        if cells(kept + char) >= limit:
            break
        kept += char
    return kept + "…"


def grouped(number: int) -> str:
    """A count for people: ``9 987``."""
    return f"{number:,}".replace(",", " ")


def counted(number: int, noun: str) -> str:
    """``1 node``, ``2 nodes``, ``9 987 nodes``."""
    return f"{grouped(number)} {noun}" + ("" if number == 1 else "s")
