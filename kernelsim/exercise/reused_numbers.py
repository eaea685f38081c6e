"""Questions about a number that comes back, and about who still has the old one.

They belong to the chapter on process identifiers (`process_identifiers`).
"""

from __future__ import annotations

import errno
from typing import Any

from kernelsim import session
from kernelsim.exercise import bank, family
from kernelsim.exercise.number import Number
from kernelsim.exercise.question import Option, Question
from kernelsim.machine.memory import Fault

__all__ = [
    "how_high_pid_max_can_be",
    "is_the_number_of_a_dead_leader_free",
    "what_a_kept_struct_pid_leads_to",
    "what_one_put_too_many_does",
    "when_a_number_comes_back",
    "whom_a_kept_number_reaches",
]

SMALL = "40M"
LIMIT = 310  # pid_max: after the wrap there are ten numbers


# A machine with few numbers, its shell 3, and a child of it with the number 300.
def _tight() -> tuple[Any, Any, int]:
    k: Any = session.boot(memory=SMALL, record=False, pid_max=LIMIT)
    bash = k.spawn("bash")
    family.start_numbers_at(k, 300)
    return k, bash, k.call(bash, "fork")


def _ends(k: Any, bash: Any, child: int) -> None:
    k.call(child, "exit", 0)
    k.call(bash, "waitpid", child, 0)


# Children come and go until one gets the number; how many it took.
def _until(k: Any, bash: Any, number: int) -> int:
    for many in range(1, 2 * LIMIT):
        child = k.call(bash, "fork")
        if child == number:
            return many
        _ends(k, bash, child)
    return 0


@bank.asked_in("05")
def is_the_number_of_a_dead_leader_free() -> Number:
    """A process group keeps the number of its dead leader."""

    def answer() -> int:
        k: Any = session.boot(memory=SMALL, record=False)
        bash = k.spawn("bash")
        k.call(bash, "setsid")
        for _ in range(2):
            k.call(bash, "setpgid", k.call(bash, "fork"), 4)
        _ends(k, bash, 4)
        family.start_numbers_at(k, 4)
        return int(k.call(bash, "fork"))

    return Number(
        "4 leads the process group 4, and 5 is in it. 4 exits and is waited for; 5 lives on. Suppose "
        "that the kernel looks for a free number from 4 on. Which one does it find?",
        answer,
        {
            4: "No process is called 4 any more, but the group of 5 is.",
            5: "5 lives.",
            300: "The search goes on there only after a wrap.",
        },
        yes="Yes: 4 is still the number of a process group, and 5 is alive.",
        no="Is 4 still anybody's number, in some way?",
    )


@bank.asked_in("05")
def when_a_number_comes_back() -> Number:
    """Neither never nor at once."""

    def answer() -> int:
        k, bash, child = _tight()
        _ends(k, bash, child)
        return _until(k, bash, child)

    return Number(
        f"`pid_max` is {LIMIT}. bash, number 3, has forked 300; it has exited, and bash has waited "
        "for it. From now on bash forks one child after the other, and each exits and is waited for "
        "before the next. Count these forks from 1: which one gives the number 300 again?",
        answer,
        {
            1: "The next one gets 301: numbers go up.",
            9: "The ninth gets 309, the last number there is.",
            11: "310 is not given: `pid_max` is exclusive.",
            0: "It does come back, when all others had their turn.",
        },
        yes="Yes: 301 to 309 come first, then the search begins at 300 again.",
        no="Which numbers come before it?",
    )


@bank.asked_in("05")
def whom_a_kept_number_reaches() -> Question:
    """What a number names is what has it now."""

    def answer() -> int:
        k, bash, child = _tight()
        _ends(k, bash, child)
        _until(k, bash, child)
        try:
            k.call(bash, "kill", child, 15)
        except OSError as error:
            return 1 if error.errno == errno.ESRCH else 2
        return 0

    return Question(
        "A program has written down: my helper is process 300. The helper has ended, unnoticed by "
        "the program, and a stranger has got the number 300. Now the program calls "
        "kill(300, SIGTERM). What happens?",
        [
            Option("the stranger gets the signal", "Yes. A number names whoever has it now."),
            Option(
                "ESRCH: the process that was meant is gone",
                "The kernel knows only the number, and cannot know who was meant.",
            ),
            Option(
                "EPERM: the stranger is no child of the caller",
                "A signal may go to any process of the same user, child or not.",
            ),
        ],
        answer,
    )


@bank.asked_in("05")
def what_a_kept_struct_pid_leads_to() -> Question:
    """A struct pid that somebody holds never leads to a stranger."""

    def answer() -> int:
        k, bash, child = _tight()
        held = k.get_pid(child)
        _ends(k, bash, child)
        _until(k, bash, child)
        try:
            found = held.task()
        except Fault:
            return 2
        return 0 if not found else 1

    return Question(
        "Kernel code has taken a reference to the `struct pid` of 300, and has kept the pointer. "
        "300 ends; later a stranger gets the number 300. Where does the kept `struct pid` lead now?",
        [
            Option(
                "to no task: its lists are empty",
                "Yes. The stranger has a `struct pid` of its own, with the same number in it.",
            ),
            Option(
                "to the stranger: it has that number",
                "alloc_pid() makes a new `struct pid` for each process; the old one is not used again.",
            ),
            Option(
                "nowhere: the memory has been freed",
                "It was counted: it stays until the reference is dropped.",
            ),
        ],
        answer,
    )


@bank.asked_in("05")
def how_high_pid_max_can_be() -> Question:
    """The bounds of kernel.pid_max on a 64-bit machine."""
    limits = (32_768, 65_535, 4_194_304, 2_147_483_647)

    def answer() -> int:
        found = 0
        for place, limit in enumerate(limits):
            try:
                session.boot(memory=SMALL, record=False, pid_max=limit)
            except (OSError, ValueError):
                break
            found = place
        return found

    return Question(
        "`pid_max` is 32768 when a small 64-bit machine has booted. How high can root set it?",
        [
            Option(
                "no higher: a pid has 15 bits", "A pid_t is an int, and 32768 is a mere default."
            ),
            Option("to 65535: a pid has 16 bits", "A pid_t is an int."),
            Option("to 4194304", "Yes, 2 to the 22nd: PID_MAX_LIMIT. The lowest is 301."),
            Option(
                "to 2147483647, the highest pid_t",
                "The kernel has a limit of its own below that, PID_MAX_LIMIT.",
            ),
        ],
        answer,
    )


@bank.asked_in("05")
def what_one_put_too_many_does() -> Question:
    """A reference that is dropped without having been taken."""

    def answer() -> int:
        k: Any = session.boot(memory=SMALL, record=False)
        bash = k.spawn("bash")
        child = k.call(bash, "fork")
        held = k.get_pid(child)
        held.put()
        held.put()
        try:
            k.call(bash, "kill", child, 0)
        except Fault:
            return 1
        except OSError:
            return 0
        return 2

    return Question(
        "Kernel code takes a reference to the `struct pid` of 4, which is alive, and by mistake "
        "drops it twice. Then somebody calls kill(4, 0). What happens?",
        [
            Option(
                "ESRCH: 4 is not found any more", "The number was not given back: its slot is full."
            ),
            Option(
                "an Oops: the number leads to freed memory",
                "Yes. The count reached 0 while the IDR still pointed there.",
            ),
            Option(
                "nothing: 4 still uses its struct pid, so it stays",
                "Nobody looks at the lists when the count reaches 0. It is freed.",
            ),
        ],
        answer,
    )
