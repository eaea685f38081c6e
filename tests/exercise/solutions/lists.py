"""What a reader may have written in the chapter on the process list, when everything is right."""

from kernelsim import container_of


def comm_of(m, link):
    task = link - 0x1D8
    return m.read(task + 0x3A8, 16).split(b"\0")[0]


def list_add(new, head):
    next = head.next
    next.prev = new
    new.next = next
    new.prev = head
    head.next = new


def list_for_each_entry(type, head, member):
    pos = head.next
    while pos != head:
        yield container_of(pos, type, member)
        pos = pos.next
