"""The chapter on the IDR in JupyterLab, run from top to bottom, then used."""

import pytest

from tests.browser.test_chapter import chapter  # noqa: F401 - a fixture
from tests.browser.test_explorer import Explorer

pytestmark = pytest.mark.needs_browser

NAME = "06-the-idr.ipynb"


def test_the_chapter_runs_and_a_slot_is_empty_when_the_parent_has_waited(chapter):  # noqa: F811
    desk = chapter(NAME)
    lab = Explorer(desk)
    lab.root.scroll_into_view_if_needed()
    lab.click("fork")
    lab.root.locator(".ks-node", has_text="struct pid 7").first.wait_for()
    asked = desk.page.locator(".ksw-predict", has_text="Which number does the child get").first
    asked.scroll_into_view_if_needed()
    asked.get_by_role("textbox").first.fill("5")
    asked.get_by_role("radio", name="think so").check()
    asked.get_by_role("button", name="commit").click()
    asked.get_by_text("It is the lowest that is free").wait_for(timeout=10_000)
