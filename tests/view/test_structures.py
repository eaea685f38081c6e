"""Namespaces, the run queue, an IDR and hash lists: what is drawn is what memory holds."""

import itertools
import random

import pytest

import kernelsim as ks
from kernelsim.include.linux.sched import sched_entity, task_struct
from kernelsim.lib import idr as lib_idr
from kernelsim.lib import rbtree
from kernelsim.view import (
    dot,
    engine,
    idr,
    layout,
    namespaces,
    nsproxies,
    pid_hash,
    pid_tasks,
    runqueue,
)

CLONE_NEWPID = 0x20000000
NODE = task_struct.offsetof_("se") + sched_entity.offsetof_("run_node")


# A shell with nine children; one of them in a namespace below, whose child is one further below.
@pytest.fixture(scope="module")
def kernel():
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    for _ in range(8):
        k.call(bash, "fork")
    outer = k.task(k.call(bash, "fork"))
    k.call(outer, "unshare", CLONE_NEWPID)
    reaper = k.task(k.call(outer, "fork"))
    k.call(reaper, "unshare", CLONE_NEWPID)
    k.call(reaper, "fork")
    return k


def views(k):
    yield namespaces
    yield nsproxies
    yield runqueue
    yield idr
    yield lambda look, since=None: pid_tasks(
        look, look.machine.symbol("init_struct_pid"), "SID", since
    )


def assert_every_arrow_is_a_word_of_memory(picture, machine):
    for edge in picture.edges:
        assert machine.read_u64(edge.pointer) == edge.target


def test_every_arrow_is_a_word_of_memory_at_every_moment(kernel):
    k, dice = kernel, random.Random(5)
    moments = sorted(dice.sample(range(300, k.now), 12))
    for then, t in itertools.pairwise(moments):
        look = k.at(t)
        for view in views(k):
            picture = view(look, since=k.at(then))
            assert_every_arrow_is_a_word_of_memory(picture, look.machine)
            assert picture.svg


def test_each_process_stands_in_its_innermost_namespace_with_a_number_per_level(kernel):
    k = kernel
    picture = namespaces(k, limit=60)
    frames = dict(picture._graph.clusters)
    assert [label.partition(":")[0] for label in frames.values()] == [
        "level 0",
        "level 1",
        "level 2",
    ]
    inner = list(frames)
    assert inner[1].startswith(inner[0] + ".")
    assert inner[2].startswith(inner[1] + ".")
    by_pid = {node.fields[0].value: node for node in picture.nodes}
    assert len(by_pid) == len(k.tasks()) + 1
    for task in k.tasks():
        node, pid = by_pid[str(task.pid)], task.thread_pid
        numbers = [pid.numbers[level].nr for level in range(pid.level + 1)]
        assert list(node.lines[1:]) == [f"level {n}: pid {nr}" for n, nr in enumerate(numbers)]
        assert node.cluster == inner[pid.level]


def test_processes_beyond_the_limit_are_counted_in_their_namespace(kernel):
    picture = namespaces(kernel, limit=4)
    folded = sum(node.folded for node in picture.nodes)
    assert folded
    assert folded + sum(not node.folded for node in picture.nodes) == len(kernel.tasks()) + 1
    with pytest.raises(ValueError, match="at least one"):
        namespaces(kernel, limit=0)


def test_what_the_kernel_itself_runs_can_be_left_out(kernel):
    everybody = {node.label.split()[0] for node in namespaces(kernel, limit=60).nodes}
    programs = {node.label.split()[0] for node in namespaces(kernel, limit=60, kernel=False).nodes}
    assert everybody - programs == {"init_task", "[kthreadd]"}


def test_a_new_process_is_marked_and_one_that_is_gone_is_named(kernel):
    k = kernel.branch(kernel.now)
    then = k.now
    child = k.call(k.task(3), "fork")
    (new,) = [node for node in namespaces(k, since=then).nodes if node.change]
    assert (new.change, new.fields[0].value) == ("new", str(child))
    before = k.now
    k.call(k.task(child), "exit_group", 0)
    k.call(k.task(3), "waitpid", child, 0)
    assert f"bash (pid {child})" in namespaces(k, since=before)._graph.notes[0]


def in_order(k):
    """The pids in the tree of the run queue, from left to right."""
    tree = k.machine.symbol("runqueues").cfs.tasks_timeline
    node, found = rbtree.rb_first(tree.rb_root), []
    while node:
        found.append(task_struct(k.machine, node.address_ - NODE).pid)
        node = rbtree.rb_next(node)
    return found


def test_the_run_queue_shows_the_tree_and_who_runs(kernel):
    k = kernel
    picture = runqueue(k)
    tasks = {node.address: node for node in picture.nodes if node.kind in {"red", "black"}}
    assert sorted(int(node.fields[0].value) for node in tasks.values()) == sorted(in_order(k))
    for address, node in tasks.items():
        parent_color = task_struct(k.machine, address).se.run_node.member_("__rb_parent_color")
        assert node.kind == ("black" if parent_color & 1 else "red")
        assert node.badge == node.kind[0]
        assert node.lines[2] == node.kind
    (running,) = [node for node in picture.nodes if node.kind == "running"]
    assert running.address == k.machine.symbol("runqueues").curr.address_
    (next_,) = [edge for edge in picture.edges if edge.kind == "leftmost"]
    assert tasks[int(next_.dst, 16)].fields[0].value == str(in_order(k)[0])


def test_left_stays_left_in_the_drawing(kernel):
    picture = runqueue(kernel)
    answer = engine.layout(dot.compose(picture._graph, layout=True))
    boxes = layout.read(answer, picture._graph).boxes
    ends = {(edge.src, edge.name): edge.dst for edge in picture.edges}
    pairs = [
        (boxes[dst].x, boxes[ends[src, "se.run_node.rb_right"]].x)
        for (src, name), dst in ends.items()
        if name == "se.run_node.rb_left"
    ]
    assert len(pairs) > 3
    assert all(left < right for left, right in pairs)


def test_a_large_tree_is_cut_below_and_nothing_is_lost():
    k = ks.boot(memory="64M", record=False)
    sh = k.spawn("sh")
    for _ in range(60):
        k.call(sh, "fork")
    picture = runqueue(k, limit=7)
    shown = [node for node in picture.nodes if node.kind in {"red", "black"}]
    assert len(shown) == 7
    assert len(shown) + sum(node.folded for node in picture.nodes) == len(in_order(k))
    with pytest.raises(ValueError, match="at least one"):
        runqueue(k, limit=0)


def test_an_empty_run_queue_says_so():
    k = ks.boot(memory="64M")
    picture = runqueue(k)
    if not in_order(k):
        assert "the tree is empty" in picture.summary


def test_a_broken_tree_is_drawn_as_far_as_it_goes(kernel):
    k = kernel.branch(kernel.now)
    top = k.machine.symbol("runqueues").cfs.tasks_timeline.rb_root.rb_node
    top.rb_left = top.address_
    assert "The tree is broken" in runqueue(k).summary
    top.rb_left = top.address_ + (1 << 40)
    assert "The tree is broken" in runqueue(k).summary


def test_the_idr_shows_every_slot_in_use_or_counts_it(kernel):
    k = kernel
    for limit in (3, 8, 64):
        picture = idr(k, limit=limit)
        (node,) = [node for node in picture.nodes if node.kind == "slots"]
        slots = [
            field
            for field in node.fields
            if field.name.startswith("slots[") and field.value != "NULL"
        ]
        more = [int(f.value.split()[0]) for f in node.fields if f.value.endswith("more in use")]
        assert len(slots) + sum(more) == k.machine.symbol("init_pid_ns").pid_allocated & 0xFFFF
        for field in slots:
            number = int(field.name[6:-1])
            found = lib_idr.idr_find(k.machine, k.machine.symbol("init_pid_ns").idr, number)
            assert int(field.value, 16) == found
    with pytest.raises(ValueError, match="at least two"):
        idr(k, limit=1)


def test_the_idr_of_another_namespace_has_its_own_numbers(kernel):
    k = kernel
    inner = k.tasks()[-1].thread_pid
    picture = idr(k, ns=inner.numbers[inner.level].ns)
    words = [node.label for node in picture.nodes if node.label.startswith("struct pid")]
    assert words == ["struct pid 1 (bash)"]


def test_a_high_idr_is_a_tree_of_nodes():
    k = ks.boot(memory="64M")
    sh = k.spawn("sh")
    for _ in range(70):
        k.call(sh, "fork")
    then = k.now
    k.call(sh, "fork")
    picture = idr(k, since=then)
    assert [node.lines[2] for node in picture.nodes if node.kind == "slots"] == [
        "numbers 0 … 4095",
        "numbers 0 … 63",
        "numbers 64 … 127",
    ]
    changed = [f.name for node in picture.nodes for f in node.fields if f.changed]
    assert changed == ["idr.idr_next", "IDR_FREE", "slots[10]"]


# What a strip says of each slot, written out: "free" and "taken" stand for rows all alike.
def strip(node):
    signs = ""
    for field in node.fields:
        if field.kind == "bytes":
            first, last = map(int, field.name.split("…"))
            sign = {"all free": ".", "all taken": "#"}.get(field.value)
            signs += sign * (last - first + 1) if sign else field.value
    return signs


def test_a_strip_says_of_each_slot_whether_it_is_free():
    k = ks.boot(memory="64M")
    ids = k.idr()
    for number in (0, 5, *range(64, 128), 4095, 5000):
        ids.alloc(start=number)
    signs = {}
    for node in idr(ids, nodes=20).nodes:
        if node.kind == "slots":
            signs[node.lines[2]] = strip(node)
    assert signs.pop("numbers 0 … 262143") == "++".ljust(64, ".")
    assert signs.pop("numbers 0 … 4095") == "+#".ljust(63, ".") + "+"
    assert signs.pop("numbers 0 … 63") == "#....#".ljust(64, ".")
    assert signs.pop("numbers 64 … 127") == "#" * 64
    assert signs.pop("numbers 4032 … 4095") == "#".rjust(64, ".")
    assert {text.replace("+", "#").count("#") for text in signs.values()} == {1}


def test_the_way_of_a_look_up_is_lit_as_far_as_it_goes():
    ids = ks.boot(memory="64M").idr()
    for number in (0, 64, 5000):
        ids.alloc(start=number)
    assert lit(idr(ids, path=5000)) == [None, 1, 14, 8]
    assert "digits of 6 bits from the top: 1, 14, 8." in idr(ids, path=5000).summary
    assert lit(idr(ids, path=4999)) == [None, 1, 14]
    assert "empty" in idr(ids, path=5001).summary or lit(idr(ids, path=5001)) == [None, 1, 14]
    assert lit(idr(ids, path=300_000)) == []
    assert "beyond what the tree reaches" in idr(ids, path=300_000).summary


# The slots from which lit arrows begin; None is the root's.
def lit(picture):
    ports = [edge.src_port for edge in picture.edges if edge.kind == "path"]
    return [None if port == "xa_head" else int(port.removeprefix("slots.")) for port in ports]


def test_a_tree_of_512_leaves_is_folded_to_the_way_and_counts_the_rest():
    ids = ks.boot(memory="64M", record=False).idr()
    for _ in range(32767):
        ids.alloc_cyclic(0xFFFF_C900_0000_1000, 1, 32768)
    picture = ids.picture(path=5000, limit=4)
    assert len(picture.nodes) < 24
    folded = [node for node in picture.nodes if node.kind == "fold"]
    assert {field.value for node in folded for field in node.fields if field.name == "count"} == {
        "64 of 64"
    }
    whole = ids.picture(limit=4)
    assert sum(node.kind == "slots" for node in whole.nodes) == 6


def test_with_no_other_slots_only_what_a_look_up_reads_is_drawn():
    ids = ks.boot(memory="64M").idr()
    for number in (*range(64, 132), 5000):
        ids.alloc(start=number)
    picture = ids.picture(path=5000, limit=0)
    assert [node.kind for node in picture.nodes] == ["head", "slots", "slots", "slots", "plain"]
    assert lit(picture) == [None, 1, 14, 8]
    slots = [f.name for node in picture.nodes for f in node.fields if f.name.startswith("slots")]
    assert slots == ["slots[1]", "slots[14]", "slots[8]"]
    with pytest.raises(ValueError, match="at least two"):
        ids.picture(limit=0)


def test_an_idr_of_ones_own_shows_what_has_each_number_now_and_earlier():
    k = ks.boot(memory="64M")
    ids = k.idr(base=10)
    ids.alloc("disk")
    then = k.now
    ids.replace(10, "tape")
    assert [n.label for n in idr(ids).nodes if "thing" in n.label] == ["thing tape"]
    assert [n.label for n in idr(k.at(then), ids).nodes if "thing" in n.label] == ["thing disk"]
    assert [f.name for n in idr(ids, since=then).nodes for f in n.fields if f.changed] == [
        "slots[0]"
    ]
    assert lit(idr(ids, path=10)) == [None, 0]
    assert "- idr_base 10 = 0" in idr(ids, path=10).summary


def test_a_hash_table_shows_the_chain_that_a_look_up_walks():
    old = ks.boot(memory="64M").pid_hash(4)
    for _ in range(60):
        old.alloc()
    for number in (1, 7, 60):
        chain = old.chain(number)
        picture = pid_hash(old, number, length=9)
        way = [edge for edge in picture.edges if edge.kind == "path"]
        assert len(way) == chain.index(number) + 1 == old.looked_at(number)
        assert f"compared {'once' if len(way) == 1 else f'{len(way)} times'}" in picture.summary
        assert [edge.target for edge in way] == [
            upid.pid_chain.address_ for upid in list(old.upids(old.bucket(number)))[: len(way)]
        ]
    assert "not in use" in pid_hash(old, 61).summary
    (rows,) = [node.fields for node in pid_hash(old, limit=3).nodes if node.kind == "slots"]
    hidden = sum(int(f.value.split()[0]) for f in rows if f.value.endswith("numbers"))
    buckets = [int(f.name[1:-1]) for f in rows if f.kind == "field"]
    assert hidden + sum(len(list(old.upids(bucket))) for bucket in buckets) == 60


def test_a_long_chain_of_a_hash_table_is_folded_and_counted():
    old = ks.boot(memory="64M").pid_hash(4)
    for _ in range(160):
        old.alloc()
    number = max(range(1, 161), key=old.looked_at)
    picture = pid_hash(old, number, limit=1, length=2)
    assert [n.folded for n in picture.nodes if n.folded] == [len(old.chain(number)) - 2]
    assert [e.kind for e in picture.edges] == ["path"] * 3
    with pytest.raises(ValueError, match="at least one"):
        pid_hash(old, limit=0)


@pytest.mark.parametrize("place", range(4))
def test_a_hash_list_shows_all_who_have_the_number_and_pprev_leads_to_the_pointer(kernel, place):
    k = kernel
    pid = k.task(3).thread_pid if place < 2 else k.task(3).signal.pids[place]
    picture = pid_tasks(k, pid, ("PID", "TGID", "PGID", "SID")[place], limit=60)
    holders = [t for t in [k.machine.symbol("init_task"), *k.tasks()]
               if (t.thread_pid if place < 2 else t.signal.pids[place]) == pid]  # fmt: skip
    drawn = [node.address for node in picture.nodes[1:]]
    linked = [t.address_ for t in holders if t.pid or place > 1]
    assert set(drawn) <= {t.address_ for t in holders}
    assert len(drawn) >= len([a for a in linked if a != k.machine.symbol("init_task").address_])
    for edge in picture.edges:
        if edge.kind == "prev":
            (forth,) = [e for e in picture.edges if e.kind == "first" and e.dst == edge.src]
            assert edge.target == forth.pointer


def test_a_number_that_nothing_has_and_a_type_that_is_none_are_refused(kernel):
    with pytest.raises(LookupError, match="999"):
        pid_tasks(kernel, 999)
    with pytest.raises(ValueError, match="PID, TGID, PGID, SID"):
        pid_tasks(kernel, 3, "PPID")


def test_a_long_chain_is_folded_and_counted(kernel):
    init = kernel.machine.symbol("init_struct_pid")
    whole = pid_tasks(kernel, init, "SID", limit=60)
    folded = pid_tasks(kernel, init, "SID", limit=3)
    assert sum(node.folded for node in folded.nodes) == len(whole.nodes) - 4
