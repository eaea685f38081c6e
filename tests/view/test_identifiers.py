"""The picture of numbers, struct pids and tasks: every arrow is a word, every use is there, counts are told."""

import random

import pytest

import kernelsim as ks
from kernelsim.exercise.identifier_drills import KINDS, THREAD, Doing, Plot
from kernelsim.view import identifiers


# A shell with a job of two, one of which has a thread, and somebody in a session of his own.
@pytest.fixture(scope="module")
def kernel():
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    k.call(bash, "setsid")
    for number in (4, 5):
        k.call(bash, "fork")
        k.call(bash, "setpgid", number, 4)
    k.call(5, "clone", THREAD)
    k.call(bash, "fork")
    k.call(7, "setsid")
    return k


# {(number, kind, pid of the task)} as the four numbers of each task say.
def uses(k):
    found = set()
    for n in (3, 4, 5, 6, 7):
        task = k.task(n)
        found.add((task.thread_pid.numbers[0].nr, "PID", n))
        if task.pid == task.tgid:
            found |= {(task.signal.pids[i].numbers[0].nr, KINDS[i], n) for i in (1, 2, 3)}
    return found


def test_each_use_of_a_number_is_a_task_on_the_way_from_its_struct_pid(kernel):
    k, picture = kernel, identifiers(kernel)
    label = {node.id: node for node in picture.nodes}
    pid_of = {k.task(n).address_: n for n in (3, 4, 5, 6, 7)}
    onward = {(e.src, e.src_port): e for e in picture.edges if e.kind in {"first", "pointer"}}
    drawn = set()
    for edge in picture.edges:
        if edge.kind == "first":
            number, step = int(label[edge.src].label.split()[2]), edge
            while step:
                drawn.add((number, edge.src_port, pid_of[label[step.dst].address]))
                step = onward.get((step.dst, edge.src_port))
    assert drawn == uses(k)


def test_every_arrow_is_a_word_of_memory_at_every_moment(kernel):
    dice = random.Random(7)
    for t in sorted(dice.sample(range(1000, kernel.now), 10)):
        look = kernel.at(t)
        picture = identifiers(look, since=kernel.at(t - 50))
        assert picture.svg
        for edge in picture.edges:
            assert look.machine.read_u64(edge.pointer) == edge.target


def test_a_number_that_nobody_has_leads_nowhere_and_one_in_use_to_its_struct_pid(kernel):
    text = str(identifiers(kernel, [4, 8, 5000]).text)
    assert f"number 4: slot = {kernel.task(4).thread_pid.address_:#018x}" in text
    assert "number 8: slot = NULL" in text
    assert "number 5000: slot = NULL" in text


def test_holders_are_drawn_and_others_are_counted():
    k, held = Plot(3, (Doing("fork", 3, 4), Doing("held", 4), Doing("gone", 4))).play()
    (one,) = held.values()
    old = one.pid
    picture = identifiers(k, [3, 4], holders={"you": old})
    (edge,) = [e for e in picture.edges if e.kind == "prev"]
    assert edge.target == old.address_
    child = k.call(3, "fork")
    k.get_pid(child), k.get_pid(child)
    pid = k.task(child).thread_pid
    assert "2 more holders" in identifiers(k, [child]).svg
    assert "1 more holder<" in identifiers(k, [child], holders={"you": pid}).svg


def test_more_numbers_than_are_asked_for_are_counted(kernel):
    assert "3 more numbers are in use" in str(identifiers(kernel, limit=2).text)
