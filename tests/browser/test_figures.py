"""Figures of a static page that are odd: broken, hostile, empty, long, or without a script."""

import json
import re

import pytest

from kernelsim.view.film import Film
from tests.browser import pages

pytestmark = pytest.mark.needs_browser

HOSTILE = ["<img src=x onerror=alert(1)>", '"];}', "a\nb", "😀", "", "</script><b>", "x" * 1000]


def broken():
    data = pages.film().data()
    yield "no JSON", "{"
    yield "nothing", "null"
    for name, value in (
        ("version", 2), ("version", "1"), ("kernelsim", "movie"), ("pool", {}), ("pool", []),
        ("elements", [[99999]]), ("frames", [[[0, 5, 0], [], 0, 0]]), ("frames", [[[0, 0, 2, 1], [], 0, 0]]),
        ("frames", [[[0, 0, -1], [], 0, 0]]), ("frames", [[[0.5, 0, 0], [], 0, 0]]), ("frames", 7),
        ("frames", [None]), ("sheet", "<svg"), ("sheet", "<p></svg>"), ("sheet", None),
    ):  # fmt: skip
        yield f"{name}: {value!r}"[:40], json.dumps({**data, name: value})


def test_a_figure_whose_data_are_broken_stays_the_picture_that_it_is(figures):
    good = pages.film().html()
    stills = []
    for _, stored in broken():
        stored = stored.replace("<", r"\u003c").replace("\\", "\\\\")
        stills.append(re.sub(r'(kernelsim-data">).*(</script>)', rf"\1{stored}\2", good))
    stills.append(good.replace('data-kernelsim="player"', 'data-kernelsim="unheard-of"'))
    stills.append(re.sub(r"<script.*</script>", "", good))
    player = figures(*stills, good)
    for place in range(len(stills)):
        figure = player.page.locator("figure").nth(place)
        assert figure.locator("img").is_visible(), place
        assert figure.locator("figcaption").is_visible()
        assert figure.locator("button").count() == 0
    pages.Player(player.page, player.page.locator("figure").last).click("forward ▶")


def test_where_no_script_runs_the_still_picture_says_which_frame_it_is(figures):
    played = pages.film(still=3)
    root = figures(played.html(), script=False).root
    assert root.locator("img").evaluate("(img) => img.naturalWidth") > 300
    assert (
        root.locator("figcaption")
        .inner_text()
        .startswith(f"The process tree, step 3 of {len(played) - 1}. 4: exit_group(3)")
    )
    assert root.locator("button").count() == 0


def test_hostile_names_are_text_in_every_place(figures):
    played = Film(HOSTILE[0], [pages.boxes(*HOSTILE[: n + 1]) for n in range(len(HOSTILE))])
    player = figures(played.html())
    for place, name in enumerate(HOSTILE):
        assert player.place() == place
        assert len(player.nodes()) == place + 1
        told = player.told()
        assert name.replace("\n", r"\n").strip() in told
        player.label("forward ▶").click(force=True)
    assert player.root.locator("img").count() == 1, "the still picture alone"
    assert player.root.locator("b").count() == 0
    assert HOSTILE[0] in player.root.get_by_label("Jump to a system call").inner_text()


def test_short_and_long_films(figures):
    empty, one = Film("nothing", []).html(), Film("one", [pages.boxes("a")]).html()
    long = Film("long", [pages.boxes(*"abcde"[: 1 + n % 5]) for n in range(1000)])
    films = figures(empty, one, long.html()).page.locator("figure")
    assert "nothing: there is nothing to play." in films.nth(0).inner_text()
    assert films.nth(1).locator(".ks-node").count() == 1
    assert films.nth(1).locator(".ksw-controls").is_hidden()
    player = pages.Player(films.page, films.nth(2))
    player.click("to the end")
    assert player.place() == 999
    assert len(player.nodes()) == 5
    player.root.get_by_label("Go to step").fill("501")
    player.root.get_by_label("Go to step").press("Enter")
    assert len(player.nodes()) == 2


def test_nothing_is_cut_off_in_a_narrow_window(figures):
    player = figures(pages.film("task_list").html(), viewport={"width": 420, "height": 800})
    wide = "() => [document.documentElement.scrollWidth, innerWidth]"
    scrolled, inner = player.page.evaluate(wide)
    assert scrolled <= inner
    player.click("forward ▶")
