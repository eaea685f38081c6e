"""A question in a real JupyterLab."""

import pytest

pytestmark = pytest.mark.needs_browser

ASK = """import kernelsim as ks
from kernelsim.exercise import Option, Question
ks.widget.Predict(Question("Where does `fork` put the child?", [
    Option("at the beginning", "No: `list_add` would."), Option("at the end", "Yes: `list_add_tail`.")],
    lambda: 1, shows=lambda: ks.view.task_list(ks.boot())))"""


def test_one_answer_is_committed_with_the_keyboard_and_the_machine_answers(notebook):
    desk = notebook(ASK)
    page = desk.page
    question = page.locator(".ksw-predict")
    first = question.get_by_role("radio").first
    desk.wait_for(first)
    desk.settle()
    commit = question.get_by_role("button", name="commit")
    assert commit.get_attribute("aria-disabled") == "true"
    assert question.get_by_text("list_add").count() == 0, "told too early"
    first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("a stack")
    page.keyboard.press("Enter")
    question.get_by_text("✗ Not as you said.").wait_for()
    assert (
        question.locator(".ksw-you", has_text="at the beginning").inner_text().endswith("you said")
    )
    assert question.locator(".ksw-it", has_text="at the end").inner_text().endswith("it did")
    assert question.get_by_text("would.").count() == 1
    assert question.get_by_text("list_add_tail").count() == 0, "another option's feedback"
    question.locator("svg .ks-node").first.wait_for()
    assert question.get_by_role("radio").nth(1).is_disabled()
    assert commit.count() == 0
