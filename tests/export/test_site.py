"""Exporting notebooks: what is written, what is refused, and that nothing in it leaves the file."""

import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from kernelsim import __main__ as command_line
from kernelsim.export import reading, site
from tests.export import notebooks as nb

ROOT = Path(__file__).resolve().parents[2]
BOOK = sorted((ROOT / "book").glob("*.ipynb"))
SOURCE = "https://elixir.bootlin.com/linux/v5.10.188/source/"


def exported(folder, *files, kinds=(site.HTML, site.SLIDES)):
    return {path.name: path.read_text("utf-8") for path in site.export(files, folder, kinds)}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("site"), *BOOK)


@pytest.fixture
def one(tmp_path):
    def make(*cells, kind=site.HTML, **metadata):
        file = nb.write(tmp_path / "one.ipynb", *cells, **metadata)
        (html,) = exported(tmp_path / "out", file, kinds=[kind]).values()
        return html

    return make


class Reader(HTMLParser):
    """Elements with their attributes, and text by element; what scripts say is no markup."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.styles, self._within = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._within = tag

    def handle_data(self, data):
        if self._within == "style":
            self.styles.append(data)

    def all(self, attribute):
        return [a[attribute] for _, a in self.elements if a.get(attribute)]


# ── The book ────────────────────────────────────────────────────────────────────────────────────


def test_each_chapter_is_a_page_and_those_with_slides_are_decks_too(book):
    pages = {f"{file.stem}.html" for file in BOOK}
    assert pages < book.keys()
    assert "04-the-process-list.slides.html" in book
    assert "index.slides.html" not in book  # all its cells are skipped


def test_nothing_in_a_file_is_loaded_and_no_link_leaves_but_to_the_kernels_source(book):
    for name, html in book.items():
        reader = Reader(html)
        for tag, attributes in reader.elements:
            loaded = [attributes.get(which) for which in ("src", "srcset", "data", "poster")]
            assert all(value.startswith("data:") for value in loaded if value), (name, tag)
            if tag in {"link", "image", "use"}:
                assert attributes["href"].startswith(("data:", "#")), (name, tag)
        links = [link for link in reader.all("href") if "://" in link]
        assert [link for link in links if not link.startswith(SOURCE)] == []
        assert "default-src 'none'" in reader.all("content")[0]
        for style in reader.styles:
            assert "@import" not in style, name
            assert re.findall(r"url\((?![\"']?data:)", style) == [], name


def test_links_between_chapters_lead_to_places_that_are_there(book):
    ids = {name: set(Reader(html).all("id")) for name, html in book.items()}
    for name, html in book.items():
        for link in Reader(html).all("href"):
            if "://" not in link and not link.startswith("data:"):
                file, _, place = link.partition("#")
                assert (file or name) in book, (name, link)
                assert not place or place in ids[file or name], (name, link)


def test_names_of_elements_are_given_once_in_a_page(book):
    for name, html in book.items():
        ids = Reader(html).all("id")
        assert len(ids) == len(set(ids)), name


def test_a_page_has_a_title_a_language_landmarks_and_one_first_heading(book):
    html = book["04-the-process-list.html"]
    assert "<title>04 · The process list</title>" in html
    tags = [tag for tag, _ in Reader(html).elements]
    assert Reader(html).elements[0] == ("html", {"lang": "en"})
    assert [tags.count(tag) for tag in ("main", "header", "footer", "h1")] == [1, 1, 1, 1]
    first_link = next(a for tag, a in Reader(html).elements if tag == "a")
    assert first_link == {"class": "skip", "href": "#text"}


def test_every_picture_has_its_words_beside_it(book):
    html = book["04-the-process-list.html"]
    pictures = html.count('<figure class="picture">')
    assert pictures >= 4
    assert html.count('<details class="words">') == pictures
    assert not re.search(r'<img(?![^>]*alt="[^"]+")', html)


def test_the_same_notebooks_give_the_same_bytes_in_any_process(tmp_path):
    contents = []
    for seed in ("0", "1"):
        output = tmp_path / seed
        command = [sys.executable, "-m", "kernelsim", "export", "--output", str(output)]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        contents.append({path.name: path.read_bytes() for path in output.iterdir()})
        assert done.stdout.split() == [str(output / name) for name in _in_order(contents[-1])]
    assert contents[0] == contents[1]
    assert len(contents[0]) > len(BOOK)


def _in_order(names):
    return sorted(names, key=lambda name: (".slides" in name, name))


# ── Cells ───────────────────────────────────────────────────────────────────────────────────────


def test_of_a_live_widget_its_still_form_is_shown_and_one_line_says_so(one):
    still = {"text/html": "<p>Which one?</p>", nb.LIVE: {"model_id": "4f", "version_major": 2}}
    html = one(nb.code("ks.widget.Predict(q)", still))
    assert "<p>Which one?</p>" in html
    assert html.count("Comes alive when the notebook is run.") == 1
    assert "4f" not in Reader(html).all("id")
    assert "model_id" not in html


def test_what_is_nothing_but_a_live_view_leaves_no_output(one):
    html = one(nb.code("ks.widget.Predict(q)", {nb.LIVE: {"model_id": "4f"}}))
    assert '<div class="output">' not in html


def test_a_film_is_left_as_it_is_for_the_players_script_and_does_not_claim_to_sleep(one):
    output = nb.tree_film()
    html = one(nb.code("ks.widget.play(k)", output))
    assert 'data-kernelsim="player"' in html
    data = re.search(r'class="kernelsim-data">(.*?)</script>', output["text/html"], re.DOTALL)
    assert data.group(1) in html
    assert "Comes alive" not in html
    assert html.count("whenReady(upgradeAll)") == 1


def test_what_a_program_printed_is_text(one):
    html = one(nb.code("print(x)", "<img src=x onerror=alert(1)>\n"))
    assert [tag for tag, _ in Reader(html).elements if tag == "img"] == []
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_code_is_coloured_and_text_cells_keep_their_boxes(one):
    html = one(nb.code("x = 1  # why"), nb.text("> **In Linux.** a\n>\n> **On your machine.** b"))
    assert '<span class="c1"># why</span>' in html
    assert re.findall(r'<div aria-label="([^"]*)" class="box', html) == [
        "In Linux",
        "On your machine",
    ]


def test_speakers_notes_are_notes_in_the_deck_and_folded_away_in_the_page(one):
    cells = [nb.text("# A", "slide"), nb.text("Speak slowly.", "notes")]
    deck = one(*cells, kind=site.SLIDES)
    assert re.search(r'<aside class="notes">(?:(?!</aside>).)*Speak slowly\.', deck, re.DOTALL)
    page = one(*cells)
    assert re.search(r'<details class="notes">(?:(?!</details>).)*Speak slowly\.', page, re.DOTALL)


def test_a_deck_has_a_section_for_each_slide_and_subslide_and_none_for_skipped_cells(one):
    kinds = ["slide", "-", "subslide", "fragment", "skip", "slide"]
    cells = [nb.text(f"text {i}", kind, f"c{i}") for i, kind in enumerate(kinds)]
    deck = one(*cells, kind=site.SLIDES)
    sections = [a.get("id") for tag, a in Reader(deck).elements if tag == "section"]
    assert sections == [None, "c0", "c2", None, "c5"]
    assert "text 4" not in deck
    assert deck.count('<div class="fragment">') == 1


def test_cells_without_names_are_named_by_their_place(one):
    ids = Reader(one(nb.text("a"), nb.text("b"))).all("id")
    assert {"cell-id=cell-0", "cell-id=cell-1"} <= set(ids)


# ── Links ───────────────────────────────────────────────────────────────────────────────────────


def test_a_link_to_a_chapter_that_has_no_page_is_plain_text(tmp_path):
    for name, other in (("one", "two"), ("two", "three")):
        nb.write(tmp_path / f"{name}.ipynb", nb.text(f"# N\n\n[{other}]({other}.ipynb#cell-id=x)"))
    files = [tmp_path / "one.ipynb", tmp_path / "two.ipynb"]
    pages = exported(tmp_path / "out", *files, kinds=[site.HTML])
    assert '<a href="two.html#cell-id=x">two</a>' in pages["one.html"]
    assert "<p>three</p>" in pages["two.html"]


def test_a_page_that_was_exported_before_counts_as_there(tmp_path):
    one = nb.write(tmp_path / "one.ipynb", nb.text("[two](two.ipynb)"))
    two = nb.write(tmp_path / "two.ipynb", nb.text("# Two"))
    exported(tmp_path / "out", two, kinds=[site.HTML])
    assert '<a href="two.html">' in exported(tmp_path / "out", one, kinds=[site.HTML])["one.html"]


def test_names_with_signs_of_their_own_in_addresses_and_in_html_are_kept(tmp_path):
    odd = "a #1 100% <b>&"
    files = [
        nb.write(
            tmp_path / f"{odd}.ipynb", nb.text('# `<img src=x onerror=alert(1)>` "A"', "slide")
        ),
        nb.write(
            tmp_path / "z.ipynb", nb.text("# Z\n\n[odd](a%20%231%20100%25%20%3Cb%3E%26.ipynb)")
        ),
    ]
    made = exported(tmp_path / "out", *files)
    links = [unquote(link) for link in Reader(made["z.html"]).all("href")]
    assert links.count(f"{odd}.html") == 2  # in the text, and as the chapter before
    page = made[f"{odd}.html"]
    assert "<title>&lt;img src=x onerror=alert(1)&gt;" in page
    assert f"{odd}.slides.html" in [unquote(link) for link in Reader(page).all("href")]


# ── Refused ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no notebook"),
        ("{", "is not a notebook"),
        ("[]", "is not a notebook"),
        ('{"cells": 3}', "is not a notebook"),
        ('{"cells": [], "nbformat": 4}', "is not a notebook"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_broken_or_missing_notebook_is_named_and_nothing_is_written_over(
    tmp_path, capsys, content, said
):
    good, bad, output = tmp_path / "a.ipynb", tmp_path / "b.ipynb", tmp_path / "out"
    nb.write(good, nb.text("# Old"))
    exported(output, good)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    nb.write(good, nb.text("# New"))
    if content is not None:
        bad.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert command_line.main(["export", str(good), str(bad), "--output", str(output)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("export: ")
    assert said in told
    assert str(bad) in told
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://example.org/x.png" alt="x">',
        '<script src="https://example.org/x.js"></script>',
        "<style>@import 'https://example.org/x.css';</style>",
        '<p style="background: url(//example.org/x.png)">x</p>',
        '<link rel="stylesheet" href="x.css">',
        '<iframe src="other.html"></iframe>',
    ],
)
def test_what_a_browser_would_load_is_refused_by_name(tmp_path, html):
    file = nb.write(tmp_path / "one.ipynb", nb.code("x", {"text/html": html}))
    with pytest.raises(reading.ExportError, match=r"one\.ipynb would load '.*x|other"):
        site.export([file], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_notebooks_of_one_name_are_refused(tmp_path):
    (tmp_path / "sub").mkdir()
    files = [nb.write(tmp_path / where / "a.ipynb", nb.text("x")) for where in (".", "sub")]
    with pytest.raises(reading.ExportError, match="same file"):
        site.export(files, tmp_path / "out")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    file = nb.write(tmp_path / "a.ipynb", nb.text("x"))
    with pytest.raises(reading.ExportError, match="is a file"):
        site.export([file], file / "deeper")


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    file = nb.write(tmp_path / "a.ipynb", nb.text("# New"))
    old = tmp_path / "out" / "a.html"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")

    def full(self, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(reading.ExportError, match=r"out cannot be written to: .*No space"):
        site.export([file], tmp_path / "out")
    assert [path.read_bytes() for path in old.parent.iterdir()] == [b"old"]


def test_a_notebook_without_slides_makes_no_deck_and_that_is_said(tmp_path):
    file = nb.write(tmp_path / "a.ipynb", nb.text("x", "skip"))
    with pytest.raises(reading.ExportError, match="begins a slide"):
        site.export([file], tmp_path / "out", [site.SLIDES])


# ── reveal.js ───────────────────────────────────────────────────────────────────────────────────


def test_reveal_js_is_the_one_that_is_written_down_and_goes_unchanged_into_a_deck(book):
    folder = ROOT / "kernelsim/export/reveal"
    sums = dict(
        re.findall(
            r"^\| (\S+) \| ([0-9a-f]{64}) \|$", (folder / "README.md").read_text(), re.MULTILINE
        )
    )
    files = {path.name for path in folder.iterdir()} - {"README.md"}
    assert sums.keys() == files
    for name, sum_ in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sum_
    deck = book["04-the-process-list.slides.html"]
    script = (folder / "reveal.js").read_text("utf-8")
    assert script in deck
