"""fs/proc/array.c @ v5.10.188: /proc/PID/stat and /proc/PID/status.

What belongs to memory is 0 in stat and missing in status; so are seccomp and the CPUs allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.include.linux import sched
from kernelsim.include.uapi.linux import resource
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel import ptrace, user_namespace
from kernelsim.kernel.sched import core, cputime

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "collect_sigign_sigcatch",
    "do_task_stat",
    "get_task_state",
    "proc_pid_status",
    "proc_task_name",
]

_NS_PER_TICK = 10_000_000  # USER_HZ is 100
_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "disk sleep",
    "T": "stopped",
    "t": "tracing stop",
    "X": "dead",
    "Z": "zombie",
    "P": "parked",
    "I": "idle",
}
_ESCAPES = {"\n": "\\n", "\\": "\\\\"}


def get_task_state(tsk: task_struct) -> str:
    """Return the state of `tsk` as /proc writes it: a letter and a word."""
    letter = sched.task_state_to_char(tsk)
    return f"{letter} ({_STATES[letter]})"


def proc_task_name(p: task_struct, *, escape: bool) -> str:
    """Return the name of `p`; `escape`: a newline or a backslash as two characters."""
    name = p.comm.string_().decode("utf-8", "surrogateescape")
    return "".join(_ESCAPES.get(c, c) for c in name) if escape else name


def collect_sigign_sigcatch(p: task_struct) -> tuple[int, int]:
    """Return the signals that `p` ignores, and those that it has handlers for (sigset_t)."""
    ignored = caught = 0
    for i, action in enumerate(p.sighand.action):
        handler = action.sa_handler
        if handler == 1:  # SIG_IGN
            ignored |= 1 << i
        elif handler:
            caught |= 1 << i
    return ignored, caught


def _number(m: Machine, pid: Any, ns: Any) -> int:
    return kernel_pid.pid_nr_ns(pid, ns) if pid else 0


def _group(task: task_struct, kind: int) -> Any:
    return task.signal.pids[kind]


def do_task_stat(m: Machine, ns: Any, pid: Any, task: task_struct, whole: bool) -> str:
    """Return the 52 numbers of /proc/PID/stat as `ns` (struct pid_namespace *) counts.

    `pid` (struct pid *) is the task's; `whole`: of the process, not of the one thread.
    """
    permitted = ptrace.ptrace_may_access(m, task, ptrace.PTRACE_MODE_READ_FSCREDS)
    ppid, pgid, sid, threads, rsslim = 0, -1, -1, 0, 0
    own = [0, 0, 0, 0, 0, 0]  # cmin_flt, cmaj_flt, cutime, cstime, utime, stime
    ignored = caught = 0
    if task.sighand:  # lock_task_sighand()
        sig = task.signal
        threads = sig.nr_threads
        ignored, caught = collect_sigign_sigcatch(task)
        rsslim = sig.rlim[resource.RLIMIT_RSS].rlim_cur
        own[:4] = [sig.cmin_flt, sig.cmaj_flt, sig.cutime, sig.cstime]
        if whole:
            own[4:] = cputime.thread_group_cputime_adjusted(m, task)
        ppid = kernel_pid.task_tgid_nr_ns(task.real_parent, ns)
        pgid = _number(m, _group(task, sched.PIDTYPE_PGID), ns)
        sid = _number(m, _group(task, sched.PIDTYPE_SID), ns)
    if not whole:
        own[4:] = cputime.task_cputime_adjusted(m, task)
    ticks = [time // _NS_PER_TICK for time in (own[4], own[5], own[2], own[3])]
    mask = 0x7FFF_FFFF
    signals = [s & mask for s in (task.pending.signal, task.blocked, ignored, caught)]
    fields = [
        *(ppid, pgid, sid, 0, -1, task.flags, task.min_flt, own[0], task.maj_flt, own[1], *ticks),
        *(task.prio - 100, core.task_nice(task), threads, 0, task.start_boottime // _NS_PER_TICK),
        *(0, 0, rsslim, *[1 if task.mm and not permitted else 0] * 2, 0, 0, 0, *signals),
        *(int(permitted and bool(task.state) and (not whole or threads < 2)), 0, 0),
        *(task.exit_signal, 0, task.rt_priority, task.policy, 0, 0, 0),
        *([0] * 7),
        task.exit_code if permitted else 0,
    ]
    head = f"{kernel_pid.pid_nr_ns(pid, ns)} ({proc_task_name(task, escape=False)})"
    letter = sched.task_state_to_char(task)
    return f"{head} {letter} {' '.join(map(str, fields))}\n"


def _task_state(m: Machine, ns: Any, pid: Any, p: task_struct, reader: Any) -> list[str]:
    # task_state(): numbers, users and groups as `reader` (struct user_namespace *) knows them.
    cred = p.real_cred
    alive = bool(p.thread_pid)
    ppid = kernel_pid.task_tgid_nr_ns(p.real_parent, ns) if alive else 0
    uids = [getattr(cred, n) for n in ("uid", "euid", "suid", "fsuid")]
    gids = [getattr(cred, n) for n in ("gid", "egid", "sgid", "fsgid")]
    groups = [cred.group_info.gid[g] for g in range(cred.group_info.ngroups)]
    levels = [pid.numbers[g].ns for g in range(ns.level, pid.level + 1)]

    def ids(found: list[int], back: Any, between: str = "\t") -> str:
        return between.join(str(back(reader, id)) for id in found)

    def at_each_level(number: Any) -> str:
        return "".join(f"\t{number(level)}" for level in levels)

    umask = [f"Umask:\t{p.fs.umask:#06o}".replace("0o", "")] if p.fs else []
    return [
        *umask,
        f"State:\t{get_task_state(p)}",
        f"Tgid:\t{kernel_pid.task_tgid_nr_ns(p, ns)}",
        "Ngid:\t0",
        f"Pid:\t{kernel_pid.pid_nr_ns(pid, ns)}",
        f"PPid:\t{ppid}",
        "TracerPid:\t0",
        f"Uid:\t{ids(uids, user_namespace.from_kuid_munged)}",
        f"Gid:\t{ids(gids, user_namespace.from_kgid_munged)}",
        f"FDSize:\t{p.files.fdt.max_fds if p.files else 0}",
        f"Groups:\t{ids(groups, user_namespace.from_kgid_munged, ' ')} ",
        f"NStgid:{at_each_level(lambda at: kernel_pid.task_tgid_nr_ns(p, at))}",
        f"NSpid:{at_each_level(lambda at: kernel_pid.task_pid_nr_ns(p, at))}",
        f"NSpgid:{at_each_level(lambda at: _number(m, _group(p, sched.PIDTYPE_PGID), at))}",
        f"NSsid:{at_each_level(lambda at: _number(m, _group(p, sched.PIDTYPE_SID), at))}",
    ]


def _task_sig(p: task_struct) -> list[str]:
    pending = shared = blocked = ignored = caught = threads = queued = limit = 0
    if p.sighand:
        sig = p.signal
        pending, shared, blocked = p.pending.signal, sig.shared_pending.signal, p.blocked
        ignored, caught = collect_sigign_sigcatch(p)
        threads, queued = sig.nr_threads, p.real_cred.user.sigpending
        limit = sig.rlim[resource.RLIMIT_SIGPENDING].rlim_cur
    sets = (pending, shared, blocked, ignored, caught)
    names = ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")
    return [
        f"Threads:\t{threads}",
        f"SigQ:\t{queued}/{limit}",
        *(f"{name}:\t{s:016x}" for name, s in zip(names, sets, strict=True)),
    ]


def _task_cap(p: task_struct) -> list[str]:
    cred = p.real_cred
    names = {"Inh": "inheritable", "Prm": "permitted", "Eff": "effective", "Bnd": "bset"}
    names |= {"Amb": "ambient"}
    return [f"Cap{short}:\t{getattr(cred, f'cap_{name}'):016x}" for short, name in names.items()]


def proc_pid_status(m: Machine, ns: Any, pid: Any, task: task_struct, reader: Any) -> str:
    """Return /proc/PID/status as `ns` counts, for who opened it in `reader` (struct user_namespace *)."""
    lines = [
        f"Name:\t{proc_task_name(task, escape=True)}",
        *_task_state(m, ns, pid, task, reader),
        *_task_sig(task),
        *_task_cap(task),
        f"voluntary_ctxt_switches:\t{task.nvcsw}",
        f"nonvoluntary_ctxt_switches:\t{task.nivcsw}",
    ]
    return "\n".join(lines) + "\n"
