"""The questions that the chapter on the process list asks, each before it shows what happens.

Every answer is computed on a machine of its own, so that a question may be asked in any order and
at any time.  The options are the ideas that readers have; the feedback is about the idea.
"""

from __future__ import annotations

from typing import Any

from kernelsim import session, view
from kernelsim.exercise import bank
from kernelsim.exercise.question import Option, Question
from kernelsim.exercise.workbench import SIZE, Workbench, parcel
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.types import list_head
from kernelsim.machine.machine import Machine
from kernelsim.machine.memory import DIRECT_MAP, Fault
from kernelsim.machine.ref import container_of

__all__ = [
    "does_exit_unlink",
    "how_many_nodes",
    "what_a_stray_store_does",
    "what_container_of_reads",
    "what_next_points_at",
    "what_the_last_one_holds",
    "when_a_walk_meets_it",
    "where_a_member_is",
    "where_fork_puts_the_child",
    "who_is_there_after_boot",
]


@bank.asked_in("04")
def where_a_member_is() -> Question:
    """Recall C: where in memory a member of a struct is."""

    def answer() -> int:
        p: Any = parcel(Machine(SIZE), DIRECT_MAP + 0x1000)
        distance = p.link.address_ - p.address_
        return [distance, 0, -distance].index(parcel.offsetof_("link"))

    return Question(
        "Recall C. `p` points at a struct, and its member `link` is at offset 16. "
        "Which address is `&p->link`?",
        [
            Option("`p` plus 16", "Yes. A member lies above the beginning of its struct."),
            Option(
                "`p`",
                "That is the address of the first member only; `link` is not the first one.",
            ),
            Option(
                "`p` minus 16",
                "Below `p` there is something else. Members lie above the beginning.",
            ),
        ],
        answer,
    )


@bank.asked_in("04")
def who_is_there_after_boot() -> Question:
    """Recall the boot: which processes are always there."""

    def answer() -> int:
        pids: list[Any] = [task.pid for task in session.boot().tasks()]
        return [[1], [1, 2], [0, 1, 2]].index(pids)

    return Question(
        "Recall the boot. Linux is up, nobody has logged in. Besides `init_task` with number 0, "
        "which processes are there in any case?",
        [
            Option("1 only, init", "There is one more: the parent of all kernel threads."),
            Option("1, init, and 2, kthreadd", "Yes. Both are children of `init_task`."),
            Option(
                "0, 1 and 2, for 0 comes twice",
                "`init_task` is number 0, and there is only one of it.",
            ),
        ],
        answer,
        shows=lambda: view.process_tree(session.boot()),
    )


# A kernel with a puppet, and the last two on its list: kthreadd and bash.
def _two() -> tuple[Any, Any, Any]:
    k = session.boot()
    return k, k.task(2), k.spawn("bash")


@bank.asked_in("04")
def what_next_points_at() -> Question:
    """Whether a link points at the start of a structure."""

    def answer() -> int:
        _, kthreadd, bash = _two()
        target = kthreadd.tasks.next.address_
        if not bash.address_ <= target < bash.address_ + task_struct.sizeof_:
            return 2
        return [bash.address_, bash.tasks.address_, None, bash.address_of_("pid")].index(target)

    return Question(
        "kthreadd and bash are neighbours on the process list. `kthreadd.tasks.next` holds an "
        "address. "
        "What begins at that address?",
        [
            Option(
                "bash's task_struct",
                "So it would be if links pointed at the start of the structure. They point at "
                "the next link, which lies inside.",
            ),
            Option(
                "bash's `tasks`, somewhere inside bash's task_struct",
                "Yes. `next` is a struct list_head *: it leads from link to link.",
            ),
            Option(
                "a separate list node, and that one points to bash's task_struct",
                "Lists in Python and Java are made so. Here the node is a member of the "
                "task_struct itself.",
            ),
            Option(
                "bash's `pid`",
                "The list knows nothing of numbers; links hold addresses of links.",
            ),
        ],
        answer,
        shows=lambda: view.task_list(_two()[0]),
    )


@bank.asked_in("04")
def what_the_last_one_holds() -> Question:
    """Where a list ends that has no end."""

    def answer() -> int:
        k, _, bash = _two()
        links = [0, bash.tasks, k.task(1).tasks, k.machine.symbol("init_task").tasks]
        return [int(link) for link in links].index(int(bash.tasks.next))

    return Question(
        "bash is the last process on the list. What does `bash.tasks.next` hold?",
        [
            Option(
                "NULL", "So ends a hash list of the kernel, and many a list in C. Not this one."
            ),
            Option(
                "its own address",
                "A link that points to itself is an empty list of its own; bash's is not.",
            ),
            Option(
                "the address of init's `tasks`: back to the first process",
                "Almost: it is a ring. But the ring also goes through its head.",
            ),
            Option(
                "the address of init_task's `tasks`, the head",
                "Yes. The list is a ring, and the head is in it. A walk ends where it began.",
            ),
        ],
        answer,
        shows=lambda: view.task_list(_two()[0]),
    )


@bank.asked_in("04")
def what_container_of_reads() -> Question:
    """Whether container_of looks something up."""

    def answer() -> int:
        nowhere = list_head(Machine(SIZE), 0x1234_5678_9000)  # there is no memory at all
        try:
            container_of(nowhere, task_struct, "tasks")
        except Fault:
            return 0
        return 3

    return Question(
        "`pos` is the address of some task's `tasks`. "
        "To find that task's beginning, what does container_of(pos, struct task_struct, tasks) read?",
        [
            Option(
                "the link: beside `next` and `prev` it holds the address of its struct",
                "A list_head is two words, `next` and `prev`, and no third one.",
            ),
            Option(
                "a table of all task_structs, where it looks for the one around `pos`",
                "There is no such table, and it would be slow. container_of looks nothing up.",
            ),
            Option(
                "the memory below `pos`, back to where a task_struct begins",
                "Nothing in memory marks where a struct begins.",
            ),
            Option(
                "nothing",
                "Yes. The compiler knows the offset; what is left is one subtraction.",
            ),
        ],
        answer,
        shows=lambda: view.task_list(_two()[0], focus=3),
    )


@bank.asked_in("04")
def how_many_nodes() -> Question:
    """How many nodes are allocated for three lists."""
    members = ("tasks", "sibling", "thread_group")

    def answer() -> int:
        _, _, bash = _two()
        inside = range(bash.address_, bash.address_ + task_struct.sizeof_)
        outside = [m for m in members if bash.address_of_(m) not in inside]
        return {0: 0, 1: 1, 3: 2}[len(outside)]

    return Question(
        "bash is on the process list, among init's children, and in the ring of its own threads. "
        "How many list nodes did the kernel allocate for that, besides bash's task_struct?",
        [
            Option(
                "none",
                "Yes. Each link is a member of the task_struct: a list more costs 16 bytes in it, "
                "and linking cannot fail for lack of memory.",
            ),
            Option(
                "one, which is on all three lists",
                "A link has one `next`: it can be on one list at a time.",
            ),
            Option(
                "three, one for each list",
                "Three links, yes, but they are not allocated: they are members of the task_struct.",
            ),
        ],
        answer,
    )


@bank.asked_in("04")
def where_fork_puts_the_child() -> Question:
    """Where fork links the child, and with which number."""

    def forked() -> tuple[Any, int]:
        k = session.boot()
        bash = k.spawn("bash")
        gone = k.call(bash, "fork")
        k.spawn("cron")
        k.call(k.task(gone), "exit", 0)
        k.call(bash, "waitpid", gone, 0)
        return k, k.call(bash, "fork")

    def answer() -> int:
        k, child = forked()
        pids = [task.pid for task in k.tasks()]
        places = [[1, 2, 3, 4, 5], [1, 2, 3, 6, 5], [1, 2, 3, 5, 6], [6, 1, 2, 3, 5]]
        assert child in pids
        return places.index(pids)

    def shows() -> Any:
        k, child = forked()
        return view.task_list(k, focus=child, limit=3)

    return Question(
        "On the list are 1, 2, 3 (bash) and 5 (cron); number 4 was a child of bash, has exited and "
        "has been waited for. Now bash forks. What is the list then?",
        [
            Option(
                "1 2 3 4 5: the child takes the lowest free number, and its place",
                "Numbers go up; a free one is not taken until they wrap. And the list is not "
                "sorted by number.",
            ),
            Option(
                "1 2 3 6 5: the child comes right behind its parent",
                "The list knows no families; those are in `children` and `sibling`.",
            ),
            Option(
                "1 2 3 5 6: the child comes last", "Yes: before the head, which is behind the last."
            ),
            Option(
                "6 1 2 3 5: the child comes first",
                "That is what list_add would do. fork uses the one with _tail.",
            ),
        ],
        answer,
        shows,
    )


@bank.asked_in("04")
def when_a_walk_meets_it() -> Question:
    """After which of the four stores a new entry is there."""

    def answer() -> int:
        bench = Workbench("AB", "C")
        made = bench.stores("list_add_tail_rcu", "C", "head")
        return ["C" in bench.walk("next", past) for _, past in made].index(True)

    return Question(
        "fork links the child with four stores: 1. child.next, 2. child.prev, 3. next of the one "
        "before it, 4. prev of the head. A walk along `next` may come by at any time, without a lock. "
        "After which store does it meet the child?",
        [
            Option(
                "the first",
                "Now the child leads to the head. But nobody leads to the child.",
            ),
            Option("the second", "The child is complete. But nobody leads to it yet."),
            Option(
                "the third",
                "Yes. That store publishes the child, and by then its own words are set.",
            ),
            Option(
                "the fourth",
                "The fourth is for who comes backward. Forward, the child is there before.",
            ),
        ],
        answer,
    )


@bank.asked_in("04")
def does_exit_unlink() -> Question:
    """Whether a dead process is still on the list."""

    def answer() -> int:
        k, _, bash = _two()
        child = k.call(bash, "fork")

        def listed() -> bool:
            return child in [task.pid for task in k.tasks()]

        k.call(k.task(child), "exit", 0)
        if not listed():
            return 0
        k.call(bash, "waitpid", child, 0)
        return 2 if listed() else 1

    return Question(
        "bash's child calls exit. bash has not waited for it yet. Is the child on the process list?",
        [
            Option(
                "no: exit takes it off the list",
                "exit gives back its memory and its files. Its task_struct stays, with the status "
                "for the parent, and it stays on the list.",
            ),
            Option(
                "yes, until bash waits for it", "Yes. It is a zombie; release_task() unlinks it."
            ),
            Option(
                "yes, until bash exits too",
                "Parents that live on reap their children, by wait.",
            ),
        ],
        answer,
    )


@bank.asked_in("04")
def what_a_stray_store_does() -> Question:
    """What the next fork makes of a corrupted list."""

    def corrupted() -> tuple[Any, Any]:
        k, kthreadd, bash = _two()
        bash.tasks.next = kthreadd.tasks
        return k, k.call(bash, "fork")

    def answer() -> int:
        k, child = corrupted()
        if k.panic is not None:
            return 0
        warned = any(event.name == "WARN" for event in k.events())
        linked = k.machine.symbol("init_task").tasks.prev == k.task(child).tasks
        return 2 if warned and not linked else 3

    return Question(
        "bash is the last on the list. A stray store makes `bash.tasks.next` point back at kthreadd. "
        "Then bash forks, in a kernel that was built with CONFIG_DEBUG_LIST. What happens?",
        [
            Option(
                "the kernel stops at once",
                "Only if it was built to (CONFIG_BUG_ON_DATA_CORRUPTION). By default it warns and "
                "goes on.",
            ),
            Option(
                "fork fails and returns -1", "list_add_tail returns nothing; fork cannot notice."
            ),
            Option(
                "fork succeeds, but the child is not linked, and the log has a warning",
                "Yes. `prev->next` is not `next`, so __list_add_valid() says no, and the list is "
                "left as it is. The child runs, and no walk meets it.",
            ),
            Option(
                "fork links the child, which repairs the list",
                "Nothing repairs a list; the check only keeps the damage from spreading.",
            ),
        ],
        answer,
    )
