"""The book in JupyterLab, as its reader has it: run from top to bottom, then used."""

import json
import shutil
from pathlib import Path

import pytest

from tests.browser.test_explorer import Explorer

pytestmark = pytest.mark.needs_browser

BOOK = Path(__file__).resolve().parents[2] / "book"
LIVE = """() => [...document.querySelectorAll('.jp-NotebookPanel .jp-Cell')]
  .filter((cell) => cell.querySelector('.ksw, .kernelsim-drill')).length"""


# How many cells of the notebook show a widget.
def widgets_in(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return sum("ks.widget." in "".join(c["source"]) for c in cells if c["cell_type"] == "code")


@pytest.fixture
def chapter(notebook, lab):
    def open_(name):
        shutil.copy(BOOK / name, lab.root / name)
        desk = notebook(name=name)
        wanted = widgets_in(BOOK / name)
        for _ in range(600):
            if desk.page.evaluate(LIVE) == wanted:
                return desk
            desk.page.wait_for_timeout(100)
        raise AssertionError(f"live widgets: {desk.page.evaluate(LIVE)}, not {wanted}")

    return open_


def test_the_chapter_runs_and_a_fork_comes_and_goes(chapter):
    desk = chapter("04-the-process-list.ipynb")
    lab = Explorer(desk)
    before = lab.pids()
    child = max(before) + 1
    lab.root.scroll_into_view_if_needed()
    lab.click("fork")
    lab.shows(*before, child)
    lab.says(f"Task {child} (bash) is linked after")
    assert lab.root.locator(".ks-node.ks-new .ks-face").is_visible()
    lab.click("◀ back")
    lab.shows(*before)
    lab.click("forward ▶")
    lab.shows(*before, child)
    assert desk.page.locator(".jp-RenderedText[data-mime-type*=error]").count() == 0


FIGURES = """() => [...document.querySelectorAll('.kernelsim-figure img, .jp-RenderedHTML figure img')]
  .map((image) => [image.complete && image.naturalWidth > 300, image.alt.length > 40])"""


def test_before_it_is_run_its_pictures_are_there_with_their_words(notebook, lab):
    name = "04-the-process-list.ipynb"
    shutil.copy(BOOK / name, lab.root / name)
    desk = notebook(name=name, run=False)
    desk.wait_for(desk.page.locator("figure img").nth(2))
    desk.settle()
    figures = desk.page.evaluate(FIGURES)
    assert len(figures) >= 3
    assert all(drawn and told for drawn, told in figures)
    assert desk.page.get_by_text("Error displaying widget").count() == 0


def test_the_index_runs_and_its_first_clone_is_one_click(chapter):
    desk = chapter("index.ipynb")
    lab = Explorer(desk)
    before = lab.pids()
    lab.click("fork")
    lab.shows(*before, max(before) + 1)
    lab.click("◀ back")
    lab.shows(*before)
