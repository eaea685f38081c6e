"""Sheets: drills on paper, with a key of their own, as Markdown and as HTML.

    sheet = ks.exercise.sheet("the next pid", level=2, count=10, seed=7)
    sheet.save("handout")

The same topics, level, count and seed give the same bytes with the same version of kernelsim, and
every page says at its end how it was made.
"""

from __future__ import annotations

import importlib.metadata
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.exercise import drill, sheet_pages
from kernelsim.view import Picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kernelsim.exercise.question import AnyQuestion

__all__ = ["MOST", "Item", "Sheet", "sheet"]

MOST = 200  # questions on one sheet
STRIDE = 1000  # between the first questions of two seeds


class Item(NamedTuple):
    """A question on a sheet: what is asked, what to point into, and what the key says."""

    prompt: str
    choice: bool  # whether `lines` are options; else they say what kind of answer is wanted
    lines: tuple[str, ...]
    picture: Picture | None
    answer: str
    why: str
    shown: Picture | None
    topic: str


class Sheet:
    """Questions of some topics at one level, and their key."""

    def __init__(self, topics: tuple[str, ...], level: int, count: int, seed: int) -> None:
        self.topics, self.level, self.count, self.seed = topics, level, count, seed
        self.items = tuple(_items(topics, level, count, seed))

    def __repr__(self) -> str:
        return f"Sheet({', '.join(self.topics)}; level {self.level}, {self.count} questions, seed {self.seed})"

    @property
    def title(self) -> str:
        """What the sheet is about."""
        about = "All topics" if len(self.topics) == len(drill.topics()) else "; ".join(self.topics)
        return f"{about[0].upper()}{about[1:]}, level {self.level}"

    @property
    def footer(self) -> str:
        """How the sheet was made."""
        every = len(self.topics) == len(drill.topics())
        names = [] if every else [f"--topic {shlex.quote(name)}" for name in self.topics]
        options = [*names, f"--level {self.level}", f"--count {self.count}", f"--seed {self.seed}"]
        return f"kernelsim {_version()}: python -m kernelsim sheet {' '.join(options)}"

    def files(self) -> dict[str, str]:
        """Return the text of each file by its name: questions and key in both forms, and pictures."""
        found = {}
        for key, stem in ((False, "questions"), (True, "key")):
            pictures = _pictures(self.items, stem, key=key)
            found[f"{stem}.md"] = sheet_pages.markdown(self, pictures, key=key)
            found[f"{stem}.html"] = sheet_pages.page(self, key=key)
            found |= {name: f"{picture.svg}\n" for name, picture in pictures.values()}
        return found

    def save(self, folder: str | Path, *, force: bool = False) -> list[Path]:
        """Write all files into a folder, which is made if need be; return their paths.

        Raises FileExistsError, before anything is written, if one is there and `force` is false.
        """
        folder = Path(folder)
        files = self.files()
        there = [name for name in files if (folder / name).exists()]
        if there and not force:
            raise FileExistsError(f"{folder / there[0]} exists; nothing was written")
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        return [folder / name for name in files]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {
            "text/plain": repr(self),
            "text/markdown": sheet_pages.markdown(self, {}, key=False),
        }


def sheet(topic: str | Iterable[str] = (), level: int = 1, count: int = 10, seed: int = 1) -> Sheet:
    """Return a sheet of `count` questions about a topic, several, or all there are.

    Raises LookupError for a topic that there is not, ValueError or TypeError for other arguments.
    """
    names = [topic] if isinstance(topic, str) else list(topic)
    topics = tuple(dict.fromkeys(drill.find(name) for name in names)) or tuple(drill.topics())
    for what, value in (("count", count), ("seed", seed)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"a {what} is a whole number, not {value!r}")
    if not 1 <= count <= MOST:
        raise ValueError(f"a sheet has 1 to {MOST} questions, not {count}")
    drill.questions(level=level)  # ValueError or TypeError for a level that is none
    return Sheet(topics, level, count, seed)


# The questions, topic by topic in turn; one that reads as an earlier one is passed over.
def _items(topics: tuple[str, ...], level: int, count: int, seed: int) -> Iterable[Item]:
    seen: set[str] = set()
    for place in range(count):
        topic, number = topics[place % len(topics)], seed * STRIDE + place
        for again in range(20):
            question = drill.ask(topic, number + again * MOST, level)
            if str(question) not in seen:
                break
        seen.add(str(question))
        yield _item(question, topic)


def _item(question: AnyQuestion, topic: str) -> Item:
    value: Any = question  # kinds of questions name their right answer `right`
    feedback = question.judge(value.right).feedback
    why = re.sub(r"^Yes[:.] ?", "", feedback)
    answer, picture, shown = question.did, getattr(question, "picture", None), question.shows()
    if question.kind == "choice":
        answer = f"{value.labels[value.right]}) {answer}"
    return Item(
        question.prompt,
        question.kind == "choice",
        tuple(line[2:] for line in str(question)[len(question.prompt) + 1 :].splitlines()),
        picture,
        answer,
        why[:1].upper() + why[1:],
        shown if isinstance(shown, Picture) else None,
        topic,
    )


# The file name and picture of each item that has one, by the number of the item.
def _pictures(items: Iterable[Item], stem: str, *, key: bool) -> Mapping[int, tuple[str, Picture]]:
    found = {}
    for number, item in enumerate(items, 1):
        picture = item.shown if key else item.picture
        if picture is not None:
            found[number] = f"{stem}-{number:02}.svg", picture
    return found


def _version() -> str:
    try:
        return importlib.metadata.version("kernelsim")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
