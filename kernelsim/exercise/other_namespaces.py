"""Questions of the chapter on PID namespaces: the first process, its death, and other namespaces."""

from __future__ import annotations

from typing import Any

from kernelsim.exercise import bank, nested
from kernelsim.exercise.number import Number
from kernelsim.exercise.question import Option, Question
from kernelsim.include.uapi.linux.sched import CLONE_NEWUSER, CLONE_NEWUTS

__all__ = [
    "what_a_dead_init_leaves",
    "what_a_new_name_changes",
    "what_fork_gives_after_the_end",
    "what_kill_from_outside_does",
    "what_kill_of_pid_1_does",
    "what_unshare_changes",
    "who_adopts_inside",
    "who_may_make_one",
    "who_waits_for_the_orphan",
]

SIGKILL = 9
EPERM, ENOMEM, EAGAIN, ENOSPC, EINVAL = 1, 12, 11, 28, 22


# The errno of a call, 0 if it returns.
def _errno(k: Any, task: Any, name: str, *args: Any) -> int:
    try:
        k.call(task, name, *args)
    except OSError as error:
        return error.errno or 0
    return 0


# --- the first process ------------------------------------------------------------------------


@bank.asked_in("10")
def what_kill_of_pid_1_does() -> Question:
    """Whether SIGKILL from inside ends a namespace's first process."""

    def answer() -> int:
        k, row = nested.container()
        error = _errno(k, row[3], "kill", 1, SIGKILL)
        if error:
            return {EPERM: 2}[error]
        return 0 if row[2].exit_state else 1

    return Question(
        "C, root, calls kill(1, SIGKILL) in its namespace, where number 1 is B. What happens?",
        [
            Option("B dies: nobody can ignore SIGKILL", "Except for a namespace's first process."),
            Option("kill returns 0, and B lives on",
                   "Yes: B is found and C may signal it, but from inside the signal is dropped."),
            Option("EPERM", "C has the right; kill does not fail."),
        ],
        answer,
    )  # fmt: skip


@bank.asked_in("10")
def what_kill_from_outside_does() -> Question:
    """Whether SIGKILL from outside ends a namespace's first process."""

    def answer() -> int:
        k, row = nested.container()
        k.call(row[0], "kill", 5, SIGKILL)
        if not row[2].exit_state:
            return 0
        return 1 if any(task.pid == 6 for task in k.tasks()) else 2

    return Question(
        "Now sh, at level 0, calls kill(5, SIGKILL): 5 is B, the first process of the namespace in "
        "which C lives too. What happens?",
        [
            Option("nothing: B is a number 1", "It is one inside. From outside it is a process as any."),
            Option("B dies, and C gets a new parent: A", "An orphan stays in its namespace. Here none is left."),
            Option("B dies, and C with it",
                   "Yes: a namespace does not outlive its first process."),
        ],
        answer,
    )  # fmt: skip


@bank.asked_in("10")
def who_adopts_inside() -> Question:
    """Who adopts an orphan in a namespace."""

    def answer() -> str:
        k, row = nested.container()
        grandchild = nested.fork(k, row[3])
        k.call(row[3], "exit", 0)
        return str(grandchild.real_parent.pid)

    return Question(
        "In B's namespace C forks D, then C exits. Nobody is a subreaper. Who is D's parent now? "
        "(Numbers of level 0.)",
        [
            Option("1, init", "init is no process of D's namespace: D could not see it.", "1"),
            Option("4, A", "A is the first process of the level above.", "4"),
            Option("5, B", "Yes: the first process of a namespace adopts its orphans.", "5"),
            Option("3, sh", "sh is no process of D's namespace: D could not see it.", "3"),
        ],
        answer,
    )  # fmt: skip


@bank.asked_in("10")
def who_waits_for_the_orphan() -> Question:
    """Whether whatever program is number 1 waits for orphans as init does."""

    def answer() -> int:
        k, sh = nested.shell()
        first = nested.clone(k, sh)
        child = nested.fork(k, first)
        orphan = nested.fork(k, child)
        number = int(orphan.pid)
        k.call(child, "exit", 0)
        k.call(orphan, "exit", 0)
        there = [task for task in k.tasks() if task.pid == number]
        return 0 if not there else 1 if there[0].exit_state else 2

    return Question(
        "A container runs one program, its number 1, and that never calls wait. An orphan that it "
        "has adopted exits. What becomes of the orphan?",
        [
            Option("it is gone: number 1 is init, and init waits",
                   "Number 1 is whatever program was started. The kernel calls no wait for it."),
            Option("it stays a zombie, as long as number 1 lives and does not wait",
                   "Yes. To adopt is the kernel's part, to wait is the program's."),
            Option("it cannot exit", "Exit asks nobody."),
        ],
        answer,
    )  # fmt: skip


# --- the end of a namespace -------------------------------------------------------------------


@bank.asked_in("10")
def what_a_dead_init_leaves() -> Number:
    """How many live in a namespace and below it after its first process has exited."""

    def answer() -> int:
        k, row = nested.container()
        for _ in range(2):
            nested.fork(k, row[1])
        k.call(row[1], "exit", 0)
        return sum(not t.exit_state and len(nested.numbers(t)) > 1 for t in k.tasks())

    return Number(
        "A, the first process at level 1, has two children beside B; B, the first at level 2, has "
        "the child C. A calls exit(0). How many processes still live at level 1 or below?",
        answer,
        {
            4: "Nobody stays without a first process.",
            2: "What is inside B's namespace is inside A's as well.",
            3: "B, C and the two children are all killed.",
        },
        yes="Yes: the kernel kills all that has a number in A's namespace, and B's is in it.",
        no="Everybody who has a number in A's namespace gets SIGKILL.",
    )


@bank.asked_in("10")
def what_fork_gives_after_the_end() -> Question:
    """What fork gives to whom has children in a namespace that is dead."""

    def answer() -> int:
        k, sh = nested.shell()
        k.call(sh, "unshare", nested.NEWPID)
        k.call(nested.fork(k, sh), "exit", 0)
        return {0: 0, EAGAIN: 1, ENOMEM: 2}[_errno(k, sh, "fork")]

    return Question(
        "sh has called unshare(CLONE_NEWPID); its first child, number 1 of the new namespace, has "
        "exited. sh forks again. What happens?",
        [
            Option("the child is the new number 1", "A namespace has one first process, once."),
            Option("EAGAIN: no number is left", "There are plenty of numbers."),
            Option("ENOMEM, with gigabytes of memory free",
                   "Yes: the namespace gives no more numbers, and that is alloc_pid's word for it."),
        ],
        answer,
    )  # fmt: skip


# --- unshare, and the other kinds -------------------------------------------------------------


@bank.asked_in("10")
def what_unshare_changes() -> Question:
    """What unshare(CLONE_NEWPID) does to its caller, and to the children."""

    def answer() -> str:
        k, sh = nested.shell()
        k.call(sh, "unshare", nested.NEWPID)
        own = k.call(sh, "getpid")
        children = [k.call(nested.fork(k, sh), "getpid") for _ in range(2)]
        return ", ".join(map(str, [own, *children]))

    return Question(
        "sh, number 3, calls unshare(CLONE_NEWPID), then getpid(); then it forks twice, and each "
        "child calls getpid(). Which three numbers are these?",
        [
            Option("1, 2, 3", "sh would have changed its number. A process keeps it for life.", "1, 2, 3"),
            Option("3, 1, 2", "Yes: sh stays where it is, its children are born inside.", "3, 1, 2"),
            Option("3, 4, 5", "The children are born in the new namespace.", "3, 4, 5"),
            Option("3, 1, 1", "One unshare makes one namespace, for all children from then on.", "3, 1, 1"),
        ],
        answer,
    )  # fmt: skip


@bank.asked_in("10")
def what_a_new_name_changes() -> Question:
    """Who sees a host name that was set in a UTS namespace."""

    def answer() -> str:
        k, sh = nested.shell()
        box = nested.clone(k, sh, CLONE_NEWUTS)
        k.call(box, "sethostname", "box")
        inner = nested.clone(k, box, nested.NEWPID)
        return ", ".join(k.call(task, "gethostname") for task in (sh, inner))

    return Question(
        "The machine has no name yet: `(none)`. sh clones a child with CLONE_NEWUTS, and that calls "
        'sethostname("box") and clones a child with CLONE_NEWPID. What do sh and the grandchild '
        "get from gethostname()?",
        [
            Option("box and box", "The new name is in a copy that only the child has.", "box, box"),
            Option("(none) and box",
                   "Yes: the grandchild has a new PID namespace, and shares all others with its parent.",
                   "(none), box"),
            Option("(none) and (none)", "A child shares what it does not get anew.", "(none), (none)"),
            Option("box and (none)", "CLONE_NEWPID gives new numbers, no new name.", "box, (none)"),
        ],
        answer,
    )  # fmt: skip


@bank.asked_in("10")
def who_may_make_one() -> Question:
    """Which flags a user without privileges needs."""

    def answer() -> int:
        k, sh = nested.shell()
        k.call(sh, "setuid", 1000)
        alone = _errno(k, sh, "clone", nested.NEWPID | 17)
        both = _errno(k, sh, "clone", nested.NEWPID | CLONE_NEWUSER | 17)
        return {(0, 0): 0, (EPERM, EPERM): 1, (EPERM, 0): 2}[alone, both]

    return Question(
        "A user with number 1000, who has no privileges, wants a PID namespace. What works?",
        [
            Option("CLONE_NEWPID alone", "It needs CAP_SYS_ADMIN: else anybody could confuse a set-user-id program."),
            Option("nothing: only root can", "A user namespace needs no privilege, and gives some."),
            Option("CLONE_NEWUSER | CLONE_NEWPID",
                   "Yes: in its own user namespace the child has every capability, and the other "
                   "namespaces are made there."),
        ],
        answer,
    )  # fmt: skip
