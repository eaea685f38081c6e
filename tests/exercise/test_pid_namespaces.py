"""The chapter on PID namespaces: its questions, drills and tasks, against a model and real Linux."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

from kernelsim import exercise
from kernelsim.exercise import bank, namespace_tasks, pid_namespaces

HERE = Path(__file__).parent
SEEDS = range(1, 25)
each_level = pytest.mark.parametrize("level", [1, 2, 3])


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / "solutions" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SOLUTIONS = load("namespace_tasks")
NAMES = ("pid_nr_ns", "new_numbers")
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


def test_the_offsets_that_the_chapter_tells_are_those_of_the_structs():
    assert namespace_tasks.SIZES == (SOLUTIONS.NUMBERS, 16, SOLUTIONS.NS_LEVEL)


def test_each_question_of_the_chapter_is_in_the_bank():
    named = {name.removeprefix("10-").replace("-", "_") for name in bank.names("10")}
    assert named == set(pid_namespaces.__all__)


@pytest.mark.parametrize(
    ("name", "did"),
    [
        ("in_which_idrs_a_process_is", "in an IDR that leads to a struct pid"),
        ("what_a_dead_init_leaves", "0"),
        ("what_a_new_name_changes", "(none) and box"),
        ("what_fork_gives_after_the_end", "ENOMEM, with gigabytes of memory free"),
        ("what_getpid_says", "1"),
        ("what_kill_finds_inside", "ESRCH: there is no such process"),
        ("what_kill_from_outside_does", "B dies, and C with it"),
        ("what_kill_of_pid_1_does", "kill returns 0, and B lives on"),
        ("what_unshare_changes", "3, 1, 2"),
        ("which_numbers_at_each_level", "6, 3, 2"),
        ("who_adopts_inside", "5, B"),
        ("who_adopts_the_orphan", "init, number 1"),
        ("who_may_make_one", "CLONE_NEWUSER | CLONE_NEWPID"),
        (
            "who_waits_for_the_orphan",
            "it stays a zombie, as long as number 1 lives and does not wait",
        ),
        ("whom_a_number_means", "B"),
    ],
)
def test_the_machine_answers_as_linux_does(name, did):
    question = getattr(pid_namespaces, name)()
    assert question.did == did
    question.shows()


# ── The drills, against namespaces written down as counters and lists. ──────────────────────────


class Town:
    """Who lives where: for each name the namespaces from level 0 in, the numbers, the parent."""

    def __init__(self, prompt):
        self.last, self.spaces, self.numbers, self.parent = {(): 3}, {"sh": [()]}, {"sh": [3]}, {}
        for parent, how, name in re.findall(r"`(\w+) (forks|clones) (\w+)", prompt):
            spaces = list(self.spaces[parent])
            if how == "clones":
                spaces.append((name,))
                self.last[name,] = 0
            for space in spaces:
                self.last[space] += 1
            self.spaces[name], self.parent[name] = spaces, parent
            self.numbers[name] = [self.last[space] for space in spaces]


@each_level
def test_the_numbers_are_those_of_one_counter_for_each_namespace(level):
    seen = set()
    for seed in SEEDS:
        q = exercise.ask("the pid at each level", seed, level)
        name = re.search(r"has (\w)(?: at|,)", q.prompt)[1]
        numbers = Town(q.prompt).numbers[name]
        if level == 3:
            numbers = [numbers[int(re.search(r"at level (\d)", q.prompt)[1])]]
        assert q.did == ", ".join(map(str, numbers)), q.prompt
        seen.add(q.did)
    assert len(seen) > 3


@each_level
def test_a_number_means_whoever_has_it_where_the_caller_lives(level):
    seen = set()
    for seed in SEEDS:
        q = exercise.ask("whom kill reaches", seed, level)
        caller, number = re.search(r"(\w+) calls `kill\((\d+),", q.prompt).groups()
        town = Town(q.prompt)
        home = town.spaces[caller][-1]
        there = [
            name
            for name, spaces in town.spaces.items()
            if home in spaces and town.numbers[name][spaces.index(home)] == int(number)
        ]
        assert q.did == (there[0] if there else "nobody: ESRCH"), q.prompt
        seen.add(bool(there))
    assert seen == {True, False}


@each_level
def test_an_orphan_goes_to_the_first_process_of_its_parents_namespace(level):
    for seed in SEEDS:
        q = exercise.ask("the orphan of a container", seed, level)
        dying = re.search(r"(\w) exits", q.prompt)[1]
        home = Town(q.prompt).spaces[dying][-1]
        assert q.did == (home[0] if home else "init"), q.prompt


# The last of the kinds asked for is left out where only its children live elsewhere.
def kinds_by_rule(prompt):
    flags = set(re.findall(r"CLONE_NEW(\w+)", prompt))
    words = {"UTS": "uts", "IPC": "ipc", "NS": "mnt", "PID": "pid", "NET": "net"}
    own = {words.get(flag, "cgroup") for flag in flags}
    if "unshare" in prompt and "forks B" not in prompt:
        own.discard("pid")
    order = ("uts", "ipc", "mnt", "pid", "net", "cgroup")
    return ", ".join(kind for kind in order if kind in own) or "none"


@each_level
def test_what_the_flags_name_is_new_but_for_the_own_numbers_of_who_calls_unshare(level):
    for seed in SEEDS:
        q = exercise.ask("which namespaces are shared", seed, level)
        assert q.did == kinds_by_rule(q.prompt), q.prompt


# ── Real Linux, where it lets us make namespaces. ───────────────────────────────────────────────

SIGCHLD, SYS_CLONE = 17, 56


def may_unshare():
    pid = os.fork()
    if pid == 0:
        try:
            import ctypes

            os._exit(1 if ctypes.CDLL(None).unshare(0x20000000) else 0)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


needs_namespaces = pytest.mark.skipif(
    not hasattr(os, "fork") or not may_unshare(), reason="no right to make PID namespaces"
)


# Each process obeys a pipe of its own: it makes one more, which says its NSpid, or ends.
@needs_namespaces
@pytest.mark.parametrize("seed", range(1, 7))
def test_real_linux_gives_the_same_numbers_below_level_0(seed):
    prompt = exercise.ask("the pid at each level", seed, 2).prompt
    names = list(Town(prompt).spaces)
    orders = {name: os.pipe() for name in names}
    told = os.pipe()
    steps = [(a, how, b) for a, how, b in re.findall(r"`(\w+) (forks|clones) (\w+)", prompt)]
    first = os.fork()
    if first == 0:
        obey("sh", orders, told[1])
    found = {}
    try:
        for parent, how, name in steps:
            os.write(orders[parent][1], f"{how} {name}\n".encode())
            line = os.read(told[0], 200).decode().split()
            found[line[0]] = [int(n) for n in line[1:]]
    finally:
        for name in names:
            os.write(orders[name][1], b"end \n")
        os.waitpid(first, 0)
        for fd in (*told, *(fd for pair in orders.values() for fd in pair)):
            os.close(fd)
    numbers = Town(prompt).numbers
    depth = {name: len(numbers[name]) for name in found}
    assert {name: found[name][-depth[name] :][1:] for name in found} == {
        name: numbers[name][1:] for name in found
    }


def obey(me, orders, told):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    try:
        while True:
            order = b""
            while not order.endswith(b"\n"):
                order += os.read(orders[me][0], 1)
            what, _, name = order.decode().strip().partition(" ")
            if what == "end":
                os._exit(0)
            flags = 0x20000000 if what == "clones" else 0
            if libc.syscall(SYS_CLONE, flags | SIGCHLD, 0, 0, 0, 0) == 0:
                me = name
                text = Path("/proc/thread-self/status").read_text()
                numbers = re.search(r"^NSpid:(.*)$", text, re.MULTILINE)[1].split()
                os.write(told, f"{me} {' '.join(numbers)}\n".encode())
    finally:
        os._exit(1)
