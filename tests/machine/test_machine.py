"""A machine: names for addresses, function pointers, what happened, and the same at earlier times."""

import pytest

import kernelsim as ks
from kernelsim.include.linux.types import list_head
from kernelsim.kernel.sched import sched
from kernelsim.machine import ctype, machine, trace
from kernelsim.machine.machine import Machine
from kernelsim.machine.memory import DIRECT_MAP, IMAGE_MAP, Fault

SIZE = 33 << 20
TEXT = 0xFFFFFFFF81000000  # where Linux's image begins, with CONFIG_RANDOMIZE_BASE=n


# --- symbols -----------------------------------------------------------------------------------


def test_static_objects_lie_in_the_kernel_image_one_after_the_other_and_aligned():
    m = Machine(SIZE)
    flag = m.define("flag", ctype.s8)
    head = m.define("head", list_head)
    table = m.define("table", ctype.array(ctype.u64, 3))
    assert TEXT < flag < head.address_ < table.address_ < TEXT + (16 << 20)
    assert head.address_ % 8 == table.address_ % 8 == 0
    assert table.address_ >= head.address_ + 16
    assert m.symbol("head") == head
    assert m.symbol("flag") == flag
    table[2] = 7
    assert list(m.symbol("table")) == [0, 0, 7]
    assert m.symbol_name(head.address_) == "head"
    assert m.symbol_name(head.address_ + 1) == ""
    with pytest.raises(KeyError):
        m.symbol("nobody")
    with pytest.raises(ValueError, match="head is defined twice"):
        m.define("head", list_head)


def test_the_image_and_the_direct_map_show_the_same_bytes():
    m = Machine(SIZE)
    head = m.define("head", list_head)
    physical = head.address_ - IMAGE_MAP
    head.next = 0x1234
    assert m.read_u64(DIRECT_MAP + physical) == 0x1234
    m.write_u64(DIRECT_MAP + physical, 0x5678)
    assert head.next == 0x5678
    assert m.offset(head.address_) == m.offset(DIRECT_MAP + physical) == physical


def test_a_static_counter_wraps_nothing_and_is_journaled():
    m = Machine(SIZE, record=True)
    address = m.define("counter", ctype.s32)
    neighbour = m.define("neighbour", ctype.s32)
    before = len(m.journal)
    assert [m.add("counter", 5), m.add("counter", -7), m.add("counter", 0)] == [5, -2, -2]
    assert m.read(address, 4) == b"\xfe\xff\xff\xff"
    assert m.read(neighbour, 4) == bytes(4)
    assert len(m.journal) == before + 4  # two stores, two words each; looking stores nothing


def test_function_addresses_are_the_same_in_every_machine_and_calls_go_through_them():
    one, two = ks.boot(memory="33M", record=False), ks.boot(memory="40M")
    assert (
        one.machine.symbol("pipefifo_fops").value_() == two.machine.symbol("pipefifo_fops").value_()
    )
    assert machine.text_name(one.machine.symbol("pipefifo_fops").release) == "pipe_release"
    assert machine.text_address("pipe_release") > TEXT
    assert machine.text_name(machine.text_address("pipe_release") + 1) == ""
    with pytest.raises(Fault, match=r"void \(\)"):
        one.machine.call(0)
    with pytest.raises(Fault):
        one.machine.call(machine.text_address("pipe_release") + 4)


# --- what happened -----------------------------------------------------------------------------


def test_an_event_keeps_its_time_its_task_and_its_place_among_the_stores():
    m = Machine(SIZE, record=True)
    address = m.define("word", ctype.u64)
    t = m.trace
    t.set_pid(4194303)  # the highest number that there can be
    t.emit("something", a=1, b=b"x")
    m.write_u64(address, 1)
    t.set_pid(0)
    t.append(len(m.journal) << trace.PLACE_SHIFT | t.tag | trace.code("some_function"))
    m.write_u64(address, 2)
    t.append(len(m.journal) << trace.PLACE_SHIFT | t.tag | trace.code("some_function") | trace.EXIT)
    assert list(t.events()) == [
        trace.Event(0, "event", "something", 4194303, {"a": 1, "b": b"x"}),
        trace.Event(1, "enter", "some_function", 0, {}),
        trace.Event(2, "exit", "some_function", 0, {}),
    ]
    assert [m.at(when).read_u64(address) for when in range(4)] == [0, 1, 2, 2]
    assert [e.t for e in t.events(1, 2)] == [1]
    assert [e.t for e in t.events(2, 99)] == [2]
    assert list(t.events(3)) == []
    assert repr(t.event(0)) == "0: [4194303] something a=1 b=b'x'"


def test_the_times_of_tracepoints_and_of_one_tasks_events_are_those_of_the_events():
    k = ks.boot()
    for _ in range(2):  # asked, and asked again when more has happened
        sh = k.spawn("sh")
        k.call(sh, "fork")
        events = k.events()
        for pid in range(k.now % 7, 6):
            mine = [event.t for event in events if event.pid == pid]
            assert list(k.machine.trace.times(pid)) == mine
        for since, until in ((0, k.now), (5, 100), (100, 100), (k.now - 40, k.now + 9), (9, 5)):
            points = [e.t for e in events[since:until] if e.kind == "event"]
            assert k.machine.trace.points(since, until) == points


def test_subscribers_are_told_what_happens_as_it_happens():
    k = ks.boot()
    sh = k.spawn("sh")
    heard = []
    k.machine.trace.subscribers.append(
        lambda name, fields: heard.append((name, fields.get("child_pid")))
    )
    child = k.call(sh, "fork")
    names = [name for name, _ in heard]
    assert ("sched_process_fork", child) in heard
    assert names.index("sys_enter") < names.index("task_newtask") < names.index("sys_exit")


def test_without_recording_nothing_is_kept_but_what_must_not_happen_is_told():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    heard = []
    k.machine.trace.subscribers.append(lambda name, fields: heard.append((name, fields)))
    k.call(sh, "fork")
    assert heard == []
    k.machine.warn("look here")
    assert heard == [("WARN", {"text": "look here"})]
    assert k.now == 0


# --- earlier times -----------------------------------------------------------------------------


def test_a_reference_can_be_taken_to_another_time():
    k = ks.boot()
    sh = k.spawn("sh")
    then = k.now
    k.call(sh, "fork")
    before = sh.at_(k.at(then))
    assert before == sh
    assert before.children.next == before.children  # nobody yet
    assert sh.children.next != sh.children
    assert before.at_(k.machine).children.next == sh.children.next


def test_the_past_names_what_was_current_and_has_its_own_run_queue():
    k = ks.boot()
    sh, other = k.spawn("sh"), k.spawn("other")
    k.call(sh, "getpid")
    then = k.now
    k.call(other, "getpid")
    past = k.at(then).machine
    assert (past.current, k.machine.current) == (sh, other)
    assert sched.this_rq(past).curr == sh
    assert sched.this_rq(k.machine).curr == other


def test_looking_at_the_past_is_no_event_and_stores_nothing():
    k = ks.boot()
    k.spawn("sh")
    now, journal = k.now, len(k.machine.journal)
    for t in range(0, now, 97):
        past = k.at(t)
        past.slabs() if t > 900 else None
    k.at(now).ps()
    k.at(now).task(3)
    k.diff(now - 50, now)
    k.state_hash()
    k.ps(), k.slabs(), k.task(1), k.tasks(), k.strace(), k.function_graph()
    assert (k.now, len(k.machine.journal)) == (now, journal)
