"""mm/page_alloc.c @ v5.10.188: the buddy system, which hands out blocks of 2^order pages.

Left out: zones, migrate types, watermarks, per-CPU lists.  Blocks are split as Linux splits them,
and merged only when a larger block is wanted and none is left (Linux merges at every free).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import mm_types
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


def _page(m: Machine, pfn: int) -> mm_types.page:
    return mm_types.page(m, memory.VMEMMAP + pfn * PAGE_STRUCT)


def _put(m: Machine, pfn: int, order: int) -> None:
    # Put a free block at the end of its list, so that blocks are first used in address order.
    zone = m.symbol("contig_zone")
    area = zone.free_area[order]
    page = _page(m, pfn)
    page.page_type, page.order = mm_types.PG_BUDDY, order
    lists.list_add_tail(page.lru, area.free_list)
    area.nr_free += 1
    zone.free_pages += 1 << order


def _take(m: Machine, area: mm_types.free_area, order: int) -> int:
    # Take the first block off the list of `area`; return its page frame number.
    zone = m.symbol("contig_zone")
    page = mm_types.page(m, area.free_list.next.address_ - mm_types.page.offsetof_("lru"))
    lists.list_del(page.lru)
    area.nr_free -= 1
    page.page_type = 0xFFFFFFFF
    zone.free_pages -= 1 << order
    return (page.address_ - memory.VMEMMAP) // PAGE_STRUCT


def alloc_pages(m: Machine, gfp: int, order: int) -> int:
    """Allocate 2^order pages; return their address (void *) in the direct map, 0 if none is left."""
    if m.fail_nth and m.should_fail():
        return 0
    areas = m.symbol("contig_zone").free_area
    if areas[order].nr_free:
        return _allocated(m, _take(m, areas[order], order), order)
    for attempt in range(2):
        for have in range(order, mm_types.MAX_ORDER):
            if areas[have].nr_free:
                pfn = _take(m, areas[have], have)
                while have > order:  # expand(): the upper half goes back, one order lower each time
                    have -= 1
                    _put(m, pfn + (1 << have), have)
                return _allocated(m, pfn, order)
        if attempt == 0:
            _merge(m)
    return 0


def _allocated(m: Machine, pfn: int, order: int) -> int:
    # The block is in use from now on; its address.
    page = _page(m, pfn)
    page._refcount = 1
    page.order = order
    return memory.DIRECT_MAP + (pfn << memory.PAGE_SHIFT)


def free_pages(m: Machine, address: int, order: int) -> None:
    """Give the 2^order pages at `address` back."""
    page = virt_to_page(m, address)
    page._refcount = 0
    page.page_type = mm_types.PG_BUDDY
    page.order = order
    zone = m.symbol("contig_zone")
    area = zone.free_area[order]
    lists.list_add(page.lru, area.free_list)
    area.nr_free += 1
    zone.free_pages += 1 << order


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
                    page = _page(m, half)
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
