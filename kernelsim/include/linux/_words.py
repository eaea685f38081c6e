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

T_FLAGS, T_STATE, T_THREAD_PID, T_PID_LINKS, T_SIGNAL, T_SIGHAND = _at(
    *(sched.task_struct, "thread_info.flags", "state", "thread_pid", "pid_links"),
    *("signal", "sighand"),
)
T_BLOCKED, T_REAL_BLOCKED, T_PENDING_SET, T_GROUP_LEADER = _at(
    *(sched.task_struct, "blocked", "real_blocked", "pending.signal", "group_leader")
)
T_CHILDREN, T_SIBLING, T_TASKS, T_THREAD_GROUP, T_THREAD_NODE = _at(
    *(sched.task_struct, "children", "sibling", "tasks", "thread_group", "thread_node")
)
T_SUM_EXEC, T_PTRACE_LO, T_MM, T_ACTIVE_MM = _at(
    *(sched.task_struct, "se.sum_exec_runtime", "ptrace", "mm", "active_mm")
)
T_NVCSW, T_NIVCSW, T_ON_CPU_HI, T_SCHED_CLASS, T_JOBCTL = _at(
    *(sched.task_struct, "nvcsw", "nivcsw", "on_cpu", "sched_class", "jobctl")
)
S_PIDS, S_SHARED_SET, S_FLAGS_HI, S_SUM_SCHED = _at(
    *(signal.signal_struct, "pids", "shared_pending.signal", "flags", "sum_sched_runtime")
)
H_ACTION = signal.sighand_struct.offsetof_("action") >> 3
A_WORDS = signal.k_sigaction.sizeof_ >> 3  # whose first word is sa_handler
(P_COUNT_LO, P_LEVEL_HI, P_TASKS, P_NUMBERS, P_WAIT) = _at(
    *(pid_h.pid, "count", "level", "tasks", "numbers", "wait_pidfd")
)
U_NR_LO, U_NS = _at(pid_h.upid, "nr", "ns")
U_WORDS = pid_h.upid.sizeof_ >> 3
N_LEVEL_LO, N_IDR, N_ALLOCATED_LO, N_CACHE, N_REAPER = _at(
    *(pid_h.pid_namespace, "level", "idr", "pid_allocated", "pid_cachep", "child_reaper")
)

__all__ = [
    "A_WORDS",
    "H_ACTION",
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
    "S_FLAGS_HI",
    "S_PIDS",
    "S_SHARED_SET",
    "S_SUM_SCHED",
    "T_ACTIVE_MM",
    "T_BLOCKED",
    "T_CHILDREN",
    "T_FLAGS",
    "T_GROUP_LEADER",
    "T_JOBCTL",
    "T_MM",
    "T_NIVCSW",
    "T_NVCSW",
    "T_ON_CPU_HI",
    "T_PENDING_SET",
    "T_PID_LINKS",
    "T_PTRACE_LO",
    "T_REAL_BLOCKED",
    "T_SCHED_CLASS",
    "T_SIBLING",
    "T_SIGHAND",
    "T_SIGNAL",
    "T_STATE",
    "T_SUM_EXEC",
    "T_TASKS",
    "T_THREAD_GROUP",
    "T_THREAD_NODE",
    "T_THREAD_PID",
    "U_NR_LO",
    "U_NS",
    "U_WORDS",
]
