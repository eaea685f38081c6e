"""init/init_task.c @ v5.10.188: the first task, which nobody made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import mm_types, sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.linux import resource
from kernelsim.kernel.sched import wait
from kernelsim.machine import ctype, machine

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["declare", "init_task_init"]


def declare(m: Machine) -> None:
    """Lay down init_task and its stack, and make it the running task."""
    m.define("init_task", task_struct)
    m.define("init_stack", ctype.array(ctype.ulong, sched.THREAD_SIZE // 8))
    m.define("init_signals", sched_signal.signal_struct)
    m.define("init_sighand", sched_signal.sighand_struct)
    m.define("init_mm", mm_types.mm_struct)
    m.define("current_task", ctype.Ptr("task_struct"))
    address = m.symbols["current_task"][0]
    m.set_current(address, task_struct)
    m.switch(m.symbol("init_task"))


def _init_signals(m: Machine, tsk: task_struct) -> None:
    sig, sighand = m.symbol("init_signals"), m.symbol("init_sighand")
    sig.sigcnt, sig.live, sig.nr_threads = 1, 1, 1
    sig.thread_head.next = sig.thread_head.prev = tsk.thread_node
    tsk.thread_node.next = tsk.thread_node.prev = sig.thread_head
    wait.init_waitqueue_head(sig.wait_chldexit)
    lists.INIT_LIST_HEAD(sig.shared_pending.list)
    for limit, (soft, hard) in zip(sig.rlim, resource.INIT_RLIMITS, strict=True):
        limit.rlim_cur, limit.rlim_max = soft, hard
    for i in range(sched.PIDTYPE_MAX):
        sig.pids[i] = m.symbol("init_struct_pid")
    sighand.count = 1
    wait.init_waitqueue_head(sighand.signalfd_wqh)
    tsk.signal, tsk.sighand = sig, sighand


def init_task_init(m: Machine) -> None:
    """Fill in init_task: pid 0, kernel thread, its own parent, head of the process list."""
    tsk, init_mm = m.symbol("init_task"), m.symbol("init_mm")
    tsk.stack = m.symbol("init_stack").address_
    m.write_u64(tsk.stack, sched.STACK_END_MAGIC)
    tsk.usage, tsk.rcu_users, tsk.stack_refcount = 2, 1, 1
    tsk.flags = sched.PF_KTHREAD
    tsk.prio = tsk.static_prio = tsk.normal_prio = 120
    tsk.cpus_ptr = tsk.address_of_("cpus_mask")
    tsk.cpus_mask, tsk.nr_cpus_allowed = 1, 1
    init_mm.mm_users, init_mm.mm_count = 2, 2
    init_mm.user_ns = m.symbol("init_user_ns")
    tsk.active_mm = init_mm
    tsk.real_parent = tsk.parent = tsk.group_leader = tsk
    for name in ("tasks", "children", "sibling", "ptraced", "ptrace_entry", "thread_group"):
        lists.INIT_LIST_HEAD(getattr(tsk, name))
    lists.INIT_LIST_HEAD(tsk.pending.list)
    lists.INIT_LIST_HEAD(tsk.se.group_node)
    tsk.thread_pid = m.symbol("init_struct_pid")
    tsk.real_cred = tsk.cred = m.symbol("init_cred")
    tsk.comm = "swapper"
    tsk.restart_block.fn = machine.text_address("do_no_restart_syscall")
    tsk.fs, tsk.files, tsk.nsproxy = (
        m.symbol("init_fs"),
        m.symbol("init_files"),
        m.symbol("init_nsproxy"),
    )
    tsk.thread.sp = tsk.stack + sched.THREAD_SIZE
    _init_signals(m, tsk)
