"""The questions that the chapter on process identifiers asks, each before it shows what happens.

Every answer is computed on a machine of its own. Here are those about the numbers of a task and
about the struct pids behind them; those about a number that comes back are in `reused_numbers`,
and can be had from here too.
"""

from __future__ import annotations

import errno
from typing import Any

from kernelsim import session
from kernelsim.exercise import bank
from kernelsim.exercise.identifier_drills import THREAD
from kernelsim.exercise.number import Number
from kernelsim.exercise.question import Option, Question
from kernelsim.exercise.reused_numbers import (
    how_high_pid_max_can_be,
    is_the_number_of_a_dead_leader_free,
    what_a_kept_struct_pid_leads_to,
    what_one_put_too_many_does,
    when_a_number_comes_back,
    whom_a_kept_number_reaches,
)

__all__ = [
    "how_high_pid_max_can_be",
    "how_many_are_on_the_list",
    "how_many_struct_pids",
    "is_the_number_of_a_dead_leader_free",
    "what_a_kept_struct_pid_leads_to",
    "what_getpid_says_in_a_thread",
    "what_one_put_too_many_does",
    "what_the_count_counts",
    "when_a_number_comes_back",
    "whether_a_zombie_is_found",
    "which_group_a_child_is_in",
    "who_is_first_on_the_list",
    "who_may_begin_a_session",
    "whom_a_kept_number_reaches",
]

SMALL = "40M"  # the memory of a machine with a few tasks


# A kernel, and its shell with number 3, which leads a session.
def _shell() -> tuple[Any, Any]:
    k: Any = session.boot(memory=SMALL, record=False)
    bash = k.spawn("bash")
    k.call(bash, "setsid")
    return k, bash


# That, with a process group 4 of the tasks 4, 5, …
def _job(members: int) -> tuple[Any, Any]:
    k, bash = _shell()
    for _ in range(members):
        child = k.call(bash, "fork")
        k.call(bash, "setpgid", child, 4)
    return k, bash


# --- recall -----------------------------------------------------------------------------------


@bank.asked_in("05")
def how_many_are_on_the_list() -> Number:
    """Recall the process list: a process with threads is on it once."""

    def answer() -> int:
        k, bash = _shell()
        for _ in range(2):
            k.call(bash, "clone", THREAD)
        return sum(task.tgid == bash.pid for task in k.tasks())

    return Number(
        "Recall the process list. bash has made two threads. How many of its tasks are on the list "
        "that goes through `tasks`?",
        answer,
        {
            3: "There are three `task_struct`s, and only the leader's is on that list.",
            0: "The leader is.",
        },
        yes="Yes: the thread group leader. The others hang on its process, not on that list.",
        no="There are three `task_struct`s; which of them stands for the process?",
    )


@bank.asked_in("05")
def whether_a_zombie_is_found() -> Question:
    """Recall zombies: they can still be found by their number."""

    def answer() -> int:
        k, bash = _shell()
        child = k.call(bash, "fork")
        k.call(child, "exit", 0)
        try:
            return 0 if k.call(bash, "getpgid", child) == bash.pid else 2
        except OSError:
            return 1

    return Question(
        "Recall the end of a process. Child 4 of bash has exited, and bash has not waited for it. "
        "bash calls getpgid(4). What does it get?",
        [
            Option("4's process group", "Yes: a zombie keeps all its numbers until it is reaped."),
            Option(
                "ESRCH: there is no process 4", "It is there, as a zombie: bash can wait for it."
            ),
            Option("0: a zombie is in no group", "It stays in the group that it was in."),
        ],
        answer,
    )


# --- four numbers -----------------------------------------------------------------------------


@bank.asked_in("05")
def what_getpid_says_in_a_thread() -> Number:
    """Whether getpid names a thread."""

    def answer() -> int:
        k, bash = _shell()
        return int(k.call(k.call(bash, "clone", THREAD), "getpid"))

    return Number(
        "bash, number 3, makes a thread. The kernel gives the new task the number 4. The thread "
        "calls getpid(). What does it get?",
        answer,
        {4: "That is what gettid() gives. Asked for by getpid() is the process."},
        yes="Yes: getpid() names the process, which both tasks belong to.",
        no="Which process does the thread belong to?",
    )


@bank.asked_in("05")
def which_group_a_child_is_in() -> Number:
    """A child is in its parent's group."""

    def answer() -> int:
        k, bash = _shell()
        first = k.call(bash, "fork")
        k.call(first, "setpgid", 0, 0)
        return int(k.call(k.call(first, "fork"), "getpgid", 0))

    return Number(
        "bash, number 3, leads the process group 3. It forks 4. 4 calls setpgid(0, 0): it leads a "
        "group of its own now. Then 4 forks 5. Which process group is 5 in?",
        answer,
        {
            3: "That is the group of 5's grandparent. 5 is a copy of 4.",
            5: "A process leads a group of its own only after setpgid() or setsid().",
        },
        yes="Yes: fork copies group and session from the parent.",
        no="fork copies it from the parent.",
    )


@bank.asked_in("05")
def who_may_begin_a_session() -> Question:
    """Why the leader of a process group can't call setsid()."""

    def answer() -> int:
        k, bash = _shell()
        child = k.call(bash, "fork")
        k.call(child, "setpgid", 0, 0)
        try:
            return 0 if k.call(child, "setsid") == child else 2
        except OSError as error:
            return 1 if error.errno == errno.EPERM else 2

    return Question(
        "4 leads the process group 4, in the session of bash. Now 4 calls setsid(). What happens?",
        [
            Option(
                "session 4 begins, with the process group 4 in it",
                "Others may be in the group 4. They would be in two sessions with one group.",
            ),
            Option(
                "EPERM: there is a process group 4 already",
                "Yes. A new session begins with a new group of that number; there must be none yet.",
            ),
            Option("a session with a new number begins", "A session has its leader's number."),
        ],
        answer,
    )


# --- struct pid -------------------------------------------------------------------------------


@bank.asked_in("05")
def how_many_struct_pids() -> Number:
    """A struct pid for each number, not for each use of it."""

    def answer() -> int:
        k, bash = _shell()
        child = k.call(bash, "fork")
        k.call(child, "setpgid", 0, 0)
        thread = k.call(child, "clone", THREAD)
        found = set()
        for task in (bash, k.task(child), k.task(thread)):
            found |= {task.thread_pid.address_}
            found |= {task.signal.pids[kind].address_ for kind in (1, 2, 3)}
        return len(found)

    return Number(
        "bash, number 3, leads session 3. Its child 4 leads the process group 4, and has made a "
        "thread, 5. Each of the three tasks has a PID, a TGID, a PGID and a SID. How many "
        "`struct pid`s are used for that?",
        answer,
        {
            12: "They are not one for each use: 4 is one `struct pid`, whatever it is to whom.",
            2: "The thread has a number of its own, so it has a `struct pid`.",
            4: "Not one for each kind. Which numbers are there?",
            1: "Which numbers are there?",
        },
        yes="Yes: one for each number, 3, 4 and 5, whatever it is to whom.",
        no="Which different numbers do the three have?",
    )


@bank.asked_in("05")
def who_is_first_on_the_list() -> Number:
    """attach_pid() puts a task at the head."""

    def answer() -> int:
        k, _ = _job(3)
        pid = k.task(4).thread_pid
        node = pid.tasks[2].first.address_
        return next(
            int(k.task(n).pid) for n in (4, 5, 6) if k.task(n).pid_links[2].address_ == node
        )

    return Number(
        "The shell puts 4 into a process group of its own, then 5, then 6 into the same group. The "
        "hash list tasks[PGID] of `struct pid` 4 links the three. Which task is the first on it?",
        answer,
        {
            4: "It leads the group, but on the list it has no special place.",
            5: "Either the list grows at its head or at its end.",
        },
        yes="Yes: a hash list has no pointer to its end; attach_pid() puts the new one in front.",
        no="Either the list grows at its head or at its end.",
    )


@bank.asked_in("05")
def what_the_count_counts() -> Number:
    """Tasks on the lists are not counted."""

    def answer() -> int:
        k, _ = _job(3)
        return int(k.task(4).thread_pid.count)

    return Number(
        "4 leads a process group; 5 and 6 are in it. On the lists of `struct pid` 4 are 4 three "
        "times (as PID, TGID and PGID), 5 and 6. What is its `count`?",
        answer,
        {
            5: "Tasks on its lists are not counted: as long as there are any, it stays anyway.",
            3: "Tasks on its lists are not counted: as long as there are any, it stays anyway.",
            6: "Tasks on its lists are not counted: as long as there are any, it stays anyway.",
            0: "At 0 it is freed.",
        },
        yes="Yes: one, for all the lists together. The last task that leaves them drops it.",
        no="Tasks on its lists are not counted one by one.",
    )
