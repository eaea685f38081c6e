"""The checkers: solutions pass; stubs, and answers with one wrong idea each, fail for the right reason."""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

import pytest

import kernelsim
from kernelsim import exercise
from kernelsim.exercise import checker, isolation
from kernelsim.exercise.checker import Case, Exercise, Finding
from kernelsim.exercise.workbench import Workbench
from kernelsim.include.linux import sched

HERE = Path(__file__).parent
CHAPTER = HERE.parents[1] / "book" / "04-the-process-list.ipynb"
NAMES = ("comm_of", "list_add", "list_for_each_entry")


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "solutions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOLUTIONS, WRONG = load("lists"), load("wrong_lists")
TASKS, WRONG_TASKS = load("tasks"), load("wrong_tasks")
MORE = ("count_descendants", "decode_status", "find_new_parent", "find_task_by_comm", "make_status")
MORE += ("next_pid",)
WRONG_ANSWERS = [
    pytest.param(name, function, id=f"{name}-{function.__name__}")
    for names, module in ((NAMES, WRONG), (MORE, WRONG_TASKS))
    for name in names
    for function in vars(getattr(module, name)).values()
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


def test_the_offsets_that_a_reader_is_given_are_those_of_the_struct():
    (given,) = [stub.__doc__ for stub in stubs() if stub.__name__ == "my_comm_of"]
    tasks, comm = (sched.task_struct.offsetof_(name) for name in ("tasks", "comm"))
    assert f"`tasks` is at offset {tasks:#x}, `comm` at {comm:#x}" in " ".join(given.split())


@pytest.mark.parametrize("name", [*NAMES, *MORE])
def test_the_solution_passes(name):
    report = exercise.check(getattr(SOLUTIONS if name in NAMES else TASKS, name))
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

    with pytest.raises(
        LookupError, match="no exercise 'list_ad'; there are comm_of, count_descendants"
    ):
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


# --- hostile functions --------------------------------------------------------------------------


def test_there_is_a_solution_for_every_exercise():
    others = (  # with tests of their own
        *(exercise.letters, exercise.clone_tasks, exercise.idr_tasks),
        *(exercise.identifier_tasks, exercise.namespace_tasks),
    )
    elsewhere = [name for module in others for name in module.__all__]
    assert sorted((*NAMES, *MORE, *elsewhere)) == sorted(checker._exercises)


def test_what_catches_everything_and_never_ends_is_stopped(monkeypatch):
    def deaf(task):
        while True:
            try:
                while True:
                    pass
            except BaseException:  # noqa: BLE001
                sys.settrace(None)

    monkeypatch.setattr(isolation, "CPU_SECONDS", 1)
    report = exercise.check(deaf, "count_descendants")
    assert len(report.results) == 1
    assert "needs more time or memory than there is" in str(report)


def test_what_sleeps_for_ever_is_stopped(monkeypatch):
    def asleep(task):
        time.sleep(1000)

    monkeypatch.setattr(isolation, "SECONDS", 2)
    assert "does not come back: stopped after 2 seconds" in str(
        exercise.check(asleep, "count_descendants")
    )


def test_what_takes_all_memory_is_told_so():
    def greedy(task):
        return bytearray(1 << 45)

    assert "raises MemoryError" in str(exercise.check(greedy, "count_descendants"))


def test_nothing_that_a_function_does_to_the_notebook_stays():
    told = []

    def global_changes(task):
        told.append(task.pid)
        os.environ["KERNELSIM_TEST"] = "changed"
        sys.setrecursionlimit(50_000)
        exercise.topics = None
        return 0

    before = sys.getrecursionlimit()
    exercise.check(global_changes, "count_descendants")
    assert (told, sys.getrecursionlimit()) == ([], before)
    assert "KERNELSIM_TEST" not in os.environ
    assert exercise.topics()


def test_the_beginning_of_what_is_printed_is_in_the_report(capfd):
    def loud(task):
        for n in range(20_000 // 3):
            print("line", n, "x" * 200)  # noqa: T201
        os.write(1, b"raw")
        return 0

    lines = str(exercise.check(loud, "count_descendants")).splitlines()
    assert any(line.startswith("    line 0 xxx") for line in lines)
    assert len(lines) < 40
    assert max(map(len, lines)) < 120
    assert capfd.readouterr() == ("", "")


def test_a_function_that_breaks_the_machine_is_a_failing_case():
    def destroys(task):
        m = task.machine_
        task.children.next = None
        m.write(m.symbol("init_task").address_, bytes(1024))
        return 0

    def cuts(new, head):
        head.next = head.prev = None

    report = exercise.check(destroys, "count_descendants")
    assert not report
    assert not exercise.check(cuts, "list_add")
    again = exercise.check(TASKS.count_descendants)
    assert again


def test_processes_that_a_function_starts_end_with_it(tmp_path):
    mark = tmp_path / "mark"

    def forks(task):
        if os.fork() == 0:
            time.sleep(3)
            mark.write_text("here")
            os._exit(0)
        return 0

    exercise.check(forks, "count_descendants")
    time.sleep(3.5)
    assert not mark.exists()


def test_where_there_is_no_fork_cases_are_tried_in_place(monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    assert exercise.check(TASKS.count_descendants)
    report = exercise.check(WRONG_TASKS.count_descendants.with_itself, "count_descendants")
    assert "The task itself is not below itself" in str(report)


@pytest.mark.parametrize("name", MORE)
def test_a_failing_report_is_the_same_text_every_time_and_shows_the_smallest_case(name):
    stub = getattr(WRONG_TASKS, name).stub
    first, second = (exercise.check(stub, name)._repr_mimebundle_() for _ in "ab")
    assert first == second
    if name in {"count_descendants", "find_new_parent", "find_task_by_comm"}:
        assert "<svg" in first["image/svg+xml"]


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
