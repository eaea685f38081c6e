"""The stubs of what threads use to wait for each other: words in the memory that they share."""

from __future__ import annotations

import operator
from typing import Any

from kernelsim.include.uapi.linux import futex
from kernelsim.user import gate
from kernelsim.user.stubs import _c

__all__ = ["Threads"]

_HEAD_SIZE = 24  # sizeof(struct robust_list_head)
_NSEC = 1_000_000_000


def _timespec(seconds: float | None) -> gate.UserBuffer | None:
    # A struct timespec: (tv_sec, tv_nsec).
    if seconds is None:
        return None
    return gate.Word(divmod(round(seconds * _NSEC), _NSEC))


class Threads(gate.Gate):
    """The stubs of what threads use to wait for each other."""

    @staticmethod
    def word(value: int = 0) -> gate.Word:
        """Return a new int in this process's memory, which its threads share: `.data` is its value."""
        return gate.Word(operator.index(value))

    async def futex(
        self,
        word: Any,
        op: int,
        value: int,
        timeout: Any = None,
        word2: Any = None,
        value3: int = 0,
    ) -> int:
        """Make the system call futex as it is, with a FUTEX_* operation.

        `timeout` is (seconds, nanoseconds), or where the operation has none a number, None for neither.
        """
        if isinstance(timeout, tuple):
            timeout = gate.Word(timeout)
        args = (_c.to_int(op, "op"), operator.index(value), timeout or 0, word2 or 0)
        return await self.trap_("futex", word, *args, operator.index(value3))

    async def futex_wait(self, word: Any, value: int, timeout: float | None = None) -> None:
        """Sleep until somebody wakes those who wait for `word`, if it is `value` (else BlockingIOError).

        TimeoutError after so many seconds.
        """
        await self.trap_(
            *("futex", word, futex.FUTEX_WAIT, operator.index(value), _timespec(timeout)),
            result=lambda ax: None,
        )

    async def futex_wake(self, word: Any, count: int = 1) -> int:
        """Wake up to `count` of those who wait for `word`; how many it were."""
        return await self.trap_("futex", word, futex.FUTEX_WAKE, operator.index(count))

    async def futex_requeue(
        self, word: Any, wake: int, requeue: int, word2: Any, value: int | None = None
    ) -> int:
        """Wake `wake` of those who wait for `word`, and let `requeue` others wait for `word2`; how many in all.

        With a `value` only if `word` has it, else BlockingIOError.
        """
        op = futex.FUTEX_REQUEUE if value is None else futex.FUTEX_CMP_REQUEUE
        args = (operator.index(wake), operator.index(requeue), word2, operator.index(value or 0))
        return await self.trap_("futex", word, op, *args)

    async def set_tid_address(self, word: Any) -> int:
        """Say which word is to be 0, with one waiter woken, when this thread ends; its own number."""
        return await self.trap_("set_tid_address", word)

    async def set_robust_list(self, held: list[Any], pending: Any = None) -> None:
        """Say which words this thread holds, a list that it changes; each has its number while it does.

        `pending` is the word that it is about to take or to give back.
        """
        head = gate.Word((held, pending))
        await self.trap_("set_robust_list", head, _HEAD_SIZE, result=lambda ax: None)
