"""The function graph, as ftrace's function_graph tracer prints it with `nofuncgraph-duration`.

Durations are left out because they would say little: virtual time stands still inside a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernelsim.machine.machine import Machine
    from kernelsim.machine.trace import Event

__all__ = ["function_graph"]

HEADER = "# tracer: function_graph\n#\n# CPU               FUNCTION CALLS\n# |                 |   |   |   |\n"
RULE = " ------------------------------------------\n"
PROCINFO_LENGTH = 14  # TRACE_GRAPH_PROCINFO_LENGTH


def function_graph(m: Machine, since: int = 0, until: int | None = None) -> str:
    """Return the functions entered and left in [since, until), nested, with a mark where the task changes.

    A closing brace names its function where its beginning is not in sight: before the events, or
    before a task switch.
    """
    events = [e for e in m.trace.events(since, until) if e.kind != "event"]
    depths = _open_before(events)
    names, graph = _names(m, depths), _Graph(depths)
    text, running, i = [HEADER], None, 0
    while i < len(events):
        event = events[i]
        if running is not None and event.pid != running:
            text.append(f"{RULE} 0) {names[running]} => {names[event.pid]}\n{RULE}\n")
        running = event.pid
        leaf = i + 1 < len(events) and _is_leaf(event, events[i + 1])
        text.append(f" 0) {graph.line(event, leaf=leaf)}\n")
        i += 2 if leaf else 1
    return "".join(text)


class _Graph:
    # How deep each task is, and which function the CPU entered last at each depth (enter_funcs):
    # a brace that closes another one, for a task switch lies between, says whose it is.
    def __init__(self, depths: dict[int, int]) -> None:
        self.depths = depths
        self.entered: dict[int, str] = {}

    def line(self, event: Event, *, leaf: bool) -> str:
        pid, name = event.pid, event.name
        if event.kind == "exit":
            self.depths[pid] -= 1
        depth = self.depths[pid]
        indent = "  " * depth
        if event.kind == "exit":
            return f"{indent}}}" + ("" if self.entered.pop(depth, "") == name else f" /* {name} */")
        self.entered[depth] = "" if leaf else name
        self.depths[pid] += not leaf
        return f"{indent}{name}();" if leaf else f"{indent}{name}() {{"


def _is_leaf(event: Event, following: Event) -> bool:
    same = (following.name, following.pid) == (event.name, event.pid)
    return same and event.kind == "enter" and following.kind == "exit"


def _open_before(events: list[Event]) -> dict[int, int]:
    # By pid: how many functions the task is in when the events begin, of those that it leaves later.
    depth: dict[int, int] = {}
    lowest: dict[int, int] = {}
    for event in events:
        pid = event.pid
        depth[pid] = depth.get(pid, 0) + (1 if event.kind == "enter" else -1)
        lowest[pid] = min(lowest.get(pid, 0), depth[pid])
    return {pid: -low for pid, low in lowest.items()}


def _names(m: Machine, pids: Iterable[int]) -> dict[int, str]:
    # "comm-pid" of each task, centred as print_graph_proc() does; the name is the last one it had.
    names = {0: "<idle>"}
    for t in m.trace.fields:
        event = m.trace.event(t)
        if event.name == "sched_process_fork":
            names[event.fields["child_pid"]] = event.fields["child_comm"]
        elif event.name == "task_rename":
            names[event.fields["pid"]] = event.fields["newcomm"]
    return {pid: _centred(f"{names.get(pid, '<...>')[:7]}-{pid}") for pid in pids}


def _centred(text: str) -> str:
    spaces = max(0, PROCINFO_LENGTH - len(text))
    return " " * (spaces // 2) + text + " " * (spaces - spaces // 2)
