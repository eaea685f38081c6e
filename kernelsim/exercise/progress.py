"""What a reader has answered: a file beside the notebooks, and nothing anywhere else.

    ks.exercise.progress.show()                  # what was answered, and what comes back when
    ks.exercise.progress.export("progress.csv")  # or .json, .md
    ks.exercise.progress.reset()                 # begin afresh; the old file is kept beside

Only an answer that a reader commits on a page is written (`kernelsim.widget.Predict`).  A question
comes back after some days (`DAYS`): each time it is answered rightly later, after a wrong answer
the next day.  What is shown here hangs on the day and the reader, and so belongs in no stored
output.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.exercise import bank

if TYPE_CHECKING:
    from kernelsim.exercise.question import AnyQuestion, Verdict

__all__ = ["DAYS", "NAME", "Progress", "Record", "due", "export", "here", "reset", "show"]

NAME = "kernelsim-progress.json"
LONGEST = 1000  # characters of an answer
FORMAT, VERSION = "kernelsim progress", 1
DAYS = (1, 3, 7, 21)
"""After so many days a question comes back: the first after a wrong answer, then one further
each time."""


class Record(NamedTuple):
    """What a reader has answered to one question."""

    key: str
    name: str
    prompt: str
    tries: tuple[dict[str, Any], ...]  # answer, correct, sure, why, date; the oldest first

    @property
    def last(self) -> dict[str, Any]:
        """The last try."""
        return self.tries[-1]

    @property
    def due(self) -> dt.date:
        """The day from which the question is to be asked again."""
        return due(self.tries)


def due(tries: Iterable[dict[str, Any]]) -> dt.date:
    """Return the day on which a question comes back after these tries.

    A right answer on the day it was due, or later, takes it one step further in `DAYS`; a right
    guess leaves it where it is; a wrong answer takes it back to the first.
    """
    step, back = 0, None
    for one in tries:
        day = dt.date.fromisoformat(one["date"])
        if not one["correct"]:
            step = 0
        elif back is not None and day < back:
            continue  # asked again too early: this proves nothing
        elif one["sure"] != "guess":
            step = min(step + 1, len(DAYS) - 1)
        back = day + dt.timedelta(DAYS[step])
    if back is None:
        raise ValueError("a question that was never tried is not due")
    return back


class Progress:
    """The progress in one file.

    :param path: the file; it is made by the first answer.
    :param today: says which day it is.
    """

    def __init__(self, path: str | Path, today: Callable[[], dt.date] = dt.date.today) -> None:
        self.path, self.today = Path(path), today
        self._kept: dict[str, Any] = {}  # what could not be written
        self._told = False

    def __repr__(self) -> str:
        return f"Progress({self.path.name!r})"

    def records(self) -> list[Record]:
        """Return what was answered, in the order of the first answers."""
        stored, _ = self._load()
        return [
            Record(key, one["name"], one["prompt"], tuple(one["tries"]))
            for key, one in stored.items()
        ]

    def add(self, question: AnyQuestion, verdict: Verdict, *, why: str = "", sure: str = "") -> str:
        """Keep what was answered; return what the reader has to be told of that, mostly nothing."""
        records, trouble = self._load()
        record = records.setdefault(
            question.key, {"name": question.name, "prompt": _storable(question.prompt), "tries": []}
        )
        tried = {
            "date": self.today().isoformat(),
            "answer": _storable(verdict.said),
            "correct": verdict.correct,
            "sure": _storable(sure),
            "why": _storable(why),
        }
        record["tries"].append(tried)
        try:
            aside = self._aside() if trouble else ""
            _write(self.path, json.dumps(_file(records), ensure_ascii=False, indent=1) + "\n")
            self._kept = {}
        except OSError as error:
            self._kept = records
            return self._once(f"Your progress is not kept: {error.strerror or error}.")
        return f"{trouble} It is kept as {aside}, and a new one begins." if aside else ""

    # Say so the first time only: nobody can do anything about a folder that cannot be written.
    def _once(self, notice: str) -> str:
        told, self._told = self._told, True
        return "" if told else notice

    # The records by key, and what is wrong with the file.
    def _load(self) -> tuple[dict[str, Any], str]:
        if self._kept:
            return dict(self._kept), ""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}, ""
        except (OSError, ValueError) as error:
            return {}, f"{self.path.name} cannot be read ({error})."
        return _records(text, self.path.name)

    # Put a file that is none of ours out of the way; return its new name.
    def _aside(self) -> str:
        if not self.path.exists():
            return ""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.kept-{number}")).exists():
            number += 1
        self.path.rename(aside)
        return aside.name

    def show(self) -> str:
        """Return what was answered, as text: right of tried, and what comes back when."""
        records, (_, trouble) = self.records(), self._load()
        if not records:
            return f"{trouble} Nothing has been answered yet.".strip()
        right = sum(record.last["correct"] for record in records)
        rows = [_row(record) for record in records]
        lines = [f"{right} of {len(records)} questions answered rightly, at the last try.", ""]
        return "\n".join([*filter(None, [trouble]), *lines, *_columns([_HEAD, *rows])])

    def reset(self) -> str:
        """Begin afresh; the old file is kept under another name, which is said."""
        self._kept = {}
        aside = self._aside()
        return f"The old progress is kept as {aside}." if aside else "There was no progress yet."

    def export(self, path: str | Path) -> Path:
        """Write what was answered: ``.json``, ``.csv`` or ``.md``, by the file's suffix."""
        path = Path(path)
        if path.suffix not in _WAYS:
            raise ValueError(f"progress is exported as .json, .csv or .md, not {path.suffix!r}")
        if path.resolve() == self.path.resolve():
            raise ValueError(f"{path.name} is the progress itself: give another name")
        _write(path, _WAYS[path.suffix](self.records()))
        return path


def here() -> Progress:
    """Return the progress in the folder of the notebook that runs."""
    path = Path.cwd() / NAME
    return _known.setdefault(path, Progress(path))


_known: dict[Path, Progress] = {}


class _Words(str):
    # A text that a notebook shows as it is.
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def show() -> str:
    """Return what was answered in this folder's notebooks, and what comes back when."""
    return _Words(here().show())


def reset() -> str:
    """Begin afresh in this folder; the old file is kept under another name, which is said."""
    return _Words(here().reset())


def export(path: str | Path) -> Path:
    """Write what was answered in this folder: ``.json``, ``.csv`` or ``.md``, by the suffix."""
    return here().export(path)


# ── The file ────────────────────────────────────────────────────────────────────────────────────


def _file(records: dict[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "records": records}


# The records in a file's text, and what is wrong with it.
def _records(text: str, name: str) -> tuple[dict[str, Any], str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}, f"{name} is broken: it is no JSON."
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        return {}, f"{name} is not a file of progress."
    if found.get("version") != VERSION:
        return {}, f"{name} was made by another version of kernelsim."
    records = found.get("records")
    if not isinstance(records, dict) or not all(map(_is_record, records.values())):
        return {}, f"{name} is broken: something is missing in it."
    return records, ""


_TYPES = {"date": str, "answer": str, "correct": bool, "sure": str, "why": str}


def _is_record(one: Any) -> bool:
    if not isinstance(one, dict):
        return False
    tries = one.get("tries")
    named = isinstance(one.get("name"), str) and isinstance(one.get("prompt"), str)
    return named and isinstance(tries, list) and bool(tries) and all(map(_is_try, tries))


def _is_try(one: Any) -> bool:
    if not isinstance(one, dict):
        return False
    if not all(isinstance(one.get(name), kind) for name, kind in _TYPES.items()):
        return False
    try:
        dt.date.fromisoformat(one["date"])
    except ValueError:
        return False
    return True


# Text that can be written: not too long, and no half of a surrogate pair.
def _storable(text: str) -> str:
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8")


# Write a file whole or not at all.
def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        new.chmod(0o644)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────

_HEAD = ["question", "tries", "last answer", "", "how sure", "on", "comes back"]
_MOST = 48  # characters of a cell on the screen


def _row(record: Record) -> list[str]:
    last = record.last
    return [
        record.name or record.prompt,
        str(len(record.tries)),
        last["answer"],
        "right" if last["correct"] else "wrong",
        last["sure"],
        last["date"],
        record.due.isoformat() if record.name in bank.names() else "",  # others come once
    ]


def _columns(rows: list[list[str]]) -> list[str]:
    cells = [[_short(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"


def _as_json(records: list[Record]) -> str:
    rows = [{**record._asdict(), "due": record.due.isoformat()} for record in records]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


_FIELDS = ("name", "prompt", "date", "answer", "correct", "sure", "why")


# One row for each try.
def _tries(records: list[Record]) -> list[list[str]]:
    return [
        [record.name, record.prompt, *(str(one[field]) for field in _FIELDS[2:])]
        for record in records
        for one in record.tries
    ]


def _as_csv(records: list[Record]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([_FIELDS, *([_harmless(cell) for cell in row] for row in _tries(records))])
    return out.getvalue()


# A text that a spreadsheet would take for a formula is marked as text.
def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _as_markdown(records: list[Record]) -> str:
    def line(cells: Iterable[str]) -> str:
        plain = (" ".join(cell.split()).replace("\\", "\\\\").replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(plain)} |"

    rows = [line(_FIELDS), "|" + "---|" * len(_FIELDS), *map(line, _tries(records))]
    return "\n".join(rows) + "\n"


_WAYS: dict[str, Callable[[list[Record]], str]] = {
    ".json": _as_json,
    ".csv": _as_csv,
    ".md": _as_markdown,
}
