"""include/linux/user_namespace.h @ v5.10.188: users and groups of a namespace's own, and what is counted per user there.

Left out: keyrings, sysctl tables, inotify's counts.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.ns_common import ns_common
from kernelsim.include.linux.types import atomic_t, hlist_node
from kernelsim.machine.ctype import array, ptr, s32, u8, u32, ulong
from kernelsim.machine.ref import Struct

__all__ = [
    "INT_MAX",
    "UCOUNT_CGROUP_NAMESPACES",
    "UCOUNT_COUNTS",
    "UCOUNT_IPC_NAMESPACES",
    "UCOUNT_MNT_NAMESPACES",
    "UCOUNT_NET_NAMESPACES",
    "UCOUNT_PID_NAMESPACES",
    "UCOUNT_TIME_NAMESPACES",
    "UCOUNT_USER_NAMESPACES",
    "UCOUNT_UTS_NAMESPACES",
    "UID_GID_MAP_MAX_BASE_EXTENTS",
    "USERNS_SETGROUPS_ALLOWED",
    "get_user_ns",
    "kgid_t",
    "kuid_t",
    "ucounts",
    "uid_gid_extent",
    "uid_gid_map",
    "user_namespace",
]

UID_GID_MAP_MAX_BASE_EXTENTS = 5
USERNS_SETGROUPS_ALLOWED = USERNS_INIT_FLAGS = 1
INT_MAX = (1 << 31) - 1
(
    UCOUNT_USER_NAMESPACES,
    UCOUNT_PID_NAMESPACES,
    UCOUNT_UTS_NAMESPACES,
    UCOUNT_IPC_NAMESPACES,
    UCOUNT_NET_NAMESPACES,
    UCOUNT_MNT_NAMESPACES,
    UCOUNT_CGROUP_NAMESPACES,
    UCOUNT_TIME_NAMESPACES,
    UCOUNT_COUNTS,
) = range(9)
kuid_t = u32.named("kuid_t")
kgid_t = u32.named("kgid_t")


class uid_gid_extent(Struct):
    """A stretch of ids that are other ids in the initial namespace."""

    first = u32
    lower_first = u32
    count = u32


class uid_gid_map(Struct):
    """Which ids of the initial namespace the ids of a namespace are."""

    nr_extents = u32
    extent = array(uid_gid_extent, UID_GID_MAP_MAX_BASE_EXTENTS)


class user_namespace(Struct):
    """A set of users, groups and capabilities of its own."""

    uid_map = uid_gid_map
    gid_map = uid_gid_map
    projid_map = uid_gid_map
    count = atomic_t
    parent = ptr("user_namespace")
    level = s32
    owner = kuid_t
    group = kgid_t
    ns = ns_common
    flags = ulong
    parent_could_setfcap = u8  # bool in Linux
    ucounts = ptr("ucounts")
    ucount_max = array(s32, UCOUNT_COUNTS)


class ucounts(Struct):
    """How many namespaces of each kind a user has in a user namespace."""

    node = hlist_node
    ns = ptr("user_namespace")
    uid = kuid_t
    count = s32
    ucount = array(atomic_t, UCOUNT_COUNTS)


_count = user_namespace.add_("count")


def get_user_ns(ns: Any) -> Any:
    """Take a reference to `ns` (struct user_namespace *, may be NULL)."""
    if ns.address_:
        _count(ns, 1)
    return ns
