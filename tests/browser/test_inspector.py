"""The inspector in a real JupyterLab: followed, searched, pointed at, subtracted; by mouse and by keys."""

import pytest

from kernelsim.include.linux.sched import task_struct
from tests.browser import lab as labs

pytestmark = pytest.mark.needs_browser

BOOT = "import kernelsim as ks\nk = ks.boot()\nbash = k.spawn('bash')\nchild = k.task(k.call(bash, 'fork'))"
INSPECT = "inspector = ks.widget.inspect(k, bash)\ninspector"
PLACES = """(root) => {
  const sheet = root.querySelector('.ksi-sheet').getBoundingClientRect();
  return [...root.querySelectorAll('.ksi-on i')].map((i) => {
    const box = i.getBoundingClientRect();
    return [box.left - sheet.left, box.top - sheet.top, box.width, box.height].map(Math.round);
  });
}"""
# Follow a pointer and come back, again and again; how long until what is shown has changed.
CLICKS = """async ([root, times]) => {
  const taken = [], place = root.querySelector('.ksi-title code');
  const changes = (act) => new Promise((done) => {
    const start = performance.now();
    new MutationObserver((_, me) => { me.disconnect(); done(performance.now() - start); })
      .observe(place, { childList: true, characterData: true, subtree: true });
    act();
  });
  const rest = () => new Promise((done) => setTimeout(done, 40));
  for (let i = 0; i < times; i++) {
    taken.push(await changes(() => root.querySelector('[data-path="real_parent"] .ksi-to').click()));
    await rest();
    await changes(() => root.querySelector('.ksi-trail button').click());
    await rest();
  }
  return taken;
}"""


class Inspector:
    """An inspector that a notebook shows, as its reader uses it."""

    def __init__(self, notebook, number=0):
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".ksw-inspector").nth(number)
        notebook.wait_for(self.root.locator(".ksi-row >> nth=1"))
        notebook.settle()

    def row(self, path):
        return self.root.locator(f'.ksi-row[data-path="{path}"]')

    def is_at(self, words):
        self.root.locator(".ksi-title", has_text=words).wait_for(timeout=10_000)

    def says(self, words):
        self.root.locator(".ksi-said", has_text=words).wait_for(timeout=10_000)

    def go(self, text):
        box = self.root.get_by_label("Address, symbol or task to go to")
        box.fill(text)
        box.press("Enter")

    def unfold(self, path):
        self.row(path).locator(".ksi-name").click()

    def focused(self):
        return self.page.evaluate("document.activeElement.dataset.path ?? ''")


@pytest.fixture
def inspector(notebook):
    def open_(*more, cells=(BOOT, INSPECT), **options):
        return Inspector(notebook(*cells, *more, **options))

    return open_


def test_a_pointer_is_followed_and_the_trail_leads_back(inspector):
    lab = inspector()
    lab.is_at("task 3 (bash)")
    lab.unfold("tasks")
    lab.row("tasks.next").locator(".ksi-to").click()
    lab.is_at("struct list_head")
    lab.is_at("at tasks of task 4 (bash)")
    assert lab.root.locator(".ksi-trail").inner_text().split("\n")[-1].startswith("list_head at")
    lab.root.locator(".ksi-trail").get_by_role("button", name="task 3 (bash)").click()
    lab.is_at("struct task_struct")
    assert lab.row("tasks.next").get_attribute("aria-selected") == "true"


def test_everything_can_be_done_with_the_keyboard_alone(inspector):
    lab = inspector()
    keyboard = lab.page.keyboard
    lab.root.get_by_label("Find a member").focus()
    keyboard.type("tasks")
    keyboard.press("Enter")
    assert lab.focused() == "tasks"
    keyboard.press("Escape")
    lab.root.get_by_label("Find a member").focus()
    keyboard.press("Escape")
    keyboard.press("Tab")
    assert lab.focused() == "tasks"
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    assert lab.focused() == "tasks.next"
    keyboard.press("Enter")
    lab.is_at("struct list_head")
    lab.page.wait_for_function("document.activeElement.dataset.path === 'next'")
    # On to the bytes, the button that follows, and the subtraction.
    keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.getAttribute('role')") == "listbox"
    keyboard.press("ArrowRight")
    byte = lab.root.locator(".ksi-byte").get_attribute("aria-label")
    assert byte.startswith("byte at +0x1: 0x")
    assert byte.endswith(", next, byte 2 of 8")
    for _ in range(4):
        keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.textContent") == "subtract"
    keyboard.press("Enter")
    lab.root.locator(".ksi-right", has_text="task 4 (bash)").wait_for(timeout=10_000)
    for _ in range(3):
        keyboard.press("Tab")
    assert lab.page.evaluate("document.activeElement.textContent") == "go there"
    keyboard.press("Enter")
    lab.is_at("task 4 (bash)")
    lab.page.wait_for_function("document.activeElement.dataset.path === 'thread_info'")
    keyboard.press("Backspace")
    lab.is_at("struct list_head")
    # Back by the trail: the focus is not lost with the button that was pressed.
    lab.root.locator(".ksi-trail button").first.focus()
    keyboard.press("Enter")
    lab.is_at("task 3 (bash)")
    lab.page.wait_for_function("document.activeElement.dataset.path === 'tasks.next'")


def test_a_member_marks_its_bytes_and_a_byte_its_member(inspector):
    lab = inspector()
    lab.row("comm").click()
    marked = lab.root.evaluate(PLACES)
    assert len(marked) == 2, "two whole lines are one box, and their letters another"
    assert marked[0][3] == 44
    detail = lab.root.locator(".ksi-detail")
    assert '"bash"' in detail.inner_text()
    lab.row("pid").click()
    label = detail.locator("svg").get_attribute("aria-label")
    assert label.startswith(
        "In memory, from the lowest address on: 03 00 00 00. As a number: 0x00000003"
    )
    # A byte of a member that is folded: pointing marks the group, a click unfolds and chooses.
    sheet = lab.root.locator(".ksi-sheet")
    lab.root.locator(".ksi-bytes").evaluate("(bytes) => { bytes.scrollTop = 0; }")
    width = sheet.evaluate("(sheet) => sheet.clientWidth")
    status = {"x": width * 8.5 / 41, "y": 1.5 * 22}  # the second line is thread_info.status
    sheet.hover(position=status)
    assert lab.root.locator(".ksi-pointed").get_attribute("data-path") == "thread_info"
    assert len(lab.root.locator(".ksi-over i").all()) == 2
    sheet.click(position=status)
    assert lab.row("thread_info.status").get_attribute("aria-selected") == "true"


def test_what_is_typed_is_found_or_answered_with_a_sentence(inspector):
    lab = inspector()
    for text, words in {
        "frob": "“frob” is neither an address nor a symbol",
        "0x0": "NULL points to nothing",
        "0xdead000000000100": "LIST_POISON1",
        "0xffffffffffffff00": "No memory stands behind",
        "<img src=x onerror=alert(1)>": "“<img src=x onerror=alert(1)>” is neither",
        "task 99": "There is no task 99",
    }.items():
        lab.go(text)
        lab.says(words)
        lab.is_at("task 3 (bash)")
    lab.go("init_task.tasks")
    lab.is_at("task 0 (init_task)")
    assert lab.row("tasks").get_attribute("aria-selected") == "true"


def test_the_subtraction_plays_step_by_step_and_stands_still_for_who_wants_less_motion(inspector):
    lab = inspector(motion=True)
    lab.unfold("children")
    lab.row("children.next").locator(".ksi-to").click()
    lab.is_at("at sibling of task 4 (bash)")
    section = lab.root.get_by_label("container_of")
    assert section.get_by_label("Member", exact=True).input_value() == "children"
    section.get_by_role("button", name="subtract").click()
    section.locator(".ksi-cut.ksi-step0").wait_for()
    section.locator(".ksi-cut.ksi-step1").wait_for()
    section.locator(".ksi-wrong", has_text="Nonsense. The link is sibling").wait_for(timeout=10_000)
    section.get_by_role("button", name="one step back").click()
    section.locator(".ksi-cut.ksi-step2").wait_for()
    lab.page.emulate_media(reduced_motion="reduce")
    section.get_by_label("Member", exact=True).select_option("sibling")
    section.locator(".ksi-right", has_text="task 4 (bash)").wait_for(timeout=1_000)
    section.get_by_role("button", name="go there").click()
    lab.is_at("struct task_struct")
    lab.is_at("task 4 (bash)")


def test_another_cell_changes_the_kernel_and_the_inspector_marks_what_changed(inspector):
    lab = inspector("k.call(bash, 'fork')")
    lab.row("children").locator(".ksi-mark").wait_for()
    lab.unfold("children")
    assert lab.row("children.prev").inner_text().count("was 0x") == 1
    assert "changes since event" in lab.root.locator(".ksi-moment").inner_text()
    places = []
    for _ in range(2):
        lab.root.get_by_role("button", name="changed").click()
        places.append(lab.focused())
        assert lab.row(places[-1]).locator(".ksi-was").count() == 1
    assert len({*places}) == 2


def test_two_inspectors_and_hostile_names(notebook):
    name = b"<img src=x onerror=alert(1)>"[:15]
    lab = Inspector(
        notebook(
            BOOT,
            INSPECT,
            f"k.machine.write(child.address_ + type(child).offsetof_('comm'), {name!r} + bytes(1))\n"
            "other = ks.widget.inspect(k, child)\nother",
        )
    )
    other = Inspector(lab.notebook, 1)
    other.is_at("task 4 (<img src=x oner)")
    lab.is_at("task 3 (bash)")
    lab.go("task 4")
    lab.is_at("<img src=x oner")
    assert lab.page.locator(".ksw-inspector img").count() == 0
    other.row("real_parent").locator(".ksi-to").click()
    other.is_at("task 3 (bash)")
    lab.is_at("task 4")


def test_clicking_fast_and_twice_ends_where_the_last_click_leads(
    inspector,
):
    lab = inspector()
    root = lab.root.element_handle()
    assert len(lab.page.evaluate(CLICKS, [root, 30])) == 30  # how long each took: bench/clicks.py
    link = lab.row("real_parent").locator(".ksi-to")
    link.dblclick()
    lab.root.locator(".ksi-trail li").nth(2).wait_for()
    for _ in range(3):
        lab.row("group_leader").locator(".ksi-to").click()
    lab.unfold("se")
    lab.unfold("se")
    lab.root.locator(".ksi-trail button").first.click()
    lab.is_at("task 3 (bash)")
    assert lab.root.locator(".ksi-trail li").count() == 1


def test_nothing_is_cut_off_and_the_words_can_be_read(inspector):
    lab = inspector()
    for width, theme in ((1280, labs.LIGHT), (1920, labs.DARK)):
        lab.notebook.look(width=width, height=1000, theme=theme)
        lab.notebook.settle()
        small = lab.root.evaluate(
            """(root) => [...root.querySelectorAll('*')].filter((e) => e.childNodes.length
              && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())
              && e.getClientRects().length && parseFloat(getComputedStyle(e).fontSize) < 14)
              .map((e) => e.outerHTML.slice(0, 80))"""
        )
        assert small == []
        lines = "(root) => root.querySelector('.ksi-sheet pre').clientHeight"
        assert lab.root.evaluate(lines) == 22 * -(-task_struct.sizeof_ // 8), "marks lie over bytes"
        assert lab.root.evaluate("(root) => root.scrollWidth <= root.clientWidth + 1")


def test_axe_finds_no_serious_violation(inspector):
    axe = pytest.importorskip("axe_playwright_python.base").AXE_FILE_PATH
    lab = inspector()
    lab.unfold("tasks")
    lab.row("tasks.next").locator(".ksi-to").click()
    lab.is_at("struct list_head")
    lab.root.get_by_role("button", name="subtract").click()
    lab.root.locator(".ksi-right").wait_for(timeout=10_000)
    lab.page.evaluate(axe.read_text(encoding="utf-8"))
    found = lab.page.evaluate(
        "async () => (await axe.run('.ksw-inspector')).violations"
        ".filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => [v.id, v.nodes[0].html])"
    )
    assert found == []
