"""kernel/pid.c @ v4.14: process numbers before the IDR, in a hash table and a bitmap.

Two structures did what the IDR does alone.  A *bitmap*, a page for each 32,768 numbers, says which
numbers are in use.  A *hash table*, one for all namespaces and made once at boot, leads from a
number and its namespace to the struct pid: its upid is on the chain of its bucket.

The functions have the names and the step order that they had in 4.14; their structs are called
`old_…`, for those of 5.10 exist beside them.  Nothing of it runs when a kernel boots.  See
docs/adr/0013-older.md.  Left out: child namespaces, RCU, and the lock.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import hlist, slab
from kernelsim.include.linux.types import callback_head, hlist_head, hlist_node
from kernelsim.include.uapi.asm import errno
from kernelsim.machine import memory
from kernelsim.machine.ctype import array, ptr, s32, u32, void
from kernelsim.machine.ref import Struct, ValidationError, container_of
from kernelsim.mm import page_alloc, slub

__all__ = [
    "BITS_PER_PAGE",
    "PIDMAP_ENTRIES",
    "RESERVED_PIDS",
    "alloc_pid",
    "alloc_pidmap",
    "find_pid_ns",
    "free_pid",
    "free_pidmap",
    "old_pid",
    "old_pid_namespace",
    "old_upid",
    "pid_hash_table",
    "pid_hashfn",
    "pidhash_init",
    "pidhash_shift",
    "pidmap",
    "pidmap_init",
    "validate_pid_hash",
]

RESERVED_PIDS = 300
PID_MAX_LIMIT = 4 << 20
BITS_PER_PAGE = memory.PAGE_SIZE * 8
PIDMAP_ENTRIES = PID_MAX_LIMIT // BITS_PER_PAGE
GOLDEN_RATIO_64 = 0x61C8_8646_80B5_83EB
_MASK = (1 << 64) - 1


class pidmap(Struct):
    """A page of the bitmap: a bit for each number; there is no page until a number of it is used."""

    nr_free = s32
    page = ptr(void)


class old_pid_namespace(Struct):
    """What struct pid_namespace had for its numbers."""

    pidmap = array(pidmap, PIDMAP_ENTRIES)
    last_pid = s32
    nr_hashed = u32
    pid_cachep = ptr("kmem_cache")


class old_upid(Struct):
    """A number, its namespace, and the link into the chain of its bucket."""

    nr = s32
    ns = ptr("old_pid_namespace")
    pid_chain = hlist_node


class old_pid(Struct):
    """struct pid, with one upid for each level of namespaces."""

    count = s32
    level = u32
    tasks = array(hlist_head, 3)
    rcu = callback_head
    numbers = array(old_upid, 1, flexible=True)


class pid_hash_table(Struct):
    """Where the table is, and the logarithm of its length: two static variables of kernel/pid.c."""

    pid_hash = ptr(hlist_head)
    pidhash_shift = u32


_NR, _NS = old_upid.offsetof_("nr") >> 3, old_upid.offsetof_("ns") >> 3
_NEXT = old_upid.offsetof_("pid_chain") >> 3
_NUMBERS = old_pid.offsetof_("numbers")


# --- at boot -------------------------------------------------------------------------------


def pidhash_shift(megabytes: int) -> int:
    """Return the logarithm of the table's length on a machine with so much memory.

    A bucket for each 256 KiB, rounded up to a power of two, from 16 to 4096: what
    alloc_large_system_hash("PID", …, scale 18, …, 4096) computes.
    """
    return min(12, max(4, (megabytes * 4 - 1).bit_length()))


def pidhash_init(m: Any, table: Any, megabytes: int) -> int:
    """Make the table (struct pid_hash_table *`table`) once and for all; 0 or -ENOMEM."""
    shift = pidhash_shift(megabytes)
    order = max(0, shift + 3 - memory.PAGE_SHIFT)
    address = page_alloc.alloc_pages(m, slab.GFP_KERNEL, order)
    if not address:
        return -errno.ENOMEM
    m.fill(address, 0, memory.PAGE_SIZE << order)
    table.pid_hash, table.pidhash_shift = address, shift
    return 0


def pidmap_init(m: Any, ns: Any, pid_cachep: Any) -> int:
    """Make struct old_pid_namespace *`ns` empty, with a first page in which 0 is taken; 0, -ENOMEM."""
    for map in ns.pidmap:
        map.nr_free, map.page = BITS_PER_PAGE, None
    page = _page(m)
    if not page:
        return -errno.ENOMEM
    ns.pidmap[0].page = page
    m.write_u64(page, 1)
    ns.pidmap[0].nr_free = BITS_PER_PAGE - 1
    ns.last_pid, ns.nr_hashed, ns.pid_cachep = 0, 0, pid_cachep
    return 0


def _page(m: Any) -> int:
    # kzalloc(PAGE_SIZE)
    address = page_alloc.alloc_pages(m, slab.GFP_KERNEL, 0)
    if address:
        m.fill(address, 0, memory.PAGE_SIZE)
    return address


# --- the bitmap ----------------------------------------------------------------------------


def alloc_pidmap(m: Any, ns: Any, pid_max: int) -> int:
    """Take the next free number (int) of `ns` after the last one given; -EAGAIN, -ENOMEM."""
    last: int = ns.last_pid
    nr = last + 1
    if nr >= pid_max:
        nr = RESERVED_PIDS
    map, offset = divmod(nr, BITS_PER_PAGE)
    max_scan = -(-pid_max // BITS_PER_PAGE) - (not offset)
    for _ in range(max_scan + 1):
        entry = ns.pidmap[map]
        if not entry.page:
            page = _page(m)
            if not page:
                return -errno.ENOMEM
            entry.page = page
        if entry.nr_free:
            offset = _next_zero(m, entry.page, offset)
            nr = map * BITS_PER_PAGE + offset
            if offset < BITS_PER_PAGE and nr < pid_max:
                _flip(m, entry, offset, -1)
                ns.last_pid = nr
                return nr
        if map < (pid_max - 1) // BITS_PER_PAGE:
            map, offset = map + 1, 0
        else:
            map, offset = 0, RESERVED_PIDS
            if last == offset:
                break
    return -errno.EAGAIN


def _next_zero(m: Any, page: int, offset: int) -> int:
    # find_next_zero_bit() in a page, from bit `offset` on; BITS_PER_PAGE if all are set.
    first = m.index(page)
    for word in range(offset >> 6, BITS_PER_PAGE >> 6):
        free = ~m.u64[first + word] & _MASK
        if word == offset >> 6:
            free &= _MASK << (offset & 63)
        if free:
            return word * 64 + (free & -free).bit_length() - 1
    return BITS_PER_PAGE


def _flip(m: Any, entry: Any, offset: int, free: int) -> None:
    i = m.index(entry.page) + (offset >> 6)
    memory.put(m, i, m.u64[i] ^ 1 << (offset & 63))
    entry.nr_free += free


def free_pidmap(m: Any, upid: Any) -> None:
    """Give the number of struct old_upid *`upid` back."""
    map, offset = divmod(upid.nr, BITS_PER_PAGE)
    _flip(m, upid.ns.pidmap[map], offset, 1)


# --- the hash table ------------------------------------------------------------------------


def pid_hashfn(nr: int, ns: int, shift: int) -> int:
    """Return the bucket of a number: hash_long(nr + the address `ns` of its namespace, `shift`)."""
    return ((nr + ns) * GOLDEN_RATIO_64 & _MASK) >> (64 - shift)


def find_pid_ns(m: Any, table: Any, nr: int, ns: Any) -> Any:
    """Return struct old_pid * with number `nr` (int) in `ns`, or NULL: walk the chain, compare."""
    u64, owner = m.u64, ns.address_
    link = u64[m.index(_bucket(table, nr, owner))]
    while link:
        i = m.index(link)
        if u64[i - _NEXT + _NR] & 0xFFFF_FFFF == nr and u64[i - _NEXT + _NS] == owner:
            return old_pid(m, link - 8 * _NEXT - _NUMBERS)
        link = u64[i]
    return old_pid(m, 0)


def _bucket(table: Any, nr: int, ns: int) -> int:
    # The address of the head (struct hlist_head *) of a number's chain.
    head: int = table.pid_hash.address_
    return head + 8 * pid_hashfn(nr, ns, table.pidhash_shift)


def alloc_pid(m: Any, table: Any, ns: Any, pid_max: int) -> Any:
    """Return a new struct old_pid * with the next number, hashed; -EAGAIN, -ENOMEM."""
    address = slub.kmem_cache_alloc(m, ns.pid_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    nr = alloc_pidmap(m, ns, pid_max)
    if nr < 0:
        slub.kmem_cache_free(m, ns.pid_cachep, address)
        return nr
    pid: Any = old_pid(m, address)
    upid = pid.numbers[0]
    upid.nr, upid.ns = nr, ns
    pid.count = 1
    head = hlist_head(m, _bucket(table, nr, ns.address_))
    hlist.hlist_add_head(upid.pid_chain, head)  # 4.14: hlist_add_head_rcu()
    ns.nr_hashed += 1
    return pid


def free_pid(m: Any, pid: Any) -> None:
    """Take struct old_pid *`pid` off its chain, give its number back, and free it."""
    upid = pid.numbers[0]
    ns = upid.ns
    hlist.hlist_del(upid.pid_chain)
    ns.nr_hashed -= 1
    free_pidmap(m, upid)
    slub.kmem_cache_free(m, ns.pid_cachep, pid.address_)


def validate_pid_hash(m: Any, table: Any, ns: Any) -> int:
    """Check every chain against the bitmap; return the number of struct pids.

    Raises ValidationError for a number in a wrong bucket, one that the bitmap calls free, and
    counts that are not those of the chains.
    """
    found = 0
    for bucket in range(1 << table.pidhash_shift):
        head: Any = hlist_head(m, table.pid_hash.address_ + 8 * bucket)
        hlist.validate_hlist(head)
        for link in hlist.hlist_for_each(head):
            upid: Any = container_of(link, old_upid, "pid_chain")
            where = f"upid {upid.address_:#x} in bucket {bucket} of {table.pid_hash.address_:#x}"
            if pid_hashfn(upid.nr, upid.ns.address_, table.pidhash_shift) != bucket:
                raise ValidationError(f"{where}: number {upid.nr} belongs elsewhere")
            map, offset = divmod(upid.nr, BITS_PER_PAGE)
            page = ns.pidmap[map].page
            if not page or not m.read_u64(page + 8 * (offset >> 6)) >> (offset & 63) & 1:
                raise ValidationError(f"{where}: number {upid.nr} is free in the bitmap")
            found += 1
    used = sum(BITS_PER_PAGE - map.nr_free for map in ns.pidmap) - 1
    if not found == used == ns.nr_hashed:
        raise ValidationError(
            f"namespace {ns.address_:#x}: {found} hashed, {used} bits, nr_hashed {ns.nr_hashed}"
        )
    return found
