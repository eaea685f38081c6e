"""A hash table of pids, as Linux 4.14 had it: its buckets, and the chains of struct pids behind them.

A bucket is one pointer, the head of a hash list. It leads to the ``pid_chain`` in the middle of a
upid, that one to the next. The way of a look-up can be lit: each struct pid on it is compared.
"""

from __future__ import annotations

from typing import Any

from kernelsim.machine.memory import Fault
from kernelsim.view import fold, moment
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["pid_hash"]


def pid_hash(
    old: Any, number: int | None = None, since: Any = None, *, limit: int = 6, length: int = 4
) -> Picture:
    """Draw a hash table of pids.

    :param old: what `Kernel.pid_hash` has made.
    :param number: the way of this number's look-up is lit.
    :param since: an earlier time, Kernel or Machine; chains that changed from then on are marked.
    :param limit: how many buckets are drawn: that of `number`, and those with the longest chains.
    :param length: how many struct pids of a chain are drawn; the rest is one box.
    """
    if limit < 1 or length < 1:
        raise ValueError("at least one bucket, and one struct pid of a chain, are drawn")
    m = old.machine
    return _Drawing(old, m, moment.earlier(m, since), number, limit, length).picture()


class _Drawing:
    # One picture in the making.

    def __init__(
        self, old: Any, m: Any, before: Any, number: int | None, limit: int, length: int
    ) -> None:
        self.old, self.m, self.before, self.number, self.length = old, m, before, number, length
        self.chains = {bucket: list(old.upids(bucket)) for bucket in range(old.buckets)}
        self.own = None if number is None else old.bucket(number)
        first = [] if self.own is None else [self.own]
        longest = sorted(self.chains, key=lambda bucket: (-len(self.chains[bucket]), bucket))
        chosen = first + [bucket for bucket in longest if bucket != self.own]
        self.shown = sorted(chosen[:limit])
        self.builder = PictureBuilder(
            "A hash table of pids", "LR", subtitle=moment.caption(m, before), ranksep=50, nodesep=10,
            uniform=True,
        )  # fmt: skip

    def picture(self) -> Picture:
        table = self.old.table.pid_hash
        self.builder.record(
            table.address_, ["pid_hash", f"{table.address_:#018x}", f"{self.old.buckets} buckets"],
            self.rows(), kind="slots",
        )  # fmt: skip
        for bucket in self.shown:
            self.chain(bucket)
        self.builder.legend("first", "a bucket, and .pid_chain.next of each upid")
        if self.number is not None:
            many = self.old.looked_at(self.number)
            self.builder.legend("path", f"the way of the look-up of {self.number}")
            found = "" if self.number in self.old.chain(self.number) else " It is not in use."
            times = "once" if many == 1 else f"{many} times"
            self.builder.note(
                f"{self.number} is looked for in bucket {self.own}: compared {times}.{found}"
            )
        return self.builder.picture()

    def rows(self) -> list[Field]:
        rows = []
        for run in fold.runs(self.old.buckets, self.shown):
            if not run.shown:
                many = sum(len(self.chains[bucket]) for bucket in range(run.start, run.stop))
                rows.append(
                    Field(
                        f"[{run.start} … {run.stop - 1}]",
                        f"{many} numbers" if many else "empty",
                        kind="gap",
                    )
                )
                continue
            for bucket in range(run.start, run.stop):
                value, was = self.head(bucket)
                rows.append(
                    Field(
                        f"[{bucket}]", f"{value:#018x}" if value else "NULL", 8 * bucket, 8,
                        f"b{bucket}", changed=value != was, strong=bucket == self.own,
                        was=f"{was:#018x}" if value != was else None,
                        shown=f"…{value & 0xFFFFFF:06x}" if value else None,
                    )
                )  # fmt: skip
        return rows

    # A bucket's pointer, now and at the earlier time.
    def head(self, bucket: int) -> tuple[int, int]:
        address = self.old.table.pid_hash.address_ + 8 * bucket
        value = self.m.read_u64(address)
        try:
            return value, value if self.before is None else self.before.read_u64(address)
        except Fault:
            return value, value

    # The struct pids of a chain, from left to right.
    def chain(self, bucket: int) -> None:
        chain = self.chains[bucket]
        numbers = [upid.nr for upid in chain]
        lit = 0
        if bucket == self.own and self.number is not None:
            lit = numbers.index(self.number) + 1 if self.number in numbers else len(chain)
        most = max(self.length, 2 if len(chain) > self.length else 0)
        shown = chain if len(chain) <= most + 1 else chain[:most]
        src, port = self.old.table.pid_hash.address_, f"b{bucket}"
        pointer = src + 8 * bucket
        boxes = []
        for place, upid in enumerate(shown):
            change: Change = (
                "changed" if not place and self.head(bucket)[0] != self.head(bucket)[1] else ""
            )
            box = self.builder.record(
                upid.address_, [f"upid {upid.nr}"],
                [Field("pid_chain", f"{upid.pid_chain.next.address_:#018x}", 16, 16, "chain",
                       shown=f"…{upid.pid_chain.address_ & 0xFFFFFF:06x}")],
                focus=upid.nr == self.number, words=f"upid {upid.nr}",
            )  # fmt: skip
            self.builder.edge(
                src, port, box, "chain", kind="path" if place < lit else "first", pointer=pointer,
                name="pid_chain.next" if place else f"pid_hash[{bucket}]", route="direct",
                target=upid.pid_chain.address_, change=change,
            )  # fmt: skip
            boxes.append(box)
            src, port, pointer = upid.address_, "chain", upid.pid_chain.address_
        if hidden := chain[len(shown) :]:
            boxes.append(self.fold(bucket, src, port, pointer, hidden, lit=lit > len(shown)))
        self.builder.level(*boxes, port="chain")

    def fold(
        self, bucket: int, src: int, port: str, pointer: int, hidden: list[Any], *, lit: bool
    ) -> str:
        box = self.builder.fold(
            f"fold-{bucket}", len(hidden), "upids", fields=[Field("pid_chain", port="chain")],
            hides=[upid.address_ for upid in hidden],
        )  # fmt: skip
        self.builder.edge(
            src, port, box, "chain", kind="path" if lit else "first", pointer=pointer,
            target=hidden[0].pid_chain.address_, name="pid_chain.next", route="direct",
        )  # fmt: skip
        return box
