"""include/linux/mm_types.h, mmzone.h @ v5.10.188: page descriptors and the zone's free lists.

Left out: everything of `struct page` that only the page cache, swap and huge pages use.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.types import list_head
from kernelsim.machine.ctype import array, bits, ptr, s32, u32, ulong, union, void
from kernelsim.machine.ref import Struct

__all__ = ["MAX_ORDER", "PG_BUDDY", "PG_HEAD", "PG_SLAB", "free_area", "mm_struct", "page", "zone"]

MAX_ORDER = 11
PG_SLAB = 1 << 9  # enum pageflags: PG_slab
PG_HEAD = 1 << 16  # PG_head: first page of a compound page
PG_BUDDY = 0xFFFFFF7F  # page_type of a free block: PAGE_TYPE_BASE with PG_buddy cleared


class page(Struct):
    """The descriptor of one page frame of 4 KiB: 64 bytes."""

    flags = ulong
    lru = list_head  # free list of the buddy system; slab_list of a slab
    slab_cache = ptr("kmem_cache")
    freelist = ptr(void)  # first free object of a slab
    inuse = bits(u32, 16)
    objects = bits(u32, 15)
    frozen = bits(u32, 1)
    order = u32
    word = union(_mapcount=s32, page_type=u32)
    page_type: Any
    _refcount = s32
    private = ulong


class free_area(Struct):
    """The free blocks of one order."""

    free_list = list_head
    nr_free = ulong


class zone(Struct):
    """The one zone that we have: all of RAM."""

    managed_pages = ulong
    free_pages = ulong  # vm_stat[NR_FREE_PAGES]
    free_area = array("free_area", MAX_ORDER)


class mm_struct(Struct):
    """An address space.  Its areas and page tables are not here yet: see docs/fidelity.md."""

    mmap = ptr("vm_area_struct")
    pgd = ptr(void)
    mm_users = s32.named("atomic_t")
    mm_count = s32.named("atomic_t")
    map_count = s32
    hiwater_rss = ulong
    total_vm = ulong
    start_code = ulong  # which program runs here: its place among the machine's programs, from 1
    end_code = ulong
    flags = ulong  # MMF_*
    owner = ptr("task_struct")
    user_ns = ptr("user_namespace")
