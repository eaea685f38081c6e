"""CONFIG_DEBUG_LIST on lists broken on purpose: the message, and what happens afterwards."""

from kernelsim.include.linux import list as lists
from kernelsim.include.linux.types import list_head
from tests.include.linux.words import BASE, bare, filled, numbers, warnings

P1, P2 = 0xDEAD000000000100, 0xDEAD000000000122


def px(ref):
    return f"{int(ref):016x}"


def test_adding_next_to_a_broken_link_warns_and_changes_nothing():
    m = bare(record=True)
    _, found = filled(m, 3)
    a, b, c = (one.link for one in found)
    new = found[0].other
    b.prev = c
    before = m.read(BASE, 0x1000)
    lists.list_add(new, a)
    expected = (
        f"list_add corruption. next->prev should be prev ({px(a)}), "
        f"but was {px(c)}. (next={px(b)})."
    )
    assert warnings(m) == [expected]
    assert m.read(BASE, 0x1000) == before


def test_each_bad_insertion_has_its_message():
    m = bare(record=True)
    head, found = filled(m, 3)
    a, b, c = (one.link for one in found)
    new, null = found[0].other, list_head(m, 0)
    lists.__list_add(new, null, a)
    lists.__list_add(new, a, null)
    a.next = c
    lists.__list_add(new, a, b)
    a.next = b
    lists.list_add(a, a)
    lists.list_add(b, a)
    lists.list_add_tail(b, b)
    lists.list_add_tail(a, b)
    assert warnings(m) == [
        "list_add corruption. prev is NULL.",
        "list_add corruption. next is NULL.",
        f"list_add corruption. prev->next should be next ({px(b)}), but was {px(c)}. (prev={px(a)}).",
        f"list_add double add: new={px(a)}, prev={px(a)}, next={px(b)}.",
        f"list_add double add: new={px(b)}, prev={px(a)}, next={px(b)}.",
        f"list_add double add: new={px(b)}, prev={px(a)}, next={px(b)}.",
        f"list_add double add: new={px(a)}, prev={px(a)}, next={px(b)}.",
    ]
    assert numbers(head) == [0, 1, 2]


def test_each_bad_deletion_has_its_message_and_poisons_all_the_same():
    m = bare(record=True)
    breaks = {
        "corruption, {b}->next is NULL": {"next": 0, "prev": 0},
        "corruption, {b}->prev is NULL": {"prev": 0, "next": P1},
        "corruption, {b}->next is LIST_POISON1 (dead000000000100)": {"next": P1, "prev": P2},
        "corruption, {b}->prev is LIST_POISON2 (dead000000000122)": {"prev": P2},
        "corruption. prev->next should be {b}, but was {a}": {"prev": "c", "next": "a"},
        "corruption. next->prev should be {b}, but was {h}": {"next": "a"},
    }
    for text, words_ in breaks.items():
        head, found = filled(m, 3)
        lists.list_del(found[2].link)
        lists.list_add(found[2].link, found[1].link)
        names = dict(zip("habc", (head, *(one.link for one in found)), strict=True))
        names["c"].next = names["a"]
        for member, value in words_.items():
            setattr(names["b"], member, names.get(value, value))
        others = [names[name].value_() for name in "hac"]
        lists.list_del(names["b"])
        shown = {name: px(ref) for name, ref in names.items()}
        assert warnings(m)[-1] == "list_del " + text.format(**shown)
        assert names["b"].value_() == {"next": P1, "prev": P2}
        assert [names[name].value_() for name in "hac"] == others
    assert len(warnings(m)) == len(breaks)


def test_deleting_twice_warns_and_a_sound_list_never_does():
    m = bare(record=True)
    head, found = filled(m, 3)
    lists.list_del(found[1].link)
    assert warnings(m) == []
    lists.list_del(found[1].link)
    assert warnings(m) == [
        f"list_del corruption, {px(found[1].link)}->next is LIST_POISON1 ({P1:x})"
    ]
    assert numbers(head) == [0, 2]
