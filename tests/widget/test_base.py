"""What all widgets share."""

import re
import subprocess
import sys

import pytest

import kernelsim as ks
from kernelsim.exercise import Question
from kernelsim.widget import scripts

KINDS = sorted(
    path.stem
    for path in scripts.FRONT.glob("*.js")
    if f"export function {path.stem}(model, el" in path.read_text(encoding="utf-8")
)
each_kind = pytest.mark.parametrize("kind", KINDS)


def widgets():
    k = ks.boot()
    yield ks.widget.explore(k)
    yield ks.widget.PictureView(ks.view.task_list(k))
    yield ks.widget.Inspector(k)
    yield ks.widget.SyscallPanel(k)
    yield ks.widget.Timeline(k)
    yield ks.widget.play(k)
    yield ks.widget.Predict(Question("?", ["a", "b"], lambda: 0))


# The widgets that a script draws: a box is drawn by others.
def drawn(widget):
    for child in getattr(widget, "children", ()):
        yield from drawn(child)
    if not hasattr(widget, "children"):
        yield widget


@each_kind
def test_a_script_is_small_and_stands_alone(kind):
    script, style = scripts.script(kind), scripts.style(kind)
    assert len(script.encode()) <= 30_000
    assert len(style.encode()) <= 15_000
    assert not re.search(r"\bimport\b[\s({*]|\brequire\(|\beval\(|innerHTML|fetch\(", script)
    assert set(re.findall(r"https?://[^\"' )`]+", script + style)) <= {
        "http://www.w3.org/2000/svg",
        "https://elixir.bootlin.com/linux/v5.10.188/source/",
    }


def test_no_two_parts_give_one_name_to_two_things():
    declared = re.compile(
        r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE
    )
    texts = [path.read_text(encoding="utf-8") for path in scripts.FRONT.glob("*.js")]
    names = [name for text in texts for name in declared.findall(text)]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)


def test_each_name_that_a_part_imports_is_exported_where_it_says():
    asked = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', re.MULTILINE)
    for path in scripts.FRONT.glob("*.js"):
        for names, part in asked.findall(path.read_text(encoding="utf-8")):
            text = (scripts.FRONT / f"{part}.js").read_text(encoding="utf-8")
            for name in filter(None, map(str.strip, names.split(","))):
                pattern = rf"^export (async )?(function|const|class) {name}\b"
                assert re.search(pattern, text, re.MULTILINE), f"{path.name}: {name} of {part}"


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
    for widget in widgets():
        for one in drawn(widget):
            assert one.kind in KINDS
            assert one._esm == scripts.script(one.kind)


def test_a_message_that_is_no_request_is_ignored():
    for widget in widgets():
        for one in drawn(widget):
            one._hear(one, "nonsense", [])
            one._hear(one, {}, [])
            one._hear(one, {"do": "nothing"}, [])
