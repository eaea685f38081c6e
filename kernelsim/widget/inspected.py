"""What an inspector shows of one structure, as plain values: for the script, and for a page without one.

Everything here is a pure function of the rows that `kernelsim.debug.fields` reads from memory.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

from kernelsim.debug import containers, definitions, holders
from kernelsim.debug.fields import Row, type_text
from kernelsim.debug.holders import Count
from kernelsim.include.linux.sched import task_struct
from kernelsim.view import Field, Picture, PictureBuilder

__all__ = ["Inspected", "contain", "plain", "subtraction"]

MOST_DRAWN = 24  # rows in a picture
# Members of task_struct by which one knows a task, and that lead to what it has.
TELLING = {
    *("state", "flags", "tasks", "mm", "exit_state", "exit_code", "pid", "tgid", "real_parent"),
    *("children", "sibling", "thread_pid", "cred", "comm", "fs", "files", "nsproxy", "signal"),
    *("sighand", "usage", "union"),
}


@dataclass(slots=True)
class Inspected:
    """A structure as it is at one moment; `rows` are empty where there is nothing to be read."""

    type: Any = None
    address: int = 0
    words: str = ""
    banner: str = ""
    moment: str = ""
    data: bytes = b""
    rows: list[Row] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    counted: bool = True  # False: the holders would take long to find, and were not asked for
    freed: bool = False

    @property
    def title(self) -> str:
        """The C type and what it is: ``struct task_struct, task 3 (bash)``."""
        if self.type is None:
            return "nothing"
        return f"{type_text(self.type)}, {self.words}"

    def top(self) -> list[Row]:
        """The rows of the structure itself, not those inside its members, and no padding."""
        return [row for row in self.rows if row.depth == 0 and row.kind != "gap"]

    def text(self) -> str:
        """The table as text: one line for each member."""
        if not self.rows:
            return self.banner
        lines = [f"{self.title} at {self.address:#018x}, {len(self.data)} bytes"]
        lines += [self.moment] if self.moment else []
        lines += [self.banner] if self.banner else []
        rows = [row for row in self.rows if row.depth == 0]
        names, types = (max(len(c) for c in col) for col in zip(*map(_pair, rows), strict=True))
        lines += [_line(row, min(names, 24), min(types, 24)) for row in rows]
        lines += [f"{c.member} = {c.value}: {c.words()}" for c in self.counts]
        return "\n".join(lines)

    def html(self) -> str:
        """The table as HTML, every text escaped."""
        if not self.rows:
            return f"<p>{html.escape(self.banner)}</p>"
        head = "".join(f"<th>{n}</th>" for n in ("offset", "size", "member", "type", "value", ""))
        body = "".join(_html_row(row) for row in self.rows if row.depth == 0)
        return (
            f"<details><summary>All members of {html.escape(self.title)}</summary>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details>"
        )

    def picture(self) -> Picture:
        """The structure as a record: what changed, what points somewhere, then what comes first."""
        title = f"{type_text(self.type)}" if self.type is not None else "Nothing"
        builder = PictureBuilder(title, "LR", subtitle=self.moment)
        rows = self.top()
        chosen = _chosen(rows, self.type)
        heading = [self.words or "nothing", f"{self.address:#018x}"]
        fields = [_field(row, rows) for row in chosen]
        builder.record(
            self.address, heading, fields, kind="fault" if self.freed else "task",
            change="changed" if any(row.changed for row in rows) else "",
        )  # fmt: skip
        if len(chosen) < len(rows):
            builder.note(f"{len(chosen)} of {len(rows)} members.")
        if self.banner:
            builder.note(self.banner)
        return builder.picture()


def _pair(row: Row) -> tuple[str, str]:
    return row.name, row.ctype


def _line(row: Row, names: int, types: int) -> str:
    said = "  ".join(filter(None, (row.value, row.words)))
    was = f"  [was {row.was}]" if row.was else "  [changed]" if row.changed else ""
    place = f"{row.offset:#6x} {row.size:5}"
    return f"{place}  {row.name:<{names}}  {row.ctype:<{types}}  {said}{was}".rstrip()


def _html_row(row: Row) -> str:
    was = f"was {row.was}" if row.was else "changed" if row.changed else ""
    said = "; ".join(filter(None, (row.words, was)))
    cells = (f"{row.offset:#x}", str(row.size), row.name, row.ctype, row.value, said)
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"


# At most so many rows: those that changed first, then those that tell most.
def _chosen(rows: list[Row], t: Any) -> list[Row]:
    telling = TELLING if t is task_struct else set()

    def weight(row: Row) -> tuple[bool, bool, bool, int]:
        empty = row.value in {"0", "NULL"} or (row.kind == "group" and not row.words)
        return not row.changed, row.name not in telling, empty, row.offset

    kept = sorted(rows, key=weight)[:MOST_DRAWN]
    return [row for row in rows if any(row is one for one in kept)]


# A row of the picture; its size is told where the next member follows, so that padding shows.
def _field(row: Row, rows: list[Row]) -> Field:
    following = rows[rows.index(row) + 1 :][:1]
    size = following[0].offset - row.offset if following and following[0].offset > row.offset else 0
    value = row.words if row.kind == "group" else row.value
    if row.words and row.kind != "group":
        value = f"{row.words}" if row.target else f"{row.value} {row.words}"
    return Field(
        row.name, value, row.offset, size or row.size, changed=row.changed, was=row.was,
        kind="group" if row.kind == "group" else "field",
    )  # fmt: skip


# --- for the script ------------------------------------------------------------------------


def plain(seen: Inspected) -> dict[str, Any]:
    """Return the structure as the script gets it; addresses are text."""
    return {
        "type": type_text(seen.type) if seen.type is not None else "",
        "link": definitions.link(seen.type),
        "address": f"{seen.address:#018x}" if seen.type is not None else "",
        "words": seen.words,
        "banner": seen.banner,
        "moment": seen.moment,
        "freed": seen.freed,
        "bytes": seen.data.hex(),
        "rows": [_plain_row(row) for row in seen.rows],
        "counts": [
            {"member": c.member, "value": c.value, "words": c.words(), "odd": c.unknown != 0}
            for c in seen.counts
        ],
        "counted": seen.counted or not holders.counted(seen.type),
    }


# What a row has; what it has not is left out.
def _plain_row(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {
        "path": row.path,
        "name": row.name,
        "depth": row.depth,
        "type": row.ctype,
        "at": row.offset,
        "size": row.size,
        "kind": row.kind,
        "value": row.value,
        "words": row.words,
        "was": row.was,
        "changed": row.changed,
        "text": row.text,
        "bits": list(row.bits) if row.bits else None,
        "to": f"{row.target:#x}" if row.target is not None else "",
    }
    return {k: v for k, v in found.items() if v or k in {"depth", "at"}}


def contain(t: Any, guess: tuple[str, str]) -> dict[str, Any]:
    """Return what the reader can choose from for container_of: {} where no struct embeds the type."""
    known = containers.candidates(t) if isinstance(t, type) else {}
    if not known:
        return {}
    name, member = guess if guess[1] in known.get(guess[0], ()) else containers.likely(t)
    return {"types": known, "type": name, "member": member}


def subtraction(found: containers.Subtraction) -> dict[str, Any]:
    """Return a subtraction as the script draws it."""
    return {
        "link": f"{found.link:#018x}",
        "type": found.type.__name__,
        "member": found.member,
        "offset": found.offset,
        "size": found.size,
        "result": f"{found.result:#018x}",
        "lines": [list(line) for line in found.lines],
        "found": [list(row) for row in found.found],
        "right": found.right,
        "says": _steps(found),
    }


# What is said at each step of the subtraction.
def _steps(found: containers.Subtraction) -> list[str]:
    name, member, offset = found.type.__name__, found.member, found.offset
    bare = "Nothing is looked up, nothing is checked."
    return [
        "The link lies somewhere inside a structure; it does not know in which.",
        f"In a struct {name} the member {member} lies {offset} bytes behind the beginning.",
        f"The address minus {offset} is the address of the structure. {bare}",
        found.verdict,
    ]
