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

from kernelsim.arch.x86.kernel import vmlinux
from kernelsim.machine import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from types import ModuleType

    from kernelsim.machine.machine import Machine

__all__ = ["is_symbol", "register", "symbol", "traced"]

ROOMS = vmlinux.ROOMS
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
        "cache_name",
        "clear_tsk_need_resched",
        "each_task",
        "free_blocks",
        "get_pid",
        "get_pid_ns",
        "hb_waiters_dec",
        "hb_waiters_inc",
        "hb_waiters_pending",
        "init_sigpending",
        "kthread_create",
        "kthread_run",
        "mmdrop",
        "page_address",
        "pid_has_task",
        "put_cred",
        "queue_lock",
        "queue_me",
        "queue_unlock",
        "requeue_futex",
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
    found = []
    for name, module in sorted(sys.modules.items()):
        parts = name.split(".")
        ours = parts[0] == "kernelsim" and len(parts) > 2 and parts[1] in ROOMS
        if ours and name not in _SILENT | _done and not parts[-1].startswith("_"):
            _done.add(name)
            found += [(module, attribute) for attribute in _traceable(name, module)]
    _patch(found)


def _traceable(name: str, module: ModuleType) -> Iterator[str]:
    # The names of the functions of `module` that are to be traced.
    for attribute, value in vars(module).items():
        ours = inspect.isfunction(value) and value.__module__ == name and is_symbol(attribute)
        if not ours or attribute in _INLINE or inspect.isgeneratorfunction(value):
            continue
        first = next(iter(inspect.signature(value).parameters), "")
        if first == "m" or (first and attribute in module.__all__):
            yield attribute


def symbol(name: str) -> str:
    """Return the kernel's name of our function `name`: a system call's has a prefix (SYSCALL_DEFINE)."""
    return f"__x64_{name}" if name.startswith("sys_") else name


def is_symbol(name: str) -> bool:
    """Return whether `name` is one of the kernel's: our own helpers begin with one underscore."""
    return not name.startswith("_") or name.startswith("__")


def traced(m: Machine, name: str, running: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
    """Return `running`, a function `name` of a module under way, so that its way in and out is noted."""
    enter = trace.code(name)

    async def traced_async() -> Any:
        t, journal, left = m.trace, m.trace.journal, True
        assert journal is not None
        t.append(len(journal) << trace.PLACE_SHIFT | t.tag | enter)
        try:
            return await running
        except GeneratorExit:
            left = False
            raise
        finally:
            if left:
                t.append(len(journal) << trace.PLACE_SHIFT | t.tag | enter | trace.EXIT)

    return traced_async() if m.trace.on else running


# --- wrappers ------------------------------------------------------------------------------

# What replaces a function has its parameters by name, for a call that passes them on one by one is
# much faster than one that packs and unpacks them.  So it is made from text, once for all functions
# that have the same parameters (our own names end in an underscore).  `machine` is `m`, or the
# first parameter's `machine_` where the function knows the machine only from a reference.

_SYNC = """
def make_{number}(function_, enter_, leave_, shift_, default_):
    def traced({parameters}):
        try:
            t_ = {machine}.trace
        except AttributeError:
            return function_({arguments})
        if not t_.on:
            return function_({arguments})
        append_, journal_ = t_.append, t_.journal
        append_(len(journal_) << shift_ | t_.tag | enter_)
        try:
            return function_({arguments})
        finally:
            append_(len(journal_) << shift_ | t_.tag | leave_)
    return traced
"""

_ASYNC = """
def make_{number}(function_, enter_, leave_, shift_, default_):
    async def traced_async({parameters}):
        t_ = {machine}.trace
        append_, journal_ = t_.append, t_.journal
        append_(len(journal_) << shift_ | t_.tag | enter_)
        left_ = True
        try:
            return await function_({arguments})
        except GeneratorExit:  # its task is dead and has left the CPU for ever: nothing returns
            left_ = False
            raise
        finally:
            if left_:
                append_(len(journal_) << shift_ | t_.tag | leave_)
    def maybe({parameters}):
        return (traced_async if {machine}.trace.on else function_)({arguments})
    return maybe
"""


def _shape(function: Callable[..., Any]) -> tuple[str, str, str, str]:
    # (template, parameters, arguments, machine) of what replaces the function.
    parameters = inspect.signature(function).parameters.values()
    declared, passed, star = [], [], False
    for n, p in enumerate(parameters):
        keyword = p.kind is p.KEYWORD_ONLY
        if keyword and not star:
            declared.append("*")
        star |= keyword or p.kind is p.VAR_POSITIONAL
        mark = "*" * (p.kind is p.VAR_POSITIONAL)
        declared.append(f"{mark}{p.name}{'' if p.default is p.empty else f'=default_[{n}]'}")
        passed.append(f"{p.name}={p.name}" if keyword else f"{mark}{p.name}")
    first = passed[0]
    template = _ASYNC if inspect.iscoroutinefunction(function) else _SYNC
    machine = "m" if first == "m" else f"{first}.machine_"
    return template, ", ".join(declared), ", ".join(passed), machine


def _patch(found: list[tuple[ModuleType, str]]) -> None:
    # Replace these functions by ones that note that they are entered and left.
    shapes: dict[tuple[str, str, str, str], int] = {}
    for module, name in found:
        shapes.setdefault(_shape(getattr(module, name)), len(shapes))
    source = "".join(
        template.format(number=n, parameters=parameters, arguments=arguments, machine=machine)
        for (template, parameters, arguments, machine), n in shapes.items()
    )
    scope: dict[str, Any] = {}
    exec(compile(source, "<ftrace>", "exec"), scope)  # noqa: S102 - our own text
    for module, name in found:
        function = getattr(module, name)
        enter = trace.code(symbol(name))
        default = [p.default for p in inspect.signature(function).parameters.values()]
        make = scope[f"make_{shapes[_shape(function)]}"]
        made = make(function, enter, enter | trace.EXIT, trace.PLACE_SHIFT, default)
        setattr(module, name, functools.wraps(function)(made))
