"""What drgn's helpers for lists and trees answer on the scene, and what we say to the same question.

AGREE: module -> helper -> (what it answers, what is expected).  docs/drgn.md has a row for each.
"""

from kernelsim.include.linux import hlist, rbtree, sched
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.sched import sched_entity, task_struct
from kernelsim.lib import idr, xarray
from kernelsim.lib import rbtree as lib_rbtree
from kernelsim.machine.ref import container_of


# drgn's objects as addresses.
def at(objects):
    return [o.value_() for o in objects]


# Our references as addresses.
def our(refs):
    return [ref.address_ for ref in refs]


def children(s):
    return our(lists.list_for_each_entry(task_struct, s.sh.children, "sibling"))


# Where the links of the children are.
def links(s):
    return [address + task_struct.offsetof_("sibling") for address in children(s)]


def every_entry(s, walk):
    return at(walk("struct task_struct", s.children, "sibling"))


# The users of the session of sh: five tasks on one hash list.
def session(s):
    return s.t(s.sh.signal.pids[sched.PIDTYPE_SID]).tasks[sched.PIDTYPE_SID].address_of_()


def session_ours(s):
    return hlist.hlist_for_each_entry(
        task_struct, s.sh.signal.pids[sched.PIDTYPE_SID].tasks[sched.PIDTYPE_SID], "pid_links[3]"
    )


def numbers(s):
    return [
        (nr, address) for address, nr in idr.idr_for_each_entry(s.m, s.m.symbol("init_pid_ns").idr)
    ]


def pairs(found):
    return [(nr, entry.value_()) for nr, entry in found]


def tree(s):
    return s.m.symbol("runqueues").cfs.tasks_timeline


# The queued entities in order of vruntime, as our own rb_first() and rb_next() find them.
def in_order(s):
    node, out = lib_rbtree.rb_first(tree(s).rb_root), []
    while node:
        out.append(node)
        node = lib_rbtree.rb_next(node)
    return out


def entities(s):
    return our(container_of(node, sched_entity, "run_node") for node in in_order(s))


# The entity that will run last.
def queued(s):
    return container_of(in_order(s)[-1], sched_entity, "run_node")


def preorder(node):
    return [node.address_, *preorder(node.rb_left), *preorder(node.rb_right)] if node else []


def by_vruntime(a, b):
    difference = (a.vruntime - b.vruntime).value_()
    return 0 if not difference else -1 if difference >> 63 else 1


AGREE = {
    "list": {
        "list_empty": (
            lambda s: (
                s.list_empty(s.children),
                s.list_empty(s.t(s.reader).children.address_of_()),
            ),
            lambda s: (False, True),
        ),
        "list_is_singular": (
            lambda s: (
                s.list_is_singular(s.children),
                s.list_is_singular(s.t(s.sh).signal.thread_head.address_of_()),
            ),
            lambda s: (False, True),
        ),
        "list_count_nodes": (lambda s: s.list_count_nodes(s.children), lambda s: 3),
        "list_first_entry": (
            lambda s: s.list_first_entry(s.children, "struct task_struct", "sibling").value_(),
            lambda s: s.reader.address_,
        ),
        "list_first_entry_or_null": (
            lambda s: s.list_first_entry_or_null(
                s.t(s.reader).children.address_of_(), "struct task_struct", "sibling"
            ).value_(),
            lambda s: 0,
        ),
        "list_last_entry": (
            lambda s: s.list_last_entry(s.children, "struct task_struct", "sibling").value_(),
            lambda s: s.zombie.address_,
        ),
        "list_next_entry": (
            lambda s: s.list_next_entry(s.t(s.reader), "sibling").value_(),
            lambda s: s.lonely.address_,
        ),
        "list_prev_entry": (
            lambda s: s.list_prev_entry(s.t(s.lonely), "sibling").value_(),
            lambda s: s.reader.address_,
        ),
        "list_for_each": (lambda s: at(s.list_for_each(s.children)), links),
        "list_for_each_reverse": (
            lambda s: at(s.list_for_each_reverse(s.children)),
            lambda s: links(s)[::-1],
        ),
        "list_for_each_entry": (lambda s: every_entry(s, s.list_for_each_entry), children),
        "list_for_each_entry_reverse": (
            lambda s: every_entry(s, s.list_for_each_entry_reverse),
            lambda s: children(s)[::-1],
        ),
        "validate_list": (lambda s: s.validate_list(s.children), lambda s: None),
        "validate_list_count_nodes": (
            lambda s: s.validate_list_count_nodes(s.prog["init_task"].tasks.address_of_()),
            lambda s: lists.validate_list(s.m.symbol("init_task").tasks),
        ),
        "validate_list_for_each": (lambda s: at(s.validate_list_for_each(s.children)), links),
        "validate_list_for_each_entry": (
            lambda s: every_entry(s, s.validate_list_for_each_entry),
            children,
        ),
        "hlist_empty": (
            lambda s: (
                s.hlist_empty(session(s)),
                s.hlist_empty(s.t(s.sh.thread_pid).inodes.address_of_()),
            ),
            lambda s: (False, True),
        ),
        "hlist_for_each": (
            lambda s: at(s.hlist_for_each(session(s))),
            lambda s: [t.address_of_("pid_links[3]") for t in session_ours(s)],
        ),
        "hlist_for_each_entry": (
            lambda s: at(s.hlist_for_each_entry("struct task_struct", session(s), "pid_links[3]")),
            lambda s: our(session_ours(s)),
        ),
    },
    "rbtree": {
        "RB_EMPTY_ROOT": (lambda s: s.RB_EMPTY_ROOT(s.root), lambda s: False),
        "RB_EMPTY_NODE": (
            lambda s: (
                s.RB_EMPTY_NODE(s.first.dl.rb_node.address_of_()),
                s.RB_EMPTY_NODE(s.rb_first(s.root)),
            ),
            lambda s: (True, False),
        ),
        "rb_find": (
            lambda s: s.rb_find(
                "struct sched_entity", s.root, "run_node", s.t(queued(s)), by_vruntime
            ).value_(),
            lambda s: queued(s).address_,
        ),
        "rb_first": (lambda s: s.rb_first(s.root).value_(), lambda s: tree(s).rb_leftmost.address_),
        "rb_last": (lambda s: s.rb_last(s.root).value_(), lambda s: our(in_order(s))[-1]),
        "rb_next": (
            lambda s: s.rb_next(s.rb_first(s.root)).value_(),
            lambda s: our(in_order(s))[1],
        ),
        "rb_prev": (
            lambda s: s.rb_prev(s.rb_last(s.root)).value_(),
            lambda s: our(in_order(s))[-2],
        ),
        "rb_parent": (
            lambda s: [s.rb_parent(node).value_() for node in s.rbtree_inorder_for_each(s.root)],
            lambda s: our(rbtree.rb_parent(node) for node in in_order(s)),
        ),
        "rbtree_inorder_for_each": (
            lambda s: at(s.rbtree_inorder_for_each(s.root)),
            lambda s: our(in_order(s)),
        ),
        "rbtree_inorder_for_each_entry": (
            lambda s: at(
                s.rbtree_inorder_for_each_entry("struct sched_entity", s.root, "run_node")
            ),
            entities,
        ),
        "rbtree_preorder_for_each": (
            lambda s: at(s.rbtree_preorder_for_each(s.root)),
            lambda s: preorder(tree(s).rb_root.rb_node),
        ),
        "rbtree_preorder_for_each_entry": (
            lambda s: [
                se.run_node.address_of_().value_()
                for se in s.rbtree_preorder_for_each_entry(
                    "struct sched_entity", s.root, "run_node"
                )
            ],
            lambda s: preorder(tree(s).rb_root.rb_node),
        ),
        "validate_rbtree": (
            lambda s: s.validate_rbtree(
                "struct sched_entity", s.root, "run_node", by_vruntime, allow_equal=True
            ),
            lambda s: None,
        ),
        "validate_rbtree_inorder_for_each_entry": (
            lambda s: at(
                s.validate_rbtree_inorder_for_each_entry(
                    "struct sched_entity", s.root, "run_node", by_vruntime, allow_equal=True
                )
            ),
            entities,
        ),
    },
    "idr": {
        "idr_find": (
            lambda s: [s.idr_find(s.ns.idr.address_of_(), nr).value_() for nr in range(99)],
            lambda s: [idr.idr_find(s.m, s.m.symbol("init_pid_ns").idr, nr) for nr in range(99)],
        ),
        "idr_for_each": (lambda s: pairs(s.idr_for_each(s.ns.idr.address_of_())), numbers),
        "idr_for_each_entry": (
            lambda s: pairs(s.idr_for_each_entry(s.ns.idr.address_of_(), "struct pid")),
            numbers,
        ),
    },
    "radixtree": {
        "radix_tree_for_each": (lambda s: pairs(s.radix_tree_for_each(s.tree)), numbers),
        "radix_tree_lookup": (
            lambda s: [s.radix_tree_lookup(s.tree, nr).value_() for nr in range(99)],
            lambda s: [idr.idr_find(s.m, s.m.symbol("init_pid_ns").idr, nr) for nr in range(99)],
        ),
    },
    "xarray": {
        "xa_for_each": (lambda s: pairs(s.xa_for_each(s.tree)), numbers),
        "xa_load": (
            lambda s: [s.xa_load(s.tree, nr).value_() for nr in range(99)],
            lambda s: [
                xarray.xa_load(s.m, s.m.symbol("init_pid_ns").idr.idr_rt, nr) for nr in range(99)
            ],
        ),
        "xa_is_value": (lambda s: s.xa_is_value(s.xa_load(s.tree, 3)), lambda s: False),
        "xa_is_zero": (lambda s: s.xa_is_zero(s.xa_load(s.tree, 3)), lambda s: False),
        "xa_to_value": (
            lambda s: s.xa_to_value(s.drgn.Object(s.prog, "void *", 0xC9)).value_(),
            lambda s: 100,
        ),
    },
}
