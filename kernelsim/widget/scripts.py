"""The front end's script and style for each widget: the parts that it needs, joined into one text.

The parts in ``front/`` are plain ES modules that import each other by name.  A widget's script is
sent with every instance and has to stand alone, and so has the one of a static page (a page opened
from a file may load no modules); so the parts are put one after another and their imports left
out.  Nothing is compiled, renamed or squeezed: what runs is what stands in the parts.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

__all__ = ["page", "parts", "script", "style"]

FRONT = Path(__file__).parent / "front"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_COMMENT = re.compile(r"^/\*(?s:.*?)\*/\n|^ *//.*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |function |const |class )", re.MULTILINE)


def parts(name: str) -> tuple[str, ...]:
    """Return the parts that part `name` needs, itself last, each after those that it imports."""
    found: dict[str, None] = {}

    def collect(part: str) -> None:
        for needed in _IMPORT.findall(_text(f"{part}.js")):
            if needed not in found:
                collect(needed)
        found[part] = None

    collect(name)
    return tuple(found)


@functools.cache
def script(kind: str) -> str:
    """Return the ES module of the widgets of a kind: no imports, its default export as anywidget wants it."""
    return f'{_joined(kind)}\nexport default widget("{kind}", {kind});\n'


@functools.cache
def style(kind: str) -> str:
    """Return the style sheet of the widgets of a kind."""
    return "".join(_text(f"{part}.css") for part in parts(kind))


@functools.cache
def page() -> tuple[str, str]:
    """Return the script and the style that bring the figures of a static page to life.

    Both are to stand inline in the page, the script in a plain ``<script>`` behind the figures or
    before them: it waits until the page is there.
    """
    return f"(() => {{\n{_joined('page')}\nwhenReady(upgradeAll);\n}})();\n", style("page")


def _joined(name: str) -> str:
    texts = (_text(f"{part}.js") for part in parts(name))
    plain = (_COMMENT.sub("", _IMPORT.sub("", text)) for text in texts)
    return "".join(_EXPORT.sub("", text).lstrip("\n") for text in plain)


# The text of a file of the front end; a part may do without a style.
def _text(file: str) -> str:
    path = FRONT / file
    return path.read_text(encoding="utf-8") if path.exists() else ""
