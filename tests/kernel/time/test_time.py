"""Virtual time: it passes when something is done, jumps to the next timer, and is the same each time."""

import errno
import itertools

import pytest

import kernelsim as ks
from kernelsim.kernel.time import hrtimer, timekeeping
from tests.kernel import stage

MS = 1_000_000


@pytest.fixture
def k():
    return ks.boot()


def now(k):
    return timekeeping.ktime_get_ns(k.machine)


def test_a_system_call_takes_a_microsecond_and_a_switch_two(k):
    sh = k.spawn("sh")
    other = k.spawn("other")
    k.call(sh, "getpid")
    before = now(k)
    for _ in range(10):
        k.call(sh, "getpid")
    assert now(k) - before == 10_000
    before = now(k)
    k.call(other, "getpid")
    assert now(k) - before == 1_000 + 2_000


def test_the_same_calls_take_the_same_time_with_and_without_recording():
    def life(record):
        k = ks.boot(record=record)
        sh = k.spawn("sh")
        for status in range(3):
            stage.end(k, sh, k.call(sh, "fork"), status)
        return now(k), sh.se.sum_exec_runtime, sh.se.vruntime, sh.start_time

    assert life(True) == life(False) == life(True)


def test_one_who_sleeps_alone_wakes_at_once_and_its_time_has_passed(k):
    sh = k.spawn("sh")
    for seconds, ns in ((0, 5 * MS), (3, 0), (10**7, 1)):
        before = now(k)
        assert k.call(sh, "nanosleep", seconds, ns) == 0
        passed = now(k) - before - seconds * 10**9 - ns
        assert 0 <= passed <= 20_000
    assert not k.machine.symbol("hrtimer_bases").rb_leftmost
    stage.check(k)


def test_sleepers_wake_in_the_order_of_their_time():
    async def main(libc):
        for name, ms in ((b"a", 30), (b"b", 10), (b"c", 20), (b"d", 15), (b"e", 0)):
            if await libc.fork() == 0:
                await libc.nanosleep(0, ms * MS)
                await libc.write(1, name)
                return
            await libc.nanosleep(0, 1000)  # until that one has lain down
        for _ in range(5):
            await libc.wait()

    run = ks.run(main)
    assert run.stdout == b"ebdca"
    woken = [e for e in run.kernel.events() if e.name == "sched_wakeup" and e.pid == 0]
    assert len(woken) >= 4  # by the idle task, which takes the timer's interrupt
    assert 30 * MS < now(run.kernel) < 31 * MS


def test_timers_of_the_same_time_keep_the_order_of_their_arrival(k):
    m = k.machine
    timers = [
        hrtimer.hrtimer_sleeper(m, m.define(f"timer{i}", hrtimer.hrtimer_sleeper).address_)
        for i in range(5)
    ]
    for timer, expires in zip(timers, (500, 300, 500, 300, 400), strict=True):
        timer.expires = now(k) + expires * MS
        timer.task = k.init
        hrtimer._enqueue(m, timer)
    first = now(k)
    fired = []
    while hrtimer.hrtimer_interrupt(m):
        fired += [i for i, t in enumerate(timers) if not t.task and i not in fired]
    assert fired == [1, 3, 4, 0, 2]
    assert now(k) == first + 500 * MS


def test_while_somebody_runs_nobody_wakes_before_the_next_quiet_moment():
    async def main(libc):
        if await libc.fork() == 0:
            await libc.nanosleep(0, 1 * MS)
            await libc.write(1, b"child ")
            return
        for _ in range(50):
            await libc.sched_yield()
        await libc.write(1, b"parent ")
        await libc.wait()

    assert ks.run(main).stdout == b"parent child "


@pytest.mark.parametrize(("seconds", "ns"), [(-1, 0), (0, -1), (0, 10**9), (1 << 70, -5)])
def test_a_time_that_is_none_is_einval(k, seconds, ns):
    sh = k.spawn("sh")
    with pytest.raises(OSError, match="Invalid argument") as refused:
        k.call(sh, "nanosleep", seconds, ns)
    assert refused.value.errno == errno.EINVAL


def test_a_signal_ends_a_sleep_and_takes_its_timer_away():
    async def main(libc):
        child = await libc.fork()
        if child == 0:
            await libc.nanosleep(1000)
            await libc.write(1, b"never")
            return
        await libc.sched_yield()
        await libc.kill(child, 15)
        await libc.write(1, b"%d" % (await libc.waitpid(child, 0))[1])

    run = ks.run(main)
    assert run.stdout == b"15"
    assert now(run.kernel) < 1000 * MS
    assert not run.kernel.machine.symbol("hrtimer_bases").rb_leftmost


def test_with_no_timer_there_is_no_interrupt(k):
    before = now(k)
    assert hrtimer.hrtimer_interrupt(k.machine) is False
    assert now(k) == before


def test_after_a_tick_of_4_ms_one_that_had_its_slice_gives_way():
    async def main(libc):
        child = await libc.fork()
        name = b"c" if child == 0 else b"p"
        for _ in range(30):
            for _ in range(400):  # 0.4 ms
                await libc.getpid()
            await libc.write(1, name)
        if child:
            await libc.wait()

    out = ks.run(main, record=False).stdout
    assert len(out) == 60
    changes = sum(a != b for a, b in itertools.pairwise(out))
    assert 3 <= changes <= 12  # some 24 ms of work in slices of about 3 ms, seen at each 4 ms
