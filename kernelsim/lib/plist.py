"""lib/plist.c @ v5.10.188: lists sorted by priority.

Left out: plist_requeue(), which only swap uses, and the checks of CONFIG_DEBUG_PLIST.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import plist
from kernelsim.machine.ref import container_of

__all__ = ["plist_add", "plist_del"]


def plist_add(node: Any, head: Any) -> None:
    """Put `node` (struct plist_node *) on `head` (struct plist_head *), behind its equals."""
    node_next = head.node_list
    if not plist.plist_head_empty(head):
        first = plist.plist_first(head)
        pos, prev = first, None
        while True:
            if node.prio < pos.prio:
                node_next = pos.node_list
                break
            prev = pos
            pos = container_of(pos.prio_list.next, plist.plist_node, "prio_list")
            if pos == first:
                break
        if prev is None or prev.prio != node.prio:
            lists.list_add_tail(node.prio_list, pos.prio_list)
    lists.list_add_tail(node.node_list, node_next)


def plist_del(node: Any, head: Any) -> None:
    """Take `node` (struct plist_node *) off `head` (struct plist_head *); it is then on no list."""
    if not lists.list_empty(node.prio_list):
        if node.node_list.next != head.node_list:
            following = container_of(node.node_list.next, plist.plist_node, "node_list")
            if lists.list_empty(following.prio_list):  # now the first of this priority
                lists.list_add(following.prio_list, node.prio_list)
        lists.list_del_init(node.prio_list)
    lists.list_del_init(node.node_list)
