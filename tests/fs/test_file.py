"""Descriptors: the lowest free one, tables that grow and are copied, the limit (fs/file.c)."""

import errno

import pytest

import kernelsim as ks
from kernelsim.debug import validate
from kernelsim.include.linux import fs


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


def open_fds(k, task):
    fdt = task.files.fdt
    words = [k.machine.read_u64(fdt.open_fds + 8 * i) for i in range(fdt.max_fds // 64)]
    return [64 * i + bit for i, word in enumerate(words) for bit in range(64) if word >> bit & 1]


def test_a_new_descriptor_is_the_lowest_free_one(k, sh):
    assert [k.call(sh, "dup", 0) for _ in range(3)] == [3, 4, 5]
    for fd in (4, 1):
        k.call(sh, "close", fd)
    assert [k.call(sh, "dup", 0) for _ in range(3)] == [1, 4, 6]
    assert open_fds(k, sh) == [0, 1, 2, 3, 4, 5, 6]


def test_descriptors_that_are_not_open_are_ebadf(k, sh):
    for fd in (3, 63, 64, 1023, 1024, 5000, -1, -(1 << 31), (1 << 31) - 1):
        for call in (
            ("close", fd),
            ("dup", fd),
            ("read", fd, 1),
            ("write", fd, b"x"),
            ("lseek", fd, 0, 0),
        ):
            assert error(k, sh, *call) == -errno.EBADF, call
        assert error(k, sh, "dup2", fd, 5) == -errno.EBADF
    assert open_fds(k, sh) == [0, 1, 2]


@pytest.mark.parametrize(
    ("count", "size"),
    [(60, 64), (61, 64), (62, 128), (125, 128), (126, 256), (300, 512), (1021, 1024)],
)
def test_the_table_grows_by_powers_of_two_from_128(k, sh, count, size):
    for _ in range(count):
        k.call(sh, "dup", 0)
    assert sh.files.fdt.max_fds == size
    assert open_fds(k, sh) == list(range(3 + count))
    assert file_at(k, sh, 0).f_count >= count + 1
    assert file_at(k, sh, 2 + count) == file_at(k, sh, 0)
    validate.validate_machine(k.machine)


def test_the_limit_is_1024_and_a_closed_one_makes_room(k, sh):
    last = 0
    with pytest.raises(OSError, match="Too many open files") as full:  # noqa: PT012 - the loop raises
        while True:
            last = k.call(sh, "dup", 0)
    assert (last, full.value.errno) == (1023, errno.EMFILE)
    for call in (("pipe",), ("open", "/dev/null", 0), ("dup", 5)):
        assert error(k, sh, *call) == -errno.EMFILE
    k.call(sh, "close", 700)
    before = k.slabs()
    assert error(k, sh, "pipe") == -errno.EMFILE  # one is not enough
    assert k.slabs() == before
    assert 700 not in open_fds(k, sh)
    assert k.call(sh, "open", "/dev/null", 0) == 700
    validate.validate_machine(k.machine)


def test_dup2_takes_any_number_below_the_limit_and_closes_what_was_there(k, sh):
    k.call(sh, "pipe")
    reading = file_at(k, sh, 3)
    assert k.call(sh, "dup2", 4, 500) == 500
    assert sh.files.fdt.max_fds == 512
    assert open_fds(k, sh) == [0, 1, 2, 3, 4, 500]
    assert k.call(sh, "dup2", 4, 3) == 3  # the only reading end
    with pytest.raises(ks.Fault, match="fput"):
        _ = reading.f_count
    assert file_at(k, sh, 4).f_count == 3
    assert k.call(sh, "dup2", 4, 4) == 4
    assert file_at(k, sh, 4).f_count == 3
    for old, new in ((9, 9), (9, 10), (4, 1024), (4, -1), (-1, 4), (9, 1024)):
        assert error(k, sh, "dup2", old, new) == -errno.EBADF
    assert k.call(sh, "dup2", 4, 1023) == 1023
    validate.validate_machine(k.machine)


def test_a_copy_of_the_table_has_room_for_what_is_open_and_no_more(k, sh):
    for _ in range(400):
        k.call(sh, "dup", 0)
    assert sh.files.fdt.max_fds == 512
    for fd in range(70, 403):
        k.call(sh, "close", fd)
    child = k.task(k.call(sh, "fork"))
    assert (sh.files.fdt.max_fds, child.files.fdt.max_fds) == (512, 128)
    for fd in range(10, 70):
        k.call(sh, "close", fd)
    other = k.task(k.call(sh, "fork"))
    assert other.files.fdt == other.files.fdtab  # the one in the struct itself
    assert (other.files.fdt.max_fds, open_fds(k, other)) == (64, list(range(10)))
    validate.validate_machine(k.machine)
    for task in (child, other):
        k.call(task, "exit_group", 0)
        k.call(sh, "waitpid", -1, 0)
    validate.validate_machine(k.machine)


def test_descriptors_of_a_child_are_its_own_and_the_files_are_shared(k, sh):
    k.call(sh, "pipe")
    child = k.task(k.call(sh, "fork"))
    assert file_at(k, child, 3) == file_at(k, sh, 3)
    assert file_at(k, sh, 3).f_count == 2
    k.call(child, "close", 3)
    assert (open_fds(k, sh), open_fds(k, child)) == ([0, 1, 2, 3, 4], [0, 1, 2, 4])
    assert file_at(k, sh, 3).f_count == 1
    k.call(child, "exit_group", 0)
    assert file_at(k, sh, 4).f_count == 1


def test_devices_are_all_that_can_be_opened(k, sh):
    assert k.call(sh, "open", "/dev/null", 0) == 3
    assert k.call(sh, "open", "/dev/null", 1) == 4
    assert k.call(sh, "open", "/dev/null", 2) == 5
    assert k.call(sh, "read", 3, 10) == b""
    assert k.call(sh, "write", 4, b"gone") == 4
    assert (error(k, sh, "read", 4, 1), error(k, sh, "write", 3, b"x")) == (-errno.EBADF,) * 2
    assert k.call(sh, "write", 5, b"x") == 1
    for path in ("/", "/etc/passwd", "", "dev/null"):
        assert error(k, sh, "open", path, 0) == -errno.ENOENT


def test_the_console_tells_descriptor_1_from_2(k, sh):
    assert k.call(sh, "write", 1, b"out\n") == 4
    assert k.call(sh, "write", 2, b"err\n") == 4
    assert k.console == b"out\n"
    assert b"".join(k.lines[2]) == b"err\n"
    k.call(sh, "dup2", 2, 1)
    k.call(sh, "write", 1, b"there\n")
    assert k.console == b"out\n"


def test_a_read_of_a_length_that_reaches_beyond_memory_is_efault_if_the_descriptor_is_good(k, sh):
    k.call(sh, "pipe")
    assert error(k, sh, 0, 3, None, -1) == -errno.EFAULT
    assert error(k, sh, 0, 99, None, -1) == -errno.EBADF
    assert error(k, sh, 0, 4, None, -1) == -errno.EBADF  # the writing end
