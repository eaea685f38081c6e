"""The functions that a reader writes in the chapter on process states: from two words to a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import session, view
from kernelsim.exercise import checker, judging
from kernelsim.exercise.checker import Case, Finding
from kernelsim.include.linux import sched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["task_state_index", "task_state_to_char"]

_CASES = (
    ("a task that runs", sched.TASK_RUNNING, 0),
    ("a task that sleeps in pause", sched.TASK_INTERRUPTIBLE, 0),
    ("a task that waits for a disk", sched.TASK_UNINTERRUPTIBLE, 0),
    ("a task that waits in vfork", sched.TASK_KILLABLE, 0),
    ("a stopped task", sched.TASK_STOPPED, 0),
    ("a traced task", sched.TASK_TRACED, 0),
    ("a parked thread", sched.TASK_PARKED, 0),
    ("an idle kernel thread", sched.TASK_IDLE, 0),
    ("a zombie", sched.TASK_DEAD, sched.EXIT_ZOMBIE),
    ("a zombie that is still on the CPU", sched.TASK_RUNNING, sched.EXIT_ZOMBIE),
    ("a task that is being taken down", sched.TASK_DEAD, sched.EXIT_DEAD),
    ("a zombie that its tracer looks at", sched.TASK_DEAD, sched.EXIT_TRACE),
    ("a new task", sched.TASK_NEW, 0),
    ("a task that is being woken", sched.TASK_WAKING, 0),
)
_IGNORED = "You looked at `state` alone; the bits of `exit_state` count too."
_UNMASKED = "Bits outside TASK_REPORT, 0x7f, do not count: mask them off before you look."
_PLAIN = "That is what the bits say. TASK_IDLE, exactly 0x402, is the exception: 8."
_LOWEST = "That is the lowest bit that is set; the highest one decides."
_ZERO = "Bits are counted from 1, for 0 says that none is set."


# Wrong indices, each with the idea behind it.
def _ideas(state: int, exit_state: int) -> list[tuple[int, str]]:
    both = state | exit_state
    bits = both & sched.TASK_REPORT
    return [
        *([((state & sched.TASK_REPORT).bit_length(), _IGNORED)] if exit_state else []),
        *([(bits.bit_length(), _PLAIN)] if state == sched.TASK_IDLE else []),
        (both.bit_length(), _UNMASKED),
        (state.bit_length(), _UNMASKED),
        ((bits & -bits).bit_length(), _LOWEST),
        (bits.bit_length() - 1, _ZERO),
    ]


# A task of a machine with these words in it.
def _task(state: int, exit_state: int) -> Any:
    task = session.boot(record=False, memory="40M").spawn("sh")
    task.state, task.exit_state = state, exit_state
    return task


@checker.exercise("task_state_index", "the place of a state in the table of letters")
def task_state_index() -> Iterator[Case]:
    """Cases for ``task_state_index(state, exit_state)``: two ints; an int from 0 to 8 is wanted."""
    for what, state, exit_state in _CASES:
        yield Case(what, _judged("task_state_index", state, exit_state))


@checker.exercise("task_state_to_char", "the letter of a state")
def task_state_to_char() -> Iterator[Case]:
    """Cases for ``task_state_to_char(state, exit_state)``: two ints; one letter is wanted."""
    for what, state, exit_state in _CASES:
        yield Case(what, _judged("task_state_to_char", state, exit_state))


def _judged(name: str, state: int, exit_state: int) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        task = _task(state, exit_state)
        ideas: list[tuple[Any, str]] = [*_ideas(state, exit_state)]
        if name == "task_state_to_char":
            letters = "RSDTtXZPI"
            ideas = [(letters[place], why) for place, why in ideas if 0 <= place < len(letters)]
        return judging.judge(
            function,
            (state, exit_state),
            f"{name}({state:#x}, {exit_state:#x})",
            getattr(sched, name)(task),
            ideas,
            picture=view.states(task.machine_, task),
        )

    return run
