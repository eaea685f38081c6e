"""The questions and functions of the chapter on process states: what is right, and what wrong ideas hear."""

import json
import runpy
from pathlib import Path

import pytest

import kernelsim
from kernelsim import exercise
from kernelsim.exercise import bank, letters, process_states, signalled_states
from kernelsim.exercise.number import Number

ANSWERS = {
    "how-many-are-on-the-cpu": "1",
    "which-number-is-killable": "0x102",
    "what-sigkill-does-to-a-zombie": "stays there as Z",
    "letter-of-a-new-child": "R, running",
    "which-state-in-a-call": "TASK_RUNNING, as before",
    "who-sets-the-state": "the process itself",
    "does-a-sleeper-use-the-cpu": "none",
    "where-a-woken-task-goes": "on the run queue",
    "what-ends-a-killable-sleep": "SIGKILL and SIGTERM",
    "what-counts-as-load": "3",
    "letter-of-idle": "I, idle",
    "does-a-stopped-one-die": "T, stopped",
    "which-words-has-a-zombie": "`state` TASK_DEAD, `exit_state` EXIT_ZOMBIE",
    "letter-of-a-killed-disk-sleep": "D, disk sleep",
}


CHAPTER = Path(__file__).parents[2] / "book" / "03-process-states.ipynb"
SOLUTIONS = Path(__file__).parent / "solutions" / "letters.py"
SOLVED = runpy.run_path(str(SOLUTIONS))
to_char = SOLVED["task_state_to_char"]


def test_each_question_has_its_answer_here():
    assert bank.names("03") == [f"03-{name}" for name in ANSWERS]


@pytest.mark.parametrize(("name", "words"), ANSWERS.items())
def test_the_machine_answers_as_linux_does_and_every_other_answer_hears_why_not(name, words):
    asked = bank.question(f"03-{name}")
    assert words in asked.did
    if isinstance(asked, Number):
        assert asked.check(asked._computed).feedback.startswith("Yes")
        return
    for option in range(len(asked.options)):
        verdict = asked.check(option)
        assert verdict.correct == (option == asked.right)
        assert verdict.feedback


@pytest.mark.parametrize("name", letters.__all__)
def test_the_solution_passes(name):
    report = exercise.check(SOLVED[name], name)
    assert report, str(report)


WRONG = [
    (
        lambda s, e: 8 if s == 0x402 else (s & 0x7F).bit_length(),
        "a zombie",
        "bits of `exit_state` count too",
    ),
    (lambda s, e: ((s | e) & 0x7F).bit_length(), "an idle kernel thread", "is the exception: 8"),
    (lambda s, e: (s | e).bit_length(), "a task that waits in vfork", "mask them off"),
    (lambda s, e: None, "a task that runs", "returns None; the machine says 0"),
    (
        lambda s, e: 8 if s == 0x402 else ((s | e) & 0x7F & -((s | e) & 0x7F)).bit_length(),
        "a zombie that its tracer looks at",
        "the highest one decides",
    ),
]


@pytest.mark.parametrize(("function", "case", "words"), WRONG)
def test_a_wrong_idea_fails_where_it_is_wrong_and_is_told_why(function, case, words):
    report = exercise.check(function, "task_state_index")
    failing = [what for what, finding in report.results if finding is not None]
    assert failing[0] == case
    assert words in " ".join(str(report).split())


def test_a_letter_of_one_word_only_is_told_about_the_other():
    report = exercise.check(lambda s, e: to_char(s, 0), "task_state_to_char")
    assert "bits of `exit_state` count too" in " ".join(str(report).split())


def test_the_chapter_has_a_stub_for_each_exercise_and_none_passes():
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    stubs = [cell for cell in cells if "exercise" in cell["metadata"].get("tags", ())]
    assert len(stubs) == len(letters.__all__)
    for name, cell in zip(letters.__all__, stubs, strict=True):
        scope = {"ks": kernelsim}
        exec("".join(cell["source"]), scope)  # noqa: S102 - a cell of our own book
        report = exercise.check(scope[f"my_{name}"])
        assert len(report.failures) == len(report.results)


def test_questions_are_public_by_their_names():
    asked = {name for m in (process_states, signalled_states) for name in m.__all__}
    assert {name.replace("-", "_") for name in ANSWERS} <= asked
