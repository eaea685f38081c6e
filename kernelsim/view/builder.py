"""How a view makes its picture: say what is there, get a ``Picture``.

    b = PictureBuilder("The process list", rankdir="LR")
    b.record(0xffff888000002000, ["task_struct bash"], [Field("tasks", offset=0x398, port="tasks")])
    b.edge(source, "tasks.next", target, "tasks", kind="next")
    picture = b.picture()

Every text that enters here is made printable (``text.printable``); what a node or a port is called
in DOT is checked here. So no name that a program chose can become syntax further down.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from kernelsim.view import dot, engine, text
from kernelsim.view.graph import Change, Edge, Field, Graph, Node, Route
from kernelsim.view.picture import Picture

__all__ = ["LONGEST", "PictureBuilder"]

LONGEST = 48  # cells of one line or value; what is longer is cut, and shows that it is
NodeId = int | str

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def _id(node: NodeId) -> str:
    name = f"{node:016x}" if isinstance(node, int) else node
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a node's id: letters, digits, '_', '.', '-' only")
    return name


def _port(port: str | None) -> str | None:
    if port is not None and port != dot.HEADER and not _NAME.fullmatch(port):
        raise ValueError(f"{port!r} cannot be a port: letters, digits, '_', '.', '-' only")
    return port


def _line(words: str | bytes) -> str:
    return text.clip(text.printable(words), LONGEST)


# A line that must not look like nothing: a name of blanks stands between quotes.
def _heading(words: str | bytes) -> str:
    line = _line(words)
    return line if line.strip() else f'"{line}"'


class PictureBuilder:
    """Collects nodes and edges in the order in which they are drawn and said.

    :param title: the heading.
    :param rankdir: ``LR`` left to right, ``TB`` top to bottom.
    :param subtitle: the moment shown.
    :param ranksep, nodesep: pixels between ranks, and between nodes of one rank.
    :param uniform: make all plain boxes equally wide.
    """

    def __init__(
        self,
        title: str,
        rankdir: Literal["TB", "LR"] = "TB",
        *,
        subtitle: str = "",
        ranksep: float = 56,
        nodesep: float = 22,
        uniform: bool = False,
    ) -> None:
        if rankdir not in {"TB", "LR"}:
            raise ValueError(f"rankdir is 'TB' or 'LR', not {rankdir!r}")
        title, subtitle = text.printable(title), text.printable(subtitle)
        self._graph = Graph(title, subtitle, rankdir, ranksep, nodesep, uniform)
        self._ports: dict[str, set[str]] = {}  # of each node
        self._edges: set[str] = set()  # their ids
        self._cluster = ""

    # -- nodes -----------------------------------------------------------------------------------

    def record(
        self,
        node: NodeId,
        header: Sequence[str | bytes],
        fields: Iterable[Field] = (),
        *,
        kind: str = "task",
        change: Change = "",
        focus: bool = False,
        words: str | bytes = "",
    ) -> str:
        """A structure: a heading of one or more lines, then a row for each field.

        :param node: the structure's address, or a name; answers the id that edges use.
        :param words: what the text twin calls it; by default the heading's first line.
        """
        lines = tuple(map(_heading, header))
        if not lines:
            raise ValueError("a record needs a heading")
        rows = tuple(map(_safe, fields))
        return self._add(
            Node(
                _id(node), lines, rows, kind, change=change, focus=focus, record=True,
                address=node if isinstance(node, int) else None, cluster=self._cluster,
                words=text.printable(words) or lines[0],
            )
        )  # fmt: skip

    def node(
        self,
        node: NodeId,
        label: str | bytes | Sequence[str | bytes],
        *,
        kind: str = "plain",
        badge: str = "",
        change: Change = "",
        focus: bool = False,
        fields: Iterable[Field] = (),
        marked: Iterable[int] = (),
        words: str | bytes = "",
    ) -> str:
        """A plain box with lines of text, and a badge of one or two characters if asked.

        :param fields: what the lines stand for: said in words and in the table, not drawn as rows.
        :param marked: numbers of the lines that changed.
        """
        given = [label] if isinstance(label, str | bytes) else label
        lines = tuple(map(_heading, given))
        if not lines:
            raise ValueError("a node needs a line of text")
        return self._add(
            Node(
                _id(node), lines, tuple(map(_safe, fields)), kind, badge=_line(badge)[:2],
                change=change, focus=focus, address=node if isinstance(node, int) else None,
                marked=tuple(marked), cluster=self._cluster, words=text.printable(words),
            )
        )  # fmt: skip

    def fold(
        self,
        node: NodeId,
        count: int,
        noun: str,
        *,
        detail: str | bytes = "",
        fields: Iterable[Field] = (),
        hides: Iterable[int] = (),
    ) -> str:
        """A box that stands for ``count`` structures: "… 9 987 more tasks".

        :param detail: which ones (their pids).
        :param fields: rows with ports, for a box that stands among records.
        :param hides: addresses of those that would be shown first, if it were opened.
        """
        rows = tuple(map(_safe, fields))
        lines = [f"… {text.grouped(count)} more {text.printable(noun)}"]
        lines += [text.printable(detail)] if detail else []
        words = lines[0][2:] + (f" ({lines[1]})" if detail else "")
        shown = Node(
            _id(node), tuple(map(_line, lines)), rows, kind="fold", folded=count, record=bool(rows),
            cluster=self._cluster, words=words, hides=tuple(hides),
        )  # fmt: skip
        return self._add(shown)

    def _add(self, node: Node) -> str:
        if node.id in self._ports:
            raise ValueError(f"two nodes with the id {node.id}")
        ports = [item.port for item in node.fields if item.port] if node.record else []
        if len(ports) != len(set(ports)):
            raise ValueError(f"two fields with one port in {node.id}")
        self._ports[node.id] = {dot.HEADER, *ports} if node.record else set()
        self._graph.nodes.append(node)
        return node.id

    def registers(
        self,
        node: NodeId,
        header: Sequence[str | bytes],
        values: Mapping[str, int],
        was: Mapping[str, int] | None = None,
        *,
        change: Change = "",
    ) -> str:
        """A register file: one row for each register; those that differ from `was` are marked."""
        rows = []
        for name, value in values.items():
            old = value if was is None else was.get(name, value)
            shown = f"{old:#018x}" if old != value else None
            port = name if _NAME.fullmatch(name) else None
            rows.append(
                Field(name, f"{value:#018x}", port=port, changed=old != value, was=shown)
            )  # fmt: skip
        return self.record(node, header, rows, kind="registers", change=change)

    def memory(
        self,
        node: NodeId,
        header: Sequence[str | bytes],
        data: bytes,
        start: int = 0,
        was: bytes | None = None,
        *,
        change: Change = "",
    ) -> str:
        """Rows of eight bytes: offset, the bytes in hex, and as text what is text.

        :param start: the offset of the first byte.
        :param was: the same bytes earlier; rows that differ are marked.
        """
        rows = []
        for place in range(0, len(data), 8):
            row, old = data[place : place + 8], (data if was is None else was)[place : place + 8]
            words = "".join(chr(byte) if 32 < byte < 127 else "·" for byte in row)
            rows.append(
                Field(
                    row.hex(" "), words, start + place, len(row), f"o{start + place:x}",
                    changed=row != old, was=old.hex(" ") if row != old else None, kind="bytes",
                )
            )  # fmt: skip
        return self.record(node, header, rows, kind="memory", change=change)

    # -- edges -----------------------------------------------------------------------------------

    def edge(
        self,
        src: NodeId,
        src_port: str | None,
        dst: NodeId,
        dst_port: str | None = None,
        *,
        kind: str = "pointer",
        label: str = "",
        name: str = "",
        change: Change = "",
        pointer: int | None = None,
        target: int | None = None,
        was: str | None = None,
        back: bool = False,
        route: Route = "layout",
        side: Literal["", "e", "w"] = "",
    ) -> None:
        """A pointer from a field (or a box, port None) to a field (or a box). See ``graph.Edge``."""
        edge = Edge(
            self._known(src, src_port), self._known(dst, dst_port), src_port, dst_port, kind,
            _line(label), text.printable(name), change, pointer, target, back, route, side, was,
        )  # fmt: skip
        if edge.id in self._edges:
            raise ValueError(f"two edges with the id {edge.id}")
        self._edges.add(edge.id)
        self._graph.edges.append(edge)

    def _known(self, node: NodeId, port: str | None) -> str:
        name = _id(node)
        if name not in self._ports:
            raise ValueError(f"an edge to {name}, which is not in the picture (yet)")
        if port is not None and port not in self._ports[name]:
            raise ValueError(f"the node {name} has no port {port!r}")
        return name

    # -- arrangement and words ---------------------------------------------------------------------

    def same_rank(self, *nodes: NodeId) -> None:
        """Keep these nodes on one rank."""
        self._graph.rows.append(tuple(self._known(node, None) for node in nodes))

    def level(self, *nodes: NodeId, port: str = dot.HEADER) -> None:
        """Keep the rows ``port`` of these nodes on one line, left to right (``rankdir`` LR)."""
        names = [self._known(node, None) for node in nodes]
        self._graph.aligned += [(*pair, port) for pair in itertools.pairwise(names)]

    def cluster(self, name: str = "", label: str = "") -> None:
        """Nodes added from now on stand in this frame; ``cluster()`` ends it.

        A frame named ``a.b`` stands in the frame ``a``, which must be known before.
        """
        if name and name not in (known for known, _ in self._graph.clusters):
            self._graph.clusters.append((_id(name), _line(label)))
        self._cluster = name

    def legend(self, kind: str, words: str) -> None:
        """Explain the edges of a kind below the picture."""
        self._graph.legend.append((kind, text.printable(words)))

    def note(self, words: str) -> None:
        """A line of text below the picture; also in the summary."""
        self._graph.notes.append(text.printable(words))

    def picture(self, engine: str | engine.Engine | None = None) -> Picture:
        """The picture of what was added so far."""
        return Picture(self._graph.copy(), engine)


# A field with its texts made harmless.
def _safe(item: Field) -> Field:
    return dataclasses.replace(
        item,
        name=_line(item.name),
        value=_line(item.value),
        port=_port(item.port),
        shown=None if item.shown is None else _line(item.shown),
        was=None if item.was is None else text.printable(item.was),
        sign=text.printable(item.sign)[:1],
    )
