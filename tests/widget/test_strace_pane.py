"""strace's rows beside the timeline."""

import pytest

import kernelsim as ks
from kernelsim.widget import strace_pane
from kernelsim.widget.strace_pane import StracePane
from tests.widget import scene


def texts(shown):
    return [row[6] for row in shown.rows]


@pytest.fixture
def shown():
    k, _bash, child = scene.family()
    k.call(child, "exit", 7)
    shown = StracePane(k)
    shown.catch_up()
    return shown


def test_the_rows_are_straces_own_lines(shown):
    lines = shown.look.strace().splitlines()
    assert [f"[pid {row[2]:5}] {row[6]}" for row in shown.rows] == lines
    assert {tuple(row[2:6]) for row in shown.rows if row[2] == 3} == {
        (3, "C", 3, "task 3 (init)"),
        (3, "C", 3, "task 3 (bash)"),
    }


def test_it_follows_the_moment_and_sends_no_rows_again(shown):
    k = shown.look
    fork = next(row for row in shown.rows if row[6].startswith("fork") and row[2] == 3)
    sent = []
    shown.observe(lambda change: sent.append(change["name"]), "rows")
    shown.show(k.at(fork[0] + 5), None, None)
    assert shown.until == fork[0] + 5
    assert fork[0] < shown.until <= fork[1]
    assert fork[6][: fork[7]] == "fork("
    assert sent == []
    before = sum(row[0] < shown.until for row in shown.rows)
    assert shown.heading.startswith(f"{len(shown.rows)} rows, {before} of them before")


def test_a_row_that_the_reader_chooses_is_jumped_to_behind_what_it_did(shown):
    moments = []
    assert not shown.can_jump
    shown.heard({"do": "jump", "t": shown.rows[0][0]})
    shown.on_jump = moments.append
    assert shown.can_jump
    fork = next(row for row in shown.rows if row[6].startswith("fork") and row[2] == 3)
    shown.heard({"do": "jump", "t": fork[0]})
    following = next(row for row in shown.rows if row[0] > fork[1])
    assert moments == [(following[0], 0)]
    look = shown.look.at(*moments[0])
    assert [t.pid for t in look.tasks()][-1] == 4
    shown.heard({"do": "jump", "t": "fork"})
    shown.heard({"do": "jump", "t": -1})
    assert len(moments) == 1
    shown.heard({"do": "jump", "t": shown.rows[-1][0]})
    assert moments[-1] == (shown.look.now, 0), "nothing follows"


def test_in_an_explorer_a_row_leads_to_the_moment_after_it():
    k, bash, child = scene.family()
    k.call(child, "exit", 7)
    explorer = ks.widget.explore(k, focus=bash, panes=("strace", "terminal"))
    (pane, _) = explorer.panes
    for words, pids in (("fork()  ", [1, 2, 3, 4]), ("exit_group", [1, 2, 3, 5])):
        row = next(row for row in pane.rows if row[6].startswith(words) and row[2] in (3, 4))
        pane.heard({"do": "jump", "t": row[0]})
        look, _since = explorer.active.seen()
        assert scene.pids(look) == pids
        assert pane.until > row[1], "the row is not among those to come"
    pane.heard({"do": "jump", "t": pane.rows[-1][0]})
    assert not explorer.timeline.past


def test_rows_are_filtered_by_task_and_by_text(shown):
    shown.who = "4"
    assert {row[2] for row in shown.rows} == {4}
    shown.call = " FORK"
    assert texts(shown) == ["fork()                      = 5"]
    shown.who = ""
    assert len(shown.rows) == 3
    shown.call = "no such call"
    assert shown.rows == []
    assert shown.heading == "0 rows."
    assert [pid for pid, *_ in shown.tasks] == ["1", "3", "4"]


def test_of_many_rows_those_around_the_moment_are_sent(monkeypatch):
    monkeypatch.setattr(strace_pane, "WINDOW", 20)
    k, bash = scene.booted()
    for _ in range(100):
        k.call(bash, "getpid")
    shown = StracePane(k)
    shown.catch_up()
    assert (len(shown.rows), shown.first + 20) == (20, shown.total)
    middle = k.at(k.now // 2)
    shown.show(middle)
    inside = [row for row in shown.rows if row[0] < shown.until]
    assert (len(shown.rows), len(inside)) == (20, 10)
    first = shown.first
    shown.heard({"do": "earlier"})
    assert shown.first == first - 10
    shown.heard({"do": "later"})
    shown.heard({"do": "later"})
    assert shown.first == first + 10
    for _ in range(20):
        shown.heard({"do": "earlier"})
    assert shown.first == 0


def test_it_grows_with_the_machine_and_turns_to_another_one(shown):
    k = shown.look
    k.call(k.task(5), "getpid")
    shown.show(k)
    assert texts(shown)[-1].startswith("getpid()")
    branch = k.branch(k.now - 100)
    branch.call(branch.task(5), "getppid")
    shown.show(branch)
    assert texts(shown)[-1].startswith("getppid()")


def test_a_page_without_a_kernel_has_the_rows_until_the_moment(shown):
    k = shown.look
    fork = next(row for row in shown.rows if row[6].startswith("fork") and row[2] == 3)
    shown.show(k.at(fork[0] + 5))
    lines = shown.static()["text/plain"].splitlines()
    assert lines[-1] == "[pid     3] fork("
    assert len(lines) == 1 + sum(row[0] < shown.until for row in shown.rows)


def test_a_row_of_any_length_is_cut(shown):
    k = shown.look
    with pytest.raises(OSError, match="name too long"):
        k.call(k.task(3), "open", "x" * 5000, 0)
    shown.show(k)
    assert max(len(row[6]) for row in shown.rows) == strace_pane.LONGEST + 1
