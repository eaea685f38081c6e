"""The player on a page opened from a file, with no kernel and no network; and live in JupyterLab."""

import json

import pytest

from tests.browser import pages

pytestmark = pytest.mark.needs_browser

MOVING = "() => document.getAnimations().filter((a) => a.playState === 'running').length"


def test_a_figure_of_a_page_comes_to_life_and_steps_to_and_fro(figures):
    played = pages.film()
    player = figures(played.html())
    last = len(played) - 1
    assert player.root.locator("img").is_hidden()
    for place in [*range(last + 1), *range(last - 1, -1, -1)]:
        while player.place() != place:
            player.click("forward ▶" if player.place() < place else "◀ back")
        assert player.told() == played.frames[place].sentence
        assert player.nodes() == pages.shown(played.frames[place])
    player.click("to the end")
    assert player.place() == last
    assert player.label("forward ▶").get_attribute("aria-disabled") == "true"
    player.label("forward ▶").click(force=True)
    assert player.place() == last
    player.click("reset: to the beginning")
    assert player.place() == 0


def test_one_can_jump_to_a_step_and_to_a_system_call(figures):
    played = pages.film()
    player = figures(played.html())
    player.root.get_by_label("Jump to a system call").select_option("4: exit_group(3) = ?")
    assert player.place() == 3
    assert player.told().startswith("4: exit_group(3) = ?. Task 4 (bash) is a zombie now")
    field = player.root.get_by_label("Go to step")
    for typed, reached in (("2", 2), ("999", len(played) - 1), ("-4", 0), ("", 0), ("1.6", 2)):
        field.fill(typed)
        field.press("Enter")
        assert player.place() == reached
        assert field.input_value() == str(reached)


def test_it_plays_at_the_speed_chosen_until_the_end_or_until_it_is_stopped(figures):
    played = pages.film()
    last = len(played) - 1
    player = figures(played.html())
    player.root.get_by_label("Time for a step").select_option("¼ s")
    player.click("▶ play")
    assert player.label("❚❚ pause").count() == 1
    assert player.root.locator(".ksw-told").get_attribute("aria-live") in {"off", "polite"}
    player.reaches(2)
    assert player.root.locator(".ksw-told").get_attribute("aria-live") == "off"
    player.click("❚❚ pause")
    here = player.place()
    player.page.wait_for_timeout(600)
    assert player.place() == here
    assert player.root.locator(".ksw-told").get_attribute("aria-live") == "polite"
    player.click("▶ play")
    player.reaches(last)
    assert player.label("▶ play").count() == 1
    player.click("▶ play")  # at the end it begins again
    player.reaches(1)
    player.click("◀ back")  # what is done by hand stops it
    here = player.place()
    player.page.wait_for_timeout(600)
    assert player.place() == here < last
    assert player.label("▶ play").count() == 1


def test_everything_can_be_done_with_the_keyboard_and_the_page_around_hears_none_of_it(figures):
    played = pages.film()
    last = len(played) - 1
    player = figures(played.html())
    keyboard = player.page.keyboard
    player.page.evaluate(
        "() => { window.heard = []; addEventListener('keydown', (e) => heard.push(e.key)); }"
    )
    player.root.get_by_label("Step", exact=True).focus()
    for key, place in (
        ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", last), ("ArrowRight", last),
        ("Home", 0), ("ArrowLeft", 0),
    ):  # fmt: skip
        keyboard.press(key)
        assert player.place() == place
    keyboard.press("Space")
    assert player.label("❚❚ pause").count() == 1
    keyboard.press("Space")
    assert player.label("▶ play").count() == 1
    forward = player.label("forward ▶")
    forward.focus()
    keyboard.press("Enter")
    keyboard.press("Space")
    assert player.place() == 2
    keyboard.press("End")
    assert player.place() == last
    assert forward.evaluate("(b) => b === document.activeElement"), "the focus stays"
    player.click("reset: to the beginning")
    player.root.locator(".ks-node").first.focus()
    for _ in range(2):  # in the picture arrows go from box to box: to the child, to its child
        keyboard.press("ArrowRight")
    assert player.page.evaluate("document.activeElement.ariaLabel").startswith("bash (pid 3)")
    assert player.place() == 0
    assert player.page.evaluate("heard") == []


def test_the_words_of_each_frame_can_be_read(figures):
    played = pages.film()
    player = figures(played.html())
    player.root.get_by_text("In words").click()
    for place in (0, 3, 1):
        player.root.get_by_label("Go to step").fill(str(place))
        player.root.get_by_label("Go to step").press("Enter")
        assert player.root.locator("pre").inner_text() == played.frames[place].picture.text
    svg = player.root.locator(".ksw-stage svg")
    assert svg.get_attribute("aria-label") == played.frames[1].picture.summary
    options = player.root.get_by_role("option")
    names = options.evaluate_all("(all) => all.map((n) => n.ariaLabel).filter(Boolean)")
    assert names == [node.sentence() for node in played.frames[1].picture.nodes]
    slider = player.root.get_by_label("Step", exact=True)
    assert slider.get_attribute("aria-valuetext") == f"step 1 of {len(played) - 1}"


# Where each node is, as the reader sees it, counted from the drawing's corner.
PLACES = """(svg) => [...svg.querySelectorAll('.ks-node')].map((node) => {
  const a = node.querySelector('.ks-face').getBoundingClientRect(), b = svg.getBoundingClientRect();
  const zoom = b.width / svg.viewBox.baseVal.width;
  return [a.x - b.x, a.y - b.y, a.width, a.height].map((n) => Math.round(n / zoom));
})"""


def test_each_frame_is_drawn_as_its_picture_is(figures):
    played = pages.film("task_list")
    player = figures(played.html(), reduced_motion="reduce")
    found = []
    for _ in played.frames:
        found.append(player.root.locator(".ksw-stage svg").evaluate(PLACES))
        player.label("forward ▶").click(force=True)
    for place, picture in zip(found, played.pictures, strict=True):
        still = figures(picture.svg.replace("<svg", "<figure><svg", 1) + "</figure>")
        drawn = still.root.locator("svg").evaluate(PLACES)
        flat = [
            abs(a - b)
            for one, other in zip(place, drawn, strict=True)
            for a, b in zip(one, other, strict=True)
        ]
        assert max(flat) <= 1


def test_two_players_do_not_disturb_each_other(figures):
    first = figures(pages.film().html(), pages.film("task_list").html(), pages.film(still=0).html())
    players = [pages.Player(first.page, first.root.page.locator("figure").nth(n)) for n in range(3)]
    players[1].click("forward ▶", "forward ▶")
    players[0].root.get_by_label("Time for a step").select_option("¼ s")
    players[0].click("▶ play")
    players[0].reaches(2)
    players[0].click("❚❚ pause")
    players[2].click("to the end")
    assert [player.place() for player in players] == [players[0].place(), 2, 5]
    assert players[2].told() == pages.film().frames[5].sentence
    assert players[1].nodes() == pages.shown(pages.film("task_list").frames[2])


def test_rapid_clicks_end_at_the_last_frame_and_leave_nothing_behind(figures):
    played = pages.film()
    player = figures(played.html())
    rapid = "(b) => { for (let i = 0; i < 40; i++) b[i % 3 ? 0 : 1].click(); }"
    buttons = [player.label(name).element_handle() for name in ("forward ▶", "◀ back")]
    for _ in range(3):
        player.page.evaluate(rapid, buttons)
        player.page.wait_for_timeout(60)
    assert player.page.evaluate(MOVING) > 0
    player.click("to the end")
    last = len(played) - 1
    assert player.nodes() == pages.shown(played.frames[last])
    player.page.wait_for_function(f"() => ({MOVING})() === 0")
    assert player.root.locator(".ksw-ghost").count() == 0
    ids = player.root.locator("[id]").evaluate_all("(all) => all.map((e) => e.id)")
    assert len(ids) == len(set(ids))
    assert player.told() == played.frames[last].sentence


def test_a_slider_that_is_dragged_ends_where_it_was_let_go(figures):
    played = pages.film()
    player = figures(played.html())
    drag = """(slider) => { for (const place of [1, 4, 2, 5, 3]) {
      slider.value = place; slider.dispatchEvent(new Event('input', { bubbles: true })); } }"""
    player.root.get_by_label("Step", exact=True).evaluate(drag)
    player.page.wait_for_timeout(100)
    assert player.told() == played.frames[3].sentence
    assert player.nodes() == pages.shown(played.frames[3])


def test_a_reset_shows_the_beginning_of_the_picture_and_what_is_below_never_moves(figures):
    played = pages.film("task_list")
    player = figures(played.html(), viewport={"width": 900, "height": 800})
    stage = player.root.locator(".ksw-stage")
    heights = set()
    for _ in played.frames:
        heights.add(player.root.evaluate("(figure) => figure.getBoundingClientRect().height"))
        player.label("forward ▶").click(force=True)
    assert len(heights) == 1
    player.page.wait_for_function("() => document.querySelector('.ksw-stage').scrollLeft > 0")
    player.page.wait_for_timeout(500)  # until it has come to rest
    player.click("reset: to the beginning")
    player.page.wait_for_timeout(100)
    assert stage.evaluate("(stage) => stage.scrollLeft") == 0


def test_whoever_wants_no_motion_gets_none(figures):
    player = figures(pages.film().html(), reduced_motion="reduce")
    player.click("forward ▶", "forward ▶", "forward ▶")
    assert player.page.evaluate(MOVING) == 0
    moving = figures(pages.film().html())
    moving.click("forward ▶", "forward ▶", "forward ▶")
    assert moving.page.evaluate(MOVING) > 0


# -- live -----------------------------------------------------------------------------------------

BOOT = """import kernelsim as ks
k = ks.boot()
bash = k.spawn("bash")
since = k.now
for _ in range(3):
    k.call(bash, "fork")
ks.widget.play(k, "process_tree", since=since)"""
SHUT_DOWN = "async () => { await thePanel.sessionContext.shutdown(); }"


def test_it_plays_live_and_goes_on_when_the_kernel_is_gone(notebook):
    desk = notebook(BOOT)
    player = pages.Player(desk.page, desk.page.locator(".ksw-player"))
    desk.wait_for(player.root.locator(".ks-node"))
    desk.settle()
    assert player.place() == 0
    player.click("forward ▶")
    assert player.told() == "3: fork() = 4. Task 4 (bash) is linked after task 3 (bash)."
    desk.page.evaluate(SHUT_DOWN)
    player.root.get_by_label("Step", exact=True).focus()
    desk.page.keyboard.press("ArrowRight")
    assert player.place() == 2
    desk.page.keyboard.press("End")
    assert player.place() == 3
    assert len(player.nodes()) == 7
    desk.page.keyboard.press("Home")
    desk.page.keyboard.press("Space")
    assert player.label("❚❚ pause").count() == 1
    desk.page.keyboard.press("Space")
    assert desk.page.locator(".jp-Cell").count() == 1, "the keys were not JupyterLab's"


def test_in_a_notebook_that_nobody_trusts_the_still_picture_remains(notebook, lab):
    played = pages.film(still=3)
    name = lab.write("stranger.ipynb", "ks.widget.play(k)")
    stored = json.loads((lab.root / name).read_text())
    data = {mime: [text] for mime, text in played._repr_mimebundle_().items()}
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
    stored["cells"][0]["outputs"] = [output]
    (lab.root / name).write_text(json.dumps(stored))
    desk = notebook(name=name, run=False)
    image = desk.page.locator(".jp-OutputArea img")
    desk.wait_for(image)
    assert image.evaluate("(img) => img.naturalWidth") > 300
    words = desk.page.locator(".jp-OutputArea").inner_text()
    assert "The process tree, step 3 of 5. 4: exit_group(3)" in words
    assert "pool" not in words
