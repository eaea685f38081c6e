"""The kernel stack of a task, now and then."""

import kernelsim as ks
from kernelsim.widget.stack_pane import StackPane
from tests.widget import scene


def names(shown):
    return [name for name, *_ in shown.frames]


def test_a_sleeping_task_shows_its_frames_its_wchan_and_the_text_of_proc():
    k, bash, _child = scene.family()
    shown = StackPane(k, bash)
    shown.catch_up()
    assert shown.heading == "task 3 (bash) sleeps in do_wait()."
    assert shown.wchan == "do_wait"
    assert names(shown)[:4] == ["context_switch", "__schedule", "schedule", "do_wait"]
    assert shown.text.startswith("[<0>] do_wait\n[<0>] kernel_wait4\n")
    kinds = {name: kind for name, _, _, kind in shown.frames}
    assert (kinds["schedule"], kinds["do_wait"], kinds["kernel_wait4"]) == (
        "scheduler",
        "wchan",
        "",
    )


def test_each_frame_is_linked_to_its_line():
    k, bash, _child = scene.family()
    shown = StackPane(k, bash)
    shown.catch_up()
    places = {name: (place, link) for name, place, link, _ in shown.frames}
    site = "https://elixir.bootlin.com/linux/v5.10.188/source/"
    assert places["do_wait"] == ("kernel/exit.c:1500", f"{site}kernel/exit.c#L1500")
    assert all(link.startswith(site) for _, link in places.values())


def test_without_a_task_it_shows_one_that_sleeps():
    k, _bash, _child = scene.family()
    shown = StackPane(k)
    assert repr(shown) == "StackPane: task 3 (bash) sleeps in do_wait()."


def test_who_has_no_stack_says_why():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    shown = StackPane(k)
    shown.show(k, None, bash)
    assert shown.heading == "task 3 (bash) is on the CPU, in user mode: its kernel stack is empty."
    shown.show(k, None, child)
    assert shown.heading == "task 4 (bash) can run and waits for the CPU."
    k.call(child, "exit", 0)
    shown.show(k, None, child)
    assert "is a zombie" in shown.heading
    assert shown.frames == []
    shown.show(k.at(k.now - 1), None, child)
    assert "is a zombie" in shown.heading
    assert shown.frames == [], "what it had entered, it never left"
    k.call(bash, "wait")
    shown.show(k, None, child)
    assert shown.heading == f"There is no task at {child.address_:#x} at this moment."


def test_at_an_earlier_moment_it_shows_the_stack_of_then():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(bash, "waitpid", -1, 0)
    asleep = k.now
    now = StackPane(k, bash)
    now.catch_up()
    before = now.frames
    k.call(child, "exit", 0)
    now.show(k, None, bash)
    assert now.frames != before
    now.show(k.at(asleep), None, bash)
    assert now.frames == before
    assert now.heading == "task 3 (bash) sleeps in do_wait()."


def test_inside_a_call_it_shows_how_far_the_task_has_come():
    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    t = next(e.t for e in k.events(since) if (e.name, e.kind) == ("alloc_pid", "enter"))
    shown = StackPane(k, bash)
    shown.show(k.at(t), None, bash)
    assert names(shown)[0] == "copy_process"
    shown.show(k.at(t, 2), None, bash)
    assert names(shown)[:2] == ["alloc_pid", "copy_process"]
    assert shown.heading == "task 3 (bash) is on the CPU, in alloc_pid()."


def test_the_reader_chooses_another_task():
    k, bash, _child = scene.family()
    shown = StackPane(k)
    shown.catch_up()
    shown.heard({"do": "choose", "task": hex(k.init.address_)})
    assert shown.heading == "task 1 (init) sleeps in __x64_sys_pause()."
    shown.heard({"do": "choose", "task": "0xdeadbeef"})
    assert shown.chosen == hex(k.init.address_)
    labels = [label for _, label in shown.tasks]
    assert labels == [
        "task 0 (init_task), R",
        "task 1 (init), S",
        "task 2 ([kthreadd]), S",
        "task 3 (bash), S",
        "task 4 (bash), R",
        "task 5 (bash), R",
    ]
    shown.show(k, None, bash)
    assert shown.chosen == hex(bash.address_)
    shown.heard({"do": "choose", "task": hex(k.init.address_)})
    shown.show(k.at(k.now - 1), None, bash)
    assert shown.chosen == hex(k.init.address_), "a step leaves the reader's choice alone"
    shown.show(k, None, k.task(4))
    assert shown.chosen == hex(k.task(4).address_), "another task in the picture does not"


def test_a_machine_without_a_record_has_its_present():
    k = ks.boot(record=False)
    task = k.spawn("x")
    k.call(task, "pause")
    assert repr(StackPane(k, task)) == "StackPane: task 3 (x) sleeps in __x64_sys_pause()."


def test_a_page_without_a_kernel_has_the_picture_and_the_text():
    k, bash, _child = scene.family()
    shown = StackPane(k, bash)
    static = shown.static()
    assert static["image/svg+xml"].count("<rect") == 1 + len(shown.frames)
    assert "wchan: it sleeps here" in static["image/svg+xml"]
    assert '<img alt="task 3 (bash) sleeps in do_wait()." src="data:' in static["text/html"]
    assert "<pre>[&lt;0&gt;] do_wait\n" in static["text/html"]
