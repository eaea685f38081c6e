"""A question on a page of its own with the machine behind it, and questions to ask there."""

import contextlib
import json

import pytest

import kernelsim as ks
from kernelsim.exercise import Option, Order, Parent, Question, Step
from kernelsim.widget import Predict
from tests.browser import bare


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


# Asks a question on a page; no error may come of it.
@pytest.fixture
def ask(browser):
    errors = []
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 900})) as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield lambda question, **look: Asked(page, question, **look)
    assert errors == []
