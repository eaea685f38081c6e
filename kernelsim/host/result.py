"""What a run on the reader's own Linux gives back, and what can go wrong with it.

No counterpart in Linux. Knows nothing of how a program is run; `caller` fills these in.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Call", "Run", "Runaway", "Timeout", "Unavailable"]


class Call(NamedTuple):
    """One system call: who made it, its name and arguments, and what came of it.

    `result` is the value returned, or the name of the errno (`"ECHILD"`) if the call failed, or
    None if it never returned.
    """

    pid: int
    name: str
    args: tuple[Any, ...]
    result: Any


@dataclasses.dataclass(frozen=True)
class Run:
    """The outcome of one run of a program.

    `stdout` and `stderr` are all bytes that any of its processes wrote to fd 1 and fd 2, `status`
    is the raw wait status word of its first process. `records` are its calls: in order within a
    process; between processes in the order in which the results were noted, which may differ from
    run to run. `notes` is what Python itself would have printed for the reader: tracebacks,
    warnings, and the text of a stray `print`.
    """

    stdout: bytes
    status: int
    stderr: bytes = b""
    records: tuple[Call, ...] = ()
    notes: str = ""
    kernel_release: str = ""

    @property
    def calls(self) -> pd.DataFrame:
        """The records as a pandas table with the columns pid, name, args, result."""
        import pandas as pd  # only here: pandas is slow to import and may be missing

        columns = {
            field: pd.Series([getattr(call, field) for call in self.records], dtype=kind)
            for field, kind in zip(Call._fields, (int, object, object, object), strict=True)
        }
        return pd.DataFrame(columns)

    @property
    def exit_code(self) -> int:
        """The exit code, or minus the signal's number if a signal killed the program."""
        return os.waitstatus_to_exitcode(self.status)

    def __repr__(self) -> str:
        return f"Run(status={self.status:#06x}, stdout={_short(self.stdout)})"


# A long output is told by its length: a repr is for one line.
def _short(data: bytes) -> str:
    return repr(data) if len(data) <= 60 else f"<{len(data)} bytes>"


class Unavailable(RuntimeError):
    """This machine cannot run a program in a fresh PID namespace; the message says why."""


class _Cut(RuntimeError):
    # A run that had to be ended from outside, with what it had written until then.
    def __init__(self, message: str, stdout: bytes) -> None:
        super().__init__(message)
        self.stdout = stdout


class Timeout(_Cut, TimeoutError):
    """The program had not ended after the time given; `stdout` is what it had written so far."""


class Runaway(_Cut):
    """The program forked or wrote without end; `stdout` is what it had written so far."""
