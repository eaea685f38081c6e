"""The state machine of a task: each state a box, each arc the way to another.

Where a task stands is read from four words of its task_struct, `state`, `exit_state`, `on_rq` and
`on_cpu`; what is marked as taken is the shortest way from where they put it before to where they
put it now.  A task that dies stands in two boxes, for `exit_state` is a word beside `state`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.machine.memory import Fault
from kernelsim.view import moment, tasks
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.graph import Field
from kernelsim.view.picture import Picture

__all__ = ["ARCS", "BOXES", "Arc", "Box", "Words", "boxes", "states", "way", "words"]


class Box(NamedTuple):
    """A state: its constant and value, the functions that lead into it, its letter, its colours."""

    name: str
    by: tuple[str, ...]
    letter: str
    kind: str


class Arc(NamedTuple):
    """One way from a state to another, and the function of the kernel that takes it.

    :param reached: False where no system call of ours leads; drawn dotted.
    """

    src: str
    dst: str
    by: str
    reached: bool = True


class Words(NamedTuple):
    """The words of a task_struct that say where a task stands, and the letter of its state."""

    state: int
    exit_state: int
    on_rq: int
    on_cpu: int
    letter: str


_SET = ("by set_current_state()",)
BOXES = {
    "new": Box("TASK_NEW 0x800", ("by sched_fork()",), "R", "running"),
    "queue": Box(
        "TASK_RUNNING 0x0",
        ("on the run queue", "by wake_up_new_task(),", "ttwu_do_wakeup(),", "finish_task()"),
        "R",
        "running",
    ),
    "cpu": Box(
        "TASK_RUNNING 0x0",
        ("on the CPU", "by prepare_task(),", "set_current_state()"),
        "R",
        "running",
    ),
    "waking": Box("TASK_WAKING 0x200", ("by try_to_wake_up()",), "R", "running"),
    "interruptible": Box("TASK_INTERRUPTIBLE 0x1", _SET, "S", "sleeping"),
    "uninterruptible": Box("TASK_UNINTERRUPTIBLE 0x2", _SET, "D", "disk"),
    "killable": Box("TASK_KILLABLE 0x102", _SET, "D", "disk"),
    "idle": Box("TASK_IDLE 0x402 (NOLOAD)", _SET, "I", "idle"),
    "stopped": Box("TASK_STOPPED 0x104", ("by do_signal_stop()",), "T", "stopped"),
    "traced": Box("TASK_TRACED 0x108", ("by ptrace_stop()",), "t", "stopped"),
    "parked": Box("TASK_PARKED 0x40", ("by __kthread_parkme()",), "P", "idle"),
    "zombie": Box("EXIT_ZOMBIE exit_state 0x20", ("by exit_notify()",), "Z", "zombie"),
    "exit_dead": Box(
        "EXIT_DEAD exit_state 0x10",
        ("by wait_task_zombie(),", "or by exit_notify()"),
        "X",
        "zombie",
    ),
    "dead": Box("TASK_DEAD 0x80", ("by do_task_dead(),", "beside exit_state"), "", "zombie"),
}
"""The states by short names, in the order of drawing."""

_SLEEPS = ("interruptible", "uninterruptible", "killable", "idle")
_SPECIAL = {
    "stopped": "do_signal_stop()",
    "traced": "ptrace_stop()",
    "parked": "__kthread_parkme()",
}
_REACHED = {*_SLEEPS, "stopped", "parked"}
ARCS = (
    Arc("new", "queue", "wake_up_new_task()"),
    Arc("queue", "cpu", "prepare_task()"),
    Arc("cpu", "queue", "finish_task()"),
    *(Arc("cpu", name, "set_current_state()", name in _REACHED) for name in _SLEEPS),
    *(Arc("cpu", name, by, name in _REACHED) for name, by in _SPECIAL.items()),
    *(Arc(name, "cpu", "set_current_state()", name in _REACHED) for name in _SLEEPS),
    *(Arc(n, "waking", "try_to_wake_up()", n in _REACHED) for n in (*_SLEEPS, *_SPECIAL)),
    Arc("waking", "queue", "ttwu_do_wakeup()"),
    Arc("cpu", "zombie", "exit_notify()"),
    Arc("zombie", "exit_dead", "wait_task_zombie() or exit_notify()"),
    Arc("cpu", "dead", "do_task_dead()"),
)
"""The arcs; those out of one box from the likeliest on."""

_BY_STATE = {
    sched.TASK_NEW: "new",
    sched.TASK_WAKING: "waking",
    sched.TASK_INTERRUPTIBLE: "interruptible",
    sched.TASK_UNINTERRUPTIBLE: "uninterruptible",
    sched.TASK_KILLABLE: "killable",
    sched.TASK_IDLE: "idle",
    sched.TASK_STOPPED: "stopped",
    sched.TASK_TRACED: "traced",
    sched.TASK_PARKED: "parked",
    sched.TASK_DEAD: "dead",
}


def states(
    k: Any, task: Any = None, since: Any = None, focus: Any = None, *, brief: bool = False
) -> Picture:
    """Draw the states that a task can be in, and mark where `task` is.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param task: struct task_struct *, its address or its pid; None for the state machine alone.
    :param since: an earlier time, Kernel or Machine; the way that the task took from then on is
        marked, where one box leads to the other: the shortest one.
    :param focus: the task, if `task` does not say it.
    :param brief: low boxes, that do not name the functions: for a film, whose sentences do.
    """
    m = moment.machine(k)
    before = moment.earlier(k, since)
    builder = PictureBuilder(
        "The states of a task", "LR", subtitle=moment.caption(m, before), ranksep=90, nodesep=14,
    )  # fmt: skip
    chosen = focus if task is None else task
    who = None if chosen is None else _find(m, chosen)
    old = None if chosen is None or before is None else _find(before, chosen)
    if who is not None and old is not None and not tasks.same(who, old):
        old = None
    now, then = (None if one is None else words(one) for one in (who, old))
    taken = way(then, now) if now is not None and before is not None else []
    _draw(builder, boxes(now) if now else (), taken, brief)
    for note in _notes(m, before, chosen, who, old, taken):
        if not brief or not note.startswith("Taken"):
            builder.note(note)
    return builder.picture()


# -- where a task stands, and how it came there -----------------------------------------------------


def words(task: Any) -> Words:
    """The words of struct task_struct *`task`."""
    return Words(task.state, task.exit_state, task.on_rq, task.on_cpu, tasks.state(task))


def boxes(at: Words) -> tuple[str, ...]:
    """The names of the boxes in which such a task stands: of its `state`, and its `exit_state`."""
    if at.state:
        found = _BY_STATE.get(at.state, "cpu" if at.on_cpu else "queue")
    else:
        found = "cpu" if at.on_cpu else "queue"
    end = "zombie" if at.exit_state & sched.EXIT_ZOMBIE else "exit_dead"
    return (found, end) if at.exit_state else (found,)


def way(then: Words | None, now: Words) -> list[Arc]:
    """The arcs from where a task stood `then` (None: it was not there) to where it stands now."""
    here, *end = boxes(now)
    there, *old_end = ("new",) if then is None else boxes(then)
    through = then is not None and not then.on_rq  # it has left the CPU: it has to be woken
    if not end or end == old_end:
        return _shortest(there, here, through)
    if old_end:
        return [*_shortest(there, here, through), *_shortest(old_end[0], end[0], False)]
    dying = _shortest("cpu", end[0], False)
    return [*_shortest(there, "cpu", through), *dying, *_shortest("cpu", here, False)]


# The arcs of the shortest way; who sleeps and is off the queue cannot go straight to the CPU.
def _shortest(src: str, dst: str, through: bool) -> list[Arc]:
    ways: dict[str, list[Arc]] = {src: []}
    todo = [src]
    for here in todo:
        for arc in ARCS:
            straight = arc.src in _SLEEPS and arc.dst == "cpu"
            if arc.src == here and arc.dst not in ways and not (straight and through):
                ways[arc.dst] = [*ways[here], arc]
                todo.append(arc.dst)
    return ways.get(dst, [])


# The task in this machine, None if it is not there.
def _find(m: Any, chosen: Any) -> Any:
    address: int = getattr(chosen, "address_", chosen)
    try:
        if address < 1 << 32:
            return _by_number(m, address)
        task = tasks.at(m, address)
        is_there = task.state < sched.TASK_STATE_MAX and task.on_cpu in {0, 1}
    except Fault:
        return None
    return task if is_there else None  # memory that was freed is full of 0x6b


def _by_number(m: Any, pid: int) -> Any:
    for leader in sched_signal.for_each_process(m):
        for thread in sched_signal.for_each_thread(leader):
            if thread.pid == pid:
                return thread
    return None


# -- the picture --------------------------------------------------------------------------------------


def _draw(builder: PictureBuilder, here: tuple[str, ...], taken: list[Arc], brief: bool) -> None:
    for name, box in BOXES.items():
        constant, _, value = box.name.partition(" ")
        fields = [Field("value", value), Field("letter", box.letter or "that of exit_state")]
        by = [line for line in box.by if not brief or line.startswith("on the")]
        builder.node(
            name, [box.name, *by], badge=box.letter, kind=box.kind, focus=name in here,
            words=f"{constant}, {box.by[0]}" if constant == "TASK_RUNNING" else constant,
            fields=fields,
        )  # fmt: skip
    for arc in ARCS:
        builder.edge(
            arc.src, None, arc.dst, kind="parent" if arc.reached else "leftmost", name=arc.by,
            change="changed" if arc in taken else "",
            back=arc.dst in _LEFT or (arc.dst == "cpu" and arc.src in _SLEEPS),
        )  # fmt: skip
    builder.same_rank(*_LEFT)
    builder.same_rank(*_SLEEPS, *_SPECIAL)
    builder.level(*_LEFT)  # in one column that is: from top to bottom in this order
    builder.level(*_SLEEPS, *_SPECIAL)
    builder.legend("parent", "a call of ours leads there")
    builder.legend("leftmost", "in Linux only")


# The boxes left of the CPU; those beside each other on the right are who sleeps.
_LEFT = ("waking", "new", "queue", "dead", "zombie", "exit_dead")


def _notes(m: Any, before: Any, chosen: Any, who: Any, old: Any, taken: list[Arc]) -> list[str]:
    if chosen is None:
        return ["No task is chosen."]
    if who is None:
        gone = old is not None and f"Gone since event {moment.time(before)}: {tasks.title(old)}."
        return [gone or "The task is not there: it has no task_struct."]
    at = words(who)
    place = f"state {at.state:#x}, exit_state {at.exit_state:#x}, on_rq {at.on_rq}"
    found = [f"{tasks.title(who)}: {place}, on_cpu {at.on_cpu}; ps shows {at.letter}."]
    if taken:
        found.append(f"Taken since event {moment.time(before)}: {', '.join(a.by for a in taken)}.")
    return found
