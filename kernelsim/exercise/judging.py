"""How a function that returns a value is judged: what it returned, what the machine says, and why."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from kernelsim.exercise import checker
from kernelsim.exercise.checker import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kernelsim.view import Picture

__all__ = ["judge", "short"]


def judge(
    function: Any,
    args: tuple[Any, ...],
    what: str,
    right: Any,
    ideas: Iterable[tuple[Any, str]] = (),
    *,
    picture: Picture | None = None,
    shown: Callable[[Any], str] | None = None,
) -> Finding | None:
    """Call `function` with `args`; return what is wrong unless it returns `right`, of that type.

    :param what: the call in words.
    :param ideas: wrong values, each with the hint that whoever returns it deserves.
    :param shown: a value in words, if repr is not good enough.
    """
    shown = shown or short
    value, trouble = checker.attempt(function, *args)
    if trouble:
        return Finding(f"{what} {trouble}", picture=picture)
    if _same(value, right):
        return None
    if value is None:
        return Finding(f"{what} returns None; the machine says {shown(right)}.",
                       "Is there a `return` on every way?", picture)  # fmt: skip
    if isinstance(value, types.GeneratorType):
        hint = (
            "With a `yield` in it a function returns a generator; here one value is to be returned."
        )
        return Finding(
            f"{what} returns a generator; the machine says {shown(right)}.", hint, picture
        )
    hint = next((hint for wrong, hint in ideas if _same(value, wrong)), "")
    if not hint and type(value) is not type(right) and right is not None:
        hint = f"What is wanted is a {type(right).__name__}, not a {type(value).__name__}."
    return Finding(
        f"{what} returns {shown(value)}; the machine says {shown(right)}.", hint, picture
    )


# Equal and of one type; a bool is no number, and what a reader's object says of itself is not asked.
def _same(value: Any, right: Any) -> bool:
    return type(value) is type(right) and bool(value == right)


def short(value: Any) -> str:
    """Return a value as text of at most 60 characters."""
    try:
        words = repr(value)
    except Exception as error:  # noqa: BLE001 - an object of the reader's own
        words = f"a {type(value).__name__} whose repr raises {type(error).__name__}"
    return words if len(words) <= 60 else f"{words[:57]}…"
