"""A kernel stack as a picture: one box for each frame, the innermost on top."""

from __future__ import annotations

import base64
import html
from typing import NamedTuple

from kernelsim.view import style, text

__all__ = ["Frame", "draw", "figure"]

ROW, EM, WIDEST = 34, 9.0, 96
_FONT = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"
_TAGS = {"scheduler": "scheduler, not in /proc", "wchan": "wchan: it sleeps here"}


class Frame(NamedTuple):
    """A function on a stack: its name, its place in the source, the link there, and what it is to sleeping."""

    name: str
    place: str
    link: str
    kind: str


def draw(title: str, frames: list[Frame]) -> str:
    """Return the picture as SVG."""
    names = max(len(frame.name) for frame in frames) + 3
    notes = max(len(frame.place) for frame in frames) + 3
    tags = max(len(_TAGS.get(frame.kind, "")) for frame in frames)
    width = EM * (names + notes + tags) + 44
    title = text.clip(text.printable(title), WIDEST)
    width = max(width, EM * text.cells(title) + 24)
    height = ROW * (len(frames) + 1) + 12
    c, size = style.LIGHT, f"{width:g} {height:g}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img"',
        f' width="{width:g}" height="{height:g}" font-family="{_FONT}" font-size="15">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{width:g}" height="{height:g}" rx="6" fill="{c["ground"]}"/>',
        f'<text x="12" y="26" font-weight="700" fill="{c["ink"]}">{html.escape(title)}</text>',
    ]
    for number, frame in enumerate(frames):
        parts += _row(frame, ROW * (number + 1) + 6, width, EM * names, EM * (names + notes))
    return "".join(parts) + "</svg>"


def _row(frame: Frame, y: float, width: float, place: float, tag: float) -> list[str]:
    c = style.LIGHT
    face = {"wchan": c["markbg"], "scheduler": c["ground"]}.get(frame.kind, c["face"])
    dash = ' stroke-dasharray="5 4"' if frame.kind == "scheduler" else ""
    ink = c["dim"] if frame.kind == "scheduler" else c["ink"]
    base = y + 23

    def words(x: float, what: str, colour: str) -> str:
        return f'<text x="{x:g}" y="{base:g}" fill="{colour}">{html.escape(what)}</text>'

    return [
        f'<rect x="6" y="{y:g}" width="{width - 12:g}" height="{ROW}" fill="{face}"',
        f' stroke="{c["line"]}"{dash}/>',
        words(16, frame.name, ink),
        words(16 + place, frame.place, c["dim"]),
        words(
            16 + tag, _TAGS.get(frame.kind, ""), c["mark"] if frame.kind == "wchan" else c["dim"]
        ),
    ]


def figure(svg: str, words: str) -> str:
    """Return the picture as an HTML figure whose image says `words`."""
    data = base64.b64encode(svg.encode()).decode()
    image = f'<img alt="{html.escape(words)}" src="data:image/svg+xml;base64,{data}">'
    return f'<figure class="kernelsim-figure">{image}</figure>'
