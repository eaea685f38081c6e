"""An inspector: the structure that a pointer leads to, its members and its bytes; follow what it holds."""

from __future__ import annotations

import sys
import weakref
from typing import Any, NamedTuple

import traitlets

from kernelsim.debug import containers, fields, goto, holders, places
from kernelsim.debug.goto import View
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine import ctype
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import ArrayRef, Struct
from kernelsim.view import moment
from kernelsim.widget import base, inspected
from kernelsim.widget.inspected import Inspected

__all__ = ["Inspector", "inspect"]

KEPT = 40  # steps of the trail
AT_ONCE = 300  # tasks that are asked for what they hold without being told to


class Step(NamedTuple):
    """One step of the trail: what was looked at, what it was called then, and how it was reached."""

    view: View
    label: str
    via: str = ""


class Inspector(base.Widget, kind="inspector"):
    """Shows one structure of a kernel's memory: members, values, bytes; pointers can be followed.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param ref: what to show first: a typed reference, an address, the number of a task, or a text
        as the box for addresses takes it, ``"init_task"``; by default the first task after init.
    """

    title = "Inspector"
    shown: Any = traitlets.Dict().tag(sync=True)
    trail: Any = traitlets.List().tag(sync=True)
    chosen: Any = traitlets.Dict().tag(sync=True)  # the member that a step leads to
    contained: Any = traitlets.Dict().tag(sync=True)
    said: Any = traitlets.Dict().tag(sync=True)
    hidden = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, k: Any, ref: Any = None) -> None:
        super().__init__()
        self.seen = Inspected()
        self._look, self._since = k, None
        self._steps: list[Step] = []
        self._task: int | None = None
        self._asked: Any = None  # what a leader has asked for last
        self._count = 0  # of sentences said and members chosen, so that one said again is heard
        self._stale = self._led = self._ask_all = False
        self._subtraction: tuple[Any, str] | None = None
        self._now = self._time()
        self.go(_first(k) if ref is None else ref)
        self.observe(self._appeared, "hidden")
        _after_each_cell(self)

    def __repr__(self) -> str:
        return f"Inspector of {self.seen.title}"

    # -- moments -------------------------------------------------------------------------------

    def show(self, look: Any, since: Any = None, task: Any = None) -> None:
        """Show the same structure at another moment, with what changed since the earlier one.

        :param look: a Kernel, now or at an earlier time.
        :param since: the moment to compare with, or None.
        :param task: struct task_struct *; one that was not given before is shown.
        """
        self._look, self._since, self._led = look, since, True
        address = getattr(task, "address_", None)
        if address and address != self._task:
            self._task, self._asked = address, None
            self._steps = [self._step(View(task_struct, address))]
        if self.hidden:
            self._stale = True
        else:
            self._draw()

    def look_again(self) -> None:
        """Show what has happened meanwhile to a kernel that goes on."""
        now = self._time()
        if now != self._now and hasattr(self._look, "at"):
            self._since = self._look.at(self._now)
        self._now = now
        self._draw()

    def _time(self) -> int | None:
        return moment.time(moment.machine(self._look))

    def _appeared(self, _change: Any) -> None:
        if self._stale and not self.hidden:
            self._draw()

    # -- going somewhere -----------------------------------------------------------------------

    @property
    def _places(self) -> places.Places:
        return places.Places(moment.machine(self._look))

    @property
    def view(self) -> View | None:
        """The address that is shown, and as which C type; None for nothing."""
        return self._steps[-1].view if self._steps else None

    def go(self, what: Any) -> None:
        """Show a reference, an address, the task of a number, or what a text such as ``init_task`` means.

        As a pane it goes only once where it is told to go again and again.
        """
        if self._led and what == self._asked:
            return
        here, self._asked = self._places, what
        if isinstance(what, (Struct, ArrayRef)):
            found = goto.follow(here, what.address_, what.type_)
            if not isinstance(found, str) and isinstance(what, ArrayRef):
                found = View(what.type_, what.address_)
        elif isinstance(what, int) and not isinstance(what, bool):
            number = 0 < what < 1 << 22
            found = goto.find(here, f"task {what}") if number else goto.view_of(here, what)
        else:
            text = what if isinstance(what, str) else f"a {type(what).__name__}"
            found = goto.find(here, text)
        self._arrive(found, "")

    def follow(self, path: str) -> None:
        """Go where the pointer at `path` leads to."""
        row = next((row for row in self.seen.rows if row.path == path), None)
        if row is None or row.target is None:
            self._say(f"{path} is no pointer.")
            return
        self._arrive(goto.follow(self._places, row.target, row.pointee), row.path)

    def back(self, number: int) -> None:
        """Go back to a step of the trail, by its number."""
        if 0 <= number < len(self._steps) - 1:
            left = self._steps[number + 1]
            del self._steps[number + 1 :]
            self._subtraction = None
            self._draw()
            self._choose(left.via)

    def _arrive(self, found: View | str, via: str) -> None:
        if isinstance(found, str):
            self._say(found)
            if not self._steps:
                self.seen = Inspected(banner=found)
                self._publish()
            return
        if not via and self.view is not None and _same(found, self.view):
            via = self._steps.pop().via
        self._steps = [*self._steps, self._step(found, via)][-KEPT:]
        self._subtraction, self._ask_all = None, False
        self._draw()
        self._choose(found.member)
        self._say("")

    def _step(self, view: View, via: str = "") -> Step:
        return Step(view, _label(self._places, view), via)

    def _say(self, text: str) -> None:
        self._count += 1
        self.said = {"text": text, "number": self._count}

    def _choose(self, member: str) -> None:
        self._count += 1
        self.chosen = {"path": member, "number": self._count}

    # -- container_of --------------------------------------------------------------------------

    def subtract(self, name: str, member: str) -> containers.Subtraction | None:
        """Compute ``container_of(&shown, struct NAME, MEMBER)`` and show it; None for an unknown member."""
        t = ctype.REGISTRY.get(name)
        if t is None or self.view is None or member not in self._known().get(name, ()):
            self._say(f"struct {name} has no member {member} of this type.")
            return None
        self._subtraction = t, member
        found = containers.subtract(self._places, self.view.address, t, member)
        self.contained = inspected.subtraction(found)
        return found

    def contain(self) -> None:
        """Go to the result of the subtraction that is shown, right or wrong."""
        if self._subtraction is None or self.view is None:
            return
        t, member = self._subtraction
        found = containers.subtract(self._places, self.view.address, t, member)
        self._arrive(goto.follow(self._places, found.result, t), "container_of")

    def _known(self) -> dict[str, list[str]]:
        t = self.view.type if self.view is not None else None
        return containers.candidates(t) if isinstance(t, type) else {}

    # What one takes a link for at first: the member of the struct that it was read from.
    def _guess(self) -> tuple[str, str]:
        if len(self._steps) < 2:
            return "", ""
        last = self._steps[-2].view.type
        return getattr(last, "__name__", ""), self._steps[-1].via.rpartition(".")[0]

    # -- drawing -------------------------------------------------------------------------------

    def _draw(self) -> None:
        self._stale = False
        if self.view is not None:
            self.seen = self._inspect(self.view)
        self._publish()

    def _inspect(self, view: View) -> Inspected:
        here, then = self._places, None
        seen = Inspected(view.type, view.address, moment=moment.caption(here.m, None))
        if self._since is not None:
            then = places.Places(moment.earlier(self._look, self._since))
            seen.moment = moment.caption(here.m, then.m)
        place = here.at(view.address)
        whole = place.start == view.address and place.type is view.type
        seen.words = place.words if whole else f"at {place.words}"
        seen.banner = place.said if place.kind == "freed" else _odd(place, view)
        seen.freed = place.kind == "freed"
        try:
            size = fields.size_of(here.m, view.type, view.address)
            seen.data = here.m.read(view.address, size)
            old = self._old(then, view, place.kind, seen)
            seen.rows = fields.table(here, view.type, view.address, old, then)
        except Fault as fault:
            seen.banner = f"Nothing can be read here: {fault}."
            return seen
        if whole and place.kind != "freed":
            self._count_holders(here, view, seen)
        return seen

    # The bytes at the earlier moment; None where the object was not there then.
    def _old(self, then: Any, view: View, kind: str, seen: Inspected) -> bytes | None:
        if then is None:
            return None
        before = then.at(view.address).kind
        if before != kind and "freed" in {before, kind}:
            if kind != "freed":
                seen.banner = f"New: at event {moment.time(then.m)} this memory was free."
            return None
        try:
            return bytes(then.m.read(view.address, len(seen.data)))
        except Fault:
            return None

    def _count_holders(self, here: places.Places, view: View, seen: Inspected) -> None:
        if not holders.counted(view.type):
            return
        address, _ = here.m.symbols["nr_threads"]
        seen.counted = self._ask_all or here.m.s32[here.m.offset(address) >> 2] <= AT_ONCE
        if seen.counted:
            seen.counts = holders.counts(here, view.type, view.address)

    def _publish(self) -> None:
        with self.hold_sync():
            self.shown = inspected.plain(self.seen) | {
                "contain": inspected.contain(self.seen.type, self._guess())
            }
            self.trail = [[step.label, step.via] for step in self._steps]
            if self._subtraction is not None and self.view is not None:
                found = containers.subtract(self._places, self.view.address, *self._subtraction)
                self.contained = inspected.subtraction(found)
            else:
                self.contained = {}

    # -- what the reader does ------------------------------------------------------------------

    def heard(self, message: dict[str, Any]) -> None:
        """The reader follows a pointer, goes back, types an address, subtracts, or asks who holds it."""
        do, texts = message.get("do"), {k: v for k, v in message.items() if isinstance(v, str)}
        if do == "follow" and "path" in texts:
            self.follow(texts["path"])
        elif do == "go" and "text" in texts:
            self._arrive(goto.find(self._places, texts["text"][:1000]), "")
        elif do == "back" and isinstance(message.get("to"), int):
            self.back(message["to"])
        elif do == "subtract" and {"type", "member"} <= texts.keys():
            self.subtract(texts["type"], texts["member"])
        elif do == "contain":
            self.contain()
        elif do == "holders":
            self._ask_all = True
            self._draw()

    # -- where no kernel runs ------------------------------------------------------------------

    def static(self) -> dict[str, str]:
        """The table as text, a picture of it, and both as HTML."""
        text = self.seen.text()
        if not self.seen.rows:
            return {"text/plain": text, "text/html": base.paragraphs(text)}
        drawn = self.seen.picture()._repr_mimebundle_()
        found = {"text/plain": text, "text/html": drawn.get("text/html", "") + self.seen.html()}
        if "image/svg+xml" in drawn:
            found["image/svg+xml"] = drawn["image/svg+xml"]
        return found


def inspect(k: Any, ref: Any = None) -> Inspector:
    """Inspect what `ref` points to in a kernel: its members, its bytes, and where its pointers lead.

    :param k: a Kernel, now or at an earlier time.
    :param ref: a typed reference, an address, the number of a task, or ``"init_task"``.
    """
    return Inspector(k, ref)


def _same(one: View, other: View) -> bool:
    return one.address == other.address and fields.type_text(one.type) == fields.type_text(
        other.type
    )


# The first task after init, else init itself.
def _first(k: Any) -> Any:
    m = moment.machine(k)
    users = (task for task in places.threads(m) if task.mm and task.pid > 1)
    return next(users, m.symbol("init_task"))


# What a step is called: the object, or the type that it is taken for and where it lies.
def _label(here: places.Places, view: View) -> str:
    place = here.at(view.address)
    if place.type is view.type and place.start == view.address:
        return place.words
    name = fields.type_text(view.type).removeprefix("struct ")
    return f"{name} at {place.words}"


# A warning where the bytes are known to be something else than what they are taken for.
def _odd(place: Any, view: View) -> str:
    if not isinstance(view.type, type) or not isinstance(place.type, type):
        return ""
    if place.type is view.type and place.start == view.address:
        return ""
    if containers.embeds(place.type, view.type, view.address - place.start):
        return ""
    return (
        f"These bytes are {place.words}, not a {fields.type_text(view.type)}: "
        "what is shown is what they would mean."
    )


# After each cell that the reader runs, look again, unless somebody else says when.
def _after_each_cell(inspector: Inspector) -> None:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    found = weakref.ref(inspector)

    def look(*_: Any) -> None:
        alive = found()
        if alive is None:
            shell.events.unregister("post_run_cell", look)
        elif not alive._led and alive._time() != alive._now:
            alive.look_again()

    shell.events.register("post_run_cell", look)
