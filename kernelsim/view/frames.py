"""PID namespaces: nested frames, in each the processes that live in it, with a number per level.

A process stands in the innermost frame that it is in (the namespace of its struct pid), and has a
number there and in each frame around it. Arrows are ``real_parent``; they cross the frames.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["namespaces"]


def namespaces(
    k: Any, since: Any = None, focus: Any = None, *, limit: int = 24, kernel: bool = True
) -> Picture:
    """Draw the PID namespaces with the processes in them.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: an earlier time, Kernel or Machine; what changed from then on is marked.
    :param focus: struct task_struct *, its address or its pid in the initial namespace.
    :param limit: how many processes are drawn; the others of each namespace are one box.
    :param kernel: draw init_task and the kernel threads too.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}: at least one process is drawn")
    m = moment.machine(k)
    before = moment.earlier(k, since)
    return _Drawing(m, before, getattr(focus, "address_", focus), limit, kernel).picture()


# The processes with their numbers: address of the task: (address of the namespace, number) by level.
def _walk(m: Any) -> tuple[dict[int, list[tuple[int, int]]], str]:
    found: dict[int, list[tuple[int, int]]] = {}
    try:
        found[m.symbol("init_task").address_] = _numbers(m.symbol("init_task"))
        for task in sched_signal.for_each_process(m):
            if task.address_ in found:
                return found, f"{task!r} is met twice"
            found[task.address_] = _numbers(task)
    except Fault as fault:
        return found, str(fault)
    return found, ""


def _numbers(task: Any) -> list[tuple[int, int]]:
    pid = task.thread_pid
    if not pid:
        return []
    levels = (pid.numbers[level] for level in range(min(pid.level, pid_h.MAX_PID_NS_LEVEL) + 1))
    return [(upid.ns.address_, upid.nr) for upid in levels]


# Without init_task and the kernel threads.
def _of_programs(
    m: Any, numbers: dict[int, list[tuple[int, int]]]
) -> dict[int, list[tuple[int, int]]]:
    def kept(task: Any) -> bool:
        return not (tasks.is_init_task(task) or task.flags & sched.PF_KTHREAD)

    return {address: found for address, found in numbers.items() if kept(tasks.at(m, address))}


class _Drawing:
    # One picture in the making.

    def __init__(self, m: Any, before: Any, focus: int | None, limit: int, kernel: bool) -> None:
        self.m, self.before, self.focus, self.limit = m, before, focus, limit
        self.numbers, self.broken = _walk(m)
        self.old = None if before is None else _walk(before)[0]
        if not kernel:
            self.numbers = _of_programs(m, self.numbers)
            self.old = None if self.old is None else _of_programs(before, self.old)
        self.frame: dict[int, str] = {}  # address of a namespace: the frame's name
        self.builder = PictureBuilder(
            "PID namespaces", "LR", subtitle=moment.caption(m, before),
            ranksep=60 if kernel else 36, nodesep=14,
            uniform=True,
        )  # fmt: skip

    def picture(self) -> Picture:
        inside: dict[int, list[int]] = {}
        for address, numbers in self.numbers.items():
            innermost = numbers[-1][0] if numbers else self.m.symbol("init_pid_ns").address_
            self.enter(numbers)
            inside.setdefault(innermost, []).append(address)
        kept = self.kept()
        for ns in self.frame:
            self.builder.cluster(self.frame[ns], self.label(ns))
            hidden = []
            members = inside.get(ns, [])
            away = [address for address in members if address not in kept]
            if len(away) == 1:  # its box costs as much as the fold's
                kept |= dict.fromkeys(away)
            for address in members:
                if address in kept:
                    self.process(address)
                else:
                    hidden.append(address)
            if hidden:
                pids = [tasks.at(self.m, address).pid for address in hidden]
                detail = f"pids {pids[0]} … {pids[-1]}"
                name = f"fold-{ns:016x}"
                self.builder.fold(name, len(hidden), "tasks", detail=detail, hides=hidden)
        self.builder.cluster()
        for address in kept:
            self.pointer(address, kept)
        self.words()
        return self.builder.picture()

    # Make frames for the namespaces of a process, the outer ones first.
    def enter(self, numbers: list[tuple[int, int]]) -> None:
        path = ""
        for ns, _ in numbers:
            path = f"{path}.{ns:016x}" if path else f"ns{ns:016x}"
            self.frame.setdefault(ns, path)

    def label(self, ns: int) -> str:
        level = pid_h.pid_namespace(self.m, ns).level
        first = ns == self.m.symbol("init_pid_ns").address_
        return f"level {level}: init_pid_ns" if first else f"level {level}: …{ns & 0xFFFFFF:06x}"

    # Who is drawn: the focus and its parent, the reaper of each namespace, then as the list has them.
    def kept(self) -> dict[int, None]:
        reapers = [
            pid_h.pid_namespace(self.m, ns).child_reaper.address_ for ns in self.frame
        ]  # fmt: skip
        focus = [a for a in self.numbers if self.focus in {a, tasks.at(self.m, a).pid}][:1]
        new = [a for a in self.numbers if self.old is not None and a not in self.old]
        wanted = dict.fromkeys([*focus, *reapers, *new, *self.numbers])
        chosen = set([a for a in wanted if a in self.numbers][: self.limit])
        return dict.fromkeys(a for a in self.numbers if a in chosen)

    def process(self, address: int) -> None:
        task = tasks.at(self.m, address)
        letter = tasks.state(task)
        numbers = self.numbers[address]
        change: Change = ""
        if self.old is not None and (
            address not in self.old or not tasks.same(task, tasks.at(self.before, address))
        ):
            change = "new"
        rows = [f"level {level}: pid {nr}" for level, (_, nr) in enumerate(numbers)]
        self.builder.node(
            address,
            [tasks.name(task), *rows],
            badge=letter,
            kind=tasks.kind(task),
            change=change,
            focus=self.focus in {address, task.pid},
            words=tasks.title(task),
            fields=[
                *(Field(f"pid at level {n}", str(nr)) for n, (_, nr) in enumerate(numbers)),
                *(Field("namespace", f"{ns:#018x}") for ns, _ in numbers[-1:]),
                Field("state", f"{letter} ({tasks.WORDS[letter]})"),
            ],
        )

    def pointer(self, address: int, kept: dict[int, None]) -> None:
        task = tasks.at(self.m, address)
        parent = task.real_parent.address_
        change: Change = "new" if self.old is not None and address not in self.old else ""
        if parent in kept and parent != address:
            self.builder.edge(
                address, None, parent, kind="parent", name="real_parent", back=True, route="elbow",
                pointer=address + task_struct.offsetof_("real_parent"), target=parent,
                change=change,
            )  # fmt: skip

    def words(self) -> None:
        self.builder.legend("parent", "real_parent")
        if self.broken:
            self.builder.note(f"The process list is broken: {self.broken}.")
        elif self.old is not None:
            lost = [tasks.at(self.before, a) for a in self.old if a not in self.numbers]
            if words := tasks.gone(lost, moment.time(self.before)):
                self.builder.note(words)
