"""Kernel threads as a reader makes them: in whose name, what is refused, and what a branch repeats."""

import pytest

import kernelsim as ks
from kernelsim.debug import holders, stack
from kernelsim.debug.places import Places
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from tests.kernel import stage


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def test_a_branch_makes_the_same_threads_again(k, sh):
    thread = k.kthread_run("a", by=sh)
    k.kthread_park(thread)
    k.kthread_run("b")
    k.kthread_unpark(thread, by=sh)
    k.kthread_stop(k.kthread_create("c"))
    other = k.branch()
    assert (other.state_hash(), other.now) == (k.state_hash(), k.now)
    assert other.ps() == k.ps()


def test_the_readers_function_is_on_the_stack_and_in_the_trace(k, sh):
    async def ticker(kernel):
        kernel.set_current_state(kernel.TASK_INTERRUPTIBLE)
        await kernel.schedule()

    thread = k.kthread_run("x", ticker)
    asleep = ["context_switch", "__schedule", "schedule", "ticker", "kthread", "ret_from_fork"]
    assert stack.kernel_stack(k.machine, thread) == asleep
    assert stack.past_stack(k.machine, thread.pid, k.now) == asleep
    assert stack.wchan(k.machine, thread) == "ticker"
    k.wake_up_process(thread)
    assert "  ticker() {" in k.function_graph()
    mine = [e.kind for e in k.events() if e.name == "ticker"]
    assert mine == ["enter", "exit"]


def test_an_earlier_time_shows_the_thread_as_it_was(k):
    thread = k.kthread_run("a")
    idle = k.now
    k.kthread_park(thread)
    assert [sched.task_state_to_char(look.task(3)) for look in (k.at(idle), k)] == ["I", "P"]


def test_who_still_waits_for_a_thread_can_not_ask_again(k, sh):
    async def body(kernel):
        kernel.set_current_state(kernel.TASK_UNINTERRUPTIBLE)
        await kernel.schedule()
        kernel.set_current_state(kernel.TASK_UNINTERRUPTIBLE)
        await kernel.schedule()
        return 3

    thread = k.kthread_run("deaf", body)
    assert k.kthread_stop(thread, by=sh) is ks.PENDING
    assert thread.usage == 2  # get_task_struct()
    stage.check(k)
    (usage,) = [
        count
        for count in holders.counts(Places(k.machine), task_struct, thread.address_)
        if count.member == "usage"
    ]
    assert (usage.holders[1:], usage.unknown) == (["who waits for it in kthread_stop()"], 0)
    with pytest.raises(ValueError, match="still inside kthread_stop"):
        k.kthread_run("x", by=sh)
    with pytest.raises(ValueError, match="still inside kthread_stop"):
        k.call(sh, "getpid")
    k.wake_up_process(thread)
    assert k.result(sh) == 3


def test_what_is_no_thread_of_kthread_create_is_refused(k, sh):
    with pytest.raises(ValueError, match="no thread that kthread_create"):
        k.kthread_stop(sh)
    with pytest.raises(ValueError, match="no thread that kthread_create"):
        k.kthread_park(k.task(2))
    with pytest.raises(TypeError, match="task_struct"):
        k.kthread_stop("x")
    with pytest.raises(LookupError):
        k.kthread_stop(77)
    with pytest.raises(TypeError, match="async def"):
        k.kthread_run("x", lambda kernel: 0)
    with pytest.raises(ValueError, match="name"):
        k.kthread_run("")
    with pytest.raises(ValueError, match="kernel thread"):
        k.kthread_run("x", by=k.task(2))


def test_a_fault_in_a_thread_is_an_oops_of_that_thread(k, sh):
    async def body(kernel):
        return task_struct(kernel.machine, 0).pid

    thread = k.kthread_create("wild", body, by=sh)
    with pytest.raises(ks.Fault):
        k.wake_up_process(thread, by=sh)
    assert [t.pid for t in k.tasks()] == [1, 2, sh.pid]
    assert k.call(sh, "getpid") == sh.pid


def test_init_asks_if_nobody_else_does(k):
    since = k.now
    thread = k.kthread_run("x")
    made = [e for e in k.events(since) if e.name == "kthread_create_on_node"]
    assert {e.pid for e in made} == {1}
    assert (thread.pid, sched.task_state_to_char(k.init)) == (3, "S")  # in pause() again


def test_an_address_of_the_readers_function_has_its_name(k, sh):
    async def ticker(kernel):
        return 0

    thread = k.kthread_create("x", ticker)
    self = thread.set_child_tid
    address = k.machine.read_u64(self + 16)
    assert (k.machine.symbol_name(address), k.at(k.now).machine.symbol_name(address)) == (
        "ticker",
        "ticker",
    )


def test_what_runs_in_a_thread_sees_the_kernel_by_its_names(k, sh):
    async def body(kernel):
        seen.append((repr(kernel), kernel.current.pid, kernel.kthread_should_park()))

    seen = []
    thread = k.kthread_create("x", body)
    words, number = f"<inside the kernel, as {thread!r}>", thread.pid
    k.wake_up_process(number, by=sh.pid)
    assert seen == [(words, number, False)]
