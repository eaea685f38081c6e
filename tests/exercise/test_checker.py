"""The checkers: solutions pass; stubs, and answers with one wrong idea each, fail for the right reason."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

import kernelsim
from kernelsim import exercise
from kernelsim.exercise import checker
from kernelsim.exercise.checker import Case, Exercise, Finding
from kernelsim.exercise.workbench import Workbench

HERE = Path(__file__).parent
CHAPTER = HERE.parents[1] / "book" / "04-the-process-list.ipynb"
NAMES = ("comm_of", "list_add", "list_for_each_entry")


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "solutions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOLUTIONS, WRONG = load("lists"), load("wrong_lists")
WRONG_ANSWERS = [
    pytest.param(name, function, id=f"{name}-{function.__name__}")
    for name in NAMES
    for function in vars(getattr(WRONG, name)).values()
    if hasattr(function, "case")
]


# The functions that the chapter gives its readers to fill in, as they stand there.
def stubs():
    for cell in json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "exercise" in cell["metadata"].get("tags", ()):
            scope = {"ks": kernelsim}
            exec(source, scope)  # noqa: S102 - a cell of our own book
            yield next(found for name, found in scope.items() if name.startswith("my_"))


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_passes(name):
    report = exercise.check(getattr(SOLUTIONS, name))
    assert report, str(report)
    assert report.picture is None
    assert str(report) == f"{name}: {len(report.results)} cases, all pass. Well done."


def test_the_chapter_has_a_stub_for_each_exercise_and_none_passes():
    found = list(stubs())
    assert [stub.__name__ for stub in found] == [f"my_{name}" for name in NAMES]
    for stub in found:
        report = exercise.check(stub)
        assert not report
        assert len(report.failures) == len(report.results)


@pytest.mark.parametrize(("name", "function"), WRONG_ANSWERS)
def test_a_wrong_answer_fails_where_it_is_wrong_and_is_told_why(name, function):
    report = exercise.check(function, name)
    failing = [words for words, finding in report.results if finding is not None]
    assert failing, "it passes"
    assert failing[0] == function.case
    assert function.words in " ".join(str(report).split())


def test_a_wrong_list_is_drawn_with_its_wrong_words_marked():
    report = exercise.check(WRONG.list_add.three_of_four, "list_add")
    data = report._repr_mimebundle_()
    assert "head: " not in data["text/plain"].splitlines()[0]
    assert "prev (+0x8) = &head [changed, was to be &N.link]" in data["text/plain"]
    assert 'class="' in data["image/svg+xml"]
    assert "<pre>list_add: 0 of 5" in data["text/html"]
    assert 'alt="' in data["text/html"]


def test_a_report_is_the_same_text_every_time():
    first, second = (
        exercise.check(WRONG.comm_of.from_the_middle, "comm_of")._repr_mimebundle_() for _ in "ab"
    )
    assert first == second


def test_checking_leaves_the_tracing_of_a_debugger_as_it_was():
    def seen(frame, event, arg):
        return seen

    before = sys.gettrace()
    sys.settrace(seen)
    try:
        exercise.check(SOLUTIONS.list_add)
        assert sys.gettrace() is seen
    finally:
        sys.settrace(before)


def test_what_the_readers_code_raises_does_not_escape_but_an_interrupt_does():
    def interrupted(new, head):
        raise KeyboardInterrupt

    assert "raises ValueError" in checker.attempt(int, "x").trouble
    with pytest.raises(KeyboardInterrupt):
        exercise.check(interrupted, "list_add")


def test_a_function_that_stores_elsewhere_too_is_judged_by_the_list_alone():
    def with_a_weight(new, head):
        SOLUTIONS.list_add(new, head)
        new.machine_.write(new.address_ + 16, bytes(8))

    assert exercise.check(with_a_weight, "list_add")


def test_an_exercise_that_does_not_exist_is_a_clear_error():
    def list_ad(new, head):
        pass

    with pytest.raises(LookupError, match="no exercise 'list_ad'; there are comm_of, list_add"):
        exercise.check(list_ad)
    with pytest.raises(TypeError, match="a function is checked, not int"):
        exercise.check(3, "list_add")


def test_only_the_first_failing_case_is_explained():
    cases = [
        Case("one", lambda f: None),
        *(Case(n, lambda f, n=n: Finding(f"why {n}")) for n in "ab"),
    ]
    report = Exercise("x", "", lambda: cases).check(print)
    assert str(report).splitlines() == [
        "x: 1 of 3 cases pass.", "  pass  one", "  FAIL  a", "        why a", "  FAIL  b",
    ]  # fmt: skip


# --- the workbench ----------------------------------------------------------------------------


def test_a_walk_says_where_it_goes_astray():
    bench = Workbench("ABC", "D")
    assert (bench.walk(), bench.walk("prev")) == ("A B C", "C B A")
    bench.link("B").next = bench.link("A")
    assert bench.walk() == "A B A …, round for ever"
    bench.link("B").next = bench.entries["C"].address_
    assert bench.walk() == "A B astray"
    bench.do("list_del", "C")
    bench.link("B").next = bench.link("C")
    assert bench.walk() == "A B C astray"
    bench.link("B").next = None
    assert bench.walk() == "A B astray"


def test_any_state_of_the_workbench_can_be_drawn():
    bench = Workbench("AB", "C")
    for value in (
        0,
        0x1234,
        0xDEAD000000000100,
        bench.link("A").address_,
        bench.entries["A"].address_,
    ):
        for name in ("head", "A", "C"):
            for word in ("next", "prev"):
                setattr(bench.link(name), word, value)
                assert "<svg" in bench.picture("anything").svg
