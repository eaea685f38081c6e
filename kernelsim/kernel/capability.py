"""kernel/capability.c @ v5.10.188: what the running task may do.

Left out: capget and capset, other security modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import sched
from kernelsim.security import commoncap

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["capable", "has_ns_capability", "ns_capable"]


def has_ns_capability(t: task_struct, ns: Any, cap: int) -> bool:
    """Return whether `t` has the capability `cap` (CAP_*) over the user namespace `ns`."""
    return not commoncap.cap_capable(t.real_cred, ns, cap)


def ns_capable(m: Machine, ns: Any, cap: int) -> bool:
    """Return whether the running task has `cap` over `ns` (struct user_namespace *); notes that it used it."""
    current = m.current
    if commoncap.cap_capable(current.cred, ns, cap):
        return False
    if not current.flags & sched.PF_SUPERPRIV:
        current.flags |= sched.PF_SUPERPRIV
    return True


def capable(m: Machine, cap: int) -> bool:
    """Return whether the running task has `cap` over the initial user namespace."""
    return ns_capable(m, m.symbol("init_user_ns"), cap)
