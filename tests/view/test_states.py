"""The state machine: the box of a task and the arcs it took, against what its calls were."""

import pytest

import kernelsim as ks
from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import signal as sig
from kernelsim.view import tasks
from kernelsim.view.states import ARCS, BOXES, Words, boxes, states


@pytest.fixture
def life():
    """A kernel with a shell and its child, which has made no call yet; the times before and after."""
    k = ks.boot()
    k.shell = k.spawn("sh")
    k.before = k.now
    k.child = k.task(k.call(k.shell, "fork"))
    return k


def marked(picture):
    return [node.id for node in picture.nodes if node.focus]


def lit(picture):
    return [(edge.src, edge.dst) for edge in picture.edges if edge.change]


def test_without_a_task_the_machine_is_drawn_and_nothing_is_marked(life):
    picture = states(life)
    assert [node.id for node in picture.nodes] == list(BOXES)
    assert len(picture.edges) == len(ARCS)
    assert marked(picture) == lit(picture) == []


def test_running_on_the_cpu_and_on_the_queue_are_two_boxes(life):
    assert marked(states(life, life.shell)) == ["cpu"]
    assert marked(states(life, life.child)) == ["queue"]
    assert marked(states(life, focus=life.child.pid)) == ["queue"]


def test_a_task_that_was_not_there_was_new(life):
    assert lit(states(life, life.child, since=life.before)) == [("new", "queue")]


@pytest.mark.parametrize(
    ("call", "box", "arcs"),
    [
        (("pause",), ["interruptible"], [("queue", "cpu"), ("cpu", "interruptible")]),
        (("vfork",), ["killable"], [("queue", "cpu"), ("cpu", "killable")]),
        (("kill", 4, sig.SIGSTOP), ["stopped"], [("queue", "cpu"), ("cpu", "stopped")]),
        (("exit", 0), ["zombie", "dead"], [("queue", "cpu"), ("cpu", "zombie"), ("cpu", "dead")]),
    ],
)
def test_each_call_leads_to_its_box_by_its_arc(life, call, box, arcs):
    since = life.now
    life.call(life.child, *call)
    picture = states(life, life.child, since=since)
    assert marked(picture) == box
    assert lit(picture) == arcs


def test_who_sleeps_comes_back_by_the_wake_up_and_the_queue(life):
    life.call(life.child, "kill", life.child.pid, sig.SIGSTOP)
    since = life.now
    life.call(life.shell, "kill", life.child.pid, sig.SIGCONT)
    found = lit(states(life, life.child, since=since))
    assert found == [("queue", "cpu"), ("stopped", "waking"), ("waking", "queue")]


def test_who_finds_at_once_what_it_waits_for_never_leaves_the_cpu(life):
    life.call(life.child, "exit", 0)
    since = life.now
    life.call(life.shell, "waitpid", -1, 0)
    film = ks.widget.play(life, "states", level="store", since=since, focus=life.shell).film
    found = [arc for frame in film.frames for arc in lit(frame.picture)]
    assert found == [("cpu", "interruptible"), ("interruptible", "cpu")]


def test_a_reaped_task_is_gone_and_stays_so(life):
    life.call(life.child, "exit", 0)
    dead = life.now
    life.call(life.shell, "waitpid", -1, 0)
    picture = states(life, life.child, since=dead)
    assert marked(picture) == lit(picture) == []
    assert picture.graph.notes == [f"Gone since event {dead}: sh (pid 4)."]
    assert "no task_struct" in states(life, life.child).graph.notes[0]


def test_whom_nobody_wants_to_wait_for_is_a_zombie_for_one_store(life):
    k = ks.boot()
    shell = k.spawn("sh")
    begin = k.now
    thread = k.task(k.call(shell, "clone", 0x10F00))  # a thread: nobody waits for it
    k.call(thread, 60, 0)
    arcs = [
        arc for frame in ks.widget.life(k, thread, begin).film.frames for arc in lit(frame.picture)
    ]
    assert arcs[-3:] == [("cpu", "zombie"), ("zombie", "exit_dead"), ("cpu", "dead")]


def test_each_step_of_a_life_is_one_arc_where_each_word_is_a_step(life):
    life.call(life.child, "pause")
    life.call(life.shell, "kill", 4, sig.SIGTERM)
    life.call(life.shell, "waitpid", 4, 0)
    film = ks.widget.play(life, "states", level="store", since=life.before, focus=life.child).film
    seen = [tuple(marked(frame.picture)) for frame in film.frames]
    assert list(dict.fromkeys(seen)) == [
        (),
        ("new",),
        ("queue",),
        ("interruptible",),
        ("waking",),
        ("cpu", "zombie"),
        ("zombie", "dead"),
        ("exit_dead", "dead"),
    ]


def test_the_states_of_a_kernel_thread_are_lit_by_what_is_asked_of_it(life):
    since = life.now
    thread = life.kthread_create("kworker/0:1")
    first = [("new", "queue"), ("queue", "cpu"), ("cpu", "uninterruptible")]
    for ask, box, arcs in (
        (None, "uninterruptible", first),
        (life.wake_up_process, "idle", woken("uninterruptible", "idle")),
        (life.kthread_park, "parked", woken("idle", "parked")),
        (life.kthread_unpark, "idle", woken("parked", "idle")),
    ):
        if ask:
            since = life.now
            ask(thread)
        picture = states(life, thread, since=since)
        assert (marked(picture), lit(picture)) == ([box], arcs)


def woken(before, after):
    return [("queue", "cpu"), ("cpu", after), (before, "waking"), ("waking", "queue")]


def test_the_life_of_a_kernel_thread_is_a_film_that_ends_with_it(life):
    since = life.now
    thread = life.kthread_run("x")
    life.kthread_park(thread)
    life.kthread_stop(thread)
    film = ks.widget.life(life, thread, since).film
    seen = dict.fromkeys(tuple(marked(frame.picture)) for frame in film.frames)
    for box in ("new", "queue", "uninterruptible", "waking", "idle", "parked"):
        assert (box,) in seen
    assert ("exit_dead", "dead") in seen


def test_who_waits_for_a_thread_that_does_not_stop_is_in_the_box_uninterruptible(life):
    async def deaf(kernel):
        while True:
            kernel.set_current_state(kernel.TASK_IDLE)
            await kernel.schedule()

    thread = life.kthread_run("deaf", deaf)
    since = life.now
    assert life.kthread_stop(thread, by=life.shell) is ks.PENDING
    picture = states(life, life.shell, since=since)
    assert marked(picture) == ["uninterruptible"]
    assert ("cpu", "uninterruptible") in lit(picture)


@pytest.mark.parametrize("name", BOXES)
def test_letter_and_value_of_each_box_are_those_of_the_kernel(name):
    box = BOXES[name]
    constant, *_, value = box.name.removesuffix(" (NOLOAD)").split()
    assert int(value, 16) == getattr(sched, constant)
    at = {"state": 0, "exit_state": 0}
    at["exit_state" if constant.startswith("EXIT") else "state"] = int(value, 16)
    fake = type("Task", (), at)()
    if box.letter:
        assert tasks.state(fake) == box.letter
    assert boxes(Words(**at, on_rq=0, on_cpu=0, letter=""))[-1] in {name, "queue"}
