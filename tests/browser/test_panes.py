"""The panes in a browser: looked at, clicked, walked through by keys, with hostile names and long calls."""

import contextlib
from pathlib import Path

import pytest

import kernelsim as ks
from tests.browser import bare
from tests.widget import scene

pytestmark = pytest.mark.needs_browser

EVIL = '<img src=x onerror=alert(1)>\u202e\x1b[31m"];}</script>\U0001f642'
DIALOG = "window.alert = () => { window.executed = true; };"
SEEN = """() => [...document.querySelectorAll('.ksw-fn')].sort((a, b) => a.dataset.i - b.dataset.i)
  .map((row) => row.children[3].textContent)"""


class Shown:
    """A pane on a page of its own: what its front end sends and sets goes to the widget, and back."""

    def __init__(self, page, pane):
        self.page, self.pane, self.errors = page, pane, []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.add_init_script(DIALOG)
        kind, traits = bare.traits_of(pane)
        page.set_content(bare.page_of((kind, traits)))
        page.wait_for_function("() => document.querySelector('#root0').children.length > 0")
        self.sync()

    def sync(self):
        """Let Python hear what was sent and set, and the browser what came of it."""
        state, sent = self.page.evaluate("() => [model.state, model.sent.splice(0)]")
        for name in ("call", "everyone", "who"):
            if name in state and getattr(self.pane, name) != state[name]:
                setattr(self.pane, name, state[name])
        for message in sent:
            self.pane.heard(message)
        _, traits = bare.traits_of(self.pane)
        changed = {name: value for name, value in traits.items() if state.get(name) != value}
        self.page.evaluate("(state) => model.take(state)", changed)
        self.page.wait_for_timeout(30)

    def show(self, *moment):
        self.pane.show(*moment)
        self.sync()

    def text(self, selector):
        return self.page.locator(selector).first.inner_text()

    def functions(self):
        return [name.removesuffix("()") for name in self.page.evaluate(SEEN)]

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture
def open_(browser):
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 900})) as page:
        shown = []

        def open_(pane):
            shown.append(Shown(page, pane))
            return shown[-1]

        yield open_
        assert [error for one in shown for error in one.errors] == []
        assert not page.evaluate("window.executed")
        assert page.locator(".ksw img, .ksw b, .ksw script").count() == 0


# -- the function graph ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forked():
    k, bash = scene.booted()
    k.call(bash, "fork")
    return k


def test_the_tree_is_folded_at_first_and_a_click_unfolds(open_, forked):
    lab = open_(ks.widget.GraphPane(forked, depth=4))
    assert lab.functions() == [
        "entry_SYSCALL_64",
        "do_syscall_64",
        "__x64_sys_fork",
        "kernel_clone",
    ]
    row = lab.page.locator(".ksw-fn").nth(3)
    assert row.get_attribute("aria-expanded") == "false"
    row.click()
    assert row.get_attribute("aria-expanded") == "true"
    assert lab.functions()[4] == "copy_process"
    row.click()
    assert len(lab.functions()) == 4
    row.dblclick()
    assert len(lab.functions()) == 4, "two clicks unfold and fold"


def test_the_tree_is_walked_with_the_keys_of_a_tree(open_, forked):
    lab = open_(ks.widget.GraphPane(forked, depth=1))
    lab.page.locator(".ksw-fn").first.focus()
    at = "() => document.activeElement.children[3].textContent"
    lab.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    assert lab.page.evaluate(at) == "__x64_sys_fork()"
    lab.press("Enter", "ArrowDown", "ArrowRight", "ArrowDown")
    assert lab.page.evaluate(at) == "copy_process()"
    assert lab.page.evaluate("document.activeElement.getAttribute('aria-level')") == "5"
    lab.press("ArrowLeft")
    assert lab.page.evaluate(at) == "kernel_clone()"
    lab.press("ArrowLeft")
    assert "copy_process" not in lab.functions()
    lab.press("End")
    assert lab.page.evaluate(at) == "kernel_clone()"
    lab.press("Home")
    assert lab.page.evaluate(at) == "entry_SYSCALL_64()"
    lab.press("d")
    assert lab.page.evaluate(at) == "do_syscall_64()"


def test_a_function_that_is_focused_or_pointed_at_shows_where_it_stands(open_, forked):
    lab = open_(ks.widget.GraphPane(forked, depth=4))
    lab.page.locator(".ksw-fn").nth(3).focus()
    link = lab.page.locator(".ksw-under a")
    assert link.inner_text() == str(ks.debug.source.place("kernel_clone"))
    assert link.get_attribute("href") == ks.debug.source.link("kernel_clone")
    assert link.get_attribute("rel") == "noopener noreferrer"
    lab.page.locator(".ksw-fn").nth(1).hover()
    assert link.inner_text() == "arch/x86/entry/common.c:39"
    assert lab.page.locator(".ksw-fn").nth(1).locator("a").get_attribute("href").endswith("#L39")
    label = lab.page.locator(".ksw-fn").nth(3).get_attribute("aria-label")
    assert label.startswith("kernel_clone(), took 0.000 us, ")
    assert label.endswith(" line 2415") or "kernel/fork.c line " in label


def test_what_is_searched_is_counted_unfolded_and_come_to(open_, forked):
    lab = open_(ks.widget.GraphPane(forked, depth=2))
    search = lab.page.get_by_label("Search a function")
    search.fill("kmem_cache")
    count = sum(
        lab.pane.graph["names"][row[0]] == "kmem_cache_alloc" for row in lab.pane.graph["rows"]
    )
    assert lab.text(".ksw-hits") == f"1 of {count}"
    here = ".ksw-fnhere"
    assert lab.page.locator(here).count() == 1
    first = lab.page.locator(here).get_attribute("data-i")
    lab.press("Enter")
    assert lab.text(".ksw-hits") == f"2 of {count}"
    assert lab.page.locator(here).get_attribute("data-i") != first
    lab.press("Shift+Enter", "Shift+Enter")
    assert lab.text(".ksw-hits") == f"{count} of {count}"
    box, row = lab.page.locator(".ksw-tree").bounding_box(), lab.page.locator(here).bounding_box()
    assert box["y"] <= row["y"] <= box["y"] + box["height"]
    search.fill("no such function")
    assert lab.text(".ksw-hits") == "no match"
    lab.press("Enter", "Escape")
    assert lab.text(".ksw-hits") == ""


def test_the_readers_folds_stay_while_the_call_goes_on(open_, forked):
    lab = open_(ks.widget.GraphPane(forked, depth=9))
    lab.page.get_by_role("button", name="fold all", exact=True).click()
    assert lab.functions() == ["entry_SYSCALL_64"]
    t = forked.now
    lab.show(forked.at(t - 20), forked.at(t - 130), None)
    assert lab.functions() == ["entry_SYSCALL_64"]
    assert lab.text(".ksw-took") == "…"
    lab.show(forked, None, None)
    lab.page.get_by_role("button", name="unfold all").click()
    lab.page.locator(".ksw-fn").first.focus()
    lab.press("End")
    assert len(lab.functions()) < len(lab.pane.graph["rows"]), "only what is in sight is drawn"
    assert "wake_up_new_task" in lab.functions()


def test_another_call_and_the_other_tasks_can_be_chosen(open_):
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(bash, "waitpid", -1, 0)
    k.call(child, "exit", 1)
    lab = open_(ks.widget.GraphPane(k))
    choice = lab.page.get_by_label("System call")
    (label,) = (words for _, words in lab.pane.calls if words.startswith("3: wait4"))
    choice.select_option(label)
    lab.sync()
    assert lab.text(".ksw-heading").startswith("task 3 (bash): wait4(-1,")
    assert lab.page.locator(".ksw-fn", has_text="→ task 4 (bash) runs").count() == 0
    lab.page.get_by_role("button", name="unfold all").click()
    lab.page.get_by_label("Search a function").fill("context_switch")
    assert lab.page.locator(".ksw-fn", has_text="→ task 4 (bash) runs").count() == 1
    lab.page.get_by_label("other tasks too").check()
    lab.sync()
    assert {row[2] for row in lab.pane.graph["rows"]} >= {3, 4}
    choice.select_option("the one of the moment shown")
    lab.sync()
    assert lab.pane.call is None


def test_a_call_of_ten_thousand_functions_unfolds_at_once(open_):
    k, bash = scene.booted()
    for _ in range(60):
        k.call(k.task(k.call(bash, "fork")), "exit", 0)
    k.call(bash, "exit", 0)
    pane = ks.widget.GraphPane(k)
    pane.everyone = True
    pane.catch_up()
    rows = pane.graph["rows"]
    copies = -(-10_000 // len(rows))
    pane.graph = pane.graph | {"rows": rows * copies, "key": "long"}
    lab = open_(pane)
    took = lab.page.evaluate("""() => {
      const click = (name) => [...document.querySelectorAll('button')].find((b) => b.textContent === name).click();
      const start = performance.now();
      click('unfold all'); click('fold all'); click('unfold all');
      const search = document.querySelector('input[type=search]');
      search.value = 'wake'; search.dispatchEvent(new Event('input'));
      return performance.now() - start;
    }""")
    assert len(lab.pane.graph["rows"]) >= 10_000
    assert lab.page.locator(".ksw-fn").count() < 100
    assert took < 500


# -- strace ------------------------------------------------------------------------------------


def test_rows_follow_the_moment_and_a_row_leads_to_its_own(open_):
    k, _bash, child = scene.family()
    k.call(child, "exit", 7)
    moments = []
    pane = ks.widget.StracePane(k)
    pane.on_jump = moments.append
    lab = open_(pane)
    rows = lab.page.locator(".ksw-call")
    assert lab.page.locator(".ksw-future").count() == 0
    fork = next(i for i, row in enumerate(pane.rows) if row[6].startswith("fork") and row[2] == 3)
    t = pane.rows[fork][0]
    lab.show(k.at(t + 5), None, None)
    assert lab.page.locator(".ksw-future").count() == len(pane.rows) - fork - 1
    assert rows.nth(fork).locator("code span").nth(0).inner_text() == "fork("
    assert rows.nth(fork).locator(".ksw-later").inner_text().endswith("= 4")
    assert rows.nth(fork).get_attribute("aria-selected") == "true"
    rows.nth(fork + 1).click()
    lab.sync()
    rows.nth(fork).focus()
    lab.press("ArrowUp", "ArrowDown", "Enter")
    lab.sync()
    assert moments == [(pane.rows[fork + 2][0], 0), (pane.rows[fork + 1][0], 0)]


def test_rows_are_filtered_as_the_reader_types(open_):
    k, _bash, _child = scene.family()
    lab = open_(ks.widget.StracePane(k))
    lab.page.get_by_role("combobox", name="Task").select_option("4")
    lab.sync()
    assert {row[2] for row in lab.pane.rows} == {4}
    lab.page.get_by_label("With").fill("fork")
    lab.page.wait_for_timeout(300)
    lab.sync()
    assert lab.page.locator(".ksw-call").count() == 1
    lab.page.get_by_label("With").fill("nothing like it")
    lab.page.wait_for_timeout(300)
    lab.sync()
    assert lab.text(".ksw-rows") == "No rows."
    assert lab.page.get_by_label("With").input_value() == "nothing like it"


# -- stack -------------------------------------------------------------------------------------


def test_the_frames_are_links_and_another_task_can_be_chosen(open_):
    k, bash, _child = scene.family()
    lab = open_(ks.widget.StackPane(k))
    assert lab.text(".ksw-heading") == "task 3 (bash) sleeps in do_wait()."
    assert "wchan: it sleeps here" in lab.text(".ksw-wchan")
    link = lab.page.get_by_role("link", name="do_wait", exact=True)
    assert link.get_attribute("href") == ks.debug.source.link("do_wait")
    assert lab.text("pre").startswith("[<0>] do_wait\n")
    lab.page.get_by_label("Task").select_option("task 1 (init), S")
    lab.sync()
    assert lab.text(".ksw-heading") == "task 1 (init) sleeps in __x64_sys_pause()."
    lab.page.get_by_label("Task").select_option("task 4 (bash), R")
    lab.sync()
    assert lab.page.locator(".ksw-frames").is_visible() == bool(lab.pane.frames)
    lab.show(k, None, bash)
    assert lab.text(".ksw-heading") == "task 3 (bash) sleeps in do_wait()."


# -- terminal ----------------------------------------------------------------------------------


def test_the_terminal_shows_signs_and_writers_and_follows_its_end(open_):
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(bash, "write", 1, b"one\x1b[1m ")
    k.call(child, "write", 1, b"\xffthree\n")
    lab = open_(ks.widget.TerminalPane(k))
    assert [b.inner_text() for b in lab.page.locator(".ksw-console .ksw-badge").all()] == ["C", "D"]
    assert lab.page.locator(".ksw-ctl").all_inner_texts() == ["^[", "\\xff"]
    assert lab.page.locator(".ksw-writer").all_inner_texts() == [
        "C task 3 (bash)",
        "D task 4 (bash)",
    ]
    lab.page.get_by_label("who wrote what").uncheck()
    assert lab.text(".ksw-console").rstrip() == "one^[[1m \\xffthree"
    k.call(bash, "write", 1, b"line\n" * 200)
    lab.show(k, None, None)
    end = "(e => e.scrollHeight - e.clientHeight - e.scrollTop)(document.querySelector('.ksw-console'))"
    assert lab.page.evaluate(end) < 2
    lab.page.evaluate("document.querySelector('.ksw-console').scrollTop = 0")
    k.call(bash, "write", 1, b"line\n" * 200)
    lab.show(k, None, None)
    assert lab.page.evaluate(end) > 1000, "who has scrolled up is left where he is"


# -- all ---------------------------------------------------------------------------------------

NAMES = ["StackPane", "GraphPane", "StracePane", "TerminalPane"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_and_output_are_text(open_, name):
    k = ks.boot()
    evil = k.spawn("<img src=x>")
    k.call(evil, "write", 1, EVIL.encode())
    k.call(evil, "pipe")
    k.call(evil, "read", 3, 1)
    lab = open_(getattr(ks.widget, name)(k))
    text = lab.page.inner_text("body")
    assert "<img src=x" in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", NAMES)
def test_nothing_serious_is_found_in_a_pane_that_shows_something(open_, name):
    axe = pytest.importorskip("axe_playwright_python")
    k, _bash, child = scene.family()
    k.call(child, "write", 1, b"hello\x1b[1m\n")
    moment = k.now
    k.call(child, "exit", 0)
    lab = open_(getattr(ks.widget, name)(k))
    lab.show(k.at(moment), None, None)
    source = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    lab.page.evaluate(source + "; void 0")
    for theme in ("light", "dark"):
        lab.page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        found = lab.page.evaluate(
            "async () => (await axe.run('.ksw')).violations.map((v) => v.id + v.nodes[0].html)"
        )
        assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_than_half_a_screen(open_, name):
    k, _bash, _child = scene.family()
    lab = open_(getattr(ks.widget, name)(k))
    lab.page.set_viewport_size({"width": 480, "height": 700})
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 480


# -- in JupyterLab -----------------------------------------------------------------------------


def test_panes_stand_in_cells_of_their_own(notebook):
    lab = notebook(
        "import kernelsim as ks\nk = ks.boot()\nbash = k.spawn('bash')\nk.call(bash, 'fork')\n"
        "k.call(bash, 'write', 1, b'hello');\nk.call(bash, 'pause');",
        "ks.widget.StackPane(k)",
        "ks.widget.GraphPane(k)",
        "ks.widget.StracePane(k)",
        "ks.widget.TerminalPane(k)",
    )
    page = lab.page
    lab.wait_for(page.locator(".ksw-terminal .ksw-piece"))
    assert "sleeps in __x64_sys_pause()" in page.locator(".ksw-stack .ksw-heading").inner_text()
    page.locator(".ksw-graph .ksw-fn").first.click()
    page.keyboard.press("ArrowRight")
    assert page.locator(".ksw-graph .ksw-fn[aria-expanded=true]").count() >= 1
    page.get_by_role("combobox", name="System call").select_option("3: fork() = 4")
    page.locator(".ksw-graph .ksw-heading", has_text="fork() = 4").wait_for(timeout=10_000)
    page.get_by_role("searchbox", name="With").fill("write")
    page.locator(".ksw-strace .ksw-under", has_text="1 row").wait_for(timeout=10_000)
    assert page.locator(".jp-Cell").count() == 5
