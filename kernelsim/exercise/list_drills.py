"""Drills about linked lists: what container_of computes, what bytes say, what calls do to a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.exercise.workbench import SIZE, Workbench
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.linux.types import list_head
from kernelsim.machine import memory
from kernelsim.machine.machine import Machine
from kernelsim.machine.ref import container_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.exercise.question import Question

__all__: list[str] = []  # the topics are found by name: drill.topics()

MEMBERS = ("tasks", "children", "sibling", "thread_group", "thread_node", "ptraced")
LETTERS = "ABCDE"


# --- container_of -----------------------------------------------------------------------------


@drill.topic("container_of")
def _container_of(dice: Dice) -> Question:
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


# --- the bytes of a link ----------------------------------------------------------------------


@drill.topic("bytes")
def _bytes(dice: Dice) -> Question:
    order = dice.shuffled(LETTERS[:4])
    bench = Workbench(order, slots=dice.shuffled(range(6))[:4])
    name, word = dice.pick(order), dice.pick(("next", "prev"))
    link, other = bench.link(name), "prev" if word == "next" else "next"
    table = [f"    `{one:<6}{bench.link(one).address_:#x}`" for one in ["head", *bench.names]]
    prompt = "\n".join(
        [
            f"These 16 bytes are the link of {name}:",
            f"    `{link.hexdump_()[18:66]}`",
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


# --- calls, forwards and backwards ------------------------------------------------------------


class _Call(NamedTuple):
    function: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(_link, self.names))})"


def _link(name: str) -> str:
    return f"&{name}" if name == "head" else f"&{name}.link"


# Each function, and its near relative that somebody may take it for.
RELATIVES = {
    "list_add": "list_add_tail",
    "list_add_tail": "list_add",
    "list_move": "list_move_tail",
    "list_move_tail": "list_move",
}


# A few calls that make sense one after the other, on a list that begins as `order`.
def _calls(dice: Dice, order: list[str], spare: list[str], count: int) -> list[_Call]:
    inside, outside = list(order), list(spare)
    found: list[_Call] = []
    while len(found) < count:
        kind = dice.pick(("list_add", "list_add_tail", "list_del", "list_move", "list_move_tail"))
        if kind.startswith("list_add") and outside:
            name = outside.pop(dice.below(len(outside)))
            inside.append(name)
        elif kind.startswith("list_move") and len(inside) > 1:
            name = dice.pick(inside)
        elif kind == "list_del" and len(inside) > 1 and not any(c.function == kind for c in found):
            name = inside.pop(dice.below(len(inside)))
        else:
            continue
        found.append(_Call(kind, (name,) if kind == "list_del" else (name, "head")))
    return found


def _after(order: list[str], spare: list[str], calls: list[_Call]) -> Workbench:
    bench = Workbench(order, spare)
    for call in calls:
        bench.do(call.function, *call.names)
    return bench


# The same calls with slips: one or all of them mistaken for a relative, one forgotten.
def _slips(calls: list[_Call]) -> Iterator[tuple[list[_Call], str]]:
    def swapped(call: _Call) -> _Call:
        return call._replace(function=RELATIVES.get(call.function, call.function))

    for i, call in enumerate(calls):
        if call.function in RELATIVES:
            there = (
                "first, right after the head"
                if "tail" not in call.function
                else "last, right before the head"
            )
            slip = [*calls[:i], swapped(call), *calls[i + 1 :]]
            yield slip, f"`{call}` puts the entry {there}."
    for i, call in enumerate(calls):
        yield [*calls[:i], *calls[i + 1 :]], f"That would be so without `{call}`."
    yield (
        [swapped(call) for call in calls],
        "The functions with _tail append, those without prepend.",
    )


def _beginning(dice: Dice) -> tuple[list[str], list[str], list[_Call]]:
    size = 2 + dice.below(2)
    order, spare = list(LETTERS[:size]), list(LETTERS[size:])
    return order, spare, _calls(dice, order, spare, 2 + dice.below(2))


@drill.topic("what will the list be")
def _forwards(dice: Dice) -> Question:
    order, spare, calls = _beginning(dice)
    prompt = "\n".join(
        [f"The list is {' '.join(order)}. What is it after", *(f"    `{call}`" for call in calls)]
    )
    answers = [Answer(_after(order, spare, calls).walk(), "Yes.")]
    answers += [Answer(_after(order, spare, slip).walk(), why) for slip, why in _slips(calls)]
    rest = dice.shuffled(_after(order, spare, calls).walk().split())
    answers.append(Answer(" ".join(rest), "Go through the calls one at a time, from the head on."))
    answers.append(Answer(" ".join(rest[::-1]), "Go through the calls one at a time."))
    return drill.choice(
        dice,
        prompt,
        lambda: _after(order, spare, calls).walk(),
        answers,
        shows=lambda: _after(order, spare, calls).picture("After these calls"),
    )


@drill.topic("which calls led here")
def _backwards(dice: Dice) -> Question:
    order, spare, calls = _beginning(dice)
    end = _after(order, spare, calls).walk()
    prompt = f"The list was {' '.join(order)}, and now is {end}. Which calls led here?"
    made = {"; ".join(map(str, calls)): calls}
    answers = [Answer(next(iter(made)), "Yes.")]
    for slip, _ in _slips(calls):
        led = _after(order, spare, slip).walk()
        text = "; ".join(map(str, slip))
        if led != end and slip:
            made[text] = slip
            answers.append(Answer(text, f"That leads to {led}."))

    def answer() -> str:
        return next(t for t, tried in made.items() if _after(order, spare, tried).walk() == end)

    return drill.choice(
        dice, prompt, answer, answers,
        shows=lambda: _after(order, spare, calls).picture("The list now"),
    )  # fmt: skip


# --- what is left in a deleted entry ----------------------------------------------------------

DELETIONS = {
    "list_del": "list_del() joins the neighbours and poisons both words of the entry.",
    "list_del_init": "list_del_init() makes the entry an empty list of its own.",
    "list_del_rcu": "list_del_rcu() leaves `next` for readers who stand on the entry, and poisons `prev`.",
}


@drill.topic("what is left")
def _left(dice: Dice) -> Question:
    order = dice.shuffled("ABC")
    function, name, word = dice.pick(list(DELETIONS)), dice.pick(order), dice.pick(("next", "prev"))

    def value(function: str) -> str:
        bench = _after(order, [], [_Call(function, (name,))])
        return bench.called(bench.words()[f"{name}.link.{word}"])

    before = Workbench(order)
    old = before.called(before.words()[f"{name}.link.{word}"])
    answers = [Answer(value(function), f"Yes. {DELETIONS[function]}")]
    answers += [
        Answer(text, f"No. {DELETIONS[function]}")
        for text in (old, f"&{name}.link", "LIST_POISON1", "LIST_POISON2", "NULL")
    ]
    return drill.choice(
        dice,
        f"The list is {' '.join(order)}. After {function}(&{name}.link), what is {name}.link.{word}?",
        lambda: value(function),
        answers,
        shows=lambda: _after(order, [], [_Call(function, (name,))]).picture(f"After {function}"),
    )


# --- between the stores -----------------------------------------------------------------------

_INSERTIONS = ("list_add", "list_add_tail", "list_add_rcu", "list_add_tail_rcu")


@drill.topic("the order of the stores")
def _store_order(dice: Dice) -> Question:
    call = _Call(dice.pick(_INSERTIONS), ("C", "head"))

    def stored(function: str = call.function) -> list[str]:
        return [text for text, _ in Workbench("AB", "C").stores(function, *call.names)]

    name = call.function.removesuffix("_rcu")
    rcu, plain, careful = call.function != name, stored(name), stored(f"{name}_rcu")
    hasty = [careful[2], careful[3], careful[0], careful[1]]
    note = (
        "An _rcu function fills in the new entry before anything points to it."
        if rcu
        else "__list_add() begins at the neighbour after it and ends with the store that a reader "
        "going forward follows."
    )
    answers = [Answer("; ".join(stored()), f"Yes. {note}")]
    answers += [Answer("; ".join(plain), f"So does the one without _rcu. {note}")]
    answers += [Answer("; ".join(careful), f"So does the one with _rcu. {note}")]
    answers += [
        Answer(
            "; ".join(hasty), f"A reader would walk into an entry whose words are not set. {note}"
        ),
        Answer("; ".join(plain[::-1]), f"The entry would be found before it leads on. {note}"),
    ]
    prompt = f"The list is A B. In which order does {call} store?"
    return drill.choice(dice, prompt, lambda: "; ".join(stored()), answers)


@drill.topic("between the stores")
def _between(dice: Dice) -> Question:
    call = _Call(dice.pick(_INSERTIONS), ("C", "head"))
    count, word = 1 + dice.below(3), dice.pick(("next", "prev"))

    def walked() -> str:
        bench = Workbench("AB", "C")
        return bench.walk(word, bench.stores(call.function, *call.names)[count - 1][1])

    bench = Workbench("AB", "C")
    made = bench.stores(call.function, *call.names)
    way = "forward, along `next`" if word == "next" else "backward, along `prev`"
    prompt = "\n".join(
        [
            f"The list is A B, and {call} has made {count} of its 4 stores:",
            *(f"    `{text}`" for text, _ in made[:count]),
            f"Somebody now walks {way}, from the head. What is met?",
        ]
    )
    answers = [Answer(walked(), "Yes.")]
    answers += [Answer(bench.walk(word, past), "That is so at another moment.") for _, past in made]
    before, other = Workbench("AB", "C"), "prev" if word == "next" else "next"
    answers += [
        Answer(before.walk(word), "So it was before the call; follow the words as they are now."),
        Answer(bench.walk(other), "That is the other direction."),
        Answer("astray", "Every word on this way points to a link of the list."),
        Answer("nothing", "The head does not point to itself."),
    ]
    return drill.choice(dice, prompt, walked, answers)
