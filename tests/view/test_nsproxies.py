"""The picture of who shares which namespaces, against the tasks' own pointers."""

import pytest

import kernelsim as ks
from kernelsim.include.uapi.asm.signal import SIGCHLD
from kernelsim.include.uapi.linux import sched
from kernelsim.view import nsproxies
from kernelsim.view.nsproxies import MEMBERS

OWN = sched.CLONE_NEWUTS | sched.CLONE_NEWIPC


@pytest.fixture(scope="module")
def machine():
    k = ks.boot(memory="64M")
    sh = k.spawn("sh")
    before = k.now
    k.call(sh, "clone", OWN | SIGCHLD)
    box = k.tasks()[-1]
    k.call(box, "sethostname", "box")
    k.call(box, "fork")
    return k, box, before


def test_each_arrow_is_a_pointer_in_memory_and_each_namespace_stands_once(machine):
    k, box, _ = machine
    picture = nsproxies(k)
    for edge in picture.edges:
        assert k.machine.read_u64(edge.pointer) == edge.target
    proxies = {task.nsproxy.address_ for task in k.tasks()}
    wanted = {
        task.nsproxy.member_(member).address_ for task in k.tasks() for member in MEMBERS
    }  # fmt: skip
    drawn = [node.address for node in picture.nodes if node.record]
    assert sorted(drawn) == sorted(proxies | wanted)
    assert "box" in picture.text
    assert box.nsproxy.count == 2


def test_a_new_namespace_is_marked_and_one_that_is_shared_is_not(machine):
    k, _, before = machine
    new = [node.label for node in nsproxies(k, since=before).nodes if node.change == "new"]
    kinds = sorted(label.split()[0] for label in new if "pid" not in label)
    assert [kind for kind in kinds if "namespace" in kind] == ["ipc_namespace", "uts_namespace"]
    assert sum(label.startswith("nsproxy") for label in kinds) == 1


def test_a_count_that_changed_is_marked(machine):
    k = machine[0].branch()
    before = k.now
    k.call(k.task(machine[1].pid), "fork")
    changed = [node for node in nsproxies(k, since=before).nodes if node.change == "changed"]
    (proxy,) = changed
    assert [(row.name, row.was, row.value) for row in proxy.fields if row.changed] == [
        ("count", "2", "3")
    ]


def test_of_many_tasks_the_focus_and_the_youngest_are_drawn_and_the_others_counted(machine):
    k = machine[0].branch()
    children = [k.call(k.task(3), "fork") for _ in range(6)]
    picture = nsproxies(k, focus=3)
    pids = [node.fields[0].value for node in picture.nodes if node.fields and node.badge]
    assert {"3", str(children[-1])} <= set(pids)
    assert sum(node.folded for node in picture.nodes) == 9 - 2
    assert len(nsproxies(k, who=[3]).nodes) < len(picture.nodes)
    with pytest.raises(ValueError, match="at least one"):
        nsproxies(k, limit=0)


def test_what_is_not_drawn_is_named(machine):
    k, box, _ = machine
    picture = nsproxies(k, focus=box, members=("net_ns", "uts_ns"))
    assert [edge.name for edge in picture.edges if edge.name != "nsproxy"] == [
        "uts_ns",
        "net_ns",
    ] * 2
    assert "Not drawn: ipc_ns, mnt_ns," in picture.text
    with pytest.raises(ValueError, match="the members are uts_ns"):
        nsproxies(k, members=("uts",))


def test_who_is_dead_points_to_nothing_and_is_not_drawn(machine):
    k = machine[0].branch()
    child = k.call(k.task(3), "fork")
    k.call(child, "exit", 0)
    assert f"(pid {child})" not in nsproxies(k).text
