"""The system calls that the panel offers, with their parameters, and arguments given as text.

Names, parameters and results are libc's, as `Kernel.call` takes them.  Not here: calls with raw
arguments, by number or with flags; `k.call` in a cell makes those.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait

__all__ = ["CALLS", "Call", "Parameter", "arguments", "choose", "written"]


class Parameter(NamedTuple):
    """A parameter: `default` is what the form begins with, `choices` the names of known values."""

    name: str
    kind: Literal["int", "pid", "bytes"]
    default: str = ""
    choices: tuple[tuple[str, int], ...] = ()


class Call(NamedTuple):
    """A system call and what it does, in one sentence."""

    name: str
    words: str
    parameters: tuple[Parameter, ...] = ()


_SIGNALS = tuple(
    (name, getattr(signal, name))
    for name in ("SIGTERM", "SIGKILL", "SIGSTOP", "SIGCONT", "SIGINT", "SIGUSR1", "SIGCHLD")
    if hasattr(signal, name)
)
_OPTIONS = (("0", 0), ("WNOHANG", wait.WNOHANG))
_FD = Parameter("fd", "int", "3")

CALLS = {
    call.name: call
    for call in (
        Call("fork", "make a copy of this process"),
        Call("exit", "end this process", (Parameter("status", "int", "0"),)),
        Call(
            "waitpid",
            "wait until a child ends (-1: any child)",
            (Parameter("pid", "pid", "-1"), Parameter("options", "int", "0", _OPTIONS)),
        ),
        Call(
            "kill",
            "send a signal to a process",
            (Parameter("pid", "pid"), Parameter("sig", "int", "SIGTERM", _SIGNALS)),
        ),
        Call("getpid", "its own number"),
        Call("getppid", "its parent's number"),
        Call("setsid", "begin a session of its own"),
        Call(
            "setpgid",
            "move a process into a process group (0: itself)",
            (Parameter("pid", "pid", "0"), Parameter("pgrp", "pid", "0")),
        ),
        Call("getsid", "the number of a process's session", (Parameter("pid", "pid", "0"),)),
        Call("getpgid", "the number of a process's group", (Parameter("pid", "pid", "0"),)),
        Call("pipe", "make a pipe: two descriptors, one to read from, one to write to"),
        Call("read", "read bytes from a descriptor", (_FD, Parameter("n", "int", "10"))),
        Call(
            "write",
            "write bytes to a descriptor",
            (_FD._replace(default="4"), Parameter("data", "bytes", "hello")),
        ),
        Call("close", "give a descriptor back", (_FD,)),
        Call("dup", "another descriptor for the same open file", (_FD,)),
        Call("sched_yield", "let others run first"),
    )
}
"""What the panel can offer, by name; in this order."""


def choose(names: tuple[str, ...] | list[str] | None) -> list[Call]:
    """Return the calls with these names, all of them for None.

    Raises ValueError for a name that the panel does not offer.
    """
    if names is None:
        return list(CALLS.values())
    unknown = [name for name in names if name not in CALLS]
    if unknown:
        raise ValueError(f"the panel has no call {unknown[0]!r}; it has {', '.join(CALLS)}")
    return [CALLS[name] for name in names]


def arguments(call: Call, texts: list[str]) -> tuple[Any, ...]:
    """Return the arguments that the reader typed.

    Raises ValueError, with a sentence for the reader, for what can't be one.
    """
    if len(texts) != len(call.parameters):
        raise ValueError(f"{call.name}() takes {len(call.parameters)} arguments, not {len(texts)}")
    return tuple(_argument(p, text) for p, text in zip(call.parameters, texts, strict=True))


def _argument(parameter: Parameter, text: str) -> Any:
    if parameter.kind == "bytes":
        return text.encode("utf-8", "surrogatepass")
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    known = dict(parameter.choices)
    if text in known:
        return known[text]
    if not text:
        raise ValueError(f"{parameter.name} is empty: give a number")
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{parameter.name} is a number, not {text[:20]!r}") from None


def written(name: str, values: tuple[Any, ...]) -> str:
    """The call as C writes it: ``kill(4, SIGTERM)``."""
    parameters = CALLS[name].parameters if name in CALLS else ()
    if len(parameters) != len(values):
        return f"{name}({', '.join(map(_value, values))})"
    shown = (_named(p, value) for p, value in zip(parameters, values, strict=True))
    return f"{name}({', '.join(shown)})"


def _named(parameter: Parameter, value: Any) -> str:
    return next((word for word, known in parameter.choices if known == value), _value(value))


def _value(value: Any) -> str:
    if isinstance(value, bytes):
        return '"' + repr(value)[2:-1].replace('"', '\\"') + '"'
    return repr(value)
