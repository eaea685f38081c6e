"""Predict, then see."""

import json

import pytest

import kernelsim as ks
from kernelsim.exercise import Letter, Number, Option, Order, Parent, Question, Step, Text, progress
from kernelsim.widget import Predict
from kernelsim.widget import predict as predicting

asked = []


def question(answer=lambda: asked.append(1) or 1, **more):
    options = [Option("at the <beginning>", "No: `list_add` does."), Option("at the end", "Yes.")]
    return Question("Where does `fork` put the child?", options, answer, **more)


def tree():
    return ks.view.process_tree(ks.boot())


def each_kind():
    """A question of each kind, an answer as a page sends it, and one that is none."""

    def found(value):
        return lambda: asked.append(1) or value

    return {
        "choice": (question(found(1)), 0, 2),
        "letter": (Letter("Which letter?", found("Z")), 1, 8),
        "number": (Number("How many?", found(4), {3: "Almost."}), "0x3", "abc"),
        "text": (Text("What is printed?", found("a\nb"), near={"a": "And?"}), "a\n", " "),
        "parent": (Parent("Whose?", tree(), found(1)), 2, "0x10"),
        "order": (Order("Sort.", [Step("x"), Step("y"), Step("z")], found(["x", "y"])), [2], [7]),
    }


kinds = pytest.mark.parametrize("kind", list(each_kind()))


@pytest.fixture(autouse=True)
def _none_asked():
    asked.clear()


@kinds
def test_nothing_is_computed_or_told_before_the_reader_commits(kind):
    predict = Predict(each_kind()[kind][0])
    state = {name: value for name, value in predict.get_state().items() if name[0] != "_"}
    assert json.loads(json.dumps(state)) == state
    assert predict._repr_mimebundle_()
    assert asked == []
    assert not predict.committed


@kinds
def test_one_answer_counts_and_the_machine_runs_once(kind):
    question, answer, _ = each_kind()[kind]
    predict = Predict(question)
    predict.heard({"do": "commit", "answer": answer, "why": "a stack", "sure": "guess"})
    assert predict.committed
    first = predict.revealed
    assert json.loads(json.dumps(first)) == first
    assert (first["correct"], first["why"], first["sure"]) == (False, "a stack", "guess")
    assert first["said"] != first["did"]
    assert predict.chosen == question.read(answer)
    predict.heard({"do": "commit", "answer": question.right, "why": "", "sure": ""})
    predict.commit(question.right)
    assert predict.revealed is first
    assert asked == [1]


@kinds
def test_what_is_no_answer_is_told_and_does_not_count(kind):
    question, answer, wrong = each_kind()[kind]
    predict = Predict(question)
    for turn, nonsense in enumerate((wrong, wrong, None, {}, True, {"a": []}), 1):
        predict.heard({"do": "commit", "answer": nonsense})
        assert predict.trouble
        assert predict.refusals == turn, "the same trouble is told again"
    predict.heard({"do": "commit"})
    assert not predict.committed
    assert asked == []
    predict.heard({"do": "commit", "answer": answer})
    assert predict.committed


def test_the_options_feedback_waits_with_the_answer():
    predict = Predict(question())
    told = str(predict.get_state()) + str(predict._repr_mimebundle_())
    assert "list_add" not in told
    assert "Yes." not in told


def test_the_feedback_is_that_of_the_option_chosen():
    predict = Predict(question())
    predict.heard({"do": "commit", "answer": 0, "why": "a stack", "sure": "sure"})
    assert (predict.chosen, predict.why, predict.sure) == (0, "a stack", "sure")
    assert predict.revealed == {
        "correct": False,
        "said": "at the <beginning>",
        "did": "at the end",
        "feedback": "No: `list_add` does.",
        "notes": [],
        "answer": 0,
        "right": 1,
        "why": "a stack",
        "sure": "sure",
    }


def test_a_task_and_its_steps_cross_as_the_page_knows_them():
    predict = Predict(each_kind()["parent"][0])
    predict.commit(2)
    assert {predict.revealed["answer"], predict.revealed["right"]} < set(predict.form["names"])
    predict = Predict(each_kind()["order"][0])
    predict.commit(["z", "y"])
    steps = predict.form["steps"]
    assert [steps[i] for i in predict.revealed["answer"]] == ["z", "y"]
    assert [(steps[i], mark) for i, mark, _ in predict.revealed["notes"]] == [
        ("z", "stray"),
        ("y", "kept"),
        ("x", "missing"),
    ]


def test_a_machine_that_cannot_answer_says_so_and_nothing_is_committed():
    predict = Predict(question(lambda: 1 // 0))
    predict.heard({"do": "commit", "answer": 1})
    assert predict.trouble == (
        "The machine could not find out (ZeroDivisionError: integer division or modulo by zero)."
    )
    assert not predict.committed


def test_odd_reasons_and_confidences_are_not_taken():
    for why, sure in ((None, None), (7, "very"), (["x"], {})):
        predict = Predict(question())
        predict.heard({"do": "commit", "answer": 1, "why": why, "sure": sure})
        assert (predict.why, predict.sure, predict.committed) == ("", "", True)
    predict = Predict(question())
    predict.heard({"do": "commit", "answer": 1, "why": "x" * 999, "sure": "guess"})
    assert len(predict.why) == 200


def test_what_there_is_to_see_comes_with_the_answer():
    picture = ks.view.task_list(ks.boot())
    predict = Predict(question(shows=lambda: picture))
    predict.commit(1)
    assert [p["svg"] for p in predict.revealed["pictures"]] == [picture.svg]
    predict = Predict(question(shows=lambda: (tree(), picture)))
    predict.commit(1)
    shown = predict.revealed["pictures"]
    assert [(p["caption"], p["words"]) for p in shown] == [
        ("before", tree().text),
        ("after", picture.text),
    ]
    predict = Predict(question(shows=lambda: "a line"))
    predict.commit(1)
    assert predict.revealed["words"] == "a line"


# ── Progress ────────────────────────────────────────────────────────────────────────────────────


def test_what_a_reader_commits_on_a_page_is_kept_and_what_python_commits_is_not(tmp_path):
    kept = progress.Progress(tmp_path / progress.NAME)
    Predict(question(), kept).commit(0)
    assert kept.records() == []
    predict = Predict(question(), kept)
    predict.heard({"do": "commit", "answer": 7})
    assert kept.records() == []
    predict.heard({"do": "commit", "answer": 0, "why": "so", "sure": "guess"})
    predict.heard({"do": "commit", "answer": 1})
    (record,) = kept.records()
    assert record.prompt == "Where does `fork` put the child?"
    (tried,) = record.tries
    assert (tried["answer"], tried["correct"], tried["why"], tried["sure"]) == (
        "at the <beginning>",
        False,
        "so",
        "guess",
    )
    assert predict.notice == ""


def test_the_reader_hears_of_progress_that_is_not_kept(tmp_path):
    kept = progress.Progress(tmp_path / "no folder" / progress.NAME)
    predict = Predict(question(), kept)
    told = []
    predict.observe(told.append, "revealed")
    predict.heard({"do": "commit", "answer": 0})
    assert predict.notice.startswith("Your progress is not kept: ")
    assert len(told) == 1, "what counts answers counts one"


def test_in_a_notebook_progress_is_kept_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Predict(question()).heard({"do": "commit", "answer": 0})
    assert list(tmp_path.iterdir()) == [], "nobody is there"
    monkeypatch.setattr(predicting, "_somebody_is_there", lambda: True)
    Predict(question()).heard({"do": "commit", "answer": 0})
    assert [path.name for path in tmp_path.iterdir()] == ["kernelsim-progress.json"]


# ── Without a kernel ────────────────────────────────────────────────────────────────────────────


def test_without_a_kernel_it_is_the_question_and_its_options():
    static = Predict(question()).static()
    assert static["text/plain"].splitlines() == [
        "Where does `fork` put the child?",
        "  a) at the <beginning>",
        "  b) at the end",
    ]
    assert "<b>a)</b> at the &lt;beginning&gt;<br>" in static["text/html"]


@kinds
def test_without_a_kernel_the_question_is_readable_and_not_answered(kind):
    made, answer, _ = each_kind()[kind]
    predict = Predict(made)
    before = predict.static()
    assert before["text/plain"] == str(made)
    assert f"<p>{made.prompt.split('`')[0]}" in before["text/html"]
    assert "<details" not in before["text/html"]
    assert asked == []
    predict.commit(answer)
    assert predict.static() == before


def test_a_drawn_question_is_drawn_without_a_kernel_too():
    static = Predict(each_kind()["parent"][0]).static()
    assert static["image/svg+xml"] == tree().svg
    assert '<img alt="' in static["text/html"]
    assert "  - init (pid 1)" in static["text/plain"]


HOSTILE = ("<img src=x onerror=alert(1)>", '"];}', "a\nb", "\U0001f427", " " * 3 + "x", "x" * 1000)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text):
    for made in (
        Question(text, [text, "b"], lambda: 0),
        Order(text, [text, "b"], lambda: ["b"]),
        Text(text, lambda: text),
    ):
        shown = Predict(made).static()["text/html"]
        assert "<img" not in shown
