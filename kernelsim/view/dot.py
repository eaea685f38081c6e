r"""A graph as DOT text, built of pure functions that each write one line.

Two readings of the same graph: ``compose(graph)`` for people and other tools, complete;
``compose(graph, layout=True)`` for the layout engine, which only has to know how wide the texts are:
every character but letters and digits is replaced by stand-ins of its width (the engine's built-in
metrics know no others, and no name can harm it), and the edges that we route ourselves around a
whole row are left out. Records are set in Courier New because every character of
it is 0.6 em wide, which makes a box fit its text in any viewer's monospaced font.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kernelsim.view import text
from kernelsim.view.graph import Edge, Field, Graph, Node

__all__ = [
    "CELL",
    "FONT_SIZE",
    "HEADER",
    "Columns",
    "box_sizes",
    "compose",
    "escaped",
    "quoted",
    "record_label",
]

FONT_SIZE = 14
CELL = FONT_SIZE * 0.6  # width of one character
LINE = FONT_SIZE * 1.2  # height of one line, as Graphviz counts
HEADER = "_"  # the port of a record's heading
BADGE = 34  # width of the field with the state letter
GAP = 2  # cells between two columns
MARK = 1  # cells at the right side, for the mark of what changed

_MEANS_SOMETHING = re.compile(r"[\\{}|<>]")


def quoted(value: str) -> str:
    r"""A DOT string: the value between quotes; backslashes are the caller's (``escaped``)."""
    return '"' + value.replace('"', '\\"') + '"'


def escaped(value: str, *, blanks: bool = False) -> str:
    r"""Text that Graphviz shows as it stands, in plain and in record labels alike.

    :param blanks: keep runs of blanks, which a record label otherwise collapses.
    """
    value = _MEANS_SOMETHING.sub(r"\\\g<0>", value).replace("&", "&amp;")
    return value.replace(" ", r"\ ") if blanks else value


_UNKNOWN_WIDTH = re.compile(r"[^0-9A-Za-z]")


# The same number of cells in characters whose width the engine knows.
def _stand_in(value: str) -> str:
    return _UNKNOWN_WIDTH.sub(lambda char: "x" * text.cells(char.group()), value)


class Columns:
    """The columns of one record in cells: offset, name, value; sums have narrower ones."""

    __slots__ = ("name", "offset", "value", "width")

    def __init__(self, node: Node) -> None:
        rows = [item for item in node.fields if item.kind != "sum"]
        self.offset = max((len(item.margin) for item in rows), default=0)
        self.name = max((text.cells(item.label) for item in rows), default=0)
        self.value = max((text.cells(item.drawn) for item in rows), default=0)
        wanted = [self.start() + self.name + (GAP + self.value if self.value else 0)]
        wanted += [text.cells(line) for line in node.lines]
        for item in node.fields:
            if item.kind == "sum":
                wanted.append(self.start(item) + text.cells(item.label) + GAP)
                wanted[-1] += text.cells(item.drawn)
        self.width = max(wanted) + MARK

    def start(self, item: Field | None = None) -> int:
        """Where the name begins, behind the offset or behind a sum's sign."""
        if item is not None and item.kind == "sum":
            return GAP
        return self.offset + GAP if self.offset else 0

    def row(self, item: Field) -> str:
        """The row as text, padded to the record's width."""
        left = item.margin.ljust(self.start(item)) + item.label
        middle = self.width - MARK - text.cells(left) - text.cells(item.drawn)
        return left + " " * middle + item.drawn + " " * MARK


def record_label(node: Node, *, layout: bool = False) -> str:
    """The label of a record: a heading, then one field a row, each with its port."""
    columns = Columns(node)
    change = _stand_in if layout else str
    heading = "".join(escaped(change(line), blanks=True) + r"\l" for line in node.lines)
    parts = [f"<{HEADER}>{heading}"]
    for item in node.fields:
        port = f"<{item.port}>" if item.port else ""
        parts.append(port + escaped(change(columns.row(item)), blanks=True))
    return "|".join(parts)  # a blank after \l would begin another line


def box_sizes(graph: Graph) -> dict[str, tuple[float, float]]:
    """Width and height in points of each plain box."""
    sizes = {node.id: _box_size(node) for node in graph.nodes if not node.record}
    if graph.uniform:
        widest = max((width for width, _ in sizes.values()), default=0.0)
        return {name: (widest, height) for name, (_, height) in sizes.items()}
    return sizes


def _box_size(node: Node) -> tuple[float, float]:
    widest = max(map(text.cells, node.lines)) + (GAP if node.marked else 0)
    width = widest * CELL + 24 + (BADGE if node.badge else 0)
    return width, len(node.lines) * LINE + 14


def compose(graph: Graph, *, layout: bool = False) -> str:
    """The graph as DOT.

    :param layout: for the engine (stand-ins, no edges that we route ourselves).
    """
    lines = [*_heading(graph), *_nodes(graph, layout=layout)]
    lines += [f"  {{ rank=same; {' '.join(map(quoted, row))} }}" for row in graph.rows]
    lines += _levels(graph)
    edges = [
        _edge(number, edge, graph.rankdir)
        for number, edge in enumerate(graph.edges)
        if not (layout and edge.route in {"below", "beside"})
    ]
    # Graphviz turns the order of the children over where frames stand from left to right.
    lines += reversed(edges) if graph.clusters and graph.rankdir == "LR" else edges
    return "\n".join([*lines, "}", ""])


def _heading(graph: Graph) -> list[str]:
    routed = any(edge.route == "layout" for edge in graph.edges)
    room = f"ranksep={graph.ranksep / 72:.3f}, nodesep={graph.nodesep / 72:.3f}"
    splines = "true" if routed else "false"
    return [
        f"digraph {quoted(escaped(graph.title))} {{",
        f"  graph [rankdir={graph.rankdir}, {room}, ordering=out, splines={splines}]",
        f'  node [fontname="Courier New", fontsize={FONT_SIZE}]',
        f'  edge [fontname="Courier New", fontsize={FONT_SIZE}]',
    ]


# Nodes in order; those of a cluster together, after those of none, and clusters in clusters.
def _nodes(graph: Graph, *, layout: bool) -> list[str]:
    sizes = box_sizes(graph)
    lines: list[str] = []
    members: dict[str, list[str]] = {}
    for node in graph.nodes:
        line = _record(node, layout=layout) if node.record else _box(node, sizes, layout=layout)
        members.setdefault(node.cluster, []).append(f"  {line}")
    lines += members.get("", [])
    inside: dict[str, list[int]] = {}
    names = [cluster for cluster, _ in graph.clusters]
    for number, cluster in enumerate(names):
        outer = cluster.rpartition(".")[0]
        inside.setdefault(outer if outer in names else "", []).append(number)

    def frame(number: int) -> Iterator[str]:
        cluster, label = graph.clusters[number]
        shown = quoted(escaped(_stand_in(label) if layout else label))
        yield f"  subgraph cluster_{number} {{ label={shown}"
        yield from members.get(cluster, [])
        for other in inside.get(cluster, []):
            yield from frame(other)
        yield "  }"

    for number in inside.get("", []):
        lines += frame(number)
    return lines


def _record(node: Node, *, layout: bool) -> str:
    label = quoted(record_label(node, layout=layout))
    return f"{quoted(node.id)} [shape=record, label={label}]"


def _box(node: Node, sizes: dict[str, tuple[float, float]], *, layout: bool) -> str:
    width, height = sizes[node.id]
    lines = [node.badge, *node.lines] if node.badge else node.lines
    label = "\\n".join(map(escaped, map(_stand_in, lines) if layout else lines))
    size = f"width={width / 72:.4f}, height={height / 72:.4f}, fixedsize=true"
    return f"{quoted(node.id)} [shape=box, {size}, label={quoted(label)}]"


# Invisible heavy edges between two rows, or between a row and a plain box: they stay level.
def _levels(graph: Graph) -> Iterator[str]:
    records = {node.id for node in graph.nodes if node.record}
    for left, right, port in graph.aligned:
        ends = [_end(node, port if node in records else None) for node in (left, right)]
        yield f"  {' -> '.join(ends)} [style=invis, weight=100]"


def _edge(number: int, edge: Edge, rankdir: str) -> str:
    ends = [_end(edge.src, edge.src_port), _end(edge.dst, edge.dst_port)]
    options = [f'id="{number}"']
    if edge.back:
        ends.reverse()
        options.append("dir=back")
    if edge.route in {"below", "beside"}:
        options.append("constraint=false")
    elif edge.route == "direct" and rankdir == "LR":
        options.append("weight=0")
    if edge.label and edge.route == "layout":
        options.append(f"label={quoted(escaped(edge.label))}")
    return f"  {ends[0]} -> {ends[1]} [{', '.join(options)}]"


def _end(node: str, port: str | None) -> str:
    return quoted(node) if port is None else f"{quoted(node)}:{quoted(port)}"
