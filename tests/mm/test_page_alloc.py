"""The buddy system: blocks split, merge when needed, and never overlap."""

import random

import kernelsim as ks
from kernelsim.machine.memory import PAGE_SIZE
from kernelsim.mm import page_alloc


def test_blocks_never_overlap_and_all_pages_come_back():
    m = ks.boot(memory="40M").machine
    free, rng, held = page_alloc.nr_free_pages(m), random.Random(7), {}
    for _ in range(600):
        if held and rng.random() < 0.45:
            address = rng.choice(sorted(held))
            page_alloc.free_pages(m, address, held.pop(address))
            continue
        order = rng.choice((0, 0, 0, 1, 2, 3, 5))
        address = page_alloc.alloc_pages(m, 0, order)
        if address:
            size = PAGE_SIZE << order
            assert address % size == 0
            for other, its in held.items():
                assert address + size <= other or other + (PAGE_SIZE << its) <= address
            held[address] = order
    used = sum(1 << order for order in held.values())
    assert page_alloc.nr_free_pages(m) == free - used
    for address, order in held.items():
        page_alloc.free_pages(m, address, order)
    assert page_alloc.nr_free_pages(m) == free


def test_small_free_blocks_are_merged_when_a_large_one_is_wanted():
    m = ks.boot(memory="40M").machine
    pages = []
    while address := page_alloc.alloc_pages(m, 0, 0):
        pages.append(address)
    assert page_alloc.nr_free_pages(m) == 0
    assert page_alloc.alloc_pages(m, 0, 5) == 0
    for address in pages:
        page_alloc.free_pages(m, address, 0)
    assert page_alloc.alloc_pages(m, 0, 5)
