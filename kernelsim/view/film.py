"""A film: pictures of one machine at moments that follow each other, on one common layout.

    film = Film("A fork", [Frame(task_list(k.at(t), since=t - 1), "task 4 is linked") for t in times])
    film.pictures[3].svg      # all of one size; what stays in them stays where it is
    film.html()               # a figure that carries all frames as data, and shows one of them

Frames are stored as differences: every text (an element of a drawing, a line of words, a sentence)
stands once in a pool, and a frame says which places of the frame before are taken by which texts.
The same film gives the same bytes everywhere, so nothing is compressed.
"""

from __future__ import annotations

import base64
import difflib
import functools
import json
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from kernelsim.view import draw, engine, route, stable, text
from kernelsim.view.picture import Picture

__all__ = ["VERSION", "Film", "Frame", "figure"]

T = TypeVar("T", bound=Hashable)

VERSION = 1  # of the data; the player shows no other
TOLD = 40  # steps that the text twin tells one by one


class Frame(NamedTuple):
    """One moment of a film.

    :param sentence: what has happened since the frame before.
    :param call: the system call that led here, if one is to be jumped to.
    """

    picture: Picture
    sentence: str = ""
    call: str = ""


class Film:
    """Frames that can be stepped through.

    :param title: what is played.
    :param frames: Frames, oldest first; there may be none.
    :param still: the frame that is shown where nothing can be stepped; the last one by default.
    :param engine: as for Picture.
    """

    def __init__(
        self,
        title: str,
        frames: Iterable[Frame],
        still: int = -1,
        engine: str | engine.Engine | None = None,
    ) -> None:
        self.title = text.printable(title)
        self.frames = tuple(
            Frame(picture, text.printable(sentence), text.printable(call))
            for picture, sentence, call in frames
        )
        if self.frames and not -len(self.frames) <= still < len(self.frames):
            raise IndexError(f"there is no frame {still}: the film has {len(self.frames)}")
        self.still = still % len(self.frames) if self.frames else 0
        self._engine = engine

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return f"Film({self.title!r}, {text.counted(len(self), 'frame')})"

    # -- drawing -----------------------------------------------------------------------------------

    @functools.cached_property
    def _drawn(self) -> _Drawn:
        return _Drawn(self)

    @functools.cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures, drawn on one common layout and of one size.

        :raises engine.EngineError: there is no layout engine.
        """
        drawn = self._drawn
        return tuple(
            Picture(picture.graph, self._engine, drawn.svg(place, picture.summary))
            for place, (picture, *_) in enumerate(self.frames)
        )

    # -- words -------------------------------------------------------------------------------------

    def caption(self, place: int) -> str:
        """Which frame this is, and what has happened up to it."""
        last = len(self) - 1
        return f"{self.title}, step {place} of {last}. {self.frames[place].sentence}".strip()

    @property
    def text(self) -> str:
        """What happens step by step, and the picture of the still frame in words."""
        if not self.frames:
            return f"{self.title}: there is nothing to play."
        last = len(self) - 1
        skipped = range(TOLD // 2, last - TOLD // 2) if last > TOLD else range(0)
        lines = [f"{self.title}, {text.counted(last, 'step')}:"]
        for place, frame in enumerate(self.frames):
            if place not in skipped:
                lines.append(f"{place}. {frame.sentence}")
            elif place == skipped.start:
                lines.append(f"… {text.grouped(len(skipped))} more steps …")
        return "\n".join([*lines, f"Step {self.still}:", self.frames[self.still].picture.text])

    # -- as data -----------------------------------------------------------------------------------

    @functools.cached_property
    def _data(self) -> dict[str, Any]:
        pool: _Pool[str] = _Pool()
        elements: _Pool[tuple[int, ...]] = _Pool()
        frames: list[list[Any]] = []
        before: tuple[list[int], list[int]] = [], []
        for place, (picture, sentence, call) in enumerate(self.frames):
            drawn = [tuple(pool.numbers(element)) for element in self._drawn.loose[place]]
            now = elements.numbers(drawn), pool.numbers(picture.text.split("\n"))
            edits = [_edits(was, is_) for was, is_ in zip(before, now, strict=True)]
            frames.append([*edits, *pool.numbers([sentence, call])])
            before = now
        return {
            "kernelsim": "player",
            "version": VERSION,
            "title": self.title,
            "still": self.still,
            "sheet": self._drawn.sheet(),
            "pool": list(pool.places),
            "elements": [list(lines) for lines in elements.places],
            "frames": frames,
        }

    def data(self) -> dict[str, Any]:
        """All frames as JSON-able data, for `front/player.js`; not to be changed.

        ``sheet`` is the empty sheet; elements are put in before its last tag, each the lines that
        ``elements`` names by their places in ``pool``.  A frame is [edits of the elements, edits of
        the lines of words, sentence, call].  Edits are numbers one after the other: where, how many
        go, how many come, and those, as places in ``elements`` or ``pool``; all counted in the
        frame before, so that the last ones are to be made first.
        """
        return self._data

    def html(self) -> str:
        """A figure with the still frame, and all frames as data for the script of a static page."""
        still = self.pictures[self.still] if self.frames else None
        caption = self.caption(self.still) if self.frames else self.text
        return figure("player", still, caption, self.data())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        if not self.frames:
            return {"text/plain": self.text, "text/html": self.html()}
        try:
            drawn = {"image/svg+xml": self.pictures[self.still].svg, "text/html": self.html()}
        except engine.EngineError as error:
            return {"text/plain": f"{self.text}\n(no drawing: {error})"}
        return {"text/plain": self.text, **drawn}


def figure(kind: str, still: Picture | None, caption: str, data: Any) -> str:
    """A figure that a static page can bring to life: a picture, a caption, data.

    :param kind: how the data are to be understood, the name of a part of the front end.
    """
    image = ""
    if still is not None:
        source = base64.b64encode(still.svg.encode()).decode()
        words = draw.attribute(f"{caption} {still.summary}")
        image = f'<img alt="{words}" src="data:image/svg+xml;base64,{source}">'
    stored = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", r"\u003c")
    return (
        f'<figure class="kernelsim-figure" data-kernelsim="{draw.attribute(kind)}">{image}'
        f"<figcaption>{draw.content(caption)}</figcaption>"
        f'<script type="application/json" class="kernelsim-data">{stored}</script></figure>'
    )


class _Drawn:
    # The elements of every frame, and the size of the sheet that has room for each.

    def __init__(self, film: Film) -> None:
        self.title = film.title
        graphs = [picture.graph for picture, *_ in film.frames]
        layouts, self.scenes = stable.arrange(graphs, film._engine)
        paths = [route.courses(g, at) for g, at in zip(graphs, layouts, strict=True)]
        pairs = list(zip(graphs, layouts, strict=True))
        self.width = max((draw.needed(graph, at) for graph, at in pairs), default=0.0)
        low = max((at.height for at in layouts), default=0.0)
        self.height = 0.0
        self.loose: list[list[tuple[str, ...]]] = []
        self.laid = [(*pair, courses) for pair, courses in zip(pairs, paths, strict=True)]
        for graph, at, courses in self.laid:
            at.height = low
            found, height = draw.elements(graph, at, courses, self.width, loose=True)
            self.loose.append(found)
            self.height = max(self.height, height)

    # A frame as a picture of its own: drawn when somebody asks, for few are.
    def svg(self, place: int, summary: str) -> str:
        found, _ = draw.elements(*self.laid[place], self.width)
        return draw.sheet(self.title, summary, self.width, self.height, found)

    def sheet(self) -> str:
        return draw.sheet(self.title, "", self.width, self.height, [])


class _Pool(Generic[T]):
    # Things by the order in which they came; each is stored once.

    def __init__(self) -> None:
        self.places: dict[T, int] = {}

    def numbers(self, things: Iterable[T]) -> list[int]:
        return [self.places.setdefault(thing, len(self.places)) for thing in things]


# What changes between two lists: where, how many go, how many come, and these.
def _edits(was: Sequence[int], now: Sequence[int]) -> list[int]:
    found: list[int] = []
    steps = difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    for what, start, stop, first, last in steps:
        if what != "equal":
            found += [start, stop - start, last - first, *now[first:last]]
    return found
