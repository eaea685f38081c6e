"""Drills: turning, topic and level, on a page of their own and in a JupyterLab."""

import contextlib
import json

import pytest

from kernelsim import exercise
from kernelsim.widget import Drill
from tests.browser import bare

pytestmark = pytest.mark.needs_browser

TOPICS = ("container_of", "bytes")


class Turned:
    """A drill's bar and question on a page; what the bar sends is heard, as through a kernel."""

    def __init__(self, page, drill):
        self.page, self.drill = page, drill
        self.load()

    def load(self):
        question, bar = self.drill.question, self.drill.bar
        states = [
            (one.kind, {n: v for n, v in one.get_state().items() if n[0] != "_"})
            for one in (question, bar)
        ]
        self.page.set_content(bare.page_of(*states))
        self.page.evaluate("document.querySelector('main').classList.add('kernelsim-turn')")
        self.root = self.page.locator(".ksw-drill")
        self.root.wait_for()

    def hear(self):
        for message in self.page.evaluate("model.sent.splice(0)"):
            self.drill.bar.heard(json.loads(json.dumps(message)))
        names = ("topic", "level", "number", "score", "trouble")
        state = {name: getattr(self.drill.bar, name) for name in names}
        self.page.evaluate("(state) => model.take(state)", state)

    @property
    def score(self):
        return self.root.get_by_role("status").first.inner_text()


@pytest.fixture
def turned(browser):
    errors = []
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 900})) as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield Turned(page, Drill(exercise.questions(*TOPICS)))
    assert errors == []


def test_buttons_turn_and_the_first_question_has_none_before_it(turned):
    back, on = (turned.root.get_by_role("button", name=name) for name in ("previous", "next"))
    assert back.get_attribute("aria-disabled") == "true"
    back.click(force=True)
    assert turned.page.evaluate("model.sent.length") == 0
    on.click()
    on.click()
    turned.hear()
    assert turned.score == "question 3"
    assert back.get_attribute("aria-disabled") == "false"
    back.click()
    turned.hear()
    assert turned.score == "question 2"


def test_page_down_and_page_up_turn_from_within_the_question_and_keep_the_keyboard(turned):
    turned.page.get_by_role("radio").first.focus()
    turned.page.keyboard.press("PageDown")
    turned.hear()
    assert turned.score == "question 2"
    assert "next" in turned.page.evaluate("document.activeElement.textContent")
    turned.page.keyboard.press("PageUp")
    turned.hear()
    assert turned.score == "question 1"
    assert "previous" in turned.page.evaluate("document.activeElement.textContent")
    turned.page.keyboard.press("Control+PageDown")
    assert turned.page.evaluate("model.sent.length") == 0, "the browser's own key"


def test_topic_and_level_are_chosen_by_name(turned):
    topic, level = (turned.root.get_by_role("combobox", name=name) for name in ("Topic", "Level"))
    assert topic.locator("option").all_inner_texts() == ["all of these in turn", *TOPICS]
    topic.select_option("bytes")
    turned.hear()
    level.select_option(label="3, hard")
    turned.hear()
    assert (turned.drill.bar.topic, turned.drill.bar.level) == ("bytes", 3)
    turned.load()
    assert (topic.input_value(), level.input_value()) == ("bytes", "3")


def test_in_jupyterlab_a_question_is_answered_turned_and_found_answered_again(notebook):
    desk = notebook(
        "import kernelsim as ks\nks.widget.Drill(ks.exercise.questions('bytes', 'container_of'))"
    )
    box = desk.page.locator(".kernelsim-turn")
    question, score = box.locator(".ksw-predict"), box.locator(".ksw-score")
    desk.wait_for(question.get_by_role("radio").first)
    question.get_by_role("radio").first.check()
    question.get_by_role("radio", name="guess").check()
    question.get_by_role("button", name="commit").click()
    question.get_by_text("It did", exact=True).wait_for()
    desk.page.keyboard.press("PageDown")
    score.get_by_text("question 2").wait_for()
    box.get_by_text("What is container_of(").or_(
        box.get_by_text("container_of(pos")
    ).first.wait_for()
    assert "next" in desk.page.evaluate("document.activeElement.textContent")
    desk.page.keyboard.press("PageUp")
    question.get_by_text("It did", exact=True).wait_for()
    assert " of 1" in score.inner_text()
    box.get_by_role("combobox", name="Level").select_option(label="3, hard")
    question.get_by_text("its link is at offset", exact=False).wait_for()
