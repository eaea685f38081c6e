"""Pictures as a reader uses them: looked at, zoomed, moved, searched, walked through; whatever the names."""

import contextlib

import pytest

import kernelsim as ks
from kernelsim.view import text
from kernelsim.widget import scripts
from tests.browser import bare, gallery

pytestmark = pytest.mark.needs_browser

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"];}',
    "a\nb\r\x1b[31m",
    "𝔸漢😀é",
    "",
    "x" * 1000,
    "\u202eexe.gpj\u200b\u200d",
    "{{7*7}}${7}`",
    "&lt;b&gt;&#60;",
]
# Of every text: the words, their size on the screen, whether they are part of the picture.
SIZES = """() => [...document.querySelectorAll(`.ksw-stage text, .ksw-key span, .ksw-tools button,
  .ksw-tools output, .ksw-tools summary, .ksw-tools input`)].map((e) => {
    const scale = e.getScreenCTM ? e.getScreenCTM().a : 1;
    return [e.textContent, parseFloat(getComputedStyle(e).fontSize) * scale, Boolean(e.closest('.ksw-stage'))];
  })"""
WHERE = (
    "() => { const s = document.querySelector('.ksw-stage'); return [s.scrollLeft, s.scrollTop]; }"
)
ALARM = "<script>window.alarmed = 0; window.alert = () => { window.alarmed += 1; };</script>"


@pytest.fixture
def page(browser):
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 900})) as page:
        asked, errors = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert [url for url in asked if not url.startswith(("data:", "about:"))] == []
        assert errors == []


@pytest.fixture(scope="module")
def family():
    return gallery.family()


@pytest.fixture(scope="module")
def crowd():
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    for _ in range(20):
        k.call(bash, "fork")
    return k, bash


def shown(page, picture, **traits):
    page.set_content(bare.page_of(bare.picture(picture, **traits), head=ALARM))
    page.wait_for_selector(".ks-node")
    return page


def words_of(page):
    page.wait_for_function("() => document.querySelector('details pre').textContent")
    return page.locator("details pre").text_content()


def focused(page):
    return page.evaluate("document.activeElement.id")


def percent(page):
    return page.locator(".ksw-zoom button").nth(1).inner_text()


@pytest.mark.parametrize(("width", "least"), [(1280, 14), (1920, 16)])
def test_words_are_large_enough_for_the_fifth_row(page, family, width, least):
    page.set_viewport_size({"width": width, "height": 900})
    for _, picture in gallery.pictures(*family):
        shown(page, picture)
        sizes = page.evaluate(SIZES)
        assert sum(in_picture for *_, in_picture in sizes) > 5
        for words, size, in_picture in sizes:
            assert size >= (least if in_picture else 14) - 0.01, words


def test_buttons_and_keys_zoom(page, family):
    shown(page, ks.view.process_tree(family[0]))
    page.get_by_role("button", name="larger").click()
    assert percent(page) == "125 %"
    page.locator(".ks-node").first.focus()
    for key, wanted in (
        ("+", "150 %"),
        ("-", "125 %"),
        ("-", "100 %"),
        ("-", "75 %"),
        ("0", "100 %"),
    ):
        page.keyboard.press(key)
        assert percent(page) == wanted
    for _ in range(9):
        page.keyboard.press("+")
    assert percent(page) == "300 %"
    for _ in range(9):
        page.keyboard.press("-")
    assert percent(page) == "50 %"


def test_fit_shows_the_whole_picture(page, crowd):
    shown(page, ks.view.task_list(crowd[0], limit=9))
    stage = page.locator(".ksw-stage")
    assert stage.evaluate("(s) => s.scrollWidth > s.clientWidth")
    page.get_by_role("button", name="fit").click()
    assert stage.evaluate(
        "(s) => s.scrollWidth <= s.clientWidth && s.scrollHeight <= s.clientHeight + 1"
    )


def test_the_wheel_zooms_with_ctrl_around_the_pointer_and_scrolls_without(page, family):
    shown(page, ks.view.task_list(family[0], limit=9))
    node = page.locator(".ks-node").nth(1)
    box = node.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    page.wait_for_function(
        "() => !document.querySelector('.ksw-zoom').textContent.includes('100 %')"
    )
    after = node.bounding_box()
    assert after["width"] > box["width"] * 1.2
    assert abs(after["x"] - box["x"]) < 8
    zoomed = percent(page)
    page.mouse.wheel(100, 0)
    page.wait_for_function("() => document.querySelector('.ksw-stage').scrollLeft > 50")
    assert percent(page) == zoomed


def test_the_picture_is_dragged_and_a_drag_is_no_click(page, crowd):
    shown(page, ks.view.task_list(crowd[0], limit=9))
    stage = page.locator(".ksw-stage").bounding_box()
    x, y = stage["x"] + 600, stage["y"] + 120
    before = page.evaluate(WHERE)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 150, y, steps=4)
    page.mouse.up()
    assert page.evaluate(WHERE)[0] == before[0] + 150
    assert page.evaluate("model.state.selected") == ""
    page.mouse.click(x, y)
    page.locator(".ks-node").first.click()
    assert page.evaluate("model.state.selected").startswith("0xffff")


def test_keys_move_a_picture_that_is_larger_than_its_stage(page, crowd):
    shown(page, ks.view.task_list(crowd[0], limit=9))
    page.locator(".ks-node").first.focus()
    before = page.evaluate(WHERE)
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(WHERE)[0] == before[0] + 80
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate(WHERE) == before


def test_arrows_walk_through_all_boxes_and_keep_them_in_sight(page, crowd):
    picture = ks.view.task_list(crowd[0], limit=9)
    shown(page, picture)
    page.locator(".ks-node").first.focus()
    visited = []
    for _ in picture.nodes:
        visited.append(focused(page))
        box = page.locator(f"#{visited[-1]}").bounding_box()
        assert -1 <= box["x"] <= box["x"] + box["width"] <= 1281
        page.keyboard.press("ArrowRight")
    assert len(set(visited)) == len(picture.nodes)
    names = page.locator(".ks-node").evaluate_all(
        "(all) => all.map((n) => n.getAttribute('aria-label'))"
    )
    for name, node in zip(names, picture.nodes, strict=True):
        assert name == node.sentence() + (" Opens it." if node.folded else "")
    assert page.locator(".ks-node[tabindex='0']").count() == 1


def test_search_counts_marks_and_goes_on_and_back(page, crowd):
    shown(page, ks.view.task_list(crowd[0], limit=9))
    field, said = page.get_by_label("Find in the picture"), page.locator(".ksw-find output")
    field.fill("BASH")
    hits = page.locator(".ks-node.ksw-hit")
    count = hits.count()
    assert count > 3
    assert said.inner_text() == f"{count} found"
    for number in (1, 2):
        field.press("Enter")
        assert said.inner_text() == f"{number} of {count} found"
    field.press("Shift+Enter")
    assert said.inner_text() == f"1 of {count} found"
    field.press("Shift+Enter")
    assert said.inner_text() == f"{count} of {count} found"
    page.wait_for_timeout(600)  # the picture scrolls there
    here = page.locator(".ksw-here").bounding_box()
    assert 0 <= here["x"] <= here["x"] + here["width"] <= 1281
    field.fill("comm")
    assert hits.count() > count
    field.fill("no such thing")
    assert said.inner_text() == "not in this picture"
    field.press("Enter")
    assert page.evaluate("model.sent") == []
    field.press("Escape")
    assert (field.input_value(), said.inner_text(), hits.count()) == ("", "", 0)


def test_a_number_is_looked_for_as_a_whole(page, crowd):
    k, _ = crowd
    shown(page, ks.view.task_list(k, focus=11), finds=True)
    field, hits = page.get_by_label("Find in the picture"), page.locator(".ks-node.ksw-hit")
    field.fill("11")
    assert hits.count() == 1
    assert "(pid 11)" in hits.first.get_attribute("aria-label")
    field.fill("1")  # a digit of many numbers and addresses, and the pid of one that is folded away
    assert hits.count() == 0
    field.fill("0")
    assert hits.count() == 1


def test_what_the_picture_does_not_show_is_asked_for(page, crowd):
    shown(page, ks.view.task_list(crowd[0]), finds=True)
    field, said = page.get_by_label("Find in the picture"), page.locator(".ksw-find output")
    field.fill("no such thing")
    assert said.inner_text() == "not shown: Enter looks for it"
    field.press("Enter")
    assert page.evaluate("model.sent") == [{"do": "find", "text": "no such thing"}]
    page.evaluate("model.say({said: 'no task'})")
    assert said.inner_text() == "no task"
    page.evaluate("model.say({said: 7}); model.say(null)")
    assert said.inner_text() == "no task"


def test_search_goes_on_in_the_next_picture(page, crowd):
    k, _ = crowd
    shown(page, ks.view.task_list(k))
    page.get_by_label("Find in the picture").fill("(pid 12)")
    assert page.locator(".ksw-hit").count() == 0
    _, state = bare.picture(ks.view.task_list(k, focus=12))
    page.evaluate("(state) => model.take(state)", state)
    page.locator(".ksw-hit").wait_for()
    assert page.locator(".ksw-find output").inner_text() == "1 found"


def test_a_box_that_stands_for_many_says_which_one_is_opened(page, crowd):
    picture = ks.view.task_list(crowd[0])
    shown(page, picture)
    (fold,) = [node for node in picture.nodes if node.folded]
    page.locator(f"#n-{fold.id}").click()
    page.locator(f"#n-{fold.id}").press("Enter")
    assert page.evaluate("model.sent") == [{"do": "unfold", "box": fold.id}] * 2
    page.evaluate("model.set('unfolded', true)")
    page.get_by_role("button", name="fold again").click()
    assert page.evaluate("model.sent.at(-1)") == {"do": "fold"}


def test_the_legend_stays_in_sight_and_has_the_samples(page, crowd):
    shown(page, ks.view.task_list(crowd[0], since=crowd[0].now - 100, limit=20))
    assert page.locator(".ksw-key > span").all_inner_texts() == [
        "tasks.next",
        "tasks.prev",
        "changed",
    ]
    assert page.locator(".ksw-key svg .ks-tip").count() == 2
    assert page.locator(".ksw-stage .ks-foot").count() == 0
    key, stage = (page.locator(name).bounding_box() for name in (".ksw-key", ".ksw-stage"))
    assert key["y"] >= stage["y"] + stage["height"] - 1


def test_tall_gives_the_picture_the_height_of_the_window(page, crowd):
    shown(page, ks.view.process_tree(crowd[0], limit=60))
    stage = page.locator(".ksw-stage")
    assert stage.bounding_box()["height"] <= 501
    tall = page.get_by_role("button", name="tall")
    tall.click()
    assert tall.get_attribute("aria-pressed") == "true"
    assert stage.bounding_box()["height"] > 600
    page.locator(".ks-node").first.focus()
    page.keyboard.press("h")
    assert tall.get_attribute("aria-pressed") == "false"
    assert percent(page) == "100 %"


def test_the_words_are_those_of_the_text_twin(page, family):
    picture = ks.view.runqueue(family[0])
    shown(page, picture)
    page.get_by_text("In words").click()
    assert words_of(page) == picture.text


def test_at_twice_the_size_nothing_is_cut_off(page, family):
    page.set_viewport_size({"width": 640, "height": 450})  # 200 % zoom of 1280 x 900
    shown(page, ks.view.task_list(family[0]))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in page.locator(".ksw-tools button:visible").all():
        box = button.bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 640


def test_the_theme_follows_the_page(page, family):
    picture = ks.view.process_tree(family[0])
    ground = "getComputedStyle(document.querySelector('.ks-ground')).fill"
    dim = "getComputedStyle(document.querySelector('.ksw-key')).color"
    for theme, scheme in (("light", "dark"), ("dark", "light")):
        page.emulate_media(color_scheme=scheme)
        page.set_content(bare.page_of(bare.picture(picture), theme=theme))
        page.wait_for_selector(".ks-node")
        light = theme == "light"
        assert page.evaluate(ground) == ("rgb(251, 252, 253)" if light else "rgb(20, 24, 29)")
        assert page.evaluate(dim) == ("rgb(83, 92, 102)" if light else "rgb(169, 180, 191)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_forced_colours_words_stand_out_and_lines_are_there(page, family, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    for _, picture in gallery.pictures(*family):
        shown(page, picture)
        colours = page.evaluate(
            """() => { const of = (s, what) => [...document.querySelectorAll(s)].map((e) => getComputedStyle(e)[what]);
              return {face: of('.ks-face', 'fill'), word: of('.ks-face ~ text:not(.ks-letter, .ks-tagtext)', 'fill'),
                badge: of('.ks-badge', 'fill'), letter: of('.ks-letter', 'fill'), edge: of('.ks-edge path', 'stroke'),
                ground: of('.ks-ground', 'fill'), outline: of('.ks-face', 'stroke')}; }"""
        )
        ground = set(colours["ground"])
        assert set(colours["face"]) == ground
        assert set(colours["letter"]) <= ground
        for part in ("word", "badge", "outline"):
            assert not set(colours[part]) & ground
        assert len(set(colours["word"])) == 1


# -- names --------------------------------------------------------------------------------------------


def assert_nothing_ran(page):
    page.wait_for_timeout(50)
    assert page.evaluate("window.alarmed") == 0
    assert page.locator("img[src=x], main script:not([type])").count() == 0


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_is_text_in_every_view(page, name):
    k, bash = gallery.family(name)
    for _, picture in gallery.pictures(k, bash):
        shown(page, picture)
        page.get_by_text("In words").click()
        assert words_of(page) == picture.text
        seen = page.locator(".ksw-stage svg").evaluate("(svg) => svg.textContent")
        assert text.printable(bash.comm.string_()).strip()[:12] in seen
        assert_nothing_ran(page)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_is_text_in_titles_legends_notes_frames_and_tooltips(page, name):
    picture = gallery.hand_made(name)
    shown(page, picture)
    page.get_by_label("Find in the picture").fill(name[:50] or "x")
    assert page.locator(".ks-node").count() == len(picture.nodes)
    assert (
        page.locator(".ksw-key > span").first.inner_text().strip() == text.printable(name).strip()
    )
    labels = page.locator(".ks-node").evaluate_all(
        "(all) => all.map((n) => n.getAttribute('aria-label'))"
    )
    assert labels[1] == picture.nodes[1].sentence()
    assert_nothing_ran(page)
    page.set_content(bare.document(picture.html(), head=ALARM))
    assert page.locator("figcaption").inner_text().strip() == text.printable(name).strip()
    assert_nothing_ran(page)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_is_text_in_every_widget_and_on_a_static_page(page, name):
    k, bash = gallery.family(name)
    script, style = scripts.page()
    for widget in gallery.widgets(k, bash):
        parts = map(bare.traits_of, bare.parts_of(widget))
        page.set_content(bare.page_of(*parts, head=ALARM))
        page.wait_for_function("() => document.querySelector('#root0').children.length > 0")
        assert_nothing_ran(page)
        static = widget.static() if hasattr(widget, "static") else {}
        if "text/html" in static:
            head = f"{ALARM}<style>{style}</style><script type='module'>{script}</script>"
            page.set_content(bare.document(static["text/html"], head=head))
            assert_nothing_ran(page)
