"""The function graph of a system call as a tree that can be folded."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import traitlets

from kernelsim.debug import calltree, source, strace
from kernelsim.debug.calltree import Node
from kernelsim.view import text
from kernelsim.widget import base, pane

__all__ = ["GraphPane"]

OFFERED = 300  # calls to choose from
PRINTED = 400  # lines in what a page without a kernel shows
OPEN, EARLY, SWITCH = (
    1,
    2,
    4,
)  # what a row may be: never left, entered before, the CPU goes on elsewhere


class GraphPane(pane.Pane, kind="graph"):
    """Shows the kernel functions of a system call: the last one, or one that the reader chooses.

    :param k: a Kernel, or one as it was.
    :param call: the time of the call's sys_enter; without one, the call of the moment shown.
    :param depth: so many levels are unfolded at first.
    """

    title = "Function graph"

    calls: Any = traitlets.List().tag(sync=True)
    call = traitlets.Int(allow_none=True, default_value=None).tag(sync=True)
    everyone = traitlets.Bool(default_value=False).tag(sync=True)
    depth = traitlets.Int(6).tag(sync=True)
    graph: Any = traitlets.Dict().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    site: Any = traitlets.Unicode(f"{source.SITE}/").tag(sync=True)

    def __init__(self, k: Any, task: Any = None, call: int | None = None, depth: int = 6) -> None:
        self._strace: Any = None
        self._names: Any = None
        self._roots: list[Node] = []
        super().__init__(k, task)
        self.depth, self.call = depth, call
        self.observe(self._again, ["call", "everyone"])

    # -- which call ----------------------------------------------------------------------------

    def draw(self) -> None:
        """Show the call chosen, or else the one of the moment."""
        m, end = pane.present(self.look), pane.until(self.look)
        if not m.trace.on:
            self._nothing("This machine keeps no record of what it did (record=False).")
            return
        if self._strace is None or self._strace.m is not m:
            self._strace, self._names = strace.Strace(m), pane.Names(m)
        rows = [row for row in self._strace.rows() if pane.is_call(m, row)]
        past = [row for row in rows if row.t < end]
        self.calls = [[row.t, f"{row.pid}: {_short(row.text)}"] for row in past[-OFFERED:]]
        chosen = next((row for row in rows if row.t == self.call), None) or self._usual(past)
        if chosen is None:
            self._nothing("No system call has been made yet.")
            return
        self._draw(m, chosen, max(end, chosen.t + 1))

    # The first call since the moment before; else the last one that was fired, or made at all.
    def _usual(self, past: list[strace.Row]) -> strace.Row | None:
        commands = getattr(self.look, "commands", ())
        fired = max((t for t, kind, _ in commands if not kind.startswith("_")), default=0)
        begin = fired if self.since is None else self.since.now
        return next((row for row in past if row.t >= begin), past[-1] if past else None)

    def _nothing(self, why: str) -> None:
        self.heading, self.note, self._roots = why, "", []
        self.graph = {"names": [], "places": [], "times": [], "rows": [], "who": {}, "key": ""}

    def _draw(self, m: Any, row: strace.Row, end: int) -> None:
        since, until = calltree.span(m, row.t, end)
        then = None if self.look.machine is m else self.look.machine
        only = None if self.everyone else row.pid
        self._roots, more = calltree.tree(m, since, until, only, then)
        self.graph = self._graph(since) | {"key": f"{row.t}"}
        count = text.counted(len(self.graph["rows"]), "line")
        lacking = f", and {text.counted(more, 'function')} more, not shown" if more else ""
        who = self._names.badge(row.pid, row.t)[2]
        shown = row.text if row.end < end else row.text[: row.known]
        self.heading = f"{who}: {_short(shown)}"
        self.note = f"{count}{lacking}. {calltree.CLOCK}"

    # -- the rows ------------------------------------------------------------------------------

    def _graph(self, since: int) -> dict[str, Any]:
        names: dict[str, int] = {}
        times: dict[str, int] = {"": 0}
        rows: list[Any] = []
        for node, depth in _flat(self._roots):
            name, (kind, took) = names.setdefault(node.name, len(names)), _took(node)
            other = node.to if kind & SWITCH else times.setdefault(took, len(times))
            rows.append([name, depth, node.pid, other, kind])
        pids = sorted({row[2] for row in rows} | {row[3] for row in rows if row[4] & SWITCH})
        found = [source.place(name) for name in names]
        return {
            "names": list(names),
            "places": [[place.path, place.line] if place else None for place in found],
            "times": list(times),
            "rows": rows,
            "who": {str(pid): self._names.badge(pid, since) for pid in pids},
        }

    def _again(self, _change: Any) -> None:
        self._late = True
        if self.layout.display != "none":
            self.catch_up()

    # -- without a kernel ----------------------------------------------------------------------

    def static(self) -> dict[str, str]:
        """The tree: as function_graph prints it, and in HTML foldable without a script."""
        self.catch_up()
        said = calltree.text(self._roots, PRINTED)
        left = [PRINTED]
        folds = "".join(_fold(node, 1, self.depth, left) for node in self._roots)
        if (more := len(self.graph["rows"]) - PRINTED) > 0:
            folds += base.paragraphs(f"{text.counted(more, 'line')} are not shown here.")
        return {
            "text/plain": "\n".join(filter(None, (self.heading, said))),
            "text/html": base.paragraphs(self.heading, self.note) + folds,
        }


def _short(words: str) -> str:
    return text.clip(" ".join(text.printable(words).split()), 100)


# Every node with its depth, as it is read from top to bottom.
def _flat(roots: list[Node]) -> Iterator[tuple[Node, int]]:
    todo = [(root, 1) for root in reversed(roots)]
    while todo:
        node, depth = todo.pop()
        yield node, depth
        todo += [(child, depth + 1) for child in reversed(node.children)]


# What a row is, and how long the function took.
def _took(node: Node) -> tuple[int, str]:
    if node.kind == "switch":
        return SWITCH, ""
    kind = EARLY * node.early + OPEN * (node.ns is None and not node.early)
    return kind, "" if node.ns is None else calltree.duration(node.ns).strip()


def _fold(node: Node, depth: int, deepest: int, left: list[int]) -> str:
    if left[0] <= 0:
        return ""
    left[0] -= 1
    if node.kind == "switch":
        return f'<div style="margin-left:1.5em">/* task {node.to} runs */</div>'
    link = html.escape(source.link(node.name))
    name = f'<a href="{link}">{html.escape(node.name)}</a>' if link else html.escape(node.name)
    head = f"<code>{name}()</code> {_took(node)[1]}"
    if not node.children:
        return f'<div style="margin-left:1.5em">{head}</div>'
    # A link may not stand in what is clicked to fold: it is the first line of what is folded.
    words = html.escape(f"{node.name} in Linux")
    inner = f'<div style="margin-left:1.5em"><a href="{link}">{words}</a></div>' if link else ""
    head = f"<code>{html.escape(node.name)}()</code> {_took(node)[1]}"
    inner += "".join(_fold(child, depth + 1, deepest, left) for child in node.children)
    is_open = " open" if depth < deepest else ""
    return f'<details{is_open} style="margin-left:1em"><summary>{head}</summary>{inner}</details>'
