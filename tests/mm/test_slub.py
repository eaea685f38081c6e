"""Slab caches: who gets which address, who freed it, and what is counted."""

import pytest

import kernelsim as ks
from kernelsim.machine.memory import PAGE_SIZE
from kernelsim.mm import page_alloc, slab_common, slub


@pytest.fixture
def k():
    return ks.boot()


def cache(k, name):
    return next(
        s for s in slab_common.caches(k.machine) if slab_common.cache_name(k.machine, s) == name
    )


def test_the_object_freed_last_is_the_first_to_come_back(k):
    bash = k.spawn("bash")
    first = k.task(k.call(bash, "fork"))
    second = k.task(k.call(bash, "fork"))
    for task in (first, second):
        number = task.pid
        k.call(task, "exit", 0)
        k.call(bash, "waitpid", number, 0)
    again = [k.task(k.call(bash, "fork")).address_ for _ in range(2)]
    assert again == [second.address_, first.address_]


def test_a_freed_object_is_poisoned_and_a_reference_into_it_says_who_freed_it(k):
    bash = k.spawn("bash")
    child = k.task(k.call(bash, "fork"))
    number = child.pid
    k.call(child, "exit", 0)
    k.call(bash, "waitpid", number, 0)
    assert set(k.machine.read(child.address_, type(child).sizeof_)) == {0x6B}
    with pytest.raises(ks.Fault, match=r"task_struct.*use after free.*free_task in task 3"):
        _ = child.pid
    with pytest.raises(ks.Fault, match="use after free"):
        child.pid = 7
    assert "6b 6b 6b" in child.hexdump_("pid")  # a debugger may look


def test_freeing_twice_and_freeing_what_is_no_object_faults(k):
    m = k.machine
    obj = slub.kmalloc(m, 96, 0)
    slub.kfree(m, obj)
    with pytest.raises(ks.Fault, match="freed twice"):
        slub.kmem_cache_free(m, cache(k, "kmalloc-96"), obj)
    with pytest.raises(ks.Fault, match="not an object of kmalloc-96"):
        slub.kmem_cache_free(m, cache(k, "kmalloc-96"), obj + 8)
    with pytest.raises(ks.Fault):
        slub.kfree(m, page_alloc.alloc_pages(m, 0, 0))


def test_new_objects_are_zero_and_lie_apart(k):
    m, s = k.machine, cache(k, "kmalloc-64")
    objects = [slub.kmem_cache_alloc(m, s, 0) for _ in range(200)]
    assert len(set(objects)) == 200
    assert all(b - a >= 64 for a, b in zip(sorted(objects), sorted(objects)[1:], strict=False))
    assert all(m.read(obj, 64) == bytes(64) for obj in objects)
    last = objects[-1]
    m.write(last, b"\xff" * 64)
    slub.kmem_cache_free(m, s, last)
    assert slub.kmem_cache_alloc(m, s, 0) == last
    assert m.read(last, 64) == bytes(64)


def test_counts_and_pages_come_back_when_all_is_freed(k):
    m, s = k.machine, cache(k, "kmalloc-512")
    per_slab, free = s.oo & 0xFFFF, page_alloc.nr_free_pages(m)
    objects = [slub.kmem_cache_alloc(m, s, 0) for _ in range(per_slab * 20)]
    assert k.slabs()["kmalloc-512"] == per_slab * 20
    assert s.node.total_objects >= per_slab * 20
    for obj in objects[::2] + objects[1::2]:
        slub.kmem_cache_free(m, s, obj)
        slub.validate_slab_cache(m, s)
    assert k.slabs()["kmalloc-512"] == 0
    order = s.oo >> 16
    kept = s.node.nr_slabs << order
    assert s.node.nr_slabs <= s.min_partial + 2  # Linux keeps a few empty slabs
    assert page_alloc.nr_free_pages(m) == free - kept


# mm/slub.c:calculate_order() for one CPU, worked out by hand: (object with its tail, order).
@pytest.mark.parametrize(
    ("size", "order"), [(64, 0), (192, 0), (512, 0), (1216, 2), (1096, 3), (2152, 3), (8232, 3)]
)
def test_the_order_of_a_slab_is_the_kernels(size, order):
    objects = (PAGE_SIZE << order) // size
    waste = (PAGE_SIZE << order) - objects * size
    assert waste <= (PAGE_SIZE << order) // 4 or order == 3
    assert slub._calculate_order(size) == order


def test_slabinfo_has_a_line_for_each_cache_in_the_kernels_form(k):
    lines = slab_common.slabinfo(k.machine).splitlines()
    assert lines[0] == "slabinfo - version: 2.1"
    rows = {line.split()[0]: line.split() for line in lines[2:]}
    assert next(iter(rows)) == "kmem_cache"
    assert rows["task_struct"][1] == "2"  # init and kthreadd: swapper is static
    assert rows["pid"][6:8] == [":", "tunables"]


def test_a_page_that_another_cache_has_left_becomes_a_slab_whatever_lies_in_it():
    # What was a freed, poisoned object may lie where the new slab keeps its red zones and tracks.
    k = ks.boot(record=False)
    parent = k.spawn("bash")
    for _ in range(400):
        k.call(k.task(k.call(parent, "fork")), "exit", 0)
    for _ in range(300):
        k.call(parent, "waitpid", -1, 0)
    other = k.spawn("other")
    for _ in range(30):
        assert k.call(other, "fork") > 0
