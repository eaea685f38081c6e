"""What readers do wrong at the facade: wrong kinds, impossible machines, odd names, broken memory."""

import contextlib
import random

import pytest

import kernelsim as ks
from kernelsim import session
from kernelsim.include.linux.sched import task_struct


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


# --- what is not a task, a time, a size --------------------------------------------------------


@pytest.mark.parametrize("what", [None, "3", 3.0, True, b"3", [3]])
def test_what_is_no_number_of_a_task_is_a_type_error(k, sh, what):
    for use in (lambda: k.task(what), lambda: k.call(what, "getpid"), lambda: k.result(what)):
        with pytest.raises(TypeError, match=r"a (pid|task) is"):
            use()
    assert k.call(sh, "getpid") == 3


@pytest.mark.parametrize("pid", [-1, 77, 1 << 22, 1 << 40])
def test_a_number_that_nobody_has_is_a_lookup_error(k, pid):
    with pytest.raises(LookupError, match=f"no task with pid {pid}"):
        k.task(pid)


def test_a_bare_system_call_with_too_few_or_too_many_arguments_is_a_type_error(k, sh):
    now = k.now
    for call in (("wait4",), (61,), (39, 1), ("getuid_",), ("quotactl", 1)):
        with pytest.raises((TypeError, ValueError, OSError)):
            k.call(sh, *call)
    with pytest.raises(TypeError, match=r"wait4\(\): missing a required argument"):
        k.call(sh, 61, -1)
    assert [e.name for e in k.events(now) if e.name == "sys_enter"] == ["sys_enter"]  # quotactl


@pytest.mark.parametrize("t", ["1", 1.0, True, b"1"])
def test_what_is_no_time_is_a_type_error(k, t):
    for use in (k.at, k.diff, k.branch):
        with pytest.raises(TypeError, match="a time is an int"):
            use(t)


def test_a_time_that_has_not_been_is_a_value_error(k):
    for use in (k.at, k.diff, k.branch):
        for t in (-1, k.now + 1):
            with pytest.raises(ValueError, match=f"time {t} is not between 0 and {k.now}"):
                use(t)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("33M", 33 << 20),
        ("1g", 1 << 30),
        (" 40960 K ", 40 << 20),
        ("64MB", 64 << 20),
        (1 << 26, 1 << 26),
    ],
)
def test_sizes_as_people_write_them(text, size):
    assert session.parse_size(text.replace(" K", "K") if isinstance(text, str) else text) == size


@pytest.mark.parametrize("text", ["", "M", "1.5M", "-1M", "1T", "0x100", "1 M B", "one"])
def test_what_is_no_size_is_said_so(text):
    with pytest.raises(ValueError, match="is not a size"):
        ks.boot(memory=text)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"memory": "32M"}, ValueError, "at least 33M"),
        ({"memory": (40 << 20) + 1}, ValueError, "multiple of 4096"),
        ({"memory": True}, TypeError, "a size is"),
        ({"memory": 1e9}, TypeError, "a size is"),
        ({"memory": "9999999G"}, MemoryError, "no room for a machine"),
        ({"pid_max": "many"}, TypeError, "pid_max is an int"),
        ({"pid_max": None}, TypeError, "pid_max is an int"),
        ({"pid_max": 32768.0}, TypeError, "pid_max is an int"),
        ({"pid_max": -1}, ValueError, "between 301 and 4194304"),
        ({"pid_max": 4194305}, ValueError, "between 301 and 4194304"),
        ({"cpus": "two"}, ValueError, "simulates one"),
    ],
)
def test_a_machine_that_there_can_not_be_is_refused_in_words(options, kind, words):
    with pytest.raises(kind, match=words):
        ks.boot(**options)


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "comm"),
    [
        *(
            ("a" * 15, b"a" * 15),
            ("a" * 16, b"a" * 15),
            ("/usr/bin/env", b"env"),
            ("a/b c", b"b c"),
        ),
        *(
            ("ü" * 8, b"\xc3\xbc" * 7 + b"\xc3"),
            ("<script>\"'&", b"<script>\"'&"),
            ("\t\n", b"\t\n"),
        ),
    ],
)
def test_a_name_is_cut_to_fifteen_bytes_and_printed_whatever_is_in_it(k, name, comm):
    task = k.spawn(name)
    assert task.comm.string_() == comm
    assert comm.decode("utf-8", "replace") in k.ps()
    assert k.call(k.task(k.call(task, "fork")), "getppid") == task.pid
    k.strace(), k.function_graph(), repr(k)


def test_a_name_that_no_file_can_have_starts_nothing(k):
    for name in ("", "a\0b", None, 5, b"sh", "\ud800"):
        with pytest.raises(ValueError, match=r"name|surrogates"):
            k.spawn(name)
    assert len(k.tasks()) == 2


# --- broken memory -----------------------------------------------------------------------------


class Stopped(Exception):
    pass


# A state word may be broken so that the task is stopped, which is said as a ValueError.
def _called(k, task, *call):
    try:
        return k.call(task, *call)
    except ks.DeadTask:
        raise
    except ValueError as error:
        if "is stopped" in str(error):
            raise Stopped from error
        raise


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_reader_breaks_the_kernel_faults_or_goes_on_but_nothing_else(seed):
    rng = random.Random(seed)
    k = ks.boot(memory="40M", record=seed % 4 == 0)
    sh = k.spawn("sh")
    tasks = [sh, k.task(k.call(sh, "fork"))]
    k.call(sh, "pipe")
    victims = [*tasks, k.init, k.machine.symbol("init_pid_ns")]
    victims += [
        getattr(t, name)
        for t in tasks
        for name in ("signal", "files", "mm", "thread_pid", "sighand")
    ]
    ref = rng.choice(victims)
    bad = rng.choice([0, 0x10, 0xDEAD000000000100, (1 << 64) - 1, sh.address_, rng.getrandbits(64)])
    k.machine.write_u64(ref.address_ + 8 * rng.randrange(type(ref).sizeof_ // 8), bad)
    calls = [
        ("fork",),
        ("exit_group", 1),
        ("waitpid", -1, 1),
        ("kill", 4, 9),
        ("write", 4, b"x"),
        ("setsid",),
    ]
    for _ in range(10):
        with contextlib.suppress(ks.Fault, ks.Panic, OSError, ks.DeadTask, AssertionError, Stopped):
            result = _called(k, rng.choice(tasks), *rng.choice(calls))
            if isinstance(result, int) and result > 4:
                tasks.append(k.task(result))
        with contextlib.suppress(ks.Fault, AssertionError):
            k.ps()
    k.state_hash()
    assert all(type(t) is task_struct for t in tasks)


def test_after_an_oops_the_others_live_on(k, sh):
    victim, other = k.spawn("victim"), k.spawn("other")
    victim.files = 0xDEAD000000000100
    with pytest.raises(ks.Fault, match="poisoned list pointer"):
        k.call(victim, "dup", 0)
    assert k.panic is not None or k.call(other, "getpid") == other.pid
