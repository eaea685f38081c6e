"""include/linux/list.h @ v5.10.188, second half: lists whose head is one pointer, for hash tables.

An `hlist_node` has `next` and `pprev`, which points to the pointer that points to the node: to
the head's `first` or to the `next` of the node before.  So a node can be unlinked without knowing
the head.  The end of the list is NULL.

Left out: the forms without the lock's checks (`_lockless`), which do the same here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelsim.include.linux import _links, _list_loops
from kernelsim.include.linux._links import HLIST_HEAD, HLIST_NODE, NEXT, PREV
from kernelsim.include.linux.poison import LIST_POISON1, LIST_POISON2
from kernelsim.include.linux.types import hlist_head, hlist_node
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import ValidationError, container_of

__all__ = [
    "INIT_HLIST_HEAD",
    "INIT_HLIST_NODE",
    "hlist_add_before",
    "hlist_add_behind",
    "hlist_add_fake",
    "hlist_add_head",
    "hlist_del",
    "hlist_del_init",
    "hlist_empty",
    "hlist_entry",
    "hlist_entry_safe",
    "hlist_fake",
    "hlist_for_each",
    "hlist_for_each_entry",
    "hlist_for_each_entry_continue",
    "hlist_for_each_entry_from",
    "hlist_for_each_entry_safe",
    "hlist_for_each_safe",
    "hlist_head",
    "hlist_is_singular_node",
    "hlist_move_list",
    "hlist_node",
    "hlist_unhashed",
    "validate_hlist",
]


def INIT_HLIST_HEAD(ptr: Any) -> None:
    """Make struct hlist_head *`ptr` an empty list."""
    ptr.first = None


def INIT_HLIST_NODE(h: Any) -> None:
    """Make struct hlist_node *`h` a node that is in no list."""
    _links.init(h, 0, HLIST_NODE)


def hlist_unhashed(h: Any) -> bool:
    """Return whether struct hlist_node *`h` is in no list."""
    return not _links.load(h.machine_, h.address_, PREV, HLIST_NODE)


def hlist_empty(h: Any) -> bool:
    """Return whether struct hlist_head *`h` has no entries."""
    return not _links.load(h.machine_, h.address_, 0, HLIST_HEAD)


def hlist_del(n: Any) -> None:
    """Unlink struct hlist_node *`n` and poison it: using it again is an error."""
    _links.hlist_remove(n.machine_, n.address_, LIST_POISON1, LIST_POISON2)


def hlist_del_init(n: Any) -> None:
    """Unlink struct hlist_node *`n`, if it is in a list, and make it a node that is in none."""
    if not hlist_unhashed(n):
        _links.hlist_remove(n.machine_, n.address_, 0, 0)


def hlist_add_head(n: Any, h: Any) -> None:
    """Insert struct hlist_node *`n` as the first one of struct hlist_head *`h`."""
    first = h.first
    n.next = first
    if first:
        first.pprev = n.address_
    h.first = n
    n.pprev = h.address_


def hlist_add_before(n: Any, next: Any) -> None:
    """Insert `n` before `next`, which is in a list (both struct hlist_node *)."""
    n.pprev = next.pprev
    n.next = next
    next.pprev = n.address_
    hlist_head(n.machine_, n.pprev).first = n


def hlist_add_behind(n: Any, prev: Any) -> None:
    """Insert `n` behind `prev`, which is in a list (both struct hlist_node *)."""
    n.next = prev.next
    prev.next = n
    n.pprev = prev.address_
    if n.next:
        n.next.pprev = n.address_


def hlist_add_fake(n: Any) -> None:
    """Make struct hlist_node *`n` look as if it were in a list, so that hlist_del() works on it."""
    n.pprev = n.address_


def hlist_fake(h: Any) -> bool:
    """Return whether struct hlist_node *`h` was made by hlist_add_fake()."""
    return h.pprev == h.address_


def hlist_is_singular_node(n: Any, h: Any) -> bool:
    """Return whether `n` is the only node of struct hlist_head *`h`."""
    return not n.next and n.pprev == h.address_


def hlist_move_list(old: Any, new: Any) -> None:
    """Move all nodes of `old` to `new`, whose old content is lost (both struct hlist_head *)."""
    new.first = old.first
    if new.first:
        new.first.pprev = new.address_
    old.first = None


hlist_entry = container_of


def hlist_entry_safe(ptr: Any, type: Any, member: str) -> Any:
    """container_of() for a link that may be NULL: then the result is NULL, too."""
    return container_of(ptr, type, member) if ptr else type(ptr.machine_, 0)


# --- loops ---------------------------------------------------------------------------------


def _from(way: Any, m: Any, type: Any, member: str, start: int) -> Iterator[Any]:
    offset = _links.offsetof(type, member)
    return way(m, type, offset, start, 0, NEXT, HLIST_NODE)


def hlist_for_each(head: Any) -> Iterator[Any]:
    """Yield the nodes (struct hlist_node *) of the list `head`."""
    start = head.first.address_
    return _list_loops.each(head.machine_, hlist_node, 0, start, 0, NEXT, HLIST_NODE)


def hlist_for_each_safe(head: Any) -> Iterator[Any]:
    """Yield the nodes of the list `head`; the loop's body may remove the node it is given."""
    start = head.first.address_
    return _list_loops.each_safe(head.machine_, hlist_node, 0, start, 0, NEXT, HLIST_NODE)


def hlist_for_each_entry(type: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield the structs of `type` that are on the list `head` with their `member`."""
    m = head.machine_
    return _from(_list_loops.each, m, type, member, _links.load(m, head.address_, 0, HLIST_HEAD))


def hlist_for_each_entry_continue(pos: Any, member: str) -> Iterator[Any]:
    """Yield the structs that follow `pos`."""
    m = pos.machine_
    start = _links.load(m, _links.link(pos, member), NEXT, HLIST_NODE)
    return _from(_list_loops.each, m, type(pos), member, start)


def hlist_for_each_entry_from(pos: Any, member: str) -> Iterator[Any]:
    """Yield `pos`, if it is not NULL, and the structs that follow it."""
    start = _links.link(pos, member) if pos else 0
    return _from(_list_loops.each, pos.machine_, type(pos), member, start)


def hlist_for_each_entry_safe(type: Any, head: Any, member: str) -> Iterator[Any]:
    """hlist_for_each_entry() whose body may remove or free the struct it is given."""
    m = head.machine_
    return _from(
        _list_loops.each_safe, m, type, member, _links.load(m, head.address_, 0, HLIST_HEAD)
    )


# --- looking -------------------------------------------------------------------------------


def validate_hlist(head: Any) -> int:
    """Check the back pointers of struct hlist_head *`head`; return the number of its nodes.

    Raises ValidationError, with both addresses, where one does not point back.
    """
    m, place, n = head.machine_, head.address_, 0
    while node := m.read_u64(place):
        try:
            pprev = _links.load(m, node, PREV, HLIST_NODE)
        except Fault as fault:
            raise ValidationError(f"hlist pointer at {place:#x} is {node:#x}: {fault}") from fault
        if pprev != place:
            raise ValidationError(
                f"hlist node {node:#x}: pprev is {pprev:#x}, but {place:#x} points to the node"
            )
        place, n = node, n + 1
    return n
