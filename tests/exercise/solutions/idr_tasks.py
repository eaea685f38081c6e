"""What a reader may have written about the IDR, when everything is right; and with one idea that is not."""

SHIFT, SLOTS = 0, 0x28


def idr_find(m, head, id):
    entry, first = head, True
    while entry & 3 == 2:
        node = entry - 2
        shift = m.read(node + SHIFT, 1)[0]
        if first and id >> shift > 63:
            return 0
        first = False
        entry = m.read_u64(node + SLOTS + 8 * (id >> shift & 63))
        if shift == 0:
            break
    return entry


def wrong(case, words):
    def mark(function):
        function.case, function.words = case, words
        return function

    return mark


class wrong_idr_find:
    @wrong("an empty IDR", "returns None")
    def stub(m, head, id):
        pass

    @wrong("one node", "should be 0xffff")
    def nothing(m, head, id):
        return 0

    @wrong("two levels", "two low bits are 10")
    def one_level(m, head, id):
        if not head:
            return 0
        shift = m.read(head - 2, 1)[0]
        return m.read_u64(head - 2 + SLOTS + 8 * (id >> shift & 63))

    @wrong("beyond what the tree reaches", "this one is beyond")
    def without_a_look_at_the_top(m, head, id):
        entry = head
        while entry & 3 == 2:
            shift = m.read(entry - 2, 1)[0]
            entry = m.read_u64(entry - 2 + SLOTS + 8 * (id >> shift & 63))
        return entry

    @wrong("one node", "raises")
    def the_node_is_where_the_word_says(m, head, id):
        return m.read_u64(head + (1 << 60)) if head else 0
