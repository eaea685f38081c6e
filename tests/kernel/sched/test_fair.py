"""The fair scheduler against the kernel's own C, recorded, and against the fact sheet's numbers."""

import json
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.include.linux import rbtree
from kernelsim.include.linux.sched import sched_entity, task_struct
from kernelsim.kernel.sched import core, fair, sched
from kernelsim.kernel.time import timekeeping

DATA = Path(__file__).parents[2] / "data" / "sched" / "fair.json"
VECTORS = json.loads(DATA.read_text())
MASK = (1 << 64) - 1


@pytest.fixture(scope="module")
def stage():
    return Stage()


# A run queue and two entities in a machine of their own, for one function at a time.
class Stage:
    def __init__(self):
        self.k = ks.boot(memory="33M", record=False)
        self.m = self.k.machine
        self.cfs_rq = sched.this_rq(self.m).cfs
        tasks = [self.k.spawn("one"), self.k.spawn("two")]
        self.se, self.other = (t.se for t in tasks)

    def weigh(self, se, nice):
        task = fair.task_of(se)
        task.static_prio = 120 + nice
        core.set_load_weight(task)

    def fill(self, running, weight):
        self.cfs_rq.nr_running = running
        self.cfs_rq.load.weight, self.cfs_rq.load.inv_weight = weight, 0

    # The queue's clock, as update_rq_clock() leaves it.
    def clock(self, ns):
        sched.this_rq(self.m).clock = sched.this_rq(self.m).clock_task = ns


# --- the kernel's own results ------------------------------------------------------------------


def test_real_time_becomes_virtual_time_as_in_the_kernel(stage):
    for nice, delta, expected in VECTORS["calc_delta_fair"]:
        stage.weigh(stage.se, nice)
        assert fair.calc_delta_fair(delta, stage.se) & MASK == expected, (nice, delta)


def test_slices_are_the_kernels(stage):
    for nice, on_rq, running, weight, expected in VECTORS["sched_slice"]:
        stage.weigh(stage.se, nice)
        stage.fill(running, weight)
        stage.se.on_rq = on_rq
        assert fair.sched_slice(stage.cfs_rq, stage.se) == expected, (nice, on_rq, running, weight)


def test_new_tasks_and_sleepers_are_placed_as_in_the_kernel(stage):
    for row in VECTORS["place_entity"]:
        nice, initial, running, weight, low, own, started, clock, expected = row
        stage.weigh(stage.se, nice)
        stage.fill(running, weight)
        stage.clock(clock)
        stage.cfs_rq.min_vruntime, stage.se.on_rq = low, 0
        stage.se.vruntime, stage.se.exec_start = own, started
        fair.place_entity(stage.cfs_rq, stage.se, initial)
        assert stage.se.vruntime == expected, row


def test_who_wakes_preempts_as_in_the_kernel(stage):
    for nice, curr, woken, expected in VECTORS["wakeup_preempt_entity"]:
        stage.weigh(stage.se, nice)
        stage.other.vruntime, stage.se.vruntime = curr, woken
        assert fair.wakeup_preempt_entity(stage.other, stage.se) == expected, (nice, curr, woken)


def test_the_queues_time_moves_as_in_the_kernel_also_over_the_wrap(stage):
    queue = stage.cfs_rq
    keep = queue.curr, queue.tasks_timeline.rb_leftmost
    for low, kind, curr, leftmost, left, expected in VECTORS["update_min_vruntime"]:
        queue.min_vruntime = low
        queue.curr = stage.se if kind else None
        stage.se.on_rq, stage.se.vruntime = int(kind == 2), curr
        queue.tasks_timeline.rb_leftmost = stage.other.run_node if leftmost else None
        stage.other.vruntime = left
        fair.update_min_vruntime(queue)
        assert queue.min_vruntime == expected
    queue.curr, queue.tasks_timeline.rb_leftmost = keep


# --- the fact sheet's numbers (15, 18) ---------------------------------------------------------


def test_one_ms_of_a_task_of_nice_5_is_3_057_ms_of_virtual_time(stage):
    stage.weigh(stage.se, 5)
    assert stage.se.load.weight >> 10 == 335
    assert round(fair.calc_delta_fair(1_000_000, stage.se) / 1e6, 3) == 3.057
    stage.weigh(stage.se, 0)
    assert stage.se.load.weight == 1 << 20
    assert fair.calc_delta_fair(1_000_000, stage.se) == 1_000_000


def test_nice_0_and_nice_5_share_a_cpu_three_to_one():
    k = ks.boot(record=False)
    m, rq = k.machine, sched.this_rq(k.machine)
    tasks = [k.spawn("nice-0"), k.spawn("nice-5")]
    ran = race(m, rq, tasks, [0, 5], ticks=3000)
    assert ran[0] / sum(ran) == pytest.approx(0.753, abs=0.01)


def test_three_tasks_get_the_shares_of_their_weights():
    k = ks.boot(record=False)
    tasks = [k.spawn(name) for name in "abc"]
    ran = race(k.machine, sched.this_rq(k.machine), tasks, [-5, 0, 10], ticks=6000)
    weights = [3121, 1024, 110]
    for share, weight in zip(ran, weights, strict=True):
        assert share / sum(ran) == pytest.approx(weight / sum(weights), abs=0.01)


# Let `tasks` alone run for so many timer ticks; the time that each has got.
def race(m, rq, tasks, nices, ticks):
    for task in list(fair.queued_tasks(m, rq)):
        if task not in tasks:
            core.deactivate_task(m, rq, task, 1)
    curr = rq.curr
    fair.put_prev_task_fair(m, rq, curr)
    for task in fair.queued_tasks(m, rq):
        core.deactivate_task(m, rq, task, 1)
    for task, nice in zip(tasks, nices, strict=True):
        task.static_prio = 120 + nice
        core.set_load_weight(task)
        core.activate_task(m, rq, task, 1)
    before = [task.se.sum_exec_runtime for task in tasks]
    m.choose = None
    running = fair.pick_next_task_fair(m, rq)
    for _ in range(ticks):
        rq.curr = running
        timekeeping.update_wall_time(m, 1_000_000)
        core.scheduler_tick(m)
        if sched.test_tsk_need_resched(running):
            sched.clear_tsk_need_resched(running)
            fair.put_prev_task_fair(m, rq, running)
            running = fair.pick_next_task_fair(m, rq)
    fair.update_curr(m, rq)
    return [task.se.sum_exec_runtime - b for task, b in zip(tasks, before, strict=True)]


def test_weights_are_the_kernels_for_every_nice_value(stage):
    for nice, delta, expected in VECTORS["calc_delta_fair"][:40]:  # one of each, 1 ms
        weight = sched.sched_prio_to_weight[nice + 20]
        assert delta == 1_000_000
        assert expected == pytest.approx(1024e6 / weight, rel=2e-3)


# --- the queue ---------------------------------------------------------------------------------


def test_virtual_time_starts_a_millisecond_before_its_wrap():
    k = ks.boot(record=False)
    stamp = sched.cfs_rq.offsetof_("min_vruntime")
    queue = sched.cfs_rq(k.machine, k.machine.define("queue", sched.cfs_rq).address_)
    fair.init_cfs_rq(queue)
    assert k.machine.read_u64(queue.address_ + stamp) == MASK + 1 - (1 << 20)


def test_the_tree_is_in_order_of_virtual_time_over_the_wrap_and_equals_stay_in_order_of_arrival():
    k = ks.boot(record=False)
    m, rq = k.machine, sched.this_rq(k.machine)
    tasks = [k.spawn(f"t{i}") for i in range(8)]
    for task in tasks:
        if task.se != rq.cfs.curr:
            core.deactivate_task(m, rq, task, 1)
    base = rq.cfs.min_vruntime = MASK - 5_000_000
    offsets = [9_000_000, 0, 5_000_001, 3_000_000, 9_000_000, 5_000_000, 0]
    placed = [t for t in tasks if t.se != rq.cfs.curr][:7]
    for task, offset in zip(placed, offsets, strict=True):
        task.se.vruntime = offset  # relative, as at the end of fork: enqueueing adds the queue's
        core.activate_task(m, rq, task, 0)
    order = [t for t in fair.queued_tasks(m, rq) if t in placed]
    by_hand = sorted(range(7), key=lambda i: (offsets[i], i))
    assert order == [placed[i] for i in by_hand]
    assert {t.se.vruntime for t in placed} == {(base + offset) & MASK for offset in offsets}
    rbtree.validate_rbtree(
        rq.cfs.tasks_timeline, lambda a, b: key_of(a) - base & MASK < key_of(b) - base & MASK
    )


def key_of(node):
    return sched_entity(node.machine_, node.address_ - sched_entity.offsetof_("run_node")).vruntime


def test_the_queue_counts_its_tasks_and_their_weight():
    k = ks.boot(record=False)
    m, rq = k.machine, sched.this_rq(k.machine)
    task = k.spawn("sh")
    queue = rq.cfs
    before = queue.nr_running, queue.load.weight, rq.nr_running, queue.h_nr_running
    child = k.task(k.call(task, "fork"))
    assert queue.nr_running == before[0] + 1 == queue.h_nr_running == rq.nr_running
    assert queue.load.weight == before[1] + (1 << 20)
    core.deactivate_task(m, rq, child, 1)
    assert (queue.nr_running, queue.load.weight, rq.nr_running, queue.h_nr_running) == before
    assert child.on_rq == child.se.on_rq == 0


def test_leaving_without_sleep_makes_the_virtual_time_relative_to_the_queues():
    k = ks.boot(record=False)
    m, rq = k.machine, sched.this_rq(k.machine)
    task = k.spawn("a")
    k.spawn("b")
    if rq.cfs.curr == task.se:
        k.call(k.task(task.pid + 1), "getpid")
    before, low = task.se.vruntime, rq.cfs.min_vruntime
    task.se.vruntime = before + 12_345
    core.deactivate_task(m, rq, task, 0)
    assert task.se.vruntime == (before + 12_345 - low) & MASK
    assert rq.cfs.min_vruntime > low  # it was this task that held it back
    core.activate_task(m, rq, task, 0)
    assert task.se.vruntime == (before + 12_345 - low + rq.cfs.min_vruntime) & MASK


def test_a_forked_task_starts_a_slice_behind_its_parent():
    k = ks.boot(record=False)
    parent = k.spawn("parent")
    child = k.task(k.call(parent, "fork"))
    queue = sched.this_rq(k.machine).cfs
    slice_ = fair.sched_slice(queue, child.se)
    assert slice_ >= 750_000
    assert (child.se.vruntime - queue.min_vruntime) & MASK <= 6_000_000
    assert (child.se.vruntime - parent.se.vruntime) & MASK < 1 << 63  # not before its parent
    assert (child.se.sum_exec_runtime, child.se.exec_start, child.se.nr_migrations) == (0, 0, 0)


def test_task_of_is_container_of(stage):
    task = task_struct(stage.m, stage.se.address_ - task_struct.offsetof_("se"))
    assert fair.task_of(stage.se) == task
