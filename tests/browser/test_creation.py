"""The chapter on creating a process in JupyterLab, run from top to bottom, then used."""

import pytest

from tests.browser.test_chapter import chapter  # noqa: F401 - a fixture
from tests.browser.test_explorer import Explorer

pytestmark = pytest.mark.needs_browser

NAME = "07-creating-a-process.ipynb"


def test_the_chapter_runs_and_a_thread_shares_what_its_process_has(chapter):  # noqa: F811
    desk = chapter(NAME)
    lab = Explorer(desk)
    lab.root.scroll_into_view_if_needed()
    lab.click("clone…", "a thread", "fire clone")
    lab.root.get_by_text("Shared by CLONE_VM | CLONE_FS | CLONE_FILES").first.wait_for()
    assert lab.root.locator(".ks-node", has_text="mm_struct: CLONE_VM").count() == 1
    lab.click("◀ back")
    lab.root.get_by_text("No flag was given that shares.").first.wait_for()
    lab.click("forward ▶", "fork")
    lab.root.get_by_text("No flag was given that shares.").first.wait_for()
    assert lab.root.locator(".ks-node", has_text="mm_struct").count() == 2
    asked = desk.page.locator(".ksw-predict", has_text="the thread calls").first
    asked.scroll_into_view_if_needed()
    asked.get_by_role("textbox").first.fill("5")
    asked.get_by_role("radio", name="think so").check()
    asked.get_by_role("button", name="commit").click()
    asked.get_by_text("getpid names no thread").wait_for(timeout=10_000)
