"""Drills: one question after the other, and how many were answered rightly."""

from kernelsim import exercise
from kernelsim.widget import Drill

TOPICS = ("container_of", "bytes")


def drill(**options):
    return Drill(exercise.questions(*TOPICS), **options)


def test_it_asks_the_topics_in_turn_and_the_same_questions_again():
    one, other = drill(), drill()
    asked = []
    for _ in range(5):
        assert one.question.prompt == other.question.prompt
        asked.append(one.question.prompt)
        one.another.click()
        other.another.click()
    wanted = [
        ("container_of", 1),
        ("bytes", 1),
        ("container_of", 2),
        ("bytes", 2),
        ("container_of", 3),
    ]
    assert asked == [exercise.ask(*which).prompt for which in wanted]
    assert drill(seed=4).question.prompt == asked[3]


def test_the_score_counts_what_was_committed_once():
    widget = drill()
    assert widget.score.value == "question 1"
    right = widget.question.question.right
    widget.question.commit(right)
    widget.question.commit(1 - min(right, 1))
    assert widget.score.value == "question 1; 1 right of 1"
    widget.another.click()
    assert widget.score.value == "question 2; 1 right of 1"
    right = widget.question.question.right
    widget.question.commit(0 if right else 1)
    assert widget.score.value == "question 2; 1 right of 2"


def test_another_question_shows_no_answer_and_can_be_answered():
    widget = drill()
    widget.question.commit(0)
    widget.another.click()
    assert not widget.question.committed
    assert widget.children[0] is widget.question


def test_without_a_kernel_it_is_its_first_question():
    static = drill().static()
    assert static["text/plain"].startswith("Drill, question 1\nThe struct list_head *pos is ")
    assert "<b>a)</b>" in static["text/html"]
    assert "Yes" not in static["text/html"] + static["text/plain"]
