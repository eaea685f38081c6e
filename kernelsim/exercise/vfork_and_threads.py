"""More questions of the chapter on creating a process: vfork, threads, who runs first, and failures."""

from __future__ import annotations

from typing import Any

from kernelsim import session, view
from kernelsim.exercise import bank
from kernelsim.exercise.number import Number
from kernelsim.exercise.question import Letter, Option, Question
from kernelsim.include.linux.sched import task_state_to_char
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.linux import sched

__all__ = [
    "what_a_failed_fork_leaves",
    "what_getpid_says_in_a_thread",
    "what_root_gets_when_there_are_too_many",
    "where_a_vfork_parent_waits",
    "which_memory_a_vfork_child_has",
    "who_runs_first",
]

THREAD = (
    sched.CLONE_VM | sched.CLONE_FS | sched.CLONE_FILES | sched.CLONE_SIGHAND | sched.CLONE_THREAD
)


def _shell() -> tuple[Any, Any]:
    k = session.boot()
    return k, k.spawn("bash")


# The errno of a fork, 0 if it succeeds.
def _forks(k: Any, task: Any) -> int:
    try:
        k.call(task, "fork")
    except OSError as error:
        return error.errno or 0
    return 0


@bank.asked_in("07")
def where_a_vfork_parent_waits() -> Letter:
    """In which state the parent is while its vfork child lives."""

    def answer() -> str:
        k, bash = _shell()
        k.call(bash, "vfork")
        return task_state_to_char(bash)

    return Letter(
        "bash has called vfork(), and its child has done nothing yet. In which state is bash?",
        answer,
        {
            "S": "So it would be in wait(), which a signal can end. A vfork() is not interrupted.",
            "R": "The parent does not run: the child has its memory, and its stack.",
            "T": "Nobody has sent a SIGSTOP.",
        },
        shows=lambda: _vforked()[0],
    )


def _vforked() -> tuple[Any, Any, Any]:
    k, bash = _shell()
    k.call(bash, "vfork")
    return view.process_tree(k), bash, k.tasks()[-1]


@bank.asked_in("07")
def which_memory_a_vfork_child_has() -> Question:
    """Whether vfork copies lazily."""

    def answer() -> int:
        _, bash, child = _vforked()
        return 0 if bash.mm == child.mm and bash.mm.mm_users == 2 else 1

    return Question(
        "Which memory does a child have that was made by vfork()?",
        [
            Option(
                "its parent's: nothing is copied",
                "Yes. Both point to one mm_struct. What the child stores, the parent finds when it "
                "wakes up.",
            ),
            Option(
                "a copy, made page by page when one of them writes",
                "That is fork(). vfork copies nothing, neither at once nor lazily.",
            ),
            Option(
                "none until it calls execve()",
                "It runs in user mode, and needs memory for that: its parent's.",
            ),
        ],
        answer,
        shows=lambda: view.sharing(_vforked()[1].machine_),
    )


@bank.asked_in("07")
def what_getpid_says_in_a_thread() -> Number:
    """Whose number getpid returns."""

    def answer() -> int:
        k, bash = _shell()
        k.call(bash, "fork")
        thread = k.task(k.call(bash, "clone", THREAD))
        return int(k.call(thread, "getpid"))

    return Number(
        "bash is process 3, and has a child, 4. Now bash makes a thread, and the thread calls "
        "getpid(). What does it return?",
        answer,
        {
            5: "That is what gettid() returns: the number of the task. getpid names no thread.",
            4: "The child has that number, and it is another process.",
            1: "That is what getppid() returns: init is the parent of all threads of bash.",
        },
        yes="Yes: getpid() returns the tgid, which all threads of a process share.",
        no="It returns the number of the process, the tgid.",
    )


@bank.asked_in("07")
def who_runs_first() -> Question:
    """Whether the parent or the child runs first."""

    def first(choice: int) -> int:
        k, bash = _shell()
        k.call(bash, "fork")
        return int(k.run_next(k.task(choice)).pid)

    def answer() -> int:
        return 2 if [first(3), first(4)] == [3, 4] else 0

    return Question(
        "fork() has put the child on the run queue. Who runs first, the parent or the child?",
        [
            Option(
                "the parent, always",
                "Often; but a timer tick may come right now, or another CPU may be free.",
            ),
            Option(
                "the child, always",
                "With sched_child_runs_first set it would be likely; it is not set, and no promise.",
            ),
            Option(
                "nobody promises either",
                "Yes. The parent runs, and the next timer tick may choose either. Who needs an order, waits.",
            ),
        ],
        answer,
    )


@bank.asked_in("07")
def what_root_gets_when_there_are_too_many() -> Question:
    """Which limit holds for root too, and with which errno."""

    def answer() -> int:
        k, bash = _shell()
        m = k.machine
        m.add("max_threads", m.add("nr_threads", 0) - m.add("max_threads", 0))
        return _forks(k, bash)

    return Question(
        "There are as many tasks as max_threads allows, and memory enough. Root forks. What comes of it?",
        [
            Option(
                "a child: limits are not for root",
                "RLIMIT_NPROC is not for root; max_threads is for everybody.",
                0,
            ),
            Option(
                "EAGAIN",
                "Yes: try again later. max_threads keeps the machine alive, so root is not exempt.",
                errno.EAGAIN,
            ),
            Option(
                "ENOMEM", "There is memory. ENOMEM says that an allocation failed.", errno.ENOMEM
            ),
            Option("EPERM", "fork() has no EPERM: there is nothing to be allowed.", errno.EPERM),
        ],
        answer,
        shows=_too_many,
    )


def _too_many() -> Any:
    k, bash = _shell()
    m = k.machine
    m.add("max_threads", m.add("nr_threads", 0) - m.add("max_threads", 0))
    _forks(k, bash)
    return view.ladder(k)


@bank.asked_in("07")
def what_a_failed_fork_leaves() -> Question:
    """What is left when a step in the middle fails."""

    def answer() -> int:
        k, bash = _shell()
        before, tasks = k.slabs(), k.tasks()
        k.machine.fail_nth = 8
        failed = _forks(k, bash) == errno.ENOMEM
        same = k.slabs() == before and k.tasks() == tasks
        return 1 if failed and same else 0

    return Question(
        "Six steps of copy_process() have allocated something, and the seventh, copy_mm(), finds no "
        "memory. What is left when fork() has returned ENOMEM?",
        [
            Option(
                "a task without memory, which the parent has to wait for",
                "Nobody has seen the child yet: it is on no list, and has no number.",
            ),
            Option(
                "nothing: each step is undone, the last one first",
                "Yes. copy_process() jumps to the label that undoes the step before, and falls "
                "through all the others.",
            ),
            Option(
                "the six objects, until the parent exits",
                "Then every failed fork would leak. The labels bad_fork_… give all of it back.",
            ),
        ],
        answer,
        shows=_failed_fork,
    )


def _failed_fork() -> Any:
    k, bash = _shell()
    k.machine.fail_nth = 8
    _forks(k, bash)
    return view.ladder(k)
