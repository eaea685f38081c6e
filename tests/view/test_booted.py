"""Views of a booted kernel: at every moment, also in the middle of a fork or an exit."""

import os
import random
import subprocess
import sys

import pytest

import kernelsim as ks
from kernelsim.include.linux.sched import task_struct
from kernelsim.view import process_tree, task_list, tasks

TASKS = task_struct.offsetof_("tasks")


@pytest.fixture(scope="module")
def kernel():
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    child = k.call(bash, "fork")
    grandchild = k.call(k.task(child), "fork")
    k.call(k.task(grandchild), "exit_group", 1)
    k.call(k.task(child), "exit_group", 0)
    k.call(bash, "waitpid", child, 0)
    return k


def assert_every_arrow_is_a_word_of_memory(picture, machine):
    for edge in picture.edges:
        assert machine.read_u64(edge.pointer) == edge.target


def test_the_views_of_a_booted_kernel_agree_with_its_own_lists(kernel):
    k = kernel
    numbers = {task.pid for task in k.tasks()} | {0}
    for picture in (process_tree(k, limit=60), task_list(k, limit=60)):
        shown = [row for row in picture.table() if not row["folded"]]
        assert {int(row["pid"]) for row in shown} == numbers
        assert_every_arrow_is_a_word_of_memory(picture, k.machine)


def test_at_every_moment_of_fork_exit_and_wait_the_views_draw_what_memory_holds(kernel):
    k = kernel
    before = None
    for t in range(0, k.now + 1, 3):
        past = k.at(t)
        try:
            past.machine.symbol("init_task")
        except KeyError:
            continue
        if past.machine.read_u64(past.machine.symbol("init_task").address_ + TASKS) == 0:
            continue  # the kernel has not made the list yet
        for picture in (process_tree(past, since=before), task_list(past, since=before, limit=8)):
            assert_every_arrow_is_a_word_of_memory(picture, past.machine)
            assert len(picture.text.splitlines()) == 1 + len(picture.nodes) + len(picture.edges)
        before = t
    assert before is not None


def test_stepping_back_shows_the_same_picture_as_at_the_time():
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    t, pictures = k.now, (process_tree(k, focus=bash), task_list(k, focus=bash))
    k.call(bash, "fork")
    past = k.at(t)
    assert [p.text for p in pictures] == [
        process_tree(past, focus=bash).text,
        task_list(past, focus=bash).text,
    ]
    assert [p.svg for p in pictures] == [
        process_tree(past, focus=bash).svg,
        task_list(past, focus=bash).svg,
    ]


def test_a_fork_marks_the_child_and_the_two_neighbours_it_was_put_between():
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    t = k.now
    child = k.task(k.call(bash, "fork"))
    picture = task_list(k, since=t)
    assert [n.address for n in picture.nodes if n.change == "new"] == [child.address_]
    changed = {n.address for n in picture.nodes if n.change == "changed"}
    assert changed == {k.machine.symbol("init_task").address_, bash.address_}
    tree = process_tree(k, since=t)
    assert [n.words for n in tree.nodes if n.change == "new"] == [f"bash (pid {child.pid})"]


def test_random_lives_are_drawn_truly():
    chance = random.Random(7)
    k = ks.boot(memory="64M")
    alive = [k.spawn(name) for name in ("a", "b", "c")]
    for _ in range(60):
        task = chance.choice(alive)
        if chance.random() < 0.7 or len(alive) < 3:
            alive.append(k.task(k.call(task, "fork")))
        else:
            alive.remove(task)
            k.call(task, "exit_group", 0)
        tree, ring = process_tree(k, limit=60), task_list(k, limit=60)
        for picture in (tree, ring):
            assert_every_arrow_is_a_word_of_memory(picture, k.machine)
        assert sum(n.folded or 1 for n in tree.nodes) == len(k.tasks()) + 1
        assert sum(n.folded or 1 for n in ring.nodes) == len(k.tasks()) + 1


def test_pictures_of_a_booted_kernel_are_the_same_bytes_under_any_hash_seed():
    code = (
        "import hashlib, kernelsim as ks\n"
        "from kernelsim.view import process_tree, task_list, tasks\n"
        "k = ks.boot(memory='64M'); bash = k.spawn('bash'); t = k.now; k.call(bash, 'fork')\n"
        "for view in (process_tree, task_list):\n"
        "    bundle = view(k, focus=bash, since=t)._repr_mimebundle_()\n"
        "    print(hashlib.sha256(repr(bundle).encode()).hexdigest())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }  # fmt: skip
    assert len(answers) == 1


def crowd(count):
    k = ks.boot(memory="64M", record=False)
    sh = k.spawn("sh")
    for _ in range(count):
        k.call(sh, "fork")
    return k


@pytest.mark.parametrize("view", [process_tree, task_list])
def test_a_fold_that_is_opened_shows_the_first_of_those_it_stands_for(view):
    k = crowd(40)
    folded = view(k, limit=8)
    (fold,) = [node for node in folded.nodes if node.folded]
    opened = view(k, limit=8, also=[*fold.hides[:6], 0xFFFF_8880_0000_0000])
    before, now = ({n.address for n in p.nodes if n.address} for p in (folded, opened))
    assert set(fold.hides[:6]) <= now
    assert not set(fold.hides[:6]) & before
    assert view(k, limit=8, also=[task.address_ for task in k.tasks()]).nodes
    assert len(process_tree(k, also=[task.address_ for task in k.tasks()], limit=60).nodes) <= 60


def test_a_task_is_found_by_its_number_its_address_and_part_of_its_name():
    k = crowd(3)
    m = k.machine
    assert tasks.find(m, " 4 ") == k.task(4)
    assert tasks.find(m, hex(k.task(5).address_).upper()) == k.task(5)
    assert tasks.find(m, "THREADD") == k.task(2)
    assert tasks.find(m, "sh").pid == 3
    assert tasks.find(m, "") is None
    assert tasks.find(m, "77") is None


def test_what_is_before_the_break_of_a_broken_list_is_found():
    k = crowd(3)
    k.task(4).tasks.next = k.task(4).tasks.address_ + (1 << 40)
    assert tasks.find(k.machine, "4").pid == 4
    assert tasks.find(k.machine, "5") is None
    assert tasks.find(k.machine, "sh").pid == 3
