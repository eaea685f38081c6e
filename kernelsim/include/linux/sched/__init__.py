"""include/linux/sched.h @ v5.10.188: the task_struct, its states and flags.

Members are those of the pinned release that the simulated kernel or the book uses, in the
release's order (`docs/fidelity.md` says which are missing).
"""

from __future__ import annotations

from typing import Any

from kernelsim.include.linux.rbtree import rb_node
from kernelsim.include.linux.types import (
    callback_head,
    hlist_node,
    list_head,
    pid_t,
    refcount_t,
    spinlock_t,
)
from kernelsim.machine.ctype import (
    array,
    bits,
    char,
    func,
    ptr,
    s32,
    s64,
    u16,
    u32,
    u64,
    ulong,
    union,
    void,
)
from kernelsim.machine.ref import Struct

PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX = range(5)
TASK_COMM_LEN = 16
THREAD_SIZE = 4 * 4096
STACK_END_MAGIC = 0x57AC6E9D

TASK_RUNNING = 0x0000
TASK_INTERRUPTIBLE = 0x0001
TASK_UNINTERRUPTIBLE = 0x0002
__TASK_STOPPED = 0x0004
__TASK_TRACED = 0x0008
EXIT_DEAD = 0x0010
EXIT_ZOMBIE = 0x0020
EXIT_TRACE = EXIT_ZOMBIE | EXIT_DEAD
TASK_PARKED = 0x0040
TASK_DEAD = 0x0080
TASK_WAKEKILL = 0x0100
TASK_WAKING = 0x0200
TASK_NOLOAD = 0x0400
TASK_NEW = 0x0800
TASK_STATE_MAX = 0x1000
TASK_KILLABLE = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE
TASK_STOPPED = TASK_WAKEKILL | __TASK_STOPPED
TASK_TRACED = TASK_WAKEKILL | __TASK_TRACED
TASK_IDLE = TASK_UNINTERRUPTIBLE | TASK_NOLOAD
TASK_NORMAL = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE
TASK_REPORT = 0x007F
TASK_REPORT_IDLE = TASK_REPORT + 1

PF_IDLE = 0x00000002
PF_EXITING = 0x00000004
PF_WQ_WORKER = 0x00000020
PF_FORKNOEXEC = 0x00000040
PF_SUPERPRIV = 0x00000100
PF_SIGNALED = 0x00000400
PF_NPROC_EXCEEDED = 0x00001000
PF_NOFREEZE = 0x00008000
PF_KTHREAD = 0x00200000
PF_RANDOMIZE = 0x00400000
PF_NO_SETAFFINITY = 0x04000000

TIF_SIGPENDING = 2
TIF_NEED_RESCHED = 3
_TIF_SIGPENDING = 1 << TIF_SIGPENDING
_TIF_NEED_RESCHED = 1 << TIF_NEED_RESCHED

TASK_ON_RQ_QUEUED = 1

__all__ = [
    name
    for name in dir()
    if name.startswith(("TASK_", "__TASK", "EXIT_", "PF_", "PIDTYPE", "TIF_"))
]
__all__ += ["STACK_END_MAGIC", "THREAD_SIZE", "load_weight", "sched_entity", "task_struct"]
__all__ += [
    "task_stack_page",
    "task_state_index",
    "task_state_to_char",
    "thread_info",
    "thread_struct",
]


class thread_info(Struct):
    """The part of a task that entry code reads: TIF_* flags."""

    flags = ulong
    status = u32


class call_single_node(Struct):
    """struct __call_single_node: for waking a task from another CPU."""

    llist = ptr(void)
    u_flags = u32
    src = u16
    dst = u16


class load_weight(Struct):
    """A scheduling weight and its inverse (2^32 / weight)."""

    weight = ulong
    inv_weight = u32


class sched_entity(Struct):
    """What CFS schedules."""

    load = load_weight
    run_node = rb_node
    group_node = list_head
    on_rq = u32
    exec_start = u64
    sum_exec_runtime = u64
    vruntime = u64
    prev_sum_exec_runtime = u64
    nr_migrations = u64
    depth = s32
    parent = ptr("sched_entity")
    cfs_rq = ptr("cfs_rq")
    my_q = ptr("cfs_rq")
    runnable_weight = ulong


class sched_rt_entity(Struct):
    """What the real-time class schedules."""

    run_list = list_head
    timeout = ulong
    watchdog_stamp = ulong
    time_slice = u32
    on_rq = u16
    on_list = u16
    back = ptr("sched_rt_entity")


class sched_dl_entity(Struct):
    """What the deadline class schedules."""

    rb_node = rb_node
    dl_runtime = u64
    dl_deadline = u64
    dl_period = u64
    dl_bw = u64
    dl_density = u64
    runtime = s64
    deadline = u64
    flags = u32
    dl_state = u32  # five one-bit fields


class sched_info(Struct):
    """Counts of a task's turns on the CPU."""

    pcount = ulong
    run_delay = u64
    last_arrival = u64
    last_queued = u64


class restart_block(Struct):
    """How to restart a system call that a signal cut short."""

    fn = ptr(func)
    data = array(u64, 5)


class sigset_t(Struct):
    """A set of signals: bit n - 1 for signal n."""

    sig = array(ulong, 1)


class sigpending(Struct):
    """Signals sent and not yet delivered: the queue of their details, and the set."""

    list = list_head
    signal = u64  # sigset_t, shown as its one word


class seccomp(Struct):
    """Which system calls a task may make."""

    mode = s32
    filter_count = s32
    filter = ptr(void)


class thread_struct(Struct):
    """arch/x86/include/asm/processor.h: what the CPU switches; the FPU's state is left out."""

    sp = ulong
    fsbase = ulong
    gsbase = ulong
    fn = ptr(func)  # rbx in the frame of ret_from_fork: a kernel thread's function, NULL for others
    arg = ptr(void)  # r12 there


class prev_cputime(Struct):
    """The user and system times told last: what is told next must not be less."""

    utime = u64
    stime = u64
    lock = spinlock_t.named("raw_spinlock_t")


class task_struct(Struct):
    """The process descriptor: one for every thread."""

    thread_info = thread_info
    state = s64.named("volatile long")
    stack = ptr(void)
    usage = refcount_t
    flags = u32
    ptrace = u32
    on_cpu = s32
    wake_entry = call_single_node
    cpu = u32
    wakee_flips = u32
    wakee_flip_decay_ts = ulong
    last_wakee = ptr("task_struct")
    recent_used_cpu = s32
    wake_cpu = s32
    on_rq = s32
    prio = s32
    static_prio = s32
    normal_prio = s32
    rt_priority = u32
    sched_class = ptr("sched_class")
    se = sched_entity
    rt = sched_rt_entity
    sched_task_group = ptr(void)
    dl = sched_dl_entity
    policy = u32
    nr_cpus_allowed = s32
    cpus_ptr = ptr(void)
    cpus_mask = ulong
    sched_info = sched_info
    tasks = list_head
    mm = ptr("mm_struct")
    active_mm = ptr("mm_struct")
    exit_state = s32
    exit_code = s32
    exit_signal = s32
    pdeath_signal = s32
    jobctl = ulong
    personality = u32
    sched_reset_on_fork = bits(u32, 1)
    sched_contributes_to_load = bits(u32, 1)
    sched_migrated = bits(u32, 1)
    in_execve = bits(u32, 1)
    in_iowait = bits(u32, 1)
    restore_sigmask = bits(u32, 1)
    restart_block = restart_block
    pid = pid_t
    tgid = pid_t
    stack_canary = ulong
    real_parent = ptr("task_struct")
    parent = ptr("task_struct")
    children = list_head
    sibling = list_head
    group_leader = ptr("task_struct")
    ptraced = list_head
    ptrace_entry = list_head
    thread_pid = ptr("pid")
    pid_links = array(hlist_node, PIDTYPE_MAX)
    thread_group = list_head
    thread_node = list_head
    vfork_done = ptr("completion")
    set_child_tid = ptr(s32)
    clear_child_tid = ptr(s32)
    utime = u64
    stime = u64
    gtime = u64
    prev_cputime = prev_cputime
    nvcsw = ulong
    nivcsw = ulong
    start_time = u64
    start_boottime = u64
    min_flt = ulong
    maj_flt = ulong
    ptracer_cred = ptr("cred")
    real_cred = ptr("cred")
    cred = ptr("cred")
    comm = array(char, TASK_COMM_LEN)
    fs = ptr("fs_struct")
    files = ptr("files_struct")
    nsproxy = ptr("nsproxy")
    signal = ptr("signal_struct")
    sighand = ptr("sighand_struct")
    blocked = u64  # sigset_t, shown as its one word
    real_blocked = u64
    saved_sigmask = u64
    pending = sigpending
    sas_ss_sp = ulong
    sas_ss_size = ulong
    sas_ss_flags = u32
    task_works = ptr("callback_head")
    seccomp = seccomp
    parent_exec_id = u64
    self_exec_id = u64
    alloc_lock = spinlock_t
    pi_lock = spinlock_t
    robust_list = ptr(void)  # struct robust_list_head __user *
    futex_state = u32
    rcu_union = union(rcu_users=refcount_t, rcu=callback_head)
    rcu_users: Any
    stack_refcount = refcount_t
    thread = thread_struct


def task_state_index(task: task_struct) -> int:
    """Return the index of the state of `task` (struct task_struct *) in "RSDTtXZPI"."""
    state = task.state
    if state == TASK_IDLE:
        return TASK_REPORT_IDLE.bit_length()
    return ((state | task.exit_state) & TASK_REPORT).bit_length()


def task_state_to_char(task: task_struct) -> str:
    """Return the letter that ps and /proc show for the state of `task` (struct task_struct *)."""
    return "RSDTtXZPI"[task_state_index(task)]


def task_stack_page(task: task_struct) -> int:
    """Return the lowest address (void *) of the kernel stack of `task`."""
    stack: int = task.stack
    return stack
