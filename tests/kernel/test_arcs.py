"""Every state and every arc of a task, reached by real calls, read from memory store by store.

The table is that of the kernel: which state follows which, and who makes it.  TASK_TRACED has no
row: nobody traces.
"""

import pytest

import kernelsim as ks
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.include.uapi.asm import signal as sig
from kernelsim.include.uapi.linux.sched import CLONE_VFORK, CLONE_VM
from kernelsim.kernel.sched.sched import this_rq
from kernelsim.view.states import _BY_STATE
from kernelsim.view.states import ARCS as DRAWN
from tests.kernel import stage
from tests.kernel.arcs import (
    ARCS,
    DEAD,
    EXIT_DEAD,
    IDLE,
    INTERRUPTIBLE,
    KILLABLE,
    NEW,
    PARKED,
    RUNNING,
    STOPPED,
    THREAD,
    UNINTERRUPTIBLE,
    WAKING,
    ZOMBIE,
    Scene,
    follows,
    letter,
    state,
)

ASLEEP = [("on_rq", 1, 0), ("on_cpu", 1, 0)]


@pytest.fixture
def s():
    return Scene()


async def deaf(kernel):
    # Sleeps in D, and takes no notice of the first wake-up, which is that of kthread_stop().
    for _ in range(2):
        kernel.set_current_state(kernel.TASK_UNINTERRUPTIBLE)
        await kernel.schedule()
    return 7


# --- birth and the CPU ---------------------------------------------------------------------


def test_a_new_task_is_put_on_the_queue_by_wake_up_new_task(s):
    child = s.fork()
    assert follows([*state(NEW, RUNNING), ("on_rq", 0, 1)], s.taken(child))
    assert (child.state, child.on_rq, child.on_cpu, letter(child)) == (RUNNING, 1, 0, "R")
    assert child.flags == sched.PF_FORKNOEXEC


def test_a_new_task_can_not_be_woken_by_a_signal(s):
    task = s.fork()
    task.state, task.on_rq = NEW, 0  # as between sched_fork() and wake_up_new_task()
    s.k.call(s.sh, "kill", task.pid, sig.SIGTERM)
    assert (task.state, task.on_rq, letter(task)) == (NEW, 0, "R")


def test_a_switch_sets_on_cpu_for_the_next_and_clears_it_for_the_last(s):
    child = s.fork()
    s.now()
    s.k.call(child, "getpid")
    assert (child.on_cpu, s.sh.on_cpu) == (1, 0)
    s.k.call(s.sh, "getpid")
    assert s.taken(child) == [("on_cpu", 0, 1), ("on_cpu", 1, 0)]
    assert (child.on_rq, s.sh.on_cpu) == (1, 1)


# --- the four sleeps -----------------------------------------------------------------------


def test_interruptible_sleep_ends_by_a_signal(s):
    child = s.fork()
    s.now()
    s.k.call(child, "pause")
    assert (child.state, child.on_rq, child.on_cpu, letter(child)) == (INTERRUPTIBLE, 0, 0, "S")
    s.k.call(s.sh, "kill", child.pid, sig.SIGTERM)
    woken = [*state(INTERRUPTIBLE, WAKING), ("on_rq", 0, 1), *state(WAKING, RUNNING)]
    assert follows([*state(RUNNING, INTERRUPTIBLE), *ASLEEP, *woken], s.taken(child))


def test_interruptible_sleep_ends_by_a_wake_up(s):
    reader, (r, w) = s.fork(), (3, 4)
    assert s.k.call(s.sh, "pipe") == (r, w)
    reader = s.fork()
    s.now()
    assert s.k.call(reader, "read", r, 1) is ks.PENDING
    assert (reader.state, letter(reader)) == (INTERRUPTIBLE, "S")
    s.k.call(s.sh, "write", w, b"x")
    assert s.k.result(reader) == b"x"
    assert follows([*ASLEEP, *state(INTERRUPTIBLE, WAKING, RUNNING)], s.taken(reader))


def test_who_finds_what_it_waits_for_is_running_again_without_having_slept(s):
    child = s.fork(("exit", 3))
    s.now()
    assert s.k.call(s.sh, "waitpid", child.pid, 0)[1] == 3 << 8
    assert s.taken(s.sh) == state(RUNNING, INTERRUPTIBLE, RUNNING)


def test_a_signal_that_waits_already_keeps_who_goes_to_sleep_on_the_queue(s):
    seen = []

    async def body(kernel):
        kernel.allow_signal(sig.SIGUSR1)
        while not kernel.kthread_should_stop():
            kernel.set_current_state(kernel.TASK_INTERRUPTIBLE)
            await kernel.schedule()  # the second time with the signal still pending
            seen.append((kernel.current.state, kernel.current.on_rq, kernel.signal_pending()))
            if len(seen) > 1:
                kernel.flush_signals()
        return 0

    thread = s.k.kthread_run("taker", body)
    assert letter(thread) == "S"
    s.now()
    s.k.call(s.sh, "kill", thread.pid, sig.SIGUSR1)
    assert seen == [(RUNNING, 1, True), (RUNNING, 1, True)]
    awake = [*state(INTERRUPTIBLE, WAKING), ("on_rq", 0, 1), *state(WAKING, RUNNING)]
    stays = state(RUNNING, INTERRUPTIBLE, RUNNING)  # __schedule(): signal_pending_state()
    again = [*state(RUNNING, INTERRUPTIBLE), ("on_rq", 1, 0)]
    assert [step for step in s.taken(thread) if step[0] != "on_cpu"] == [*awake, *stays, *again]


def test_a_kernel_thread_before_its_first_wake_up_sleeps_uninterruptibly(s):
    before = this_rq(s.k.machine).nr_uninterruptible
    thread = s.k.kthread_create("x", by=s.sh)
    assert (thread.state, thread.on_rq, letter(thread)) == (UNINTERRUPTIBLE, 0, "D")
    assert this_rq(s.k.machine).nr_uninterruptible == before + 1
    asleep = [*state(RUNNING, UNINTERRUPTIBLE), *ASLEEP]
    assert follows(
        [*state(NEW, RUNNING), ("on_rq", 0, 1), ("on_cpu", 0, 1), *asleep], s.taken(thread)
    )
    s.now()
    assert s.k.wake_up_process(thread) == 1
    assert follows(state(UNINTERRUPTIBLE, WAKING, RUNNING), s.taken(thread))
    assert this_rq(s.k.machine).nr_uninterruptible == before


def test_who_waits_for_a_kernel_thread_to_end_can_not_even_be_killed(s):
    rmmod, thread = s.fork(), s.k.kthread_run("deaf", deaf)
    s.now()
    assert s.k.kthread_stop(thread, by=rmmod) is ks.PENDING
    assert (rmmod.state, rmmod.on_rq, letter(rmmod)) == (UNINTERRUPTIBLE, 0, "D")
    s.k.call(s.sh, "kill", rmmod.pid, sig.SIGKILL)
    assert (rmmod.state, rmmod.pending.signal) == (UNINTERRUPTIBLE, 1 << 8)
    assert rmmod.thread_info.flags & sched._TIF_SIGPENDING
    assert follows([*state(RUNNING, UNINTERRUPTIBLE), *ASLEEP], s.taken(rmmod))
    s.now()
    s.k.wake_up_process(thread)  # once more: it returns, rmmod goes on, and dies
    assert follows(state(UNINTERRUPTIBLE, WAKING, RUNNING, DEAD), s.taken(rmmod))
    assert s.k.call(s.sh, "waitpid", -1, 0)[1] == sig.SIGKILL


def test_who_sets_a_sleeping_state_and_takes_it_back_never_leaves_the_queue(s):
    async def body(kernel):
        for sleep in (kernel.TASK_UNINTERRUPTIBLE, kernel.TASK_KILLABLE, kernel.TASK_IDLE):
            kernel.set_current_state(sleep)
            kernel.set_current_state(kernel.TASK_RUNNING)

    thread = s.k.kthread_create("x", body)
    s.now()
    s.k.wake_up_process(thread)
    taken = s.taken(thread)
    for sleep in (UNINTERRUPTIBLE, KILLABLE, IDLE):
        assert follows(state(RUNNING, sleep, RUNNING), taken)


def test_killable_sleep_ends_by_a_wake_up(s):
    parent = s.fork()
    s.now()
    assert s.k.call(parent, "clone", CLONE_VFORK | CLONE_VM | 17) is ks.PENDING
    assert (parent.state, parent.on_rq, letter(parent)) == (KILLABLE, 0, "D")
    child = parent.children.next
    s.k.call(ks.container_of(child, task_struct, "sibling"), "exit", 0)
    assert follows(
        [*state(RUNNING, KILLABLE), *ASLEEP, *state(KILLABLE, WAKING), ("on_rq", 0, 1)],
        s.taken(parent),
    )
    assert parent.state == RUNNING


def test_killable_sleep_ends_by_sigkill_and_by_no_other_signal(s):
    stage.handle(s.k, s.sh, sig.SIGUSR1)  # its children inherit that: a fatal signal is SIGKILL
    parent = s.fork(("vfork",))
    s.now()
    s.k.call(s.sh, "kill", parent.pid, sig.SIGUSR1)
    assert (parent.state, letter(parent)) == (KILLABLE, "D")
    assert parent.thread_info.flags & sched._TIF_SIGPENDING
    s.k.call(s.sh, "kill", parent.pid, sig.SIGKILL)
    assert follows(state(KILLABLE, WAKING, RUNNING, DEAD), s.taken(parent))
    assert (parent.state, parent.exit_state, letter(parent)) == (DEAD, ZOMBIE, "Z")


def test_who_asks_kthreadd_for_a_thread_waits_killably(s):
    s.now()
    s.k.kthread_create("x", by=s.sh)
    assert follows([*state(RUNNING, KILLABLE), *ASLEEP, *state(KILLABLE, WAKING)], s.taken(s.sh))


def test_an_idle_worker_does_not_count_as_load(s):
    before = this_rq(s.k.machine).nr_uninterruptible
    thread = s.k.kthread_run("kworker/0:1")
    assert (thread.state, thread.on_rq, thread.on_cpu, letter(thread)) == (IDLE, 0, 0, "I")
    assert this_rq(s.k.machine).nr_uninterruptible == before
    s.now()
    s.k.wake_up_process(thread)  # a spurious wake-up: it finds nothing and sleeps again
    woken = [*state(IDLE, WAKING), ("on_rq", 0, 1), *state(WAKING, RUNNING), ("on_cpu", 0, 1)]
    assert follows([*woken, *state(RUNNING, IDLE), *ASLEEP], s.taken(thread))
    assert this_rq(s.k.machine).nr_uninterruptible == before


# --- stopped, parked -----------------------------------------------------------------------


@pytest.mark.parametrize("number", [sig.SIGCONT, sig.SIGKILL])
def test_a_stopped_task_goes_on_by_sigcont_or_dies_by_sigkill(s, number):
    child = s.fork()
    s.now()
    s.k.call(s.sh, "kill", child.pid, sig.SIGSTOP)
    assert (child.state, child.on_rq, letter(child)) == (STOPPED, 0, "T")
    assert follows([*state(RUNNING, STOPPED), *ASLEEP], s.taken(child))
    s.k.call(s.sh, "kill", child.pid, sig.SIGTERM)
    assert child.state == STOPPED  # it waits
    s.now()
    s.k.call(s.sh, "kill", child.pid, number)
    end = [RUNNING] if number == sig.SIGCONT else [RUNNING, DEAD]
    assert follows(state(STOPPED, WAKING, *end), s.taken(child))


def test_a_thread_parks_and_goes_on(s):
    thread = s.k.kthread_run("parker")
    s.now()
    assert s.k.kthread_park(thread) == 0
    assert (thread.state, thread.on_rq, thread.on_cpu, letter(thread)) == (PARKED, 0, 0, "P")
    assert follows(
        [*state(IDLE, WAKING, RUNNING), *state(RUNNING, PARKED), *ASLEEP], s.taken(thread)
    )
    s.k.call(s.sh, "kill", thread.pid, sig.SIGCONT)
    assert s.k.wake_up_process(thread) == 0  # TASK_NORMAL does not match
    s.now()
    s.k.kthread_unpark(thread)
    woken = [*state(PARKED, WAKING), ("on_rq", 0, 1), *state(WAKING, RUNNING)]
    assert follows([*woken, *state(RUNNING, PARKED, RUNNING)], s.taken(thread))
    assert letter(thread) == "I"


# --- the end -------------------------------------------------------------------------------


def test_a_zombie_is_dead_when_it_is_waited_for(s):
    child = s.fork()
    s.now()
    s.k.call(child, "exit", 0)
    assert (child.state, child.exit_state, child.on_rq, letter(child)) == (DEAD, ZOMBIE, 0, "Z")
    assert child.flags & sched.PF_EXITING
    assert follows([("exit_state", 0, ZOMBIE), *state(RUNNING, DEAD), *ASLEEP], s.taken(child))
    s.now()
    s.k.call(s.sh, "waitpid", child.pid, 0)
    assert s.taken(child) == [("exit_state", ZOMBIE, EXIT_DEAD)]


def test_a_kernel_thread_that_returns_is_reaped_by_nobody(s):
    async def body(kernel):
        return 5

    thread = s.k.kthread_create("brief", body)
    s.now()
    s.k.wake_up_process(thread)
    end = [("exit_state", 0, ZOMBIE), ("exit_state", ZOMBIE, EXIT_DEAD), *state(RUNNING, DEAD)]
    assert follows(end, s.taken(thread))
    assert [t.pid for t in s.k.tasks()] == [1, 2, s.sh.pid]


def test_a_zombie_whose_new_parent_ignores_its_end_is_dead_at_once(s):
    k = s.k
    reaper = s.fork(("prctl", 36, 1))  # PR_SET_CHILD_SUBREAPER
    k.call(reaper, "signal", sig.SIGCHLD, sig.SIG_IGN)
    parent = k.task(k.call(reaper, "fork"))
    k.call(parent, "signal", sig.SIGCHLD, sig.SIG_DFL)
    zombie = k.task(k.call(parent, "fork"))
    k.call(zombie, "exit", 0)
    assert letter(zombie) == "Z"
    s.now()
    k.call(parent, "exit", 0)  # reparent_leader()
    assert s.taken(zombie) == [("exit_state", ZOMBIE, EXIT_DEAD)]


def test_a_dead_leader_goes_with_its_last_thread(s):
    k = s.k
    k.call(s.sh, "signal", sig.SIGCHLD, sig.SIG_IGN)
    leader = s.fork()
    thread = k.task(k.call(leader, "clone", THREAD))
    k.call(leader, 60, 0)
    assert (leader.exit_state, letter(leader)) == (ZOMBIE, "Z")
    s.now()
    k.call(thread, 60, 0)  # release_task()
    assert s.taken(leader) == [("exit_state", ZOMBIE, EXIT_DEAD)]


def test_a_leader_is_dead_when_another_thread_has_taken_its_place(s):
    k = s.k
    leader = s.fork()
    thread = k.task(k.call(leader, "clone", THREAD))
    s.now()
    k.spawn("other")
    k.call(thread, "execve", "other")  # de_thread()
    assert follows([("exit_state", 0, ZOMBIE), ("exit_state", ZOMBIE, EXIT_DEAD)], s.taken(leader))


# --- all of them ---------------------------------------------------------------------------

DRIVES = [value for name, value in sorted(globals().items()) if name.startswith("test_")]


@pytest.fixture
def all_taken():
    """The arcs of every task in every test of this file, from the boot on."""
    taken = set()
    for drive in DRIVES:
        values = next((mark.args[1] for mark in getattr(drive, "pytestmark", ())), [()])
        for value in values:
            scene = Scene()
            drive(scene, *([value] if value else []))
            scene.since = 0
            taken |= set(scene.taken())
    return taken


def test_every_arc_is_taken_and_no_other(all_taken):
    assert all_taken - ARCS == set()
    assert ARCS - all_taken == set()


def test_each_arc_of_the_picture_is_taken_but_those_of_tracing(all_taken):
    dotted = {(arc.src, arc.dst) for arc in DRAWN if not arc.reached}
    assert dotted == {("cpu", "traced"), ("traced", "waking")}
    pairs = {
        (_BY_STATE.get(a, "cpu"), _BY_STATE.get(b, "cpu")) for w, a, b in all_taken if w == "state"
    }
    drawn = {
        tuple("cpu" if box == "queue" else box for box in (arc.src, arc.dst))
        for arc in DRAWN
        if arc.reached and not {"zombie", "exit_dead"} & {arc.src, arc.dst}
    } - {("cpu", "cpu")}
    # On top of them: the copy of a running task, and a thread's look on the way to its function.
    assert pairs - drawn == {("cpu", "new"), ("parked", "cpu")}
    assert drawn - pairs == set()
