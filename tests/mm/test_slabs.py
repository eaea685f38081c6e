"""Slabs as SLUB shares them out: sizes by the kernel's own C, the partial list, what a cache keeps."""

import bisect
import itertools
import json
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.include.linux import slab
from kernelsim.mm import page_alloc, slab_common, slub
from tests.lib import ground

VECTORS = json.loads((Path(__file__).parent.parent / "data" / "slub" / "slub.json").read_text())


@pytest.fixture
def m():
    return ground.machine(40 << 20)


# What the kernel's function gives for `size`.
def expected(function, size):
    rows = VECTORS[function]
    return rows[bisect.bisect(rows, size, key=lambda row: row[0]) - 1][1]


# A cache, and how many objects fill `slabs` of its slabs, in address order.
def filled(m, slabs, *, size=1000, name="test"):
    s = slub.kmem_cache_create(m, name, size)
    objects = [slub.kmem_cache_alloc(m, s, 0) for _ in range(slabs * (s.oo & 0xFFFF))]
    assert s.node.nr_slabs == slabs
    per_slab = s.oo & 0xFFFF
    return s, [objects[i : i + per_slab] for i in range(0, len(objects), per_slab)]


# --- sizes -------------------------------------------------------------------------------------


def test_every_slab_is_of_the_order_that_the_kernels_function_gives():
    wrong = [
        size
        for size in range(48, 32769, 8)
        if slub._calculate_order(size) != expected("calculate_order", size)
    ]
    assert wrong == []


@pytest.mark.parametrize("size", [1, 8, 9, 33, 64, 100, 500, 1000, 2008, 4000, 8192])
@pytest.mark.parametrize("flags", [0, slab.SLAB_HWCACHE_ALIGN])
def test_a_cache_has_the_kernels_order_alignment_and_minimum(m, size, flags):
    s = slub.kmem_cache_create(m, "test", size, 0, flags)
    align = expected("calculate_alignment", size) if flags else 8
    assert s.align == align
    assert s.size % align == 0
    assert s.object_size == -(-size // 8) * 8
    assert s.offset >= s.object_size  # the free pointer lies behind a poisoned object
    order, objects = s.oo >> 16, s.oo & 0xFFFF
    assert order == expected("calculate_order", s.size)
    assert objects == (4096 << order) // s.size
    assert s.min_partial == expected("set_min_partial", s.size)
    first, second = (slub.kmem_cache_alloc(m, s, 0) for _ in range(2))
    assert first % align == 0
    assert second in (first + s.size, first - s.size) or objects == 1


# --- from slab to slab -------------------------------------------------------------------------


def test_objects_come_in_address_order_from_a_new_slab_and_last_freed_first_from_a_used_one(m):
    s, [objects] = filled(m, 1)
    assert objects == sorted(objects)
    for i in (3, 0, 5):
        slub.kmem_cache_free(m, s, objects[i])
    again = [slub.kmem_cache_alloc(m, s, 0) for _ in range(3)]
    assert again == [objects[5], objects[0], objects[3]]


def test_the_slab_that_had_room_first_is_taken_first(m):
    s, slabs = filled(m, 4)
    for i in (2, 0, 1):  # slab 3 is the CPU's
        slub.kmem_cache_free(m, s, slabs[i][1])
    assert s.node.nr_partial == 3
    assert [slub.kmem_cache_alloc(m, s, 0) for _ in range(3)] == [slabs[i][1] for i in (2, 0, 1)]
    assert (s.node.nr_partial, s.node.nr_slabs) == (0, 4)
    assert slub.kmem_cache_alloc(m, s, 0) not in itertools.chain(*slabs)
    assert s.node.nr_slabs == 5


def test_a_slab_freed_into_keeps_its_objects_while_another_is_the_cpus(m):
    s, slabs = filled(m, 2)
    for obj in slabs[0][:3]:
        slub.kmem_cache_free(m, s, obj)
    assert slub.kmem_cache_alloc(m, s, 0) == slabs[0][2]  # the CPU's was full, this one is next
    assert slub.kmem_cache_alloc(m, s, 0) == slabs[0][1]
    slub.kmem_cache_free(m, s, slabs[1][0])  # now that one is not the CPU's
    assert slub.kmem_cache_alloc(m, s, 0) == slabs[0][0]
    assert slub.kmem_cache_alloc(m, s, 0) == slabs[1][0]


# mm/slub.c:__slab_free(): "!new.inuse && n->nr_partial >= s->min_partial" discards, where a slab
# that is on the list already is counted, and a full one that gets empty is not.
def test_empty_slabs_are_given_back_down_to_one_below_the_minimum(m):
    s, slabs = filled(m, 8)
    assert s.min_partial == 5
    free = page_alloc.nr_free_pages(m)
    for objects in slabs[:7]:
        slub.kmem_cache_free(m, s, objects[0])
    assert s.node.nr_partial == 7
    left = []
    for objects in slabs[:7]:
        for obj in objects[1:]:
            slub.kmem_cache_free(m, s, obj)
        left.append(s.node.nr_partial)
        slub.validate_slab_cache(m, s)
    assert left == [6, 5, 4, 4, 4, 4, 4]
    assert s.node.nr_slabs == 5
    assert page_alloc.nr_free_pages(m) == free + 3 * (1 << (s.oo >> 16))
    assert slub.kmem_cache_alloc(m, s, 0) in slabs[3]  # the CPU's is full, this one waits longest


def test_a_slab_of_one_object_is_kept_or_given_back_at_once(m):
    s, slabs = filled(m, 9, size=20000)
    assert (s.oo & 0xFFFF, s.min_partial) == (1, 7)
    for [obj] in slabs[:8]:
        slub.kmem_cache_free(m, s, obj)
    assert (s.node.nr_partial, s.node.nr_slabs) == (7, 8)


def test_caches_never_share_a_slab_and_kfree_finds_the_cache(m):
    small, large = (slub.kmalloc(m, n, 0) for n in (60, 4000))
    other = slub.kmem_cache_alloc(m, slub.kmem_cache_create(m, "test", 64), 0)
    assert slub.object_at(m, small + 59) == ("kmalloc-64", small, True)
    assert slub.object_at(m, large + 4095) == ("kmalloc-4k", large, True)
    assert slub.object_at(m, other) == ("test", other, True)
    assert slub.object_at(m, page_alloc.alloc_pages(m, 0, 1)) is None
    assert small >> 12 != other >> 12
    slub.kfree(m, large)
    slub.kfree(m, 0)
    assert slub.object_at(m, large) == ("kmalloc-4k", large, False)
    used = slab_common.usage(m)
    assert (used["kmalloc-64"], used["kmalloc-4k"], used["test"]) == (1, 0, 1)


# --- when it goes wrong ------------------------------------------------------------------------


def test_an_allocation_that_finds_no_page_changes_no_count_and_frees_help(m):
    s, [objects] = filled(m, 1)
    while page_alloc.alloc_pages(m, 0, 0):
        pass
    before = s.value_()
    assert slub.kmem_cache_alloc(m, s, 0) == 0
    assert s.node.active_objects == len(objects) == before["node"]["active_objects"]
    assert s.node.nr_slabs == 1
    slub.kmem_cache_free(m, s, objects[4])
    assert slub.kmem_cache_alloc(m, s, 0) == objects[4]


def test_the_nth_allocation_from_now_fails_whatever_it_is_for(m):
    s = slub.kmem_cache_create(m, "test", 64)
    m.fail_nth = 3  # object, (its) slab, page …: the page is the third
    assert slub.kmem_cache_alloc(m, s, 0)
    assert page_alloc.alloc_pages(m, 0, 0) == 0
    assert m.fail_nth == 0
    assert page_alloc.alloc_pages(m, 0, 0)
    m.fail_nth = 1
    assert slub.kmem_cache_alloc(m, s, 0) == 0
    assert slub.kmem_cache_alloc(m, s, 0)


@pytest.mark.parametrize("where", [8, -64, 1 << 20, 1 << 44])
def test_freeing_an_address_that_is_no_object_changes_nothing(m, where):
    s, [objects] = filled(m, 1)
    before = m.read(objects[0], 512), s.bytes_()
    with pytest.raises(ks.Fault, match="not an object of test in use"):
        slub.kmem_cache_free(m, s, objects[0] + where)
    assert (m.read(objects[0], 512), s.bytes_()) == before


def test_an_object_of_another_cache_is_refused(m):
    s, [objects] = filled(m, 1)
    other, _ = filled(m, 1, size=500, name="other")
    with pytest.raises(ks.Fault, match="not an object of other in use"):
        slub.kmem_cache_free(m, other, objects[2])
    slub.kmem_cache_free(m, s, objects[2])


def test_a_free_list_that_leads_astray_is_found(m):
    s, [objects] = filled(m, 1)
    for obj in objects[:3]:
        slub.kmem_cache_free(m, s, obj)
    assert slub.validate_slab_cache(m, s) == 3
    m.write_u64(objects[2] + s.offset, objects[5])  # one that is in use
    with pytest.raises(AssertionError, match=f"test: {objects[5]:#x} on the free list"):
        slub.validate_slab_cache(m, s)


def test_an_object_with_a_constructor_keeps_what_it_was_when_freed(m):
    s = m.static.radix_tree_node_cachep
    node = slub.kmem_cache_alloc(m, s, 0)
    constructed = m.read(node, s.object_size)
    slub.kmem_cache_free(m, s, node)
    assert m.read(node, s.object_size) == constructed  # no poison: it must not be made anew
    assert slub.kmem_cache_alloc(m, s, 0) == node
    assert m.read(node, s.object_size) == constructed


# --- the end of a cache ------------------------------------------------------------------------


def test_a_destroyed_cache_gives_its_slabs_back_and_its_name_and_place_are_free(m):
    free = page_alloc.nr_free_pages(m)
    s, slabs = filled(m, 3)
    with pytest.raises(ks.Fault, match="test still has objects"):
        slub.kmem_cache_destroy(m, s)
    for obj in itertools.chain(*slabs):
        slub.kmem_cache_free(m, s, obj)
    slub.kmem_cache_destroy(m, s)
    assert page_alloc.nr_free_pages(m) == free
    assert "test" not in slab_common.usage(m)
    again = slub.kmem_cache_create(m, "test", 24)
    assert again == s
    objects = [slub.kmem_cache_alloc(m, again, 0) for _ in range(64)]
    assert {b - a for a, b in itertools.pairwise(objects)} == {again.size}
    assert again.size < 128


def test_slabinfo_counts_what_is_there(m):
    s, slabs = filled(m, 3)
    slub.kmem_cache_free(m, s, slabs[0][0])
    row = next(
        line.split() for line in slab_common.slabinfo(m).splitlines() if line.startswith("test ")
    )
    per_slab, pages = len(slabs[0]), 1 << (s.oo >> 16)
    assert row == [
        *("test", str(3 * per_slab - 1), str(3 * per_slab), str(s.size), str(per_slab), str(pages)),
        *(":", "tunables", "0", "0", "0", ":", "slabdata", "3", "3", "0"),
    ]
