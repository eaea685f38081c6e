"""Exported pages and decks in a browser: opened from files, with the network off."""

import contextlib
from pathlib import Path

import pytest

from kernelsim.export import site
from tests.export import notebooks as nb

pytestmark = pytest.mark.needs_browser

BOOK = sorted((Path(__file__).resolve().parents[2] / "book").glob("*.ipynb"))
SIZES = [(1280, 720), (1920, 1080)]
STEP = "() => document.querySelector('.ksw-player [type=range]').value"
ON_SLIDE = "() => Reveal.getCurrentSlide().querySelector('.ksw-player [type=range]').value"
MORE = """() => {
  const slider = Reveal.getCurrentSlide().querySelector('.ksw-player [type=range]');
  return slider && slider.value !== slider.max;
}"""
AT = "() => Reveal.getCurrentSlide().id"
MARK_SEEN = """() => {
  const slide = Reveal.getCurrentSlide(), place = slide.querySelector('.ksw-stage').getBoundingClientRect();
  const mark = [...slide.querySelectorAll('.ksw-stage .ks-markbg')].at(-1)?.getBoundingClientRect();
  return !mark || (mark.top >= place.top && mark.bottom <= place.bottom);
}"""
FOCUSED = "() => document.activeElement.closest('.ksw') !== null"
# What is not within its slide, on the slide shown: text and pictures that stand out of it, and type
# that is too small. A picture's own box is looked at, not the words in it.
OUTSIDE = """() => {
  const slide = Reveal.getCurrentSlide(), scale = Reveal.getScale();
  const frame = document.querySelector('.reveal').getBoundingClientRect(), found = [];
  for (const e of slide.querySelectorAll('p, li, pre, h1, h2, h3, svg, img, summary, .ksw-told')) {
    if (e.closest('.sources > div, aside.notes, svg svg, .ksw-stage') || !e.checkVisibility()) continue;
    const b = e.getBoundingClientRect();
    if (b.left < frame.left || b.right > frame.right || b.top < frame.top || b.bottom > frame.bottom + 1)
      found.push(['outside', e.tagName, e.textContent.slice(0, 40)]);
    if (e.scrollWidth > e.clientWidth + 1 && !e.matches('svg, img, summary')) found.push(['cut', e.textContent.slice(0, 40)]);
    const size = parseFloat(getComputedStyle(e).fontSize) * scale;
    const least = e.matches('p:not(.sleeps, .running), li') ? 24 : e.matches('pre') ? 17 : 16;
    if (size < least * Math.min(innerHeight / 720, innerWidth / 1280) - 0.01) found.push([size, e.textContent.slice(0, 40)]);
  }
  for (const e of slide.querySelectorAll('.picture svg')) {
    const zoom = e.getBoundingClientRect().width / scale / e.viewBox.baseVal.width;
    if (zoom < 0.82) found.push(['small', zoom]);
  }
  return found;
}"""
# Text whose colour is hardly that of its ground.
FAINT = """() => {
  const number = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const [r, g, b] = number(c).map((v) => (v / 255) <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (number(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const e of document.querySelectorAll('main :is(p, li, code, pre, span, h1, h2, td, a, summary)')) {
    if (e.closest('svg') || !e.textContent.trim() || !e.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.push([e.tagName, e.textContent.slice(0, 30), (a + .05) / (b + .05)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    return {path.name: path for path in site.export(BOOK, folder)}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("played")
    file = nb.write(
        folder / "one.ipynb",
        nb.text("# One\n\nText.", "slide", "first"),
        nb.text("Say it slowly.", "notes"),
        nb.code("ks.widget.play(k)", nb.tree_film(), slide="subslide", name="film"),
        nb.text("## Two", "slide", "two"),
        nb.code("ks.view.process_tree(k)", nb.bundle(nb.tree_picture()), name="still"),
        nb.code(
            "print(text)", "\n".join(f"line {i}" for i in range(90)), slide="slide", name="long"
        ),
        nb.text("\n\n".join(f"Paragraph {i}. " + "word " * 25 for i in range(12)), "slide", "full"),
    )
    return {path.name: path for path in site.export([file], folder / "out")}


# Opens a file in a page without a network; what the page asks for and what goes wrong is noted.
@pytest.fixture
def opened(browser):
    with contextlib.ExitStack() as stack:
        noted = []

        def open_(path, size=(1280, 720), **context):
            width, height = size
            screen = browser.new_context(
                offline=True, viewport={"width": width, "height": height}, **context
            )
            stack.callback(screen.close)
            page = screen.new_page()
            own = path.parent.as_uri()
            page.on(
                "request",
                lambda r: r.url.startswith((own, "data:", "blob:")) or noted.append(r.url),
            )
            page.on("pageerror", lambda error: noted.append(str(error)))
            page.on("console", lambda m: m.type in {"error", "warning"} and noted.append(m.text))
            page.goto(path.as_uri())
            if path.name.endswith(".slides.html"):
                page.wait_for_function("() => window.Reveal?.isReady()")
            return page

        yield open_
        assert noted == []


def press(page, keys):
    for key in keys.split():
        page.keyboard.press(key)


# ── A page ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chapter_can_be_read_in_both_looks(opened, book, scheme):
    page = opened(book["04-the-process-list.html"], color_scheme=scheme)
    assert page.evaluate(FAINT) == []
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    drawn = page.evaluate("() => getComputedStyle(document.querySelector('.ks-ground')).fill")
    for colour in (ground, drawn):
        dark = sum(int(part) for part in colour[4:-1].split(",")) < 150
        assert dark == (scheme == "dark")


@pytest.mark.parametrize("width", [480, 1280, 1920])
def test_a_page_is_never_wider_than_its_window_and_pictures_stay_readable(opened, book, width):
    page = opened(book["04-the-process-list.html"], size=(width, 900))
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    words = """() => [...document.querySelectorAll('.picture svg')].map((svg) =>
      14 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""
    assert min(page.evaluate(words)) >= 11.8


def test_the_switch_wins_over_the_system_and_is_remembered(opened, book):
    page = opened(book["index.html"], color_scheme="light")
    look = "() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]"
    light = page.evaluate(look)
    page.get_by_label("Look").select_option("dark")
    dark = page.evaluate(look)
    assert (light[0], dark[0]) == ("light", "dark")
    assert light[1] != dark[1]
    page.reload()
    assert page.evaluate(look) == dark
    page.get_by_label("Look").select_option("as the system")
    assert page.evaluate(look) == light


def test_the_first_tab_skips_to_the_text_and_a_wide_picture_is_scrolled_by_keys(opened, book):
    page = opened(book["04-the-process-list.html"], size=(700, 900))
    press(page, "Tab Enter")
    assert page.evaluate("() => document.activeElement.id") == "text"
    box = page.locator(".picture[tabindex]").first
    box.focus()
    press(page, "ArrowRight ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 20")


def test_a_link_from_the_index_leads_to_the_place_in_the_chapter(opened, book):
    page = opened(book["index.html"])
    page.get_by_role("link", name="Where the list ends").first.click()
    page.wait_for_url("**/04-the-process-list.html#cell-id=ring")
    heading = page.get_by_role("heading", name="Where the list ends")
    assert 0 <= heading.bounding_box()["y"] < 300
    page.get_by_role("link", name="Linux Processes, Byte by Byte").first.click()
    page.wait_for_url("**/index.html")


def test_the_player_of_a_page_steps_by_button_and_by_key_without_a_kernel(opened, played):
    page = opened(played["one.html"])
    assert page.evaluate(STEP) == "0"
    page.get_by_role("button", name="forward").click()
    assert page.evaluate(STEP) == "1"
    press(page, "ArrowRight ArrowRight ArrowLeft")
    assert page.evaluate(STEP) == "2"
    assert page.get_by_role("status").filter(has_text="bash has forked 2 times").count() == 1
    assert page.locator(".kernelsim-alive > img").is_hidden()


def test_without_scripts_a_page_still_shows_every_picture(opened, played):
    page = opened(played["one.html"], java_script_enabled=False)
    assert page.locator("figure img, figure svg").count() == 2
    assert page.locator("figure img").first.bounding_box()["width"] > 300
    assert page.get_by_label("Look").is_hidden()


# ── A deck ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES)
def test_no_slide_of_the_book_is_cut_off_or_too_small_to_read(opened, book, size):
    for name in sorted(book):
        if name.endswith(".slides.html"):
            page = opened(book[name], size)
            for number in range(page.evaluate("() => Reveal.getTotalSlides()")):
                while page.evaluate("() => Reveal.availableFragments().next"):
                    press(page, "ArrowRight")
                assert page.evaluate(OUTSIDE) == [], (name, number, page.evaluate(AT))
                press(page, "ArrowRight")
            assert page.evaluate("() => Reveal.isLastSlide()")


def test_no_step_of_a_player_grows_out_of_its_slide(opened, book):
    page = opened(book["04-the-process-list.slides.html"])
    steps = 0
    while not page.evaluate("() => Reveal.isLastSlide()"):
        while page.evaluate(MORE):
            press(page, "n")
            steps += 1
            assert page.evaluate(OUTSIDE) == [], (page.evaluate(AT), page.evaluate(ON_SLIDE))
        press(page, "ArrowRight")
    assert steps > 10


def test_a_deck_is_split_alike_on_every_screen(opened, book):
    name = "04-the-process-list.slides.html"
    totals = [opened(book[name], size).evaluate("() => Reveal.getTotalSlides()") for size in SIZES]
    authored = book[name].read_text("utf-8").count("<section id=")
    assert totals[0] == totals[1] >= authored


@pytest.mark.parametrize(
    "chapter", ["03-process-states", "07-creating-a-process", "08-exiting-and-reaping"]
)
def test_a_deck_is_not_longer_than_a_lecture(opened, book, chapter):
    page = opened(book[f"{chapter}.slides.html"])
    assert 15 <= page.evaluate("() => Reveal.getTotalSlides()") <= 25


def test_code_that_needs_the_room_of_its_picture_is_at_the_foot_of_the_slide(opened, book):
    page = opened(book["03-process-states.slides.html"])
    page.evaluate(
        "() => Reveal.slide(...Object.values(Reveal.getIndices(document.getElementById('picture-states'))))"
    )
    slide = page.locator("section.present section.present")
    assert slide.locator(".picture").count() == 1
    assert slide.locator(":scope > .source").count() == 0
    slide.locator("summary", has_text="The code").click()
    assert slide.locator(".sources").get_by_text("ks.view.states").is_visible()


def test_a_line_of_a_large_node_that_has_changed_is_scrolled_to(opened, book):
    page = opened(book["07-creating-a-process.slides.html"])
    page.evaluate(
        "() => Reveal.slide(...Object.values(Reveal.getIndices(document.getElementById('fail'))))"
    )
    while page.evaluate(MORE):
        press(page, "n")
        page.wait_for_timeout(500)
        assert page.evaluate(MARK_SEEN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_slides_can_be_read_in_both_looks(opened, book, scheme):
    page = opened(book["04-the-process-list.slides.html"], color_scheme=scheme)
    for _ in range(4):
        assert page.evaluate(FAINT) == []
        press(page, "ArrowRight")
    press(page, "d")
    other = {"light": "dark", "dark": "light"}[scheme]
    assert page.evaluate("() => document.documentElement.dataset.theme") == other
    assert page.evaluate(FAINT) == []


def test_what_is_too_much_for_a_slide_goes_on_on_the_next_or_scrolls(opened, played):
    page = opened(played["one.slides.html"])
    press(page, "End")
    assert page.evaluate(OUTSIDE) == []
    assert "Paragraph 11." in page.evaluate("() => Reveal.getCurrentSlide().textContent")
    assert page.evaluate("() => Reveal.getTotalSlides()") > 5
    lines = page.locator("section.present > section.present pre.scrolls")
    while not lines.count():
        press(page, "ArrowLeft")
    assert page.evaluate(OUTSIDE) == []
    lines.focus()
    press(page, "ArrowDown ArrowDown")
    page.wait_for_function("() => document.querySelector('pre.scrolls').scrollTop > 0")


def test_n_and_p_step_the_player_on_the_slide_and_arrows_turn_slides(opened, played):
    page = opened(played["one.slides.html"])
    press(page, "n")  # no player here: on to the next slide
    assert page.evaluate(AT) == "film"
    press(page, "n n p n n n")
    assert (page.evaluate(ON_SLIDE), page.evaluate(AT)) == ("3", "film")
    press(page, "r")
    assert page.evaluate(ON_SLIDE) == "0"
    press(page, "ArrowRight")
    assert page.evaluate(AT) == "two"
    press(page, "p")
    assert page.evaluate(AT) == "film"


def test_a_player_with_the_focus_has_the_arrows_and_escape_gives_them_back(opened, played):
    page = opened(played["one.slides.html"])
    press(page, "ArrowRight")
    page.locator(".present .ksw-player").get_by_role("button", name="forward").click()
    press(page, "ArrowRight")
    assert (page.evaluate(ON_SLIDE), page.evaluate(AT)) == ("2", "film")
    press(page, "n Space")  # the player's step, and its button that has the focus
    assert (page.evaluate(ON_SLIDE), page.evaluate(AT)) == ("3", "film")
    press(page, "Escape")
    assert not page.evaluate(FOCUSED)
    assert not page.evaluate("() => Reveal.isOverview()")
    press(page, "ArrowRight")
    assert page.evaluate(AT) == "two"


def test_the_remote_of_a_presenter_turns_slides_also_out_of_a_player(opened, played):
    page = opened(played["one.slides.html"])
    press(page, "PageDown")
    page.locator(".present .ksw-player").get_by_role("slider").focus()
    press(page, "PageDown")
    assert page.evaluate(AT) == "two"


def test_the_speakers_window_shows_the_notes_and_turns_the_slides(opened, played):
    page = opened(played["one.slides.html"])
    with page.context.expect_page() as window:
        press(page, "s")
    speaker = window.value
    speaker.wait_for_function("() => document.body.innerText.includes('Say it slowly.')")
    speaker.frame_locator("iframe").first.locator(".present h1").wait_for()
    press(speaker, "ArrowRight")
    page.wait_for_function("() => Reveal.getCurrentSlide().id === 'film'")


def test_boxes_on_linux_unfold_within_the_slide(opened, book):
    page = opened(book["04-the-process-list.slides.html"])
    page.evaluate(
        "() => Reveal.slide(...Object.values(Reveal.getIndices(document.getElementById('threads'))))"
    )
    summary = page.locator(".present .sources summary")
    summary.focus()
    press(page, "Enter")
    panel = page.locator(".present .sources > div")
    assert panel.is_visible()
    assert page.evaluate(AT) == "threads"
    assert panel.bounding_box()["y"] >= 0
    assert panel.get_by_role("link").count() >= 2


def test_a_picture_in_words_stays_on_the_slide_of_the_picture(opened, book):
    page = opened(book["04-the-process-list.slides.html"])
    slides = """() => [...document.querySelectorAll('.slides > section > section')].map((slide) =>
      [slide.querySelectorAll('.picture').length,
       slide.querySelectorAll('.sources [aria-label="In words"]').length])"""
    counts = page.evaluate(slides)
    assert sum(pictures for pictures, _ in counts) >= 4
    assert all(pictures == words for pictures, words in counts)


def test_the_keys_are_told_and_every_slide_can_be_seen_at_once(opened, played):
    page = opened(played["one.slides.html"])
    page.get_by_role("button", name="Keys").click()
    assert page.get_by_text("Next step of the player on the slide").is_visible()
    press(page, "Escape")
    press(page, "o")
    assert page.evaluate("() => Reveal.isOverview()")
    assert page.locator("#two").is_visible()
