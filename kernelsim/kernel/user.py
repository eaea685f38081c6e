"""kernel/user.c @ v5.10.188: what is counted per user, found by uid.

Left out: the users' limits on inotify, epoll, locked memory and the like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cred as cred_h
from kernelsim.include.linux import hlist, proc_ns, slab, types
from kernelsim.include.linux import user_namespace as user_ns_h
from kernelsim.include.uapi.linux.sched import CLONE_NEWUSER
from kernelsim.machine import ctype
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["alloc_uid", "find_user", "free_uid", "get_uid", "uid_cache_init", "user_static_init"]

UIDHASH_BITS = 7
_count = cred_h.user_struct.add_("count")


def user_static_init(m: Machine) -> None:
    """Lay down init_user_ns and root_user."""
    ns = m.define("init_user_ns", user_ns_h.user_namespace)
    user = m.define("root_user", cred_h.user_struct)
    for map in (ns.uid_map, ns.gid_map, ns.projid_map):
        map.nr_extents = 1
        map.extent[0].count = 0xFFFF_FFFF
    ns.count = 3
    ns.ns.inum = proc_ns.PROC_USER_INIT_INO
    ns.ns.ops = proc_ns._operations(
        m, "userns_operations", "user", CLONE_NEWUSER, "userns", get_parent="ns_get_owner"
    )
    ns.flags = user_ns_h.USERNS_INIT_FLAGS
    user.count = 1
    user.processes = 1
    m.define("uidhash_table", ctype.array(types.hlist_head, 1 << UIDHASH_BITS))


def _uidhashentry(m: Machine, uid: int) -> Any:
    return m.symbol("uidhash_table")[(uid >> UIDHASH_BITS) + uid & (1 << UIDHASH_BITS) - 1]


def _uid_hash_find(uid: int, head: Any) -> Any:
    for user in hlist.hlist_for_each_entry(cred_h.user_struct, head, "uidhash_node"):
        if user.uid == uid:
            return get_uid(user)
    return None


def find_user(m: Machine, uid: int) -> Any:
    """Return the struct user_struct * of `uid` (kuid_t), counted once more; NULL if nobody is that user."""
    return _uid_hash_find(uid, _uidhashentry(m, uid)) or cred_h.user_struct(m, 0)


def get_uid(user: Any) -> Any:
    """Take a reference to `user` (struct user_struct *)."""
    _count(user, 1)
    return user


def free_uid(m: Machine, user: Any) -> None:
    """Drop a reference to `user` (struct user_struct *); the last one frees it."""
    if not _count(user, -1):
        hlist.hlist_del_init(user.uidhash_node)
        slub.kmem_cache_free(m, m.static.uid_cachep, user.address_)


def alloc_uid(m: Machine, uid: int) -> Any:
    """Return the struct user_struct * of `uid` (kuid_t), made at first use; NULL if there is no memory."""
    head = _uidhashentry(m, uid)
    found = _uid_hash_find(uid, head)
    if found is not None:
        return found
    address = slub.kmem_cache_alloc(m, m.static.uid_cachep, slab.GFP_KERNEL)
    new = cred_h.user_struct(m, address)
    if address:
        new.uid, new.count = uid, 1
        hlist.hlist_add_head(new.uidhash_node, head)
    return new


def uid_cache_init(m: Machine) -> None:
    """Make the cache of struct user_struct, and let root be found."""
    flags = slab.SLAB_HWCACHE_ALIGN | slab.SLAB_PANIC
    size = cred_h.user_struct.sizeof_
    m.static.uid_cachep = slub.kmem_cache_create(m, "uid_cache", size, 0, flags)
    hlist.hlist_add_head(m.symbol("root_user").uidhash_node, _uidhashentry(m, 0))
