"""include/linux/rculist.h @ v5.10.188: changing lists while others may be reading them.

An insertion fills in the new entry before it is published by the store to the pointer before it,
and a deletion leaves `next` as it is, so that whoever stands on the entry finds the way on.

Left out: barriers and lockdep conditions; stores are seen in the order in which they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kernelsim.include.linux import _links
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.poison import LIST_POISON2
from kernelsim.machine.memory import DIRECT_MAP
from kernelsim.machine.ref import container_of

__all__ = [
    "INIT_LIST_HEAD_RCU",
    "hlist_add_before_rcu",
    "hlist_add_behind_rcu",
    "hlist_add_head_rcu",
    "hlist_add_tail_rcu",
    "hlist_del_init_rcu",
    "hlist_del_rcu",
    "hlist_for_each_entry_continue_rcu",
    "hlist_for_each_entry_from_rcu",
    "hlist_for_each_entry_rcu",
    "hlist_replace_rcu",
    "hlists_swap_heads_rcu",
    "list_add_rcu",
    "list_add_tail_rcu",
    "list_del_rcu",
    "list_entry_rcu",
    "list_first_or_null_rcu",
    "list_for_each_entry_continue_rcu",
    "list_for_each_entry_from_rcu",
    "list_for_each_entry_rcu",
    "list_next_or_null_rcu",
    "list_replace_rcu",
    "list_splice_init_rcu",
    "list_splice_tail_init_rcu",
]

INIT_LIST_HEAD_RCU = lists.INIT_LIST_HEAD


def list_add_rcu(new: Any, head: Any) -> None:
    """Insert `new` right after `head` (both struct list_head *)."""
    m, i = head.machine_, head._o >> 3
    try:
        next = m.u64[i]
    except IndexError:
        m.fault(head.address_, "struct list_head", "next")
    o = next ^ DIRECT_MAP
    next_i = (o if o < m.size else m.far(next)) >> 3
    _links.insert(m, new.address_, head.address_, i, next, next_i, rcu=True)


def list_add_tail_rcu(new: Any, head: Any) -> None:
    """Insert `new` right before `head` (both struct list_head *)."""
    _links.insert_tail(head.machine_, new.address_, head.address_, rcu=True)


def list_del_rcu(entry: Any) -> None:
    """Unlink struct list_head *`entry`; `next` stays for its readers, `prev` is poisoned.

    The caller frees the entry only after a grace period (call_rcu()).
    """
    _links.remove(entry.machine_, entry.address_, None, LIST_POISON2)


def list_replace_rcu(old: Any, new: Any) -> None:
    """Put `new` in the place of `old`, whose `prev` is poisoned (both struct list_head *)."""
    new.next = old.next
    new.prev = old.prev
    new.prev.next = new
    new.next.prev = new
    old.prev = LIST_POISON2


def _splice_init_rcu(list: Any, prev: Any, next: Any, sync: Callable[[], None]) -> None:
    first, last = list.next, list.prev
    INIT_LIST_HEAD_RCU(list)
    sync()
    last.next = next
    prev.next = first
    first.prev = prev
    next.prev = last


def list_splice_init_rcu(list: Any, head: Any, sync: Callable[[], None]) -> None:
    """Put the entries of `list` right after `head`; `sync` waits until nobody reads `list`."""
    if not lists.list_empty(list):
        _splice_init_rcu(list, head, head.next, sync)


def list_splice_tail_init_rcu(list: Any, head: Any, sync: Callable[[], None]) -> None:
    """Put the entries of `list` right before `head`; `sync` waits until nobody reads `list`."""
    if not lists.list_empty(list):
        _splice_init_rcu(list, head.prev, head, sync)


list_entry_rcu = container_of


def list_first_or_null_rcu(ptr: Any, type: Any, member: str) -> Any:
    """Return the first struct of `type` on the list `ptr`, NULL if it is empty."""
    return lists.list_first_entry_or_null(ptr, type, member)


def list_next_or_null_rcu(head: Any, ptr: Any, type: Any, member: str) -> Any:
    """Return the struct of `type` that follows the link `ptr` on `head`, NULL if none does."""
    next = ptr.next
    return container_of(next, type, member) if next != head else type(ptr.machine_, 0)


def list_for_each_entry_rcu(type: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield the structs of `type` on the list `head`; deleted ones lead on until they are freed."""
    return lists.list_for_each_entry(type, head, member)


def list_for_each_entry_continue_rcu(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield the structs that follow `pos` on the list `head`."""
    return lists.list_for_each_entry_continue(pos, head, member)


def list_for_each_entry_from_rcu(pos: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield `pos` and the structs that follow it on the list `head`."""
    return lists.list_for_each_entry_from(pos, head, member)


# --- hlist ---------------------------------------------------------------------------------


def hlist_add_head_rcu(n: Any, h: Any) -> None:
    """Insert struct hlist_node *`n` as the first one of struct hlist_head *`h`."""
    _links.hlist_insert_rcu(n.machine_, n.address_, h.address_)


def hlist_add_tail_rcu(n: Any, h: Any) -> None:
    """Insert struct hlist_node *`n` as the last one of struct hlist_head *`h`."""
    last = None
    for last in lists.hlist_for_each(h):  # noqa: B007 - what is looked for is the last one
        pass
    if last is None:
        hlist_add_head_rcu(n, h)
        return
    n.next = last.next
    n.pprev = last.address_
    last.next = n


def hlist_add_before_rcu(n: Any, next: Any) -> None:
    """Insert `n` before `next`, which is in a list (both struct hlist_node *)."""
    n.pprev = next.pprev
    n.next = next
    lists.hlist_head(n.machine_, n.pprev).first = n
    next.pprev = n.address_


def hlist_add_behind_rcu(n: Any, prev: Any) -> None:
    """Insert `n` behind `prev`, which is in a list (both struct hlist_node *)."""
    n.next = prev.next
    n.pprev = prev.address_
    prev.next = n
    if n.next:
        n.next.pprev = n.address_


def hlist_del_rcu(n: Any) -> None:
    """Unlink struct hlist_node *`n`; `next` stays for its readers, `pprev` is poisoned."""
    _links.hlist_remove(n.machine_, n.address_, None, LIST_POISON2)


def hlist_del_init_rcu(n: Any) -> None:
    """Unlink struct hlist_node *`n`, if it is in a list; `next` stays, `pprev` becomes NULL."""
    if not lists.hlist_unhashed(n):
        _links.hlist_remove(n.machine_, n.address_, None, 0)


def hlist_replace_rcu(old: Any, new: Any) -> None:
    """Put `new` in the place of `old`, whose `pprev` is poisoned (both struct hlist_node *)."""
    next = old.next
    new.next = next
    new.pprev = old.pprev
    lists.hlist_head(new.machine_, new.pprev).first = new
    if next:
        next.pprev = new.address_
    old.pprev = LIST_POISON2


def hlists_swap_heads_rcu(left: Any, right: Any) -> None:
    """Let two lists of one node each change heads (both struct hlist_head *)."""
    node1, node2 = left.first, right.first
    left.first = node2
    right.first = node1
    node2.pprev = left.address_
    node1.pprev = right.address_


def hlist_for_each_entry_rcu(type: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield the structs of `type` on the list `head`; deleted ones lead on until they are freed."""
    return lists.hlist_for_each_entry(type, head, member)


def hlist_for_each_entry_continue_rcu(pos: Any, member: str) -> Iterator[Any]:
    """Yield the structs that follow `pos`."""
    return lists.hlist_for_each_entry_continue(pos, member)


def hlist_for_each_entry_from_rcu(pos: Any, member: str) -> Iterator[Any]:
    """Yield `pos`, if it is not NULL, and the structs that follow it."""
    return lists.hlist_for_each_entry_from(pos, member)
