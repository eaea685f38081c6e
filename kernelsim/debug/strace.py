"""System calls, as `strace -f` prints them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.entry import common
from kernelsim.include.uapi.asm import errno, signal

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["strace"]

_ALL = {number: name for name, number in vars(errno).items() if name.startswith("E")}
_ERRNO = {number: name for number, name in _ALL.items() if number < 512}
_RESTART = {number: name for number, name in _ALL.items() if number >= 512}
_SIGNALS = {
    n: name
    for name, n in vars(signal).items()
    if name.startswith("SIG") and not name.startswith("SIG_") and n != 32
}
_NO_RETURN = ("exit", "exit_group")


def _quote(data: bytes) -> str:
    text = "".join(_ESCAPES.get(b, chr(b) if 32 <= b < 127 else f"\\{b:o}") for b in data[:32])
    return f'"{text}"' + ("..." if len(data) > 32 else "")


_ESCAPES = {
    ord("\n"): "\\n",
    ord("\t"): "\\t",
    ord("\r"): "\\r",
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


def _status(word: int) -> str:
    if word & 0x7F == 0:
        return f"[{{WIFEXITED(s) && WEXITSTATUS(s) == {word >> 8}}}]"
    return f"[{{WIFSIGNALED(s) && WTERMSIG(s) == {_SIGNALS.get(word & 0x7F, word & 0x7F)}}}]"


def _wait_options(options: int) -> str:
    names = [
        name for bit, name in ((1, "WNOHANG"), (2, "WSTOPPED"), (8, "WCONTINUED")) if options & bit
    ]
    rest = options & ~11
    return "|".join(names + ([f"{rest:#x}"] if rest else [])) or "0"


def _arguments(name: str, args: tuple[Any, ...], ret: int | None) -> list[str]:
    # The arguments as strace decodes them; what the kernel fills in is known only with the result.
    done = ret is not None and ret >= 0
    if name == "wait4":
        word = args[1].data if args[1] is not None else None
        filled = (
            _status(word)
            if done and ret and word is not None
            else "NULL"
            if args[1] is None
            else "0x7ffc0000"
        )
        return [str(args[0]), filled, _wait_options(args[2]), "NULL"]
    if name == "pipe2":
        return [f"[{', '.join(map(str, args[0].data))}]" if done else "0x7ffc0000", str(args[1])]
    if name == "read":
        return [str(args[0]), _quote(args[1].data) if done else "0x7ffc0000", str(args[2])]
    if name == "kill":
        return [str(args[0]), _SIGNALS.get(args[1], str(args[1]))]
    if name == "rt_sigaction":
        handler = (
            "NULL"
            if args[1] is None
            else f"{{sa_handler={args[1][0]:#x}, sa_flags={args[1][1]:#x}}}"
        )
        return [_SIGNALS.get(args[0], str(args[0])), handler, "NULL", str(args[3])]
    return [
        _quote(a)
        if isinstance(a, bytes)
        else f'"{a}"'
        if isinstance(a, str)
        else "NULL"
        if a is None
        else str(a)
        for a in args
    ]


def _result(ret: int) -> str:
    if -ret in _RESTART:
        return f"? {_RESTART[-ret]} (To be restarted)"
    if -errno.MAX_ERRNO <= ret < 0:
        return f"-1 {_ERRNO.get(-ret, -ret)} ({os.strerror(-ret)})"
    return str(ret)


def _name(number: int) -> str:
    return common.syscall_name(number) or f"syscall_{number:#x}"


def strace(m: Machine, since: int = 0, until: int | None = None) -> str:
    """Return the calls begun or ended in [since, until), and signals and deaths, one a line, with the pid."""
    lines: list[str] = []
    open_call: tuple[int, int] | None = None  # (pid, its line) that still lacks its result
    for event in m.trace.events(since, until):
        if event.kind != "event":
            continue
        f, head = event.fields, f"[pid {event.pid:5}] "
        if event.name == "sys_enter":
            open_call = _suspend(lines, open_call)
            lines.append(
                f"{head}{_name(f['id'])}({', '.join(_arguments(_name(f['id']), f['args'], None))}"
            )
            open_call = event.pid, f["id"]
            if _name(f["id"]) in _NO_RETURN:
                lines[-1] += ") = ?"
                open_call = None
        elif event.name == "sys_exit":
            name = _name(f["id"])
            text = f"{name}({', '.join(_arguments(name, f['args'], f['ret']))})"
            if open_call == (event.pid, f["id"]):
                lines[-1] = f"{head}{text} = {_result(f['ret'])}"
                open_call = None
            else:
                open_call = _suspend(lines, open_call)
                rest = ", ".join(_arguments(name, f["args"], f["ret"]))
                lines.append(f"{head}<... {name} resumed>{rest}) = {_result(f['ret'])}")
        elif event.name == "signal_deliver":
            open_call = _suspend(lines, open_call)
            lines.append(f"{head}--- {_SIGNALS.get(f['sig'], f['sig'])} ---")
        elif event.name == "sched_process_exit":
            open_call = _suspend(lines, open_call)
            lines.append(f"{head}+++ exited +++")
    _suspend(lines, open_call)
    return "\n".join(lines) + ("\n" if lines else "")


def _suspend(lines: list[str], open_call: tuple[int, int] | None) -> tuple[int, int] | None:
    # Another task gets on the screen while a call has no result yet.
    if open_call is not None:
        lines[-1] += " <unfinished ...>"
    return None
