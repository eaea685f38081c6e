"""The function graph of a call: which call, its rows, its folds without a kernel."""

import itertools

from kernelsim.debug import source
from kernelsim.widget.graph_pane import OPEN, SWITCH, GraphPane
from tests.widget import scene


def rows(shown):
    graph = shown.graph
    for name, depth, pid, other, kind in graph["rows"]:
        yield graph["names"][name], depth, pid, "" if kind & SWITCH else graph["times"][other], kind


def test_it_shows_the_last_call_that_was_fired_with_durations_and_places():
    k, bash = scene.booted()
    k.call(bash, "fork")
    shown = GraphPane(k)
    shown.catch_up()
    assert shown.heading == "task 3 (bash): fork() = 4"
    found = list(rows(shown))
    assert found[:3] == [
        ("entry_SYSCALL_64", 1, 3, "1.000 us", 0),
        ("do_syscall_64", 2, 3, "1.000 us", 0),
        ("__x64_sys_fork", 3, 3, "0.000 us", 0),
    ]
    places = dict(zip(shown.graph["names"], shown.graph["places"], strict=True))
    assert places["copy_process"] == ["kernel/fork.c", source.place("copy_process").line]
    assert shown.site.endswith("/linux/v5.10.188/source/")


def test_it_follows_the_step_that_the_reader_looks_at():
    k, bash = scene.booted()
    moments = [k.now]
    for call in ("fork", "getpid", "pipe"):
        k.call(bash, call)
        moments.append(k.now)
    shown = GraphPane(k)
    headings = []
    for before, after in itertools.pairwise(moments):
        shown.show(k.at(after), k.at(before), bash)
        headings.append(shown.heading)
    assert [heading.split()[3].partition("(")[0] for heading in headings] == [
        "fork",
        "getpid",
        "pipe2",
    ]


def test_the_reader_chooses_a_call_and_goes_back_to_that_of_the_moment():
    k, bash = scene.booted()
    k.call(bash, "fork")
    k.call(bash, "getpid")
    shown = GraphPane(k)
    shown.catch_up()
    (fork,) = (t for t, words in shown.calls if words.startswith("3: fork"))
    shown.call = fork
    assert shown.heading == "task 3 (bash): fork() = 4"
    shown.show(k, None, bash)
    assert shown.heading == "task 3 (bash): fork() = 4"
    shown.call = None
    assert shown.heading == "task 3 (bash): getpid() = 3"


def test_other_tasks_are_shown_if_they_are_wanted():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(bash, "waitpid", -1, 0)
    k.call(child, "exit", 1)
    shown = GraphPane(k)
    shown.catch_up()
    (wait,) = (t for t, words in shown.calls if words.startswith("3: wait4"))
    shown.call = wait
    assert {pid for _, _, pid, _, _ in rows(shown)} == {3}
    switch = next(row for row in shown.graph["rows"] if row[4] & SWITCH)
    assert shown.graph["who"][str(switch[3])][2] == "task 4 (bash)"
    shown.everyone = True
    assert {3, 4} <= {pid for _, _, pid, _, _ in rows(shown)}


def test_a_call_that_sleeps_has_functions_that_are_not_left():
    k, bash = scene.booted()
    k.call(bash, "pipe")
    k.call(bash, "read", 3, 1)
    shown = GraphPane(k)
    shown.catch_up()
    open_ = [name for name, _, _, took, kind in rows(shown) if kind & OPEN and not took]
    assert open_[:4] == ["entry_SYSCALL_64", "do_syscall_64", "__x64_sys_read", "ksys_read"]
    assert shown.heading == "task 3 (bash): read(3, <unfinished ...>"


def test_a_page_without_a_kernel_folds_by_itself_and_is_not_long():
    k, bash = scene.booted()
    k.call(bash, "fork")
    static = GraphPane(k, depth=3).static()
    page = static["text/html"]
    assert page.count("<details open") == 2
    assert page.count("<details") > 10
    assert f'<a href="{source.link("copy_process")}">copy_process in Linux</a>' in page
    assert static["text/plain"].splitlines()[1].endswith("|  entry_SYSCALL_64() {")
    big = k.spawn("big")
    for _ in range(40):
        k.call(k.task(k.call(big, "fork")), "exit", 0)
    k.call(big, "exit", 0)
    static = GraphPane(k).static()
    assert len(static["text/plain"].splitlines()) <= 402
    assert "more lines" in static["text/plain"]
    assert static["text/html"].count("<code>") == 400
    assert "not shown here" in static["text/html"]


def test_a_long_call_stays_small_on_the_wire():
    k, bash = scene.booted()
    for _ in range(100):
        k.call(k.task(k.call(bash, "fork")), "exit", 0)
    k.call(bash, "exit", 0)
    shown = GraphPane(k)
    shown.everyone = True
    shown.catch_up()
    count = len(shown.graph["rows"])
    assert count > 5000
    assert len(str(shown.graph["rows"])) < 25 * count
