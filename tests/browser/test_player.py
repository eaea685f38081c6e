"""The player on a page opened from a file, with no kernel and no network; and live in JupyterLab."""

import contextlib
import json
import re

import pytest

import kernelsim as ks
from kernelsim.view import Field, PictureBuilder
from kernelsim.view.film import Film, Frame
from kernelsim.widget import play, scripts

pytestmark = pytest.mark.needs_browser

HOSTILE = ["<img src=x onerror=alert(1)>", '"];}', "a\nb", "😀", "", "</script><b>", "x" * 1000]
MOVING = "() => document.getAnimations().filter((a) => a.playState === 'running').length"


def family():
    """A kernel in which tasks come, get another parent and go; and when that began."""
    k = ks.boot()
    bash = k.spawn("bash")
    since = k.now
    child = k.task(k.call(bash, "fork"))
    k.call(child, "fork")
    k.call(child, "exit", 3)
    k.call(bash, "waitpid", -1, 0)
    k.call(bash, "fork")
    return k, since


def film(view="process_tree", **options):
    k, since = family()
    return play(k, view, since=since, **options).film


def boxes(*names):
    """A frame with a box for each name."""
    builder = PictureBuilder("Boxes")
    for number, name in enumerate(names):
        builder.node(f"n{number}", [name or "?"], fields=[Field("comm", name)])
    return Frame(builder.picture(), f"{len(names)} boxes: {names[-1]}", names[-1])


class Page:
    """A page of figures, opened from a file; it notes errors, dialogs and every request."""

    def __init__(self, browser, path, **look):
        self.context = browser.new_context(offline=True, **look)
        self.page = self.context.new_page()
        self.path = path
        self.noted = []
        self.page.on("pageerror", lambda error: self.noted.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.noted.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda r: self.noted.append(r.url) if self.strange(r.url) else None)

    def strange(self, url):
        return not url.startswith((self.path.as_uri(), "data:"))

    def open(self, *figures, script=True):
        code, style = scripts.page()
        body = "".join(figures) + (f"<script>{code}</script>" if script else "")
        html = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><style>{style}</style>'
        self.path.write_text(f"{html}<body>{body}", encoding="utf-8")
        self.page.goto(self.path.as_uri())
        return Player(self.page, self.page.locator("figure").first)


class Player:
    """One player, as its reader uses it."""

    def __init__(self, page, root):
        self.page, self.root = page, root

    def click(self, *names):
        for name in names:
            self.root.get_by_role("button", name=name, exact=True).click()

    def place(self):
        return int(self.root.get_by_label("Step", exact=True).input_value())

    def told(self):
        return self.root.locator(".ksw-told").inner_text()

    def nodes(self):
        return self.root.locator(".ks-node:not(.ksw-ghost)").evaluate_all(
            "(all) => all.map((n) => n.id)"
        )

    def label(self, button):
        return self.root.get_by_role("button", name=button)

    # Wait until the player is at this frame.
    def reaches(self, place):
        for _ in range(100):
            if self.place() == place:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"at {self.place()}, not {place}")


@pytest.fixture
def page(browser, tmp_path):
    with contextlib.ExitStack() as stack:

        def open_(*figures, script=True, **look):
            page = Page(browser, tmp_path / "page.html", **look)
            stack.callback(page.context.close)
            pages.append(page)
            return page.open(*figures, script=script)

        pages = []
        yield open_
        assert [words for page in pages for words in page.noted] == []


def shown(frame):
    return [f"n-{node.id}" for node in frame.picture.nodes]


def test_a_figure_of_a_page_comes_to_life_and_steps_to_and_fro(page):
    played = film()
    player = page(played.html())
    last = len(played) - 1
    assert player.root.locator("img").is_hidden()
    for place in [*range(last + 1), *range(last - 1, -1, -1)]:
        while player.place() != place:
            player.click("forward ▶" if player.place() < place else "◀ back")
        assert player.told() == played.frames[place].sentence
        assert player.nodes() == shown(played.frames[place])
    player.click("to the end")
    assert player.place() == last
    assert player.label("forward ▶").get_attribute("aria-disabled") == "true"
    player.label("forward ▶").click(force=True)
    assert player.place() == last
    player.click("reset: to the beginning")
    assert player.place() == 0


def test_one_can_jump_to_a_step_and_to_a_system_call(page):
    played = film()
    player = page(played.html())
    player.root.get_by_label("Jump to a system call").select_option("4: exit_group(3) = ?")
    assert player.place() == 3
    assert player.told().startswith("4: exit_group(3) = ?. Task 4 (bash) is a zombie now")
    field = player.root.get_by_label("Go to step")
    for typed, reached in (("2", 2), ("999", len(played) - 1), ("-4", 0), ("", 0), ("1.6", 2)):
        field.fill(typed)
        field.press("Enter")
        assert player.place() == reached
        assert field.input_value() == str(reached)


def test_it_plays_at_the_speed_chosen_until_the_end_or_until_it_is_stopped(page):
    played = film()
    last = len(played) - 1
    player = page(played.html())
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
    player.page.wait_for_timeout(600)
    assert player.place() == 0
    assert player.label("▶ play").count() == 1


def test_everything_can_be_done_with_the_keyboard_and_the_page_around_hears_none_of_it(page):
    played = film()
    last = len(played) - 1
    player = page(played.html())
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
    player.root.locator(".ks-node").first.focus()
    keyboard.press("ArrowRight")
    assert player.place() == last
    assert player.page.evaluate("heard") == []


def test_the_words_of_each_frame_can_be_read(page):
    played = film()
    player = page(played.html())
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


def test_each_frame_is_drawn_as_its_picture_is(page):
    played = film("task_list")
    player = page(played.html(), reduced_motion="reduce")
    found = []
    for _ in played.frames:
        found.append(player.root.locator(".ksw-stage svg").evaluate(PLACES))
        player.label("forward ▶").click(force=True)
    for place, picture in zip(found, played.pictures, strict=True):
        still = page(picture.svg.replace("<svg", "<figure><svg", 1) + "</figure>")
        drawn = still.root.locator("svg").evaluate(PLACES)
        flat = [
            abs(a - b)
            for one, other in zip(place, drawn, strict=True)
            for a, b in zip(one, other, strict=True)
        ]
        assert max(flat) <= 1


def test_two_players_do_not_disturb_each_other(page):
    first = page(film().html(), film("task_list").html(), film(still=0).html())
    players = [Player(first.page, first.root.page.locator("figure").nth(n)) for n in range(3)]
    players[1].click("forward ▶", "forward ▶")
    players[0].root.get_by_label("Time for a step").select_option("¼ s")
    players[0].click("▶ play")
    players[0].reaches(2)
    players[0].click("❚❚ pause")
    players[2].click("to the end")
    assert [player.place() for player in players] == [players[0].place(), 2, 5]
    assert players[2].told() == film().frames[5].sentence
    assert players[1].nodes() == shown(film("task_list").frames[2])


def test_rapid_clicks_end_at_the_last_frame_and_leave_nothing_behind(page):
    played = film()
    player = page(played.html())
    rapid = "(b) => { for (let i = 0; i < 40; i++) b[i % 3 ? 0 : 1].click(); }"
    buttons = [player.label(name).element_handle() for name in ("forward ▶", "◀ back")]
    for _ in range(3):
        player.page.evaluate(rapid, buttons)
        player.page.wait_for_timeout(60)
    assert player.page.evaluate(MOVING) > 0
    player.click("to the end")
    last = len(played) - 1
    assert player.nodes() == shown(played.frames[last])
    player.page.wait_for_function(f"() => ({MOVING})() === 0")
    assert player.root.locator(".ksw-ghost").count() == 0
    ids = player.root.locator("[id]").evaluate_all("(all) => all.map((e) => e.id)")
    assert len(ids) == len(set(ids))
    assert player.told() == played.frames[last].sentence


def test_a_slider_that_is_dragged_ends_where_it_was_let_go(page):
    played = film()
    player = page(played.html())
    drag = """(slider) => { for (const place of [1, 4, 2, 5, 3]) {
      slider.value = place; slider.dispatchEvent(new Event('input', { bubbles: true })); } }"""
    player.root.get_by_label("Step", exact=True).evaluate(drag)
    player.page.wait_for_timeout(100)
    assert player.told() == played.frames[3].sentence
    assert player.nodes() == shown(played.frames[3])


def test_whoever_wants_no_motion_gets_none(page):
    player = page(film().html(), reduced_motion="reduce")
    player.click("forward ▶", "forward ▶", "forward ▶")
    assert player.page.evaluate(MOVING) == 0
    moving = page(film().html())
    moving.click("forward ▶", "forward ▶", "forward ▶")
    assert moving.page.evaluate(MOVING) > 0


def broken():
    data = film().data()
    yield "no JSON", "{"
    yield "nothing", "null"
    for name, value in (
        ("version", 2), ("version", "1"), ("kernelsim", "movie"), ("pool", {}), ("pool", []),
        ("elements", [[99999]]), ("frames", [[[0, 5, 0], [], 0, 0]]), ("frames", [[[0, 0, 2, 1], [], 0, 0]]),
        ("frames", [[[0, 0, -1], [], 0, 0]]), ("frames", [[[0.5, 0, 0], [], 0, 0]]), ("frames", 7),
        ("frames", [None]), ("sheet", "<svg"), ("sheet", "<p></svg>"), ("sheet", None),
    ):  # fmt: skip
        yield f"{name}: {value!r}"[:40], json.dumps({**data, name: value})


def test_a_figure_whose_data_are_broken_stays_the_picture_that_it_is(page):
    good = film().html()
    figures = []
    for _, stored in broken():
        stored = stored.replace("<", r"\u003c").replace("\\", "\\\\")
        figures.append(re.sub(r'(kernelsim-data">).*(</script>)', rf"\1{stored}\2", good))
    figures.append(good.replace('data-kernelsim="player"', 'data-kernelsim="unheard-of"'))
    figures.append(re.sub(r"<script.*</script>", "", good))
    player = page(*figures, good)
    for place in range(len(figures)):
        figure = player.page.locator("figure").nth(place)
        assert figure.locator("img").is_visible(), place
        assert figure.locator("figcaption").is_visible()
        assert figure.locator("button").count() == 0
    Player(player.page, player.page.locator("figure").last).click("forward ▶")


def test_where_no_script_runs_the_still_picture_says_which_frame_it_is(page):
    played = film(still=3)
    root = page(played.html(), script=False).root
    assert root.locator("img").evaluate("(img) => img.naturalWidth") > 300
    assert (
        root.locator("figcaption")
        .inner_text()
        .startswith(f"The process tree, step 3 of {len(played) - 1}. 4: exit_group(3)")
    )
    assert root.locator("button").count() == 0


def test_hostile_names_are_text_in_every_place(page):
    played = Film(HOSTILE[0], [boxes(*HOSTILE[: n + 1]) for n in range(len(HOSTILE))])
    player = page(played.html())
    for place, name in enumerate(HOSTILE):
        assert player.place() == place
        assert len(player.nodes()) == place + 1
        told = player.told()
        assert name.replace("\n", r"\n").strip() in told
        player.label("forward ▶").click(force=True)
    assert player.root.locator("img").count() == 1, "the still picture alone"
    assert player.root.locator("b").count() == 0
    assert HOSTILE[0] in player.root.get_by_label("Jump to a system call").inner_text()


def test_short_and_long_films(page):
    empty, one = Film("nothing", []).html(), Film("one", [boxes("a")]).html()
    long = Film("long", [boxes(*"abcde"[: 1 + n % 5]) for n in range(1000)])
    figures = page(empty, one, long.html()).page.locator("figure")
    assert "nothing: there is nothing to play." in figures.nth(0).inner_text()
    assert figures.nth(1).locator(".ks-node").count() == 1
    assert figures.nth(1).locator(".ksw-controls").is_hidden()
    player = Player(figures.page, figures.nth(2))
    player.click("to the end")
    assert player.place() == 999
    assert len(player.nodes()) == 5
    player.root.get_by_label("Go to step").fill("501")
    player.root.get_by_label("Go to step").press("Enter")
    assert len(player.nodes()) == 2


def test_nothing_is_cut_off_in_a_narrow_window(page):
    player = page(film("task_list").html(), viewport={"width": 420, "height": 800})
    wide = "() => [document.documentElement.scrollWidth, innerWidth]"
    scrolled, inner = player.page.evaluate(wide)
    assert scrolled <= inner
    player.click("forward ▶")


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
    player = Player(desk.page, desk.page.locator(".ksw-player"))
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
