"""Where one can stop in the past: told apart by replaying the machine itself."""

import pytest

import kernelsim as ks
from kernelsim.widget.history import LEVELS, History
from tests.machine import opcodes
from tests.widget import scene


def test_what_was_fired_is_one_step_each_and_its_moments_are_what_now_was():
    k, bash = scene.booted()
    expected = []
    for _ in range(3):
        expected.append((k.now, 0))
        k.call(bash, "fork")
    moments = History(k).moments("fired")
    assert moments[-4:-1] == expected
    assert moments[-1] == (k.now, 0)


@pytest.mark.parametrize("level", LEVELS)
def test_a_history_read_in_pieces_is_the_history_read_at_once(level):
    k, bash = scene.booted()
    pieces = History(k)
    pieces.moments(level)
    child = k.task(k.call(bash, "fork"))
    pieces.moments(level)
    k.call(child, "exit", 3)
    k.call(bash, "waitpid", -1, 0)
    assert pieces.moments(level) == History(k).moments(level)


@pytest.mark.parametrize("level", LEVELS)
def test_moments_are_in_order_and_none_comes_twice(level):
    k, *_ = scene.family()
    moments = History(k).moments(level)
    assert moments == sorted(set(moments))
    assert moments[-1] == (k.now, 0)


def test_system_calls_are_one_step_each_whoever_makes_them():
    async def program(libc):
        for _ in range(4):
            if await libc.fork() == 0:
                await libc.exit(0)
            await libc.wait()

    k = ks.run(program).kernel
    history = History(k)
    words = [call.words for call in history.calls()]
    lines = [line for line in k.strace().splitlines() if "fork()" in line or "fork(" in line]
    assert sum("fork(" in line for line in words) == len(lines) >= 5
    assert all(call.end in history.moments("call") for call in history.calls())


def test_between_two_neighbouring_stores_the_list_changes_by_one_pointer_at_most():
    k, *_ = scene.family()
    history = History(k)
    moments = history.moments("store")
    assert len(moments) > 20

    def links(look):
        return {
            (task.address_, name): task.member_(name).address_
            for task in (look.machine.symbol("init_task"), *look.tasks())
            for name in ("tasks.next", "tasks.prev")
        }

    before = links(history.at(moments[0]))
    for moment in moments[1:-1]:
        after = links(history.at(moment))
        changed = {key for key in before if key in after and before[key] != after[key]}
        assert len(changed) <= 1, moment
        store = history.store(moment)
        if changed:
            assert changed == {(store.address, store.member)}
            assert after[store.address, store.member] == store.new
        before = after


def test_a_fork_is_linked_by_the_four_stores_of_list_add_tail():
    k, bash = scene.booted()
    since = k.now
    child = k.task(k.call(bash, "fork"))
    history = History(k)
    stores = [history.store(m) for m in history.moments("store") if m[0] >= since]
    made = [(s.address, s.member) for s in stores if s and s.member.startswith("tasks.")]
    head = k.machine.symbol("init_task").address_
    # __list_add_rcu(): new->next, new->prev, prev->next, next->prev; new->next holds the head
    # already, for the child's bytes are a copy of the last task's.
    assert made == [
        (child.address_, "tasks.prev"),
        (bash.address_, "tasks.next"),
        (head, "tasks.prev"),
    ]


def test_each_store_names_the_function_that_makes_it():
    k, bash = scene.booted()
    since = k.now
    k.call(bash, "fork")
    history = History(k)
    linked = [
        m for m in history.moments("store")
        if m[0] >= since and (s := history.store(m)) and s.member == "tasks.next"
    ]  # fmt: skip
    assert {history.function(m) for m in linked} == {"copy_process"}


def test_a_sleeper_is_found_where_its_kernel_stack_says():
    k, bash, _ = scene.family()
    from kernelsim.debug import stack

    history = History(k)
    asleep = stack.wchan(k.machine, bash)
    assert history.sleeps_in(bash.pid, history.now) == asleep == "do_wait"


def test_looking_leaves_no_trace():
    k, *_ = scene.family()
    now, state = k.now, k.state_hash()
    history = History(k)
    for level in LEVELS:
        for moment in history.moments(level):
            history.store(moment)
            history.function(moment)
    history.calls()
    assert (k.now, k.state_hash()) == (now, state)


def test_a_machine_without_a_past_has_one_moment():
    history = History(ks.boot(record=False))
    assert all(history.moments(level) == [(0, 0)] for level in LEVELS)
    assert history.sleeps_in(1, (0, 0)) == ""


def test_what_has_been_read_is_not_read_again():
    k, bash = scene.booted()
    for _ in range(20):
        child = k.task(k.call(bash, "fork"))
        k.call(child, "exit", 0)
        k.call(bash, "waitpid", -1, 0)
    since, history = k.now, History(k)

    def look():
        moments = history.moments("store")
        return [history.function(moment) for moment in moments[-5:]], history.at((since, 0)).tasks()

    first = opcodes.count(look)
    again = opcodes.count(look)
    k.call(bash, "getpid")
    last = opcodes.count(look)
    assert again < first / 10
    assert last < first / 5
