"""Questions of every kind: on a page of their own with the machine behind, and in a JupyterLab."""

import contextlib
import json

import pytest

import kernelsim as ks
from kernelsim.exercise import Letter, Number, Option, Order, Parent, Question, Step, Text
from kernelsim.widget import Predict
from tests.browser import bare

pytestmark = pytest.mark.needs_browser


class Asked:
    """A question on a page; what the page sends is heard by the widget, as through a kernel."""

    def __init__(self, page, question, **look):
        self.page, self.widget = page, Predict(question)
        self.load(**look)

    # Draw it anew, as another view of the same model.
    def load(self, **look):
        self.page.set_content(bare.page_of((self.widget.kind, self.state()), **look))
        self.root = self.page.locator(".ksw-predict")
        self.root.wait_for()

    def state(self):
        state = self.widget.get_state()
        return {name: value for name, value in state.items() if not name.startswith("_")}

    # Let the machine hear what was sent, and the page what it says.
    def hear(self):
        for message in self.page.evaluate("model.sent.splice(0)"):
            self.widget.heard(json.loads(json.dumps(message)))
        state = {name: value for name, value in self.state().items() if name != "draft"}
        self.page.evaluate("(state) => model.take(state)", state)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def sure(self, label="think so"):
        self.root.get_by_role("radio", name=label).check()

    def commit(self):
        self.root.get_by_role("button", name="commit").click()
        self.hear()

    @property
    def said(self):
        return self.root.locator(".ksw-say").inner_text()

    @property
    def told(self):
        return self.root.locator(".ksw-reveal").inner_text().replace("\n\n", "\n")

    @property
    def focus(self):
        return self.page.evaluate("document.activeElement.textContent.trim()")


@pytest.fixture
def ask(browser):
    errors = []
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 900})) as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield lambda question, **look: Asked(page, question, **look)
    assert errors == []


def where():
    options = [Option("at the beginning", "No: `list_add` would."), Option("at the end", "Yes.")]
    return Question(
        "Where does `fork` put the child?",
        options,
        lambda: 1,
        shows=lambda: ks.view.task_list(ks.boot()),
    )


def orphan(shows=None):
    k = ks.boot(record=True)
    bash = k.spawn("bash")
    child = k.task(k.call(bash, "fork"))
    grandchild = k.task(k.call(child, "fork"))
    before = k.now
    k.call(child, "exit", 0)
    return Parent(
        "4 ends. Whose child is 5?",
        ks.view.process_tree(k.at(before)),
        lambda: grandchild.real_parent,
        {3: "Grandparents adopt nobody."},
        shows=shows and (lambda: (ks.view.process_tree(k.at(before)), ks.view.process_tree(k))),
    )


def steps():
    lines = [Step("one", "It is first."), Step("two"), Step("three"), Step("four", "It is odd.")]
    return Order("Count.", lines, lambda: ["one", "two", "three"], yes="Yes.")


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


# ── One of several, and letters ─────────────────────────────────────────────────────────────────


def test_a_letter_is_chosen_with_the_keyboard(ask):
    asked = ask(Letter("Which letter?", lambda: "Z", {"S": "It does not sleep."}))
    asked.press("Tab", "Space", "ArrowDown")
    asked.press("Tab", "ArrowDown", "Tab", *"why", "Enter")
    asked.hear()
    assert "You said\nS, sleeping\nthink so, “why”\nIt did\nZ, zombie" in asked.told
    assert "It does not sleep." in asked.told


# ── Typed answers ───────────────────────────────────────────────────────────────────────────────


def test_letters_in_a_number_box_are_told_and_do_not_count(ask):
    asked = ask(Number("The next pid?", lambda: 6, {4: "The lowest free one is not taken."}))
    field = asked.root.get_by_role("textbox", name="Your answer")
    field.fill("six")
    asked.sure()
    for _ in range(2):
        asked.commit()
        assert asked.said == "“six” is no whole number: write 17, or 0x11."
        assert field.get_attribute("aria-invalid") == "true"
        assert field.evaluate("(field) => field === document.activeElement")
    assert not asked.widget.committed
    field.fill("0x4")
    assert (asked.said, field.get_attribute("aria-invalid")) == ("", None)
    field.press("Enter")
    asked.hear()
    assert "You said\n4\nthink so\nIt did\n6\nThe lowest free one is not taken." in asked.told
    assert field.get_attribute("readonly") is not None


def test_text_of_several_lines_is_written_and_compared(ask):
    asked = ask(Text("What is printed?", lambda: b"parent\nchild\n", yes="Yes."))
    field = asked.root.get_by_role("textbox", name="Your answer")
    field.click()
    asked.page.keyboard.type("parent\nchild ")
    assert asked.page.evaluate("model.sent.length") == 0, "Enter makes a new line"
    asked.sure()
    asked.commit()
    assert "As you said." in asked.told
    assert field.input_value() == "parent\nchild"


# ── A drawn parent ──────────────────────────────────────────────────────────────────────────────


def test_a_parent_is_clicked_in_the_tree(ask):
    asked = ask(orphan())
    tree = asked.root.get_by_role("listbox")
    assert "Choose a task." in tree.get_attribute("aria-label")
    status = asked.root.locator(".ksw-pointed")
    assert status.inner_text().startswith("Nobody is chosen yet")
    tree.get_by_role("option", name="init (pid 1)").click()
    tree.get_by_role("option", name="bash (pid 3)").click()
    assert status.inner_text() == "You choose bash (pid 3)."
    asked.sure()
    asked.commit()
    assert "You said\nbash (pid 3)\nthink so\nIt did\ninit (pid 1)" in asked.told
    assert "Grandparents adopt nobody." in asked.told
    words = asked.root.locator(".ks-node text.ksw-said, .ks-node text.ksw-did")
    assert words.all_text_contents() == ["it did", "you said"]
    tree.get_by_role("option", name="bash (pid 4)").click()
    selected = tree.locator('[aria-selected="true"]')
    assert selected.locator("title").text_content() == "bash (pid 3)", "nothing can be changed"


def test_a_parent_is_chosen_with_the_keyboard(ask):
    asked = ask(orphan())
    asked.press("Tab", "ArrowRight")
    assert asked.focus.startswith("init (pid 1)")
    asked.press("ArrowRight", "ArrowLeft", "Enter", "Tab", "Tab", "Space", "Tab", "Tab", "Enter")
    asked.hear()
    assert "As you said." in asked.told
    assert "✓ As you said." in asked.focus


# ── Steps in order ──────────────────────────────────────────────────────────────────────────────


def lines(asked, label="Your order"):
    texts = asked.root.get_by_role("listbox", name=label).locator(".ksw-step").all_inner_texts()
    return [text.rpartition(" ")[2] for text in texts]


def test_steps_are_put_in_order_with_the_keyboard_and_said(ask):
    asked = ask(steps())
    order = lines(asked)
    asked.press("Tab")
    status = asked.root.locator(".ksw-sorting + .ksw-row [role=status]")
    for place, step in enumerate(["one", "two", "three"]):
        asked.press("Home", *["ArrowDown"] * lines(asked).index(step), "Space")
        assert "is picked up" in status.inner_text()
        asked.press(*["ArrowUp"] * (lines(asked).index(step) - place), "Space")
        assert lines(asked)[place] == step
        assert status.inner_text() == f"“{step}” is step {place + 1} of 4."
    asked.press("End", "Delete")
    assert status.inner_text() == "“four” is left out."
    assert (lines(asked), lines(asked, "Left out")) == (["one", "two", "three"], ["four"])
    assert sorted(order) == sorted(["one", "two", "three", "four"])
    asked.sure()
    asked.commit()
    assert "As you said." in asked.told
    assert "Yes." in asked.told


def test_a_step_that_was_picked_up_can_be_taken_back(ask):
    asked = ask(steps())
    order = lines(asked)
    asked.press("Tab", "Space", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
    assert (lines(asked), lines(asked, "Left out")) == (order[1:], order[:1])
    asked.press("Escape")
    assert lines(asked) == order
    assert asked.focus.endswith(order[0])
    asked.press("Alt+ArrowDown")
    assert lines(asked)[1] == order[0]
    assert asked.focus.endswith(order[0]), "the focus stays on the step"


def drag(page, item, onto, *, below=True):
    start, end = item.bounding_box(), onto.bounding_box()
    page.mouse.move(start["x"] + 40, start["y"] + start["height"] / 2)
    page.mouse.down()
    y = end["y"] + end["height"] * (0.9 if below else 0.1)
    for part in range(1, 6):
        page.mouse.move(start["x"] + 40, start["y"] + (y - start["y"]) * part / 5)
    page.mouse.up()


def test_steps_are_dragged_and_the_verdict_says_which_stand_wrong_and_why(ask):
    asked = ask(steps())
    option = lambda name: asked.root.get_by_role("option", name=name, exact=True)  # noqa: E731
    for place, step in enumerate(["two", "three", "one"]):
        there = asked.root.get_by_role("option").nth(place)
        if lines(asked)[place] != step:
            drag(asked.page, option(step), there, below=False)
        assert lines(asked)[place] == step
    asked.sure()
    asked.commit()
    assert "2 of 3 steps are in order; 2 things are wrong." in asked.told
    assert "“one” stands too late: it comes before “two”. It is first." in asked.told
    assert "“four” does not belong here. It is odd." in asked.told
    tags = asked.root.locator("li .ksw-tagged").all_inner_texts()
    assert tags == ["✓ in order", "✓ in order", "↑ too late", "✗ does not belong"]
    order = lines(asked)
    drag(asked.page, option("two ✓ in order"), option("one ↑ too late"))
    asked.press("Delete", "Alt+ArrowDown")
    assert lines(asked) == order, "nothing can be changed"


def test_a_step_is_dragged_out_and_back(ask):
    asked = ask(steps())
    first = asked.root.get_by_role("option").first
    name = lines(asked)[0]
    drag(asked.page, first, asked.root.locator(".ksw-sorting > p").last)
    assert lines(asked, "Left out") == [name]
    asked.root.get_by_role("button", name="put back").click()
    assert lines(asked)[-1] == name
    assert asked.root.get_by_role("button", name="leave out").is_visible()


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
