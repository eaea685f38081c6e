"""Panel, timeline and pictures together over one kernel."""

import re
import xml.etree.ElementTree as ET

import ipywidgets
import pytest

import kernelsim as ks
from tests.widget import scene


def shown(explorer, number=0):
    """The addresses of the structures in a picture."""
    root = ET.fromstring(explorer.pictures[number].svg)  # noqa: S314 (our own)
    found = [node.get("data-address") for node in root.iter() if node.get("data-address")]
    return [int(address, 16) for address in found]


def test_fork_appears_step_back_takes_it_away_and_forward_brings_it_again():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    explorer.panel.fire("fork")
    child = k.tasks()[-1].address_
    assert child in shown(explorer)
    explorer.timeline.step(-1)
    assert child not in shown(explorer)
    explorer.timeline.step(1)
    assert child in shown(explorer)


@pytest.mark.parametrize("view", ["task_list", "process_tree", "both"])
def test_every_moment_of_every_level_has_its_picture(view):
    k, bash, child = scene.family()
    k.call(child, "exit", 0)
    explorer = ks.widget.explore(k, view=view, focus=bash)
    for level in ("fired", "call", "store"):
        explorer.timeline.level = level
        while explorer.timeline.place:
            explorer.timeline.step(-1)
            for picture in explorer.pictures:
                assert "The list is broken" not in picture.summary
        explorer.timeline.step(explorer.timeline.last)


def test_a_selected_node_is_the_task_of_the_panel_and_the_focus_of_all_pictures():
    k, _, child = scene.family()
    explorer = ks.widget.explore(k, view="both")
    explorer.pictures[1].selected = hex(child.address_)
    assert explorer.panel.task == hex(child.address_)
    assert explorer.pictures[0].selected == hex(child.address_)
    focused = [node.address for node in explorer.pictures[0].picture.nodes if node.focus]
    assert focused == [child.address_]
    explorer.pictures[0].selected = ""
    assert not any(node.focus for node in explorer.pictures[0].picture.nodes)
    assert explorer.panel.task == hex(child.address_)


def test_choosing_a_task_in_the_panel_shows_it():
    k, _, child = scene.family()
    explorer = ks.widget.explore(k)
    explorer.panel.task = hex(child.address_)
    assert explorer.pictures[0].selected == hex(child.address_)


def test_a_kernel_thread_can_be_looked_at_but_makes_no_calls():
    k, _ = scene.booted()
    explorer = ks.widget.explore(k)
    explorer.pictures[0].selected = hex(k.task(2).address_)
    assert "kernel thread" in explorer.panel.fire("fork").tail


def test_in_the_past_nothing_is_fired_and_the_way_back_is_there():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    explorer.timeline.step(-1)
    assert "past" in explorer.panel.locked
    assert explorer.panel.fire("fork").kind == "refused"
    assert scene.pids(k) == [1, 2, 3]
    explorer.panel.heard({"do": "now"})
    assert explorer.panel.locked == ""
    assert explorer.panel.fire("fork").kind == "result"


def test_two_explorers_of_one_machine_show_the_same():
    k, bash = scene.booted()
    one, other = ks.widget.explore(k, focus=bash), ks.widget.explore(k)
    one.panel.fire("fork")
    assert k.tasks()[-1].address_ in shown(other)
    assert len(other.panel.tasks) == 3
    # One that its page does not show any more is not drawn; shown again, it has caught up.
    other.bar.heard({"do": "shown"})
    other.bar.heard({"do": "hidden"})
    one.panel.fire("fork")
    assert k.tasks()[-1].address_ not in shown(other)
    other.bar.heard({"do": "shown"})
    assert k.tasks()[-1].address_ in shown(other)


def test_two_machines_do_not_touch_each_other():
    (k, bash), (other, _) = scene.booted(), scene.booted()
    one, two = ks.widget.explore(k, focus=bash), ks.widget.explore(other)
    one.panel.fire("fork")
    assert (scene.pids(k), scene.pids(other)) == ([1, 2, 3, 4], [1, 2, 3])
    assert len(two.panel.tasks) == 2


class Pane(ipywidgets.Label):
    def __init__(self, k):
        super().__init__()
        self.title, self.seen = "A pane", []

    def show(self, look, since, task):
        self.seen.append((look, since, task))


def test_only_the_pane_in_front_is_told_what_is_shown(monkeypatch):
    monkeypatch.setattr(ks.widget, "Inspector", Pane, raising=False)
    monkeypatch.setattr(ks.widget, "StackPane", Pane, raising=False)
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash, panes=("inspector", "stack"))
    front, back = explorer.panes
    assert (len(front.seen), len(back.seen)) == (1, 0)
    explorer.panel.fire("fork")
    look, since, task = front.seen[-1]
    assert (look, task) == (k, bash)
    assert since.now < k.now
    assert back.seen == []
    explorer.tabs.chosen = 1
    assert back.seen[-1][0] is k
    assert (front.layout.display, back.layout.display) == ("none", None)
    explorer.select(k.init)
    assert back.seen[-1][2] == k.init
    explorer.tabs.chosen = 99
    assert explorer.tabs.chosen == 1


def test_a_pane_that_does_not_exist_is_refused_by_name():
    with pytest.raises(
        ValueError, match="there is no pane 'inspektor': choose of inspector, stack"
    ):
        ks.widget.explore(ks.boot(), panes=("inspektor",))


def test_what_other_cells_did_shows_after_a_look():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k)
    k.call(bash, "fork")
    explorer.look()
    assert k.tasks()[-1].address_ in shown(explorer)
    assert explorer.timeline.sentence.startswith("3: fork() = 4.")


def test_a_fold_opens_and_closes():
    k, bash = scene.booted()
    for _ in range(12):
        k.call(bash, "fork")
    explorer = ks.widget.explore(k)
    few = len(shown(explorer))
    explorer.pictures[0].heard({"do": "unfold"})
    assert len(shown(explorer)) > few
    assert explorer.pictures[0].unfolded
    explorer.pictures[0].heard({"do": "fold"})
    assert len(shown(explorer)) == few


def test_only_the_calls_asked_for_are_offered_and_the_view_gets_its_options():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, calls=["fork"], members=("pid", "state"), limit=2, focus=bash)
    assert [call["name"] for call in explorer.panel.calls] == ["fork"]
    assert "state (+" in explorer.pictures[0].words


def test_another_view_can_be_a_function():
    k, _ = scene.booted()
    explorer = ks.widget.explore(k, view=ks.view.process_tree)
    assert explorer.pictures[0].picture.title == "The process tree"


def test_an_unknown_view_is_refused_by_name():
    with pytest.raises(ValueError, match="no view 'tree': choose task_list"):
        ks.widget.explore(ks.boot(), view="tree")


def test_a_machine_that_keeps_no_past_can_be_driven():
    k = ks.boot(record=False)
    explorer = ks.widget.explore(k, focus=k.spawn("bash"))
    assert explorer.panel.fire("fork").kind == "result"
    assert k.tasks()[-1].address_ in shown(explorer)


def test_what_is_saved_is_exact_and_the_same_every_time():
    def saved():
        k, bash = scene.booted()
        k.call(bash, "fork")
        data, _ = ks.widget.explore(k, focus=bash, view="both")._repr_mimebundle_()
        data.pop("application/vnd.jupyter.widget-view+json")
        return data

    first = saved()
    assert first == saved()
    assert set(first) == {"text/plain", "text/html", "image/svg+xml"}
    assert first["text/plain"].startswith("3: fork() = 4. Task 4 (bash) is linked after")
    assert first["text/html"].count("<img alt=") == 2
    assert not re.search(r"<[\w.]+ (object )?at 0x", first["text/plain"])


def test_addresses_cross_as_text():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    for widget in (explorer.bar, *explorer.active.children):
        for name, value in widget.get_state().items():
            assert not (isinstance(value, int) and abs(value) > 2**53), name
    assert all(isinstance(address, str) for address, _ in explorer.panel.tasks)


def test_the_picture_is_sent_before_everything_else_that_a_click_changes():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, focus=bash)
    sent = []
    for widget in (explorer.bar, *explorer.active.children):
        name = type(widget).__name__
        widget._send = lambda message, buffers=None, name=name: sent.append(name)
    explorer.panel.heard({"do": "fire", "call": "fork", "texts": []})
    assert sent == ["PictureView", "Turn", "Timeline", "SyscallPanel"]
    sent.clear()
    explorer.timeline.heard({"do": "step", "by": -1})
    assert sent[0] == "PictureView"


@pytest.mark.parametrize(
    "name",
    ["identifiers", "idr", "namespaces", "pid_tasks", "process_tree", "runqueue", "task_list"],
)
def test_every_view_can_be_explored_and_everything_in_it_be_chosen(name):
    k, bash = scene.booted()
    view = getattr(ks.view, name)
    about = {"pid": 4} if name == "pid_tasks" else {}
    explorer = ks.widget.explore(k, view=view, focus=bash, panes=("inspector",), **about)
    explorer.panel.fire("fork")
    picture = explorer.pictures[0]
    for address in [hex(address) for address in shown(explorer)]:
        picture.selected = address
        assert explorer.panel.fire("getpid").kind in {"result", "refused"}
        assert "task_struct at" not in explorer.panel.answers[0][1]
    explorer.timeline.step(-1)
    for address in [hex(address) for address in shown(explorer)]:
        picture.selected = address


ODD = [None, [], {}, -1, 1e308, "", "0x", "zz", "0x" + "f" * 40, "0xffff888000104980 ", [[]]]


def test_odd_messages_and_values_are_ignored():
    k, bash = scene.booted()
    explorer = ks.widget.explore(k, view="both", focus=bash, panes=("inspector",))
    future = explorer.active
    now = k.now
    for value in ODD:
        for do in ("step", "jump", "run", "shown", "branch", "now", "leave", "drop", value):
            message = {"do": do, "number": value, "by": value, "task": value, "texts": value}
            for widget in (*future.children, explorer.bar, explorer.tabs):
                if do != "step" or not isinstance(value, int):
                    widget._hear(widget, message, [])
            widget._hear(widget, value, [])
        if isinstance(value, str):
            explorer.pictures[0].selected = value
            explorer.panel.task = value
    assert explorer.panel.task in ("", hex(bash.address_))
    assert explorer.futures == [future]
    assert k.now == now
