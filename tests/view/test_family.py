"""The family below init: zombies, subreapers, and adoptions from one moment to another."""

import pytest

import kernelsim as ks
from kernelsim.include.uapi.linux.prctl import PR_SET_CHILD_SUBREAPER
from kernelsim.view import family


def line(last):
    """A kernel with bash, 3, its child, 4, and so on up to `last`."""
    k = ks.boot()
    task = k.spawn("bash")
    while task.pid < last:
        task = k.task(k.call(task, "fork"))
    return k


def box(picture, pid):
    return next(
        n for n in picture.nodes if ("pid", str(pid)) == (n.fields[0].name, n.fields[0].value)
    )


def arrows(picture, pid):
    """The names and ends of the arrows that leave a process."""
    pids = {node.id: int(node.fields[0].value) for node in picture.nodes}
    return {(edge.name, pids[edge.dst]) for edge in picture.edges if pids[edge.src] == pid}


def test_all_processes_below_init_are_drawn_with_their_parents_and_no_others():
    picture = family(line(5))
    assert {node.label for node in picture.nodes} == {
        "init (pid 1)", "bash (pid 3)", "bash (pid 4)", "bash (pid 5)",
    }  # fmt: skip
    assert [arrows(picture, pid) for pid in (1, 3, 4, 5)] == [
        set(), {("real_parent", 1)}, {("real_parent", 3)}, {("real_parent", 4)},
    ]  # fmt: skip


def test_a_zombie_says_what_it_keeps_for_its_parent():
    k = line(4)
    k.call(4, "exit", 3)
    fields = {field.name: field.value for field in box(family(k), 4).fields}
    assert (fields["state"], fields["exit_code"]) == ("Z (zombie)", "0x300")
    assert "exit_code" not in {field.name for field in box(family(k), 3).fields}


def test_an_adopted_child_has_an_arrow_to_the_parent_of_before_and_words_say_it():
    k = line(6)
    k.call(3, "prctl", PR_SET_CHILD_SUBREAPER, 1)
    before = k.now
    k.call(5, "exit", 0)
    picture = family(k, since=before)
    assert arrows(picture, 6) == {("real_parent", 3), ("real_parent before", 5)}
    assert "3 adopts 6, a child of 5." in picture.text
    assert "is = subreaper" in picture.text
    assert arrows(family(k), 6) == {("real_parent", 3)}


def test_where_the_parent_of_before_is_gone_only_words_are_left():
    k = line(4)
    before = k.now
    k.call(3, "exit", 0)
    picture = family(k, since=before)
    assert arrows(picture, 4) == {("real_parent", 1)}
    assert "1 adopts 4, a child of 3." in picture.text
    assert "Gone since" in picture.text


def test_in_the_middle_of_an_adoption_everybody_is_drawn_once():
    k = line(6)
    before = k.now
    k.call(4, "exit", 0)
    for t in range(before, k.now):
        pids = sorted(int(node.fields[0].value) for node in family(k.at(t)).nodes)
        assert pids == [1, 3, 4, 5, 6], t


def test_a_broken_process_list_is_drawn_as_far_as_it_goes():
    k = line(5)
    k.task(4).tasks.next = k.task(3).tasks
    assert {int(node.fields[0].value) for node in family(k).nodes} == {1, 3, 4}


def test_a_family_that_is_too_large_is_refused_with_advice():
    k = ks.boot(record=False)
    bash = k.spawn("bash")
    for _ in range(29):
        k.call(bash, "fork")
    with pytest.raises(ValueError, match="31 processes: process_tree draws more"):
        family(k)
