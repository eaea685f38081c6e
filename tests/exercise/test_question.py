"""Questions: answered by a computation, once, and only when somebody has chosen."""

import pytest

from kernelsim.exercise import Letter, Option, Question
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


def test_a_verdict_says_what_was_said_and_what_was_done():
    verdict = question(lambda: 1).check("a")
    assert (verdict.said, verdict.did, bool(verdict)) == ("this", "that", False)


def test_a_question_is_known_by_its_name_and_its_wording():
    one, two = question(lambda: 0), question(lambda: 1)
    assert one.key == two.key, "the answer has no part in it"
    assert one.key.startswith("#")
    two.name = "04-which"
    assert two.key == "04-which" + one.key
    assert Question("Which one?", ["this", "that"], lambda: 0).key != one.key


# ── The letter of a state ───────────────────────────────────────────────────────────────────────


def letter(answer="Z", **more):
    return Letter("Which letter?", lambda: answer, {"S": "It does not sleep."}, **more)


def test_the_letters_are_those_of_ps_with_their_names():
    assert str(letter()).splitlines()[1:] == [
        "  R) running",
        "  S) sleeping",
        "  D) disk sleep",
        "  T) stopped",
        "  t) tracing stop",
        "  Z) zombie",
        "  X) dead",
        "  I) idle",
    ]


def test_large_and_small_t_are_two_letters():
    assert letter("t").check("t").correct
    verdict = letter("t").check("T")
    assert (verdict.correct, verdict.said, verdict.did) == (False, "T, stopped", "t, tracing stop")


def test_whoever_says_a_wrong_letter_hears_what_it_means():
    assert letter().check("S").feedback.startswith("It does not sleep. `S` is a task that sleeps")
    assert letter().check("D").feedback.startswith("`D` is a task that sleeps and cannot be woken")


def test_the_letter_of_a_machine_is_the_one_it_shows():
    import kernelsim as ks

    def answer():
        k = ks.boot()
        bash = k.spawn("bash")
        child = k.task(k.call(bash, "fork"))
        k.call(child, "exit", 0)
        return ks.view.tasks.state(child)

    assert Letter("?", answer).check("Z").correct


def test_a_letter_that_does_not_exist_is_refused_by_who_writes_it_and_who_says_it():
    with pytest.raises(ValueError, match="W: the letters are R S D T t Z X I"):
        Letter("?", lambda: "R", {"W": "paging"})
    with pytest.raises(ValueError, match="there is no option 'W'"):
        letter().check("W")
    with pytest.raises(TypeError, match="an answer is computed"):
        Letter("?", "Z")
