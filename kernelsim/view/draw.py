"""A laid-out graph as SVG text: Graphviz placed the boxes, the insides are drawn here.

The picture is self-contained (its style sheet inside, no script, no font from elsewhere) and refers
to nothing by ``url(#…)``, so that many pictures can stand in one page. Ids come from simulated
addresses: ``n-`` a node, ``e-`` an edge, by the address of the pointer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kernelsim.view import dot, route, style, text
from kernelsim.view.graph import Edge, Field, Graph, Node
from kernelsim.view.layout import Box, Layout
from kernelsim.view.route import Course, number

__all__ = ["MARGIN", "attribute", "content", "elements", "margins", "needed", "sheet", "svg"]

MARGIN = 16.0
TITLE = 34.0  # height of the line with the title
SMALL = dot.CELL
LEGEND = 24.0
PAD = 8.0  # inside a record, left and right, as Graphviz leaves it

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_TABLE = str.maketrans(_ESCAPES)


def content(value: str) -> str:
    """Text between tags, in XML and in HTML."""
    return value.translate(_TABLE)


def attribute(value: str) -> str:
    """A value between double quotes, in XML and in HTML."""
    return value.translate(_TABLE)


def margins(graph: Graph) -> tuple[float, float]:
    """Room left of the layout and above it."""
    rings = sum(edge.route == "below" for edge in graph.edges)
    beside = any(edge.route == "beside" for edge in graph.edges)
    side = route.SIDE + route.UPRIGHT * (rings - 1) if rings else route.SIDE * beside
    return MARGIN + side, MARGIN + TITLE + (10.0 if _any_tag(graph) else 0.0)


def svg(graph: Graph, layout: Layout, summary: str) -> str:
    """The picture. ``layout`` was read with ``margins(graph)``."""
    paths = route.courses(graph, layout)
    width = needed(graph, layout)
    found, height = elements(graph, layout, paths, width)
    return sheet(graph.title, summary, width, height, found)


def needed(graph: Graph, layout: Layout) -> float:
    """How wide the picture is, once its edges have their courses."""
    heading = text.cells(graph.title) * 9.6 + text.cells(graph.subtitle) * 7.8 + 3 * MARGIN
    return max(layout.width + MARGIN, heading, 360.0)


def elements(
    graph: Graph, layout: Layout, paths: list[Course], width: float, *, loose: bool = False
) -> tuple[list[tuple[str, ...]], float]:
    """What stands on the sheet, each node and edge the lines of one element; how high it must be.

    :param loose: nodes that are moved as a whole, so that one that moves changes in one line only.
    """
    found = [tuple(_heading(graph))]
    for place, (_, label) in enumerate(graph.clusters):
        found.append(tuple(_cluster(layout.clusters.get(place), label)))
    found += [tuple((_loose if loose else _node)(node, layout)) for node in graph.nodes]
    pairs = zip(graph.edges, paths, strict=True)
    found += [tuple(_edge(edge, course)) for edge, course in pairs]
    foot, height = _foot(graph, width, layout.height + MARGIN)
    return [*filter(None, found), tuple(foot)], height


def sheet(
    title: str, summary: str, width: float, height: float, found: Iterable[tuple[str, ...]]
) -> str:
    """The elements on a sheet of this size; without a summary it has no words of its own."""
    wide, high = number(width), number(height)
    label = f'aria-label="{attribute(summary)}" ' if summary else ""
    size = f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
    top = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ks" role="img" {label}{size}>',
        f"<title>{content(title)}</title>",
        *([f"<desc>{content(summary)}</desc>"] if summary else []),
        f"<style>{style.css()}</style>",
        f'<rect class="ks-ground" width="{wide}" height="{high}" rx="6"/>',
    ]
    return "\n".join([*top, *(line for element in found for line in element), "</svg>", ""])


def _heading(graph: Graph) -> Iterator[str]:
    baseline = MARGIN + 14
    yield _text(MARGIN, baseline, graph.title, "ks-title")
    if graph.subtitle:
        after = MARGIN + text.cells(graph.title) * 9.6 + 14
        yield _text(after, baseline, graph.subtitle, "ks-dim")


def _text(x: float, y: float, value: str, classes: str = "") -> str:
    chosen = f' class="{classes}"' if classes else ""
    return f'<text x="{number(x)}" y="{number(y)}"{chosen}>{content(value)}</text>'


def _rect(box: Box, classes: str, radius: float = 0.0) -> str:
    rounded = f' rx="{number(radius)}"' if radius else ""
    return (
        f'<rect class="{classes}" x="{number(box.x0)}" y="{number(box.y0)}" '
        f'width="{number(box.width)}" height="{number(box.height)}"{rounded}/>'
    )


def _diamond(x: float, y: float, half: float = 5.5) -> str:
    step = number(half)
    return (
        f'<path class="ks-mark" d="M{number(x)} {number(y - half)}'
        f'l{step} {step} -{step} {step} -{step} -{step}z"/>'
    )


def _cluster(box: Box | None, label: str) -> Iterator[str]:
    if box is not None:
        yield _rect(box, "ks-cluster", 8)
        yield _text(box.x, box.y0 + 17, label, "ks-m ks-dim")


# -- nodes --------------------------------------------------------------------------------------


def _node(node: Node, layout: Layout) -> Iterator[str]:
    classes = " ".join(["ks-node", *(f"ks-{word}" for word in node.kind.split())])
    classes += f" ks-{node.change}" if node.change else ""
    classes += " ks-focus" if node.focus else ""
    address = "" if node.address is None else f' data-address="{node.address:#018x}"'
    folded = f' data-folded="{node.folded}"' if node.folded else ""
    yield f'<g class="{attribute(classes)}" id="n-{node.id}"{address}{folded}>'
    place = "" if node.address is None else f" at {node.address:#018x}"
    yield f"<title>{content(node.label + place)}</title>"
    box = layout.boxes[node.id]
    yield _rect(box, "ks-face", 0 if "kthread" in node.kind else 6)
    if node.kind == "red":
        yield _rect(Box(box.x0 + 4, box.y0 + 4, box.x1 - 4, box.y1 - 4), "ks-twin", 3)
    yield from _record(node, layout) if node.record else _box(node, box)
    yield from _tags(node, box)
    yield "</g>"


# The node drawn in the corner of the sheet, and moved from there to its place.
def _loose(node: Node, layout: Layout) -> Iterator[str]:
    box = layout.boxes[node.id]
    yield f'<g transform="translate({number(box.x0)} {number(box.y0)})">'
    yield from _node(node, layout.corner(node.id))
    yield "</g>"


def _box(node: Node, box: Box) -> Iterator[str]:
    left = box.x0 + 12
    if node.badge:
        left += dot.BADGE
        yield _left_round(box, dot.BADGE)
        yield _text(box.x0 + dot.BADGE / 2, box.y + 7, node.badge, "ks-letter ks-m")
    first = box.y - (len(node.lines) - 1) * dot.LINE / 2 + 5
    for row, line in enumerate(node.lines):
        y = first + row * dot.LINE
        if row in node.marked:
            yield _rect(Box(left - 5, y - 13, box.x1 - 4, y + 4), "ks-markbg", 3)
            yield _diamond(box.x1 - 13, y - 4.5)
        yield _text(left, y, line, "ks-b" if row == 0 else "ks-dim")


# The coloured field at a box's left side: round where the box is round.
def _left_round(box: Box, width: float) -> str:
    x, y, right, low = box.x0 + 2.5, box.y0 + 2.5, box.x0 + width - 2, box.y1 - 2.5
    return (
        f'<path class="ks-badge" d="M{number(right)} {number(y)}H{number(x + 4)}'
        f'q-4 0 -4 4V{number(low - 4)}q0 4 4 4H{number(right)}z"/>'
    )


def _record(node: Node, layout: Layout) -> Iterator[str]:
    head, *rows = layout.rows[node.id]
    yield (
        f'<path class="ks-band" d="M{number(head.x0 + 1)} {number(head.y1)}V{number(head.y0 + 6)}'
        f'q0 -5 5 -5H{number(head.x1 - 6)}q5 0 5 5V{number(head.y1)}z"/>'
    )
    first = head.y - (len(node.lines) - 1) * dot.LINE / 2 + 5
    for row, line in enumerate(node.lines):
        yield _text(head.x0 + PAD, first + row * dot.LINE, line, "ks-b" if row == 0 else "ks-dim")
    columns = layout.columns.get(node.id) or dot.Columns(node)
    torn = _torn(node.fields)
    for item, box, gap in zip(node.fields, rows, torn, strict=True):
        yield from _row(item, box, columns, torn=gap)


# Where bytes are left out between two rows: the field does not begin where the last one ended.
def _torn(fields: tuple[Field, ...]) -> list[bool]:
    found, end = [], 0
    for item in fields:
        missing = item.offset is not None and item.offset > end
        found.append(item.kind == "gap" or (missing and item.kind != "bytes"))
        if item.offset is not None:
            size = 0 if item.kind == "group" else item.size or 0
            end = max(end, item.offset + size)
    return found


def _row(item: Field, box: Box, columns: dot.Columns, *, torn: bool) -> Iterator[str]:
    if item.kind in {"group", "member", "sum"}:
        shade = "ks-sumbg" if item.kind == "sum" else "ks-group"
        yield _rect(Box(box.x0 + 1.5, box.y0, box.x1 - 1.5, box.y1 - 1), shade)
    if item.changed:
        inside = Box(box.x0 + 3, box.y0 + 2, box.x1 - 3, box.y1 - 2)
        was = "" if item.was is None else f"<title>was {content(item.was)}</title>"
        yield f"<g>{was}{_rect(inside, 'ks-markbg', 4)}{_diamond(box.x1 - 9.5, box.y, 5)}</g>"
    line = "ks-torn" if torn else "ks-hair"
    if item.kind == "sum" and (item.sign == "=" or not item.value):
        line = "ks-sum"
    yield (
        f'<path class="{line}" d="M{number(box.x0 + 1)} {number(box.y0)}H{number(box.x1 - 1)}"/>'
    )
    y = box.y + 5
    left = box.x0 + PAD
    if item.margin:
        yield _text(left, y, item.margin, "ks-strong" if item.strong else "ks-dim")
    name = left + columns.start(item) * dot.CELL
    is_heading = item.kind == "group" or (item.kind == "sum" and not item.value)
    label = "ks-b" if is_heading else "ks-dim" if item.kind == "gap" else ""
    yield _text(name, y, item.label, label)
    if item.drawn:
        classes = "ks-r ks-dim" if item.kind == "group" else "ks-r"
        right = left + (columns.width - dot.MARK) * dot.CELL
        yield _text(right, y, item.drawn, _emphasis(item, classes))


def _emphasis(item: Field, classes: str) -> str:
    if item.changed:
        return classes + " ks-b"
    return classes + " ks-strong" if item.kind == "sum" and item.strong else classes


def _any_tag(graph: Graph) -> bool:
    return any(node.change == "new" or node.focus for node in graph.nodes)


def _tags(node: Node, box: Box) -> Iterator[str]:
    right = box.x1 - 8
    words = (["new"] if node.change == "new" else []) + (["focus"] if node.focus else [])
    for word in words:
        width = len(word) * SMALL + 12
        yield _rect(Box(right - width, box.y0 - 13, right, box.y0 + 7), "ks-tag", 10)
        yield _text(right - width / 2, box.y0 + 2, word, "ks-tagtext ks-m")
        right -= width + 4


# -- edges --------------------------------------------------------------------------------------


def _edge(edge: Edge, course: Course) -> Iterator[str]:
    classes = f"ks-edge ks-{edge.kind}" + (f" ks-{edge.change}" if edge.change else "")
    data = f' data-src="n-{edge.src}" data-dst="n-{edge.dst}"'
    if edge.pointer is not None:
        data += f' data-pointer="{edge.pointer:#018x}"'
    if edge.target is not None:
        data += f' data-target="{edge.target:#018x}"'
    group, line = style.inline(edge.kind)
    yield f'<g class="{attribute(classes)}" id="e-{edge.id}"{data}{group}>'
    yield f'<path d="{course.path}"{line}/><path class="ks-tip" d="{course.head}"/>'
    if edge.src_port:
        x, y = course.start
        yield f'<circle cx="{number(x)}" cy="{number(y)}" r="4"/>'
    if edge.change:
        yield _diamond(*course.middle, half=7)
    if edge.label:
        yield _text(course.label[0], course.label[1] - 6, edge.label, "ks-m")
    yield "</g>"


# -- below the picture ----------------------------------------------------------------------------


# The legend, wrapped to the width, then the notes; answers the lines and the whole height. Each
# entry is a group of its own, so that a page can move it to where it stays in sight.
def _foot(graph: Graph, width: float, y: float) -> tuple[list[str], float]:
    lines: list[str] = []
    x, top = MARGIN, y
    y += 6
    entries = list(_legend(graph))
    for kind, words in entries:
        wide = 44 + text.cells(words) * SMALL + 18
        if x > MARGIN and x + wide > width:
            x, y = MARGIN, y + LEGEND
        lines.append(f'<g class="ks-key" transform="translate({number(x)} {number(y)})">')
        lines += [*_sample(kind), _text(44, 5, words, "ks-small"), "</g>"]
        x += wide
    y += LEGEND if entries else 0
    for note in graph.notes:
        lines.append(_text(MARGIN, y + 5, note, "ks-small ks-note"))
        y += 20
    group = [f'<g class="ks-foot" data-top="{number(top)}">', *lines, "</g>"]
    return ["\n".join(group)] if lines else [], y


def _legend(graph: Graph) -> Iterator[tuple[str, str]]:
    yield from graph.legend
    fields = any(item.changed for node in graph.nodes for item in node.fields)
    nodes = any(node.change for node in graph.nodes)
    if fields or nodes or any(edge.change for edge in graph.edges):
        yield "", "changed"


# What an entry of the legend explains: a line of that kind, or the mark of what changed.
def _sample(kind: str) -> Iterator[str]:
    if not kind:
        yield _diamond(24, 0)
        return
    group, line = style.inline(kind)
    yield f'<g class="ks-edge ks-{attribute(kind)}"{group}><path d="M0 0H26"{line}/>'
    yield '<path class="ks-tip" d="M26 -5L37 0L26 5z"/></g>'
