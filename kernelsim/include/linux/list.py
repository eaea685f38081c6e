"""include/linux/list.h @ v5.10.188: doubly linked lists, as every kernel structure embeds them.

All functions take references: ``list_add_tail(p.sibling, parent.children)``; the machine is in
the reference.  CONFIG_DEBUG_LIST is on: each insertion and deletion is checked (lib/list_debug).
A macro that in C declares its result by ``typeof`` takes the type as its first argument, and the
loops are generators: ``for p in list_for_each_entry(task_struct, parent.children, "sibling")``.

The hash lists of the same header are in `hlist`, and their names are here too.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import _links, _list_loops, hlist
from kernelsim.include.linux._links import LIST_HEAD, NEXT, PREV
from kernelsim.include.linux._list_loops import *  # noqa: F403 - its loops
from kernelsim.include.linux.hlist import *  # noqa: F403 - its second half
from kernelsim.include.linux.poison import LIST_POISON1, LIST_POISON2
from kernelsim.include.linux.types import list_head
from kernelsim.machine.memory import DIRECT_MAP, POISON, Fault
from kernelsim.machine.ref import ValidationError, container_of

__all__ = [
    "INIT_LIST_HEAD",
    "LIST_POISON1",
    "LIST_POISON2",
    "__list_add",
    "__list_del_entry",
    "list_add",
    "list_add_tail",
    "list_bulk_move_tail",
    "list_cut_before",
    "list_cut_position",
    "list_del",
    "list_del_init",
    "list_del_init_careful",
    "list_empty",
    "list_empty_careful",
    "list_entry",
    "list_entry_is_head",
    "list_first_entry",
    "list_first_entry_or_null",
    "list_head",
    "list_is_first",
    "list_is_last",
    "list_is_singular",
    "list_last_entry",
    "list_move",
    "list_move_tail",
    "list_next_entry",
    "list_prepare_entry",
    "list_prev_entry",
    "list_replace",
    "list_replace_init",
    "list_rotate_left",
    "list_rotate_to_front",
    "list_splice",
    "list_splice_init",
    "list_splice_tail",
    "list_splice_tail_init",
    "list_swap",
    "validate_list",
]
__all__ += _list_loops.__all__
__all__ += hlist.__all__


def INIT_LIST_HEAD(list: Any) -> None:
    """Make struct list_head *`list` an empty list, or a node that is in none."""
    _links.init(list, list.address_, LIST_HEAD)


# --- one entry -----------------------------------------------------------------------------


def __list_add(new: Any, prev: Any, next: Any) -> None:
    """Link `new` in between two entries known to be neighbours (all struct list_head *)."""
    m, before, after = new.machine_, prev.address_, next.address_
    _links.insert(m, new.address_, before, prev._o >> 3, after, next._o >> 3)


def list_add(new: Any, head: Any) -> None:
    """Insert `new` right after `head` (both struct list_head *): a stack."""
    m, i = head.machine_, head._o >> 3
    try:
        next = m.u64[i]
    except IndexError:
        m.fault(head.address_, "struct list_head", "next")
    o = next ^ DIRECT_MAP
    next_i = (o if o < m.size else m.far(next)) >> 3
    _links.insert(m, new.address_, head.address_, i, next, next_i)


def list_add_tail(new: Any, head: Any) -> None:
    """Insert `new` right before `head` (both struct list_head *): a queue."""
    _links.insert_tail(head.machine_, new.address_, head.address_)


def __list_del_entry(entry: Any) -> None:
    """Join the neighbours of struct list_head *`entry`, whose own words stay as they are."""
    _links.remove(entry.machine_, entry.address_, None, None)


def list_del(entry: Any) -> None:
    """Unlink struct list_head *`entry` and poison it: using it again is an error."""
    _links.remove(entry.machine_, entry.address_, LIST_POISON1, LIST_POISON2)


def list_del_init(entry: Any) -> None:
    """Unlink struct list_head *`entry` and make it an empty list of its own."""
    _links.remove(entry.machine_, entry.address_, entry.address_, entry.address_)


def list_del_init_careful(entry: Any) -> None:
    """list_del_init() for use with list_empty_careful(): `prev` is stored first."""
    __list_del_entry(entry)
    entry.prev = entry
    entry.next = entry


def list_replace(old: Any, new: Any) -> None:
    """Put `new` in the place of `old`, which is left as it is (both struct list_head *)."""
    new.next = old.next
    new.next.prev = new
    new.prev = old.prev
    new.prev.next = new


def list_replace_init(old: Any, new: Any) -> None:
    """Put `new` in the place of `old`, which becomes an empty list (both struct list_head *)."""
    list_replace(old, new)
    INIT_LIST_HEAD(old)


def list_swap(entry1: Any, entry2: Any) -> None:
    """Let two entries change places (both struct list_head *)."""
    pos = entry2.prev
    list_del(entry2)
    list_replace(entry1, entry2)
    if pos == entry1:
        pos = entry2
    list_add(entry1, pos)


def list_move(list: Any, head: Any) -> None:
    """Move the entry `list` right after `head`, perhaps of another list (struct list_head *)."""
    __list_del_entry(list)
    list_add(list, head)


def list_move_tail(list: Any, head: Any) -> None:
    """Move the entry `list` right before `head`, perhaps of another list (struct list_head *)."""
    __list_del_entry(list)
    list_add_tail(list, head)


# --- questions -----------------------------------------------------------------------------


def list_empty(head: Any) -> bool:
    """Return whether struct list_head *`head` has no entries."""
    m = head.machine_
    try:
        next = m.u64[head._o >> 3]
    except IndexError:
        m.fault(head.address_, "struct list_head", "next")
    if next == POISON:
        m.check(head.address_, "struct list_head", "next")
    return next == head.address_


def list_empty_careful(head: Any) -> bool:
    """Return whether `head` is empty and nobody is in the middle of changing it."""
    next = head.next
    return next == head and next == head.prev


def list_is_first(list: Any, head: Any) -> bool:
    """Return whether the entry `list` is the first one of `head` (struct list_head *)."""
    return list.prev == head


def list_is_last(list: Any, head: Any) -> bool:
    """Return whether the entry `list` is the last one of `head` (struct list_head *)."""
    return list.next == head


def list_is_singular(head: Any) -> bool:
    """Return whether struct list_head *`head` has exactly one entry."""
    return not list_empty(head) and head.next == head.prev


# --- many entries --------------------------------------------------------------------------


def list_bulk_move_tail(head: Any, first: Any, last: Any) -> None:
    """Move the entries from `first` to `last` of a list to the end of that list, `head`."""
    first.prev.next = last.next
    last.next.prev = first.prev
    head.prev.next = first
    first.prev = head.prev
    last.next = head
    head.prev = last


def list_rotate_left(head: Any) -> None:
    """Make the first entry of struct list_head *`head` its last."""
    if not list_empty(head):
        list_move_tail(head.next, head)


def list_rotate_to_front(list: Any, head: Any) -> None:
    """Rotate struct list_head *`head` until the entry `list` is its first."""
    list_move_tail(head, list)


def list_cut_position(list: Any, head: Any, entry: Any) -> None:
    """Move the entries of `head` up to `entry`, it included, to `list`, whose old content is lost.

    If `entry` is `head` itself, `list` becomes empty.
    """
    if list_empty(head):
        return
    if list_is_singular(head) and entry not in (head.next, head):
        return
    if entry == head:
        INIT_LIST_HEAD(list)
        return
    new_first = entry.next
    list.next = head.next
    list.next.prev = list
    list.prev = entry
    entry.next = list
    head.next = new_first
    new_first.prev = head


def list_cut_before(list: Any, head: Any, entry: Any) -> None:
    """Move the entries of `head` up to `entry`, it not included, to `list`.

    If `entry` is `head` itself, all entries are moved.
    """
    if head.next == entry:
        INIT_LIST_HEAD(list)
        return
    list.next = head.next
    list.next.prev = list
    list.prev = entry.prev
    list.prev.next = list
    head.next = entry
    entry.prev = head


def _list_splice(list: Any, prev: Any, next: Any) -> None:
    first, last = list.next, list.prev
    first.prev = prev
    prev.next = first
    last.next = next
    next.prev = last


def list_splice(list: Any, head: Any) -> None:
    """Put the entries of `list` right after `head`; `list` itself is left stale."""
    if not list_empty(list):
        _list_splice(list, head, head.next)


def list_splice_tail(list: Any, head: Any) -> None:
    """Put the entries of `list` right before `head`; `list` itself is left stale."""
    if not list_empty(list):
        _list_splice(list, head.prev, head)


def list_splice_init(list: Any, head: Any) -> None:
    """Put the entries of `list` right after `head` and make `list` empty."""
    if not list_empty(list):
        _list_splice(list, head, head.next)
        INIT_LIST_HEAD(list)


def list_splice_tail_init(list: Any, head: Any) -> None:
    """Put the entries of `list` right before `head` and make `list` empty."""
    if not list_empty(list):
        _list_splice(list, head.prev, head)
        INIT_LIST_HEAD(list)


# --- from the link to the struct around it -------------------------------------------------

list_entry = container_of


def list_first_entry(ptr: Any, type: Any, member: str) -> Any:
    """Return the first struct of `type` on the list `ptr`, which must not be empty."""
    m = ptr.machine_
    return _links.around(m, type, member, _links.load(m, ptr.address_, NEXT, LIST_HEAD))


def list_last_entry(ptr: Any, type: Any, member: str) -> Any:
    """Return the last struct of `type` on the list `ptr`, which must not be empty."""
    m = ptr.machine_
    return _links.around(m, type, member, _links.load(m, ptr.address_, PREV, LIST_HEAD))


def list_first_entry_or_null(ptr: Any, type: Any, member: str) -> Any:
    """Return the first struct of `type` on the list `ptr`, NULL if it is empty."""
    m = ptr.machine_
    pos = _links.load(m, ptr.address_, NEXT, LIST_HEAD)
    return _links.around(m, type, member, pos) if pos != ptr.address_ else type(m, 0)


def list_next_entry(pos: Any, member: str) -> Any:
    """Return the struct that follows `pos` on the list linked by `member`."""
    following = _links.load(pos.machine_, _links.link(pos, member), NEXT, LIST_HEAD)
    return _links.around(pos.machine_, type(pos), member, following)


def list_prev_entry(pos: Any, member: str) -> Any:
    """Return the struct that comes before `pos` on the list linked by `member`."""
    before = _links.load(pos.machine_, _links.link(pos, member), PREV, LIST_HEAD)
    return _links.around(pos.machine_, type(pos), member, before)


def list_entry_is_head(pos: Any, head: Any, member: str) -> bool:
    """Return whether `pos` is not a struct at all, but stands for the list's head."""
    return _links.link(pos, member) == head.address_


def list_prepare_entry(pos: Any, head: Any, member: str) -> Any:
    """Return `pos`, or if that is NULL what stands for the head, to continue a loop from."""
    return pos or container_of(head, type(pos), member)


# --- looking -------------------------------------------------------------------------------


def validate_list(head: Any) -> int:
    """Check that struct list_head *`head` is a sound circle; return the number of its entries.

    Raises ValidationError, with both addresses, where a link does not come back.  It ends on any
    memory: where every link comes back, no link is reached twice before the head.
    """
    m, pos, n = head.machine_, head.address_, 0
    while True:
        following = _links.load(m, pos, NEXT, LIST_HEAD)
        try:
            back = _links.load(m, following, PREV, LIST_HEAD)
        except Fault as fault:
            raise ValidationError(
                f"list entry {pos:#x}: next is {following:#x}: {fault}"
            ) from fault
        if back != pos:
            raise ValidationError(
                f"list entry {pos:#x}: next is {following:#x}, whose prev is {back:#x}"
            )
        if following == head.address_:
            return n
        pos, n = following, n + 1
