"""include/linux/kthread.h and the structs of kernel/kthread.c @ v5.10.188: what a kernel thread has besides a task.

The structs stand in the C file in Linux; here a function has the name of one of them.
Left out: workers (`kthread_worker`); `oldfs`, which is empty on x86.
"""

from __future__ import annotations

from kernelsim.include.linux.types import list_head
from kernelsim.include.linux.wait import completion
from kernelsim.machine.ctype import func, ptr, s32, u32, ulong, void
from kernelsim.machine.ref import Struct

__all__ = [
    "KTHREAD_IS_PER_CPU",
    "KTHREAD_SHOULD_PARK",
    "KTHREAD_SHOULD_STOP",
    "NUMA_NO_NODE",
    "kthread",
    "kthread_create_info",
]

KTHREAD_IS_PER_CPU, KTHREAD_SHOULD_STOP, KTHREAD_SHOULD_PARK = range(3)
"""enum KTHREAD_BITS: the bits of `kthread.flags`."""

NUMA_NO_NODE = -1


class kthread_create_info(Struct):
    """A request to kthreadd for a kernel thread, and its answer."""

    threadfn = ptr(func)  # int (*)(void *data)
    data = ptr(void)
    node = s32
    result = ptr("task_struct")  # or an errno: ERR_PTR()
    done = ptr("completion")  # on the stack of who asks; NULL when that one was killed
    list = list_head


class kthread(Struct):
    """A kernel thread's own data; task_struct.set_child_tid points there."""

    flags = ulong
    cpu = u32
    threadfn = ptr(func)
    data = ptr(void)
    parked = completion
    exited = completion
    blkcg_css = ptr(void)
