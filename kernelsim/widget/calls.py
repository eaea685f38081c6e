"""The system calls that the panel offers, with their parameters, and arguments given as text.

Names, parameters and results are libc's, as `Kernel.call` takes them.  For the calls in `CALLS` the
panel has words and known values of its own; every other one that libc has is offered too, in
libc's words, as far as its arguments are numbers or text.
"""

from __future__ import annotations

import inspect
from typing import Any, Literal, NamedTuple

from kernelsim import steer
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import wait
from kernelsim.widget import clone

__all__ = ["BOMB", "CALLS", "Call", "Parameter", "arguments", "choose", "offered", "why", "written"]

BOMB = "fork bomb"


class Parameter(NamedTuple):
    """A parameter: `default` is what the form begins with, `choices` the names of known values.

    Of kind "flags" it is a word made of the values in `flags`, which are shown as checkboxes, and
    of one of `choices`.
    """

    name: str
    kind: Literal["int", "pid", "bytes", "text", "flags"]
    default: str = ""
    choices: tuple[tuple[str, int], ...] = ()
    flags: tuple[clone.Flag, ...] = ()


class Call(NamedTuple):
    """A system call and what it does, in one sentence."""

    name: str
    words: str
    parameters: tuple[Parameter, ...] = ()


def _values(module: Any, *names: str) -> tuple[tuple[str, int], ...]:
    # Known values by name, as far as the kernel has the constants.
    return tuple((name, getattr(module, name)) for name in names if hasattr(module, name))


_SIGNALS = _values(
    signal,
    *("SIGTERM", "SIGKILL", "SIGSTOP", "SIGCONT", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"),
    *("SIGCHLD", "SIGSEGV", "SIGPIPE", "SIGALRM"),
)
_WAITING = {
    "WNOHANG": "return at once if none has ended",
    "WUNTRACED": "one that is stopped counts too",
    "WCONTINUED": "one that goes on again counts too",
    "__WALL": "children of every kind",
    "__WCLONE": "only those with another exit signal than SIGCHLD",
    "__WNOTHREAD": "not the children of its other threads",
}
_OPTIONS = Parameter(
    "options",
    "flags",
    "0",
    flags=tuple(
        clone.Flag(name, getattr(wait, name), "", words, "")
        for name, words in _WAITING.items()
        if hasattr(wait, name)
    ),
)
_EXIT_SIGNALS = (("SIGCHLD", signal.SIGCHLD), ("no signal", 0), *_values(signal, "SIGUSR1"))
_HANDLERS = (("SIG_DFL", 0), ("SIG_IGN", 1))
_PRCTL = (
    ("PR_SET_CHILD_SUBREAPER", 36),
    ("PR_GET_CHILD_SUBREAPER", 37),
    ("PR_SET_PDEATHSIG", 1),
    ("PR_GET_PDEATHSIG", 2),
)
_IDTYPES = (("P_ALL", 0), ("P_PID", 1), ("P_PGID", 2))
_FD = Parameter("fd", "int", "3")
_PID, _GROUP = Parameter("pid", "pid", "0"), Parameter("pgrp", "pid", "0")
_SIGNAL = Parameter("sig", "int", "SIGTERM", _SIGNALS)


def _call(name: str, words: str, *parameters: Parameter) -> Call:
    return Call(name, words, parameters)


_KNOWN = (
    _call("fork", "make a copy of this process"),
    _call("exit", "end this process", Parameter("status", "int", "0")),
    _call(
        "waitpid",
        "wait until a child ends (-1: any child)",
        Parameter("pid", "pid", "-1"),
        _OPTIONS,
    ),
    _call("kill", "send a signal to a process", Parameter("pid", "pid"), _SIGNAL),
    _call(
        "clone",
        "make a new task and say what it shares with this one",
        Parameter("flags", "flags", "SIGCHLD", _EXIT_SIGNALS, tuple(clone.CLONE.values())),
    ),
    _call("execve", "run another program in this process", Parameter("path", "text")),
    _call("getpid", "its own number"),
    _call("getppid", "its parent's number"),
    _call("vfork", "make a process that borrows this one's memory until it calls execve or ends"),
    _call(
        "unshare",
        "stop sharing something",
        Parameter("flags", "flags", "0", flags=tuple(clone.UNSHARE.values())),
    ),
    _call("gettid", "the number of this thread"),
    _call("setsid", "begin a session of its own"),
    _call("setpgid", "move a process into a process group (0: itself)", _PID, _GROUP),
    _call("getsid", "the number of a process's session", _PID),
    _call("getpgid", "the number of a process's group", _PID),
    _call("getpgrp", "the number of its own process group"),
    _call(
        "waitid",
        "wait for a child, and learn more about it",
        Parameter("idtype", "int", "P_ALL", _IDTYPES),
        Parameter("id", "pid", "0"),
        Parameter("options", "int", "4", (("WEXITED", 4), ("WEXITED|WNOHANG", 5))),
    ),
    _call(
        "signal",
        "ignore a signal, or have it do what it does by default",
        _SIGNAL,
        Parameter("handler", "int", "SIG_IGN", _HANDLERS),
    ),
    _call("pause", "sleep until a signal comes"),
    _call(
        "prctl",
        "change something about this process",
        Parameter("option", "int", "PR_SET_CHILD_SUBREAPER", _PRCTL),
        Parameter("arg", "int", "1"),
    ),
    _call(
        "nanosleep",
        "sleep for a time",
        Parameter("seconds", "int", "1"),
        Parameter("nanoseconds", "int", "0"),
    ),
    _call("pipe", "make a pipe: two descriptors, one to read from, one to write to"),
    _call("read", "read bytes from a descriptor", _FD, Parameter("n", "int", "10")),
    _call(
        "write",
        "write bytes to a descriptor",
        _FD._replace(default="4"),
        Parameter("data", "bytes", "hello"),
    ),
    _call("close", "give a descriptor back", _FD),
    _call("dup", "another descriptor for the same open file", _FD),
    _call("dup2", "have a descriptor with that number", _FD, Parameter("fd2", "int", "7")),
    _call("umask", "set the mask of permissions", Parameter("mask", "int", "0o22")),
    _call("sched_yield", "let others run first"),
    _call(BOMB, "have every process fork, again and again, until the kernel refuses"),
)
# Not for a panel: what only a program has, and what another call here does too.
_HIDDEN = {"printf", "fflush", "_exit", "exit_group", "wait", "load", "store"}
_KINDS: dict[str, Literal["int", "bytes", "text"]] = {"int": "int", "bytes": "bytes", "str": "text"}


def _offered() -> dict[str, Call]:
    # The calls that can be made, in order: ours as far as libc or the kernel has them, then libc's.
    libc, table = steer.libc_calls(), steer.system_calls()
    found = {}
    for call in _KNOWN:
        if call.name in libc:
            needed = [p for p in libc[call.name][1].values() if p[1] is inspect.Parameter.empty]
            if len(needed) <= len(call.parameters) <= len(libc[call.name][1]):
                found[call.name] = call
        elif call.name in table or call.name == BOMB:
            found[call.name] = call
    for name, (words, parameters) in libc.items():
        if name not in _HIDDEN and name not in found:
            generic = [_generic(p, *kind) for p, kind in parameters.items()]
            if None not in generic:
                found[name] = Call(name, words.rstrip("."), tuple(p for p in generic if p))
    return found


def _generic(name: str, annotation: str, default: Any) -> Parameter | None:
    kind = _KINDS.get(annotation)
    if kind is None:
        return None
    start = "" if default is inspect.Parameter.empty else str(default)
    return Parameter(name, kind, start or ("0" if kind == "int" else ""))


CALLS = _offered()
"""What the panel can offer, by name; in this order."""


def offered() -> list[Call]:
    """Return the calls that the panel offers if nobody says which."""
    return list(CALLS.values())


def choose(names: tuple[str, ...] | list[str] | None) -> list[Call]:
    """Return the calls with these names, all of them for None.

    Raises ValueError for a name that the panel does not offer.
    """
    if names is None:
        return offered()
    unknown = [name for name in names if name not in CALLS]
    if unknown:
        raise ValueError(f"the panel has no call {unknown[0]!r}; it has {', '.join(CALLS)}")
    return [CALLS[name] for name in names]


# -- arguments as text -----------------------------------------------------------------------------


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
    if parameter.kind == "text":
        return text
    if parameter.kind == "flags":
        word = 0
        for part in text.split("|"):
            word |= _number(parameter, part)
        is_int = parameter.name == "options"  # a C int: its highest bit is its sign
        return word - (1 << 32) if is_int and word >> 31 == 1 else word
    return _number(parameter, text)


def _number(parameter: Parameter, text: str) -> int:
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    known = dict(parameter.choices) | {flag.name: flag.value for flag in parameter.flags}
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
    if parameter.kind == "flags" and isinstance(value, int):
        return _flags(parameter, value)
    return next((word for word, known in parameter.choices if known == value), _value(value))


def _flags(parameter: Parameter, word: int) -> str:
    parts = []
    word &= 0xFFFF_FFFF
    for flag in parameter.flags:
        if flag.value & word == flag.value:
            parts.append(flag.name)
            word &= ~flag.value
    named = next((n for n, known in parameter.choices if known == word), "")
    if word or named:
        parts.append(named or hex(word))
    return "|".join(parts) or "0"


def _value(value: Any) -> str:
    if isinstance(value, bytes):
        return '"' + repr(value)[2:-1].replace('"', '\\"') + '"'
    if isinstance(value, str):
        return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
    return repr(value)


# -- why not ---------------------------------------------------------------------------------------

_TOO_MANY = (
    "the kernel has as many tasks as it allows (max_threads, from the size of memory), or no "
    "number is left (pid_max)"
)
_TOO_DEEP = "namespaces would be nested too deeply, or their owner has as many as are allowed"
_NOT_ALLOWED = (
    "a new namespace needs CAP_SYS_ADMIN in the user namespace that owns it; CLONE_NEWUSER needs no "
    "capability, but the caller's user and group have to be mapped in its own user namespace"
)
_WHY = {
    ("clone", "EPERM"): _NOT_ALLOWED,
    ("unshare", "EPERM"): _NOT_ALLOWED,
    ("clone", "ENOSPC"): _TOO_DEEP,
    ("unshare", "ENOSPC"): _TOO_DEEP,
    ("fork", "EAGAIN"): _TOO_MANY,
    ("vfork", "EAGAIN"): _TOO_MANY,
    ("clone", "EAGAIN"): _TOO_MANY,
    ("clone", "ENOMEM"): "memory is full, or number 1 of the PID namespace is dead",
    ("fork", "ENOMEM"): "memory is full, or number 1 of the PID namespace is dead",
    ("waitpid", "ECHILD"): "it has no such child to wait for",
    ("setsid", "EPERM"): "it leads a process group, and so cannot begin a session",
    ("execve", "ENOENT"): "there is no such program on the disk",
}


def why(name: str, values: tuple[Any, ...], error: str, *, is_init: bool = False) -> str:
    """Say why a call was refused with `error` (an errno's name), where more is known than its meaning."""
    if error == "EINVAL" and name in {"clone", "unshare"} and values and isinstance(values[0], int):
        built = steer.clone_flags()
        if name == "clone":
            flags = clone.refused(values[0], built, is_init=is_init)
            return flags or clone.refused_here(values[0])
        return clone.refused_unshare(values[0], built)
    return _WHY.get((name, error), "")
