"""Drills about programs that fork: how many processes there are, and what is printed how often.

The program in the question is the one that runs: its text is compiled as it stands.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from kernelsim import runs
from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernelsim.exercise.question import AnyQuestion

__all__ = ["program_of", "program_text", "to_a_terminal"]

MOST = 48  # of a letter that is printed, or of processes: what a reader still wants to count


# --- the text of a program --------------------------------------------------------------------


def program_of(text: str) -> Callable[[Any], Any]:
    """Return the program (`async def main(libc)`) whose text that is."""
    scope: dict[str, Any] = {}
    exec(compile(text, "<drill>", "exec"), scope)  # noqa: S102 - our own text
    program: Callable[[Any], Any] = scope["main"]
    return program


def to_a_terminal(text: str) -> str:
    """Return the program as it acts on a terminal: there stdio writes each line when it ends."""
    return re.sub(r'^( *)await libc\.printf\("(.*)\\n"\)$', r"\g<0>\n\1await libc.fflush()", text,
                  flags=re.MULTILINE)  # fmt: skip


def program_text(prompt: str) -> str:
    """Return the text of the program that a question shows."""
    lines = [line[5:-1] for line in prompt.splitlines() if line.startswith("    `")]
    return "\n".join(lines) + "\n"


def _shown(lines: list[str]) -> list[str]:
    return [f"    `{line}`" for line in ["async def main(libc):", *(f"    {x}" for x in lines)]]


# What comes of running the text: how often it printed each letter, and how many processes it was.
@functools.lru_cache(maxsize=64)
def _run(text: str) -> tuple[bytes, int]:
    run = runs.run(program_of(text), record=False)
    forks = [call for call in run.records if call.name == "fork" and call.result]
    return run.stdout, 1 + len(forks)


def _count(text: str, letter: str) -> int:
    return _run(text)[0].count(letter.encode())


# --- how many processes -----------------------------------------------------------------------

FORK = "await libc.fork()"
IF_CHILD = "if await libc.fork() == 0:"
IF_PARENT = "if await libc.fork() != 0:"


# Statements that fork, as lines.
def _forks(dice: Dice) -> list[str]:
    if dice.level == 1:
        return [FORK] * dice.between(1, 4)
    lines: list[str] = []
    for _ in range(dice.grade(1, 2, 3)):
        kinds = dice.grade(
            ("",), ("loop", "fork", "if"), ("loop", "fork", "if", "return", "nested")
        )
        kind, n = dice.pick(kinds), dice.between(2, 3)
        condition = dice.pick((IF_CHILD, IF_PARENT))
        lines += {
            "loop": [f"for _ in range({n}):", f"    {FORK}"],
            "fork": [FORK],
            "if": [condition, f"    {FORK}"],
            "return": [condition, "    return"],
            "nested": [f"for _ in range({n}):", f"    {condition}", "        break"],
        }[kind]
    return lines


@drill.topic("how many processes")
def _processes(dice: Dice) -> AnyQuestion:
    while True:
        lines = _forks(dice)
        for _ in range(dice.between(0, 3)):  # what else the program does makes no process
            lines.insert(dice.pick([i for i in range(len(lines) + 1) if _outer(lines, i)]),
                         dice.pick(("await libc.getpid()", "await libc.getppid()",
                                    "await libc.sched_yield()", "await libc.umask(0o22)",
                                    'await libc.printf("hello")', "x = 1", "await libc.getpgrp()")))  # fmt: skip
        text = program_text("\n".join(_shown(lines)))
        forks = sum(FORK[6:] in line for line in lines)
        if forks and 1 < _run(text)[1] <= MOST:
            break
    right = _run(text)[1]
    wrong = [
        Answer(str(right - 1), "Count the first process too: it was there before the first fork."),
        Answer(str(forks + 1), "Children go on after the fork that made them, and fork as well."),
        Answer(
            str(2**forks), "Not every process comes to every fork, and a loop comes to one often."
        ),
        Answer(str(forks), "Each fork that a process comes to makes one more, in every process."),
        Answer(str(2 * right), "So it would be with one fork more."),
    ]
    fill = [Answer(str(right + n), "Draw the tree, fork by fork.") for n in (1, 2, 3)]
    prompt = [
        "How many processes has this program been when all have ended, the first one counted?",
        *_shown(lines),
    ]
    yes = Answer(str(right), "Yes: whoever comes to a fork leaves it as two.")
    return _counted(
        dice, "\n".join(prompt), lambda: str(_run(text)[1]), [yes, *dice.shuffled(wrong), *fill]
    )


# Easy: one of several; hard: a number, with nothing to choose from.
def _counted(
    dice: Dice, prompt: str, answer: Callable[[], str], answers: list[Answer]
) -> AnyQuestion:
    if dice.level == 3:
        return drill.number(prompt, answer, answers)
    return drill.choice(dice, prompt, answer, answers)


# Whether another statement can stand before line `i`: not between an `if` and what is in it.
def _outer(lines: list[str], i: int) -> bool:
    return i == len(lines) or not lines[i].startswith(" ")


# --- what is printed how often ----------------------------------------------------------------


# Statements that print letters and fork; each letter is printed by one statement.
def _prints(dice: Dice) -> list[str]:
    letters = iter("abcdefgh")
    lines = [_print(dice, next(letters))]
    for _ in range(dice.grade(1, 2, 3)):
        kind = dice.pick(
            dice.grade(("fork",), ("fork", "loop"), ("fork", "loop", "child", "leave"))
        )
        inside = _print(dice, next(letters))
        lines += {
            "fork": [FORK, inside],
            "loop": [f"for _ in range({dice.between(2, 3)}):", f"    {FORK}", f"    {inside}"],
            "child": [dice.pick((IF_CHILD, IF_PARENT)), f"    {inside}"],
            "leave": [dice.pick((IF_CHILD, IF_PARENT)), f"    {inside}",
                      f"    await libc.{dice.pick(('exit', '_exit'))}(0)"],
        }[kind]  # fmt: skip
        if dice.level == 3 and dice.below(4) == 0:
            lines.append("await libc.fflush()")
    return [*lines, _print(dice, next(letters))]


def _print(dice: Dice, letter: str) -> str:
    way = dice.pick(
        dice.grade(("write",), ("printf", "printf", "write"), ("printf", "printf", "write"))
    )
    end = "\\n" if way == "printf" and dice.below(2) else ""
    if dice.level == 1:
        letter += dice.pick(("", "!", " ", "."))
    return f'await libc.write(1, b"{letter}")' if way == "write" else (
        f'await libc.printf("{letter}{end}")')  # fmt: skip


@drill.topic("what is printed how often")
def _printed(dice: Dice) -> AnyQuestion:
    terminal = dice.level > 1 and dice.below(2) == 1
    while True:
        lines = _prints(dice)
        text = program_text("\n".join(_shown(lines)))
        letter = dice.pick(sorted(set(re.findall(r'"(\w)', text))))
        if 0 <= _count(_real(text, terminal=terminal), letter) <= MOST:
            break

    def answer() -> str:
        return str(_count(_real(text, terminal=terminal), letter))

    where = "a terminal" if terminal else "a pipe"
    right = _why(text, letter, terminal=terminal)
    right_count = int(answer())
    wrong = [
        Answer(
            str(_count(re.sub(r'printf\("', 'write(1, b"', text), letter)),
            "printf is no system call: it fills a buffer of the process, and fork copies that too.",
        ),
        Answer(
            str(_count(_real(text, terminal=not terminal), letter)),
            f"So it is on {'a pipe' if terminal else 'a terminal'}. To a terminal stdio writes when "
            "a line ends, to a pipe when the buffer is full or the program exits.",
        ),
        Answer("1", "Each process that comes there prints it."),
        Answer(str(_run(text)[1]), "Not every process comes to that statement once."),
        Answer(
            str(_count(re.sub(r"libc\._exit\(", "libc.exit(", text), letter)),
            "_exit ends the process at once: what is still in the buffer is lost.",
        ),
    ]
    fill = [
        Answer(str(n), "Go through the program fork by fork, with a buffer for each process.")
        for n in (2 * right_count, right_count + 1, right_count + 2, right_count // 2, 0, 3)
    ]
    prompt = [
        *_shown(lines),
        f"The standard output of this program is {where}. How often is `{letter}` printed in the end?",
    ]
    return _counted(
        dice, "\n".join(prompt), answer, [Answer(answer(), right), *dice.shuffled(wrong), *fill]
    )


# The text that does here what the program does there: our libc's stdio knows only a pipe.
def _real(text: str, *, terminal: bool) -> str:
    return to_a_terminal(text) if terminal else text


def _why(text: str, letter: str, *, terminal: bool) -> str:
    line = next(line for line in text.splitlines() if f'"{letter}' in line)
    if "write(" in line:
        return "Yes: write goes out at once, once for each process that comes to it."
    if terminal and "\\n" in line:
        return "Yes: on a terminal the end of the line writes it out, before any later fork."
    return "Yes: it waits in stdio's buffer, and each fork copies the buffer with what is in it."
