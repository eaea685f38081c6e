"""What a system call did, as a tree of kernel functions with their durations in virtual time.

    since, until = calltree.span(m, t)               # of the call whose sys_enter is event t
    calltree.tree(m, since, until, pid)              # its functions, those of this task alone

Virtual time passes at system calls and context switches only (kernel/time/timekeeping), so most
functions take none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernelsim.kernel.time import timekeeping
from kernelsim.machine import index, trace
from kernelsim.machine.trace import CODE_BITS, PID_BITS

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine, PastMachine
    from kernelsim.machine.trace import Event

__all__ = ["CLOCK", "MOST", "Node", "duration", "span", "text", "tree"]

MOST = 20_000
"""Functions in one tree; what comes after so many is counted only."""

CLOCK = (
    f"Time is virtual: a system call takes {timekeeping.NSEC_PER_SYSCALL / 1000:g} us, "
    f"a task switch {timekeeping.NSEC_PER_SWITCH / 1000:g} us, and all else takes none."
)
"""Where the durations come from."""

ENTRY = "entry_SYSCALL_64"
_SHARED = {"__switch_to", "finish_task_switch"}  # entered by one task, left by another
_PID = (1 << PID_BITS) - 1


@dataclasses.dataclass
class Node:
    """A function that a task was in, or (`kind` "switch") a leaf: the CPU went on with task `to`.

    `ns` is how long it took, None if it was not left in sight.  `early` says that it was entered
    before the events begin.
    """

    name: str
    pid: int
    t: int
    kind: str = "call"
    ns: int | None = None
    early: bool = False
    to: int = 0
    children: list[Node] = dataclasses.field(default_factory=list)


def span(m: Machine, t: int, until: int | None = None) -> tuple[int, int]:
    """Return the times between which the system call lies whose sys_enter is event `t`.

    The end is `until` (default: now) for a call that has not returned by then.
    """
    until = m.trace.now if until is None else until
    words, pid = m.trace.words, m.trace.event(t).pid
    first = trace.code(ENTRY) | (pid & _PID) << CODE_BITS
    last, mask = first | trace.EXIT, (1 << CODE_BITS + PID_BITS) - 1
    since = next((i for i in range(t, max(t - 64, -1), -1) if words[i] & mask == first), t)
    return since, next((i + 1 for i in range(t, until) if words[i] & mask == last), until)


def tree(
    m: Machine, since: int, until: int, pid: int | None = None, then: PastMachine | None = None
) -> tuple[list[Node], int]:
    """Return the functions that tasks were in in [since, until), and how many more there were than MOST.

    :param pid: the task whose functions are wanted; None for all.
    :param then: the machine as it was at `until` or later, if that is not now.
    """
    roots: list[Node] = []
    open_: dict[int, list[Node]] = {}
    count = 0
    for event, ns in _timed(m, since, until, then):
        if pid is not None and event.pid != pid:
            continue
        stack = open_.setdefault(event.pid, [])
        if event.kind == "exit":
            _leave(event, ns, stack, roots)
            continue
        node = _node(event)
        if node is None:
            continue
        if count == MOST:
            return roots, sum(1 for _ in _entered(m, event.t, until, pid))
        count += 1
        (stack[-1].children if stack else roots).append(node)
        if node.kind == "call":
            node.ns = -ns - 1  # begun, and when
            stack.append(node)
    for stack in open_.values():
        for node in stack:
            node.ns = None
    return roots, 0


def _node(event: Event) -> Node | None:
    if event.kind == "enter" and event.name not in _SHARED:
        return Node(event.name, event.pid, event.t)
    if event.name == "sched_switch":
        return Node("", event.pid, event.t, "switch", to=event.fields["next_pid"])
    return None


# A task leaves a function: the innermost one, or one that it was in before the events begin.
def _leave(event: Event, ns: int, stack: list[Node], roots: list[Node]) -> None:
    if event.name in _SHARED:
        return
    if stack:
        node = stack.pop()
        node.ns = ns + 1 + (node.ns or 0)
        return
    inner = [root for root in roots if root.pid == event.pid]
    place = roots.index(inner[0]) if inner else len(roots)
    outer = Node(event.name, event.pid, event.t, early=True, children=inner)
    roots[:] = [root for root in roots if root.pid != event.pid]
    roots.insert(min(place, len(roots)), outer)


def _entered(m: Machine, since: int, until: int, pid: int | None) -> Iterator[Event]:
    for event in m.trace.events(since, until):
        if event.kind == "enter" and pid in {None, event.pid}:
            yield event


# Each event with the virtual time at which it happened.
def _timed(
    m: Machine, since: int, until: int, then: PastMachine | None
) -> Iterator[tuple[Event, int]]:
    clock = m.offset(m.symbols["tk_core"][0]) >> 3
    now = m.trace.now if then is None else then.now
    first, last = m.trace.place(since), m.trace.place(max(now, until))
    stored = index.of(m, first)
    ends = stored.stores(clock, first, last)  # where in the journal the time was changed
    before = [stored.value(clock, end) for end in ends]
    times = [*before, (m if then is None else then).u64[clock]]
    changes = 0
    for event in m.trace.events(since, until):
        place = m.trace.place(event.t)
        while changes < len(ends) and ends[changes] <= place:
            changes += 1
        yield event, times[changes]


def duration(ns: int) -> str:
    """Return a duration as trace_print_graph_duration() prints it, with the mark of a long one before it."""
    marks = ((10**9, "$"), (10**8, "@"), (10**7, "*"), (10**6, "#"), (10**5, "!"), (10**4, "+"))
    mark = next((mark for limit, mark in marks if ns > limit), " ")
    usecs, rest = str(ns // 1000), f"{ns % 1000:03}"
    if len(usecs) < 7:  # not more than seven digits
        usecs += f".{rest[: min(4, 7 - len(usecs))]}"
    return f"{mark} {usecs} us"


def text(nodes: list[Node], most: int = MOST) -> str:
    """Return the tree as function_graph prints it, with the task before each line, at most so many lines."""
    lines = list(_lines(nodes, 0))
    more = len(lines) - most
    tail = [f"... and {more} more lines"] if more > 0 else []
    return "\n".join([*lines[:most], *tail])


def _lines(nodes: list[Node], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for node in nodes:
        took = "" if node.ns is None else duration(node.ns)
        head = f"{node.pid:>5}  "
        if node.kind == "switch":
            yield f"{head}{'':15}|  {indent}/* task {node.to} runs */"
        elif node.children or node.ns is None:
            note = "  /* entered before */" if node.early else ""
            yield f"{head}{'':15}|  {indent}{node.name}() {{{note}"
            yield from _lines(node.children, depth + 1)
            if node.ns is not None or node.early:
                yield f"{head}{took:15}|  {indent}}}"
        else:
            yield f"{head}{took:15}|  {indent}{node.name}();"
