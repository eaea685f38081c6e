"""Functions on tasks that a reader writes: whom a task has below it, who is called so, who adopts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import session, view
from kernelsim.exercise import checker, family, judging
from kernelsim.exercise.checker import Case, Finding
from kernelsim.include.linux.list import list_for_each_entry
from kernelsim.include.linux.sched import TASK_COMM_LEN, signal, task_struct
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux.sched import CLONE_NEWPID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["count_descendants", "find_new_parent", "find_task_by_comm"]


SMALL = "40M"  # the memory of a machine with a few tasks


def _said(value: Any) -> str:
    if not isinstance(value, task_struct):
        return judging.short(value)
    try:
        return f"task {value.pid} ({value.comm.string_().decode(errors='replace')})"
    except Exception as error:  # noqa: BLE001 - a pointer into nowhere
        return f"{value!r}, where there is no task ({type(error).__name__})"


# --- count_descendants ------------------------------------------------------------------------

# Who forks (0 is the shell, 1 the first child, …), and who exits then.
_TREES: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = (
    ("a task without children", (), ()),
    ("one child", (0,), ()),
    ("two children", (0, 0), ()),
    ("a child and a grandchild", (0, 1), ()),
    ("a chain of five", (0, 1, 2, 3), ()),
    ("a zombie, which is a child until somebody waits", (0, 0, 1, 1), (2,)),
    ("three children, with children of their own", (0, 0, 0, 1, 1, 3, 4), ()),
)


@checker.exercise("count_descendants", "how many tasks are below a task")
def count_descendants() -> Iterator[Case]:
    """Cases for ``count_descendants(task)``: children, their children, and so on; an int is wanted."""
    for words, forks, exits in _TREES:
        yield Case(words, _counted(forks, exits))


def _counted(forks: tuple[int, ...], exits: tuple[int, ...]) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        k = session.boot(record=False, memory=SMALL)
        members = [k.spawn("sh")]
        for who in forks:
            members.append(k.task(k.call(members[who], "fork")))
        for who in exits:
            k.call(members[who], "exit", 0)
        shell = members[0]
        right, children = _below(shell), len(_children(shell))
        dead = sum(bool(task.exit_state) for task in members)
        ideas = [
            (right + 1, "The task itself is not below itself."),
            (children, "Those are its children; theirs are missing."),
            (right - dead, "A zombie is still there: its parent has not waited for it."),
            (
                0,
                "`children` is the head of the list; the links on it are the children's `sibling`.",
            ),
        ]
        picture = view.process_tree(k, focus=shell)
        return judging.judge(
            function, (shell,), "count_descendants(sh)", right, ideas, picture=picture
        )

    return run


def _children(task: Any) -> list[Any]:
    return list(list_for_each_entry(task_struct, task.children, "sibling"))


def _below(task: Any) -> int:
    return sum(1 + _below(child) for child in _children(task))


# --- find_task_by_comm ------------------------------------------------------------------------

_NAMES = ("sshd", "bash", "cron", "bash", "a-very-long-name-of-a-program")
_WANTED = (
    ("the first process on the list", "init"),
    ("a process in the middle", "sshd"),
    ("the last process of that name is not the first", "bash"),
    ("a name that begins like another", "ssh"),
    ("a name that nobody has", "vim"),
    ("a name that was cut to 15 characters", _NAMES[-1][: TASK_COMM_LEN - 1]),
    ("the name of init_task, which heads the list and is not on it", "swapper/0"),
)


@checker.exercise("find_task_by_comm", "the first process on the list that is called so")
def find_task_by_comm() -> Iterator[Case]:
    """Cases for ``find_task_by_comm(init_task, name)``: name is bytes; task_struct * or None."""
    for words, name in _WANTED:
        yield Case(f"{words}: {name}", _found(name.encode()))


def _found(name: bytes) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        k = session.boot(record=False, memory=SMALL)
        for one in _NAMES:
            k.spawn(one)
        init_task: Any = k.machine.symbol("init_task")
        called = [t for t in signal.for_each_process(k.machine) if t.comm.string_() == name]
        begins = [t for t in k.tasks() if t.comm.string_().startswith(name)]
        right = called[0] if called else None
        ideas: list[tuple[Any, str]] = [
            (called[-1] if called else None, "That is the last one of that name, not the first."),
            (begins[0] if begins else None, "Its name only begins so. Compare the whole name."),
            (init_task, "init_task is the head of the list: a walk begins behind it."),
        ]
        return judging.judge(
            function, (init_task, name), f"find_task_by_comm(init_task, {name!r})", right, ideas,
            picture=view.task_list(k), shown=_said,
        )  # fmt: skip

    return run


# --- find_new_parent --------------------------------------------------------------------------

# A chain of processes below init, each the child of the one before (0 is the shell): how long, who
# is a subreaper, who began a namespace (0: nobody), who dies.
_CHAINS: tuple[tuple[str, int, tuple[int, ...], int, int], ...] = (
    ("nobody but init can adopt", 3, (), 0, 1),
    ("the grandparent is no subreaper", 4, (), 0, 2),
    ("the parent of the dead one is a subreaper", 3, (0,), 0, 1),
    ("a subreaper farther up", 5, (0,), 0, 3),
    ("two subreapers above", 5, (0, 2), 0, 3),
    ("the dead one itself was a subreaper", 4, (2,), 0, 2),
    ("a subreaper below is not above", 4, (2,), 0, 1),
    ("in a namespace, which has an init of its own", 5, (), 2, 3),
    ("a subreaper outside the namespace is not asked", 5, (0,), 2, 3),
    ("a subreaper inside the namespace is", 6, (0, 3), 2, 4),
)


@checker.exercise("find_new_parent", "who adopts the children of a task that dies")
def find_new_parent() -> Iterator[Case]:
    """Cases for ``find_new_parent(father)``: struct task_struct * of whom the kernel will take."""
    for words, length, subreapers, container, dying in _CHAINS:
        yield Case(words, _adopted(length, subreapers, container, dying))


def _chain(length: int, subreapers: tuple[int, ...], container: int) -> tuple[Any, list[Any]]:
    k: Any = session.boot(record=False, memory=SMALL)
    members = [k.spawn("sh")]
    for place in range(1, length):
        new = container == place
        call = ("clone", CLONE_NEWPID | SIGCHLD) if new else ("fork",)
        k.call(members[-1], *call)
        members.append(k.tasks()[-1])
    for place in subreapers:
        family.make_subreaper(k, members[place].pid)
    return k, members


def _adopted(
    length: int, subreapers: tuple[int, ...], container: int, dying: int
) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        later, ended = _chain(length, subreapers, container)
        later.call(ended[dying], "exit", 0)
        adopter = ended[dying + 1].real_parent.pid
        k, members = _chain(length, subreapers, container)
        father, right = members[dying], k.task(adopter)
        near = [n for n in subreapers if n < dying]
        ideas = [
            (father, "The father is the one who dies."),
            *((members[n], "That subreaper is not asked first: go up from the father, one at a time.")
              for n in near if not container or n >= container),
            *((members[n], "It is in another namespace: look at `thread_pid.level` on the way up.")
              for n in near if n < container),
            (father.real_parent, "The grandparent adopts only if it is a subreaper, or an init."),
            (members[container], "A subreaper on the way up comes before the namespace's init."),
            (k.init, "Init is the last resort: a subreaper, or the init of a namespace, comes first."),
        ]  # fmt: skip
        picture = view.process_tree(k, focus=father)
        return judging.judge(
            function, (father,), f"find_new_parent({_said(father)})", right, ideas,
            picture=picture, shown=_said,
        )  # fmt: skip

    return run
