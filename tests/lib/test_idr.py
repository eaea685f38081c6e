"""lib/idr.py: recorded runs of the kernel's own IDR, the table of its growth, a model, no memory."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux import slab, xarray
from kernelsim.include.linux.idr import IDR_RT_MARKER
from kernelsim.include.linux.idr import idr as idr_type
from kernelsim.include.uapi.asm import errno
from kernelsim.lib import idr, radix_tree
from kernelsim.machine import memory
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import ValidationError
from tests.lib.ground import machine, nodes_in_use, warnings
from tests.lib.idr_vectors import POINTER, replay

OURS = Path(__file__).parent.parent / "data" / "idr"
VECTORS = sorted(Path(os.environ.get("KERNELSIM_IDR_VECTORS") or OURS).glob("*.json"))
GFP = slab.GFP_KERNEL
PID_MAX = 32768


def fresh(m, base=0):
    one = m.define("an_idr", idr_type)
    idr.idr_init_base(m, one, base)
    return one


def alloc(m, one, start, end=0):
    return idr.idr_alloc(m, one, POINTER, start, end, GFP)


# The nodes of the tree as the fact sheet writes them, top first: (shift:offset, count).
def shape(m, one):
    found = []

    def visit(entry):
        if xarray.xa_is_node(entry):
            node = xarray.xa_node(m, xarray.xa_to_node(entry))
            found.append(f"({node.shift}:{node.offset}, {node.count})")
            for slot in node.slots:
                visit(slot)

    visit(one.idr_rt.xa_head)
    assert idr.validate_idr(m, one) == len(found) == nodes_in_use(m)
    return " ".join(found)


def leaf_of(m, one, number):
    entry = one.idr_rt.xa_head
    while True:
        node = xarray.xa_node(m, xarray.xa_to_node(entry))
        if not node.shift:
            return node
        entry = node.slots[number >> node.shift & 63]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_results_and_trees_are_those_of_the_kernels_own_code(path):
    m = machine()
    one = replay(m, path)
    idr.idr_destroy(m, one.idr)
    assert nodes_in_use(m) == 0


def test_there_are_recorded_runs():
    assert VECTORS


def test_a_recording_machine_builds_the_same_trees_and_can_go_back():
    m = machine(record=True)
    start = m.trace.now
    m.trace.emit("start")
    one = replay(m, OURS / "random-mix-600.json").idr
    then = one.at_(m.at(start))
    assert (then.idr_rt.xa_head, then.idr_next) == (0, 0)


# ── When nodes appear and vanish. ──────────────────────────────────────────────────────────────


def test_nodes_appear_and_vanish_where_the_kernels_do():
    m = machine()
    one = fresh(m)
    assert one.idr_rt.xa_flags == 0x800004
    alloc(m, one, 1)
    assert shape(m, one) == "(0:0, 1)"
    assert leaf_of(m, one, 1).tags[0][0] == ~0x2 & 2**64 - 1
    for number in range(2, 64):
        assert alloc(m, one, 1) == number
    assert shape(m, one) == "(0:0, 63)"
    assert alloc(m, one, 1) == 64
    assert shape(m, one) == "(6:0, 2) (0:0, 63) (0:1, 1)"
    for number in range(65, 128):
        assert alloc(m, one, 1) == number
    top = xarray.xa_node(m, one.idr_rt.xa_head - 2)
    assert (leaf_of(m, one, 64).count, leaf_of(m, one, 64).tags[0][0]) == (64, 0)
    assert top.tags[0][0] == 2**64 - 1 - 2
    idr.idr_remove(m, one, 100)
    assert leaf_of(m, one, 64).tags[0][0] == 1 << 36
    assert top.tags[0][0] == 2**64 - 1
    for number in range(64, 128):
        idr.idr_remove(m, one, number)
    assert shape(m, one) == "(0:0, 63)"
    for number in range(1, 64):
        idr.idr_remove(m, one, number)
    assert shape(m, one) == ""
    assert idr.idr_is_empty(m, one)


@pytest.mark.parametrize(
    ("numbers", "removed", "expected"),
    [
        ([63], [], "(0:0, 1)"),
        ([128], [], "(6:0, 1) (0:2, 1)"),
        ([4095], [], "(6:0, 1) (0:63, 1)"),
        ([5000], [], "(12:0, 1) (6:1, 1) (0:14, 1)"),
        ([1, 5000], [5000], "(0:0, 1)"),
        ([0, 1], [1], "(0:0, 1)"),
        ([0], [0], ""),
    ],
)
def test_a_tree_is_as_high_as_its_numbers_need(numbers, removed, expected):
    m = machine()
    one = fresh(m)
    for number in numbers:
        assert alloc(m, one, number, number + 1) == number
    for number in removed:
        assert idr.idr_remove(m, one, number) == POINTER
    assert shape(m, one) == expected


@pytest.mark.parametrize("number", [0, 63, 64, 4095, 5000, 262_143, 4_194_303])
def test_a_number_is_found_on_the_quick_road(monkeypatch, number):
    m = machine()
    one = fresh(m)
    alloc(m, one, number)
    monkeypatch.delattr(radix_tree, "_lookup")
    assert idr.idr_find(m, one, number) == POINTER
    assert idr.idr_find(m, one, number + 1) == idr.idr_find(m, one, number ^ 64) == 0


def test_all_pids_of_a_namespace_take_521_nodes():
    m = machine()
    one = fresh(m)
    for number in range(1, 4096):
        assert alloc(m, one, 1) == number
    assert nodes_in_use(m) == 65
    assert alloc(m, one, 1) == 4096
    assert nodes_in_use(m) == 65 + 3
    assert xarray.xa_node(m, one.idr_rt.xa_head - 2).shift == 12
    for _ in range(4097, PID_MAX):
        alloc(m, one, 1)
    assert nodes_in_use(m) == 512 + 8 + 1
    assert idr.idr_alloc(m, one, POINTER, 1, PID_MAX, GFP) == -errno.ENOSPC
    assert idr.validate_idr(m, one) == 521
    idr.idr_destroy(m, one)
    assert nodes_in_use(m) == 0
    assert idr.idr_is_empty(m, one)


# ── A model. ───────────────────────────────────────────────────────────────────────────────────

NUMBER = st.integers(0, 140) | st.integers(4000, 4200) | st.integers(0, 300_000)


# An IDR in memory and the same thing as a dict.
class Pair:
    def __init__(self, base):
        self.m = machine()
        self.idr = fresh(self.m, base)
        self.base, self.model, self.cursor = base, {}, 0

    # The lowest free number in [start, end), None if there is none.
    def lowest(self, start, end):
        number = max(start, self.base)
        while number in self.model:
            number += 1
        return number if number < end else None

    def add(self, pointer, found, expected):
        if expected is None:
            assert found == -errno.ENOSPC
        else:
            assert found == expected
            self.model[found] = pointer

    def step(self, step, name, number, span):
        pointer = 0 if span % 7 == 3 else POINTER + 8 * step
        m, one, model, end = self.m, self.idr, self.model, max(number, self.base) + span
        if name == "alloc":
            found = idr.idr_alloc(m, one, pointer, number, end, GFP)
            self.add(pointer, found, self.lowest(number, end))
        elif name == "cyclic":
            found = idr.idr_alloc_cyclic(m, one, pointer, number, end, GFP)
            start = max(self.cursor, number)
            expected = self.lowest(start, end)
            if expected is None and start > number:
                expected = self.lowest(number, end)
            self.add(pointer, found, expected)
            self.cursor = self.cursor if expected is None else found + 1
        elif name == "remove":
            assert idr.idr_remove(m, one, number) == model.pop(number, 0)
        elif name == "replace":
            expected = model.get(number, -errno.ENOENT)
            assert idr.idr_replace(m, one, pointer, number) == expected
            if number in model:
                model[number] = pointer

    def check(self, number):
        m, one, model = self.m, self.idr, self.model
        idr.validate_idr(m, one)
        stored = {found: pointer for found, pointer in sorted(model.items()) if pointer}
        seen = {}
        idr.idr_for_each(m, one, lambda found, pointer, data: data.update({found: pointer}), seen)
        assert {found: pointer for found, pointer in seen.items() if pointer} == stored
        assert {found: pointer for pointer, found in idr.idr_for_each_entry(m, one)} == stored
        assert idr.idr_find(m, one, number) == model.get(number, 0)
        following = [(stored[found], found) for found in stored if found >= number]
        assert idr.idr_get_next(m, one, number) == (following or [(0, number)])[0]
        assert idr.idr_is_empty(m, one) == (not model)
        assert idr.idr_get_cursor(m, one) == self.cursor


@given(
    st.sampled_from([0, 1, 300]),
    st.lists(
        st.tuples(
            st.sampled_from(["alloc", "alloc", "cyclic", "remove", "replace"]),
            NUMBER,
            st.integers(1, 70),
            st.booleans(),
        ),
        max_size=60,
    ),
)
def test_an_idr_holds_what_a_dict_holds(base, steps):
    pair = Pair(base)
    for i, (name, number, span, known) in enumerate(steps):
        place = sorted(pair.model)[number % len(pair.model)] if known and pair.model else number
        pair.step(i, name, place, span)
        pair.check(place)
    idr.idr_destroy(pair.m, pair.idr)
    assert nodes_in_use(pair.m) == 0
    assert idr.idr_is_empty(pair.m, pair.idr)


# ── Edges. ─────────────────────────────────────────────────────────────────────────────────────


def test_numbers_and_ranges_that_make_no_sense_are_refused_with_a_warning():
    m = machine(record=True)
    one = fresh(m)
    assert alloc(m, one, -1) == -errno.EINVAL
    assert warnings(m) == ["idr_alloc: start < 0"]
    assert alloc(m, one, 5, 5) == alloc(m, one, 5, 3) == -errno.ENOSPC
    assert idr.idr_find(m, one, -1) == idr.idr_remove(m, one, 1 << 40) == 0
    assert idr.idr_replace(m, one, POINTER, 3) == -errno.ENOENT
    assert nodes_in_use(m) == 0


def test_numbers_above_int_max_can_be_stored_but_not_walked_to():
    m = machine(record=True)
    one = fresh(m)
    assert idr.idr_alloc_u32(m, one, POINTER, 0xFFFF_FFF0, 0xFFFF_FFFF, GFP) == 0xFFFF_FFF0
    assert idr.idr_find(m, one, 0xFFFF_FFF0) == POINTER
    assert idr.idr_get_next_ul(m, one, 0) == (POINTER, 0xFFFF_FFF0)
    assert idr.idr_get_next(m, one, 0) == (0, 0)
    assert idr.idr_for_each(m, one, lambda *_: 1, None) == 0
    assert warnings(m) == ["idr_get_next: id > INT_MAX", "idr_for_each: id > INT_MAX"]


def test_null_can_be_stored_and_takes_its_number():
    m = machine()
    one = fresh(m)
    assert idr.idr_alloc(m, one, 0, 3, 4, GFP) == 3
    assert idr.idr_find(m, one, 3) == 0
    assert alloc(m, one, 3, 4) == -errno.ENOSPC
    assert idr.idr_get_next(m, one, 0) == (0, 0)
    assert idr.idr_replace(m, one, POINTER, 3) == 0
    assert idr.idr_get_next(m, one, 0) == (POINTER, 3)
    assert idr.idr_remove(m, one, 3) == POINTER


def test_a_walk_stops_when_the_function_says_so():
    m = machine()
    one, seen = fresh(m), []
    for _ in range(5):
        alloc(m, one, 0)

    def until_two(number, pointer, data):
        data.append((number, pointer))
        return 9 if number == 2 else 0

    assert idr.idr_for_each(m, one, until_two, seen) == 9
    assert seen == [(i, POINTER) for i in range(3)]


def test_the_cursor_can_be_set_and_survives_destruction():
    m = machine()
    one = fresh(m)
    idr.idr_set_cursor(m, one, 4000)
    assert idr.idr_alloc_cyclic(m, one, POINTER, 1, 0, GFP) == 4000
    idr.idr_destroy(m, one)
    assert idr.idr_get_cursor(m, one) == 4001


def test_a_root_that_is_no_idr_becomes_one_with_a_warning():
    m = machine(record=True)
    one = fresh(m)
    one.idr_rt.xa_flags = 0
    assert alloc(m, one, 1) == 1
    assert one.idr_rt.xa_flags == IDR_RT_MARKER
    assert warnings(m) == ["idr_alloc_u32: the root is not an IDR's"]


@pytest.mark.parametrize("nth", range(1, 8))
@pytest.mark.parametrize("numbers", [[5000], [1, 5000], [63, 64], [1, 1 << 24]])
def test_each_allocation_that_fails_leaves_a_sound_tree_and_loses_nothing(numbers, nth):
    m = machine()
    one = fresh(m)
    for number in numbers[:-1]:
        assert alloc(m, one, number) == number
    m.fail_nth = nth
    result = alloc(m, one, numbers[-1])
    failed = m.fail_nth == 0
    m.fail_nth = 0
    assert result == (-errno.ENOMEM if failed else numbers[-1])
    idr.validate_idr(m, one)
    stored = numbers[:-1] if failed else numbers
    assert [found for _, found in idr.idr_for_each_entry(m, one)] == stored
    assert alloc(m, one, numbers[-1], numbers[-1] + 1) == (numbers[-1] if failed else -errno.ENOSPC)
    idr.idr_destroy(m, one)
    assert nodes_in_use(m) == 0


def test_after_preloading_an_allocation_that_may_not_sleep_cannot_fail():
    m = machine()
    one = fresh(m)
    alloc(m, one, 1)
    idr.idr_preload(m, GFP)
    assert m.static.radix_tree_preloads.nr == 11
    m.should_fail = lambda: True
    m.fail_nth = 1
    assert idr.idr_alloc(m, one, POINTER, 2**31 - 2, 0, slab.GFP_ATOMIC) == 2**31 - 2
    idr.idr_preload_end(m)
    assert m.static.radix_tree_preloads.nr == 11 - 10
    assert idr.validate_idr(m, one) == 11
    assert idr.idr_alloc(m, one, POINTER, 2**30, 0, GFP) == -errno.ENOMEM


def test_an_idr_in_freed_memory_faults():
    m = machine()
    one = fresh(m)
    alloc(m, one, 1)
    m.who_freed = lambda address: "put_pid_ns" * (0 <= address - one.address_ < idr_type.sizeof_)
    m.fill(one.address_, memory.POISON, idr_type.sizeof_)
    for use in (
        lambda: idr.idr_find(m, one, 1),
        lambda: alloc(m, one, 1),
        lambda: idr.idr_remove(m, one, 1),
        lambda: idr.idr_replace(m, one, POINTER, 1),
        lambda: idr.idr_get_next(m, one, 0),
        lambda: idr.idr_destroy(m, one),
        lambda: idr.idr_is_empty(m, one),
    ):
        with pytest.raises(Fault, match="use after free, freed by put_pid_ns"):
            use()


def test_validate_idr_finds_a_root_that_an_idr_never_has():
    m = machine()
    one = fresh(m)
    one.idr_rt.xa_flags = 4
    with pytest.raises(ValidationError, match=f"{one.address_:#x}.*xa_head is 0x0"):
        idr.validate_idr(m, one)
    one.idr_rt.xa_head = POINTER
    with pytest.raises(ValidationError, match=f"{one.address_:#x}.*{POINTER:#x} is not a node"):
        idr.validate_idr(m, one)


@given(st.integers(0, 63), st.sampled_from([1, 70]))
def test_validate_idr_finds_every_wrong_free_bit(bit, number):
    m = machine()
    one = fresh(m)
    for taken in (1, 70):
        alloc(m, one, taken)
    leaf = leaf_of(m, one, number)
    leaf.tags[0][0] = leaf.tags[0][0] ^ 1 << bit
    with pytest.raises(ValidationError, match=f"{leaf.address_:#x}"):
        idr.validate_idr(m, one)
