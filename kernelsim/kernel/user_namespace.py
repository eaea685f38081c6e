"""kernel/user_namespace.c @ v5.10.188: namespaces of users, groups and capabilities.

Left out: maps of more than five stretches, project ids, keyrings, chroot, sysctl tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cred as cred_h
from kernelsim.include.linux import proc_ns, slab
from kernelsim.include.linux import user_namespace as user_ns_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import capability as caps
from kernelsim.include.uapi.linux.sched import CLONE_NEWUSER
from kernelsim.kernel import capability, cred, ucount
from kernelsim.machine.ref import container_of
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "create_user_ns",
    "from_kgid",
    "from_kgid_munged",
    "from_kuid",
    "from_kuid_munged",
    "in_userns",
    "make_kgid",
    "make_kuid",
    "ns_get_owner",
    "put_user_ns",
    "unshare_userns",
    "user_namespaces_init",
    "userns_get",
    "userns_install",
    "userns_may_setgroups",
    "userns_owner",
    "userns_put",
]

_INVALID = 0xFFFF_FFFF
OVERFLOW_ID = 65534
_MAX_LEVEL = 32


def user_namespaces_init(m: Machine) -> None:
    """Make the cache of struct user_namespace."""
    m.static.user_ns_cachep = slub.kmem_cache_create(
        m, "user_namespace", user_ns_h.user_namespace.sizeof_, 0, slab.SLAB_PANIC
    )


# --- making and freeing ----------------------------------------------------------------------


def _set_cred_user_ns(new: Any, ns: Any) -> None:
    # All capabilities, but over the new namespace only.
    new.securebits = 0
    new.cap_inheritable = new.cap_ambient = 0
    new.cap_permitted = new.cap_effective = new.cap_bset = cred_h.CAP_FULL_SET
    new.user_ns = ns


def create_user_ns(m: Machine, new: Any) -> int:
    """Make a user namespace below that of `new` (struct cred *), owned by its user, and let `new` be in it.

    Returns 0, -ENOSPC when the nesting would be deeper than 33 levels or a limit is reached, -EPERM
    for who is nobody in the namespace above, -ENOMEM.
    """
    parent, owner, group = new.user_ns, new.euid, new.egid
    if parent.level > _MAX_LEVEL:
        return -errno.ENOSPC
    counts = ucount.inc_ucount(m, parent, owner, user_ns_h.UCOUNT_USER_NAMESPACES)
    if not counts:
        return -errno.ENOSPC
    err, address = -errno.EPERM, 0
    if from_kuid(parent, owner) != _INVALID and from_kgid(parent, group) != _INVALID:
        err = -errno.ENOMEM
        address = slub.kmem_cache_alloc(m, m.static.user_ns_cachep, slab.GFP_KERNEL)
    if not address:
        ucount.dec_ucount(m, counts, user_ns_h.UCOUNT_USER_NAMESPACES)
        return err
    ns = user_ns_h.user_namespace(m, address)
    ns.parent_could_setfcap = new.cap_effective >> caps.CAP_SETFCAP & 1
    proc_ns.ns_alloc_inum(m, ns.ns)
    ns.ns.ops = m.symbol("userns_operations")
    ns.count = 1
    ns.parent = parent  # with the reference that `new` had
    ns.level = parent.level + 1
    ns.owner, ns.group = owner, group
    for kind in range(user_ns_h.UCOUNT_COUNTS):
        ns.ucount_max[kind] = user_ns_h.INT_MAX
    ns.ucounts = counts
    ns.flags = parent.flags
    _set_cred_user_ns(new, ns)
    return 0


def unshare_userns(m: Machine, unshare_flags: int) -> Any:
    """Return new credentials (struct cred *) in a new user namespace, None without CLONE_NEWUSER; or an errno."""
    if not unshare_flags & CLONE_NEWUSER:
        return None
    new = cred.prepare_creds(m)
    if not new:
        return -errno.ENOMEM
    err = create_user_ns(m, new)
    if err:
        cred.put_cred(m, new)
    return err or new


def put_user_ns(m: Machine, ns: Any) -> None:
    """Drop a reference to `ns` (struct user_namespace *, may be NULL); the last one frees it, and its parent's."""
    while ns:
        left = user_ns_h._count(ns, -1)
        if left:
            return
        parent, counts = ns.parent, ns.ucounts
        slub.kmem_cache_free(m, m.static.user_ns_cachep, ns.address_)
        ucount.dec_ucount(m, counts, user_ns_h.UCOUNT_USER_NAMESPACES)
        ns = parent


# --- maps ------------------------------------------------------------------------------------


def _map_id_range_down(map: Any, id: int, count: int) -> int:
    # The id of the initial namespace for a namespace's own, if all `count` are mapped together.
    for i in range(map.nr_extents):
        extent = map.extent[i]
        first = extent.first
        if first <= id and id + count <= first + extent.count:
            return int(id - first + extent.lower_first)
    return _INVALID


def _map_id_up(map: Any, id: int) -> int:
    # The other way round.
    for i in range(map.nr_extents):
        extent = map.extent[i]
        first = extent.lower_first
        if first <= id < first + extent.count:
            return int(id - first + extent.first)
    return _INVALID


def make_kuid(ns: Any, uid: int) -> int:
    """Return the kuid_t of `uid` (uid_t) in `ns` (struct user_namespace *), 0xffffffff if it has none."""
    return _map_id_range_down(ns.uid_map, uid & _INVALID, 1)


def make_kgid(ns: Any, gid: int) -> int:
    """Return the kgid_t of `gid` (gid_t) in `ns`, 0xffffffff if it has none."""
    return _map_id_range_down(ns.gid_map, gid & _INVALID, 1)


def from_kuid(targ: Any, kuid: int) -> int:
    """Return who `kuid` (kuid_t) is in `targ` (struct user_namespace *), 0xffffffff if nobody."""
    return _map_id_up(targ.uid_map, kuid)


def from_kgid(targ: Any, kgid: int) -> int:
    """Return which group `kgid` (kgid_t) is in `targ`, 0xffffffff if none."""
    return _map_id_up(targ.gid_map, kgid)


def from_kuid_munged(targ: Any, kuid: int) -> int:
    """As from_kuid(), with the overflow id 65534 for nobody."""
    uid = from_kuid(targ, kuid)
    return OVERFLOW_ID if uid == _INVALID else uid


def from_kgid_munged(targ: Any, kgid: int) -> int:
    """As from_kgid(), with the overflow id 65534 for none."""
    gid = from_kgid(targ, kgid)
    return OVERFLOW_ID if gid == _INVALID else gid


def userns_may_setgroups(ns: Any) -> bool:
    """Return whether setgroups() is allowed in `ns`: its groups are mapped, and nobody has denied it."""
    return bool(ns.gid_map.nr_extents) and bool(ns.flags & user_ns_h.USERNS_SETGROUPS_ALLOWED)


# --- relations, and entering -------------------------------------------------------------------


def in_userns(ancestor: Any, child: Any) -> bool:
    """Return whether `child` is `ancestor` or below it (struct user_namespace *)."""
    ns = child
    while ns.level > ancestor.level:
        ns = ns.parent
    return bool(ns == ancestor)


def userns_get(m: Machine, task: task_struct) -> Any:
    """Return the user namespace of `task` (struct ns_common *), counted once more."""
    return user_ns_h.get_user_ns(task.real_cred.user_ns).ns


def userns_put(m: Machine, ns: Any) -> None:
    """Drop what userns_get() took."""
    put_user_ns(m, container_of(ns, user_ns_h.user_namespace, "ns"))


def userns_install(m: Machine, set: Any, ns: Any) -> int:
    """Let the credentials of `set` (struct nsset *) be in `ns` (struct ns_common *).

    Returns 0, -EINVAL for one's own namespace, for a thread of several and with a shared fs_struct,
    -EPERM.
    """
    user_ns, current = container_of(ns, user_ns_h.user_namespace, "ns"), m.current
    if user_ns == current.cred.user_ns or not sched_signal.thread_group_empty(current):
        return -errno.EINVAL
    if current.fs.users != 1:
        return -errno.EINVAL
    if not capability.ns_capable(m, user_ns, caps.CAP_SYS_ADMIN):
        return -errno.EPERM
    if not set.flags & CLONE_NEWUSER:
        return -errno.EINVAL
    new = set.cred
    put_user_ns(m, new.user_ns)
    _set_cred_user_ns(new, user_ns_h.get_user_ns(user_ns))
    return 0


def ns_get_owner(m: Machine, ns: Any) -> Any:
    """Return the user namespace that owns `ns` (both struct ns_common *), counted; -EPERM if it is not below one's own."""
    mine = m.current.cred.user_ns
    owner = p = m.call(ns.ops.owner, ns)
    while p and p != mine:
        p = p.parent
    return user_ns_h.get_user_ns(owner).ns if p else -errno.EPERM


def userns_owner(m: Machine, ns: Any) -> Any:
    """Return the parent (struct user_namespace *) of `ns` (struct ns_common *): it owns it."""
    return container_of(ns, user_ns_h.user_namespace, "ns").parent
