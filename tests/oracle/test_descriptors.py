"""Real Linux decides: calls on descriptors with odd arguments, generated, have the same results."""

import contextlib
import random
import resource

import pytest

import kernelsim as ks
from kernelsim import host
from kernelsim.include.uapi.asm import fcntl
from kernelsim.user.programs import common

pytestmark = pytest.mark.needs_namespaces

# 1 stays what it is: what the program prints goes there.  The runner has descriptors above 199.
FDS = (*(0, 3, 4, 5, 6, 7, 9, 63, 64, 65, 127, 128, 1022), 1023, 1024, 1025, -1, -5, (1 << 31) - 1)
NEW = tuple(fd for fd in FDS if fd != 0)
CLOEXEC, NONBLOCK = fcntl.O_CLOEXEC, fcntl.O_NONBLOCK
FLAGS = (0, CLOEXEC, NONBLOCK, CLOEXEC | NONBLOCK, 1, -1, fcntl.O_APPEND, fcntl.O_DIRECT | CLOEXEC)
STATUS = (0, NONBLOCK, fcntl.O_APPEND, -1 & ~fcntl.FASYNC, fcntl.O_RDWR, fcntl.O_DIRECT, CLOEXEC)
NO_COMMANDS = (99, -1, 2000, 12, 1 << 20)
SHOWN = (*range(3, 72), 126, 127, 128, 129, 150, 151, 1022, 1023)


# One call, as (name, arguments).
def call(rng):
    fd, new = rng.choice(FDS), rng.choice(NEW)
    get = rng.choice((fcntl.F_GETFD, fcntl.F_GETFL, *NO_COMMANDS))
    start = rng.choice((0, 3, 10, 63, 64, 128, 150, 1023, 1024, -1, 1 << 31, (1 << 32) + 12))
    dup = rng.choice((fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC))
    first, last = rng.choice((3, 5, 64, 1000, 1 << 31)), rng.choice((2, 4, 6, 70, 2000, -1))
    return rng.choice(
        (
            ("dup", fd),
            ("dup2", fd, new),
            ("dup3", fd, new, rng.choice(FLAGS)),
            ("fcntl", fd, dup, start),
            ("fcntl", fd, get, rng.choice((0, 7, -1))),
            ("fcntl", fd, fcntl.F_SETFD, rng.choice((0, 1, 2, 3, -1))),
            ("fcntl", fd, fcntl.F_SETFL, rng.choice(STATUS)),
            ("pipe2", rng.choice(FLAGS)),
            ("open", "/dev/null", rng.choice((*FLAGS[:4], 2, 3, 0o1102, 0o301, 0o200000, 0o40000))),
            ("open", rng.choice(("/no/such", "")), rng.choice((0, CLOEXEC))),
            ("close", rng.choice((new, -1, 8, 10))),
            ("close_range", first, last, rng.choice((0, 0, 2, 1, 8, -1))),
        )
    )


async def show(libc):
    for fd in SHOWN:
        with contextlib.suppress(OSError):
            flags = await libc.fcntl(fd, fcntl.F_GETFD), await libc.fcntl(fd, fcntl.F_GETFL)
            await libc.printf(f"{fd}: {flags}\n")


async def shown(libc, argv):
    await libc.printf(f"{argv}\n")
    await show(libc)


# A program that makes the calls and says what came of each, then what is open, and what is still
# open after an execve.
def program_of(calls, *, replaced):
    async def program(libc):
        await libc.dup2(0, 2)
        await libc.pipe2(CLOEXEC)
        for name, *args in calls:
            result = await common.fails(getattr(libc, name)(*args))
            await libc.printf(f"{name}{tuple(args)}: {result}\n")
        await show(libc)
        await libc.fflush()
        if replaced:
            await libc.execve("shown", ["after"])

    return program


@pytest.fixture
def _linuxs_own_limit():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_linuxs_own_limit")
@pytest.mark.parametrize("seed", range(60))
def test_generated_calls_have_the_results_that_they_have_on_linux(seed):
    rng = random.Random(seed)
    program = program_of([call(rng) for _ in range(40)], replaced=not seed % 6)
    real = host.run(program, programs={"shown": shown})
    simulated = ks.run(program, programs={"shown": shown}, record=False)
    assert simulated.stdout.decode().splitlines() == real.stdout.decode().splitlines()
    assert (simulated.status, real.notes) == (real.status, "")
