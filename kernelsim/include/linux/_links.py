"""The words of linked lists: what list.h and rculist.h have in common, made quick.

A fork stores to dozens of list words, so that the busiest operations work on words of memory
here, and all others are written with references, as they stand in C.  Every function of this
file keeps to one plan.  Look at all words that will be used; where they are as in a sound list,
store, in the kernel's order.  Where one is not (no memory at the address, a freed object, a
neighbour that points elsewhere), nothing has been stored yet: the slow road reads the same words
again one by one, through functions that fault, and through lib/list_debug.c's checks.

A place in memory is given as an address or, where its name says so (`*_i`), as the index of a
64-bit word.  A `list_head` is two words, `next` and `prev`; an `hlist_node` is `next` and `pprev`.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import types
from kernelsim.machine.memory import DIRECT_MAP, POISON

__all__ = [
    "HLIST_HEAD",
    "HLIST_NODE",
    "LIST_HEAD",
    "NEXT",
    "PREV",
    "around",
    "hlist_insert_rcu",
    "hlist_remove",
    "init",
    "insert",
    "insert_tail",
    "link",
    "load",
    "offsetof",
    "remove",
]

NEXT, PREV = 0, 1
LIST_HEAD = ("struct list_head", "next", "prev")
HLIST_HEAD = ("struct hlist_head", "first")
HLIST_NODE = ("struct hlist_node", "next", "pprev")


_offsets: dict[tuple[Any, str], int] = {}


def offsetof(type: Any, member: str) -> int:
    """Return C's ``offsetof(type, member)``, at once from the second time on."""
    try:
        return _offsets[type, member]
    except KeyError:
        offset = _offsets[type, member] = type.offsetof_(member)
        return offset


def around(m: Any, type: Any, member: str, link: int) -> Any:
    """Return the struct of `type` whose `member` is the list link at address `link`."""
    return type(m, (link - offsetof(type, member)) & 0xFFFF_FFFF_FFFF_FFFF)


def link(pos: Any, member: str) -> int:
    """Return the address of the list link `member` of the struct `pos`."""
    address: int = pos.address_ + offsetof(type(pos), member)
    return address & 0xFFFF_FFFF_FFFF_FFFF


def load(m: Any, address: int, word: int, what: tuple[str, ...]) -> int:
    """Return word number `word` of the struct at `address`; `what` names its type and members."""
    o = address ^ DIRECT_MAP
    try:
        value: int = m.u64[((o if o < m.size else m.offset(address)) >> 3) + word]
    except IndexError:
        m.fault(address, what[0], what[word + 1])
    if value == POISON:
        m.check(address + 8 * word, what[0], what[word + 1])
    return value


def init(node: Any, value: int, what: tuple[str, ...]) -> None:
    """Store `value` to both words of a list link: INIT_LIST_HEAD(), INIT_HLIST_NODE()."""
    m = node.machine_
    u64, i = m.u64, node._o >> 3
    try:
        old_first, old_second = u64[i], u64[i + 1]
    except IndexError:
        m.fault(node.address_, what[0], what[1])
    if not old_first != POISON != old_second:
        m.check(node.address_, what[0], what[1])
    u64[i] = value
    u64[i + 1] = value
    if m.log is not None:
        m.journal.extend((old_first, i, old_second, i + 1))


# --- list_head -----------------------------------------------------------------------------


def insert(
    m: Any, new: int, prev: int, prev_i: int, next: int, next_i: int, *, rcu: bool = False
) -> None:
    """Link the entry at address `new` in between `prev` and `next`: __list_add(), __list_add_rcu()."""
    u64, o = m.u64, new ^ DIRECT_MAP
    new_i = (o if o < m.size else m.far(new)) >> 3
    try:
        old_next = u64[new_i]
        old_prev = u64[new_i + 1]
        sound = (
            u64[next_i + 1] == prev
            and u64[prev_i] == next
            and prev != new != next
            and old_next != POISON != old_prev
        )
    except IndexError:
        sound = False
    if not sound:
        _insert_slowly(types.list_head(m, new), prev, next, rcu=rcu)
    elif rcu:
        if m.log is not None:
            m.journal.extend((old_next, new_i, old_prev, new_i + 1, next, prev_i, prev, next_i + 1))
        u64[new_i] = next
        u64[new_i + 1] = prev
        u64[prev_i] = new
        u64[next_i + 1] = new
    else:
        if m.log is not None:
            m.journal.extend((prev, next_i + 1, old_next, new_i, old_prev, new_i + 1, next, prev_i))
        u64[next_i + 1] = new
        u64[new_i] = next
        u64[new_i + 1] = prev
        u64[prev_i] = new


def insert_tail(m: Any, new: int, head: int, *, rcu: bool = False) -> None:
    """Link the entry at address `new` in right before `head`: list_add_tail(), list_add_tail_rcu()."""
    o = head ^ DIRECT_MAP
    i = (o if o < m.size else m.far(head)) >> 3
    try:
        prev = m.u64[i + 1]
    except IndexError:
        m.fault(head, "struct list_head", "prev")
    o = prev ^ DIRECT_MAP
    insert(m, new, prev, (o if o < m.size else m.far(prev)) >> 3, head, i, rcu=rcu)


def _insert_slowly(new: Any, prev: int, next: int, *, rcu: bool) -> None:
    # Something is wrong with the words of a list: say what, as the kernel's checks do, or fault.
    from kernelsim.lib import list_debug  # the function that list.h declares extern

    m = new.machine_
    if next == POISON:  # the caller has read it from the entry before
        m.check(prev, *LIST_HEAD[:2])
    if prev == POISON:
        m.check(next + 8, LIST_HEAD[0], LIST_HEAD[2])
    before, after = types.list_head(m, prev), types.list_head(m, next)
    if not list_debug.__list_add_valid(new, before, after):
        return
    if not rcu:
        after.prev = new
    new.next = next
    new.prev = prev
    before.next = new
    if rcu:
        after.prev = new


def remove(m: Any, entry: int, then_next: int | None, then_prev: int | None) -> None:
    """Unlink the entry at address `entry` (__list_del_entry()), then store to its own two words.

    None for `then_next` or `then_prev` leaves that word as it is.
    """
    u64, size, o = m.u64, m.size, entry ^ DIRECT_MAP
    i = (o if o < size else m.far(entry)) >> 3
    try:
        next, prev = u64[i], u64[i + 1]
        o = next ^ DIRECT_MAP
        next_i = ((o if o < size else m.far(next)) >> 3) + 1
        o = prev ^ DIRECT_MAP
        prev_i = (o if o < size else m.far(prev)) >> 3
        sound = u64[prev_i] == entry and u64[next_i] == entry
    except IndexError:
        sound = False
    if not sound:
        _remove_slowly(types.list_head(m, entry), then_next, then_prev)
        return
    if m.log is not None:
        m.journal.extend((entry, next_i, entry, prev_i))
    u64[next_i] = prev
    u64[prev_i] = next
    if then_next is not None:
        if m.log is not None:
            m.log_word(i)
        u64[i] = then_next
    if then_prev is not None:
        if m.log is not None:
            m.log_word(i + 1)
        u64[i + 1] = then_prev


def _remove_slowly(entry: Any, then_next: int | None, then_prev: int | None) -> None:
    # As `_insert_slowly`: a failed check leaves the entry linked, but its words are stored to.
    from kernelsim.lib import list_debug  # the function that list.h declares extern

    if list_debug.__list_del_entry_valid(entry):
        next, prev = entry.next, entry.prev
        next.prev = prev
        prev.next = next
    if then_next is not None:
        entry.next = then_next
    if then_prev is not None:
        entry.prev = then_prev


# --- hlist ---------------------------------------------------------------------------------


def hlist_insert_rcu(m: Any, node: int, head: int) -> None:
    """Link the node at address `node` in behind the head at `head`: hlist_add_head_rcu()."""
    u64, size = m.u64, m.size
    o = node ^ DIRECT_MAP
    i = (o if o < size else m.far(node)) >> 3
    o = head ^ DIRECT_MAP
    head_i = (o if o < size else m.far(head)) >> 3
    old_first_pprev = first_i = 0
    try:
        old_next, old_pprev, first = u64[i], u64[i + 1], u64[head_i]
        if first:
            o = first ^ DIRECT_MAP
            first_i = ((o if o < size else m.far(first)) >> 3) + 1
            old_first_pprev = u64[first_i]
        sound = old_next != POISON != old_pprev and first != POISON != old_first_pprev
    except IndexError:
        sound = False
    if not sound:
        _hlist_insert_rcu_slowly(types.hlist_node(m, node), types.hlist_head(m, head))
        return
    if m.log is not None:
        m.journal.extend((old_next, i, old_pprev, i + 1, first, head_i))
        if first:
            m.journal.extend((old_first_pprev, first_i))
    u64[i] = first
    u64[i + 1] = head
    u64[head_i] = node
    if first:
        u64[first_i] = node


def _hlist_insert_rcu_slowly(node: Any, head: Any) -> None:
    first = head.first
    node.next = first
    node.pprev = head.address_
    head.first = node
    if first:
        first.pprev = node.address_


def hlist_remove(m: Any, node: int, then_next: int | None, then_pprev: int | None) -> None:
    """Unlink the node at address `node` (__hlist_del()), then store to its own two words.

    None for `then_next` or `then_pprev` leaves that word as it is.
    """
    u64, size, o = m.u64, m.size, node ^ DIRECT_MAP
    i = (o if o < size else m.far(node)) >> 3
    old_next_pprev = next_i = 0
    try:
        next, pprev = u64[i], u64[i + 1]
        o = pprev ^ DIRECT_MAP
        back_i = (o if o < size else m.far(pprev)) >> 3
        old_back = u64[back_i]
        if next:
            o = next ^ DIRECT_MAP
            next_i = ((o if o < size else m.far(next)) >> 3) + 1
            old_next_pprev = u64[next_i]
        sound = old_back != POISON != old_next_pprev
    except IndexError:
        sound = False
    if not sound:
        _hlist_remove_slowly(types.hlist_node(m, node), then_next, then_pprev)
        return
    if m.log is not None:
        m.journal.extend((old_back, back_i))
        if next_i:
            m.journal.extend((old_next_pprev, next_i))
    u64[back_i] = next
    if next_i:
        u64[next_i] = pprev
    if then_next is not None:
        if m.log is not None:
            m.log_word(i)
        u64[i] = then_next
    if then_pprev is not None:
        if m.log is not None:
            m.log_word(i + 1)
        u64[i + 1] = then_pprev


def _hlist_remove_slowly(node: Any, then_next: int | None, then_pprev: int | None) -> None:
    next, pprev = node.next, node.pprev
    types.hlist_head(node.machine_, pprev).first = next
    if next:
        next.pprev = pprev
    if then_next is not None:
        node.next = then_next
    if then_pprev is not None:
        node.pprev = then_pprev
