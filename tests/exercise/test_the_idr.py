"""The chapter on the IDR: its questions, drills and tasks, against a model and against real Linux."""

import importlib.util
import re
from pathlib import Path

import pytest

from kernelsim import exercise
from kernelsim.exercise import bank, the_idr

HERE = Path(__file__).parent
SEEDS = range(1, 25)
each_level = pytest.mark.parametrize("level", [1, 2, 3])


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "solutions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOLUTIONS = load("idr_tasks")
NAMES = ("idr_find",)
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


def test_each_question_of_the_chapter_is_in_the_bank():
    named = {name.removeprefix("06-").replace("-", "_") for name in bank.names("06")}
    assert named == set(the_idr.__all__)


@pytest.mark.parametrize(
    ("name", "did"),
    [
        ("how_far_the_list_is_walked", "it would walk from the head, link by link, and compare"),
        ("when_a_number_is_free", "from when its parent has waited for it"),
        ("which_number_comes_next", "9"),
        ("what_comes_after_the_last", "301"),
        ("what_full_means", "fork fails with EAGAIN: no number is left"),
        ("which_bits_are_clear", "5"),
        ("how_many_nodes_64_needs", "3"),
        ("how_many_nodes_5000_needs", "3"),
        ("which_slots_5000_takes", "1, 14, 8"),
        ("what_removing_does_to_the_tags", "in two: the leaf, and the one above"),
        ("what_null_means", "no: its bit of IDR_FREE is cleared"),
        ("how_long_the_chains_are", "eight"),
        ("what_a_wrong_bit_does", "it gets 2, and what had 2 before is found no more"),
    ],
)
def test_the_machine_answers_as_linux_does(name, did):
    assert getattr(the_idr, name)().did == did


def test_the_steps_of_alloc_pid_are_in_the_order_of_the_source():
    question = the_idr.in_which_order_alloc_pid_goes()
    assert [question.steps[i].value for i in question.right] == [
        "kmem_cache_alloc", "idr_preload", "idr_alloc_cyclic", "init_waitqueue_head", "idr_replace",
    ]  # fmt: skip


# ── The drills, against what lib/idr.c promises, written down as a dict and some arithmetic. ────


# What the last call of a drill gives: numbers in use and a cursor, nothing of a tree.
def next_id(prompt):
    used, cursor, given = set(), 0, None
    for name, args in re.findall(r"`idr_(\w+)\(([^)]*)\)`", prompt):
        values = [int(n) for n in re.findall(r"-?\d+", args)]
        if name == "remove":
            used.discard(values[0])
            continue
        start, end = values
        free = [n for n in range(start, end) if n not in used]
        if name == "alloc_cyclic":
            free = [n for n in free if n >= cursor] + [n for n in free if n < cursor]
        given = free[0] if free else None
        if given is not None:
            used.add(given)
            cursor = given + 1 if name == "alloc_cyclic" else cursor
    return "none: -ENOSPC" if given is None else str(given)


@each_level
def test_the_next_id_is_what_the_library_promises(level):
    seen = set()
    for seed in SEEDS:
        q = exercise.ask("the next id", seed, level)
        assert q.did == next_id(q.prompt), q.prompt
        seen.add(q.did)
    assert len(seen) > 3


@each_level
def test_the_digits_put_together_are_the_number(level):
    for seed in SEEDS:
        q = exercise.ask("the digits of an id", seed, level)
        number, value = int(re.match(r"\d+", q.prompt)[0]), 0
        for digit in map(int, q.did.split(", ")):
            assert 0 <= digit < 64
            value = value * 64 + digit
        assert value == number


@each_level
def test_the_nodes_are_the_different_beginnings_of_the_numbers(level):
    for seed in SEEDS:
        q = exercise.ask("which nodes there are", seed, level)
        listed, freed = re.search(
            r"numbers ([\d, ]+) are taken\.(?: Then (\d+))?", q.prompt
        ).groups()
        numbers = {int(n) for n in listed.split(", ")} - {int(freed or -1)}
        height = next(h for h in range(1, 5) if max(numbers) < 64**h)
        beginnings = {(level, n >> 6 * level) for n in numbers for level in range(1, height + 1)}
        if freed and 0 not in {n >> 6 * (height - 1) for n in numbers}:
            continue  # no shrinking: the top stays as high as it was
        assert q.did == str(len(beginnings)), q.prompt


@each_level
def test_a_bit_of_the_tag_is_set_for_each_slot_that_is_free(level):
    for seed in SEEDS:
        q = exercise.ask("the tag of a leaf", seed, level)
        taken, freed = re.search(r"numbers ([\d, ]+) are taken, then (\d+)", q.prompt).groups()
        used = {int(n) & 63 for n in taken.split(", ")} - {int(freed) & 63}
        assert int(q.did, 16) == sum(1 << bit for bit in range(8) if bit not in used)
