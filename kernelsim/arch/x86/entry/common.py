"""arch/x86/entry/common.c, kernel/entry/common.c, syscall_64.c @ v5.10.188: from a number to a function and back.

Left out: ptrace, seccomp and audit on the way; the registers in memory (docs/fidelity.md).
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from kernelsim.fs import exec as fs_exec
from kernelsim.fs import fcntl, pipe, read_write, select
from kernelsim.fs import file as fs_file
from kernelsim.fs import open as fs_open
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm.signal import SA_NODEFER, SA_RESTART, SIGSEGV
from kernelsim.kernel import _setids, _utsname_calls, fork, groups, nsproxy, signal, sys
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import pid as kernel_pid
from kernelsim.kernel.futex import core as futex
from kernelsim.kernel.sched import core
from kernelsim.kernel.time import hrtimer, timekeeping, timer
from kernelsim.machine import machine

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "NR_SYSCALLS",
    "check_arguments",
    "do_syscall_64",
    "exit_to_user_mode_loop",
    "handle_signal",
    "irqentry_exit_to_user_mode",
    "sys_call_table",
    "sys_ni_syscall",
    "syscall_name",
    "syscall_number",
]

NR_SYSCALLS = 441
_RESTART_SYSCALL = 219
_WORK = sched._TIF_NEED_RESCHED | sched._TIF_SIGPENDING
_FLAGS = task_struct.offsetof_("thread_info.flags") >> 3
_RESTART = (
    *(-errno.ERESTARTSYS, -errno.ERESTARTNOINTR, -errno.ERESTARTNOHAND),
    -errno.ERESTART_RESTARTBLOCK,
)


def sys_ni_syscall(m: Machine, *args: Any) -> int:
    """Answer a call that does not exist: -ENOSYS."""
    return -errno.ENOSYS


def _read_table() -> dict[int, tuple[str, str]]:
    # number -> (name, entry point); the x32 rows live in a table of their own.
    table = {}
    for line in (Path(__file__).parent / "syscalls" / "syscall_64.tbl").read_text().splitlines():
        row = line.split("\t")
        if not line.startswith("#") and row[1] != "x32":
            table[int(row[0])] = row[2], row[3] if len(row) > 3 else ""
    return table


_TABLE = _read_table()
_NUMBERS = {name: number for number, (name, _) in _TABLE.items()}
_MODULES = (
    *(fork, kernel_exit, sys, signal, kernel_pid, hrtimer),
    *(fcntl, fs_exec, fs_file, fs_open, pipe, read_write, select),
    futex,
    *(_setids, _utsname_calls, groups, nsproxy),
)


def _entry_point(entry: str) -> Any:
    # The (module, name) that implements an entry point, None where we have none.
    return next(((module, entry) for module in _MODULES if hasattr(module, entry)), None)


sys_call_table = [_entry_point(_TABLE[n][1]) if n in _TABLE else None for n in range(NR_SYSCALLS)]
"""For each number the module and name of its function, None for sys_ni_syscall."""


def syscall_name(number: int) -> str:
    """Return the name of system call `number`, "" if there is none."""
    return _TABLE[number][0] if number in _TABLE else ""


def syscall_number(name: str) -> int:
    """Return the number of the system call `name`.

    Raises ValueError for a name that x86-64 does not have.
    """
    try:
        return _NUMBERS[name]
    except KeyError:
        raise ValueError(f"Linux 5.10 on x86-64 has no system call {name!r}") from None


def check_arguments(nr: int, args: tuple[Any, ...]) -> None:
    """Raise TypeError if system call `nr` does not take so many arguments: what no register can show."""
    entry = sys_call_table[nr] if 0 <= nr < NR_SYSCALLS else None
    if entry is not None:
        try:
            inspect.signature(getattr(*entry)).bind(None, *args)
        except TypeError as error:
            raise TypeError(f"{syscall_name(nr)}(): {error}") from None


async def do_syscall_64(m: Machine, nr: int, args: tuple[Any, ...]) -> int:
    """Carry out system call `nr` with `args`; the result, negative for an error."""
    _enter_from_user_mode(m)
    trace = m.trace
    if trace.on:
        trace.emit("sys_enter", id=nr, args=args)
    while True:
        ax = -errno.ENOSYS
        entry = sys_call_table[nr] if 0 <= nr < NR_SYSCALLS else None
        if entry is not None:
            result = getattr(entry[0], entry[1])(m, *args)
            ax = await result if result.__class__ is CoroutineType else result
        if trace.on:
            trace.emit("sys_exit", id=nr, ret=ax, args=args)
        if m.u64[(m.current._o >> 3) + _FLAGS] & _WORK:
            block = ax == -errno.ERESTART_RESTARTBLOCK
            again, ax = await exit_to_user_mode_loop(m, ax)
            if again:
                if block:  # the next system call is restart_syscall(2)
                    nr, args = _RESTART_SYSCALL, ()
                continue
        return ax


def _enter_from_user_mode(m: Machine) -> None:
    # Time passes; the timer may have ticked meanwhile.
    i = m.static.clock
    before = m.u64[i]
    if m.log is not None:
        m.log(before)
        m.log(i)
    m.u64[i] = before + timekeeping.NSEC_PER_SYSCALL
    if before % core.NSEC_PER_TICK >= core.NSEC_PER_TICK - timekeeping.NSEC_PER_SYSCALL:
        timer.update_process_times(m, user_tick=0)


async def exit_to_user_mode_loop(m: Machine, ax: int) -> tuple[bool, int]:
    """Do what is pending before user mode: reschedule, deliver signals.

    Returns whether the system call is to be restarted, and its result `ax`.
    """
    again, interrupted = ax in _RESTART, ax in _RESTART
    current = m.current
    while True:
        flags = current.thread_info.flags
        if flags & sched._TIF_NEED_RESCHED:
            await core.schedule(m)
        elif flags & sched._TIF_SIGPENDING:
            ksig = await signal.get_signal(m)
            if ksig is not None:
                if interrupted:  # the first handler decides
                    wished = ax == -errno.ERESTARTSYS and bool(ksig.sa_flags & SA_RESTART)
                    again = wished or ax == -errno.ERESTARTNOINTR
                    interrupted, ax = False, ax if again else -errno.EINTR
                await handle_signal(m, ksig, None if again else ax)
            else:
                interrupted = False  # it is made once more, whatever the mask now lets through
                _restore_saved_sigmask(m)
        else:
            break
    return again, ax


def _restore_saved_sigmask(m: Machine) -> None:
    current = m.current
    if current.restore_sigmask:
        current.restore_sigmask = 0
        signal.set_current_blocked(m, current.saved_sigmask)


async def handle_signal(m: Machine, ksig: signal.ksignal, ax: int | None) -> None:
    """Run the user's handler for `ksig` (struct ksignal *) with the signal blocked.

    `ax` is the result of the system call under way, None if it is made once more afterwards.
    """
    current = m.current
    sig, old = ksig.sig, current.blocked
    blocked = old | ksig.sa_mask | (0 if ksig.sa_flags & SA_NODEFER else 1 << (sig - 1))
    if current.restore_sigmask:  # sigmask_to_save()
        current.restore_sigmask, old = 0, current.saved_sigmask
    signal.set_current_blocked(m, blocked)
    handler, program = m.user_text.get(ksig.sa_handler), m.cpu.user.get(current.address_)
    if handler is not None:
        await handler(m, sig)
    elif program is None or not await program.handle(ksig.sa_handler, sig, ax):
        # there is no code at that address: the next instruction faults
        await kernel_exit.do_group_exit(m, SIGSEGV)
    current.restart_block.fn = machine.text_address("do_no_restart_syscall")  # rt_sigreturn
    signal.set_current_blocked(m, old)


async def irqentry_exit_to_user_mode(m: Machine) -> None:
    """The end of an interrupt in user mode: give way if asked to, deliver signals."""
    await exit_to_user_mode_loop(m, 0)
