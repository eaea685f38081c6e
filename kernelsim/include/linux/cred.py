"""include/linux/cred.h, sched/user.h @ v5.10.188: who a task acts as.

Left out: keyrings, security modules.
"""

from __future__ import annotations

from kernelsim.include.linux.types import atomic_t, callback_head, hlist_node, refcount_t
from kernelsim.include.linux.user_namespace import kgid_t, kuid_t, user_namespace
from kernelsim.machine.ctype import array, ptr, s32, u32, u64
from kernelsim.machine.ref import Struct

__all__ = ["CAP_FULL_SET", "cred", "group_info", "user_namespace", "user_struct"]

CAP_FULL_SET = (1 << 41) - 1
kernel_cap_t = u64.named("kernel_cap_t")


class user_struct(Struct):
    """What is counted per user."""

    count = refcount_t  # __count in Linux
    processes = atomic_t
    sigpending = atomic_t
    uidhash_node = hlist_node
    uid = kuid_t


class group_info(Struct):
    """The supplementary groups of a task; shared and never changed."""

    usage = atomic_t
    ngroups = s32
    gid = array(kgid_t, 1, flexible=True)


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
    group_info = ptr("group_info")
    rcu = callback_head
