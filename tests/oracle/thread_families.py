"""The programs of threads.c about threads, their children and their end, as the simulator runs them."""

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait
from tests.oracle.thread_programs import Memory, join, name, reap, rest, say, start

ONLY_MINE = wait.__WNOTHREAD


async def a_thread_s_child_is_everybody_s(libc):
    m = Memory(libc)

    async def child(libc):
        parent = await libc.getppid()
        of_process, of_thread = parent == m.process, parent == m.thread
        await say(
            libc, f"child: its parent is the process: {of_process:d}, the thread: {of_thread:d}"
        )
        while True:
            await rest(libc)

    async def parent_thread(libc):
        m.thread, m.process = await libc.gettid(), await libc.getpid()
        m.child = await libc.clone(signal.SIGCHLD, child)
        await rest(libc)
        await say(libc, "thread, only mine:")
        await reap(libc, -1, ONLY_MINE | wait.WNOHANG)
        while not m.one.data:
            await rest(libc)

    await start(libc, parent_thread, m.tids[0])
    for _ in range(3):
        await rest(libc)
    await say(libc, "leader, only mine:")
    await reap(libc, -1, ONLY_MINE | wait.WNOHANG)
    await reap(libc, -1, wait.WNOHANG)
    m.one.data = 1
    await join(libc, m.tids[0])
    await rest(libc)
    await say(libc, "the thread is gone, only mine:")
    await reap(libc, -1, ONLY_MINE | wait.WNOHANG)
    await libc.kill(m.child, signal.SIGKILL)
    await reap(libc, -1, ONLY_MINE)


async def a_dead_leader_s_children_go_to_a_thread(libc):
    m = Memory(libc)

    async def heir(libc):
        await rest(libc)
        await rest(libc)
        await say(libc, "heir, only mine:")
        await reap(libc, -1, ONLY_MINE | wait.WNOHANG)
        await libc.kill(m.child, signal.SIGKILL)
        await reap(libc, -1, ONLY_MINE)
        await libc.exit_group(5)

    pid = await libc.fork()
    if pid == 0:
        process = await libc.getpid()
        m.child = await libc.fork()
        if m.child == 0:
            while await libc.getppid() == process:
                await rest(libc)
            await say(libc, "never seen")
            await libc._exit(0)
        await start(libc, heir, m.tids[0])
        await libc.trap_("exit", 4)
    await rest(libc)
    await reap(libc, pid, wait.WNOHANG)
    await reap(libc, pid, 0)


async def a_dead_leader_waits_for_its_threads(libc):
    m = Memory(libc)

    async def late(libc):
        while not m.one.data:
            await rest(libc)
        await say(libc, "the last thread ends")
        await libc.trap_("exit", 6)

    async def teller(libc):
        for _ in range(6):
            await rest(libc)
        m.one.data = 1

    pid = await libc.fork()
    if pid == 0:
        await start(libc, late, m.tids[0])
        await start(libc, teller, m.tids[1])
        await libc.trap_("exit", 4)
    await rest(libc)
    await rest(libc)
    await reap(libc, pid, wait.WNOHANG)
    await say(libc, f"signal 0: {await name(libc.kill(pid, 0))}")
    await reap(libc, pid, 0)
    await say(libc, f"signal 0: {await name(libc.kill(pid, 0))}")


async def exit_group_ends_the_sleepers(libc):
    m = Memory(libc)

    async def ender(libc):
        await rest(libc)
        await say(libc, "ender")
        await libc.exit_group(7)

    pid = await libc.fork()
    if pid == 0:
        await m.some(libc, 3)
        await start(libc, ender, m.tids[3])
        await libc.futex_wait(m.one, 0)
        await say(libc, "never seen")
        await libc._exit(0)
    await reap(libc, pid, 0)


async def a_signal_kills_all_that_wait(libc):
    m = Memory(libc)
    pid = await libc.fork()
    if pid == 0:
        await m.some(libc, 3)
        await libc.futex_wait(m.one, 0)
        await say(libc, "never seen")
        await libc._exit(0)
    for _ in range(5):
        await rest(libc)
    await libc.kill(pid, signal.SIGTERM)
    await reap(libc, pid, 0)


async def image(libc, argv):
    me, told = await libc.getpid(), int(argv[2])
    leader = await libc.gettid() == me
    await say(libc, f"new program: it is the leader: {leader:d}, and was so: {told == me:d}")
    await say(libc, "its children:")
    await reap(libc, -1, wait.WNOHANG)
    await libc._exit(9)


DISK = {"threads": image}


async def a_thread_that_execs_becomes_the_process(libc):
    for leader_dead in (False, True):
        m = Memory(libc)

        async def execing(libc):
            await rest(libc)
            await rest(libc)
            told = str(await libc.gettid())
            await libc.execve("threads", ["threads", "image", told], {})

        pid = await libc.fork()
        if pid == 0:
            await start(libc, execing, m.tids[0])
            for i in (1, 2):
                await start(libc, m.waiter(i, m.one), m.tids[i])
            if leader_dead:
                await libc.trap_("exit", 4)
            await libc.futex_wait(m.one, 0)
            await say(libc, "never seen")
        await rest(libc)
        await reap(libc, pid, wait.WNOHANG)
        await reap(libc, pid, 0)


ALL = (
    *(a_thread_s_child_is_everybody_s, a_dead_leader_s_children_go_to_a_thread),
    *(a_dead_leader_waits_for_its_threads, exit_group_ends_the_sleepers),
    *(a_signal_kills_all_that_wait, a_thread_that_execs_becomes_the_process),
)
