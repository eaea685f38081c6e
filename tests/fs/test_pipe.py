"""Pipes: sixteen pages, merged writes, who sleeps, who is told of the end (fs/pipe.c)."""

import errno
import random

import pytest

import kernelsim as ks
from kernelsim.debug import validate
from kernelsim.include.linux import fs
from kernelsim.mm import page_alloc

O_NONBLOCK, O_DIRECT, O_CLOEXEC = 0o4000, 0o40000, 0o2000000
ROOM = 16 * 4096


@pytest.fixture
def k():
    return ks.boot(record=False)


@pytest.fixture
def sh(k):
    return k.spawn("sh")


@pytest.fixture
def pipe(k, sh):
    assert k.call(sh, "pipe") == (3, 4)
    return pipe_of(k, sh)


def pipe_of(k, task, fd=3):
    file = fs.file(k.machine, k.machine.read_u64(task.files.fdt.fd + 8 * fd))
    return fs.pipe_inode_info(k.machine, file.private_data)


# (offset, length) of the buffers in use, oldest first.
def buffers(pipe):
    slots = [pipe.bufs + (i % 16) for i in range(pipe.tail, pipe.head)]
    return [(slot.offset, slot.len) for slot in slots]


def error(k, task, *call):
    try:
        return k.call(task, *call)
    except OSError as refused:
        return -refused.errno


# --- what is in it -----------------------------------------------------------------------------


def test_what_is_written_comes_out_in_order_and_in_whatever_pieces(k, sh, pipe):
    for text in (b"hello", b" ", b"world", b""):
        assert k.call(sh, "write", 4, text) == len(text)
    assert k.call(sh, "read", 3, 3) == b"hel"
    assert k.call(sh, "read", 3, 0) == b""
    assert k.call(sh, "read", 3, 100) == b"lo world"
    assert (pipe.head, pipe.tail) == (1, 1)


def test_small_writes_share_a_page_and_a_page_is_freed_when_it_is_read(k, sh, pipe):
    free = page_alloc.nr_free_pages(k.machine)
    for _ in range(3):
        k.call(sh, "write", 4, b"x" * 1000)
    assert buffers(pipe) == [(0, 3000)]
    k.call(sh, "write", 4, b"y" * 1097)  # one too many for the page: a new one
    assert buffers(pipe) == [(0, 3000), (0, 1097)]
    assert page_alloc.nr_free_pages(k.machine) == free - 2
    assert k.call(sh, "read", 3, 2999) == b"x" * 2999
    assert buffers(pipe) == [(2999, 1), (0, 1097)]
    assert k.call(sh, "read", 3, 2) == b"xy"
    assert buffers(pipe) == [(1, 1096)]
    assert page_alloc.nr_free_pages(k.machine) == free - 1


def test_the_odd_bytes_of_a_large_write_are_merged_and_the_pages_follow(k, sh, pipe):
    k.call(sh, "write", 4, b"a" * 10)
    k.call(sh, "write", 4, b"b" * (2 * 4096 + 5))  # 5 fit behind the a's; then two whole pages
    assert buffers(pipe) == [(0, 15), (0, 4096), (0, 4096)]
    k.call(sh, "write", 4, b"c")  # the last page is full
    assert buffers(pipe) == [(0, 15), (0, 4096), (0, 4096), (0, 1)]
    assert k.call(sh, "read", 3, 10**5) == b"a" * 10 + b"b" * 8197 + b"c"


def test_it_holds_sixteen_pages_however_they_are_filled(k, sh, pipe):
    assert k.call(sh, "write", 4, bytes(ROOM)) == ROOM
    assert k.call(sh, "write", 4, b"x") is ks.PENDING
    assert k.call(k.init, "kill", sh.pid, 9) is None
    sh = k.spawn("sh")
    k.call(sh, "pipe")
    for _ in range(16):  # pages of 2049 bytes: two do not fit into one
        assert k.call(sh, "write", 4, bytes(2049)) == 2049
    assert len(buffers(pipe_of(k, sh))) == 16
    assert k.call(sh, "write", 4, bytes(2047)) == 2047  # into the last one
    assert k.call(sh, "write", 4, b"x") is ks.PENDING


def test_random_pieces_come_out_as_they_went_in(k, sh, pipe):
    rng, sent, got = random.Random(3), bytearray(), bytearray()
    for _ in range(400):
        room = 16 - (pipe.head - pipe.tail)
        if rng.random() < 0.55 and room > 3:
            data = rng.randbytes(rng.choice([1, 7, 100, 4095, 4096, 4097, 8000]))
            assert k.call(sh, "write", 4, data) == len(data)
            sent += data
        elif len(got) < len(sent):
            got += k.call(sh, "read", 3, rng.choice([1, 10, 4096, 5000, 10**6]))
        assert sum(length for _, length in buffers(pipe)) == len(sent) - len(got)
    while len(got) < len(sent):
        got += k.call(sh, "read", 3, 10**6)
    assert got == sent
    assert buffers(pipe) == []


# --- who sleeps --------------------------------------------------------------------------------


def test_a_reader_sleeps_until_something_is_there(k, sh, pipe):
    child = k.task(k.call(sh, "fork"))
    assert k.call(child, "read", 3, 10) is ks.PENDING
    assert (child.state, child.on_rq) == (1, 0)
    assert k.call(sh, "write", 4, b"ab") == 2
    assert k.result(child) == b"ab"
    validate.validate_machine(k.machine)


def test_one_write_wakes_one_reader_and_the_first_first(k, sh, pipe):
    readers = [k.task(k.call(sh, "fork")) for _ in range(3)]
    for reader in readers:
        assert k.call(reader, "read", 3, 1) is ks.PENDING
    k.call(sh, "write", 4, b"1")
    assert [k.result(r) for r in readers] == [b"1", ks.PENDING, ks.PENDING]
    k.call(sh, "write", 4, b"23")  # the one that is woken leaves something for the next
    assert [k.result(r) for r in readers[1:]] == [b"2", b"3"]


def test_a_writer_sleeps_while_it_is_full_and_goes_on_where_it_stopped(k, sh, pipe):
    child = k.task(k.call(sh, "fork"))
    assert k.call(child, "write", 4, b"a" * ROOM + b"b" * 5000) is ks.PENDING
    assert k.call(sh, "read", 3, 100) == b"a" * 100
    assert k.result(child) is ks.PENDING  # no whole page is free yet
    assert k.call(sh, "read", 3, ROOM - 100) == b"a" * (ROOM - 100)
    assert k.result(child) == ROOM + 5000
    assert k.call(sh, "read", 3, ROOM) == b"b" * 5000


def test_without_waiting_a_full_or_an_empty_pipe_is_eagain(k, sh):
    assert k.call(sh, "pipe2", O_NONBLOCK) == (3, 4)
    assert error(k, sh, "read", 3, 1) == -errno.EAGAIN
    assert k.call(sh, "write", 4, bytes(ROOM + 1)) == ROOM
    assert error(k, sh, "write", 4, b"x") == -errno.EAGAIN
    assert k.call(sh, "read", 3, 1) == b"\0"
    assert (
        error(k, sh, "write", 4, b"x") == -errno.EAGAIN
    )  # still no free page, and the last is full
    assert len(k.call(sh, "read", 3, 4095)) == 4095
    assert k.call(sh, "write", 4, b"x" * 5000) == 4096


# --- the ends ----------------------------------------------------------------------------------


def test_without_a_writer_there_is_an_end_and_what_is_left_comes_first(k, sh, pipe):
    k.call(sh, "write", 4, b"left")
    k.call(sh, "close", 4)
    assert (pipe.readers, pipe.writers, pipe.files) == (1, 0, 1)
    assert [k.call(sh, "read", 3, 2) for _ in range(4)] == [b"le", b"ft", b"", b""]


def test_a_sleeping_reader_is_told_of_the_end(k, sh, pipe):
    child = k.task(k.call(sh, "fork"))
    k.call(child, "close", 4)
    assert k.call(child, "read", 3, 10) is ks.PENDING
    k.call(sh, "close", 4)
    assert k.result(child) == b""


def test_a_reader_that_is_its_own_writer_waits_for_ever(k, sh, pipe):
    assert k.call(sh, "read", 3, 1) is ks.PENDING


def test_without_a_reader_a_writer_is_killed_or_told(k, sh, pipe):
    child = k.task(k.call(sh, "fork"))
    for task in (child, sh):
        k.call(task, "close", 3)
    assert k.call(child, "write", 4, b"") == 0  # nothing is written, nobody is missed
    assert k.call(child, "write", 4, b"x") is None
    assert k.call(sh, "waitpid", -1, 0) == (4, 13)  # SIGPIPE
    k.call(sh, "rt_sigaction", 13, (1, 0), None, 8)
    assert error(k, sh, "write", 4, b"x") == -errno.EPIPE


def test_a_sleeping_writer_whose_reader_goes_is_told_how_much_it_got_rid_of(k, sh, pipe):
    child = k.task(k.call(sh, "fork"))
    k.call(child, "close", 3)
    k.call(child, "rt_sigaction", 13, (1, 0), None, 8)
    assert k.call(child, "write", 4, bytes(ROOM + 100)) is ks.PENDING
    k.call(sh, "close", 3)
    assert k.result(child) == ROOM
    assert error(k, child, "write", 4, b"x") == -errno.EPIPE


def test_each_end_has_its_direction(k, sh, pipe):
    assert error(k, sh, "write", 3, b"x") == -errno.EBADF
    assert error(k, sh, "read", 4, 1) == -errno.EBADF
    assert error(k, sh, "lseek", 3, 0, 0) == -errno.ESPIPE


def test_the_last_descriptor_frees_the_pipe_and_what_is_in_it(k, sh):
    k.call(sh, "pipe")
    for fd in (3, 4):
        k.call(sh, "close", fd)
    before, free = k.slabs(), page_alloc.nr_free_pages(k.machine)
    k.call(sh, "pipe")
    inode = pipe_of(k, sh)
    child = k.task(k.call(sh, "fork"))
    k.call(sh, "write", 4, bytes(10_000))
    for fd in (3, 4):
        k.call(sh, "close", fd)
    assert inode.files == 2  # the child has both
    k.call(child, "exit_group", 0)
    k.call(sh, "waitpid", -1, 0)
    assert (k.slabs(), page_alloc.nr_free_pages(k.machine)) == (before, free)
    with pytest.raises(ks.Fault, match="free_pipe_info"):
        _ = inode.readers


@pytest.mark.parametrize(
    ("flags", "result"),
    [(0, (3, 4)), (O_CLOEXEC, (3, 4)), (O_NONBLOCK, (3, 4)), (O_DIRECT, (3, 4)), (1, -22)],
)
def test_the_flags_of_pipe2(k, sh, flags, result):
    assert error(k, sh, "pipe2", flags) == result


def test_the_reading_end_has_the_lower_number_and_the_writing_end_the_lower_address(k, sh, pipe):
    reading, writing = (k.machine.read_u64(sh.files.fdt.fd + 8 * fd) for fd in (3, 4))
    assert writing < reading  # alloc_file_pseudo() before alloc_file_clone()
    assert (fs.file(k.machine, reading).f_mode & 3, fs.file(k.machine, writing).f_mode & 3) == (
        1,
        2,
    )
