"""arch/x86/entry/entry_64.S @ v5.10.188: the first instructions in the kernel.

Left out: swapgs, the stack switch and pt_regs, which come with the emulated CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.entry import common
from kernelsim.include.linux.sched import task_struct
from kernelsim.kernel.sched import core
from kernelsim.kernel.time import hrtimer, timekeeping, timer

if TYPE_CHECKING:
    from kernelsim.machine.machine import Machine

__all__ = [
    "entry_SYSCALL_64",
    "ret_from_fork",
    "user_mode",
    "user_work",
]


async def entry_SYSCALL_64(m: Machine, nr: int, args: tuple[Any, ...]) -> int:
    """Enter the kernel with the SYSCALL instruction: number `nr` (rax), arguments `args` (rdi, rsi, …)."""
    return await common.do_syscall_64(m, nr, args)


async def ret_from_fork(m: Machine) -> Any:
    """The first code of a new task: finish the switch, then a kernel thread's function, then user mode."""
    core.schedule_tail(m, task_struct.ref_(m, m.cpu.last))
    current = m.current
    thread = current.thread
    if thread.fn:
        result = m.call(thread.fn, thread.arg)
        await result
    await common.irqentry_exit_to_user_mode(m)
    return await user_mode(m)


async def user_mode(m: Machine) -> Any:
    """Run what the running task has in user mode; a puppet has nothing and waits there."""
    while True:
        address = m.current.address_
        program = m.cpu.user.get(address)
        if program is None:
            return None
        await program.run(m)


async def user_work(m: Machine, ns: int) -> None:
    """Let the running task compute for `ns` (u64) of CPU time in user mode.

    The clock's ticks and other tasks' timers interrupt it, and may let somebody else run first.
    """
    while ns > 0:
        now = timekeeping.ktime_get_ns(m)
        tick = now - now % core.NSEC_PER_TICK + core.NSEC_PER_TICK
        ran = min(ns, tick - now, max(hrtimer.hrtimer_get_next_event(m) - now, 0))
        timekeeping.update_wall_time(m, ran)
        ns -= ran
        if now + ran == tick:
            timer.update_process_times(m, user_tick=1)
        else:
            hrtimer.hrtimer_run_queues(m)
        await common.irqentry_exit_to_user_mode(m)
