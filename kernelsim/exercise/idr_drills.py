"""Drills about the IDR: the next id, the digits of a number, the nodes of a tree, the bits of a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim import session
from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice

if TYPE_CHECKING:
    from kernelsim.exercise.question import AnyQuestion

__all__ = ["Run"]  # the topics are found by name: drill.topics()

FULL = "none: -ENOSPC"
SMALL = "40M"


class Run(NamedTuple):
    """Calls on an IDR, one after the other: (name, number), for an allocation its start."""

    calls: tuple[tuple[str, int], ...]
    end: int = 0  # of all allocations; 0 is none

    def play(self) -> tuple[Any, list[int | None]]:
        """Return an IDR on which it is so, and the number that each allocation gave, None for none."""
        ids: Any = session.boot(memory=SMALL, record=False).idr()
        given: list[int | None] = []
        for name, number in self.calls:
            if name == "remove":
                ids.remove(number)
                continue
            try:
                given.append(getattr(ids, name)("", number, self.end))
            except OSError:
                given.append(None)
        return ids, given

    def lines(self) -> list[str]:
        """Return the calls as text, but for the last one."""
        return [f"    `{self.call(place)}`" for place in range(len(self.calls) - 1)]

    def call(self, place: int) -> str:
        """Return the text of a call."""
        name, number = self.calls[place]
        args = f"{number}" if name == "remove" else f"start={number}, end={self.end}"
        return f"idr_{name}({args})"


# --- the next id ------------------------------------------------------------------------------


def _run(dice: Dice) -> Run:
    end = dice.grade(12, 9, 6) + dice.below(3)
    start = dice.grade(0, 1, 2)
    cyclic = dice.grade(1, 2, 2)  # of three allocations
    calls: list[tuple[str, int]] = []
    ids: Any = session.boot(memory=SMALL, record=False).idr()

    def name() -> str:
        return "alloc_cyclic" if dice.below(3) < cyclic else "alloc"

    for _ in range(dice.grade(5, 7, 8)):
        used = list(ids)
        if len(used) > 1 and dice.below(5) < 2:
            calls.append(("remove", dice.pick(used)))
            ids.remove(calls[-1][1])
            continue
        calls.append((name(), start))
        try:
            getattr(ids, calls[-1][0])("", start, end)
        except OSError:
            calls.pop()
    return Run((*calls, (name(), start)), end)


@drill.topic("the next id")
def _next_id(dice: Dice) -> AnyQuestion:
    run = _run(dice)
    before, given = Run(run.calls[:-1], run.end).play()
    name, start = run.calls[-1]

    def answer() -> str:
        last = run.play()[1][-1]
        return FULL if last is None else str(last)

    used = list(before)
    free = [n for n in range(start, run.end) if n not in used]
    cursor = before.cursor
    above = [n for n in free if n >= cursor]
    right = answer()
    good = {
        "alloc": "Yes: idr_alloc gives the lowest number that is free, wherever the cursor is.",
        "alloc_cyclic": "Yes: from the cursor on, then from the start: the first that is free.",
    }[name]
    wrong = [
        *(Answer(str(free[0]), "That is what idr_alloc would give: the lowest that is free.")
          for _ in free[:1] if name == "alloc_cyclic"),
        *(Answer(str((above or free)[0]), "idr_alloc looks at no cursor.")
          for _ in free[:1] if name == "alloc"),
        Answer(str(cursor), f"{cursor} is the cursor, but it is in use." if cursor in used
               else "The cursor is where a cyclic search begins."),
        Answer(str((max(used, default=-1)) + 1), "The end is exclusive, and the highest in use says nothing."),
        Answer(FULL, "There is a free number in the range."),
        *(Answer(str(n), f"{n} is in use.") for n in used[:2]),
        *(Answer(str(n), "It is free, but another comes first.") for n in free[1:3]),
    ]  # fmt: skip
    numbers = ", ".join("none" if n is None else str(n) for n in given)
    prompt = "\n".join(
        [
            "On an empty IDR, one after the other,",
            *run.lines(),
            f"The allocations have given {numbers}. What does",
            f"    `{run.call(len(run.calls) - 1)}`",
            "give?",
        ]
    )
    return drill.choice(dice, prompt, answer, [Answer(right, good), *wrong])


# --- digits -----------------------------------------------------------------------------------


@drill.topic("the digits of an id")
def _digits(dice: Dice) -> AnyQuestion:
    top = dice.grade(4095, 262_143, 4_194_303)
    number = dice.between(dice.grade(64, 4096, 262_144), top)

    def slots() -> list[int]:
        ids: Any = session.boot(memory=SMALL, record=False).idr()
        ids.alloc(start=number)
        return [step.slot for step in ids.path(number)]

    def answer() -> str:
        return ", ".join(map(str, slots()))

    right = slots()
    lazy = [int(d) for d in str(number)][-len(right) :]
    wrong = [
        (right[::-1], "The top node takes the highest digit."),
        ([*right[:-1], (right[-1] + 32) % 64], "The last digit is the number modulo 64."),
        (lazy, "Those are decimal digits; a slot is chosen by six bits."),
        ([(right[0] + 1) % 64, *right[1:]], f"The top digit is {number} >> {6 * (len(right) - 1)}."),
        ([number >> 6, number & 63], "Each node has 64 slots: no digit is above 63."),
        (right[1:], "One node is missing: how many digits has the number?"),
    ]  # fmt: skip
    answers = [
        Answer(", ".join(map(str, right)), "Yes: from the top, six bits for each node."),
        *(Answer(", ".join(map(str, found)), words) for found, words in dice.shuffled(wrong)),
    ]
    prompt = (
        f"{number} is the only number in an IDR ({number} is {number:#x}, in binary {number:b}). Which "
        "slots does its look-up take, from the top node down?"
    )
    return drill.choice(dice, prompt, answer, answers)


# --- nodes ------------------------------------------------------------------------------------


def _numbers(dice: Dice) -> list[int]:
    edges = dice.grade((0, 63, 64, 200), (63, 64, 4095, 4096), (0, 4095, 4096, 262_143, 262_144))
    found = {dice.pick(edges)}
    while len(found) < dice.grade(3, 2, 3):
        found.add(
            dice.pick((edges[-1], dice.between(0, edges[-1] + 100), dice.between(0, edges[-1])))
        )
    return sorted(found)


@drill.topic("which nodes there are")
def _nodes(dice: Dice) -> AnyQuestion:
    numbers = _numbers(dice)
    removed = numbers[-1] if dice.level > 1 and dice.below(2) else None

    def tree() -> Any:
        ids: Any = session.boot(memory=SMALL, record=False).idr()
        for number in numbers:
            ids.alloc(start=number)
        if removed is not None:
            ids.remove(removed)
        return ids

    leaves = len({number >> 6 for number in numbers if number != removed})
    levels = len(tree().path(next(n for n in numbers if n != removed)))
    answers = [
        Answer(
            str(len(tree().nodes())), "Yes: leaves only where a number is, and what leads to them."
        ),
        Answer(str(leaves), "Those are the leaves. What leads to them?"),
        Answer(str(leaves + 1), "More than two levels, or one only?"),
        Answer(str(levels * len(numbers)), "Nodes on two ways are there once."),
        Answer(str(levels), "As many levels, yes; and on each level?"),
        Answer("1", "A node reaches 64 numbers."),
        Answer("2", "Count the leaves, then what leads to them."),
        Answer("3", "Count the leaves, then what leads to them; one leaf needs nothing above it."),
    ]
    listed = ", ".join(map(str, numbers))
    gone = "" if removed is None else f" Then {removed} is freed."
    prompt = (
        f"In an empty IDR the numbers {listed} are taken.{gone} How many nodes has the tree? "
        "(A node with 64 slots reaches 0 to 63, two levels 0 to 4095, three 0 to 262143.)"
    )
    return drill.number(
        prompt, lambda: str(len(tree().nodes())), answers, shows=lambda: tree().picture()
    )


# --- tags -------------------------------------------------------------------------------------


@drill.topic("the tag of a leaf")
def _tag(dice: Dice) -> AnyQuestion:
    many = dice.grade(3, 4, 5)
    base = dice.grade(0, 64, 640)
    slots = sorted(dice.shuffled(range(8))[:many])
    freed = dice.pick(slots)

    def low_byte() -> int:
        ids: Any = session.boot(memory=SMALL, record=False).idr()
        for slot in slots:
            ids.alloc(start=base + slot)
        ids.remove(base + freed)
        leaf = [node for node in ids.nodes() if not node.shift][-1]
        return int(ids.machine.read_u64(leaf.address + 0x228)) & 0xFF

    used = sum(1 << slot for slot in slots if slot != freed)
    right = f"0x{low_byte():02x}"
    answers = [
        Answer(right, "Yes: a bit that is set says free."),
        Answer(f"0x{used:02x}", "Bits that are set say *free*; those of used slots are cleared."),
        Answer(
            f"0x{0xFF ^ used ^ 1 << freed:02x}", f"{base + freed} was freed: its bit is set again."
        ),
        Answer(f"0x{int(f'{0xFF ^ used:08b}'[::-1], 2):02x}", "Bit 0 is the lowest one."),
        Answer("0xff", "Some are in use."),
        Answer("0x00", "Some are free."),
    ]
    taken = ", ".join(str(base + slot) for slot in slots)
    first = f"from {base} to {base + 7}" if base else "from 0 to 7"
    prompt = (
        f"In an empty IDR the numbers {taken} are taken, then {base + freed} is freed. What is the "
        f"lowest byte of IDR_FREE in their leaf, that of the slots {first}?"
    )
    return drill.choice(dice, prompt, lambda: f"0x{low_byte():02x}", answers)
