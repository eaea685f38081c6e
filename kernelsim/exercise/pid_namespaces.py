"""The questions that the chapter on PID namespaces asks, each before it shows what happens.

Every answer is computed on a machine of its own. Here are those about numbers, and about who sees
whom; those about the first process of a namespace and about the other kinds of namespaces are in
`other_namespaces`, and can be had from here too.
"""

from __future__ import annotations

from typing import Any

from kernelsim import view
from kernelsim.exercise import bank, nested
from kernelsim.exercise.number import Number
from kernelsim.exercise.other_namespaces import (
    what_a_dead_init_leaves,
    what_a_new_name_changes,
    what_fork_gives_after_the_end,
    what_kill_from_outside_does,
    what_kill_of_pid_1_does,
    what_unshare_changes,
    who_adopts_inside,
    who_may_make_one,
    who_waits_for_the_orphan,
)
from kernelsim.exercise.question import Option, Question
from kernelsim.include.linux.xarray import xa_node

__all__ = [
    "in_which_idrs_a_process_is",
    "what_a_dead_init_leaves",
    "what_a_new_name_changes",
    "what_fork_gives_after_the_end",
    "what_getpid_says",
    "what_kill_finds_inside",
    "what_kill_from_outside_does",
    "what_kill_of_pid_1_does",
    "what_unshare_changes",
    "which_numbers_at_each_level",
    "who_adopts_inside",
    "who_adopts_the_orphan",
    "who_may_make_one",
    "who_waits_for_the_orphan",
    "whom_a_number_means",
]


# --- recall -----------------------------------------------------------------------------------


@bank.asked_in("10")
def who_adopts_the_orphan() -> Question:
    """Recall orphans: who adopts where no subreaper is."""

    def answer() -> int:
        k, sh = nested.shell()
        parent = nested.fork(k, sh)
        child = nested.fork(k, parent)
        k.call(parent, "exit", 0)
        return [int(sh.pid), 1, 2].index(child.real_parent.pid)

    return Question(
        "Recall orphans. sh has a child, and that has a child. The one in the middle exits; nobody "
        "is a subreaper. Who is the new parent of the orphan?",
        [
            Option("sh, the grandparent", "It would have to be a subreaper, or an init."),
            Option("init, number 1", "Yes. In this chapter there is more than one number 1."),
            Option("kthreadd, number 2", "It is the parent of kernel threads."),
        ],
        answer,
    )


@bank.asked_in("10")
def in_which_idrs_a_process_is() -> Question:
    """Recall the IDR: where kill looks a number up."""

    def answer() -> int:
        k, sh = nested.shell()
        pid = sh.thread_pid
        leaf = pid.numbers[0].ns.idr.idr_rt.xa_head - 2  # a pointer to a node is marked by a 2
        slot = leaf + xa_node.offsetof_("slots") + 8 * 3
        return 2 if k.machine.read_u64(slot) == pid.address_ else 1

    return Question(
        "Recall the IDR. kill(3, SIGTERM): where is the 3 looked up?",
        [
            Option(
                "on the process list, link by link", "That would be slow; the list is for walking."
            ),
            Option("in one hash table for the whole machine", "That was so until Linux 4.14."),
            Option(
                "in an IDR that leads to a struct pid",
                "Yes. And the IDR is a member of a struct pid_namespace: there can be several.",
            ),
        ],
        answer,
    )


# --- numbers ----------------------------------------------------------------------------------


@bank.asked_in("10")
def what_getpid_says() -> Number:
    """What the first process of a namespace hears from getpid."""

    def answer() -> int:
        k, sh = nested.shell()
        return int(k.call(nested.clone(k, sh), "getpid"))

    return Number(
        "sh, number 3, calls clone(CLONE_NEWPID | SIGCHLD), and clone returns 4. The child calls "
        "getpid(). What does it get?",
        answer,
        {
            4: "That is its number for sh. A process in a namespace has more than one.",
            0: "0 is what clone returns in the child; getpid is another call.",
            3: "3 is its parent.",
            2: "The numbers of its namespace begin where those of the machine did at boot: at 1.",
        },
        yes="Yes: 4 for its parent, 1 for itself.",
        no="The child lives in a namespace with numbers of its own, and it is the first there.",
    )


@bank.asked_in("10")
def which_numbers_at_each_level() -> Question:
    """The numbers of a process two levels down, from the outermost in."""

    def answer() -> str:
        _, row = nested.container()
        return ", ".join(map(str, nested.numbers(row[-1])))

    def shows() -> Any:
        k, row = nested.container()
        return view.namespaces(k, focus=row[-1])

    return Question(
        "sh is 3, A is 4 for sh, B is 5 for sh. A and B are each the first process of a namespace, "
        "B's inside A's; B forks C. Which numbers has C at levels 0, 1 and 2?",
        [
            Option("6, 6, 6", "Each level counts by itself.", "6, 6, 6"),
            Option("6, 1, 1", "In each of them somebody was there before C.", "6, 1, 1"),
            Option(
                "6, 3, 2", "Yes: after 5 comes 6, after A and B comes 3, after B comes 2.",
                "6, 3, 2",
            ),
            Option(
                "no number but 2: C is inside",
                "The levels around see what is inside: there it has numbers too.",
            ),
            Option("6, 2, 2", "At level 1 there are A, 1, and B, 2.", "6, 2, 2"),
        ],
        answer, shows,
    )  # fmt: skip


# --- who sees whom ----------------------------------------------------------------------------


@bank.asked_in("10")
def what_kill_finds_inside() -> Question:
    """What kill does inside with a number from outside."""

    def answer() -> int:
        k, sh = nested.shell()
        a = nested.clone(k, sh)
        try:
            k.call(a, "kill", 3, 9)
        except OSError as error:
            return {1: 1, 3: 2}[error.errno or 0]
        return 0 if sh.exit_state else 3

    return Question(
        "A, root and the only process of its namespace, calls kill(3, SIGKILL). Outside, 3 is sh. "
        "What happens?",
        [
            Option("sh is killed: A is root", "Root or not: A has no number that would mean sh."),
            Option("EPERM: that is not allowed", "Permission is asked once the process is found."),
            Option("ESRCH: there is no such process", "Yes: in A's namespace nothing is number 3."),
            Option("kill returns 0, and nothing happens", "kill says so when it finds nobody."),
        ],
        answer,
    )


@bank.asked_in("10")
def whom_a_number_means() -> Question:
    """Whom one number means, from two places."""

    def answer() -> str:
        _, row = nested.container()
        who = nested.found(row[1], 2)
        return ("sh", "A", "B", "C")[[task.address_ for task in row].index(who.address_)]

    return Question(
        "The numbers at levels 0, 1, 2: A 4, 1; B 5, 2, 1; C 6, 3, 2. A calls kill(2, SIGTERM). "
        "Whom does 2 mean?",
        [
            Option("kthreadd", "That is 2 at level 0. A is at level 1."),
            Option("B", "Yes: numbers in a call are those of the caller's namespace.", "B"),
            Option("C", "C is 2 at level 2, for B. For A, C is 3.", "C"),
            Option("nobody: B is in another namespace",
                   "B's namespace is inside A's: A sees all that is in it.", ""),
        ],
        answer,
    )  # fmt: skip
