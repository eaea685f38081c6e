"""A player on a static page: from a click to the changed picture, measured in the browser."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

import kernelsim as ks
from bench.looking import SMALL, family
from bench.table import Row, Rows, Size, median

CLICKS = 30
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# Milliseconds from a click on `name` until the drawing is another one, and until it is on screen.
CLICK = """async (name) => {
  const stage = document.querySelector('.ksw-stage'), before = stage.querySelector('svg');
  const button = [...document.querySelectorAll('button')].find((b) => b.textContent === name);
  const changed = new Promise((done) => new MutationObserver((_, observer) => {
    if (stage.querySelector('svg') !== before) { observer.disconnect(); done(performance.now()); }
  }).observe(stage, { childList: true }));
  const start = performance.now();
  button.click();
  const drawn = await changed - start;
  const painted = await new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  await new Promise((done) => setTimeout(done, 400));
  return [drawn, painted - start];
}"""


def film(steps: int) -> Any:
    """A player of about 30 boxes, of which something changes at each step."""
    k = family(SMALL + 1)
    since = k.now
    first = k.tasks()[3]
    for step in range(steps // 3 + 1):
        child = k.task(k.call(first, "fork"))
        k.call(child, "exit", step)
        k.call(first, "waitpid", -1, 0)
    return ks.widget.play(k, "process_tree", since=since, limit=40).film


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


def rows(size: Size) -> Rows:
    if not any(map(shutil.which, BROWSERS)):
        print("stepping recorded frames: there is no Chromium here", flush=True)
        return
    from kernelsim.widget import scripts

    clicks = min(CLICKS, 2 * size.starts + 2) if size.starts < 5 else CLICKS
    played = film(clicks)
    boxes = len(played.frames[0].picture.nodes)
    script, style = scripts.page()
    yield Row(f"a figure of {len(played)} frames, {boxes} boxes", len(played.html()) / 1024, "kB")
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        html = f"<style>{style}</style><body>{played.html()}<script>{script}</script>"
        page.set_content(f"<!doctype html><meta charset=utf-8>{html}")
        times = [page.evaluate(CLICK, "forward ▶") for _ in range(clicks)]
    for what, place, target in (("changed", 0, 20.0), ("on screen", 1, None)):
        spent = sorted(pair[place] for pair in times)
        late = spent[max(0, -(-len(spent) * 95 // 100) - 1)]
        name = f"click to a picture that is {what}, {boxes} boxes"
        yield Row(f"{name}, median of {clicks}", median(spent), "ms")
        yield Row(f"{name}, p95", late, "ms", target)
