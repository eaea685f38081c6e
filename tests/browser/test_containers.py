"""The chapter on PID namespaces in JupyterLab, run from top to bottom, then used."""

import pytest

from tests.browser.test_chapter import chapter  # noqa: F401 - a fixture
from tests.browser.test_explorer import Explorer

pytestmark = pytest.mark.needs_browser

NAME = "10-pid-namespaces.ipynb"


def test_the_chapter_runs_and_a_fork_inside_has_a_number_at_each_level(chapter):  # noqa: F811
    desk = chapter(NAME)
    lab = Explorer(desk)
    lab.root.scroll_into_view_if_needed()
    lab.click("fork")
    lab.root.locator(".ks-node", has_text="level 1: pid 4").first.wait_for()
    asked = desk.page.locator(".ksw-predict", has_text="What does it get").first
    asked.scroll_into_view_if_needed()
    asked.get_by_role("textbox").first.fill("4")
    asked.get_by_role("radio", name="think so").check()
    asked.get_by_role("button", name="commit").click()
    asked.get_by_text("That is its number for sh").wait_for(timeout=10_000)
