"""Drills: one question after the other, of a chosen topic and level, and how many were right."""

import pytest

from kernelsim import exercise
from kernelsim.exercise import Question
from kernelsim.widget import Drill, scripts
from kernelsim.widget import drill as drill_module

TOPICS = ("container_of", "bytes")


def drill(**options):
    return Drill(exercise.questions(*TOPICS), **options)


def send(widget, **message):
    widget.bar.heard(message)


def wrong(widget):
    return 0 if widget.question.question.right else 1


def test_it_asks_the_topics_in_turn_and_the_same_questions_again():
    one, other = drill(), drill()
    asked = []
    for _ in range(5):
        assert one.question.prompt == other.question.prompt
        asked.append(one.question.prompt)
        one.next()
        send(other, do="next")
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
    assert widget.score == "question 1"
    right = widget.question.question.right
    widget.question.commit(right)
    widget.question.commit(1 - min(right, 1))
    assert widget.score == "question 1; 1 right of 1"
    widget.next()
    assert widget.score == "question 2; 1 right of 1"
    widget.question.commit(wrong(widget))
    assert widget.score == "question 2; 1 right of 2"


def test_going_back_shows_the_question_as_it_was_answered_and_counts_nothing():
    widget = drill()
    send(widget, do="previous")
    assert widget.seed == 1
    first = widget.question
    first.commit(wrong(widget))
    send(widget, do="next")
    send(widget, do="previous")
    assert widget.question is first
    assert widget.question.committed
    assert widget.score == "question 1; 0 right of 1"


def test_another_question_shows_no_answer_and_can_be_answered():
    widget = drill()
    widget.question.commit(0)
    widget.next()
    assert not widget.question.committed
    assert widget.children == (widget.bar, widget.question)


def test_the_reader_chooses_topic_and_level_and_begins_with_the_first_question():
    widget = drill(seed=3)
    send(widget, do="topic", topic="bytes")
    assert (widget.bar.topic, widget.seed) == ("bytes", 1)
    assert widget.question.prompt == exercise.ask("bytes", 1).prompt
    send(widget, do="level", level=3)
    assert widget.question.prompt == exercise.ask("bytes", 1, 3).prompt
    send(widget, do="topic", topic="")
    assert widget.question.prompt == exercise.ask("container_of", 1, 3).prompt
    with pytest.raises(LookupError, match="no topic 'the next pid' here"):
        widget.choose("the next pid")
    with pytest.raises(ValueError, match="no level 7"):
        widget.choose("bytes", 7)


def test_without_questions_it_asks_about_everything():
    assert Drill().bar.topics == exercise.topics()


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"do": "explode"},
        {"do": "topic", "topic": "nope"},
        {"do": "topic", "topic": ["bytes"]},
        {"do": "topic"},
        {"do": "level", "level": 9},
        {"do": "level", "level": "2"},
        {"do": "level", "level": True},
    ],
)
def test_odd_messages_do_nothing(message):
    widget = drill()
    before = widget.question
    send(widget, **message)
    assert widget.question is before
    assert widget.bar.trouble == ""


def test_questions_of_the_authors_own_leave_nothing_to_choose_and_a_failure_is_told():
    def own(number):
        if number == 2:
            raise RuntimeError("no more")
        return Question("Which?", ["this", "that"], lambda: 0)

    widget = Drill(own)
    assert widget.bar.topics == []
    before = widget.question
    send(widget, do="next")
    assert (widget.seed, widget.question) == (1, before)
    assert widget.bar.trouble == "There is no such question (RuntimeError: no more)."
    send(widget, do="previous")
    assert "no more" in widget.bar.trouble


def test_only_the_last_questions_are_kept_and_none_counts_twice(monkeypatch):
    monkeypatch.setattr(drill_module, "KEPT", 2)
    widget = drill()
    first = widget.question
    first.commit(wrong(widget))
    for _ in range(4):
        widget.next()
    assert len(widget._asked) == 3
    widget.ask(1)
    assert widget.question is not first
    widget.question.commit(wrong(widget))
    assert widget.score == "question 1; 0 right of 1"


def test_hard_questions_of_other_kinds_are_asked_too():
    widget = Drill(exercise.questions("who adopts the orphan", "the next pid", level=3))
    assert widget.question.question.kind == "parent"
    widget.next()
    assert widget.question.question.kind == "number"
    widget.question.commit(str(widget.question.question.right))
    assert widget.score == "question 2; 1 right of 1"


def test_without_a_kernel_it_is_its_first_question():
    static = drill().static()
    assert static["text/plain"].startswith("Drill, question 1\nIn a struct ")
    assert "<b>a)</b>" in static["text/html"]
    assert "Yes" not in static["text/html"] + static["text/plain"]


def test_the_script_of_the_bar_is_small():
    assert len(scripts.script("drill")) < 30 * 1024
    assert len(scripts.style("drill")) < 15 * 1024
