"""fs/mount.h @ v5.10.188: a namespace of mounts.

It is counted, owned and entered as in Linux.  Left out: the mounts.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.types import atomic_t
from kernelsim.machine.ctype import ptr, u32
from kernelsim.machine.ref import Struct

__all__ = ["get_mnt_ns", "mnt_namespace"]


class mnt_namespace(Struct):
    """What is mounted where, for those who live in it."""

    count = atomic_t
    ns = ns_common
    user_ns = ptr("user_namespace")
    ucounts = ptr("ucounts")
    mounts = u32


def get_mnt_ns(ns: Any) -> Any:
    """Take a reference to `ns` (struct mnt_namespace *)."""
    ns.count += 1
    return ns
