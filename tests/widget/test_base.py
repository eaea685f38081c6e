"""What all widgets share."""

import re
import subprocess
import sys
from pathlib import Path

import kernelsim as ks
from kernelsim.exercise import Question
from kernelsim.widget import base

SCRIPT, STYLE = (Path(base.__file__).parent / name for name in ("widget.js", "widget.css"))


def widgets():
    k = ks.boot()
    yield ks.widget.explore(k)
    yield ks.widget.PictureView(ks.view.task_list(k))
    yield ks.widget.SyscallPanel(k)
    yield ks.widget.Timeline(k)
    yield ks.widget.Predict(Question("?", ["a", "b"], lambda: 0))


def test_the_script_is_small_and_stands_alone():
    script = SCRIPT.read_text(encoding="utf-8")
    assert len(script.encode()) <= 30_000
    assert not re.search(r"\bimport\b[\s({*]|\brequire\(|\beval\(|innerHTML|fetch\(", script)
    links = re.findall(r"https?://[^\"' )]+", script + STYLE.read_text(encoding="utf-8"))
    assert set(links) == {"http://www.w3.org/2000/svg"}


def test_importing_kernelsim_loads_no_widgets():
    ask = "import kernelsim, sys; print('ipywidgets' in sys.modules, 'anywidget' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_every_widget_says_in_words_what_it_is_and_never_its_own_address():
    for widget in widgets():
        data, _ = widget._repr_mimebundle_()
        assert data["text/plain"].strip()
        assert " at 0x7" not in repr(widget)
        assert "application/vnd.jupyter.widget-view+json" in data


def test_each_widget_knows_how_it_is_drawn():
    script = SCRIPT.read_text(encoding="utf-8")
    for widget in widgets():
        for one in getattr(widget, "children", (widget,)):
            assert f"function {one.kind}(model, el)" in script


def test_a_message_that_is_no_request_is_ignored():
    for widget in widgets():
        for one in getattr(widget, "children", (widget,)):
            one._hear(one, "nonsense", [])
            one._hear(one, {}, [])
            one._hear(one, {"do": "nothing"}, [])
