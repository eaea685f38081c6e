"""kernelsim.debug as a reader meets it: lazy, and clear about what is missing."""

import sys

import pytest

import kernelsim as ks


def test_without_drgn_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "drgn", None)
    with pytest.raises(
        ImportError, match=r"^drgn_program\(\) needs the drgn debugger.*pip install"
    ):
        ks.debug.drgn_program(ks.boot(record=False))


@pytest.mark.needs_drgn
@pytest.mark.parametrize("wrong", [None, 3, "kernel", object()])
def test_what_has_no_memory_is_refused(wrong):
    with pytest.raises(TypeError, match=f"not {type(wrong).__name__}"):
        ks.debug.drgn_program(wrong)


def test_the_room_knows_what_it_does_not_have():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        ks.debug.nonsense  # noqa: B018 - the look is the test
