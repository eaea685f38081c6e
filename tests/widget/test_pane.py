"""What all panes share: when they draw, how they speak of tasks, what a page without a kernel shows."""

import html.parser

import pytest

import kernelsim as ks
from kernelsim.widget import pane, scripts
from kernelsim.widget.graph_pane import GraphPane
from kernelsim.widget.stack_pane import StackPane
from kernelsim.widget.strace_pane import StracePane
from kernelsim.widget.terminal_pane import TerminalPane
from tests.widget import scene

PANES = [StackPane, GraphPane, StracePane, TerminalPane]
each_pane = pytest.mark.parametrize("kind", PANES)
NAMES = [
    "<img src=x onerr",
    '"];}',
    "a\nb",
    "\U0001f642\U0001f642",
    "x" * 15,
    "</script>",
    "\u202e",
]


@each_pane
def test_a_pane_stands_alone_and_says_the_same_every_time(kind):
    said = []
    for _ in range(2):
        k, _bash, _child = scene.family()
        data, _ = kind(k)._repr_mimebundle_()
        assert "application/vnd.jupyter.widget-view+json" in data
        del data["application/vnd.jupyter.widget-view+json"]
        said.append(data)
    assert said[0] == said[1]
    assert said[0]["text/plain"].strip()
    assert kind.title


@each_pane
def test_a_hidden_pane_reads_nothing_until_it_is_seen(kind, monkeypatch):
    k, bash = scene.booted()
    drawn = []
    draw = kind.draw
    monkeypatch.setattr(kind, "draw", lambda self: (drawn.append(self), draw(self)))
    shown = kind(k)
    shown.layout.display = "none"
    for _ in range(3):
        k.call(bash, "write", 1, b"hello")
        shown.show(k, k.at(k.now - 1), bash)
    assert drawn == []
    shown.layout.display = None
    assert drawn == [shown]
    shown.show(k, None, bash)
    assert drawn == [shown] * 2


@each_pane
def test_a_pane_that_the_browser_shows_is_drawn_though_nobody_called_show(kind):
    k, bash = scene.booted()
    k.call(bash, "write", 1, b"hello")
    shown = kind(k)
    assert shown.heading == ""
    shown.heard({"do": "seen"})
    assert shown.heading


@each_pane
@pytest.mark.parametrize("message", [{}, {"do": "jump"}, {"do": "choose", "task": 7}, {"do": 5}])
def test_odd_messages_do_nothing(kind, message):
    k, _bash, _child = scene.family()
    shown = kind(k)
    shown.catch_up()
    before = shown.get_state()
    shown.heard(message)
    assert shown.get_state() == before


@each_pane
def test_a_machine_without_a_record_and_every_moment_of_one_with_can_be_shown(kind):
    k = ks.boot(record=False)
    k.call(k.spawn("x"), "write", 1, b"hi")
    assert kind(k).static()["text/plain"]
    k, bash, child = scene.family()
    k.call(child, "exit", 3)
    shown = kind(k)
    for t in range(0, k.now, 41):
        for stores in (0, 2) if t else (0,):
            shown.show(k.at(t, stores), k.at(max(t - 41, 0)), bash)
            assert shown.heading
    other = k.branch(k.now - 200)
    shown.show(other, None, other.task(bash.pid))
    assert shown.heading


# The tags of an HTML text, and the words between them.
class Reader(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert not [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data):
        self.words.append(data)


@each_pane
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_or_output_is_text_and_nothing_else(kind, name):
    k = ks.boot()
    evil = k.spawn(name)
    k.call(evil, "write", 1, name.encode())
    k.call(evil, "pipe")
    k.call(evil, "read", 3, 1)
    static = kind(k).static()
    reader = Reader(static["text/html"])
    harmless = {"p", "pre", "figure", "img", "div", "details", "summary", "code", "a"}
    assert reader.tags <= harmless
    assert "\u202e" not in static["text/plain"]
    if "image/svg+xml" in static:
        assert Reader(static["image/svg+xml"]).tags <= {"svg", "title", "rect", "text"}


def test_all_panes_give_a_task_one_letter_and_one_colour():
    letters = [pane.letter(pid) for pid in range(1, 40_000)]
    assert len(set(letters)) == len(letters)
    assert letters[:3] == ["A", "B", "C"]


def test_a_task_is_called_what_it_was_called_then():
    k = ks.boot()
    before = k.now
    task = k.spawn("bash")
    names = pane.Names(k.machine)
    assert names(task.pid, k.now) == "bash"
    assert names(task.pid, before) == "init", "it was init's child, and had its name"
    k.call(task, "execve", "bash")
    assert names.badge(task.pid, k.now) == ["C", 3, "task 3 (bash)"]
    assert names.badge(99, k.now)[2] == "task 99"


@pytest.mark.parametrize("kind", ["stack", "graph", "strace", "terminal"])
def test_the_script_of_a_pane_is_small(kind):
    assert len(scripts.script(kind).encode()) <= 30_000
    assert len(scripts.style(kind).encode()) <= 15_000
