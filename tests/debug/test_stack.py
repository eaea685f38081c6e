"""Where a task sleeps: the chain of its suspended coroutines as a kernel stack."""

import collections

import pytest

import kernelsim as ks
from kernelsim.debug import stack
from kernelsim.kernel.trace import ftrace
from tests.machine import opcodes

ENTRY = ["do_syscall_64", "entry_SYSCALL_64"]


@pytest.fixture(params=[True, False], ids=["recorded", "not recorded"])
def k(request):
    return ks.boot(record=request.param)


# Where the kernel's own C code sleeps in these calls, innermost first, by /proc/PID/stack of 5.10.
SLEEPS = {
    "wait": (("waitpid", -1, 0), ["do_wait", "kernel_wait4", "__x64_sys_wait4"]),
    "pause": (("pause",), ["__x64_sys_pause"]),
    "read": (("read", 3, 1), ["pipe_read", "vfs_read", "ksys_read", "__x64_sys_read"]),
    "write": (
        ("write", 4, b"x" * 70000),
        ["pipe_write", "vfs_write", "ksys_write", "__x64_sys_write"],
    ),
}


@pytest.mark.parametrize("name", SLEEPS)
def test_a_sleeping_call_shows_the_way_it_took(k, name):
    call, way = SLEEPS[name]
    sh = k.spawn("sh")
    k.call(sh, "fork")
    k.call(sh, "pipe")
    assert k.call(sh, *call) is ks.PENDING
    frames = stack.kernel_stack(k.machine, sh)
    below = [f for f in frames if f not in {"context_switch", "__schedule", "schedule"}]
    assert below[-len(way) - 2 :] == way + ENTRY
    assert frames[:3] == ["context_switch", "__schedule", "schedule"]


@pytest.mark.parametrize("name", SLEEPS)
def test_wchan_is_the_first_function_that_is_not_the_schedulers(k, name):
    call, way = SLEEPS[name]
    sh = k.spawn("sh")
    k.call(sh, "fork")
    k.call(sh, "pipe")
    k.call(sh, *call)
    assert stack.wchan(k.machine, sh) == way[0]


def test_who_is_in_user_mode_has_no_kernel_stack_and_waits_nowhere(k):
    sh = k.spawn("sh")
    assert k.machine.current == sh
    assert stack.kernel_stack(k.machine, sh) == []
    assert stack.wchan(k.machine, sh) == "0"


def test_who_is_preempted_in_user_mode_was_interrupted_and_waits_nowhere(k):
    sh, other = k.spawn("sh"), k.spawn("other")
    k.call(sh, "getpid")
    k.call(other, "getpid")
    assert "irqentry_exit_to_user_mode" in stack.kernel_stack(k.machine, sh)
    assert not set(ENTRY) & set(stack.kernel_stack(k.machine, sh))
    assert stack.wchan(k.machine, sh) == "0"


def test_a_zombie_has_no_stack(k):
    sh = k.spawn("sh")
    child = k.task(k.call(sh, "fork"))
    k.call(child, "exit_group", 0)
    assert stack.kernel_stack(k.machine, child) == []


def test_kernel_threads_sleep_in_their_own_function(k):
    frames = stack.kernel_stack(k.machine, k.task(2))
    assert frames[-2:] == ["kthreadd", "ret_from_fork"]


def test_a_program_that_is_stuck_is_told_where():
    async def program(libc):
        r, _ = await libc.pipe()
        await libc.read(r, 1)

    with pytest.raises(ks.Stuck, match=r"task \d+ in pipe_read"):
        ks.run(program)


def test_the_same_functions_whether_recorded_or_not():
    found = []
    for record in (True, False):
        k = ks.boot(record=record)
        sh = k.spawn("sh")
        k.call(sh, "pipe")
        k.call(sh, "read", 3, 1)
        found.append(stack.kernel_stack(k.machine, sh))
    assert found[0] == found[1]


def test_only_the_kernels_names_are_shown(k):
    for task in k.tasks():
        assert all(ftrace.is_symbol(name) for name in stack.kernel_stack(k.machine, task))


def test_the_sleepers_in_words(k):
    sh = k.spawn("sh")
    k.call(sh, "pipe")
    k.call(sh, "read", 3, 1)
    assert stack.waiting(k).endswith("task 3 in pipe_read")


# --- earlier times -----------------------------------------------------------------------------


# A machine in which tasks sleep in several ways, and every stack that its coroutines showed.
@pytest.fixture(scope="module")
def history():
    k = ks.boot()
    sh, other = k.spawn("sh"), k.spawn("other")
    seen = {}

    def look():
        seen[k.now] = {t.pid: stack.kernel_stack(k.machine, t) for t in k.tasks()}

    child = k.task(k.call(sh, "fork"))
    for task, *call in [
        (sh, "pipe"),
        (other, "pause"),
        (sh, "read", 3, 1),
        (child, "getpid"),
        (child, "kill", sh.pid, 9),
        (child, "fork"),
        (child, "waitpid", -1, 0),
    ]:
        k.call(task, *call)
        look()
    return k, seen


def test_the_events_before_a_time_tell_the_stack_that_the_coroutines_showed_then(history):
    k, seen = history
    told = {
        t: {pid: stack.past_stack(k.machine, pid, t) for pid in stacks}
        for t, stacks in seen.items()
    }
    assert told == seen
    assert sum(map(bool, seen[k.now].values())) >= 4


def test_a_task_that_has_the_number_of_a_dead_one_has_not_its_stack():
    k = ks.boot(pid_max=301)
    sh = k.spawn("sh")

    def another():
        pid = k.call(sh, "fork")
        k.call(k.task(pid), "pipe")
        k.call(k.task(pid), "read", 3, 1)
        return pid

    while (first := another()) < 300:
        pass
    k.call(sh, "kill", first, 9)
    k.call(sh, "waitpid", first, 0)
    assert k.call(sh, "fork") == first, "behind the last number comes number 300"
    assert stack.past_stack(k.machine, first, k.now) == stack.kernel_stack(k.machine, k.task(first))


def test_inside_a_call_a_task_is_in_what_it_has_entered_so_far():
    k = ks.boot()
    sh = k.spawn("sh")
    since = k.now
    k.call(sh, "fork")
    (t,) = (e.t for e in k.events(since) if (e.name, e.kind) == ("alloc_pid", "enter"))
    way = ["alloc_pid", "copy_process", "kernel_clone", "__x64_sys_fork", *ENTRY]
    assert stack.past_stack(k.machine, sh.pid, t + 1) == way
    assert stack.past_stack(k.machine, sh.pid, t) == way[1:]


def test_the_text_of_proc_leaves_the_scheduler_out():
    k = ks.boot()
    sh = k.spawn("sh")
    k.call(sh, "pause")
    assert stack.proc_stack(stack.kernel_stack(k.machine, sh)) == (
        "[<0>] __x64_sys_pause\n[<0>] do_syscall_64\n[<0>] entry_SYSCALL_64_after_hwframe\n"
    )


async def handles(libc):
    async def handler(sig):
        await libc.pause()

    await libc.signal(10, handler)
    await libc.nanosleep(1000)


def test_a_call_made_by_a_handler_does_not_lie_on_the_one_that_was_interrupted():
    k = ks.boot()
    sh, other = k.spawn("sh"), k.spawn("other")
    k.load("handles", handles)
    k.call(sh, "execve", "handles")
    k.call(other, "kill", sh.pid, 10)
    frames = stack.past_stack(k.machine, sh.pid, k.now)
    assert frames == stack.kernel_stack(k.machine, sh)
    assert frames.count("entry_SYSCALL_64") == 1
    assert stack.wchan(k.machine, sh) == "__x64_sys_pause"


def innermost(k, t, pid, ignored):
    """The last function entered and not left, by going back over all events."""
    left = collections.Counter()
    for event in k.events(0, t + 1)[::-1]:
        if event.pid != pid or event.kind == "event" or event.name in ignored:
            continue
        left[event.name] += 1 if event.kind == "exit" else -1
        if left[event.name] < 0:
            return event.name
    return ""


def test_what_a_task_is_in_is_what_it_has_entered_and_not_left():
    k = ks.boot()
    inside = {
        (pid, way): stack.Inside(k.machine, pid, way)
        for pid in (0, 1, 2, 3, 4)
        for way in (frozenset(), frozenset(stack.SCHEDULER | {"__switch_to", "finish_task_switch"}))
    }
    sh = k.spawn("sh")
    found = set()
    for _ in range(3):
        since = k.now
        child = k.task(k.call(sh, "fork"))
        k.call(child, "exit", 1)
        k.call(sh, "waitpid", -1, 0)
        for t in range(since, k.now, 37):
            for (pid, way), one in inside.items():
                found.add(one.after(t))
                assert one.after(t) == innermost(k, t, pid, way), (t, pid, way)
    assert len(found) > 10
    assert "" in found


def test_the_stack_of_a_long_sleeper_is_found_without_going_through_what_others_did():
    k = ks.boot()
    sh = k.spawn("sh")
    k.call(sh, "pipe")
    k.call(sh, "read", 3, 1)
    other = k.spawn("sh")
    near = k.now
    for _ in range(300):
        k.call(other, "getpid")
    ways = [stack.past_stack(k.machine, sh.pid, t) for t in (near, k.now)]  # the events are read
    assert ways[0] == ways[1] == stack.kernel_stack(k.machine, sh)
    soon, late = (
        opcodes.count(lambda t=t: stack.past_stack(k.machine, sh.pid, t)) for t in (near, k.now)
    )
    assert late - soon < 5 * (k.now - near)  # instructions: not one look at each event
