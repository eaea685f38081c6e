"""A bare machine with one list on it: what exercises and drills about lists work with.

There is no kernel here, only memory, a head and some parcels.  A parcel has a name and weight
besides its link, and the link is not at its beginning.  Everything that is said or drawn of the
list is read from that memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.types import list_head
from kernelsim.machine import ctype, memory
from kernelsim.machine.machine import Machine, PastMachine
from kernelsim.machine.ref import Struct
from kernelsim.view import Field, Picture, PictureBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Workbench", "crate", "parcel"]

HEAD = memory.DIRECT_MAP + 0x10_0000
FIRST = memory.DIRECT_MAP + 0x10_0100
SIZE = 32 << 20
POISON = {lists.LIST_POISON1: "LIST_POISON1", lists.LIST_POISON2: "LIST_POISON2", 0: "NULL"}


class parcel(Struct):
    """struct parcel: a link in the middle of something."""

    weight = ctype.u32
    name = ctype.array(ctype.char, 12)
    link = list_head
    note = ctype.u64


class crate(Struct):
    """struct crate: the link elsewhere, and another link before it."""

    name = ctype.array(ctype.char, 8)
    other = list_head
    weight = ctype.u32
    link = list_head


class Workbench:
    """A list of the entries `order`; `spare` ones lie beside it and hold no addresses yet.

    :param slots: the places in memory that the entries take, in the order of their names; by
        default one after the other.
    """

    def __init__(
        self,
        order: Iterable[str] = (),
        spare: Iterable[str] = (),
        kind: type[Struct] = parcel,
        slots: Sequence[int] = (),
    ) -> None:
        order = list(order)
        self.names = sorted([*order, *spare])
        self.kind = kind
        self.machine = m = Machine(SIZE, record=True)
        self.head = list_head(m, HEAD)
        lists.INIT_LIST_HEAD(self.head)
        self.entries: dict[str, Any] = {}
        for name, slot in zip(self.names, slots or range(len(self.names)), strict=False):
            entry: Any = kind(m, FIRST + slot * (kind.sizeof_ + 8))
            entry.name, entry.weight = name, slot + 1
            self.entries[name] = entry
        for name in order:
            lists.list_add_tail(self.link(name), self.head)

    def link(self, name: str) -> Any:
        """Return the link (struct list_head *) of the entry `name`, or the head."""
        return self.head if name == "head" else self.entries[name].link

    def links(self, m: Any = None) -> dict[str, Any]:
        """Return every struct list_head * by name, the head first; of machine `m`, if given."""
        found = {"head": self.head} | {name: self.link(name) for name in self.names}
        return {name: link.at_(m or self.machine) for name, link in found.items()}

    def called(self, address: int) -> str:
        """Return the name of the link at `address`, or what else is to be said of the address."""
        for name, link in self.links().items():
            if link.address_ == address:
                return f"&{name}" if name == "head" else f"&{name}.link"
        for name, entry in self.entries.items():
            if entry.address_ == address:
                return f"&{name}, which is not its link"
        return POISON.get(address, f"{address:#018x}")

    # --- acting and walking -----------------------------------------------------------------------

    def do(self, function: str, *names: str) -> None:
        """Call the function of list.h or rculist.h with the links of these names."""
        from kernelsim.include.linux import rculist

        getattr(rculist if function.endswith("_rcu") else lists, function)(*map(self.link, names))

    def stores(self, function: str, *names: str) -> list[tuple[str, PastMachine]]:
        """Call the function; return each store in words, with the machine as it was right after it."""
        m = self.machine
        paths = {}
        for path, address in self.places().items():
            paths[m.offset(address) >> 3] = path
        start = m.trace.place(m.trace.now)
        self.do(function, *names)
        end = m.trace.place(m.trace.now)
        found = []
        for place in range(start + 2, end + 1, 2):
            after = PastMachine(m, m.trace.now, place - end)
            ((index, _),) = m.undo_records(place - 2, place)
            found.append((f"{paths[index]} = {self.called(after.u64[index])}", after))
        return found

    def walk(self, word: str = "next", m: Any = None) -> str:
        """Return the names in the order in which a walk along `word` meets them, and how it ends."""
        links = self.links(m)
        names = {link.address_: name for name, link in links.items()}
        found: list[str] = []
        at = links["head"]
        while True:
            at = getattr(at, word)
            name = names.get(at.address_, "?")
            if name == "head":
                return " ".join(found) or "nothing"
            if name in {"?", *found}:
                return " ".join([*found, "astray" if name == "?" else f"{name} …, round for ever"])
            found.append(name)

    # --- looking ----------------------------------------------------------------------------------

    def places(self) -> dict[str, int]:
        """Return the address of each word of each link, by its path: ``{"A.link.prev": …}``."""
        found: dict[str, int] = {}
        for name, link in self.links().items():
            path = name if name == "head" else f"{name}.link"
            found |= {f"{path}.next": link.address_, f"{path}.prev": link.address_ + 8}
        return found

    def words(self) -> dict[str, int]:
        """Return the value of each word of each link, by its path."""
        m = self.machine
        return {
            path: int.from_bytes(m.read(address, 8), "little")
            for path, address in self.places().items()
        }

    def picture(self, title: str, wrong: dict[str, int] | None = None, note: str = "") -> Picture:
        """Draw the head, the entries and their links; `wrong` words are marked, with what is right."""
        return _Drawing(self, title, wrong or {}, note).picture()


class _Drawing:
    def __init__(self, bench: Workbench, title: str, wrong: dict[str, int], note: str) -> None:
        self.bench, self.wrong, self.note = bench, wrong, note
        self.words = bench.words()
        self.builder = PictureBuilder(title, "LR", ranksep=60, nodesep=30)
        self.nodes: dict[int, str] = {}  # address of a link: the node that has it
        self.column: dict[str, int] = {}

    def picture(self) -> Picture:
        bench, b = self.bench, self.builder
        row = []
        for name, link in bench.links().items():
            row.append(self.record(name, link))
        self.column = {node: i for i, node in enumerate(row)}
        b.level(*row, port="link")
        for name, link in bench.links().items():
            for word in ("next", "prev"):
                self.pointer(name, link, word)
        b.legend("next", "next")
        b.legend("prev", "prev")
        if self.note:
            b.note(self.note)
        return b.picture()

    def record(self, name: str, link: Any) -> str:
        is_head = name == "head"
        start, offset = (link, 0) if is_head else (self.bench.entries[name], link.address_)
        offset = 0 if is_head else link.address_ - start.address_
        rows = [
            Field(
                "link", f"{link.address_:#018x}", offset, 16, "link", kind="group",
                shown=f"…{link.address_ % 16**6:06x}",
            ),
            self.row(name, "next", offset),
            self.row(name, "prev", offset + 8),
        ]  # fmt: skip
        node = self.builder.record(
            start.address_,
            ["list_head head" if is_head else f"{self.bench.kind.__name__} {name}"],
            rows,
            kind="head" if is_head else "task",
            change="changed" if any(row.changed for row in rows) else "",
            words=name,
        )
        self.nodes[link.address_] = node
        return node

    def row(self, name: str, word: str, offset: int) -> Field:
        path = f"{name}.{word}" if name == "head" else f"{name}.link.{word}"
        value, right = self.words[path], self.wrong.get(path)
        was = None if right is None else f"to be {self.bench.called(right)}"
        return Field(
            f"link.{word}", self.bench.called(value), offset, 8, word, kind="member",
            changed=right is not None, was=was,
        )  # fmt: skip

    def pointer(self, name: str, link: Any, word: str) -> None:
        path = f"{name}.{word}" if name == "head" else f"{name}.link.{word}"
        value = self.words[path]
        source, target = self.nodes[link.address_], self.nodes.get(value)
        if target is None and value not in POISON:
            target = self.builder.node(
                f"wild-{source}-{word}",
                [f"{value:#018x}", "no link is here"],
                kind="fault",
                badge="?",
            )
        if target is None or value == 0:
            return
        is_link = target in self.column
        step = self.column[target] - self.column[source] if is_link else 0
        direct = step == (1 if word == "next" else -1)
        self.builder.edge(
            source, word, target, "link" if is_link else None, kind=word, name=word,
            change="changed" if path in self.wrong else "", pointer=link.address_ + 8 * (word == "prev"),
            target=value, back=direct and word == "prev", route="direct" if direct else "below",
            side="e" if word == "next" else "w",
        )  # fmt: skip
