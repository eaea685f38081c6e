"""The CPU: runs one context at a time until there is nothing left to run.

A context is the chain of suspended coroutines that starts where a task entered the kernel for
the first time: the task's kernel stack, with its user program at the far end.  The CPU resumes
the context of whatever the word `current` in memory names; a context suspends by yielding
SWITCH, after it has made another one current, or HALT, when the idle task has nothing to do.
What a task does when it runs for the first time, and whether the CPU has more to do when the
running task has gone back to user mode with no program, is decided by hooks of the kernel.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

__all__ = ["HALT", "SWITCH", "Cpu", "Panic", "halt", "switch"]

SWITCH = "switch"
HALT = "halt"


class Panic(Exception):
    """The kernel has stopped for good; `reason` is what it printed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"Kernel panic - not syncing: {reason}")


@types.coroutine
def switch() -> Generator[str, None, None]:
    """Suspend this context: another one has been made current."""
    yield SWITCH


@types.coroutine
def halt() -> Generator[str, None, None]:
    """Wait for an interrupt: nothing is runnable."""
    yield HALT


class Cpu:
    """One CPU: the contexts that exist, by the address that `current` names them with."""

    def __init__(self, current: Callable[[], int]) -> None:
        self.current = current
        self.contexts: dict[int, Coroutine[Any, Any, Any]] = {}
        self.first_run: Callable[[int], Coroutine[Any, Any, Any]]
        self.in_user_mode: Callable[[int, Any], bool]
        self.ready: dict[int, None] = {}  # runnable tasks that may have something to do
        self.user: dict[int, Any] = {}  # what a task runs in user mode; a puppet has none
        self.last = 0  # the task that ran before, as __switch_to() returns it in rax

    def run(self) -> None:
        """Run until the machine halts or the running task waits in user mode."""
        contexts, current = self.contexts, self.current
        while True:
            task = current()
            context = contexts.get(task)
            if context is None:
                context = contexts[task] = self.first_run(task)
            try:
                if context.send(None) is HALT:
                    return
            except StopIteration as done:
                del contexts[task]
                if not self.in_user_mode(task, done.value):
                    return

    def drop(self, task: int) -> None:
        """Give up the context of a task that will never run again."""
        self.ready.pop(task, None)
        program = self.user.pop(task, None)
        context = self.contexts.pop(task, None)
        if context is None:
            return
        if program is None:
            context.close()
        else:
            program.gone(context)
