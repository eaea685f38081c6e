"""The functions that a reader writes in the chapter on PID namespaces, and how they are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import view
from kernelsim.exercise import checker, judging, nested
from kernelsim.exercise.checker import Case, Finding
from kernelsim.include.linux import pid as pid_h

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["new_numbers", "pid_nr_ns"]


# A machine with two containers beside each other, one of them with another inside.
def _town() -> tuple[Any, dict[str, Any]]:
    k, sh = nested.shell()
    a = nested.clone(k, sh)
    b = nested.clone(k, a)
    c = nested.fork(k, b)
    beside = nested.clone(k, sh)
    return k, {"sh": sh, "A": a, "B": b, "C": c, "E": beside, "F": nested.fork(k, beside)}


# --- pid_nr_ns, on bytes ----------------------------------------------------------------------


@checker.exercise("pid_nr_ns", "which number a struct pid has in a namespace")
def pid_nr_ns() -> Iterator[Case]:
    """Cases for ``pid_nr_ns(m, pid, ns)``: two addresses (int); the number (int) is wanted."""
    for words, pairs in (
        ("at level 0, seen from there", (("sh", "sh"),)),
        ("a container, seen from outside", (("A", "sh"), ("F", "sh"))),
        ("a process in its own namespace", (("A", "A"), ("C", "C"), ("F", "F"))),
        ("two levels down, seen from between", (("C", "A"), ("B", "A"))),
        ("who is outside has no number inside", (("sh", "A"), ("A", "C"))),
        ("nor who is in a namespace beside", (("A", "E"), ("F", "A"), ("C", "F"))),
    ):
        yield Case(words, _looked(pairs))


def _looked(pairs: tuple[tuple[str, str], ...]) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        k, town = _town()
        for who, where in pairs:
            pid, ns = town[who].thread_pid, nested.lives_in(town[where])
            right = nested.number_in(town[who], ns)
            numbers = nested.numbers(town[who])
            ideas = [
                (None, "Return the number, and 0 where there is none."),
                (ns.address_, "That is upid.ns, at offset 8 of a struct upid; nr is at offset 0."),
            ]
            if not right and len(numbers) > ns.level:
                hint = "That is its number at this level, but in the namespace beside: compare upid.ns with ns."
                ideas.append((numbers[ns.level], hint))
            ideas += [
                (n, f"That is its number at level {level}.")
                for level, n in enumerate(numbers)
                if n != right
            ]
            what = f"pid_nr_ns(m, pid of {who}, namespace of {where})"
            picture = view.namespaces(k, focus=town[who])
            args = (k.machine, pid.address_, ns.address_)
            finding = judging.judge(function, args, what, right, ideas, picture=picture)
            if finding:
                return finding
        return None

    return run


# --- new_numbers ------------------------------------------------------------------------------


@checker.exercise("new_numbers", "which numbers alloc_pid gives, level by level")
def new_numbers() -> Iterator[Case]:
    """Cases for ``new_numbers(last, parent, ns)``: the numbers by namespace (dict) are wanted."""
    for words, parents, made in (
        ("a machine without containers", {}, "0"),
        ("the first in a container", {"1": "0"}, "1"),
        ("the second in a container", {"1": "0"}, "11"),
        ("two levels", {"1": "0", "2": "1"}, "12"),
        ("three levels, not all the same", {"1": "0", "2": "1", "3": "2"}, "12233"),
        ("a container beside it is not touched", {"1": "0", "2": "0"}, "1121"),
    ):
        yield Case(words, _numbered(parents, made))


def _numbered(parents: dict[str, str], made: str) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        k, sh = nested.shell()
        # Who lives where; each namespace is made by its first process, a child of its parent's.
        first, order = {"0": sh}, {"0": nested.lives_in(sh)}
        for place, name in enumerate(made):
            last = {n: order[n].idr.idr_next - 1 if n in order else 0 for n in ("0", *parents)}
            new = name not in first
            task = nested.clone(k, first[parents[name]] if new else first[name],
                                nested.NEWPID if new else 0)  # fmt: skip
            if new:
                first[name], order[name] = task, nested.lives_in(task)
            right, ns = {}, name
            for number in reversed(nested.numbers(task)):
                right[ns] = number
                ns = parents.get(ns, "")
            if place < len(made) - 1:
                continue
            args = (dict(last), {"0": None, **parents}, name)
            what = f"new_numbers({last}, {args[1]}, {name!r})"
            inner, outer = {name: right[name]}, {"0": right["0"]}
            ideas = [
                (None, "Return a dict: the number by namespace."),
                (inner, "It has a number in each namespace around, too."),
                (outer, "It has a number in its own namespace, too."),
                (dict.fromkeys(right, right["0"]), "Each namespace has a last number of its own."),
                ({n: last[n] for n in right}, "One more than the last."),
                ({n: last[n] + 1 for n in last}, "A namespace that is not around it gives no number."),
            ]  # fmt: skip
            return judging.judge(function, args, what, right, ideas)
        return None

    return run


SIZES = (pid_h.pid.offsetof_("numbers"), pid_h.upid.sizeof_, pid_h.pid_namespace.offsetof_("level"))
"""What the chapter tells the reader: where numbers begins, the size of a upid, where a level is."""
