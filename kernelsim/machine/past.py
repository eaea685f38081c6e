"""Memory as it was: the bytes at an earlier moment, taken from the journal, and never stored to.

Nothing is copied: a word is looked up in the index of the journal, else in memory as it is.
"""

from __future__ import annotations

from array import array
from typing import Any

from kernelsim.machine import index
from kernelsim.machine.memory import Kept, Memory, ReadOnly, nobody

__all__ = ["Past"]

FEW = 16  # words of a slice that are looked up one by one


class _Refs(dict[int, Kept]):
    # The references that a past machine keeps: room for a class is made when it is first met.
    __slots__ = ("m",)

    def __init__(self, m: Memory) -> None:
        self.m = m

    def __missing__(self, number: int) -> Kept:
        made = self[number] = Kept(self.m, number)
        return made


class _Words:
    # The 64-bit words of memory as they were when the journal was `position` long.
    __slots__ = ("base", "index", "memory", "position")

    def __init__(self, memory: Memory, position: int) -> None:
        self.memory = memory
        self.base = memory.u64
        self.position = position
        self.index = index.of(memory, position)

    def __getitem__(self, i: int | slice) -> Any:
        found, position = self.index, self.position
        if len(found.journal) != found.end:
            found.extend()
        if isinstance(i, slice):
            return self._several(*i.indices(len(self.base)))
        answer = found.answers.get(i)
        if answer is None or not answer[0] <= position < answer[1]:
            answer = found.find(i, position)
        value = answer[2]
        return self.base[i] if value is None else value

    # The words of a slice: as memory has them now, but for those that were stored to since.
    def _several(self, start: int, stop: int, step: int) -> array[int]:
        if step != 1 or stop - start <= FEW:
            return array("Q", [self[i] for i in range(start, stop, step)])
        block = array("Q", bytes(self.memory.u8[start << 3 : stop << 3]))
        for i in self.index.stored(start, stop):
            block[i - start] = self[i]
        return block

    def __setitem__(self, i: int | slice, value: Any) -> None:
        raise ReadOnly("this is the machine as it was at an earlier time: it can't be written")


class _Narrow:
    # A view of `_Words` as items of `size` bytes.
    __slots__ = ("bits", "mask", "per_word", "sign", "size", "words")

    def __init__(self, words: _Words, size: int, *, signed: bool) -> None:
        self.words = words
        self.size = size
        self.bits = size * 8
        self.mask = (1 << self.bits) - 1
        self.per_word = 8 // size
        self.sign = 1 << (self.bits - 1) if signed else 0

    def __getitem__(self, i: int | slice) -> Any:
        if isinstance(i, slice):  # bytes only
            start, stop, _ = i.indices(self.words.memory.size)
            first = start >> 3
            block = memoryview(self.words[first : (stop + 7) >> 3]).cast("B")
            return block[start - (first << 3) : stop - (first << 3)]
        word, place = divmod(i, self.per_word)
        value: int = (self.words[word] >> (place * self.bits)) & self.mask
        return value - (1 << self.bits) if value & self.sign else value

    def __setitem__(self, i: int | slice, value: Any) -> None:
        self.words[0] = value


class _Window:
    # `n` of the words, from number `start` on; what `_Words` does is done here at once.
    __slots__ = ("n", "start", "words")

    def __init__(self, words: _Words, start: int, n: int) -> None:
        self.words, self.start, self.n = words, start, n

    def __getitem__(self, i: int) -> Any:
        if i >= self.n:
            raise IndexError(i)
        i += self.start
        words = self.words
        found = words.index
        answer = found.answers.get(i)
        if (
            answer is None
            or not answer[0] <= words.position < answer[1]
            or len(found.journal) != found.end
        ):
            return words[i]
        value = answer[2]
        return words.base[i] if value is None else value

    def __setitem__(self, i: int, value: Any) -> None:
        self.words[0] = value


class _Halves(_Window):
    # `n` signed halves of the words, from half number `start` on.
    __slots__ = ()

    def __getitem__(self, i: int) -> Any:
        if i >= self.n:
            raise IndexError(i)
        i += self.start
        value = self.words[i >> 1] >> ((i & 1) << 5) & 0xFFFFFFFF
        return value - (1 << 32) if value >> 31 else value


class Past(Memory):
    """The bytes of `memory` as they were when its journal was `position` words long; read-only.

    It stays right while the machine goes on, for it takes what is overwritten from the journal.
    """

    def __init__(self, memory: Memory, position: int) -> None:
        self.size = memory.size
        self.refs = _Refs(self)  # type: ignore[assignment] # used by number, as the list is
        self.vmemmap_base = memory.vmemmap_base
        self.journal = None
        self.past_index = None
        self.log = None
        self.who_freed = nobody
        self._patterns = {}
        words = _Words(memory, position)
        self.u64: Any = words
        self.s64: Any = _Narrow(words, 8, signed=True)
        self.u32, self.s32 = _Narrow(words, 4, signed=False), _Narrow(words, 4, signed=True)  # type: ignore[assignment]
        self.u16, self.s16 = _Narrow(words, 2, signed=False), _Narrow(words, 2, signed=True)  # type: ignore[assignment]
        self.u8, self.s8 = _Narrow(words, 1, signed=False), _Narrow(words, 1, signed=True)  # type: ignore[assignment]

    def words(self, o: int, n: int) -> Any:
        """Return the `n` bytes at offset `o` as 64-bit words."""
        return _Window(self.u64, o >> 3, n >> 3)

    def halves(self, o: int, n: int) -> Any:
        """Return the `n` bytes at offset `o` as signed halves of words."""
        return _Halves(self.u64, o >> 2, n >> 2)

    def read(self, address: int, n: int) -> bytes:
        """Return the `n` bytes at `address`, freed or not: a debugger's read."""
        if n > FEW * 8:
            return super().read(address, n)
        o, words = self._span(address, n), self.u64
        found = [words[i].to_bytes(8, "little") for i in range(o >> 3, (o + n + 7) >> 3)]
        return b"".join(found)[o & 7 : (o & 7) + n]

    def write(self, address: int, data: bytes) -> None:
        """Refuse: the past can't be written."""
        self.u64[0] = 0

    def fill(self, address: int, word: int, n: int) -> None:
        """Refuse: the past can't be written."""
        self.u64[0] = 0

    def copy(self, dst: int, src: int, n: int, *, fresh: bool = False) -> None:
        """Refuse: the past can't be written."""
        self.u64[0] = 0
