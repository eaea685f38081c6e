"""The terminal: what programs wrote, as it was at a moment, and who wrote which part."""

from __future__ import annotations

import codecs
import html
import unicodedata
from typing import Any

import traitlets

from kernelsim.debug import console
from kernelsim.view import text
from kernelsim.widget import base, pane

__all__ = ["TerminalPane", "visible"]

KEPT = 100_000  # characters shown, the last ones
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Co", "Cn", "Cs"}


class TerminalPane(pane.Pane, kind="terminal"):
    """Shows the bytes on the serial lines as text.

    :param k: a Kernel, or one as it was.
    """

    title = "Terminal"

    pieces: Any = traitlets.List().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

    def __init__(self, k: Any, task: Any = None) -> None:
        self._console: Any = None
        self._names: Any = None
        super().__init__(k, task)

    def draw(self) -> None:
        """Show what was written until the moment."""
        m, end = pane.present(self.look), pane.until(self.look)
        if m.trace.on:
            if self._console is None or self._console.m is not m:
                self._console, self._names = console.Console(m), pane.Names(m)
            found = [w for w in self._console.writes() if w.t < end]
            spoken = [(self._names.badge(w.pid, w.t), w.line, w.data) for w in found]
        else:  # who wrote what is not known, nor what the other lines got when
            spoken = [([], 1, self.look.console)] if self.look.console else []
        pieces = _decoded(spoken)
        count = sum(len(part) for _, _, parts in pieces for _, part in parts)
        self.pieces, cut = _last(pieces, count)
        size = text.counted(sum(len(data) for _, _, data in spoken), "byte")
        self.heading = f"{size} written." if spoken else "Nothing has been written yet."
        self.note = "The beginning is left out. " * cut + _SILENT

    def static(self) -> dict[str, str]:
        """What was written, as text."""
        self.catch_up()
        said = "".join(part for _, _, parts in self.pieces for _, part in parts)
        return {
            "text/plain": "\n".join(filter(None, (self.heading, said))),
            "text/html": base.paragraphs(self.heading) + f"<pre>{html.escape(said)}</pre>",
        }


_SILENT = "Nothing can be typed here: who reads from this terminal gets end of file."


# Each piece: whose it is, the number of its line, and its text in parts, plain ones and signs.
def _decoded(spoken: list[tuple[list[Any], int, bytes]]) -> list[list[Any]]:
    decoders: dict[int, Any] = {}
    pieces: list[list[Any]] = []
    for who, line, data in spoken:
        if line not in decoders:
            decoders[line] = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        if found := visible(decoders[line].decode(data)):
            if pieces and pieces[-1][:2] == [who, line]:
                pieces[-1][2] += found
            else:
                pieces.append([who, line, found])
    for line, decoder in decoders.items():  # half a character is still to come
        if rest := visible(decoder.decode(b"", final=True)):
            last = max(i for i, piece in enumerate(pieces) if piece[1] == line) if pieces else 0
            where = [piece for piece in pieces if piece[1] == line]
            if where:
                pieces[last][2] += rest
            else:
                pieces.append([[], line, rest])
    return pieces


# The last pieces, and whether some are left out.
def _last(pieces: list[list[Any]], count: int) -> tuple[list[list[Any]], bool]:
    over = count - KEPT
    for number, (who, line, parts) in enumerate(pieces):
        if over <= 0:
            return pieces[number:], number > 0
        size = sum(len(part) for _, part in parts)
        if size > over:
            plain = "".join(part for _, part in parts)[over:]
            return [[who, line, [[0, plain]]], *pieces[number + 1 :]], True
        over -= size
    return pieces, False


def visible(decoded: str) -> list[list[Any]]:
    r"""Return text in parts [is a sign, text]: what a terminal would obey is shown as a sign.

    >>> visible("a\x1b[1mb\n\udcff")
    [[0, 'a'], [1, '^['], [0, '[1mb\n'], [1, '\\xff']]
    """
    parts: list[list[Any]] = []
    for char in decoded:
        sign = _sign(char)
        kind = int(sign != char)
        if parts and parts[-1][0] == kind == 0:
            parts[-1][1] += sign
        else:
            parts.append([kind, sign])
    return parts


def _sign(char: str) -> str:
    code = ord(char)
    if char in "\n\t" or (char.isascii() and char.isprintable()):
        return char
    if code < 0x20 or code == 0x7F:  # as the terminal itself echoes them
        return f"^{chr(code ^ 0x40)}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"<U+{code:04X}>" if unicodedata.category(char) in _HIDDEN else char
