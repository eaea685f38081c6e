"""The explorer in a real JupyterLab: clicked, typed at, looked at in both themes, clicked wrongly."""

import sys

import pytest

pytestmark = pytest.mark.needs_browser

BOOT = "import kernelsim as ks\nk = ks.boot()\nbash = k.spawn('bash')"
EXPLORE = "explorer = ks.widget.explore(k, focus=bash)\nexplorer"
PRINT = "print([t.pid for t in k.tasks()], explorer.pictures[0].selected)"

# The pids that the picture shows, in order from left to right.
PIDS = r"""(root) => [...root.querySelectorAll('.ks-node')].map(
  (node) => /\(pid (\d+)\)/.exec(node.getAttribute('aria-label'))).filter(Boolean).map((m) => Number(m[1]))"""


class Explorer:
    """The explorer that a notebook shows, as its reader uses it."""

    def __init__(self, notebook, number=0):
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".kernelsim-explorer").nth(number)
        notebook.wait_for(self.root.locator(".ks-node"))
        notebook.settle()

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def click(self, *names):
        for name in names:
            self.button(name).click()

    def pids(self):
        return sorted(self.root.evaluate(PIDS))

    def shows(self, *pids):
        """Wait until the picture shows just these tasks."""
        wanted = sorted(pids)
        for _ in range(100):
            if self.pids() == wanted:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{self.pids()}, not {wanted}, in: {self.root.inner_text()}")

    def says(self, words):
        self.root.locator(".ksw-sentence", has_text=words).wait_for(timeout=10_000)

    def answered(self, words):
        self.root.locator(".ksw-answers li", has_text=words).first.wait_for(timeout=10_000)

    def focused(self):
        return self.page.evaluate("document.activeElement.id || document.activeElement.textContent")


@pytest.fixture
def explorer(notebook):
    def open_(*more, **options):
        return Explorer(notebook(BOOT, EXPLORE, *more, **options))

    return open_


def test_fork_brings_a_task_step_back_takes_it_away(explorer):
    lab = explorer()
    lab.shows(0, 1, 2, 3)
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.says("Task 4 (bash) is linked after task 3 (bash).")
    lab.answered("task 3 (bash): fork() = 4")
    lab.click("◀ back")
    lab.shows(0, 1, 2, 3)
    lab.click("forward ▶")
    lab.shows(0, 1, 2, 3, 4)


def test_everything_can_be_done_with_the_keyboard_alone(explorer):
    lab = explorer()
    keyboard = lab.page.keyboard
    lab.root.get_by_label("Task that makes the call").focus()
    keyboard.press("Tab")
    assert lab.focused() == "fork"
    keyboard.press("Enter")
    lab.shows(0, 1, 2, 3, 4)
    # A call with arguments: the form opens, is filled in, fired, and closed; the focus comes back.
    keyboard.press("Tab")
    assert lab.focused() == "exit…"
    keyboard.press("Enter")
    keyboard.type("7")
    keyboard.press("Escape")
    assert lab.focused() == "exit…"
    # On to the picture: one stop for Tab, arrows from there, Enter selects.
    for _ in range(30):
        keyboard.press("Tab")
        if lab.focused().startswith("n-"):
            break
    visited = []
    for _ in range(5):
        visited.append(lab.focused())
        keyboard.press("ArrowRight")
    assert len(set(visited)) == 5
    keyboard.press("Home")
    keyboard.press("End")
    last = lab.focused()
    keyboard.press("Enter")
    lab.root.locator(f"#{last}[aria-selected=true]").wait_for()
    assert lab.focused() == last, "the new drawing keeps the focus"
    chosen = lab.root.locator("option:checked", has_text="task 4 (bash)")
    chosen.wait_for(state="attached", timeout=10_000)
    keyboard.press("-")
    assert lab.button("75 %").count() == 1
    keyboard.press("+")
    assert lab.button("100 %").count() == 1
    keyboard.press("+")
    assert lab.button("125 %").count() == 1
    keyboard.press("0")
    assert lab.button("100 %").count() == 1
    keyboard.press("Escape")
    lab.root.locator("[aria-selected=true]").wait_for(state="detached")
    # Time: the slider is an ordinary one.
    lab.root.get_by_label("Moment").focus()
    keyboard.press("ArrowLeft")
    lab.shows(0, 1, 2, 3)
    keyboard.press("End")
    lab.shows(0, 1, 2, 3, 4)
    # None of these keys was taken by JupyterLab's own commands.
    assert lab.page.locator(".jp-Cell").count() == 2


def test_a_clicked_node_is_the_task_that_calls_are_fired_at(explorer):
    lab = explorer(PRINT)
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    node = lab.root.locator(".ks-node", has_text="0xffff").last
    address = node.get_attribute("data-address")
    node.click()
    lab.root.locator(f"[data-address='{address}'][aria-selected=true]").wait_for()
    lab.click("getpid")
    lab.answered("task 4 (bash): getpid() = 4")
    lab.click("exit…", "fire exit")
    lab.answered("task 4 (bash): exit(0)")
    lab.says("Task 4 (bash) is a zombie now.")


def test_a_sleeping_call_gets_its_result_when_it_is_woken(explorer):
    lab = explorer()
    lab.click("fork", "waitpid…", "fire waitpid")
    lab.answered("sleeps in do_wait(); it returns when the kernel wakes it")
    lab.root.get_by_label("Task that makes the call").select_option("task 4 (bash)")
    lab.click("exit…")
    lab.root.get_by_label("status").fill("3")
    lab.page.keyboard.press("Enter")
    lab.answered("child 4 exited with status 3")
    lab.shows(0, 1, 2, 3)


def test_wrong_clicks_are_answered_and_lead_on(explorer):
    lab = explorer()
    # Back at the very beginning, twice and more.
    lab.click("to the beginning")
    lab.says("Nothing has been fired yet")
    for name in ("to the beginning", "◀ back", "◀ back"):
        lab.button(name).click(force=True)
    assert lab.button("◀ back").get_attribute("aria-disabled") == "true"
    # Nothing is fired in the past, however often it is clicked, and the panel says why.
    lab.button("fork").click(force=True)
    lab.root.get_by_text("You are looking at the past.").wait_for()
    lab.click("back to now")
    lab.shows(0, 1, 2, 3)
    # A task that has exited; an argument that is no number; a child that does not exist.
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.root.get_by_label("Task that makes the call").select_option("task 4 (bash)")
    lab.click("exit…", "fire exit")
    lab.says("Task 4 (bash) is a zombie now.")
    lab.click("fire exit")
    lab.answered("task 4 is dead: Z")
    lab.root.get_by_label("Task that makes the call").select_option("task 3 (bash)")
    lab.click("kill…")
    lab.click("fire kill")
    lab.answered("pid is empty: give a number")
    lab.root.get_by_role("combobox", name="pid").fill("four")
    lab.click("fire kill")
    lab.answered("pid is a number, not 'four'")
    lab.root.get_by_role("combobox", name="pid").fill("999")
    lab.click("fire kill")
    lab.answered("ESRCH there is no such process")
    assert lab.page.get_by_text("Traceback").count() == 0


def test_the_other_ways_to_walk(explorer):
    lab = explorer()
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.root.get_by_label("Step by").select_option("store")
    lab.click("◀ back", "◀ back")
    lab.says("tasks.prev of task 0 (init_task) is now the tasks of task 4 (bash)")
    lab.click("◀ back")
    lab.says("tasks.next of task 3 (bash) is now the tasks of task 4 (bash)")
    lab.shows(0, 1, 2, 3, 4)
    lab.click("◀ back")
    lab.says("a task_struct outside the list")
    lab.shows(0, 1, 2, 3)
    lab.root.get_by_label("Jump to a system call").select_option("3: fork() = 4")
    lab.shows(0, 1, 2, 3, 4)


def test_what_a_cell_does_shows_in_the_explorer_above_it(explorer):
    lab = explorer("k.call(bash, 'fork')")
    lab.shows(0, 1, 2, 3, 4)
    lab.says("3: fork() = 4. Task 4 (bash) is linked after task 3 (bash).")


def test_what_the_reader_does_shows_in_the_cells_below(explorer):
    lab = explorer(PRINT)
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.notebook.run_last()
    lab.page.get_by_text("[1, 2, 3, 4] 0xffff").wait_for()


def test_the_picture_in_words_and_its_size(explorer):
    lab = explorer()
    lab.root.get_by_text("In words").click()
    words = lab.root.locator("details pre")
    assert "tasks.next of bash (pid 3) points to tasks of init_task" in words.inner_text()
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    assert "bash (pid 4)" in words.inner_text()
    svg = lab.root.locator(".ksw-stage svg")
    before = svg.bounding_box()["width"]
    lab.click("larger")
    assert svg.bounding_box()["width"] > before
    label = svg.get_attribute("aria-label")
    assert "New: bash (pid 4)." in label


SIZES = """(root) => [...root.querySelectorAll('text, button, select, input, code, span, label, summary')]
  .filter((e) => e.textContent && e.getClientRects().length)
  .map((e) => [parseFloat(getComputedStyle(e).fontSize) * (e.closest('svg') ?
     e.closest('svg').getBoundingClientRect().width / e.closest('svg').viewBox.baseVal.width : 1), e.textContent])"""


@pytest.mark.parametrize("width", [1280, 1920])
def test_no_text_is_smaller_than_twelve_pixels_and_the_new_task_is_in_sight(explorer, width):
    lab = explorer(width=width)
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.page.wait_for_timeout(700)
    small = [(size, text) for size, text in lab.root.evaluate(SIZES) if size < 11.99]
    assert small == []
    stage = lab.root.locator(".ksw-stage").bounding_box()
    new = lab.root.locator(".ks-node.ks-new .ks-face").bounding_box()
    assert stage["x"] <= new["x"]
    assert new["x"] + new["width"] <= stage["x"] + stage["width"] + 1


GROUNDS = """(root) => ['.ks-ground', '.ks-face'].map((one) => getComputedStyle(root.querySelector(one)).fill)"""
# The contrast of each text of the panel and the timeline with what is behind it.
CONTRASTS = """(root) => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const [r, g, b] = rgb(c).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if ((rgb(c)[3] ?? 1) > 0.5) return c; } return 'rgb(255, 255, 255)'; };
  return [...root.querySelectorAll('.ksw-panel *, .ksw-timeline *, .ksw-tools *')]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)
    .filter((e) => !e.closest('[aria-disabled=true]') && e.tagName !== 'OPTION')
    .map((e) => { const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), e.textContent]; });
}"""


@pytest.mark.parametrize(
    ("theme", "ground"),
    [("JupyterLab Light", "rgb(251, 252, 253)"), ("JupyterLab Dark", "rgb(20, 24, 29)")],
)
def test_the_theme_is_followed_and_every_text_stands_out(explorer, theme, ground):
    lab = explorer(theme=theme)
    assert lab.root.evaluate(GROUNDS)[0] == ground
    lab.click("fork", "exit…")
    lab.shows(0, 1, 2, 3, 4)
    faint = [pair for pair in lab.root.evaluate(CONTRASTS) if pair[0] < 4.5]
    lab.click("◀ back")
    lab.shows(0, 1, 2, 3)
    faint += [pair for pair in lab.root.evaluate(CONTRASTS) if pair[0] < 4.5]
    assert faint == []


def test_whoever_wants_no_motion_gets_none(explorer):
    lab = explorer(motion=False)
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    assert lab.root.evaluate("(root) => root.getAnimations({ subtree: true }).length") == 0


def test_what_is_gone_leaves_no_ghost(explorer):
    lab = explorer()
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.click("◀ back")
    lab.shows(0, 1, 2, 3)
    lab.root.locator(".ksw-ghost").first.wait_for(state="detached")
    ids = lab.root.evaluate("(root) => [...root.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


# How long from a click until the picture has changed, in milliseconds.
CLICK = """async ([root, name]) => {
  const button = [...root.querySelectorAll('button')].find((b) => b.textContent === name);
  const stage = root.querySelector('.ksw-stage'), before = stage.querySelector('svg');
  const start = performance.now();
  button.click();
  await new Promise((done) => new MutationObserver((_, observer) => {
    if (stage.querySelector('svg') !== before) { observer.disconnect(); done(); }
  }).observe(stage, { childList: true }));
  const spent = performance.now() - start;
  await new Promise((done) => setTimeout(done, 400));
  return spent;
}"""


def test_each_click_changes_a_picture_of_thirty_nodes(notebook):
    boot = f"{BOOT}\nfor _ in range(26):\n    k.call(bash, 'fork')"
    explore = "ks.widget.explore(k, view='process_tree', focus=bash, limit=30)"
    lab = Explorer(notebook(boot, explore))
    root = lab.root.element_handle()
    assert len(lab.pids()) == 30
    spent = [
        lab.page.evaluate(CLICK, [root, name]) for name in ["getpid", *["◀ back", "forward ▶"] * 10]
    ]
    assert len(spent) == 21  # each click was answered by a changed picture
    # How long it took is told, not judged: 75 ms is the aim on a machine that does nothing else.
    sys.stdout.write(f"click to picture, 30 nodes, in ms: {sorted(map(round, spent[1:]))}\n")
