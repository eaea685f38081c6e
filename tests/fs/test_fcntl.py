"""Flags of descriptors and of open files, and what another program finds open (fs/fcntl.c, file.c, open.c)."""

import errno

import pytest

import kernelsim as ks
from kernelsim.debug import validate
from kernelsim.include.linux import fs
from kernelsim.include.uapi.asm import fcntl
from kernelsim.include.uapi.linux import sched

CLOEXEC, NONBLOCK, DIRECT = fcntl.O_CLOEXEC, fcntl.O_NONBLOCK, fcntl.O_DIRECT
THREAD = sched.CLONE_VM | sched.CLONE_SIGHAND | sched.CLONE_THREAD | sched.CLONE_FILES


@pytest.fixture
def k():
    return ks.boot(record=False)


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def error(k, task, *call):
    try:
        return k.call(task, *call)
    except OSError as refused:
        return -refused.errno


def file_at(k, task, fd):
    return fs.file(k.machine, k.machine.read_u64(task.files.fdt.fd + 8 * fd))


def bits(k, task, name):
    fdt = task.files.fdt
    words = [k.machine.read_u64(getattr(fdt, name) + 8 * i) for i in range(fdt.max_fds // 64)]
    return [64 * i + bit for i, word in enumerate(words) for bit in range(64) if word >> bit & 1]


# --- close on exec -----------------------------------------------------------------------------


def test_whoever_makes_a_descriptor_says_whether_it_is_closed_on_exec(k, sh):
    assert k.call(sh, "pipe2", CLOEXEC) == (3, 4)
    assert k.call(sh, "open", "/dev/null", CLOEXEC) == 5
    assert k.call(sh, "dup", 3) == 6
    assert k.call(sh, "dup3", 3, 70, CLOEXEC) == 70
    assert k.call(sh, "fcntl", 3, fcntl.F_DUPFD_CLOEXEC, 200) == 200
    assert k.call(sh, "fcntl", 3, fcntl.F_DUPFD, 200) == 201
    assert bits(k, sh, "close_on_exec") == [3, 4, 5, 70, 200]
    assert bits(k, sh, "open_fds") == [0, 1, 2, 3, 4, 5, 6, 70, 200, 201]
    assert k.call(sh, "dup2", 3, 70) == 70
    k.call(sh, "fcntl", 3, fcntl.F_SETFD, 2)  # the other bits mean nothing
    assert bits(k, sh, "close_on_exec") == [4, 5, 200]
    validate.validate_machine(k.machine)


def test_a_number_that_is_taken_again_is_no_longer_closed_on_exec(k, sh):
    k.call(sh, "pipe2", CLOEXEC)
    k.call(sh, "close", 3)
    assert bits(k, sh, "close_on_exec") == [3, 4]  # as Linux leaves it: nobody looks there
    assert k.call(sh, "dup", 0) == 3
    assert bits(k, sh, "close_on_exec") == [4]


@pytest.mark.parametrize("far", [5, 100, 900])
def test_a_fork_copies_the_bits_and_an_exec_closes_what_they_say(k, sh, far):
    k.call(sh, "pipe2", CLOEXEC)
    k.call(sh, "dup3", 3, far, CLOEXEC)
    k.call(sh, "dup2", 4, far + 1)
    child = k.task(k.call(sh, "fork"))
    assert bits(k, child, "close_on_exec") == [3, 4, far]
    k.call(child, "execve", "sh")
    assert bits(k, child, "open_fds") == [0, 1, 2, far + 1]
    assert bits(k, child, "close_on_exec") == []
    assert [file_at(k, child, fd).address_ for fd in (3, 4, far)] == [0, 0, 0]
    assert bits(k, sh, "open_fds") == [0, 1, 2, 3, 4, far, far + 1]
    validate.validate_machine(k.machine)


def test_an_exec_closes_nothing_of_those_it_shared_its_files_with(k, sh):
    k.call(sh, "pipe2", CLOEXEC)
    child = k.task(k.call(sh, "clone", sched.CLONE_FILES | 17))
    assert child.files == sh.files
    k.call(child, "execve", "sh")
    assert (bits(k, sh, "open_fds"), bits(k, child, "open_fds")) == ([0, 1, 2, 3, 4], [0, 1, 2])
    assert sh.files.count == 1


def test_an_exec_that_fails_closes_nothing(k, sh):
    k.call(sh, "pipe2", CLOEXEC)
    assert error(k, sh, "execve", "nothing") == -errno.ENOENT
    assert bits(k, sh, "open_fds") == [0, 1, 2, 3, 4]


def test_the_end_that_an_exec_closes_is_the_end_for_the_reader(k, sh):
    k.call(sh, "pipe2", CLOEXEC)
    child = k.task(k.call(sh, "fork"))
    k.call(sh, "close", 4)
    assert k.call(sh, "read", 3, 1) is ks.PENDING
    k.call(child, "execve", "sh")
    assert k.result(sh) == b""


# --- the flags of an open file -----------------------------------------------------------------


def test_the_flags_belong_to_the_open_file_and_not_to_the_descriptor(k, sh):
    k.call(sh, "pipe")
    k.call(sh, "dup", 3)
    child = k.task(k.call(sh, "fork"))
    k.call(child, "fcntl", 5, fcntl.F_SETFL, NONBLOCK)
    assert k.call(sh, "fcntl", 3, fcntl.F_GETFL) == NONBLOCK
    assert error(k, sh, "read", 3, 1) == -errno.EAGAIN
    k.call(sh, "fcntl", 3, fcntl.F_SETFL, 0)
    assert k.call(child, "read", 5, 1) is ks.PENDING


def test_only_some_flags_can_be_set(k, sh):
    assert k.call(sh, "open", "/dev/null", fcntl.O_WRONLY | fcntl.O_TRUNC | CLOEXEC) == 3
    large = fcntl.O_WRONLY | fcntl.O_LARGEFILE
    assert k.call(sh, "fcntl", 3, fcntl.F_GETFL) == large
    k.call(sh, "fcntl", 3, fcntl.F_SETFL, fcntl.O_RDWR | fcntl.O_APPEND | fcntl.O_CREAT | CLOEXEC)
    assert k.call(sh, "fcntl", 3, fcntl.F_GETFL) == large | fcntl.O_APPEND
    assert error(k, sh, "fcntl", 3, fcntl.F_SETFL, DIRECT) == -errno.EINVAL
    k.call(sh, "fcntl", 3, fcntl.F_SETFL, 0)
    assert k.call(sh, "fcntl", 3, fcntl.F_GETFL) == large
    assert [k.call(sh, "fcntl", fd, fcntl.F_GETFL) for fd in (0, 1, 2)] == [fcntl.O_RDWR] * 3


def test_a_console_on_which_nobody_types_is_eagain_without_waiting(k, sh):
    assert k.call(sh, "read", 0, 10) == b""
    k.call(sh, "fcntl", 0, fcntl.F_SETFL, NONBLOCK)
    assert error(k, sh, "read", 0, 10) == -errno.EAGAIN
    assert k.call(sh, "write", 0, b"out") == 3


def test_a_pipe_of_packets_gives_each_read_what_one_write_wrote(k, sh):
    assert k.call(sh, "pipe2", DIRECT | NONBLOCK) == (3, 4)
    assert k.call(sh, "fcntl", 4, fcntl.F_GETFL) == fcntl.O_WRONLY | DIRECT | NONBLOCK
    for text in (b"one", b"two, longer", b"3"):
        k.call(sh, "write", 4, text)
    assert k.call(sh, "read", 3, 100) == b"one"
    assert k.call(sh, "read", 3, 4) == b"two,"  # what did not fit is lost
    assert k.call(sh, "read", 3, 100) == b"3"
    assert error(k, sh, "read", 3, 1) == -errno.EAGAIN
    k.call(sh, "fcntl", 4, fcntl.F_SETFL, 0)
    for text in (b"a", b"b", b"c"):
        k.call(sh, "write", 4, text)
    assert k.call(sh, "read", 3, 100) == b"abc"


# --- the order of the checks -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (("dup3", 9, 9, 1), errno.EINVAL),  # flags before numbers
        (("dup3", 9, 9, 0), errno.EINVAL),  # and equal numbers before bad ones
        (("dup3", 9, 1024, 0), errno.EBADF),
        (("fcntl", 9, 99, 0), errno.EBADF),
        (("fcntl", 0, 99, 0), errno.EINVAL),
        (("fcntl", 0, fcntl.F_DUPFD, 1024), errno.EINVAL),
        (("fcntl", 0, fcntl.F_DUPFD, -1), errno.EINVAL),
        (("close_range", 5, 4, 8), errno.EINVAL),
        (("close_range", 5, 4, 0), errno.EINVAL),
        (("open", "/no/such", 0), errno.ENOENT),
        (("open", "", fcntl.O_TMPFILE), errno.EINVAL),
        (("open", "x" * 4096, 0), errno.ENAMETOOLONG),
    ],
)
def test_the_first_thing_that_is_wrong_decides(k, sh, call, number):
    assert error(k, sh, *call) == -number


def test_a_full_table_is_said_before_a_path_is_looked_up(k, sh):
    for _ in range(1021):
        k.call(sh, "dup", 0)
    assert error(k, sh, "open", "/no/such", 0) == -errno.EMFILE
    assert error(k, sh, "open", "", 0) == -errno.ENOENT
    assert error(k, sh, "fcntl", 0, fcntl.F_DUPFD, 1023) == -errno.EMFILE
    assert error(k, sh, "fcntl", 0, fcntl.F_DUPFD, 1024) == -errno.EINVAL
    assert k.call(sh, "dup3", 0, 1023, 0) == 1023


def test_numbers_are_taken_as_registers_have_them(k, sh):
    assert error(k, sh, 72, (1 << 32) + 0, fcntl.F_DUPFD, (1 << 32) + 9) == 9
    assert error(k, sh, 3, (7 << 32) + 9) == 0
    assert error(k, sh, 293, None, 0) == -errno.EFAULT
    assert bits(k, sh, "open_fds") == [0, 1, 2]
    validate.validate_machine(k.machine)


# --- close_range -------------------------------------------------------------------------------


def test_close_range_closes_both_ends_and_all_between(k, sh):
    for fd in (3, 4, 5, 6, 300):
        k.call(sh, "dup2", 0, fd)
    k.call(sh, "close_range", 4, 5)
    assert bits(k, sh, "open_fds") == [0, 1, 2, 3, 6, 300]
    k.call(sh, "close_range", 6, (1 << 32) - 1)
    assert bits(k, sh, "open_fds") == [0, 1, 2, 3]
    k.call(sh, "close_range", 5000, 6000)
    validate.validate_machine(k.machine)


@pytest.mark.parametrize(("first", "last", "left"), [(3, -1, [0, 1, 2]), (3, 4, [0, 1, 2, 5, 300])])
def test_close_range_can_leave_those_alone_who_share_the_table(k, sh, first, last, left):
    for fd in (3, 4, 5, 300):
        k.call(sh, "dup2", 0, fd)
    child = k.task(k.call(sh, "clone", sched.CLONE_FILES | 17))
    before = file_at(k, sh, 0).f_count
    k.call(child, "close_range", first, last, fcntl.CLOSE_RANGE_UNSHARE)
    assert bits(k, child, "open_fds") == left
    assert bits(k, sh, "open_fds") == [0, 1, 2, 3, 4, 5, 300]
    assert file_at(k, sh, 0).f_count == before + len(left) - 2  # 1 and 2 are files of their own
    assert (sh.files.count, child.files.count) == (1, 1)
    validate.validate_machine(k.machine)


# --- while another thread sleeps ---------------------------------------------------------------


@pytest.mark.parametrize("closing", [("close", 3), ("dup2", 0, 3), ("close_range", 3, 3)])
def test_a_read_goes_on_with_the_file_that_another_thread_has_closed(k, sh, closing):
    k.call(sh, "pipe")
    thread = k.task(k.call(sh, "clone", THREAD))
    file = file_at(k, sh, 3)
    assert k.call(thread, "read", 3, 10) is ks.PENDING
    assert file.f_count == 2
    k.call(sh, *closing)
    assert file.f_count == 1  # the reader's
    assert k.call(sh, "write", 4, b"late") == 4
    assert k.result(thread) == b"late"
    with pytest.raises(ks.Fault, match="fput"):
        _ = file.f_count
    k.call(sh, "close", 4)
    validate.validate_machine(k.machine)


def test_a_write_goes_on_with_the_file_that_another_thread_has_closed(k, sh):
    k.call(sh, "pipe")
    thread = k.task(k.call(sh, "clone", THREAD))
    assert k.call(thread, "write", 4, bytes(17 * 4096)) is ks.PENDING
    k.call(sh, "close", 4)
    assert len(k.call(sh, "read", 3, 16 * 4096)) == 16 * 4096
    assert k.result(thread) == 17 * 4096
    assert len(k.call(sh, "read", 3, 1 << 20)) == 4096
    assert k.call(sh, "read", 3, 1) == b""  # the last writer was the call
    validate.validate_machine(k.machine)
