"""The panel, the timeline and pictures over one kernel: act, look, step back, act differently."""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from kernelsim import view as views
from kernelsim.include.linux.sched import task_struct
from kernelsim.view import Picture, moment, tasks
from kernelsim.widget import base
from kernelsim.widget.panel import SyscallPanel
from kernelsim.widget.picture_view import PictureView
from kernelsim.widget.timeline import Timeline

__all__ = ["Explorer", "explore"]

View = Callable[..., Picture]

VIEWS: dict[str, tuple[View, ...]] = {
    "task_list": (views.task_list,),
    "process_tree": (views.process_tree,),
    "both": (views.task_list, views.process_tree),
}
MORE = 6  # boxes added when the reader opens a fold
PAST = "You are looking at the past. Calls are fired at the present: go back to now, or branch off."


class Explorer(ipywidgets.VBox):  # type: ignore[misc]  # it ships no types
    """A panel, a timeline and one or more pictures of the same kernel at the same moment.

    What the reader selects in a picture is the task that calls are fired at, and the focus of the
    pictures.  `kernel` is the kernel driven now: the one given, or a branch of it.

    :param pictures: functions such as `kernelsim.view.task_list`.
    :param options: further arguments of these functions.
    """

    def __init__(
        self,
        k: Any,
        pictures: Sequence[View],
        focus: Any = None,
        calls: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        self.kernel = k
        self._views, self._options = tuple(pictures), options
        self._trunk: Any = None  # the kernel that a branch came from
        self._extra = 0  # boxes asked for beyond a view's own limit
        self._also: tuple[int, ...] = ()  # addresses from the boxes that were opened
        self.panel = SyscallPanel(k, focus, calls)
        self.timeline = Timeline(k)
        self.pictures = [PictureView() for _ in self._views]
        self._focus = self.panel.task if focus is not None else ""
        super().__init__([self.panel, self.timeline, *self.pictures])
        self.add_class("kernelsim-explorer")
        self._draw()
        self._connect()

    def __repr__(self) -> str:
        titles = " and ".join(p.picture.title for p in self.pictures if p.picture is not None)
        return f"Explorer of {titles}, {self.timeline.label}"

    # -- wires ---------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.panel.on_fired = self.look
        self.panel.on_unlock = self._leave_the_past
        self.timeline.on_moved = self._draw
        self.timeline.on_branch = self._leave_the_past
        self.panel.observe(self._chosen, "task")
        for picture in self.pictures:
            picture.observe(self._chosen, "selected")
            picture.on_fold = self._fold
            picture.on_find, picture.finds = self._find, True
        _after_each_cell(self)

    def _chosen(self, change: Any) -> None:
        if change["new"] != self._focus:
            self.select(change["new"])

    def select(self, task: Any) -> None:
        """Choose a task for the panel and as the focus of the pictures; "" chooses none.

        :param task: struct task_struct *, or its address as an int or in hex.
        """
        address = getattr(task, "address_", task)
        self._focus = hex(address) if isinstance(address, int) else address
        if self._focus:
            self.panel.task = self._focus
            self.panel.look()
        self._draw()

    def _fold(self, more: bool) -> None:
        opened = [address for picture in self.pictures for address in picture.opened[:MORE]]
        self._extra = self._extra + MORE if more else 0
        self._also = (*self._also, *opened) if more else ()
        self._draw()

    # What a picture does not show is looked for among all tasks, and chosen.
    def _find(self, words: str) -> str:
        task = tasks.find(moment.machine(self.timeline.seen(self.timeline.moment)), words)
        if task is None:
            return f"no task {words!r} at this moment"
        self.select(task)
        return f"found {tasks.title(task)}"

    # -- moments -------------------------------------------------------------------------------

    def look(self) -> None:
        """Show what has happened meanwhile, from here or from other cells."""
        with self.timeline.hold_sync():
            self.timeline.look(to_now=not self.timeline.past)
            self._draw()
        if not self.timeline.past:
            self.panel.look()

    def _leave_the_past(self, do: str) -> None:
        if do == "now":
            self.timeline.step(self.timeline.last)
        elif do == "branch":
            self.branch()
        elif do == "leave" and self._trunk is not None:
            k, self._trunk = self._trunk, None
            self._drive(k, "")

    def branch(self) -> None:
        """Drive a new machine from the moment shown on; the old one stays as it is.

        It is a machine on which the same was fired up to here; a call that is under way at that
        moment ends first.
        """
        if not self.timeline.past:
            return
        trunk = self._trunk or self.kernel
        at = self.timeline.moment[0]
        k = self.kernel.branch(at)
        until = "" if k.now <= at else f", where the call under way at {at} had ended"
        self._trunk = trunk
        self._drive(k, f"A branch, from event {k.now}{until}. The machine it left is unchanged.")

    def _drive(self, k: Any, words: str) -> None:
        self.kernel = k
        self.panel.drive(k)
        self.timeline.drive(k)
        self.timeline.branch = words
        self._draw()

    # -- drawing -------------------------------------------------------------------------------

    def _draw(self) -> None:
        for picture, drawn in zip(self.pictures, self.drawn(), strict=True):
            picture.show(drawn)
            picture.selected = self._focus
            picture.unfolded = bool(self._extra)
        self.panel.locked = PAST if self.timeline.place < self.timeline.last else ""

    def drawn(self) -> list[Picture]:
        """The pictures of the moment shown, with the changes since the moment before."""
        look = self.timeline.seen(self.timeline.moment)
        since = self.timeline.seen(self.timeline.previous) if self.timeline.place else None
        return [self._picture(view, look, since) for view in self._views]

    def _picture(self, view: View, look: Any, since: Any) -> Picture:
        options = dict(self._options)
        if self._extra:
            known = inspect.signature(view).parameters
            if self._also and "also" in known:
                options["also"] = self._also
            elif "limit" in known:
                options["limit"] = options.get("limit", known["limit"].default) + self._extra
        if self._focus:
            focus = task_struct(self.kernel.machine, int(self._focus, 16))
            try:
                return view(look, focus=focus, since=since, **options)
            except KeyError:  # at this moment it is not there
                pass
        return view(look, since=since, **options)

    def static(self) -> dict[str, str]:
        """The pictures and the sentence about what changed, as they are now."""
        parts = [picture.static() for picture in self.pictures]
        lines = [self.timeline.sentence, *(part["text/plain"] for part in parts)]
        found = {"text/plain": "\n\n".join(lines)}
        if all("text/html" in part for part in parts):
            found["image/svg+xml"] = parts[0]["image/svg+xml"]
            figures = "".join(part["text/html"] for part in parts)
            found["text/html"] = figures + base.paragraphs(self.timeline.sentence)
        return found

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return base.bundle(super()._repr_mimebundle_(**options), self.static())


def explore(
    k: Any,
    view: str | View | Sequence[View] = "task_list",
    focus: Any = None,
    calls: Sequence[str] | None = None,
    **options: Any,
) -> Explorer:
    """Explore a kernel: fire calls at its puppets, watch the picture, step through time.

    :param k: a Kernel.
    :param view: "task_list", "process_tree", "both", or functions as in `kernelsim.view`.
    :param focus: struct task_struct *, its address or its pid: whom calls are fired at, and whom
        the picture is about.
    :param calls: the system calls to offer; all that the panel knows by default.
    :param options: further arguments of the view, such as `limit` and `members`.
    """
    if isinstance(view, str):
        if view not in VIEWS:
            raise ValueError(f"there is no view {view!r}: choose {', '.join(VIEWS)}, or a function")
        chosen: Sequence[View] = VIEWS[view]
    else:
        chosen = (view,) if callable(view) else tuple(view)
    return Explorer(k, chosen, focus, calls, **options)


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
        elif alive.timeline.history.now != alive.timeline.end:
            alive.look()

    shell.events.register("post_run_cell", look)
