"""init/main.c @ v5.10.188: from the first instruction in C to the first process.

Left out: everything that has nothing to do with processes: devices, interrupts, initcalls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.drivers.tty import tty_io
from kernelsim.fs import exec as fs_exec
from kernelsim.fs import file as fs_file
from kernelsim.fs import file_table, fs_struct, nsfs, pipe
from kernelsim.fs import namespace as mnt_namespace
from kernelsim.fs.proc import base as proc
from kernelsim.include.linux import pid, proc_ns, sched
from kernelsim.include.linux import wait as wait_h
from kernelsim.include.uapi.asm import fcntl
from kernelsim.include.uapi.linux import sched as flags
from kernelsim.init import init_task, version
from kernelsim.ipc import namespace as ipc_namespace
from kernelsim.kernel import (
    cred,
    fork,
    nsproxy,
    pid_namespace,
    signal,
    ucount,
    user,
    user_namespace,
    utsname,
)
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel.cgroup import namespace as cgroup_namespace
from kernelsim.kernel.futex import core as futex
from kernelsim.kernel.sched import core, wait
from kernelsim.kernel.time import hrtimer, timekeeping
from kernelsim.kernel.time import namespace as time_namespace
from kernelsim.lib import radix_tree
from kernelsim.machine import cpu, ctype, machine
from kernelsim.mm import page_alloc, slub
from kernelsim.net.core import net_namespace

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = ["boot_task", "kernel_init", "rest_init", "start_kernel"]

_ENVP = ["HOME=/", "TERM=linux"]
_TRY = ("/init", "/sbin/init", "/etc/init", "/bin/init", "/bin/sh")


def start_kernel(m: Machine) -> None:
    """Set everything up, in the kernel's order, up to rest_init()."""
    timekeeping.timekeeping_init(m)
    hrtimer.hrtimers_init(m)
    page_alloc.mem_init(m)
    slub.kmem_cache_init(m)
    init_task.declare(m)
    ucount.ucounts_static_init(m)
    user.user_static_init(m)
    cred.cred_static_init(m)
    kernel_pid.pid_static_init(m)
    version.version_static_init(m)
    ipc_namespace.ipc_static_init(m)
    cgroup_namespace.cgroup_static_init(m)
    time_namespace.time_ns_static_init(m)
    net_namespace.net_static_init(m)
    nsproxy.nsproxy_static_init(m)
    fs_struct.fs_static_init(m)
    fs_file.files_static_init(m)
    init_task.init_task_init(m)
    core.sched_init(m)
    radix_tree.radix_tree_init(m)
    kernel_pid.pid_idr_init(m)
    cred.cred_init(m)
    fork.fork_init(m)
    fork.proc_caches_init(m)
    signal.signals_init(m)
    m.write_u64(m.define("proc_inum_next", ctype.ulong), proc_ns.PROC_DYNAMIC_FIRST)
    utsname.uts_ns_init(m)
    mnt_namespace.mnt_init(m)
    user.uid_cache_init(m)
    user_namespace.user_namespaces_init(m)
    pid_namespace.pid_namespaces_init(m)
    file_table.files_init(m)
    net_namespace.net_ns_init(m)
    pipe.init_pipe_fs(m)
    tty_io.tty_init(m)
    futex.futex_init(m)
    nsfs.nsfs_init(m)
    proc.proc_init(m)
    m.define("kthreadd_done", wait_h.completion)
    wait.init_completion(m.symbol("kthreadd_done"))


async def rest_init(m: Machine) -> None:
    """Make pid 1 and pid 2, then become the idle task."""
    await fork.kernel_thread(m, machine.text_address("kernel_init"), 0, flags.CLONE_FS)
    number = await fork.kernel_thread(
        m, machine.text_address("kthreadd"), 0, flags.CLONE_FS | flags.CLONE_FILES
    )
    m.define("kthreadd_task", ctype.Ptr("task_struct"))
    kthreadd = kernel_pid.find_task_by_pid_ns(m, number, pid.init_pid_ns(m))
    m.write_u64(m.symbols["kthreadd_task"][0], kthreadd.address_)
    wait.complete(m, m.symbol("kthreadd_done"))
    await core.preempt_schedule(m)


async def boot_task(m: Machine) -> None:
    """What the boot task does for ever: rest_init(), then the idle loop (do_idle)."""
    await rest_init(m)
    while True:
        if m.current.thread_info.flags & sched._TIF_NEED_RESCHED:
            await core.schedule(m)
        elif not hrtimer.hrtimer_interrupt(m):
            await cpu.halt()


def _open_console(m: Machine) -> None:
    # console_on_rootfs(): descriptors 0, 1 and 2.
    for line in range(3):
        file = file_table.alloc_file(m, m.symbol("tty_fops"), tty_io.MODE, line, fcntl.O_RDWR)
        fs_file.fd_install(m, fs_file.get_unused_fd_flags(m, 0), file)


async def kernel_init(m: Machine, unused: int) -> int:
    """Pid 1 as a kernel thread: wait for kthreadd, then become the first user process.

    Panics when none of the usual programs is there.
    """
    await wait.wait_for_completion(m, m.symbol("kthreadd_done"))
    _open_console(m)
    for name in _TRY:
        if await fs_exec.kernel_execve(m, name, [name], _ENVP) == 0:
            return 0
    kernel_exit.panic(
        m,
        "No working init found.  Try passing init= option to kernel. See Linux Documentation/admin-guide/init.rst for guidance.",
    )
    return -1
