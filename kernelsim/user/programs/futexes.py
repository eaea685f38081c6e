"""Words that one may wait for: what a futex refuses, how long it waits, and who is not woken."""

from __future__ import annotations

from typing import Any

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import futex
from kernelsim.user.programs import common

__all__ = [
    "a_futex_refuses",
    "a_futex_waits_no_longer_than_it_is_told",
    "a_word_is_its_processs_own",
    "nobody_waits_and_nobody_is_woken",
]


async def a_futex_refuses(libc: Any) -> None:
    """No word at that address, one that is not aligned, another value, no bits, no such operation."""
    word = libc.word(5)
    for args in (
        (0, futex.FUTEX_WAIT, 0),
        (2, futex.FUTEX_WAIT, 0),
        (2, futex.FUTEX_WAKE, 1),
        (4, futex.FUTEX_WAKE_PRIVATE, 1),
        (word, futex.FUTEX_WAIT, 4),
        (word, futex.FUTEX_WAIT_BITSET, 5),
        (word, futex.FUTEX_WAKE_BITSET, 1),
        (word, futex.FUTEX_WAIT, 5, (0, -1)),
        (word, futex.FUTEX_CMP_REQUEUE, 1, 1, word, 4),
        (word, 99, 0),
    ):
        await common.say(libc, await common.fails(libc.futex(*args)))


async def a_futex_waits_no_longer_than_it_is_told(libc: Any) -> None:
    """Relative to now, or for FUTEX_WAIT_BITSET a moment that may have passed."""
    word = libc.word()
    for seconds in (0, 0.001):
        await common.say(libc, await common.fails(libc.futex_wait(word, 0, timeout=seconds)))
    call = libc.futex(word, futex.FUTEX_WAIT_BITSET, 0, (0, 1), None, 1)
    await common.say(libc, await common.fails(call))


async def nobody_waits_and_nobody_is_woken(libc: Any) -> None:
    """A wake is not kept for who waits later."""
    word, other = libc.word(7), libc.word()
    await common.say(libc, f"{await libc.futex_wake(word, 9)}")
    await common.say(libc, f"{await libc.futex_requeue(word, 1, 9, other, 7)}")
    await common.say(libc, await common.fails(libc.futex_wait(word, 7, timeout=0.001)))


async def a_word_is_its_processs_own(libc: Any) -> None:
    """After fork each has a word of its own at that address: the child's wake reaches nobody."""
    word = libc.word()
    pid = await libc.fork()
    if pid == 0:
        word.data = 1
        await common.say(libc, f"{await libc.futex_wake(word)}")
        await libc.exit(0)
    await libc.waitpid(pid, 0)
    await common.say(libc, f"{word.data}")
    pid = await libc.fork()
    if pid == 0:
        await libc.futex_wait(word, 0)
    await libc.kill(pid, signal.SIGTERM)
    await common.say(libc, f"{await libc.waitpid(pid, 0)}")
