"""include/linux/cgroup.h @ v5.10.188: a namespace of the root of the control group tree, as seen.

It is counted, owned and entered as in Linux.  Left out: control groups.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.types import refcount_t
from kernelsim.machine.ctype import ptr
from kernelsim.machine.ref import Struct

__all__ = ["cgroup_namespace", "get_cgroup_ns"]


class cgroup_namespace(Struct):
    """A namespace of the root of the control group tree, as seen."""

    count = refcount_t
    ns = ns_common
    user_ns = ptr("user_namespace")
    ucounts = ptr("ucounts")


def get_cgroup_ns(ns: Any) -> Any:
    """Take a reference to `ns` (struct cgroup_namespace *)."""
    ns.count += 1
    return ns
