"""include/linux/plist.h @ v5.10.188: lists sorted by priority.

All nodes hang on the head by `node_list`, lowest number first; the first node of each priority is
on a ring of its own too, by `prio_list`, so that adding one steps over whole priorities.  Left
out: what futexes do not use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.types import list_head
from kernelsim.machine.ctype import s32
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "plist_first",
    "plist_for_each_entry",
    "plist_for_each_entry_safe",
    "plist_head",
    "plist_head_empty",
    "plist_head_init",
    "plist_node",
    "plist_node_empty",
    "plist_node_init",
]


class plist_head(Struct):
    """The head of a list sorted by priority."""

    node_list = list_head


class plist_node(Struct):
    """A node: the lower `prio`, the further in front."""

    prio = s32
    prio_list = list_head
    node_list = list_head


def plist_head_init(head: Any) -> None:
    """Make `head` (struct plist_head *) an empty list."""
    lists.INIT_LIST_HEAD(head.node_list)


def plist_node_init(node: Any, prio: int) -> None:
    """Make `node` (struct plist_node *) one of priority `prio` (int) that is on no list."""
    node.prio = prio
    lists.INIT_LIST_HEAD(node.prio_list)
    lists.INIT_LIST_HEAD(node.node_list)


def plist_head_empty(head: Any) -> bool:
    """Return whether `head` (struct plist_head *) has no nodes."""
    return lists.list_empty(head.node_list)


def plist_node_empty(node: Any) -> bool:
    """Return whether `node` (struct plist_node *) is on no list."""
    return lists.list_empty(node.node_list)


def plist_first(head: Any) -> Any:
    """Return the first node (struct plist_node *) of `head`, which must not be empty."""
    return lists.list_first_entry(head.node_list, plist_node, "node_list")


def plist_for_each_entry(type: Any, head: Any, member: str) -> Iterator[Any]:
    """Yield each struct of `type` whose `member` is on `head` (struct plist_head *)."""
    return lists.list_for_each_entry(type, head.node_list, f"{member}.node_list")


def plist_for_each_entry_safe(type: Any, head: Any, member: str) -> Iterator[Any]:
    """As `plist_for_each_entry`; the struct that was yielded last may leave the list."""
    return lists.list_for_each_entry_safe(type, head.node_list, f"{member}.node_list")
