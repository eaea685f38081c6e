"""include/linux/uaccess.h @ v5.10.188: what the kernel reads and writes of a program.

User memory is not simulated (docs/fidelity.md).  A pointer argument is a place that the program
holds, an object with `data`; where a struct keeps such a pointer, it gets an address in user space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.uapi.asm import errno

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["TASK_SIZE", "access_ok", "get_user", "put_user", "user_address"]

TASK_SIZE = (1 << 47) - 4096
_FIRST = 0x7FFC_0000_0000


def access_ok(address: int, size: int) -> bool:
    """Return whether `size` bytes from `address` (void __user *) lie in user space."""
    return 0 <= address <= TASK_SIZE - size


def user_address(m: Machine, place: Any) -> int:
    """Return the address (void __user *) of `place`: a number is one already, None is NULL."""
    if place is None or isinstance(place, int):
        return place or 0
    for address, known in m.user_memory.items():
        if known is place:
            return address
    address = _FIRST + 16 * len(m.user_memory)
    m.user_memory[address] = place
    return address


def put_user(m: Machine, x: Any, place: Any) -> int:
    """Store `x` at `place` (a user pointer); 0, or -EFAULT where nothing is."""
    found = m.user_memory.get(place) if isinstance(place, int) else place
    if found is None:
        return -errno.EFAULT
    found.data = x
    return 0


def get_user(m: Machine, place: Any) -> Any:
    """Return what is at `place` (a user pointer), or None where nothing is: -EFAULT."""
    found = m.user_memory.get(place) if isinstance(place, int) else place
    return None if found is None else found.data
