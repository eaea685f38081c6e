"""The process tree against real_parent pointers read from hand-laid memory."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelsim.include.linux import list as lists
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.view import process_tree
from tests.view import sample
from tests.view.laid import Laid
from tests.view.test_hostile import NASTY

PARENT = task_struct.offsetof_("real_parent")


@pytest.fixture
def laid():
    """init_task with init and kthreadd; init's bash with two children; a kernel thread."""
    laid = Laid()
    laid.init = laid.add(laid.init_task, b"init", state=1)
    kthreadd = laid.add(laid.init_task, b"kthreadd", state=1, flags=sched.PF_KTHREAD)
    laid.bash = laid.add(laid.init, b"bash", state=1)
    laid.sleep = laid.add(laid.bash, b"sleep", state=1)
    laid.make = laid.add(laid.bash, b"make")
    laid.add(kthreadd, b"rcu_sched", state=sched.TASK_IDLE, flags=sched.PF_KTHREAD)
    return laid


def node(picture, words):
    return next(node for node in picture.nodes if node.words == words)


def assert_arrows_are_real_parents(picture, laid, tasks):
    """Each arrow is a real_parent word; all drawn and all hidden tasks are accounted for."""
    m = laid.machine
    nodes = {node.id: node for node in picture.nodes}
    shown = {node.address for node in picture.nodes if node.address}
    hidden = {task.address_ for task in tasks} - shown
    assert sum(node.folded for node in picture.nodes) == len(hidden)
    assert len(picture.edges) == len(picture.nodes) - 1
    for edge in picture.edges:
        assert m.read_u64(edge.pointer) == edge.target
        src, dst = nodes[edge.src], nodes[edge.dst]
        assert edge.pointer - PARENT == src.address or edge.pointer - PARENT in hidden
        assert edge.target == dst.address or (dst.folded and edge.target in hidden)


def test_each_task_hangs_below_its_real_parent(laid):
    picture = process_tree(laid)
    tasks = [laid.init_task, *lists.list_for_each_entry(task_struct, laid.init_task.tasks, "tasks")]
    assert {node.address for node in picture.nodes} == {task.address_ for task in tasks}
    assert_arrows_are_real_parents(picture, laid, tasks)


def test_children_stand_in_the_order_of_their_list_from_top_to_bottom(laid):
    laid.add(laid.bash, b"third")
    root = sample.parse(process_tree(laid).svg)
    height = {
        group.get("data-address"): float(group.find(sample.SVG + "rect").get("y"))
        for group in root.iter(sample.SVG + "g")
        if group.get("data-address")
    }
    for head in (laid.init_task, laid.bash):
        tops = [
            height[f"{child.address_:#018x}"]
            for child in lists.list_for_each_entry(task_struct, head.children, "sibling")
        ]
        assert tops == sorted(tops)
        assert len(set(tops)) == len(tops)


def test_a_box_says_name_number_and_state_in_letter_and_word(laid):
    picture = process_tree(laid)
    assert node(picture, "bash (pid 3)").lines == ("bash", "pid 3 sleeping")
    assert node(picture, "bash (pid 3)").badge == "S"
    assert node(picture, "[rcu_sched] (pid 6)").lines == ("[rcu_sched]", "pid 6 idle")
    assert node(picture, "make (pid 5)").badge == "R"
    assert node(picture, "init_task (pid 0)").address == laid.init_task.address_


@pytest.mark.parametrize(
    ("state", "exit_state", "letter", "word"),
    [
        (0, 0, "R", "running"),
        (1, 0, "S", "sleeping"),
        (2, 0, "D", "disk sleep"),
        (0x102, 0, "D", "disk sleep"),
        (0x104, 0, "T", "stopped"),
        (0x108, 0, "t", "tracing stop"),
        (0x80, 0x10, "X", "dead"),
        (0x80, 0x20, "Z", "zombie"),
        (0x40, 0, "P", "parked"),
        (0x402, 0, "I", "idle"),
    ],
)  # the table of fs/proc/array.c
def test_every_state_has_its_letter_and_word(laid, state, exit_state, letter, word):
    laid.make.state, laid.make.exit_state = state, exit_state
    shown = node(process_tree(laid), "make (pid 5)")
    assert (shown.badge, shown.lines[1]) == (letter, f"pid 5 {word}")


def test_a_zombie_is_told_by_letter_word_and_dashed_outline(laid):
    laid.make.state, laid.make.exit_state = sched.TASK_DEAD, sched.EXIT_ZOMBIE
    picture = process_tree(laid)
    assert node(picture, "make (pid 5)").kind == "zombie"
    assert ".ks .ks-zombie .ks-face{stroke-dasharray" in picture.svg


def test_an_orphan_is_drawn_below_its_new_parent_with_the_arrow_marked(laid):
    child = laid.add(laid.sleep, b"child")
    before = laid.tick()
    laid.sleep.state, laid.sleep.exit_state = sched.TASK_DEAD, sched.EXIT_ZOMBIE
    lists.list_del(child.sibling)
    lists.list_add_tail(child.sibling, laid.init.children)
    child.real_parent = laid.init
    picture = process_tree(laid, since=before)
    arrow = next(edge for edge in picture.edges if edge.pointer == child.address_ + PARENT)
    assert (arrow.dst, arrow.change) == (f"{laid.init.address_:016x}", "changed")
    assert arrow.was == f"{laid.sleep.address_:#018x}"
    sleep = node(picture, "sleep (pid 4)")
    assert (sleep.change, sleep.marked) == ("changed", (1,))
    assert "state = Z (zombie) [changed, was S (sleeping)]" in picture.text


def test_new_and_gone_tasks_are_said(laid):
    before = laid.tick()
    laid.add(laid.make, b"cc")
    laid.remove(laid.sleep)
    picture = process_tree(laid, since=before)
    assert node(picture, "cc (pid 7)").change == "new"
    assert f"Gone since event {before}: sleep (pid 4)." in picture.text


def test_a_changed_name_is_marked(laid):
    before = laid.tick()
    laid.name(laid.make, b"ls")
    shown = node(process_tree(laid, since=before), "ls (pid 5)")
    assert shown.marked == (0,)
    assert [field.was for field in shown.fields if field.changed] == ["make"]


def forest(seed, count):
    """Tasks with random parents, from flat to deep."""
    chance = random.Random(seed)
    laid = Laid(record=False)
    tasks = [laid.init_task]
    near = chance.choice([1, 3, 50])
    for number in range(count):
        tasks.append(laid.add(chance.choice(tasks[-near:]), b"t%d" % number))
    return laid, tasks


@given(
    st.integers(0, 10**6), st.integers(0, 120), st.one_of(st.none(), st.integers(0, 119)),
    st.integers(8, 70),
)  # fmt: skip
def test_a_large_tree_is_folded_within_the_limit_and_nothing_is_lost(seed, count, focus, limit):
    laid, tasks = forest(seed, count)
    focus = tasks[focus] if focus is not None and focus < len(tasks) else None
    picture = process_tree(laid, focus=focus, limit=limit)
    assert len(picture.nodes) <= min(limit, 60)
    assert_arrows_are_real_parents(picture, laid, tasks)
    if focus is not None:
        assert focus.address_ in {node.address for node in picture.nodes if node.focus}
    if count + 1 <= min(limit, 60):
        assert not any(node.folded for node in picture.nodes)


def test_a_tree_that_fits_is_drawn_whole_however_deep():
    laid = Laid()
    task = laid.init_task
    for number in range(20):
        task = laid.add(task, b"t%d" % number)
    assert len(process_tree(laid, limit=24).nodes) == 21


def test_a_chain_of_ten_thousand_keeps_the_focus_its_line_and_the_root():
    laid = Laid(64 << 20, record=False)
    tasks = [laid.init_task]
    for number in range(10_000):
        tasks.append(laid.add(tasks[-1], b"t%d" % number))
    picture = process_tree(laid, focus=5000)
    shown = {node.address for node in picture.nodes}
    assert len(picture.nodes) <= 24
    assert {tasks[place].address_ for place in (0, 1, 2, 4998, 4999, 5000, 5001)} <= shown
    assert_arrows_are_real_parents(picture, laid, tasks)
    assert picture.svg


@pytest.mark.parametrize("comm", [name for name in NASTY if isinstance(name, str)])
def test_a_hostile_name_in_memory_stays_a_name(laid, comm):
    laid.name(laid.make, comm.encode("utf-8", "surrogatepass"))
    picture = process_tree(laid, focus=laid.make)
    root = sample.parse(picture.svg)
    tags = {element.tag.removeprefix(sample.SVG) for element in root.iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "g", "path", "text"}
    assert len(picture.text.splitlines()) == 1 + len(picture.nodes) + len(picture.edges)


def test_a_broken_list_of_children_is_drawn_as_far_as_it_goes(laid):
    laid.sleep.sibling.next = laid.bash.sibling
    picture = process_tree(laid)
    assert "A list of children is broken" in picture.text
    laid.sleep.sibling.next = 0xDEAD000000000100
    assert "dereference of a poisoned list pointer" in process_tree(laid).text


def test_between_the_two_steps_of_a_reparenting_the_arrow_follows_the_pointer(laid):
    laid.make.real_parent = laid.init
    picture = process_tree(laid)
    arrow = next(edge for edge in picture.edges if edge.pointer == laid.make.address_ + PARENT)
    assert arrow.dst == f"{laid.init.address_:016x}"
    assert "make (pid 5) is still in the children of another parent." in picture.text
    assert picture.svg


def test_top_to_bottom_parents_stand_above_their_children(laid):
    root = sample.parse(process_tree(laid, rankdir="TB").svg)
    top = {
        group.get("id"): float(group.find(sample.SVG + "rect").get("y"))
        for group in root.iter(sample.SVG + "g")
        if group.get("data-address")
    }
    for edge in process_tree(laid).edges:
        assert top[f"n-{edge.dst}"] < top[f"n-{edge.src}"]


def test_a_focus_that_is_not_there_is_an_error(laid):
    with pytest.raises(KeyError, match="no task 77 in the process tree"):
        process_tree(laid, focus=77)
    with pytest.raises(ValueError, match="limit is 7"):
        process_tree(laid, limit=7)
