"""Questions: answered by a computation, once, and only when somebody has chosen."""

import pytest

from kernelsim.exercise import Option, Question
from kernelsim.view import Picture, task_list


def question(answer, **more):
    return Question("Which?", [Option("this", "No."), Option("that", "Yes.")], answer, **more)


def test_the_answer_is_not_computed_before_somebody_chooses_and_then_once():
    asked = []
    q = question(lambda: asked.append(1) or 1)
    assert (str(q), repr(q)) == ("Which?\n  a) this\n  b) that", "Question('Which?', 2 options)")
    assert asked == []
    assert [bool(q.check(i)) for i in (0, 1)] == [False, True]
    assert asked == [1]


def test_a_choice_by_number_or_letter_gets_its_options_feedback():
    q = question(lambda: 1)
    for right in (1, "b", " B "):
        verdict = q.check(right)
        assert (verdict.chosen, verdict.right, verdict.correct, verdict.feedback) == (
            1,
            1,
            True,
            "Yes.",
        )
    wrong = q.check("a")
    assert (wrong.chosen, wrong.right, wrong.correct, wrong.feedback) == (0, 1, False, "No.")


def test_options_may_have_values_one_of_which_the_answer_returns():
    q = Question("How many?", [Option("none", value=0), Option("one", value=1)], lambda: 0)
    assert q.right == 0
    with pytest.raises(ValueError, match="answer 7 is none of"):
        _ = Question("?", [Option("none", value=0), Option("one", value=1)], lambda: 7).right


def test_what_there_is_to_see_is_made_when_it_is_asked_for():
    assert question(lambda: 0).shows() is None
    import kernelsim as ks

    assert isinstance(question(lambda: 0, shows=lambda: task_list(ks.boot())).shows(), Picture)


@pytest.mark.parametrize("choice", [2, -1, "c", "", "this"])
def test_an_option_that_does_not_exist_is_refused(choice):
    with pytest.raises(ValueError, match="there is no option"):
        question(lambda: 0).check(choice)


@pytest.mark.parametrize("choice", [None, 1.0, True])
def test_what_is_no_choice_is_refused(choice):
    with pytest.raises(TypeError, match="by number or letter"):
        question(lambda: 0).check(choice)


def test_a_typed_in_answer_is_refused():
    with pytest.raises(TypeError, match="an answer is computed"):
        question(1)


@pytest.mark.parametrize("options", [[], ["one"], ["same", "same"]])
def test_a_question_needs_two_different_options(options):
    with pytest.raises(ValueError, match="two options or more"):
        Question("?", options, lambda: 0)


@pytest.mark.parametrize(
    ("answer", "error"), [(2, ValueError), (-1, ValueError), (True, TypeError), ("a", TypeError)]
)
def test_a_computed_answer_that_is_no_option_is_an_error(answer, error):
    with pytest.raises(error):
        _ = question(lambda: answer).right
