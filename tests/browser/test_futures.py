"""Branches beside each other, crashes, a fork bomb, clone() by flags, who runs next, and rough handling."""

import sys

import pytest

from tests.browser import lab as labs
from tests.browser.test_explorer import BOOT, CONTRASTS, EXPLORE, PRINT, SIZES, Explorer

pytestmark = pytest.mark.needs_browser

RACE = """async def race(libc):
    pid = await libc.fork()
    for _ in range(2):
        await libc.write(1, b"p" if pid else b"c")
        await libc.sched_yield()
    if pid:
        await libc.wait()
k.load("race", race)"""
TASK = "Task that makes the call"
RESTART = "async () => { await thePanel.sessionContext.session.kernel.restart(); }"
# Clicks a button of that name so often, as fast as the page can.
RAPIDLY = """(root, [name, times]) => {
  const found = [...root.querySelectorAll('button')].find((b) => b.textContent === name);
  for (let i = 0; i < times; i++) found.click();
}"""
# The longest time, in ms, for which the page drew nothing, from now until it is asked.
WATCH = """() => { let last = performance.now(); window.longest = 0;
  const tick = (now) => { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick); }"""


@pytest.fixture
def explorer(notebook):
    def open_(*more, **options):
        return Explorer(notebook(BOOT, EXPLORE, *more, **options))

    return open_


class Column(Explorer):
    """One of the futures of an explorer."""

    def __init__(self, explorer, number):
        self.notebook, self.page = explorer.notebook, explorer.page
        self.root = explorer.root.locator(".kernelsim-future").nth(number)
        explorer.notebook.wait_for(self.root.locator(".ks-node"))


def branched(lab):
    """The trunk one step back, where a child had not been forked yet, and a branch from there."""
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.click("◀ back", "branch here")
    return Column(lab, 0), Column(lab, 1)


def compared(lab, words):
    lab.root.locator(".ksw-head", has_text=words).first.wait_for(timeout=10_000)


def unlike(column):
    return column.root.locator(".ks-node.ksw-unlike").count()


# -- branches ---------------------------------------------------------------------------------------


def test_two_futures_stand_beside_each_other_and_what_differs_is_said_and_marked(explorer):
    lab = explorer(width=1920, sidebar=False)
    trunk, branch = branched(lab)
    compared(lab, "No task differs between the trunk and branch 1.")
    assert unlike(trunk) + unlike(branch) == 0
    branch.click("exit…", "fire exit")
    trunk.click("forward ▶")
    trunk.shows(0, 1, 2, 3, 4)
    branch.shows(0, 1, 2)
    compared(lab, "Task 3 (bash) is only in the trunk; task 4 (bash) is only in the trunk.")
    assert (unlike(trunk), unlike(branch)) == (2, 0)
    label = trunk.root.locator(".ksw-unlike").first.get_attribute("aria-label")
    assert label.endswith("Differs in the other future.")
    assert trunk.root.locator(".ksw-unlike-sign").first.text_content() == "≠"
    left, right = (column.root.bounding_box() for column in (trunk, branch))
    assert left["x"] + left["width"] <= right["x"]
    assert left["y"] == right["y"]
    branch.click("throw it away")
    lab.root.locator(".kernelsim-future").nth(1).wait_for(state="detached")
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4, 5)
    assert unlike(trunk) == 0


def test_where_there_is_no_room_one_future_stands_below_the_other(explorer):
    lab = explorer(width=1280)
    trunk, branch = branched(lab)
    above, below = (column.root.bounding_box() for column in (trunk, branch))
    assert above["y"] + above["height"] <= below["y"] + 1
    assert above["width"] == below["width"]


def test_a_branch_is_left_shown_again_and_kept(explorer):
    lab = explorer()
    _, branch = branched(lab)
    branch.click("leave it")
    lab.click("show branch 1 again")
    branch = Column(lab, 1)
    branch.click("fork")
    branch.shows(0, 1, 2, 3, 4)
    branch.click("keep it alone")
    lab.root.locator(".kernelsim-future").nth(1).wait_for(state="detached")
    compared(lab, "Branch 1: from event")
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("width", [1280, 1920])
def test_with_two_futures_every_text_is_large_enough_and_stands_out(explorer, width):
    lab = explorer(width=width, theme="JupyterLab Dark")
    _, branch = branched(lab)
    branch.click("fork", "clone…")
    branch.shows(0, 1, 2, 3, 4)
    lab.page.wait_for_timeout(700)
    assert [(s, text) for s, text in lab.root.evaluate(SIZES) if s < 11.99] == []
    seen = CONTRASTS.replace("'.ksw-panel *,", "'.ksw-panel *, .ksw-head *, .ksw-turn *,")
    assert [pair for pair in lab.root.evaluate(seen) if pair[0] < 4.5] == []


# -- when it goes wrong -----------------------------------------------------------------------------


def test_a_panic_is_shown_and_there_are_three_ways_out(explorer):
    lab = explorer()
    lab.root.get_by_label(TASK).select_option("task 1 (init), sleeping")
    lab.click("exit…", "fire exit")
    lab.answered("Kernel panic - not syncing: Attempted to kill init!")
    alarm = lab.root.get_by_role("alert")
    alarm.get_by_text("Attempted to kill init! exitcode=0x00000000.").wait_for()
    assert lab.root.get_by_role("button", name="let it run").count() == 0
    lab.click("step back")
    alarm.wait_for(state="hidden")
    lab.click("now ▶|", "branch before it")
    branch = Column(lab, 1)
    branch.click("fork")
    branch.shows(0, 1, 2, 3, 4)
    branch.click("throw it away")
    lab.click("reboot")
    lab.shows(0, 1, 2)
    lab.click("fork")
    lab.shows(0, 1, 2, 3)
    alarm.wait_for(state="hidden")


def test_a_fork_bomb_ends_in_eagain_and_the_page_stays_responsive(explorer):
    lab = explorer()
    lab.click("more (" + lab.root.locator(".ksw-more").inner_text().split("(")[1])
    lab.page.evaluate(WATCH)
    begun = lab.page.evaluate("performance.now()")
    lab.click("fork bomb")
    lab.root.locator(".ksw-answers li", has_text="EAGAIN").wait_for(timeout=30_000)
    spent = lab.page.evaluate("performance.now()") - begun
    longest = lab.page.evaluate("window.longest")
    sys.stdout.write(f"fork bomb: {spent:.0f} ms; longest without a frame: {longest:.0f} ms\n")
    lab.answered("the kernel has as many tasks as it allows")
    assert longest < 1000
    assert lab.root.locator(".ks-node").count() <= 60
    lab.click("getpid")
    lab.answered("getpid() = 3")
    lab.click("◀ back")
    lab.root.get_by_text("You are looking at the past.").wait_for()
    lab.click("back to now")


# -- clone(), and who runs next ---------------------------------------------------------------------


def test_flags_are_chosen_with_the_keyboard_and_a_refusal_says_why(explorer):
    lab = explorer()
    keyboard = lab.page.keyboard
    lab.click("clone…")
    box = lab.root.get_by_role("checkbox", name="CLONE_THREAD")
    box.focus()
    keyboard.press("Space")
    lab.root.get_by_text("a thread of the caller's process").wait_for()
    keyboard.press("Enter")
    lab.answered("EINVAL CLONE_THREAD needs CLONE_SIGHAND")
    lab.click("a thread")
    lab.root.get_by_text("flags = 0x00050f00").wait_for()
    lab.click("fire clone")
    lab.answered("no signal) = 4 the new task is 4")
    lab.root.get_by_label(TASK).select_option("task 4 (bash), thread of 3")
    lab.click("getpid")
    lab.answered("task 4 (bash): getpid() = 3")


def test_what_is_not_simulated_is_marked_fired_and_refused(explorer):
    lab = explorer()
    lab.click("clone…")
    flag = lab.root.locator(".ksw-flag", has_text="not simulated yet").first
    name = flag.locator("code").inner_text()
    flag.get_by_role("checkbox").check()
    lab.click("fire clone")
    lab.answered(f"{name} is not simulated yet: Linux would do it, kernelsim refuses")


def test_another_task_is_let_run_and_the_scheduler_too_may_choose(explorer):
    lab = explorer()
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    lab.root.get_by_role("button", name="let it run: task 4 (bash)").click()
    lab.answered("task 4 (bash) runs now, as you chose")
    lab.says("Task 4 (bash) runs now.")
    assert lab.root.get_by_label(TASK).input_value() == lab.root.locator(
        ".ks-node[aria-selected=true]"
    ).get_attribute("data-address").replace("0x0000", "0x")
    lab.click("let the scheduler choose")
    lab.answered("as the scheduler chose: it has the least vruntime")


def test_a_program_is_walked_from_choice_to_choice_and_one_is_made_otherwise(notebook):
    lab = Explorer(notebook(BOOT, RACE, EXPLORE))
    lab.click("execve…")
    lab.root.get_by_role("combobox", name="path").fill("race")
    lab.page.keyboard.press("Enter")
    lab.says("execve")
    lab.root.get_by_label("Step by").select_option("choice")
    lab.click("◀ back")
    lab.says("can run: the scheduler takes task 3 (race)")
    lab.root.get_by_role("button", name="let it run: task 4 (race)").click()
    branch = Column(lab, 1)
    branch.root.get_by_text("where task 4 (race) runs next").wait_for()


# -- rough handling ---------------------------------------------------------------------------------


def test_thirty_clicks_as_fast_as_can_be_are_all_counted(explorer):
    lab = explorer(PRINT)
    lab.root.evaluate(RAPIDLY, ["fork", 30])
    lab.answered("fork() = 33")
    lab.root.evaluate(RAPIDLY, ["◀ back", 30])
    lab.shows(0, 1, 2, 3)
    lab.root.evaluate(RAPIDLY, ["branch here", 2])
    lab.root.evaluate(RAPIDLY, ["forward ▶", 30])
    compared(lab, "and 27 more tasks differ")
    lab.notebook.run_last()
    lab.page.get_by_text("[1, 2, 3, 4,").first.wait_for()


def test_a_cell_that_is_run_twice_or_out_of_order_leaves_nothing_stale(explorer):
    lab = explorer(PRINT)
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4)
    run = """async (i) => { thePanel.content.activeCellIndex = i;
                            await jupyterapp.commands.execute('notebook:run-cell'); }"""
    lab.page.evaluate(run, 1)
    again = Explorer(lab.notebook)
    again.shows(0, 1, 2, 3, 4)
    again.click("fork")
    again.shows(0, 1, 2, 3, 4, 5)
    # A new machine under the old name: the widget goes on with the one that it was given.
    lab.page.evaluate(run, 0)
    again.click("fork")
    again.answered("fork() = 6")
    lab.page.evaluate(run, 1)
    Explorer(lab.notebook).shows(0, 1, 2, 3)


def test_two_machines_and_two_explorers_of_one_machine(notebook):
    other = "other = ks.boot()\nsh = other.spawn('sh')\nks.widget.explore(other, focus=sh)"
    desk = notebook(BOOT, EXPLORE, EXPLORE, other, height=4000)
    first, second, third = (Explorer(desk, number) for number in range(3))
    first.click("fork")
    first.shows(0, 1, 2, 3, 4)
    second.shows(0, 1, 2, 3, 4)
    third.shows(0, 1, 2, 3)
    second.click("fork")
    first.says("Task 5 (bash) is linked after task 4 (bash).")
    third.click("fork")
    third.says("Task 4 (sh) is linked after task 3 (sh).")
    first.says("Task 5 (bash) is linked after task 4 (bash).")


def test_after_a_restart_the_widget_says_so_and_does_nothing(explorer):
    lab = explorer()
    lab.page.evaluate(RESTART)
    lab.root.get_by_text("The kernel of this widget is gone.").wait_for()
    lab.click("fork", "exit…", "fire exit", "◀ back", "larger")
    lab.root.get_by_label("Moment").press("ArrowLeft")
    assert lab.root.get_by_text("The kernel of this widget is gone.").count() == 1
    lab.notebook.run_all()
    lab.root.get_by_text("The kernel of this widget is gone.").wait_for(state="detached")
    again = Explorer(lab.notebook)
    again.click("fork")
    again.shows(0, 1, 2, 3, 4)


def test_a_machine_that_keeps_no_past_is_driven_all_the_same(notebook):
    boot = BOOT.replace("boot()", "boot(record=False)")
    lab = Explorer(notebook(boot, EXPLORE, "k.call(bash, 'fork')"))
    lab.shows(0, 1, 2, 3, 4)
    lab.click("fork")
    lab.shows(0, 1, 2, 3, 4, 5)
    lab.root.get_by_text("this machine keeps no past").wait_for()
    lab.root.get_by_label(TASK).select_option("task 1 (init), sleeping")
    lab.click("exit…", "fire exit")
    assert lab.root.get_by_role("button", name="step back").count() == 0
    lab.click("reboot")
    lab.shows(0, 1, 2)


# -- the keyboard -----------------------------------------------------------------------------------

PREDICT = """from kernelsim.exercise import Question
ks.widget.Predict(Question("Which number gets the next child?", ["4", "5"], lambda: 1))"""


# Press Tab until the element in focus reads so.
def tab_to(lab, name, *, back=False):
    for _ in range(80):
        if lab.focused() == name:
            return
        lab.page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"{name} is not reached by Tab; at {lab.focused()}")


def test_fork_step_back_branch_and_predict_with_the_keyboard_alone(explorer):
    lab = explorer(PREDICT)
    keyboard = lab.page.keyboard
    lab.root.get_by_label(TASK).focus()
    tab_to(lab, "fork")
    keyboard.press("Enter")
    lab.shows(0, 1, 2, 3, 4)
    tab_to(lab, "◀ back")
    keyboard.press("Enter")
    lab.shows(0, 1, 2, 3)
    tab_to(lab, "branch here", back=True)
    keyboard.press("Enter")
    branch = Column(lab, 1)
    tab_to(lab, "throw it away")
    tab_to(lab, "fork")
    keyboard.press("Enter")
    branch.shows(0, 1, 2, 3, 4)
    question = lab.page.locator(".ksw-predict")
    question.get_by_role("radio").first.focus()
    keyboard.press("ArrowDown")
    keyboard.press("Tab")  # how sure
    keyboard.press("Space")
    tab_to(lab, "commit")
    keyboard.press("Enter")
    question.locator(".ksw-verdict", has_text="as you said").wait_for()


@pytest.mark.parametrize("theme", [labs.LIGHT, labs.DARK])
def test_nothing_serious_is_found_with_two_futures_a_form_and_a_panic(explorer, theme):
    lab = explorer(theme=theme)
    trunk, branch = branched(lab)
    branch.click("clone…")
    trunk.click("now ▶|")
    trunk.root.get_by_label(TASK).select_option("task 1 (init), sleeping")
    trunk.click("exit…", "fire exit")
    trunk.root.get_by_role("alert").wait_for()
    axe = pytest.importorskip("tests.browser.test_accessibility")
    assert axe.violations(lab.page, ".kernelsim-explorer") == []
