"""One JupyterLab and one page for all tests of this folder; no test may reach the network."""

import contextlib

import pytest

from tests.browser import lab as labs
from tests.browser import pages


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    (folder / "private").mkdir()
    lab = labs.Lab(folder / "notebooks", folder / "private")
    try:
        yield lab.start()
    finally:
        if lab.process is not None:
            lab.stop()


@pytest.fixture(scope="session")
def desk(lab, browser):
    return labs.Desk(lab, browser)


# Opens a notebook, made of the given cells or there already, and runs it; closed in the end.
@pytest.fixture
def notebook(desk, request):
    opened = []

    def open_(*sources, name=None, run=True, **look):
        desk.look(**look)
        name = name or desk.lab.write(f"{request.node.originalname}-{len(opened)}.ipynb", *sources)
        desk.open(name)
        opened.append(name)
        if run:
            desk.run_all()
        return desk

    desk.strangers.clear()
    desk.errors.clear()
    yield open_
    if opened:
        desk.close()
    assert desk.strangers == [], "a request left this machine"
    assert desk.errors == [], "an error in the page"


# Opens a page of these figures; what its reader does with the first of them.
@pytest.fixture
def figures(browser, tmp_path):
    with contextlib.ExitStack() as stack:

        def open_(*figures, script=True, **look):
            page = pages.Page(browser, tmp_path / "page.html", **look)
            stack.callback(page.context.close)
            opened.append(page)
            return page.open(*figures, script=script)

        opened = []
        yield open_
        assert [words for page in opened for words in page.noted] == []
