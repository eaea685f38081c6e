"""A picture of simulated memory: DOT, SVG, words and a table of the same nodes and edges.

    picture = kernelsim.view.task_list(k)
    picture          # in a notebook: the drawing, with its words for who cannot see it
    print(picture.text); picture.table(); picture.save("list.svg")

A picture is made from a finished ``Graph`` and never changes. Layout happens when the SVG is first
asked for; the words, the table and the DOT need no engine.
"""

from __future__ import annotations

import base64
import functools
import pathlib

from kernelsim.view import dot, draw, engine, layout, text
from kernelsim.view.graph import Edge, Graph, Node

__all__ = ["Picture"]


class Picture:
    """What a view returns.

    :param graph: the nodes and edges; not to be changed afterwards.
    :param engine: name of the layout engine, or an engine; by default as ``engine.choose``.
    :param drawn: the SVG, where it was drawn together with others (``film``).
    """

    def __init__(
        self, graph: Graph, engine: str | engine.Engine | None = None, drawn: str = ""
    ) -> None:
        self._graph = graph
        self._engine = engine
        self._drawn = drawn

    def __repr__(self) -> str:
        return f"Picture({self.title!r}, {self._counts()})"

    @property
    def graph(self) -> Graph:
        """The nodes and edges; not to be changed."""
        return self._graph

    @property
    def title(self) -> str:
        """The heading."""
        return self._graph.title

    @property
    def subtitle(self) -> str:
        """What stands behind the heading: the moment shown."""
        return self._graph.subtitle

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The boxes, in order."""
        return tuple(self._graph.nodes)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The pointers, in order."""
        return tuple(self._graph.edges)

    def _counts(self) -> str:
        nodes, edges = len(self._graph.nodes), len(self._graph.edges)
        return f"{text.counted(nodes, 'node')}, {text.counted(edges, 'edge')}"

    @functools.cached_property
    def summary(self) -> str:
        """One sentence: what it shows, how much, and what changed. The alternative text."""
        heading = f"{self.title}, {self.subtitle}" if self.subtitle else self.title
        new = [node.label for node in self.nodes if node.change == "new"]
        changed = [node.label for node in self.nodes if node.change == "changed"]
        parts = [f"{heading}: {self._counts()}."]
        parts += [f"New: {', '.join(new)}."] if new else []
        parts += [f"Changed: {', '.join(changed)}."] if changed else []
        return " ".join([*parts, *self._graph.notes])

    @functools.cached_property
    def dot(self) -> str:
        """The graph as DOT, for other tools."""
        return dot.compose(self._graph)

    @functools.cached_property
    def svg(self) -> str:
        """The drawing; laid out now, if it was not before.

        :raises engine.EngineError: there is no layout engine.
        """
        if self._drawn:
            return self._drawn
        left, top = draw.margins(self._graph)
        answer = engine.layout(dot.compose(self._graph, layout=True), "json0", self._engine)
        placed = layout.read(answer, self._graph, left, top)
        return draw.svg(self._graph, placed, self.summary)

    @functools.cached_property
    def text(self) -> str:
        """The text twin: every node and every edge in words, one a line."""
        names = {node.id: node.label for node in self.nodes}
        lines = [self.summary]
        lines += [node.sentence() for node in self.nodes]
        lines += [_sentence(edge, names) for edge in self.edges]
        return "\n".join(lines)

    def table(self) -> list[dict[str, object]]:
        """The table twin: a row for each node, its fields by name; pandas takes it as it is."""
        return [_row(node) for node in self.nodes]

    def save(self, path: str | pathlib.Path) -> pathlib.Path:
        """Write the picture: ``.svg``, ``.dot`` (or ``.gv``) or ``.txt``, by the file's suffix."""
        path = pathlib.Path(path)
        kinds = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".txt": "text"}
        if path.suffix not in kinds:
            raise ValueError(f"a picture is saved as .svg, .dot, .gv or .txt, not {path.suffix!r}")
        words: str = getattr(self, kinds[path.suffix])
        path.write_text(words if words.endswith("\n") else words + "\n", encoding="utf-8")
        return path

    def html(self) -> str:
        """A figure that shows wherever HTML shows, also where inline SVG is stripped."""
        data = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<figure class="kernelsim-figure"><img alt="{draw.attribute(self.summary)}" '
            f'src="data:image/svg+xml;base64,{data}">'
            f"<figcaption>{draw.content(self.title)}</figcaption></figure>"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            drawn = {"image/svg+xml": self.svg, "text/html": self.html()}
        except engine.EngineError as error:
            return {"text/plain": f"{self.text}\n(no drawing: {error})"}
        return {"text/plain": self.text, **drawn}


def _sentence(edge: Edge, names: dict[str, str]) -> str:
    name = edge.name or edge.src_port
    source = f"{name} of {names[edge.src]}" if name else names[edge.src]
    target = f"{edge.dst_port} of {names[edge.dst]}" if edge.dst_port else names[edge.dst]
    value = "" if edge.target is None else f", {edge.target:#018x}"
    was = f", was {edge.was}" if edge.was else ""
    change = f" [{edge.change}{was}]" if edge.change else ""
    return f"{source} points to {target}{value}{change}."


def _row(node: Node) -> dict[str, object]:
    row: dict[str, object] = {
        "node": node.label,
        "kind": node.kind,
        "address": None if node.address is None else f"{node.address:#018x}",
        "change": node.change,
        "folded": node.folded,
    }
    row |= {item.name: item.value for item in node.fields if item.kind in {"field", "member"}}
    return row
