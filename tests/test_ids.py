"""ids.py: an IDR of one's own, in the words of a reader, and in a branch."""

import errno
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kernelsim as ks
from kernelsim import ids as ids_module
from kernelsim.lib import idr


def fresh(base=0, *, record=False):
    return ks.boot(memory="64M", record=record).idr(base)


def test_what_has_a_number_is_found_under_it_and_comes_back_when_it_is_removed():
    ids = fresh()
    assert [ids.alloc("a"), ids.alloc("b"), ids.alloc("c", 70), ids.alloc_cyclic("d", 5)] == [
        0,
        1,
        70,
        5,
    ]
    assert [ids.find(n) for n in (0, 1, 2, 5, 70)] == ["a", "b", None, "d", "c"]
    assert ids.replace(1, "e") == "b"
    assert (ids.remove(1), ids.remove(1), ids.find(1)) == ("e", None, None)
    assert (list(ids), len(ids), ids.next(1), ids.next(71)) == ([0, 5, 70], 3, 5, None)
    assert ids.validate() == len(ids.nodes()) == 3
    ids.destroy()
    assert ids.is_empty
    assert (len(ids), ids.cursor) == (0, 6)


def test_an_address_and_a_reference_have_numbers_too():
    k = ks.boot(memory="64M", record=False)
    ids = k.idr()
    assert ids.alloc(k.init) == 0
    assert ids.alloc(0xFFFF_8880_0000_1000) == 1
    assert (ids.find(0), ids.find(1)) == (k.init.address_, 0xFFFF_8880_0000_1000)
    for wrong in (3, 2.5, True, None):
        with pytest.raises(TypeError):
            ids.alloc(wrong)
    for name in ("x" * 24, "a\0b"):
        with pytest.raises(ValueError, match="no name"):
            ids.alloc(name)


def test_errors_are_those_of_the_kernel_and_leave_nothing_behind():
    ids = fresh()
    before = ks.session.slab_common.usage(ids.machine)
    for call, wanted in (
        (lambda: ids.alloc("x", 5, 5), errno.ENOSPC),
        (lambda: ids.alloc("x", -1), errno.EINVAL),
        (lambda: ids.replace(3, "x"), errno.ENOENT),
    ):
        with pytest.raises(OSError, match=r".") as caught:
            call()
        assert caught.value.errno == wanted
    assert ks.session.slab_common.usage(ids.machine) == before
    for nth in (1, 2):
        ids.machine.fail_nth = nth
        with pytest.raises(OSError, match=r"."):
            ids.alloc("x")
        ids.machine.fail_nth = 0
        usage = ks.session.slab_common.usage(ids.machine)
        assert usage["thing"] == 0


@given(st.sampled_from([0, 1, 300]), st.lists(st.integers(0, 300_000), max_size=12, unique=True))
def test_the_way_of_a_look_up_is_the_number_in_digits_of_six_bits(base, numbers):
    ids = fresh(base)
    for number in numbers:
        ids.alloc(start=base + number)
    for number in numbers:
        way = ids.path(base + number)
        assert tuple(step.slot for step in way) == ids_module.digits(number, len(way))
        assert sum(step.slot << step.shift for step in way) == number
        assert idr.idr_find(ids.machine, ids.idr, base + number) == way[-1].entry
        assert len(way) <= ids.lines(base + number) <= 2 * len(way)
    top = max((len(ids.path(base + n)) for n in numbers), default=0)
    assert top == (len(ids_module.digits(max(numbers))) if numbers else 0)


def test_a_number_beyond_the_tree_or_below_the_base_has_no_way():
    ids = fresh(base=10)
    ids.alloc()
    assert [len(ids.path(n)) for n in (9, 10, 73, 74, 10 + 64 * 63)] == [0, 1, 1, 0, 0]
    ids.alloc(start=80)
    assert [len(ids.path(n)) for n in (74, 137, 138, 10 + 4095, 10 + 4096)] == [2, 2, 1, 1, 0]
    assert ids.find(10 + 4096) is None


def test_digits_are_those_of_base_64():
    assert ids_module.digits(5000) == (1, 14, 8)
    assert ids_module.digits(0) == (0,)
    assert ids_module.digits(63, 2) == (0, 63)


def test_a_branch_has_the_same_idr_and_its_own_future():
    k = ks.boot(memory="64M")
    ids, old = k.idr(), k.pid_hash(4)
    ids.alloc("a", 5000)
    bash = k.spawn("bash")
    k.call(bash, "fork")
    old.alloc()
    ids.remove(5000)
    list(ids), ids.find(3), ids.nodes(), ids.picture(), old.chains()
    other = k.branch()
    assert other.state_hash() == k.state_hash()
    other._numbered[0].alloc("b")
    assert ids.is_empty


def test_what_was_done_can_be_looked_back_at():
    k = ks.boot(memory="64M")
    ids = k.idr()
    ids.alloc("a", 64)
    then = k.now
    ids.remove(64)
    assert ids.idr.at_(k.at(then).machine).idr_rt.xa_head != 0 == ids.idr.idr_rt.xa_head
    assert "idr_remove" in k.function_graph(then)
    assert "idr_find" not in k.function_graph(k.now - 1)


def test_two_idrs_have_two_names_and_a_repr_of_type_and_address():
    k = ks.boot(memory="64M", record=False)
    one, two = k.idr(), k.idr(base=7)
    assert (one.name, two.name, two.base) == ("your_idr", "your_idr_2", 7)
    assert repr(two) == f"(struct idr *){two.idr.address_:#x}: 0 numbers, 0 nodes"
    assert "16 buckets" in repr(k.pid_hash(1))
    bundle = one._repr_mimebundle_()
    assert set(json.loads(json.dumps(bundle))) >= {"text/plain", "image/svg+xml"}
    assert io.StringIO(bundle["text/plain"]).readline().startswith("The IDR your_idr")
