"""Which pictures of a film can share one layout, and what place each of their boxes has in it.

A box has a *slot*.  In a graph it is the structure's own; in a tree it belongs to the structure
below its parents, so that a process that gets another parent moves below it; in a row of records it
is a column, which structures that are never seen together share, so that a row in which tasks come
and go has few gaps.

A new scene begins where an order is turned round, of a row or of who points to whom, or where keeping all places would
spread the pictures over much more room than one of them needs; there, boxes move.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from kernelsim.view.graph import Edge, Graph

__all__ = ["Column", "Key", "Scene", "Slot", "merge", "scenes"]

Key = Hashable  # what a box is, from picture to picture
Slot = Hashable  # where it stands: its key, or a column of a row
K = TypeVar("K", bound=Hashable)

ROW_ROOM = 1  # columns that a scene may have beyond those of its longest row
ROOM = 3  # other slots that it may have beyond those of its largest picture, and as
SHARE = 3  # many again as a third of that picture


def merge(order: list[K], following: Iterable[K]) -> list[K]:
    """Put what is new in `following` into `order`, each behind what stands before it there.

    >>> merge(["a", "c"], ["a", "b", "d", "c"])
    ['a', 'b', 'd', 'c']
    """
    known = {key: place for place, key in enumerate(order)}
    after, new = -1, dict[int, list[K]]()
    for key in following:
        if key in known:
            after = known[key]
        else:
            new.setdefault(after, []).append(key)
    found = list(new.get(-1, ()))
    for place, key in enumerate(order):
        found += [key, *new.get(place, ())]
    return found


Pairs = frozenset[tuple[Key, Key]]
NO_PAIRS: Pairs = frozenset()


class Scene(NamedTuple):
    """Pictures that share one layout; a graph joins by `extended`."""

    graphs: tuple[Graph, ...] = ()
    keys: tuple[dict[str, Key], ...] = ()  # of each graph: the keys of its nodes by id
    known: tuple[Key, ...] = ()  # all keys, by `merge`
    pairs: Pairs = NO_PAIRS  # neighbours in rows
    families: Pairs = NO_PAIRS  # neighbours among the children of one parent
    arrows: Pairs = NO_PAIRS  # from what is laid out before to what is laid out behind
    slots: dict[Key, Slot] = {}  # noqa: RUF012  # never changed
    turns: dict[str, int] = {}  # noqa: RUF012  # how often another took the memory of a node
    room: tuple[int, int] = 0, 0  # columns of the longest row, other slots of the largest picture

    def extended(self, graph: Graph) -> Scene | None:
        """This scene with one graph more; None if it does not fit in."""
        seen = {node for keys in self.keys for node in keys}
        taken = {n.id: self.turns.get(n.id, 0) + 1 for n in graph.nodes if n.change == "new"}
        taken = {node: turn for node, turn in taken.items() if node in seen}
        scene = self._joined(graph, self.turns)
        if scene is None and taken:
            scene = self._joined(graph, self.turns | taken)
        return scene

    def _joined(self, graph: Graph, turns: dict[str, int]) -> Scene | None:
        keys = _keys(graph, turns)
        row = frozenset((keys[one], keys[other]) for one, other, _ in graph.aligned)
        pairs = _together(self.pairs, row)
        families = _together(self.families, frozenset(_families(graph, keys)))
        arrows = _together(self.arrows, frozenset(_arrows(graph, keys)))
        if pairs is None or families is None or arrows is None:
            return None
        known = self.known
        if not set(known) >= set(keys.values()):
            known = tuple(merge(list(known), keys.values()))
        every, slots, fresh = (*self.keys, keys), self.slots, [keys]
        if known != self.known or pairs != self.pairs:
            columns = _columns(pairs) or {}
            slots, fresh = {key: columns.get(key, key) for key in known}, list(every)
        room = self.room if fresh == [keys] else (0, 0)
        for own in fresh:
            taken = {slots[key] for key in own.values()}
            if len(taken) < len(own):  # two boxes of one picture in one place
                return None
            room = _larger(room, taken)
        graphs = (*self.graphs, graph)
        scene = Scene(graphs, every, known, pairs, families, arrows, slots, turns, room)
        return scene if scene.fits() else None

    def fits(self) -> bool:
        """Whether all pictures together need little more room than the largest one."""
        columns, others = _larger((0, 0), set(self.slots.values()))
        broadest, most = self.room
        return columns <= broadest + ROW_ROOM and others <= most + ROOM + most // SHARE

    def order(self) -> list[Key]:
        """All keys, children of one parent as they follow each other in each picture."""
        before: dict[Key, set[Key]] = {}
        for one, other in self.families:
            before.setdefault(other, set()).add(one)
        todo = dict.fromkeys(self.known)
        found: dict[Key, None] = {}
        while todo:
            ready = (key for key in todo if before.get(key, set()) <= found.keys())
            key = next(ready, None) or next(iter(todo))
            found[key] = todo.pop(key)
        return list(found)


# The larger of a room and that which these slots take.
def _larger(room: tuple[int, int], slots: set[Slot]) -> tuple[int, int]:
    columns = sum(isinstance(slot, Column) for slot in slots)
    return max(room[0], columns), max(room[1], len(slots) - columns)


class Column(NamedTuple):
    """A place in a row of records, counted from the left."""

    row: int
    place: int


def scenes(graphs: Sequence[Graph]) -> list[Scene]:
    """Divide graphs that follow each other into scenes, each as long as it can be."""
    found: list[Scene] = []
    for graph in graphs:
        last = found[-1] if found and _alike(found[-1].graphs[0], graph) else None
        more = last and last.extended(graph)
        if more:
            found[-1] = more
        else:
            found.append(_alone(graph))
    return found


def _alone(graph: Graph) -> Scene:
    if scene := Scene().extended(graph):
        return scene
    keys = _keys(graph, {})
    slots: dict[Key, Slot] = {key: key for key in keys.values()}
    return Scene((graph,), (keys,), tuple(slots), slots=slots)


def _alike(one: Graph, other: Graph) -> bool:
    return _manner(one) == _manner(other)


def _manner(graph: Graph) -> tuple[object, ...]:
    return graph.rankdir, graph.ranksep, graph.nodesep, graph.uniform


# Both, unless what is one way round here is the other way round there.
def _together(known: Pairs, own: Pairs) -> Pairs | None:
    if own <= known:
        return known
    found = known | own
    turned = _columns(found) is None and _columns(own) is not None
    return None if turned else found


# What each node is: its id and frame, and in a tree how it hangs below what.
def _keys(graph: Graph, turns: dict[str, int]) -> dict[str, Key]:
    above = {child: how for child, *how in _tree(graph)}
    own: dict[str, Key] = {n.id: (n.id, n.cluster, turns.get(n.id, 0)) for n in graph.nodes}
    found: dict[str, Key] = {}
    for node in graph.nodes:
        line = [node.id]  # up to what is known already, or to the root
        while (over := above.get(line[-1], ("",))[0]) and over not in line and over not in found:
            line.append(over)
        for name in reversed(line):
            over, *kind = above.get(name, ("",))
            found[name] = (own[name], *kind, found[over]) if over in found else own[name]
    return {node.id: found[node.id] for node in graph.nodes}


# The edges of a tree as (child, parent, kind); nothing if it is no tree.
def _tree(graph: Graph) -> list[tuple[str, str, str]]:
    elbows = [(e.src, e.dst, e.kind) for e in graph.edges if e.route == "elbow"]
    if elbows or graph.aligned:
        return elbows
    found = [(*((e.src, e.dst) if e.back else (e.dst, e.src)), e.kind) for e in _free(graph)]
    return found if len({child for child, *_ in found}) == len(found) else []


def _families(graph: Graph, keys: dict[str, Key]) -> Iterable[tuple[Key, Key]]:
    last: dict[str, str] = {}
    for child, parent, _ in _tree(graph):
        if parent in last:
            yield keys[last[parent]], keys[child]
        last[parent] = child


def _arrows(graph: Graph, keys: dict[str, Key]) -> Iterable[tuple[Key, Key]]:
    for edge in _free(graph):
        one, other = (edge.dst, edge.src) if edge.back else (edge.src, edge.dst)
        if one != other:
            yield keys[one], keys[other]


def _free(graph: Graph) -> Iterable[Edge]:
    return (edge for edge in graph.edges if edge.route in {"layout", "direct"})


# The columns of rows of neighbours, each as far left as its left neighbours allow; None if what is
# left here is right there.
def _columns(pairs: Iterable[tuple[Key, Key]]) -> dict[Key, Column] | None:
    ordered = sorted(pairs, key=repr)
    right: dict[Key, list[Key]] = {}
    waiting: dict[Key, int] = {}
    row = _rows(ordered)
    for one, other in ordered:
        right.setdefault(one, []).append(other)
        waiting[other] = waiting.get(other, 0) + 1
    place = dict.fromkeys(row, 0)
    todo = [key for key in row if not waiting.get(key)]
    for key in todo:
        for other in right.get(key, ()):
            place[other] = max(place[other], place[key] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                todo.append(other)
    if len(todo) < len(row):
        return None
    return {key: Column(row[key], place[key]) for key in row}


# Which row each neighbour stands in, by number.
def _rows(pairs: Iterable[tuple[Key, Key]]) -> dict[Key, int]:
    row: dict[Key, int] = {}
    for number, (one, other) in enumerate(pairs):
        joined = {row[key] for key in (one, other) if key in row}
        row[one] = row[other] = number
        row |= {key: number for key, its in row.items() if its in joined}
    return row
