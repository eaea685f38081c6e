"""The command line: how JupyterLab is opened, and what a stored notebook keeps."""

import json
from pathlib import Path

import nbformat
import nbformat.v4 as nbf
import pytest

from kernelsim import __main__ as command_line

BOOK = Path("/somewhere/book")


def lab(environment, platform="linux", *, root=False):
    return command_line.lab_command(BOOK, environment, platform, root=root)


@pytest.mark.parametrize(
    ("environment", "platform", "opens"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ""}, "linux", False),
        ({}, "darwin", True),
    ],
)
def test_without_a_display_no_browser_is_opened(environment, platform, opens):
    command, _ = lab(environment, platform)
    assert ("--no-browser" not in command) == opens


@pytest.mark.parametrize("root", [True, False])
def test_root_is_allowed_when_it_is_root_that_asks(root):
    command, _ = lab({}, root=root)
    assert ("--allow-root" in command) == root


def test_the_books_settings_come_before_the_readers_own():
    _, environment = lab({"JUPYTER_CONFIG_PATH": "/mine", "HOME": "/home/me"})
    assert environment["JUPYTER_CONFIG_PATH"] == "/somewhere/book/.jupyter:/mine"
    assert environment["HOME"] == "/home/me"


def test_jupyterlab_reads_the_settings_that_keep_it_from_asking_for_news(monkeypatch, tmp_path):
    from jupyterlab_server import settings_utils

    _, environment = command_line.lab_command(command_line.BOOK, {}, "linux", root=False)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", environment["JUPYTER_CONFIG_PATH"])
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    overrides, error = settings_utils._get_overrides(str(tmp_path))
    assert error == ""
    notification = overrides["@jupyterlab/apputils-extension:notification"]
    assert (notification["fetchNews"], notification["checkForUpdates"]) == ("false", False)


def test_an_unknown_command_is_refused_by_name(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["labb"])
    assert "labb" in capsys.readouterr().err


def stored(*cells):
    notebook = command_line.normalise(nbf.new_notebook(cells=list(cells)))
    nbformat.validate(notebook)
    return notebook


def cell(*outputs, source="f()", **metadata):
    return nbf.new_code_cell(source, outputs=list(outputs), metadata=metadata, execution_count=9)


def test_of_a_widget_everything_but_the_live_view_is_kept():
    data = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "4f"},
        "text/plain": "init (1) has one child",
        "image/svg+xml": "<svg/>",
        "text/html": "<figure></figure>",
    }
    notebook = stored(cell(nbf.new_output("display_data", data=data)))
    assert set(notebook.cells[0].outputs[0].data) == set(list(data)[1:])


def test_a_widget_that_is_nothing_but_a_live_view_leaves_no_output():
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "4f"}}
    assert stored(cell(nbf.new_output("display_data", data=view))).cells[0].outputs == []


def test_addresses_are_kept():
    text = "(struct task_struct *)0xffff888000002000"
    result = nbf.new_output("execute_result", data={"text/plain": text}, execution_count=7)
    assert stored(cell(result)).cells[0].outputs[0].data["text/plain"] == text


def test_what_was_written_in_pieces_is_stored_as_one():
    pieces = [nbf.new_output("stream", name="stdout", text=text) for text in ("a\n", "b\n")]
    other = nbf.new_output("stream", name="stderr", text="!\n")
    outputs = stored(cell(*pieces, other)).cells[0].outputs
    assert [(o.name, o.text) for o in outputs] == [("stdout", "a\nb\n"), ("stderr", "!\n")]


def test_an_error_keeps_its_words_and_loses_the_paths_of_its_traceback():
    error = nbf.new_output("error", ename="Fault", evalue="NULL", traceback=["/home/me/x.py", "…"])
    assert stored(cell(error)).cells[0].outputs[0].traceback == ["Fault: NULL"]


def test_cells_are_counted_from_one_and_empty_ones_are_not():
    notebook = stored(cell(), nbf.new_markdown_cell("text"), cell(source=" \n"), cell())
    assert [c.get("execution_count") for c in notebook.cells] == [1, None, None, 2]


def test_times_go_and_tags_stay():
    notebook = stored(cell(execution={"iopub.status.busy": "2026"}, tags=["slide"]))
    assert notebook.cells[0].metadata == {"tags": ["slide"]}


def test_the_version_of_python_does_not_show():
    notebook = nbf.new_notebook(metadata={"language_info": {"name": "python", "version": "3.99"}})
    assert "3.99" not in json.dumps(command_line.normalise(notebook))


def test_running_a_notebook_twice_gives_the_same_text_and_keeps_its_ids(tmp_path):
    file = tmp_path / "two.ipynb"
    cells = [nbf.new_code_cell("print(1)", id="mine"), nbf.new_code_cell("{'b', 'a'} and 2")]
    notebook = nbf.new_notebook(cells=cells)
    del notebook.cells[1]["id"]
    file.write_text(json.dumps(notebook), encoding="utf-8")
    first = command_line.run_notebook(file)
    file.write_text(first, encoding="utf-8")
    assert command_line.run_notebook(file) == first
    assert [c["id"] for c in json.loads(first)["cells"]] == ["mine", "cell-1"]
    assert json.loads(first)["cells"][1]["outputs"][0]["data"]["text/plain"] == ["2"]


def test_check_tells_a_changed_output_and_writes_nothing(tmp_path, capsys):
    file = tmp_path / "one.ipynb"
    notebook = nbf.new_notebook(cells=[nbf.new_code_cell("6 * 7", id="sum")])
    file.write_text(json.dumps(notebook), encoding="utf-8")
    assert command_line.main(["notebooks", str(file)]) == 0
    assert command_line.main(["check", str(file)]) == 0
    wrong = file.read_text(encoding="utf-8").replace('"42"', '"41"')
    file.write_text(wrong, encoding="utf-8")
    assert command_line.main(["check", str(file)]) == 1
    said = capsys.readouterr().out
    assert '-       "41"' in said
    assert '+       "42"' in said
    assert file.read_text(encoding="utf-8") == wrong
