"""The questions of the chapter on the IDR about the tree, alloc_pid(), the old hash table, and harm.

Every answer is computed on a machine of its own.
"""

from __future__ import annotations

from typing import Any

from kernelsim import session
from kernelsim.exercise import bank
from kernelsim.exercise.number import Number
from kernelsim.exercise.order import Order, Step
from kernelsim.exercise.question import Option, Question

__all__ = [
    "how_long_the_chains_are",
    "how_many_nodes_64_needs",
    "how_many_nodes_5000_needs",
    "in_which_order_alloc_pid_goes",
    "what_a_wrong_bit_does",
    "what_null_means",
    "what_removing_does_to_the_tags",
    "which_bits_are_clear",
    "which_slots_5000_takes",
]

SMALL = "40M"  # the memory of a machine with a few tasks


def _idr(*numbers: int) -> Any:
    # An IDR in which these numbers are in use.
    ids = session.boot(memory=SMALL, record=False).idr()
    for number in numbers:
        ids.alloc(start=number, end=number + 1)
    return ids


# A kernel, and its shell with number 3.
def _shell() -> tuple[Any, Any]:
    k: Any = session.boot(memory=SMALL, record=False)
    return k, k.spawn("bash")


# --- the tree ---------------------------------------------------------------------------------


@bank.asked_in("06")
def which_bits_are_clear() -> Number:
    """What the tag of a leaf says."""

    def answer() -> int:
        k, bash = _shell()
        for _ in range(2):
            k.call(bash, "fork")
        node = k.machine.symbol("init_pid_ns").idr.idr_rt.xa_head
        tags = k.machine.read_u64(node - 2 + 0x228)
        return 64 - int(tags).bit_count()

    return Number(
        "A machine has the processes 1 to 5. In the leaf of their IDR, 64 bits say of each slot "
        "whether it is free. How many of these bits are 0?",
        answer,
        {
            6: "Number 0 is never given: its slot stays free for ever.",
            59: "A bit that is set says *free*; five are not.",
            0: "A number in use has its bit cleared.",
        },
        yes="Yes, bits 1 to 5. Bit 0 stays set, for 0 is never given.",
    )


@bank.asked_in("06")
def how_many_nodes_64_needs() -> Number:
    """What the tree is when a 65th index is used."""

    def answer() -> int:
        return len(_idr(*range(1, 65)).nodes())

    return Number(
        "Numbers 1 to 63 are in use, all in one node with 64 slots. Now 64 is given. How many nodes "
        "does the tree have then?",
        answer,
        {
            1: "A node has slots 0 to 63; 64 is one too many.",
            2: "Two leaves, yes; but who leads to them? The root is one pointer.",
        },
        yes="Yes: two leaves, and one above that leads to both.",
    )


@bank.asked_in("06")
def how_many_nodes_5000_needs() -> Number:
    """How many nodes one far number needs."""

    def answer() -> int:
        return len(_idr(5000).nodes())

    return Number(
        "An empty IDR. One number is taken in it, 5000, and no other. How many nodes does the tree "
        "have?",
        answer,
        {
            1: "One node has 64 slots: it reaches 63.",
            79: "79 leaves would hold 0 to 5055, but leaves that nobody needs are not made.",
            2: "Two levels reach 64 times 64, that is 4095.",
        },
        yes="Yes: as many as 5000 has digits of six bits. The empty leaves are not there.",
        no="Each level multiplies by 64: 63, 4095, 262143.",
    )


@bank.asked_in("06")
def which_slots_5000_takes() -> Question:
    """The digits of a number are the slots on the way to it."""

    def answer() -> int:
        way = tuple(step.slot for step in _idr(5000).path(5000))
        return [(5, 0, 0), (1, 14, 8), (8, 14, 1), (78, 8)].index(way)

    return Question(
        "Three nodes lead to 5000. Which slots does a look-up take, from the top down? "
        "(5000 = 1·4096 + 14·64 + 8.)",
        [
            Option("5, 0, 0", "Those are decimal digits; 64 slots want digits from 0 to 63."),
            Option("1, 14, 8", "Yes: six bits of the number choose the slot of each node."),
            Option(
                "8, 14, 1", "The top node has the highest digit: it divides the numbers in large."
            ),
            Option("78, 8", "A node has no slot 78, and there are three nodes."),
        ],
        answer,
    )


@bank.asked_in("06")
def what_removing_does_to_the_tags() -> Question:
    """How far a bit travels when a full leaf gets a free slot."""

    def answer() -> int:
        ids = _idr(*range(1, 128))
        before = {node.address: node.full for node in ids.nodes()}
        ids.remove(100)
        after = {node.address: node.full for node in ids.nodes()}
        return sum(before[node] != after[node] for node in before) - 1

    return Question(
        "1 to 127 are in use: the leaf for 64 to 127 is full. 100 is freed. In how many nodes does a "
        "bit of IDR_FREE change?",
        [
            Option(
                "in one: the leaf", "The node above says that the whole leaf is full. That is over."
            ),
            Option(
                "in two: the leaf, and the one above",
                "Yes: the leaf has a free slot again, and the node above has one with room.",
            ),
            Option(
                "in three: both leaves, and the one above", "The other leaf knows nothing of it."
            ),
        ],
        answer,
    )


@bank.asked_in("06")
def what_null_means() -> Question:
    """Whether a slot that holds NULL is free."""

    def answer() -> int:
        ids = session.boot(memory=SMALL, record=False).idr()
        number = ids.alloc(0)
        if ids.find(number) is not None:
            return 2
        return 1 if ids.alloc(0) != number else 0

    return Question(
        "A number is taken with NULL as its pointer. A look-up of it gives NULL. Is the number free?",
        [
            Option(
                "yes: NULL is what a free slot holds",
                "A free slot does hold NULL, but so may one in use. NULL does not decide.",
            ),
            Option(
                "no: its bit of IDR_FREE is cleared",
                "Yes: the tag decides. alloc_pid() takes a number with NULL first, so that nobody "
                "finds the struct pid before it is complete.",
            ),
            Option("NULL is refused: a number needs a pointer", "An IDR takes NULL."),
        ],
        answer,
    )


# --- alloc_pid --------------------------------------------------------------------------------

_STEPS = (
    Step(
        "`kmem_cache_alloc()`: a struct pid from its cache",
        "First of all, and before any lock is taken: it may sleep.",
        "kmem_cache_alloc",
    ),
    Step(
        "`idr_preload()`: nodes are put aside",
        "Right before the number: what follows runs under a lock, and must not wait for memory.",
        "idr_preload",
    ),
    Step(
        "`idr_alloc_cyclic()`: a number, with NULL for a pointer",
        "After memory is there, before anything is said of the number.",
        "idr_alloc_cyclic",
    ),
    Step(
        "`init_waitqueue_head()`: the struct pid is made ready",
        "Between the number and its publication.",
        "init_waitqueue_head",
    ),
    Step(
        "`idr_replace()`: NULL becomes the struct pid",
        "Last: from here on find_pid_ns() finds it, so it has to be complete.",
        "idr_replace",
    ),
    Step(
        "`attach_pid()`: the task is put on the struct pid's lists",
        "Not here: copy_process() does that when alloc_pid() has long returned.",
        "attach_pid",
    ),
    Step(
        "`idr_find()`: is the number free?",
        "Nobody asks: idr_alloc_cyclic() gives one that is free.",
        "idr_find",
    ),
)


@bank.asked_in("06")
def in_which_order_alloc_pid_goes() -> Order:
    """The steps of alloc_pid, in order."""
    names = {step.value for step in _STEPS}

    def answer() -> list[str]:
        k: Any = session.boot(memory=SMALL)
        bash, before = k.spawn("bash"), k.now
        k.call(bash, "fork")
        found: list[str] = []
        depth = 0
        for event in k.events(before):
            if event.name == "alloc_pid":
                depth = 1 if event.kind == "enter" else 0
            elif depth and event.kind in {"enter", "exit"}:
                if event.kind == "enter" and depth == 1 and event.name in names:
                    found.append(event.name)
                depth += 1 if event.kind == "enter" else -1
        return found

    return Order(
        "What does alloc_pid() do, in which order? Leave out what it does not do.",
        _STEPS,
        answer,
        yes="Yes: memory first, then the number, and only a complete struct pid is published.",
    )


# --- the hash table, and harm -----------------------------------------------------------------


@bank.asked_in("06")
def how_long_the_chains_are() -> Question:
    """How long the chains of the old hash table become."""

    def answer() -> int:
        old = session.boot(memory="64M", record=False).pid_hash(1024)
        for _ in range(32767):
            old.alloc()
        return {1: 0, 8: 1, 32767: 2}[round(len(old) / old.buckets)]

    return Question(
        "A machine with 1 GiB has made a hash table of 4096 buckets for its process numbers at boot. "
        "It may never be made longer. With 32,767 processes, how many struct pids are on an average "
        "chain?",
        [
            Option(
                "one: that is what a hash table is for", "If it has as many buckets as entries."
            ),
            Option(
                "eight",
                "Yes: 32,767 in 4096 buckets. With two million processes it would be five hundred.",
            ),
            Option("all 32,767", "They are spread: the hash function is a good one."),
        ],
        answer,
    )


@bank.asked_in("06")
def what_a_wrong_bit_does() -> Question:
    """What a tag bit that is set by mistake does."""

    def answer() -> int:
        ids = _idr(0, 1, 2, 3)
        (leaf,) = ids.nodes()
        tags = leaf.address + 0x228
        ids.machine.write_u64(tags, ids.machine.read_u64(tags) | 1 << 2)
        was = ids.find(2)
        number = ids.alloc("new")
        return 1 if number == 2 and ids.find(2) != was else 0

    return Question(
        "0 to 3 are in use. A stray store sets bit 2 in the leaf's IDR_FREE. Then something asks for "
        "a number. What happens?",
        [
            Option(
                "it gets 4: slot 2 is not NULL, so it is not taken",
                "The slot is not looked at. The bit decides.",
            ),
            Option(
                "it gets 2, and what had 2 before is found no more",
                "Yes: two owners of one number, and the first has lost it without a word.",
            ),
            Option("the kernel notices and warns", "Nothing compares tags and slots."),
        ],
        answer,
    )
