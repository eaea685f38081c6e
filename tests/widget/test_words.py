"""Sentences about what changed."""

import kernelsim as ks
from kernelsim.widget import words
from kernelsim.widget.history import History
from tests.widget import scene


def changed(k, act):
    before = k.now
    act()
    return words.difference(k.at(before), k)


def test_a_fork_is_told_with_the_place_in_the_list():
    k, bash = scene.booted()
    assert (
        changed(k, lambda: k.call(bash, "fork")) == "Task 4 (bash) is linked after task 3 (bash)."
    )
    assert (
        changed(k, lambda: k.call(bash, "fork")) == "Task 5 (bash) is linked after task 4 (bash)."
    )


def test_a_zombie_and_then_its_end():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    assert changed(k, lambda: k.call(child, "exit", 0)) == "Task 4 (bash) is a zombie now."
    reap = changed(k, lambda: k.call(bash, "waitpid", -1, 0))
    assert reap == "Task 4 (bash) is unlinked and gone."


def test_sleep_wake_up_and_reparenting():
    k, bash, child = scene.family()
    told = changed(k, lambda: k.call(child, "exit", 0))
    assert told == (
        "Task 4 (bash) is unlinked and gone; task 3 (bash) can run again; "
        "task 5 (bash) is now a child of task 1 (init)."
    )
    assert changed(k, lambda: k.call(bash, "pipe")) == "No task has changed."
    assert changed(k, lambda: k.call(bash, "read", 3, 1)) == "Task 3 (bash) sleeps now."


def test_a_new_name_is_told_with_the_old_one():
    k = ks.boot()
    assert changed(k, lambda: k.spawn("sh")) == "Task 3 (sh) is linked after task 2 ([kthreadd])."
    assert changed(k, lambda: k.call(k.task(3), "execve", "sh")) == "No task has changed."


def test_many_changes_are_cut_to_three_and_counted():
    k, bash = scene.booted()
    told = changed(k, lambda: [k.call(bash, "fork") for _ in range(6)])
    assert told.endswith("; and 3 more changes.")
    assert told.count(" is linked after ") == 3


def test_a_broken_list_is_said_not_raised():
    k, bash = scene.booted()
    before = k.now
    k.call(bash, "fork")
    bash.tasks.next = 0x6B6B6B6B6B6B6B6B
    assert words.difference(k.at(before), k).startswith("The list is broken: ")


def test_a_store_says_member_owner_and_meaning():
    k, bash = scene.booted()
    since = k.now
    child = k.task(k.call(bash, "fork"))
    history = History(k)
    told = [
        words.stored(store, history.at(moment))
        for moment in history.moments("store")
        if moment[0] >= since and (store := history.store(moment))
    ]
    link = f"{child.tasks.address_:#x}"
    assert f"tasks.next of task 3 (bash) is now the tasks of task 4 (bash), {link}." in told
    assert f"tasks.prev of task 0 (init_task) is now the tasks of task 4 (bash), {link}." in told
    assert "state of task 4 (bash) is now TASK_RUNNING." in told
    outside = f"a task_struct outside the list, (struct task_struct *){child.address_:#x}"
    assert any(sentence.startswith(f"tasks.prev of {outside} is now") for sentence in told)
