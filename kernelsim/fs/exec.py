"""fs/exec.c @ v5.10.188: the same task, a new program.

Left out: argv and environment, interpreters, set-id, close-on-exec.
What a program is, is the business of `m.programs`, a table by name: the machine's disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import rculist, sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm.signal import SIGCHLD, SIGKILL, SIGSEGV
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import fork, pid, signal
from kernelsim.kernel.sched import core

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "begin_new_exec",
    "de_thread",
    "exec_mmap",
    "kernel_execve",
    "set_task_comm",
    "sys_execve",
    "unshare_sighand",
]

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


async def de_thread(m: Machine, tsk: task_struct) -> int:
    """Kill the other threads of `tsk`, which takes the leader's place; fs/exec.c L1043.

    Returns 0, or -EAGAIN when somebody else ends the process meanwhile.
    """
    sig = tsk.signal
    if not sched_signal.thread_group_empty(tsk):
        if sched_signal.signal_group_exit(sig):
            return -errno.EAGAIN
        sig.group_exit_task = tsk
        others = signal.zap_other_threads(m, tsk)
        sig.notify_count = others - (0 if sched_signal.thread_group_leader(tsk) else 1)
        killed = await _wait_for_group(m, tsk)
        if not killed and not sched_signal.thread_group_leader(tsk):
            _replace_leader(m, tsk, tsk.group_leader)
        sig.group_exit_task = None
        sig.notify_count = 0
        if killed:
            return -errno.EAGAIN
    tsk.exit_signal = SIGCHLD
    return 0


async def _wait_for_group(m: Machine, tsk: task_struct) -> bool:
    # Wait until the other threads are gone and the leader is a zombie; whether a signal killed first.
    sig = tsk.signal
    while sig.notify_count:
        tsk.state = sched.TASK_KILLABLE
        await core.schedule(m)
        if tsk.pending.signal & signal.sigmask(SIGKILL):
            return True
    if sched_signal.thread_group_leader(tsk):
        return False
    while True:
        sig.notify_count = -1
        if tsk.group_leader.exit_state:
            return False
        tsk.state = sched.TASK_KILLABLE
        await core.schedule(m)
        if tsk.pending.signal & signal.sigmask(SIGKILL):
            return True


def _replace_leader(m: Machine, tsk: task_struct, leader: task_struct) -> None:
    # `tsk` becomes the process: the number, the birthday, the place in the lists.
    tsk.start_time = leader.start_time
    tsk.start_boottime = leader.start_boottime
    pid.exchange_tids(tsk, leader)
    for kind in (sched.PIDTYPE_TGID, sched.PIDTYPE_PGID, sched.PIDTYPE_SID):
        pid.transfer_pid(leader, tsk, kind)
    rculist.list_replace_rcu(leader.tasks, tsk.tasks)
    lists.list_replace_init(leader.sibling, tsk.sibling)
    tsk.group_leader = tsk
    leader.group_leader = tsk
    tsk.exit_signal = SIGCHLD
    leader.exit_signal = -1
    leader.exit_state = sched.EXIT_DEAD
    kernel_exit.release_task(m, leader)


def unshare_sighand(m: Machine, me: task_struct) -> int:
    """Give `me` signal handlers of its own where another process shares them; 0 or -ENOMEM."""
    old = me.sighand
    if old.count != 1:
        new = fork._dup_sighand(m, old)
        if not new.address_:
            return -errno.ENOMEM
        me.sighand = new
        fork.__cleanup_sighand(m, old)
    return 0


def exec_mmap(m: Machine, me: task_struct, mm: Any) -> None:
    """Let `me` live in `mm` (struct mm_struct *) from now on, and leave what it lived in."""
    old, active = me.mm, me.active_mm
    fork.mm_release(m, me, old)
    me.mm = me.active_mm = mm
    if old:
        fork.mmput(m, old)
    elif active:  # a kernel thread gives the borrowed one back
        fork.mmdrop(m, active)


async def begin_new_exec(m: Machine, filename: str, mm: Any) -> int:
    """Give the running task the address space `mm` (struct mm_struct *) and what goes with it.

    The point of no return; fs/exec.c L1240.  Returns 0, -EAGAIN (then `mm` is still the caller's)
    or -ENOMEM.
    """
    me = m.current
    retval = await de_thread(m, me)
    if retval:
        return retval
    exec_mmap(m, me, mm)
    retval = unshare_sighand(m, me)
    if retval:
        signal.send_sig(m, SIGSEGV, me, True)  # force_sigsegv(): there is no way back
        return retval
    me.flags &= ~_CLEARED
    me.thread.fn = me.thread.arg = 0
    fs_file.do_close_on_exec(m, me.files)
    me.sas_ss_sp = me.sas_ss_size = 0
    set_task_comm(m, me, filename.rsplit("/", 1)[-1])
    me.self_exec_id += 1
    signal.flush_signal_handlers(me, force_default=False)
    return 0


async def kernel_execve(m: Machine, filename: str) -> int:
    """Run the program `filename` (const char *) in the running task.

    Returns 0, -ENOMEM, -EMFILE, -ENOENT or -EAGAIN; then files that were shared still are.
    """
    me = m.current
    mm = fork.mm_alloc(m, me)  # alloc_bprm()
    if not mm:
        return -errno.ENOMEM
    displaced = fork.unshare_files(m)
    if isinstance(displaced, int):
        fork.mmdrop(m, mm)
        return displaced
    old_pid = me.pid
    retval = -errno.ENOENT
    if filename in m.programs:
        retval = await begin_new_exec(m, filename, mm)
    if retval:
        if me.mm != mm:
            fork.mmdrop(m, mm)
        if displaced:
            fs_file.reset_files_struct(m, displaced)
        return retval
    _start(m, me, filename)
    if m.trace.on:
        m.trace.emit("sched_process_exec", filename=filename, pid=me.pid, old_pid=old_pid)
    if displaced:
        fs_file.put_files_struct(m, displaced)
    return 0


def _start(m: Machine, me: task_struct, filename: str) -> None:
    # start_thread(): the registers point to the program's first instruction.
    image = m.programs[filename]
    m.cpu.user.pop(me.address_, None)
    if image is not None:
        me.mm.start_code = 1 + list(m.programs).index(filename)
        m.cpu.user[me.address_] = image(me)


async def sys_execve(m: Machine, filename: str) -> int:
    """execve(2)."""
    return await kernel_execve(m, filename)
