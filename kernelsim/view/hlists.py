"""Who has a struct pid: the chain of tasks on one of its hash lists, drawn from its pointers.

A hash list's head is one pointer. ``next`` leads to the hlist_node in the middle of the next task;
``pprev`` leads back not to a node, but to the pointer that points here.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.types import hlist_node
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["TYPES", "pid_tasks"]

TYPES = ("PID", "TGID", "PGID", "SID")
"""What a number can be to a task, in the order of ``enum pid_type``."""

_HEADS, _LINKS = pid_h.pid.offsetof_("tasks"), task_struct.offsetof_("pid_links")
_NEXT, _PPREV = hlist_node.offsetof_("next"), hlist_node.offsetof_("pprev")


def pid_tasks(
    k: Any, pid: Any, type: str = "PGID", since: Any = None, *, limit: int = 4
) -> Picture:
    """Draw a struct pid and the tasks whose number it is: as PID, as TGID, PGID or SID.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param pid: struct pid *, or a number in the initial namespace.
    :param type: one of `TYPES`: which of the four hash lists is followed.
    :param since: an earlier time, Kernel or Machine; pointers that changed from then on are marked.
    :param limit: how many tasks are drawn; the rest of the chain is one box.
    :raises LookupError: nothing has that number.
    """
    if type not in TYPES:
        raise ValueError(f"type is one of {', '.join(TYPES)}, not {type!r}")
    m = moment.machine(k)
    found = _numbered(m, pid) if isinstance(pid, int) else pid_h.pid(m, pid.address_)
    return _Drawing(m, moment.earlier(k, since), found, TYPES.index(type), limit).picture()


# The struct pid with a number in the initial namespace, among those that tasks have.
def _numbered(m: Any, nr: int) -> Any:
    for task in (m.symbol("init_task"), *sched_signal.for_each_process(m)):
        for pid in (task.thread_pid, *(task.signal.pids[place] for place in range(len(TYPES)))):
            if pid and pid.numbers[0].nr == nr:
                return pid
    raise LookupError(f"there is no task with the number {nr}")


class _Drawing:
    # One picture in the making.

    def __init__(self, m: Any, before: Any, pid: Any, number: int, limit: int) -> None:
        self.m, self.before, self.pid, self.number, self.limit = m, before, pid, number, limit
        self.name = f"pid_links[{TYPES[number]}]"
        self.head = pid.address_ + _HEADS + 8 * number
        self.builder = PictureBuilder(
            f"Who has a number as its {TYPES[number]}", "LR", subtitle=moment.caption(m, before),
            ranksep=60, nodesep=20,
        )  # fmt: skip
        self.broken = ""
        self.chain = self.walk()

    # The addresses of the hlist_nodes on the chain, as far as it can be followed.
    def walk(self) -> list[int]:
        found: list[int] = []
        try:
            address = self.m.read_u64(self.head)
            while address and address not in found:
                following = self.m.read_u64(address + _NEXT)
                found.append(address)
                address = following
        except Fault as fault:
            self.broken = str(fault)
        return found

    def picture(self) -> Picture:
        shown = self.chain if len(self.chain) <= self.limit + 1 else self.chain[: self.limit]
        box = {0: self.struct_pid()}
        for node in shown:
            box[node] = self.task(node)
        for place, node in enumerate(shown):
            before = shown[place - 1] if place else 0
            self.pointers(box[before], "next" if place else "first", box[node], before, node)
        if hidden := self.chain[len(shown) :]:
            self.fold(hidden, box[shown[-1]], shown[-1])
        self.builder.level(*box.values())
        self.builder.legend("first", f"tasks[{TYPES[self.number]}].first, and .next of each node")
        self.builder.legend("prev", ".pprev, the address of the pointer that points here")
        if self.broken:
            self.builder.note(f"The chain is broken: {self.broken}.")
        return self.builder.picture()

    # A word of memory: its value, and the one at the earlier time, if it could be read then.
    def word(self, address: int) -> tuple[int, int]:
        value = self.m.read_u64(address)
        try:
            return value, value if self.before is None else self.before.read_u64(address)
        except Fault:
            return value, value

    def row(self, name: str, offset: int, base: int, port: str | None, *, member: bool) -> Field:
        value, old = self.word(base + offset)
        return Field(
            name, f"{value:#018x}" if value else "NULL", offset, 8, port, changed=value != old,
            was=f"{old:#018x}" if value != old else None, kind="member" if member else "field",
            shown=f"…{value & 0xFFFFFF:06x}" if value else None,
        )  # fmt: skip

    def struct_pid(self) -> str:
        pid = self.pid
        rows = [
            Field("count", str(pid.count), pid_h.pid.offsetof_("count"), 4),
            Field("level", str(pid.level), pid_h.pid.offsetof_("level"), 4),
        ]
        for place, name in enumerate(TYPES):
            port = "first" if place == self.number else None
            row = self.row(f"tasks[{name}]", _HEADS + 8 * place, pid.address_, port, member=False)
            rows.append(row)
        nr = pid.numbers[pid.level].nr
        changed: Change = "changed" if any(row.changed for row in rows) else ""
        header = [f"struct pid {nr}", f"{pid.address_:#018x}"]
        return self.builder.record(pid.address_, header, rows, kind="head", change=changed)

    def task(self, node: int) -> str:
        offset = _LINKS + hlist_node.sizeof_ * self.number
        task = tasks.at(self.m, node - offset)
        rows = [
            Field("pid", str(task.pid), task_struct.offsetof_("pid"), 4),
            Field(self.name, f"{node:#018x}", offset, 16, "node", kind="group",
                  shown=f"…{node & 0xFFFFFF:06x}"),
            self.row(f"{self.name}.next", offset + _NEXT, task.address_, "next", member=True),
            self.row(f"{self.name}.pprev", offset + _PPREV, task.address_, "pprev", member=True),
        ]  # fmt: skip
        changed: Change = "changed" if any(row.changed for row in rows) else ""
        return self.builder.record(
            task.address_, [f"task_struct {tasks.name(task)}", f"{task.address_:#018x}"], rows,
            change=changed, words=tasks.title(task),
        )  # fmt: skip

    # The pointer to a node, and the node's pprev back to that pointer.
    def pointers(self, src: str, port: str, dst: str, before: int, node: int) -> None:
        here = before + _NEXT if before else self.head
        for one, other, end, kind, pointer in (
            ((src, port), dst, "node", "first", here),
            ((dst, "pprev"), src, port, "prev", node + _PPREV),
        ):
            value, old = self.word(pointer)
            self.builder.edge(
                *one, other, end, kind=kind, pointer=pointer, target=value, route="direct",
                name=f"{self.name}.{one[1]}" if one[1] != "first" else f"tasks[{TYPES[self.number]}].first",
                change="changed" if value != old else "", back=kind == "prev",
                was=f"{old:#018x}" if value != old else None,
            )  # fmt: skip

    def fold(self, hidden: list[int], src: str, last: int) -> None:
        offset = _LINKS + hlist_node.sizeof_ * self.number
        addresses = [node - offset for node in hidden]
        rows = [Field(self.name, port="node", kind="group")]
        name = f"fold-{hidden[0]:016x}"
        box = self.builder.fold(name, len(hidden), "tasks", fields=rows, hides=addresses)
        self.builder.edge(
            src, "next", box, "node", kind="first", pointer=last + _NEXT, target=hidden[0],
            name=f"{self.name}.next", route="direct",
        )  # fmt: skip
