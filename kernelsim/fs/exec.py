"""fs/exec.c @ v5.10.188: the same task, a new program.

Left out: interpreters, set-id, the pages on which the arguments stand (docs/fidelity.md).
What a program is, is the business of `m.programs`, a table by name: the machine's disk.  It holds
for each a function of the task, its arguments and its environment, or None for a puppet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import file as fs_file
from kernelsim.fs import namei
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import rculist, sched
from kernelsim.include.linux.binfmts import MAX_ARG_STRINGS, MAX_ARG_STRLEN, linux_binprm
from kernelsim.include.linux.sched import coredump
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm.signal import SIGCHLD, SIGKILL, SIGSEGV
from kernelsim.include.uapi.linux import resource
from kernelsim.kernel import cred, fork, pid, signal, user_namespace
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel.sched import core
from kernelsim.security import commoncap

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "alloc_bprm",
    "begin_new_exec",
    "bprm_creds_from_file",
    "bprm_execve",
    "bprm_stack_limits",
    "copy_string_kernel",
    "copy_strings",
    "count",
    "de_thread",
    "do_execve",
    "do_open_execat",
    "exec_binprm",
    "exec_mmap",
    "free_bprm",
    "kernel_execve",
    "set_dumpable",
    "set_task_comm",
    "sys_execve",
    "unshare_sighand",
]

STACK_TOP_MAX = 0x7FFF_FFFF_F000  # arch/x86/include/asm/processor.h
ARG_MAX = 131072
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


def set_dumpable(mm: Any, value: int) -> None:
    """Say whether others may look into `mm` (struct mm_struct *): SUID_DUMP_*."""
    coredump._set_dumpable(mm, value)


def exec_mmap(m: Machine, me: task_struct, mm: Any) -> None:
    """Let `me` live in `mm` (struct mm_struct *) from now on, and leave what it lived in."""
    old, active = me.mm, me.active_mm
    fork.exec_mm_release(m, me, old)
    me.mm = me.active_mm = mm
    if old:
        fork.mmput(m, old)
    elif active:  # a kernel thread gives the borrowed one back
        fork.mmdrop(m, active)


# --- the arguments -----------------------------------------------------------------------------


def alloc_bprm(m: Machine, filename: str | bytes) -> linux_binprm | int:
    """Begin with a new address space for the program `filename` (const char *); or -ENOMEM."""
    mm = fork.mm_alloc(m, m.current)  # bprm_mm_init()
    if not mm:
        return -errno.ENOMEM
    return linux_binprm(filename, mm, STACK_TOP_MAX - 8)


def free_bprm(m: Machine, bprm: linux_binprm) -> None:
    """Give back what the new program did not take."""
    if bprm.mm is not None:
        fork.mmput(m, bprm.mm)
    if bprm.cred is not None:
        cred.put_cred(m, bprm.cred)


def count(argv: Any, most: int) -> int:
    """Return how many strings the array `argv` (const char *const *) holds; -E2BIG, -EFAULT."""
    if argv is None:
        return 0
    if not isinstance(argv, list | tuple):
        return -errno.EFAULT
    strings = argv.index(None) if None in argv else len(argv)
    return strings if strings <= most else -errno.E2BIG


def bprm_stack_limits(m: Machine, bprm: linux_binprm) -> int:
    """Set how much room the strings have: a quarter of the stack's limit; 0 or -E2BIG."""
    rlim_stack = m.current.signal.rlim[resource.RLIMIT_STACK].rlim_cur
    limit = max(min(resource._STK_LIM // 4 * 3, rlim_stack // 4), ARG_MAX)
    pointers = (max(bprm.argc, 1) + bprm.envc) * 8
    if limit <= pointers:
        return -errno.E2BIG
    bprm.argmin = bprm.p - (limit - pointers)
    return 0


def copy_string_kernel(arg: bytes, bprm: linux_binprm) -> int:
    """Copy one string (const char *) to the new stack; 0 or -E2BIG."""
    length = len(arg) + 1
    if length > MAX_ARG_STRLEN:
        return -errno.E2BIG
    bprm.p -= length
    return -errno.E2BIG if bprm.p < bprm.argmin else 0


def copy_strings(argc: int, argv: Any, bprm: linux_binprm) -> list[bytes] | int:
    """Copy `argc` strings of `argv` to the new stack, the last one first; the copies, -EFAULT or -E2BIG."""
    copies = []
    for i in range(argc - 1, -1, -1):
        if not isinstance(argv[i], str | bytes):
            return -errno.EFAULT
        text = _bytes(argv[i]).partition(b"\0")[0]
        error = copy_string_kernel(text, bprm)
        if error:
            return error
        copies.append(text)
    return copies[::-1]


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _copy_all(m: Machine, bprm: linux_binprm, argv: Any, envp: Any) -> int:
    # Count and copy the name, the environment and the arguments, in that order; 0 or an errno.
    error = bprm_stack_limits(m, bprm) or copy_string_kernel(_bytes(bprm.filename), bprm)
    if error:
        return error
    bprm.exec = bprm.p
    copies = copy_strings(bprm.envc, envp, bprm)
    if isinstance(copies, int):
        return copies
    bprm.envp = copies
    copies = copy_strings(bprm.argc, argv, bprm)
    if isinstance(copies, int):
        return copies
    bprm.argv = copies
    return 0


def do_open_execat(m: Machine, pathname: str | bytes) -> str | int:
    """Return the name of the program at `pathname`, among the machine's; or -ENOENT, -EACCES, -ENOTDIR.

    That is what path_openat() comes to with MAY_EXEC: a device or a directory is no program.
    """
    name = _bytes(pathname).decode("utf-8", "surrogateescape")
    if name in m.programs:
        return name
    names = [*namei.DEVICES, *m.programs]
    if name in namei.DEVICES or any(one.startswith(f"{name.rstrip('/')}/") for one in names):
        return -errno.EACCES
    return -errno.ENOTDIR if any(name.startswith(f"{one}/") for one in names) else -errno.ENOENT


# --- the new program ---------------------------------------------------------------------------


def bprm_creds_from_file(bprm: linux_binprm) -> None:
    """Work out what the credentials of `bprm` (struct linux_binprm *) may do with this program."""
    root = user_namespace.make_kuid(bprm.cred.user_ns, 0)
    commoncap.cap_bprm_creds_from_file(bprm.cred, root)


async def begin_new_exec(m: Machine, bprm: linux_binprm) -> int:
    """Give the running task the address space of `bprm` (struct linux_binprm *) and what goes with it.

    From here on there is no way back; fs/exec.c L1240.  Returns 0, -EAGAIN or -ENOMEM.
    """
    me = m.current
    bprm_creds_from_file(bprm)
    bprm.point_of_no_return = True
    retval = await de_thread(m, me)
    if retval:
        return retval
    exec_mmap(m, me, bprm.mm)
    bprm.mm = None
    retval = unshare_sighand(m, me)
    if retval:
        return retval
    me.flags &= ~_CLEARED
    me.thread.fn = me.thread.arg = 0
    fs_file.do_close_on_exec(m, me.files)
    me.sas_ss_sp = me.sas_ss_size = 0
    now = me.cred
    plain = (now.euid, now.egid) == (now.uid, now.gid)
    set_dumpable(me.mm, coredump.SUID_DUMP_USER if plain else coredump.SUID_DUMP_DISABLE)
    name = _bytes(bprm.filename).rpartition(b"/")[2]
    set_task_comm(m, me, name.decode("utf-8", "surrogateescape"))
    me.self_exec_id += 1
    signal.flush_signal_handlers(me, force_default=False)
    cred.commit_creds(m, bprm.cred)
    bprm.cred = None
    return 0


async def exec_binprm(m: Machine, bprm: linux_binprm, program: str) -> int:
    """Let the running task begin with `program`, one of the machine's; 0, -EAGAIN or -ENOMEM."""
    me = m.current
    old_pid = me.pid
    retval = await begin_new_exec(m, bprm)
    if retval:
        return retval
    _start_thread(m, me, program, bprm)
    if m.trace.on:
        m.trace.emit("sched_process_exec", filename=program, pid=me.pid, old_pid=old_pid)
    return 0


def _start_thread(m: Machine, me: task_struct, program: str, bprm: linux_binprm) -> None:
    # start_thread(): the registers point to the first instruction, the stack to the arguments.
    image = m.programs[program]
    m.cpu.user.pop(me.address_, None)
    if image is not None:
        me.mm.start_code = 1 + list(m.programs).index(program)
        m.cpu.user[me.address_] = image(me, bprm.argv, bprm.envp)


async def bprm_execve(m: Machine, bprm: linux_binprm) -> int:
    """Find the program of `bprm` (struct linux_binprm *) and run it; 0 or a negative errno.

    If it fails, files that were shared still are.
    """
    displaced = fork.unshare_files(m)
    if isinstance(displaced, int):
        return displaced
    bprm.cred = cred.prepare_exec_creds(m) or None  # prepare_bprm_creds()
    program = do_open_execat(m, bprm.filename) if bprm.cred is not None else -errno.ENOMEM
    retval = program if isinstance(program, int) else await exec_binprm(m, bprm, program)
    if not retval:
        if displaced:
            fs_file.put_files_struct(m, displaced)
        return 0
    me = m.current
    if bprm.point_of_no_return and not sched_signal.fatal_signal_pending(me):
        signal.send_sig(m, SIGSEGV, me, True)  # force_sigsegv()
    if displaced:
        fs_file.reset_files_struct(m, displaced)
    return retval


async def do_execve(m: Machine, filename: Any, argv: Any, envp: Any) -> int:
    """Run `filename` (const char *) with the arguments `argv` and the environment `envp`.

    Both are arrays of strings (const char *const *).  Returns 0 or a negative errno: those of
    getname(), -EAGAIN, -ENOMEM, -EFAULT, -E2BIG, and of the path: -ENOENT, -EACCES, -ENOTDIR.
    """
    error = namei.getname(filename)
    if error:
        return error
    me = m.current
    limit = me.signal.rlim[resource.RLIMIT_NPROC].rlim_cur
    if me.flags & sched.PF_NPROC_EXCEEDED and me.cred.user.processes > limit:
        return -errno.EAGAIN
    me.flags &= ~sched.PF_NPROC_EXCEEDED
    bprm = alloc_bprm(m, filename)
    if isinstance(bprm, int):
        return bprm
    retval = bprm.argc = count(argv, MAX_ARG_STRINGS)
    if retval >= 0:
        retval = bprm.envc = count(envp, MAX_ARG_STRINGS)
    if retval >= 0:
        retval = _copy_all(m, bprm, argv, envp)
    if not retval and not bprm.argc:  # nobody shall find argc 0, and read on into the environment
        retval = copy_string_kernel(b"", bprm)
        bprm.argc, bprm.argv = 1, [b""]
    if not retval:
        retval = await bprm_execve(m, bprm)
    free_bprm(m, bprm)
    return retval


async def kernel_execve(m: Machine, filename: str, argv: list[str], envp: list[str]) -> int:
    """Run the program `filename` (const char *) in a thread of the kernel; 0 or a negative errno."""
    bprm = alloc_bprm(m, filename)
    if isinstance(bprm, int):
        return bprm
    bprm.argc, bprm.envc = len(argv), len(envp)  # count_strings_kernel()
    retval = _copy_all(m, bprm, argv, envp) if argv else -errno.EINVAL
    if not retval:
        retval = await bprm_execve(m, bprm)
    free_bprm(m, bprm)
    return retval


async def sys_execve(m: Machine, filename: Any, argv: Any = None, envp: Any = None) -> int:
    """execve(2)."""
    return await do_execve(m, filename, argv, envp)
