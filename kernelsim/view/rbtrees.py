"""The run queue of CPU 0: the red-black tree of the tasks that wait for it, and the one that has it.

Left is less: the leftmost task has run least (by ``vruntime``) and is the next. A task that runs is
not in the tree. A node is a box with its colour as a letter, a word and an outline (red: double,
black: thick); where only one child is, NULL stands in the other's place, so that left stays left.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import rbtree
from kernelsim.include.linux.sched import sched_entity, task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks, text
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["runqueue"]

_ENTITY = task_struct.offsetof_("se")
_NODE = _ENTITY + sched_entity.offsetof_("run_node")
_LEFT, _RIGHT = rbtree.rb_node.offsetof_("rb_left"), rbtree.rb_node.offsetof_("rb_right")
_COLOURS = {rbtree.RB_RED: "red", rbtree.RB_BLACK: "black"}


def runqueue(k: Any, since: Any = None, focus: Any = None, *, limit: int = 31) -> Picture:
    """Draw the tasks that are runnable: ``rq->curr``, and the tree ``rq->cfs.tasks_timeline``.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: an earlier time, Kernel or Machine; what changed from then on is marked.
    :param focus: struct task_struct *, its address or its pid; nothing is marked if it is not there.
    :param limit: how many tasks of the tree are drawn; the upper levels stay.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}: at least one task is drawn")
    m = moment.machine(k)
    return _Drawing(m, moment.earlier(k, since), getattr(focus, "address_", focus), limit).picture()


# Addresses of the tasks in the tree, level by level, with the pointers to left and right child.
def _walk(m: Any) -> tuple[dict[int, tuple[int, int]], str]:
    found: dict[int, tuple[int, int]] = {}
    try:
        generation = [m.symbol("runqueues").cfs.tasks_timeline.rb_root.rb_node.address_]
        while generation := [address for address in generation if address]:
            following: list[int] = []
            for address in generation:
                if address - _NODE in found:
                    return found, f"the node at {address:#018x} is met twice"
                node = rbtree.rb_node(m, address)
                pair = node.rb_left.address_, node.rb_right.address_
                found[address - _NODE] = pair
                following += pair
            generation = following
    except Fault as fault:
        return found, str(fault)
    return found, ""


class _Drawing:
    # One picture in the making.

    def __init__(self, m: Any, before: Any, focus: int | None, limit: int) -> None:
        self.m, self.before, self.focus, self.limit = m, before, focus, limit
        self.rq = m.symbol("runqueues")
        self.tree, self.broken = _walk(m)
        self.old = None if before is None else _walk(before)[0]
        self.kept = dict.fromkeys(list(self.tree)[:limit])
        self.curr = self.rq.curr.address_
        self.builder = PictureBuilder(
            "The run queue of CPU 0", "TB", subtitle=moment.caption(m, before), ranksep=52,
            nodesep=18,
        )  # fmt: skip

    def picture(self) -> Picture:
        self.queue()
        for address in self.kept:
            self.task(address)
        if self.curr and self.curr not in self.kept:
            self.task(self.curr)
        self.pointers()
        for address in self.kept:
            self.children(address)
        self.words()
        return self.builder.picture()

    # The struct rq as a box: its fields stand side by side with the tree below them.
    def queue(self) -> None:
        rq = self.rq
        was = None if self.before is None else self.before.symbol("runqueues")
        paths = ("nr_running", "cfs.min_vruntime")
        values = [rq.member_(path) for path in paths]
        olds = values if was is None else [was.member_(path) for path in paths]
        rows = [
            Field(path, str(value), changed=value != old, was=str(old) if value != old else None)
            for path, value, old in zip(paths, values, olds, strict=True)
        ]
        pairs = zip(paths, values, strict=True)
        marked = [place for place, row in enumerate(rows, 1) if row.changed]
        self.builder.node(
            rq.address_,
            ["struct rq", *(f"{path} {text.grouped(v)}" for path, v in pairs)],
            kind="head", fields=rows, marked=marked, change="changed" if marked else "",
        )  # fmt: skip

    def task(self, address: int) -> None:
        task = tasks.at(self.m, address)
        was = self.was(address)
        colour = _COLOURS[task.se.run_node.member_("__rb_parent_color") & 1]
        running = address == self.curr
        vruntime, old = (t.se.vruntime for t in (task, was or task))
        change: Change = "changed" if vruntime != old else ""
        if self.old is not None and was is None:
            change = "new"
        self.builder.node(
            address,
            [
                tasks.title(task),
                f"vruntime {text.grouped(vruntime)}",
                "runs, not in the tree" if running else colour,
            ],
            badge="R" if running else colour[0],
            kind="running" if running else colour,
            change=change,
            focus=self.focus in {address, task.pid},
            marked=[1] if vruntime != old else [],
            words=tasks.title(task),
            fields=[
                Field("pid", str(task.pid)),
                Field(
                    "se.vruntime", str(vruntime), changed=vruntime != old,
                    was=str(old) if vruntime != old else None,
                ),
                *([] if running else [Field("colour", colour)]),
            ],
        )  # fmt: skip

    # The task at the earlier time, None if it was not in the queue then.
    def was(self, address: int) -> Any:
        if self.old is None:
            return None
        curr = self.before.symbol("runqueues").curr.address_
        if address not in self.old and address != curr:
            return None
        old = tasks.at(self.before, address)
        return old if tasks.same(tasks.at(self.m, address), old) else None

    # From struct rq: the leftmost task, the top of the tree, and who runs.
    def pointers(self) -> None:
        rq = self.rq
        timeline = rq.cfs.tasks_timeline
        ends = [
            ("cfs.tasks_timeline.rb_leftmost", "leftmost", timeline.rb_leftmost.address_ - _NODE),
            ("cfs.tasks_timeline.rb_root.rb_node", "pointer", next(iter(self.tree), 0)),
            ("curr", "first", self.curr),
        ]
        for path, kind, task in ends:
            if task not in self.kept and (task != self.curr or not task):
                continue
            target = task if path == "curr" else task + _NODE
            self.builder.edge(
                rq.address_, None, task, kind=kind, name=path, target=target,
                pointer=rq.address_ + type(rq).offsetof_(path), change=self.changed(rq, path),
                route="beside" if kind == "leftmost" else "direct",
            )  # fmt: skip

    # Whether the pointer at `path` of struct rq *`rq` is another than at the earlier time.
    def changed(self, rq: Any, path: str) -> Change:
        if self.before is None:
            return ""
        old = self.before.symbol("runqueues").member_(path).address_
        return "changed" if old != rq.member_(path).address_ else ""

    # The pointers rb_left and rb_right of a task in the tree; NULL is a box beside an only child.
    def children(self, address: int) -> None:
        left, right = self.tree[address]
        for name, offset, child, sibling in (
            ("rb_left", _LEFT, left, right),
            ("rb_right", _RIGHT, right, left),
        ):
            if child and child - _NODE in self.kept:
                end: int | str = child - _NODE
            elif child:
                end = self.builder.fold(f"fold-{child:016x}", self.weight(child - _NODE), "tasks")
            elif sibling:
                end = self.builder.node(f"null-{address:016x}", "NULL", kind="idle", words="NULL")
            else:
                continue
            was = self.was(address)
            pair = None if was is None or self.old is None else self.old.get(address)
            old = child if pair is None else pair[name == "rb_right"]
            self.builder.edge(
                address, None, end, kind="pointer", name=f"se.run_node.{name}", route="direct",
                pointer=address + _NODE + offset, target=child,
                change="changed" if old != child else "",
                was=f"{old:#018x}" if old != child else None,
            )  # fmt: skip

    # How many tasks the subtree of a task holds.
    def weight(self, address: int) -> int:
        count, todo = 0, [address]
        while todo:
            count += 1
            pair = self.tree.get(todo.pop(), (0, 0))
            todo += [child - _NODE for child in pair if child]
        return count

    def words(self) -> None:
        self.builder.legend("pointer", "rb_node, rb_left, rb_right")
        if self.tree:
            self.builder.legend("leftmost", "rb_leftmost: who is next")
        self.builder.legend("first", "curr: who runs")
        if not self.tree:
            self.builder.note("Nobody waits for the CPU: the tree is empty.")
        if self.broken:
            self.builder.note(f"The tree is broken: {self.broken}.")
