"""Functions on clone that a reader writes, and drills: flags for what is to be shared, numbers of threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim import session, view
from kernelsim.exercise import checker, drill, judging
from kernelsim.exercise.checker import Case, Finding
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux import sched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernelsim.exercise.question import AnyQuestion

__all__ = ["flags_for", "ids_of"]

SMALL = "40M"  # the memory of a machine with a few tasks
FLAGS = {
    "mm": sched.CLONE_VM,
    "fs": sched.CLONE_FS,
    "files": sched.CLONE_FILES,
    "sighand": sched.CLONE_SIGHAND,
    "signal": sched.CLONE_THREAD,
}
NEEDS = {"sighand": ("mm",), "signal": ("mm", "sighand")}
THREAD = FLAGS["signal"] | FLAGS["sighand"] | FLAGS["mm"]


def _closed(shared: tuple[str, ...]) -> set[str]:
    return {*shared, *(other for name in shared for other in NEEDS.get(name, ()))}


# --- flags_for --------------------------------------------------------------------------------

_WANTED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("nothing is shared, as by fork", ()),
    ("the memory", ("mm",)),
    ("descriptors and working directory", ("files", "fs")),
    ("the handlers, and what they need", ("sighand",)),
    ("the process itself: a thread", ("signal",)),
    ("all of it", ("mm", "fs", "files", "sighand", "signal")),
)


@checker.exercise("flags_for", "the flags by which clone shares what is wanted")
def flags_for() -> Iterator[Case]:
    """Cases for ``flags_for(shared)``: a set of members of task_struct; the word for clone is wanted."""
    for words, shared in _WANTED:
        yield Case(words, _shared(shared))


def _shared(shared: tuple[str, ...]) -> Callable[[Any], Finding | None]:
    what = (
        f"flags_for({{{', '.join(map(repr, sorted(shared)))}}})" if shared else "flags_for(set())"
    )

    def run(function: Any) -> Finding | None:
        value, trouble = checker.attempt(function, set(shared))
        if trouble:
            return Finding(f"{what} {trouble}")
        if value is None or isinstance(value, bool) or not isinstance(value, int):
            return Finding(
                f"{what} returns {judging.short(value)}: return a number, the flags or-ed."
            )
        return _cloned(what, value, _closed(shared))

    return run


def _cloned(what: str, value: int, wanted: set[str]) -> Finding | None:
    k: Any = session.boot(record=False, memory=SMALL)
    bash = k.spawn("bash")
    try:
        child = k.task(k.call(bash, "clone", value))
    except OSError as error:
        hint = "CLONE_THREAD needs CLONE_SIGHAND, and that needs CLONE_VM."
        return Finding(f"{what} returns {value:#x}, and clone says {error.strerror}.", hint)
    picture = view.sharing(k, bash, child)
    found = {name for name in FLAGS if child.member_(name) == bash.member_(name)}
    for names, words in ((wanted - found, "is not shared"), (found - wanted, "is shared too")):
        if names:
            why = f"{what} returns {value:#x}: {' and '.join(sorted(names))} {words}."
            return Finding(why, "", picture)
    if "signal" not in wanted and child.exit_signal != SIGCHLD:
        hint = "A process tells its parent of its end by a signal: or the number of SIGCHLD to the flags."
        return Finding(
            f"{what} returns {value:#x}: its exit signal is {child.exit_signal}.", hint, picture
        )
    return None


# --- ids_of -----------------------------------------------------------------------------------

_STEPS: tuple[tuple[str, tuple[tuple[int, bool], ...]], ...] = (
    ("nobody calls clone", ()),
    ("a child", ((0, False),)),
    ("a thread", ((0, True),)),
    ("a child, then a thread", ((0, False), (0, True))),
    ("a thread makes a thread", ((0, True), (1, True))),
    ("a thread forks", ((0, True), (1, False))),
    ("a thread of a child", ((0, False), (1, True), (0, True))),
)


@checker.exercise("ids_of", "what getpid and gettid return in each task")
def ids_of() -> Iterator[Case]:
    """Cases for ``ids_of(steps)``: (who, thread) for each clone; the (getpid, gettid) of all are wanted."""
    for words, steps in _STEPS:
        yield Case(words, _numbered(steps))


def _made(steps: tuple[tuple[int, bool], ...]) -> tuple[Any, list[Any]]:
    k: Any = session.boot(record=False, memory=SMALL)
    members = [k.spawn("bash")]
    for who, thread in steps:
        members.append(k.task(k.call(members[who], "clone", THREAD if thread else SIGCHLD)))
    return k, members


def _asked(steps: tuple[tuple[int, bool], ...]) -> list[tuple[int, int]]:
    k, members = _made(steps)
    return [(k.call(task, "getpid"), k.call(task, "gettid")) for task in members]


def _numbered(steps: tuple[tuple[int, bool], ...]) -> Callable[[Any], Finding | None]:
    def run(function: Any) -> Finding | None:
        right = _asked(steps)
        ideas = [
            ([(tid, tid) for _, tid in right], "getpid names no thread: it returns the tgid."),
            ([(3, tid) for _, tid in right], "Who forks makes a new process, with a tgid of its own."),
            (right[1:], "The first of them is bash itself, which nobody here has made."),
        ]  # fmt: skip
        return judging.judge(function, (list(steps),), f"ids_of({list(steps)})", right, ideas)

    return run


# --- drills -----------------------------------------------------------------------------------

_EFFECTS = (
    ("mm", "stores 2 into a variable that is 1", "reads 2 there"),
    ("fs", "changes its working directory", "is there too"),
    ("files", "closes descriptor 3", "finds it closed"),
    ("sighand", "installs a handler for SIGUSR1", "has that handler"),
    ("signal", "calls exit_group()", "ends with it"),
)
_NAMES = {name: f"CLONE_{word}" for name, word in
          zip(FLAGS, ("VM", "FS", "FILES", "SIGHAND", "THREAD"), strict=True)}  # fmt: skip


@drill.topic("which flag shares it")
def _which_flag(dice: Dice) -> AnyQuestion:
    count = dice.grade(1, 2, 3)
    chosen = dice.shuffled(_EFFECTS)[:count]
    shared = tuple(sorted((name for name, _, _ in chosen), key=list(FLAGS).index))
    effects = "; ".join(f"the child {does}, and the caller {sees}" for _, does, sees in chosen)
    prompt = (
        f"A task calls clone(). Then {effects}. Which flags were given, if no more than needed?"
    )

    def said(names: set[str]) -> str:
        return " | ".join(_NAMES[name] for name in FLAGS if name in names) or "none"

    # The smallest set of flags that clone takes and that shares it.
    def answer() -> str:
        k: Any = session.boot(record=False, memory=SMALL)
        bash = k.spawn("bash")
        flags = sum(FLAGS[name] for name in _closed(shared))
        child = k.task(k.call(bash, "clone", flags | SIGCHLD))
        return said({name for name in FLAGS if child.member_(name) == bash.member_(name)})

    wrong = [_closed(tuple(n for n in FLAGS if n != name)) for name in shared]
    others = [name for name in FLAGS if name not in _closed(shared)]
    answers = [
        Answer(said(_closed(shared)), "Yes. Each thing that is shared has its flag."),
        Answer(said(set(shared)), "clone() refuses that with EINVAL: THREAD needs SIGHAND, that VM."),
        *(Answer(said(_closed((*shared, name))), f"{_NAMES[name]} is not needed for it.")
          for name in dice.shuffled(others)),
        *(Answer(said(names), "One flag is missing, or one too many is there.") for names in wrong),
        Answer("none", "That is fork(): nothing of it is shared."),
        Answer(said(set(FLAGS)), "That is a thread with all of it: more than needed."),
    ]  # fmt: skip
    return drill.choice(dice, prompt, answer, answers)


@drill.topic("getpid and gettid")
def _getpid(dice: Dice) -> AnyQuestion:
    count = dice.grade(2, 3, 5)
    steps = [(dice.below(n + 1), bool(dice.below(2))) for n in range(count)]
    steps.append((dice.below(len(steps) + 1), True))
    lines = [
        f"    task {who + 3} makes {'a thread' if thread else 'a child process'}, task {n}"
        for n, (who, thread) in enumerate(steps, 4)
    ]
    last = len(steps) + 3
    prompt = "\n".join(["bash is task 3, alone in its process. Then", *lines,
                        f"What does getpid() return in task {last}?"])  # fmt: skip
    made = tuple(steps)
    right = _asked(made)[-1][0]
    maker = steps[-1][0] + 3
    answers = [
        Answer(str(right), "Yes: the tgid, the number of the first task of the process."),
        Answer(str(last), "That is what gettid() returns. getpid names no thread."),
        Answer(str(maker), "That task has made it; but the process has the number of its first task."),
        *(Answer(str(n), "That is another process, or a thread of it.") for n in range(3, last)),
        Answer("1", "That is init."),
    ]  # fmt: skip
    if dice.level == 3:
        return drill.number(prompt, lambda: str(_asked(made)[-1][0]), answers)
    return drill.choice(dice, prompt, lambda: str(_asked(made)[-1][0]), answers)
