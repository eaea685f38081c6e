"""A player: steps through the frames of a recorded run, with or without a kernel.

    ks.widget.play(k)                                  # the process list, from call to call
    ks.widget.play(k, "process_tree", since=t, level="store")
    ks.widget.Player(film)                             # a film of one's own

All frames are sent once; stepping needs no kernel.  The saved notebook carries them too, and the
script of a static page (`scripts.page`) plays them there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import traitlets

from kernelsim import view as views
from kernelsim.view import Picture, text
from kernelsim.view.film import Film, Frame
from kernelsim.widget import base, words
from kernelsim.widget.history import LEVELS, History, Moment

__all__ = ["Player", "play"]

View = Callable[..., Picture]
WHOLE = 6  # tasks of a list that are drawn without folding any


class Player(base.Widget, kind="player"):
    """Plays a film; `place` is the number of the frame that it begins with.

    :param film: a `kernelsim.view.film.Film`.
    """

    data = traitlets.Dict().tag(sync=True)
    place = traitlets.Int().tag(sync=True)

    def __init__(self, film: Film, place: int = 0) -> None:
        super().__init__(data=film.data(), place=min(max(place, 0), max(len(film) - 1, 0)))
        self.film = film

    def __repr__(self) -> str:
        return f"Player({self.film!r})"

    def static(self) -> dict[str, str]:
        """The still frame of the film, and all frames as data for the script of a static page."""
        return dict(self.film._repr_mimebundle_())


def play(
    k: Any,
    view: str | View = "task_list",
    level: str | None = None,
    since: int | None = None,
    until: int | None = None,
    focus: Any = None,
    *,
    most: int = 300,
    still: int = -1,
    seen: bool = False,
    **options: Any,
) -> Player:
    """Play what a kernel has recorded.

    :param k: a Kernel.
    :param view: the name of a function in `kernelsim.view`, or any function from a machine to a
        Picture; if it takes `since` and `focus`, it gets the frame before and the focus.
    :param level: the steps, a key of `history.LEVELS` ("fired", "call", "choice", "store"); by
        default from one call that was fired to the next, or from one system call to the next where
        a program makes them.
    :param since, until: times; the film begins and ends there.
    :param focus: struct task_struct *, its address or its pid; left out while it is not there.
    :param most: how many frames at most; of a longer film the last ones are shown, and it says so.
    :param still: the frame that a page shows where nothing can be stepped.
    :param seen: leave out the steps that change nothing of what the view draws.
    :param options: further arguments of the view.
    """
    draw = _view(view)
    history = History(k)
    if level is not None and level not in LEVELS:
        raise ValueError(f"there is no level {level!r}: choose {', '.join(LEVELS)}")
    level = level or history.usual_level()
    found = _moments(history, level, since, until)
    if seen:
        found = _seen(history, draw, found, focus, options)
    moments = found[-max(most, 1) :]
    whole = {"limit": WHOLE} if draw is views.task_list else {}
    frames = list(_frames(history, draw, level, moments, focus, whole | options))
    if whole and "limit" not in options and any(map(_is_folded, frames)):
        frames = list(_frames(history, draw, level, moments, focus, options))
    if frames:
        skipped = len(found) - len(moments)
        frames[0] = frames[0]._replace(sentence=_beginning(history, moments[0], since, skipped))
    title = frames[0].picture.title if frames else getattr(draw, "__name__", "film")
    return Player(Film(title, frames, still))


def _view(view: str | View) -> View:
    if not isinstance(view, str):
        return view
    known = {n: found for n in views.__all__ if inspect.isfunction(found := getattr(views, n))}
    if view not in known:
        raise ValueError(f"there is no view {view!r}: choose {', '.join(known)}, or a function")
    return known[view]


# The moments of the level within the bounds, which are moments themselves.
def _moments(history: History, level: str, since: int | None, until: int | None) -> list[Moment]:
    found = history.moments(level)
    if not history.records:
        return found
    now = history.now[0]
    for name, bound in (("since", since), ("until", until)):
        if bound is not None and not 0 <= bound <= now:
            raise ValueError(f"{name} is {bound}: this machine has recorded events 0 to {now}")
    first = min(found) if since is None else (since, 0)
    last = history.now if until is None else (until, 0)
    if last < first:
        raise ValueError(f"the film would end at event {last[0]}, before it begins at {first[0]}")
    return sorted({moment for moment in found if first <= moment <= last} | {first, last})


# The moments at which the picture is another one than before; the first and the last one stay.
def _seen(
    history: History, draw: View, moments: list[Moment], focus: Any, options: dict[str, Any]
) -> list[Moment]:
    found, before = [], None
    for moment in moments:
        graph = _picture(draw, history, moment, None, focus, options).graph
        now = [
            *((node.id, node.lines, node.fields, node.badge) for node in graph.nodes),
            *(edge.id for edge in graph.edges),
        ]
        if now != before or moment == moments[-1]:
            found.append(moment)
        before = now
    return found


def _frames(
    history: History,
    draw: View,
    level: str,
    moments: list[Moment],
    focus: Any,
    options: dict[str, Any],
) -> Iterator[Frame]:
    made = history.calls(len(moments), moments[-1]) if history.records else []
    calls = {call.end: call.words for call in made}
    before: Moment | None = None
    for moment in moments:
        sentence = call = ""
        if before is not None:
            sentence = words.told(history, before, moment)
            if (choice := history.choice(moment)) and moment != history.now:
                sentence += f" {words.chosen(choice, history.at(moment))}"
            call = calls.get(moment, "")
            if level == "fired":
                call = history.words(before[0], moment[0])
            elif call and not sentence.startswith(call):  # the last of its stores was before
                sentence = f"Up to here {call}{'' if call.endswith('>') else '.'} {sentence}"
        picture = _picture(draw, history, moment, before, focus, options)
        yield Frame(picture, sentence, call)
        before = moment


def _is_folded(frame: Frame) -> bool:
    return any(node.folded for node in frame.picture.nodes)


def _picture(
    draw: View,
    history: History,
    moment: Moment,
    before: Moment | None,
    focus: Any,
    options: dict[str, Any],
) -> Picture:
    taken = inspect.signature(draw).parameters
    given = dict(options)
    if "since" in taken and before is not None:
        given["since"] = history.at(before)
    look = history.at(moment)
    if "focus" in taken and focus is not None:
        try:
            return draw(look, focus=focus, **given)
        except KeyError:  # at this moment it is not there
            pass
    return draw(look, **given)


# What is said of the first frame, before which there is nothing to compare with.
def _beginning(history: History, moment: Moment, since: int | None, skipped: int) -> str:
    if not history.records:
        return "This machine keeps no past (record=False)."
    if skipped:
        steps = text.counted(skipped, "earlier step")
        are = "is" if skipped == 1 else "are"
        return f"The film begins at event {moment[0]}; {steps} {are} left out."
    if since is None:
        return "Nothing has been fired yet: the kernel has booted."
    return f"The film begins at event {moment[0]}."
