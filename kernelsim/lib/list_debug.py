"""lib/list_debug.c @ v5.10.188: CONFIG_DEBUG_LIST, the checks before a list is changed.

A failed check is a warning (`Machine.warn`), and the caller leaves the list as it is.

Left out: CONFIG_BUG_ON_DATA_CORRUPTION, with which the kernel would stop instead.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.poison import LIST_POISON1, LIST_POISON2

__all__ = ["__list_add_valid", "__list_del_entry_valid"]


def __list_add_valid(new: Any, prev: Any, next: Any) -> bool:
    """Return whether `new` may go in between `prev` and `next` (all struct list_head *)."""
    if not prev:
        why = "list_add corruption. prev is NULL."
    elif not next:
        why = "list_add corruption. next is NULL."
    elif next.prev != prev:
        why = (
            f"list_add corruption. next->prev should be prev ({_px(prev)}), "
            f"but was {_px(next.prev)}. (next={_px(next)})."
        )
    elif prev.next != next:
        why = (
            f"list_add corruption. prev->next should be next ({_px(next)}), "
            f"but was {_px(prev.next)}. (prev={_px(prev)})."
        )
    elif new in (prev, next):
        why = f"list_add double add: new={_px(new)}, prev={_px(prev)}, next={_px(next)}."
    else:
        return True
    new.machine_.warn(why)
    return False


def __list_del_entry_valid(entry: Any) -> bool:
    """Return whether struct list_head *`entry` may be unlinked."""
    prev, next = entry.prev, entry.next
    if not next:
        why = f"list_del corruption, {_px(entry)}->next is NULL"
    elif not prev:
        why = f"list_del corruption, {_px(entry)}->prev is NULL"
    elif next == LIST_POISON1:
        why = f"list_del corruption, {_px(entry)}->next is LIST_POISON1 ({_px(LIST_POISON1)})"
    elif prev == LIST_POISON2:
        why = f"list_del corruption, {_px(entry)}->prev is LIST_POISON2 ({_px(LIST_POISON2)})"
    elif prev.next != entry:
        why = f"list_del corruption. prev->next should be {_px(entry)}, but was {_px(prev.next)}"
    elif next.prev != entry:
        why = f"list_del corruption. next->prev should be {_px(entry)}, but was {_px(next.prev)}"
    else:
        return True
    entry.machine_.warn(why)
    return False


def _px(pointer: Any) -> str:
    # printk's %px: the address, all 16 digits.
    return f"{int(pointer):016x}"
