"""The questions that the chapter on creating a process asks, each before it shows what happens.

Every answer is computed on a machine of its own, so that a question may be asked in any order and
at any time.  The options are the ideas that readers have; the feedback is about the idea.
"""

from __future__ import annotations

from typing import Any

from kernelsim import runs, session, view
from kernelsim.exercise import bank
from kernelsim.exercise.number import Number
from kernelsim.exercise.order import Order, Step
from kernelsim.exercise.question import Option, Question
from kernelsim.include.uapi.asm import errno
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux import sched

__all__ = [
    "how_many_objects_are_made",
    "how_often_it_prints",
    "in_which_order",
    "what_a_child_of_the_parent_is",
    "what_closing_does",
    "what_the_parent_reads",
    "what_thread_alone_gives",
]


def _shell() -> tuple[Any, Any]:
    k = session.boot()
    return k, k.spawn("bash")


# The errno of a call, 0 if it succeeds.
def _error(k: Any, task: Any, *call: Any) -> int:
    try:
        k.call(task, *call)
    except OSError as error:
        return error.errno or 0
    return 0


@bank.asked_in("07")
def how_often_it_prints() -> Question:
    """Where the child begins."""

    async def main(libc: Any) -> None:
        await libc.write(1, b"before\n")
        child = await libc.fork()
        await libc.write(1, b"after\n")
        if child:
            await libc.waitpid(child, 0)

    def answer() -> str:
        printed = runs.run(main).stdout
        return f"{printed.count(b'before')} {printed.count(b'after')}"

    return Question(
        "A program writes `before`, calls fork(), and writes `after`. How often is each written?",
        [
            Option(
                "before 1, after 1",
                "There are two processes after the fork, and both go on.",
                "1 1",
            ),
            Option(
                "before 1, after 2",
                "Yes. The child does not start at main: it goes on where its parent is, behind "
                "the call.",
                "1 2",
            ),
            Option(
                "before 2, after 2",
                "So it would be if the child started at main. It has a copy of its parent's "
                "registers, and so it is at the same place.",
                "2 2",
            ),
            Option(
                "before 2, after 1",
                "One program, two processes: what comes behind the fork is done by both.",
                "2 1",
            ),
        ],
        answer,
    )


@bank.asked_in("07")
def what_the_parent_reads() -> Question:
    """Whether a variable is shared after fork, and after clone with CLONE_VM."""

    async def main(libc: Any) -> None:
        box = [1]

        async def child(libc: Any) -> None:
            box[0] = 2

        pid = await libc.clone(sched.CLONE_VM | SIGCHLD, child)
        await libc.waitpid(pid, 0)
        seen, x = box[0], 1
        pid = await libc.fork()
        if not pid:
            x = 2
            await libc.exit(0)
        await libc.waitpid(pid, 0)
        await libc.write(1, f"{x} {seen}".encode())

    def answer() -> str:
        return runs.run(main).stdout.decode()

    options = {
        "1 1": ("With CLONE_VM both have one memory: there is no other `x` to store into."),
        "1 2": ("Yes. After fork each has its own `x`; with CLONE_VM there is one."),
        "2 1": ("The other way round: fork shares nothing, CLONE_VM shares the memory."),
        "2 2": (
            "After fork the pages are shared only until one of them writes. The store of the child "
            "goes to a copy."
        ),
    }
    return Question(
        "`x` is 1. A child stores 2 into it and ends; then its parent reads `x`. What does it read "
        "if the child was made by fork(), and what if by clone() with CLONE_VM?",
        [
            Option(f"{key[0]} after fork, {key[2]} with CLONE_VM", words, key)
            for key, words in options.items()
        ],
        answer,
    )


OBJECTS = (
    *("task_struct", "cred_jar", "files_cache", "fs_cache", "sighand_cache", "signal_cache"),
    *("mm_struct", "pid", "filp", "nsproxy"),
)


@bank.asked_in("07")
def how_many_objects_are_made() -> Number:
    """How many objects a fork takes from the slab caches."""

    def answer() -> int:
        k, bash = _shell()
        before = k.slabs()
        k.call(bash, "fork")
        after = k.slabs()
        return sum(after[name] - before[name] for name in OBJECTS)

    return Number(
        "A shell forks. How many of these are allocated for the child: task_struct, cred, "
        "files_struct, fs_struct, sighand_struct, signal_struct, mm_struct, struct pid, nsproxy, "
        "and a struct file for each open file?",
        answer,
        {
            1: "That is the task_struct. What it points to is copied too, unless a flag says to share.",
            9: "All but the struct files and the nsproxy: fork gives no new namespaces.",
            10: "The open files themselves are shared, with their positions; and so is the nsproxy.",
            11: "The open files themselves are shared, with their positions; and so is the nsproxy.",
        },
        yes="Yes. The open files stay shared, each with one reference more, and so does the nsproxy.",
        no="Each kind once, but for two: open files are not copied, and namespaces are kept.",
        shows=lambda: _forked_and(view.sharing),
    )


def _forked_and(show: Any) -> Any:
    k, bash = _shell()
    k.call(bash, "fork")
    return show(k)


@bank.asked_in("07")
def what_closing_does() -> Question:
    """What CLONE_FILES shares, and what is shared without it."""

    def closed(flags: int) -> bool:
        k, bash = _shell()
        end, _ = k.call(bash, "pipe")
        child = k.task(k.call(bash, "clone", flags | SIGCHLD))
        k.call(child, "close", end)
        return _error(k, bash, "close", end) == errno.EBADF

    def answer() -> int:
        with_it, without = closed(sched.CLONE_FILES), closed(0)
        return [(True, False), (True, True), (False, False)].index((with_it, without))

    return Question(
        "A child closes descriptor 3. Is it closed in its parent too?",
        [
            Option(
                "only if the child was made with CLONE_FILES",
                "Yes. The flag shares the table of descriptors. Without it the child has a copy of "
                "the table; only the open files, with their positions, are the same.",
            ),
            Option(
                "always: open files are shared",
                "The open file is shared, the table that says what 3 means is not.",
            ),
            Option("never", "With CLONE_FILES there is one table, and one descriptor 3."),
        ],
        answer,
    )


@bank.asked_in("07")
def what_thread_alone_gives() -> Question:
    """Which flags need others."""

    def answer() -> int:
        k, bash = _shell()
        return _error(k, bash, "clone", sched.CLONE_THREAD)

    return Question(
        "bash calls clone(CLONE_THREAD), and gives no other flag. What comes of it?",
        [
            Option("a thread that shares nothing", "There is no such thing: see the errno.", 0),
            Option(
                "a thread, for the kernel adds the flags that are missing",
                "unshare() adds what is implied; clone() refuses.",
                -1,
            ),
            Option(
                "EINVAL",
                "Yes. CLONE_THREAD needs CLONE_SIGHAND, and that needs CLONE_VM: a handler is an "
                "address, and means nothing in other memory.",
                errno.EINVAL,
            ),
            Option("EPERM", "Nobody may do it, root included: it makes no sense.", errno.EPERM),
        ],
        answer,
    )


@bank.asked_in("07")
def what_a_child_of_the_parent_is() -> Question:
    """Whose child a task is that was made with CLONE_PARENT."""

    def answer() -> int:
        k, bash = _shell()
        child = k.task(k.call(bash, "clone", sched.CLONE_PARENT | SIGCHLD))
        return [3, 1, 2].index(child.real_parent.pid)

    return Question(
        "bash (pid 3, a child of init) calls clone() with CLONE_PARENT. Who is the new task's parent?",
        [
            Option("bash, who called", "So it is without the flag."),
            Option("init, bash's parent", "Yes: a sibling of the caller. init will wait for it."),
            Option("kthreadd", "It is the parent of kernel threads."),
        ],
        answer,
        shows=_with_sibling,
    )


def _with_sibling() -> Any:
    k, bash = _shell()
    k.call(bash, "clone", sched.CLONE_PARENT | SIGCHLD)
    return view.process_tree(k)


_ORDER = {
    "dup_task_struct": "The first that allocates: a copy of the parent's task_struct, and a stack.",
    "copy_files": "What the child shares or copies comes before it gets a number.",
    "copy_mm": "What the child shares or copies comes before it gets a number.",
    "copy_thread": "The child's registers: when all that it owns is there.",
    "alloc_pid": "A number is taken late: the steps before it are those that fail more easily.",
    "attach_pid": "Now others can find the child; nothing may fail any more.",
    "wake_up_new_task": "Last: once it is on the run queue, the child may run at any moment.",
}


@bank.asked_in("07")
def in_which_order() -> Order:
    """The steps of a fork in the order of the kernel's own functions."""

    def answer() -> list[str]:
        k, bash = _shell()
        since = k.now
        k.call(bash, "fork")
        called = [event.name for event in k.events(since) if event.kind == "enter"]
        return [name for name in dict.fromkeys(called) if name in _ORDER]

    steps = [Step(f"{name}()", why, name) for name, why in _ORDER.items()]
    steps.append(
        Step(
            "begin_new_exec()",
            "That is execve: fork loads no program.",
            "begin_new_exec",
        )
    )
    return Order(
        "Put in order what fork() calls in the kernel, and leave out what it does not.",
        steps,
        answer,
        yes="Yes. First what can fail and be undone, then the number, then the lists; last the run queue.",
        shows=lambda: _forked_and(view.ladder),
    )
