"""Kernel threads that a reader makes: what runs in them, and who asks for them.

A kernel thread needs a function inside the kernel, and somebody who calls kthread_run().  On Linux
a module brings both: its text is loaded behind the kernel's, and its first function runs in the
process that loads it.  Here the reader's function is given an address in the modules' part of
memory, and the puppet `by` is in the kernel while it asks, as insmod is; if the kernel's
function sleeps, that puppet does (docs/adr/0012-kernel-threads.md).
"""

from __future__ import annotations

import functools
import inspect
import os
from typing import TYPE_CHECKING, Any

from kernelsim.arch.x86.entry import common
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.sched import task_struct
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel import kthread
from kernelsim.kernel import signal as kernel_signal
from kernelsim.kernel.sched import core
from kernelsim.kernel.trace import ftrace
from kernelsim.machine.memory import Fault
from kernelsim.puppets import DeadTask

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from kernelsim.machine.cpu import Panic
    from kernelsim.machine.machine import Machine
    from kernelsim.puppets import Driver

    Body = Callable[["InKernel"], Coroutine[Any, Any, Any]]

__all__ = ["InKernel", "Threads", "worker"]


class InKernel:
    """What a kernel thread's function may call: the kernel's own functions, by their names."""

    TASK_RUNNING = sched.TASK_RUNNING
    TASK_INTERRUPTIBLE = sched.TASK_INTERRUPTIBLE
    TASK_UNINTERRUPTIBLE = sched.TASK_UNINTERRUPTIBLE
    TASK_KILLABLE = sched.TASK_KILLABLE
    TASK_IDLE = sched.TASK_IDLE

    def __init__(self, m: Machine) -> None:
        self.machine = m

    def __repr__(self) -> str:
        return f"<inside the kernel, as {self.current!r}>"

    @property
    def current(self) -> task_struct:
        """The running task (struct task_struct *): the kernel thread itself."""
        task: task_struct = self.machine.current
        return task

    def set_current_state(self, state: int) -> None:
        """Be in `state` (long) from now on: the next schedule() sleeps in it, unless it is TASK_RUNNING."""
        self.current.state = state

    def schedule(self) -> Coroutine[Any, Any, None]:
        """Give up the CPU: sleep if the state says so, until somebody wakes this thread."""
        return core.schedule(self.machine)

    def kthread_should_stop(self) -> bool:
        """Return whether this thread is to return: kthread_stop() waits for that."""
        return kthread.kthread_should_stop(self.machine)

    def kthread_should_park(self) -> bool:
        """Return whether this thread is to call kthread_parkme()."""
        return kthread.kthread_should_park(self.machine)

    def kthread_parkme(self) -> Coroutine[Any, Any, None]:
        """Sleep in TASK_PARKED as long as this thread is to park."""
        return kthread.kthread_parkme(self.machine)

    def signal_pending(self) -> bool:
        """Return whether a signal waits for this thread; all are ignored but those of allow_signal()."""
        return sched_signal.signal_pending(self.current)

    def allow_signal(self, sig: int) -> None:
        """Let signal `sig` be queued and wake this thread; nothing else happens to it."""
        kernel_signal.kernel_sigaction(self.machine, sig, kernel_signal.SIG_KTHREAD)

    def flush_signals(self) -> None:
        """Forget the signals that wait for this thread."""
        kernel_signal.flush_signals(self.machine, self.current)

    def do_exit(self, code: int) -> Coroutine[Any, Any, None]:
        """End this thread with `code` (long) at once; kthread_stop() must not come later."""
        return kernel_exit.do_exit(self.machine, code)


async def worker(kernel: InKernel) -> int:
    """Wait in TASK_IDLE for work that never comes, as a kworker does; park and return when asked to."""
    while True:
        kernel.set_current_state(kernel.TASK_IDLE)
        if kernel.kthread_should_stop():
            break
        if kernel.kthread_should_park():
            kernel.set_current_state(kernel.TASK_RUNNING)
            await kernel.kthread_parkme()
            continue
        await kernel.schedule()
    kernel.set_current_state(kernel.TASK_RUNNING)
    return 0


class Threads:
    """The part of `Kernel` that makes kernel threads and talks to them."""

    machine: Machine
    commands: list[tuple[int, str, tuple[Any, ...]]]
    _driver: Driver

    def kthread_create(self, name: str, body: Body = worker, by: task_struct | None = None) -> Any:
        """Make a kernel thread called `name` that sleeps until `wake_up_process`, in TASK_UNINTERRUPTIBLE.

        `body` is `async def body(kernel)`, with an `InKernel`; what it returns, an int, is the
        thread's result.  `by` is the puppet that asks: init, if not given, which on Linux makes the
        first ones.  Returns the thread's task_struct, PENDING if the puppet sleeps, or a Panic.
        Raises OSError (ENOMEM, EAGAIN), DeadTask, ValueError, TypeError.
        """
        return self._make(kthread.kthread_create, name, body, by)

    def kthread_run(self, name: str, body: Body = worker, by: task_struct | None = None) -> Any:
        """Make a kernel thread as `kthread_create` does, and let it run."""
        return self._make(kthread.kthread_run, name, body, by)

    def wake_up_process(self, thread: task_struct, by: task_struct | None = None) -> Any:
        """Wake a kernel thread that sleeps; 1 if it did, else 0."""
        return self._ask("wake_up_process", core.wake_up_process, thread, by)

    def kthread_stop(self, thread: task_struct, by: task_struct | None = None) -> Any:
        """Ask a kernel thread to return and wait for that; what it returned, -EINTR if it never ran.

        PENDING if it does not return: then the puppet `by` sleeps uninterruptibly, in D.
        """
        return self._ask("kthread_stop", kthread.kthread_stop, thread, by)

    def kthread_park(self, thread: task_struct, by: task_struct | None = None) -> Any:
        """Ask a kernel thread to park and wait until it has; 0, or OSError (ENOSYS, EBUSY)."""
        return self._ask("kthread_park", kthread.kthread_park, thread, by)

    def kthread_unpark(self, thread: task_struct, by: task_struct | None = None) -> Any:
        """Let a parked kernel thread go on."""
        return self._ask("kthread_unpark", kthread.kthread_unpark, thread, by)

    def kthread_bind(self, thread: task_struct, by: task_struct | None = None) -> Any:
        """Bind a new kernel thread, not yet woken, to CPU 0, the only one."""
        return self._ask("kthread_bind", _bind, thread, by)

    def _make(self, function: Any, name: str, body: Body, by: task_struct | None) -> Any:
        if not isinstance(name, str) or not name or "\0" in name:
            raise ValueError(f"{name!r} can't be a thread's name: text, not empty, without NUL")
        name.encode()  # UnicodeEncodeError, a ValueError
        if not inspect.iscoroutinefunction(body):
            raise TypeError("a thread's function is async def body(kernel): await lets it sleep")
        by = self._asking(by)
        threadfn = self.machine.load_function(_threadfn(body))
        return self._inside(function.__name__, (name, body, by), by, function, threadfn, 0, name)

    def _ask(self, kind: str, function: Any, thread: Any, by: task_struct | None) -> Any:
        thread, by = self._thread(thread), self._asking(by)
        return self._inside(kind, (thread, by), by, function, thread)

    def _asking(self, by: Any) -> task_struct:
        if self.panic is not None:
            raise self.panic
        return self._idle_puppet(1 if by is None else by)

    def _inside(
        self, kind: str, given: tuple[Any, ...], by: task_struct, function: Any, *args: Any
    ) -> Any:
        # Let the puppet `by` be in the kernel and call `function`.
        self.commands.append((self.machine.trace.now, kind, given))
        self._driver.fire(by.address_, kind, _enter(self.machine, kind, function, *args))
        return self.result(by)

    def _idle_puppet(self, task: Any) -> task_struct:
        # A puppet (struct task_struct * or its number) that makes no call at present.
        if isinstance(task, int) and not isinstance(task, bool):
            task = self.task(task)
        task = self._driver.puppet(task)
        if task.address_ in self._driver.busy and task.address_ in self.machine.cpu.contexts:
            raise ValueError(
                f"task {task.pid} is still inside {self._driver.busy[task.address_]}(): it sleeps"
            )
        return task

    def _thread(self, thread: Any) -> task_struct:
        # A kernel thread that lives, and that kthread_create() made.
        if isinstance(thread, int) and not isinstance(thread, bool):
            thread = self.task(thread)
        if not isinstance(thread, task_struct):
            raise TypeError(f"a thread is a task_struct * or a pid, not {type(thread).__name__}")
        thread = task_struct.ref_(self.machine, thread.address_)
        try:
            known, dead = (
                thread.flags & sched.PF_KTHREAD and thread.set_child_tid,
                thread.exit_state,
            )
        except Fault as fault:
            raise DeadTask(f"the thread is gone: {fault}") from None
        if dead:
            raise DeadTask(f"thread {thread.pid} is dead")
        if not known:
            raise ValueError(f"task {thread.pid} is no thread that kthread_create() made")
        return thread

    if TYPE_CHECKING:

        @property
        def panic(self) -> Panic | None: ...  # noqa: D102 - Kernel's

        def task(self, pid: int) -> task_struct: ...  # noqa: D102 - Kernel's
        def result(self, task: task_struct) -> Any: ...  # noqa: D102 - Kernel's


@functools.cache
def _threadfn(body: Body) -> Any:
    # int threadfn(void *data), whose text is `body`.
    @functools.wraps(body)
    def threadfn(m: Machine, data: int) -> Any:
        return ftrace.traced(m, body.__name__, body(InKernel(m)))

    return threadfn


def _bind(m: Machine, k: task_struct) -> None:
    kthread.kthread_bind(m, k, 0)


_FAILING = {"kthread_create", "kthread_run", "kthread_park"}  # what is negative is an errno


async def _enter(m: Machine, kind: str, function: Any, *args: Any) -> Any:
    # What a process does that is in the kernel, from its way in to its way out.
    result = function(m, *args)
    if inspect.iscoroutine(result):
        result = await result
    await common.irqentry_exit_to_user_mode(m)
    if kind in _FAILING and isinstance(result, int) and result < 0:
        raise OSError(-result, os.strerror(-result))
    return result
