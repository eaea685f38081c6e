"""Typed references: an address with a type, and what reading and writing through it does."""

import pytest

from kernelsim.machine import ctype
from kernelsim.machine.ctype import array, bits, char, func, ptr, s8, s16, s32, u8, u16, u32, u64
from kernelsim.machine.machine import Machine
from kernelsim.machine.memory import DIRECT_MAP, Fault
from kernelsim.machine.ref import Struct, container_of

BASE = DIRECT_MAP + 0x4000


class odd(Struct):
    """24 bytes, no power of two, so that a wrong stride shows."""

    first = u64
    middle = s16
    last = ptr("odd")


class mixed(Struct):
    """A member of every kind; sizes and orders are all different."""

    tiny = u8
    signed_tiny = s8
    half = u16
    low = bits(u32, 3)
    wide = bits(u32, 17)
    high = bits(u32, 12)
    number = s32
    inner = odd
    either = ctype.union(word=u64, pair=array(u16, 4), pointer=ptr("odd"))
    odds = array("odd", 2)
    grid = array(array(u16, 3), 2)
    pointers = array(ptr("odd"), 2)
    call = ptr(func)
    name = array(char, 6)
    tail = array(u64, 1, flexible=True)


@pytest.fixture
def m():
    return Machine(33 << 20, record=True)


@pytest.fixture
def ref(m):
    return mixed(m, BASE)


# --- an address, and nothing else --------------------------------------------------------------


def test_a_reference_prints_type_and_address_and_touches_no_memory(m):
    for address in (0, 0x6B6B6B6B6B6B6B6B, 0xDEAD000000000100, (1 << 64) - 1):
        assert repr(odd(m, address)) == f"(struct odd *){address:#x}"


def test_references_are_equal_as_pointers_are(m):
    assert odd(m, BASE) == odd(m, BASE) == mixed(m, BASE) == BASE
    assert odd(m, BASE) != odd(m, BASE + 24)
    assert odd(m, 0) == None  # noqa: E711 - C's NULL
    assert len({odd(m, BASE), odd(m, BASE), odd(m, BASE + 8)}) == 2
    assert not odd(m, 0)
    assert odd(m, BASE)
    assert int(odd(m, BASE)) == BASE
    assert hex(odd(m, BASE)) == hex(BASE)


def test_arithmetic_goes_by_whole_structs(m):
    assert (odd(m, BASE) + 3).address_ == BASE + 3 * 24
    assert (odd(m, BASE) - 2).address_ == BASE - 2 * 24
    assert type(odd(m, BASE) + 1) is odd
    assert (odd(m, (1 << 64) - 24) + 1).address_ == 0  # 64 bits, as in C


def test_container_of_subtracts_and_looks_at_nothing(m):
    here = mixed(m, BASE)
    assert container_of(here.inner, mixed, "inner") == here
    assert container_of(odd(m, BASE + 100), mixed, "odds[1]") == BASE + 100 - 72
    assert container_of(odd(m, 0), mixed, "inner").address_ == (1 << 64) - 16


def test_offsets_follow_the_path():
    # by hand: u8 s8 u16 | 32 bits | s32, 4 of padding | odd 24 | union 8 | 2 x 24 | 2 x 6, 4 | 16 | 8 | 6, 2
    assert mixed.offsetof_("low") == mixed.offsetof_("high") == 4
    assert mixed.offsetof_("inner.last") == 16 + 16
    assert mixed.offsetof_("pair[2]") == 40 + 4
    assert mixed.offsetof_("odds[1].middle") == 48 + 24 + 8 - 0
    assert mixed.offsetof_("grid[1][2]") == 96 + 6 + 4
    assert mixed.offsetof_("pointers") == 112
    assert mixed.offsetof_("tail") == 144
    assert mixed.sizeof_ == 152
    with pytest.raises(AttributeError, match="struct odd has no member 'nothing'"):
        mixed.offsetof_("inner.nothing")


def test_a_member_that_is_not_there_is_named(ref):
    with pytest.raises(AttributeError, match="struct mixed has no member 'colour'"):
        _ = ref.colour
    with pytest.raises(AttributeError):
        ref.colour = 1


# --- reading and writing -----------------------------------------------------------------------


def test_each_member_lies_where_its_offset_says_and_touches_no_other(m):
    size = mixed.sizeof_
    values = {
        "tiny": (0xA1, 0, b"\xa1"),
        "signed_tiny": (-2, 1, b"\xfe"),
        "half": (0xB1B2, 2, b"\xb2\xb1"),
        "number": (-3, 8, b"\xfd\xff\xff\xff"),
        "word": (0x0102030405060708, 40, bytes(range(8, 0, -1))),
        "pointer": (BASE, 40, BASE.to_bytes(8, "little")),
        "call": (0x1234, 128, b"\x34\x12" + bytes(6)),
    }
    for fill in (0x00, 0xFF):
        for name, (value, offset, data) in values.items():
            m.write(BASE, bytes([fill]) * size)
            setattr(mixed(m, BASE), name, value)
            assert getattr(mixed(m, BASE), name) == value
            expected = bytearray([fill] * size)
            expected[offset : offset + len(data)] = data
            assert m.read(BASE, size) == expected, name


def test_bit_fields_share_a_word_and_leave_each_other_alone(m, ref):
    m.write(BASE + 4, b"\xff\xff\xff\xff")
    ref.wide = 0x1_2345
    assert m.read(BASE + 4, 4) == (0x7 | 0x1_2345 << 3 | 0xFFF << 20).to_bytes(4, "little")
    assert (ref.low, ref.wide, ref.high) == (7, 0x1_2345, 0xFFF)
    ref.low = 0b1010  # cut to three bits
    ref.high = True
    assert (ref.low, ref.wide, ref.high) == (0b010, 0x1_2345, 1)
    assert ref.half == 0
    assert ref.number == 0


def test_the_members_of_a_union_are_the_same_bytes(ref):
    ref.word = 0x4444_3333_2222_1111
    assert list(ref.pair) == [0x1111, 0x2222, 0x3333, 0x4444]
    ref.pair[3] = 0
    assert ref.pointer.address_ == 0x3333_2222_1111


def test_a_pointer_is_assigned_a_reference_an_address_or_none(ref):
    target = ref.odds[1]
    ref.inner.last = target
    assert ref.inner.last == target
    assert type(ref.inner.last) is odd
    ref.inner.last = BASE
    assert ref.inner.last == BASE
    ref.inner.last = None
    assert not ref.inner.last
    assert ref.call == 0  # a pointer to a function is a number
    for wrong in ("text", 1.5, b"bytes"):
        with pytest.raises(TypeError, match=r"last.*is a pointer"):
            ref.inner.last = wrong


def test_numbers_that_do_not_fit_are_refused_and_nothing_is_written(ref):
    ref.tiny = 7
    for name, value in (("tiny", 256), ("signed_tiny", 128), ("number", 1 << 31), ("half", -1)):
        with pytest.raises((ValueError, OverflowError)):
            setattr(ref, name, value)
    assert (ref.tiny, ref.signed_tiny, ref.number, ref.half) == (7, 0, 0, 0)


def test_structs_and_arrays_can_not_be_assigned_as_a_whole(ref):
    for name in ("inner", "odds", "grid", "pair"):
        with pytest.raises(AttributeError):
            setattr(ref, name, 1)
    with pytest.raises(TypeError, match="can't be assigned"):
        ref.odds[0] = 1


def test_arrays_know_their_bounds_and_negative_indices_are_not_pythons(m, ref):
    ref.odds[1].middle = -5
    assert [o.middle for o in ref.odds] == [0, -5]
    assert ref.odds[1].address_ == BASE + 48 + 24
    ref.pointers[1] = ref
    assert [p.address_ for p in ref.pointers] == [0, BASE]
    ref.grid[1][2] = 9
    assert m.read(BASE + 96, 12) == bytes(10) + b"\x09\x00"
    assert (len(ref.odds), len(ref.grid), len(ref.grid[0])) == (2, 2, 3)
    for i in (-1, 2):
        with pytest.raises(IndexError, match=f"index {i} of struct odd\\[2\\]"):
            _ = ref.odds[i]
        with pytest.raises(IndexError):
            ref.pointers[i] = 0
    assert repr(ref.odds) == f"(struct odd [2]){BASE + 48:#x}"


def test_a_flexible_array_goes_on_behind_the_struct(ref):
    ref.tail[0], ref.tail[4] = 1, 2
    assert [ref.tail[i] for i in range(5)] == [1, 0, 0, 0, 2]
    with pytest.raises(IndexError):
        _ = ref.tail[-1]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("ab", b"ab"),
        (b"\xff\xfe", b"\xff\xfe"),
        ("abcdefg", b"abcde"),
        ("", b""),
        ("äöü", b"\xc3\xa4\xc3\xb6\xc3"),
    ],
)
def test_text_is_cut_to_fit_and_always_ends_with_nul(m, ref, text, stored):
    m.write(BASE + 136, b"......")
    ref.name = text
    assert ref.name.string_() == stored
    assert m.read(BASE + 136, 6) == stored.ljust(6, b"\0")
    assert m.read(BASE + 142, 2) == b"\0\0"


def test_the_value_of_a_struct_holds_every_member(ref):
    ref.odds[1].first, ref.name, ref.high = 5, "x", 1
    value = ref.value_()
    assert list(value) == [f.name for f in mixed.fields_]
    assert value["odds"] == [
        {"first": 0, "middle": 0, "last": 0},
        {"first": 5, "middle": 0, "last": 0},
    ]
    assert value["name"] == b"x\0\0\0\0\0"
    assert value["high"] == 1
    assert value["grid"] == [[0, 0, 0], [0, 0, 0]]
    assert ref.member_("odds[1].first") == 5
    assert ref.address_of_("odds[1].middle") == ref.odds[1].address_ + 8


def test_several_members_stored_at_once_are_as_one_after_the_other(m):
    store = mixed.store_("number", "half", "pointer")
    store(mixed(m, BASE), -9, 3, mixed(m, BASE + 8))
    one = mixed(m, BASE + 0x200)
    one.number, one.half, one.pointer = -9, 3, BASE + 8
    assert m.read(BASE, mixed.sizeof_) == m.read(BASE + 0x200, mixed.sizeof_)
    with pytest.raises(TypeError, match="odds can't be assigned together"):
        mixed.store_("number", "odds")


# --- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "tiny",
        "number",
        "wide",
        "word",
        "pointer",
        "inner.last",
        "odds[1].middle",
        "pair[0]",
        "pointers[1]",
    ],
)
@pytest.mark.parametrize("address", [0, DIRECT_MAP - 4096, 0xDEAD000000000100, 0x6B6B6B6B6B6B6B6B])
def test_every_kind_of_member_faults_where_there_is_no_memory(m, address, path):
    before = len(m.journal)
    with pytest.raises(Fault):
        mixed(m, address).member_(path)
    head, _, last = path.rpartition(".")
    ref = mixed(m, address).member_(head) if head else mixed(m, address)
    name, _, index = last.partition("[")
    with pytest.raises(Fault):
        getattr(ref, name).__setitem__(int(index[:-1]), 0) if index else setattr(ref, name, 0)
    assert len(m.journal) == before


def test_a_fault_says_which_member_of_what_and_why(m):
    with pytest.raises(
        Fault, match=r"\(struct odd \*\)0x0->middle: NULL pointer dereference"
    ) as fault:
        _ = odd(m, 0).middle
    assert (fault.value.address, fault.value.type, fault.value.member) == (
        0,
        "struct odd",
        "middle",
    )
    with pytest.raises(
        Fault, match=r"\(struct odd \*\)0xdead000000000122->first: .*poisoned list pointer"
    ):
        odd(m, 0xDEAD000000000122).first = 1
    with pytest.raises(Fault, match="no memory at this address"):
        odd.store_("first", "middle")(odd(m, DIRECT_MAP - 64), 1, 2)


# --- the declaration ---------------------------------------------------------------------------


def test_the_offset_table_shows_holes_bits_and_unions_as_pahole_does():
    assert mixed.pahole_().split("\n") == [
        "struct mixed {",
        "\tu8 tiny;".ljust(48) + "/*     0     1 */",
        "\ts8 signed_tiny;".ljust(48) + "/*     1     1 */",
        "\tu16 half;".ljust(48) + "/*     2     2 */",
        "\tunsigned int low:3;".ljust(48) + "/*     4:  0  4 */",
        "\tunsigned int wide:17;".ljust(48) + "/*     4:  3  4 */",
        "\tunsigned int high:12;".ljust(48) + "/*     4: 20  4 */",
        "\tint number;".ljust(48) + "/*     8     4 */",
        "",
        "\t/* XXX 4 bytes hole, try to pack */",
        "",
        "\tstruct odd inner;".ljust(48) + "/*    16    24 */",
        "\tunion {",
        "\t\tu64 word;".ljust(48) + "/*    40     8 */",
        "\t\tu16 pair[4];".ljust(48) + "/*    40     8 */",
        "\t\tstruct odd *pointer;".ljust(48) + "/*    40     8 */",
        "\t};",
        "\tstruct odd odds[2];".ljust(48) + "/*    48    48 */",
        "\tu16 grid[2][3];".ljust(48) + "/*    96    12 */",
        "",
        "\t/* XXX 4 bytes hole, try to pack */",
        "",
        "\tstruct odd *pointers[2];".ljust(48) + "/*   112    16 */",
        "\tvoid (*call)();".ljust(48) + "/*   128     8 */",
        "\tchar name[6];".ljust(48) + "/*   136     6 */",
        "",
        "\t/* XXX 2 bytes hole, try to pack */",
        "",
        "\tu64 tail[1];".ljust(48) + "/*   144     8 */",
        "",
        "\t/* size: 152, members: 15 */",
        "};",
    ]


def test_a_struct_that_nobody_declared_is_named():
    with pytest.raises(TypeError, match="struct nonsense is not declared"):
        ctype.resolve("nonsense")


# What `hexdump -C` of util-linux 2.38 prints for these bytes, with our addresses before it.
def test_a_hex_dump_is_as_hexdump_prints_it(m, ref):
    m.write(BASE, b"Hello, kernel!\n\0" + bytes(range(0x78, 0x88)) + b"\xff" * 5)
    dump = odd(m, BASE).hexdump_().splitlines()
    assert dump == [
        "ffff888000004000  48 65 6c 6c 6f 2c 20 6b  65 72 6e 65 6c 21 0a 00  |Hello, kernel!..|",
        "ffff888000004010  78 79 7a 7b 7c 7d 7e 7f                           |xyz{|}~.|",
    ]
    assert ref.hexdump_("number") == (
        "ffff888000004008  65 72 6e 65                                       |erne|"
    )
    assert ref.bytes_()[:16] == b"Hello, kernel!\n\0"
