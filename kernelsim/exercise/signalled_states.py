"""Questions of the chapter on process states: who can be ended in which state, and who counts."""

from __future__ import annotations

from kernelsim.exercise import bank
from kernelsim.exercise.number import Number
from kernelsim.exercise.process_states import Scene, family, letter, picture
from kernelsim.exercise.question import Letter, Option, Question
from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import signal

__all__ = [
    "does_a_stopped_one_die",
    "letter_of_a_killed_disk_sleep",
    "letter_of_idle",
    "what_counts_as_load",
    "what_ends_a_killable_sleep",
    "which_words_has_a_zombie",
]


# --- D ----------------------------------------------------------------------------------------


# A child that waits for its vfork child, and got these signals meanwhile.
def _vforked(*signals: int) -> Scene:
    k, shell, child = family()
    k.call(child, "vfork")
    for number in signals:
        k.call(shell, "kill", child.pid, number)
    return k, shell, child


@bank.asked_in("03")
def what_ends_a_killable_sleep() -> Question:
    """Which signals end a sleep in D."""

    def answer() -> int:
        tried = (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)
        letters = "".join(letter(_vforked(number)[2]) for number in tried)
        return ["DDD", "ZDD", "ZZD", "ZZT"].index(letters)

    return Question(
        "A process has called vfork() and waits, in state TASK_KILLABLE, letter D. It handles and "
        "ignores no signals. Which of SIGKILL, SIGTERM and SIGSTOP takes effect at once?",
        [
            Option("none of them", "Of TASK_UNINTERRUPTIBLE alone that is true. Here WAKEKILL is set too."),
            Option(
                "SIGKILL only",
                "So it seems; but whom SIGTERM is to end without having a say, the kernel gives "
                "SIGKILL in its place.",
            ),
            Option(
                "SIGKILL and SIGTERM",
                "Yes: what ends a process for certain wakes it. SIGSTOP has to wait until it wakes.",
            ),
            Option("all three", "SIGSTOP does not end the process: the bit WAKEKILL is not for it."),
        ],
        answer,
        shows=lambda: picture(_vforked(signal.SIGTERM)),
    )  # fmt: skip


@bank.asked_in("03")
def what_counts_as_load() -> Number:
    """What the load average counts."""

    def answer() -> int:
        k, *_ = _vforked()
        rq = k.machine.symbol("runqueues")
        return int(rq.nr_running + rq.nr_uninterruptible)

    return Number(
        "A shell computes. Its child sleeps in vfork(), with letter D, until the grandchild is done, "
        "which computes too. Nobody else does anything. How many tasks does Linux count as load?",
        answer,
        {
            2: "Those two are runnable. But the load counts more than who wants the CPU.",
            1: "One is on the CPU. The load counts who waits for it too, and more.",
        },
        yes="Yes: two that are runnable, and one in D. Load is not use of the CPU.",
        no="Counted is who is runnable, and who sleeps in D without the bit NOLOAD.",
    )


@bank.asked_in("03")
def letter_of_idle() -> Letter:
    """Which letter TASK_IDLE has."""

    def scene() -> Scene:
        found = family()
        found[2].state = sched.TASK_IDLE
        return found

    return Letter(
        "A kernel thread waits for work in state TASK_IDLE, which is "
        "`(TASK_UNINTERRUPTIBLE | TASK_NOLOAD)`. Which letter does ps show?",
        lambda: letter(scene()[2]),
        {
            "I": "Yes, the exception: exactly this value is tested for before the bits are.",
            "D": "The bit of UNINTERRUPTIBLE is set, so the rule says D. There is one exception.",
            "S": "It sleeps, and signals do not wake it.",
        },
    )


# --- stopped ----------------------------------------------------------------------------------


def _stopped() -> Scene:
    k, shell, child = family()
    k.call(shell, "kill", child.pid, signal.SIGSTOP)
    k.call(shell, "kill", child.pid, signal.SIGTERM)
    return k, shell, child


@bank.asked_in("03")
def does_a_stopped_one_die() -> Letter:
    """What SIGTERM does to a stopped process."""
    return Letter(
        "A process gets SIGSTOP, and then SIGTERM, which it neither handles nor ignores. Which letter "
        "does ps show then?",
        lambda: letter(_stopped()[2]),
        {
            "T": "Yes. SIGTERM is pending. A stopped task is woken by SIGCONT and SIGKILL only; then "
            "it finds SIGTERM.",
            "Z": "To die, it would have to run: do_exit() is executed by who dies.",
            "X": "To die, it would have to run: do_exit() is executed by who dies.",
        },
        shows=lambda: picture(_stopped()),
    )


# --- dead -------------------------------------------------------------------------------------


@bank.asked_in("03")
def which_words_has_a_zombie() -> Question:
    """In which words a zombie is a zombie."""

    def scene() -> Scene:
        found = family()
        found[0].call(found[2], "exit", 0)
        return found

    def answer() -> int:
        child = scene()[2]
        words = child.state, child.exit_state
        return [
            (sched.EXIT_ZOMBIE, 0),
            (sched.TASK_DEAD, sched.EXIT_ZOMBIE),
            (sched.TASK_RUNNING, sched.EXIT_ZOMBIE),
        ].index(words)

    return Question(
        "A process has exited, and its parent has not waited. What do its words `state` and "
        "`exit_state` hold?",
        [
            Option(
                "`state` EXIT_ZOMBIE, `exit_state` 0",
                "The constants EXIT_* are never stored into `state`; they have a word of their own.",
            ),
            Option(
                "`state` TASK_DEAD, `exit_state` EXIT_ZOMBIE",
                "Yes. `exit_state` is for the parent, which is to wait; `state` for the scheduler, "
                "which is never to choose this task again.",
            ),
            Option(
                "`state` TASK_RUNNING, `exit_state` EXIT_ZOMBIE",
                "So it is for some instructions: the last ones that it executes.",
            ),
        ],
        answer,
        shows=lambda: picture(scene()),
    )


# --- broken -----------------------------------------------------------------------------------


@bank.asked_in("03")
def letter_of_a_killed_disk_sleep() -> Letter:
    """Whether a task in TASK_UNINTERRUPTIBLE can be killed."""

    def scene() -> Scene:
        k, shell, child = family()
        k.call(child, "pause")
        child.state = sched.TASK_UNINTERRUPTIBLE
        k.call(shell, "kill", child.pid, signal.SIGKILL)
        return k, shell, child

    return Letter(
        "A process waits for its disk in state TASK_UNINTERRUPTIBLE, without WAKEKILL, and the disk "
        "does not answer. root sends SIGKILL. Which letter does ps show then?",
        lambda: letter(scene()[2]),
        {
            "D": "Yes. The signal is pending, and nobody is woken by it. When the disk answers, the "
            "process wakes, and dies.",
            "Z": "No signal ends a process: it ends itself when it finds the signal, and has to wake "
            "up for that.",
            "X": "No signal ends a process: it ends itself when it finds the signal.",
        },
        shows=lambda: picture(scene()),
    )
