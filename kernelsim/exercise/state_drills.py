"""Drills about the life and the end of a process: its state letter, and its status word."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import session, view
from kernelsim.exercise import drill, family
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux.wait import WUNTRACED

if TYPE_CHECKING:
    from kernelsim.exercise.question import Question

__all__ = ["status_word"]  # the topics are found by name: drill.topics()


# --- the state letter -------------------------------------------------------------------------

GONE = "none: it is no longer there"
MEANS = {
    "R": "R is for who runs or could run at once",
    "S": "S is for who sleeps and may be woken by a signal",
    "D": "D is for who sleeps and is woken by no signal, or by a deadly one only",
    "T": "T is for who was stopped by a signal, and goes on with SIGCONT",
    "Z": "Z is for who is dead, while nobody has waited for it",
    GONE: "Gone is who is dead and was waited for",
}
IS = {
    "R": "it is in no call that sleeps, so it could run",
    "S": "it is in a call that sleeps until something happens",
    "D": "it waits for its vfork child, until that exits or calls execve",
    "T": "it was stopped, and nobody has let it go on",
    "Z": "it is dead, and its parent has not waited for it",
    GONE: "it is dead, and its parent has waited for it",
}
SIGNALS = ("SIGTERM", "SIGKILL", "SIGSTOP", "SIGCONT")


class _Scene(NamedTuple):
    # A shell, its family and what they did: (what, who, whom).
    first: int
    steps: tuple[tuple[str, int, int], ...] = ()

    def play(self) -> Any:
        k: Any = session.boot(record=False)
        family.start_numbers_at(k, self.first)
        k.spawn("sh")
        for step in self.steps:
            _take(k, *step)
        return k

    def words(self) -> list[str]:
        words = {
            "fork": "{0} forks {1}",
            "exit": "{0} exits",
            "wait": "{0} calls waitpid for {1}",
            "pause": "{0} calls pause",
            "read": "{0} makes a pipe and reads from it",
            "vfork": "{0} calls vfork: its child is {1}",
        }
        kill = "{0} sends {2} to {1}"
        return [f"    `{words.get(w, kill).format(who, whom, w)}`" for w, who, whom in self.steps]


def _take(k: Any, what: str, who: int, whom: int) -> None:
    if what in {"fork", "vfork"}:
        k.call(who, what)
    elif what == "exit":
        k.call(who, "exit", 0)
    elif what == "wait":
        k.call(who, "waitpid", whom, 0)
    elif what == "pause":
        k.call(who, "pause")
    elif what == "read":
        end, _ = k.call(who, "pipe")
        k.call(who, "read", end, 1)
    else:
        k.call(who, "kill", whom, getattr(signal, what))


# The letters of all members of the family that are still there.
def _letters(k: Any) -> dict[int, str]:
    return {task.pid: sched.task_state_to_char(task) for task in k.tasks() if task.pid > 2}


# A scene of some steps; who can do what, the machine says as the scene goes on.
def _scene(dice: Dice, length: int, kinds: str) -> tuple[_Scene, dict[int, str]]:
    scene = _Scene(dice.between(3, 90))
    k, following = scene.play(), scene.first + 1
    while len(scene.steps) < length:
        letters = _letters(k)
        awake = [n for n, letter in letters.items() if letter == "R"]
        what = dice.pick(kinds.split()) if scene.steps else "fork"
        if not awake:
            break
        who, whom = dice.pick(awake), 0
        if what in {"fork", "vfork"}:
            whom = following
        elif what == "wait":
            of = [t.pid for t in k.tasks() if t.real_parent.pid == who and t.pid > 2]
            whom = dice.pick(of) if of else 0
        elif what in SIGNALS:
            others = [n for n in letters if n != who]
            whom = dice.pick(others) if others else 0
        if (not whom and what in {"wait", *SIGNALS}) or (what == "exit" and len(awake) == 1):
            continue
        following += what in {"fork", "vfork"}
        _take(k, what, who, whom)
        scene = scene._replace(steps=(*scene.steps, (what, who, whom)))
    return scene, _letters(k)


def _letter(scene: _Scene, who: int) -> str:
    return _letters(scene.play()).get(who, GONE)


@drill.topic("the state letter")
def _state(dice: Dice) -> Question:
    kinds = dice.grade(
        "fork fork exit pause wait read",
        "fork fork exit wait wait pause read SIGTERM SIGSTOP",
        "fork fork vfork exit wait pause SIGTERM SIGKILL SIGSTOP SIGCONT",
    )
    while True:
        scene, letters = _scene(dice, dice.grade(2, 4, 7), kinds)
        told = sorted({n for _, one, other in scene.steps[-2:] for n in (one, other) if n})
        # Letters that few calls lead to are to come as often as the others.
        letter = dice.pick(sorted({letters.get(n, GONE) for n in told}))
        who = dice.pick([n for n in told if letters.get(n, GONE) == letter])
        if letter not in {"R", "S"} or dice.below(dice.level + 1) == 0:
            break
    right = _letter(scene, who)
    wrong = [Answer(letter, f"{MEANS[letter]}; {who} is not: {IS[right]}.") for letter in MEANS]
    prompt = "\n".join(
        [
            f"The shell, number {scene.first}, is a child of init. Nobody handles or ignores signals;",
            "who is in no call computes. One after the other,",
            *scene.words(),
            f"Which letter does ps show for the state of {who} then?",
        ]
    )
    return drill.choice(
        dice,
        prompt,
        lambda: _letter(scene, who),
        [Answer(right, f"Yes: {IS[right]}."), *dice.shuffled(wrong)],
        shows=lambda: view.process_tree(scene.play()),
    )


# --- the status word --------------------------------------------------------------------------

# Signals whose default action ends a process without a core dump.
STOPPING = ("SIGSTOP",)  # the others do nothing in a process group without a shell above it
DEADLY = ("SIGHUP", "SIGINT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM")


class _End(NamedTuple):
    # What its parent is told of a child: it ended by _exit(code), or by a signal, or was stopped.
    code: int = 0
    signal: str = ""

    def __str__(self) -> str:
        if self.signal in STOPPING:
            return f"it is stopped by {self.signal}, signal {getattr(signal, self.signal)}"
        if self.signal:
            return f"it is killed by {self.signal}, signal {getattr(signal, self.signal)}"
        return f"it calls _exit({self.code})"

    def word(self) -> int:
        return status_word(self.code, self.signal)


@functools.cache
def status_word(code: int, name: str) -> int:
    """Return what waitpid() stores of a child that called _exit(code), or got the signal `name`."""
    k: Any = session.boot(record=False)
    parent = k.spawn("sh")
    pid = k.call(parent, "fork")
    if name:
        k.call(parent, "kill", pid, getattr(signal, name))
    else:
        k.call(pid, "_exit", code)
    found, word = k.call(parent, "waitpid", pid, WUNTRACED)
    assert found == pid
    return int(word)


def _end(dice: Dice) -> _End:
    if dice.below(3) == 0:
        stopped = dice.level > 1 and dice.below(3) == 0
        return _End(signal=dice.pick(STOPPING if stopped else DEADLY))
    if dice.level == 1:
        return _End(dice.below(256))
    return _End(dice.pick((dice.below(256), dice.between(256, 1023), -1 - dice.below(8))))


@drill.topic("the status word")
def _status(dice: Dice) -> Question:
    end = _end(dice)
    if dice.level == 1:
        return _forwards(dice, end)
    kind = dice.pick(("forwards", "backwards")) if dice.level == 2 else dice.pick(tuple(MACROS))
    if kind == "forwards":
        return _forwards(dice, end)
    return _backwards(dice, end) if kind == "backwards" else _macro(dice, end, kind)


def _forwards(dice: Dice, end: _End) -> Question:
    number = getattr(signal, end.signal) if end.signal else end.code
    low = "the low seven bits are the signal, and 0 if there was none"
    right = "Yes: the exit code is the second byte, and only its low eight bits are kept."
    if end.signal:
        right = f"Yes: {low}."
    if end.signal in STOPPING:
        right = "Yes: 0x7f says stopped, and the second byte by which signal."
    wrong = [
        Answer(f"{number & 0xFFFFFFFF:#06x}", f"That is the code as it was given; {low}."),
        Answer(f"{(number & 0xFF) << 8:#06x}", f"That would be _exit({number & 0xFF}); {low}."),
        Answer(f"{(number & 0xFFFF) << 8:#06x}", "Of the exit code only eight bits are kept."),
        Answer(f"{number & 0x7F:#06x}", f"That would be a death by signal {number & 0x7F}."),
        Answer(f"{128 + (number & 0x7F):#06x}", "128 is added by a shell, for its `$?`; "
               "in the word bit 7 says that core was dumped."),
        Answer(f"{(number & 0xFF) << 8 | 0x7F:#06x}", "0x7f in the low byte means: stopped, not dead."),
        Answer("0xffff", "That is what says: continued."),
        Answer("0x0000", "That is _exit(0)."),
    ]  # fmt: skip
    return drill.choice(
        dice,
        f"Of a child: {end}. Which status word does its parent's waitpid(), with WUNTRACED, store?",
        lambda: f"{end.word():#06x}",
        [Answer(f"{end.word():#06x}", right), *dice.shuffled(wrong)],
    )


def _backwards(dice: Dice, end: _End) -> Question:
    word = end.word()
    high, low = word >> 8, word & 0x7F

    def text(end: _End) -> str:
        return str(end) if end.signal else f"it calls _exit({end.code & 0xFF}), or that plus 256"

    found = [end, _End(code=word), _End(code=low), _End(code=128 + low), *map(_End, range(1, 5))]
    found += [_End(signal=name) for name in DEADLY if getattr(signal, name) == high & 0x7F]
    found += [_End(signal=name) for name in dice.shuffled((*DEADLY, *STOPPING))]
    offered = {text(one): one for one in reversed(found)}
    wrong = [Answer(t, f"Then the word is {one.word():#06x}.") for t, one in offered.items()
             if one.word() != word]  # fmt: skip
    return drill.choice(
        dice,
        f"waitpid() has stored the status word {word:#06x}. What happened to the child?",
        lambda: next(t for t, one in offered.items() if one.word() == word),
        [Answer(text(end), "Yes: the low seven bits are the signal that killed it; with 0 the next byte is "
                "the exit code, with 0x7f the signal that stopped it."), *dice.shuffled(wrong)],
    )  # fmt: skip


MACROS = {
    "WIFEXITED": "true if the low seven bits are 0",
    "WIFSIGNALED": "true if the low seven bits are a signal: neither 0 nor 0x7f",
    "WEXITSTATUS": "the second byte, whatever the first one says",
    "WTERMSIG": "the low seven bits",
    "WIFSTOPPED": "true if the low byte is 0x7f",
    "$?": "in a shell: the exit code, or 128 and the signal that ended or stopped it",
}


def _value(macro: str, word: int) -> int:
    low, code = word & 0x7F, word >> 8 & 0xFF
    if macro == "$?":
        return 128 + (code if low == 0x7F else low) if low else code
    return {
        "WIFEXITED": int(low == 0),
        "WIFSIGNALED": int(low not in {0, 0x7F}),
        "WEXITSTATUS": code,
        "WTERMSIG": low,
        "WIFSTOPPED": int(word & 0xFF == 0x7F),
    }[macro]


def _macro(dice: Dice, end: _End, macro: str) -> Question:
    word = end.word()
    number = getattr(signal, end.signal) if end.signal else end.code
    asked = "What is `$?` in a shell that waited for it" if macro == "$?" else (
        f"What is {macro}(status) in its parent")  # fmt: skip
    why = f"`{macro}` is {MACROS[macro]}, and the word is {word:#06x}."
    others = [_value(other, word) for other in MACROS]
    likely = [number, *others, word, 128 + (number & 0x7F), number & 0xFF, 0, 1, 255]
    return drill.choice(
        dice,
        f"Of a child: {end}. {asked}?",
        lambda: str(_value(macro, end.word())),
        [
            Answer(str(_value(macro, word)), f"Yes: {why}"),
            *dice.shuffled(Answer(str(n), why) for n in dict.fromkeys(likely[:8])),
            *(Answer(str(n), why) for n in likely),
        ],
    )
