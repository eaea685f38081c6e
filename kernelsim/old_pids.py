"""The numbers of processes as Linux 4.14 kept them, beside an IDR of one's own (`ids`).

    old = k.pid_hash(1024)           # as it was made at boot on a machine with so many megabytes
    old.alloc(), old.alloc()         # 1, 2: one more than the last one given
    old.find(2), old.looked_at(2)    # its struct pid; how many struct pids a look-up compares
    old.chains()                     # how many buckets have a chain of which length

The functions are those of `older.pid_hash`.  Errors are OSErrors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import ids
from kernelsim.include.linux import hlist
from kernelsim.include.linux.types import hlist_head
from kernelsim.machine.ref import container_of
from kernelsim.older import pid_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["OldPids"]


class OldPids:
    """The numbers of a namespace as Linux 4.14 kept them: a hash table and a bitmap.

    :param k: a Kernel.  :param megabytes: of the machine for which the table was made at boot.
    """

    def __init__(self, k: Any, megabytes: int, pid_max: int = 32768) -> None:
        self.machine = m = k.machine
        self.note: Callable[[str, tuple[Any, ...]], None] = lambda name, args: None
        self.pid_max = pid_max
        taken = sum(name.startswith("old_pid_ns") for name in m.symbols)
        suffix = f"_{taken + 1}" if taken else ""
        self.ns = m.define(f"old_pid_ns{suffix}", pid_hash.old_pid_namespace)
        self.table = m.define(f"old_pid_hash{suffix}", pid_hash.pid_hash_table)
        cache = ids.cache_called(m, "old_pid", pid_hash.old_pid.sizeof_)
        ids.checked(pid_hash.pidhash_init(m, self.table, megabytes))
        ids.checked(pid_hash.pidmap_init(m, self.ns, cache))

    def __repr__(self) -> str:
        where = self.table.pid_hash.address_
        return f"(struct hlist_head *){where:#x}: {len(self)} numbers, {self.buckets} buckets"

    def __len__(self) -> int:
        """How many numbers are in use."""
        return int(self.ns.nr_hashed)

    @property
    def buckets(self) -> int:
        """The length of the table."""
        return 1 << self.table.pidhash_shift

    def alloc(self) -> int:
        """Take the next number. :raises OSError: EAGAIN if none is left, ENOMEM."""
        self.note("alloc", ())
        pid = pid_hash.alloc_pid(self.machine, self.table, self.ns, self.pid_max)
        return int(ids.checked(pid) if isinstance(pid, int) else pid.numbers[0].nr)

    def find(self, number: int) -> Any:
        """Return the struct old_pid * with a number, None if there is none."""
        found = pid_hash.find_pid_ns(
            self.machine, self.table, ids.as_int(number, "number"), self.ns
        )
        return found or None

    def remove(self, number: int) -> bool:
        """Free a number; return whether it was in use."""
        self.note("remove", (ids.as_int(number, "number"),))
        pid = self.find(number)
        if pid:
            pid_hash.free_pid(self.machine, pid)
        return bool(pid)

    def bucket(self, number: int) -> int:
        """Return the bucket that a number belongs to."""
        return pid_hash.pid_hashfn(number, self.ns.address_, self.table.pidhash_shift)

    def chain(self, number: int) -> list[int]:
        """Return the numbers on the chain of a number's bucket, the head's first."""
        return [upid.nr for upid in self.upids(self.bucket(number))]

    def upids(self, bucket: int, m: Any = None) -> Iterator[Any]:
        """Yield the struct old_upid * on the chain of a bucket."""
        m = m or self.machine
        head: Any = hlist_head(m, self.table.at_(m).pid_hash.address_ + 8 * bucket)
        for link in hlist.hlist_for_each(head):
            yield container_of(link, pid_hash.old_upid, "pid_chain")

    def chains(self) -> dict[int, int]:
        """Return how many buckets have a chain of each length, the shortest first."""
        lengths = [sum(1 for _ in self.upids(bucket)) for bucket in range(self.buckets)]
        return {length: lengths.count(length) for length in sorted(set(lengths))}

    def looked_at(self, number: int) -> int:
        """Return how many struct pids a look-up of the number compares."""
        chain = self.chain(number)
        return chain.index(number) + 1 if number in chain else len(chain)

    def lines(self, number: int) -> int:
        """Return how many lines of 64 bytes a look-up of the number reads: bucket, and each upid."""
        head = self.table.pid_hash.address_ + 8 * self.bucket(number)
        read, size = {head // ids.LINE}, pid_hash.old_upid.sizeof_
        for upid in self.upids(self.bucket(number)):
            read |= {upid.address_ // ids.LINE, (upid.address_ + size - 1) // ids.LINE}
            if upid.nr == number:
                break
        return len(read)

    def validate(self) -> int:
        """Check chains and bitmap; return how many numbers. :raises ValidationError: broken."""
        return pid_hash.validate_pid_hash(self.machine, self.table, self.ns)

    def picture(self, number: int | None = None, since: Any = None, **options: Any) -> Any:
        """Draw it: `ks.view.pid_hash` with its arguments."""
        from kernelsim import view

        return view.pid_hash(self, number, since=since, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle: dict[str, str] = self.picture()._repr_mimebundle_(include, exclude)
        return bundle
