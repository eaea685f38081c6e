"""Simulated physical memory: bytes at kernel addresses, a journal of every store, views of the past.

Design rules of this file (everything above stands on them):

1. One flat array of bytes is the whole RAM.  A kernel address is turned into an offset by
   `Memory.offset`: the direct map, the kernel image and the page descriptors are three windows
   on the same bytes, as on x86-64.
2. Nothing is ever silently out of range.  An address in no window has an offset beyond every
   array, so that the access itself fails and becomes a `Fault`.
3. Every store goes through the journal when recording is on, as the old value of the 64-bit
   word it falls in (or of a block of words).  Undoing the journal backwards gives memory at any
   earlier moment; `past` does so lazily, without copying RAM.
4. Freed memory holds POISON.  Only a word that reads POISON needs a second look, so that the
   check for use after free costs one comparison.
"""

from __future__ import annotations

import mmap
import sys
from array import array
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "DIRECT_MAP",
    "IMAGE_MAP",
    "IMAGE_SIZE",
    "PAGE_SHIFT",
    "PAGE_SIZE",
    "PHYSICAL_IMAGE",
    "POISON",
    "POISON_BYTE",
    "VMEMMAP",
    "Fault",
    "Kept",
    "Memory",
    "ReadOnly",
    "new_refs",
    "nobody",
    "put",
]

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
DIRECT_MAP = 0xFFFF_8880_0000_0000
IMAGE_MAP = 0xFFFF_FFFF_8000_0000  # __START_KERNEL_map: physical 0 seen through the image window
PHYSICAL_IMAGE = 16 << 20  # where the kernel image is loaded
IMAGE_SIZE = 16 << 20
IMAGE_END = PHYSICAL_IMAGE + IMAGE_SIZE
VMEMMAP = 0xFFFF_EA00_0000_0000
NOWHERE = 1 << 80  # an offset beyond every array
POISON_BYTE = 0x6B
POISON = 0x6B6B_6B6B_6B6B_6B6B
MAX_CLASSES = 512  # struct and array types
COUNT = (1 << 62) - 1
BLOCK = 1 << 63  # marks a record of several words in the journal
SAME = 1 << 62  # … that all had the same value, which stands there once


class Fault(Exception):
    """An access to an address at which there is nothing that may be used.

    `address` is the address used, `type` the C type of the reference, `member` what was accessed,
    `reason` why it failed and `freed_by`, for freed memory, who freed it.
    """

    def __init__(
        self, address: int, type: str = "", member: str = "", reason: str = "", freed_by: str = ""
    ) -> None:
        self.address = address
        self.type = type
        self.member = member
        self.reason = reason
        self.freed_by = freed_by
        what = f"({type} *){address:#x}" if type else f"{address:#x}"
        text = f"{what}{'->' + member if member else ''}: {reason}"
        super().__init__(f"{text}, freed by {freed_by}" if freed_by else text)


class ReadOnly(TypeError):
    """A store was tried on a machine as it was at an earlier time."""


# Most references are to few addresses, so a machine keeps those it has made, for each class a
# few thousand: `refs[number of the class][address]`.  A reference holds no state; which of two
# equal ones is used makes no difference.
KEPT = 2048
classes: list[Any] = []  # by their numbers, given when their access is generated


class Kept(dict[int, Any]):
    """The references of one class that machine `m` has made, by address; a missing one is made."""

    __slots__ = ("m", "number")

    def __init__(self, m: Memory, number: int) -> None:
        self.m, self.number = m, number

    def __missing__(self, address: int) -> Any:
        if len(self) >= KEPT:
            self.clear()
        made = self[address] = classes[self.number](self.m, address)
        return made


def new_refs(m: Memory) -> list[Kept]:
    """Return the room for the references that machine `m` keeps: a dict for each class there can be."""
    return [Kept(m, number) for number in range(MAX_CLASSES)]


class Memory:
    """RAM of `size` bytes behind kernel addresses, with an optional journal.

    The typed views `u8 … u64, s8 … s64` are indexed by offset divided by the size of the type.
    Generated reference classes use them directly; everybody else uses the methods.
    """

    def __init__(self, size: int, *, record: bool = False) -> None:
        if sys.byteorder != "little":
            raise RuntimeError("kernelsim needs a little-endian machine, as x86-64 is")
        if size % PAGE_SIZE or size < PHYSICAL_IMAGE + IMAGE_SIZE:
            raise ValueError(
                f"memory size {size} must be a multiple of {PAGE_SIZE} bytes and at least "
                f"{(PHYSICAL_IMAGE + IMAGE_SIZE) >> 20}M, to hold the kernel image"
            )
        self.size = size
        self.u8 = memoryview(self._ram(size))
        self.s8 = self.u8.cast("b")
        self.u16, self.s16 = self.u8.cast("H"), self.u8.cast("h")
        self.u32, self.s32 = self.u8.cast("I"), self.u8.cast("i")
        self.u64, self.s64 = self.u8.cast("Q"), self.u8.cast("q")
        self.refs = new_refs(self)
        self.vmemmap_base = NOWHERE  # physical address of the page descriptors, set at boot
        self.journal: array[int] | None = array("Q") if record else None
        self.log: Callable[[int], None] | None = (
            self.journal.append if self.journal is not None else None
        )
        self.past_index: Any = None  # of the journal, once somebody looks back
        self.who_freed: Callable[[int], str] = nobody
        self._patterns: dict[tuple[int, int], memoryview] = {}

    @staticmethod
    def _ram(size: int) -> Any:
        try:
            if hasattr(mmap, "MAP_NORESERVE"):
                flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_NORESERVE
                return mmap.mmap(-1, size, flags=flags)
            return mmap.mmap(-1, size)
        except (OSError, ValueError):
            try:
                return bytearray(size)
            except MemoryError:
                raise MemoryError(f"there is no room for a machine of {size >> 20}M") from None

    def offset(self, address: int) -> int:
        """Return the physical offset that `address` stands for, NOWHERE if it is not mapped."""
        o = address ^ DIRECT_MAP
        return o if 0 <= o < self.size else self.far(address)

    def index(self, address: int) -> int:
        """Return the index, in `u64`, of the word at `address`; Fault if nothing is mapped there."""
        o = address ^ DIRECT_MAP
        if o >= self.size:
            o = self.far(address)
            if o == NOWHERE:
                self.fault(address)
        return o >> 3

    def words(self, o: int, n: int) -> Any:
        """Return the `n` bytes at offset `o` as 64-bit words: a live view."""
        return self.u64[o >> 3 : (o + n) >> 3]

    def halves(self, o: int, n: int) -> Any:
        """Return the `n` bytes at offset `o` as signed halves of words: a live view."""
        return self.s32[o >> 2 : (o + n) >> 2]

    def far(self, address: int) -> int:
        """Return the offset of an `address` that is not in the direct map: the image, page descriptors."""
        o = address - IMAGE_MAP
        if PHYSICAL_IMAGE <= o < IMAGE_END:
            return o
        o = address - VMEMMAP
        if 0 <= o < self.size >> PAGE_SHIFT << 6:
            return o + self.vmemmap_base
        return NOWHERE

    # --- faults ---------------------------------------------------------------------------

    def fault(self, address: int, type: str = "", member: str = "") -> NoReturn:
        """Raise the Fault that an access to the unmapped `address` gives."""
        if 0 <= address < PAGE_SIZE:
            reason = "NULL pointer dereference"
        elif 0xDEAD_0000_0000_0000 <= address < 0xDEAD_0000_0001_0000:
            reason = "dereference of a poisoned list pointer"
        else:
            reason = "no memory at this address"
        raise Fault(address, type, member, reason)

    def check(self, address: int, type: str = "", member: str = "") -> None:
        """Raise Fault if `address` lies in a freed object; called where a word reads POISON."""
        who = self.who_freed(address)
        if who:
            raise Fault(address, type, member, "use after free", who)

    # --- bytes ----------------------------------------------------------------------------

    def _span(self, address: int, n: int) -> int:
        if n < 0:
            raise ValueError(f"a length of {n} bytes")
        o = address ^ DIRECT_MAP
        if o >= self.size or o < 0:
            o = self.offset(address)
        if o + n > self.size:
            self.fault(address)
        return o

    def read(self, address: int, n: int) -> bytes:
        """Return the `n` bytes at `address`, freed or not: a debugger's read."""
        o = self._span(address, n)
        return bytes(self.u8[o : o + n])

    def write(self, address: int, data: bytes) -> None:
        """Store `data` at `address`."""
        n = len(data)
        o = self._span(address, n)
        if not n:
            return
        first, last = o >> 3, (o + n + 7) >> 3
        if self.u64[first] == POISON:
            self.check(address)
        self.log_block(first, last - first)
        self.u8[o : o + n] = data

    def read_u64(self, address: int) -> int:
        """Return the 64-bit word at `address` (8-byte aligned)."""
        o = address ^ DIRECT_MAP
        try:
            value: int = self.u64[(o if o < self.size else self.far(address)) >> 3]
        except IndexError:
            self.fault(address)
        if value == POISON:
            self.check(address)
        return value

    def write_u64(self, address: int, value: int) -> None:
        """Store the 64-bit word `value` at `address` (8-byte aligned)."""
        o = address ^ DIRECT_MAP
        i = (o if o < self.size else self.far(address)) >> 3
        try:
            old = self.u64[i]
        except IndexError:
            self.fault(address)
        if old == POISON:
            self.check(address)
        log = self.log
        if log is not None:
            log(old)
            log(i)
        self.u64[i] = value

    def copy(self, dst: int, src: int, n: int, *, fresh: bool = False) -> None:
        """Copy `n` bytes (a multiple of 8, aligned, not overlapping) from `src` to `dst`.

        `fresh` says that `dst` was allocated just now and still holds poison.
        """
        u64, words, last = self.u64, n >> 3, self.size - n
        to, start = dst ^ DIRECT_MAP, src ^ DIRECT_MAP
        to = (to if to <= last else self._span(dst, n)) >> 3
        start = (start if start <= last else self._span(src, n)) >> 3
        if words and u64[start] == POISON:
            self.check(src)
        if not fresh and words and u64[to] == POISON:
            self.check(dst)
        if self.log is not None:
            (self.log_poison if fresh else self.log_block)(to, words)
        u64[to : to + words] = u64[start : start + words]

    def fill(self, address: int, word: int, n: int) -> None:
        """Fill `n` bytes (a multiple of 8, aligned) at `address` with the 64-bit `word`."""
        start, words = self._span(address, n) >> 3, n >> 3
        self.log_block(start, words)
        self.u64[start : start + words] = self.pattern(word, words)

    def pattern(self, word: int, words: int) -> memoryview:
        """Return `words` times the 64-bit `word`, made once, to store at one go."""
        pattern = self._patterns.get((word, words))
        if pattern is None:
            pattern = self._patterns[word, words] = memoryview(array("Q", [word]) * words)
        return pattern

    def log_word(self, i: int) -> None:
        """Journal word `i`, which is about to be stored to; recording must be on."""
        self.journal.extend((self.u64[i], i))  # type: ignore[union-attr]

    def log_words(self, *indexes: int) -> None:
        """Journal the words at `indexes`, which are about to be stored to; recording must be on."""
        u64, log = self.u64, self.log
        assert log is not None
        for i in indexes:
            log(u64[i])
            log(i)

    def log_block(self, start: int, words: int) -> None:
        """Journal a block of words, which is about to be stored to."""
        journal = self.journal
        if journal is None:
            return
        data = self.u8[start << 3 : (start + words) << 3].tobytes()
        if words > 3 and data[:8] == data[-8:] and data == data[:8] * words:
            journal.extend((self.u64[start], start, BLOCK | SAME | words))  # unused memory
        else:
            journal.frombytes(data)
            journal.extend((start, BLOCK | words))

    def log_poison(self, start: int, words: int) -> None:
        """Journal a block that is about to be stored to and holds POISON, as what was freed does."""
        if self.u64[start] == POISON == self.u64[start + words - 1]:
            self.journal.extend((POISON, start, BLOCK | SAME | words))  # type: ignore[union-attr]
        else:
            self.log_block(start, words)

    # --- the journal ----------------------------------------------------------------------

    def undo_records(self, since: int, until: int) -> Iterator[tuple[int, int]]:
        """Yield (word index, old value), newest first, of the journal's records in [since, until)."""
        journal = self.journal
        if journal is None:
            raise ValueError("this machine was booted with record=False: it has no past")
        i = until
        while i > since:
            tail = journal[i - 1]
            if not tail & BLOCK:
                yield tail, journal[i - 2]
                i -= 2
            elif tail & SAME:
                start, old = journal[i - 2], journal[i - 3]
                for w in range((tail & COUNT) - 1, -1, -1):
                    yield start + w, old
                i -= 3
            else:
                words, start = tail & COUNT, journal[i - 2]
                i -= words + 2
                for w in range(words - 1, -1, -1):
                    yield start + w, journal[i + w]

    def records(self, since: int, until: int) -> Iterator[tuple[int, int, int, array[int]]]:
        """Yield the journal's records in [since, until), newest first.

        Each is (where it begins, where it ends, index of the first word stored to, old values).
        """
        journal = self.journal
        assert journal is not None
        while until > since:
            tail = journal[until - 1]
            if not tail & BLOCK:
                begin, first, olds = until - 2, tail, journal[until - 2 : until - 1]
            elif tail & SAME:
                begin, first = until - 3, journal[until - 2]
                olds = journal[begin : until - 2] * (tail & COUNT)
            else:
                begin, first = until - 2 - (tail & COUNT), journal[until - 2]
                olds = journal[begin : until - 2]
            yield begin, until, first, olds
            until = begin


def put(m: Memory, i: int, value: int) -> None:
    """Store `value` to word `i` of memory: for code that knows the word to be a good one."""
    if m.log is not None:
        m.journal.extend((m.u64[i], i))  # type: ignore[union-attr]
    m.u64[i] = value


def nobody(address: int) -> str:
    """Return who freed the object at `address`, where there is no slab allocator: nobody."""
    return ""
