"""Drills about linked lists: what calls do to a list, in which order, and what is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernelsim.exercise import drill
from kernelsim.exercise.drill import Answer, Dice
from kernelsim.exercise.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernelsim.exercise.question import Question

__all__: list[str] = []  # the topics are found by name: drill.topics()

LETTERS = "ABCDE"


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
        if dice.level == 1 and "move" in kind:
            continue
        if kind.startswith("list_add") and outside:
            name = outside.pop(dice.below(len(outside)))
            inside.append(name)
        elif kind.startswith("list_move") and len(inside) > 1:
            name = dice.pick(inside)
        elif kind == "list_del" and len(inside) > 1 and _may_delete(dice, found):
            name = inside.pop(dice.below(len(inside)))
        else:
            continue
        found.append(_Call(kind, (name,) if kind == "list_del" else (name, "head")))
    return found


def _may_delete(dice: Dice, calls: list[_Call]) -> bool:
    return sum(call.function == "list_del" for call in calls) < dice.grade(1, 1, 2)


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
    letters = dice.shuffled(LETTERS)
    size = 2 + dice.below(dice.grade(2, 2, 3))
    order, spare = letters[:size], letters[size:]
    return order, spare, _calls(dice, order, spare, dice.grade(2, 3, 4) + dice.below(2))


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
    answers += [
        Answer(" ".join(dice.shuffled(names)), "Go through the calls one at a time.")
        for names in (order, rest, [*rest, *spare])
    ]
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
    order = dice.shuffled(LETTERS)[: 3 + dice.below(2)]
    functions = list(DELETIONS)[: dice.grade(2, 3, 3)]
    name, word = dice.pick(order), dice.pick(("next", "prev"))
    calls = [_Call(dice.pick(functions), (name,))]
    if dice.level == 3:  # then a neighbour goes too
        place = order.index(name)
        neighbour = dice.pick([order[n] for n in (place - 1, place + 1) if 0 <= n < len(order)])
        calls.append(_Call(dice.pick(functions), (neighbour,)))

    def value(calls: list[_Call]) -> str:
        bench = _after(order, [], calls)
        return bench.called(bench.words()[f"{name}.link.{word}"])

    note = DELETIONS[calls[0].function]
    if dice.level == 3:
        note += " What is deleted later no longer knows of it."
    others = [value([_Call(function, (name,))]) for function in DELETIONS]
    answers = [Answer(value(calls), f"Yes. {note}")]
    answers += [
        Answer(text, f"No. {note}")
        for text in (value([]), *others, f"&{name}.link", "&head", "LIST_POISON1", "LIST_POISON2", "NULL")
    ]  # fmt: skip
    said = " and ".join(f"{call.function}(&{call.names[0]}.link)" for call in calls)
    return drill.choice(
        dice,
        f"The list is {' '.join(order)}. After {said}, what is {name}.link.{word}?",
        lambda: value(calls),
        answers,
        shows=lambda: _after(order, [], calls).picture("Afterwards"),
    )


# --- between the stores -----------------------------------------------------------------------

_INSERTIONS = ("list_add", "list_add_tail", "list_add_rcu", "list_add_tail_rcu")


# A list, a new entry, and a call that inserts it; hard ones somewhere in the middle.
def _insertion(dice: Dice) -> tuple[list[str], str, _Call]:
    *order, new = dice.shuffled(LETTERS)[: dice.grade(3, 3, 4) + dice.below(2)]
    function = dice.pick(_INSERTIONS[: dice.grade(2, 4, 4)])
    at = dice.pick(order) if dice.level == 3 and order else "head"
    return order, new, _Call(function, (new, at))


@drill.topic("the order of the stores")
def _store_order(dice: Dice) -> Question:
    order, new, call = _insertion(dice)

    def stored(function: str = call.function) -> list[str]:
        return [text for text, _ in Workbench(order, new).stores(function, *call.names)]

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
    prompt = f"The list is {' '.join(order)}. In which order does {call} store?"
    return drill.choice(dice, prompt, lambda: "; ".join(stored()), answers)


@drill.topic("between the stores")
def _between(dice: Dice) -> Question:
    order, new, call = _insertion(dice)
    count, word = 1 + dice.below(3), dice.pick(("next", "prev"))

    def walked() -> str:
        bench = Workbench(order, new)
        return bench.walk(word, bench.stores(call.function, *call.names)[count - 1][1])

    bench = Workbench(order, new)
    made = bench.stores(call.function, *call.names)
    way = "forward, along `next`" if word == "next" else "backward, along `prev`"
    prompt = "\n".join(
        [
            f"The list is {' '.join(order)}, and {call} has made {count} of its 4 stores:",
            *(f"    `{text}`" for text, _ in made[:count]),
            f"Somebody now walks {way}, from the head. What is met?",
        ]
    )
    answers = [Answer(walked(), "Yes.")]
    answers += [Answer(bench.walk(word, past), "That is so at another moment.") for _, past in made]
    before, other = Workbench(order, new), "prev" if word == "next" else "next"
    answers += [
        Answer(before.walk(word), "So it was before the call; follow the words as they are now."),
        Answer(bench.walk(other), "That is the other direction."),
        Answer("astray", "Every word on this way points to a link of the list."),
        Answer("nothing", "The head does not point to itself."),
    ]
    return drill.choice(dice, prompt, walked, answers)
