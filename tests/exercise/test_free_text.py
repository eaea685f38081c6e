"""Questions that are answered with text."""

import pytest

import kernelsim as ks
from kernelsim.exercise import Text, Verdict

asked = []


def printed():
    asked.append(1)

    async def main(libc):
        await libc.write(1, b"one\n")
        await libc.write(1, b"two \n\n")

    return ks.run(main).stdout


def text(**more):
    return Text("What is printed?", printed, yes="Yes.", no="No.", **more)


@pytest.fixture(autouse=True)
def _none_asked():
    asked.clear()


@pytest.mark.parametrize("answer", ["one\ntwo", "one \r\ntwo\n\n", "one\ntwo   "])
def test_blanks_at_the_ends_of_lines_do_not_count(answer):
    verdict = text().check(answer)
    assert (verdict.correct, verdict.said, verdict.did) == (True, "one\ntwo", "one\ntwo")
    assert verdict.feedback == "Yes."


@pytest.mark.parametrize("answer", ["one two", "two\none", " one\ntwo", "One\ntwo"])
def test_other_text_is_wrong(answer):
    assert text().check(answer).feedback == "No."


def test_near_misses_have_feedback_of_their_own():
    q = text(near={"two\none\n": "In order."})
    assert q.check("two\none").feedback == "In order."
    assert q.check("x").feedback == "No."


def test_a_checker_gets_the_text_and_the_machines_and_judges():
    heard = []

    def checker(said, did):
        heard.append((said, did))
        return "two" in said, "It also says two."

    q = text(checker=checker)
    verdict = q.check("only one\n")
    assert (verdict.correct, verdict.feedback) == (False, "It also says two.")
    assert heard == [("only one", "one\ntwo")]
    assert q.check("one and two").correct
    assert asked == [1], "the machine runs once"
    own = Verdict(True, "a", "b", "c")
    assert text(checker=lambda said, did: own).check("x") is own


@pytest.mark.parametrize("answer", ["", " \n ", "x" * 10_001])
def test_no_text_and_too_much_of_it_are_told_before_the_machine_runs(answer):
    with pytest.raises(ValueError, match=r"Nothing is written|longer than 10,000"):
        text().check(answer)
    assert asked == []


def test_what_is_no_text_is_refused():
    for answer in (None, 1, b"one", ["one"]):
        with pytest.raises(TypeError, match="a text is wanted"):
            text().check(answer)
    with pytest.raises(TypeError, match="the machine's answer is a text"):
        Text("?", lambda: 1).check("1")
    with pytest.raises(TypeError, match="an answer is computed"):
        Text("?", "one")
    with pytest.raises(TypeError, match="a checker is a function"):
        Text("?", lambda: "", "one")
