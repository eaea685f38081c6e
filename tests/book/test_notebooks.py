"""The notebooks as texts: run 1..n, exact, the same under every seed of the hash, and readable.

nbval, given in pyproject.toml, compares each cell's outputs with the stored ones besides; no
sanitiser is given to it.  How a notebook is normalised is tested in tests/test_main.py.
"""

import functools
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
SEEDS = ("0", "1", "271828")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@functools.cache
def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


def code_cells(path):
    return [c for c in notebook(path)["cells"] if c["cell_type"] == "code"]


def outputs(path):
    return [output for cell in code_cells(path) for output in cell["outputs"]]


# All that a reader can see of an output, as one text.
def shown(output):
    values = [output.get("text", ""), *output.get("data", {}).values()]
    return "\n".join("".join(value) for value in values if not isinstance(value, dict))


def test_the_book_has_its_index_and_chapters():
    assert {"index", "04-the-process-list"} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("seed", SEEDS)
@each_notebook
def test_running_it_again_under_any_hash_seed_changes_no_byte(path, seed):
    done = subprocess.run(
        [sys.executable, "-m", "kernelsim", "check", str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nIf this is meant: make notebooks"


@each_notebook
def test_no_output_hangs_on_a_living_kernel_or_on_chance(path):
    assert "widgets" not in notebook(path)["metadata"]
    for output in outputs(path):
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        assert not re.search(r"<[\w.]+ (object )?at 0x", shown(output)), "a default repr"
        assert str(ROOT) not in shown(output), "a path of this machine"


@each_notebook
def test_every_picture_has_words(path):
    for output in outputs(path):
        data = output.get("data", {})
        if "image/svg+xml" in data:
            assert "".join(data["text/plain"]).strip()
            assert re.search(r'<img[^>]* alt="[^"]', "".join(data["text/html"]))


@each_notebook
def test_nothing_shown_is_fetched_from_elsewhere(path):
    for output in outputs(path):
        loads = re.findall(r"""(?:src|xlink:href)=["'](https?:[^"']*)""", shown(output))
        assert loads == []


@each_notebook
def test_an_error_is_shown_only_on_purpose(path):
    for cell in code_cells(path):
        raised = any(output["output_type"] == "error" for output in cell["outputs"])
        assert raised == ("raises-exception" in cell["metadata"].get("tags", []))


@each_notebook
def test_cells_are_short_and_the_chapter_is_not_endless(path):
    lengths = [len(cell["source"]) for cell in code_cells(path)]
    assert len(notebook(path)["cells"]) <= 60
    assert all(length <= 12 for length in lengths)
    assert not lengths or statistics.median(lengths) <= 5
