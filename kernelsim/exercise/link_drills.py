"""Drills about links in structs: what container_of computes, and what bytes say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.exercise.workbench import SIZE, Workbench, crate, parcel
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.types import list_head
from kernelsim.machine import memory
from kernelsim.machine.machine import Machine
from kernelsim.machine.ref import container_of

if TYPE_CHECKING:
    from kernelsim.exercise.question import Question

__all__: list[str] = []  # the topics are found by name: drill.topics()

MEMBERS = ("tasks", "children", "sibling", "thread_group", "thread_node", "ptraced")
LETTERS = "ABCDE"


# --- container_of -----------------------------------------------------------------------------


@drill.topic("container_of")
def _container_of(dice: Dice) -> Question:
    if dice.level == 1:
        return _small_container_of(dice)
    if dice.level == 3:
        return _from_member_to_member(dice)
    member, other = dice.shuffled(MEMBERS)[:2]
    m = Machine(SIZE)
    start = memory.DIRECT_MAP + 0x10_0000 + dice.below(0x4000) * 64
    link = list_head(m, start + task_struct.offsetof_(member))
    offset, wrong = task_struct.offsetof_(member), task_struct.offsetof_(other)
    table = sorted((task_struct.offsetof_(name), name) for name in (member, other, "comm"))
    prompt = "\n".join(
        [
            f"The struct list_head *pos is {link.address_:#x}, the address of `{member}` in a",
            "task_struct, in which",
            *(f"    `{name:<13} is at offset {at:#5x}`" for at, name in table),
            f"What is container_of(pos, struct task_struct, {member})?",
        ]
    )
    return drill.choice(
        dice,
        prompt,
        lambda: f"{container_of(link, task_struct, member).address_:#x}",
        [
            Answer(
                f"{start:#x}", f"Yes: pos - {offset:#x}. One subtraction, nothing is looked up."
            ),
            Answer(
                f"{link.address_ + offset:#x}",
                "That adds the offset. The member lies above the beginning of its struct, so the "
                "way back goes down.",
            ),
            Answer(
                f"{link.address_:#x}",
                "That is pos itself, the address of the member. The struct begins before it.",
            ),
            Answer(
                f"{link.address_ - wrong:#x}",
                f"That subtracts the offset of `{other}`. Nothing would stop you: container_of "
                "believes the member that you name.",
            ),
        ],
    )


# The same with a small struct, and offsets that can be subtracted in the head.
def _small_container_of(dice: Dice) -> Question:
    kind = dice.pick((parcel, crate))
    m, offset = Machine(SIZE), kind.offsetof_("link")
    start = memory.DIRECT_MAP + 0x10_0000 + dice.below(0x4000) * 64
    link = list_head(m, start + offset)
    name = kind.__name__
    prompt = (
        f"In a struct {name} of {kind.sizeof_} bytes the member `link` is at offset {offset:#x}. "
        f"The link `pos` lies at {link.address_:#x}. What is container_of(pos, struct {name}, link)?"
    )
    answers = [
        Answer(f"{start:#x}", f"Yes: pos - {offset:#x}. One subtraction, nothing is looked up."),
        Answer(f"{link.address_ + offset:#x}", "That adds the offset; the struct begins below."),
        Answer(f"{link.address_:#x}", "That is pos itself, the address of the member."),
        Answer(
            f"{link.address_ - kind.sizeof_:#x}",
            "That subtracts the size of the struct: so it would be if the link came after its end.",
        ),
    ]
    return drill.choice(
        dice, prompt, lambda: f"{container_of(link, kind, 'link').address_:#x}", answers
    )


# From one member to another one of the same struct: a subtraction and an addition.
def _from_member_to_member(dice: Dice) -> Question:
    member, target = dice.shuffled(MEMBERS)[:2]
    m, there = Machine(SIZE), dice.pick((target, "comm", "pid"))
    start = memory.DIRECT_MAP + 0x10_0000 + dice.below(0x4000) * 64
    one, two = task_struct.offsetof_(member), task_struct.offsetof_(there)
    link = list_head(m, start + one)
    prompt = (
        f"The struct list_head *pos is {link.address_:#x}, the address of `{member}` in a task_struct, "
        f"which is at offset {one:#x}; `{there}` is at offset {two:#x}. "
        f"What is &container_of(pos, struct task_struct, {member})->{there}?"
    )
    answers = [
        Answer(f"{start + two:#x}", f"Yes: down by {one:#x}, up by {two:#x}."),
        Answer(f"{start:#x}", f"That is where the struct begins; `{there}` lies {two:#x} above."),
        Answer(
            f"{link.address_ + two:#x}",
            "The offset counts from the beginning of the struct; first go down to it.",
        ),
        Answer(f"{link.address_ + one - two:#x}", "The signs are the other way round."),
        Answer(f"{start - two:#x}", f"Down by {one:#x} was right; a member lies above, so up now."),
    ]
    return drill.choice(
        dice,
        prompt,
        lambda: f"{container_of(link, task_struct, member).address_of_(there):#x}",
        answers,
    )


# --- the bytes of a link ----------------------------------------------------------------------


@drill.topic("bytes")
def _bytes(dice: Dice) -> Question:
    size = dice.grade(3, 4, 5)
    order = dice.shuffled(LETTERS[:size])
    bench = Workbench(order, slots=dice.shuffled(range(size + 2))[:size])
    name, word = dice.pick(order), dice.pick(("next", "prev"))
    link, other = bench.link(name), "prev" if word == "next" else "next"
    table = [f"    `{one:<6}{bench.link(one).address_:#x}`" for one in ["head", *bench.names]]
    shown = [f"These 16 bytes are the link of {name}:", f"    `{link.hexdump_()[18:66]}`"]
    if dice.level == 3:  # the whole struct
        lines = bench.entries[name].hexdump_().splitlines()
        at = link.address_ - bench.entries[name].address_
        shown = [
            f"These are the bytes of the struct {name}; its `link` is at offset {at}:",
            *(f"    `{line[18:66].rstrip()}`" for line in lines),
        ]
    prompt = "\n".join(
        [
            *shown,
            "The links of the list lie at",
            *table,
            f"Where does `{word}` of {name} point?",
        ]
    )
    names = {bench.link(one).address_: one for one in ["head", *bench.names]}
    half = "first" if word == "next" else "last"
    right = names[getattr(link, word).address_]
    answers = [
        Answer(right, f"Yes: the {half} eight bytes, lowest byte first."),
        Answer(
            names[getattr(link, other).address_],
            f"That is `{other}`. A list_head is `next`, then `prev`; `{word}` is the {half} eight "
            "bytes.",
        ),
        Answer(name, f"That is where these bytes lie, not what they say. Read the {half} eight."),
    ]
    answers += [
        Answer(one, "Look for its address in the bytes: x86-64 stores the lowest byte first.")
        for one in names.values()
    ]
    return drill.choice(
        dice,
        prompt,
        lambda: names[getattr(link, word).address_],
        answers,
        shows=lambda: bench.picture(f"The link of {name} and the others"),
    )
