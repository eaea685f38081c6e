"""kernel/time/timekeeping.c @ v5.10.188: virtual time, in nanoseconds since boot.

No clock is read: time passes when the simulated machine does something, by a fixed amount for
each system call and each context switch, so that the same calls give the same times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.machine.ctype import u64

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "NSEC_PER_SWITCH",
    "NSEC_PER_SYSCALL",
    "ktime_get_ns",
    "timekeeping_init",
    "update_wall_time",
]

NSEC_PER_SYSCALL = 1_000
NSEC_PER_SWITCH = 2_000


def timekeeping_init(m: Machine) -> None:
    """Start the clock at 0."""
    m.static.clock = m.offset(m.define("tk_core", u64)) >> 3


def ktime_get_ns(m: Machine) -> int:
    """Return the time since boot in nanoseconds (u64)."""
    ns: int = m.u64[m.static.clock]
    return ns


def update_wall_time(m: Machine, ns: int) -> None:
    """Let `ns` nanoseconds pass."""
    i = m.static.clock
    old = m.u64[i]
    if m.log is not None:
        m.log(old)
        m.log(i)
    m.u64[i] = old + ns
