"""What was written to the serial lines, piece by piece: who wrote it, when, and to which line.

The lines are devices and not memory; a machine that records knows who called tty_write() when,
what the system call was given, and (in memory as it was then) which line the descriptor stood for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.debug import strace
from kernelsim.include.linux import fs
from kernelsim.machine import trace
from kernelsim.machine.trace import CODE_BITS, PID_BITS

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine
    from kernelsim.machine.trace import Event

__all__ = ["Console", "Write"]

_PID = (1 << PID_BITS) - 1


class Write(NamedTuple):
    """Bytes that task `pid` wrote to a serial line, by event `t`."""

    t: int
    pid: int
    line: int
    data: bytes


class Console:
    """The serial lines of one machine that records; it grows as the machine goes on."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self._seen = 0
        self._writes: list[Write] = []

    def writes(self) -> list[Write]:
        """Return everything written so far, oldest first."""
        words, now = self.m.trace.words, self.m.trace.now
        wanted, mask = trace.code("tty_write"), (1 << CODE_BITS) - 1
        times = [t for t in range(self._seen, now) if words[t] & mask == wanted]
        self._seen = now
        calls = [(t, call) for t in times if (call := self._call(t)) and call.fields["args"][1]]
        found = [
            Write(t, call.pid, _line(past, call.fields["args"][0]), bytes(call.fields["args"][1]))
            for (call, past), (t, _) in zip(
                strace.looking_back(self.m, calls), reversed(calls), strict=True
            )
        ]
        self._writes += reversed(found)
        return self._writes

    # The system call that task wrote with.
    def _call(self, t: int) -> Event | None:
        pid = self.m.trace.words[t] >> CODE_BITS & _PID
        for back in range(t, -1, -1):
            if back in self.m.trace.fields:
                event = self.m.trace.event(back)
                if event.pid == pid and event.name == "sys_enter":
                    return event
        return None


# The serial line that a descriptor of the running task stands for.
def _line(past: Any, fd: int) -> int:
    file = fs.file(past, past.read_u64(past.current.files.fdt.fd + 8 * fd))
    return int(file.private_data)
