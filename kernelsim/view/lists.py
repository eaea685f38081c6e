"""The process list: the ring through ``init_task.tasks``, drawn from its pointers.

Each task_struct is a record with offsets; ``next`` and ``prev`` arrive where they point, at the
list_head in the middle of the struct; for the task in focus the subtraction of ``container_of`` is
written out. A list that is broken is drawn as far as it goes, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kernelsim.include.linux.poison import LIST_POISON1, LIST_POISON2
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import fold, moment, tasks, text
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["task_list"]

SHORT = 6  # digits of an address that rows show at least


def task_list(
    k: Any,
    focus: Any = None,
    since: Any = None,
    *,
    limit: int = 4,
    also: Iterable[int] = (),
    members: tuple[str, ...] = ("pid", "comm"),
    full: bool = False,
) -> Picture:
    """Draw the ring of all tasks that ``init_task.tasks`` heads.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param focus: struct task_struct *, its address or its pid; shown with its neighbours, and with
        the subtraction of container_of.
    :param since: an earlier time, Kernel or Machine; what changed from then on is marked.
    :param limit: how many structures are drawn; the others are folded into boxes, but for one that
        would be alone in its box.
    :param also: addresses of tasks to show besides (a fold that is opened has them in `hides`).
    :param members: more members of task_struct to show, as paths.
    :param full: whole addresses in the rows too, not their last digits only.
    :raises KeyError: the focus is not in the list.
    """
    if limit < 2:
        raise ValueError(f"limit is {limit}: at least the head and one task are drawn")
    m = moment.machine(k)
    before = moment.earlier(k, since)
    ring = _walk(m)
    old = None if before is None else _walk(before)
    place = _find(m, ring, focus)
    kept = _kept(ring, old, place, limit) | {ring.place[a] for a in also if a in ring.place}
    runs = fold.runs(len(ring.tasks), kept)
    return _Drawing(m, before, ring, old, runs, place, members, full).picture()


class _Ring(NamedTuple):
    tasks: list[int]  # addresses of the structs in list order, the head's first
    place: dict[int, int]  # address of a struct: its place
    broken: str  # why the walk ended before it came back to the head; empty if it did


# Follow tasks.next from the head until it comes back, or cannot.
def _walk(m: Any) -> _Ring:
    offset = task_struct.offsetof_("tasks")
    head = m.symbol("init_task").tasks
    place = {head.address_ - offset: 0}
    end = head.address_
    try:
        link = head.next
        while link.address_ != end:
            address = link.address_ - offset
            if address in place:
                return _Ring(list(place), place, "it runs in a circle that leaves out its head")
            link = link.next  # faults where there is no struct
            place[address] = len(place)
    except Fault as fault:
        return _Ring(list(place), place, str(fault))
    return _Ring(list(place), place, "")


# The place of the focus in the ring, None for none.
def _find(m: Any, ring: _Ring, focus: Any) -> int | None:
    if focus is None:
        return None
    address = getattr(focus, "address_", focus)
    if address in ring.place:
        return ring.place[address]
    for place, candidate in enumerate(ring.tasks):
        if tasks.at(m, candidate).pid == address:
            return place
    raise KeyError(f"no task {focus!r} in the process list")


# The places to draw: head, focus, what changed, the focus's neighbours, the end, the beginning.
def _kept(ring: _Ring, old: _Ring | None, focus: int | None, limit: int) -> set[int]:
    count = len(ring.tasks)
    wanted = [0] if focus is None else [0, focus]
    wanted += _moved(ring, old)[:limit]
    wanted += [] if focus is None else [focus - 1, focus + 1]
    wanted += [count - 1, *range(1, limit)]
    kept: dict[int, None] = {}
    for place in wanted:
        if 0 <= place < count and len(kept) < limit:
            kept[place] = None
    return set(kept)


# Places of tasks that are new since `old`, then of those whose neighbours changed.
def _moved(ring: _Ring, old: _Ring | None) -> list[int]:
    if old is None:
        return []
    new = [place for place, address in enumerate(ring.tasks) if address not in old.place]
    pairs = set(zip(old.tasks, old.tasks[1:] + old.tasks[:1], strict=True))
    now = zip(ring.tasks, ring.tasks[1:] + ring.tasks[:1], strict=True)
    return new + [ring.place[one] for one, other in now if (one, other) not in pairs]


class _Drawing:
    # One picture in the making.

    def __init__(
        self,
        m: Any,
        before: Any,
        ring: _Ring,
        old: _Ring | None,
        runs: list[fold.Run],
        focus: int | None,
        members: tuple[str, ...],
        full: bool,
    ) -> None:
        self.m, self.before, self.ring, self.old = m, before, ring, old
        self.runs, self.focus = runs, focus
        self.offset = task_struct.offsetof_("tasks")
        self.paths = sorted(
            {"tasks", "tasks.next", "tasks.prev", *members},
            key=lambda path: (task_struct.offsetof_(path), path),
        )
        self.builder = PictureBuilder(
            "The process list", "LR", subtitle=moment.caption(m, before), ranksep=52, nodesep=30
        )
        self.node_of: dict[int, str] = {}  # address of a struct: the node that shows or hides it
        self.wild: dict[int, str] = {}  # the same for an address that the walk did not reach
        self.column: dict[str, int] = {}  # node: its place in the row
        self.digits = 0 if full else self.unambiguous()

    def task(self, place: int) -> Any:
        return tasks.at(self.m, self.ring.tasks[place])

    # How many digits tell all list_heads that are drawn from each other.
    def unambiguous(self) -> int:
        drawn = [
            self.ring.tasks[place] + self.offset
            for run in self.runs
            if run.shown
            for place in range(run.start, run.stop)
        ]
        digits = SHORT
        while len({address % 16**digits for address in drawn}) < len(drawn):
            digits += 1
        return digits

    def short(self, value: int) -> str | None:
        if not self.digits:
            return None
        return f"…{value % 16**self.digits:0{self.digits}x}"

    def picture(self) -> Picture:
        for run in self.runs:
            if run.shown:
                for place in range(run.start, run.stop):
                    self.record(place)
            else:
                self.fold(run)
        pointers = list(self.pointers())
        for place, path in sorted(pointers, key=lambda pointer: pointer[1]):
            self.target(self.task(place).member_(path))
        row = dict.fromkeys(self.node_of.values())
        self.column = {node: column for column, node in enumerate(row)}
        self.builder.level(*row, port="tasks")
        for place, path in pointers:
            self.pointer(place, path)
        self.words()
        return self.builder.picture()

    # The pointers to draw: both of each task shown, and those that lead out of a fold.
    def pointers(self) -> Iterator[tuple[int, str]]:
        for run in self.runs:
            for place in range(run.start, run.stop):
                if run.shown or place == run.stop - 1:
                    yield place, "tasks.next"
                if run.shown or place == run.start:
                    yield place, "tasks.prev"

    def words(self) -> None:
        self.builder.legend("next", "tasks.next")
        self.builder.legend("prev", "tasks.prev")
        if self.ring.broken:
            self.builder.note(f"The list is broken: {self.ring.broken}.")
        elif self.old is not None:
            lost = [tasks.at(self.before, a) for a in self.old.tasks if a not in self.ring.place]
            if words := tasks.gone(lost, moment.time(self.before)):
                self.builder.note(words)

    # -- nodes ---------------------------------------------------------------------------------

    def record(self, place: int) -> None:
        task = self.task(place)
        was = self.was(task)
        focus = place == self.focus
        rows = [self.row(task, was, path, focus=focus) for path in self.paths]
        change: Change = "changed" if any(row.changed for row in rows) else ""
        if self.old is not None and was is None:
            change = "new"
        if focus:
            rows += self.subtraction(task)
        self.node_of[task.address_] = self.builder.record(
            task.address_,
            [f"task_struct {tasks.name(task)}", f"{task.address_:#018x}"],
            rows,
            kind="head" if place == 0 else "task",
            change=change,
            focus=focus,
            words=tasks.title(task),
        )

    # The same task at the earlier time, None if it was not in the list then.
    def was(self, task: Any) -> Any:
        if self.old is None or task.address_ not in self.old.place:
            return None
        old = tasks.at(self.before, task.address_)
        return old if tasks.same(task, old) else None

    def row(self, task: Any, was: Any, path: str, *, focus: bool) -> Field:
        ctype, offset = task_struct.field_(path)
        if path == "tasks":
            here = task.address_ + offset
            return Field(
                path, f"{here:#018x}", offset, ctype.sizeof_, path, kind="group",
                shown=self.short(here), strong=focus,
            )  # fmt: skip
        value = _value(task, path)
        old = value if was is None else _value(was, path)
        is_link = path.startswith("tasks.")
        return Field(
            path, value, offset, ctype.sizeof_, path if is_link else None,
            changed=old != value, was=None if old == value else old,
            kind="member" if is_link else "field",
            shown=self.short(int(value, 16)) if is_link else None,
        )  # fmt: skip

    # What container_of(&task->tasks, struct task_struct, tasks) computes.
    def subtraction(self, task: Any) -> list[Field]:
        return [
            Field("container_of", kind="sum"),
            Field("ptr", f"{task.address_ + self.offset:#018x}", kind="sum"),
            Field("offsetof", f"{self.offset:#x}", kind="sum", sign="−", strong=True),  # noqa: RUF001
            Field("task", f"{task.address_:#018x}", kind="sum", sign="="),
        ]

    def fold(self, run: fold.Run) -> None:
        first, last = self.task(run.start), self.task(run.stop - 1)
        detail = f"pids {first.pid} … {last.pid}"
        rows = [
            Field("tasks", port="tasks", kind="group"),
            Field("tasks.next", port="tasks.next", kind="member"),
            Field("tasks.prev", port="tasks.prev", kind="member"),
        ]
        name = f"fold-{first.address_:016x}"
        hides = self.ring.tasks[run.start : run.stop]
        node = self.builder.fold(name, run.size, "tasks", detail=detail, fields=rows, hides=hides)
        for place in range(run.start, run.stop):
            self.node_of[self.ring.tasks[place]] = node

    # -- edges ---------------------------------------------------------------------------------

    # The pointer tasks.next or tasks.prev of the task at `place`, from its box to where it points.
    def pointer(self, place: int, path: str) -> None:
        task = self.task(place)
        link = task.member_(path)
        src = self.node_of[task.address_]
        dst, port = self.target(link)
        was = self.was(task)
        old = None if was is None else was.member_(path).address_
        change: Change = "changed" if old not in {None, link.address_} else ""
        if self.old is not None and was is None:
            change = "new"
        forward = path == "tasks.next"
        step = self.column[dst] - self.column[src] if dst in self.column else 0
        direct = step == (1 if forward else -1)
        self.builder.edge(
            src,
            path,
            dst,
            port,
            kind="next" if forward else "prev",
            name=path,
            change=change,
            was=f"{old:#018x}" if change == "changed" else None,
            pointer=task.address_ + task_struct.offsetof_(path),
            target=link.address_,
            back=direct and not forward,
            route="direct" if direct else "below",
            side="e" if forward else "w",
            label="" if direct else f"{path} of {tasks.title(task)}",
        )

    # The node and port that show the list_head at `link`; a box of its own for a wild pointer.
    def target(self, link: Any) -> tuple[str, str | None]:
        address = link.address_ - self.offset
        node = self.node_of.get(address)
        if node is not None:
            return node, None if node == self.wild.get(address) else "tasks"
        poison = {LIST_POISON1: "LIST_POISON1", LIST_POISON2: "LIST_POISON2", 0: "NULL"}
        words = poison.get(link.address_, "not reached from the head")
        wild = self.builder.node(
            link.address_, [f"{link.address_:#018x}", words], kind="fault", badge="?", words=words
        )
        self.node_of[address] = self.wild[address] = wild
        return wild, None


def _value(task: Any, path: str) -> str:
    value = task.member_(path)
    if hasattr(value, "string_"):
        return f'"{text.printable(value.string_())}"'
    if hasattr(value, "address_"):
        return f"{value.address_:#018x}"
    return str(value)
