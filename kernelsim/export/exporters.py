"""nbconvert's exporters with our templates: one notebook to a page, one to a deck of slides.

What is put into the templates besides the cells stands in ``resources["kernelsim"]``: the style,
the scripts, the title, and where links lead.  Nothing in it depends on the day or the machine.
"""

from __future__ import annotations

import base64
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import nbconvert
from nbconvert import preprocessors

from kernelsim.export import markup
from kernelsim.widget import scripts

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Surroundings", "deck", "has_slides", "page"]

_HERE = Path(__file__).parent
_SHOWN = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown"]
_SHOWN += ["text/latex", "text/plain"]
# The browser itself is told to load nothing but what the file holds; the speaker's window shows the
# deck in frames.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; media-src data:"
)
_POLICIES = {"page": _POLICY, "deck": f"{_POLICY}; frame-src *"}
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_WIDGET = re.compile(r"\bwidget\.[A-Za-z]\w*\(")
_ALIVE = "data-kernelsim="


@dataclass
class Surroundings:
    """What a page or deck says of itself and of the others that it is exported with."""

    title: str
    notebook: str
    link: Callable[[str], str | None]
    more: dict[str, Any] = field(default_factory=dict)


def page(notebook: Any, around: Surroundings) -> str:
    """Return the notebook as an HTML page that needs no other file.

    :raises reading.ExportError: something in the notebook would be loaded from elsewhere.
    """
    return _export(nbconvert.HTMLExporter, "page", notebook, around)


def deck(notebook: Any, around: Surroundings) -> str:
    """Return the notebook's slides as an HTML file that needs no other; it must have some.

    :raises reading.ExportError: something in the notebook would be loaded from elsewhere.
    """
    return _export(nbconvert.SlidesExporter, "deck", notebook, around)


def has_slides(notebook: Any) -> bool:
    """True if a cell begins a slide; the others belong to the slide before them, or to none."""
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type", "-") for cell in notebook.cells]
    return bool({"slide", "subslide"} & set(kinds))


def _export(kind: Any, name: str, notebook: Any, around: Surroundings) -> str:
    exporter = kind(
        template_name=name,
        extra_template_basedirs=[str(_HERE / "templates")],
        extra_template_paths=[str(_HERE / "templates")],
        exclude_anchor_links=True,
        embed_images=True,
        preprocessors=[_Marks],
        filters={"prose": _prose(around.link), "shown": _shown},
    )
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    resources = {
        "metadata": {"name": around.notebook, "path": str(around.more.get("folder", ""))},
        "kernelsim": {
            "title": around.title,
            "notebook": around.notebook,
            "policy": _POLICIES[name],
            "style": _style(name),
            "script": _script(name),
            "first": _text("look.js"),
            **around.more,
        },
    }
    html, _ = exporter.from_notebook_node(notebook, resources)
    markup.refuse_requests(html, around.notebook)
    return html


# ── Cells ───────────────────────────────────────────────────────────────────────────────────────


class _Marks(preprocessors.Preprocessor):
    # Says of each cell whether it makes a widget and whether that sleeps here; live views go.

    enabled = True

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Any:
        live = False
        for output in cell.get("outputs", ()):
            if "data" in output:
                live |= _WIDGET_VIEW in output.data
                for kind in set(output.data) - set(_SHOWN):
                    del output.data[kind]
                output["kernelsim_cell"] = cell.id
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
        widget = bool(cell.get("outputs")) and (live or bool(_WIDGET.search(cell.source)))
        alive = any(_ALIVE in str(output) for output in cell.get("outputs", ()))
        cell.metadata["kernelsim"] = {"widget": widget, "asleep": widget and not alive}
        return cell, resources


# The filter for text cells: nbconvert's own Markdown, then ours.
def _prose(link: Callable[[str], str | None]) -> Any:
    @jinja2.pass_context
    def filter_(context: Any, source: str) -> str:
        html = context.environment.filters["markdown2html"](context, source)
        return markup.prose(str(html), link)

    return filter_


# The filter for outputs that are HTML or a drawing.
def _shown(result: Any) -> str:
    words = str(result.data.get("text/plain", ""))
    if "text/html" in result.data:
        html = str(result.data["text/html"])
    else:
        drawing = base64.b64encode(str(result.data["image/svg+xml"]).encode()).decode()
        html = f'<figure><img src="data:image/svg+xml;base64,{drawing}"></figure>'
    return markup.output(html, words, str(result.get("kernelsim_cell", "")))


# ── Styles and scripts ──────────────────────────────────────────────────────────────────────────


@functools.cache
def _style(name: str) -> str:
    vendored = [_text("reveal.css", "reveal")] if name == "deck" else []
    own = [_text("common.css"), _text(f"{name}.css")]
    return "\n".join([*vendored, scripts.page()[1], *own])


@functools.cache
def _script(name: str) -> str:
    vendored = [_text(f"{part}.js", "reveal") for part in ("reveal", "notes")]
    own = [scripts.page()[0], _text("switch.js"), _text(f"{name}.js")]
    return "\n".join([*(vendored if name == "deck" else []), *own])


def _text(file: str, folder: str = "front") -> str:
    return (_HERE / folder / file).read_text(encoding="utf-8")
