"""Folding: every place is in one run, in order, and what was asked for is shown."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from kernelsim.view import fold


@given(st.integers(0, 60), st.sets(st.integers(0, 59)))
def test_runs_cover_every_place_once_in_order_and_show_what_is_kept(count, keep):
    keep = {place for place in keep if place < count}
    found = fold.runs(count, keep)
    assert [place for run in found for place in range(run.start, run.stop)] == list(range(count))
    assert all(one.shown != other.shown for one, other in itertools.pairwise(found))
    hidden = {place for run in found if not run.shown for place in range(run.start, run.stop)}
    assert not hidden & keep
    assert all(run.size >= 2 for run in found if not run.shown)


@given(st.integers(1, 60), st.integers(0, 59), st.integers(0, 3), st.integers(0, 3))
def test_a_window_keeps_ends_and_neighbours_and_nothing_else(count, centre, around, ends):
    kept = fold.window(count, [centre], around, ends)
    expected = {
        place
        for place in range(count)
        if place < ends or place >= count - ends or abs(place - centre) <= around
    }
    assert kept == expected
