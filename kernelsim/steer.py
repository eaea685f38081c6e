"""What somebody who drives a machine by hand can ask beyond `Kernel`: who could run, which calls there are.

A `Chooser` stands between the scheduler and the driver of puppets.  It notes every choice between
several tasks that have something to do; and in a machine that goes through the same once more, it
can decide one of them otherwise.  All else here only looks.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.arch.x86.entry import common
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.kernel import fork
from kernelsim.kernel.sched import fair
from kernelsim.kernel.sched.sched import this_rq
from kernelsim.machine.memory import Fault
from kernelsim.puppets import ANSWERS
from kernelsim.user import libc

if TYPE_CHECKING:
    from kernelsim.puppets import Driver

__all__ = [
    "Choice",
    "Chooser",
    "Queued",
    "clone_flags",
    "copy_disk",
    "libc_calls",
    "queue",
    "replay",
    "run_next",
    "system_calls",
]


class Choice(NamedTuple):
    """At event `time` any task of `menu` (addresses) could run next; CFS answered `cfs`; `ran` did."""

    time: int
    menu: tuple[int, ...]
    cfs: int
    ran: int


class Queued(NamedTuple):
    """A task that runs or waits for the CPU; `lead` is its vruntime above the queue's least, in ns."""

    task: task_struct
    lead: int
    running: bool


class Chooser:
    """The scheduler's hook of one machine: asks `driver`, unless it is told otherwise."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.noted: list[Choice] = []
        self.decided: dict[int, int] = {}  # at which time: which task (its address) shall run
        driver.m.choose = self.choose

    def choose(self, rq: Any, default: task_struct) -> task_struct | None:
        """Return who runs next (struct task_struct *), None for the scheduler's own choice `default`."""
        driver = self.driver
        m = driver.m
        chosen = driver._choose(rq, default)
        if len(m.cpu.ready) < 2 or driver.wanted or not m.trace.on:
            return chosen
        menu = self._menu(m)
        if len(menu) < 2:
            return chosen
        wish = self.decided.get(m.trace.now)
        cfs = (chosen or default).address_
        ran = wish if wish in menu else cfs
        assert ran is not None
        self.noted.append(Choice(m.trace.now, menu, cfs, ran))
        return chosen if ran == cfs else task_struct.ref_(m, ran)

    # Who waits in the queue and would do something: the least vruntime first.
    def _menu(self, m: Any) -> tuple[int, ...]:
        floor = this_rq(m).cfs.min_vruntime
        found = []
        for address in m.cpu.ready:
            p = task_struct.ref_(m, address)
            if p.on_rq and self.driver._has_work(p):
                found.append((_signed(p.se.vruntime - floor), p.pid, address))
        return tuple(address for *_, address in sorted(found))


def _signed(value: int) -> int:
    # (s64)value
    return ((value + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


def queue(look: Any) -> list[Queued]:
    """Return who runs and who waits in the run queue, the least vruntime first; nobody if all sleep.

    :param look: a Kernel, now or at an earlier time.
    """
    with look._looking() as m:
        rq = this_rq(m)
        floor, curr = rq.cfs.min_vruntime, rq.curr
        waiting = fair.queued_tasks(m, rq)
        if curr.address_ not in {rq.idle.address_, *(p.address_ for p in waiting)}:
            waiting.insert(0, curr)  # who runs is in no tree, until the scheduler puts it back
        found = [
            Queued(p, _signed(p.se.vruntime - floor), p.address_ == curr.address_) for p in waiting
        ]
        return sorted(found, key=lambda queued: queued.lead)


def run_next(k: Any, driver: Driver, task: task_struct | None) -> task_struct:
    """Let a timer interrupt come; what `Kernel.run_next` does."""
    if k.panic is not None:
        raise k.panic
    m = driver.m
    address = 0 if task is None else task.address_
    if task is not None and not task.on_rq:
        raise ValueError(f"task {task.pid} does not wait for the CPU: {_state(task)}")
    k.commands.append((k.now, "run_next", (task,)))
    if m.current.address_ != address:
        driver.wanted = address
        driver._interrupt(m.current)
        driver.run()
    driver.wanted = 0
    return m.current


def _state(task: task_struct) -> str:
    return f"its state is {sched.task_state_to_char(task)}"


def libc_calls() -> dict[str, tuple[str, dict[str, tuple[str, Any]]]]:
    """Return libc's calls by name: what each does, and its parameters: (type, default) by name.

    A parameter without a default has `inspect.Parameter.empty` for one.
    """
    found = {}
    for name in sorted(libc.CALLS):
        call = getattr(libc.Libc, name)
        (_, *rest) = inspect.signature(call).parameters.values()
        words = (inspect.getdoc(call) or "").partition("\n")[0]
        found[name] = words, {p.name: (str(p.annotation), p.default) for p in rest}
    return found


def system_calls() -> frozenset[str]:
    """Return the names of the system calls that the kernel carries out."""
    table = enumerate(common.sys_call_table)
    return frozenset(common.syscall_name(number) for number, entry in table if entry is not None)


def clone_flags() -> int:
    """Return the flags of clone() that the kernel carries out, as one word."""
    return int(0xFFFF_FFFF & ~fork.UNSUPPORTED)


def copy_disk(k: Any, other: Any) -> None:
    """Put the programs on the disk of `k` on that of `other`."""
    for _, kind, args in k.commands:
        if kind in {"load", "_file"}:
            getattr(other, kind)(*args)


def replay(k: Any, other: Any, t: int | None, choose: task_struct | None) -> None:
    """Do in the machine of `other`, freshly booted, what was done in that of `k` before time `t`.

    With `choose`, that task runs next at the choice at time `t`.  Raises ValueError if it is none.
    """
    decided = {when: who for when, who in k.chooser.decided.items() if t is None or when < t}
    if choose is not None:
        menus = {choice.time: choice.menu for choice in k.chooser.noted}
        if t is None or choose.address_ not in menus.get(t, ()):
            raise ValueError(f"{choose!r} is not one of those who could run next at time {t}")
        decided[t] = choose.address_
    other.chooser.decided = decided
    for when, kind, args in k.commands:
        if t is not None and when >= t:
            break
        there = [_there(other, a) for a in args]
        with contextlib.suppress(*ANSWERS, Fault):  # it failed the first time too
            getattr(other, kind)(*there)


# An argument as the other machine knows it.
def _there(other: Any, argument: Any) -> Any:
    if isinstance(argument, task_struct):
        return task_struct(other.machine, argument.address_)
    return argument
