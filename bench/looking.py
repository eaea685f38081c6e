"""Pictures, and looking back in time."""

from __future__ import annotations

from typing import Any

import kernelsim as ks
from bench.growth import BROOD
from bench.table import Row, Rows, Size, best_ms

SMALL = 28  # with init_task and a fold that makes a picture of about 30 boxes


def family(tasks: int) -> Any:
    """A recording kernel with `tasks` processes in families."""
    k = ks.boot(memory="4G")
    brood = min(BROOD, 5 if tasks < 100 else BROOD)
    parent = k.spawn("sh")
    for n in range(tasks - len(k.tasks())):
        if n % brood:
            k.call(parent, "fork")
        else:
            parent = k.spawn("sh")
    return k


def drawing(k: Any, what: str, size: Size, target: float | None, **options: Any) -> Rows:
    view = getattr(ks.view, what)
    picture = view(k, **options)
    few = min(size.starts, 5)
    boxes = f"{len(picture.nodes)} boxes of {len(k.tasks()):,} tasks"
    svg = picture.svg  # to have the engine ready
    assert svg
    yield Row(f"{what}, {boxes}", best_ms(lambda: view(k, **options), few), "ms")
    whole = best_ms(lambda: view(k, **options).svg, few)
    yield Row(f"{what} and its SVG, {boxes}", whole, "ms", target)


def rows(size: Size) -> Rows:
    k = family(SMALL)
    yield from drawing(k, "process_tree", size, None, limit=40)
    yield from drawing(k, "task_list", size, None)
    middle, end = k.now // 2, k.now
    for t in (end - 1, middle):
        took = best_ms(lambda t=t: k.at(t).tasks(), size.starts)  # type: ignore[misc]
        yield Row(f"at(t).tasks(), {end - t:,} events ago", took, "ms")
    sh = k.tasks()[-1]
    k.call(sh, "fork")
    took = best_ms(lambda: k.diff(end), size.starts)
    yield Row(f"diff() over one fork, {k.now - end} events", took, "ms")
    yield from drawing(family(size.crowd), "process_tree", size, 150)
