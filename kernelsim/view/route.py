"""The course of an edge over the finished layout: a path, an arrow head, a place for mark and label.

Graphviz routes what goes between many boxes. What goes between neighbours (``direct``), from a
child to its parent (``elbow``), around a whole row to close a ring (``below``) or along the side of
a picture (``beside``) we route ourselves:
freely routed, a ring's long back edge cuts through everything.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

from kernelsim.view import dot
from kernelsim.view.graph import Edge, Graph, Node
from kernelsim.view.layout import Box, Layout

__all__ = ["Course", "courses", "number"]

Point = tuple[float, float]
TIP = 11.0  # length of an arrow head
LANE = 26.0  # from one lane below the row to the next
FIRST_LANE = 30.0
SIDE = 20.0  # from the row's ends to the first upright of a ring edge
UPRIGHT = 14.0  # from one upright to the next
CORNER = 9.0


class Course(NamedTuple):
    """One edge on paper."""

    path: str
    head: str
    start: Point
    middle: Point
    label: Point


@functools.lru_cache(maxsize=1 << 15)  # the same few come again in each frame of a film
def number(value: float) -> str:
    """A coordinate: at most one decimal, no sign on zero, the same on every machine."""
    shown = f"{value:.1f}"
    return "0" if shown == "-0.0" else shown.removesuffix(".0")


def courses(graph: Graph, layout: Layout) -> list[Course]:
    """The course of every edge, in the graph's order. Lanes below the row extend the layout.

    Uprights beside a box in the middle of the row stay within the gap to the next one.
    """
    planner = _Planner(graph, layout)
    found = [planner.course(place, edge) for place, edge in enumerate(graph.edges)]
    layout.height = max(layout.height, planner.bottom)
    layout.width = max(layout.width, planner.right)
    return found


class _Planner:
    def __init__(self, graph: Graph, layout: Layout) -> None:
        self.graph = graph
        self.layout = layout
        self.lanes = 0
        self.low = max((box.y1 for box in layout.boxes.values()), default=0.0)
        self.right = layout.width
        self.bottom = layout.height
        self.rows = {node.id: _row_numbers(node) for node in graph.nodes}

    def end(self, node: str, port: str | None) -> Box:
        row = self.rows[node].get(port or "")
        return self.layout.boxes[node] if row is None else self.layout.rows[node][row]

    def course(self, place: int, edge: Edge) -> Course:
        if edge.route == "layout":
            return self.routed(place)
        src, dst = self.end(edge.src, edge.src_port), self.end(edge.dst, edge.dst_port)
        if edge.route == "below":
            return self.below(edge, src, dst)
        if edge.route == "beside":
            return self.rightmost(src, dst) if edge.side == "e" else self.beside(src, dst)
        return self.elbow(src, dst) if edge.route == "elbow" else self.direct(src, dst)

    def routed(self, place: int) -> Course:
        points, tip, label = self.layout.splines[place]
        tip = tip or points[-1]
        middle = points[len(points) // 2]
        return Course(_bezier(points), _head(points[-1], tip), points[0], middle, label or middle)

    # One curve between neighbours: out at the side that faces the other, in at its facing side.
    def direct(self, src: Box, dst: Box) -> Course:
        along = self.graph.rankdir == "LR"
        forward = dst.x >= src.x if along else dst.y >= src.y
        way = 1.0 if forward else -1.0
        if along:
            start = (src.x1 if forward else src.x0, src.y)
            tip = (dst.x0 if forward else dst.x1, dst.y)
            bend = max(24.0, abs(tip[0] - start[0]) * 0.45) * way
            end = (tip[0] - TIP * way, tip[1])
            curve = [start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end]
        else:
            start = (src.x, src.y1 if forward else src.y0)
            tip = (dst.x, dst.y0 if forward else dst.y1)
            bend = max(24.0, abs(tip[1] - start[1]) * 0.45) * way
            end = (tip[0], tip[1] - TIP * way)
            curve = [start, (start[0], start[1] + bend), (end[0], end[1] - bend), end]
        middle = _half_way(curve)
        return Course(_bezier(curve), _head(end, tip), start, middle, middle)

    # Right angles from a child to its parent; all children of one parent share its trunk.
    def elbow(self, src: Box, dst: Box) -> Course:
        half = self.graph.ranksep / 2
        if self.graph.rankdir == "LR":
            tip, start = (dst.x1, dst.y), (src.x0, src.y)
            trunk = dst.x1 + half
            bends = [start, (trunk, start[1]), (trunk, tip[1]), (tip[0] + TIP, tip[1])]
            middle = ((trunk + start[0]) / 2 + 2, start[1])
        else:
            tip, start = (dst.x, dst.y1), (src.x, src.y0)
            trunk = dst.y1 + half
            bends = [start, (start[0], trunk), (tip[0], trunk), (tip[0], tip[1] + TIP)]
            middle = (start[0], (trunk + start[1]) / 2 + 2)
        return Course(_polyline(bends), _head(bends[-1], tip), start, middle, middle)

    # Around the row: out at one end, down, along a lane of its own, up and in at the other end.
    def below(self, edge: Edge, src: Box, dst: Box) -> Course:
        rightward = edge.side == "e" if edge.side else src.x >= dst.x
        upright = min(SIDE + UPRIGHT * self.lanes, self.graph.ranksep - TIP)
        lane = self.low + FIRST_LANE + LANE * self.lanes
        self.lanes += 1
        out = src.x1 + upright if rightward else src.x0 - upright
        back = dst.x0 - upright if rightward else dst.x1 + upright
        self.right = max(self.right, out + UPRIGHT, back + UPRIGHT)
        self.bottom = max(self.bottom, lane + UPRIGHT)
        start = (src.x1 if rightward else src.x0, src.y)
        tip = (dst.x0 if rightward else dst.x1, dst.y)
        end = (tip[0] - TIP if rightward else tip[0] + TIP, tip[1])
        bends = [start, (out, start[1]), (out, lane), (back, lane), (back, tip[1]), end]
        middle = ((out + back) / 2, lane)
        mark = (out + (-1 if rightward else 1) * 3 * TIP, lane)
        return Course(_polyline(bends), _head(end, tip), start, mark, middle)

    # Out at the left, down or up beside everything, in at the left.
    def beside(self, src: Box, dst: Box) -> Course:
        lane = min(box.x0 for box in self.layout.boxes.values()) - SIDE
        start, tip = (src.x0, src.y), (dst.x0, dst.y)
        end = (tip[0] - TIP, tip[1])
        bends = [start, (lane, start[1]), (lane, tip[1]), end]
        middle = (lane, (start[1] + tip[1]) / 2)
        return Course(_polyline(bends), _head(end, tip), start, middle, middle)

    # The same at the right, each in a lane of its own: between boxes of one column.
    def rightmost(self, src: Box, dst: Box) -> Course:
        lane = max(box.x1 for box in self.layout.boxes.values()) + SIDE + UPRIGHT * self.lanes
        self.lanes += 1
        self.right = max(self.right, lane + UPRIGHT)
        start, tip = (src.x1, src.y), (dst.x1, dst.y)
        end = (tip[0] + TIP, tip[1])
        bends = [start, (lane, start[1]), (lane, tip[1]), end]
        middle = (lane, (start[1] + tip[1]) / 2)
        return Course(_polyline(bends), _head(end, tip), start, middle, middle)


def _row_numbers(node: Node) -> dict[str, int]:
    if not node.record:
        return {}
    ports = {item.port: row for row, item in enumerate(node.fields, 1) if item.port}
    return {dot.HEADER: 0, **ports}


def _pair(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _bezier(points: Sequence[Point]) -> str:
    return f"M{_pair(points[0])}C{' '.join(map(_pair, points[1:]))}"


def _half_way(curve: Sequence[Point]) -> Point:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
    return (ax + 3 * bx + 3 * cx + dx) / 8, (ay + 3 * by + 3 * cy + dy) / 8


# A line with rounded corners.
def _polyline(points: Sequence[Point]) -> str:
    parts = [f"M{_pair(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(CORNER, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        if radius:
            into, out = _towards(corner, before, radius), _towards(corner, after, radius)
            parts.append(f"L{_pair(into)}Q{_pair(corner)} {_pair(out)}")
    parts.append(f"L{_pair(points[-1])}")
    return "".join(parts)


def _towards(start: Point, end: Point, distance: float) -> Point:
    share = distance / math.dist(start, end)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


# A triangle whose base lies at ``base`` and whose point touches ``tip``.
def _head(base: Point, tip: Point) -> str:
    length = math.dist(base, tip) or 1.0
    across = TIP * 0.45 / length
    dx, dy = (tip[1] - base[1]) * across, (base[0] - tip[0]) * across
    one, other = (base[0] + dx, base[1] + dy), (base[0] - dx, base[1] - dy)
    return f"M{_pair(one)}L{_pair(tip)}L{_pair(other)}z"
