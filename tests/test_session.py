"""The facade: looking back, branching, one state for the same calls, and what readers do wrong."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.debug import validate
from kernelsim.machine.memory import ReadOnly

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


# Some life: forks, exits, waits, groups, pipes; the same each time.
def live(k):
    a, b = k.spawn("a"), k.spawn("b")
    first, second = k.call(a, "fork"), k.call(b, "fork")
    k.call(a, "pipe")
    k.call(a, "write", 4, b"text")
    k.call(k.task(first), "setsid")
    k.call(k.task(second), "exit_group", 3)
    assert k.call(b, "waitpid", -1, 0) == (second, 0x300)
    assert k.call(a, "waitpid", first, 0) is ks.PENDING
    k.call(b, "kill", first, 15)
    assert k.result(a) == (first, 15)
    with contextlib.suppress(OSError):
        k.call(b, "waitpid", -1, 0)
    return a, b


# --- one state for the same calls --------------------------------------------------------------


@pytest.mark.parametrize("record", [True, False])
def test_two_machines_with_the_same_calls_have_the_same_bytes(record):
    one, two = (ks.boot(record=record) for _ in range(2))
    hashes = [one.state_hash()]
    live(one)
    hashes.append(one.state_hash())
    one.call(one.spawn("c"), "fork")
    hashes.append(one.state_hash())
    assert len(set(hashes)) == 3
    again = [two.state_hash()]
    live(two)
    again.append(two.state_hash())
    two.call(two.spawn("c"), "fork")
    again.append(two.state_hash())
    assert again == hashes
    assert (one.now, one.strace(), one.function_graph()) == (
        two.now,
        two.strace(),
        two.function_graph(),
    )
    assert one.ps() == two.ps()


def test_one_bit_makes_another_state(k, sh):
    before = k.state_hash()
    sh.personality ^= 1
    assert k.state_hash() != before
    sh.personality ^= 1
    assert k.state_hash() == before


BOTH = """
import sys
sys.path.insert(0, {root!r})
import kernelsim as ks
hashes = []
for record in (False, True, False, True):
    k = ks.boot(record=record, memory="64M")
    sh = k.spawn("sh")
    child = k.call(sh, "fork")
    k.call(k.task(child), "exit_group", 1)
    k.call(sh, "waitpid", -1, 0)
    hashes.append(k.state_hash())
assert hashes[0] == hashes[2] and hashes[1] == hashes[3], "another machine has left its mark"
print(*hashes, sorted(set(sys.modules) & {{"pandas", "numpy", "ipywidgets", "drgn"}}))
"""


def test_the_bytes_depend_on_no_hash_seed_no_site_packages_and_no_machine_before():
    outputs = set()
    for seed in ("0", "1", "31337"):
        run = subprocess.run(
            [sys.executable, "-S", "-W", "error", "-c", BOTH.format(root=str(ROOT))],
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        outputs.add(run.stdout)
    assert len(outputs) == 1
    assert outputs.pop().endswith(" []\n")


def test_machines_side_by_side_do_not_know_each_other():
    alone = ks.boot()
    live(alone)
    one, two = ks.boot(), ks.boot(record=False, memory="40M", pid_max=400)
    steps = []

    # Between any two calls of the one, the other does something.
    original = one.call

    def call(*args):
        steps.append(two.call(two.init, "fork"))
        return original(*args)

    one.call = call
    live(one)
    assert len(steps) > 10
    assert steps == list(range(3, 3 + len(steps)))
    assert (one.state_hash(), one.now) == (alone.state_hash(), alone.now)
    assert two.now == 0
    assert two.events() == []
    for kernel in (one, two):
        validate.validate_machine(kernel.machine)


# --- looking back ------------------------------------------------------------------------------


def test_each_moment_between_two_calls_was_a_sound_machine():
    k = ks.boot()
    live(k)
    moments = sorted({when for when, *_ in k.commands} | {k.now})
    assert len(moments) > 12
    for t in moments[::3]:
        then = k.at(t)
        assert then.now == t
        validate.validate_machine(then.machine)
        assert k.at(t).ps() == then.ps()


def test_what_was_is_seen_as_it_was(k, sh):
    begin = k.now
    assert k.call(sh, "fork") == 4
    forked = k.now
    k.call(k.task(4), "exit_group", 9)
    dead = k.now
    k.call(sh, "waitpid", -1, 0)
    assert [[t.pid for t in k.at(t).tasks()] for t in (begin, forked, dead, k.now)] == [
        [1, 2, 3],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3],
    ]
    states = [k.at(t).ps().splitlines()[-1].split()[4] for t in (forked, dead)]
    assert states == ["R", "Z"]
    with pytest.raises(LookupError):
        k.at(begin).task(4)
    zombie = k.at(dead).task(4)
    assert (zombie.exit_code, zombie.machine_.now) == (0x900, dead)
    assert k.at(dead).slabs()["task_struct"] == k.slabs()["task_struct"] + 1
    with pytest.raises(ReadOnly):
        zombie.exit_code = 0
    with pytest.raises(ReadOnly):
        zombie.comm = "other"
    with pytest.raises(AttributeError):
        k.at(dead).call(zombie, "getpid")
    assert repr(k.at(dead)) == f"<kernel at t={dead}, read-only>"


def test_a_view_of_the_past_stays_right_while_the_machine_goes_on(k, sh):
    k.call(sh, "fork")
    then = k.at(k.now)
    task = then.task(4)
    before = (then.ps(), task.bytes_(), task.se.vruntime, then.slabs())
    for _ in range(5):
        live(k)
        k.call(sh, "fork")
    assert (then.ps(), task.bytes_(), task.se.vruntime, then.slabs()) == before


def test_a_difference_names_the_members_that_changed_and_only_those(k, sh):
    begin = k.now
    k.call(sh, "umask", 0o077)
    changes = {(c.type, c.address, c.field): (c.old, c.new) for c in k.diff(begin)}
    assert changes["struct fs_struct", sh.fs.address_, "umask"] == (0o022, 0o077)
    assert not [
        key for key in changes if key[0] in ("struct cred", "struct pid", "struct signal_struct")
    ]
    assert k.diff(begin, begin) == []
    forth = {(c.address, c.field): (c.old, c.new) for c in k.diff(begin, k.now)}
    back = {(c.address, c.field): (c.new, c.old) for c in k.diff(k.now, begin)}
    assert forth == back
    k.call(sh, "umask", 0o022)
    assert "umask" not in {c.field for c in k.diff(begin) if c.type == "struct fs_struct"}


def test_a_fork_changes_what_the_fact_sheet_says(k, sh):
    begin = k.now
    child = k.task(k.call(sh, "fork"))
    changed = {(c.address, c.field): c.new for c in k.diff(begin)}
    init_task, ns = k.machine.symbol("init_task"), k.machine.symbol("init_pid_ns")
    assert changed[init_task.address_, "tasks.prev"] == child.tasks.address_
    assert changed[sh.address_, "children.next"] == changed[sh.address_, "children.prev"]
    assert changed[sh.address_, "children.next"] == child.sibling.address_
    assert (changed[ns.address_, "idr.idr_next"], changed[ns.address_, "pid_allocated"]) == (
        5,
        0x80000004,
    )
    assert changed[child.address_, "pid"] == 4
    assert changed[child.address_, "comm"] == b"sh"


# --- branching ---------------------------------------------------------------------------------


def test_a_branch_at_any_call_is_the_machine_at_that_call():
    k = ks.boot()
    live(k)
    for when, *_ in k.commands[::4]:
        other = k.branch(when)
        assert other.now == when
        assert other.ps() == k.at(when).ps()
        tasks = [(t.address_, t.pid) for t in other.tasks()]
        assert tasks == [(t.address_, t.pid) for t in k.at(when).tasks()]
        for t in other.tasks():
            now, then = t.bytes_(), t.at_(k.at(when)).bytes_()
            assert now[8:] == then[8:]  # thread_info.flags may ask already for the next one
    whole = k.branch()
    assert (whole.now, whole.state_hash()) == (k.now, k.state_hash())


def test_a_branch_repeats_what_failed_and_what_was_refused(k, sh):
    for call in (
        *(
            ("waitpid", -1, 0),
            ("clone", "x"),
            ("wait4",),
            ("execve", "nobody"),
            ("kill", 1 << 40, 9),
        ),
        *(("dup2", 0, 5000), ("nope",), ("pipe2", None, 0)),
    ):
        with pytest.raises((OSError, TypeError, ValueError, OverflowError, AttributeError)):
            k.call(sh, *call)
    k.call(sh, "fork")
    other = k.branch()
    assert (other.state_hash(), other.strace()) == (k.state_hash(), k.strace())
    assert "nobody" not in other.machine.programs


def test_a_branch_has_the_programs_that_were_loaded(k, sh):
    async def program(libc):
        await libc.write(1, b"%d" % await libc.getpid())

    k.load("program", program)
    k.call(k.spawn("x"), "execve", "program")
    other = k.branch()
    assert other.console == k.console == b"4"
    assert other.state_hash() == k.state_hash()


def test_branches_go_their_own_ways(k, sh):
    at = k.now
    k.call(sh, "fork")
    one, two = k.branch(at + 0), k.branch(at)
    one.call(one.task(3), "exit_group", 0)
    two.call(two.task(3), "fork")
    two.call(two.task(3), "fork")
    assert [len(x.tasks()) for x in (k, one, two)] == [4, 2, 5]
    assert two.state_hash() != one.state_hash() != k.state_hash()


# --- calls and their results -------------------------------------------------------------------


def test_a_call_that_sleeps_is_pending_until_it_is_woken_and_its_result_is_given_once(k, sh):
    k.call(sh, "pipe")
    child = k.task(k.call(sh, "fork"))
    assert k.call(child, "read", 3, 5) is ks.PENDING
    assert (repr(ks.PENDING), k.result(child)) == ("PENDING", ks.PENDING)
    with pytest.raises(ValueError, match=r"task 4 is still inside read\(\): it sleeps"):
        k.call(child, "getpid")
    k.call(sh, "write", 4, b"hello!!")
    assert k.result(child) == b"hello"
    assert k.result(child) is None
    assert k.call(child, "read", 3, 5) == b"!!"
    k.call(child, "close", 4)
    assert k.call(child, "read", 3, 1) is ks.PENDING
    k.call(sh, "exit_group", 0)
    assert k.result(child) == b""


def test_a_call_that_fails_late_raises_when_its_result_is_asked_for(k, sh):
    k.call(sh, "rt_sigaction", 17, (1, 0), None, 8)
    child = k.task(k.call(sh, "fork"))
    assert k.call(sh, "waitpid", -1, 0) is ks.PENDING
    k.call(child, "exit_group", 0)
    with pytest.raises(ChildProcessError):
        k.result(sh)
    assert k.result(sh) is None


def test_a_pending_call_of_a_task_that_dies_is_over(k, sh):
    k.call(sh, "pipe")
    child = k.task(k.call(sh, "fork"))
    k.call(child, "read", 3, 5)
    k.call(sh, "kill", child.pid, 9)
    assert k.result(child) is None
    with pytest.raises(ks.DeadTask, match="task 4 is dead: Z"):
        k.call(child, "getpid")


def test_a_number_stands_for_its_task_and_a_bare_system_call_for_itself(k, sh):
    assert k.call(3, "getpid") == 3
    assert k.call(sh, 39) == 3  # __NR_getpid
    assert k.call(3, 57) == 4  # __NR_fork
    for unknown in (-1, 335, 441, 1 << 40):
        with pytest.raises(OSError, match="not implemented"):
            k.call(sh, unknown)
    assert k.call(sh, "fork") == 5


def test_without_recording_there_is_no_past_but_everything_else():
    k = ks.boot(record=False)
    live(k)
    for use in (lambda: k.at(0), lambda: k.diff(0), lambda: k.branch(0)):
        with pytest.raises(ValueError, match="record=False"):
            use()
    assert (k.now, k.events(), k.strace()) == (0, [], "")
    assert k.branch().ps() == k.ps()
    assert len(k.ps().splitlines()) == 5
