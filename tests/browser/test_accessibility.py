"""axe-core finds nothing serious in the widgets: alone, live in JupyterLab, and as figures of a static page."""

import contextlib
from pathlib import Path

import pytest

from kernelsim.widget import scripts
from tests.browser import bare, gallery, lab

pytestmark = pytest.mark.needs_browser
axe = pytest.importorskip("axe_playwright_python")

AXE = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = """async (selector) => {
  const found = await axe.run(document.querySelectorAll(selector).length ? { include: [[selector]] } : document,
    { resultTypes: ['violations'] });
  return found.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) =>
    `${v.id}: ${v.help}: ` + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' +
      (n.any[0]?.message ?? n.all[0]?.message ?? n.none[0]?.message ?? '')).join(' | '));
}"""
NAMES = [
    "explorer", "picture", "panel", "timeline", "player", "predict", "inspector", "stack", "graph",
    "strace", "terminal",
]  # fmt: skip


def violations(page, selector):
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE + "; void 0")
    page.wait_for_timeout(500)  # what appears has appeared
    return page.evaluate(RUN, selector)


@pytest.fixture
def page(browser):
    with contextlib.closing(browser.new_page(viewport={"width": 1280, "height": 900})) as page:
        yield page


@pytest.fixture(scope="module")
def widgets():
    made = list(gallery.widgets(*gallery.family()))
    assert len(made) == len(NAMES)
    return dict(zip(NAMES, made, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_widget_has_no_serious_violation(page, widgets, name, theme):
    parts = map(bare.traits_of, bare.parts_of(widgets[name]))
    page.set_content(bare.page_of(*parts, theme=theme))
    page.wait_for_function("() => document.querySelector('#root0').children.length > 0")
    assert violations(page, ".ksw") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_is_without_serious_violation_also_while_it_is_searched(page, theme):
    for name, picture in gallery.pictures(*gallery.family()):
        page.set_content(bare.page_of(bare.picture(picture), theme=theme))
        page.wait_for_selector(".ks-node")
        page.get_by_label("Find in the picture").fill("bash")
        page.get_by_text("In words").click()
        assert violations(page, ".ksw") == [], name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_of_a_static_page_have_no_serious_violation(page, widgets, theme):
    script, style = scripts.page()
    pictures = [picture for _, picture in gallery.pictures(*gallery.family())]
    figures = [picture.html() for picture in pictures]
    figures += [
        widget.static()["text/html"]
        for widget in widgets.values()
        if "text/html" in getattr(widget, "static", dict)()
    ]
    head = f"<style>{style}</style><script type='module'>{script}</script>"
    page.set_content(bare.document("".join(figures), theme=theme, head=head))
    page.wait_for_timeout(300)
    assert violations(page, "main") == []


BOOT = "import kernelsim as ks\nfrom kernelsim.exercise import Question\nk = ks.boot()\nbash = k.spawn('bash')\nk.call(bash, 'fork')"
CELLS = [
    "ks.widget.explore(k, 'both', focus=bash)",
    "ks.widget.play(k)",
    "ks.widget.Predict(Question('Which number?', ['1', '5'], lambda: '5'))",
    "ks.widget.Inspector(k)",
    "ks.widget.GraphPane(k)",
    "ks.widget.StracePane(k)",
]


@pytest.mark.parametrize("theme", [lab.LIGHT, lab.DARK])
def test_in_jupyterlab_the_widgets_have_no_serious_violation(notebook, theme):
    desk = notebook(BOOT, *CELLS, theme=theme)
    for place in range(len(CELLS)):
        cell = desk.page.locator(".jp-CodeCell").nth(place + 1)
        cell.scroll_into_view_if_needed()
        desk.wait_for(cell.locator(".ksw"))
        desk.settle()
        assert violations(desk.page, ".ksw") == [], CELLS[place]
