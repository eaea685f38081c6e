"""Our reader of DOT against Graphviz's own: what we accept it accepts, and we say where and what."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelsim.view import engine, validate

GOOD = [
    "digraph { a -> b }",
    'strict graph g { a -- b -- c; node [shape=box]; a [label="x\\"y"]; }',
    'digraph { subgraph cluster_x { label="l"; a; b } -> c [color="#aabbcc"] }',
    "digraph { { rank=same; a b } rankdir=LR; edge [weight=2, len=.5;] a:n -> b:p:sw }",
    "digraph { /* comment\n over lines */ a // and one\n b\n# preprocessor\n c }",
    'digraph { "a" + "b" -> x }'.replace('"a" + "b"', '"ab"'),
    'digraph { a [label="{<x> p|q}", shape=record]; a:x -> a }',
    "digraph { a = b; c [] -1.5 -> .5 }",
    'digraph "" {}',
]
BAD = [
    ("digraph {\n a -> \n}", 3, "a node, an edge, a subgraph or '}' expected, found }"),
    ("digraph {\n a -> b", 1, "the '{' that opens here is never closed"),
    ('digraph {\n\n a [label="x]\n}', 3, "the string that opens here is never closed"),
    ("digraph { /* x", 1, "the comment that opens here is never closed"),
    ("graph {\n a -> b }", 2, "'->' in a graph that is undirected"),
    ("digraph {\n a -- b }", 2, "'--' in a graph that is directed"),
    ("digraph { a [label] }", 1, "'=' expected after the attribute label, found ]"),
    ("digraph { a [label=] }", 1, "a value for label expected, found ]"),
    ("digraph { a }\n}", 2, "} after the end of the graph"),
    ("digraf { a }", 1, "'digraph' expected at the beginning, found digraf"),
    ("", 1, "'digraph' expected at the beginning, found the end of the text"),
    ("digraph { a ! b }", 1, "unexpected character '!'"),
    ("digraph { node }", 1, "'[' expected, found }"),
    ("digraph { a [label=<b>] }", 1, "HTML-like text after label =; use a plain or a record label"),
    ('digraph {\n a [color="#eef"] }', 2, "colour #eef in color: write six digits"),
    ('digraph { a [shape=record, label="{x|y"] }', 1, "'{' without '}' in a record label"),
    ('digraph { a [shape=record, label="x}"] }', 1, "'}' without '{' in a record label"),
    ('digraph { a [shape=record, label="<x"] }', 1, "'<' without '>' in a record label"),
    ('digraph { a [shape=record, label="<x|y>"] }', 1, "'|' inside a port's name in a record label"),
    ('digraph { node [shape=record]\n a [label="<x> 1"]\n a:y -> b }', 3, "the record 'a' has no port 'y'"),
    (r'digraph { a [shape=record, label="<x>\ \l1"] }', 1, "a field of a record begins with a blank line"),
    ("digraph { a:b:c:d }", 1, "'}' expected"),
    ("digraph { a:b:up -> c }", 1, "'up' is no compass point"),
    ('digraph { a [label="x\0"] }', 1, "control character '\\x00'"),
    ("digraph " + "{" * 60 + "}" * 60, 1, "subgraphs nested more than 40 deep"),
]  # fmt: skip


@pytest.mark.parametrize("source", GOOD)
def test_sound_text_passes_and_graphviz_lays_it_out(source):
    validate.check(source)
    assert engine.choose().layout(source, "json0")


@pytest.mark.parametrize(("source", "line", "problem"), BAD)
def test_unsound_text_is_refused_with_its_line_and_the_reason(source, line, problem):
    with pytest.raises(validate.DotError) as caught:
        validate.check(source)
    if problem != "'}' expected":
        assert (caught.value.line, caught.value.problem) == (line, problem)
    assert str(caught.value).startswith(f"DOT, line {caught.value.line}: ")


pieces = st.sampled_from(
    [*"{}[]=;,:", "->", "--", "a", "b1", '"s"', '"q\\"r"', "1.5", "subgraph", "node", "label",
     "digraph", "graph", "strict", "\n", " "]
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(pieces, max_size=14))
def test_whatever_passes_graphviz_can_lay_out_and_what_graphviz_refuses_does_not_pass(parts):
    source = "digraph { a -> b; " + " ".join(parts) + " }"
    try:
        validate.check(source)
    except validate.DotError:
        return
    engine.choose().layout(source, "json0")
