"""The chapter on process states in JupyterLab, run from top to bottom, then used."""

import pytest

from tests.browser.test_chapter import chapter  # noqa: F401 - a fixture
from tests.browser.test_explorer import Explorer

pytestmark = pytest.mark.needs_browser

NAME = "03-process-states.ipynb"


def test_the_chapter_runs_and_a_child_is_led_from_box_to_box(chapter):  # noqa: F811
    desk = chapter(NAME)
    lab = Explorer(desk)
    lab.root.scroll_into_view_if_needed()
    lab.click("fork")
    lab.root.locator(".ks-node", has_text="pid 4").click()
    marked = lab.root.locator(".ks-node.ks-focus")
    marked.filter(has_text="on the run queue").wait_for(timeout=10_000)
    lab.click("pause")
    marked.filter(has_text="TASK_INTERRUPTIBLE").wait_for(timeout=10_000)
    assert "Taken since event" in lab.root.inner_text()
    lit = lab.root.locator(".ks-edge.ks-changed")
    assert lit.count() >= 2
    lab.click("◀ back")
    marked.filter(has_text="on the run queue").wait_for(timeout=10_000)
    asked = desk.page.locator(".ksw-predict", has_text="SIGSTOP, and then SIGTERM")
    asked.first.scroll_into_view_if_needed()
    asked.first.get_by_role("radio", name="stopped").check()
    asked.first.get_by_role("radio", name="think so").check()
    asked.first.get_by_role("button", name="commit").click()
    asked.first.get_by_text("SIGTERM is pending").wait_for(timeout=10_000)
