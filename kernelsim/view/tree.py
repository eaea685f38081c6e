"""The process tree: who is whose child, walked through ``children`` and ``sibling`` in memory.

Boxes stand left to right from ``init_task``; each arrow is the pointer ``real_parent`` of a child.
Large trees are folded: the focus with its ancestors, children and siblings stays, what changed
stays, and every other run of siblings, or of generations, becomes one box that says how many.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import fold, moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["process_tree"]

SMALLEST = 8  # root, focus, and folds around both
LIMIT = 60  # boxes, whatever is asked for
NEAR = 3  # generations and siblings kept on either side of the focus
FEW = 6  # children of one parent kept before those of the next
DEEP = 5  # generations below init_task to fill a large picture with


def process_tree(
    k: Any,
    since: Any = None,
    focus: Any = None,
    *,
    limit: int = 24,
    also: Iterable[int] = (),
    rankdir: Literal["LR", "TB"] = "LR",
) -> Picture:
    """Draw the tree of processes below ``init_task``.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: an earlier time, Kernel or Machine; what changed from then on is marked.
    :param focus: struct task_struct *, its address or its pid; kept with those around it.
    :param limit: how many boxes at most, folds included; never more than 60.
    :param also: addresses of tasks to show besides (a fold that is opened has them in `hides`).
    :param rankdir: ``LR`` from left to right, ``TB`` from top to bottom.
    :raises KeyError: the focus is not in the tree.
    """
    if limit < SMALLEST:
        raise ValueError(f"limit is {limit}: a folded tree takes up to {SMALLEST} boxes")
    m = moment.machine(k)
    before = moment.earlier(k, since)
    tree = _walk(m)
    old = None if before is None else _walk(before)
    more = [address for address in also if address in tree.parent]
    drawing = _Drawing(m, before, tree, old, _find(m, tree, focus), rankdir)
    return drawing.picture(min(limit + len(more), LIMIT), more)


class _Tree(NamedTuple):
    # Addresses of task_structs; `parent` in the order of the walk, generation by generation.
    parent: dict[int, int]
    children: dict[int, list[int]]
    broken: list[str]

    def weights(self) -> dict[int, int]:
        # How many processes each subtree holds.
        weight = dict.fromkeys(self.parent, 1)
        for address in reversed(self.parent):
            if above := self.parent[address]:
                weight[above] += weight[address]
        return weight


# Walk the lists of children from init_task. A list that is broken ends where it breaks.
def _walk(m: Any) -> _Tree:
    root = m.symbol("init_task")
    parent = {root.address_: 0}
    children: dict[int, list[int]] = {}
    broken = []
    generation = [root]
    while generation:
        following: list[Any] = []
        for task in generation:
            found: list[int] = []
            try:
                for child in lists.list_for_each_entry(task_struct, task.children, "sibling"):
                    if child.address_ in parent:
                        broken.append(f"{child!r} is met twice")
                        break
                    child.sibling.next  # noqa: B018  # faults where there is no struct
                    parent[child.address_] = task.address_
                    found.append(child.address_)
                    following.append(child)
            except Fault as fault:
                broken.append(str(fault))
            if found:
                children[task.address_] = found
        generation = following
    return _Tree(parent, children, broken)


# The address of the focus, None for none.
def _find(m: Any, tree: _Tree, focus: Any) -> int | None:
    if focus is None:
        return None
    address: int = getattr(focus, "address_", focus)
    if address in tree.parent:
        return address
    for candidate in tree.parent:
        if tasks.at(m, candidate).pid == address:
            return candidate
    raise KeyError(f"no task {focus!r} in the process tree")


# -- what to keep -----------------------------------------------------------------------------------


# Addresses by how much they are worth a box of their own; the first ones most.
def _wanted(tree: _Tree, old: _Tree | None, focus: int | None, limit: int) -> Iterator[int]:
    root = next(iter(tree.parent))
    yield from (root,) if focus is None else (root, focus)
    if focus is not None:
        yield from _around(tree, focus)
    if old is not None:
        for address, above in tree.parent.items():
            if old.parent.get(address) != above:
                yield from (address, above)
    parents = list(tree.parent) if len(tree.parent) <= limit else _upper(tree, root)
    families = [tree.children[address] for address in parents if address in tree.children]
    for family in families:  # the first few of each, then the others
        yield from (*family[: FEW - 1], *family[-1:])
    for family in families:
        yield from family[FEW - 1 :]


# The first generations, in the order of the walk.
def _upper(tree: _Tree, root: int) -> list[int]:
    found = generation = [root]
    for _ in range(DEEP - 1):
        generation = [c for address in generation for c in tree.children.get(address, ())]
        found = found + generation
    return found


# The focus, its nearest ancestors, its children and siblings, and the beginning of its line.
def _around(tree: _Tree, focus: int) -> Iterator[int]:
    line = [focus]
    while above := tree.parent[line[-1]]:
        line.append(above)
    yield from line[: NEAR + 1]
    yield from reversed(line[-NEAR:])
    yield from tree.children.get(focus, [])[:FEW]
    family = tree.children.get(tree.parent[focus], [focus])
    place = family.index(focus)
    yield from family[max(place - NEAR, 0) : place + NEAR + 1]


class _Fold(NamedTuple):
    # Processes in one box: `first` (and its siblings up to `last`) hang below `above`.
    first: int
    last: int
    above: int
    size: int
    below: tuple[int, ...]  # kept processes whose parent is inside


class _Plan(NamedTuple):
    kept: dict[int, None]
    folds: dict[int, list[_Fold]]  # by the process they hang below

    @property
    def boxes(self) -> int:
        return len(self.kept) + sum(map(len, self.folds.values()))


class _Planner:
    # Chooses boxes for one tree.

    def __init__(self, tree: _Tree, wanted: Iterator[int]) -> None:
        self.tree = tree
        self.weight = tree.weights()
        self.wanted = list(dict.fromkeys(wanted))

    # As many as fit: fewer kept, when the folds between them take too many boxes.
    def plan(self, limit: int) -> _Plan:
        room = limit
        while True:
            plan = self.folded(dict.fromkeys(self.wanted[:room]))
            if plan.boxes <= limit or room == 2:
                return self.folded(plan.kept | self.alone(plan))
            room = max(2, room - max(1, (plan.boxes - limit) // 2))

    # One left out alone is shown: its box costs as much as the fold's.
    @staticmethod
    def alone(plan: _Plan) -> dict[int, None]:
        folds = (item for below in plan.folds.values() for item in below)
        return {item.first: None for item in folds if item.size == 1 and not item.below}

    def folded(self, kept: dict[int, None]) -> _Plan:
        outer = self.outermost(kept)
        folds = {
            above: list(self.below(above, kept, outer))
            for above in kept
            if above in self.tree.children
        }
        return _Plan(kept, folds)

    # For each kept process whose parent is not kept: the hidden ancestor next to a kept one.
    def outermost(self, kept: dict[int, None]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for address in kept:
            top, above = address, self.tree.parent[address]
            while above and above not in kept:
                top, above = above, self.tree.parent[above]
            if top != address:
                found.setdefault(top, []).append(address)
        return found

    # The hidden children of `above`: runs of siblings, and each that has kept descendants.
    def below(
        self, above: int, kept: dict[int, None], outer: dict[int, list[int]]
    ) -> Iterator[_Fold]:
        family = self.tree.children[above]
        marked = [place for place, child in enumerate(family) if child in kept or child in outer]
        for run in _exact_runs(len(family), marked):
            hidden = family[run.start : run.stop]
            if run.shown:
                for child in hidden:
                    if child in outer:
                        inside = self.weight[child] - sum(self.weight[c] for c in outer[child])
                        yield _Fold(child, child, above, inside, tuple(outer[child]))
            else:
                count = sum(self.weight[child] for child in hidden)
                yield _Fold(hidden[0], hidden[-1], above, count, ())


# As fold.runs, but one left out alone stays folded: its subtree may be large.
def _exact_runs(count: int, keep: list[int]) -> Iterator[fold.Run]:
    end = 0
    for place in [*keep, count]:
        if place > end:
            yield fold.Run(False, end, place)
        if place < count:
            yield fold.Run(True, place, place + 1)
        end = place + 1


# -- the picture --------------------------------------------------------------------------------------


class _Drawing:
    # One picture in the making.

    def __init__(
        self,
        m: Any,
        before: Any,
        tree: _Tree,
        old: _Tree | None,
        focus: int | None,
        rankdir: Literal["LR", "TB"],
    ) -> None:
        self.m, self.before, self.tree, self.old, self.focus = m, before, tree, old, focus
        self.builder = PictureBuilder(
            "The process tree", rankdir, subtitle=moment.caption(m, before), ranksep=64,
            nodesep=14, uniform=True,
        )  # fmt: skip

    def picture(self, limit: int, more: Iterable[int]) -> Picture:
        wanted = _wanted(self.tree, self.old, self.focus, limit)
        first = itertools.islice(wanted, 1 if self.focus is None else 2)
        wanted = itertools.chain([*first, *more], wanted)
        plan = _Planner(self.tree, wanted).plan(limit)
        todo: list[int | _Fold] = [next(iter(self.tree.parent))]
        edges: list[tuple[int, str, str]] = []  # a child, its box, its parent's box
        box_of: dict[int, str] = {}
        while todo:  # depth first, children in the order of their list
            item = todo.pop()
            if isinstance(item, _Fold):
                box = self.fold(item)
                edges.append((item.first, box, box_of[item.above]))
                for child in item.below:
                    box_of[self.tree.parent[child]] = box
                todo += reversed(item.below)
                continue
            box_of[item] = self.process(item)
            if above := self.tree.parent[item]:
                edges.append((item, box_of[item], box_of[above]))
            todo += reversed(self.ordered(item, plan))
        for child, src, dst in edges:
            self.pointer(child, src, dst, box_of)
        self.words()
        return self.builder.picture()

    # What hangs below a kept process, in list order.
    def ordered(self, above: int, plan: _Plan) -> list[int | _Fold]:
        folds = {item.first: item for item in plan.folds.get(above, ())}
        found: list[int | _Fold] = []
        for child in self.tree.children.get(above, ()):
            if child in plan.kept:
                found.append(child)
            elif child in folds:
                found.append(folds[child])
        return found

    def words(self) -> None:
        self.builder.legend("parent", "real_parent")
        for reason in self.tree.broken:
            self.builder.note(f"A list of children is broken: {reason}.")
        if self.old is not None and not self.tree.broken:
            lost = [tasks.at(self.before, a) for a in self.old.parent if not self.lives_on(a)]
            if words := tasks.gone(lost, moment.time(self.before)):
                self.builder.note(words)

    # True if the process that was at this address is still there.
    def lives_on(self, address: int) -> bool:
        if address not in self.tree.parent:
            return False
        return tasks.same(tasks.at(self.m, address), tasks.at(self.before, address))

    # The same process at the earlier time, None if it was not there then.
    def was(self, task: Any) -> Any:
        if self.old is None or task.address_ not in self.old.parent:
            return None
        old = tasks.at(self.before, task.address_)
        return old if tasks.same(task, old) else None

    def process(self, address: int) -> str:
        task = tasks.at(self.m, address)
        was = self.was(task)
        comm, letter = tasks.comm(task), tasks.state(task)
        old_comm, old_letter = (tasks.comm(was), tasks.state(was)) if was else (comm, letter)
        state, old_state = (f"{x} ({tasks.WORDS[x]})" for x in (letter, old_letter))
        count = tasks.threads(task)
        group = [f"{count} threads"] if count > 1 else []
        marked = ([0] if comm != old_comm else []) + ([1] if letter != old_letter else [])
        change: Change = "changed" if marked else ""
        if self.old is not None and was is None:
            change = "new"
        return self.builder.node(
            address,
            [tasks.name(task), f"pid {task.pid} {tasks.WORDS[letter]}", *group],
            badge=letter,
            kind=tasks.kind(task),
            change=change,
            focus=address == self.focus,
            marked=marked,
            words=tasks.title(task),
            fields=[
                Field("pid", str(task.pid)),
                Field("comm", comm, changed=0 in marked, was=old_comm if 0 in marked else None),
                *(Field("threads", words) for words in group),
                Field("state", state, changed=1 in marked, was=old_state if 1 in marked else None),
            ],
        )

    def fold(self, item: _Fold) -> str:
        first, last = tasks.at(self.m, item.first), tasks.at(self.m, item.last)
        more = ", …" if item.below or item.size > 1 else ""
        detail = f"pid {first.pid}{more}" if first == last else f"pids {first.pid} … {last.pid}"
        family = self.tree.children[item.above]
        hides = family[family.index(item.first) : family.index(item.last) + 1]
        name = f"fold-{item.first:016x}"
        return self.builder.fold(name, item.size, "tasks", detail=detail, hides=hides)

    # The pointer real_parent of `child`, from its box to its parent's: to `above`, unless this is
    # the moment in a reparenting when the pointer and the list of children do not agree.
    def pointer(self, child: int, box: str, above: str, box_of: dict[int, str]) -> None:
        task = tasks.at(self.m, child)
        parent = task.real_parent
        if parent.address_ != self.tree.parent[child]:
            above = box_of.get(parent.address_, above)
            self.builder.note(f"{tasks.title(task)} is still in the children of another parent.")
        was = self.was(task)
        old = None if was is None else was.real_parent.address_
        change: Change = "changed" if old not in {None, parent.address_} else ""
        if self.old is not None and was is None:
            change = "new"
        self.builder.edge(
            box,
            None,
            above,
            kind="parent",
            name="real_parent",
            change=change,
            was=f"{old:#018x}" if change == "changed" else None,
            pointer=child + task_struct.offsetof_("real_parent"),
            target=parent.address_,
            back=True,
            route="elbow",
        )
