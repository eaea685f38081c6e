"""list.h against Python's lists, and against words laid by hand."""

from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux import _links, rculist
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.types import list_head
from kernelsim.machine.memory import DIRECT_MAP
from tests.include.linux.words import BASE, bare, filled, head_at, item, items, numbers, stores

P1, P2 = 0xDEAD000000000100, 0xDEAD000000000122

# ── Two lists in memory and two lists of Python, changed in the same way. ──────────────────────


class Pair:
    def __init__(self, *, record=False):
        self.m = bare(record=record)
        self.heads = head_at(self.m, 0), head_at(self.m, 1)
        self.items = items(self.m, 12)
        for one in self.items:
            lists.INIT_LIST_HEAD(one.link)
        self.model = [], []
        for n in range(9):
            self.add(int(n > 5), n, tail=True)

    def link(self, n):
        return self.items[n].link

    def home(self, n):
        return next((i for i, found in enumerate(self.model) if n in found), None)

    def add(self, where, n, *, tail):
        if self.home(n) is None:
            (lists.list_add_tail if tail else lists.list_add)(self.link(n), self.heads[where])
            self.model[where].insert(len(self.model[where]) if tail else 0, n)

    def add_behind(self, n, other):
        home = self.home(other)
        if self.home(n) is None and home is not None:
            lists.list_add(self.link(n), self.link(other))
            self.model[home].insert(self.model[home].index(other) + 1, n)

    def delete(self, n, how):
        home = self.home(n)
        if home is not None:
            how(self.link(n))
            self.model[home].remove(n)
            own = self.link(n).address_
            left = (P1, P2) if how is lists.list_del else (own, own)
            assert (self.link(n).next, self.link(n).prev) == left

    def move(self, n, where, *, tail):
        home = self.home(n)
        if home is not None:
            (lists.list_move_tail if tail else lists.list_move)(self.link(n), self.heads[where])
            self.model[home].remove(n)
            self.model[where].insert(len(self.model[where]) if tail else 0, n)

    def replace(self, old, new):
        home = self.home(old)
        if home is not None and self.home(new) is None:
            lists.list_replace_init(self.link(old), self.link(new))
            self.model[home][self.model[home].index(old)] = new

    def swap(self, one, other):
        if one != other and None not in (self.home(one), self.home(other)):
            lists.list_swap(self.link(one), self.link(other))
            names = {one: other, other: one}
            for found in self.model:
                found[:] = [names.get(n, n) for n in found]

    def splice(self, where, *, tail):
        how = lists.list_splice_tail_init if tail else lists.list_splice_init
        how(self.heads[1 - where], self.heads[where])
        moved, to = self.model[1 - where], self.model[where]
        to[len(to) if tail else 0 : 0] = moved
        del moved[:]

    def rotate(self, where):
        lists.list_rotate_left(self.heads[where])
        found = self.model[where]
        found[:] = found[1:] + found[:1]

    def rotate_to_front(self, n):
        home = self.home(n)
        if home is not None:
            lists.list_rotate_to_front(self.link(n), self.heads[home])
            found = self.model[home]
            at = found.index(n)
            found[:] = found[at:] + found[:at]

    def cut(self, n, *, before):
        home = self.home(n)
        if home is not None and not self.model[1 - home]:
            how = lists.list_cut_before if before else lists.list_cut_position
            how(self.heads[1 - home], self.heads[home], self.link(n))
            at = self.model[home].index(n) + (not before)
            self.model[1 - home][:] = self.model[home][:at]
            del self.model[home][:at]

    def bulk_move(self, one, other):
        home = self.home(one)
        if home is not None and home == self.home(other):
            found = self.model[home]
            first, last = sorted((found.index(one), found.index(other)))
            ends = self.link(found[first]), self.link(found[last])
            lists.list_bulk_move_tail(self.heads[home], *ends)
            found[:] = found[:first] + found[last + 1 :] + found[first : last + 1]


N, WHERE, TAIL = st.integers(0, 11), st.integers(0, 1), st.booleans()
STEPS = st.one_of(
    st.builds(lambda w, n, t: lambda p: p.add(w, n, tail=t), WHERE, N, TAIL),
    st.builds(lambda w, n, t: lambda p: p.add(w, n, tail=t), WHERE, N, TAIL),
    st.builds(lambda n, o: lambda p: p.add_behind(n, o), N, N),
    st.builds(lambda n: lambda p: p.delete(n, lists.list_del), N),
    st.builds(lambda n: lambda p: p.delete(n, lists.list_del_init), N),
    st.builds(lambda n: lambda p: p.delete(n, lists.list_del_init_careful), N),
    st.builds(lambda n, w, t: lambda p: p.move(n, w, tail=t), N, WHERE, TAIL),
    st.builds(lambda n, o: lambda p: p.replace(n, o), N, N),
    st.builds(lambda n, o: lambda p: p.swap(n, o), N, N),
    st.builds(lambda w, t: lambda p: p.splice(w, tail=t), WHERE, TAIL),
    st.builds(lambda w: lambda p: p.rotate(w), WHERE),
    st.builds(lambda n: lambda p: p.rotate_to_front(n), N),
    st.builds(lambda n, t: lambda p: p.cut(n, before=t), N, TAIL),
    st.builds(lambda n, o: lambda p: p.bulk_move(n, o), N, N),
)


@given(st.lists(STEPS, max_size=40))
def test_every_operation_does_what_it_does_to_a_python_list(steps):
    pair = Pair()
    for step in steps:
        step(pair)
        for head, found in zip(pair.heads, pair.model, strict=True):
            assert numbers(head) == found
            assert lists.list_empty(head) == lists.list_empty_careful(head) == (not found)
            assert lists.list_is_singular(head) == (len(found) == 1)
            for n in found:
                assert lists.list_is_first(pair.link(n), head) == (n == found[0])
                assert lists.list_is_last(pair.link(n), head) == (n == found[-1])


def test_splicing_without_init_leaves_the_old_head_stale():
    m = bare()
    head, found = filled(m, 3)
    other = head_at(m, 1)
    lists.list_splice(head, other)
    assert numbers(other) == [0, 1, 2]
    assert (head.next, head.prev) == (found[0].link, found[2].link)
    third = head_at(m, 2)
    lists.list_splice_tail(other, third)
    lists.list_splice_tail(head_at(m, 3), third)
    assert numbers(third) == [0, 1, 2]


def test_cutting_at_the_head_moves_nothing_and_cutting_before_it_moves_all():
    m = bare()
    head, _ = filled(m, 3)
    taken = head_at(m, 1)
    lists.list_cut_position(taken, head, head)
    assert (numbers(taken), numbers(head)) == ([], [0, 1, 2])
    lists.list_cut_before(taken, head, head)
    assert (numbers(taken), numbers(head)) == ([0, 1, 2], [])


def test_cutting_a_list_of_one_at_an_entry_of_another_does_nothing():
    m = bare()
    head, found = filled(m, 1)
    taken = head_at(m, 1)
    lists.list_cut_position(taken, head, items(m, 3)[2].link)
    assert (numbers(taken), numbers(head)) == ([], [0])
    lists.list_cut_position(taken, taken, found[0].link)
    assert lists.list_empty(taken)


# ── Words. ─────────────────────────────────────────────────────────────────────────────────────


def test_list_add_stores_four_words_in_the_kernels_order():
    m = bare(record=True)
    head, found = filled(m, 2)
    h, a, new = head.address_, found[0].link.address_, found[1].other.address_
    start = len(m.journal)
    lists.list_add(found[1].other, head)
    assert stores(m, start) == [(a + 8, h, new), (new, 0, a), (new + 8, 0, h), (h, a, new)]


def test_list_add_tail_stores_four_words_in_the_kernels_order():
    m = bare(record=True)
    head, found = filled(m, 1)
    h, a, new = head.address_, found[0].link.address_, found[0].other.address_
    start = len(m.journal)
    lists.list_add_tail(found[0].other, head)
    assert stores(m, start) == [(h + 8, a, new), (new, 0, h), (new + 8, 0, a), (a, h, new)]


def test_list_del_joins_the_neighbours_and_poisons_the_entry():
    m = bare(record=True)
    head, found = filled(m, 3)
    h, (a, b, c) = head.address_, [one.link.address_ for one in found]
    start = len(m.journal)
    lists.list_del(found[1].link)
    assert stores(m, start) == [(c + 8, b, a), (a, b, c), (b, c, P1), (b + 8, a, P2)]
    assert not lists.list_empty(found[1].link)
    start = len(m.journal)
    lists.list_del_init(found[0].link)
    assert stores(m, start) == [(c + 8, a, h), (h, a, c), (a, c, a), (a + 8, h, a)]
    assert lists.list_empty(found[0].link)


def test_a_sound_list_never_takes_the_slow_road(monkeypatch):
    for slow in ("_insert_slowly", "_remove_slowly"):
        monkeypatch.delattr(_links, slow)
    m = bare()
    head, found = filled(m, 4)
    rculist.list_add_rcu(found[0].other, head)
    rculist.list_add_tail_rcu(found[1].other, head)
    lists.list_add(found[2].other, head)
    rculist.list_del_rcu(found[0].other)
    lists.list_del_init(found[1].other)
    lists.list_del(found[2].other)
    lists.list_del_init(found[1].other)
    lists.list_move_tail(found[2].link, head)
    assert numbers(head) == [0, 1, 3, 2]


@given(st.lists(STEPS, max_size=12))
def test_undoing_the_journal_gives_back_the_bytes_after_any_operation(steps):
    pair = Pair(record=True)
    m = pair.m
    before, start = m.read(BASE, 0x1000), len(m.journal)
    for step in steps:
        step(pair)
    for i, old in m.undo_records(start, len(m.journal)):
        m.u64[i] = old
    assert m.read(BASE, 0x1000) == before


def test_a_list_goes_through_the_kernel_image_and_the_direct_map_alike():
    m = bare()
    head = m.define("task_list", list_head)
    in_image = m.define("init_item", item)
    in_image.number = 7
    lists.INIT_LIST_HEAD(head)
    assert head.address_ ^ DIRECT_MAP > m.size  # the quick way to the words does not do
    found = items(m, 2)
    for one in (found[0], in_image, found[1]):
        lists.list_add_tail(one.link, head)
    assert numbers(head) == [0, 7, 1]
    lists.list_del(found[0].link)
    lists.list_del(found[1].link)
    lists.list_move(in_image.link, head)
    assert numbers(head) == [7]


def test_names_of_the_module_are_those_of_the_header():
    ours = {name for name in lists.__all__ if not name.startswith("validate_")}
    assert all("list" in name.lower() or name.startswith("LIST_POISON") for name in ours)
    assert {"list_add", "hlist_add_head", "list_for_each_entry", "hlist_for_each_entry"} <= ours
    assert len(lists.__all__) == len(set(lists.__all__))
