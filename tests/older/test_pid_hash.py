"""older/pid_hash.py: the table and the bitmap of 4.14 against a model, its sizes, no memory."""

import errno as host_errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernelsim as ks
from kernelsim.include.uapi.asm import errno
from kernelsim.machine.ref import ValidationError
from kernelsim.older import pid_hash


def table(megabytes=4, pid_max=32768):
    return ks.boot(memory="64M", record=False).pid_hash(megabytes, pid_max)


# What the kernel of that time printed at boot: "PID hash table entries: 4096 (order: 3, 32768 bytes)".
@pytest.mark.parametrize(
    ("megabytes", "buckets"),
    [(1, 16), (4, 16), (5, 32), (64, 256), (100, 512), (256, 1024), (512, 2048), (1024, 4096), (1 << 20, 4096)],
)  # fmt: skip
def test_the_table_is_as_long_as_memory_at_boot_says_from_16_to_4096(megabytes, buckets):
    assert 1 << pid_hash.pidhash_shift(megabytes) == buckets


def test_the_structs_have_the_sizes_that_they_had():
    sizes = [t.sizeof_ for t in (pid_hash.old_upid, pid_hash.old_pid, pid_hash.pidmap)]
    assert sizes == [32, 80, 16]
    assert (pid_hash.PIDMAP_ENTRIES, pid_hash.BITS_PER_PAGE) == (128, 32768)


# hash_long() of 64 bits, worked out by hand: the product's upper bits.
def test_the_bucket_is_the_top_of_a_product():
    assert pid_hash.pid_hashfn(1, 0, 4) == 0x6
    assert pid_hash.pid_hashfn(2, 0, 4) == 0xC
    assert pid_hash.pid_hashfn(3, 0, 8) == 3 * 0x61C8864680B583EB % 2**64 >> 56


def test_numbers_go_up_and_wrap_to_300_as_the_idrs_do():
    old, ids = table(pid_max=310), ks.boot(memory="64M", record=False).idr()
    for _ in range(309):
        number = old.alloc()
        assert number == ids.alloc_cyclic("", 300 if ids.cursor > 300 else 1, 310)
    for number in (5, 299, 301, 307):
        assert old.remove(number)
        ids.remove(number)
    for expected in (301, 307):
        assert old.alloc() == ids.alloc_cyclic("", 300, 310) == expected
    with pytest.raises(OSError, match="Resource temporarily") as caught:
        old.alloc()
    assert caught.value.errno == host_errno.EAGAIN
    assert old.validate() == 307


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=60))
def test_a_table_holds_what_a_set_holds(steps):
    old, model, last = table(pid_max=340), set(), 0
    for adds, number in steps:
        if adds:
            last += 1
            assert old.alloc() == last
            model.add(last)
        else:
            assert old.remove(number) == (number in model)
            model.discard(number)
        assert {n for n in range(1, 62) if old.find(n)} == model
    assert old.validate() == len(old) == len(model)
    assert sorted(n for b in range(old.buckets) for n in (u.nr for u in old.upids(b))) == sorted(
        model
    )


def test_a_second_page_of_the_bitmap_comes_with_the_first_number_in_it():
    old = table(megabytes=1024, pid_max=40_000)
    old.ns.last_pid = 32766
    assert [old.alloc() for _ in range(2)] == [32767, 32768]
    assert [bool(old.ns.pidmap[i].page) for i in range(3)] == [True, True, False]
    assert (old.find(32767).numbers[0].nr, old.find(32768).numbers[0].nr) == (32767, 32768)
    assert old.find(5) is None


@pytest.mark.parametrize("nth", [1, 2])
def test_an_allocation_that_fails_leaves_nothing_behind(nth):
    old = table(pid_max=40_000)
    old.ns.last_pid = 32767
    m, before = old.machine, ks.session.slab_common.usage(old.machine)
    m.fail_nth = nth
    with pytest.raises(OSError, match="memory") as caught:
        old.alloc()
    assert caught.value.errno == errno.ENOMEM
    m.fail_nth = 0
    assert ks.session.slab_common.usage(m) == before
    assert old.validate() == 0


def test_validate_finds_a_number_in_a_wrong_bucket_and_one_that_is_called_free():
    old = table()
    for _ in range(5):
        old.alloc()
    upid = old.find(3).numbers[0]
    upid.nr = 4
    with pytest.raises(ValidationError, match="belongs elsewhere"):
        old.validate()
    upid.nr = 3
    page = old.ns.pidmap[0].page
    old.machine.write_u64(page, 0b110111)
    with pytest.raises(ValidationError, match="number 3 is free"):
        old.validate()


def test_chains_grow_with_the_numbers_and_the_table_does_not():
    old = table()
    means = []
    for _ in range(4):
        for _ in range(160):
            old.alloc()
        means.append(len(old) / old.buckets)
        assert sum(length * many for length, many in old.chains().items()) == len(old)
        assert max(old.chains()) >= means[-1]
    assert old.buckets == 16
    assert means == [10, 20, 30, 40]
    assert max(old.looked_at(n) for n in range(1, 641)) == max(old.chains())
    assert old.looked_at(9999) == len(old.chain(9999))
