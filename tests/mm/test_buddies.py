"""The buddy system, block by block: how they are split, which are free, what is counted."""

import itertools
import random

import pytest

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import mm_types
from kernelsim.machine.machine import Machine
from kernelsim.machine.memory import DIRECT_MAP, PAGE_SIZE
from kernelsim.mm import page_alloc

MIB = 1 << 20


@pytest.fixture
def m():
    machine = Machine(40 * MIB)
    page_alloc.mem_init(machine)
    return machine


def pfn(address):
    return (address - DIRECT_MAP) // PAGE_SIZE


# The free blocks as (first page, order), checked against each other and against what is counted.
def blocks(m):
    found = sorted(page_alloc.free_blocks(m))
    assert all(first % (1 << order) == 0 for first, order in found)
    for (first, order), (following, _) in itertools.pairwise(found):
        assert first + (1 << order) <= following
    assert sum(1 << order for _, order in found) == page_alloc.nr_free_pages(m)
    zone = m.symbol("contig_zone")
    for order, area in enumerate(zone.free_area):
        assert area.nr_free == lists.validate_list(area.free_list)
        assert area.nr_free == sum(its == order for _, its in found)
    return found


def test_at_first_all_memory_but_the_kernels_own_is_free_in_blocks_as_large_as_fit(m):
    descriptors = 40 * MIB // PAGE_SIZE * 64
    low, high = 1 * MIB, 32 * MIB + descriptors
    expected = (16 * MIB - low) // PAGE_SIZE + (40 * MIB - high) // PAGE_SIZE
    assert page_alloc.nr_free_pages(m) == m.symbol("contig_zone").managed_pages == expected
    found = blocks(m)
    assert [b for b in found if b[0] < 4096] == [
        *((256, 8), (512, 9)),  # 1 MiB … 4 MiB
        *((first, 10) for first in range(1024, 4096, 1024)),  # whole blocks of 4 MiB
    ]
    for first, order in found:  # no two buddies lie there apart
        assert order == 10 or (first ^ 1 << order, order) not in found


def test_a_block_is_halved_until_it_fits_and_the_upper_halves_are_free(m):
    whole = page_alloc.alloc_pages(m, 0, 9)
    for order in range(10, -1, -1):
        while page_alloc.alloc_pages(m, 0, order):
            pass
    assert blocks(m) == []
    page_alloc.free_pages(m, whole, 9)
    assert page_alloc.alloc_pages(m, 0, 2) == whole
    first = pfn(whole)
    assert blocks(m) == [(first + (1 << order), order) for order in range(2, 9)]
    assert (
        page_alloc.alloc_pages(m, 0, 0) == whole + 4 * PAGE_SIZE
    )  # the smallest that is large enough


def test_the_block_freed_last_is_used_first(m):
    held = [page_alloc.alloc_pages(m, 0, 2) for _ in range(6)]
    for address in (held[4], held[1], held[2]):
        page_alloc.free_pages(m, address, 2)
    again = [page_alloc.alloc_pages(m, 0, 2) for _ in range(3)]
    assert again == [held[2], held[1], held[4]]


def test_a_page_says_whether_it_is_in_use(m):
    address = page_alloc.alloc_pages(m, 0, 3)
    page = page_alloc.virt_to_page(m, address + 5)
    assert page == page_alloc.virt_to_page(m, address)
    assert page_alloc.page_address(page) == address
    assert (page._refcount, page._mapcount, page.order) == (1, -1, 3)
    page_alloc.free_pages(m, address, 3)
    assert (page._refcount, page.page_type) == (0, 0xFFFFFF7F)  # ~PG_buddy


def test_whatever_is_allocated_and_freed_every_page_is_free_or_in_use_and_never_both(m):
    rng, held, total = random.Random(4), {}, page_alloc.nr_free_pages(m)
    for step in range(1500):
        if held and rng.random() < (0.3 if step < 700 else 0.6):
            address = rng.choice(list(held))
            page_alloc.free_pages(m, address, held.pop(address))
        else:
            order = rng.choice([0, 0, 1, 2, 3, 6, 9])
            if address := page_alloc.alloc_pages(m, 0, order):
                held[address] = order
        if step % 50 == 0:
            used = [(pfn(address), order) for address, order in held.items()]
            together = sorted(used + blocks(m))
            for (first, order), (following, _) in itertools.pairwise(together):
                assert first + (1 << order) <= following
            assert sum(1 << order for _, order in together) == total
    for address, order in held.items():
        page_alloc.free_pages(m, address, order)
    count = 0
    while page_alloc.alloc_pages(m, 0, mm_types.MAX_ORDER - 1):
        count += 1
        blocks(m)
    assert count == 4  # 4 … 16 MiB in three, 36 … 40 MiB in one: all merged again


@pytest.mark.parametrize("order", [11, 12, 20])
def test_a_block_larger_than_there_can_be_is_not_found(m, order):
    before = page_alloc.nr_free_pages(m)
    assert page_alloc.alloc_pages(m, 0, order) == 0
    assert page_alloc.nr_free_pages(m) == before
