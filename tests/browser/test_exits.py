"""The chapter on exiting and reaping in JupyterLab, run from top to bottom, then used."""

import pytest

from tests.browser.test_chapter import chapter  # noqa: F401 - a fixture
from tests.browser.test_explorer import Explorer

pytestmark = pytest.mark.needs_browser

NAME = "08-exiting-and-reaping.ipynb"


def test_the_chapter_runs_and_an_orphan_finds_its_adopter(chapter):  # noqa: F811
    desk = chapter(NAME)
    lab = Explorer(desk)
    lab.root.scroll_into_view_if_needed()
    lab.click("fork")
    lab.shows(1, 3, 4)
    lab.root.locator(".ks-node", has_text="pid 4").click()
    lab.click("fork")
    lab.shows(1, 3, 4, 5)
    lab.click("exit…", "fire exit")
    lab.says("Task 4 (bash) is a zombie now; task 5 (bash) is now a child of task 1 (init).")
    assert "1 adopts 5, a child of 4." in lab.root.inner_text()
    lab.click("◀ back")
    lab.shows(1, 3, 4, 5)
    assert "adopts" not in lab.root.inner_text()
    asked = desk.page.locator(".ksw-predict", has_text="4 exits. Point at")
    asked.first.scroll_into_view_if_needed()
    asked.first.locator(".ks-node", has_text="pid 3").click()
    asked.first.get_by_role("radio", name="think so").check()
    asked.first.get_by_role("button", name="commit").click()
    asked.first.get_by_text("That is the grandparent").wait_for(timeout=10_000)
