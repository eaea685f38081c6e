"""The life of a task as a film: each change of its words is a step, and none is left out."""

import kernelsim as ks
from kernelsim.include.uapi.asm import signal as sig


def marked(frame):
    return tuple(node.id for node in frame.picture.nodes if node.focus)


def lit(frame):
    return [(edge.src, edge.dst) for edge in frame.picture.edges if edge.change]


def a_life():
    k = ks.boot()
    shell = k.spawn("sh")
    begin = k.now
    child = k.task(k.call(shell, "fork"))
    k.call(child, "pause")
    k.call(shell, "kill", child.pid, sig.SIGTERM)
    return k, shell, child, begin


def test_a_whole_life_goes_through_its_boxes_one_arc_at_a_time():
    k, shell, child, begin = a_life()
    k.call(shell, "waitpid", child.pid, 0)
    frames = ks.widget.life(k, child, begin).film.frames
    assert [box for box in dict.fromkeys(map(marked, frames)) if box] == [
        ("new",),
        ("queue",),
        ("cpu",),
        ("interruptible",),
        ("waking",),
        ("cpu", "zombie"),
        ("zombie", "dead"),
        ("exit_dead", "dead"),
    ]
    assert all(len(lit(frame)) <= 1 for frame in frames)
    assert marked(frames[-1]) == ()
    assert "no such task" in frames[-1].sentence


def test_each_step_names_the_function_that_stored():
    k, _, child, begin = a_life()
    said = [
        frame.sentence.partition(":")[0] for frame in ks.widget.life(k, child, begin).film.frames
    ]
    for function in ("sched_fork()", "try_to_wake_up()", "exit_notify()", "do_task_dead()"):
        assert function in said


def test_of_a_task_that_was_there_before_the_film_begins_where_it_stood():
    k, shell, child, _ = a_life()
    begin = k.now
    k.call(shell, "waitpid", child.pid, 0)
    frames = ks.widget.life(k, shell, begin).film.frames
    assert [marked(frame) for frame in frames] == [("cpu",), ("interruptible",), ("cpu",)]
