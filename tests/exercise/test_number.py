"""Questions that are answered with a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.exercise import Number

asked = []


def number(**more):
    more.setdefault("near", {4: "That was the last one given.", 1: "1 is init."})
    return Number("The next pid?", lambda: asked.append(1) or 5, no="It is last + 1.", **more)


@pytest.fixture(autouse=True)
def _none_asked():
    asked.clear()


@given(st.integers(-(2**70), 2**70))
def test_decimal_and_hexadecimal_are_read_as_c_writes_them(n):
    q = Number("?", lambda: n)
    assert [q.read(text) for text in (str(n), hex(n), f" {n} ", f"{n:#X}", n)] == [n] * 5


@pytest.mark.parametrize("text", ["", " ", "abc", "1.5", "1e3", "0x", "x", "1 2", "٣", "9" * 41])
def test_what_is_no_number_is_told_before_the_machine_runs(text):
    with pytest.raises(ValueError, match=r"is no whole number|Nothing is typed"):
        number().check(text)
    assert asked == []


@pytest.mark.parametrize("answer", [None, 1.0, True, [1]])
def test_what_cannot_be_a_number_is_refused(answer):
    with pytest.raises(TypeError, match="a number is wanted"):
        number().check(answer)


def test_the_machine_runs_once_and_only_when_somebody_answers():
    q = number()
    assert (str(q), repr(q)) == (
        "The next pid?\n  (a whole number, 17 or 0x11)",
        "Number('The next pid?')",
    )
    assert asked == []
    assert [bool(q.check(n)) for n in (4, "0x5", 6)] == [False, True, False]
    assert asked == [1]


def test_near_misses_have_feedback_of_their_own():
    q = number(yes="Yes.")
    assert q.check("4").feedback == "That was the last one given."
    assert q.check("7").feedback == "It is last + 1."
    assert q.check("5").feedback == "Yes."
    verdict = q.check("\N{MINUS SIGN}1")
    assert (verdict.correct, verdict.said, verdict.did) == (False, "-1", "5")


def test_the_feedback_may_be_computed_but_not_before_the_answer():
    made = []
    q = number(near=lambda: made.append(1) or {5: "never said", 6: "one too far"})
    assert str(q.form())
    assert made == []
    assert q.check(6).feedback == "one too far"
    assert q.check(5).feedback == "", "what is right is no near miss"


def test_an_address_is_shown_and_typed_in_hexadecimal():
    q = Number("Where?", lambda: 0xFFFF888000002000, base=16)
    verdict = q.check("0xFFFF888000001000")
    assert (verdict.said, verdict.did) == ("0xffff888000001000", "0xffff888000002000")
    with pytest.raises(ValueError, match="could mean two numbers"):
        q.check("1000")
    assert q.read("0") == 0


def test_a_typed_in_answer_and_one_that_is_no_number_are_errors():
    with pytest.raises(TypeError, match="an answer is computed"):
        Number("?", 5)
    for answer in (True, "5", None):
        with pytest.raises(TypeError, match="the machine's answer is a number"):
            Number("?", lambda answer=answer: answer).check(5)
