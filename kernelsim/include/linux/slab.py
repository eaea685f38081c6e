"""include/linux/slab.h, slub_def.h @ v5.10.188: the slab caches' structs and flags.

Left out: per-CPU copies (there is one CPU), memory cgroups, KASAN, the random free list.
"""

from __future__ import annotations

from kernelsim.include.linux.types import list_head, spinlock_t
from kernelsim.machine.ctype import char, func, ptr, s32, u32, ulong, void
from kernelsim.machine.ref import Struct

__all__ = [
    "GFP_ATOMIC",
    "GFP_KERNEL",
    "SLAB_ACCOUNT",
    "SLAB_HWCACHE_ALIGN",
    "SLAB_PANIC",
    "SLAB_TYPESAFE_BY_RCU",
    "__GFP_ZERO",
    "kmem_cache",
    "kmem_cache_cpu",
    "kmem_cache_node",
    "track",
]

__GFP_ZERO = 0x100
GFP_ATOMIC = 0xA20
GFP_KERNEL = 0xCC0
SLAB_HWCACHE_ALIGN = 0x00002000
SLAB_PANIC = 0x00040000
SLAB_TYPESAFE_BY_RCU = 0x00080000
SLAB_ACCOUNT = 0x04000000


class kmem_cache_cpu(Struct):
    """The slab that a CPU allocates from."""

    freelist = ptr(void)
    tid = ulong
    page = ptr("page")


class kmem_cache_node(Struct):
    """The slabs that are partly free, and the counts."""

    list_lock = spinlock_t
    nr_partial = ulong
    partial = list_head
    nr_slabs = ulong
    total_objects = ulong
    active_objects = ulong  # ours: SLUB only estimates it


class kmem_cache(Struct):
    """A cache of objects of one size."""

    cpu_slab = kmem_cache_cpu  # a per-CPU pointer in Linux
    flags = u32
    min_partial = ulong
    size = u32  # of an object with its red zone, free pointer and track
    object_size = u32
    offset = u32  # of the free pointer
    oo = u32  # order << 16 | objects
    refcount = s32
    ctor = ptr(func)
    align = u32
    name = ptr(char)
    list = list_head
    node = kmem_cache_node


class track(Struct):
    """Who freed an object: behind every object, as with slub_debug=U."""

    addr = ptr(void)
    pid = s32
    when = u32
