"""Recall: what is due, and nothing of it in a saved notebook."""

import datetime as dt

import pytest

from kernelsim.exercise import bank, progress
from kernelsim.widget import Recall

FIRST = dt.date(2026, 3, 1)
NAMES = bank.names("04")[:3]


def on(day):
    return lambda: FIRST + dt.timedelta(day)


@pytest.fixture
def kept(tmp_path):
    """The progress of a reader who has answered two questions rightly, and one wrongly between."""
    made = progress.Progress(tmp_path / progress.NAME, on(0))
    for name, right in zip(NAMES, (True, False, True), strict=True):
        asked = bank.question(name)
        choice = asked.right if right else (asked.right + 1) % 2
        made.add(asked, asked.check(choice), sure="sure")
    return made


def words(recall):
    return recall.said.value


def buttons(recall):
    return [child.description for child in recall.children[-1].children if child is not recall.said]


def test_wrong_ones_come_back_sooner(kept):
    assert Recall("05", kept, on(0)).due == []
    first = Recall("05", kept, on(1))
    assert first.asked == [NAMES[1]]
    assert first.question.question.name == NAMES[1]
    assert words(first) == "from chapter 04"
    third = Recall("05", kept, on(3))
    assert third.asked == [NAMES[1]]
    assert words(third) == "from chapter 04; 2 more due today"


def test_the_next_one_is_offered_when_this_one_is_answered_and_then_it_is_over(kept):
    kept.today = on(3)
    recall = Recall("05", kept, on(3))
    for left in (2, 1, 0):
        assert buttons(recall) == []
        recall.question.heard({"do": "commit", "answer": 0, "sure": "sure"})
        assert buttons(recall) == ["next question"]
        assert (f"{left} more" in words(recall)) == (left > 0)
        recall.another.click()
    assert recall.asked == [NAMES[1], NAMES[0], NAMES[2]]
    assert (recall.question, words(recall)) == (None, "That is all for today.")
    assert [len(record.tries) for record in kept.records()] == [2, 2, 2]
    assert Recall("05", kept, on(3)).due == []


def test_when_nothing_is_due_one_can_be_asked_anyway(kept):
    recall = Recall("05", kept, on(0))
    assert words(recall) == "Nothing is due today. The next question comes back on 2026-03-02."
    assert buttons(recall) == ["ask one anyway"]
    recall.anyway.click()
    assert recall.question.question.name == NAMES[1]


def test_it_asks_of_earlier_chapters_only_or_of_all(kept):
    assert Recall("04", kept, on(9)).question is None
    assert words(Recall("04", kept, on(9))) == (
        "Nothing has been answered yet that could come back."
    )
    assert Recall("", kept, on(9)).question is not None


def test_what_is_saved_hangs_on_no_reader_and_no_day(kept):
    saved = Recall("05", kept, on(0)), Recall("05", kept, on(3)), Recall()
    shown = [recall._repr_mimebundle_()[0] for recall in saved]
    for data in shown:
        del data["application/vnd.jupyter.widget-view+json"]
    assert shown[0] == shown[1] == shown[2]
    assert repr(saved[0]) == repr(saved[2])


def test_a_broken_file_of_progress_is_no_end_of_recall(tmp_path):
    path = tmp_path / progress.NAME
    path.write_text("no JSON")
    recall = Recall("05", progress.Progress(path), on(1))
    assert words(recall).startswith("Nothing has been answered yet")
    assert path.read_text() == "no JSON"
