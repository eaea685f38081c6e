"""Predict, then see."""

import pytest

import kernelsim as ks
from kernelsim.exercise import Option, Question
from kernelsim.widget import Predict

asked = []


def question(answer=lambda: asked.append(1) or 1, **more):
    options = [Option("at the <beginning>", "No: `list_add` does."), Option("at the end", "Yes.")]
    return Question("Where does `fork` put the child?", options, answer, **more)


@pytest.fixture(autouse=True)
def _none_asked():
    asked.clear()


def test_nothing_is_computed_or_told_before_the_reader_commits():
    predict = Predict(question())
    told = str(predict.get_state()) + str(predict._repr_mimebundle_())
    assert asked == []
    assert "list_add" not in told
    assert "Yes." not in told


def test_the_feedback_is_that_of_the_option_chosen():
    predict = Predict(question())
    predict.heard({"do": "commit", "choice": 0, "why": "a stack"})
    assert (predict.chosen, predict.why) == (0, "a stack")
    assert predict.revealed == {"right": 1, "correct": False, "feedback": "No: `list_add` does."}


def test_the_first_commitment_counts():
    predict = Predict(question())
    predict.heard({"do": "commit", "choice": 0})
    predict.heard({"do": "commit", "choice": 1})
    assert predict.chosen == 0
    assert asked == [1]


@pytest.mark.parametrize("choice", [-1, 2, "x", None])
def test_a_choice_that_does_not_exist_is_no_commitment(choice):
    predict = Predict(question())
    predict.heard({"do": "commit", "choice": choice})
    assert predict.chosen == -1
    assert predict.trouble
    predict.heard({"do": "commit", "choice": 1})
    assert predict.revealed["correct"]


def test_a_machine_that_cannot_answer_says_so():
    predict = Predict(question(lambda: 1 // 0))
    predict.heard({"do": "commit", "choice": 1})
    assert predict.trouble == (
        "The machine could not find out (ZeroDivisionError: integer division or modulo by zero)."
    )
    assert predict.chosen == -1


def test_what_there_is_to_see_comes_with_the_answer():
    picture = ks.view.task_list(ks.boot())
    predict = Predict(question(shows=lambda: picture))
    predict.commit(1)
    assert predict.revealed["svg"] == picture.svg
    predict = Predict(question(shows=lambda: "a line"))
    predict.commit(1)
    assert predict.revealed["words"] == "a line"


def test_without_a_kernel_it_is_the_question_and_its_options():
    static = Predict(question()).static()
    assert static["text/plain"].splitlines() == [
        "Where does `fork` put the child?",
        "  a) at the <beginning>",
        "  b) at the end",
    ]
    assert "<b>a)</b> at the &lt;beginning&gt;<br>" in static["text/html"]
