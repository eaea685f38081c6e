"""The programs of threads.c as the simulator runs them: the same names, the same lines."""

from kernelsim.include.uapi.asm import errno, signal
from kernelsim.include.uapi.linux import futex, wait

PTHREAD = 0x350F00  # PTHREAD in threads.c: that of glibc without CLONE_SETTLS
NAMES = {number: name for name, number in vars(errno).items() if name.startswith("E")}
PRIVATE = futex.FUTEX_PRIVATE_FLAG


async def say(libc, text):
    await libc.write(1, f"{text}\n".encode())


# The result of a call, or the name of its errno.
async def name(call):
    try:
        result = await call
    except OSError as error:
        return NAMES[error.errno]
    return 0 if result is None else result


async def rest(libc):
    await libc.nanosleep(0, 50_000_000)


async def start(libc, function, tid):
    return await libc.clone(PTHREAD, function, tid, tid)


async def join(libc, tid):
    while value := tid.data:
        await name(libc.futex_wait(tid, value))


async def reap(libc, pid, options):
    try:
        found, status = await libc.waitpid(pid, options)
    except OSError as error:
        await say(libc, f"reaped: {NAMES[error.errno]}")
    else:
        await say(libc, f"reaped: {status:x}" if found else "reaped: 0")


# What threads.c has in static variables: a process's memory.
class Memory:
    def __init__(self, libc):
        self.one, self.other, self.lock = (libc.word() for _ in range(3))
        self.tids = [libc.word() for _ in range(8)]
        self.results = [0] * 8
        self.counter = self.handled = self.child = 0

    def waiter(self, i, word, bits=None, timeout=None):
        op = futex.FUTEX_WAIT if bits is None else futex.FUTEX_WAIT_BITSET

        async def thread(libc):
            self.results[i] = await name(libc.futex(word, op, word.data, timeout, None, bits or 0))

        return thread

    async def begin(self, libc, i, thread):
        self.results[i] = "waits"
        return await start(libc, thread, self.tids[i])

    async def some(self, libc, count, bits=None):
        for i in range(count):
            await self.begin(libc, i, self.waiter(i, self.one, bits and bits[i]))
            await rest(libc)

    async def ended(self, libc, count):
        await rest(libc)
        for i in range(count):
            await say(libc, f"waiter {i}: {self.results[i]}")


# --- futexes ----------------------------------------------------------------------------------


async def errnos(libc):
    m = Memory(libc)
    ops = (
        futex.FUTEX_WAIT,
        futex.FUTEX_WAKE,
        futex.FUTEX_WAIT | PRIVATE,
        futex.FUTEX_WAKE | PRIVATE,
    )
    for place in (0, 1, 2, 3, 4, 6, 1 << 60):
        for j, op in enumerate(ops):
            await say(libc, f"{j} {await name(libc.futex(place, op, 0))}")
    one, other = m.one, m.other
    one.data = 5
    for args in (
        (futex.FUTEX_WAIT, 4),
        (futex.FUTEX_WAIT_BITSET, 5),
        (futex.FUTEX_WAKE_BITSET, 1),
        (futex.FUTEX_WAKE, 1),
        (futex.FUTEX_WAKE, -1),
        (futex.FUTEX_FD, 1),
        (77, 1),
        (futex.FUTEX_WAKE | futex.FUTEX_CLOCK_REALTIME, 1),
        *((futex.FUTEX_WAIT, 5, t) for t in ((-1, 0), (0, -1), (0, 10**9), 8)),
    ):
        await say(libc, await name(libc.futex(one, *args)))
    await say(libc, await name(libc.futex(1, futex.FUTEX_WAIT, 5, (-1, 0))))
    for op in (futex.FUTEX_REQUEUE, futex.FUTEX_CMP_REQUEUE):
        for args in ((-1, 1, other, 5), (1, -1, other, 5), (1, 1, 3, 5), (1, 1, other, 4),
                     (1, 1, other, 5)):  # fmt: skip
            await say(libc, await name(libc.futex(one, op, *args)))
    for flag in (0, PRIVATE):
        await say(libc, await name(libc.futex(one, futex.FUTEX_WAKE_OP | flag, 1, 1, 4)))
    await say(libc, await name(libc.trap_("set_robust_list", one, 23)))


async def wake_counts(libc):
    m = Memory(libc)
    await m.some(libc, 5)
    for count in (1, 0, 2):
        await say(libc, f"woken {await name(libc.futex_wake(m.one, count))}")
        await m.ended(libc, 5)
    await say(libc, f"woken {await name(libc.futex(m.one, futex.FUTEX_WAKE_PRIVATE, 9))}")
    for word in (m.other, m.one, m.one):
        await say(libc, f"woken {await name(libc.futex_wake(word, 9))}")
    await m.ended(libc, 5)


async def bitsets(libc):
    m = Memory(libc)
    await m.some(libc, 5, (1, 2, 3, 4, futex.FUTEX_BITSET_MATCH_ANY))
    for bits in (8, 2, 0x80000000, 5, 1):
        call = libc.futex(m.one, futex.FUTEX_WAKE_BITSET, 9, None, None, bits)
        await say(libc, f"bits {bits}: {await name(call)}")
        await m.ended(libc, 5)


async def requeue(libc):
    m = Memory(libc)
    await m.some(libc, 6)
    await say(libc, await name(libc.futex_requeue(m.one, 1, 2, m.other, 7)))
    await say(libc, await name(libc.futex_requeue(m.one, 1, 2, m.other, 0)))
    await m.ended(libc, 6)
    await say(libc, await name(libc.futex_wake(m.other)))
    await m.ended(libc, 6)
    await say(libc, await name(libc.futex_requeue(m.one, 0, 1, m.other)))
    await say(libc, await name(libc.futex_wake(m.one, 9)))
    await say(libc, await name(libc.futex_requeue(m.other, 1, 9, m.other)))
    await say(libc, await name(libc.futex_wake(m.other, 9)))
    await m.ended(libc, 6)


def signed(word):
    return word.data - (1 << 32) if word.data >> 31 else word.data


async def wake_op(libc):
    m = Memory(libc)
    await m.some(libc, 2)
    for what in ((0, 7, 0, 0), (1, -3, 1, 7), (2, 0x10, 2, 5), (3, 4, 3, 20), (4, 0x7FF, 4, 20),
                 (8 | 2, 31, 5, 0), (1, 1, 4, 0), (5, 1, 0, 0), (0, 0, 6, 0)):  # fmt: skip
        call = libc.futex(m.lock, futex.FUTEX_WAKE_OP, 1, 1, m.other, futex.FUTEX_OP(*what))
        await say(libc, await name(call))
        await say(libc, f"= {signed(m.other)}")
    await m.begin(libc, 2, m.waiter(2, m.other))
    await rest(libc)
    for what in ((0, 1, 0, 3), (0, 2, 0, 1)):
        call = libc.futex(m.one, futex.FUTEX_WAKE_OP, 1, 1, m.other, futex.FUTEX_OP(*what))
        await say(libc, await name(call))
        await m.ended(libc, 3)


async def timeouts(libc):
    m = Memory(libc)
    bitset, real = futex.FUTEX_WAIT_BITSET, futex.FUTEX_CLOCK_REALTIME
    await say(libc, await name(libc.futex_wait(m.one, 0, 0.01)))
    await say(libc, await name(libc.futex_wait(m.one, 0, 0)))
    await say(libc, await name(libc.futex_wait(m.one, 1, 0.01)))
    await say(libc, await name(libc.futex(m.one, bitset, 0, (0, 0), None, 1)))
    await say(libc, await name(libc.futex(m.one, bitset | real, 0, (1, 0), None, 1)))
    await m.some(libc, 1)
    await say(libc, await name(libc.futex_wait(m.one, 0, 0.01)))
    await say(libc, await name(libc.futex_wake(m.one, 9)))
    await m.ended(libc, 1)


# --- joining and locking ------------------------------------------------------------------------


async def joined(libc):
    m = Memory(libc)
    for i in range(3):

        async def speaker(libc, i=i):
            known = m.tids[i].data == await libc.gettid()
            await say(libc, f"thread {i}: its number is known: {known:d}")

        number = await start(libc, speaker, m.tids[i])
        await join(libc, m.tids[i])
        await say(libc, f"joined {i}, another one: {number != await libc.getpid():d}")


async def private_joiners_are_not_woken(libc):
    (tid, *_) = Memory(libc).tids
    for flag, time in ((PRIVATE, 200), (0, 2000)):
        await start(libc, rest, tid)
        call = libc.futex(
            tid, futex.FUTEX_WAIT | flag, tid.data, (time // 1000, time % 1000 * 10**6)
        )
        await say(libc, await name(call))
        await say(libc, tid.data)


async def set_tid_address_moves_the_word(libc):
    m = Memory(libc)

    async def mover(libc):
        mine = await libc.set_tid_address(m.other) == await libc.gettid()
        await say(libc, f"{mine:d}")
        m.other.data = 17

    number = await start(libc, mover, m.tids[0])
    await rest(libc)
    await say(libc, f"{m.tids[0].data == number:d} {m.other.data}")
    m.other.data = 17
    await say(libc, f"{await libc.set_tid_address(m.other) == await libc.getpid():d}")
    pid = await libc.fork()
    if pid == 0:
        await libc.set_tid_address(m.other)
        await libc._exit(0)
    await libc.waitpid(pid, 0)
    await say(libc, m.other.data)


async def one_joiner_is_woken(libc):
    m = Memory(libc)

    async def long_sleeper(libc):
        while not m.one.data:
            await rest(libc)

    await start(libc, long_sleeper, m.tids[7])
    for i in range(2):
        await m.begin(libc, i, m.waiter(i, m.tids[7]))
        await rest(libc)
    m.one.data = 1
    await rest(libc)
    await m.ended(libc, 2)
    await say(libc, await name(libc.futex_wake(m.tids[7], 9)))
    await m.ended(libc, 2)


# 0 free, 1 taken, 2 taken and perhaps waited for.
async def take(libc, word):
    c, word.data = word.data, word.data or 1
    if c and c != 2:
        c, word.data = word.data, 2
    while c:
        await name(libc.futex(word, futex.FUTEX_WAIT_PRIVATE, 2))
        c, word.data = word.data, 2


async def give_back(libc, word):
    c, word.data = word.data, word.data - 1
    if c != 1:
        word.data = 0
        await libc.futex(word, futex.FUTEX_WAKE_PRIVATE, 1)


async def mutex(libc):
    m = Memory(libc)

    async def counting(libc):
        for _ in range(50):
            await take(libc, m.lock)
            was = m.counter
            await libc.sched_yield()
            m.counter = was + 1
            await give_back(libc, m.lock)

    for tid in m.tids[:2]:
        await start(libc, counting, tid)
    for tid in m.tids[:2]:
        await join(libc, tid)
    await say(libc, f"counted {m.counter}, lock {m.lock.data}")


async def robust(libc):
    m = Memory(libc)
    held = libc.word()
    for flag in (0, futex.FUTEX_WAITERS):

        async def dying(libc, flag=flag):
            held.data = await libc.gettid() | flag
            await libc.set_robust_list([held])
            await rest(libc)
            await rest(libc)

        await start(libc, dying, m.tids[0])
        while not held.data:
            await libc.sched_yield()
        await start(libc, m.waiter(0, held, timeout=(0, 500_000_000)), m.tids[1])
        await join(libc, m.tids[0])
        await say(libc, f"{held.data:x}")
        await join(libc, m.tids[1])
        await say(libc, m.results[0])
        held.data = 0


# --- signals --------------------------------------------------------------------------------------


async def signals(libc):
    m = Memory(libc)

    async def handler(sig):
        m.handled += 1

    async def send(number):
        await rest(libc)
        await libc.tgkill(await libc.getpid(), number, signal.SIGUSR1)
        await rest(libc)

    waiter, timed = m.waiter(0, m.one), m.waiter(1, m.one, timeout=(0, 400_000_000))
    for flags in (0, signal.SA_RESTART):
        await libc.sigaction(signal.SIGUSR1, handler, flags)
        m.results[1] = "waits"
        await send(await m.begin(libc, 0, waiter))
        await m.ended(libc, 1)
        await say(libc, await name(libc.futex_wake(m.one)))
        await join(libc, m.tids[0])
        await m.ended(libc, 1)
        await send(await start(libc, timed, m.tids[1]))
        await m.ended(libc, 2)
        await join(libc, m.tids[1])
        await m.ended(libc, 2)
        await say(libc, f"handled {m.handled}")
    await libc.signal(signal.SIGUSR1, signal.SIG_IGN)
    await send(await m.begin(libc, 1, timed))
    await m.ended(libc, 2)
    await say(libc, await name(libc.futex_wake(m.one)))
    await join(libc, m.tids[1])
    await m.ended(libc, 2)


async def a_stop_does_not_end_the_wait(libc):
    m = Memory(libc)
    pid = await libc.fork()
    if pid == 0:
        await say(libc, await name(libc.futex_wait(m.one, 0, 0.4)))
        await libc._exit(0)
    await rest(libc)
    await libc.kill(pid, signal.SIGSTOP)
    await reap(libc, pid, wait.WUNTRACED)
    await libc.kill(pid, signal.SIGCONT)
    await reap(libc, pid, 0)


ALL = (
    *(errnos, wake_counts, bitsets, requeue, wake_op, timeouts, joined),
    *(private_joiners_are_not_woken, set_tid_address_moves_the_word, one_joiner_is_woken),
    *(mutex, robust, signals, a_stop_does_not_end_the_wait),
)
