"""Families of processes: steps that make and end them, played by a machine or as somebody imagines.

`Story.played` lets a kernel take the steps; what it leaves is the truth.  `Story.imagined` goes
through the same steps by rules written down here: the right ones (then a test holds it against the
kernel), or those of somebody with one wrong idea, which is where wrong options come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import session
from kernelsim.include.linux.list import list_for_each_entry
from kernelsim.include.linux.sched import task_struct

if TYPE_CHECKING:
    from kernelsim.exercise.drill import Dice

__all__ = [
    "IDEAS",
    "TRUE",
    "Belief",
    "Member",
    "Step",
    "Story",
    "family_of",
    "make_subreaper",
    "start_numbers_at",
    "story",
    "tree",
]

INIT = 1  # 2 is kthreadd, which is in no story
PR_SET_CHILD_SUBREAPER = 36


class Step(NamedTuple):
    """What a process does: fork (`whom` is the child), exit, wait (for `whom`), subreaper."""

    what: str
    who: int
    whom: int = 0

    def __str__(self) -> str:
        if self.what == "subreaper":
            return f"{self.who} becomes a subreaper"
        verb = {"fork": "forks", "exit": "exits", "wait": "waits for"}[self.what]
        return f"{self.who} {verb} {self.whom}" if self.whom else f"{self.who} {verb}"


class Member(NamedTuple):
    """One of a family: its parent's number, and whether it is a zombie."""

    parent: int
    dead: bool = False


Family = dict[int, Member]


class Belief(NamedTuple):
    """How somebody thinks that it goes; the defaults are what Linux does.

    :param orphans: who gets the children of a dead process: "reaper" (the nearest subreaper above,
        else init), "init", "grandparent", "nobody" (they end too), "all" (init, and their
        children with them), "stay" (with the dead one, as long as it is there).
    :param zombies: whether an exit leaves a zombie.
    :param waits: whether the wait of a parent removes it.
    :param reaps: whether init waits for the zombies that become its children.
    """

    orphans: str = "reaper"
    zombies: bool = True
    waits: bool = True
    reaps: bool = True


TRUE = Belief()
IDEAS: tuple[tuple[Belief, str], ...] = (
    (
        Belief(orphans="grandparent"),
        "Orphans do not go to the grandparent: the kernel looks for a subreaper, and takes init.",
    ),
    (
        Belief(orphans="nobody"),
        "A process does not end because its parent does: its children get a new parent.",
    ),
    (
        Belief(zombies=False),
        "Exit alone does not remove a process: until its parent waits, a zombie is left.",
    ),
    (
        Belief(orphans="all"),
        "Only the children of the dead one get a new parent; theirs stay with them.",
    ),
    (
        Belief(orphans="init"),
        "Init is not the only one who adopts: a subreaper above the dead one comes first.",
    ),
    (Belief(waits=False), "A wait takes the zombie away: release_task() unlinks and frees it."),
    (
        Belief(reaps=False),
        "Init waits for its children all the time: a zombie that comes to it is gone at once.",
    ),
    (
        Belief(orphans="stay"),
        "A zombie has no children: exit_notify() gives them away before the parent hears of it.",
    ),
)


# --- steps, one after the other ---------------------------------------------------------------


class Story(NamedTuple):
    """Steps that begin with a shell, init's only child, whose number is `first`; more count from there."""

    first: int
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps))

    def imagined(self, belief: Belief = TRUE) -> Family:
        """Return the family that is left when the steps go as `belief` says."""
        found: Family = {INIT: Member(0), self.first: Member(INIT)}
        subreapers: set[int] = set()
        for what, who, whom in self.steps:
            if who not in found or found[who].dead:
                continue  # somebody who believes in fewer processes
            if what == "fork":
                found[whom] = Member(who)
            elif what == "exit":
                _exit(found, who, belief, subreapers)
            elif what == "subreaper":
                subreapers.add(who)
            elif belief.waits and whom in found and found[whom].dead:
                del found[whom]
        for number, one in found.items():  # those who stayed with somebody who is gone
            if one.parent and one.parent not in found:
                found[number] = one._replace(parent=INIT)
        return found

    def played(self, *, record: bool = False) -> Any:
        """Return a machine (Kernel) on which the shell and its family have taken the steps."""
        k: Any = session.boot(record=record)
        start_numbers_at(k, self.first)
        k.spawn("sh")
        for what, who, whom in self.steps:
            if what == "fork":
                child = k.call(who, "fork")
                assert child == whom
            elif what == "exit":
                k.call(who, "exit", 0)
            elif what == "wait":
                k.call(who, "waitpid", whom, 0)
            else:
                make_subreaper(k, who)
        return k


# --- as somebody imagines ---------------------------------------------------------------------


def _exit(found: Family, who: int, belief: Belief, subreapers: set[int]) -> None:
    reaper = _reaper(found, who, belief, subreapers)
    for child in (
        _below(found, who) if belief.orphans in {"all", "nobody"} else _children(found, who)
    ):
        if belief.orphans == "nobody":
            del found[child]
        elif belief.orphans != "stay":
            found[child] = found[child]._replace(parent=reaper)
            if found[child].dead and reaper == INIT and belief.reaps:
                del found[child]
    found[who] = found[who]._replace(dead=True)
    if not belief.zombies or (found[who].parent == INIT and belief.reaps):
        del found[who]


def _reaper(found: Family, who: int, belief: Belief, subreapers: set[int]) -> int:
    above = found[who].parent
    if belief.orphans == "grandparent":
        return above
    while belief.orphans == "reaper" and above not in {INIT, 0}:
        if above in subreapers and not found[above].dead:
            return above
        above = found[above].parent
    return INIT


def _children(found: Family, who: int) -> list[int]:
    return [number for number, one in found.items() if one.parent == who]


def _below(found: Family, who: int) -> list[int]:
    todo, below = _children(found, who), []
    while todo:
        below.append(todo.pop(0))
        todo += _children(found, below[-1])
    return below


# --- as the kernel does -----------------------------------------------------------------------


def start_numbers_at(k: Any, number: int) -> None:
    """Let the next process get this number, as somebody does who writes to ns_last_pid."""
    k.machine.symbol("init_pid_ns").idr.idr_next = number


def make_subreaper(k: Any, who: int) -> None:
    """Let a task have called prctl(PR_SET_CHILD_SUBREAPER, 1), also where there is no prctl yet."""
    task = k.task(who)
    try:
        k.call(task, "prctl", PR_SET_CHILD_SUBREAPER, 1)
    except (OSError, ValueError, TypeError):  # what that call does: two bits, the second inherited
        task.signal.is_child_subreaper = 1
        _propagate(task)


def _propagate(task: Any) -> None:
    for child in list_for_each_entry(task_struct, task.children, "sibling"):
        child.signal.has_child_subreaper = 1
        _propagate(child)


def family_of(k: Any) -> Family:
    """Return the family that is on a machine: all processes but kthreadd, read from its memory."""
    return {
        task.pid: Member(task.real_parent.pid, bool(task.exit_state))
        for task in k.tasks()
        if task.pid != 2
    }


# --- words ------------------------------------------------------------------------------------


def tree(family: Family, root: int = INIT) -> str:
    """Return the family in a line: ``1(3(4 5Z))``, where 4 and the zombie 5 are children of 3."""
    below = " ".join(tree(family, child) for child in sorted(_children(family, root)))
    mark = "Z" if family[root].dead else ""
    return f"{root}{mark}({below})" if below else f"{root}{mark}"


# --- stories ----------------------------------------------------------------------------------


def story(dice: Dice, length: int, kinds: str, first: int = 0) -> Story:
    """Return `length` steps that can be taken one after the other, of the `kinds` (words; twice: twice as likely).

    "orphan" is the exit of somebody who has children, "leaf" of somebody who has none.
    """
    made = Story(first or dice.between(3, 90))
    following = made.first + 1
    while len(made.steps) < length:
        kind = dice.pick(kinds.split())
        who = _actors(made, kind)
        if not who:
            continue
        step = dice.pick(who)
        if kind == "fork":
            step = step._replace(whom=following)
            following += 1
        made = made._replace(steps=(*made.steps, step))
    return made


# Who could take a step of this kind now.
def _actors(made: Story, kind: str) -> list[Step]:
    found = made.imagined()
    alive = [n for n, one in found.items() if n != INIT and not one.dead]
    if kind == "fork":
        return [Step("fork", n) for n in alive if len(_children(found, n)) < 3]
    if kind == "wait":
        return [
            Step("wait", one.parent, n)
            for n, one in found.items()
            if one.dead and one.parent in alive
        ]
    if kind == "subreaper":
        done = any(step.what == kind for step in made.steps)
        return [] if done else [Step(kind, n) for n in alive]
    has = {n: bool(_children(found, n)) for n in alive}
    return [Step("exit", n) for n in alive if has[n] == (kind == "orphan") and len(alive) > 1]
