"""A Python program in user mode: what stands where registers and memory would be."""

from __future__ import annotations

import contextlib
import traceback
from typing import TYPE_CHECKING, Any

from kernelsim.user.libc import Dead, NewImage, Stop, exit_status

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from kernelsim.user.libc import Libc

__all__ = ["Program"]


class Program:
    """A Python program in user mode: what stands where registers and memory would be."""

    __slots__ = ("libc", "main")

    def __init__(self, main: Callable[[Libc], Coroutine[Any, Any, Any]], libc: Libc) -> None:
        self.main = main
        self.libc = libc

    def fork(self, child: Any) -> Program:
        """Return the program as the child has it."""
        return Program(self.main, self.libc.child_())

    def gone(self, context: Any) -> None:
        """The process is dead: let go of its coroutine, whose `finally` blocks can make no calls."""
        self.libc.dead_ = True
        with contextlib.suppress(Dead, RuntimeError):
            context.close()

    async def run(self, m: Any) -> None:
        """Run main(), then exit with what it returned; an exception is printed, and the status is 1."""
        try:
            status = await self.main(self.libc)
        except NewImage:
            return
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except Stop:
            raise
        except BaseException:
            if self.libc.dead_:  # it is being put away
                raise
            await self._complain(traceback.format_exc())
            status = 1
        await self.libc.exit(exit_status(status))

    async def _complain(self, text: str) -> None:
        # Python's way to die: the traceback, to whoever listens, else on descriptor 2.
        self.libc.stop_replay_()
        if self.libc.tell_ is not None:
            self.libc.tell_(text)
            return
        with contextlib.suppress(OSError):
            await self.libc.write(2, text.encode())
