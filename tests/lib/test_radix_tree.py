"""lib/radix_tree.py: every word as recorded from the kernel's own C, a model, and broken trees."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import radix_tree as radix_tree_h
from kernelsim.include.linux import slab, xarray
from kernelsim.include.linux.radix_tree import radix_tree_iter
from kernelsim.include.uapi.asm import errno
from kernelsim.lib import idr, radix_tree
from kernelsim.lib.xarray import xa_load
from kernelsim.machine import memory
from kernelsim.machine.memory import DIRECT_MAP, Fault
from kernelsim.machine.ref import ValidationError
from kernelsim.mm import slub
from tests.lib.ground import machine, nodes_in_use, warnings

DATA = Path(__file__).parent.parent / "data" / "radix_tree"
KMEM_CACHE_ALLOC = slub.kmem_cache_alloc
INDEX = st.integers(0, 70) | st.integers(0, 5000) | st.integers(0, (1 << 64) - 1)
POINTER = 0xFFFF_C900_0000_0000


def tree_in(m, name="tree"):
    root = m.define(name, radix_tree_h.radix_tree_root)
    radix_tree_h.INIT_RADIX_TREE(root, slab.GFP_KERNEL)
    return root


# What is in a slot, or in the root, in the form of the vectors' dumps.
def dumped(m, entry):
    if not xarray.xa_is_node(entry):
        return entry
    node = xarray.xa_node(m, xarray.xa_to_node(entry))
    return {
        "fields": [node.shift, node.offset, node.count, node.nr_values],
        "tags": [node.tags[tag][0] for tag in range(3)],
        "slots": {str(i): dumped(m, slot) for i, slot in enumerate(node.slots) if slot},
    }


# The indices that a loop visits.
def visited(loop, m, root, *args):
    iter_ = radix_tree_iter()
    return [iter_.index for _ in loop(m, root, iter_, *args)]


OPERATIONS = {
    "insert": radix_tree.radix_tree_insert,
    "delete": radix_tree.radix_tree_delete,
    "lookup": radix_tree.radix_tree_lookup,
    "set": radix_tree.radix_tree_tag_set,
    "clear": radix_tree.radix_tree_tag_clear,
    "get": radix_tree.radix_tree_tag_get,
    "slots": lambda *args: visited(radix_tree.radix_tree_for_each_slot, *args),
    "tagged": lambda *args: visited(radix_tree.radix_tree_for_each_tagged, *args),
}


@pytest.mark.parametrize("name", ["dense", "direct", "sparse", "whole-range"])
def test_every_word_is_as_the_kernels_own_code_leaves_it(name):
    run, m = json.loads((DATA / f"{name}.json").read_text()), machine()
    root = tree_in(m)
    dumps = {dump.pop("after"): dump for dump in run["dumps"]}
    for i, op in enumerate(run["ops"]):
        name, *args = op.split()
        result = OPERATIONS[name](m, root, *map(int, args))
        assert result == run["results"][i], f"operation {i}, {op}"
        radix_tree_h.validate_radix_tree(root)
        found = {"xa_flags": root.xa_flags, "xa_head": dumped(m, root.xa_head)}
        assert dumps.get(i, found) == found, f"after operation {i}, {op}"
    assert nodes_in_use(m) == 0


# Let the n-th allocation of an object from now on fail; the pages below are not counted.
def fail_nth(monkeypatch, n):
    countdown = iter(range(n - 1, -1, -1)) if n else iter(())

    def alloc(m, s, gfp):
        return real(m, s, gfp) if next(countdown, -1) else 0

    real = KMEM_CACHE_ALLOC
    monkeypatch.setattr(slub, "kmem_cache_alloc", alloc)


def test_an_idr_without_memory_is_as_the_kernels_own_code_leaves_it(monkeypatch):
    run, m = json.loads((DATA / "idr-out-of-memory.json").read_text()), machine()
    one, pool = m.define("idr", idr_h.idr), m.static.radix_tree_preloads
    idr.idr_init(m, one)
    idr.idr_preload(m, slab.GFP_KERNEL)
    dumps = {dump.pop("after"): dump for dump in run["dumps"]}
    for i, op in enumerate(run["ops"]):
        name, *words = op.split()
        args = [int(word) for word in words if word != "fail"]
        fail_nth(monkeypatch, args.pop() if name == "alloc" else 0)
        if name == "preload":
            idr.idr_preload(m, slab.GFP_KERNEL)
            result = pool.nr
        else:
            result = (idr.idr_alloc if name == "alloc" else idr.idr_remove)(m, one, *args)
        assert result == run["results"][i], f"operation {i}, {op}"
        root = one.idr_rt
        found = {"xa_flags": root.xa_flags, "xa_head": dumped(m, root.xa_head), "pool": pool.nr}
        assert dumps.get(i, found) == found, f"after operation {i}, {op}"
    assert run["results"].count(-errno.ENOMEM) > 30


@given(st.lists(st.tuples(INDEX, st.integers(0, 9), st.integers(0, 2)), max_size=50))
def test_a_tree_holds_what_a_dict_holds_and_tags_what_a_set_holds(steps):
    m = machine()
    root, model, tags = tree_in(m), {}, [set(), set(), set()]
    for step, (index, choice, tag) in enumerate(steps):
        if choice < 5:
            entry = POINTER + 8 * step if choice else step << 1 | 1
            error = radix_tree.radix_tree_insert(m, root, index, entry)
            assert error == (-errno.EEXIST if index in model else 0)
            model.setdefault(index, entry)
        elif choice == 5:
            assert radix_tree.radix_tree_delete(m, root, index) == model.pop(index, 0)
            for tagged in tags:
                tagged.discard(index)
        elif choice < 9 and model:
            index = sorted(model)[index % len(model)]
            assert radix_tree.radix_tree_tag_set(m, root, index, tag) == model[index]
            tags[tag].add(index)
        else:
            assert radix_tree.radix_tree_tag_clear(m, root, index, tag) == model.get(index, 0)
            tags[tag].discard(index)
        radix_tree_h.validate_radix_tree(root)
        assert visited(radix_tree.radix_tree_for_each_slot, m, root, 0) == sorted(model)
        assert radix_tree_h.radix_tree_empty(root) == (not model)
        for i, tagged in enumerate(tags):
            assert visited(radix_tree.radix_tree_for_each_tagged, m, root, 0, i) == sorted(tagged)
            assert radix_tree.radix_tree_tagged(m, root, i) == bool(tagged)
            assert radix_tree.radix_tree_tag_get(m, root, index, i) == (index in tagged)
        for found in (radix_tree.radix_tree_lookup(m, root, index), xa_load(m, root, index)):
            assert found == model.get(index, 0)
        slot = radix_tree.radix_tree_lookup_slot(m, root, index)
        assert (radix_tree_h.radix_tree_deref_slot(m, slot) if slot else 0) == model.get(index, 0)
    for index in model:
        radix_tree.radix_tree_delete(m, root, index)
    assert nodes_in_use(m) == 0


def test_a_plain_tree_keeps_a_single_entry_at_index_0_in_the_root():
    m = machine()
    root = tree_in(m)
    steps = [
        ("insert", 0, 0),
        ("insert", 1, 1),
        ("delete", 1, 0),
        ("delete", 0, 0),
        ("insert", 5, 1),
    ]
    for name, index, nodes in steps:
        args = [POINTER] if name == "insert" else []
        OPERATIONS[name](m, root, index, *args)
        assert nodes_in_use(m) == nodes
    radix_tree.radix_tree_delete(m, root, 5)
    radix_tree.radix_tree_insert(m, root, 0, POINTER)
    assert root.xa_head == POINTER


def test_an_item_is_deleted_only_if_it_is_the_one_expected():
    m = machine()
    root = tree_in(m)
    radix_tree.radix_tree_insert(m, root, 70, POINTER)
    assert radix_tree.radix_tree_delete_item(m, root, 70, POINTER + 8) == 0
    assert radix_tree.radix_tree_delete_item(m, root, 71, 0) == 0
    assert radix_tree.radix_tree_delete_item(m, root, 70, POINTER) == POINTER


def test_entries_can_be_replaced_and_deleted_in_a_loop():
    m = machine()
    root, iter_ = tree_in(m), radix_tree_iter()
    for index in (0, 1, 63, 64, 4096):
        radix_tree.radix_tree_insert(m, root, index, POINTER + 8 * index)
    for slot in radix_tree.radix_tree_for_each_slot(m, root, iter_, 1):
        if iter_.index % 2:
            radix_tree.radix_tree_iter_delete(m, root, iter_, slot)
        else:
            radix_tree.radix_tree_iter_replace(m, root, iter_, slot, POINTER)
    found = {i: radix_tree.radix_tree_lookup(m, root, i) for i in (0, 1, 63, 64, 4096)}
    assert found == {0: POINTER, 1: 0, 63: 0, 64: POINTER, 4096: POINTER}
    radix_tree.radix_tree_replace_slot(
        m, root, radix_tree.radix_tree_lookup_slot(m, root, 0), POINTER + 8
    )
    assert radix_tree.radix_tree_lookup(m, root, 0) == POINTER + 8
    radix_tree_h.validate_radix_tree(root)


def test_a_loop_can_stop_at_the_first_hole_and_start_again_behind_itself():
    m = machine()
    root, iter_ = tree_in(m), radix_tree_iter()
    for index in (3, 4, 5, 7):
        radix_tree.radix_tree_insert(m, root, index, POINTER)
    contig = radix_tree_h.RADIX_TREE_ITER_CONTIG
    radix_tree_h.radix_tree_iter_init(iter_, 3)
    slot, seen = radix_tree.radix_tree_next_chunk(m, root, iter_, contig), []
    while slot:
        seen.append(iter_.index)
        slot = radix_tree_h.radix_tree_next_slot(m, slot, iter_, contig)
    assert seen == [3, 4, 5]
    assert radix_tree.radix_tree_next_chunk(m, root, iter_, contig) == 0
    radix_tree_h.radix_tree_iter_init(iter_, 4)
    slot = radix_tree.radix_tree_next_chunk(m, root, iter_, 0)
    assert radix_tree.radix_tree_iter_resume(slot, iter_) == 0
    radix_tree.radix_tree_next_chunk(m, root, iter_, 0)
    assert iter_.index == 5


# ── Memory. ────────────────────────────────────────────────────────────────────────────────────


def test_a_node_is_576_bytes_with_its_slots_where_the_kernel_has_them():
    offsets = {field.name: field.offset for field in xarray.xa_node.fields_}
    assert xarray.xa_node.sizeof_ == 576
    assert offsets == {
        "shift": 0,
        "offset": 1,
        "count": 2,
        "nr_values": 3,
        "parent": 8,
        "array": 16,
        "private_list": 24,
        "rcu_head": 24,
        "slots": 40,
        "tags": 552,
        "marks": 552,
    }


def test_nodes_are_clean_when_they_are_free_and_when_they_are_new():
    m = machine()
    root = tree_in(m)
    for index in (0, 70, 5000):
        radix_tree.radix_tree_insert(m, root, index, POINTER)
    top = xarray.xa_node(m, xarray.xa_to_node(root.xa_head))
    radix_tree.radix_tree_delete(m, root, 5000)
    assert (top.count, top.slots[0]) == (0, 0)  # shrunk away
    for index in (70, 0):
        radix_tree.radix_tree_delete(m, root, index)
    assert m.read(top.slots.address_, 576 - 40) == bytes(536)
    assert top.private_list.value_() == {"next": top.private_list, "prev": top.private_list}
    fresh = slub.kmem_cache_alloc(m, m.static.radix_tree_node_cachep, slab.GFP_KERNEL)
    assert m.read(fresh + 40, 536) == bytes(536)


def test_preloading_fills_the_pool_and_only_those_who_may_not_sleep_use_it():
    m = machine()
    root, pool = tree_in(m), m.static.radix_tree_preloads
    assert radix_tree.radix_tree_maybe_preload(m, slab.GFP_ATOMIC) == pool.nr == 0
    assert radix_tree.radix_tree_preload(m, slab.GFP_KERNEL) == 0
    assert radix_tree.radix_tree_maybe_preload(m, slab.GFP_KERNEL) == 0
    radix_tree_h.radix_tree_preload_end(m)
    assert pool.nr == 21
    m.fail_nth = 1
    assert radix_tree.radix_tree_insert(m, root, 1, POINTER) == -errno.ENOMEM
    root.xa_flags = slab.GFP_ATOMIC
    m.fail_nth = 1
    assert radix_tree.radix_tree_insert(m, root, 1, POINTER) == 0
    assert pool.nr == 20
    m.fail_nth = 1
    assert radix_tree.radix_tree_preload(m, slab.GFP_KERNEL) == -errno.ENOMEM
    assert radix_tree.radix_tree_delete(m, root, 1) == POINTER


def test_freeing_a_node_that_is_on_a_list_warns():
    m = machine(record=True)
    root = tree_in(m)
    radix_tree.radix_tree_insert(m, root, 1, POINTER)
    node = xarray.xa_node(m, xarray.xa_to_node(root.xa_head))
    node.private_list.next = root.address_
    radix_tree.radix_tree_delete(m, root, 1)
    assert warnings(m) == ["radix_tree_node_free: private_list is not empty"]


# ── Broken on purpose. ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("use", ["lookup", "insert", "delete", "clear", "slots"])
def test_a_tree_that_leads_nowhere_faults(use):
    args = {"insert": [POINTER], "clear": [0]}.get(use, [])
    m = machine()
    root = tree_in(m)
    root.xa_head = POINTER | 2
    with pytest.raises(Fault) as caught:
        OPERATIONS[use](m, root, 5, *args)
    assert (caught.value.address, caught.value.type) == (POINTER, "struct xa_node")
    m.who_freed = lambda address: "free_tree" * (address >= DIRECT_MAP)
    m.fill(root.address_, memory.POISON, 16)
    with pytest.raises(Fault, match="use after free, freed by free_tree"):
        OPERATIONS[use](m, root, 5, *args)


@pytest.mark.parametrize("use", ["lookup", "insert", "delete", "clear", "slots"])
def test_a_node_in_freed_memory_faults(use):
    args = {"insert": [POINTER], "clear": [0]}.get(use, [])
    m = machine()
    root = tree_in(m)
    radix_tree.radix_tree_insert(m, root, 70, POINTER)
    top = root.xa_head - 2
    m.who_freed = lambda address: "free_node" * (0 <= address - top < 576)
    m.fill(top, memory.POISON, 576)
    with pytest.raises(Fault, match="use after free, freed by free_node"):
        OPERATIONS[use](m, root, 71, *args)


@pytest.mark.parametrize(
    ("member", "value"),
    [("parent", 8), ("array", 8), ("offset", 3), ("shift", 6), ("count", 2), ("nr_values", 1)],
)
def test_validate_names_the_node_and_what_is_wrong_in_it(member, value):
    m = machine()
    root = tree_in(m)
    for index in (1, 70):
        radix_tree.radix_tree_insert(m, root, index, POINTER)
    assert radix_tree_h.validate_radix_tree(root) == 3
    top = xarray.xa_node(m, root.xa_head - 2)
    leaf = xarray.xa_node(m, top.slots[1] - 2)
    setattr(leaf, member, value)
    with pytest.raises(ValidationError, match=f"{leaf.address_:#x}.*{top.address_:#x}: {member}"):
        radix_tree_h.validate_radix_tree(root)


def test_validate_finds_tags_that_do_not_add_up():
    m = machine()
    root = tree_in(m)
    for index in (1, 70):
        radix_tree.radix_tree_insert(m, root, index, POINTER)
    radix_tree.radix_tree_tag_set(m, root, 70, 1)
    top = xarray.xa_node(m, root.xa_head - 2)
    top.tags[1][0] = 1
    with pytest.raises(ValidationError, match=f"{top.address_:#x}.*slot 0.*{top.slots[0]:#x}"):
        radix_tree_h.validate_radix_tree(root)
    top.tags[1][0] = 2
    root.xa_flags = slab.GFP_KERNEL
    with pytest.raises(ValidationError, match=f"{root.address_:#x}.*{top.address_:#x}"):
        radix_tree_h.validate_radix_tree(root)
