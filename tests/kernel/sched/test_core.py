"""States, sleeping, waking and switching: kernel/sched/core.c as the fact sheet (1.5) has it."""

import itertools

import pytest

import kernelsim as ks
from kernelsim.include.linux import sched as states
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.kernel import exit as kernel_exit
from kernelsim.kernel.sched import core, fair, sched
from tests.kernel import stage

RUNNING, INTERRUPTIBLE, UNINTERRUPTIBLE = 0x000, 0x001, 0x002
STOPPED, TRACED, PARKED, DEAD, WAKEKILL, WAKING, NOLOAD, NEW = (
    *(0x104, 0x108, 0x040, 0x080, 0x100),
    *(0x200, 0x400, 0x800),
)
KILLABLE, IDLE, NORMAL = 0x102, 0x402, 0x003


@pytest.fixture
def k():
    return ks.boot()


# Let `task` sleep in `state`; what kernel code does that waits for something.
def put_to_sleep(k, task, state):
    async def sleep():
        task.state = state
        await core.schedule(k.machine)
        return "woken"

    return stage.inside(k, task, sleep())


# --- letters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "exit_state", "letter"),
    [
        *(
            (RUNNING, 0, "R"),
            (INTERRUPTIBLE, 0, "S"),
            (UNINTERRUPTIBLE, 0, "D"),
            (KILLABLE, 0, "D"),
        ),
        *((STOPPED, 0, "T"), (TRACED, 0, "t"), (PARKED, 0, "P"), (IDLE, 0, "I")),
        *((NEW, 0, "R"), (WAKING, 0, "R"), (DEAD, 0, "R"), (UNINTERRUPTIBLE | 0x4, 0, "T")),
        *((DEAD, 0x20, "Z"), (DEAD, 0x10, "X"), (DEAD, 0x30, "Z"), (INTERRUPTIBLE, 0x20, "Z")),
    ],
)
def test_each_state_has_its_letter_and_the_highest_bit_wins(k, state, exit_state, letter):
    task = k.spawn("sh")
    task.state, task.exit_state = state, exit_state
    assert states.task_state_to_char(task) == letter


# --- waking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "mask", "woken"),
    [
        *((INTERRUPTIBLE, NORMAL, 1), (UNINTERRUPTIBLE, NORMAL, 1), (KILLABLE, NORMAL, 1)),
        *((INTERRUPTIBLE, UNINTERRUPTIBLE, 0), (UNINTERRUPTIBLE, INTERRUPTIBLE, 0)),
        *(
            (INTERRUPTIBLE, INTERRUPTIBLE | WAKEKILL, 1),
            (UNINTERRUPTIBLE, INTERRUPTIBLE | WAKEKILL, 0),
        ),
        *((KILLABLE, INTERRUPTIBLE | WAKEKILL, 1), (KILLABLE, INTERRUPTIBLE, 0)),
        *((STOPPED, WAKEKILL, 1), (STOPPED, NORMAL, 0), (STOPPED, 0x4, 1), (PARKED, NORMAL, 0)),
        *((IDLE, NORMAL, 1), (INTERRUPTIBLE, 0, 0)),
    ],
)
def test_a_sleeper_wakes_if_its_state_is_among_those_asked_for(k, state, mask, woken):
    sh = k.spawn("sh")
    assert put_to_sleep(k, sh, state) is ks.PENDING
    assert (sh.state, sh.on_rq, sh.se.on_rq, sh.on_cpu) == (state, 0, 0, 0)
    before = k.now
    assert core.try_to_wake_up(k.machine, sh, mask, 0) == woken
    events = [e.name for e in k.events(before) if e.kind == "event"]
    if not woken:
        assert (sh.state, sh.on_rq) == (state, 0)
        assert events == []
        return
    assert events == ["sched_waking", "sched_wakeup"]
    assert (sh.state, sh.on_rq, sh.se.on_rq) == (RUNNING, 1, 1)
    assert sh in fair.queued_tasks(k.machine, sched.this_rq(k.machine))
    assert core.try_to_wake_up(k.machine, sh, mask, 0) == 0  # it is awake
    k.call(k.init, "getpid")
    assert k.result(sh) == "woken"


def test_a_task_that_has_not_left_the_queue_yet_is_only_set_running(k):
    sh, other = k.spawn("sh"), k.spawn("other")
    k.call(other, "getpid")
    rq = sched.this_rq(k.machine)
    before = rq.nr_running
    sh.state = INTERRUPTIBLE  # it was preempted on its way to sleep
    assert core.wake_up_process(k.machine, sh) == 1
    assert (sh.state, sh.on_rq, rq.nr_running) == (RUNNING, 1, before)
    stage.check(k)


def test_the_running_task_can_wake_itself(k):
    sh = k.spawn("sh")

    async def nearly_asleep():
        sh.state = UNINTERRUPTIBLE
        woken = core.wake_up_process(k.machine, sh), core.wake_up_process(k.machine, sh)
        await core.schedule(k.machine)
        return woken

    before = k.now
    assert stage.inside(k, sh, nearly_asleep()) == (1, 0)
    names = [e.name for e in k.events(before) if e.pid == sh.pid]
    assert names.index("sched_waking") < names.index("sched_wakeup")
    assert sh.state == RUNNING


def test_a_new_task_can_not_be_woken_before_its_time(k):
    sh = k.spawn("sh")
    seen = []
    k.machine.trace.subscribers.append(
        lambda name, fields: seen.append((name, states_of(k))) if name == "task_newtask" else None
    )
    k.call(sh, "fork")
    assert seen == [("task_newtask", (NEW, 0))]
    child = k.task(4)
    assert (child.state, child.on_rq) == (RUNNING, 1)
    assert NEW & (NORMAL | WAKEKILL | 0x4 | 0x8) == 0


def states_of(k):
    return k.tasks()[-1].state, k.tasks()[-1].on_rq


def test_a_sleeper_with_a_signal_pending_does_not_go_to_sleep(k):
    sh = k.spawn("sh")
    for state, stays in ((INTERRUPTIBLE, True), (UNINTERRUPTIBLE, False), (KILLABLE, False)):
        sh.thread_info.flags |= 4  # TIF_SIGPENDING; no SIGKILL
        assert sched_signal.signal_pending_state(state, sh) is stays
    sh.pending.signal = 1 << 8
    for state, stays in (
        (INTERRUPTIBLE, True),
        (UNINTERRUPTIBLE, False),
        (KILLABLE, True),
        (IDLE, False),
    ):
        assert sched_signal.signal_pending_state(state, sh) is stays
    sh.pending.signal = 0
    switches, queued = sh.nvcsw, sh.on_rq
    assert put_to_sleep(k, sh, INTERRUPTIBLE) == "woken"
    assert (sh.nvcsw, sh.on_rq, sh.state) == (switches, queued, RUNNING)


# --- the switch --------------------------------------------------------------------------------


def test_just_one_task_is_on_the_cpu_and_it_is_current(k):
    tasks = [k.spawn(name) for name in ("a", "b", "c")]
    m = k.machine
    for task in (*tasks, k.init, *tasks[::-1]):
        k.call(task, "getpid")
        every = [m.symbol("init_task"), *k.tasks()]
        assert [t for t in every if t.on_cpu] == [m.current] == [sched.this_rq(m).curr]
        curr = sched.this_rq(m).cfs.curr
        assert curr == (m.current.se if m.current.pid else 0)
        stage.check(k)


def test_with_nobody_left_to_run_the_idle_task_runs(k):
    idle = k.machine.symbol("init_task")
    assert k.machine.current == idle  # init is in pause()
    sh = k.spawn("sh")
    assert k.machine.current == sh
    k.call(sh, "exit_group", 0)
    assert k.machine.current == idle == sched.this_rq(k.machine).idle
    assert sched.this_rq(k.machine).cfs.nr_running == 0
    assert (idle.state, idle.on_rq, idle.prio, idle.flags & 2) == (RUNNING, 1, 120, 2)


def test_every_switch_is_counted_once_as_wanted_or_not(k):
    m = k.machine
    sh, other = k.spawn("sh"), k.spawn("other")
    k.call(sh, "pipe")
    before, wanted, unwanted, count = k.now, sh.nvcsw, sh.nivcsw, sched.this_rq(m).nr_switches
    k.call(other, "getpid")  # sh is interrupted in user mode
    assert (sh.nvcsw, sh.nivcsw) == (wanted, unwanted + 1)
    assert k.call(sh, "read", 3, 1) is ks.PENDING
    assert (sh.nvcsw, sh.nivcsw) == (wanted + 1, unwanted + 1)
    switches = [e.fields for e in k.events(before) if e.name == "sched_switch"]
    assert sched.this_rq(m).nr_switches == count + len(switches)
    left = [(f["prev_pid"], f["prev_state"]) for f in switches if f["prev_pid"] == sh.pid]
    assert left == [(sh.pid, "R"), (sh.pid, "S")]
    assert all(a["next_pid"] == b["prev_pid"] for a, b in itertools.pairwise(switches))


def test_tasks_asleep_for_good_reason_count_as_load_and_idle_ones_do_not(k):
    rq = sched.this_rq(k.machine)
    for state, load in ((UNINTERRUPTIBLE, 1), (KILLABLE, 1), (IDLE, 0), (INTERRUPTIBLE, 0)):
        sh = k.spawn("sh")
        put_to_sleep(k, sh, state)
        assert (rq.nr_uninterruptible, sh.sched_contributes_to_load) == (load, load)
        core.wake_up_process(k.machine, sh)
        assert rq.nr_uninterruptible == 0


def test_the_idle_task_borrows_the_address_space_and_gives_it_back(k):
    sh, idle = k.spawn("sh"), k.machine.symbol("init_task")
    k.call(sh, "pipe")
    mm = sh.mm
    assert (mm.mm_users, mm.mm_count) == (1, 1)
    k.call(sh, "read", 3, 1)
    assert k.machine.current == idle
    assert (idle.mm, idle.active_mm) == (0, mm)
    assert (mm.mm_users, mm.mm_count) == (1, 2)
    k.call(k.init, "getpid")
    assert mm.mm_count == 1


def test_the_address_space_of_a_dead_task_lives_while_the_idle_task_has_it(k):
    sh = k.spawn("sh")
    mm, before = sh.mm, k.slabs()["mm_struct"]
    idle = k.machine.symbol("init_task")

    async def die():
        k.init.sighand.action[16].sa_handler = 1  # SIGCHLD ignored: no user task runs meanwhile
        k.init.sighand.action[16].sa_flags = 0
        await kernel_exit.do_exit(k.machine, 0)

    stage.inside(k, sh, die())
    assert (k.machine.current, idle.active_mm) == (idle, mm)
    assert (mm.mm_users, mm.mm_count) == (0, 1)
    assert k.slabs()["mm_struct"] == before
    k.call(k.init, "getpid")
    assert k.slabs()["mm_struct"] == before - 1
    with pytest.raises(ks.Fault, match="mmdrop"):
        _ = mm.mm_count


def test_a_dead_task_never_runs_again(k):
    sh = k.spawn("sh")
    child = k.task(k.call(sh, "fork"))
    k.call(child, "exit_group", 0)
    assert (child.state, child.exit_state, child.on_rq, child.on_cpu) == (DEAD, 0x20, 0, 0)
    for mask in (NORMAL, WAKEKILL | NORMAL, 0x4 | 0x8):
        assert core.try_to_wake_up(k.machine, child, mask, 0) == 0
    assert child not in fair.queued_tasks(k.machine, sched.this_rq(k.machine))


# --- what a child gets of the scheduler --------------------------------------------------------


def test_a_child_has_the_normal_priority_of_its_parent_and_not_a_borrowed_one(k):
    sh = k.spawn("sh")
    sh.prio = 50  # boosted by a mutex that somebody more important waits for
    child = k.task(k.call(sh, "fork"))
    assert (child.prio, child.normal_prio, child.static_prio, child.policy) == (120, 120, 120, 0)
    assert child.sched_class == k.machine.symbol("fair_sched_class")


def test_nice_is_inherited_unless_the_parent_asked_for_a_reset(k):
    sh = k.spawn("sh")
    for nice, reset, expected in ((5, 0, 125), (-7, 0, 113), (-7, 1, 120), (5, 1, 125)):
        sh.static_prio = sh.normal_prio = sh.prio = 120 + nice
        core.set_load_weight(sh)
        sh.sched_reset_on_fork = reset
        child = k.task(k.call(sh, "fork"))
        weight = sched.sched_prio_to_weight[expected - 100] << 10
        assert (child.static_prio, child.prio, child.se.load.weight) == (expected, expected, weight)
        assert child.sched_reset_on_fork == 0
        assert sh.sched_reset_on_fork == reset


def test_a_deadline_task_can_not_fork_and_leaves_nothing_behind(k):
    sh = k.spawn("sh")
    stage.end(k, sh, k.call(sh, "fork"))
    before = stage.ground(k)
    sh.normal_prio = -1
    with pytest.raises(BlockingIOError):  # EAGAIN
        k.call(sh, "fork")
    sh.normal_prio = 120
    assert stage.ground(k) == before


def test_the_boot_task_is_idle_and_has_the_name_of_its_cpu(k):
    idle = k.machine.symbol("init_task")
    assert idle.comm.string_() == b"swapper/0"
    assert idle.sched_class == k.machine.symbol("idle_sched_class")
    assert (idle.pid, idle.on_rq, sched.this_rq(k.machine).idle) == (0, 1, idle)
