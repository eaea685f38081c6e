"""A Python program in user mode: what stands where registers and memory would be."""

from __future__ import annotations

import contextlib
import inspect
import traceback
from typing import TYPE_CHECKING, Any

from kernelsim.user.gate import Dead, NewImage, Stack, Stop, exit_status

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from kernelsim.user.libc import Libc

__all__ = ["Program", "started"]


def started(
    main: Callable[..., Coroutine[Any, Any, Any]], argv: Sequence[bytes], envp: Sequence[bytes]
) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    """Return `main` as the C library's startup code calls it: as a function of libc alone.

    As in C, main may take the arguments too, and the environment: `main(libc, argv, env)`, a list
    and a dict of text.
    """
    code = inspect.signature(main).parameters.values()
    wanted = sum(p.kind in _POSITIONAL and p.default is p.empty for p in code) - 1
    if wanted <= 0:
        return main
    texts = [arg.decode("utf-8", "surrogateescape") for arg in argv]
    pairs = [text.decode("utf-8", "surrogateescape").partition("=") for text in envp]
    env = {name: value for name, equals, value in reversed(pairs) if equals}  # the first one counts
    return lambda libc: main(libc, *(list(texts), dict(reversed(env.items())))[:wanted])


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Program:
    """A Python program in user mode: what stands where registers and memory would be."""

    __slots__ = ("cloned", "libc", "main")

    def __init__(
        self, main: Callable[[Libc], Coroutine[Any, Any, Any]], libc: Libc, *, cloned: bool = False
    ) -> None:
        self.main = main
        self.libc = libc
        self.cloned = cloned  # main is the function that was given to clone()

    def fork(self, child: Any, stack: Any = 0) -> Program:
        """Return the program as the child has it: the same place, or the function on its new stack."""
        if isinstance(stack, Stack):
            return Program(stack.function, self.libc.thread_(), cloned=True)
        return Program(self.main, self.libc.child_(), cloned=self.cloned)

    async def handle(self, address: int, sig: int, ax: int | None) -> bool:
        """Run the handler at `address`, if there is one; see `gate.Gate.handle_`."""
        return await self.libc.handle_(address, sig, ax)

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
        if self.cloned:  # what clone()'s wrapper does when the function returns
            await self.libc.trap_("exit", exit_status(status))
        await self.libc.exit(exit_status(status))

    async def _complain(self, text: str) -> None:
        # Python's way to die: the traceback, to whoever listens, else on descriptor 2.
        self.libc.stop_replay_()
        if self.libc.tell_ is not None:
            self.libc.tell_(text)
            return
        with contextlib.suppress(OSError):
            await self.libc.write(2, text.encode())
