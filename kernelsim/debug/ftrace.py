"""The function graph, as ftrace's function_graph tracer prints it (without durations)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine
    from kernelsim.machine.trace import Event

__all__ = ["function_graph"]

HEADER = "# tracer: function_graph\n#\n# CPU  FUNCTION CALLS\n# |     |   |   |   |\n"


def _line(depth: int, text: str) -> str:
    return f" 0)  | {'  ' * depth} {text}"


def _switch(m: Machine, old: int, new: int) -> list[str]:
    return [
        " ------------------------------------------",
        f" 0)   <task-{old}>   =>    <task-{new}>",
        " ------------------------------------------",
        "",
    ]


def function_graph(m: Machine, since: int = 0, until: int | None = None) -> str:
    """Return the functions entered and left in [since, until), nested, with a mark where the task changes."""
    depth: dict[int, int] = {}
    lines: list[str] = []
    events = [e for e in m.trace.events(since, until) if e.kind != "event"]
    running: int | None = None
    i = 0
    while i < len(events):
        event = events[i]
        if running is not None and event.pid != running:
            lines += _switch(m, running, event.pid)
        running = event.pid
        level = depth.get(running, 0)
        if event.kind == "exit":
            level = depth[running] = max(0, level - 1)
            lines.append(
                _line(level, "}" + ("" if level or _opened(events, i) else f" /* {event.name} */"))
            )
        elif i + 1 < len(events) and _is_leaf(event, events[i + 1]):
            lines.append(_line(level, f"{event.name}();"))
            i += 1
        else:
            lines.append(_line(level, f"{event.name}() {{"))
            depth[running] = level + 1
        i += 1
    return HEADER + "\n".join(lines) + ("\n" if lines else "")


def _is_leaf(event: Event, following: Event) -> bool:
    return following.kind == "exit" and following.name == event.name and following.pid == event.pid


def _opened(events: list[Event], i: int) -> bool:
    # Was the function left at `i` entered within the events?
    exit_event, open_calls = events[i], 0
    for event in events[:i]:
        if event.pid == exit_event.pid and event.name == exit_event.name:
            open_calls += 1 if event.kind == "enter" else -1
    return open_calls > 0
