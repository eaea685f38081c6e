"""include/linux/time_namespace.h @ v5.10.188: a namespace of offsets of the monotonic and the boot clock.

It is counted, owned and entered as in Linux.  Left out: the offsets and the page with which the vDSO applies them.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.types import refcount_t
from kernelsim.machine.ctype import ptr
from kernelsim.machine.ref import Struct

__all__ = ["get_time_ns", "time_namespace"]


class time_namespace(Struct):
    """A namespace of offsets of the monotonic and the boot clock."""

    kref = refcount_t
    user_ns = ptr("user_namespace")
    ucounts = ptr("ucounts")
    ns = ns_common


def get_time_ns(ns: Any) -> Any:
    """Take a reference to `ns` (struct time_namespace *)."""
    ns.kref += 1
    return ns
