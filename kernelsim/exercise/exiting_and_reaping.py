"""The questions that the chapter on exiting and reaping asks, each before it shows what happens.

Every answer is computed on a machine of its own.  Here are those about the end itself, zombies and
orphans; those about wait, threads and groups are in `waiting`, and can be had from here too.
"""

from __future__ import annotations

from typing import Any

from kernelsim import session, view
from kernelsim.exercise import bank
from kernelsim.exercise.order import Order, Step
from kernelsim.exercise.parent import Parent
from kernelsim.exercise.question import Letter, Option, Question
from kernelsim.exercise.waiting import (
    what_becomes_of_a_stopped_job,
    what_the_end_of_init_does,
    what_the_word_of_a_killed_child_is,
    what_the_word_of_an_exit_is,
    what_wait_finds_when_sigchld_is_ignored,
    whether_a_dead_leader_can_be_reaped,
)
from kernelsim.include.linux.sched import task_state_to_char
from kernelsim.include.uapi.asm.signal import SIGKILL
from kernelsim.include.uapi.linux.prctl import PR_SET_CHILD_SUBREAPER

__all__ = [
    "in_which_order_exit_goes",
    "what_a_waiting_parent_shows",
    "what_a_zombie_still_has",
    "what_becomes_of_a_stopped_job",
    "what_gets_rid_of_a_zombie",
    "what_the_death_of_a_parent_sends",
    "what_the_end_of_init_does",
    "what_the_word_of_a_killed_child_is",
    "what_the_word_of_an_exit_is",
    "what_wait_finds_when_sigchld_is_ignored",
    "whether_a_dead_leader_can_be_reaped",
    "who_adopts",
    "who_adopts_below_a_subreaper",
    "who_frees_the_stack",
    "whose_child_the_grandchild_is",
]


# A kernel, the shell on it with number 3, and its child, number 4.
def _two() -> tuple[Any, Any, Any]:
    k: Any = session.boot()
    bash = k.spawn("bash")
    return k, bash, k.task(k.call(bash, "fork"))


@bank.asked_in("08")
def what_a_waiting_parent_shows() -> Letter:
    """Recall states: how a parent sleeps in wait."""

    def answer() -> str:
        k, bash, child = _two()
        k.call(bash, "waitpid", child.pid, 0)
        return task_state_to_char(bash)

    return Letter(
        "Recall the states. bash waits for its child with waitpid, and the child computes. Which "
        "letter does ps show for bash?",
        answer,
        {
            "S": "Yes: a signal may end the wait early, so it sleeps interruptibly.",
            "D": "So waits the parent in vfork. wait can be ended by a signal.",
            "R": "It has nothing to do: it sleeps until its child wakes it.",
        },
    )


@bank.asked_in("08")
def what_gets_rid_of_a_zombie() -> Question:
    """What SIGKILL does to a zombie, and to its parent."""

    def answer() -> int:
        k, bash, child = _two()
        number = child.pid
        k.call(child, "exit", 3)
        there = []
        for target in (number, bash.pid):
            try:
                k.call(bash, "kill", target, SIGKILL)
            except OSError:
                return 1
            there.append(number in [task.pid for task in k.tasks()])
        return {(False, False): 0, (True, False): 2, (True, True): 3}[there[0], there[1]]

    return Question(
        "Process 4 has called exit(3); its parent, bash, has not waited for it, and never will. "
        "Somebody sends SIGKILL to 4, and then to bash. What comes of 4?",
        [
            Option(
                "the first kill removes it",
                "SIGKILL makes a process call do_exit(), and 4 has done that.",
            ),
            Option(
                "the first kill fails: there is no such process",
                "There is: its number and its task_struct are still there, so kill finds it.",
            ),
            Option(
                "the first kill does nothing; the second one removes it, with bash",
                "Yes. Nobody is there who could die of the first. By the second 4 gets a new "
                "parent, init, and that one waits.",
            ),
            Option(
                "it stays for ever: the one who could have waited is gone",
                "4 does not stay without a parent. Who is given it, waits for it.",
            ),
        ],
        answer,
    )


_ORDER = (
    Step(
        "`exit_signals()`: sets PF_EXITING",
        "First of all: who is ending is sent no more work by signals.",
        "exit_signals",
    ),
    Step("`exit_mm()`: gives up the memory", "The largest thing goes first.", "exit_mm"),
    Step("`exit_files()`: closes the files", "After the memory, before the directories.", "exit_files"),
    Step("`exit_fs()`: lets go of root and current directory", "Right after the files.", "exit_fs"),
    Step(
        "`exit_task_namespaces()`: lets go of the namespaces",
        "It comes after memory, files and directories.",
        "exit_task_namespaces",
    ),
    Step(
        "`exit_notify()`: gives the children away, tells the parent",
        "When the parent hears of it, everything that can be given back has been.",
        "exit_notify",
    ),
    Step("`do_task_dead()`: leaves the CPU", "It never returns, so it is last.", "do_task_dead"),
    Step(
        "`release_task()`: gives up the number, unlinks the task",
        "Not here: the parent has not asked yet. Its wait does that.",
        "release_task",
    ),
    Step(
        "`free_task()`: frees the task_struct",
        "Not here: the parent still has to read the exit code in it.",
        "free_task",
    ),
)  # fmt: skip


@bank.asked_in("08")
def in_which_order_exit_goes() -> Order:
    """The steps of do_exit, in order."""
    names = {step.value for step in _ORDER}

    def ended() -> tuple[Any, int, Any]:
        k, _, child = _two()
        before = k.now
        k.call(child, "exit", 3)
        return k, before, child

    def answer() -> list[str]:
        k, before, child = ended()
        return [
            event.name
            for event in k.events(before)
            if event.kind == "enter" and event.name in names and event.pid == child.pid
        ]

    return Order(
        "bash's child calls exit(3), and bash will wait for it later. What does do_exit() do, in "
        "which order? Leave out what it does not do.",
        _ORDER,
        answer,
        yes="Yes: give back, then tell, then leave. What is left is taken away by the parent's wait.",
    )


@bank.asked_in("08")
def what_a_zombie_still_has() -> Question:
    """Whether a zombie uses memory like a live process."""
    caches = ("mm_struct", "files_cache", "task_struct")

    def answer() -> int:
        k, _, child = _two()
        before = k.slabs()
        k.call(child, "exit", 3)
        gone = tuple(before[name] - k.slabs()[name] for name in caches)
        return [(0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1)].index(gone)

    return Question(
        "A process exits and becomes a zombie. What has the kernel freed before its parent waits?",
        [
            Option(
                "nothing: a zombie uses as much as it did when it was alive",
                "The address space and the table of open files are freed by the exit itself.",
            ),
            Option(
                "its open files; its memory is kept for the parent",
                "The parent gets a status word and the times used, and no memory.",
            ),
            Option(
                "its memory and its files; the task_struct and the number are kept",
                "Yes. A zombie is a task_struct, with what it takes to find it and be told of it.",
            ),
            Option(
                "everything; only number and exit code stand in a table",
                "There is no such table: code and number are in the task_struct, which stays.",
            ),
        ],
        answer,
    )


@bank.asked_in("08")
def who_frees_the_stack() -> Question:
    """Who frees the kernel stack that the dying task stands on."""

    def answer() -> int:
        k, bash, child = _two()
        before = k.now
        k.call(child, "exit", 3)
        freed = [e for e in k.events(before) if e.name == "put_task_stack"]
        if not freed:
            return 3 if k.call(bash, "waitpid", child.pid, 0) else 2
        return 0 if freed[0].pid == child.pid else 1

    return Question(
        "In do_exit() the dying task runs on its kernel stack, in do_task_dead() too. Who frees it?",
        [
            Option("the task itself, last of all", "Then its next return would read freed memory."),
            Option(
                "the task that runs next on this CPU",
                "Yes: finish_task_switch() sees that the one before it is TASK_DEAD.",
            ),
            Option("nobody: the stack is part of the task_struct", "They are allocated apart."),
            Option(
                "the parent, in wait",
                "wait finds no stack any more: a zombie has none.",
            ),
        ],
        answer,
    )


# --- orphans --------------------------------------------------------------------------------------


# A line of bash and its descendants: 3, its child 4, …, up to `last`.
def _line(last: int) -> Any:
    k: Any = session.boot()
    task = k.spawn("bash")
    while task.pid < last:
        task = k.task(k.call(task, "fork"))
    return k


# The family after `dying` has exited, and the one before it marked.
def _without(k: Any, dying: int) -> Any:
    before = k.now
    k.call(dying, "exit", 0)
    return view.family(k, since=before)


def _asks(prompt: str, made: Any, dying: int, whose: int, **words: Any) -> Parent:
    def answer() -> Any:
        k = made()
        k.call(dying, "exit", 0)
        return k.task(whose).real_parent.pid

    return Parent(
        prompt, lambda: view.family(made()), answer, shows=lambda: _without(made(), dying), **words
    )


@bank.asked_in("08")
def who_adopts() -> Parent:
    """Who adopts an orphan: not the grandparent."""
    return _asks(
        "4 exits. Point at the one that is the parent of 5 then.",
        lambda: _line(5),
        4,
        5,
        near={
            3: "That is the grandparent. It did not fork 5, and does not wait for it.",
            4: "A zombie has no children: exit_notify() gives them away first.",
            5: "Nobody is their own parent.",
        },
        yes="Yes: init adopts, for it waits for every child that it gets.",
        no="Only who is above the dead one can adopt.",
    )


@bank.asked_in("08")
def whose_child_the_grandchild_is() -> Parent:
    """Whether all descendants of a dead process go to init."""
    return _asks(
        "The same family once more, but now 3 exits. Point at the one that is the parent of 5 then.",
        lambda: _line(5),
        3,
        5,
        near={
            1: "Only the children of the dead one get a new parent, not all its descendants.",
            3: "3 was not its parent before either.",
            5: "Nobody is their own parent.",
        },
        yes="Yes: the parent of 5 lives, so 5 is no orphan.",
    )


@bank.asked_in("08")
def who_adopts_below_a_subreaper() -> Parent:
    """Who adopts where a subreaper is above."""

    def made() -> Any:
        k = _line(6)
        k.call(3, "prctl", PR_SET_CHILD_SUBREAPER, 1)
        return k

    return _asks(
        "3 has called prctl(PR_SET_CHILD_SUBREAPER, 1). Now 5 exits. Point at the one that is the "
        "parent of 6 then.",
        made,
        5,
        6,
        near={
            1: "Init adopts where no subreaper is above the dead one. Here is one.",
            4: "The grandparent is no subreaper: it is passed over.",
            5: "It has given its children away.",
        },
        yes="Yes: going up from 5, it is the first one that is a subreaper.",
        no="6 is not its own parent.",
    )


@bank.asked_in("08")
def what_the_death_of_a_parent_sends() -> Question:
    """Which signal a child gets when its parent dies."""

    def answer() -> int:
        k, bash, child = _two()
        before = k.now
        k.call(bash, "exit", 0)
        sent = {
            event.fields["sig"]
            for event in k.events(before)
            if event.name == "signal_generate" and event.fields["pid"] == child.pid
        }
        return [set(), {1}, {9}, {17}].index(sent)

    return Question(
        "bash, in no way special, exits while its child 4 computes. Which signal does 4 get?",
        [
            Option(
                "none",
                "Yes. 4 gets a new parent, and is not told. It may ask for a signal beforehand.",
            ),
            Option(
                "SIGHUP",
                "That is for the terminal's group when its session leader ends, and for stopped "
                "groups that become orphaned. 4 is in neither.",
            ),
            Option("SIGKILL", "A child does not end because its parent does."),
            Option("SIGCHLD", "That goes to the parent when a child ends, not the other way."),
        ],
        answer,
    )
