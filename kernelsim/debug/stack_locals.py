"""The local variables of kernel functions that sleep, as far as they count something.

A C function keeps a pointer that it has counted in a local variable, on the kernel stack.  Here
the stack holds the few that somebody looks for, and they are known by what they point to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.kernel import process
from kernelsim.include.linux import file as file_h
from kernelsim.include.linux import kthread, sched
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.wait import wait_queue_entry
from kernelsim.kernel import fork
from kernelsim.machine import memory
from kernelsim.mm import slub

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["stack_locals", "stoppers"]


def stack_locals(m: Any, task: sched.task_struct) -> Iterator[Any]:
    """Yield what the sleeping `task` has counted: struct fd of a shared table, a vfork's variables."""
    top = task.stack + sched.THREAD_SIZE - process.SIZEOF_FORK_FRAME
    for address in range(task.thread.sp, top, 16):
        fd, vfork = file_h._fd(m, address), fork._vfork(m, address)
        if fd.flags == file_h.FDPUT_FPUT and _is(m, fd.file, "filp"):
            yield fd
        elif _is(m, vfork.p, "task_struct") and _is(m, vfork.pid, "pid"):
            yield vfork


def stoppers(task: Any) -> list[Any]:
    """Return who waits in kthread_stop() for the kernel thread `task`: entries of its queue.

    Each of them has counted it (usage).
    """
    if not task.flags & sched.PF_KTHREAD or not task.set_child_tid:
        return []
    exited = kthread.kthread(task.machine_, task.set_child_tid).exited
    return list(lists.list_for_each_entry(wait_queue_entry, exited.wait.head, "entry"))


def _is(m: Any, ref: Any, cache: str) -> bool:
    # Does `ref` lead to an object in use, of that cache?  (Of pids there is one for each level.)
    found = None
    if 0 <= ref.address_ - memory.DIRECT_MAP < m.size:
        found = slub.object_at(m, ref.address_)
    return bool(found and found[0].startswith(cache) and found[1:] == (ref.address_, True))
