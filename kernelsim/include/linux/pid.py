"""include/linux/pid.h, pid_namespace.h @ v5.10.188: struct pid and the namespace it counts in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux.idr import idr
from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.sched import PIDTYPE_MAX
from kernelsim.include.linux.types import callback_head, hlist_head, refcount_t, spinlock_t
from kernelsim.include.linux.wait import wait_queue_head
from kernelsim.machine.ctype import array, ptr, s32, u32
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "MAX_PID_NS_LEVEL",
    "PIDNS_ADDING",
    "init_pid_ns",
    "is_child_reaper",
    "is_global_init",
    "ns_of_pid",
    "pid",
    "pid_has_task",
    "pid_namespace",
    "pid_nr",
    "task_pid",
    "upid",
]

PIDNS_ADDING = 1 << 31
MAX_PID_NS_LEVEL = 32


class upid(Struct):
    """A number, and the namespace in which it is one."""

    nr = s32
    ns = ptr("pid_namespace")


class pid(Struct):
    """The kernel's own idea of a process identifier; the numbers are one per namespace level."""

    count = refcount_t
    level = u32
    lock = spinlock_t
    tasks = array(hlist_head, PIDTYPE_MAX)
    inodes = hlist_head
    wait_pidfd = wait_queue_head
    rcu = callback_head
    numbers = array(upid, 1, flexible=True)


class pid_namespace(Struct):
    """A set of process numbers of its own."""

    kref = refcount_t
    idr = idr
    rcu = callback_head
    pid_allocated = u32
    child_reaper = ptr("task_struct")
    pid_cachep = ptr("kmem_cache")
    level = u32
    parent = ptr("pid_namespace")
    user_ns = ptr("user_namespace")
    ucounts = ptr("ucounts")
    reboot = s32
    ns = ns_common


_NS = pid.offsetof_("numbers") + upid.offsetof_("ns")
_UPID = upid.sizeof_


def ns_of_pid(p: Any) -> Any:
    """Return the namespace (struct pid_namespace *) in which `p` (struct pid *) was allocated."""
    m = p.machine_
    address = m.read_u64(p.address_ + _NS + _UPID * p.level)
    initial = m.symbol("init_pid_ns")
    return initial if address == initial.address_ else pid_namespace(m, address)


def pid_has_task(p: Any, pid_type: int) -> bool:
    """Return whether any task uses `p` (struct pid *, may be NULL) as its `pid_type`."""
    return bool(p.address_) and bool(p.tasks[pid_type].first.address_)


def is_child_reaper(p: Any) -> bool:
    """Return whether the task of `p` (struct pid *) is the init of its namespace."""
    nr: int = p.numbers[p.level].nr
    return nr == 1


def pid_nr(p: Any) -> int:
    """Return the number of `p` (struct pid *) in the initial namespace, 0 for NULL."""
    nr: int = p.numbers[0].nr if p else 0
    return nr


def task_pid(task: Any) -> Any:
    """Return the struct pid * of `task`."""
    return task.thread_pid


def is_global_init(task: Any) -> bool:
    """Return whether `task` belongs to the process with number 1."""
    tgid: int = task.tgid
    return tgid == 1


def init_pid_ns(m: Machine) -> Any:
    """Return the initial namespace (struct pid_namespace *)."""
    return m.symbol("init_pid_ns")
