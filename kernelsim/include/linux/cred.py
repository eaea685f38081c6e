"""include/linux/cred.h, sched/user.h, user_namespace.h @ v5.10.188: who a task acts as.

Left out: keyrings, security modules, groups; ids are of the initial user namespace.
"""

from __future__ import annotations

from kernelsim.include.linux.types import atomic_t, callback_head, refcount_t
from kernelsim.machine.ctype import ptr, s32, u32, u64
from kernelsim.machine.ref import Struct

__all__ = ["CAP_FULL_SET", "cred", "user_namespace", "user_struct"]

CAP_FULL_SET = (1 << 41) - 1
kuid_t = u32.named("kuid_t")
kgid_t = u32.named("kgid_t")
kernel_cap_t = u64.named("kernel_cap_t")


class user_struct(Struct):
    """What is counted per user."""

    count = refcount_t  # __count in Linux
    processes = atomic_t
    sigpending = atomic_t
    uid = kuid_t


class user_namespace(Struct):
    """A user namespace; there is one, the initial one."""

    parent = ptr("user_namespace")
    level = s32
    owner = kuid_t
    count = atomic_t


class cred(Struct):
    """The credentials of a task; shared and never changed while shared."""

    usage = atomic_t
    uid = kuid_t
    gid = kgid_t
    suid = kuid_t
    sgid = kgid_t
    euid = kuid_t
    egid = kgid_t
    fsuid = kuid_t
    fsgid = kgid_t
    securebits = u32
    cap_inheritable = kernel_cap_t
    cap_permitted = kernel_cap_t
    cap_effective = kernel_cap_t
    cap_bset = kernel_cap_t
    cap_ambient = kernel_cap_t
    user = ptr("user_struct")
    user_ns = ptr("user_namespace")
    rcu = callback_head
