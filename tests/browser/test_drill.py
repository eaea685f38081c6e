"""Drills: turning, topic and level, on a page of their own and in a JupyterLab."""

import contextlib
import json
from pathlib import Path

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

    def load(self, **look):
        question, bar = self.drill.question, self.drill.bar
        states = [
            (one.kind, {n: v for n, v in one.get_state().items() if n[0] != "_"})
            for one in (question, bar)
        ]
        self.page.set_content(bare.page_of(*states, **look))
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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("level", [1, 3])
def test_axe_finds_nothing_serious(turned, theme, level):
    axe = pytest.importorskip("axe_playwright_python")
    turned.drill.choose("bytes", level)
    turned.load(theme=theme)
    script = Path(axe.__file__).parent / "axe.min.js"
    turned.page.evaluate(script.read_text(encoding="utf-8") + "; void 0")
    found = turned.page.evaluate(
        """async () => (await axe.run(document)).violations
            .filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id)"""
    )
    assert found == []


@pytest.mark.parametrize("name", ["questions", "key"])
def test_axe_finds_nothing_serious_on_a_sheet(browser, name):
    axe = pytest.importorskip("axe_playwright_python")
    made = exercise.sheet(["who adopts the orphan", "bytes", "the next pid"], level=3, count=3)
    with contextlib.closing(browser.new_page(viewport={"width": 900, "height": 1100})) as page:
        page.set_content(made.files()[f"{name}.html"])
        script = Path(axe.__file__).parent / "axe.min.js"
        page.evaluate(script.read_text(encoding="utf-8") + "; void 0")
        found = page.evaluate(
            """async () => (await axe.run(document)).violations
                .filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id)"""
        )
        assert found == []


def test_no_question_of_a_sheet_is_torn_apart_on_paper(browser):
    made = exercise.sheet("what is printed how often", level=3, count=8)
    with contextlib.closing(browser.new_page()) as page:
        page.set_content(made.files()["questions.html"])
        page.emulate_media(media="print")
        styles = page.eval_on_selector_all(
            ".question", "all => all.map((one) => getComputedStyle(one).breakInside)"
        )
        assert styles == ["avoid"] * 8
        heights = page.eval_on_selector_all(
            ".question", "all => all.map((one) => one.getBoundingClientRect().height)"
        )
        assert max(heights) < 900, "what is taller than a page of A4 has to be torn"
