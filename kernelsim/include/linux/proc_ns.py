"""include/linux/proc_ns.h @ v5.10.188: what can be done with a namespace of whatever kind.

Left out: the numbers are handed out by an IDA in Linux, the lowest free one first; here a counter
hands them out, and none comes twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.machine import machine
from kernelsim.machine.ctype import array, char, func, ptr, s32
from kernelsim.machine.ref import Struct

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "PROC_CGROUP_INIT_INO",
    "PROC_DYNAMIC_FIRST",
    "PROC_IPC_INIT_INO",
    "PROC_PID_INIT_INO",
    "PROC_TIME_INIT_INO",
    "PROC_USER_INIT_INO",
    "PROC_UTS_INIT_INO",
    "ns_alloc_inum",
    "proc_ns_operations",
]

PROC_DYNAMIC_FIRST = 0xF0000000
PROC_IPC_INIT_INO = 0xEFFFFFFF
PROC_UTS_INIT_INO = 0xEFFFFFFE
PROC_USER_INIT_INO = 0xEFFFFFFD
PROC_PID_INIT_INO = 0xEFFFFFFC
PROC_CGROUP_INIT_INO = 0xEFFFFFFB
PROC_TIME_INIT_INO = 0xEFFFFFFA


class proc_ns_operations(Struct):
    """The functions of one kind of namespace."""

    name = array(char, 24)  # const char * in Linux, and the next one too
    real_ns_name = array(char, 24)
    type = s32
    get = ptr(func)
    put = ptr(func)
    install = ptr(func)
    owner = ptr(func)
    get_parent = ptr(func)


def _operations(m: Machine, symbol: str, name: str, kind: int, stem: str, **more: str) -> Any:
    # Lay down `symbol`: functions called stem_get, _put, _install, _owner, but for what `more` says.
    ops = m.define(symbol, proc_ns_operations)
    ops.name, ops.type = name, kind
    ops.real_ns_name = more.pop("real_ns_name", name)
    functions = {n: f"{stem}_{n}" for n in ("get", "put", "install", "owner")} | more
    for member, function in functions.items():
        setattr(ops, member, machine.text_address(function))
    return ops


def ns_alloc_inum(m: Machine, ns: Any) -> None:
    """Give `ns` (struct ns_common *) its number, which /proc/PID/ns shows."""
    place = m.symbol("proc_inum_next")
    ns.inum = m.read_u64(place)
    m.write_u64(place, ns.inum + 1)
