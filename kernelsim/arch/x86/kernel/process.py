"""arch/x86/kernel/process.c, process_64.c @ v5.10.188: what the CPU itself switches and copies.

Left out: FPU, TLS, I/O permissions, the saved registers of user mode (docs/fidelity.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import sched

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.include.linux.sched.task import kernel_clone_args
    from kernelsim.machine.machine import Machine

__all__ = ["__switch_to", "copy_thread", "exit_thread"]

SIZEOF_PT_REGS = 168
SIZEOF_FORK_FRAME = 64 + SIZEOF_PT_REGS  # struct fork_frame: inactive_task_frame and pt_regs


def copy_thread(m: Machine, clone_flags: int, args: kernel_clone_args, p: task_struct) -> int:
    """Set up the kernel stack of `p` so that it starts in ret_from_fork; 0.

    A kernel thread (the caller has no user context) gets its function and argument there; else
    the user context is copied, with 0 as the result of the system call.
    """
    thread = p.thread
    thread.sp = p.stack + sched.THREAD_SIZE - SIZEOF_FORK_FRAME
    if m.current.flags & sched.PF_KTHREAD:
        thread.fn, thread.arg = args.stack, args.stack_size
    else:
        parent = m.cpu.user.get(m.current.address_)
        if parent is not None:
            m.cpu.user[p.address_] = parent.fork(p, args.stack)
    return 0


def exit_thread(m: Machine, tsk: task_struct) -> None:
    """Forget the user context of `tsk`."""
    if tsk != m.current:
        m.cpu.user.pop(tsk.address_, None)


def __switch_to(m: Machine, prev: task_struct, following: task_struct) -> None:
    """Make `following` the running task of this CPU."""
    m.switch(following)
    m.cpu.last = prev.address_
    m.trace.set_pid(following.pid)
