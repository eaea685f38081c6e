"""The function that a reader writes in the chapter on the IDR, and how it is checked.

The other one of that chapter, next_pid, is in `status_words`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import session
from kernelsim.exercise import checker, judging
from kernelsim.exercise.checker import Case, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["idr_find"]

SMALL = "40M"


# --- idr_find, on bytes -----------------------------------------------------------------------


@checker.exercise("idr_find", "what a number stands for, read from the tree's own words")
def idr_find() -> Iterator[Case]:
    """Cases for ``idr_find(m, head, id)``: `head` is idr_rt.xa_head (int); the pointer (int) is wanted."""
    for words, numbers, asked in (
        ("an empty IDR", (), (0, 5)),
        ("one node", (1, 2, 63), (1, 63, 5)),
        ("two levels", (1, 64, 200), (64, 200, 199, 1)),
        ("three levels", (1, 4096, 5000), (5000, 1, 4097, 70)),
        ("beyond what the tree reaches", (1, 2), (64, 4097, 128)),
        ("four levels, as for the highest pid", (4_194_303,), (4_194_303, 63)),
    ):
        yield Case(words, _found(numbers, asked))


def _found(numbers: tuple[int, ...], asked: tuple[int, ...]) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        ids: Any = session.boot(memory=SMALL, record=False).idr()
        for number in numbers:
            ids.alloc(start=number)
        head = ids.idr.idr_rt.xa_head
        for number in asked:
            way = ids.path(number)
            right = way[-1].entry if way and not way[-1].shift else 0
            value, trouble = checker.attempt(function, ids.machine, head, number)
            what = f"idr_find(m, {head:#x}, {number})"
            picture = ids.picture(path=number) if numbers else None
            if trouble:
                return Finding(f"{what} {trouble}", "", picture)
            if value != right or isinstance(value, bool):
                said = f"{value:#x}" if isinstance(value, int) else judging.short(value)
                wanted = f"{right:#x}" if right else "0: the number is free"
                hint = _lost(value, way, head)
                return Finding(f"{what} returns {said}; it should be {wanted}.", hint, picture)
        return None

    return run


# The idea behind a wrong pointer.
def _lost(value: Any, way: list[Any], head: int) -> str:
    if value is None:
        return "Return the pointer, an int, and 0 where there is none."
    if not isinstance(value, int):
        return ""
    if value == head or value in {step.entry for step in way if step.shift}:
        return "That is a node: its two low bits are 10. Go on down."
    if value in {step.address for step in way}:
        return "That is where a node is, not what a slot of its last level holds."
    if not way and value:
        return (
            "The tree reaches 64 << shift numbers, with the top node's shift; this one is beyond."
        )
    return ""
