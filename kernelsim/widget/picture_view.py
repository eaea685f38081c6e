"""A picture that lives: it morphs into the next one, and its nodes can be selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from kernelsim.view import Picture
from kernelsim.widget import base

__all__ = ["PictureView"]

LONGEST = 100  # characters of what is looked for


class PictureView(base.Widget, kind="picture"):
    """Shows a picture; `selected` is the address, in hex, of the node that the reader chose.

    `on_fold(more)` is called when the reader opens a box that stands for many (`opened`: the
    addresses of those in it), or wants all folded again; `on_find(text)` when what was looked for is
    not in the picture: it shows it and answers with a sentence (set `finds`, too).

    :param picture: what to show first; `show` shows the next one.
    """

    svg = traitlets.Unicode().tag(sync=True)
    words = traitlets.Unicode().tag(sync=True)
    summary = traitlets.Unicode().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    unfolded = traitlets.Bool(default_value=False).tag(sync=True)
    differs: Any = traitlets.List().tag(sync=True)  # addresses in hex: otherwise in another picture
    finds = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, picture: Picture | None = None, **traits: Any) -> None:
        super().__init__(**traits)
        self.picture = picture
        self.on_fold: Callable[[bool], None] | None = None
        self.on_find: Callable[[str], str] | None = None
        self.opened: tuple[int, ...] = ()
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
        """A box was opened, all are to be folded again, or something is looked for."""
        do, text = message.get("do"), message.get("text")
        if self.on_fold is not None and do in {"unfold", "fold"}:
            self.opened = self._hidden(message.get("box"))
            self.on_fold(do == "unfold")
            self.opened = ()
        elif self.on_find is not None and do == "find" and isinstance(text, str):
            self.send({"said": self.on_find(text[:LONGEST])})

    # What the box of that name stands for.
    def _hidden(self, box: object) -> tuple[int, ...]:
        nodes = () if self.picture is None else self.picture.nodes
        return next((node.hides for node in nodes if node.id == box), ())

    def static(self) -> dict[str, str]:
        """The picture as it is now."""
        if self.picture is None:
            return {"text/plain": repr(self)}
        return dict(self.picture._repr_mimebundle_())
