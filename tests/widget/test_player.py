"""Playing what a kernel has recorded."""

import itertools
import json
import re

import pytest

import kernelsim as ks
from kernelsim.view import PictureBuilder, process_tree
from kernelsim.view.film import Film, Frame
from kernelsim.widget import Player, play, scripts
from tests.widget import scene


def sentences(player):
    return [frame.sentence for frame in player.film.frames]


def test_each_step_is_a_call_with_what_it_has_changed():
    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    k.call(k.task(4), "exit", 7)
    player = play(k, since=since)
    assert sentences(player) == [
        f"The film begins at event {since}.",
        "3: fork() = 4. Task 4 (bash) is linked after task 3 (bash).",
        "4: exit_group(7) = ?. Task 4 (bash) is a zombie now.",
    ]
    assert [frame.call for frame in player.film.frames] == [
        "",
        "3: fork() = 4",
        "4: exit_group(7) = ?",
    ]


def test_the_whole_past_begins_when_the_kernel_has_booted():
    k, _ = scene.booted()
    assert sentences(play(k))[0] == "Nothing has been fired yet: the kernel has booted."


def test_a_step_can_be_a_single_store_and_the_calls_are_still_to_be_jumped_to():
    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    until = k.now
    for _ in range(20):  # what comes later is not what is played
        k.call(bash, "getpid")
    player = play(k, level="store", since=since, until=until)
    told = sentences(player)
    assert sum("copy_process(): tasks." in sentence for sentence in told) == 3
    assert told[-1] == "Up to here 3: fork() = 4. No task has changed."
    assert [frame.call for frame in player.film.frames if frame.call] == ["3: fork() = 4"]
    assert len(player.film) > len(play(k, since=since, until=until).film)


@pytest.mark.parametrize("view", ["task_list", "process_tree", process_tree])
def test_each_frame_marks_what_has_changed_since_the_one_before(view):
    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    k.call(bash, "getpid")
    first, second, third = (frame.picture for frame in play(k, view, since=since).film.frames)
    assert "new" in [node.change for node in second.nodes]
    assert {node.change for node in (*first.nodes, *third.nodes)} == {""}


def test_any_function_of_a_machine_can_be_played():
    def count(k):
        builder = PictureBuilder("How many")
        builder.node("n", f"{len(k.tasks())} tasks")
        return builder.picture()

    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    player = play(k, count, since=since, focus=bash)
    assert [frame.picture.nodes[0].lines for frame in player.film.frames] == [
        ("3 tasks",),
        ("4 tasks",),
    ]
    assert repr(player) == "Player(Film('How many', 2 frames))"


def test_a_focus_is_left_out_while_it_is_not_there():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(child, "exit", 0)
    k.call(bash, "waitpid", -1, 0)
    focused = [
        [node.label for node in frame.picture.nodes if node.focus]
        for frame in play(k, focus=child).film.frames
    ]
    assert focused[0] == focused[-1] == []
    assert focused[-2] == ["bash (pid 4)"]


def test_a_film_ends_where_it_is_told_to_and_refuses_what_has_not_happened():
    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    until = k.now
    k.call(bash, "fork")
    assert len(play(k, since=since, until=until).film) == 2
    assert len(play(k, since=until - 1, until=until).film) == 2
    for bounds in ({"since": k.now + 1}, {"until": -1}, {"since": until, "until": since}):
        with pytest.raises(ValueError, match="event"):
            play(k, **bounds)
    with pytest.raises(ValueError, match=r"no view 'tree': choose .*process_tree"):
        play(k, "tree")
    with pytest.raises(ValueError, match=r"no level .word.: choose fired, call, .*store"):
        play(k, level="word")


def test_a_long_past_is_cut_and_the_film_says_so():
    k, bash = scene.booted()
    since = k.now
    for _ in range(9):
        k.call(bash, "getpid")
    told = sentences(play(k, since=since, most=4))
    assert len(told) == 4
    assert told[0].endswith("; 6 earlier steps are left out.")
    assert len(sentences(play(k, since=since, most=10))) == 10


def test_a_list_of_few_tasks_is_never_folded():
    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    k.call(bash, "fork")
    frames = play(k, since=since).film.frames
    assert not [node for frame in frames for node in frame.picture.nodes if node.folded]
    frames = play(k, since=since, limit=3).film.frames
    assert [node for frame in frames for node in frame.picture.nodes if node.folded]


def test_a_machine_that_keeps_no_past_is_one_frame():
    assert sentences(play(ks.boot(record=False))) == ["This machine keeps no past (record=False)."]
    assert len(play(ks.boot()).film) == 1


def test_playing_changes_nothing():
    k, *_ = scene.family()
    now, state = k.now, k.state_hash()
    for level in ("fired", "call", "store"):
        play(k, level=level)
    assert (k.now, k.state_hash()) == (now, state)


def test_the_saved_figure_carries_the_same_data_as_the_live_widget():
    k, *_ = scene.family()
    player = play(k, "process_tree")
    data, _ = player._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    stored = re.search(r'kernelsim-data">(.*)</script>', data["text/html"]).group(1)
    assert json.loads(stored) == player.data
    assert data["image/svg+xml"] == player.film.pictures[-1].svg
    assert data["text/plain"].startswith("The process tree, ")


def test_a_player_can_begin_anywhere_in_its_film():
    film = Film("t", [Frame(process_tree(ks.boot()))] * 3)
    assert Player(film).place == 0
    assert Player(film, 2).place == 2
    assert Player(film, 9).place == 2
    assert Player(Film("nothing", [])).place == 0


def test_the_script_of_a_page_stands_alone_and_is_small():
    script, style = scripts.page()
    assert len(script.encode()) <= 30_000
    assert len(style.encode()) <= 15_000
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
    assert "</script" not in script + style
    assert not re.search(r"^ *//|^/\*", script, re.MULTILINE), "comments are left out"


def test_steps_that_nobody_could_see_in_the_picture_can_be_left_out():
    k, bash = scene.booted()
    child = k.task(k.call(bash, "fork"))
    k.call(child, "fork")
    since = k.now
    k.call(child, "exit", 3)
    every = play(k, "family", level="store", since=since).film.frames
    seen = play(k, "family", level="store", since=since, seen=True).film.frames
    assert 3 <= len(seen) < len(every)
    assert [seen[0].sentence, seen[-1].sentence] == [every[0].sentence, every[-1].sentence]
    drawn = [
        [(n.id, n.badge) for n in f.picture.nodes] + [e.id for e in f.picture.edges] for f in seen
    ]
    assert all(one != other for one, other in itertools.pairwise(drawn[:-1]))
    assert any("real_parent of task 5" in frame.sentence for frame in seen)
