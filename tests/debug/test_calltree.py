"""A system call as a tree of functions: nesting, durations, what is only begun or only ended."""

import pytest

import kernelsim as ks
from kernelsim.debug import calltree, strace


@pytest.fixture(scope="module")
def family():
    k = ks.boot()
    sh = k.spawn("sh")
    child = k.task(k.call(sh, "fork"))
    k.call(child, "getpid")
    k.call(sh, "waitpid", -1, 0)
    k.call(child, "exit_group", 1)
    return k


# The time of the last call whose row begins so.
def called(k, words):
    return next(row for row in strace.Strace(k.machine).rows()[::-1] if row.text.startswith(words))


def of(k, words, *, everyone=False, until=None, then=None):
    row = called(k, words)
    since, end = calltree.span(k.machine, row.t, until)
    return calltree.tree(k.machine, since, end, None if everyone else row.pid, then)[0]


def flat(nodes):
    for node in nodes:
        yield node
        yield from flat(node.children)


def test_the_tree_holds_what_the_function_graph_prints(family):
    row = called(family, "fork")
    since, end = calltree.span(family.machine, row.t)
    graph = family.function_graph(since, end).splitlines()[4:]
    printed = [line.split()[1].partition("(")[0] for line in graph if "(" in line]
    assert [node.name for node in flat(of(family, "fork"))] == printed
    assert [node.name for node in of(family, "fork")] == ["entry_SYSCALL_64"]


def test_a_call_takes_the_time_that_passes_in_it_and_so_does_who_made_it(family):
    (entry,) = of(family, "fork")
    m = family.machine
    since, end = calltree.span(m, called(family, "fork").t)
    clock = m.offset(m.symbols["tk_core"][0]) >> 3
    assert entry.ns == family.at(end).machine.u64[clock] - family.at(since).machine.u64[clock] > 0
    assert entry.children[0].ns == entry.ns
    assert {node.ns for node in flat(entry.children[0].children)} == {0}


def test_a_call_that_sleeps_shows_who_ran_meanwhile_and_how_long_it_took(family):
    (entry,) = of(family, "wait4(-1,  <unf")
    nodes = {node.name: node for node in flat([entry])}
    switch = nodes[""]
    assert (switch.kind, switch.pid, switch.to) == ("switch", 3, 4)
    assert nodes["do_wait"].ns > 2 * nodes["do_wait_thread"].ns
    assert {node.pid for node in flat([entry])} == {3}
    everyone = of(family, "wait4(-1,  <unf", everyone=True)
    assert {node.pid for node in flat(everyone)} == {3, 4}


def test_who_was_in_a_function_before_the_events_begin_is_shown_in_it(family):
    roots = of(family, "wait4(-1,  <unf", everyone=True)
    early = next(node for node in roots if node.early)
    assert early.pid == 4
    assert early.name == "irqentry_exit_to_user_mode"
    assert all(node.early for node in flat([early]))
    assert early.ns is None


def test_at_a_moment_inside_a_call_the_functions_are_not_left_yet(family):
    m = family.machine
    t = next(
        e.t
        for e in family.events(called(family, "fork").t)
        if (e.name, e.kind) == ("alloc_pid", "enter")
    )
    roots = of(family, "fork", until=t + 1, then=family.at(t + 1).machine)
    nodes = list(flat(roots))
    assert [node.name for node in nodes if node.ns is None] == [
        "entry_SYSCALL_64",
        "do_syscall_64",
        "__x64_sys_fork",
        "kernel_clone",
        "copy_process",
        "alloc_pid",
    ]
    assert nodes[-1].name == "alloc_pid"
    assert m.trace.now > t


def test_a_call_that_never_returns_ends_now(family):
    nodes = list(flat(of(family, "exit_group")))
    assert nodes[-2].kind == "switch"
    assert nodes[-1].name == "context_switch"
    assert nodes[0].ns is None


def test_the_text_has_a_line_for_each_function_and_is_cut(family):
    text = calltree.text(of(family, "fork"))
    assert text.splitlines()[:2] == [
        "    3                 |  entry_SYSCALL_64() {",
        "    3                 |    do_syscall_64() {",
    ]
    assert text.splitlines()[-1] == "    3    1.000 us     |  }"
    short = calltree.text(of(family, "fork"), 5).splitlines()
    assert len(short) == 6
    assert short[-1] == f"... and {len(text.splitlines()) - 5} more lines"


def test_more_functions_than_can_be_shown_are_counted(family, monkeypatch):
    row = called(family, "fork")
    span = calltree.span(family.machine, row.t)
    whole, none = calltree.tree(family.machine, *span, row.pid)
    monkeypatch.setattr(calltree, "MOST", 10)
    part, more = calltree.tree(family.machine, *span, row.pid)
    assert none == 0
    assert (len(list(flat(part))), more) == (10, len(list(flat(whole))) - 10)
    assert calltree.text(part)


# kernel/trace/trace_functions_graph.c, by hand: seven digits at most, and a mark for what is long.
@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (0, "  0.000 us"),
        (1_234, "  1.234 us"),
        (10_000, "  10.000 us"),
        (10_001, "+ 10.001 us"),
        (1_234_567, "# 1234.567 us"),
        (12_345_678, "* 12345.67 us"),
        (123_456_789, "@ 123456.7 us"),
        (1_234_567_890, "$ 1234567 us"),
    ],
)
def test_a_duration_is_printed_as_ftrace_prints_it(ns, expected):
    assert calltree.duration(ns) == expected
