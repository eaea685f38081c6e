"""Where members lie in their structs, in 64-bit words: for code that runs at every fork, switch and exit.

Such code works on words of memory.  `u64` is the memory as 64-bit words, and a struct is known by
the index of its first word: `t` of a task_struct, `s` of a signal_struct, `p` of a struct pid, `n` of
a pid_namespace.  So ``u64[t + T_SIGNAL]`` is `task->signal`, an address, and ``m.index(…)`` of that
the signal_struct (or a Fault).  Two members of 32 bits share a word: where it matters the name says
which half it is, _LO or _HI.
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal


def _at(t: Any, *members: str) -> list[int]:
    # The offsets of members, in words.
    return [t.offsetof_(member) >> 3 for member in members]


LO = 0xFFFF_FFFF

(T_THREAD_PID, T_PID_LINKS, T_SIGNAL) = _at(
    *(sched.task_struct, "thread_pid", "pid_links", "signal")
)
(S_PIDS,) = _at(signal.signal_struct, "pids")
(P_COUNT_LO, P_LEVEL_HI, P_TASKS, P_NUMBERS, P_WAIT) = _at(
    *(pid_h.pid, "count", "level", "tasks", "numbers", "wait_pidfd")
)
U_NR_LO, U_NS = _at(pid_h.upid, "nr", "ns")
U_WORDS = pid_h.upid.sizeof_ >> 3
N_LEVEL_LO, N_IDR, N_ALLOCATED_LO, N_CACHE, N_REAPER = _at(
    *(pid_h.pid_namespace, "level", "idr", "pid_allocated", "pid_cachep", "child_reaper")
)

__all__ = [
    "LO",
    "N_ALLOCATED_LO",
    "N_CACHE",
    "N_IDR",
    "N_LEVEL_LO",
    "N_REAPER",
    "P_COUNT_LO",
    "P_LEVEL_HI",
    "P_NUMBERS",
    "P_TASKS",
    "P_WAIT",
    "S_PIDS",
    "T_PID_LINKS",
    "T_SIGNAL",
    "T_THREAD_PID",
    "U_NR_LO",
    "U_NS",
    "U_WORDS",
]
