"""The drawing in a real browser with its real fonts: words fit their boxes, themes follow the page."""

import contextlib

import pytest

from kernelsim.view import process_tree, task_list
from tests.view import sample
from tests.view.laid import Laid

pytestmark = pytest.mark.needs_browser

# Of each node: its box, and of each text in it (but the tags, which stand out on purpose) its box.
MEASURE = """() => [...document.querySelectorAll('.ks-node')].map(node => {
  const box = e => { const b = e.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height] };
  const words = [...node.querySelectorAll('text:not(.ks-tagtext)')];
  return {id: node.id, box: box(node.querySelector('.ks-face')),
          words: words.map(w => ({text: w.textContent, box: box(w),
                                  size: parseFloat(getComputedStyle(w).fontSize)}))};
})"""
# The size that the drawing says it has, and the box of what is drawn.
EXTENT = """() => {
  const svg = document.querySelector('svg'), said = svg.viewBox.baseVal, drawn = svg.getBBox();
  return [[said.width, said.height],
          [drawn.x, drawn.y, drawn.x + drawn.width, drawn.y + drawn.height]];
}"""
GROUND = "() => getComputedStyle(document.querySelector('.ks-ground')).fill"


@pytest.fixture
def page(browser):
    with contextlib.closing(browser.new_page(color_scheme="light")) as page:
        yield page


def pictures():
    laid = Laid()
    init = laid.add(laid.init_task, b"init", state=1)
    wide = laid.add(init, "宽宽宽宽宽".encode(), state=1)
    laid.add(wide, b"fifteen_letters")
    laid.add(wide, b'<b>"|{}\\\n\xff')
    before = laid.tick()
    for number in range(6):
        laid.add(wide, b"later%d" % number)
    yield from sample.figures()
    yield task_list(laid, focus=wide, since=before, limit=9)
    yield task_list(laid, full=True, members=("state", "pid", "comm", "real_parent"))
    yield process_tree(laid, focus=wide, since=before)
    yield process_tree(laid, since=before, rankdir="TB")


def test_every_word_fits_into_its_box_and_is_large_enough_to_read(page):
    for picture in pictures():
        page.set_content(picture.svg)
        nodes = page.evaluate(MEASURE)
        assert len(nodes) == len(picture.nodes)
        for node in nodes:
            left, top, right, bottom = node["box"]
            for word in node["words"]:
                x0, y0, x1, y1 = word["box"]
                assert left <= x0 < x1 <= right, (node, word)
                assert top - 1 <= y0 < y1 <= bottom + 1, (node, word)
                assert word["size"] >= 12


def test_boxes_do_not_overlap_and_lie_within_the_picture(page):
    for picture in pictures():
        page.set_content(picture.svg)
        boxes = [node["box"] for node in page.evaluate(MEASURE)]
        (width, height), drawn = page.evaluate(EXTENT)
        assert min(drawn[:2]) >= 0
        assert drawn[2] <= width + 0.5
        assert drawn[3] <= height + 0.5
        for place, (a0, b0, a1, b1) in enumerate(boxes):
            for c0, d0, c1, d1 in boxes[place + 1 :]:
                apart = a1 <= c0 or c1 <= a0 or b1 <= d0 or d1 <= b0
                assert apart


def test_the_theme_follows_the_system_and_jupyterlabs_own_setting_wins(page):
    svg = sample.figures()[0].svg
    light, dark = "rgb(251, 252, 253)", "rgb(20, 24, 29)"
    page.set_content(svg)
    assert page.evaluate(GROUND) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(GROUND) == dark
    page.set_content(f'<body data-jp-theme-light="true">{svg}</body>')
    assert page.evaluate(GROUND) == light
    page.emulate_media(color_scheme="light")
    page.set_content(f'<body data-jp-theme-light="false">{svg}</body>')
    assert page.evaluate(GROUND) == dark
    page.set_content(f'<html data-theme="dark"><body>{svg}</body></html>')
    assert page.evaluate(GROUND) == dark


def test_the_figure_shows_as_an_image_and_asks_nothing_of_the_network(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(sample.figures()[0].html())
    page.wait_for_function("() => document.querySelector('img').complete")
    assert page.evaluate("() => document.querySelector('img').naturalWidth") > 300
    assert [url for url in asked if not url.startswith("data:")] == []
