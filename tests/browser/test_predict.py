"""Questions: what all kinds share, on a page with the machine behind it and in a JupyterLab."""

import json

import pytest

from kernelsim.exercise import Number, Option, Question, progress
from tests.browser.asked import ask, orphan, steps, where

__all__ = ["ask"]  # a fixture

pytestmark = pytest.mark.needs_browser


# ── What all kinds share ────────────────────────────────────────────────────────────────────────


def test_a_commitment_needs_an_answer_and_a_reason_or_a_confidence(ask):
    asked = ask(where())
    commit = asked.root.get_by_role("button", name="commit")
    commit.click(force=True)  # it looks as if it could not be used
    assert asked.said == "Answer first: one answer counts."
    asked.root.get_by_role("radio", name="at the end").check()
    commit.click(force=True)
    assert asked.said == "Say how sure you are, or why."
    assert commit.get_attribute("aria-disabled") == "true"
    asked.root.get_by_role("textbox", name="Why, in a word").fill("last in")
    assert commit.get_attribute("aria-disabled") == "false"
    asked.commit()
    assert asked.widget.committed
    assert "As you said." in asked.told
    assert "“last in”" in asked.told


def test_after_the_commitment_nothing_can_be_changed(ask):
    asked = ask(where())
    asked.root.get_by_role("radio", name="at the beginning").check()
    asked.sure("guess")
    commit = asked.root.get_by_role("button", name="commit")
    commit.dblclick()
    assert asked.page.evaluate("model.sent.length") == 1, "clicked twice, sent once"
    asked.hear()
    told = asked.told
    assert "✗ Not as you said." in asked.focus
    assert "You said\nat the beginning\nguess\nIt did\nat the end" in told
    assert "No: list_add would." in told
    assert "Yes." not in told, "another option's feedback"
    assert asked.root.locator(".ksw-you").inner_text().endswith("you said")
    assert asked.root.locator(".ksw-it").inner_text().endswith("it did")
    asked.root.locator(".ksw-reveal svg .ks-node").first.wait_for()
    assert asked.root.get_by_role("button", name="commit").count() == 0
    radios = asked.root.get_by_role("radio")
    assert [radios.nth(i).is_disabled() for i in range(radios.count())] == [True, True]
    asked.load()
    assert asked.told == told, "another view shows the same"


def test_what_is_chosen_and_typed_is_still_there_in_another_view(ask):
    asked = ask(steps())
    asked.root.get_by_role("option", name="four").click()
    asked.root.get_by_role("button", name="leave out").click()
    asked.sure("sure")
    asked.widget.draft = asked.page.evaluate("model.get('draft')")
    order = asked.root.get_by_role("option").all_inner_texts()
    asked.load()
    assert asked.root.get_by_role("option").all_inner_texts() == order
    assert asked.root.get_by_role("radio", name="sure", exact=True).is_checked()
    asked.commit()
    assert asked.widget.committed


def test_a_machine_that_fails_says_so_and_can_be_asked_again(ask):
    asked = ask(Number("How many?", lambda: 1 // 0))
    field = asked.root.get_by_role("textbox", name="Your answer")
    field.fill("4")
    asked.sure()
    for _ in range(2):
        asked.commit()
        assert "The machine could not find out (ZeroDivisionError" in asked.said
    field.press("Enter")
    assert asked.said == "The machine runs …"


def test_a_kernel_that_is_gone_is_spoken_of(ask):
    asked = ask(where())
    asked.page.clock.install()
    asked.load()
    asked.root.get_by_role("radio", name="at the end").check()
    asked.sure()
    asked.root.get_by_role("button", name="commit").click()
    asked.page.clock.fast_forward(10_000)
    assert asked.said.startswith("No answer yet. If the kernel was restarted")


def test_pictures_before_and_after_have_their_words(ask):
    asked = ask(orphan(shows=True))
    asked.root.get_by_role("option", name="init (pid 1)").click()
    asked.sure()
    asked.commit()
    figures = asked.root.locator(".ksw-reveal figure")
    assert [figures.nth(i).locator("figcaption").inner_text() for i in range(2)] == [
        "before",
        "after",
    ]
    last = figures.nth(1)
    assert last.locator(".ksw-stage").get_attribute("aria-label").startswith("The process tree")
    last.get_by_text("In words").click()
    assert "bash (pid 5)" in last.locator("pre").inner_text()


def test_progress_that_is_not_kept_is_spoken_of_below_the_answer(ask, tmp_path):
    asked = ask(where())
    asked.widget.progress = progress.Progress(tmp_path / "no folder" / progress.NAME)
    asked.root.get_by_role("radio", name="at the end").check()
    asked.sure()
    asked.commit()
    assert "Your progress is not kept: No such file or directory." in asked.told


# ── Looks ───────────────────────────────────────────────────────────────────────────────────────

HOSTILE = '<img src=x onerror=alert(1)>"];}\n\U0001f427 `code`' + "x" * 1000


def test_hostile_texts_are_shown_as_text_and_break_nothing(ask):
    asked = ask(Question(HOSTILE, [Option(HOSTILE, HOSTILE), "b"], lambda: 0, lambda: HOSTILE))
    asked.root.get_by_role("radio").first.check()
    asked.root.get_by_role("textbox", name="Why").fill(HOSTILE.splitlines()[0])
    asked.commit()
    assert asked.root.locator("img").count() == 0
    assert asked.told.count("<img src=x onerror=alert(1)>") >= 4
    assert asked.page.evaluate("document.documentElement.scrollWidth") <= 1280


FAR = """() => [...document.querySelectorAll('.ksw-predict *')].filter((e) => {
  const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  return text && e.checkVisibility() && !e.closest('svg') && parseFloat(getComputedStyle(e).fontSize) < 14;
}).map((e) => e.textContent)"""


@pytest.mark.parametrize("width", [640, 1280, 1920])  # 640: 1280 at 200 %
def test_words_are_large_enough_and_nothing_is_cut_off_sideways(ask, width):
    for made, pick in (
        (where, ".ksw-option input"),
        (orphan, ".ks-node"),
        (steps, "li"),
        (lambda: Number("?", lambda: 1), None),
    ):
        asked = ask(made())
        asked.page.set_viewport_size({"width": width, "height": 900})
        if pick:
            asked.root.locator(pick).first.click()
        if pick == "li":
            asked.press("Delete")
        if not pick:
            asked.root.get_by_role("textbox", name="Your answer").fill("7")
        asked.sure()
        asked.commit()
        assert asked.widget.committed
        assert asked.page.evaluate(FAR) == []
        assert asked.page.evaluate("document.documentElement.scrollWidth") <= width


# ── In JupyterLab ───────────────────────────────────────────────────────────────────────────────

ASK = """import kernelsim as ks
from kernelsim.exercise import Option, Question
ks.widget.Predict(Question("Where does `fork` put the child?", [
    Option("at the beginning", "No: `list_add` would."), Option("at the end", "Yes: `list_add_tail`.")],
    lambda: 1, shows=lambda: ks.view.task_list(ks.boot())))"""


def test_one_answer_is_committed_with_the_keyboard_and_the_machine_answers(notebook, lab):
    kept = lab.root / "kernelsim-progress.json"
    kept.unlink(missing_ok=True)
    desk = notebook(ASK)
    page = desk.page
    question = page.locator(".ksw-predict")
    first = question.get_by_role("radio").first
    desk.wait_for(first)
    desk.settle()
    commit = question.get_by_role("button", name="commit")
    assert commit.get_attribute("aria-disabled") == "true"
    assert question.get_by_text("list_add").count() == 0, "told too early"
    assert not kept.exists(), "nobody has answered yet"
    first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("a stack")
    page.keyboard.press("Enter")
    question.get_by_text("Not as you said.").wait_for()
    assert (
        question.locator(".ksw-you", has_text="at the beginning").inner_text().endswith("you said")
    )
    assert question.locator(".ksw-it", has_text="at the end").inner_text().endswith("it did")
    assert question.get_by_text("would.").count() == 1
    assert question.get_by_text("list_add_tail").count() == 0, "another option's feedback"
    question.locator("svg .ks-node").first.wait_for()
    assert question.get_by_role("radio").nth(1).is_disabled()
    assert commit.count() == 0
    (record,) = json.loads(kept.read_text(encoding="utf-8"))["records"].values()
    assert [(one["correct"], one["why"]) for one in record["tries"]] == [(False, "a stack")]


TWO = """import kernelsim as ks
from kernelsim.exercise import Number, Order, Step
ks.widget.Predict(Order("Sort `them`.", ["`a`", "`b`"], lambda: ["`a`", "`b`"]))"""
LOOKS = """(list) => {
  const style = (selector) => getComputedStyle(list.closest('.ksw').querySelector(selector));
  return [style('li').listStyleType, style('li').cursor, style('li code').fontSize, style('legend').fontSize];
}"""


def test_questions_of_two_kinds_in_one_notebook_keep_their_looks(notebook):
    desk = notebook(TWO, 'ks.widget.Predict(Number("How many?", lambda: 4))')
    desk.wait_for(desk.page.locator(".ksw-typed"))
    steps = desk.page.get_by_role("listbox", name="Your order")
    assert steps.evaluate(LOOKS) == ["none", "grab", "15px", "16px"]
    before = steps.locator(".ksw-step").all_inner_texts()
    steps.get_by_role("option").first.focus()
    for key in ("Space", "ArrowDown", "Enter", "Delete", "ArrowUp"):  # some are JupyterLab's, too
        desk.page.keyboard.press(key)
    assert steps.locator(".ksw-step").all_inner_texts() == before[1:]
    assert desk.page.evaluate("document.activeElement.textContent").endswith(before[1])
    assert desk.page.locator(".jp-CodeCell").count() == 2
    assert desk.page.locator(".jp-mod-editMode.jp-Notebook").count() == 0


RESTART = "async () => { await thePanel.sessionContext.session.kernel.restart(); }"


def test_a_question_can_be_asked_again_after_the_kernel_was_restarted(notebook, lab):
    kept = lab.root / "kernelsim-progress.json"
    kept.unlink(missing_ok=True)
    desk = notebook(ASK)
    for turn in (1, 2):
        question = desk.page.locator(".ksw-predict")
        desk.wait_for(question.locator("input:enabled"))
        question.get_by_role("radio", name="at the end").check()
        question.get_by_role("radio", name="guess").check()
        question.get_by_role("button", name="commit").click()
        question.get_by_text("As you said.").wait_for()
        (record,) = json.loads(kept.read_text(encoding="utf-8"))["records"].values()
        assert len(record["tries"]) == turn
        desk.page.evaluate(RESTART)
        desk.run_all()


RECALL = """import datetime, kernelsim as ks
def later():
    return datetime.date.today() + datetime.timedelta(9)
ks.widget.Predict(ks.exercise.bank.question("04-how-many-nodes"))"""


def test_what_was_answered_comes_back_some_days_later(notebook, lab):
    (lab.root / "kernelsim-progress.json").unlink(missing_ok=True)
    desk = notebook(RECALL, "1")
    first = desk.page.locator(".ksw-predict")
    desk.wait_for(first.get_by_role("radio").first)
    first.get_by_role("radio").first.check()
    first.get_by_role("radio", name="guess").check()
    first.get_by_role("button", name="commit").click()
    first.get_by_text("It did", exact=True).wait_for()
    desk.page.evaluate(
        """() => thePanel.content.widgets.at(-1).model.sharedModel.setSource(
            "ks.widget.Recall('05', today=later)")"""
    )
    desk.run_last()
    desk.page.get_by_text("from chapter 04").wait_for()
    again = desk.page.locator(".kernelsim-drill .ksw-predict")
    assert again.locator("legend").first.inner_text() == first.locator("legend").first.inner_text()
    assert again.get_by_role("radio").first.is_enabled()
