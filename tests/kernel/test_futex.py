"""Futexes in memory: buckets, keys and waiters, and that nothing is left of who waited and died."""

import errno
import struct

import pytest

import kernelsim as ks
from kernelsim.include.linux import futex as futex_h
from kernelsim.include.linux import jhash, plist, sched
from kernelsim.include.uapi.linux import futex as uapi
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel.futex import core as futex
from kernelsim.user.programs import threads
from tests.kernel import stage

PRIVATE = uapi.FUTEX_PRIVATE_FLAG
SIGKILL, SIGTERM = 9, 15


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def word(value=0):
    return stage.place(value)


def waiting(k):
    """The waiters of all buckets: bucket's number and futex_q, in their order."""
    data = k.machine.symbol("__futex_data")
    found = []
    for n in range(data.hashsize):
        hb = k.machine.symbol("futex_queues")[n]
        queued = list(plist.plist_for_each_entry(futex.futex_q, hb.chain, "list"))
        assert hb.waiters == len(queued)
        found += [(n, q) for q in queued]
    return found


def threads_of(k, leader, count):
    return [stage.clone(k, leader, stage.PTHREAD, exit_signal=0) for _ in range(count)]


# --- buckets and keys --------------------------------------------------------------------------


def test_there_are_256_buckets_of_a_cache_line_each_and_all_are_empty(k):
    data = k.machine.symbol("__futex_data")
    assert (data.hashsize, futex.futex_hash_bucket.sizeof_) == (256, 64)
    assert data.queues == k.machine.symbol("futex_queues")[0]
    assert data.queues.address_ % 8 == 0
    assert waiting(k) == []


def test_a_waiter_lies_on_its_kernel_stack_and_says_for_what_it_waits(k, sh):
    place = word(3)
    assert k.call(sh, "futex", place, uapi.FUTEX_WAIT, 3) is ks.PENDING
    ((number, q),) = waiting(k)
    assert sh.stack < q.address_ < sh.stack + 0x4000
    assert (q.task, q.bitset) == (sh, 0xFFFFFFFF)
    assert q.list.prio == 100  # MAX_RT_PRIO: not a real-time task
    (address,) = (a for a, known in k.machine.user_memory.items() if known is place)
    assert q.key.mm == sh.mm
    assert (q.key.word, q.key.offset) == (address & ~0xFFF, address & 0xFFF | 2)
    hb = k.machine.symbol("futex_queues")[number]
    assert q.lock_ptr == hb.address_of_("lock")
    assert sh.state == sched.TASK_INTERRUPTIBLE
    stage.check(k)


def test_the_bucket_is_that_of_the_kernels_own_hash(k, sh):
    key = (sh.mm.address_, 0x7FFC_0000_0000, 0x10 | futex_h.FUT_OFF_MMSHARED)
    words = struct.unpack("<4I", struct.pack("<2Q", *key[:2]))
    number = jhash.jhash2(words, 4, key[2]) & 255
    expected = k.machine.symbol("futex_queues")[number]
    assert futex.hash_futex(k.machine, key) == expected


# What jhash2() of include/linux/jhash.h gives, compiled by gcc, for n words of `WORDS` and n * 77.
WORDS = [(0x9E3779B9 * (i + 1) + i * i) & 0xFFFFFFFF for i in range(12)]
HASHES = [
    "DEADBEEF",
    "758B33BC",
    "D805102B",
    "E2600FD0",
    "3937959B",
    "2DDAACA8",
    "A45BB3F6",
    "3CD8CF7C",
    "6117EA8A",
    "3F334122",
    "1D567AF4",
    "F1841F35",
    "ECAD666F",
]


def test_the_hash_gives_what_the_kernels_c_gives():
    assert [f"{jhash.jhash2(WORDS, n, n * 77):08X}" for n in range(13)] == HASHES


def test_private_and_shared_are_two_words_at_one_address(k, sh):
    place = word()
    (thread,) = threads_of(k, sh, 1)
    assert k.call(thread, "futex", place, uapi.FUTEX_WAIT_PRIVATE, 0) is ks.PENDING
    assert k.call(sh, "futex", place, uapi.FUTEX_WAKE, 9) == 0
    assert k.call(sh, "futex", place, uapi.FUTEX_WAKE_PRIVATE, 9) == 1
    assert k.result(thread) == 0


def test_another_process_has_another_word_at_that_address(k, sh):
    place, other = word(), k.task(k.call(sh, "fork"))
    assert k.call(other, "futex", place, uapi.FUTEX_WAIT, 0) is ks.PENDING
    assert k.call(sh, "futex", place, uapi.FUTEX_WAKE, 9) == 0
    assert k.call(sh, "kill", other.pid, SIGKILL) is None


def test_a_real_time_thread_is_woken_before_those_that_came_earlier(k, sh):
    place = word()
    first, second, urgent = threads_of(k, sh, 3)
    urgent.normal_prio = 40
    for t in (first, second, urgent):
        k.call(t, "futex", place, uapi.FUTEX_WAIT, 0)
    assert [q.task for _, q in waiting(k)] == [urgent, first, second]
    for t in (urgent, first, second):
        assert k.call(sh, "futex_wake", place) == 1
        assert k.result(t) == 0
        urgent.normal_prio = 120
    stage.check(k)


def test_a_requeued_waiter_hangs_in_the_other_bucket(k, sh):
    one, other = word(), word()
    crowd = threads_of(k, sh, 3)
    for t in crowd:
        k.call(t, "futex_wait", one, 0)
    ((before, _), *_) = waiting(k)
    assert k.call(sh, "futex_requeue", one, 1, 1, other) == 2
    places = {q.task.pid: n for n, q in waiting(k)}
    assert places[crowd[2].pid] == before
    assert places[crowd[1].pid] != before
    assert k.result(crowd[0]) is None  # futex_wait returns None
    assert k.call(sh, "futex_wake", other, 9) == 1
    assert k.call(sh, "futex_wake", one, 9) == 1
    assert waiting(k) == []


# --- the end of who waits ------------------------------------------------------------------------


@pytest.mark.parametrize("end", [SIGKILL, SIGTERM, "exit_group"])
@pytest.mark.parametrize("timeout", [None, 3600])
def test_nothing_is_left_of_waiters_that_are_killed(k, sh, end, timeout):
    k.call(sh, "futex_wake", word())
    before = stage.ground(k)
    leader = k.task(k.call(sh, "fork"))
    number, place = leader.pid, word()
    for t in threads_of(k, leader, 3):
        assert k.call(t, "futex_wait", place, 0, timeout) is ks.PENDING
    assert len(waiting(k)) == 3
    if end == "exit_group":
        k.call(leader, "exit_group", 0)
    else:
        k.call(sh, "kill", number, end)
    assert k.call(sh, "waitpid", number, 0) == (number, 0 if end == "exit_group" else end)
    assert waiting(k) == []
    assert not k.machine.symbol("hrtimer_bases").rb_root.rb_node
    assert stage.ground(k) == before
    stage.check(k)


def test_futexes_allocate_nothing(k, sh):
    place, (thread,) = word(), threads_of(k, sh, 1)
    k.machine.fail_nth = 1
    assert k.call(thread, "futex_wait", place, 0, 5) is ks.PENDING
    assert k.call(sh, "futex_requeue", place, 0, 1, word()) == 1
    assert k.call(sh, "futex_wake", place) == 0
    assert k.call(sh, "set_tid_address", place) == sh.pid
    assert k.machine.fail_nth == 1
    k.machine.fail_nth = 0


def test_every_call_leaves_the_kernel_stack_as_it_was(k, sh):
    (thread,) = threads_of(k, sh, 1)
    sp = thread.thread.sp
    place = word()
    for call in (
        ("futex_wait", place, 1),
        ("futex_wait", place, 1, 5),
        ("futex", 2, uapi.FUTEX_WAIT, 0, (1, 0)),
        ("futex", place, uapi.FUTEX_WAIT_BITSET, 0, (0, 1), None, 0),
    ):
        assert stage.refused(k, thread, *call) in (errno.EAGAIN, errno.EINVAL)
        assert thread.thread.sp == sp
    assert k.call(thread, "futex_wait", place, 0, 5) is ks.PENDING
    k.call(sh, "futex_wake", place)
    assert thread.thread.sp == sp


# --- clear_child_tid -----------------------------------------------------------------------------


def test_a_thread_alone_in_its_memory_clears_nothing(k, sh):
    place = word(77)
    child = k.task(k.call(sh, "clone", 0x00200000 | 17, None, None, place))
    k.call(child, "exit_group", 0)
    assert place.data == 77  # mm_users was 1


def test_the_word_is_cleared_by_exec_too_and_only_once(k, sh):
    place = word(77)
    child = k.task(k.call(sh, "clone", 0x00200000 | 0x100 | 17, None, None, place))  # CLONE_VM
    assert child.clear_child_tid
    k._file("other")
    k.call(child, "execve", "other")
    assert (place.data, child.clear_child_tid) == (0, 0)
    place.data = 5
    k.call(child, "exit_group", 0)
    assert place.data == 5


def test_the_joiner_runs_when_the_thread_can_no_longer_touch_the_memory(k, sh):
    place = word()
    number = k.call(sh, "clone", threads.PTHREAD, None, place, place)
    thread = k.task(number)
    assert place.data == number
    assert k.call(sh, "futex_wait", place, number) is ks.PENDING
    since = k.now
    stage.inside(k, thread, kernel_exit.do_exit(k.machine, 0))
    assert k.result(sh) is None
    names = [e.name for e in k.events(since) if e.kind != "exit"]
    order = ("exit_mm", "exit_mm_release", "futex_exit_release", "mm_release", "futex_wake",
             "sched_wakeup", "exit_files", "exit_notify")  # fmt: skip
    assert [n for n in names if n in order] == list(order)


def test_robust_words_are_given_up_before_the_thread_is_announced_dead(k, sh):
    (thread,) = threads_of(k, sh, 1)
    held = [word(thread.pid | uapi.FUTEX_WAITERS), word(thread.pid), word(sh.pid), word(0)]
    k.call(thread, "set_robust_list", held, held[3])
    assert thread.robust_list
    waiter, late = threads_of(k, sh, 2)
    k.call(waiter, "futex_wait", held[0], held[0].data)
    k.call(late, "futex_wait", held[3], 0)
    number, address = thread.pid, thread.robust_list
    head, length = stage.place(), stage.place()
    assert k.call(sh, "get_robust_list", number, head, length) == 0
    assert (head.data, length.data) == (address, 24)
    stage.inside(k, thread, kernel_exit.do_exit(k.machine, 0))
    died = uapi.FUTEX_OWNER_DIED
    assert [w.data for w in held] == [uapi.FUTEX_WAITERS | died, died, sh.pid, 0]
    assert k.result(waiter) is k.result(late) is None
    assert waiting(k) == []
    assert stage.refused(k, sh, "get_robust_list", number, head, length) == errno.ESRCH


def test_a_child_inherits_no_robust_list(k, sh):
    k.call(sh, "set_robust_list", [])
    assert k.task(k.call(sh, "fork")).robust_list == 0


# --- who waits for ever ---------------------------------------------------------------------------


def test_a_program_in_which_all_wait_for_ever_is_stuck():
    async def program(libc):
        place = libc.word()
        await threads.start(libc, lambda libc: libc.futex_wait(place, 0))
        await libc.futex_wait(place, 0)

    with pytest.raises(ks.Stuck, match="futex"):
        ks.run(program)


def test_two_that_take_two_locks_crosswise_are_stuck():
    async def program(libc):
        one, other = libc.word(), libc.word()

        async def thread(libc):
            await threads.lock(libc, other)
            await libc.sched_yield()
            await threads.lock(libc, one)

        tid = await threads.start(libc, thread)
        await threads.lock(libc, one)
        await libc.sched_yield()
        await threads.lock(libc, other)
        await threads.join(libc, tid)

    with pytest.raises(ks.Stuck):
        ks.run(program)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (threads.joined_threads, "True [0, 0, 0]\n"),
        (threads.a_mutex_keeps_two_threads_apart, "20\n"),
    ],
)
def test_the_examples_with_threads_print_what_they_say(program, text):
    run = ks.run(program)
    assert (run.stdout.decode(), run.status, run.notes) == (text, 0, "")
