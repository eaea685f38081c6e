"""Tabs: which of several panes is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import traitlets

from kernelsim.widget import base

__all__ = ["Tabs"]


class Tabs(base.Widget, kind="tabs"):
    """A row of titles, of which one is chosen.

    :param titles: at least one.
    """

    titles: Any = traitlets.List().tag(sync=True)
    chosen = traitlets.Int().tag(sync=True)

    def __init__(self, titles: Sequence[str]) -> None:
        super().__init__(titles=list(titles))

    def __repr__(self) -> str:
        return f"Tabs({', '.join(self.titles)})"

    @traitlets.validate("chosen")
    def _exists(self, proposal: Any) -> int:
        return min(max(int(proposal["value"]), 0), len(self.titles) - 1)
