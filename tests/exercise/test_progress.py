"""Progress: a file beside the notebook, which loses nothing."""

import csv
import datetime as dt
import json
import subprocess
import sys

import pytest

from kernelsim.exercise import Number, Question, bank, drill, progress, recall
from kernelsim.exercise.progress import Progress

FIRST = dt.date(2026, 3, 1)


def on(day):
    return lambda: FIRST + dt.timedelta(day)


@pytest.fixture
def file(tmp_path):
    return tmp_path / progress.NAME


def question(name="04-which"):
    made = Question("Which?", ["this", "that"], lambda: 1)
    made.name = name
    return made


def answer(kept, choice="b", day=0, sure="sure", asked=None, why=""):
    asked = asked or question()
    kept.today = on(day)
    return kept.add(asked, asked.check(choice), why=why, sure=sure)


def days(*tries):
    """After tries, each (day, correct, sure), the days until the question comes back."""
    made = [
        {"date": on(day)().isoformat(), "correct": correct, "sure": sure}
        for day, correct, sure in tries
    ]
    return (progress.due(made) - on(tries[-1][0])()).days


# ── When a question comes back ──────────────────────────────────────────────────────────────────


def test_a_right_answer_comes_back_later_each_time_up_to_three_weeks():
    tries = [(0, True, "sure"), (3, True, ""), (10, True, "think so"), (31, True, "sure")]
    assert [days(*tries[:n]) for n in range(1, 5)] == [3, 7, 21, 21]


def test_a_wrong_answer_comes_back_the_next_day_and_begins_anew():
    assert days((0, False, "sure")) == 1
    assert days((0, True, "sure"), (3, True, "sure"), (10, False, "sure")) == 1
    assert days((0, True, "sure"), (3, False, "sure"), (4, True, "sure")) == 3


def test_a_right_guess_goes_no_further():
    assert days((0, True, "guess")) == 1
    assert days((0, True, "sure"), (3, True, "guess")) == 3


def test_asked_again_too_early_a_right_answer_proves_nothing_and_a_wrong_one_counts():
    assert days((0, True, "sure"), (0, True, "sure"), (0, True, "sure")) == 3
    assert days((0, True, "sure"), (1, False, "sure")) == 1
    assert days((0, True, "sure"), (2, True, "sure")) == 1, "the day stays"


def test_what_was_never_tried_is_not_due():
    with pytest.raises(ValueError, match="never tried"):
        progress.due([])


def test_the_agenda_has_what_was_answered_of_earlier_chapters_by_day(file):
    kept = Progress(file)
    names = bank.names("04")[:3]
    for name, choice in zip(names, ("right", "wrong", "right"), strict=True):
        asked = bank.question(name)
        right = asked.right
        answer(kept, right if choice == "right" else (right + 1) % 2, asked=asked)
    answer(kept, asked=question("77-no-longer-there"))
    day = [on(1)(), on(3)(), on(3)()]
    assert recall.agenda(kept) == list(zip(day, [names[1], names[0], names[2]], strict=True))
    assert recall.agenda(kept, "05") == recall.agenda(kept)
    assert recall.agenda(kept, "04") == []


def test_a_question_that_was_worded_anew_keeps_its_turn(file):
    kept = Progress(file)
    name = bank.names("04")[0]
    old = Question("An older wording?", ["this", "that"], lambda: 1)
    old.name = name
    answer(kept, "b", asked=old)
    asked = bank.question(name)
    answer(kept, asked.right, day=3, asked=asked)
    assert recall.agenda(kept) == [(on(10)(), name)]


# ── The file ────────────────────────────────────────────────────────────────────────────────────


def test_each_question_has_one_record_with_every_try(file):
    kept = Progress(file)
    assert answer(kept, "a", why="a <b>reason</b>", sure="guess") == ""
    assert answer(kept, "b", day=1) == ""
    assert answer(kept, "3", asked=Number("How many?", lambda: 4)) == ""
    first, second = Progress(file).records()
    assert first.tries == (
        {
            "date": "2026-03-01",
            "answer": "this",
            "correct": False,
            "sure": "guess",
            "why": "a <b>reason</b>",
        },
        {"date": "2026-03-02", "answer": "that", "correct": True, "sure": "sure", "why": ""},
    )
    assert (first.name, first.prompt, first.due) == ("04-which", "Which?", on(4)())
    assert (second.name, second.prompt, second.last["answer"]) == ("", "How many?", "3")
    assert [path.name for path in file.parent.iterdir()] == [progress.NAME], "nothing is left over"


def test_two_notebooks_that_are_open_at_once_lose_nothing_of_each_other(file):
    one, other = Progress(file), Progress(file)
    answer(one, asked=question("04-one"))
    answer(other, asked=question("04-other"))
    answer(one, day=1, asked=question("04-one"))
    assert [(r.name, len(r.tries)) for r in other.records()] == [("04-one", 2), ("04-other", 1)]


GOOD = {"date": "2026-03-01", "answer": "b", "correct": True, "sure": "", "why": ""}


def whole(**record):
    return {
        "format": progress.FORMAT,
        "version": 1,
        "records": {"k": {"name": "", "prompt": "?", "tries": [GOOD], **record}},
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is broken: it is no JSON"),
        ('{"format": "kernelsim', "is broken: it is no JSON"),
        ("[" * 100_000, "is broken: it is no JSON"),
        ("[]", "is not a file of progress"),
        ('{"name": "somebody else\'s"}', "is not a file of progress"),
        (json.dumps({**whole(), "version": 2}), "made by another version"),
        (json.dumps({**whole(), "records": []}), "something is missing"),
        (json.dumps(whole(tries=[])), "something is missing"),
        (json.dumps(whole(tries=[{**GOOD, "date": "soon"}])), "something is missing"),
        (json.dumps(whole(tries=[{**GOOD, "correct": "yes"}])), "something is missing"),
        (json.dumps(whole(name=None)), "something is missing"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_is_none_of_ours_is_kept_aside(file, text, what):
    data = text if isinstance(text, bytes) else text.encode()
    file.write_bytes(data)
    kept = Progress(file)
    assert what in kept.show()
    assert file.read_bytes() == data, "looking changes nothing"
    said = answer(kept)
    assert what in said
    assert "It is kept as kernelsim-progress.json.kept-1, and a new one begins." in said
    assert file.with_name(f"{file.name}.kept-1").read_bytes() == data
    assert answer(kept, day=1) == ""
    assert len(kept.records()) == 1
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1


def test_the_good_file_that_the_broken_ones_are_made_from_is_good(file):
    file.write_text(json.dumps(whole()))
    assert len(Progress(file).records()) == 1


def test_where_nothing_can_be_written_it_works_without_and_says_so_once(tmp_path):
    kept = Progress(tmp_path / "not there" / progress.NAME)
    assert answer(kept).startswith("Your progress is not kept: ")
    assert answer(kept, day=1) == ""
    assert [len(record.tries) for record in kept.records()] == [2]


def test_what_is_half_written_never_takes_the_files_place(file, monkeypatch):
    kept = Progress(file)
    answer(kept)
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress.Path, "replace", full)
    assert "No space left" in answer(kept, day=1)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [progress.NAME]


def test_odd_and_long_texts_are_kept_as_far_as_a_file_can(file):
    kept = Progress(file)
    assert answer(kept, why="half \ud800 a pair \U0001f427\n" + "x" * 2000) == ""
    why = kept.records()[0].last["why"]
    assert why.startswith("half ? a pair \U0001f427\n")
    assert len(why) == 1000


def test_a_reset_keeps_the_old_file(file):
    kept = Progress(file)
    assert kept.reset() == "There was no progress yet."
    answer(kept)
    assert kept.reset() == "The old progress is kept as kernelsim-progress.json.kept-1."
    assert kept.records() == []
    answer(kept)
    assert kept.reset().endswith(".kept-2.")


# ── What is shown, and taken elsewhere ──────────────────────────────────────────────────────────


def test_what_was_answered_is_a_table(file):
    kept = Progress(file)
    assert kept.show() == "Nothing has been answered yet."
    asked = bank.question("04-how-many-nodes")
    answer(kept, (asked.right + 1) % 3, asked=asked)
    answer(kept, "4", asked=Number("How\nmany?", lambda: 4), sure="")
    lines = kept.show().splitlines()
    assert lines[0] == "1 of 2 questions answered rightly, at the last try."
    assert lines[2].split()[1:] == ["tries", "last", "answer", "how", "sure", "on", "comes", "back"]
    assert " ".join(lines[3].split()) == (
        "04-how-many-nodes 1 one, which is on all three lists wrong sure 2026-03-01 2026-03-02"
    )
    assert " ".join(lines[4].split()) == "How many? 1 4 right 2026-03-01", "it comes once only"


def test_it_is_exported_as_json_csv_and_markdown(file, tmp_path):
    kept = Progress(file)
    answer(kept, "a", why="=1+1 | or\nso")
    answer(kept, "b", day=2)
    (record,) = json.loads(kept.export(tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (record["name"], len(record["tries"]), record["due"]) == ("04-which", 2, "2026-03-06")
    with kept.export(tmp_path / "out.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["answer"] for row in rows] == ["this", "that"]
    assert rows[0]["why"] == "'=1+1 | or\nso", "no formula"
    lines = kept.export(tmp_path / "out.md").read_text(encoding="utf-8").splitlines()
    assert lines[2] == "| 04-which | Which? | 2026-03-01 | this | False | sure | =1+1 \\| or so |"
    with pytest.raises(ValueError, match=r"as \.json, \.csv or \.md, not '\.xls'"):
        kept.export(tmp_path / "out.xls")
    with pytest.raises(ValueError, match="is the progress itself"):
        kept.export(file)


def test_the_reader_sees_the_progress_of_the_folder_they_are_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert repr(progress.show()) == "Nothing has been answered yet."
    answer(progress.here())
    assert "04-which" in progress.show()
    assert progress.export("all.csv").exists()
    assert repr(progress.reset()).startswith("The old progress is kept")
    monkeypatch.chdir(tmp_path.parent)
    assert progress.show() == "Nothing has been answered yet."


def test_asking_and_answering_in_python_writes_nothing(tmp_path):
    program = (
        "import kernelsim as ks; q = ks.exercise.bank.question('04-how-many-nodes');"
        "p = ks.widget.Predict(q); p.commit(0); r = ks.widget.Recall(); r.ask(early=True);"
        "w = ks.widget.Predict(ks.exercise.bank.question('04-how-many-nodes'));"
        "w.heard({'do': 'commit', 'answer': 0}); print(w.committed, ks.exercise.progress.show())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True Nothing has been answered yet.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_drill_is_known_by_its_topic_and_does_not_come_back(file):
    kept = Progress(file)
    for seed in (1, 2):
        asked = drill.ask("container_of", seed)
        answer(kept, asked.right, asked=asked)
    assert [record.name for record in kept.records()] == ["drill-container_of"] * 2
    assert recall.agenda(kept) == []
    assert kept.show().splitlines()[-1].endswith("2026-03-01")
