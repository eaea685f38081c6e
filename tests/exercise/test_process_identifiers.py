"""The chapter on process identifiers: its questions, drills and task, against models and by running."""

import importlib.util
import re
from pathlib import Path

import pytest

from kernelsim import exercise
from kernelsim.exercise import bank, process_identifiers

HERE = Path(__file__).parent
SEEDS = range(1, 21)
each_level = pytest.mark.parametrize("level", [1, 2, 3])


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "solutions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOLUTIONS = load("identifier_tasks")
WRONG = [
    pytest.param(function, id=function.__name__)
    for function in vars(SOLUTIONS.wrong_pid_tasks).values()
    if hasattr(function, "case")
]


def test_the_solution_passes():
    report = exercise.check(SOLUTIONS.pid_tasks)
    assert report, str(report)


@pytest.mark.parametrize("function", WRONG)
def test_a_wrong_answer_fails_where_it_is_wrong_and_is_told_why(function):
    report = exercise.check(function, "pid_tasks")
    failing = [words for words, finding in report.results if finding is not None]
    assert failing, "it passes"
    assert failing[0] == function.case
    assert function.words in " ".join(str(report).split())


def test_each_question_of_the_chapter_is_in_the_bank():
    named = {name.removeprefix("05-").replace("-", "_") for name in bank.names("05")}
    assert named == set(process_identifiers.__all__)


@pytest.mark.parametrize(
    ("name", "did"),
    [
        ("how_many_are_on_the_list", "1"),
        ("whether_a_zombie_is_found", "4's process group"),
        ("what_getpid_says_in_a_thread", "3"),
        ("which_group_a_child_is_in", "4"),
        ("who_may_begin_a_session", "EPERM: there is a process group 4 already"),
        ("how_many_struct_pids", "3"),
        ("who_is_first_on_the_list", "6"),
        ("what_the_count_counts", "1"),
        ("is_the_number_of_a_dead_leader_free", "6"),
        ("when_a_number_comes_back", "10"),
        ("whom_a_kept_number_reaches", "the stranger gets the signal"),
        ("what_a_kept_struct_pid_leads_to", "to no task: its lists are empty"),
        ("how_high_pid_max_can_be", "to 4194304"),
        ("what_one_put_too_many_does", "an Oops: the number leads to freed memory"),
    ],
)
def test_the_machine_answers_as_linux_does(name, did):
    assert getattr(process_identifiers, name)().did == did


# ── The drills, against the rules of fork(2), setpgid(2), setsid(2), written down on dicts. ──────


# The tasks of a prompt, as {pid: [pid, tgid, pgid, sid]}, and the numbers that are held.
def told(prompt):
    first = int(re.search(r"The shell, number (\d+)", prompt)[1])
    tasks, held = {first: [first] * 4}, set()
    for line in re.findall(r"    `(.+?)`", prompt):
        numbers = [int(n) for n in re.findall(r"\d+", line)]
        who = numbers[0]
        if " forks " in line:
            tasks[numbers[1]] = [numbers[1], numbers[1], *tasks[who][2:]]
        elif "makes a thread" in line:
            tasks[numbers[1]] = [numbers[1], *tasks[who][1:]]
        elif "setpgid" in line or "setsid" in line:
            group = numbers[2] if "setpgid" in line and numbers[2] else who
            for task in tasks.values():
                if task[1] == who:
                    task[2] = group
                    task[3] = who if "setsid" in line else task[3]
        elif "takes a reference" in line:
            held.add(who)
        else:
            assert "exits" in line, line
            del tasks[who]
    return tasks, held


@each_level
def test_the_numbers_of_a_task_are_those_of_the_manual(level):
    asked = set()
    for seed in SEEDS:
        q = exercise.ask("the numbers of a task", seed, level)
        kind, who = re.search(r"What is the (\w+) of task (\d+)\?", q.prompt).groups()
        place = ("PID", "TGID", "PGID", "SID").index(kind)
        assert q.did == str(told(q.prompt)[0][int(who)][place]), q.prompt
        asked.add(kind)
    assert len(asked) == level


@each_level
def test_a_struct_pid_is_there_as_long_as_it_is_used_or_held(level):
    gone = 0
    for seed in SEEDS:
        q = exercise.ask("which struct pids there are", seed, level)
        tasks, held = told(q.prompt)
        alive = {n for task in tasks.values() for n in task} | held
        assert q.did == ", ".join(map(str, sorted(alive))), q.prompt
        gone += alive != set(tasks)
    assert gone, "no story leaves the number of somebody who is gone in use"


@each_level
def test_the_count_is_one_for_the_number_and_one_for_each_holder(level):
    seen = set()
    for seed in SEEDS:
        q = exercise.ask("the count of a struct pid", seed, level)
        tasks, held = told(q.prompt)
        who = int(re.search(r"that was (\d+)'s\?", q.prompt)[1])
        used = any(who in task for task in tasks.values())
        assert q.did == str(used + (who in held)), q.prompt
        seen.add((used, who in held))
    assert len(seen) >= (2 if level < 2 else 3)
