"""What the value of a member means: the names of states, flags, signals, colours of tree nodes.

A value is first of all a number in memory; these are the words that the kernel has for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import cred, fs, kthread, mm_types, sched, slab, wait
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import resource
from kernelsim.include.uapi.linux import sched as uapi_sched
from kernelsim.machine import ctype

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["meaning", "signal_name"]


# The single bits that a module names with a prefix: {value: name}.
def _bits(module: ModuleType, prefix: str) -> dict[int, str]:
    found = {n: getattr(module, n) for n in dir(module) if n.startswith(prefix)}
    return {v: n for n, v in found.items() if v and not v & v - 1}


_PF, _SIGNAL = _bits(sched, "PF_"), _bits(sched_signal, "SIGNAL_")
_SA, _FMODE, _O = _bits(signal, "SA_"), _bits(fs, "FMODE_"), _bits(fs, "O_")
_SLAB = _bits(slab, "SLAB_")
_PG = {mm_types.PG_SLAB: "PG_slab", mm_types.PG_HEAD: "PG_head"}
_TIF = {1 << getattr(sched, n): n for n in dir(sched) if n.startswith("TIF_")}
_KTHREAD = {1 << getattr(kthread, n): n for n in dir(kthread) if n.startswith("KTHREAD_")}
_WQ = _bits(wait, "WQ_FLAG_")
_TASK_NAMES = (
    *("TASK_INTERRUPTIBLE", "TASK_UNINTERRUPTIBLE", "__TASK_STOPPED", "__TASK_TRACED"),
    *("EXIT_DEAD", "EXIT_ZOMBIE", "TASK_PARKED", "TASK_DEAD", "TASK_WAKEKILL", "TASK_WAKING"),
    *("TASK_NOLOAD", "TASK_NEW"),
)
_TASK = {vars(sched)[name]: name for name in _TASK_NAMES}
_STATES = {
    sched.TASK_RUNNING: "TASK_RUNNING",
    sched.TASK_KILLABLE: "TASK_KILLABLE",
    sched.TASK_STOPPED: "TASK_STOPPED",
    sched.TASK_TRACED: "TASK_TRACED",
    sched.TASK_IDLE: "TASK_IDLE",
}
_SIGNALS = {
    getattr(signal, n): n
    for n in signal.__all__
    if n.startswith("SIG") and not n.startswith(("SIG_", "SIGRT"))
}
_POLICIES = {getattr(uapi_sched, n): n for n in uapi_sched.__all__ if n.startswith("SCHED_")}


def signal_name(number: int) -> str:
    """Return the name of a signal: SIGCHLD, or SIGRTMIN+2."""
    if number in _SIGNALS:
        return _SIGNALS[number]
    if signal.SIGRTMIN <= number <= 64:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}" if number > signal.SIGRTMIN else "SIGRTMIN"
    return f"signal {number}"


def _flags(names: dict[int, str]) -> Callable[[int], str]:
    def words(value: int) -> str:
        found = [name for bit, name in sorted(names.items()) if value & bit]
        rest = value & ~sum(names)
        return " | ".join([*found, *([f"{rest:#x}"] if rest else [])])

    return words


def _set_of(name: Callable[[int], str], first: int) -> Callable[[int], str]:
    def words(value: int) -> str:
        if value == (1 << 64) - 1:
            return "{all}"
        members = [name(bit + first) for bit in range(64) if value >> bit & 1]
        return "{" + ", ".join(members) + "}"

    return words


def _state(value: int) -> str:
    return _STATES.get(value) or _flags(_TASK)(value)


def _exit_state(value: int) -> str:
    names = {0: "alive", sched.EXIT_TRACE: "EXIT_TRACE", sched.EXIT_DEAD: "EXIT_DEAD"}
    return names.get(value, "EXIT_ZOMBIE" if value == sched.EXIT_ZOMBIE else "")


def _exit_code(value: int) -> str:
    if not value:
        return ""
    return f"killed by {signal_name(value & 0x7F)}" if value & 0x7F else f"exit status {value >> 8}"


def _exit_signal(value: int) -> str:
    if value < 0:
        return "none: a thread, not the leader of its group"
    return signal_name(value) if value else "no signal"


def _handler(value: int) -> str:
    return {0: "SIG_DFL", 1: "SIG_IGN"}.get(value, "")


def _locked(value: int) -> str:
    return "locked" if value else "unlocked"


def _limit(value: int) -> str:
    return "RLIM_INFINITY" if value == resource.RLIM_INFINITY else ""


def _capabilities(value: int) -> str:
    return {0: "none", cred.CAP_FULL_SET: "all"}.get(value, "")


def _number(names: dict[int, str]) -> Callable[[int], str]:
    return lambda value: names.get(value, "")


_sigset = _set_of(signal_name, 1)
_numbers = _set_of(str, 0)
_pf = _flags(_PF)

_MEMBERS: dict[str, Callable[[int], str]] = {
    "task_struct.state": _state,
    "task_struct.exit_state": _exit_state,
    "task_struct.exit_code": _exit_code,
    "task_struct.exit_signal": _exit_signal,
    "task_struct.pdeath_signal": _exit_signal,
    "task_struct.flags": _pf,
    "task_struct.policy": _number(_POLICIES),
    "task_struct.static_prio": lambda value: f"nice {value - 120}",
    "task_struct.on_cpu": lambda value: "it runs now" if value else "",
    "task_struct.on_rq": lambda value: "TASK_ON_RQ_QUEUED" if value == 1 else "",
    "task_struct.blocked": _sigset,
    "task_struct.real_blocked": _sigset,
    "task_struct.saved_sigmask": _sigset,
    "task_struct.cpus_mask": _numbers,
    "thread_info.flags": _flags(_TIF),
    "sigpending.signal": _sigset,
    "signal_struct.flags": _flags(_SIGNAL),
    "signal_struct.group_exit_code": _exit_code,
    "k_sigaction.sa_handler": _handler,
    "k_sigaction.sa_flags": _flags(_SA),
    "k_sigaction.sa_mask": _sigset,
    "sigqueue.si_signo": signal_name,
    "rlimit.rlim_cur": _limit,
    "rlimit.rlim_max": _limit,
    "files_struct.open_fds_init": _numbers,
    "files_struct.close_on_exec_init": _numbers,
    "file.f_mode": _flags(_FMODE),
    "file.f_flags": _flags(_O),
    "fs_struct.umask": lambda value: f"{value:#o}",
    "kmem_cache.flags": _flags(_SLAB),
    "page.flags": _flags(_PG),
    "wait_queue_entry.flags": _flags(_WQ),
    "kthread.flags": _flags(_KTHREAD),
    "rb_node.__rb_parent_color": lambda value: "black" if value & 1 else "red",
}


def meaning(owner: str, member: str, t: Any, value: int) -> str:
    """Return what `value` of a member of struct `owner` means, "" where the number says it all.

    `t` is the member's C type; of an array's element `member` is the array's name.
    """
    say = _MEMBERS.get(f"{owner}.{member}")
    if say is not None:
        return say(value)
    if isinstance(t, ctype.Int):
        if t.c == "spinlock_t":
            return _locked(value)
        if t.c == "kernel_cap_t":
            return _capabilities(value)
    return ""
