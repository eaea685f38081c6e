"""What two tasks have in common: seven objects, each drawn once where both point to it, else twice.

Everything is read from memory.  The flags are those that the sharing itself tells: whoever points
to the mm_struct of another task came by a clone with CLONE_VM, or is a thread's sibling of one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks, text
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["OBJECTS", "Shared", "sharing"]


class Shared(NamedTuple):
    """A member of a task_struct that leads to what may be shared: its counts, and the flag."""

    member: str
    counts: tuple[str, ...]
    flag: str


OBJECTS = (
    Shared("mm", ("mm_users", "mm_count"), "CLONE_VM"),
    Shared("cred", ("usage",), "CLONE_THREAD"),
    Shared("fs", ("users",), "CLONE_FS"),
    Shared("files", ("count",), "CLONE_FILES"),
    Shared("nsproxy", ("count",), "no CLONE_NEW*"),
    Shared("signal", ("nr_threads", "sigcnt"), "CLONE_THREAD"),
    Shared("sighand", ("count",), "CLONE_SIGHAND"),
)
"""What is drawn, in the order of the pointers in a task_struct."""


def sharing(k: Any, parent: Any = None, child: Any = None, since: Any = None) -> Picture:
    """Draw two tasks and what they share.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param parent: struct task_struct * or its number; by default the child's leader if it is a
        thread, else its real_parent.
    :param child: struct task_struct * or its number; by default the task that was made last.
    :param since: an earlier time, Kernel or Machine; counts that changed from then on are marked.
    :raises LookupError: there is no such task.
    """
    m = moment.machine(k)
    born = _youngest(m) if child is None else _found(m, child)
    if parent is None:
        thread = born.pid != born.tgid
        other = tasks.at(m, (born.group_leader if thread else born.real_parent).address_)
    else:
        other = _found(m, parent)
    return _Drawing(m, moment.earlier(k, since), other, born).picture()


def _everybody(m: Any) -> list[Any]:
    return [t for p in sched_signal.for_each_process(m) for t in sched_signal.for_each_thread(p)]


def _youngest(m: Any) -> Any:
    return max(_everybody(m), key=lambda task: (task.start_time, task.pid))


def _found(m: Any, task: Any) -> Any:
    if not isinstance(task, int):
        return tasks.at(m, task.address_)
    for one in (m.symbol("init_task"), *_everybody(m)):
        if one.pid == task:
            return one
    raise LookupError(f"there is no task with the number {task}")


FLAGS = tuple(f"CLONE_{name}" for name in ("VM", "FS", "FILES", "SIGHAND", "THREAD"))


class _Drawing:
    # One picture in the making.

    def __init__(self, m: Any, before: Any, parent: Any, child: Any) -> None:
        self.m, self.before, self.parent, self.child = m, before, parent, child
        members = [one.member for one in OBJECTS]
        all_shared = all(parent.member_(name) == child.member_(name) for name in members)
        self.builder = PictureBuilder(
            "What they share", "LR", subtitle=moment.caption(m, before),
            ranksep=130 if all_shared else 44, nodesep=14,
        )  # fmt: skip

    def picture(self) -> Picture:
        for task, role in ((self.parent, "parent"), (self.child, "child")):
            self.task(task, role)
        flags: set[str] = set()
        for one in OBJECTS:
            theirs = [task.member_(one.member) for task in (self.parent, self.child)]
            both = theirs[0].address_ == theirs[1].address_
            if both and theirs[0].address_:
                flags.add(one.flag)
                self.object(one, theirs[0], one.flag, f"shared: {one.flag}", "head")
            else:
                for place, found in enumerate(theirs):
                    if found.address_:
                        words = ("the parent's own", "the child's own")[place]
                        self.object(one, found, f"…{found.address_ & 0xFFFFFF:06x}", words, "task")
                if all(found.address_ for found in theirs):
                    self.builder.level(*(found.address_ for found in theirs))
            self.pointers(one)
        self.builder.legend("next", "the parent's pointer")
        self.builder.legend("prev", "the child's pointer")
        named = " | ".join(name for name in FLAGS if name in flags)
        self.builder.note(f"Shared by {named}." if named else "No flag was given that shares.")
        return self.builder.picture()

    # The same struct at the earlier time, None if it was not there.
    def earlier(self, ref: Any) -> Any:
        return None if self.before is None else type(ref)(self.before, ref.address_)

    def row(self, ref: Any, was: Any, path: str) -> Field:
        ctype, offset = type(ref).field_(path)
        value = ref.member_(path)
        old = value if was is None else was.member_(path)
        return Field(
            path, str(value), offset, ctype.sizeof_,
            changed=old != value, was=None if old == value else str(old),
        )  # fmt: skip

    def task(self, task: Any, role: str) -> None:
        rows = [self.row(task, None, "pid"), self.row(task, None, "tgid")]
        for one in OBJECTS:
            offset, value = task_struct.offsetof_(one.member), task.member_(one.member).address_
            rows.append(
                Field(
                    one.member, f"{value:#018x}" if value else "NULL", offset, 8, one.member,
                    shown=f"…{value & 0xFFFFFF:06x}" if value else None,
                )
            )  # fmt: skip
        rows.sort(key=lambda row: row.offset or 0)
        new = self.before is not None and self.is_new(task)
        header = [f"{role}: {tasks.name(task)}", f"{task.address_:#018x}"]
        words = f"{role} {tasks.title(task)}"
        change: Change = "new" if new else ""
        kind = tasks.kind(task)
        self.builder.record(task.address_, header, rows, kind=kind, change=change, words=words)

    def is_new(self, task: Any) -> bool:
        try:
            return not tasks.same(task, tasks.at(self.before, task.address_))
        except Fault:
            return True

    def object(self, one: Shared, ref: Any, mark: str, words: str, kind: str) -> None:
        was = self.earlier(ref) if self.known(one, ref) else None
        rows = [self.row(ref, was, count) for count in one.counts]
        name = type(ref).__name__
        change: Change = "changed" if any(row.changed for row in rows) else ""
        self.builder.record(
            ref.address_, [f"{name}: {mark}"], rows, kind=kind, words=f"{name} ({text.printable(words)})",
            change="new" if was is None and self.before is not None else change,
        )  # fmt: skip

    # Did the parent point to it at the earlier time?  Nobody else can have handed it on.
    def known(self, one: Shared, ref: Any) -> bool:
        if self.before is None or self.is_new(self.parent):
            return False
        pointer: Any = self.earlier(self.parent).member_(one.member)
        return bool(pointer.address_ == ref.address_)

    def pointers(self, one: Shared) -> None:
        for task, back in ((self.parent, False), (self.child, True)):
            if task is self.child and self.child.address_ == self.parent.address_:
                continue
            target = task.member_(one.member).address_
            if target:
                self.builder.edge(
                    task.address_, one.member, target, None, kind="prev" if back else "next",
                    name=one.member, back=back, target=target,
                    pointer=task.address_ + task_struct.offsetof_(one.member),
                )  # fmt: skip
