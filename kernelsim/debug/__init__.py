"""What the field's tools expect: ftrace's and strace's text, drgn's program, the changes between two times."""

from __future__ import annotations

import importlib
from typing import Any

_LAZY = {"drgn_program": "drgn", "validate_machine": "validate"}  # loaded when first asked for


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"kernelsim.debug.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'kernelsim.debug' has no attribute {name!r}")
