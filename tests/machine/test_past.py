"""Memory as it was: any mixture of stores against copies of the bytes taken on the way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kernelsim as ks
from kernelsim.machine.memory import DIRECT_MAP, Fault, Memory, ReadOnly
from kernelsim.machine.past import Past
from tests.machine import opcodes

BASE = DIRECT_MAP + (1 << 20)
WINDOW = 256
offsets = st.integers(0, WINDOW - 1)
words = st.integers(0, WINDOW // 8 - 1)
values = st.integers(0, (1 << 64) - 1)
stores = st.one_of(
    st.tuples(st.just("word"), words, values),
    st.tuples(st.just("bytes"), offsets, st.binary(max_size=40)),
    st.tuples(st.just("fill"), words, values),
    st.tuples(st.just("copy"), words, words),
)


def apply(memory, model, store):
    kind, where, what = store
    if kind == "word":
        memory.write_u64(BASE + 8 * where, what)
        model[8 * where : 8 * where + 8] = what.to_bytes(8, "little")
    elif kind == "bytes":
        data = what[: WINDOW - where]
        memory.write(BASE + where, data)
        model[where : where + len(data)] = data
    elif kind == "fill":
        n = WINDOW // 8 - where
        memory.fill(BASE + 8 * where, what, 8 * n)
        model[8 * where :] = what.to_bytes(8, "little") * n
    elif abs(where - what) >= 2 and max(where, what) + 2 <= WINDOW // 8:
        memory.copy(BASE + 8 * where, BASE + 8 * what, 16)
        model[8 * where : 8 * where + 16] = model[8 * what : 8 * what + 16]


@settings(max_examples=150)
@given(st.lists(stores, max_size=25))
def test_every_past_moment_is_what_the_bytes_were_then(history):
    memory, model = Memory(32 << 20, record=True), bytearray(WINDOW)
    moments = []
    for store in history:
        moments.append((Past(memory, len(memory.journal)), len(memory.journal), bytes(model)))
        apply(memory, model, store)
    assert memory.read(BASE, WINDOW) == bytes(model)
    for held, place, expected in moments:  # taken then, and taken now: both are right
        for past in (held, Past(memory, place)):
            assert past.read(BASE, WINDOW) == expected
            assert past.read_u64(BASE) == int.from_bytes(expected[:8], "little")
            o = past.offset(BASE)
            assert past.u8[o + 5] == expected[5]
            assert past.s32[(o >> 2) + 3] == int.from_bytes(expected[12:16], "little", signed=True)
            assert past.u16[(o >> 1) + 7] == int.from_bytes(expected[14:16], "little")


@settings(max_examples=150)
@given(st.lists(stores, max_size=25), st.integers(0, 25))
def test_it_makes_no_difference_when_one_looks_back_first(history, first):
    memory, model = Memory(32 << 20, record=True), bytearray(WINDOW)
    moments = []
    for n, store in enumerate(history):
        if n == first:
            assert Past(memory, len(memory.journal)).read(BASE, WINDOW) == bytes(model)
        moments.append((len(memory.journal), bytes(model)))
        apply(memory, model, store)
    for place, expected in moments[::2] + moments[::-2]:
        past, o = Past(memory, place), (BASE ^ DIRECT_MAP) >> 3
        assert past.u64[o : o + WINDOW // 8].tobytes() == expected
        for i in range(0, WINDOW, 8):
            assert past.read_u64(BASE + i) == int.from_bytes(expected[i : i + 8], "little")


def test_a_look_stays_right_while_the_machine_goes_on():
    memory = Memory(32 << 20, record=True)
    memory.write_u64(BASE, 1)
    past = Past(memory, len(memory.journal))
    for n in range(2, 5):
        assert past.read_u64(BASE) == 1
        assert past.read_u64(BASE + 8) == 0
        memory.write_u64(BASE + 8 * (n & 1), n)


def test_a_look_at_a_moment_costs_the_same_however_long_ago_it_was():
    memory = Memory(32 << 20, record=True)
    for n in range(20_000):
        memory.write_u64(BASE + 8 * (n % 512), n)
        if n % 100 == 0:
            memory.fill(BASE + 4096, n, 4096)

    def look(place):
        past = Past(memory, place)
        return [past.read_u64(BASE + 8 * i) for i in range(0, 1024, 64)]

    end = len(memory.journal)
    once = opcodes.count(lambda: look(0))  # the journal is read
    near, far = opcodes.count(lambda: look(end - 2)), opcodes.count(lambda: look(2))
    assert far < 2 * near < once / 100


def test_what_was_stored_since_the_last_look_is_read_once():
    memory = Memory(32 << 20, record=True)
    past = Past(memory, 0)

    def look(n):
        memory.write_u64(BASE + 8 * n, 7)
        return past.read_u64(BASE)

    first = opcodes.count(lambda: look(1))
    for n in range(5_000):
        memory.write_u64(BASE + 8 * (n % 512), n)
    assert opcodes.count(lambda: look(2)) > 100 * first
    assert opcodes.count(lambda: look(3)) < 2 * first


def test_a_word_is_what_undoing_the_journal_gives_wherever_a_machine_has_stored():
    k = ks.boot()
    parent = k.spawn("sh")
    middle = k.now
    for _ in range(3):
        k.call(k.task(k.call(parent, "fork")), "exit", 1)
        k.call(parent, "waitpid", -1, 0)
    m = k.machine
    for t in (k.now - 9, middle, middle + 40, 0, 300):
        past, undone = k.at(t).machine, dict(m.undo_records(m.trace.place(t), len(m.journal)))
        assert {i: past.u64[i] for i in undone} == undone
        for i in list(undone)[::97]:
            first, last = max(i - 130, 0), i + 130
            block = [undone.get(j, m.u64[j]) for j in range(first, last)]
            assert past.u64[first:last].tolist() == block


def test_the_past_can_not_be_written():
    memory = Memory(32 << 20, record=True)
    past = Past(memory, 0)
    for write in (
        lambda: past.write(BASE, b"x"),
        lambda: past.write_u64(BASE, 1),
        lambda: past.fill(BASE, 0, 8),
        lambda: past.copy(BASE, BASE + 16, 8),
    ):
        with pytest.raises(ReadOnly):
            write()
    assert memory.read(BASE, 8) == bytes(8)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (0, "NULL"),
        (8, "NULL"),
        (0xDEAD000000000100, "poisoned list pointer"),
        (DIRECT_MAP - 8, "no memory"),
        (DIRECT_MAP + (32 << 20), "no memory"),
        (0x7FFF0000, "no memory"),
        (0xFFFFFFFFFFFFFFF8, "no memory"),
    ],
)
def test_an_address_at_which_nothing_is_faults_and_says_why(address, reason):
    memory = Memory(32 << 20)
    for access in (
        lambda: memory.read_u64(address),
        lambda: memory.write_u64(address, 1),
        lambda: memory.read(address, 4),
        lambda: memory.write(address, b"abcd"),
    ):
        with pytest.raises(Fault, match=reason) as fault:
            access()
        assert fault.value.address == address


def test_a_length_below_zero_is_refused():
    memory = Memory(32 << 20)
    with pytest.raises(ValueError, match="-1 bytes"):
        memory.read(BASE, -1)


def test_a_read_over_the_end_of_memory_faults():
    memory = Memory(32 << 20)
    with pytest.raises(Fault):
        memory.read(DIRECT_MAP + (32 << 20) - 4, 8)


@pytest.mark.parametrize("size", [0, -4096, 1 << 20, (32 << 20) + 1])
def test_a_size_that_memory_can_not_have_is_refused(size):
    with pytest.raises(ValueError, match="memory size"):
        Memory(size)


def test_without_a_journal_there_is_no_past():
    memory = Memory(32 << 20)
    with pytest.raises(ValueError, match="record=False"):
        list(memory.undo_records(0, 1))
