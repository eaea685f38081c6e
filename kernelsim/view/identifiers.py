"""From a number to a struct pid to the tasks, drawn from the pointers that lead there.

A number is a slot of the namespace's IDR; the slot points to a struct pid; its four hash lists lead
to the tasks whose PID, TGID, PGID or SID it is.  Its count says how many references there are: one
is the number's own, the others have been taken by somebody, who is drawn if the caller names him.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import xarray
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.types import hlist_node
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.hlists import TYPES
from kernelsim.view.picture import Picture

__all__ = ["identifiers"]

_HEADS, _LINKS = pid_h.pid.offsetof_("tasks"), task_struct.offsetof_("pid_links")
_COUNT, _LEVEL = pid_h.pid.offsetof_("count"), pid_h.pid.offsetof_("level")
_SLOTS = xarray.xa_node.offsetof_("slots")
_FIRST = 3  # who is below was there at boot: init and kthreadd


def identifiers(
    k: Any,
    pids: Iterable[int] = (),
    since: Any = None,
    *,
    holders: Mapping[str, Any] | None = None,
    limit: int = 8,
) -> Picture:
    """Draw numbers of the initial namespace, their struct pids, and the tasks that use them.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param pids: the numbers; by default all that tasks use as PID, TGID, PGID or SID, from 3 on.
    :param since: an earlier time, Kernel or Machine; words that changed from then on are marked.
    :param holders: who else has a reference: a name, and the struct pid * that he holds.
    :param limit: how many numbers are drawn where none are named.
    """
    m = moment.machine(k)
    drawing = _Drawing(m, moment.earlier(k, since))
    wanted = list(pids) or _used(m)
    drawing.fill(wanted if pids else wanted[:limit], dict(holders or {}))
    if not pids and len(wanted) > limit:
        drawing.builder.note(f"{len(wanted) - limit} more numbers are in use.")
    return drawing.builder.picture()


# The numbers that tasks use, lowest first.
def _used(m: Any) -> list[int]:
    found: set[int] = set()
    for leader in sched_signal.for_each_process(m):
        pids = [leader.signal.pids[i] for i in range(1, len(TYPES))]
        pids += [thread.thread_pid for thread in sched_signal.for_each_thread(leader)]
        found |= {pid.numbers[0].nr for pid in pids if pid}
    return sorted(number for number in found if number >= _FIRST)


# The address of the slot in which the IDR keeps a number, 0 if it has none.
def _slot(m: Any, number: int) -> int:
    slot, top = 0, True
    entry: int = m.symbol("init_pid_ns").idr.idr_rt.xa_head
    while xarray.xa_is_node(entry):
        node = xarray.xa_node(m, xarray.xa_to_node(entry))
        digit = number >> node.shift
        if top and digit >= xarray.XA_CHUNK_SIZE:
            return 0
        slot, top = node.address_ + _SLOTS + 8 * (digit & xarray.XA_CHUNK_MASK), False
        entry = m.read_u64(slot)
    return slot


class _Drawing:
    # One picture in the making.

    def __init__(self, m: Any, before: Any) -> None:
        self.m, self.before = m, before
        self.builder = PictureBuilder(
            "Numbers, struct pids and tasks", "LR", subtitle=moment.caption(m, before),
            ranksep=80, nodesep=10,
        )  # fmt: skip

    def fill(self, numbers: list[int], holders: dict[str, Any]) -> None:
        found = {number: self.pointer(number) for number in numbers}
        held = {name: int(pid.address_) for name, pid in holders.items()}
        ends = [*(address for _, address in found.values() if address), *held.values()]
        for number, (_, address) in found.items():
            self.reference(f"number-{number}", f"number {number}", "slot", address)
        for place, (name, address) in enumerate(held.items()):
            self.reference(f"holder-{place}", name, "holds", address)
        pids = list(dict.fromkeys(ends))
        for address in pids:
            self.struct_pid(address, ends.count(address))
        self.builder.same_rank(*pids)
        for number, (slot, address) in found.items():
            if address:
                self.builder.edge(
                    f"number-{number}", "slot", address, None, kind="next", pointer=slot,
                    target=address, name=f"number {number}",
                )  # fmt: skip
        for place, (name, address) in enumerate(held.items()):
            self.builder.edge(
                f"holder-{place}", "holds", address, None, kind="prev", target=address, name=name
            )
        self.lists(pids)
        self.legends(bool(held))

    # The box of a number or of a holder: one row, with the struct pid * in it.
    def reference(self, box: str, name: str, member: str, address: int) -> None:
        shown = f"…{address & 0xFFFFFF:06x}" if address else None
        value = f"{address:#018x}" if address else "NULL"
        self.builder.record(
            box, [name], [Field(member, value, port=member, shown=shown)], kind="plain"
        )

    # The slot of a number, and what it points to; 0 for none.
    def pointer(self, number: int) -> tuple[int, int]:
        slot = _slot(self.m, number)
        return slot, self.m.read_u64(slot) if slot else 0

    def row(self, name: str, address: int, offset: int, **more: Any) -> Field:
        value, old = self.m.read_u64(address + offset), self.was(address + offset)
        return Field(
            name, f"{value:#018x}" if value else "NULL", offset, 8, changed=old not in (None, value),
            was=f"{old:#018x}" if old not in (None, value) else None,
            shown=f"…{value & 0xFFFFFF:06x}" if value else None, **more,
        )  # fmt: skip

    # A word at the earlier time, None if it could not be read then.
    def was(self, address: int) -> int | None:
        try:
            return None if self.before is None else int(self.before.read_u64(address))
        except Fault:
            return None

    def struct_pid(self, address: int, known: int) -> None:
        pid = pid_h.pid(self.m, address)
        count, old = pid.count, self.was(address + _COUNT)
        other = count - known
        shown = f"{count}: {other} more holder{'s' * (other != 1)}" if other > 0 else str(count)
        rows = [
            Field("count", str(count), _COUNT, 4, shown=shown,
                  changed=old is not None and old & 0xFFFF_FFFF != count,
                  was=None if old is None else str(old & 0xFFFF_FFFF)),
            *(self.row(f"tasks[{name}]", address, _HEADS + 8 * i, port=name)
              for i, name in enumerate(TYPES)),
        ]  # fmt: skip
        change: Change = "changed" if any(row.changed for row in rows) else ""
        header = [f"struct pid {pid.numbers[0].nr}", f"{address:#018x}"]
        self.builder.record(address, header, rows, kind="head", change=change)

    # The tasks on a list of a struct pid: the address of each hlist_node, and of the word to it.
    def chain(self, head: int) -> Iterator[tuple[int, int]]:
        seen: set[int] = set()
        pointer, node = head, self.m.read_u64(head)
        while node and node not in seen:
            seen.add(node)
            yield pointer, node
            pointer, node = node, self.m.read_u64(node)

    def lists(self, pids: list[int]) -> None:
        found = [
            (place, name, pointer, node, address)
            for address in pids
            for place, name in enumerate(TYPES)
            for pointer, node in self.chain(address + _HEADS + 8 * place)
        ]
        boxes = {node - _LINKS - hlist_node.sizeof_ * place for place, _, _, node, _ in found}
        drawn = sorted((tasks.at(self.m, address) for address in boxes), key=lambda t: t.pid)
        for task in drawn:
            linked = [one for one in found if self.owner(one[0], one[3]) == task.address_]
            self.task(task, [(place, name) for place, name, *_ in linked])
        self.builder.same_rank(*(task.address_ for task in drawn))
        for place, name, pointer, node, address in found:
            first = pointer == address + _HEADS + 8 * place
            self.builder.edge(
                address if first else self.owner(place, pointer), name, self.owner(place, node), name,
                kind="first" if first else "pointer", pointer=pointer, target=node,
                name=f"tasks[{name}].first" if first else f"pid_links[{name}].next",
                route="layout" if first else "beside",
                side="" if first else "e",
            )  # fmt: skip

    def owner(self, place: int, node: int) -> int:
        return node - _LINKS - hlist_node.sizeof_ * place

    def task(self, task: Any, linked: list[tuple[int, str]]) -> None:
        rows = [
            Field("pid", str(task.pid), task_struct.offsetof_("pid"), 4),
            Field("tgid", str(task.tgid), task_struct.offsetof_("tgid"), 4),
        ]
        for place, name in sorted(set(linked)):
            offset = _LINKS + hlist_node.sizeof_ * place
            rows.append(self.row(f"pid_links[{name}].next", task.address_, offset, port=name))
        change: Change = "changed" if any(row.changed for row in rows) else ""
        self.builder.record(
            task.address_, [f"task_struct {tasks.name(task)}", f"{task.address_:#018x}"], rows,
            kind=tasks.kind(task), change=change, words=tasks.title(task),
        )  # fmt: skip

    def legends(self, held: bool) -> None:
        self.builder.legend("next", "the number's slot in the IDR")
        if held:
            self.builder.legend("prev", "a reference that somebody holds")
        self.builder.legend("first", "tasks[…].first of a struct pid")
        self.builder.legend("pointer", "pid_links[…].next, the next task on the same list")
