"""A corpus of small programs, each showing one thing, the same on Linux and in the simulator.

No counterpart in Linux. A program is an `async def` function of libc whose output and wait status
are certain: where processes could race, wait or a pipe puts them in order. They share no Python
state between processes and leave nothing to chance. `ALL` has every one by name.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from kernelsim.user.programs import (
    copies,
    descriptors,
    exits,
    families,
    forks,
    futexes,
    groups,
    handlers,
    jobs,
    masks,
    namespaces,
    pidfds,
    pipelines,
    pipes,
    polling,
    properties,
    reaping,
    signals,
    waits,
)

__all__ = ["ALL", "MODULES", "Program"]

Program = Callable[[Any], Coroutine[Any, Any, int | None]]

MODULES = (
    *(forks, waits, exits, families, pipes, descriptors, pipelines, signals, handlers, jobs),
    *(copies, reaping, groups, masks, properties, futexes, namespaces, pidfds, polling),
)
ALL: dict[str, Program] = {
    name: getattr(module, name) for module in MODULES for name in module.__all__
}
