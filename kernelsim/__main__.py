"""The command line: open the book, re-run its notebooks, compare them, export them.

A notebook is stored as a fresh kernel leaves it, less everything that would differ from one run
or one machine to the next (`normalise`).  So running it again must give the same bytes, and
`check` compares bytes.  `export` makes pages and slides of what is stored and runs nothing.
"""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["lab_command", "main", "normalise", "run_notebook"]

BOOK = Path(__file__).resolve().parent.parent / "book"
CELL_TIMEOUT = 60  # seconds; a whole chapter is to take less than twenty
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# What the kernel says about itself differs from one Python to the next; this does not.
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m kernelsim", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "lab", help="open JupyterLab on the book (further options go to it)", add_help=False
    )
    for name, what in (
        ("notebooks", "run the notebooks and store their outputs"),
        ("check", "run the notebooks and compare with what is stored"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("files", nargs="*", type=Path, help="default: all of the book")
    _add_export(commands)
    _add_sheet(commands)
    options, rest = parser.parse_known_args(arguments)
    if options.command == "lab":
        _lab(rest)
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    if options.command == "sheet":
        return _sheet(options)
    files = options.files or sorted(BOOK.glob("*.ipynb"))
    if options.command == "export":
        return _export(files, options.output, options.to)
    return _notebooks(files, options.command == "notebooks")


# ── JupyterLab ──────────────────────────────────────────────────────────────────────────────────


def lab_command(
    book: Path, environment: Mapping[str, str], platform: str, *, root: bool
) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment that open JupyterLab on `book`.

    As root JupyterLab must be told that this is meant; without a display it only prints its
    address; and it asks nobody for news or extensions, for the book needs no network.
    """
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={book}",
        "--LabApp.default_url=/lab/tree/index.ipynb",
        "--LabApp.extension_manager=readonly",
    ]
    if root:
        command.append("--allow-root")
    if platform == "linux" and not (
        environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    ):
        command.append("--no-browser")
    paths = [str(book / ".jupyter"), environment.get("JUPYTER_CONFIG_PATH", "")]
    return command, {**environment, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


# Become JupyterLab, so that its signals and its exit status are ours.
def _lab(rest: Sequence[str]) -> NoReturn:
    if not BOOK.is_dir():
        sys.exit(f"there is no book at {BOOK}: run this in a clone of the project")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    command, environment = lab_command(BOOK, os.environ, sys.platform, root=root)
    os.execve(command[0], [*command, *rest], environment)  # noqa: S606 (no shell is wanted)


# ── Export ──────────────────────────────────────────────────────────────────────────────────────


# What `export` understands.
def _add_export(commands: Any) -> None:
    command = commands.add_parser("export", help="make pages and slides that need no network")
    command.add_argument(
        "files", nargs="*", type=Path, metavar="NOTEBOOK", help="default: all of the book"
    )
    command.add_argument("--to", choices=["html", "slides"], help="default: both")
    command.add_argument(
        "--output", type=Path, default=Path("site"), metavar="DIR", help="default: site/"
    )


# Write pages, slides or both, or say why not.
def _export(files: Sequence[Path], output: Path, kind: str | None) -> int:
    from kernelsim.export import reading, site

    try:
        written = site.export(files, output, [kind] if kind else [site.HTML, site.SLIDES])
    except reading.ExportError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path)
    return 0


# ── Sheets ──────────────────────────────────────────────────────────────────────────────────────


# What `sheet` understands.
def _add_sheet(commands: Any) -> None:
    command = commands.add_parser("sheet", help="print drills on paper, with a key")
    command.add_argument(
        "--topic", action="append", default=[], metavar="NAME", help="may come again; default: all"
    )
    command.add_argument("--level", type=int, default=1, metavar="N", help="1 to 3, default: 1")
    command.add_argument("--count", type=int, default=10, metavar="N", help="default: 10")
    command.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
    command.add_argument(
        "--output", type=Path, default=Path("sheet"), metavar="DIR", help="default: sheet/"
    )
    command.add_argument("--force", action="store_true", help="write over what is there")


# Write a sheet and its key, or say why not.
def _sheet(options: argparse.Namespace) -> int:
    from kernelsim import exercise

    try:
        made = exercise.sheet(options.topic, options.level, options.count, options.seed)
        written = made.save(options.output, force=options.force)
    except FileExistsError as error:
        print(f"sheet: {error} (--force writes over it)", file=sys.stderr)
        return 1
    except (LookupError, ValueError, OSError) as error:
        print(f"sheet: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path)
    return 0


# ── Notebooks ───────────────────────────────────────────────────────────────────────────────────


# Run each file; write it back, or say where it would differ.
def _notebooks(files: Sequence[Path], write: bool) -> int:
    status = 0
    for file in files:
        stored = file.read_text(encoding="utf-8")
        fresh = run_notebook(file)
        if fresh == stored:
            print(f"{file.name}: unchanged")
        elif write:
            file.write_text(fresh, encoding="utf-8", newline="\n")
            print(f"{file.name}: written")
        else:
            status = 1
            print(f"{file.name}: differs from what is stored")
            print("\n".join(_difference(stored, fresh)))
    return status


def run_notebook(file: Path) -> str:
    """Run the notebook in a fresh kernel, in its own folder, and return its normalised text.

    The first cell that raises without the tag `raises-exception` raises CellExecutionError here.
    """
    import nbclient
    import nbformat

    from kernelsim.export import reading

    notebook = nbformat.reads(reading.with_ids(file.read_text(encoding="utf-8")), as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(file.parent.resolve())}},
    )
    manager = client.create_kernel_manager()
    with tempfile.TemporaryDirectory() as folder:
        if os.name == "posix":  # sockets in a folder of our own, no port on the network
            manager.transport = "ipc"
            manager.connection_file = str(Path(folder, "kernel.json"))
        # The reader's own IPython profile must not show in the book.
        client.execute(env={**os.environ, "IPYTHONDIR": folder, "TZ": "UTC"})
    return nbformat.writes(normalise(notebook)) + "\n"


def normalise(notebook: Any) -> Any:
    """Take out of an executed notebook all that another run or machine would make different.

    Widget views and their state go (a saved view without its kernel hides the picture), and so
    do times, the Python's version and tracebacks, which name files; text, HTML and SVG stay as
    they are, addresses included.  The notebook is changed in place and returned.
    """
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    metadata = notebook["metadata"]
    metadata.pop("widgets", None)
    metadata["language_info"] = dict(LANGUAGE)
    metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    count = 0
    for cell in notebook["cells"]:
        for key in ("ExecuteTime", "collapsed", "execution", "scrolled", "trusted"):
            cell["metadata"].pop(key, None)
        if cell["cell_type"] == "code":
            ran = bool("".join(cell["source"]).strip())
            count += ran
            cell["execution_count"] = count if ran else None
            cell["outputs"] = list(_outputs(cell["outputs"], count))
    return notebook


# The outputs of one cell: neighbouring texts of one stream as one, whatever chunks they came in.
def _outputs(outputs: Sequence[Any], count: int) -> Iterator[Any]:
    stream: Any = None
    for output in outputs:
        if output["output_type"] == "stream":
            if stream is not None and stream["name"] == output["name"]:
                stream["text"] += output["text"]
                continue
            stream = output
        else:
            stream = None
            if not _clean(output, count):
                continue
        yield output


# Clean one output that is not a stream; false if nothing is left of it.
def _clean(output: Any, count: int) -> bool:
    if output["output_type"] == "error":
        output["traceback"] = [f"{output['ename']}: {output['evalue']}"]
        return True
    if output["output_type"] == "execute_result":
        output["execution_count"] = count
    output["data"].pop(WIDGET_VIEW, None)
    output["metadata"].pop(WIDGET_VIEW, None)
    return bool(output["data"])


# The first lines of a unified diff, long lines (pictures) cut short.
def _difference(stored: str, fresh: str, lines: int = 40, width: int = 200) -> Iterator[str]:
    changes = difflib.unified_diff(
        stored.splitlines(), fresh.splitlines(), "stored", "fresh", lineterm="", n=1
    )
    for number, line in enumerate(changes):
        if number == lines:
            yield "…"
            return
        yield line if len(line) <= width else line[:width] + "…"


if __name__ == "__main__":
    sys.exit(main())
