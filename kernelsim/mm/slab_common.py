"""mm/slab_common.c @ v5.10.188: the list of all caches, and what /proc/slabinfo says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import slab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.machine import Machine

__all__ = ["cache_name", "caches", "slabinfo", "usage"]


def caches(m: Machine) -> Iterator[slab.kmem_cache]:
    """Yield the caches (struct kmem_cache *) in the order of their creation."""
    yield from lists.list_for_each_entry(slab.kmem_cache, m.symbol("slab_caches"), "list")


def cache_name(m: Any, s: Any) -> str:
    """Return the name of cache `s` (struct kmem_cache *)."""
    return bytes(m.read(s.name, 32)).split(b"\0", 1)[0].decode()


def usage(m: Machine) -> dict[str, int]:
    """Return how many objects of each cache are in use, by the cache's name."""
    return {cache_name(m, s): s.node.active_objects for s in caches(m)}


def slabinfo(m: Machine) -> str:
    """Return the counts in the form of /proc/slabinfo (version 2.1)."""
    lines = [
        "slabinfo - version: 2.1",
        (
            "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
            " : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>"
        ),
    ]
    for s in caches(m):
        n = s.node
        lines.append(
            f"{cache_name(m, s):<17} {n.active_objects:6} {n.total_objects:6} {s.size:6} {s.oo & 0xFFFF:4} "
            f"{1 << (s.oo >> 16):4} : tunables    0    0    0 : slabdata {n.nr_slabs:6} {n.nr_slabs:6}      0"
        )
    return "\n".join(lines) + "\n"
