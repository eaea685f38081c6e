"""drgn walks a machine of three nested namespaces and 500 tasks, and finds what the machine says itself."""

import random

import pytest

import kernelsim as ks
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.uapi.linux import sched
from kernelsim.kernel import pid as kernel_pid
from kernelsim.machine import ref
from tests.kernel import stage

pytestmark = pytest.mark.needs_drgn
TASKS = 500


# The new task of a clone that `parent` made: it returns the number that the child has there.
def cloned(k, parent, flags):
    number = k.call(parent, "clone", flags)
    ns = kernel_pid.task_active_pid_ns(parent)
    return kernel_pid.find_task_by_pid_ns(k.machine, number, ns)


# Four levels: the initial namespace and three below each other, a quarter of the tasks in each.
def crowd():
    k = ks.boot()
    leaders = [k.spawn("bash")]
    for _ in range(3):
        flags = sched.CLONE_NEWPID | sched.CLONE_NEWUTS | 17
        leaders.append(cloned(k, leaders[-1], flags))
    rng, members = random.Random(5), [[leader] for leader in leaders]
    count = len(k.tasks())
    while count < TASKS:
        group = rng.choice(members)
        parent = rng.choice(group)
        flags = rng.choice((17, 17, 17, stage.PTHREAD))
        group.append(cloned(k, parent, flags))
        count += 1
    return k, members


def threads(k):
    return [t for p in k.tasks() for t in sched_signal.for_each_thread(p)]


@pytest.fixture(scope="module")
def scene():
    from kernelsim.debug import drgn_program

    k, members = crowd()
    return k, members, drgn_program(k)


def addresses(objects):
    return sorted(one.address_ if isinstance(one, ref.Struct) else one.value_() for one in objects)


def test_every_task_is_found_from_the_initial_namespace(scene):
    from drgn.helpers.linux import pid as helpers

    k, _, prog = scene
    everybody = threads(k)
    assert len(everybody) == TASKS
    assert addresses(helpers.for_each_task(prog)) == addresses(everybody)
    for task in everybody:
        assert helpers.find_task(prog, task.pid).value_() == task.address_


def test_each_namespace_shows_its_own_tasks_and_those_below_by_their_numbers_there(scene):
    import drgn
    from drgn.helpers.linux import pid as helpers

    k, members, prog = scene
    for level, (leader, *_) in enumerate(members):
        ns = kernel_pid.task_active_pid_ns(leader)
        at = drgn.Object(prog, prog.type("struct pid_namespace *"), value=ns.address_)
        seen = [t for t in threads(k) if kernel_pid.task_pid_nr_ns(t, ns)]
        inside = helpers.for_each_pid(at)
        assert addresses(inside) == addresses(t.thread_pid for t in seen)
        assert ns.level == level
        assert len(seen) == sum(map(len, members[level:])) + (2 if level == 0 else 0)


def test_the_namespaces_are_reached_through_the_nsproxy(scene):
    from drgn.helpers.linux import pid as helpers

    _, members, prog = scene
    for leader, *_ in members:
        task = helpers.find_task(prog, leader.pid)
        proxy = task.nsproxy
        assert proxy.uts_ns.value_() == leader.nsproxy.uts_ns.address_
        assert proxy.uts_ns.name.nodename.string_() == b"(none)"
        assert proxy.uts_ns.ns.inum == leader.nsproxy.uts_ns.ns.inum
        assert proxy.pid_ns_for_children.level == leader.nsproxy.pid_ns_for_children.level
        assert proxy.net_ns.value_() == prog["init_net"].address_of_().value_()
        assert task.cred.user_ns.value_() == prog["init_user_ns"].address_of_().value_()


def test_threads_of_a_group_are_found(scene):
    from drgn.helpers.linux import pid as helpers

    k, _, prog = scene
    for leader in k.tasks():
        task = helpers.find_task(prog, leader.pid)
        found = helpers.for_each_task_in_group(task, include_self=True)
        assert addresses(found) == addresses(sched_signal.for_each_thread(leader))
