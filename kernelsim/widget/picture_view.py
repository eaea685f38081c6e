"""A picture that lives: it morphs into the next one, and its nodes can be selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from kernelsim.view import Picture
from kernelsim.widget import base

__all__ = ["PictureView"]


class PictureView(base.Widget, kind="picture"):
    """Shows a picture; `selected` is the address, in hex, of the node that the reader chose.

    :param picture: what to show first; `show` shows the next one.
    """

    svg = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    summary = traitlets.Unicode().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    unfolded = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, picture: Picture | None = None, **traits: Any) -> None:
        super().__init__(**traits)
        self.picture = picture
        self.on_fold: Callable[[bool], None] | None = None
        if picture is not None:
            self.show(picture)

    def __repr__(self) -> str:
        return f"PictureView({self.picture!r})"

    def show(self, picture: Picture) -> None:
        """Show another picture: what stays moves to its new place, what is new appears."""
        self.picture = picture
        with self.hold_sync():
            self.svg, self.words, self.summary = picture.svg, picture.text, picture.summary

    def heard(self, message: dict[str, Any]) -> None:
        """A box that stands for many was opened, or the reader wants them folded again."""
        if self.on_fold is not None and message.get("do") in {"unfold", "fold"}:
            self.on_fold(message["do"] == "unfold")

    def static(self) -> dict[str, str]:
        """The picture as it is now."""
        if self.picture is None:
            return {"text/plain": repr(self)}
        return dict(self.picture._repr_mimebundle_())
