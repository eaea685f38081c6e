"""mm/page_alloc.c @ v5.10.188: the buddy system, which hands out blocks of 2^order pages.

Left out: zones, migrate types, watermarks, per-CPU lists.  Blocks are split as Linux splits them,
and merged only when a larger block is wanted and none is left (Linux merges at every free).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import _links, mm_types
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.poison import LIST_POISON1, LIST_POISON2
from kernelsim.machine import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.machine.machine import Machine

__all__ = [
    "alloc_pages",
    "free_blocks",
    "free_pages",
    "mem_init",
    "nr_free_pages",
    "page_address",
    "virt_to_page",
]

FIRST_PAGE = (1 << 20) >> memory.PAGE_SHIFT  # Linux leaves the first MiB to the firmware
PAGE_STRUCT = 64


def virt_to_page(m: Machine, address: int) -> mm_types.page:
    """Return the descriptor (struct page *) of the page that `address` (void *) lies in."""
    pfn = m.offset(address) >> memory.PAGE_SHIFT
    return mm_types.page(m, memory.VMEMMAP + pfn * PAGE_STRUCT)


def page_address(page: mm_types.page) -> int:
    """Return the address (void *) in the direct map of the page that `page` describes."""
    pfn: int = (page.address_ - memory.VMEMMAP) // PAGE_STRUCT
    return memory.DIRECT_MAP + (pfn << memory.PAGE_SHIFT)


def mem_init(m: Machine) -> None:
    """Make the page descriptors and put all memory but the kernel's own on the free lists."""
    total = m.size >> memory.PAGE_SHIFT
    image_end = (memory.PHYSICAL_IMAGE + memory.IMAGE_SIZE) >> memory.PAGE_SHIFT
    m.vmemmap_base = image_end << memory.PAGE_SHIFT
    first = image_end + -(-total * PAGE_STRUCT // memory.PAGE_SIZE)
    zone = m.define("contig_zone", mm_types.zone)
    for area in zone.free_area:
        lists.INIT_LIST_HEAD(area.free_list)
    _free_range(m, FIRST_PAGE, memory.PHYSICAL_IMAGE >> memory.PAGE_SHIFT)
    _free_range(m, first, total)
    zone.managed_pages = zone.free_pages


def _free_range(m: Machine, pfn: int, end: int) -> None:
    # Free the pages [pfn, end) in the largest aligned blocks that fit.
    while pfn < end:
        order = min((pfn & -pfn).bit_length() - 1, mm_types.MAX_ORDER - 1)
        while pfn + (1 << order) > end:
            order -= 1
        _put(m, pfn, order)
        pfn += 1 << order


# Every fork and exit comes here for a stack, so these work on words of memory: `p` is the index of
# the first word of a page descriptor, `z` of the zone, `area` of the free blocks of one order.
_LRU, _ORDER, _TYPE = (mm_types.page.offsetof_(name) >> 3 for name in ("lru", "order", "page_type"))
_FREE_PAGES = mm_types.zone.offsetof_("free_pages") >> 3
_AREAS = mm_types.zone.offsetof_("free_area") >> 3
_AREA = mm_types.free_area.sizeof_ >> 3
_NR_FREE = mm_types.free_area.offsetof_("nr_free") >> 3
_UPPER, _LOWER = 0xFFFF_FFFF << 32, 0xFFFF_FFFF


def _zone(m: Machine) -> int:
    z: int = m.symbol("contig_zone")._o >> 3
    return z


def _descriptor(m: Machine, pfn: int) -> int:
    return (m.vmemmap_base + pfn * PAGE_STRUCT) >> 3


def _lru(pfn: int) -> int:
    # The address of the list link in the descriptor of page `pfn`.
    return memory.VMEMMAP + pfn * PAGE_STRUCT + 8 * _LRU


def _count(m: Machine, z: int, area: int, order: int, blocks: int) -> None:
    # So many blocks more on the free list.
    u64, free = m.u64, z + _FREE_PAGES
    if m.log is not None:
        m.log_words(area + _NR_FREE, free)
    u64[area + _NR_FREE] += blocks
    u64[free] += blocks << order


def _set_type_and_order(m: Machine, pfn: int, page_type: int, order: int) -> None:
    u64, p = m.u64, _descriptor(m, pfn)
    if m.log is not None:
        m.log_words(p + _TYPE, p + _ORDER)
    u64[p + _TYPE] = u64[p + _TYPE] & _UPPER | page_type
    u64[p + _ORDER] = u64[p + _ORDER] & _LOWER | order << 32


def _put(m: Machine, pfn: int, order: int) -> None:
    # Put a free block at the end of its list, so that blocks are first used in address order.
    z = _zone(m)
    area = z + _AREAS + order * _AREA
    _set_type_and_order(m, pfn, mm_types.PG_BUDDY, order)
    _links.insert_tail(m, _lru(pfn), m.symbol("contig_zone").address_ + 8 * (area - z))
    _count(m, z, area, order, 1)


def _take(m: Machine, z: int, area: int, order: int) -> int:
    # Take the first block off the list of `area`; return its page frame number.
    u64, lru = m.u64, m.u64[area]
    _links.remove(m, lru, LIST_POISON1, LIST_POISON2)
    pfn: int = (lru - 8 * _LRU - memory.VMEMMAP) // PAGE_STRUCT
    _count(m, z, area, order, -1)
    p = _descriptor(m, pfn)
    if m.log is not None:
        m.log_word(p + _TYPE)
    u64[p + _TYPE] |= _LOWER  # page_type: -1 says that it is no free block
    return pfn


def alloc_pages(m: Machine, gfp: int, order: int) -> int:
    """Allocate 2^order pages; return their address (void *) in the direct map, 0 if none is left."""
    if m.fail_nth and m.should_fail():
        return 0
    u64, z = m.u64, _zone(m)
    for attempt in range(2):
        for have in range(order, mm_types.MAX_ORDER):
            area = z + _AREAS + have * _AREA
            if u64[area + _NR_FREE]:
                pfn = _take(m, z, area, have)
                while have > order:  # expand(): the upper half goes back, one order lower each time
                    have -= 1
                    _put(m, pfn + (1 << have), have)
                return _allocated(m, pfn, order)
        if attempt == 0:
            _merge(m)
    return 0


def _allocated(m: Machine, pfn: int, order: int) -> int:
    # The block is in use from now on, _refcount 1; its address.
    u64, p = m.u64, _descriptor(m, pfn)
    if m.log is not None:
        m.log_words(p + _TYPE, p + _ORDER)
    u64[p + _TYPE] = u64[p + _TYPE] & _LOWER | 1 << 32
    u64[p + _ORDER] = u64[p + _ORDER] & _LOWER | order << 32
    return memory.DIRECT_MAP + (pfn << memory.PAGE_SHIFT)


def free_pages(m: Machine, address: int, order: int) -> None:
    """Give the 2^order pages at `address` back."""
    u64, pfn = m.u64, m.offset(address) >> memory.PAGE_SHIFT
    p, zone = _descriptor(m, pfn), m.symbol("contig_zone")
    if m.log is not None:
        m.log_word(p + _TYPE)
    u64[p + _TYPE] &= _LOWER  # _refcount
    _set_type_and_order(m, pfn, mm_types.PG_BUDDY, order)
    z = zone._o >> 3
    area = z + _AREAS + order * _AREA
    head = zone.address_ + 8 * (area - z)
    first = u64[area]
    _links.insert(m, _lru(pfn), head, area, first, m.offset(first) >> 3)
    _count(m, z, area, order, 1)


def _merge(m: Machine) -> None:
    # Join free buddies, lowest order first.
    areas = m.symbol("contig_zone").free_area
    for order in range(mm_types.MAX_ORDER - 1):
        free = {
            (p.address_ - memory.VMEMMAP) // PAGE_STRUCT
            for p in lists.list_for_each_entry(mm_types.page, areas[order].free_list, "lru")
        }
        for pfn in sorted(free):
            if not pfn & (1 << order) and pfn + (1 << order) in free:
                for half in (pfn, pfn + (1 << order)):
                    page = mm_types.page(m, memory.VMEMMAP + half * PAGE_STRUCT)
                    lists.list_del(page.lru)
                    page.page_type = 0xFFFFFFFF
                areas[order].nr_free -= 2
                m.symbol("contig_zone").free_pages -= 2 << order
                _put(m, pfn, order + 1)


def free_blocks(m: Machine) -> Iterator[tuple[int, int]]:
    """Yield (page frame number, order) of every free block."""
    for order, area in enumerate(m.symbol("contig_zone").free_area):
        for page in lists.list_for_each_entry(mm_types.page, area.free_list, "lru"):
            yield (page.address_ - memory.VMEMMAP) // PAGE_STRUCT, order


def nr_free_pages(m: Machine) -> int:
    """Return how many pages are free."""
    pages: int = m.symbol("contig_zone").free_pages
    return pages
