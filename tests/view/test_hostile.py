"""Names that a program chose never become syntax: not DOT, not records, not HTML, not SVG."""

import json
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kernelsim.view import builder, dot, engine, text, validate
from tests.view import sample

SVG = sample.SVG
NASTY = [
    'a"b<c>|{}\\',
    "</svg><script>alert(1)</script>",
    "]]><!--",
    "<b>x</b>",
    "a\nb",
    "\\N\\G\\n\\l",
    "&lt;script&gt;&amp;#60;",
    'x" [label=<<b>y</b>>]; evil -> z; "',
    "|<p> q|{r|s}",
    "  two  blanks  ",
    "\\",
    '"',
    "漢字 é \U0001d538",
    "\u202eexe.gpj",
    "Z̸a̷l",
    "\x00\x1b[31m",
    "\ud800",
]
comm = st.one_of(
    st.sampled_from(NASTY),
    st.text(alphabet="\"<>|{}\\&;[]'=-> \n", max_size=16),
    st.text(max_size=16),
    st.binary(max_size=16),
)
slow_ok = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def words_of(picture):
    root = sample.parse(picture.svg)
    return root, [element.text or "" for element in root.iter(SVG + "text")]


def assert_harmless(picture, names):
    root, words = words_of(picture)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "path", "text", "circle"}
    for name in names:
        shown = text.clip(text.printable(name), builder.LONGEST)
        assert (shown if shown.strip() else f'"{shown}"') in words
    for element in root.iter():
        assert not [key for key in element.attrib if key.startswith("on") or "href" in key]
    for composed in (picture.dot, dot.compose(picture._graph, layout=True)):
        laid = json.loads(engine.layout(composed, "json0"))
        assert {item["name"] for item in laid["objects"]} == {node.id for node in picture.nodes}


@slow_ok
@given(st.lists(comm, min_size=1, max_size=4))
@example(NASTY[:4])
def test_a_record_shows_any_name_as_text_and_as_nothing_else(names):
    picture = sample.ring(names)
    assert_harmless(picture, names)
    assert len(sample.parse(picture.svg).findall(f"{SVG}g[@id]")) == 3 * len(names)


@slow_ok
@given(st.lists(comm, min_size=1, max_size=4), st.sampled_from(["elbow", "layout", "direct"]))
@example(NASTY[:4], "layout")
def test_a_box_shows_any_name_as_text_and_as_nothing_else(names, route):
    assert_harmless(sample.tree(names, route=route), names)


@slow_ok
@given(st.lists(comm, min_size=1, max_size=4))
def test_the_text_twin_has_one_line_for_each_node_and_edge_whatever_the_names(names):
    picture = sample.ring(names)
    assert len(picture.text.splitlines()) == 1 + len(picture.nodes) + len(picture.edges)


@slow_ok
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=30))
@example("a  b | {c} <d> \\l &amp; \\")
def test_graphviz_itself_draws_the_label_that_we_meant(words):
    source = f"digraph {{ a [shape=box, label={dot.quoted(dot.escaped(words))}]; b [shape=record, label={dot.quoted(dot.escaped('|' + words, blanks=True))}] }}"
    root = sample.parse(engine.layout(source, "svg"))
    shown = ["".join(e.itertext()).replace("\xa0", " ") for e in root.iter(SVG + "text")]
    assert sorted(filter(str.strip, shown)) == sorted(
        part for part in (words, "|" + words) if part.strip()
    )


@pytest.mark.parametrize("name", NASTY)
def test_html_around_the_figure_keeps_the_name_inside_its_attribute(name):
    picture = sample.tree([name, "b"])
    figure = picture.html()
    assert re.fullmatch(
        r'<figure class="kernelsim-figure"><img alt="[^"<>]*" '
        r'src="data:image/svg\+xml;base64,[A-Za-z0-9+/=]*"><figcaption>[^<>]*</figcaption></figure>',
        figure,
    )


@given(st.text())
def test_printable_text_is_one_line_of_characters_that_stand_by_themselves(words):
    shown = text.printable(words)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert text.printable(shown) == shown


def test_printable_text_shows_bytes_that_are_no_utf8_as_escapes():
    assert text.printable(b"caf\xc3\xa9\xff") == "café\\xff"


@given(st.text(max_size=30), st.integers(1, 20))
def test_clipped_text_fits_and_says_that_it_was_clipped(words, limit):
    words = text.printable(words)
    shown = text.clip(words, limit)
    assert text.cells(shown) <= limit
    assert shown == words or shown.endswith("…")


@pytest.mark.parametrize("name", ["", "a b", 'a"', "-x", "é", "a:b", "<p>"])
def test_an_id_that_could_be_syntax_is_refused(name):
    with pytest.raises(ValueError, match="cannot be a node's id"):
        builder.PictureBuilder("t").node(name, "label")


def test_a_record_label_that_would_be_html_is_refused_before_graphviz_sees_it():
    with pytest.raises(validate.DotError, match="line 2: HTML-like text after label ="):
        engine.layout("digraph {\n a [label=<<b>x</b>>] }")
