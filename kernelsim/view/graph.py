"""What a picture is made of, before anybody lays it out: nodes, fields, edges.

Plain values without behaviour beyond saying themselves in words. A node or an edge knows the
simulated address it stands for, so that a test, a widget or a reader can go from the picture back
to the bytes. Not here: positions (``layout``), colours (``style``), text limits (``text``).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Change", "Edge", "Field", "Graph", "Node", "Route"]

Change = Literal["", "changed", "new"]
Route = Literal["layout", "direct", "elbow", "below", "beside"]
FieldKind = Literal["field", "group", "member", "sum", "bytes", "gap"]


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a structure, or one row of a record.

    :param name: the member's path in C (``tasks.next``).
    :param value: the value as text; numbers are formatted by who knows their C type.
    :param offset: offset in bytes from the start of the structure.
    :param size: size in bytes; with it, a gap before the next field shows as a dotted line.
    :param port: name by which edges start and end at this row.
    :param shown: what is drawn instead of ``value``, where the whole would be too wide.
    :param strong: the offset is drawn in the colour of the sums below, which use it.
    :param changed: the value differs from that at the earlier time; ``was`` is the old text.
    :param kind: ``group`` is an embedded structure's own row, ``member`` a row inside it, ``sum`` a
        line of arithmetic below the structure (``sign`` stands before it), ``bytes`` raw memory,
        ``gap`` stands for rows that are left out.
    """

    name: str
    value: str = ""
    offset: int | None = None
    size: int | None = None
    port: str | None = None
    changed: bool = False
    was: str | None = None
    kind: FieldKind = "field"
    sign: str = ""
    shown: str | None = None
    strong: bool = False

    @property
    def drawn(self) -> str:
        """The value as it is drawn."""
        return self.value if self.shown is None else self.shown

    @property
    def margin(self) -> str:
        """What stands in the column of offsets: the offset, or a sum's sign."""
        if self.kind == "sum":
            return self.sign
        return "" if self.offset is None else f"{self.offset:#x}"

    @property
    def label(self) -> str:
        """The name as it is drawn: a member of a group without the group's name."""
        if self.kind == "member":
            return "." + self.name.rpartition(".")[2]
        return self.name

    def words(self) -> str:
        """The field in words, for the text twin."""
        if self.kind == "sum":
            words = (self.sign, self.value, f"({self.name})" if self.value else self.name)
            return " ".join(filter(None, words))
        place = "" if self.offset is None else f" (+{self.offset:#x})"
        value = f" = {self.value}" if self.value else ""
        was = "" if self.was is None else f", was {self.was}"
        return f"{self.name}{place}{value}" + (f" [changed{was}]" if self.changed else "")


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the picture: a record (rows with ports) or a plain box (lines of text).

    :param id: unique in the picture, stable from one moment to the next (an address in hex).
    :param lines: heading of a record, text of a plain box; the first line is the name.
    :param fields: rows of a record; of a plain box, what its lines stand for (not drawn).
    :param kind: chooses the colours: ``task``, ``running``, ``zombie``, ``fold``, ….
    :param badge: one or two characters shown large beside the lines (a state letter).
    :param address: simulated address of the structure, or None.
    :param folded: how many structures this box stands for, 0 when it stands for itself.
    :param hides: addresses of (the first of) those structures.
    :param marked: numbers of the lines that changed.
    """

    id: str
    lines: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    kind: str = "plain"
    badge: str = ""
    address: int | None = None
    change: Change = ""
    folded: int = 0
    hides: tuple[int, ...] = ()
    focus: bool = False
    marked: tuple[int, ...] = ()
    record: bool = False
    cluster: str = ""
    words: str = ""

    @property
    def label(self) -> str:
        """The name by which the text twin speaks of this node."""
        return self.words or " ".join(self.lines)

    def sentence(self) -> str:
        """The node in words, one line."""
        place = "" if self.address is None else f" at {self.address:#018x}"
        tags = [tag for tag in (self.change, "focus" if self.focus else "") if tag]
        parts = [
            f"{self.label}{place}",
            f" [{', '.join(tags)}]" if tags else "",
            ": " if self.fields else "",
            "; ".join(item.words() for item in self.fields),
        ]
        return "".join(parts) + "."


@dataclass(frozen=True, slots=True)
class Edge:
    """One pointer: from a field (or a box) to a field (or a box).

    :param kind: chooses colour and dashes, and is the edge's name in the legend.
    :param name: the pointer's member path, said in words; the port's name by default.
    :param pointer: address of the word that holds the pointer, or None.
    :param target: the value of that word, or None.
    :param back: laid out as if it ran from ``dst`` to ``src`` (the arrow stays true).
    :param route: ``layout`` as Graphviz routes it, ``direct`` one curve, ``elbow`` right angles,
        ``below`` around the whole row, ``beside`` along the picture's left side, or its right one (``side`` e).
    :param side: the side on which an edge that we route leaves; by default towards ``dst``.
    """

    src: str
    dst: str
    src_port: str | None = None
    dst_port: str | None = None
    kind: str = "pointer"
    label: str = ""
    name: str = ""
    change: Change = ""
    pointer: int | None = None
    target: int | None = None
    back: bool = False
    route: Route = "layout"
    side: Literal["", "e", "w"] = ""
    was: str | None = None

    @property
    def id(self) -> str:
        """Stable name: the pointer's own address, for a pointer that moves stays itself."""
        if self.pointer is not None:
            return f"{self.pointer:016x}"
        return ".".join(part for part in (self.src, self.src_port, self.kind, self.dst) if part)


@dataclass(slots=True)
class Graph:
    """All that is drawn. Order is the order of drawing and of the text twin.

    :param uniform: all plain boxes are as wide as the widest.
    :param rows: groups of node ids kept on one rank.
    :param aligned: pairs of nodes, and the port by which they stay level.
    :param clusters: (id, label) of the frames that nodes name in ``Node.cluster``.
    :param legend: (edge kind, words) in the order shown.
    """

    title: str
    subtitle: str = ""
    rankdir: Literal["TB", "LR"] = "TB"
    ranksep: float = 56.0
    nodesep: float = 22.0
    uniform: bool = False
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    aligned: list[tuple[str, str, str]] = field(default_factory=list)
    clusters: list[tuple[str, str]] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def copy(self) -> Graph:
        """The same graph in lists of its own, which what is added later does not change."""
        return dataclasses.replace(
            self,
            nodes=[*self.nodes],
            edges=[*self.edges],
            rows=[*self.rows],
            aligned=[*self.aligned],
            clusters=[*self.clusters],
            legend=[*self.legend],
            notes=[*self.notes],
        )
