"""An IDR, a tree of nodes with 64 slots, drawn from its words: who has which number, and what is free.

Each node is a record with its count, its tag IDR_FREE, a strip of its 64 slots, and the slots that
are in use; runs of others are one row. An arrow leads from a slot to the node below it or to what
has the number. The way of a look-up can be lit: six bits of the number choose the slot of each node.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import xarray
from kernelsim.include.linux.sched import PIDTYPE_PID, task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import fold, moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["idr"]

_LINKS = task_struct.offsetof_("pid_links")
_SLOTS, _TAGS = xarray.xa_node.offsetof_("slots"), xarray.xa_node.offsetof_("tags")
_SIZE = xarray.XA_CHUNK_SIZE
_ROW = 16  # slots in a row of a strip
_MOST = 4000  # nodes that are counted: a broken tree may have no end
_FULL, _PART, _FREE = "#", "+", "."
_EVEN = {_FULL * _ROW: "taken", _FREE * _ROW: "free"}


def idr(
    k: Any,
    ns: Any = None,
    since: Any = None,
    *,
    path: int | None = None,
    limit: int = 8,
    nodes: int = 6,
    strips: bool = True,
) -> Picture:
    """Draw the IDR in which a PID namespace keeps its numbers, or one of a reader's own.

    :param k: a Kernel, a Kernel at an earlier time, a Machine, or an IDR (`Kernel.idr`).
    :param ns: struct pid_namespace * (or its address), or an IDR; the initial namespace by default.
    :param since: an earlier time, Kernel or Machine; what changed from then on is marked.
    :param path: a number: the way of its look-up is lit.
    :param limit: how many slots of a node are drawn; of more, the first, the last and the changed.
        With 0 only what the look-up of `path` reads is drawn.
    :param nodes: how many nodes are drawn; of the others, those that drawn slots lead to are folded.
    :param strips: show the strip of all slots of each node.
    """
    if limit < 2 and (limit or path is None):
        raise ValueError(f"limit is {limit}: at least two slots of a node are drawn")
    own = next((one for one in (ns, k) if hasattr(one, "called")), None)
    m = moment.machine(k)
    before = moment.earlier(k, since)
    head = _Own(own, m) if own is not None else _Namespace(m, ns)
    return _Drawing(m, before, head, path, limit, nodes, strips=strips).picture()


class _Namespace:
    # The IDR of a PID namespace: what its box shows, and who has a number.
    title = "The numbers of a PID namespace"
    legend = "a slot: the low bits 10 mark a node, 00 a struct pid"

    def __init__(self, m: Any, ns: Any) -> None:
        address = m.symbol("init_pid_ns").address_ if ns is None else getattr(ns, "address_", ns)
        self.m, self.ns = m, pid_h.pid_namespace(m, address)
        self.address, self.root = address, self.ns.idr
        self.start = pid_h.pid_namespace.offsetof_("idr")
        self.lines = [f"pid_namespace level {self.ns.level}", f"{address:#018x}"]
        self.prefix = "idr."
        count = self.ns.pid_allocated & ~pid_h.PIDNS_ADDING
        self.more = [Field("pid_allocated", str(count))]

    def box(self, builder: PictureBuilder, entry: int, number: int) -> str:
        pid: Any = pid_h.pid(self.m, entry)
        node = pid.tasks[PIDTYPE_PID].first
        owner = "no task"
        if node:
            owner = tasks.name(tasks.at(self.m, node.address_ - _LINKS))
        return builder.node(
            entry, [f"struct pid {number}", owner], fields=[Field("nr", str(number))],
            words=f"struct pid {number} ({owner})",
        )  # fmt: skip


class _Own:
    # An IDR of a reader's own.
    legend = "a slot: the low bits 10 mark a node, 00 what has the number"

    def __init__(self, own: Any, m: Any) -> None:
        self.own, self.m = own, m
        self.root = own.idr.at_(m)
        self.address, self.start, self.prefix = self.root.address_, 0, ""
        self.title = f"The IDR {own.name}"
        self.lines = [f"idr {own.name}", f"{self.address:#018x}"]
        self.more: list[Field] = []

    def box(self, builder: PictureBuilder, entry: int, number: int) -> str:
        name = self.own.called(entry, self.m)
        line = f"thing {name}" if name else f"{entry:#018x}"
        fields = [Field("number", str(number))]
        return builder.node(f"of-{number}", [str(number), line], fields=fields, words=line)


class _Drawing:
    # One picture in the making.

    def __init__(
        self,
        m: Any,
        before: Any,
        head: Any,
        path: int | None,
        limit: int,
        most: int,
        *,
        strips: bool,
    ) -> None:
        self.m, self.before, self.limit, self.strips = m, before, limit, strips and limit > 0
        self.head, self.base = head, int(head.root.idr_base)
        self.number = path
        self.index = None if path is None else path - self.base
        self.edges: list[tuple[int, str, int | str, int, int, Change, bool]] = []
        self.records: set[int] = set()
        self.builder = PictureBuilder(
            head.title, "LR", subtitle=moment.caption(m, before), ranksep=64 if limit else 44,
            nodesep=14, uniform=True,
        )  # fmt: skip
        self.was = self.old_nodes()
        self.drawn = self.chosen(most)

    # -- which nodes are drawn -------------------------------------------------------------------

    def root(self, m: Any) -> int:
        entry: int = self.head.root.at_(m).idr_rt.xa_head
        return xarray.xa_to_node(entry) if xarray.xa_is_node(entry) else 0

    # The addresses of the nodes, row by row from the top; of many in a row of one node, those that
    # are drawn unless the `whole` tree is wanted.
    def walk(self, m: Any, *, whole: bool) -> list[int]:
        found, row = list[int](), [self.root(m)]
        while row and row[0] and len(found) < _MOST:
            found += row
            row = [child for one in row for child in self.children(m, one, whole=whole)]
        return found

    def children(self, m: Any, address: int, *, whole: bool) -> list[int]:
        node: Any = xarray.xa_node(m, address)
        entries = (node.slots[place] for place in range(_SIZE if node.shift else 0))
        found = [xarray.xa_to_node(entry) for entry in entries if xarray.xa_is_node(entry)]
        if whole or len(found) <= self.limit:
            return found
        return [*found[: self.limit // 2], *found[len(found) - self.limit // 2 :]]

    # The nodes at the earlier time; None if there is no earlier time.
    def old_nodes(self) -> set[int] | None:
        if self.before is None:
            return None
        try:
            return {*self.walk(self.before, whole=True)}
        except Fault:
            return set()

    # The nodes to draw: those on the way first, then the new ones, then from the top down.
    def chosen(self, most: int) -> set[int]:
        try:
            found, all_of = {*self.lit()}, self.walk(self.m, whole=True)
            if found and (len(all_of) > most or not self.limit):
                return found
            fresh = [one for one in all_of if self.was is not None and one not in self.was]
            for one in (*fresh[: most - 1], *self.walk(self.m, whole=False)):
                if len(found) < most and (one == all_of[0] or self.parent(one) in found):
                    found.add(one)
        except Fault:
            return {self.root(self.m)}
        return found

    def parent(self, address: int) -> int:
        node: Any = xarray.xa_node(self.m, address)
        return int(node.parent.address_)

    # The nodes on the way to the number.
    def lit(self) -> list[int]:
        found: list[int] = []
        address = self.root(self.m)
        while address and self.index is not None and self.index >= 0:
            node: Any = xarray.xa_node(self.m, address)
            if not found and self.index >> node.shift >= _SIZE:
                break
            found.append(address)
            entry = node.slots[self.index >> node.shift & _SIZE - 1]
            address = xarray.xa_to_node(entry) if node.shift and xarray.xa_is_node(entry) else 0
        return found

    # -- drawing ---------------------------------------------------------------------------------

    def picture(self) -> Picture:
        head, root = self.head, self.head.root
        entry = root.idr_rt.xa_head
        place = head.start + idr_h.idr.offsetof_("idr_rt.xa_head")
        self.builder.record(head.address, head.lines, self.root_rows(), kind="head")
        try:
            if xarray.xa_is_node(entry):
                below = self.node(xarray.xa_to_node(entry), self.base)
                pointer = head.address + place
                lit = bool(self.lit())
                self.edges.insert(0, (head.address, "xa_head", below, pointer, entry, "", lit))
        except Fault as fault:
            self.builder.note(f"The tree is broken: {fault}.")
        self.arrows()
        if self.number is not None:
            self.builder.note(self.way())
        if self.strips and self.records:
            self.builder.note("16 slots a row:  . free   # taken   + some taken below")
        return self.builder.picture()

    def arrows(self) -> None:
        for src, port, dst, pointer, target, change, lit in self.edges:
            name = f"{self.head.prefix}xa_head" if port == "xa_head" else _path(port)
            self.builder.edge(
                src, port, dst, "_" if isinstance(dst, int) and dst in self.records else None,
                kind="path" if lit else "pointer", name=name, pointer=pointer, target=target,
                change=change, route="direct",
            )  # fmt: skip
        self.builder.legend("pointer", self.head.legend)
        if any(lit for *_, lit in self.edges):
            self.builder.legend("path", f"the way of the look-up of {self.number}")

    def root_rows(self) -> list[Field]:
        head, root, offset = self.head, self.head.root, idr_h.idr.offsetof_
        old = None if self.before is None else root.at_(self.before)
        rows = [Field("idr", offset=head.start, port="idr", kind="group")] if head.prefix else []
        kind = "member" if head.prefix else "field"
        for path, size in (("idr_rt.xa_head", 8), ("idr_base", 4), ("idr_next", 4)):
            value = root.idr_rt.xa_head if size == 8 else getattr(root, path)
            was = value if old is None else old.idr_rt.xa_head if size == 8 else getattr(old, path)
            if path == "idr_base" and not value:
                continue
            name = path.rpartition(".")[2]
            rows.append(
                Field(
                    head.prefix + name, f"{value:#018x}" if size == 8 else str(value),
                    head.start + offset(path), size, name if size == 8 else None,
                    kind=kind, changed=value != was,  # type: ignore[arg-type]
                    was=None if value == was else f"{was:#018x}" if size == 8 else str(was),
                    shown=_short(value) if size == 8 else None,
                )
            )  # fmt: skip
        return rows + list(head.more)

    # The look-up in words: the number in digits of six bits.
    def way(self) -> str:
        index, lit = self.index or 0, self.lit()
        if not lit:
            return f"{self.number} is beyond what the tree reaches: it is not in use."
        shifts = [xarray.xa_node(self.m, address).shift for address in lit]
        slots = ", ".join(str(index >> shift & _SIZE - 1) for shift in shifts)
        less = f" - idr_base {self.base} = {index}" if self.base else ""
        end = "" if not shifts[-1] else " The slot is empty: it is not in use."
        return f"{self.number}{less}, in digits of 6 bits from the top: {slots}.{end}"

    # A node with its slots, then what they lead to; answers what edges to it end at.
    def node(self, address: int, first: int) -> int:
        self.records.add(address)
        node: Any = xarray.xa_node(self.m, address)
        slots, tags = [node.slots[place] for place in range(_SIZE)], node.tags[idr_h.IDR_FREE][0]
        old, old_tags = self.old(address, slots, tags)
        taken = [place for place in range(_SIZE) if not node.shift and not tags >> place & 1]
        used = sorted({*taken, *(p for p, entry in enumerate(slots) if entry or old[p])})
        changed = [place for place in used if slots[place] != old[place]]
        step, lit = 1 << node.shift, self.lit_slot(address, node.shift)
        ends = (
            [*used[: self.limit // 2], *used[len(used) - self.limit // 2 :]] if self.limit else []
        )
        shown = sorted({*changed[: self.limit], *ends}) if len(used) > self.limit else used
        shown = sorted({*shown, *lit})
        rows = [*self.facts(node, tags, old_tags), *self.strip(node, slots, tags)]
        rows += self.rows(slots, old, tags if not node.shift else None, shown, lit)
        rows += [
            Field(f"{self.index} >> {node.shift} & 63", f"= {place}", kind="sum", sign=">")
            for place in lit
        ]
        is_new = self.was is not None and address not in self.was
        change: Change = "new" if is_new else "changed" if any(r.changed for r in rows) else ""
        last = first + _SIZE * step - 1
        self.builder.record(
            address, ["xa_node", f"{address:#018x}", f"numbers {first} … {last}"], rows,
            kind="slots", change=change, focus=bool(lit),
        )  # fmt: skip
        for place in shown:
            if entry := slots[place]:
                fresh: Change = "changed" if entry != old[place] else ""
                at, pointer = len(self.edges), address + _SLOTS + 8 * place
                end = self.target(entry, first + place * step, node.shift)
                self.edges.insert(
                    at, (address, f"slots.{place}", end, pointer, entry, fresh, place in lit)
                )
        return address

    def lit_slot(self, address: int, shift: int) -> list[int]:
        if self.index is None or address not in self.lit():
            return []
        return [self.index >> shift & _SIZE - 1]

    def facts(self, node: Any, tags: int, old_tags: int) -> Iterator[Field]:
        yield Field("shift", str(node.shift), 0, 1)
        if not self.limit:
            return
        yield Field("count", f"{node.count} of {_SIZE}", 2, 1)
        yield Field(
            "IDR_FREE", f"{tags:#018x}", _TAGS, 8, changed=tags != old_tags,
            was=f"{old_tags:#018x}" if tags != old_tags else None,
        )  # fmt: skip

    # All slots in rows of 16: free, taken (or all below is), or taken in part; rows all alike in one.
    def strip(self, node: Any, slots: list[int], tags: int) -> Iterator[Field]:
        signs = [
            _FULL if not tags >> place & 1 else _PART if entry and node.shift else _FREE
            for place, entry in enumerate(slots)
        ]
        start = 0
        while start < _SIZE and self.strips:
            strip = "".join(signs[start : start + _ROW])
            end = start + _ROW
            while strip in _EVEN and signs[end : end + _ROW] == [strip[0]] * _ROW:
                end += _ROW
            shown = strip if end == start + _ROW else f"all {_EVEN[strip]}"
            yield Field(f"{start:>2} …{end - 1:>3}", shown, kind="bytes")
            start = end

    # Slots and tag at the earlier time; as now, if this node was not there.
    def old(self, address: int, slots: list[int], tags: int) -> tuple[list[int], int]:
        if self.was is None or address not in self.was:
            return slots, tags
        node: Any = xarray.xa_node(self.before, address)
        return [node.slots[place] for place in range(_SIZE)], node.tags[idr_h.IDR_FREE][0]

    # Rows for the slots shown, and one for each run of slots between them.
    def rows(
        self, slots: list[int], old: list[int], tags: int | None, shown: list[int], lit: list[int]
    ) -> Iterator[Field]:
        for run in fold.runs(len(slots), shown):
            entries = slots[run.start : run.stop]
            if not run.shown:
                many = sum(1 for entry in entries if entry)
                if not many and self.strips:
                    continue  # the strip says so
                more = " more" if self.limit else ""
                words = f"{many}{more} in use" if many else "empty"
                name = f"[{run.start} … {run.stop - 1}]"
                yield Field(name, words, kind="gap")
                continue
            for place, entry in enumerate(entries, run.start):
                if place not in shown and not (entry and self.limit):
                    if not self.strips:
                        yield Field(f"[{place}]", "in use" if entry else "empty", kind="gap")
                    continue
                changed = entry != old[place]
                null = "NULL, taken" if tags is not None and not tags >> place & 1 else "NULL"
                yield Field(
                    f"slots[{place}]", f"{entry:#018x}" if entry else null, _SLOTS + 8 * place, 8,
                    f"slots.{place}" if entry else None, changed=changed, strong=place in lit,
                    was=f"{old[place]:#018x}" if changed else None,
                    shown=_short(entry) if entry else None,
                )  # fmt: skip

    # What a slot leads to: a node, or what has that number.
    def target(self, entry: int, number: int, shift: int) -> int | str:
        if not shift or not xarray.xa_is_node(entry):
            box: str = self.head.box(self.builder, entry, number)
            return box
        address = xarray.xa_to_node(entry)
        if address in self.drawn:
            return self.node(address, number)
        node: Any = xarray.xa_node(self.m, address)
        last = number + (_SIZE << node.shift) - 1
        tags = node.tags[idr_h.IDR_FREE][0]
        rows = [Field("count", f"{node.count} of {_SIZE}"), Field("IDR_FREE", f"{tags:#018x}")]
        lines = ["one more xa_node", f"numbers {number} … {last}"]
        words = f"{lines[0]}, {lines[1]}"
        return self.builder.record(f"more-{address:x}", lines, rows, kind="fold", words=words)


def _short(entry: int) -> str:
    return f"…{entry & 0xFFFFFF:06x}" if entry else "NULL"


# The member that a port stands for: a port's name may hold no brackets.
def _path(port: str) -> str:
    name, _, place = port.partition(".")
    return f"{name}[{place}]"
