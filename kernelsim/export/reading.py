"""Reading a notebook: from a file to a notebook whose cells all have names, or a clear error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ExportError", "read", "with_ids"]


class ExportError(Exception):
    """What keeps a notebook from being exported, in words for whoever asked for it."""


def read(path: Path) -> Any:
    """Return the notebook in a file.

    :raises ExportError: there is none, or it cannot be read as one.
    """
    import nbformat

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ExportError(f"there is no notebook {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} cannot be read: {error}") from error
    try:
        notebook = nbformat.reads(with_ids(text), as_version=4)
        nbformat.validate(notebook)
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        why = str(error).strip().partition("\n")[0]
        raise ExportError(f"{path} is not a notebook of Jupyter's format 4: {why}") from error
    return notebook


def with_ids(text: str) -> str:
    """Give each cell of a notebook's text a name: its own or, if that is none or another's, its position."""
    notebook = json.loads(text)
    seen: set[str] = set()
    for position, cell in enumerate(notebook["cells"]):
        if cell.get("id", "") in seen | {""}:
            cell["id"] = f"cell-{position}"
        seen.add(cell["id"])
    notebook["nbformat_minor"] = 5
    return json.dumps(notebook)
