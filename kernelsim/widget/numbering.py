"""How a process gets its number, as a film: alloc_pid(), one store into the IDR after the other.

before = k.now
k.call(bash, "fork")
ks.widget.numbering(k, since=before)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kernelsim import view as views
from kernelsim.debug.stores import Store, stores
from kernelsim.include.linux.xarray import xa_is_node
from kernelsim.view.film import Film, Frame
from kernelsim.widget.history import History, Moment
from kernelsim.widget.player import Player

__all__ = ["numbering"]


class _Step(NamedTuple):
    when: Moment
    sentence: str


def numbering(
    k: Any, since: int, *, until: int | None = None, still: int = -1, **options: Any
) -> Player:
    """Play what became of a PID namespace's IDR in [since, until): who got a number, and how.

    :param k: a Kernel that records.
    :param since, until: times; the film begins and ends there.
    :param still: the frame that a page shows where nothing can be stepped.
    :param options: further arguments of `kernelsim.view.idr`.
    """
    history, before = History(k), (since, 0)
    first = views.idr(history.at(before), **options)
    frames, seen = [Frame(first, f"The film begins at event {since}.", "")], _drawn(first)
    for when, sentence in _steps(k, history, since, until):
        now = _drawn(views.idr(history.at(when), **options))
        if now == seen:
            continue  # a store to a node that does not hang on the tree yet
        picture = views.idr(history.at(when), since=history.at(before), **options)
        frames.append(Frame(picture, sentence, ""))
        before, seen = when, now
    return Player(Film("alloc_pid() and the IDR", frames, still))


# What a picture shows, without its moment.
def _drawn(picture: views.Picture) -> list[str]:
    return picture.text.splitlines()[1:]


# The stores that the picture shows, each with what it means.
def _steps(k: Any, history: History, since: int, until: int | None) -> Iterator[_Step]:
    for store in stores(k, since, until):
        said = _said(store) if store.old != store.new else ""
        if said:
            function = history.function(store.when)
            yield _Step(store.when, f"{function}(): " * bool(function) + said)


def _said(store: Store) -> str:
    struct = store.type.removeprefix("struct ")
    if struct == "pid_namespace":
        return _of_namespace(store)
    if struct == "xa_node":
        return _of_node(store)
    if struct == "pid" and store.field == "tasks[0].first":
        return (
            "the struct pid leads to its task." if store.new else "the struct pid has no task now."
        )
    return ""


def _of_namespace(store: Store) -> str:
    if store.field.startswith("idr.idr_base"):  # one word: idr_base, and idr_next above it
        return f"idr_next is {store.new >> 32}: there the next search begins."
    if store.field == "idr.idr_rt.xa_head":
        return "the tree has another top node."
    if store.field == "pid_allocated":
        return f"pid_allocated is {store.new & 0x7FFF_FFFF}."
    return ""


def _of_node(store: Store) -> str:
    old, new = store.old, store.new
    if store.field == "shift":  # one word: shift, offset, count, nr_values
        counts = (old >> 16 & 0xFF, new >> 16 & 0xFF)
        return f"count is {counts[1]}." if counts[0] != counts[1] else ""
    if store.field.startswith("tags[0]"):
        if (old ^ new).bit_count() > 1:
            return f"IDR_FREE is {new:#x}."
        bit = (old ^ new).bit_length() - 1
        is_free = new >> bit & 1
        return f"bit {bit} of IDR_FREE is {'set: free' if is_free else 'cleared: taken'}."
    if store.field.startswith("slots["):
        what = (
            "NULL"
            if not new
            else "a node"
            if xa_is_node(new)
            else "the struct pid: now it is found"
        )
        return f"{store.field} holds {what}."
    return ""
