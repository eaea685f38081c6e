"""The exercises and questions about clone: solutions pass, one wrong idea fails, the machine answers."""

import importlib.util
from pathlib import Path

import pytest

from kernelsim import exercise
from kernelsim.exercise import bank, creating_a_process, vfork_and_threads

HERE = Path(__file__).parent


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "solutions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOLUTIONS = load("clone_tasks")
NAMES = ("flags_for", "ids_of")
WRONG = [
    pytest.param(name, function, id=f"{name}-{function.__name__}")
    for name in NAMES
    for function in vars(getattr(SOLUTIONS, f"wrong_{name}")).values()
    if hasattr(function, "case")
]


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_passes(name):
    report = exercise.check(getattr(SOLUTIONS, name))
    assert report, str(report)


@pytest.mark.parametrize(("name", "function"), WRONG)
def test_a_wrong_answer_fails_where_it_is_wrong_and_is_told_why(name, function):
    report = exercise.check(function, name)
    failing = [words for words, finding in report.results if finding is not None]
    assert failing, "it passes"
    assert failing[0] == function.case
    assert function.words in " ".join(str(report).split())


@pytest.mark.parametrize("name", bank.names("07"))
def test_the_machine_answers_each_question_and_has_something_to_say(name):
    question = bank.question(name)
    assert question.did
    verdict = question.check(question.right)
    assert verdict.correct
    if question.kind == "choice":
        assert all(option.feedback for option in question.options)
        assert verdict.feedback.startswith(("Yes", "`D`"))


def test_every_question_of_the_chapter_has_a_name():
    made = len(creating_a_process.__all__) + len(vfork_and_threads.__all__)
    assert len(bank.names("07")) == made
