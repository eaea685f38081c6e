"""Questions of the chapter on process states: who runs, who sleeps, who is woken; a first zombie.

Every answer is computed on a machine of its own: it is driven into the situation by the calls that
the question tells of, and the words of the task_struct are read.
"""

from __future__ import annotations

from typing import Any

from kernelsim import session, view
from kernelsim.exercise import bank
from kernelsim.exercise.number import Number
from kernelsim.exercise.question import Letter, Option, Question
from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import signal

__all__ = [
    "Scene",
    "does_a_sleeper_use_the_cpu",
    "family",
    "how_many_are_on_the_cpu",
    "letter",
    "letter_of_a_new_child",
    "picture",
    "what_sigkill_does_to_a_zombie",
    "where_a_woken_task_goes",
    "which_number_is_killable",
    "which_state_in_a_call",
    "who_sets_the_state",
]

Scene = tuple[Any, Any, Any]
"""A kernel, a shell in it, and a child of the shell."""


def family() -> Scene:
    """Return a kernel, a shell, and a child of it that has not run yet."""
    k: Any = session.boot()
    shell = k.spawn("sh")
    return k, shell, k.task(k.call(shell, "fork"))


def letter(task: Any) -> str:
    """Return the letter of struct task_struct *`task`."""
    return sched.task_state_to_char(task)


def picture(scene: Scene) -> Any:
    """Return the states, with the child of the scene in its box."""
    k, _, child = scene
    return view.states(k, child)


# --- recall -----------------------------------------------------------------------------------


@bank.asked_in("03")
def how_many_are_on_the_cpu() -> Number:
    """Recall the CPU: how many of many processes it executes at a moment."""

    def answer() -> int:
        k: Any = session.boot()
        shell = k.spawn("sh")
        for _ in range(4):
            k.call(shell, "fork")
        return sum(int(task.on_cpu) for task in k.tasks())

    return Number(
        "Recall what a CPU is. A machine has one. A shell and its four children all compute, without "
        "end. At one moment, how many of the five does the CPU execute?",
        answer,
        {5: "All five could go on at once, but there is one CPU.",
         0: "The kernel is no process of its own: what is executed, some task executes."},
        yes="Yes: one. The other four could go on, and wait for the CPU.",
        no="A CPU executes the instructions of one task at a time.",
    )  # fmt: skip


@bank.asked_in("03")
def which_number_is_killable() -> Number:
    """Recall C: two flags in one word."""
    return Number(
        "Recall C. `TASK_WAKEKILL` is 0x100, `TASK_UNINTERRUPTIBLE` is 0x2, and `TASK_KILLABLE` is "
        "defined as `(TASK_WAKEKILL | TASK_UNINTERRUPTIBLE)`. Which number is it?",
        lambda: int(sched.TASK_KILLABLE),
        {0x100: "`|` keeps the bits of both.", 0: "That would be `&`: no bit is set in both."},
        yes="Yes. Two bits of one word are set.",
        no="`|` sets each bit that is set on one of its sides.",
        base=16,
    )


# --- the surprise -----------------------------------------------------------------------------


@bank.asked_in("03")
def what_sigkill_does_to_a_zombie() -> Question:
    """Whether a zombie can be killed."""

    def scene() -> tuple[Any, Any, Any, Any]:
        k, shell, child = family()
        k.call(child, "exit", 0)
        try:
            result = k.call(shell, "kill", child.pid, signal.SIGKILL)
        except OSError as error:
            result = error
        return k, shell, child, result

    def answer() -> int:
        k, _, child, result = scene()
        if isinstance(result, OSError):
            return 2
        return 1 if child.pid in [task.pid for task in k.tasks()] else 0

    return Question(
        "ps shows a process with the letter Z. Its parent calls kill(pid, SIGKILL). What happens?",
        [
            Option(
                "kill returns 0, and the process disappears",
                "It returns 0, but there is nobody left who could die: the process has exited.",
            ),
            Option(
                "kill returns 0, and nothing else happens: it stays there as Z",
                "Yes. The number exists, so kill has no reason to fail; a dead task takes no signals.",
            ),
            Option(
                "kill returns -1: there is no such process",
                "There is: a zombie keeps its number and its task_struct until its parent waits.",
            ),
        ],
        answer,
        shows=lambda: picture(scene()[:3]),
    )


# --- running ----------------------------------------------------------------------------------


@bank.asked_in("03")
def letter_of_a_new_child() -> Letter:
    """Whether R means that the task is on a CPU."""
    return Letter(
        "On a machine with one CPU a shell forks, and goes on computing. Its child has not executed "
        "one instruction yet. Which letter does ps show for the child?",
        lambda: letter(family()[2]),
        {
            "R": "Yes. It is on the run queue; R says that it could run, not that it does.",
            "S": "Nothing keeps it from running but that the CPU is taken.",
            "D": "It waits for the CPU, and that is no sleep.",
            "I": "It would run at once, if it were let.",
        },
        shows=lambda: picture(family()),
    )


@bank.asked_in("03")
def which_state_in_a_call() -> Question:
    """Whether user mode and kernel mode are states."""

    def answer() -> int:
        k, shell, _ = family()
        begin = k.now
        k.call(shell, "getppid")
        during = k.at((begin + k.now) // 2)
        return [0x0, sched.TASK_INTERRUPTIBLE].index(during.task(shell.pid).state)

    return Question(
        "A process calls getppid(). While the kernel's code for that call is executed, which is the "
        "state of the process?",
        [
            Option(
                "TASK_RUNNING, as before the call",
                "Yes. It executes the kernel's code itself. The mode is the CPU's, the state is the "
                "task's, and `state` does not change.",
            ),
            Option(
                "TASK_INTERRUPTIBLE: it waits until the kernel is done",
                "Nobody is there to wait for: no kernel process does the work. The caller does it.",
            ),
            Option(
                "a state of its own, for kernel mode",
                "There is none. In which mode the CPU is, no word of the task_struct says.",
            ),
        ],
        answer,
    )


# --- sleeping ---------------------------------------------------------------------------------


@bank.asked_in("03")
def who_sets_the_state() -> Question:
    """Who makes a task sleep."""

    def answer() -> int:
        k, _, child = family()
        begin = k.now
        k.call(child, "pause")
        current = _first(k, begin, child, sched.TASK_INTERRUPTIBLE).machine.current.address_
        return [child.address_, k.machine.symbol("init_task").address_].index(current)

    return Question(
        "A process calls pause(), which sleeps until a signal comes. Who stores TASK_INTERRUPTIBLE "
        "into its `state`?",
        [
            Option(
                "the process itself, in the kernel's code",
                "Yes: set_current_state() stores into `current`. It then calls schedule(), which "
                "takes it off the run queue.",
            ),
            Option(
                "the idle task, which takes over the CPU",
                "It comes later: schedule() switches to another task when the state is set.",
            ),
            Option(
                "the clock's interrupt, when the time slice is over",
                "That takes the CPU away, and leaves the state as it is: the task stays runnable.",
            ),
        ],
        answer,
        shows=_slept,
    )


# The kernel at the first event from `begin` on when the task has this state.
def _first(k: Any, begin: int, task: Any, state: int) -> Any:
    looks = (k.at(t) for t in range(begin, k.now + 1))
    return next(look for look in looks if look.task(task.pid).state == state)


def _slept() -> Any:
    k, _, child = family()
    begin = k.now
    k.call(child, "pause")
    return view.states(k, child, since=begin)


@bank.asked_in("03")
def does_a_sleeper_use_the_cpu() -> Question:
    """Whether who sleeps uses the CPU."""

    def answer() -> int:
        k, shell, child = family()
        k.call(child, "pause")
        before = child.se.sum_exec_runtime
        for _ in range(1000):
            k.call(shell, "getppid")
        return int(child.se.sum_exec_runtime > before)

    return Question(
        "A process sleeps in pause(). Another one makes 1000 system calls meanwhile. How much CPU "
        "time has the sleeper used in that time?",
        [
            Option(
                "none",
                "Yes. It is not on the run queue; the scheduler does not even look at it.",
            ),
            Option(
                "a little: the kernel looks now and then whether a signal has come",
                "Nobody looks. Who sends the signal wakes the sleeper, and that is all.",
            ),
        ],
        answer,
    )


@bank.asked_in("03")
def where_a_woken_task_goes() -> Question:
    """Where a wake-up leads."""

    def scene() -> tuple[Any, Any, int]:
        k, shell, child = family()
        k.call(child, "kill", child.pid, signal.SIGSTOP)
        begin = k.now
        k.call(shell, "kill", child.pid, signal.SIGCONT)
        return k, child, begin

    def answer() -> int:
        k, child, begin = scene()
        task = _first(k, begin, child, sched.TASK_RUNNING).task(child.pid)
        return 0 if task.on_cpu else 1 if task.on_rq else 2

    return Question(
        "A process sleeps, and another one, which has the CPU, wakes it. Its state becomes "
        "TASK_RUNNING. Where is it in that moment?",
        [
            Option(
                "on the CPU",
                "Who wakes it is on the CPU, and goes on, for some instructions at least.",
            ),
            Option(
                "on the run queue",
                "Yes: try_to_wake_up() puts it there. When it gets the CPU, the scheduler decides.",
            ),
            Option(
                "nowhere yet: the scheduler looks for such tasks later",
                "The scheduler knows only who is on the run queue; to wake is to put it there.",
            ),
        ],
        answer,
        shows=lambda: view.states(scene()[0], scene()[1], since=scene()[2]),
    )
