"""fs/exec.c @ v5.10.188: the same task, a new program.

Left out: argv and environment, interpreters, set-id, other threads (de_thread), close-on-exec.
What a program is, is the business of `m.programs`, a table by name: the machine's disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import errno
from kernelsim.kernel import fork, signal

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = ["begin_new_exec", "kernel_execve", "set_task_comm", "sys_execve"]

_CLEARED = (
    sched.PF_RANDOMIZE
    | sched.PF_FORKNOEXEC
    | sched.PF_KTHREAD
    | sched.PF_NOFREEZE
    | sched.PF_NO_SETAFFINITY
)


def set_task_comm(m: Machine, tsk: task_struct, name: str) -> None:
    """Set the name of `tsk`, cut to 15 bytes."""
    tsk.comm = name
    if m.trace.on:
        m.trace.emit("task_rename", pid=tsk.pid, newcomm=name)


def begin_new_exec(m: Machine, filename: str) -> int:
    """Give the running task a new address space and what goes with it: the point of no return; 0 or -ENOMEM."""
    me = m.current
    mm = fork.mm_alloc(m, me)
    if not mm:
        return -errno.ENOMEM
    old, active = me.mm, me.active_mm
    fork.mm_release(m, me)
    me.mm = me.active_mm = mm
    if old:
        fork.mmput(m, old)
    elif active:  # a kernel thread gives the borrowed one back
        fork.mmdrop(m, active)
    me.flags &= ~_CLEARED
    me.thread.fn = me.thread.arg = 0
    set_task_comm(m, me, filename.rsplit("/", 1)[-1])
    me.self_exec_id += 1
    signal.flush_signal_handlers(me, force_default=False)
    return 0


def kernel_execve(m: Machine, filename: str) -> int:
    """Run the program `filename` (const char *) in the running task; 0, -ENOENT or -ENOMEM."""
    if filename not in m.programs:
        return -errno.ENOENT
    retval = begin_new_exec(m, filename)
    if retval:
        return retval
    me = m.current
    if m.trace.on:
        m.trace.emit("sched_process_exec", filename=filename, pid=me.pid, old_pid=me.pid)
    image = m.programs[filename]
    m.cpu.user.pop(me.address_, None)
    if image is not None:  # start_thread(): the registers point to the program's first instruction
        me.mm.start_code = 1 + list(m.programs).index(filename)
        m.cpu.user[me.address_] = image(me)
    return 0


def sys_execve(m: Machine, filename: str) -> int:
    """execve(2)."""
    return kernel_execve(m, filename)
