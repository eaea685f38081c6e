"""A heading with a sentence and a few buttons: what stands above a future, a crash, a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from kernelsim.widget import base

__all__ = ["Head"]


class Head(base.Widget, kind="head"):
    """Says something and offers a few things to do; without a title and text it is not there.

    :param look: "" or "alarm", how it looks.
    """

    title = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    actions: Any = traitlets.List().tag(sync=True)  # pairs: what `on_action` is told, the button
    look = traitlets.Unicode().tag(sync=True)

    def __init__(self, look: str = "") -> None:
        super().__init__(look=look)
        self.on_action: Callable[[str], None] | None = None
        self.shown = 0  # how often it stands in a page now, as far as the pages have told

    def __repr__(self) -> str:
        return ": ".join(filter(None, (self.title, self.text))) or "Head()"

    def say(self, title: str, text: str = "", actions: Sequence[tuple[str, str]] = ()) -> None:
        """Say this from now on."""
        with self.hold_sync():
            self.title, self.text, self.actions = title, text, [list(pair) for pair in actions]

    def heard(self, message: dict[str, Any]) -> None:
        """One of the buttons was used; or a page shows this, or does so no more."""
        do = message.get("do")
        if do in ("shown", "hidden"):
            self.shown = max(self.shown + (1 if do == "shown" else -1), 0)
        known = ["shown", "hidden", *(name for name, _ in self.actions)]
        if self.on_action is not None and do in known:
            self.on_action(str(do))
