"""The questions that the chapter on the IDR asks, each before it shows what happens.

Every answer is computed on a machine of its own. Here are those about which number comes next;
those about the tree are in `idr_tree`, and can be had from here too.
"""

from __future__ import annotations

from typing import Any

from kernelsim import session
from kernelsim.exercise import bank, family
from kernelsim.exercise.idr_tree import (
    how_long_the_chains_are,
    how_many_nodes_64_needs,
    how_many_nodes_5000_needs,
    in_which_order_alloc_pid_goes,
    what_a_wrong_bit_does,
    what_null_means,
    what_removing_does_to_the_tags,
    which_bits_are_clear,
    which_slots_5000_takes,
)
from kernelsim.exercise.number import Number
from kernelsim.exercise.question import Option, Question

__all__ = [
    "how_far_the_list_is_walked",
    "how_long_the_chains_are",
    "how_many_nodes_64_needs",
    "how_many_nodes_5000_needs",
    "in_which_order_alloc_pid_goes",
    "what_a_wrong_bit_does",
    "what_comes_after_the_last",
    "what_full_means",
    "what_null_means",
    "what_removing_does_to_the_tags",
    "when_a_number_is_free",
    "which_bits_are_clear",
    "which_number_comes_next",
    "which_slots_5000_takes",
]

SMALL = "40M"  # the memory of a machine with a few tasks


# A kernel, and its shell with number 3.
def _shell(pid_max: int = 32768) -> tuple[Any, Any]:
    k: Any = session.boot(memory=SMALL, record=False, pid_max=pid_max)
    return k, k.spawn("bash")


# --- recall -----------------------------------------------------------------------------------


@bank.asked_in("06")
def how_far_the_list_is_walked() -> Question:
    """Recall the process list: what it takes to find a process by its number."""

    def answer() -> int:
        k, bash = _shell()
        for _ in range(20):
            k.call(bash, "fork")
        where = [task.pid for task in k.tasks()].index(18)
        return 2 if where > 10 else 0

    return Question(
        "Recall the process list. A thousand processes are on it, and kill(700, SIGTERM) is called. "
        "If the kernel had only that list, how would it find process 700?",
        [
            Option(
                "it would compute where 700 is: all task_structs have one size",
                "They are wherever the slab allocator had room; no address follows from a number.",
            ),
            Option(
                "it would look in the middle, then in the middle of a half",
                "A list has no middle that one could jump to, and it is not sorted by number.",
            ),
            Option(
                "it would walk from the head, link by link, and compare",
                "Yes, hundreds of task_structs for one kill. Something better is needed.",
            ),
        ],
        answer,
    )


@bank.asked_in("06")
def when_a_number_is_free() -> Question:
    """Recall zombies: when the number of a dead process can be given again."""

    def answer() -> int:
        k, bash = _shell()
        child = k.call(bash, "fork")
        k.call(child, "exit", 0)
        family.start_numbers_at(k, child)
        if k.call(bash, "fork") == child:
            return 0
        k.call(bash, "waitpid", child, 0)
        family.start_numbers_at(k, child)
        return 1 if k.call(bash, "fork") == child else 2

    return Question(
        "Recall the end of a process. A child with number 4 exits. From when on can another process "
        "get the number 4?",
        [
            Option(
                "from its exit on", "A zombie keeps its number: its parent asks for it by that."
            ),
            Option(
                "from when its parent has waited for it",
                "Yes, if no process group and no session has that number either.",
            ),
            Option("never again", "There are 32,768 of them by default: they are given again."),
        ],
        answer,
    )


# --- which number -----------------------------------------------------------------------------


@bank.asked_in("06")
def which_number_comes_next() -> Number:
    """Whether the lowest free number is taken."""

    def answer() -> int:
        k, bash = _shell()
        children = [k.call(bash, "fork") for _ in range(5)]
        for child in children[1:3]:
            k.call(child, "exit", 0)
            k.call(bash, "waitpid", child, 0)
        return int(k.call(bash, "fork"))

    return Number(
        "bash, number 3, has forked 4, 5, 6, 7 and 8. 5 and 6 have exited and been waited for, so "
        "that their numbers are free. bash forks again. Which number does the child get?",
        answer,
        {
            5: "It is the lowest that is free, and that is not what is looked for.",
            6: "It was freed last, and nobody remembers that.",
            8: "8 is alive.",
        },
        yes="Yes: one more than the last number given, free ones below or not.",
        no="It has to do with the last number that was given.",
    )


@bank.asked_in("06")
def what_comes_after_the_last() -> Number:
    """Where numbers go on after pid_max."""

    def answer() -> int:
        k, bash = _shell(pid_max=310)
        family.start_numbers_at(k, 300)
        k.call(bash, "fork")
        family.start_numbers_at(k, 309)
        k.call(bash, "fork")
        return int(k.call(bash, "fork"))

    return Number(
        "`pid_max` is 310. Alive are 1, 2, 3 (bash) and 300. bash forks and its child is 309, the "
        "last number there is. bash forks once more. Which number does that child get?",
        answer,
        {
            310: "`pid_max` is the first number that is not given.",
            0: "0 is the idle task's; it is never given.",
            1: "1 is init's.",
            4: "It is free, but after a wrap the search begins at 300: what is below is left to daemons.",
            300: "The search does begin there, but 300 is alive.",
        },
        yes="Yes: the search goes on at RESERVED_PIDS, 300, and 300 is taken.",
        no="The search wraps, but not to the very beginning.",
    )


@bank.asked_in("06")
def what_full_means() -> Question:
    """When fork fails for lack of a number."""

    def answer() -> int:
        k, bash = _shell(pid_max=301)
        family.start_numbers_at(k, 281)
        try:
            while True:
                k.call(bash, "fork")
        except OSError as error:
            return {11: 0, 12: 1}[error.errno or 0]

    return Question(
        "`pid_max` is 301. Alive are 1, 2, bash with number 3, and 281 to 300: 23 processes. 4 to 280 "
        "are free. bash forks. What happens?",
        [
            Option(
                "fork fails with EAGAIN: no number is left",
                "Yes. The cursor is at 301, and 300 is all that is searched after a wrap.",
            ),
            Option("fork fails with ENOMEM", "There is memory; what is lacking is a number."),
            Option(
                "the child gets 4: it is the lowest free number",
                "Once the cursor is beyond 300, nothing below 300 is looked at.",
            ),
            Option(
                "the child gets 301: pid_max is a wish",
                "It is a limit: numbers are below it.",
            ),
        ],
        answer,
    )
