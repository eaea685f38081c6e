"""Which machine, and when: what every view does with its first argument and with ``since``."""

from __future__ import annotations

from typing import Any

__all__ = ["caption", "earlier", "machine", "time"]


def machine(k: Any) -> Any:
    """The machine of a Kernel (now or at an earlier time), or ``k`` itself if it is one."""
    return getattr(k, "machine", k)


def time(m: Any) -> int | None:
    """The machine's time, the number of events so far; None if it does not record."""
    if hasattr(m, "present"):
        now: int = m.now
        return now
    return m.trace.now if m.trace.on else None


def earlier(k: Any, since: Any) -> Any:
    """The machine at ``since`` (a time, a Kernel or a Machine); None for None."""
    if since is None:
        return None
    if isinstance(since, int):
        m = machine(k)
        return getattr(m, "present", m).at(since)
    return machine(since)


def caption(m: Any, before: Any) -> str:
    """The moment in words: ``at event 42, changes since event 17``."""
    now = time(m)
    if now is None:
        return ""
    then = "" if before is None else f", changes since event {time(before)}"
    return f"at event {now}{then}"
