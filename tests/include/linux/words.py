"""Lists in bare memory: a machine, and heads and entries wherever a test wants them."""

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.types import list_head
from kernelsim.machine import ctype, memory
from kernelsim.machine.machine import Machine
from kernelsim.machine.ref import Struct

BASE = memory.DIRECT_MAP + 0x1000


class item(Struct):
    """An entry whose link is not at its start, and whose size is no power of two."""

    number = ctype.s32
    link = list_head
    other = list_head
    padding = ctype.array(ctype.u64, 3)


# A machine with nothing in it; its memory is not shared out by anyone.
def bare(*, record=False):
    return Machine(32 << 20, record=record)


# The items number 0 … count - 1, side by side.
def items(m, count):
    found = [item(m, BASE + 0x100 + i * item.sizeof_) for i in range(count)]
    for i, one in enumerate(found):
        one.number = i
    return found


# The texts of the warnings so far; the machine must be recording.
def warnings(m):
    return [event.fields["text"] for event in m.trace.events() if event.name == "WARN"]


# The (address, old value, new value) of each word stored since the journal was `start` long.
def stores(m, start):
    records = list(m.undo_records(start, len(m.journal)))[::-1]
    later = {}
    found = []
    for i, old in records[::-1]:
        found.append((memory.DIRECT_MAP + 8 * i, old, later.get(i, m.u64[i])))
        later[i] = old
    return found[::-1]


# An empty list at `BASE + 16 * i`.
def head_at(m, i=0):
    head = list_head(m, BASE + 16 * i)
    lists.INIT_LIST_HEAD(head)
    return head


# A list of `count` items, in order, as (head, items).
def filled(m, count):
    head, found = head_at(m), items(m, count)
    for one in found:
        lists.list_add_tail(one.link, head)
    return head, found


def numbers(head):
    forward = [one.number for one in lists.list_for_each_entry(item, head, "link")]
    backward = [one.number for one in lists.list_for_each_entry_reverse(item, head, "link")]
    assert backward == forward[::-1]
    assert lists.validate_list(head) == len(forward)
    return forward
