"""The family below init: who is dead and not yet reaped, who adopts, and whose child an orphan was.

As ``process_tree``, but for a few processes, and with what a death changes: a zombie's box says
what its exit left for the parent, and each child that has got a new parent since ``since`` has
two arrows, the one of now and, dashed, the one of before.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Change, Field
from kernelsim.view.picture import Picture

__all__ = ["family"]

INIT = 1
MOST = 30  # boxes; a larger family is a process_tree


def family(
    k: Any,
    since: Any = None,
    focus: Any = None,
    *,
    rankdir: Literal["LR", "TB"] = "LR",
) -> Picture:
    """Draw init and all processes below it, with zombies, subreapers and adoptions.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: an earlier time, Kernel or Machine; who has got a new parent from then on has an
        arrow to the old one besides.
    :param focus: struct task_struct *, its address or its pid.
    :param rankdir: ``LR`` from left to right, ``TB`` from top to bottom.
    :raises ValueError: there are more processes than fit: take ``process_tree``.
    """
    m = moment.machine(k)
    before = moment.earlier(k, since)
    now, old = _members(m), {} if before is None else _members(before)
    if len(now) > MOST:
        raise ValueError(f"a family of {len(now)} processes: process_tree draws more than {MOST}")
    drawing = _Drawing(m, before, now, old, rankdir)
    wanted = getattr(focus, "address_", focus)
    for address, member in now.items():
        drawing.box(member, focus=wanted in {address, member.task.pid})
    for member in now.values():
        drawing.arrows(member)
    return drawing.picture()


class _Member(NamedTuple):
    task: Any
    above: int  # the address of its real_parent, 0 for init


# All processes below init and it, by address, generation by generation: those on the process list,
# by their real_parent.  The lists of children are not asked: in the middle of an adoption they
# hang together with another's.
def _members(m: Any) -> dict[int, _Member]:
    listed: dict[int, _Member] = {}
    try:
        for task in lists.list_for_each_entry(task_struct, m.symbol("init_task").tasks, "tasks"):
            if task.address_ in listed:
                break
            listed[task.address_] = _Member(task, task.real_parent.address_)
    except Fault:  # a broken list ends where it breaks; task_list says so
        pass
    generation = [address for address, one in listed.items() if one.task.pid == INIT]
    found: dict[int, _Member] = {}
    while generation:
        found |= {address: listed[address] for address in generation}
        generation = [
            address
            for address, one in listed.items()
            if one.above in generation and address not in found
        ]
    return found


# What a zombie keeps for its parent, and what a living one is to others.
def _more(task: Any) -> list[tuple[str, str]]:
    found = []
    if task.exit_state:
        found.append(("exit_code", f"{task.exit_code:#x}"))
    elif task.signal and task.signal.is_child_subreaper:
        found.append(("is", "subreaper"))
    if (count := tasks.threads(task)) > 1:
        found.append(("has", f"{count} threads"))
    return found


class _Drawing:
    # One picture in the making.
    def __init__(
        self,
        m: Any,
        before: Any,
        now: dict[int, _Member],
        old: dict[int, _Member],
        rankdir: Literal["LR", "TB"],
    ) -> None:
        self.now, self.old, self.before = now, old, before
        self.adopted = False
        self.builder = PictureBuilder(
            "The family", rankdir, subtitle=moment.caption(m, before), ranksep=40, nodesep=18,
            uniform=True,
        )  # fmt: skip

    # The same process at the earlier time, None if it was not there.
    def was(self, task: Any) -> _Member | None:
        old = self.old.get(task.address_)
        return old if old is not None and tasks.same(task, old.task) else None

    def box(self, member: _Member, *, focus: bool) -> None:
        task = member.task
        letter, was = tasks.state(task), self.was(task)
        old = tasks.state(was.task) if was else letter
        died = letter != old
        change: Change = "changed" if died else ""
        if self.before is not None and was is None:
            change = "new"
        word = f"{letter} ({tasks.WORDS[letter]})"
        past = f"{old} ({tasks.WORDS[old]})" if died else None
        more = _more(task)
        lines = [f"{name} {value}" if name == "exit_code" else value for name, value in more]
        self.builder.node(
            task.address_,
            [tasks.name(task), f"pid {task.pid} {tasks.WORDS[letter]}", *lines],
            badge=letter,
            kind=tasks.kind(task),
            change=change,
            focus=focus,
            marked=[1] if died else [],
            words=tasks.title(task),
            fields=[
                Field("pid", str(task.pid)),
                Field("state", word, changed=died, was=past),
                *(Field(name, value) for name, value in more),
            ],
        )

    def arrows(self, member: _Member) -> None:
        task, above = member.task, member.above
        if above not in self.now:
            return
        was = self.was(task)
        moved = was is not None and was.above != above
        new = self.before is not None and was is None
        change: Change = "changed" if moved else "new" if new else ""
        self.builder.edge(
            task.address_, None, above, kind="parent", name="real_parent", change=change,
            was=f"{was.above:#018x}" if was is not None and moved else None,
            pointer=task.address_ + task_struct.offsetof_("real_parent"), target=above,
            back=True,
        )  # fmt: skip
        if was is not None and moved:
            self.before_it(task, was.above, above)

    # The arrow to the parent of before, or words where that one is no more.
    def before_it(self, task: Any, old: int, new: int) -> None:
        former = self.old[old].task.pid if old in self.old else f"{old:#x}"
        self.builder.note(f"{self.now[new].task.pid} adopts {task.pid}, a child of {former}.")
        if old in self.now and old in self.old and self.was(self.now[old].task):
            self.adopted = True
            self.builder.edge(
                task.address_, None, old, kind="prev", name="real_parent before", back=True
            )

    def picture(self) -> Picture:
        self.builder.legend("parent", "real_parent")
        if self.adopted:
            self.builder.legend("prev", "real_parent before")
        lost = [m.task for a, m in self.old.items() if not self._lives_on(a, m.task)]
        if lost and (words := tasks.gone(lost, moment.time(self.before))):
            self.builder.note(words)
        return self.builder.picture()

    def _lives_on(self, address: int, task: Any) -> bool:
        return address in self.now and tasks.same(self.now[address].task, task)
