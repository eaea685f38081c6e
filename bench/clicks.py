"""The live machine in JupyterLab: from a click to the changed picture, measured in the browser.

Beside it a bare button of ipywidgets that changes a label: what any widget costs on this machine.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.stepping import BROWSERS, browser
from bench.table import Row, Rows, Size, median

CLICKS = 30
MACHINE = """import kernelsim as ks
k = ks.boot()
bash = k.spawn("bash")
for _ in range(26):
    k.call(bash, "fork")
ks.widget.explore(k, view="process_tree", focus=bash, limit=30)"""
FLOOR = """import ipywidgets
count = ipywidgets.Label("0")
add = ipywidgets.Button(description="add")
add.on_click(lambda _: setattr(count, "value", str(int(count.value) + 1)))
ipywidgets.VBox([add, count])"""

# Milliseconds from a click on the button `name` in `root` until what `seen` finds there is another.
CLICK = """async ([selector, name, seen]) => {
  const root = document.querySelector(selector), look = () => root.querySelector(seen);
  const button = [...root.querySelectorAll('button')].find((b) => b.textContent === name);
  const before = look(), text = before.textContent;
  const start = performance.now();
  button.click();
  while (look() === before && look().textContent === text) {
    await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
    if (performance.now() - start > 10_000) return -1;
  }
  const spent = performance.now() - start;
  await new Promise((done) => setTimeout(done, 400));
  return spent;
}"""


def rows(size: Size) -> Rows:
    if not any(map(shutil.which, BROWSERS)):
        print("live clicks: there is no Chromium here", flush=True)
        return
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    labs: Any = importlib.import_module("tests.browser.lab")  # tests are untyped

    clicks = 4 if size.starts < 5 else CLICKS
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        for name in ("notebooks", "private"):
            (Path(folder) / name).mkdir()
        lab = labs.Lab(Path(folder) / "notebooks", Path(folder) / "private")
        try:
            lab.start()
            explorer, floor = _measured(labs.Desk(lab, chromium), lab, clicks)
        finally:
            lab.stop()
    late = sorted(explorer)[max(0, -(-len(explorer) * 95 // 100) - 1)]
    name = "live click in JupyterLab to a changed picture, 30 boxes"
    yield Row(f"{name}, median of {clicks}", median(explorer), "ms")
    yield Row(f"{name}, p95", late, "ms", 75.0)
    yield Row("… of which any widget needs: a button that changes a label", median(floor), "ms")


def _measured(desk: Any, lab: Any, clicks: int) -> tuple[list[float], list[float]]:
    desk.look(1280, 900)
    desk.open(lab.write("clicks.ipynb", MACHINE, FLOOR))
    desk.run_all()
    desk.wait_for(desk.page.locator(".kernelsim-explorer .ksw-stage svg"))
    desk.wait_for(desk.page.locator(".widget-label"))
    desk.settle()

    def click(*what: str) -> float:
        return float(desk.page.evaluate(CLICK, list(what)))

    explorer, stage = ".kernelsim-explorer", ".ksw-stage svg"
    click(explorer, "getpid", stage)
    names = ["◀ back", "forward ▶"] * (clicks // 2)
    times = [click(explorer, name, stage) for name in names]
    label = [click(".widget-vbox:has(> .widget-label)", "add", ".widget-label") for _ in names]
    return times, label
