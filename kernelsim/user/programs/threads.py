"""Threads that wait for each other by words: pthread_join() and a mutex, made of futexes.

They run in the simulator only, for a thread made by a raw clone goes behind Python's back.  What
they rely on is what C programs do on the real kernel (tests/oracle/test_threads.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.uapi.linux import futex, sched
from kernelsim.user.programs import common

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["a_mutex_keeps_two_threads_apart", "join", "joined_threads", "lock", "start", "unlock"]

PTHREAD = (
    sched.CLONE_VM | sched.CLONE_FS | sched.CLONE_FILES | sched.CLONE_SIGHAND | sched.CLONE_THREAD
    | sched.CLONE_SYSVSEM | sched.CLONE_PARENT_SETTID | sched.CLONE_CHILD_CLEARTID
)  # fmt: skip
FREE, TAKEN, WAITED_FOR = 0, 1, 2


async def start(libc: Any, function: Callable[[Any], Any]) -> Any:
    """Start a thread; the word that is its number while it lives."""
    tid = libc.word()
    await libc.clone(PTHREAD, function, parent_tid=tid, child_tid=tid)
    return tid


async def join(libc: Any, tid: Any) -> None:
    """Wait until the thread whose word is `tid` has ended: CLONE_CHILD_CLEARTID makes it 0."""
    while number := tid.data:
        await common.fails(libc.futex_wait(tid, number))


async def lock(libc: Any, mutex: Any) -> None:
    """Take the `mutex` (a word), sleeping while another one has it."""
    if mutex.data == FREE:
        mutex.data = TAKEN
        return
    while mutex.data != FREE:
        mutex.data = WAITED_FOR
        await common.fails(libc.futex(mutex, futex.FUTEX_WAIT_PRIVATE, WAITED_FOR))
    mutex.data = WAITED_FOR  # perhaps others wait still


async def unlock(libc: Any, mutex: Any) -> None:
    """Give the `mutex` (a word) back; the kernel is asked only where somebody may wait."""
    before, mutex.data = mutex.data, FREE
    if before == WAITED_FOR:
        await libc.futex(mutex, futex.FUTEX_WAKE_PRIVATE, 1)


async def joined_threads(libc: Any) -> None:
    """Three threads; what each has written is there when it has been joined."""
    found: list[int] = []

    async def thread(libc: Any) -> None:
        await libc.sched_yield()
        found.append(await libc.gettid())

    tids = [await start(libc, thread) for _ in range(3)]
    numbers = [tid.data for tid in tids]
    for tid in tids:
        await join(libc, tid)
    await common.say(libc, f"{sorted(found) == numbers} {[tid.data for tid in tids]}")


async def a_mutex_keeps_two_threads_apart(libc: Any) -> None:
    """Each reads the counter, lets others run, and stores one more: nothing is lost."""
    mutex, counter = libc.word(FREE), libc.word()

    async def thread(libc: Any) -> None:
        for _ in range(10):
            await lock(libc, mutex)
            seen = counter.data
            await libc.sched_yield()
            counter.data = seen + 1
            await unlock(libc, mutex)

    tids = [await start(libc, thread) for _ in range(2)]
    for tid in tids:
        await join(libc, tid)
    await common.say(libc, f"{counter.data}")
