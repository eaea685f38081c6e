"""The numbers of a PID namespace: its IDR, a tree of nodes with 64 slots, drawn from its slots.

Each node is a record with the slots that are in use; runs of empty ones are one row. An arrow leads
from a slot to the node below it or to the struct pid that has the number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import xarray
from kernelsim.include.linux.sched import PIDTYPE_PID, task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import fold, moment, tasks, text
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["idr"]

_LINKS = task_struct.offsetof_("pid_links")
_SLOTS = xarray.xa_node.offsetof_("slots")
_NODES = 6  # nodes drawn at most; what hangs below the others is counted


def idr(k: Any, ns: Any = None, since: Any = None, *, limit: int = 8) -> Picture:
    """Draw the IDR in which a PID namespace keeps its numbers.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param ns: struct pid_namespace * (or its address); the initial one by default.
    :param since: an earlier time, Kernel or Machine; slots that changed from then on are marked.
    :param limit: how many slots of a node are drawn; of more, the first, the last and the changed.
    """
    if limit < 2:
        raise ValueError(f"limit is {limit}: at least two slots of a node are drawn")
    m = moment.machine(k)
    address = m.symbol("init_pid_ns").address_ if ns is None else getattr(ns, "address_", ns)
    return _Drawing(m, moment.earlier(k, since), address, limit).picture()


class _Drawing:
    # One picture in the making.

    def __init__(self, m: Any, before: Any, ns: int, limit: int) -> None:
        self.m, self.before, self.limit = m, before, limit
        self.ns = pid_h.pid_namespace(m, ns)
        self.edges: list[tuple[int, str, int | str, int, int, Change]] = []
        self.nodes = 0
        self.builder = PictureBuilder(
            "The numbers of a PID namespace", "LR", subtitle=moment.caption(m, before), ranksep=64,
            nodesep=14, uniform=True,
        )  # fmt: skip

    def picture(self) -> Picture:
        root = self.ns.idr
        offset = pid_h.pid_namespace.offsetof_
        head = offset("idr.idr_rt.xa_head")
        entry = root.idr_rt.xa_head
        self.builder.record(
            self.ns.address_,
            [f"pid_namespace level {self.ns.level}", f"{self.ns.address_:#018x}"],
            [
                Field("idr", offset=offset("idr"), port="idr", kind="group"),
                Field(
                    "idr.xa_head", f"{entry:#018x}", head, 8, "xa_head", kind="member",
                    shown=_short(entry),
                ),
                Field("idr.idr_next", str(root.idr_next), offset("idr.idr_next"), 4, kind="member"),
                Field("pid_allocated", str(self.ns.pid_allocated & ~pid_h.PIDNS_ADDING)),
            ],
            kind="head",
        )  # fmt: skip
        try:
            if xarray.xa_is_node(entry):
                below = self.node(xarray.xa_to_node(entry), 0)
                pointer = self.ns.address_ + head
                self.edges.insert(0, (self.ns.address_, "xa_head", below, pointer, entry, ""))
        except Fault as fault:
            self.builder.note(f"The tree is broken: {fault}.")
        for src, port, dst, pointer, target, change in self.edges:
            self.builder.edge(
                src, port, dst, "_" if isinstance(dst, int) and dst in self.heads else None,
                name=_path(port), pointer=pointer, target=target, change=change, route="direct",
            )  # fmt: skip
        self.builder.legend("pointer", "a slot: the low bits 10 mark a node, 00 a struct pid")
        return self.builder.picture()

    @property
    def heads(self) -> set[int]:
        return {src for src, *_ in self.edges}

    # A node with its slots, then what they lead to; answers what edges to it end at.
    def node(self, address: int, first: int) -> int:
        self.nodes += 1
        node: Any = xarray.xa_node(self.m, address)
        slots = [node.slots[place] for place in range(xarray.XA_CHUNK_SIZE)]
        old = self.old(address, slots)
        used = [place for place, entry in enumerate(slots) if entry or old[place]]
        changed = [place for place in used if slots[place] != old[place]]
        ends = [*used[: self.limit // 2], *used[len(used) - self.limit // 2 :]]
        shown = sorted({*changed[: self.limit], *ends}) if len(used) > self.limit else used
        step = 1 << node.shift
        numbers = f"numbers {first} … {first + 64 * step - 1}"
        rows = [Field("shift", str(node.shift), 0, 1), Field("count", str(node.count), 2, 1)]
        rows += self.rows(slots, old, shown)
        any_changed = any(row.changed for row in rows)
        self.builder.record(
            address, ["xa_node", f"{address:#018x}", numbers], rows,
            kind="slots", change="changed" if any_changed else "",
        )  # fmt: skip
        for place in shown:
            if entry := slots[place]:
                change: Change = "changed" if entry != old[place] else ""
                end = self.target(entry, first + place * step)
                pointer = address + _SLOTS + 8 * place
                self.edges.append((address, f"slots.{place}", end, pointer, entry, change))
        return address

    # The slots at the earlier time; as now, if this node was not there.
    def old(self, address: int, slots: list[int]) -> list[int]:
        if self.before is None:
            return slots
        node: Any = xarray.xa_node(self.before, address)
        try:
            return [node.slots[place] for place in range(xarray.XA_CHUNK_SIZE)]
        except Fault:
            return slots

    # Rows for the slots shown, and one for each run of slots between them.
    def rows(self, slots: list[int], old: list[int], shown: list[int]) -> Iterator[Field]:
        for run in fold.runs(len(slots), shown):
            entries = slots[run.start : run.stop]
            if not run.shown:
                many = sum(1 for entry in entries if entry)
                words = "empty" if not many else f"{many} more in use"
                name = f"[{run.start} … {run.stop - 1}]"
                yield Field(name, words, kind="gap")
                continue
            for place, entry in enumerate(entries, run.start):
                changed = entry != old[place]
                yield Field(
                    f"slots[{place}]", f"{entry:#018x}" if entry else "NULL", _SLOTS + 8 * place, 8,
                    f"slots.{place}" if entry else None, changed=changed,
                    was=f"{old[place]:#018x}" if changed else None, shown=_short(entry),
                )  # fmt: skip

    # What a slot leads to: a node, or the struct pid with that number.
    def target(self, entry: int, number: int) -> int | str:
        if xarray.xa_is_node(entry):
            if self.nodes < _NODES:
                return self.node(xarray.xa_to_node(entry), number)
            return self.builder.node(f"more-{entry:x}", "one more xa_node", kind="fold")
        pid: Any = pid_h.pid(self.m, entry)
        node = pid.tasks[PIDTYPE_PID].first
        owner = "no task"
        if node:
            owner = tasks.name(tasks.at(self.m, node.address_ - _LINKS))
        lines = [f"struct pid {number}", owner]
        return self.builder.node(
            entry, lines, fields=[Field("nr", str(number))], words=f"struct pid {number} ({owner})"
        )


def _short(entry: int) -> str:
    return f"…{entry & 0xFFFFFF:06x}" if entry else text.printable("NULL")


# The member that a port stands for: a port's name may hold no brackets.
def _path(port: str) -> str:
    name, _, place = port.partition(".")
    return f"{name}[{place}]" if place else f"idr.{name}"
