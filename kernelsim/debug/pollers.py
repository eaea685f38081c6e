"""Who sleeps in poll(2): its waiters, found on the kernel stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import poll, sched
from kernelsim.machine import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["POLL_LIST", "poll_entries", "poll_pages", "poll_tables"]


def poll_tables(task: Any) -> list[Any]:
    """Return the struct poll_wqueues on the stack of `task`: none, or one if it sleeps in poll(2)."""
    m, sp = task.machine_, task.thread.sp
    used = task.stack + sched.THREAD_SIZE - sp if task.stack else 0
    if used <= 0:
        return []
    wanted, found = machine.text_address("pollwake"), set()
    for i, word in enumerate(memoryview(m.read(sp, used)).cast("Q")):
        if word == wanted:
            entry = poll.poll_table_entry(m, sp + 8 * i - _FUNC)
            found.add(entry.wait.private)
    tables = (poll.poll_wqueues(m, address) for address in sorted(found))
    return [pwq for pwq in tables if sp <= pwq.address_ < sp + used and pwq.polling_task == task]


_FUNC = poll.poll_table_entry.offsetof_("wait.func")
POLL_LIST = -(-poll.poll_wqueues.sizeof_ // 16) * 16
"""From a struct poll_wqueues to the struct poll_list that was pushed before it."""


def poll_pages(pwq: Any) -> list[Any]:
    """Return the pages (struct poll_table_page *) for the waiters that have no room on the stack."""
    pages, page = [], pwq.table
    while page:
        pages.append(page)
        page = page.next
    return pages


def poll_entries(pwq: Any) -> Iterator[Any]:
    """Yield the waiters (struct poll_table_entry *) of `pwq` (struct poll_wqueues *)."""
    for i in range(pwq.inline_index):
        yield pwq.inline_entries[i]
    for page in poll_pages(pwq):
        entry = poll.poll_table_entry(pwq.machine_, page.address_of_("entries"))
        while entry.address_ < page.entry.address_:
            yield entry
            entry += 1
