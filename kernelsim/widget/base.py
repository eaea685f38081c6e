"""What all widgets share: the script, a stable repr, and what a page without a kernel shows."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import anywidget
import traitlets

__all__ = ["Widget", "bundle", "paragraphs"]

HERE = Path(__file__).parent


class Widget(anywidget.AnyWidget):
    """A widget drawn by `widget.js`; `kind` says by which of its functions."""

    _esm = HERE / "widget.js"
    _css = HERE / "widget.css"
    kind = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def heard(self, message: dict[str, Any]) -> None:
        """Do what the reader asked for in the browser; `message["do"]` names it."""

    def _hear(self, _widget: Any, message: Any, _buffers: Any) -> None:
        if isinstance(message, dict):
            self.heard(message)

    def static(self) -> dict[str, str]:
        """What is shown where no kernel runs, by MIME type."""
        return {"text/plain": repr(self)}

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return bundle(super()._repr_mimebundle_(**options), self.static())


def bundle(live: Any, static: dict[str, str]) -> Any:
    """The live widget's MIME bundle, with what is shown where no kernel runs."""
    if live is None:
        return static
    data, metadata = live if isinstance(live, tuple) else (live, {})
    return {**data, **static}, metadata


def paragraphs(*lines: str) -> str:
    """Lines of text as HTML paragraphs."""
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)
