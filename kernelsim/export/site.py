"""Exporting several notebooks at once: names, links between them, and writing all or nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from kernelsim.export import exporters, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["HTML", "SLIDES", "export", "title_of"]

HTML, SLIDES = "html", "slides"
_SUFFIX = {HTML: ".html", SLIDES: ".slides.html"}
HOME = "index"


def export(
    files: Sequence[Path], output: Path, kinds: Sequence[str] = (HTML, SLIDES)
) -> list[Path]:
    """Write each notebook to the folder `output`, as a page, a deck of slides, or both.

    A notebook without slides gets no deck.  Nothing is written before everything has been made.

    :returns: what was written, in order.
    :raises reading.ExportError: a notebook is missing or broken, or there is nothing to write.
    """
    _look_at(files, output)
    notebooks = {file: reading.read(file) for file in files}
    made: dict[Path, str] = {}
    wanted = {
        kind: {f.stem for f, nb in notebooks.items() if kind == HTML or exporters.has_slides(nb)}
        for kind in kinds
    }
    run = _Run(notebooks, output, wanted)
    for kind in kinds:
        for file in files:
            if file.stem in wanted[kind]:
                made[output / f"{file.stem}{_SUFFIX[kind]}"] = run.make(file, kind)
    if not made:
        raise reading.ExportError("no cell of these notebooks begins a slide: there is no deck")
    try:
        _write(made, output)
    except OSError as error:
        raise reading.ExportError(f"{output} cannot be written to: {error}") from error
    return list(made)


def title_of(notebook: Any, name: str) -> str:
    """The notebook's first heading in plain words; else the title in its metadata, else its name."""
    for cell in notebook.cells:
        lines = cell.source.splitlines() if cell.cell_type == "markdown" else []
        for line in lines:
            if line.startswith("# "):
                return line.removeprefix("# ").replace("`", "").strip()
    return str(notebook.metadata.get("title", name))


# Refuse what cannot end well before any notebook is read.
def _look_at(files: Sequence[Path], output: Path) -> None:
    if not files:
        raise reading.ExportError("there is no notebook to export")
    seen: dict[str, Path] = {}
    for file in files:
        other = seen.setdefault(file.stem, file)
        if other is not file:
            raise reading.ExportError(f"{other} and {file} would be written to the same file")
    for folder in (output, *output.parents):
        if folder.exists() and not folder.is_dir():
            raise reading.ExportError(f"{folder} is a file; a folder is wanted for the export")


class _Run:
    # What is exported together: who is before whom, and which links lead somewhere.

    def __init__(
        self, notebooks: dict[Path, Any], output: Path, wanted: dict[str, set[str]]
    ) -> None:
        self.notebooks, self.output, self.wanted = notebooks, output, wanted
        self.titles = {file.stem: title_of(nb, file.stem) for file, nb in notebooks.items()}
        self.order = [file.stem for file in notebooks if file.stem != HOME]

    def make(self, file: Path, kind: str) -> str:
        name = file.stem
        more: dict[str, Any] = {"folder": file.parent.resolve()}
        if kind == HTML:
            more |= self._neighbours(name)
            more["contents"] = _contents(self.notebooks[file])
        more["page"] = f"{quote(name)}.html" if self._has_page(name) else None
        around = exporters.Surroundings(self.titles[name], file.name, self._link(name, kind), more)
        made = exporters.page if kind == HTML else exporters.deck
        return made(self.notebooks[file], around)

    def _neighbours(self, name: str) -> dict[str, Any]:
        at = self.order.index(name) if name in self.order else -1
        before = self.order[at - 1] if at > 0 else None
        after = self.order[at + 1] if at + 1 < len(self.order) else None
        home = HOME if name != HOME and self._has_page(HOME) else None
        neighbours = {"before": before or home, "after": after, "home": home}
        has_deck = name in self.wanted.get(SLIDES, ())
        entries = {
            role: {"href": f"{quote(other)}.html", "title": self.titles.get(other, "The book")}
            for role, other in neighbours.items()
            if other
        }
        return {**entries, "deck": f"{quote(name)}.slides.html" if has_deck else None}

    # A page is there if it is being made, or was made before.
    def _has_page(self, name: str) -> bool:
        return name in self.wanted.get(HTML, ()) or (self.output / f"{name}.html").exists()

    # Where a link leads from a page or deck: to another notebook's page if there is one.
    def _link(self, name: str, kind: str) -> Callable[[str], str | None]:
        def link(address: str) -> str | None:
            path, hash_, place = address.partition("#")
            if "://" in path or not unquote(path).endswith(".ipynb"):
                return address
            target = unquote(path).removesuffix(".ipynb")
            if kind == HTML and target == name:
                return f"#{place}"
            return f"{quote(target)}.html{hash_}{place}" if self._has_page(target) else None

        return link


def _contents(notebook: Any) -> list[dict[str, str]]:
    entries = []
    for cell in notebook.cells:
        lines = cell.source.splitlines() if cell.cell_type == "markdown" else []
        heading = next((line for line in lines if line.startswith("## ")), None)
        if heading:
            title = heading.removeprefix("## ").replace("`", "").strip()
            entries.append({"id": f"cell-id={cell.id}", "title": title})
    return entries


# Write all files under other names, and only then give each its own: whoever reads one has the
# old one or the new one, and a full disk costs none.
def _write(made: dict[Path, str], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".export-") as folder:
        for path, text in made.items():
            Path(folder, path.name).write_text(text, encoding="utf-8", newline="\n")
        for path in made:
            Path(folder, path.name).replace(path)
