"""Functions on numbers that a reader writes: status words of wait, and which pid comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.exercise import checker, judging, pid_drills, state_drills
from kernelsim.exercise.checker import Case, Finding
from kernelsim.include.uapi.asm import signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["decode_status", "make_status", "next_pid"]


# --- make_status, decode_status ---------------------------------------------------------------

_EXITS = (0, 1, 7, 255, 256, 300, -1)
_KILLED = ("SIGHUP", "SIGKILL", "SIGTERM")


@checker.exercise("make_status", "the word that wait stores for an end")
def make_status() -> Iterator[Case]:
    """Cases for ``make_status(code, sig)``: _exit(code), or killed by signal `sig` if that is not 0."""
    for code in _EXITS:
        yield Case(f"_exit({code})", _made(code, ""))
    for name in _KILLED:
        yield Case(f"killed by {name}", _made(0, name))


def _made(code: int, name: str) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        sig = getattr(signal, name) if name else 0
        right = state_drills.status_word(code, name)
        ideas = [
            (code, "That is the code itself; the low seven bits of the word are for a signal."),
            (code << 8, "Only eight bits of the exit code are kept."),
            (
                sig << 8,
                "The second byte is the exit code; a deadly signal stands in the low seven bits.",
            ),
            (sig | 0x80, "Bit 7 says that core was dumped; 128 is added by a shell, for its `$?`."),
        ]
        return judging.judge(
            function, (code, sig), f"make_status({code}, {sig})", right, ideas, shown=_word
        )

    return run


def _word(value: Any) -> str:
    return f"{value:#06x}" if type(value) is int else judging.short(value)


@checker.exercise("decode_status", "what a status word of wait says")
def decode_status() -> Iterator[Case]:
    """Cases for ``decode_status(word)``: ("exited", code), ("killed", signal) or ("stopped", signal)."""
    for code in (0, 1, 42, 255):
        yield Case(f"_exit({code})", _decoded(("exited", code), code, ""))
    for name in _KILLED:
        yield Case(f"killed by {name}", _decoded(("killed", getattr(signal, name)), 0, name))
    yield Case("stopped by SIGSTOP", _decoded(("stopped", signal.SIGSTOP), 0, "SIGSTOP"))


def _decoded(right: tuple[str, int], code: int, name: str) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        word = state_drills.status_word(code, name)
        low = word & 0x7F
        ideas = [
            (("exited", word), "The exit code is the second byte, not the whole word."),
            (
                ("exited", word & 0xFF),
                "The exit code is the second byte; the low one is for signals.",
            ),
            (("exited", word >> 8), "The low seven bits are not 0: this was no exit."),
            (
                ("killed", 0x7F),
                "0x7f in the low byte is no signal: it says that the child was stopped.",
            ),
            (("killed", word >> 8), "The signal that killed is in the low seven bits."),
            (("stopped", low), "Of a stopped child the signal is the second byte."),
        ]
        return judging.judge(function, (word,), f"decode_status({word:#06x})", right, ideas)

    return run


# --- next_pid ---------------------------------------------------------------------------------

# The shell, who is there besides, the last number given, pid_max.
_NUMBERS: tuple[tuple[str, int, tuple[int, ...], int, int], ...] = (
    ("one more than the last", 3, (), 3, 32768),
    ("a number that became free is not taken", 3, (4, 6), 6, 32768),
    ("the next one is taken", 3, (4, 5, 6), 3, 32768),
    ("the last one there is", 3, (), 318, 320),
    ("after the last one", 3, (), 319, 320),
    ("after the last one, where 300 is taken", 3, (300,), 319, 320),
    ("after the last one, where some are taken", 5, (300, 301, 303), 319, 320),
    ("all from 300 on are taken", 5, (300, 301, 302), 302, 303),
)


@checker.exercise("next_pid", "which number the next process gets")
def next_pid() -> Iterator[Case]:
    """Cases for ``next_pid(used, last, pid_max)``: `used` is a set; None where fork fails (EAGAIN)."""
    for words, shell, living, last, limit in _NUMBERS:
        yield Case(words, _next(shell, living, last, limit))


def _next(shell: int, living: tuple[int, ...], last: int, limit: int) -> Callable[[Any], Any]:
    def run(function: Any) -> Finding | None:
        there = pid_drills.Numbers(shell, living, (), (), (), last, limit)
        try:
            right: int | None = there.next()
        except OSError:
            right = None
        used = {1, 2, shell, *living}
        lowest = next(n for n in range(1, limit + 2) if n not in used)
        ideas: list[tuple[Any, str]] = [
            (limit, "Numbers stay below pid_max."),
            (lowest, "The lowest free number is not looked for: go on from the last one given."),
            (last + 1, "That one is taken."),
            (300, "That one is taken."),
            (1, "After a wrap it goes on at 300 (RESERVED_PIDS), not at the beginning."),
        ]
        what = f"next_pid({sorted(used)}, {last}, {limit})".replace("[", "{").replace("]", "}")
        return judging.judge(function, (used, last, limit), what, right, ideas)

    return run
