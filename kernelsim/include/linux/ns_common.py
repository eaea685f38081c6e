"""include/linux/ns_common.h @ v5.10.188: what all kinds of namespace have."""

from __future__ import annotations

from kernelsim.machine.ctype import ptr, s64, u32
from kernelsim.machine.ref import Struct

__all__ = ["ns_common"]


class ns_common(Struct):
    """The part of a namespace by which a file, setns() and /proc know it."""

    stashed = s64.named("atomic_long_t")
    ops = ptr("proc_ns_operations")
    inum = u32
