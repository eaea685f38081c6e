"""kernel/trace/ftrace.c, fgraph.c @ v5.10.188: noting every kernel function that is entered and left.

Linux patches the first instruction of its functions while tracing is on; here each function of the
mirrored modules is replaced in its module.  Calls between and inside modules go by name, so all of
them are seen.  Inline functions of headers are not functions, as in Linux.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any

from kernelsim.machine import trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from kernelsim.machine.machine import Machine

__all__ = ["is_symbol", "register", "symbol"]

ROOMS = ("kernel", "mm", "fs", "lib", "init", "drivers", "arch")
_SILENT = {
    "kernelsim.kernel.trace.ftrace",
    "kernelsim.kernel.time.timekeeping",
    "kernelsim.lib.list_debug",
}
# Inline functions and macros in Linux, and what is ours: they have no first instruction to patch.
# __switch_to is marked __notrace_funcgraph: it is entered by one task and left by another.
_INLINE = frozenset(
    [
        "__switch_to",
        "clear_tsk_need_resched",
        "each_task",
        "free_blocks",
        "get_pid",
        "get_pid_ns",
        "init_sigpending",
        "mmdrop",
        "page_address",
        "pid_has_task",
        "put_cred",
        "set_tsk_need_resched",
        "stack_pop",
        "stack_push",
        "test_tsk_need_resched",
        "this_rq",
        "user_mode",
        "virt_to_page",
    ]
)
_done: set[str] = set()


def register(m: Machine) -> None:
    """Trace the functions of the kernel from now on (in every machine that records)."""
    for name, module in sorted(sys.modules.items()):
        parts = name.split(".")
        private = parts[-1].startswith("_")
        if (
            parts[0] == "kernelsim"
            and len(parts) > 2
            and parts[1] in ROOMS
            and name not in _SILENT
            and not private
        ):
            _patch(name, module)


def _patch(name: str, module: ModuleType) -> None:
    if name in _done:
        return
    _done.add(name)
    for attribute, value in list(vars(module).items()):
        traceable = inspect.isfunction(value) and value.__module__ == name and is_symbol(attribute)
        if attribute in _INLINE:
            continue
        if traceable and not inspect.isgeneratorfunction(value) and value.__code__.co_argcount:
            wrap = _traced if _first(value) == "m" else _traced_by_reference
            if wrap is _traced or attribute in module.__all__:
                setattr(module, attribute, wrap(value))


def symbol(name: str) -> str:
    """Return the kernel's name of our function `name`: a system call's has a prefix (SYSCALL_DEFINE)."""
    return f"__x64_{name}" if name.startswith("sys_") else name


def is_symbol(name: str) -> bool:
    """Return whether `name` is one of the kernel's: our own helpers begin with one underscore."""
    return not name.startswith("_") or name.startswith("__")


def _first(function: Callable[..., Any]) -> str:
    code = function.__code__
    return code.co_varnames[0] if code.co_argcount else ""


def _traced_by_reference(function: Any) -> Any:
    # A function that knows the machine only from its first argument, a reference.
    enter = trace.code(symbol(function.__name__))
    leave = enter | trace.EXIT
    shift = trace.PLACE_SHIFT

    @functools.wraps(function)
    def plain(ref: Any, *args: Any, **options: Any) -> Any:
        machine = getattr(ref, "machine_", None)
        if machine is None or not machine.trace.on:
            return function(ref, *args, **options)
        t = machine.trace
        append, journal = t.append, t.journal
        append(len(journal) << shift | t.tag | enter)
        try:
            return function(ref, *args, **options)
        finally:
            append(len(journal) << shift | t.tag | leave)

    return plain


def _traced(function: Any) -> Any:
    enter = trace.code(symbol(function.__name__))
    leave = enter | trace.EXIT
    shift = trace.PLACE_SHIFT

    @functools.wraps(function)
    def plain(m: Any, *args: Any) -> Any:
        t = m.trace
        if not t.on:
            return function(m, *args)
        append, journal = t.append, t.journal
        append(len(journal) << shift | t.tag | enter)
        try:
            return function(m, *args)
        finally:
            append(len(journal) << shift | t.tag | leave)

    @functools.wraps(function)
    def traced(m: Any, *args: Any, **options: Any) -> Any:
        t = m.trace
        if not t.on:
            return function(m, *args, **options)
        append, journal = t.append, t.journal
        append(len(journal) << shift | t.tag | enter)
        try:
            return function(m, *args, **options)
        finally:
            append(len(journal) << shift | t.tag | leave)

    @functools.wraps(function)
    async def traced_async(m: Any, *args: Any, **options: Any) -> Any:
        t = m.trace
        append, journal = t.append, t.journal
        append(len(journal) << shift | t.tag | enter)
        left = True
        try:
            return await function(m, *args, **options)
        except GeneratorExit:  # its task is dead and has left the CPU for ever: nothing returns
            left = False
            raise
        finally:
            if left:
                append(len(journal) << shift | t.tag | leave)

    @functools.wraps(function)
    def maybe(m: Any, *args: Any, **options: Any) -> Any:
        return (traced_async if m.trace.on else function)(m, *args, **options)

    if inspect.iscoroutinefunction(function):
        return maybe
    return traced if function.__kwdefaults__ or function.__code__.co_kwonlyargcount else plain
