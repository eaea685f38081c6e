"""Each allocation of a call made to fail in turn, on new and on used slabs, shallow and nested."""

import errno

import pytest

import kernelsim as ks
from kernelsim.mm import slub
from tests.kernel import stage

NEWPID = 0x20000000


# Make the allocations of `act` fail, one more each time, until none was left to fail.  Yields
# (n, errno or None, what it returned), after the check that an error has left nothing behind.
def failing(k, act):
    for nth in range(1, 80):
        before = stage.ground(k)
        k.machine.fail_nth = nth
        try:
            error, result = None, act()
        except OSError as refused:
            error, result = refused.errno, None
        left, k.machine.fail_nth = k.machine.fail_nth, 0
        if error:
            after = stage.ground(k)
            assert without_new_caches(after, before) == before, f"allocation {nth}"
        stage.check(k)
        yield nth, error, result
        if left:
            return
    raise AssertionError("it never ran out of allocations")


# A cache for pids of a new depth stays, as in Linux; so does its own struct.
def without_new_caches(after, before):
    objects = dict(after["objects"])
    for name in set(objects) - set(before["objects"]):
        assert name.startswith("pid_")
        assert objects.pop(name) == 0
        objects["kmem_cache"] -= 1
    return {**after, "objects": objects}


def fds(k, task, count):
    for _ in range(count):
        k.call(task, "dup", 0)


@pytest.mark.parametrize("flags", [17, 17 | NEWPID])
@pytest.mark.parametrize("many", [0, 64, 300])
def test_a_fork_fails_as_a_whole(flags, many):
    k, sh = stage.booted(record=False)
    fds(k, sh, many)
    codes = []
    for _, error, result in failing(k, lambda: k.call(sh, "clone", flags)):
        codes.append(error)
        if result:
            stage.end(k, sh, result)
    assert set(codes) == {errno.ENOMEM, None}
    assert codes[-1] is None
    # task_struct, stack, cred, files, fs, sighand, signal, mm, pid; with NEWPID nsproxy and
    # namespace; with more than 64 open files the table, its pointers and its bits
    expected = 9 + 2 * bool(flags & NEWPID) + 3 * bool(many)
    assert codes.count(errno.ENOMEM) >= expected
    stage.end(k, sh, k.call(sh, "fork"))


def test_a_fork_deep_in_nested_namespaces_fails_as_a_whole():
    k, sh = stage.booted(record=False)
    task, pids = sh, []
    for _ in range(5):
        k.call(task, "clone", NEWPID | 17)
        task = k.tasks()[-1]
        pids.append(task.thread_pid)
    codes = []
    for _, error, result in failing(k, lambda: k.call(task, "clone", NEWPID | 17)):
        codes.append(error)
        if result:
            k.call(k.tasks()[-1], "exit_group", 0)
            k.call(task, "waitpid", result, 0)
    assert errno.ENOMEM in codes
    assert [p.numbers[p.level].ns.idr.idr_next for p in pids[-1:]] == [codes.count(None) + 2]


@pytest.mark.parametrize("cursor", [63, 64, 4095, 4096, 32767])
def test_a_fork_whose_number_needs_new_tree_nodes_fails_as_a_whole(cursor):
    k, sh = stage.booted(record=False)
    ns = k.machine.symbol("init_pid_ns")
    ns.idr.idr_next = cursor
    codes = []
    while k.machine.static.radix_tree_preloads.nr:  # use up what idr_preload() has laid by
        take_from_pool(k.machine)
    for _, error, result in failing(k, lambda: k.call(sh, "fork")):
        codes.append(error)
        if error:
            assert ns.idr.idr_next == cursor
        if result:
            assert result == cursor
            stage.end(k, sh, result)
            ns.idr.idr_next = cursor
    assert codes.count(errno.ENOMEM) >= 9


def take_from_pool(m):
    pool = m.static.radix_tree_preloads
    node = pool.nodes
    pool.nodes, pool.nr = node.parent, pool.nr - 1
    slub.kmem_cache_free(m, m.static.radix_tree_node_cachep, node.address_)


def test_a_pipe_fails_as_a_whole():
    k, sh = stage.booted(record=False)
    codes = []
    for _, error, result in failing(k, lambda: k.call(sh, "pipe")):
        codes.append(error)
        if result:
            assert result == (3, 4)
            k.call(sh, "close", 3)
            k.call(sh, "close", 4)
        else:
            with pytest.raises(OSError, match="Bad file"):
                k.call(sh, "close", 3)
    # fs/pipe.c: pipe and ring are ENFILE (get_pipe_inode), the two files ENOMEM
    assert [c for c in codes if c == errno.ENFILE] == codes[: codes.count(errno.ENFILE)]
    assert codes.count(errno.ENFILE) >= 2
    assert codes.count(errno.ENOMEM) >= 1
    assert codes[-1] is None


def test_a_larger_table_of_files_that_can_not_be_had_leaves_the_small_one():
    k, sh = stage.booted(record=False)
    fds(k, sh, 61)
    codes = []
    for _, error, result in failing(k, lambda: k.call(sh, "dup", 0)):
        codes.append(error)
        assert sh.files.fdt.max_fds == (256 if result else 64) or result == 64
    assert codes[:-1] == [errno.ENOMEM] * (len(codes) - 1)
    assert len(codes) - 1 >= 3
    assert (sh.files.fdt.max_fds, k.call(sh, "dup", 0)) == (128, 65)


def test_an_execve_that_fails_leaves_the_old_program():
    k, sh = stage.booted(record=False)
    k.spawn("other")
    mm = sh.mm
    k.machine.fail_nth = 1
    with pytest.raises(OSError, match="memory"):
        k.call(sh, "execve", "other")
    assert (sh.mm, sh.comm.string_()) == (mm, b"sh")
    stage.check(k)
    k.call(sh, "execve", "other")
    assert sh.comm.string_() == b"other"


def test_a_spawn_that_fails_leaves_no_child():
    k = ks.boot(record=False)
    k.call(k.spawn("warm"), "exit_group", 0)
    errors = 0
    for _, error, task in failing(k, lambda: k.spawn("sh")):
        errors += error == errno.ENOMEM
        if task:
            k.call(task, "exit_group", 0)
    assert errors >= 10  # those of fork, and the address space of execve


def test_a_signal_for_which_there_is_no_memory_is_sent_all_the_same():
    k, sh = stage.booted(record=False)
    child = k.call(sh, "fork")
    k.machine.fail_nth = 1
    k.call(sh, "kill", child, 15)
    assert k.machine.fail_nth == 0
    assert k.call(sh, "waitpid", child, 0) == (child, 15)
    stage.check(k)


def test_a_write_for_which_there_is_no_page_writes_what_it_could():
    k, sh = stage.booted(record=False)
    k.call(sh, "pipe")
    k.machine.fail_nth = 3
    assert k.call(sh, "write", 4, bytes(5 * 4096)) == 2 * 4096
    k.machine.fail_nth = 1
    with pytest.raises(OSError, match="memory"):
        k.call(sh, "write", 4, b"x")
    assert k.call(sh, "read", 3, 10**6) == bytes(2 * 4096)
    stage.check(k)


def test_memory_full_of_pipes_refuses_a_fork_and_takes_it_when_they_are_closed():
    k, sh = stage.booted(record=False, memory="40M")
    ends = []
    with pytest.raises(OSError, match=r"memory|files") as full:  # noqa: PT012 - the loop raises
        while True:
            ends.append(k.call(sh, "pipe"))
            k.call(sh, "write", ends[-1][1], bytes(65536))
    assert full.value.errno in (errno.ENOMEM, errno.ENFILE)
    with pytest.raises(OSError, match="memory"):
        k.call(sh, "fork")
    stage.check(k)
    with pytest.raises(OSError, match="memory"):
        k.spawn("other")
    for pair in ends:
        for fd in pair:
            k.call(sh, "close", fd)
    stage.check(k)
    stage.end(k, sh, k.call(sh, "fork"))
    assert k.spawn("other").comm.string_() == b"other"
