"""Questions that are answered by pointing into a drawn tree."""

import pytest

import kernelsim as ks
from kernelsim.exercise import Parent


def orphaned():
    """A recorded kernel: the shell (3) of a child (4) has ended; the moment before, and the child."""
    k = ks.boot(record=True)
    bash = k.spawn("bash")
    child = k.task(k.call(bash, "fork"))
    before = k.now
    k.call(bash, "exit", 0)
    return k, before, child


@pytest.fixture
def scene():
    k, before, child = orphaned()
    return k, before, child, ks.view.process_tree(k.at(before))


def question(scene, **more):
    _, _, child, tree = scene
    near = {2: "kthreadd adopts nobody."}
    return Parent("bash (3) ends. Whose child is 4?", tree, lambda: child.real_parent, near, **more)


def test_the_right_task_is_the_one_that_the_machine_says(scene):
    q = question(scene, yes="Yes: init adopts it.", no="Not that one.")
    verdict = q.check(1)
    assert (verdict.correct, verdict.said, verdict.feedback) == (
        True,
        "init (pid 1)",
        "Yes: init adopts it.",
    )
    assert q.check(2).feedback == "kthreadd adopts nobody."
    verdict = q.check(3)
    assert (verdict.correct, verdict.said, verdict.did, verdict.feedback) == (
        False,
        "bash (pid 3)",
        "init (pid 1)",
        "Not that one.",
    )


def test_a_task_is_chosen_by_pid_address_or_reference(scene):
    k = scene[0]
    q = question(scene)
    init = k.task(1)
    for choice in (1, "1", init, init.address_, f"{init.address_:#x}"):
        assert q.read(choice) == 1
    assert q.place(1) == f"{init.address_:#x}"


def test_the_answer_may_be_a_pid_and_is_computed_once(scene):
    asked = []
    q = Parent("?", scene[3], lambda: asked.append(1) or 1)
    assert str(q).splitlines()[1:] == [
        "  - init_task (pid 0)",
        "  - init (pid 1)",
        "  - bash (pid 3)",
        "  - bash (pid 4)",
        "  - [kthreadd] (pid 2)",
    ]
    assert q.form()["svg"] == scene[3].svg
    assert asked == []
    assert q.check(1).correct
    assert not q.check(0).correct
    assert asked == [1]


def test_the_picture_is_made_when_it_is_asked_for():
    made = []
    q = Parent("?", lambda: made.append(1) or ks.view.process_tree(ks.boot()), lambda: 1)
    assert (repr(q), made) == ("Parent('?')", [])
    assert set(q.form()["names"].values()) == {
        "init_task (pid 0)",
        "init (pid 1)",
        "[kthreadd] (pid 2)",
    }
    assert str(q)
    assert made == [1]


@pytest.mark.parametrize("choice", [77, "77", "init", "", "0xffff888000000000"])
def test_a_task_that_is_not_in_the_picture_is_refused(scene, choice):
    with pytest.raises(ValueError, match=r"there is no task .* there are 0, 1, 3, 4, 2"):
        question(scene).check(choice)


@pytest.mark.parametrize("choice", [None, 1.5, True])
def test_what_is_no_task_is_refused(scene, choice):
    with pytest.raises(TypeError, match="by its pid or address"):
        question(scene).check(choice)


def test_folded_boxes_cannot_be_chosen():
    k = ks.boot()
    bash = k.spawn("bash")
    for _ in range(40):
        k.call(bash, "fork")
    picture = ks.view.process_tree(k)
    assert any(node.folded for node in picture.nodes)
    assert len(Parent("?", picture, lambda: 1).form()["names"]) == sum(
        not node.folded for node in picture.nodes
    )


def test_an_answer_that_is_typed_in_or_not_in_the_picture_is_an_error(scene):
    with pytest.raises(TypeError, match="an answer is computed"):
        Parent("?", scene[3], 1)
    with pytest.raises(ValueError, match="the machine's answer 99 is not in the picture"):
        Parent("?", scene[3], lambda: 99).check(1)
