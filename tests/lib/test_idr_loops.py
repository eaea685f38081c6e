"""lib/idr.py: the loops over an IDR, from its beginning or from a number on."""

from hypothesis import given
from hypothesis import strategies as st

from kernelsim.lib import idr
from tests.lib.ground import machine
from tests.lib.test_idr import GFP, NUMBER, POINTER, alloc, fresh


@given(st.sampled_from([0, 300]), st.lists(NUMBER, max_size=8, unique=True), NUMBER)
def test_each_loop_meets_the_numbers_from_its_start_on_and_numbers_above_int_max_too(
    base, numbers, start
):
    m = machine()
    one = fresh(m, base)
    for number in numbers:
        assert alloc(m, one, base + number, base + number + 1) == base + number
    high = idr.idr_alloc_u32(m, one, POINTER, 0xFFFF_FFF0, 0xFFFF_FFFF, GFP)
    stored = [(POINTER, number + base) for number in sorted(numbers)]
    rest = [pair for pair in stored if pair[1] >= start]
    assert list(idr.idr_for_each_entry(m, one)) == stored
    assert list(idr.idr_for_each_entry_ul(m, one)) == [*stored, (POINTER, high)]
    assert list(idr.idr_for_each_entry_continue(m, one, start)) == rest
    assert list(idr.idr_for_each_entry_continue_ul(m, one, start)) == [*rest, (POINTER, high)]
    assert list(idr.idr_for_each_entry_continue_ul(m, one, high + 1)) == []
