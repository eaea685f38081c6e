"""The stores of a kernel one by one, against memory itself and against list.h and rculist.h."""

import kernelsim as ks
from kernelsim.debug.stores import stores
from kernelsim.include.linux.poison import LIST_POISON2

SPAN = 400  # words that are compared from the start of an object on


def forked():
    k = ks.boot()
    bash = k.spawn("bash")
    before = k.now
    return k, bash, k.call(bash, "fork"), before


# What is stored, in terms of who is who.
def named(found, names):
    return [(names[s.address], s.field, names.get(s.new, s.new)) for s in found]


def test_each_store_is_what_sets_memory_now_apart_from_memory_before_it():
    k, _, _, before = forked()
    found = stores(k, before)
    assert len(found) > 100
    for store in found[::7]:
        t, n = store.when
        now, then = k.at(t, n).machine, k.at(t, n - 2).machine
        words = [store.address + 8 * i for i in range(SPAN)]
        differing = [w for w in words if now.read_u64(w) != then.read_u64(w)]
        if store.old == store.new:
            assert differing == []
        else:
            (word,) = differing
            assert (then.read_u64(word), now.read_u64(word)) == (store.old, store.new)


def test_fork_links_the_new_task_in_the_order_of_list_add_rcu():
    k, bash, pid, before = forked()
    head, child = k.machine.symbol("init_task"), k.task(pid)
    names = {head.address_: "head", bash.address_: "bash", child.address_: "child"}
    names |= {
        task.tasks.address_: name
        for task, name in zip((head, bash, child), names.values(), strict=True)
    }
    assert named(stores(k, before, of="task_struct.tasks"), names) == [
        ("child", "tasks.next", "head"),
        ("child", "tasks.prev", "bash"),
        ("bash", "tasks.next", "child"),
        ("head", "tasks.prev", "child"),
    ]


def test_reaping_unlinks_the_task_and_leaves_its_next_to_readers():
    k, bash, pid, _ = forked()
    child = k.task(pid)
    k.call(child, "exit", 0)
    before = k.now
    k.call(bash, "waitpid", pid, 0)
    found = stores(k, before, of="task_struct.tasks")
    mine = [(s.field, s.new) for s in found if s.address == child.address_]
    assert mine == [("tasks.prev", LIST_POISON2)]
    assert len(found) == 3


def test_the_stores_of_a_window_are_those_of_its_parts():
    k, bash, _, before = forked()
    middle = k.now
    k.call(bash, "fork")
    assert stores(k, before) == stores(k, before, middle) + stores(k, middle)


def test_members_are_matched_whole():
    k, _, _, before = forked()
    assert stores(k, before, of="task_struct.task") == []
    assert {s.field for s in stores(k, before, of="pid.tasks")} >= {
        "tasks[0].first",
        "tasks[1].first",
    }
    assert {s.type for s in stores(k, before, of="pid")} == {"struct pid"}
