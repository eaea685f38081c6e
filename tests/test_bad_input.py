"""What a reader may do wrong: each gets a clear, typed answer, and the machine stays usable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.debug import validate

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def bash(k):
    task = k.spawn("bash")
    yield task
    child = k.call(task, "fork")  # whatever went wrong: it goes on
    k.call(k.task(child), "exit", 0)
    assert k.call(task, "waitpid", child, 0) == (child, 0)
    validate.validate_machine(k.machine)


def test_a_name_that_is_no_system_call_is_said_so(k, bash):
    with pytest.raises(ValueError, match="no system call 'frok'"):
        k.call(bash, "frok")


def test_a_system_call_that_is_not_built_fails_with_enosys(k, bash):
    for call in ("mmap", 999, 440, -1):
        with pytest.raises(OSError, match="not implemented"):  # ENOSYS
            k.call(bash, call)


def test_a_dead_task_can_make_no_calls(k, bash):
    child = k.task(k.call(bash, "fork"))
    k.call(child, "exit", 0)
    with pytest.raises(ks.DeadTask, match="is dead: Z"):
        k.call(child, "getpid")
    k.call(bash, "waitpid", -1, 0)
    with pytest.raises(ks.DeadTask, match="gone"):
        k.call(child, "getpid")
    with pytest.raises(LookupError, match="no task with pid 4"):
        k.call(4, "getpid")


def test_what_is_no_puppet_can_not_be_driven(k, bash):
    with pytest.raises(ValueError, match="kernel thread"):
        k.call(k.task(2), "fork")
    with pytest.raises(TypeError, match="task_struct"):
        k.call("bash", "fork")
    with pytest.raises(TypeError, match="task_struct"):
        k.call(None, "fork")


@pytest.mark.parametrize(
    ("name", "args", "kind"),
    [
        ("clone", ("CLONE_VM",), TypeError),
        ("clone", (1.5,), TypeError),
        ("waitpid", ("all", 0), TypeError),
        ("waitpid", (1 << 40, 0), OverflowError),
        ("waitpid", (-1,), TypeError),
        ("write", (1, "text"), TypeError),
        ("read", (0, -5), OSError),
        ("exit", (None,), TypeError),
        ("waitpid", (-1, 1 << 20), OSError),
        ("clone", (0x00010000,), OSError),
        ("close", (-1,), OSError),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(k, bash, name, args, kind):
    with pytest.raises(kind):
        k.call(bash, name, *args)


def test_a_task_that_sleeps_in_a_call_can_not_make_another(k, bash):
    child = k.call(bash, "fork")
    assert k.call(bash, "waitpid", -1, 0) is ks.PENDING
    with pytest.raises(ValueError, match=r"still inside waitpid\(\)"):
        k.call(bash, "getpid")
    assert k.result(bash) is ks.PENDING
    k.call(k.task(child), "exit", 9)
    assert k.result(bash) == (child, 9 << 8)


@pytest.mark.parametrize("name", ["", "a\0b", None, 7])
def test_a_program_must_have_a_name(k, bash, name):
    with pytest.raises(ValueError, match="program's name"):
        k.spawn(name)


@pytest.mark.parametrize("name", ['"]<script>&amp;', "ä" * 20, "{a|b}", "%n", "\n"])
def test_an_odd_name_is_a_name(k, bash, name):
    task = k.spawn(name)
    comm = task.comm.string_()
    assert comm == name.rsplit("/", 1)[-1].encode()[:15]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"memory": "lots"}, ValueError),
        ({"memory": -1}, ValueError),
        ({"memory": "1M"}, ValueError),
        ({"memory": None}, TypeError),
        ({"cpus": 2}, ValueError),
        ({"cpus": 0}, ValueError),
        ({"pid_max": 300}, ValueError),
        ({"pid_max": 1 << 23}, ValueError),
    ],
)
def test_a_machine_that_can_not_be_is_refused(options, kind):
    with pytest.raises(kind):
        ks.boot(**options)


def test_a_time_that_has_not_been_is_refused(k, bash):
    for t in (-1, k.now + 1):
        with pytest.raises(ValueError, match="not between 0 and"):
            k.at(t)
    with pytest.raises(ValueError, match="record=False"):
        ks.boot(record=False).at(0)


def test_a_moment_of_the_past_can_not_be_written(k, bash):
    task = k.at(k.now).task(bash.pid)
    with pytest.raises(TypeError, match="earlier time"):
        task.pid = 1


def test_what_a_reader_breaks_in_memory_is_an_oops_and_the_others_go_on(k, bash):
    victim = k.spawn("victim")
    number, victim.thread.sp = victim.pid, 0x200
    with pytest.raises(ks.Fault, match="NULL pointer dereference"):
        k.call(victim, "waitpid", -1, 0)
    assert k.panic is None
    with pytest.raises(LookupError):  # it died of it, and init has reaped it
        k.task(number)


def test_an_oops_that_happens_again_on_the_way_out_is_a_panic():
    k = ks.boot()
    victim = k.spawn("victim")
    victim.signal = 0x10
    with pytest.raises(ks.Fault):
        k.call(victim, "fork")
    assert k.panic.reason == "Fatal exception"


def test_the_death_of_init_is_a_panic_which_is_a_result(k):
    answer = k.call(k.init, "exit", 5)
    assert isinstance(answer, ks.Panic)
    assert str(answer) == (
        "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000500"
    )
    assert k.panic is answer
    assert "Attempted to kill init" in repr(k)
    with pytest.raises(ks.Panic):
        k.call(2, "getpid")
    assert [t.pid for t in k.tasks()] == [1, 2]  # what is left can be looked at


def test_a_program_that_raises_exits_with_1_and_the_traceback_is_noted():
    async def program(libc):
        if await libc.fork() == 0:
            raise KeyError("lost")
        await libc.write(1, b"%d" % (await libc.waitpid(-1, 0))[1])
        raise SystemExit(3)

    run = ks.run(program)
    assert (run.stdout, run.status) == (b"256", 0x300)
    assert "KeyError: 'lost'" in run.notes
    assert run.notes.startswith("[pid 3] Traceback")


def test_a_program_that_can_not_end_is_said_to_be_stuck_and_where():
    async def program(libc):
        await libc.write(1, b"before")
        read, _write = await libc.pipe()
        await libc.read(read, 1)

    with pytest.raises(ks.Stuck, match=r"in pipe_read") as stuck:
        ks.run(program)
    assert stuck.value.stdout == b"before"


def test_a_program_without_end_is_stopped():
    async def bomb(libc):
        while True:
            await libc.fork()

    with pytest.raises(ks.host.Runaway, match="50 processes"):
        ks.run(bomb, processes=50, record=False)


@pytest.mark.parametrize("program", [None, 3, "main"])
def test_what_is_no_program_is_refused(program):
    with pytest.raises(TypeError, match="async function"):
        ks.run(program)


SAME = """
import kernelsim as ks
k = ks.boot()
bash = k.spawn("bash")
for status in range(5):
    child = k.call(bash, "fork")
    k.call(k.task(child), "exit", status)
    k.call(bash, "waitpid", -1, 0)
print(k.now, k.state_hash(), bash, k.strace())
"""


def test_the_same_calls_give_the_same_bytes_whatever_the_hash_seed():
    outputs = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, "-c", SAME], env=environment, capture_output=True, check=True
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1
    assert b"exited" in outputs.pop()


def test_two_machines_do_not_disturb_each_other():
    alone, first = ks.boot(), ks.boot()
    second = ks.boot(record=False, memory="64M")
    for k in (alone, first):
        k.spawn("bash")
        if k is first:
            second.spawn("other")
    assert first.state_hash() == alone.state_hash()
    assert first.now == alone.now
    assert second.now == 0


def test_a_branch_does_the_same_and_then_goes_its_own_way(k, bash):
    child = k.call(bash, "fork")
    before = k.now
    k.call(k.task(child), "exit", 1)
    other = k.branch(before)
    assert other.state_hash() == k.branch(before).state_hash()
    assert [t.pid for t in other.tasks()] == [1, 2, 3, child]
    other.call(other.task(child), "exit", 2)
    assert other.call(3, "waitpid", -1, 0) == (child, 0x200)
    assert k.call(bash, "waitpid", -1, 0) == (child, 0x100)


def test_a_task_list_without_an_end_is_said_to_be_so(k):
    sh = k.spawn("sh")
    sh.tasks.next = k.task(2).tasks
    for look in (k.tasks, k.ps):
        with pytest.raises(AssertionError, match="does not come back to its head"):
            look()


def test_looking_leaves_no_trace(k, bash):
    before, words = k.now, k.state_hash()
    k.task(3), k.tasks(), k.ps(), k.slabs(), k.diff(0), k.at(before).ps(), k.strace(), repr(k)
    assert (k.now, k.state_hash()) == (before, words)
