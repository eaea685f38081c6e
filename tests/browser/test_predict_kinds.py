"""Each kind of question as its reader answers it: by pointer, by keyboard, and in the wrong way."""

import pytest

from kernelsim.exercise import Letter, Number, Text
from tests.browser.asked import ask, orphan, steps

__all__ = ["ask"]  # a fixture

pytestmark = pytest.mark.needs_browser


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


# ── For everybody ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_kind_has_a_serious_violation_before_and_after_it_is_answered(ask, theme):
    axe = pytest.importorskip("tests.browser.test_accessibility")
    letter = Letter("Which letter?", lambda: "Z", shows=lambda: "a line")
    for made, answer in (
        (letter, 1),
        (Number("How many?", lambda: 4), "5"),
        (Text("What is printed?", lambda: "a"), "b"),
        (orphan(shows=True), 3),
        (steps(), [0, 2]),
    ):
        asked = ask(made, theme=theme)
        assert axe.violations(asked.page, ".ksw") == []
        asked.widget.commit(answer, "why", "guess")
        asked.hear()
        assert "You said" in asked.told
        assert axe.violations(asked.page, ".ksw") == []
