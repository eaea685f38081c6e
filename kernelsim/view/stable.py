"""One layout for many pictures of the same things: what stays in them stays where it is.

The pictures of a scene (``scenes``) are laid out once, as one graph of all that they show, each box
in its largest size; each picture then draws its own part over that layout.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kernelsim.view import dot, draw, engine, layout, scenes, text
from kernelsim.view.graph import Edge, Field, Graph, Node
from kernelsim.view.layout import Box, Layout

__all__ = ["arrange"]


def arrange(
    graphs: Sequence[Graph], engine: str | engine.Engine | None = None
) -> tuple[list[Layout], list[int]]:
    """Lay out graphs that follow each other; answers a layout for each, and where scenes begin.

    :raises engine.EngineError: there is no layout engine.
    """
    sides = [draw.margins(graph) for graph in graphs]
    left = max((side for side, _ in sides), default=0.0)
    top = max((high for _, high in sides), default=0.0)
    found: list[Layout] = []
    begins = []
    for scene in scenes.scenes(graphs):
        begins.append(len(found))
        found += _Union(scene).layouts(left, top, engine)
    return found, begins


class _Box(NamedTuple):
    node: Node  # in its largest size
    rows: list[tuple[object, ...]]  # what its fields are
    columns: dot.Columns | None


class _Union:
    def __init__(self, scene: scenes.Scene) -> None:
        self.scene = scene
        self.slots = list(dict.fromkeys(scene.slots[key] for key in scene.order()))
        self.names = {slot: f"s{number}" for number, slot in enumerate(self.slots)}
        self.boxes = {slot: _largest(self.names[slot], nodes) for slot, nodes in self.members()}
        self.edges = [self.numbered(place) for place in range(len(scene.graphs))]
        self.order: list[scenes.Key] = []
        for edges in self.edges:
            self.order = scenes.merge(self.order, edges)
        if scene.families:
            place = {slot: number for number, slot in enumerate(self.slots)}
            self.order.sort(key=lambda key: self.child(key, place))
        self.clusters: list[str] = []
        for graph in scene.graphs:
            self.clusters = scenes.merge(self.clusters, (name for name, _ in graph.clusters))

    def members(self) -> Iterable[tuple[scenes.Slot, list[Node]]]:
        found: dict[scenes.Slot, list[Node]] = {slot: [] for slot in self.slots}
        for place, graph in enumerate(self.scene.graphs):
            for node in graph.nodes:
                found[self.slot(place, node.id)].append(node)
        return found.items()

    def slot(self, place: int, node: str) -> scenes.Slot:
        return self.scene.slots[self.scene.keys[place][node]]

    # The edges of a graph by what they are from picture to picture.
    def numbered(self, place: int) -> dict[scenes.Key, Edge]:
        found: dict[scenes.Key, Edge] = {}
        for edge in self.scene.graphs[place].edges:
            if edge.route == "below":  # the layout does not know it
                continue
            key, twins = self.edge_key(place, edge), 0
            while (*key, twins) in found:
                twins += 1
            found[(*key, twins)] = edge
        return found

    # By which box an edge is sorted: children stand in the order of their edges.
    @staticmethod
    def child(key: scenes.Key, place: dict[scenes.Slot, int]) -> int:
        assert isinstance(key, tuple)  # as made by edge_key
        src, dst, *_, back, _ = key
        return place[src if back else dst]

    def edge_key(self, place: int, edge: Edge) -> tuple[scenes.Key, ...]:
        ends = self.slot(place, edge.src), self.slot(place, edge.dst)
        return (*ends, edge.src_port, edge.dst_port, edge.kind, edge.label, edge.route, edge.back)

    def graph(self) -> Graph:
        first = self.scene.graphs[0]
        edges: dict[scenes.Key, Edge] = {
            key: edge for found in self.edges for key, edge in found.items()
        }
        return dataclasses.replace(
            first,
            nodes=[self.boxes[slot].node for slot in self.slots],
            edges=[self.joined(key, edges[key]) for key in self.order],
            rows=list(dict.fromkeys(self.rows())),
            aligned=list(dict.fromkeys(self.aligned())),
            clusters=[(name, self.cluster_label(name)) for name in self.clusters],
            legend=[],
            notes=[],
        )

    def joined(self, key: scenes.Key, edge: Edge) -> Edge:
        assert isinstance(key, tuple)  # as made by edge_key
        src, dst = self.names[key[0]], self.names[key[1]]
        return dataclasses.replace(edge, src=src, dst=dst, pointer=None)

    def rows(self) -> Iterable[tuple[str, ...]]:
        for place, graph in enumerate(self.scene.graphs):
            for row in graph.rows:
                yield tuple(self.names[self.slot(place, node)] for node in row)

    # Each column beside the next one of its row.
    def aligned(self) -> Iterable[tuple[str, str, str]]:
        for place, graph in enumerate(self.scene.graphs):
            for one, other, port in graph.aligned:
                left, right = self.slot(place, one), self.slot(place, other)
                if not (isinstance(left, scenes.Column) and isinstance(right, scenes.Column)):
                    yield self.names[left], self.names[right], port
                    continue
                for column in range(left.place, right.place):
                    ends = (scenes.Column(left.row, column + more) for more in (0, 1))
                    yield (*(self.names[end] for end in ends), port)  # type: ignore[misc]

    def cluster_label(self, name: str) -> str:
        labels = (label for graph in self.scene.graphs for n, label in graph.clusters if n == name)
        return max(labels, key=text.cells)

    # -- the layout of each picture --------------------------------------------------------------

    def layouts(self, left: float, top: float, engine_: str | engine.Engine | None) -> list[Layout]:
        graph = self.graph()
        answer = engine.layout(dot.compose(graph, layout=True), "json0", engine_)
        whole = layout.read(answer, graph, left, top)
        return [self.part(place, whole) for place in range(len(self.scene.graphs))]

    def part(self, place: int, whole: Layout) -> Layout:
        graph = self.scene.graphs[place]
        found = Layout(whole.width, whole.height)
        # Under names that no node can have: a lane below a row is below all that is ever there.
        found.boxes = {f"slot {name}": box for name, box in whole.boxes.items()}
        port = {node: port for one, other, port in graph.aligned for node in (one, other)}
        held = {*port, *_routed(graph)}
        stacked = graph.rankdir == "LR"  # else rows of a record stand side by side
        sizes = dot.box_sizes(graph)
        for node in graph.nodes:
            slot = self.slot(place, node.id)
            name, box = self.names[slot], self.boxes[slot]
            if node.record:
                self.set_rows(found, node, box, whole)
                if stacked and node.id not in held:
                    _close_up(found, node.id)
            elif box.node.record:
                level = _level(box, whole, port.get(node.id))
                found.boxes[node.id] = _around(whole.boxes[name].x, level, *sizes[node.id])
            else:
                found.boxes[node.id] = whole.boxes[name]
        numbers = {key: number for number, key in enumerate(self.order)}
        numbered = {edge: numbers[key] for key, edge in self.edges[place].items()}
        for number, edge in enumerate(graph.edges):
            if edge in numbered and numbered[edge] in whole.splines:
                found.splines[number] = whole.splines[numbered[edge]]
        for number, (name, _) in enumerate(graph.clusters):
            if (at := self.clusters.index(name)) in whole.clusters:
                found.clusters[number] = whole.clusters[at]
        return found

    # The rows of a record where the largest one has them; it ends behind its last one.
    @staticmethod
    def set_rows(found: Layout, node: Node, box: _Box, whole: Layout) -> None:
        rows, around = whole.rows[box.node.id], whole.boxes[box.node.id]
        at = {row: place for place, row in enumerate(box.rows, start=1)}
        own = (rows[0], *(rows[at[row]] for row in _fields(node)))
        low = around.y1 if own[-1].y1 == rows[-1].y1 else own[-1].y1
        found.rows[node.id] = own
        found.boxes[node.id] = around._replace(y1=low)
        if box.columns:
            found.columns[node.id] = box.columns


# The records whose rows must be where the layout has them, for its edges end there.
def _routed(graph: Graph) -> Iterable[str]:
    for edge in graph.edges:
        if edge.route == "layout":
            yield from (edge.src, edge.dst)


# Close the gaps that rows of other pictures have left between those of a record.
def _close_up(found: Layout, node: str) -> None:
    rows = found.rows[node]
    low = rows[0].y1
    closed = [rows[0]]
    for row in rows[1:]:
        closed.append(row.moved(0, low - row.y0))
        low = closed[-1].y1
    found.boxes[node] = found.boxes[node]._replace(y1=found.boxes[node].y1 - (rows[-1].y1 - low))
    found.rows[node] = tuple(closed)


# Where the row `port` of a record is, from above; its middle, if it has none.
def _level(box: _Box, whole: Layout, port: str | None) -> float:
    for place, item in enumerate(box.node.fields, start=1):
        if port is not None and item.port == port:
            return whole.rows[box.node.id][place].y
    return whole.boxes[box.node.id].y


def _around(x: float, y: float, width: float, height: float) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


# What the fields of a record are, from picture to picture; each comes once.
def _fields(node: Node) -> list[tuple[object, ...]]:
    found: dict[tuple[object, ...], None] = {}
    for item in node.fields:
        name = "" if item.kind == "gap" else item.name  # a gap is one, however much it leaves out
        key, twins = (item.port, name, item.kind, item.sign), 0
        while (*key, twins) in found:
            twins += 1
        found[(*key, twins)] = None
    return list(found)


# The node that has room for each of these: texts as wide as the widest, all rows of all.
def _largest(name: str, nodes: list[Node]) -> _Box:
    rows: list[tuple[object, ...]] = []
    for node in nodes:
        rows = scenes.merge(rows, _fields(node) if node.record else [])
    record = any(node.record for node in nodes)
    count = max(len(node.lines) for node in nodes)
    lines = [
        _widest(node.lines[line] for node in nodes if line < len(node.lines))
        for line in range(count)
    ]
    if record:
        boxes = [dot.box_sizes(Graph("", nodes=[node])) for node in nodes if not node.record]
        width = max((size[0] for found in boxes for size in found.values()), default=0.0)
        lines[0] = max(lines[0], "x" * math.ceil(width / dot.CELL), key=len)
    found = Node(
        name,
        tuple(lines),
        tuple(_widest_field(row, nodes) for row in rows),
        badge=max((node.badge for node in nodes), key=len),
        marked=next((node.marked for node in nodes if node.marked), ()),
        record=record,
        cluster=nodes[0].cluster,
    )
    return _Box(found, rows, dot.Columns(found) if record and len(nodes) > 1 else None)


def _widest(words: Iterable[str]) -> str:
    return "x" * max(map(text.cells, words))


def _widest_field(row: tuple[object, ...], nodes: list[Node]) -> Field:
    fields = [
        item for node in nodes if node.record
        for key, item in zip(_fields(node), node.fields, strict=True) if key == row
    ]  # fmt: skip
    first = fields[0]
    name = max((item.name for item in fields), key=text.cells)
    offset = max((item for item in fields), key=lambda item: len(item.margin)).offset
    return dataclasses.replace(
        first, name=name, offset=offset, shown=_widest(f.drawn for f in fields)
    )
