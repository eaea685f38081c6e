"""include/linux/ipc_namespace.h @ v5.10.188: a namespace of System V IPC and POSIX message queues.

It is counted, owned and entered as in Linux.  Left out: the queues, semaphores and shared memory themselves.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.types import refcount_t
from kernelsim.machine.ctype import ptr
from kernelsim.machine.ref import Struct

__all__ = ["get_ipc_ns", "ipc_namespace"]


class ipc_namespace(Struct):
    """A namespace of System V IPC and POSIX message queues."""

    count = refcount_t
    user_ns = ptr("user_namespace")
    ucounts = ptr("ucounts")
    ns = ns_common


def get_ipc_ns(ns: Any) -> Any:
    """Take a reference to `ns` (struct ipc_namespace *)."""
    ns.count += 1
    return ns
