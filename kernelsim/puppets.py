"""Who drives the machine: the CPU's hooks, and calls fired at tasks that have no program.

The kernel runs by itself; what it lacks is somebody in user mode.  A program is a coroutine and
runs when the scheduler lets it.  A puppet waits in user mode until a call is fired for it: the
CPU is then taken to that puppet by an interrupt, the call runs, and afterwards whatever else has
work to do (programs, kernel threads, signals to take) runs until nothing has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.entry import common, entry_64
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.asm.signal import SIGHUP, SIGSEGV
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import signal as kernel_signal
from kernelsim.kernel.sched.sched import this_rq
from kernelsim.machine.cpu import Panic
from kernelsim.machine.memory import Fault
from kernelsim.user.libc import NewImage

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kernelsim.machine.machine import Machine

__all__ = [
    "ANSWERS",
    "PENDING",
    "DeadTask",
    "Driver",
    "Pending",
    "current_signal",
]

_MASK = (1 << 64) - 1
_STOPPED = sched.__TASK_STOPPED


class DeadTask(ValueError):
    """The task is dead, or its task_struct is gone: it can make no calls."""


class Pending:
    """The answer to a call that sleeps: the result comes when the kernel wakes the task."""

    def __repr__(self) -> str:
        return "PENDING"


PENDING = Pending()

ANSWERS = (OSError, TypeError, ValueError, OverflowError, AttributeError)
"""What a call can raise that is an answer to the caller: the kernel's errno, or a wrong argument."""


def current_signal(m: Machine) -> bool:
    """Return whether a signal waits for the running task."""
    return sched_signal.signal_pending(m.current)


class Driver:
    """The hooks of one machine's CPU."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        # What a puppet's call returned, or the exception it raised, and when the puppet was born: its
        # address may be another's by now.
        self.results: dict[int, tuple[int, Any]] = {}
        self.calls: dict[int, Coroutine[Any, Any, Any]] = {}  # calls fired and not begun
        self.busy: dict[int, str] = {}  # puppets inside a call, and which
        # Puppets interrupted in user mode: their context has no work until it has slept.
        self.resting: dict[int, tuple[int, int]] = {}
        self.wanted = 0
        self.sleeper = 0  # init: it sleeps in pause() while nobody drives it
        self.pausing = False
        self.panic: Panic | None = None
        m.cpu.first_run = lambda task: entry_64.ret_from_fork(m)
        m.cpu.in_user_mode = self._in_user_mode
        m.choose = self._choose

    # --- firing a call ------------------------------------------------------------------------

    def puppet(self, task: Any) -> task_struct:
        """Return `task` (struct task_struct *) if it is a puppet that can be driven.

        Raises DeadTask if it is dead or gone, ValueError if it is no puppet, TypeError if it is no task.
        """
        if not isinstance(task, task_struct):
            raise TypeError(f"a task is a struct task_struct * or a pid, not {type(task).__name__}")
        task = task_struct.ref_(self.m, task.address_)
        try:
            number, dead = task.pid, task.exit_state
        except Fault as fault:
            raise DeadTask(f"the task is gone: {fault}") from None
        if dead:
            raise DeadTask(f"task {number} is dead: {sched.task_state_to_char(task)}")
        if not task.mm:
            raise ValueError(f"task {number} is a kernel thread: it makes no system calls")
        if task.state & _STOPPED:
            raise ValueError(f"task {number} is stopped: it makes no calls until SIGCONT comes")
        if task.address_ in self.m.cpu.user:
            raise ValueError(f"task {number} runs a program: only puppets can be driven")
        return task

    def fire(self, task: int, name: str, call: Coroutine[Any, Any, Any]) -> None:
        """Let the puppet at address `task` make `call`, then run until the machine is quiet."""
        self.results.pop(task, None)
        self.busy[task] = name
        self.calls[task] = self._answer(task, call)
        self._bring(task)
        self.m.cpu.ready[task] = None  # it has work, also if it is preempted in the middle
        self.run()

    async def _answer(self, task: int, call: Coroutine[Any, Any, Any]) -> None:
        try:
            self._keep(task, await call)
        except NewImage:
            self._keep(task, None)
        except ANSWERS as error:
            self._keep(task, error)
        finally:  # also when the task dies in the call: its address will be another's
            self.busy.pop(task, None)

    def _keep(self, task: int, value: Any) -> None:
        self.results[task] = task_struct.ref_(self.m, task).start_time, value

    def result(self, task: task_struct) -> Any:
        """Take what the last call of `task` has returned, PENDING while it sleeps, else None."""
        born, value = self.results.pop(task.address_, (-1, None))
        if born >= 0 and self._is_of(task, born):
            return value
        sleeps = task.address_ in self.busy and task.address_ in self.m.cpu.contexts
        return PENDING if sleeps else None

    def _is_of(self, task: task_struct, born: int) -> bool:
        # Is `task` the one that was born then?  If its memory is free nobody else has it yet.
        try:
            return bool(task.start_time == born)
        except Fault:
            return True

    def _bring(self, task: int) -> None:
        # Make the CPU come to `task`: at once if it runs, else by an interrupt of whoever does.
        cpu, current = self.m.cpu, self.m.current
        self.wanted = task
        if task == self.sleeper and self.pausing:
            kernel_signal.send_sig(self.m, SIGHUP, task_struct(self.m, task), True)
        if current.address_ == task and task not in cpu.contexts:
            self.wanted = 0  # it is there
            cpu.contexts[task] = self.calls.pop(task)
        elif current.address_ != task:
            self._interrupt(current)

    def _interrupt(self, current: task_struct) -> None:
        # A timer interrupt finds that another task is to run.
        current.thread_info.flags |= sched._TIF_NEED_RESCHED
        if current.address_ not in self.m.cpu.contexts:
            self.m.cpu.contexts[current.address_] = common.irqentry_exit_to_user_mode(self.m)
            self.resting[current.address_] = current.pid, current.nvcsw

    def run(self) -> None:
        """Run until the machine is quiet.

        A Fault inside the kernel is an oops, and so is everything else that goes wrong there: the
        task that ran into it dies and the exception is raised.  A panic ends the machine; it is
        kept in `panic`.
        """
        try:
            self.m.cpu.run()
        except Panic as panic:
            self.panic = panic
        except (Exception, KeyboardInterrupt):
            self._oops()
            raise

    def _oops(self) -> None:
        # The kernel went wrong in the middle of something: make_task_dead(SIGSEGV).
        cpu, current = self.m.cpu, self.m.current
        self.m.trace.emit("oops", pid=current.pid)
        cpu.contexts.pop(current.address_, None)
        self.busy.pop(current.address_, None)
        if not current.pid or current.flags & sched.PF_EXITING:
            self.panic = Panic("Fatal exception")
            return
        cpu.contexts[current.address_] = kernel_exit.do_exit(self.m, SIGSEGV)
        try:
            cpu.run()
        except Panic as second:
            self.panic = second
        except Exception:  # noqa: BLE001 - it is recorded: the machine is dead
            self.panic = Panic("Fatal exception")

    # --- hooks --------------------------------------------------------------------------------

    def _in_user_mode(self, task: int, value: Any) -> bool:
        # The running task is back in user mode and has no program: is there more to do?
        cpu, m = self.m.cpu, self.m
        self.resting.pop(task, None)
        call = self.calls.pop(task, None)
        if call is not None:
            self.wanted = 0
            cpu.contexts[task] = call
            return True
        if task == self.sleeper and not current_signal(m):
            self.pausing = True
            cpu.contexts[task] = self._pause(task)
            return True
        if task in cpu.user:  # it has just become a program
            cpu.contexts[task] = entry_64.user_mode(m)
            return True
        current = m.current
        if current_signal(m):
            cpu.contexts[task] = common.irqentry_exit_to_user_mode(m)
            return True
        waits = self.wanted != task and self.wanted in cpu.ready  # not if it has died meanwhile
        if waits or self._best():
            self._interrupt(current)
            return True
        return False

    async def _pause(self, task: int) -> None:
        # What init does by itself: pause(), which ends when a signal has been handled.
        try:
            await entry_64.entry_SYSCALL_64(self.m, common.syscall_number("pause"), ())
        finally:
            self.pausing = False

    def _has_work(self, p: task_struct) -> bool:
        # Would `p` do anything if it ran?
        address = p.address_
        if address in self.calls or sched_signal.signal_pending(p):
            return True
        if address in self.resting and self.resting[address] == (p.pid, p.nvcsw):
            return False
        return address in self.m.cpu.contexts or address in self.m.cpu.user or not p.mm.address_

    def _best(self) -> int:
        # The queued task with work that has run least, 0 if there is none.
        m, ready = self.m, self.m.cpu.ready
        best, least = 0, 0
        floor = this_rq(m).cfs.min_vruntime
        running = m.current.address_
        for address in list(ready):
            if address == running:
                continue
            p = task_struct.ref_(m, address)
            if not self._has_work(p):
                del ready[address]
                continue
            lead = (p.se.vruntime - floor + (1 << 63)) & _MASK
            if not best or lead < least:
                best, least = address, lead
        return best

    def _choose(self, rq: Any, default: task_struct) -> task_struct | None:
        # Who runs next: the wanted puppet, else the scheduler's choice, but not somebody idle.
        wanted = self.wanted
        if wanted:
            p = task_struct.ref_(self.m, wanted)
            if p.on_rq:
                return p
        if self._has_work(default):
            return None
        best = self._best()
        return task_struct.ref_(self.m, best) if best else None
