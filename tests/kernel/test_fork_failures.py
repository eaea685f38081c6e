"""copy_process with each allocation failing in turn: nothing leaks, and the machine goes on."""

import pytest

import kernelsim as ks
from kernelsim.debug import validate
from kernelsim.include.uapi.linux import sched
from kernelsim.mm import page_alloc

SIGCHLD = 17


# What a failed fork must leave as it was, each read from memory.
def ground(k):
    m = k.machine
    ns = m.symbol("init_pid_ns")
    return {
        "slabs": k.slabs(),
        "pages in use": m.symbol("contig_zone").managed_pages - page_alloc.nr_free_pages(m),
        "nr_threads": m.add("nr_threads", 0),
        "processes of root": m.symbol("root_user").processes,
        "numbers": ns.pid_allocated,
        "tasks": [t.address_ for t in k.tasks()],
    }


# Slabs may be made and stay (Linux keeps them too), so pages are compared after a first fork.
def warm(k, task, flags):
    child = k.call(task, "clone", flags)
    k.call(k.task(child), "exit", 0)
    assert k.call(task, "waitpid", child, 0) == (child, 0)


@pytest.mark.parametrize("flags", [SIGCHLD, SIGCHLD | sched.CLONE_NEWPID])
def test_each_failing_allocation_gives_enomem_and_leaves_nothing_behind(flags):
    k = ks.boot()
    bash = k.spawn("bash")
    warm(k, bash, flags)
    before, failures = ground(k), 0
    for nth in range(1, 40):
        k.machine.fail_nth = nth
        try:
            child = k.call(bash, "clone", flags)
        except OSError as error:
            assert error.errno == 12, f"allocation {nth}: {error}"  # noqa: PT017 - or it succeeds
            failures += 1
            assert k.machine.fail_nth == 0
            assert ground(k) == before, f"allocation {nth}"
            validate.validate_machine(k.machine)
        else:
            k.machine.fail_nth = 0
            assert failures == nth - 1, "every allocation before this one was made to fail"
            k.call(k.task(child), "exit", 0)
            k.call(bash, "waitpid", child, 0)
            break
    assert failures >= 9  # task, stack, cred, files, fs, sighand, signal, mm, pid
    assert ground(k) == before


def test_a_failed_fork_takes_no_number():
    k = ks.boot()
    bash = k.spawn("bash")
    first = k.call(bash, "fork")
    ns = k.machine.symbol("init_pid_ns")
    k.machine.fail_nth = 1
    with pytest.raises(OSError, match="memory"):
        k.call(bash, "fork")
    assert ns.idr.idr_next == first + 1
    assert k.call(bash, "fork") == first + 1


def test_forking_until_memory_is_full_gives_enomem_and_exits_make_room_again():
    k = ks.boot(memory="40M")
    bash = k.spawn("bash")
    k.machine.add("max_threads", 100_000)  # so that memory is what ends
    children = []
    with pytest.raises(OSError, match="memory"):  # noqa: PT012 - the loop is meant to raise
        while True:
            children.append(k.call(bash, "fork"))
    assert len(children) > 50
    for child in children:
        k.call(k.task(child), "exit", 1)
        assert k.call(bash, "waitpid", child, 0) == (child, 256)
    validate.validate_machine(k.machine)
    assert k.call(bash, "fork") > children[-1]


def test_too_many_threads_gives_eagain():
    k = ks.boot()
    bash = k.spawn("bash")
    m = k.machine
    m.add("max_threads", m.add("nr_threads", 0) - m.add("max_threads", 0))
    before = ground(k)
    with pytest.raises(BlockingIOError):
        k.call(bash, "fork")
    assert ground(k) == before


def test_running_out_of_numbers_gives_eagain():
    k = ks.boot(pid_max=301)
    bash = k.spawn("bash")
    numbers = []
    with pytest.raises(BlockingIOError):  # noqa: PT012 - the loop is what is meant to raise
        while True:
            numbers.append(k.call(bash, "fork"))
    assert numbers == list(range(4, 301))
    k.call(k.task(200), "exit", 0)
    k.call(bash, "waitpid", 200, 0)
    with pytest.raises(BlockingIOError):  # 200 is below RESERVED_PIDS: not handed out again
        k.call(bash, "fork")
    k.call(k.task(300), "exit", 0)
    k.call(bash, "waitpid", 300, 0)
    assert k.call(bash, "fork") == 300
