"""kernel/ucount.c @ v5.10.188: how many namespaces a user may have.

Left out: the sysctl tables in which root sets the limits (user.max_pid_namespaces and so on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import hlist, slab, types
from kernelsim.include.linux import user_namespace as user_ns_h
from kernelsim.machine import ctype
from kernelsim.mm import slub

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["dec_ucount", "inc_ucount", "ucounts_static_init"]

UCOUNTS_HASHTABLE_BITS = 10
_GOLDEN_RATIO_64 = 0x61C8_8646_80B5_83EB


def ucounts_static_init(m: Machine) -> None:
    """Lay down the hash table."""
    m.define("ucounts_hashtable", ctype.array(types.hlist_head, 1 << UCOUNTS_HASHTABLE_BITS))


def _hashentry(m: Machine, ns: Any, uid: int) -> Any:
    # ucounts_hashentry(): the chain (struct hlist_head *), by hash_long(uid + ns).
    product = (uid + ns.address_) * _GOLDEN_RATIO_64 & (1 << 64) - 1
    return m.symbol("ucounts_hashtable")[product >> 64 - UCOUNTS_HASHTABLE_BITS]


def _find_ucounts(ns: Any, uid: int, head: Any) -> Any:
    for counts in hlist.hlist_for_each_entry(user_ns_h.ucounts, head, "node"):
        if counts.uid == uid and counts.ns == ns:
            return counts
    return None


def _get_ucounts(m: Machine, ns: Any, uid: int) -> Any:
    # The counts of that user in that namespace, made at first use; NULL if there is no memory.
    head = _hashentry(m, ns, uid)
    counts = _find_ucounts(ns, uid, head)
    if counts is None:
        address = slub.kmalloc(m, user_ns_h.ucounts.sizeof_, slab.GFP_KERNEL)
        counts = user_ns_h.ucounts(m, address)
        if not address:
            return counts
        counts.ns, counts.uid, counts.count = ns, uid, 0
        hlist.hlist_add_head(counts.node, head)
    if counts.count == user_ns_h.INT_MAX:
        return user_ns_h.ucounts(m, 0)
    counts.count += 1
    return counts


def _put_ucounts(m: Machine, counts: Any) -> None:
    counts.count -= 1
    if not counts.count:
        hlist.hlist_del_init(counts.node)
        slub.kfree(m, counts.address_)


def inc_ucount(m: Machine, ns: Any, uid: int, kind: int) -> Any:
    """Count one more namespace of `kind` (UCOUNT_*) for `uid` (kuid_t) in `ns`, and for its owners above.

    Returns struct ucounts *, NULL when a limit is reached or there is no memory.
    """
    counts = _get_ucounts(m, ns, uid)
    at = counts
    while at:
        there = at.ns
        if at.ucount[kind] >= there.ucount_max[kind]:
            bad, at = at, counts
            while at != bad:
                at.ucount[kind] -= 1
                at = at.ns.ucounts
            _put_ucounts(m, counts)
            return user_ns_h.ucounts(m, 0)
        at.ucount[kind] += 1
        at = there.ucounts
    return counts


def dec_ucount(m: Machine, counts: Any, kind: int) -> None:
    """Take back what inc_ucount() counted; `counts` is struct ucounts *, NULL of what the boot made."""
    at = counts
    while at:
        if at.ucount[kind] > 0:  # atomic_dec_if_positive()
            at.ucount[kind] -= 1
        at = at.ns.ucounts
    if counts:
        _put_ucounts(m, counts)
