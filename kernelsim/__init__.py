"""kernelsim: Linux 5.10's process management, simulated byte for byte.

>>> import kernelsim as ks
>>> k = ks.boot()
>>> bash = k.spawn("bash")
>>> k.call(bash, "fork")
4
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kernelsim.machine.cpu import Panic
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import container_of
from kernelsim.puppets import PENDING
from kernelsim.runs import Run, Stuck, run
from kernelsim.session import DeadTask, Kernel, boot

if TYPE_CHECKING:
    from kernelsim import debug, exercise, host, view, widget

__all__ = [
    "PENDING",
    "DeadTask",
    "Fault",
    "Kernel",
    "Panic",
    "Run",
    "Stuck",
    "boot",
    "container_of",
    "debug",
    "exercise",
    "host",
    "run",
    "view",
    "widget",
]

_LAZY = ("debug", "exercise", "host", "view", "widget")  # they need more than the standard library


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"kernelsim.{name}")
    raise AttributeError(f"module 'kernelsim' has no attribute {name!r}")
