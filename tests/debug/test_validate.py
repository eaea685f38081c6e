"""The validator: nothing to say about a sound machine, and a word about every broken one."""

import contextlib
import functools

import pytest

import kernelsim as ks
from kernelsim.debug.validate import validate_machine
from kernelsim.include.linux import fs
from kernelsim.include.linux.sched import sched_entity
from kernelsim.include.linux.wait import wait_queue_entry
from kernelsim.include.uapi.linux.sched import CLONE_FILES
from kernelsim.machine.ref import ValidationError, container_of
from kernelsim.mm import slub
from tests.debug.life import Life


# init → sh (3) → three children: one asleep in read, one in a namespace of its own, one a zombie.
@pytest.fixture
def k():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    k.call(sh, "pipe")
    reader, lonely, zombie = (
        k.call(sh, *call) for call in (("fork",), ("clone", 0x2000_0011), ("fork",))
    )
    assert k.call(k.task(reader), "read", 3, 1) is ks.PENDING
    k.call(k.task(zombie), "exit_group", 7)
    assert [t.pid for t in k.tasks()] == [1, 2, 3, reader, lonely, zombie]
    return k


def test_a_sound_machine_passes(k):
    validate_machine(k)
    validate_machine(k.machine)


def test_a_machine_as_it_was_passes_while_the_present_goes_on():
    life = Life(1, record=True, most=8)
    times = [life.k.now]
    for _ in range(30):
        life.step()
        times.append(life.k.now)
    for t in times[::5]:
        validate_machine(life.k.at(t))


def test_in_the_middle_of_a_call_it_does_not():
    k = ks.boot()
    sh, before = k.spawn("sh"), k.now
    k.call(sh, "fork")
    middle = next(e.t for e in k.events(before) if e.name == "wake_up_new_task")
    with pytest.raises(ValidationError):
        validate_machine(k.at(middle))


def test_a_call_that_sleeps_holds_the_file_of_a_table_that_others_share():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    k.call(sh, "pipe")
    reader = k.task(k.call(sh, "clone", CLONE_FILES | 17))
    assert k.call(reader, "read", 3, 1) is ks.PENDING
    validate_machine(k)
    k.call(sh, "close", 3)  # of both: the reader alone has it still
    validate_machine(k)
    k.call(sh, "kill", reader.pid, 9)
    validate_machine(k)


def test_who_waits_for_a_vfork_holds_the_child_and_its_number():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    assert k.call(sh, "vfork") is ks.PENDING
    child = k.tasks()[-1]
    validate_machine(k)
    assert child.usage == 2
    child.usage = 1
    with pytest.raises(ValidationError, match=r"usage is 1"):
        validate_machine(k)
    child.usage = 2
    k.call(child, "exit_group", 0)
    validate_machine(k)


# --- one thing wrong at a time -------------------------------------------------------------


def pointer_lost(k):
    k.task(3).sighand = k.init.sighand


def list_cut(k):
    k.task(3).tasks.prev = k.init.tasks


def child_of_another(k):
    k.task(4).real_parent = k.init


def thread_count(k):
    k.task(3).signal.nr_threads = 2


def number(k):
    k.task(3).pid = 33


def level(k):
    k.task(5).thread_pid.numbers[1].nr = 9


def pid_link(k):
    k.task(4).pid_links[0].next = k.task(3).pid_links[0]


def moved_group(k):
    k.task(4).signal.pids[2] = k.task(5).thread_pid


def unqueued(k):
    k.task(5).on_rq = 0


def two_on_the_cpu(k):
    k.task(5).on_cpu = not k.task(5).on_cpu


def queue_length(k):
    k.machine.symbol("runqueues").nr_running += 1


def weight(k):
    k.machine.symbol("runqueues").cfs.load.weight += 1


def reordered_tree(k):
    k.spawn("one more")
    k.spawn("and another")
    leftmost = k.machine.symbol("runqueues").cfs.tasks_timeline.rb_leftmost
    container_of(leftmost, sched_entity, "run_node").vruntime += 1 << 40


def stack_overrun(k):
    k.machine.write_u64(k.task(4).stack, 0)


def waiter_elsewhere(k):
    pipe = fs.pipe_inode_info(
        k.machine, fs.file(k.machine, k.machine.read_u64(k.task(3).files.fdt.fd + 24)).private_data
    )
    container_of(pipe.rd_wait.head.next, wait_queue_entry, "entry").private = k.task(5)


def open_bit(k):
    k.machine.write_u64(k.task(3).files.fdt.open_fds, 0x1F | 1 << 9)


def unqueued_signal(k):
    k.task(3).pending.list.next = k.task(3).pending.list.address_ + 8


def leaked_object(k):
    slub.kmem_cache_alloc(k.machine, k.machine.static.nsproxy_cachep, 0xCC0)


def leaked_page(k):
    k.machine.symbol("contig_zone").free_pages -= 1


def freed_in_use(k):
    slub.kmem_cache_free(k.machine, k.machine.static.fs_cachep, k.task(3).fs.address_)


BREAKS = [
    pointer_lost,
    list_cut,
    child_of_another,
    thread_count,
    number,
    level,
    pid_link,
    moved_group,
    unqueued,
    two_on_the_cpu,
    queue_length,
    weight,
    reordered_tree,
    stack_overrun,
    waiter_elsewhere,
    open_bit,
    unqueued_signal,
    leaked_object,
    leaked_page,
    freed_in_use,
]

# Counters, each by the path from a task (or, with a star, from the machine's symbol).
COUNTERS = [
    "usage",
    "rcu_users",
    "cred.usage",
    "cred.user.processes",
    "files.count",
    "fs.users",
    "mm.mm_count",
    "mm.mm_users",
    "nsproxy.count",
    "sighand.count",
    "signal.live",
    "signal.sigcnt",
    "thread_pid.count",
    "thread_pid.numbers[1].ns.kref",
    "thread_pid.numbers[1].ns.pid_allocated",
]


@pytest.mark.parametrize("spoil", BREAKS, ids=lambda spoil: spoil.__name__)
def test_one_wrong_thing_is_found(k, spoil):
    spoil(k)
    with pytest.raises((AssertionError, ks.Fault)):
        validate_machine(k)


@pytest.mark.parametrize("path", COUNTERS)
@pytest.mark.parametrize("by", [1, -1])
def test_a_count_one_off_is_found(k, path, by):
    holder, _, member = path.rpartition(".")
    task = k.task(5)
    place = functools.reduce(lambda at, part: at.member_(part), [holder] if holder else [], task)
    setattr(place, member, getattr(place, member) + by)
    with pytest.raises(ValidationError, match=f"{member} is "):
        validate_machine(k)


@pytest.mark.parametrize("name", ["nr_threads", "process_counts"])
def test_a_static_count_one_off_is_found(k, name):
    place = k.machine.symbol(name)
    k.machine.write(
        place, (int.from_bytes(k.machine.read(place, 4), "little") + 1).to_bytes(4, "little")
    )
    with pytest.raises(ValidationError, match=f"{name} at {place:#x}"):
        validate_machine(k)


# --- no memory -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        ("fork",),
        ("clone", 0x2000_0011),
        ("pipe",),
        ("execve", "sh"),
        ("dup2", 3, 200),
        ("open", "/dev/null", 2, 0),
        ("write", 4, b"x" * 9000),
        ("kill", 1, 17),
    ],
    ids=lambda call: call[0],
)
def test_whichever_allocation_fails_the_machine_stays_sound(k, call):
    caller = k.spawn("caller")
    k.call(caller, "pipe")
    for nth in range(1, 30):
        k.machine.fail_nth = nth
        with contextlib.suppress(OSError):
            k.call(caller, *call)
        reached, k.machine.fail_nth = not k.machine.fail_nth, 0
        validate_machine(k)
        if not reached:
            return
    pytest.fail(f"{call[0]} allocates more than 30 times: give a larger bound")
