"""Act, look, step back, act differently, and compare the two futures."""

from __future__ import annotations

import importlib
import sys
import weakref
from collections.abc import Sequence
from typing import Any

import ipywidgets

from kernelsim import view as views
from kernelsim.include.linux.sched import task_struct
from kernelsim.widget import base, difference, words
from kernelsim.widget.future import Future, View
from kernelsim.widget.head import Head
from kernelsim.widget.tabs import Tabs

__all__ = ["PANES", "Explorer", "explore"]

VIEWS: dict[str, tuple[View, ...]] = {
    "task_list": (views.task_list,),
    "process_tree": (views.process_tree,),
    "both": (views.task_list, views.process_tree),
    "runqueue": (views.runqueue,),
    "namespaces": (views.namespaces,),
    "nsproxies": (views.nsproxies,),
    "idr": (views.idr,),
}
PANES = {
    "inspector": "Inspector",
    "stack": "StackPane",
    "graph": "GraphPane",
    "strace": "StracePane",
    "terminal": "TerminalPane",
}
"""What can be shown beside the pictures: the name of each pane, and its class in kernelsim.widget."""
_LEAVE, _KEEP, _DROP = ("leave", "leave it"), ("keep", "keep it alone"), ("drop", "throw it away")
_explorers: list[weakref.ref[Explorer]] = []  # to tell one what another has done to its machine


class Explorer(ipywidgets.VBox):  # type: ignore[misc]  # it ships no types
    """A panel, a timeline and pictures of a machine; beside them those of a branch, to compare.

    `futures` are the machine given and its branches, each branched off from the one before it; the
    last two are shown.  `kernel`, `panel`, `timeline` and `pictures` are those of the one that the
    reader acted on last.

    :param pictures: functions such as `kernelsim.view.task_list`.
    :param panes: names of `PANES`.
    :param options: further arguments of the pictures' functions.
    """

    def __init__(
        self,
        k: Any,
        pictures: Sequence[View],
        focus: Any = None,
        calls: Sequence[str] | None = None,
        panes: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self._arguments = tuple(pictures), calls, options
        self.bar = Head()
        self.panes = [_pane(name, k) for name in panes]
        for pane in self.panes:
            if hasattr(pane, "on_jump"):
                pane.on_jump = self._jump
        self.tabs = Tabs([pane.title for pane in self.panes] or [""])
        self._left: list[Future] = []  # branches that the reader has left, to come back to
        self._branches = 0
        self.futures = [self._future(k, focus)]
        self.active = self.futures[0]
        side = [ipywidgets.VBox([self.tabs, *self.panes])] if panes else []
        self._side = [box.add_class("kernelsim-side") for box in side]
        self._row = ipywidgets.HBox([*self.futures, *self._side]).add_class("kernelsim-futures")
        super().__init__([self.bar, self._row])
        self.add_class("kernelsim-explorer")
        self.bar.on_action = self._asked
        self.tabs.observe(lambda _: self._show_panes(), "chosen")
        self._show_panes()
        _explorers[:] = [ref for ref in _explorers if ref() is not None] + [weakref.ref(self)]
        _after_each_cell(self)

    def __repr__(self) -> str:
        return f"Explorer of {' beside '.join(map(repr, self.futures[-2:]))}"

    def _future(self, k: Any, focus: Any) -> Future:
        pictures, calls, options = self._arguments
        future = Future(k, pictures, focus, calls, options)
        future.on_acted, future.on_branch = self._acted, self._branched
        future.head.on_action = lambda do: self._end(future, do)
        return future

    # -- the one acted on ----------------------------------------------------------------------

    @property
    def kernel(self) -> Any:
        """The kernel driven: the one given, or a branch of it."""
        return self.active.kernel

    @property
    def panel(self) -> Any:
        """Its panel."""
        return self.active.panel

    @property
    def timeline(self) -> Any:
        """Its timeline."""
        return self.active.timeline

    @property
    def pictures(self) -> Any:
        """Its pictures."""
        return self.active.pictures

    def select(self, task: Any) -> None:
        """Choose a task for the panel and as the focus of the pictures; "" chooses none.

        :param task: struct task_struct *, or its address as an int or in hex.
        """
        self.active.select(task)

    def look(self) -> None:
        """Show what has happened meanwhile, from here or from other cells."""
        for future in self.futures:
            if future.stale:
                future.look()
        self._compare()
        self._show_panes()

    def _acted(self, future: Future) -> None:
        self.active = future
        self._compare()
        self._show_panes()
        for ref in _explorers:
            other = ref()
            if other is None or other is self or other.hidden:
                continue
            if any(one.kernel is future.kernel and one.stale for one in other.futures):
                other.look()

    @property
    def hidden(self) -> bool:
        """True if it stood in a page and does so no more: it need not be drawn."""
        return self._was_shown and not self.bar.shown

    _was_shown = False

    # -- branches ------------------------------------------------------------------------------

    def branch(self) -> None:
        """Drive a new machine from the moment shown on, beside the old one, which stays as it is.

        It is a machine on which the same was fired up to here; a call that is under way at that
        moment ends first.
        """
        self.active.branch()

    def _branched(self, future: Future, at: int, choose: Any) -> None:
        if future is not self.futures[-1]:
            branch = self.futures[-1].name
            self._compare(
                f"{future.name} has {branch} beside it. Leave that one, keep it alone or throw it "
                "away; then branch off again."
            )
            return
        k = future.kernel.branch(at, choose)
        until = (
            "" if k.now <= at or choose is not None else f", where a call had to end first: {k.now}"
        )
        focus = future.focus if future.focus is not None and _has(k, future.focus) else None
        new = self._future(k, None if focus is None else focus.address_)
        self._branches += 1
        new.name = f"branch {self._branches}"
        ran = f", where {_name(future, choose)} runs next" if choose is not None else ""
        new.origin = f"from event {at} of {future.name}{until}{ran}"
        if choose is not None:
            new.go_to_choice(at)
        self.futures.append(new)
        self.active = new
        self._arrange()

    def _end(self, future: Future, do: str) -> None:
        if do not in {"leave", "keep", "drop"} or future not in self.futures[1:]:
            return
        place = self.futures.index(future)
        if do == "keep":
            gone = self.futures[:place]
            self.futures, self._left = [future], []
            for one in gone:
                one.forget()
        else:
            gone = self.futures[place:]
            self.futures = self.futures[:place]
            if do == "leave":
                self._left += gone
            else:
                for one in gone:
                    one.forget()
        self.active = self.futures[-1]
        self._arrange()

    def _asked(self, do: str) -> None:
        if do == "shown":
            self._was_shown = True
            if any(future.stale for future in self.futures):
                self.look()
        for future in [one for one in self._left if one.name == do]:
            self._left.remove(future)
            self.futures = [self.futures[0], future]
            self.active = future
            self._arrange()

    def _arrange(self) -> None:
        for future in self.futures[-2:]:
            if future.stale:
                future.look()
        self._row.children = (*self.futures[-2:], *self._side)
        self._compare()
        self._show_panes()

    # Say what differs between the two futures shown, and name them; `refused` is said instead.
    def _compare(self, refused: str = "") -> None:
        shown = self.futures[-2:]
        back = [(one.name, f"show {one.name} again") for one in self._left]
        if len(shown) < 2:
            shown[0].mark(())
            shown[0].head.say(*_heading(shown[0], alone=True))
            self.bar.say("Branches left: " if back else "", refused, back)
            return
        a, b = shown
        found = difference.between(a.seen()[0], b.seen()[0], (a.name, b.name))
        self.bar.say("Two futures.", refused or found.sentence, back)
        for future, marked in zip(shown, found.marked, strict=True):
            future.mark(marked)
            future.head.say(*_heading(future, alone=False))

    # -- panes ---------------------------------------------------------------------------------

    def _show_panes(self) -> None:
        for number, pane in enumerate(self.panes):
            seen = number == self.tabs.chosen
            pane.layout.display = None if seen else "none"
            if seen:
                look, since = self.active.seen()
                pane.show(look, since, self.active.focus)
                if self.active.picked and hasattr(pane, "go"):
                    pane.go(self.active.picked)

    # Go to a moment between two system calls, that a pane tells of.
    def _jump(self, moment: tuple[int, int]) -> None:
        if self.timeline.level == "fired":  # which knows too few of them
            self.timeline.level = "call"
        self.timeline.go(moment)

    # -- without a kernel ----------------------------------------------------------------------

    def static(self) -> dict[str, str]:
        """The pictures and the sentences about what changed and what differs, as they are now."""
        parts = [future.static() for future in self.futures[-2:]]
        if len(parts) == 1:
            return parts[0]
        lines = [self.bar.text, *(part["text/plain"] for part in parts)]
        found = {"text/plain": "\n\n".join(lines)}
        if all("text/html" in part for part in parts):
            found["image/svg+xml"] = parts[0]["image/svg+xml"]
            sentence = base.paragraphs(self.bar.text)
            found["text/html"] = sentence + "".join(part["text/html"] for part in parts)
        return found

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return base.bundle(super()._repr_mimebundle_(**options), self.static())


# What stands above a future: its name and origin, and what can be done with a branch.
def _heading(future: Future, *, alone: bool) -> tuple[str, str, list[tuple[str, str]]]:
    name = future.name[:1].upper() + future.name[1:]
    if alone:
        return (f"{name}:", future.origin, []) if future.origin else ("", "", [])
    is_branch = future.name != "the trunk"
    origin = future.origin or "the machine of your cells"
    return f"{name}:", origin, [_LEAVE, _KEEP, _DROP] if is_branch else []


# What a task is called at the moment that a future shows.
def _name(future: Future, task: Any) -> str:
    return words.name(task_struct(future.seen()[0].machine, task.address_))


def _has(k: Any, task: Any) -> bool:
    return any(one.address_ == task.address_ for one in k.tasks())


def _pane(name: str, k: Any) -> Any:
    kind = getattr(importlib.import_module("kernelsim.widget"), PANES.get(name, ""), None)
    if kind is None:
        raise ValueError(f"there is no pane {name!r}: choose of {', '.join(PANES)}")
    return kind(k)


def explore(
    k: Any,
    view: str | View | Sequence[View] = "task_list",
    focus: Any = None,
    calls: Sequence[str] | None = None,
    panes: Sequence[str] = (),
    **options: Any,
) -> Explorer:
    """Explore a kernel: fire calls at its puppets, watch the picture, step through time, branch off.

    :param k: a Kernel.
    :param view: a key of `VIEWS` ("task_list", "process_tree", "both", "runqueue", …), or functions
        as in `kernelsim.view`.
    :param focus: struct task_struct *, its address or its pid: whom calls are fired at, and whom
        the picture is about.
    :param calls: the system calls to offer; all that the panel knows by default.
    :param panes: what to show beside: "inspector", "stack", "graph", "strace", "terminal".
    :param options: further arguments of the view, such as `limit` and `members`.
    """
    if isinstance(view, str):
        if view not in VIEWS:
            raise ValueError(f"there is no view {view!r}: choose {', '.join(VIEWS)}, or a function")
        chosen: Sequence[View] = VIEWS[view]
    else:
        chosen = (view,) if callable(view) else tuple(view)
    return Explorer(k, chosen, focus, calls, panes, **options)


# After each cell that the reader runs, look again: it may have used the same kernel.
def _after_each_cell(explorer: Explorer) -> None:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    found = weakref.ref(explorer)

    def look(*_: Any) -> None:
        alive = found()
        if alive is None:
            shell.events.unregister("post_run_cell", look)
        elif not alive.hidden and any(future.stale for future in alive.futures):
            alive.look()

    shell.events.register("post_run_cell", look)
