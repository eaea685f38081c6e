"""Questions that are answered with steps in order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.exercise import Order, Step

asked = []
RIGHT = ["dup", "copy", "pid", "wake"]


def order(answer=None, **more):
    steps = [
        Step("dup_task_struct()", "There must be a struct to fill.", "dup"),
        Step("copy_files() and the others", "They fill the struct.", "copy"),
        Step("alloc_pid()", "A number comes late: what fails before costs none.", "pid"),
        Step("wake_up_new_task()", "Whoever runs has to be whole.", "wake"),
        Step("exec_binprm()", "That is another call, execve.", "exec"),
    ]
    answer = answer or (lambda: asked.append(1) or RIGHT)
    return Order("What does kernel_clone do?", steps, answer, yes="Yes.", **more)


@pytest.fixture(autouse=True)
def _none_asked():
    asked.clear()


# Numbers of steps by their values.
def by(q, *values):
    return [next(i for i, s in enumerate(q.steps) if s.value == v) for v in values]


def test_the_steps_are_mixed_the_same_way_whoever_wrote_them_in_which_order():
    one, other = order(), order()
    assert [s.text for s in one.steps] == [s.text for s in other.steps]
    texts = ["a", "b", "c", "d", "e", "f"]
    forward = Order("?", texts, lambda: texts)
    backward = Order("?", texts[::-1], lambda: texts)
    assert str(forward) == str(backward)
    assert str(forward) != "\n".join(["?", *(f"  - {text}" for text in texts)])
    assert asked == []


def test_the_machines_order_is_right_and_computed_once():
    q = order()
    verdict = q.check(by(q, *RIGHT))
    assert (verdict.correct, verdict.feedback, asked) == (True, "Yes.", [1])
    assert {note.mark for note in verdict.notes} == {"kept"}
    assert verdict.did.splitlines()[0] == "1. dup_task_struct()"
    assert q.check([step.text for i in by(q, *RIGHT) for step in [q.steps[i]]]).correct
    assert asked == [1]


def said(q, *values):
    verdict = q.check(by(q, *values))
    assert not verdict.correct
    return verdict.feedback, {note.text for note in verdict.notes if note.mark != "kept"}


def test_a_step_that_stands_too_early_is_named_and_why():
    assert said(order(), "pid", "dup", "copy", "wake") == (
        "3 of 4 steps are in order; 1 thing is wrong.",
        {
            (
                "“alloc_pid()” stands too early: it comes after “copy_files() and the others”. "
                "A number comes late: what fails before costs none."
            )
        },
    )


def test_a_step_that_stands_too_late_is_named_and_why():
    _, notes = said(order(), "copy", "pid", "wake", "dup")
    assert notes == {
        (
            "“dup_task_struct()” stands too late: it comes before “copy_files() and the others”. "
            "There must be a struct to fill."
        )
    }


def test_a_line_that_does_not_belong_is_named_and_why():
    feedback, notes = said(order(), "dup", "copy", "pid", "exec", "wake")
    assert feedback == "4 of 4 steps are in order; 1 thing is wrong."
    assert notes == {"“exec_binprm()” does not belong here. That is another call, execve."}


def test_a_step_that_is_left_out_is_named():
    assert said(order(), "copy", "pid", "wake")[1] == {
        "“dup_task_struct()” is missing: it comes first. There must be a struct to fill."
    }
    assert said(order(), "dup", "copy", "wake")[1] == {
        (
            "“alloc_pid()” is missing: it comes after “copy_files() and the others”. "
            "A number comes late: what fails before costs none."
        )
    }


# Against trying every subset: as few steps as possible are called wrong, and those kept are in
# the machine's order.
@given(st.permutations(range(6)), st.permutations(range(6)), st.integers(1, 6), st.integers(1, 6))
def test_as_few_steps_as_possible_are_called_wrong(one, other, n, m):
    texts = [f"step {i}" for i in range(6)]
    q = Order("?", texts, lambda: [texts[i] for i in other[:m]])
    verdict = q.check([texts[i] for i in one[:n]])
    kept = [note.item for note in verdict.notes if note.mark == "kept"]
    assert kept == [i for i in q.right if i in kept]
    common = max(
        size
        for size in range(7)
        for run in itertools.combinations(verdict.chosen, size)
        if list(run) == [i for i in q.right if i in run]
    )
    assert len(kept) == common
    assert sorted(note.item for note in verdict.notes) == sorted({*verdict.chosen, *q.right})
    assert verdict.correct == (one[:n] == other[:m])


@pytest.mark.parametrize("answer", [[], [9], [-1], [0, 0], ["nothing"]])
def test_what_is_no_order_of_the_steps_is_told_before_the_machine_runs(answer):
    with pytest.raises((ValueError, TypeError), match=r"no step|No step|a step is given"):
        order().check(answer)
    assert asked == []


@pytest.mark.parametrize("answer", [None, 1, "abc", {"a": 1}, [None], [1.0], [True], [[0]]])
def test_what_cannot_be_an_order_is_refused(answer):
    with pytest.raises(TypeError, match=r"an order is a list|a step is given"):
        order().check(answer)


def test_authors_hear_of_their_mistakes():
    with pytest.raises(TypeError, match="an answer is computed"):
        Order("?", ["a", "b"], ["a", "b"])
    for steps in ([], ["a"], ["a", "a"]):
        with pytest.raises(ValueError, match="two steps or more"):
            Order("?", steps, list)
    with pytest.raises(ValueError, match="two steps stand for one value"):
        Order("?", [Step("a", value=1), Step("b", value=1)], lambda: [1])
    for answer in ([], ["a", "a"], ["c"]):
        with pytest.raises(ValueError, match=r"the machine's step|each step is taken once"):
            Order("?", ["a", "b"], lambda answer=answer: answer).check([0])
