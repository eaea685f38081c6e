"""The chapters as a book: their parts, their slides, where their links lead, and that they bear use.

lines.csv says at which line of which file of v5.10.188 a name stands; each line was looked up in
that release's source.
"""

import collections
import copy
import csv
import functools
import json
import re
import time
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if re.match(r"\d\d-", path.name)]
SOURCE = "https://elixir.bootlin.com/linux/v5.10.188/source/"
SLIDE_TYPES = {"slide", "subslide", "fragment", "-", "skip", "notes"}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@functools.cache
def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path, kind):
    return [cell for cell in notebook(path)["cells"] if cell["cell_type"] == kind]


# The text of a notebook's prose, without its blocks of code.
@functools.cache
def prose(path):
    text = "\n\n".join("".join(cell["source"]) for cell in cells(path, "markdown"))
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


# (text, target) of each link.
def links(path):
    return re.findall(
        r"\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^()\s]+(?:\([^()]*\))?[^()\s]*)\)", prose(path)
    )


def headings(path):
    return re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)


@functools.cache
def lines_of_the_source():
    with (Path(__file__).parent / "lines.csv").open(encoding="utf-8") as file:
        return {(row["path"], int(row["line"])): row["name"] for row in csv.DictReader(file)}


# ── Links ───────────────────────────────────────────────────────────────────────────────────────


@each_notebook
def test_links_into_linux_lead_to_the_line_of_the_name_that_they_show(path):
    known = lines_of_the_source()
    for text, target in links(path):
        if "bootlin" not in target:
            continue
        assert target.startswith(SOURCE), f"another release, or another place: {target}"
        file, _, line = target.removeprefix(SOURCE).partition("#L")
        name = known.get((file, int(line)))
        assert name, f"{file} line {line} ({text}) is not in lines.csv"
        assert re.search(rf"\b{re.escape(name)}\b", text), f"line {line} of {file} is {name}"


@each_notebook
def test_links_within_the_book_lead_to_a_notebook_and_a_section(path):
    for text, target in links(path):
        if "://" in target:
            assert target.startswith(SOURCE), f"{text} leads out of the book, to {target}"
            continue
        file, _, fragment = target.partition("#")
        other = path.parent / file if file else path
        assert other.exists(), target
        if fragment:  # JupyterLab scrolls to cells at once, to headings only in an open notebook
            kind, _, name = fragment.partition("=")
            found = {cell["id"]: "".join(cell["source"]) for cell in notebook(other)["cells"]}
            assert kind == "cell-id"
            assert found.get(name, "").startswith("#"), f"{target} is no cell with a heading"


def test_the_index_links_every_chapter_and_names_those_to_come():
    text = prose(BOOK / "index.ipynb")
    linked = {target for _, target in links(BOOK / "index.ipynb") if "#" not in target}
    assert {path.name for path in CHAPTERS} <= linked
    numbers = [path.name[:2] for path in CHAPTERS]
    to_come = re.findall(r"^\| (\d\d) \|.*\| \*to come\* \|$", text, re.MULTILINE)
    assert sorted(numbers + to_come) == [f"{n:02}" for n in range(1, 16)]


def test_the_slide_map_leads_into_every_section_that_a_slide_is_about():
    (table,) = re.findall(
        r"^## From slide to chapter\n(.*?)(?=^## )",
        prose(BOOK / "index.ipynb"),
        re.MULTILINE | re.DOTALL,
    )
    rows = [row for row in table.splitlines() if row.startswith("|")][2:]
    assert len(rows) >= 6
    assert all("](" in row for row in rows)
    for subject in ("doubly linked", "tasks", "prev", "list_for_each", "middle", "container_of"):
        assert any(subject in row for row in rows), subject


@each_chapter
def test_the_terms_of_a_chapter_are_in_the_glossary(path):
    close = "".join(notebook(path)["cells"][-1]["source"])
    terms = re.search(r"\*Terms:\* \[(.*)\]\(index\.ipynb#cell-id=glossary\)", close)[1]
    glossary = re.findall(r"^\| \*\*(.+?)\*\* \|", prose(BOOK / "index.ipynb"), re.MULTILINE)
    names = {name.removesuffix(" list") for name in glossary} | {"list_head"}
    assert [term for term in terms.replace("`", "").split(", ") if term not in names] == []


# ── Structure ───────────────────────────────────────────────────────────────────────────────────


@each_chapter
def test_a_chapter_has_its_parts_in_order(path):
    first = "".join(notebook(path)["cells"][0]["source"])
    assert re.match(rf"# {path.name[:2]} · \S.*\n\n\*\*[^*]+\?\*\*\n", first), "title and question"
    assert "After this chapter you can" in first
    assert re.search(r"\b\d\d minutes\b", first)
    parts = ["A surprise", "Break it", "Exercises: drills", "Exercises: make", "To remember"]
    found = [heading for heading in headings(path) if heading in parts]
    assert found == parts
    close = "".join(notebook(path)["cells"][-1]["source"])
    assert re.findall(r"^(\d)\. ", close, re.MULTILINE) == ["1", "2", "3"]
    assert "*Next:*" in close


@each_chapter
def test_a_chapter_says_what_linux_does_and_what_the_readers_machine(path):
    text = prose(path)
    assert text.count("> **In Linux.**") >= 5
    assert text.count("> **On your machine.**") >= 2


@each_chapter
def test_each_question_comes_before_what_shows_its_answer(path):
    sources = ["".join(cell["source"]) for cell in cells(path, "code")]
    asked = [source for source in sources if "widget.Predict(" in source]
    assert len(asked) >= 8
    assert len(set(asked)) == len(asked)
    assert all("Option(" not in source for source in sources), "questions live in the package"


@each_chapter
def test_the_slides_make_a_lecture(path):
    kinds = collections.Counter(
        cell["metadata"]["slideshow"]["slide_type"] for cell in notebook(path)["cells"]
    )
    assert set(kinds) <= SLIDE_TYPES
    assert 15 <= kinds["slide"] + kinds["subslide"] <= 25
    assert notebook(path)["cells"][0]["metadata"]["slideshow"]["slide_type"] == "slide"


# Lines and characters of text on each slide: what does not fit is not read.
@each_chapter
def test_no_slide_is_full_of_text(path):
    size = 0
    for cell in notebook(path)["cells"]:
        kind = cell["metadata"]["slideshow"]["slide_type"]
        size = 0 if kind in {"slide", "subslide"} else size
        if cell["cell_type"] == "markdown" and kind not in {"skip", "notes"}:
            size += len(re.sub(r"\]\([^)]*\)", "]", "".join(cell["source"])))
            assert size <= 1200, f"{size} characters up to {cell['id']}"


@each_notebook
def test_cells_are_counted_and_named(path):
    found = notebook(path)["cells"]
    assert len({cell["id"] for cell in found}) == len(found)
    assert not any(cell["id"].startswith("cell-") for cell in found), "a name that says nothing"
    counts = [cell["execution_count"] for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_no_cell_is_empty_or_too_wide_to_read(path):
    for cell in notebook(path)["cells"]:
        source = "".join(cell["source"])
        assert source.strip()
        if cell["cell_type"] == "code":
            assert max(map(len, source.splitlines())) <= 105, source


@each_notebook
def test_notebooks_take_nothing_from_other_notebooks(path):
    for cell in cells(path, "code"):
        source = "".join(cell["source"])
        assert not re.search(r"^\s*(%|!)|%run|import_module|get_ipython", source, re.MULTILINE)


# ── Use ─────────────────────────────────────────────────────────────────────────────────────────


def run(cells_in_order, folder):
    copies = [copy.deepcopy(cell) for cell in cells_in_order]
    for number, cell in enumerate(copies):
        cell["id"] = f"run-{number}"
    book = nbformat.v4.new_notebook(cells=copies)
    client = nbclient.NotebookClient(
        book, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    start = time.monotonic()
    client.execute()
    return book, time.monotonic() - start


def loaded(path):
    code = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    for cell in code:
        cell["outputs"] = []
    return code


@each_notebook
def test_every_cell_can_be_run_twice_and_the_whole_again(path):
    code = loaded(path)
    twice = [cell for cell in code for _ in range(2)]
    _, seconds = run([*twice, *code], BOOK)
    assert seconds < 3 * 20, "a chapter is to take less than 20 seconds"


# Cells that depend on none but the first ones, backwards: whoever jumps about gets an answer.
@each_chapter
def test_a_reader_may_jump_back_to_earlier_cells(path):
    code = loaded(path)
    backwards = [cell for cell in code[::-1] if "k.call(" not in "".join(cell["source"])]
    run([*code, *backwards], BOOK)
