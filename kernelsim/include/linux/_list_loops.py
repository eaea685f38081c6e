"""include/linux/list.h @ v5.10.188, the loops over doubly linked lists; `list` has them all.

Each is a generator.  Where C's macro takes the variable of the loop, it takes the type of the
struct, or for the `_continue` and `_from` forms the struct to start from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelsim.include.linux import _links
from kernelsim.include.linux._links import LIST_HEAD, NEXT, PREV
from kernelsim.include.linux.types import list_head
from kernelsim.machine.memory import DIRECT_MAP, POISON

__all__ = [
    "list_for_each",
    "list_for_each_continue",
    "list_for_each_entry",
    "list_for_each_entry_continue",
    "list_for_each_entry_continue_reverse",
    "list_for_each_entry_from",
    "list_for_each_entry_from_reverse",
    "list_for_each_entry_reverse",
    "list_for_each_entry_safe",
    "list_for_each_entry_safe_continue",
    "list_for_each_entry_safe_from",
    "list_for_each_entry_safe_reverse",
    "list_for_each_prev",
    "list_for_each_prev_safe",
    "list_for_each_safe",
]

_MASK = (1 << 64) - 1


def each(
    m: Any, type: Any, offset: int, pos: int, end: int, word: int, what: tuple[str, ...]
) -> Iterator[Any]:
    # The struct of `type` around each link from address `pos` until `end`.  As in C, the way on
    # (`word` of the link) is read after the body of the loop has run: a body that frees or
    # unlinks what it was given needs `each_safe`.
    u64, size = m.u64, m.size
    while pos != end:
        yield type(m, (pos - offset) & _MASK)
        o = pos ^ DIRECT_MAP
        try:
            following = u64[((o if o < size else m.offset(pos)) >> 3) + word]
        except IndexError:
            m.fault(pos, what[0], what[word + 1])
        if following == POISON:
            m.check(pos, what[0], what[word + 1])
        pos = following


def each_safe(
    m: Any, type: Any, offset: int, pos: int, end: int, word: int, what: tuple[str, ...]
) -> Iterator[Any]:
    # As `each`, but the way on is read before the body of the loop runs.
    while pos != end:
        following = _links.load(m, pos, word, what)
        yield type(m, (pos - offset) & _MASK)
        pos = following


def _around(way: Any, type: Any, head: Any, member: str, word: int) -> Iterator[Any]:
    # All entries of the list `head`.
    m, start = head.machine_, _links.load(head.machine_, head.address_, word, LIST_HEAD)
    return way(m, type, _links.offsetof(type, member), start, head.address_, word, LIST_HEAD)


def _onward(way: Any, pos: Any, head: Any, member: str, word: int, *, after: bool) -> Iterator[Any]:
    # The entries of the list `head` from the struct `pos` on, or only those `after` it.
    m, start = pos.machine_, _links.link(pos, member)
    if after:
        start = _links.load(m, start, word, LIST_HEAD)
    kind = type(pos)
    return way(m, kind, _links.offsetof(kind, member), start, head.address_, word, LIST_HEAD)


def list_for_each(head: Any) -> Iterator[Any]:
    """Yield the links (struct list_head *) of the list `head`."""
    start = _links.load(head.machine_, head.address_, NEXT, LIST_HEAD)
    return each(head.machine_, list_head, 0, start, head.address_, NEXT, LIST_HEAD)


def list_for_each_continue(pos: Any, head: Any) -> Iterator[Any]:
    """Yield the links of the list `head` that follow the link `pos`."""
    start = _links.load(pos.machine_, pos.address_, NEXT, LIST_HEAD)
    return each(pos.machine_, list_head, 0, start, head.address_, NEXT, LIST_HEAD)


def list_for_each_prev(head: Any) -> Iterator[Any]:
    """Yield the links of the list `head` backwards."""
    start = _links.load(head.machine_, head.address_, PREV, LIST_HEAD)
    return each(head.machine_, list_head, 0, start, head.address_, PREV, LIST_HEAD)


def list_for_each_safe(head: Any) -> Iterator[Any]:
    """Yield the links of the list `head`; the loop's body may remove the link it is given."""
    start = _links.load(head.machine_, head.address_, NEXT, LIST_HEAD)
    return each_safe(head.machine_, list_head, 0, start, head.address_, NEXT, LIST_HEAD)


def list_for_each_prev_safe(head: Any) -> Iterator[Any]:
    """list_for_each_safe() backwards."""
    start = _links.load(head.machine_, head.address_, PREV, LIST_HEAD)
    return each_safe(head.machine_, list_head, 0, start, head.address_, PREV, LIST_HEAD)


def list_for_each_entry(type: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield the structs of `type` that are on the list `head` with their `member`."""
    return _around(each, type, head, member, NEXT)


def list_for_each_entry_reverse(type: Any, head: Any, member: str) -> Iterator[Any]:
    """list_for_each_entry() backwards."""
    return _around(each, type, head, member, PREV)


def list_for_each_entry_continue(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield the structs that follow `pos` on the list `head`."""
    return _onward(each, pos, head, member, NEXT, after=True)


def list_for_each_entry_continue_reverse(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield the structs before `pos` on the list `head`, backwards."""
    return _onward(each, pos, head, member, PREV, after=True)


def list_for_each_entry_from(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield `pos` and the structs that follow it on the list `head`."""
    return _onward(each, pos, head, member, NEXT, after=False)


def list_for_each_entry_from_reverse(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield `pos` and the structs before it on the list `head`, backwards."""
    return _onward(each, pos, head, member, PREV, after=False)


def list_for_each_entry_safe(type: Any, head: Any, member: str) -> Iterator[Any]:
    """list_for_each_entry() whose body may remove or free the struct it is given."""
    return _around(each_safe, type, head, member, NEXT)


def list_for_each_entry_safe_continue(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """list_for_each_entry_continue() whose body may remove or free the struct it is given."""
    return _onward(each_safe, pos, head, member, NEXT, after=True)


def list_for_each_entry_safe_from(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """list_for_each_entry_from() whose body may remove or free the struct it is given."""
    return _onward(each_safe, pos, head, member, NEXT, after=False)


def list_for_each_entry_safe_reverse(type: Any, head: Any, member: str) -> Iterator[Any]:
    """list_for_each_entry_safe() backwards."""
    return _around(each_safe, type, head, member, PREV)
