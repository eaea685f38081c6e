"""What all widgets share: their scripts, a stable repr, and what a page without a kernel shows."""

from __future__ import annotations

import html
from typing import Any, ClassVar

import anywidget

from kernelsim.widget import scripts

__all__ = ["Widget", "bundle", "paragraphs"]


class Widget(anywidget.AnyWidget):
    """A widget drawn by the part of the front end that its class names: ``front/KIND.js``."""

    kind: ClassVar[str]

    def __init_subclass__(cls, kind: str = "", **options: Any) -> None:
        if kind:
            cls.kind = kind
            cls._esm, cls._css = scripts.script(kind), scripts.style(kind)
        super().__init_subclass__(**options)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def heard(self, message: dict[str, Any]) -> None:
        """Do what the reader asked for in the browser; `message["do"]` names it."""

    def _hear(self, _widget: Any, message: Any, _buffers: Any) -> None:
        if isinstance(message, dict) and isinstance(message.get("do"), str):
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
