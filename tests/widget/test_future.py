"""Futures of one machine: branched off, compared, crashed, rebooted; who runs next in them."""

import kernelsim as ks
from tests.widget import scene
from tests.widget.test_explorer import shown


def test_a_branch_is_the_same_machine_up_to_there_and_then_goes_its_own_way():
    k, bash = scene.booted()
    k.call(bash, "fork")
    past = k.now
    state = k.state_hash()
    k.call(bash, "fork")
    explorer = ks.widget.explore(k, focus=bash)
    explorer.timeline.step(-1)
    explorer.panel.heard({"do": "branch"})
    assert explorer.kernel is not k
    assert (explorer.kernel.now, explorer.kernel.state_hash()) == (past, state)
    assert explorer.panel.locked == ""
    assert explorer.active.head.text == f"from event {past} of the trunk"
    explorer.panel.fire("exit", 1)
    assert scene.pids(explorer.kernel) == [1, 2, 4]
    assert scene.pids(k) == [1, 2, 3, 4, 5]
    explorer.active.head.heard({"do": "leave"})
    assert explorer.kernel is k
    explorer.timeline.step(1)
    assert k.tasks()[-1].address_ in shown(explorer)


def test_a_branch_of_a_branch_is_shown_beside_the_branch_and_leads_back_step_by_step():
    k, bash = scene.booted()
    k.call(bash, "fork")
    explorer = ks.widget.explore(k)
    explorer.branch()
    assert explorer.kernel is k, "now there is nothing to branch off from"
    for _ in range(2):
        explorer.timeline.step(-1)
        explorer.branch()
    assert [future.name for future in explorer.futures] == ["the trunk", "branch 1", "branch 2"]
    assert columns(explorer) == explorer.futures[1:]
    explorer.active.head.heard({"do": "drop"})
    assert columns(explorer) == explorer.futures
    explorer.active.head.heard({"do": "drop"})
    assert explorer.kernel is k


def branched(explorer):
    """Two futures: the trunk one step back, and a branch from there."""
    explorer.timeline.step(-1)
    explorer.branch()
    return explorer.futures


def columns(explorer):
    return [one for one in explorer._row.children if one in explorer.futures]


def test_what_differs_between_two_futures_is_said_and_marked():
    k, bash = scene.booted()
    k.call(bash, "fork")
    explorer = ks.widget.explore(k, focus=bash)
    trunk, branch = branched(explorer)
    assert explorer.bar.text == "No task differs between the trunk and branch 1."
    trunk.timeline.step(1)
    assert explorer.bar.text == "Task 4 (bash) is only in the trunk."
    child = hex(k.task(4).address_)
    assert (trunk.pictures[0].differs, branch.pictures[0].differs) == ([child], [])
    branch.panel.fire("fork")
    assert explorer.bar.text == "No task differs between the trunk and branch 1."
    branch.panel.fire("kill", 4, 9)
    assert explorer.bar.text == ("Task 4 (bash) is running in the trunk, is a zombie in branch 1.")
    assert trunk.pictures[0].differs == branch.pictures[0].differs == [child]
    assert "Task 4 (bash) is running in the trunk" in explorer.static()["text/plain"]


def test_each_future_has_a_panel_and_a_place_in_time_of_its_own():
    k, bash = scene.booted()
    k.call(bash, "fork")
    explorer = ks.widget.explore(k, focus=bash)
    trunk, branch = branched(explorer)
    assert trunk.panel.locked
    assert not branch.panel.locked
    branch.panel.fire("exit", 0)
    assert explorer.active is branch
    trunk.timeline.step(1)
    assert explorer.active is trunk
    assert branch.timeline.place == branch.timeline.last
    trunk.panel.fire("fork")
    assert scene.pids(k) == [1, 2, 3, 4, 5]
    assert scene.pids(branch.kernel) == [1, 2]


def test_a_branch_that_was_left_can_be_shown_again():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    _, branch = branched(explorer)
    branch.head.heard({"do": "leave"})
    branch.head.heard({"do": "hidden"})
    branch.head.heard({"do": "leave"})  # a second click, which comes too late
    assert columns(explorer) == explorer.futures == [explorer.active]
    assert explorer.bar.actions == [["branch 1", "show branch 1 again"]]
    explorer.bar.heard({"do": "branch 1"})
    assert columns(explorer)[1] is explorer.active is branch
    assert explorer.bar.actions == []


def test_a_branch_that_is_kept_takes_the_place_of_the_trunk():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    _, branch = branched(explorer)
    branch.head.heard({"do": "keep"})
    assert columns(explorer) == explorer.futures == [branch]
    assert explorer.kernel is branch.kernel is not k
    assert branch.head.title == "Branch 1:"
    assert branch.head.actions == []
    branched(explorer)
    assert [future.name for future in explorer.futures] == ["branch 1", "branch 2"]


def test_a_future_with_a_branch_beside_it_grows_no_second_one_and_says_why():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    trunk, branch = branched(explorer)
    trunk.branch()
    assert explorer.futures == [trunk, branch]
    assert explorer.bar.text.startswith("the trunk has branch 1 beside it. Leave that one,")


def test_at_a_choice_another_task_is_let_run_in_a_branch():
    k, bash = scene.booted()
    k.load("race", scene.race)
    explorer = ks.widget.explore(k, focus=bash)
    explorer.panel.fire("execve", "race")
    explorer.timeline.level = "choice"
    while explorer.timeline.history.choice(explorer.timeline.moment) is None:
        explorer.timeline.step(-1)
    assert "can run: the scheduler takes task 3 (race)." in explorer.timeline.sentence
    rows = {label: (what, action) for _, label, _, what, action in explorer.active.turn.rows}
    assert rows["task 3 (race)"] == ("the scheduler's choice", "")
    assert rows["task 4 (race)"] == ("", "let it run")
    address = explorer.active.turn.rows[-1][0]
    explorer.active.turn.heard({"do": "run", "task": address})
    assert "where task 4 (race) runs next" in explorer.active.head.text
    assert sorted(explorer.kernel.console) == sorted(k.console)
    places = [future.timeline.moment for future in explorer.futures]
    assert places[0] == places[1], "both are shown where they part"
    rows = {label: what for _, label, _, what, _ in explorer.active.turn.rows}
    assert rows == {
        "task 3 (race)": "would be the scheduler's choice",
        "task 4 (race)": "chosen by you",
    }
    for future in explorer.futures:
        future.timeline.step(99)
    if explorer.kernel.console != k.console:
        assert "has printed" in explorer.bar.text


def test_now_an_interrupt_brings_another_task_to_the_cpu():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    explorer.panel.fire("fork")
    turn = explorer.active.turn
    assert [(row[1], row[3]) for row in turn.rows] == [
        ("task 3 (bash)", "runs"),
        ("task 4 (bash)", ""),
    ]
    turn.heard({"do": "run", "task": turn.rows[1][0]})
    assert [row[3] for row in turn.rows] == ["", "runs"]
    assert explorer.panel.task == turn.rows[1][0]
    assert explorer.panel.answers[0][2] == "task 4 (bash) runs now, as you chose"
    assert explorer.timeline.sentence == "Task 4 (bash) runs now."
    turn.heard({"do": "run", "task": ""})
    assert "as the scheduler chose" in explorer.panel.answers[0][2]
    turn.heard({"do": "run", "task": "0x1234"})
    turn.heard({"do": "run", "task": turn.rows[0][0] + "0"})
    assert k.branch().state_hash() == k.state_hash()


def test_a_fork_bomb_ends_in_eagain_and_the_picture_stays_small():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, view="both", focus=bash)
    answer = explorer.panel.fire("fork bomb")
    assert answer.kind == "errno"
    assert answer.head.endswith("fork() = −1 EAGAIN")  # noqa: RUF001
    assert "max_threads" in answer.tail
    assert all(len(picture.picture.nodes) <= 60 for picture in explorer.pictures)
    assert len(k.tasks()) > 1000
    assert explorer.timeline.sentence.endswith(
        "EAGAIN (Resource temporarily unavailable). No task has changed."
    )
    explorer.timeline.step(-2)
    explorer.timeline.step(2)
    assert explorer.panel.fire("getpid").kind == "result"


def test_a_small_machine_runs_out_of_numbers_first():
    k = ks.boot(pid_max=301)
    explorer = ks.widget.explore(k, focus=k.spawn("bash"))
    assert "EAGAIN" in explorer.panel.fire("fork bomb").head
    assert len(k.tasks()) == 300


def test_a_panic_stands_over_the_picture_and_the_ways_out_work():
    k, _ = scene.booted()
    explorer = ks.widget.explore(k, focus=k.init)
    explorer.panel.fire("exit", 7)
    crash = explorer.active.crash
    assert crash.title == "Kernel panic - not syncing:"
    assert crash.text.startswith("Attempted to kill init! exitcode=0x00000700.")
    assert [name for name, _ in crash.actions] == ["back", "before", "reboot"]
    assert "Attempted to kill init!" in explorer.static()["text/plain"]
    crash.heard({"do": "back"})
    assert (crash.title, explorer.timeline.past) == ("", True)
    explorer.timeline.step(1)
    crash.heard({"do": "before"})
    trunk, branch = explorer.futures
    assert (branch.kernel.panic, branch.crash.title) == (None, "")
    assert scene.pids(branch.kernel) == [1, 2, 3]
    trunk.crash.heard({"do": "reboot"})
    assert (trunk.kernel.panic, trunk.crash.title, scene.pids(trunk.kernel)) == (None, "", [1, 2])
    assert trunk.panel.fire("fork").kind == "result"
    assert k.panic is not None


def test_an_oops_is_shown_and_gone_with_the_next_call():
    k, bash = scene.booted()
    other = k.task(k.call(k.spawn("sh"), "fork"))
    explorer = ks.widget.explore(k, focus=bash)
    other.signal = 0xDEAD0000
    assert explorer.panel.fire("getpgid", other.pid).kind == "oops"
    crash = explorer.active.crash
    assert crash.title == "Oops: a bug in the kernel."
    assert "0xdead0" in crash.text
    explorer.panel.task = hex(k.init.address_)
    explorer.panel.fire("getpid")
    assert crash.title == ""


def test_after_a_panic_a_branch_goes_on():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=k.init)
    assert explorer.panel.fire("exit", 0).kind == "panic"
    explorer.timeline.step(-1)
    explorer.branch()
    assert explorer.kernel.panic is None
    assert explorer.panel.fire("fork").kind == "result"
    assert k.panic is not None
    assert bash.pid == 3


def test_a_task_that_a_branch_does_not_have_yet_is_not_left_chosen():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=k.task(k.call(bash, "fork")))
    explorer.timeline.step(-1)
    explorer.branch()
    assert explorer.panel.fire("getpid").head.endswith("getpid() = 3")


def test_among_many_that_wait_who_runs_is_shown():
    k, bash = scene.booted()
    for _ in range(20):
        last = k.call(bash, "fork")
    explorer = ks.widget.explore(k, focus=bash)
    k.run_next(k.task(5))
    explorer.look()
    turn = explorer.active.turn
    assert ("task 5 (bash)", "runs") in [(row[1], row[3]) for row in turn.rows]
    assert len(turn.rows) == 4
    assert turn.more == f"and {last - 2 - 4} more"
    assert "task 5 (bash) (" in repr(turn)
