"""Which pictures of a film can share one layout, and what place each of their boxes has in it.

A box has a *slot*.  In a graph it is the structure's own; in a tree it belongs to the structure
under its parents, so that a process that gets another parent moves below it; in a row of records it
is a column, which structures that are never seen together share, so that a row in which tasks come
and go has no gaps.

A new scene begins where the order of a row is turned round, or where keeping all places would
spread the pictures over much more room than one of them needs; there, boxes move.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from kernelsim.view.graph import Graph

__all__ = ["Column", "Key", "Scene", "Slot", "merge", "scenes"]

Key = Hashable  # what a box is, from picture to picture
Slot = Hashable  # where it stands: its key, or a column of a row
K = TypeVar("K", bound=Hashable)

ROW_ROOM = 2  # columns that a scene may have beyond those of its longest row
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


class Scene(NamedTuple):
    """Pictures that share one layout; a graph joins by `extended`."""

    graphs: tuple[Graph, ...]
    keys: tuple[dict[str, Key], ...]  # of each graph: the keys of its nodes by id
    order: list[Key]
    pairs: frozenset[tuple[Key, Key]]  # neighbours in rows
    slots: dict[Key, Slot]

    def extended(self, graph: Graph) -> Scene | None:
        """This scene with one graph more; None if it does not fit in."""
        keys = _keys(graph)
        pairs = self.pairs | {(keys[one], keys[other]) for one, other, _ in graph.aligned}
        slots = self.slots
        if pairs != self.pairs or not slots.keys() >= set(keys.values()):
            columns = _columns(pairs)
            if columns is None:
                return None
            every = dict.fromkeys([*self.order, *keys.values()])
            slots = {key: columns.get(key, key) for key in every}
        scene = Scene(
            (*self.graphs, graph),
            (*self.keys, keys),
            merge(self.order, keys.values()),
            pairs,
            slots,
        )
        return scene if scene.fits() else None

    def fits(self) -> bool:
        """Whether no two boxes of one picture share a slot, and all need little more room than one."""
        most = broadest = 0
        for keys in self.keys:
            own = {self.slots[key] for key in keys.values()}
            if len(own) < len(keys):
                return False
            columns = sum(isinstance(slot, Column) for slot in own)
            most, broadest = max(most, len(own) - columns), max(broadest, columns)
        every = set(self.slots.values())
        columns = sum(isinstance(slot, Column) for slot in every)
        others = len(every) - columns
        return columns <= broadest + ROW_ROOM and others <= most + ROOM + most // SHARE


_NOTHING = Scene((), (), [], frozenset(), {})


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
    return _NOTHING.extended(graph) or Scene(
        (graph,),
        (keys := _keys(graph),),
        list(keys.values()),
        frozenset(),
        {k: k for k in keys.values()},
    )


def _alike(one: Graph, other: Graph) -> bool:
    return _manner(one) == _manner(other)


def _manner(graph: Graph) -> tuple[object, ...]:
    return graph.rankdir, graph.ranksep, graph.nodesep, graph.uniform


# What each node is: its id and frame, and in a tree what its parents are.
def _keys(graph: Graph) -> dict[str, Key]:
    above = {edge.src: edge.dst for edge in graph.edges if edge.route == "elbow"}
    own: dict[str, Key] = {node.id: (node.id, node.cluster) for node in graph.nodes}
    found: dict[str, Key] = {}
    for node in graph.nodes:
        line = [node.id]  # up to what is known already, or to the root
        while (over := above.get(line[-1])) is not None and over not in line and over not in found:
            line.append(over)
        for name in reversed(line):
            parent = found.get(above.get(name, ""))
            found[name] = own[name] if parent is None else (own[name], parent)
    return {node.id: found[node.id] for node in graph.nodes}


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
