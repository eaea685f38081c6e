"""The process list against words read one by one from hand-laid memory."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux.poison import LIST_POISON1
from kernelsim.include.linux.sched import task_struct
from kernelsim.view import task_list
from tests.view import sample
from tests.view.laid import Laid
from tests.view.test_hostile import NASTY

TASKS = task_struct.offsetof_("tasks")


@pytest.fixture
def laid():
    """init_task, init, bash, and two children of bash."""
    laid = Laid()
    init = laid.add(laid.init_task, b"init")
    laid.bash = laid.add(init, b"bash")
    laid.vi, laid.make = laid.add(laid.bash, b"vi"), laid.add(laid.bash, b"make")
    return laid


def hand_walked(laid):
    """The structs of the list, following words of memory and nothing else."""
    m, head = laid.machine, laid.init_task.address_ + TASKS
    found, link = [head - TASKS], m.read_u64(head)
    while link != head:
        found.append(link - TASKS)
        link = m.read_u64(link)
    return found


def assert_pointers_are_in_memory(picture, machine, hidden=()):
    """Each arrow starts at a word that holds what it points to, and ends at what lies there."""
    nodes = {node.id: node for node in picture.nodes}
    for edge in picture.edges:
        assert machine.read_u64(edge.pointer) == edge.target
        src, dst = nodes[edge.src], nodes[edge.dst]
        if src.folded:
            assert edge.pointer - TASKS - (8 if edge.kind == "prev" else 0) in hidden
        else:
            offset = next(field.offset for field in src.fields if field.port == edge.src_port)
            assert src.address + offset == edge.pointer
        if dst.folded:
            assert edge.target - TASKS in hidden
        else:
            offset = next(field.offset for field in dst.fields if field.port == edge.dst_port)
            assert dst.address + offset == edge.target


def test_the_records_are_the_structs_met_by_walking_memory_in_that_order(laid):
    picture = task_list(laid, limit=9)
    assert [node.address for node in picture.nodes] == hand_walked(laid)
    assert_pointers_are_in_memory(picture, laid.machine)
    assert len(picture.edges) == 2 * len(picture.nodes)


def test_each_row_shows_the_member_that_lies_at_its_offset(laid):
    members = ("state", "pid", "real_parent", "comm")
    for node in task_list(laid, limit=9, members=members, full=True).nodes:
        fields = {field.name: field for field in node.fields if field.kind != "sum"}
        assert list(fields) == sorted(fields, key=lambda name: (fields[name].offset, name))
        for name in ("tasks.next", "tasks.prev", "real_parent"):
            word = laid.machine.read_u64(node.address + fields[name].offset)
            assert fields[name].value == f"{word:#018x}"
        pid = laid.machine.read(node.address + fields["pid"].offset, 4)
        assert fields["pid"].value == str(int.from_bytes(pid, "little"))
        comm = laid.machine.read(node.address + fields["comm"].offset, 16)
        assert fields["comm"].value == f'"{comm.rstrip(bytes(1)).decode()}"'


def test_the_focus_shows_the_subtraction_of_container_of(laid):
    node = next(node for node in task_list(laid, focus=laid.bash).nodes if node.focus)
    sums = {field.name: field.value for field in node.fields if field.kind == "sum"}
    ptr, offset, task = (int(sums[name], 16) for name in ("ptr", "offsetof", "task"))
    assert ptr - offset == task == laid.bash.address_ == node.address
    assert offset == task_struct.offsetof_("tasks")


@pytest.mark.parametrize("by", ["reference", "address", "pid"])
def test_the_focus_may_be_a_reference_an_address_or_a_pid(laid, by):
    focus = {"reference": laid.vi, "address": laid.vi.address_, "pid": laid.vi.pid}[by]
    assert [n.address for n in task_list(laid, focus=focus).nodes if n.focus] == [laid.vi.address_]


def test_a_focus_that_is_not_there_is_an_error(laid):
    with pytest.raises(KeyError, match="no task 77 in the process list"):
        task_list(laid, focus=77)
    with pytest.raises(ValueError, match="limit is 1"):
        task_list(laid, limit=1)


def test_an_insertion_changes_three_structs_and_marks_just_what_changed(laid):
    before = laid.tick()
    new = laid.add(laid.bash, b"new")
    picture = task_list(laid, since=before, limit=9)
    assert [n.address for n in picture.nodes if n.change == "new"] == [new.address_]
    changed = {
        (node.address, field.name): field.was
        for node in picture.nodes
        for field in node.fields
        if field.changed
    }
    make, head = laid.make.address_, laid.init_task.address_
    assert changed == {
        (make, "tasks.next"): f"{head + TASKS:#018x}",
        (head, "tasks.prev"): f"{make + TASKS:#018x}",
    }
    arrows = {(edge.pointer - TASKS, edge.change) for edge in picture.edges if edge.change}
    assert arrows == {
        (make, "changed"), (head + 8, "changed"), (new.address_, "new"), (new.address_ + 8, "new"),
    }  # fmt: skip
    assert "New: new (pid 5). Changed: init_task (pid 0), make (pid 4)." in picture.text


def test_a_removal_marks_the_neighbours_and_says_who_is_gone(laid):
    before = laid.tick()
    laid.remove(laid.vi)
    picture = task_list(laid, since=before, limit=9)
    changed = {node.words for node in picture.nodes if node.change}
    assert changed == {"bash (pid 2)", "make (pid 4)"}
    assert f"Gone since event {before}: vi (pid 3)." in picture.text


def test_a_task_in_anothers_memory_is_new_and_not_changed(laid):
    before = laid.tick()
    laid.remove(laid.vi)
    laid.count = 2  # the next one takes the place of vi
    taken = laid.add(laid.bash, b"heir", pid=9)
    assert taken == laid.vi
    picture = task_list(laid, since=before, limit=9)
    assert [node.words for node in picture.nodes if node.change == "new"] == ["heir (pid 9)"]


def test_a_past_machine_shows_the_past_and_is_not_changed_by_the_present(laid):
    past = laid.machine.at(laid.tick())
    shown = task_list(past, limit=9).text
    laid.add(laid.bash, b"later")
    assert task_list(past, limit=9).text == shown
    assert "later" not in shown


def test_the_moment_may_be_a_time_a_machine_or_a_kernel(laid):
    before = laid.tick()
    laid.add(laid.bash, b"new")

    class Kernel:
        machine = laid.machine.at(before)

    past = laid.machine.at(before)
    texts = {task_list(laid, since=since).text for since in (before, past, Kernel)}
    assert len(texts) == 1
    later = laid.machine.at(laid.tick())
    assert "New: new (pid 5)" in task_list(later, since=before).summary


def many(count):
    laid = Laid(record=False)
    laid.tasks = [laid.add(laid.init_task, b"t%d" % number) for number in range(count)]
    return laid


@given(
    st.integers(0, 40), st.one_of(st.none(), st.integers(1, 40)), st.integers(2, 12)
)  # fmt: skip
def test_a_long_list_is_folded_and_every_task_is_shown_or_counted(count, focus, limit):
    laid = many(count)
    focus = None if focus is None or focus > count else focus
    picture = task_list(laid, focus=focus, limit=limit)
    walked = hand_walked(laid)
    shown = [node.address for node in picture.nodes if node.address]
    assert len(shown) <= limit + len(picture.nodes) / 2
    assert shown == [address for address in walked if address in set(shown)]
    assert len(shown) + sum(node.folded for node in picture.nodes) == count + 1
    assert shown[0] == laid.init_task.address_
    if focus:
        assert laid.tasks[focus - 1].address_ in shown
    assert_pointers_are_in_memory(picture, laid.machine, set(walked) - set(shown))
    assert len(picture.edges) == 2 * len(picture.nodes)
    assert picture.svg


@pytest.mark.parametrize("comm", [name for name in NASTY if isinstance(name, str)])
def test_a_hostile_name_in_memory_stays_a_name(laid, comm):
    laid.name(laid.vi, comm.encode("utf-8", "surrogatepass"))
    picture = task_list(laid, focus=laid.vi, since=laid.tick())
    root = sample.parse(picture.svg)
    assert {e.tag.removeprefix(sample.SVG) for e in root.iter()} == {
        "svg", "title", "desc", "style", "rect", "g", "path", "text", "circle",
    }  # fmt: skip
    assert len(picture.text.splitlines()) == 1 + len(picture.nodes) + len(picture.edges)


def test_a_poisoned_pointer_is_drawn_and_the_picture_says_that_the_list_is_broken(laid):
    laid.bash.tasks.next = LIST_POISON1
    picture = task_list(laid, focus=laid.bash)
    assert "The list is broken: (struct list_head *)0xdead000000000100->next" in picture.text
    assert re.search(
        "tasks.next of bash .* points to LIST_POISON1, 0xdead000000000100", picture.text
    )
    assert_arrow = next(e for e in picture.edges if e.pointer == laid.bash.address_ + TASKS)
    assert laid.machine.read_u64(assert_arrow.pointer) == assert_arrow.target == LIST_POISON1
    assert picture.svg


def test_a_circle_without_its_head_ends_the_walk(laid):
    laid.make.tasks.next = laid.bash.tasks
    picture = task_list(laid, limit=9)
    assert "it runs in a circle that leaves out its head" in picture.text
    for edge in picture.edges:
        assert laid.machine.read_u64(edge.pointer) == edge.target
    assert picture.svg


def test_a_null_pointer_is_said_to_be_null(laid):
    laid.make.tasks.next = None
    assert "points to NULL, 0x0000000000000000" in task_list(laid, limit=9).text


def test_drawing_writes_nothing_to_memory(laid):
    before = laid.machine.read(laid.init_task.address_, task_struct.sizeof_)
    stores = len(laid.machine.journal)
    _ = task_list(laid, focus=2).svg
    assert len(laid.machine.journal) == stores
    assert laid.machine.read(laid.init_task.address_, task_struct.sizeof_) == before
