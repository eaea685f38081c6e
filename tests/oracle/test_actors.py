"""Real Linux decides: a hundred random programs of actors, with every call and flag that there is.

In the simulator the machine is validated after each of their calls.
"""

import concurrent.futures
import os

import pytest

from kernelsim.kernel import fork
from kernelsim.kernel import pid as kernel_pid
from tests.oracle import commands, coverage, due, fuzz, stages

HUNDRED = range(100)


def _tried(job):
    directory, seed = job
    program = due.random_program(seed)
    words, told, _ = fuzz.compare(program, directory, seed)
    return seed, words, list(coverage.made(program, told))


@pytest.fixture(scope="module")
def hundred():
    with stages.compiled() as directory:
        jobs = [(directory, seed) for seed in HUNDRED]
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
            yield list(pool.map(_tried, jobs, chunksize=4))


@pytest.fixture
def directory():
    with stages.compiled() as found:
        yield found


@pytest.mark.needs_namespaces
@pytest.mark.needs_compiler
def test_random_programs_tell_the_same_as_on_linux(hundred):
    different = [
        f"seed {seed}: {[str(c) for c in due.random_program(seed)]}\n{words}"
        for seed, words, _ in hundred
        if words
    ]
    assert not different, "\n".join(different)


@pytest.mark.needs_namespaces
@pytest.mark.needs_compiler
def test_the_hundred_make_each_call_with_each_flag(hundred):
    made = [what for _, _, found in hundred for what in found]
    assert coverage.missing(made) == []
    assert not {name for name, how in made if how == "done"} & set(coverage.NEVER)


def test_what_is_never_made_is_in_the_list_of_all_with_its_reason():
    assert set(coverage.NEVER) <= set(coverage.ALL)
    assert all(coverage.NEVER.values())


@pytest.mark.needs_namespaces
@pytest.mark.needs_compiler
@pytest.mark.parametrize(
    ("program", "told"),
    [
        ([("getpid",), ("getppid",), ("exit", 3)], ["0 0 3", "0 1 2"]),
        # a signal ends it before it can tell
        ([("kill", 3, 0), ("kill", 3, 9)], ["0 0 0"]),
        (
            [("sigaction", 10, commands.TELL, 0, 0), ("kill", 3, 10)],
            ["0 0 0 0 0 0", "0 handles 10", "0 1 0"],
        ),
    ],
)
def test_what_an_actor_tells_is_what_came_of_its_calls(directory, program, told):
    given = [commands.Command(0, name, tuple(args)) for name, *args in program]
    for text in (stages.simulated(given, 1), stages.on_linux(given, directory)):
        lines = [line for period in stages.outcome(text) for line in period]
        assert [line for line in lines if line[0].isdigit()] == told


NEWUSER, NEWPID, PTHREAD = 0x1000_0000, 0x2000_0000, 0x3D0F00
JOINED = 0x120_0100  # VM, CHILD_SETTID, CHILD_CLEARTID


@pytest.mark.needs_namespaces
@pytest.mark.needs_compiler
@pytest.mark.parametrize(
    "program",
    [
        # root in a user namespace that has no root is nobody after execve, and has no capabilities
        [(0, "unshare", NEWUSER), (0, "execve", 0), (0, "unshare", NEWPID), (0, "getpid")],
        [(0, "execve", 0), (0, "unshare", NEWPID), (0, "clone3", 0, 17, 9, 88, 1)],
        # the handler that a thread has set is there in a child that another one forks
        [
            *((0, "clone", PTHREAD, 0, 1), (1, "sigaction", 10, commands.TELL, 0, 0)),
            *((0, "fork", 2), (0, "kill", 5, 10), (1, "fork", 3), (0, "kill", 6, 10)),
            *((2, "sigaction", 12, commands.TELL, 0, 0), (2, "fork", 4), (0, "kill", 7, 12)),
        ],
        # sigsuspend that begins again lets through what its mask had held back, and stays asleep
        [
            *((0, "sigaction", 10, commands.TELL, 0, 0), (0, "fork", 1)),
            *((0, "sigsuspend", 1 << 9), (1, "kill", 3, 19), (1, "kill", 3, 10)),
            *((1, "kill", 3, 18), (1, "kill", 3, 12), (1, "getpid")),
        ],
        [
            *((0, "unshare", NEWPID), (0, "fork", 1), (1, "sigsuspend", 1 << 25)),
            *((0, "kill", 4, 19), (0, "clone", 0x8000, 17, 2), (2, "kill", 1, 26)),
            *((0, "kill", 4, 18), (0, "getpid")),
        ],
        # who waits for the word of a thread, or of a process with the same memory, wakes at its end
        [
            *((0, "clone", PTHREAD | JOINED, 0, 1), (0, "peek", 1), (0, "join", 1), (1, "exit", 0)),
            *((0, "clone", JOINED, 17, 2), (0, "join", 2), (2, "execve", 0), (0, "peek", 2)),
        ],
    ],
)
def test_what_once_differed_is_the_same_as_on_linux(directory, program):
    given = [_command(*words) for words in program]
    assert fuzz.differs(given, directory) == ""


def _command(actor, name, *args):
    child = 0
    if commands.op_of(name) in {"spawn", *commands.EXACT}:
        *args, child = args
    return commands.Command(actor, name, tuple(args), child)


def test_a_count_that_is_wrong_after_a_call_is_a_violation(monkeypatch):
    def put_nothing(m, pid):
        pass

    monkeypatch.setattr(kernel_pid, "put_pid", put_nothing)
    with pytest.raises(stages.Violation, match="->count is 2, but 1 pointers"):
        stages.simulated([commands.Command(0, "vfork", (), 1), commands.Command(1, "exit", (0,))])


def test_what_is_left_behind_at_the_end_is_a_violation(monkeypatch):
    def put_nothing(m, tsk):
        pass

    monkeypatch.setattr(stages._Stage, "validate", lambda self, after: None)
    monkeypatch.setattr(fork, "put_task_stack", put_nothing)
    with pytest.raises(stages.Violation, match="left behind"):
        stages.simulated([commands.Command(0, "fork", (), 1)])


def test_a_difference_is_shrunk_to_the_commands_that_make_it(monkeypatch):
    def compare(program, directory, seed=0):
        names = [c.name for c in program]
        return "so it is" if "setsid" in names and "kill" in names else "", [], 1

    monkeypatch.setattr(fuzz, "compare", compare)
    programs = map(due.random_program, range(50))
    found = next(program for program in programs if fuzz.differs(program, ""))
    assert sorted(c.name for c in fuzz.shrunk(found, "")) == ["kill", "setsid"]
