"""Looking back in a long run: at any moment, step by step, and all of it as a film."""

from __future__ import annotations

import itertools
import time
from typing import Any

import kernelsim as ks
from bench.looking import SMALL, family
from bench.table import Row, Rows, Size, best_ms, median, seconds

FRAMES = 200
PLAY_TARGET = 1000.0
OPEN_TARGET = 500.0


def lives(k: Any, events: int) -> int:
    """Let a task's children come and go until so many more events were recorded; return how many lived."""
    end, first = k.now + events, k.tasks()[3]
    for n in itertools.count():
        if k.now >= end:
            return n
        k.call(k.task(k.call(first, "fork")), "exit", n & 127)
        k.call(first, "waitpid", -1, 0)
    raise AssertionError


def back(k: Any, size: Size) -> Rows:
    early = k.now
    lives(k, 100_000 if size.starts > 1 else 2_000)
    span = f"{k.now - early:,} events ago"
    journal = k.machine.journal
    undo = best_ms(
        lambda: dict(k.machine.undo_records(k.machine.trace.place(early), len(journal))), 1
    )
    first = 1e3 * seconds(lambda: k.at(early).tasks())
    yield Row(f"at(t).tasks(), {span}, the first look back", first, "ms")
    yield Row("  beside one undoing of the journal until then", first / undo, "x", 3)
    times = iter(range(early, k.now, max((k.now - early) // 500, 1)))
    every = [1e3 * seconds(lambda: k.at(next(times)).tasks()) for _ in range(100)]
    yield Row(f"at(t).tasks(), up to {span}, each later one, median", median(every), "ms", 2)
    k.call(k.tasks()[3], "getpid")
    yield Row("at(t).tasks() after one more call", best_ms(lambda: k.at(early).tasks(), 1), "ms")


def film(size: Size) -> Rows:
    k = family(SMALL + 1)
    since = k.now
    frames = FRAMES if size.starts > 1 else 8
    first = k.tasks()[3]
    for n in range(-(-frames // 3)):
        k.call(k.task(k.call(first, "fork")), "exit", n & 127)
        k.call(first, "waitpid", -1, 0)
    for view in ("process_tree", "task_list"):
        found: list[Any] = []

        def play(view: str = view, found: list[Any] = found) -> None:
            found[:] = [ks.widget.play(k, view, since=since, most=frames, limit=40)]

        play()  # to have the engine ready
        spent = sorted(1e3 * seconds(play) for _ in range(size.starts))
        frame = found[0].film.frames[-1].picture
        name = f"play, {len(found[0].film)} frames of {len(frame.nodes)} boxes, {view}"
        target = PLAY_TARGET if view == "process_tree" else None
        yield Row(f"{name}, minimum", spent[0], "ms", target)
        yield Row(f"{name}, median", median(spent), "ms")


def opening(k: Any) -> Rows:
    events = f"{k.now:,} events"
    for name in ("StracePane", "GraphPane", "StackPane", "TerminalPane", "Timeline"):
        made: list[Any] = []

        def first(name: str = name, made: list[Any] = made) -> None:
            made[:] = [getattr(ks.widget, name)(k)]
            getattr(made[0], "catch_up", int)()

        yield Row(f"{name}, first opened after {events}", 1e3 * seconds(first), "ms", OPEN_TARGET)
    stores = 1e3 * seconds(lambda: ks.widget.Timeline(k, "store"))
    yield Row(f"Timeline by stores, after {events}", stores, "ms", 2 * OPEN_TARGET)


def steps(size: Size) -> Rows:
    k = family(SMALL + 1)
    lives(k, 20_000 if size.starts > 1 else 1_000)
    explorer = ks.widget.explore(k)
    spent = []
    for _ in range(40 if size.starts > 1 else 4):
        start = time.perf_counter()
        explorer.timeline.step(-1)
        spent.append(1e3 * (time.perf_counter() - start))
    yield Row("explorer, a step back to its pictures, minimum", min(spent), "ms")
    yield Row("explorer, a step back to its pictures, median", median(spent), "ms", 100)


def rows(size: Size) -> Rows:
    k = family(SMALL)
    yield from back(k, size)
    yield from film(size)
    lives(k, 300_000 if size.starts > 1 else 1_000)
    yield from opening(k)
    yield from steps(size)
