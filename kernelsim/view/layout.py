"""Positions: what the engine answers, turned into numbers that ``draw`` can use.

Graphviz counts points upwards from the lower left corner; here y grows downwards as in SVG, one
point is one pixel, and everything is moved by the picture's margins.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kernelsim.view import dot
from kernelsim.view.graph import Graph

__all__ = ["Box", "Layout", "Spline", "read"]


class Box(NamedTuple):
    """A rectangle: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.y1 - self.y0

    def moved(self, right: float, down: float) -> Box:
        """The same rectangle at another place."""
        return Box(self.x0 + right, self.y0 + down, self.x1 + right, self.y1 + down)

    @property
    def x(self) -> float:
        """The middle, across."""
        return (self.x0 + self.x1) / 2

    @property
    def y(self) -> float:
        """The middle, down."""
        return (self.y0 + self.y1) / 2


class Spline(NamedTuple):
    """An edge as Graphviz routes it: Bezier points from start to end, where its arrow points."""

    points: tuple[tuple[float, float], ...]
    tip: tuple[float, float] | None
    label: tuple[float, float] | None


@dataclass(slots=True)
class Layout:
    """Where everything is. ``rows[node][0]`` is a record's heading, the rest its fields.

    ``columns`` holds those of a record that is not set in its own: it stands where a wider one does.
    """

    width: float
    height: float
    boxes: dict[str, Box] = field(default_factory=dict)
    rows: dict[str, tuple[Box, ...]] = field(default_factory=dict)
    splines: dict[int, Spline] = field(default_factory=dict)
    clusters: dict[int, Box] = field(default_factory=dict)
    columns: dict[str, dot.Columns] = field(default_factory=dict)

    def corner(self, node: str) -> Layout:
        """This node alone, in the upper left corner."""
        x, y, *_ = self.boxes[node]
        found = Layout(self.width, self.height, columns=self.columns)
        found.boxes[node] = self.boxes[node].moved(-x, -y)
        if node in self.rows:
            found.rows[node] = tuple(row.moved(-x, -y) for row in self.rows[node])
        return found


def read(answer: bytes, graph: Graph, left: float = 0.0, top: float = 0.0) -> Layout:
    """The engine's ``json0`` as a Layout, moved right by ``left`` and down by ``top``."""
    data = json.loads(answer)
    _, _, width, height = _numbers(data["bb"])
    at = _Frame(left, top, height)
    layout = Layout(width + left, height + top)
    for item in data.get("objects", ()):
        name: str = item["name"]
        if "pos" in item:
            layout.boxes[name] = at.around(item)
            if "rects" in item:
                layout.rows[name] = tuple(map(at.box, item["rects"].split()))
        elif name.startswith("cluster_") and "bb" in item:
            layout.clusters[int(name[8:])] = at.box(item["bb"])
    for item in data.get("edges", ()):
        if "id" in item and "pos" in item:
            number = int(item["id"])
            layout.splines[number] = at.spline(item, back=graph.edges[number].back)
    return layout


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


# The engine's frame of reference against the picture's.
class _Frame:
    def __init__(self, left: float, top: float, height: float) -> None:
        self.left = left
        self.bottom = top + height

    def point(self, text: str) -> tuple[float, float]:
        x, y = _numbers(text)
        return self.left + x, self.bottom - y

    def box(self, text: str) -> Box:
        x0, y0, x1, y1 = _numbers(text)
        return Box(self.left + x0, self.bottom - y1, self.left + x1, self.bottom - y0)

    def around(self, item: dict[str, Any]) -> Box:
        x, y = self.point(item["pos"])
        across, down = float(item["width"]) * 36, float(item["height"]) * 36
        return Box(x - across, y - down, x + across, y + down)

    # "e,x,y" is where the arrow ends at the head, "s,x,y" at the tail; the rest are the points.
    def spline(self, item: dict[str, Any], *, back: bool) -> Spline:
        tip, points = None, []
        for part in item["pos"].split():
            if part[0] in "es":
                tip = self.point(part[2:])
            else:
                points.append(self.point(part))
        if back:
            points.reverse()
        label = self.point(item["lp"]) if "lp" in item else None
        return Spline(tuple(points), tip, label)
