"""Who shares which namespaces: tasks, the nsproxy that each points to, and the namespaces behind it.

Tasks with one nsproxy share all that it has; two nsproxies can point to one namespace.  The user
namespace is not among them: it belongs to the credentials.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernelsim.include.linux import nsproxy as nsproxy_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["MEMBERS", "nsproxies"]

MEMBERS = (
    "uts_ns",
    "ipc_ns",
    "mnt_ns",
    "pid_ns_for_children",
    "net_ns",
    "time_ns",
    "time_ns_for_children",
    "cgroup_ns",
)
"""The pointers of an nsproxy, in their order."""


def nsproxies(
    k: Any,
    since: Any = None,
    focus: Any = None,
    *,
    who: Any = None,
    members: Sequence[str] = MEMBERS,
    limit: int = 2,
) -> Picture:
    """Draw the nsproxies with the tasks that point to them and the namespaces that they point to.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: an earlier time, Kernel or Machine; what changed from then on is marked.
    :param focus: struct task_struct *, its address or its pid in the initial namespace.
    :param who: tasks (refs or pids) whose nsproxies are drawn, and no others; by default all.
    :param members: those of `MEMBERS` that are drawn; a note names the others.
    :param limit: how many tasks are drawn for each nsproxy; the others are one box.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}: at least one task is drawn")
    if strange := [name for name in members if name not in MEMBERS]:
        raise ValueError(f"{', '.join(strange)}: the members are {', '.join(MEMBERS)}")
    m = moment.machine(k)
    chosen = None if who is None else {getattr(one, "address_", one) for one in who}
    earlier = moment.earlier(k, since)
    shown = tuple(name for name in MEMBERS if name in members)
    return _Drawing(m, earlier, getattr(focus, "address_", focus), chosen, shown, limit).picture()


class _Drawing:
    # One picture in the making.

    def __init__(
        self, m: Any, before: Any, focus: Any, chosen: Any, members: tuple[str, ...], limit: int
    ) -> None:
        self.m, self.before, self.focus, self.chosen, self.limit = m, before, focus, chosen, limit
        self.members = members
        self.broken = ""
        self.users: dict[int, list[Any]] = {}  # address of an nsproxy: its tasks
        self.drawn: set[int] = set()  # addresses of namespaces
        self.builder = PictureBuilder(
            "Who shares which namespaces", "LR", subtitle=moment.caption(m, before),
            ranksep=70, nodesep=16,
        )  # fmt: skip

    def picture(self) -> Picture:
        self.walk()
        for address, users in self.users.items():
            self.tasks(address, users)
        for address in self.users:
            self.nsproxy(address)
        for address in self.users:
            self.namespaces(address)
        for address, users in self.users.items():
            self.pointers(address, users)
        self.builder.legend("parent", "nsproxy of a task")
        self.builder.legend("next", "the pointers of an nsproxy")
        if hidden := [name for name in MEMBERS if name not in self.members]:
            self.builder.note(f"Not drawn: {', '.join(hidden)}.")
        if self.broken:
            self.builder.note(f"The process list is broken: {self.broken}.")
        return self.builder.picture()

    # The tasks by nsproxy; who is dead has none.
    def walk(self) -> None:
        try:
            for process in sched_signal.for_each_process(self.m):
                for task in sched_signal.for_each_thread(process):
                    if self.wanted(task) and task.nsproxy:
                        self.users.setdefault(task.nsproxy.address_, []).append(task)
        except Fault as fault:
            self.broken = str(fault)

    def wanted(self, task: Any) -> bool:
        return self.chosen is None or bool({task.address_, task.pid} & self.chosen)

    def is_focus(self, task: Any) -> bool:
        return self.focus is not None and self.focus in {task.address_, task.pid}

    # Those of an nsproxy that are drawn: the focus, then the youngest.
    def kept(self, users: list[Any]) -> list[Any]:
        if len(users) <= self.limit + 1:
            return users
        first = sorted(users, key=lambda task: (not self.is_focus(task), -task.pid))[: self.limit]
        return [task for task in users if task in first]

    def tasks(self, nsproxy: int, users: list[Any]) -> None:
        kept = self.kept(users)
        for task in kept:
            letter = tasks.state(task)
            self.builder.node(
                task.address_, [tasks.name(task), f"pid {task.pid}"], badge=letter,
                kind=tasks.kind(task), change=self.born(task), focus=self.is_focus(task),
                words=tasks.title(task), fields=[Field("pid", str(task.pid))],
            )  # fmt: skip
        if hidden := [task for task in users if task not in kept]:
            self.builder.fold(
                f"fold-{nsproxy:016x}", len(hidden), "tasks",
                detail=f"pids {hidden[0].pid} … {hidden[-1].pid}",
                hides=[task.address_ for task in hidden],
            )  # fmt: skip

    def born(self, task: Any) -> Change:
        if self.before is None:
            return ""
        try:
            same = tasks.same(task, tasks.at(self.before, task.address_))
        except Fault:
            same = False
        return "" if same else "new"

    # Did somebody point to it at the earlier time?  What a free object holds says nothing.
    def known(self, nsproxy: int) -> bool:
        if self.before is None:
            return True
        everybody = sched_signal.for_each_process(self.before)
        return any(task.nsproxy.address_ == nsproxy for task in everybody if task.nsproxy)

    def nsproxy(self, address: int) -> None:
        ref = nsproxy_h.nsproxy(self.m, address)
        known = self.known(address)
        was = nsproxy_h.nsproxy(self.before, address) if self.before is not None and known else None
        rows = [self.row(ref, was, "count")]
        rows += [self.row(ref, was, member) for member in self.members]
        change: Change = "changed" if any(row.changed for row in rows) else ""
        first = address == self.m.symbol("init_nsproxy").address_
        name = "init_nsproxy" if first else f"nsproxy …{address & 0xFFFFFF:06x}"
        self.builder.record(address, [name], rows, kind="head", change=change if known else "new")

    def row(self, ref: Any, was: Any, path: str) -> Field:
        ctype, offset = type(ref).field_(path)
        value, old = (self.value(one, path) for one in (ref, ref if was is None else was))
        pointer = path in MEMBERS
        return Field(
            path, f"{value:#018x}" if pointer else str(value), offset, ctype.sizeof_,
            path if pointer else None, changed=old != value,
            was=None if old == value else (f"{old:#018x}" if pointer else str(old)),
            shown=f"…{value & 0xFFFFFF:06x}" if pointer else None,
        )  # fmt: skip

    def value(self, ref: Any, path: str) -> int:
        found = ref.member_(path)
        return int(getattr(found, "address_", found))

    # The namespaces that an nsproxy points to, each drawn once.
    def namespaces(self, address: int) -> None:
        ref = nsproxy_h.nsproxy(self.m, address)
        for member in self.members:
            ns = ref.member_(member)
            if not ns or ns.address_ in self.drawn:
                continue
            self.drawn.add(ns.address_)
            rows = [Field("ns.inum", str(ns.ns.inum), type(ns).offsetof_("ns.inum"), 4)]
            if member == "uts_ns":
                name = bytes(ns.member_("name.nodename")).rstrip(b"\0")
                rows.append(Field("nodename", name.decode("ascii", "backslashreplace")))
            if member == "pid_ns_for_children":
                rows.append(Field("level", str(ns.level), type(ns).offsetof_("level"), 4))
            self.builder.record(
                ns.address_, [f"{type(ns).__name__} …{ns.address_ & 0xFFFFFF:06x}"], rows,
                change=self.made(member, ns.address_),
            )  # fmt: skip

    # Was a namespace there at the earlier time, behind somebody's nsproxy?
    def made(self, member: str, address: int) -> Change:
        if self.before is None:
            return ""
        for task in sched_signal.for_each_process(self.before):
            if task.nsproxy and task.nsproxy.member_(member).address_ == address:
                return ""
        return "new"

    def pointers(self, address: int, users: list[Any]) -> None:
        offset = task_struct.offsetof_("nsproxy")
        for task in self.kept(users):
            self.builder.edge(
                task.address_, None, address, kind="parent", name="nsproxy", target=address,
                pointer=task.address_ + offset, change=self.born(task),
            )  # fmt: skip
        ref = nsproxy_h.nsproxy(self.m, address)
        for member in self.members:
            if ns := ref.member_(member):
                self.builder.edge(
                    address, member, ns.address_, kind="next", name=member, target=ns.address_,
                    pointer=address + nsproxy_h.nsproxy.offsetof_(member),
                )  # fmt: skip
