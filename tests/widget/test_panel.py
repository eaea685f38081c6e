"""The panel that fires calls: every outcome is an answer, none is a traceback."""

import pytest

import kernelsim as ks
from kernelsim.widget import SyscallPanel
from tests.widget import scene


def heads(panel):
    return [head for _, head, _ in panel.answers]


def test_a_fork_is_answered_and_the_child_can_be_chosen():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    answer = panel.fire("fork")
    assert (answer.kind, answer.head) == ("result", "task 3 (bash): fork() = 4")
    assert [label for _, label in panel.tasks] == [
        "task 1 (init), sleeping",
        "task 3 (bash)",
        "task 4 (bash)",
    ]
    assert scene.pids(k) == [1, 2, 3, 4]


def test_by_default_the_first_task_after_init_is_chosen():
    k, bash = scene.booted()
    k.call(bash, "fork")
    assert SyscallPanel(k).task == hex(bash.address_)
    assert SyscallPanel(k, 4).task == hex(k.task(4).address_)
    only_init = ks.boot()
    assert SyscallPanel(only_init).task == hex(only_init.init.address_)


def test_kernel_threads_and_the_dead_are_not_offered_but_a_dead_choice_stays_visible():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    panel = SyscallPanel(k, child)
    assert panel.fire("exit", 0).kind == "gone"
    labels = dict(panel.tasks)
    assert labels[hex(child.address_)] == "task 4 (bash), zombie"
    assert not any("kthreadd" in label for label in labels.values())


def test_firing_at_a_zombie_and_at_what_is_gone_gives_a_sentence():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    panel = SyscallPanel(k, child)
    panel.fire("exit", 0)
    answer = panel.fire("getpid")
    assert (answer.kind, answer.tail) == ("refused", "task 4 is dead: Z")
    k.call(bash, "waitpid", -1, 0)
    answer = panel.fire("getpid")
    assert answer.kind == "refused"
    assert answer.tail.startswith("the task is gone")
    assert dict(panel.tasks)[panel.task].endswith(", gone")


def test_a_kernel_thread_and_a_task_that_runs_a_program_give_a_sentence():
    async def main(libc):
        await libc.read((await libc.pipe())[0], 1)

    k, bash = scene.booted()
    k.load("reader", main)
    k.call(bash, "execve", "reader")
    for pid, words in ((2, "kernel thread"), (bash.pid, "runs a program")):
        answer = SyscallPanel(k, pid).fire("getpid")
        assert answer.kind == "refused"
        assert words in answer.tail


def test_a_sleeping_call_is_pending_then_its_result_comes_with_the_call_that_wakes_it():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    panel = SyscallPanel(k, bash)
    answer = panel.fire("waitpid", -1, 0)
    assert answer.kind == "pending"
    assert "do_wait()" in answer.tail
    assert panel.fire("getpid").tail.startswith("task 3 is still inside waitpid()")
    panel.task = hex(child.address_)
    panel.fire("exit", 3)
    kind, head, tail = panel.answers[0]
    assert (kind, head) == ("result", "task 3 (bash): waitpid(-1, 0) = (4, 768)")
    assert tail == "child 4 exited with status 3 (it slept until now)"
    assert panel.answers[1][:2] == ["gone", "task 4 (bash): exit(3)"]


def test_a_sleeper_that_is_killed_is_told_to_have_ended():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    panel = SyscallPanel(k, child)
    panel.fire("pipe")
    assert panel.fire("read", 3, 1).kind == "pending"
    panel.task = hex(bash.address_)
    panel.fire("kill", child.pid, 9)
    assert ["gone", "task 4 (bash): read(3, 1)"] in [answer[:2] for answer in panel.answers]


def test_errno_panic_and_oops_are_results():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    assert panel.fire("waitpid", -1, 0).head.endswith("= −1 ECHILD")  # noqa: RUF001
    k.task(k.call(bash, "fork")).signal = 0xDEAD0000
    answer = panel.fire("getpgid", 4)
    assert answer.kind == "oops"
    assert "0xdead0" in answer.tail
    k = ks.boot()
    panel = SyscallPanel(k)
    answer = panel.fire("exit", 0)
    assert answer.kind == "panic"
    assert "Attempted to kill init!" in answer.tail
    assert panel.fire("getpid").kind == "panic"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("frok", ()),
        ("fork", (1,)),
        ("exit", ()),
        ("exit", ("x",)),
        ("read", (3, -1)),
        ("dup", (1e9,)),
    ],
)
def test_calls_that_cannot_be_made_are_refused_and_the_machine_stays_usable(name, arguments):
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    assert panel.fire(name, *arguments).kind in {"refused", "errno"}
    assert panel.fire("getpid").head.endswith("getpid() = 3")


@pytest.mark.parametrize(
    "message",
    [
        {"do": "fire", "call": "frok", "texts": []},
        {"do": "fire", "call": "exit", "texts": ["abc"]},
        {"do": "fire", "call": "exit", "texts": []},
        {"do": "fire"},
    ],
)
def test_nonsense_typed_in_the_browser_is_answered(message):
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    panel.heard(message)
    assert [kind for kind, *_ in panel.answers] == ["refused"]
    assert scene.pids(k) == [1, 2, 3]


def test_what_is_typed_is_fired():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash, ["exit"])
    panel.heard({"do": "fire", "call": "exit", "texts": ["0x10"]})
    assert heads(panel) == ["task 3 (bash): exit(16)"]


def test_a_locked_panel_fires_nothing_and_says_why():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    panel.locked = "Not now."
    assert panel.fire("fork") == ("refused", "fork()", "Not now.")
    assert scene.pids(k) == [1, 2, 3]


def test_every_kind_of_call_offered_can_be_fired_with_what_the_form_begins_with():
    for name in SyscallPanel(ks.boot()).calls:
        k, bash = scene.booted()
        panel = SyscallPanel(k, bash)
        texts = [p["default"] or "3" for p in name["parameters"]]
        panel.heard({"do": "fire", "call": name["name"], "texts": texts})
        kind, head, tail = panel.answers[0]
        assert kind in {"result", "errno", "gone", "pending"}, (head, tail)
        assert "please report" not in tail


def test_without_a_kernel_it_is_a_sentence():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash, ["fork", "exit"])
    assert repr(panel) == "System calls of task 3 (bash): fork, exit"
    assert panel.static() == {"text/plain": repr(panel), "text/html": f"<p>{panel!r}</p>"}


def test_among_very_many_tasks_the_first_the_last_and_the_chosen_one_are_offered():
    k, bash = scene.booted()
    for _ in range(300):
        k.call(bash, "fork")
    middle = k.task(150)
    panel = SyscallPanel(k, middle)
    addresses = [address for address, _ in panel.tasks]
    assert len(addresses) <= 201
    assert {hex(bash.address_), hex(k.tasks()[-1].address_), hex(middle.address_)} <= {*addresses}
    assert panel.fire("getpid").head.endswith("getpid() = 150")
