"""The answers that the machine gives to the chapter on exiting and reaping are those of Linux."""

import pytest

from kernelsim.exercise import bank, exiting_and_reaping, waiting

STEPS = ["signals", "mm", "files", "fs", "task_namespaces", "notify"]


def test_each_question_of_the_chapter_is_in_the_bank():
    named = {name.removeprefix("08-").replace("-", "_") for name in bank.names("08")}
    assert named == set(exiting_and_reaping.__all__)
    assert set(waiting.__all__) - {"THREAD"} <= named


@pytest.mark.parametrize(
    ("name", "did"),
    [
        ("what_a_waiting_parent_shows", "S, sleeping"),
        (
            "what_gets_rid_of_a_zombie",
            "the first kill does nothing; the second one removes it, with bash",
        ),
        ("who_frees_the_stack", "the task that runs next on this CPU"),
        ("who_adopts", "init (pid 1)"),
        ("whose_child_the_grandchild_is", "bash (pid 4)"),
        ("who_adopts_below_a_subreaper", "bash (pid 3)"),
        ("what_the_death_of_a_parent_sends", "none"),
        ("what_the_word_of_an_exit_is", "0x300"),
        ("what_the_word_of_a_killed_child_is", "0xf"),
        ("what_the_end_of_init_does", "the kernel panics"),
    ],
)
def test_the_machine_answers_as_linux_does(name, did):
    assert getattr(exiting_and_reaping, name)().did == did


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("what_a_zombie_still_has", "c"),
        ("what_wait_finds_when_sigchld_is_ignored", "c"),
        ("whether_a_dead_leader_can_be_reaped", "c"),
        ("what_becomes_of_a_stopped_job", "c"),
    ],
)
def test_the_machine_chooses_the_answer_that_is_true_of_linux(name, letter):
    question = getattr(exiting_and_reaping, name)()
    assert question.labels[question.right] == letter


def test_the_steps_of_exit_are_in_the_order_of_the_source_without_those_of_wait():
    question = exiting_and_reaping.in_which_order_exit_goes()
    taken = [question.steps[i].value for i in question.right]
    assert taken == [*(f"exit_{step}" for step in STEPS), "do_task_dead"]


def test_who_points_at_the_grandparent_hears_about_it():
    verdict = exiting_and_reaping.who_adopts().check(3)
    assert not verdict
    assert "grandparent" in verdict.feedback
