"""What readers write when one idea is not right yet: (function, case that fails first, words that
the report must have)."""

import contextlib

from kernelsim import container_of

TASKS, COMM = 0x1D8, 0x3A8


def wrong(case, words):
    def mark(function):
        function.case, function.words = case, words
        return function

    return mark


class comm_of:
    @wrong("the task called init", "returns None")
    def forgot_to_return(m, link):
        m.read(link - TASKS + COMM, 16)

    @wrong("the task called init", "points into the middle")
    def from_the_middle(m, link):
        return m.read(link + COMM, 16)  # what stands there is another member in each layout

    @wrong("the task called init", "it is a subtraction")
    def added(m, link):
        return m.read(link + TASKS + COMM, 16)

    @wrong("the task called init", "not part of it")
    def with_its_padding(m, link):
        return m.read(link - TASKS + COMM, 16)

    @wrong("the task called init", "That is a str")
    def as_text(m, link):
        return m.read(link - TASKS + COMM, 16).split(b"\0")[0].decode()

    @wrong("the task called kthreadd", "the name is b'kthreadd'")
    def cut_short(m, link):
        return m.read(link - TASKS + COMM, 4).rstrip(b"\0")

    @wrong("the task called init", "how the task_struct begins")
    def beginning_of_the_struct(m, link):
        return m.read(link - TASKS, 16)

    @wrong("the task called init", "the words `next` and `prev`")
    def the_link_itself(m, link):
        return m.read(link, 16)

    @wrong("the task called swapper/0", "raises Fault")
    def only_the_direct_map(m, link):
        return m.read((link & 0xFFFF_8880_FFFF_FFFF) - TASKS + COMM, 16).split(b"\0")[0]

    @wrong("the task called init", "raises NameError: name 'offset' is not defined (line 3: ")
    def misspelt(m, link):
        return m.read(link - offset, 16)  # noqa: F821


class list_add:
    @wrong("into an empty list", "head.prev is &head, and should be &N.link")
    def three_of_four(new, head):
        new.next = head.next
        new.prev = head
        head.next = new

    @wrong("into an empty list", "read after it had been overwritten")
    def too_early(new, head):
        head.next = new
        new.next = head.next
        new.prev = head
        new.next.prev = new

    @wrong("before the only entry", "so does list_add_tail()")
    def at_the_tail(new, head):
        last = head.prev
        head.prev = new
        new.next = head
        new.prev = last
        last.next = new

    @wrong("into an empty list", "stores nothing")
    def nothing(new, head):
        pass

    @wrong("into an empty list", "two of the four words are `prev`")
    def singly_linked(new, head):
        new.next = head.next
        head.next = new

    @wrong("before the only entry", "A.link.prev is &head, and should be &N.link")
    def forgot_the_neighbour(new, head):
        new.next = head.next
        new.prev = head
        head.next = new
        if new.next == head:
            head.prev = new

    @wrong("after an entry in the middle, for any link can play the head", "should be")
    def only_after_the_head(new, head):
        while head.address_ != 0xFFFF888000100000:  # where the workbench has its head
            head = head.prev
        list_add_rightly(new, head)

    @wrong("into an empty list", "runs for ever")
    def endless(new, head):
        while head.next:
            head = head.next

    @wrong("into an empty list", "runs for ever")
    def endless_and_deaf(new, head):
        while True:
            with contextlib.suppress(Exception):
                new.next = head

    @wrong("into an empty list", "raises AttributeError: struct list_head has no member 'nxt'")
    def misspelt(new, head):
        new.next = head.nxt

    @wrong("into an empty list", "raises SystemExit")
    def gave_up(new, head):
        raise SystemExit

    @wrong("into an empty list", "NULL pointer dereference")
    def through_null(new, head):
        new.next.prev = head


def list_add_rightly(new, head):
    head.next.prev = new
    new.next = head.next
    new.prev = head
    head.next = new


class list_for_each_entry:
    @wrong("an empty list", "None: it is to be a generator")
    def no_yield(type, head, member):
        pass

    @wrong("one entry", "the structs around them")
    def links(type, head, member):
        pos = head.next
        while pos != head:
            yield pos
            pos = pos.next

    @wrong("an empty list", "where does it end?")
    def until_null(type, head, member):
        pos = head.next
        while pos:
            yield container_of(pos, type, member)
            pos = pos.next

    @wrong("an empty list", "The head is in no struct")
    def head_too(type, head, member):
        yield container_of(head, type, member)
        pos = head.next
        while pos != head:
            yield container_of(pos, type, member)
            pos = pos.next

    @wrong("three entries", "along `prev`")
    def backwards(type, head, member):
        pos = head.prev
        while pos != head:
            yield container_of(pos, type, member)
            pos = pos.prev

    @wrong("one entry", "The only entry is missing")
    def one_short(type, head, member):
        pos = head.next
        while head not in (pos.next, pos):
            yield container_of(pos, type, member)
            pos = pos.next

    @wrong("one entry", "The only entry is missing")
    def first_lost(type, head, member):
        pos = head.next
        while pos != head:
            pos = pos.next
            if pos != head:
                yield container_of(pos, type, member)

    @wrong("three entries", "The last one is missing")
    def ends_at_the_last(type, head, member):
        pos = head.next
        while pos != head.prev or pos.next == pos.prev != pos:
            yield container_of(pos, type, member)
            pos = pos.next
            if pos == head:
                return

    @wrong("three entries", "The first one is missing")
    def begins_at_the_second(type, head, member):
        pos = head.next if head.next.next == head else head.next.next
        while pos != head:
            yield container_of(pos, type, member)
            pos = pos.next

    @wrong("structs with their link elsewhere", "should yield A, B, C")
    def offset_by_heart(type, head, member):
        pos = head.next
        while pos != head:
            offset = 16 if member == "link" else type.offsetof_(member)
            yield type(pos.machine_, pos.address_ - offset)
            pos = pos.next

    @wrong("one entry", "A as (struct list_head *)0xffff888000100100")
    def of_the_wrong_type(type, head, member):
        pos = head.next
        while pos != head:
            yield head.type_(pos.machine_, pos.address_ - type.offsetof_(member))
            pos = pos.next

    @wrong("an empty list", "runs for ever")
    def stuck(type, head, member):
        while head.next == head:
            pass
        yield head
