"""One machine in an explorer: panel, timeline, run queue, crash and pictures of the same moment."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import Picture, PictureBuilder, moment, tasks
from kernelsim.widget import base
from kernelsim.widget.head import Head
from kernelsim.widget.panel import ADDRESS, SyscallPanel, threads
from kernelsim.widget.picture_view import PictureView
from kernelsim.widget.timeline import Timeline
from kernelsim.widget.turn import Turn

__all__ = ["Future", "View"]

View = Callable[..., Picture]

MORE = 6  # boxes added when the reader opens a fold
PAST = "You are looking at the past. Calls are fired at the present: go back to now, or branch off."
_BACK, _BEFORE = ("back", "step back"), ("before", "branch before it")
_REBOOT = ("reboot", "reboot")


class Future(ipywidgets.VBox):  # type: ignore[misc]  # it ships no types
    """What an explorer shows of one machine.

    What the reader selects in a picture is the task that calls are fired at, and the focus of the
    pictures.  `on_acted` is called when something was done or another moment is shown, `on_branch`
    when the reader wants to go on from event `at` on, or has `choose` run next there.

    :param views: functions such as `kernelsim.view.task_list`; `options` are further arguments.
    """

    def __init__(
        self,
        k: Any,
        views: Sequence[View],
        focus: Any = None,
        calls: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.kernel = k
        self.name = "the trunk"
        self.origin = ""  # where a branch came from, in words
        self.on_acted: Callable[[Future], None] | None = None
        self.on_branch: Callable[[Future, int, Any], None] | None = None
        self._views, self._options = tuple(views), dict(options or {})
        self.picked = ""  # the address, in hex, of a chosen structure that is no task
        self._extra = 0  # boxes asked for beyond a view's own limit
        self._also: tuple[int, ...] = ()  # addresses from the boxes that were opened
        self._seen: Any = None
        self.head, self.crash, self.turn = Head(), Head("alarm"), Turn()
        self.panel = SyscallPanel(k, focus, calls)
        self.timeline = Timeline(k)
        self.pictures = [PictureView() for _ in self._views]
        self._focus = self.panel.task if focus is not None else ""
        super().__init__(
            [self.head, self.panel, self.timeline, self.turn, self.crash, *self.pictures]
        )
        self.add_class("kernelsim-future")
        self._draw()
        self._connect()

    def __repr__(self) -> str:
        titles = " and ".join(p.picture.title for p in self.pictures if p.picture is not None)
        return f"{titles}, {self.timeline.label}"

    # -- wires ---------------------------------------------------------------------------------

    def _connect(self) -> None:
        self.panel.on_fired = self._fired
        self.panel.on_unlock = self._leave_the_past
        self.timeline.on_moved = self._moved
        self.turn.on_run = self._run_next
        self.crash.on_action = self._after_the_crash
        self.panel.observe(self._chosen, "task")
        for picture in self.pictures:
            picture.observe(self._chosen, "selected")
            picture.on_fold = self._fold
            picture.on_find, picture.finds = self._find, True

    def _acted(self) -> None:
        if self.on_acted is not None:
            self.on_acted(self)

    def _fired(self) -> None:
        self.look()
        self._acted()

    def _moved(self) -> None:
        self._draw()
        self._acted()

    def _chosen(self, change: Any) -> None:
        address = change["new"]
        if not ADDRESS.fullmatch(address):
            return
        is_picked = isinstance(change["owner"], PictureView) and not self._is_task(address)
        self.picked = address if is_picked else ""
        if is_picked:
            self._acted()
        elif address != self._focus:
            self.select(address)

    # Is there a task at an address, in hex, at the moment shown?  "" chooses none, as a task does.
    def _is_task(self, address: str) -> bool:
        look = self.seen()[0]
        known = {look.machine.symbol("init_task").address_}
        with contextlib.suppress(Fault):
            for process in look.tasks():
                known |= {task.address_ for task in threads(process)}
        return not address or int(address, 16) in known

    def select(self, task: Any) -> None:
        """Choose a task for the panel and as the focus of the pictures; "" chooses none.

        :param task: struct task_struct *, or its address as an int or in hex.
        """
        address = getattr(task, "address_", task)
        self._focus = hex(address) if isinstance(address, int) else address
        if self._focus:
            self.panel.task = self._focus
            self.panel.look()
        self._moved()

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

    @property
    def focus(self) -> Any:
        """The task looked at (struct task_struct *): the one selected, else the panel's; None for none."""
        address = self._focus or self.panel.task
        return task_struct(self.kernel.machine, int(address, 16)) if address else None

    # -- moments -------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """True if something has happened that is not shown yet."""
        return self._seen != self._now()

    def _now(self) -> Any:
        return self.timeline.history.now, len(self.kernel.commands)

    def look(self) -> None:
        """Show what has happened meanwhile, from here or from other cells."""
        with self.timeline.hold_sync():
            self.timeline.look(to_now=not self.timeline.past)
            self._draw()
        if not self.timeline.past:
            self.panel.look()

    def seen(self) -> tuple[Any, Any]:
        """The moment shown, and the one before it or None, as `Kernel.at` gives them."""
        timeline = self.timeline
        since = timeline.seen(timeline.previous) if timeline.place else None
        return timeline.seen(timeline.moment), since

    def _leave_the_past(self, do: str) -> None:
        if do == "now":
            self.timeline.step(self.timeline.last)
        elif do == "branch":
            self.branch()

    def branch(self) -> None:
        """Ask for a new machine from the moment shown on; at the present there is nothing to ask for."""
        if self.timeline.past and self.on_branch is not None:
            self.on_branch(self, self.timeline.moment[0], None)

    # Another task runs next: now, by an interrupt; in the past, in a branch.
    def _run_next(self, address: str) -> None:
        task = task_struct(self.kernel.machine, int(address, 16)) if address else None
        choice = self.timeline.history.choice(self.timeline.moment)
        if self.timeline.past:
            if choice is not None and task is not None and self.on_branch is not None:
                self.on_branch(self, choice.time, task)
            return
        ran = self.panel.interrupt(task)
        if ran is not None:
            self.select(ran)

    def go_to_choice(self, time: int) -> None:
        """Show the moment of the choice of who runs next that was made at event `time`."""
        self.timeline.level = "choice"
        self.timeline.go((time, 0))

    def drive(self, k: Any, origin: str = "") -> None:
        """Show and drive another machine from now on."""
        self.kernel, self.origin = k, origin
        self.panel.drive(k)
        self.timeline.drive(k)
        self._draw()
        self._acted()

    # -- when the kernel has failed ------------------------------------------------------------

    def _after_the_crash(self, do: str) -> None:
        if do == "back":
            self.timeline.step(-1)
        elif do == "reboot":
            self.drive(self.kernel.reboot(), "rebooted: a new machine; the old one is as it was")
        elif do == "before" and self.on_branch is not None:
            self.on_branch(self, self.kernel.commands[-1][0], None)

    def _tell_of_a_crash(self, *, past: bool) -> None:
        panic, oops = self.kernel.panic, self.panel.oops
        actions = [_BACK, _BEFORE] if self.timeline.history.records else []
        if past or (panic is None and not oops):
            self.crash.say("")
        elif panic is not None:
            title, _, reason = str(panic).partition(": ")
            text = f"{reason}. Nothing runs on this machine any more; its memory stays as it is."
            self.crash.say(f"{title}:", text, [*actions, _REBOOT])
        else:
            text = f"{oops}. The task that ran into it is killed; the machine goes on."
            self.crash.say("Oops: a bug in the kernel.", text, [*actions, _REBOOT])

    # -- drawing -------------------------------------------------------------------------------

    def _draw(self) -> None:
        self._seen = self._now()
        look, since = self.seen()
        for view, picture in zip(self._views, self.pictures, strict=True):
            picture.show(self._picture(view, look, since))
            picture.selected = self._focus
            picture.unfolded = bool(self._extra)
        past = self.timeline.place < self.timeline.last
        self.panel.locked = PAST if past else ""
        stopped = past or self.kernel.panic is not None
        self.turn.show(look, self.timeline.history.choice(self.timeline.moment), past=stopped)
        self._tell_of_a_crash(past=past)

    def _picture(self, view: View, look: Any, since: Any) -> Picture:
        options, known = dict(self._options), inspect.signature(view).parameters
        if self._extra:
            if self._also and "also" in known:
                options["also"] = self._also
            elif "limit" in known:
                options["limit"] = options.get("limit", known["limit"].default) + self._extra
        if self._focus and "focus" in known:
            focus = task_struct(self.kernel.machine, int(self._focus, 16))
            try:
                return view(look, focus=focus, since=since, **options)
            except KeyError:  # at this moment it is not there
                pass
        try:
            return view(look, since=since, **options)
        except LookupError as error:  # neither is what the picture is about
            builder = PictureBuilder("Nothing to show", subtitle=moment.caption(look.machine, None))
            builder.node("nothing", [str(error.args[0] if error.args else error)])
            return builder.picture()

    def mark(self, addresses: Sequence[str]) -> None:
        """Mark these tasks in the pictures: they differ from those of another future."""
        for picture in self.pictures:
            picture.differs = list(addresses)

    def static(self) -> dict[str, str]:
        """The pictures and the sentence about what changed, as they are now."""
        parts = [picture.static() for picture in self.pictures]
        lines = [self.timeline.sentence, *filter(None, [self._failed()])]
        texts = [*lines, *(part["text/plain"] for part in parts)]
        found = {"text/plain": "\n\n".join(texts)}
        if all("text/html" in part for part in parts):
            found["image/svg+xml"] = parts[0]["image/svg+xml"]
            figures = "".join(part["text/html"] for part in parts)
            found["text/html"] = figures + base.paragraphs(*lines)
        return found

    def _failed(self) -> str:
        return f"{self.crash.title} {self.crash.text}".strip()

    def forget(self) -> None:
        """Close all widgets of this future: it is thrown away."""
        for widget in (*self.children, self):
            widget.close()
