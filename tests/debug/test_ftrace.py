"""The function graph: kernel/trace/trace_functions_graph.c's text, by hand and from a kernel."""

from array import array
from types import SimpleNamespace

import pytest

import kernelsim as ks
from kernelsim.debug import ftrace, source_table
from kernelsim.machine import trace

HEADER = """\
# tracer: function_graph
#
# CPU               FUNCTION CALLS
# |                 |   |   |   |
"""


# A machine that has nothing but the trace written down in `script`: "3 name(" is task 3 entering
# name, "3 )name" its leaving; "3>4 comm" is task 3 making task 4 with that name.
def traced(script):
    m = SimpleNamespace(trace=trace.Trace(array("Q")))
    for line in script.split("\n"):
        pid, _, what = line.strip().partition(" ")
        parent, _, child = pid.partition(">")
        m.trace.set_pid(int(parent))
        if child:
            m.trace.emit("sched_process_fork", child_pid=int(child), child_comm=what)
        elif what.startswith(")"):
            m.trace.append(m.trace.tag | trace.code(what[1:]) | trace.EXIT)
        else:
            m.trace.append(m.trace.tag | trace.code(what[:-1]))
    return m


def graph(script, since=0, until=None):
    text = ftrace.function_graph(traced(script), since, until)
    assert text.startswith(HEADER)
    return text.removeprefix(HEADER)


CALL = """1>3 bash
3 sys_fork(
3 alloc_pid(
3 )alloc_pid
3 copy(
3 put(
3 )put
3 )copy
3 )sys_fork"""


def test_calls_are_nested_and_a_leaf_takes_one_line():
    assert graph(CALL) == (
        " 0) sys_fork() {\n 0)   alloc_pid();\n 0)   copy() {\n 0)     put();\n 0)   }\n 0) }\n"
    )


def test_a_brace_whose_beginning_is_before_the_window_says_whose_it_is():
    assert graph(CALL, 4) == " 0)   copy() {\n 0)     put();\n 0)   }\n 0) } /* sys_fork */\n"
    assert graph(CALL, 6) == " 0)     } /* put */\n 0)   } /* copy */\n 0) } /* sys_fork */\n"


def test_a_window_that_ends_early_leaves_braces_open():
    assert graph(CALL, 0, 5) == " 0) sys_fork() {\n 0)   alloc_pid();\n 0)   copy() {\n"


def test_nothing_happened():
    assert graph(CALL, 0, 0) == ""


SWITCH = """1>3 bash
1>11 a_very_long_name
3 schedule(
3 pick(
3 )pick
11 ret(
11 wake(
11 )wake
11 )ret
11 do_exit(
3 finish(
3 )finish
3 )schedule
0 idle(
0 )idle"""


def test_a_task_switch_has_a_frame_and_each_task_its_own_depth():
    assert (
        graph(SWITCH)
        == """\
 0) schedule() {
 0)   pick();
 ------------------------------------------
 0)     bash-3     =>   a_very_-11  \n ------------------------------------------

 0) ret() {
 0)   wake();
 0) }
 0) do_exit() {
 ------------------------------------------
 0)   a_very_-11   =>     bash-3    \n ------------------------------------------

 0)   finish();
 0) } /* schedule */
 ------------------------------------------
 0)     bash-3     =>    <idle>-0   \n ------------------------------------------

 0) idle();
"""
    )


def test_an_unknown_task_is_called_as_ftrace_calls_it():
    assert " 0)     bash-3     =>    <...>-8    \n" in graph("1>3 bash\n3 f(\n8 g(\n8 )g")


def test_a_leaf_is_one_function_of_one_task():
    assert graph("1>3 a\n3 f(\n3 g(\n3 )g\n3 )f").splitlines() == [
        " 0) f() {",
        " 0)   g();",
        " 0) }",
    ]
    assert "f();" not in graph("1>3 a\n3 f(\n4 )f")


# --- of a kernel ---------------------------------------------------------------------------


# The names of the functions entered by a task, as (depth, name), and whether every brace closes.
def parsed(text):
    depth, out = 0, []
    for line in text.removeprefix(HEADER).splitlines():
        body = line[4:]
        if not line.startswith(" 0)") or " => " in line:
            continue
        name, opened, closed = body.strip(), body.endswith("{"), body.strip().startswith("}")
        depth -= closed
        if not closed:
            assert body == "  " * depth + body.strip()
            out.append((depth, name.removesuffix(" {").removesuffix(";").removesuffix("()")))
        depth += opened
    assert depth == 0
    return out


def test_the_graph_of_a_fork_shows_the_kernels_steps_in_order():
    k = ks.boot()
    sh = k.spawn("sh")
    since = k.now
    k.call(sh, "fork")
    calls = parsed(k.function_graph(since))
    steps = ["dup_task_struct", "copy_creds", "sched_fork", "copy_files", "copy_fs", "copy_sighand"]
    steps += [
        "copy_signal",
        "copy_mm",
        "copy_namespaces",
        "copy_thread",
        "alloc_pid",
        "wake_up_new_task",
    ]
    names = [name for _, name in calls]
    assert [name for name in names if name in steps] == steps
    depth = {name: depth for depth, name in calls}
    assert depth["copy_process"] + 1 == depth["alloc_pid"] == depth["copy_mm"]
    assert depth["kernel_clone"] + 1 == depth["copy_process"] == depth["wake_up_new_task"]


@pytest.fixture(scope="module")
def waited():
    k = ks.boot()
    sh = k.spawn("sh")
    child = k.task(k.call(sh, "fork"))
    since = k.now
    assert k.call(sh, "waitpid", -1, 0) is ks.PENDING
    k.call(child, "exit_group", 3)
    return k, since


def test_what_a_booted_kernel_does_shows_functions_of_linux_only():
    k = ks.boot()
    shell, since = k.spawn("sh"), k.now
    k.call(shell, "pipe")
    child = k.task(k.call(shell, "fork"))
    k.call(child, "exit", 0)
    k.call(shell, "waitpid", -1, 0)
    k.kthread_stop(k.kthread_run("x"))
    names = {event.name for event in k.events(since) if event.kind != "event"}
    ours = {name for group in source_table.OURS.values() for name in group}
    assert (names & ours, {"kmalloc", "kthread_stop"} - names) == (set(), set())


def test_a_dead_task_returns_from_nothing(waited):
    k, since = waited
    events = [e for e in k.events(since) if e.kind != "event"]
    dead = [e for e in events if e.pid == 4]
    open_calls = {e.name for e in dead if e.kind == "enter"} - {
        e.name for e in dead if e.kind == "exit"
    }
    assert {"do_exit", "do_task_dead", "__schedule"} <= open_calls
    assert not [e for e in events if e.kind == "exit" and e.name in {"do_exit", "do_task_dead"}]


def test_every_function_that_a_task_leaves_is_the_last_one_that_it_entered(waited):
    k, _ = waited
    stacks = {}
    for e in k.events():
        stack = stacks.setdefault(e.pid, [])
        if e.kind == "enter":
            stack.append(e.name)
        elif e.kind == "exit" and stack:
            assert stack.pop() == e.name
    assert all(not stack for pid, stack in stacks.items() if pid == 3)


def test_the_parent_comes_back_at_the_depth_at_which_it_went_to_sleep(waited):
    k, since = waited
    lines = k.function_graph(since).splitlines()
    (asleep,) = [line for line in lines if line.endswith(" schedule() {") and line.index("s") < 20]
    assert f"{asleep.partition('schedule')[0]}}} /* schedule */" in lines
    assert " 0)      sh-3      =>      sh-4     " in lines
    assert " 0)      sh-4      =>      sh-3     " in lines
