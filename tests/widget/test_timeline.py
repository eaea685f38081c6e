"""Walking through the past."""

import kernelsim as ks
from kernelsim.widget import Timeline
from tests.widget import scene


def walk(timeline):
    timeline.place = 0
    yield timeline.sentence
    while timeline.past:
        timeline.step(1)
        yield timeline.sentence


def test_steps_go_from_the_first_call_to_now_and_each_says_what_it_changed():
    k, bash = scene.booted()
    k.call(bash, "fork")
    k.call(k.task(4), "exit", 7)
    assert list(walk(Timeline(k))) == [
        "Nothing has been fired yet: the kernel has booted.",
        "1: fork() = 3. Task 3 (init) is linked after task 2 ([kthreadd]).",
        '3: execve("bash") = 0. Task 3 (init) is now called bash.',
        "3: fork() = 4. Task 4 (bash) is linked after task 3 (bash).",
        "4: exit_group(7) = ?. Task 4 (bash) is a zombie now.",
    ]


def test_at_either_end_a_step_stays():
    k, _ = scene.booted()
    timeline = Timeline(k)
    for _ in range(9):
        timeline.step(-1)
    assert (timeline.place, timeline.past) == (0, True)
    timeline.heard({"do": "step", "by": -1})
    assert timeline.place == 0
    for _ in range(9):
        timeline.step(1)
    assert (timeline.place, timeline.past) == (timeline.last, False)


def test_a_place_that_does_not_exist_is_the_nearest_one_that_does():
    k, _ = scene.booted()
    timeline = Timeline(k)
    timeline.place = 99
    assert timeline.place == timeline.last
    timeline.place = -5
    assert timeline.place == 0


def test_a_just_booted_machine_has_one_moment():
    timeline = Timeline(ks.boot())
    timeline.step(-1)
    assert (timeline.place, timeline.last, timeline.past) == (0, 0, False)
    assert timeline.sentence.startswith("Nothing has been fired yet")


def test_now_follows_the_machine_and_the_past_stays_where_it_is():
    k, bash = scene.booted()
    timeline = Timeline(k)
    k.call(bash, "fork")
    timeline.look(to_now=True)
    assert timeline.moment == (k.now, 0)
    timeline.step(-1)
    past = timeline.moment
    k.call(bash, "fork")
    timeline.look()
    assert timeline.moment == past
    assert timeline.past


def test_a_jump_to_a_call_shows_what_it_has_done():
    k, bash = scene.booted()
    for _ in range(3):
        k.call(bash, "fork")
    timeline = Timeline(k)
    number = next(i for i, words in enumerate(timeline.calls) if words == "3: fork() = 5")
    timeline.heard({"do": "jump", "number": number})
    assert scene.pids(timeline.seen(timeline.moment)) == [1, 2, 3, 4, 5]
    assert timeline.sentence.startswith("3: fork() = 5. Task 5 (bash) is linked")
    timeline.heard({"do": "jump", "number": 999})
    assert timeline.sentence.startswith("3: fork() = 5.")


def test_another_way_to_walk_keeps_the_moment():
    k, bash = scene.booted()
    k.call(bash, "fork")
    k.call(bash, "fork")
    timeline = Timeline(k)
    timeline.step(-1)
    moment = timeline.moment
    for level in ("store", "call", "fired"):
        timeline.level = level
        assert timeline.moment == moment
    timeline.level = "store"
    timeline.step(-3)
    assert timeline.moment[0] < moment[0]
    assert "copy_process(): tasks." in timeline.sentence
    assert "store" in timeline.label


def test_a_program_is_walked_from_call_to_call():
    async def program(libc):
        if await libc.fork() == 0:
            await libc.exit(3)
        await libc.wait()

    timeline = Timeline(ks.run(program).kernel)
    assert timeline.level == "call"
    assert any("exit_group(3)" in sentence for sentence in walk(timeline))


def test_a_machine_that_keeps_no_past_says_so():
    k = ks.boot(record=False)
    timeline = Timeline(k)
    timeline.step(-1)
    assert (timeline.last, timeline.past) == (0, False)
    assert "keeps no past" in timeline.label


def test_looking_at_every_moment_of_every_level_changes_nothing():
    k, *_ = scene.family()
    now, state = k.now, k.state_hash()
    timeline = Timeline(k)
    for level in ("fired", "call", "store"):
        timeline.level = level
        assert all(walk(timeline))
    assert (k.now, k.state_hash()) == (now, state)
