"""What was used and what may be: exact sums, limits in force, errno as on real Linux."""

import pytest

import kernelsim as ks
from kernelsim.include.uapi.linux import resource
from tests.kernel import stage

EINVAL, ESRCH, EPERM, EAGAIN, EMFILE = 22, 3, 1, 11, 24
TICK = 4_000_000


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def test_the_childrens_time_is_the_sum_of_what_wait4_told():
    async def program(libc):
        for n in (30, 60):
            if not await libc.fork():
                await libc.compute(n * 1_000_000)
                await libc.exit(n)
        told = [(await libc.wait4(-1, 0))[2] for _ in range(2)]
        used = await libc.getrusage(resource.RUSAGE_CHILDREN)
        for name in ("ru_nvcsw", "ru_nivcsw"):
            assert sum(getattr(ru, name) for ru in told) == getattr(used, name)
        time = sum(ru.ru_utime + ru.ru_stime for ru in told)
        assert abs(time - used.ru_utime - used.ru_stime) < 1e-4
        assert time >= 0.09

    for run in (ks.run, ks.host.run) if not ks.host.unavailable() else (ks.run,):
        outcome = run(program)
        assert (outcome.status, outcome.notes) == (0, "")


def test_computing_is_shared_tick_by_tick_and_a_sleeper_wakes_in_time():
    async def program(libc):
        if not await libc.fork():
            await libc.nanosleep(0, 10_000_000)
            await libc.printf("woke\n")
            await libc.exit(0)
        await libc.compute(50_000_000)
        await libc.printf("done\n")
        await libc.fflush()
        await libc.wait()

    assert ks.run(program).stdout == b"woke\ndone\n"


def test_ticks_divide_the_exact_time_and_neither_part_goes_back(k, sh):
    k.call(sh, "compute", 3 * TICK)
    before = k.call(sh, "getrusage", resource.RUSAGE_SELF)
    assert (sh.utime, sh.stime) == (3 * TICK, 0)
    assert before.ru_stime == 0
    sh.stime = 9 * TICK  # as if it had been in the kernel at most ticks
    after = k.call(sh, "getrusage", resource.RUSAGE_SELF)
    assert after.ru_utime >= before.ru_utime
    assert after.ru_stime >= before.ru_stime
    total = after.ru_utime + after.ru_stime
    assert abs(total - sh.se.sum_exec_runtime / 1e9) < 2e-6


ERRORS = [
    (("getrusage", 2), EINVAL),
    (("getrlimit", 16), EINVAL),
    (("setrlimit", 7, (10, 5)), EINVAL),
    (("setrlimit", 99, (1, 2)), EINVAL),
    (("prlimit", 999_999, 7), ESRCH),
    (("getpriority", 3, 0), EINVAL),
    (("getpriority", 0, 999_999), ESRCH),
    (("setpriority", -1, 0, 0), EINVAL),
    (("setpriority", 1, 999_999, 0), ESRCH),
    (("setrlimit", 7, (5, 1 << 40)), EPERM),
]


@pytest.mark.parametrize(("call", "wanted"), ERRORS, ids=str)
def test_what_is_refused_is_refused_as_on_linux(call, wanted):
    async def program(libc):
        try:
            await getattr(libc, call[0])(*call[1:])
        except OSError as error:
            return error.errno
        return 0

    for run in (ks.run, ks.host.run) if not ks.host.unavailable() else (ks.run,):
        assert run(program).status == wanted << 8


def test_raising_a_hard_limit_takes_the_capability(k, sh):
    k.call(sh, "setrlimit", resource.RLIMIT_CORE, (1, 5))
    sh.cred.cap_effective = 0
    assert stage.refused(k, sh, "setrlimit", resource.RLIMIT_CORE, (1, 6)) == EPERM
    assert k.call(sh, "prlimit", 0, resource.RLIMIT_CORE, (5, 5)) == (1, 5)
    assert k.call(sh, "getrlimit", resource.RLIMIT_CORE) == (5, 5)


def test_descriptors_end_at_the_limit(k, sh):
    k.call(sh, "setrlimit", resource.RLIMIT_NOFILE, (4, 4))
    first = k.call(sh, "dup", 0)
    assert first == 3
    assert stage.refused(k, sh, "dup", 0) == EMFILE


def test_a_realtime_signal_of_tgkill_is_refused_when_the_queue_is_full(k, sh):
    k.call(sh, "sigprocmask", 0, {34, 10})
    k.call(sh, "setrlimit", resource.RLIMIT_SIGPENDING, (1, 1))
    k.call(sh, "tgkill", sh.pid, sh.pid, 34)
    assert sh.cred.user.sigpending == 1
    assert stage.refused(k, sh, "tgkill", sh.pid, sh.pid, 34) == EAGAIN
    k.call(sh, "kill", sh.pid, 34)  # goes without its details
    assert sh.cred.user.sigpending == 1
    k.call(sh, "kill", sh.pid, 10)  # the limit is not for these
    assert k.call(sh, "sigpending") == {34, 10}


def test_the_cpu_limit_warns_each_second_and_kills_at_the_end():
    async def program(libc):
        async def warned(sig):
            await libc.write(1, b"%d " % sig)

        await libc.signal(24, warned)
        await libc.setrlimit(resource.RLIMIT_CPU, (1, 3))
        await libc.compute(10_000_000_000)

    outcome = ks.run(program)
    assert (outcome.stdout, outcome.status) == (b"24 24 ", 9)


def test_a_nicer_task_weighs_less_and_the_queue_knows(k, sh):
    assert k.call(sh, "nice", 5) == 5
    assert (sh.static_prio, sh.prio, sh.se.load.weight) == (125, 125, 335 << 10)
    k.call(sh, "setpriority", 0, 0, -30)
    assert k.call(sh, "getpriority", 0, 0) == -20
    assert sh.se.load.weight == 88761 << 10
    k.call(sh, "exit_group", 0)
