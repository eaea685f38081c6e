"""What each of drgn's helpers answers on the scene, and what we say to the same question.

AGREE: helper -> (what it answers, what is expected).  LACK: helper -> (a call, why it can't run).
docs/drgn.md has a row for each.
"""

from kernelsim.fs import file as fs_file
from kernelsim.include.linux import fs, hlist, rbtree, sched
from kernelsim.include.linux import list as lists
from kernelsim.include.linux.sched import sched_entity, task_struct
from kernelsim.kernel import pid as kernel_pid
from kernelsim.lib import idr, xarray
from kernelsim.lib import rbtree as lib_rbtree
from kernelsim.machine.ref import container_of
from kernelsim.mm import slab_common


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


# All that runs or is queued, the running one first.
def fair_tasks(s):
    curr = s.m.symbol("runqueues").cfs.curr
    return our([curr] if curr else []) + entities(s)


def se_of(tasks):
    return [address + task_struct.offsetof_("se") for address in tasks]


def pipe(s):
    file = fs_file._fd_slot(s.m, s.reader.files.fdt, 3)
    return fs.pipe_inode_info(s.m, file.private_data)


def pipe_queue(s):
    return s.t(pipe(s)).rd_wait.address_of_()


def action(s):
    return s.t(s.k.init).sighand.action[16].sa


def task_cache(s):
    return s.find_slab_cache(s.prog, "task_struct")


def caches(s):
    return our(slab_common.caches(s.m))


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
    "pid": {
        "find_pid": (
            lambda s: [s.find_pid(s.prog, nr).value_() for nr in range(9)],
            lambda s: our(
                kernel_pid.find_pid_ns(s.m, nr, s.m.symbol("init_pid_ns")) for nr in range(9)
            ),
        ),
        "find_task": (
            lambda s: at(
                [s.find_task(s.prog, 3), s.find_task(s.t(s.lonely).nsproxy.pid_ns_for_children, 1)]
            ),
            lambda s: our([s.sh, s.lonely]),
        ),
        "for_each_pid": (
            lambda s: (
                at(s.for_each_pid(s.prog))
                + at(s.for_each_pid(s.t(s.lonely).nsproxy.pid_ns_for_children))
            ),
            lambda s: our(t.thread_pid for t in [*s.k.tasks(), s.lonely]),
        ),
        "for_each_task": (
            lambda s: at(s.for_each_task(s.prog, idle=True)),
            lambda s: our([s.m.symbol("init_task"), *s.k.tasks()]),
        ),
        "for_each_task_in_group": (
            lambda s: at(s.for_each_task_in_group(s.first, include_self=True)),
            lambda s: our([s.sh]),
        ),
        "pid_task": (
            lambda s: [s.pid_task(s.t(s.sh.thread_pid), kind).value_() for kind in range(4)],
            lambda s: our(kernel_pid.pid_task(s.sh.thread_pid, kind) for kind in range(4)),
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
    "sched": {
        "cfs_rq_for_each_entity": (
            lambda s: [se.value_() for se, *_ in s.cfs_rq_for_each_entity(s.rq.cfs.address_of_())],
            fair_tasks,
        ),
        "cpu_curr": (lambda s: s.cpu_curr(s.prog, 0).value_(), lambda s: s.m.current.address_),
        "cpu_rq": (
            lambda s: s.cpu_rq(s.prog, 0).value_(),
            lambda s: s.m.symbol("runqueues").address_,
        ),
        "get_task_state": (
            lambda s: [s.get_task_state(s.t(t)) for t in (s.sh, s.reader, s.zombie)],
            lambda s: ["R (running)", "S (sleeping)", "Z (zombie)"],
        ),
        "idle_task": (
            lambda s: s.idle_task(s.prog, 0).value_(),
            lambda s: s.m.symbol("init_task").address_,
        ),
        "rq_for_each_fair_task": (
            lambda s: se_of(at(s.rq_for_each_fair_task(s.rq))),
            fair_tasks,
        ),
        "sched_entity_is_task": (
            lambda s: s.sched_entity_is_task(s.first.se.address_of_()),
            lambda s: True,
        ),
        "sched_entity_to_task": (
            lambda s: s.sched_entity_to_task(s.first.se.address_of_()).value_(),
            lambda s: s.sh.address_,
        ),
        "task_cpu": (lambda s: s.task_cpu(s.first), lambda s: 0),
        "task_on_cpu": (
            lambda s: [s.task_on_cpu(s.t(t)) for t in s.k.tasks()],
            lambda s: [t == s.m.current for t in s.k.tasks()],
        ),
        "task_rq": (
            lambda s: s.task_rq(s.first).value_(),
            lambda s: s.m.symbol("runqueues").address_,
        ),
        "task_since_last_arrival_ns": (
            lambda s: s.task_since_last_arrival_ns(s.first),
            lambda s: s.m.symbol("runqueues").clock - s.sh.sched_info.last_arrival,
        ),
        "task_state_to_char": (
            lambda s: "".join(s.task_state_to_char(s.t(t)) for t in s.k.tasks()),
            lambda s: "".join(sched.task_state_to_char(t) for t in s.k.tasks()),
        ),
        "task_thread_info": (
            lambda s: s.task_thread_info(s.first).value_(),
            lambda s: s.sh.address_of_("thread_info"),
        ),
        "thread_group_leader": (lambda s: s.thread_group_leader(s.first), lambda s: True),
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
    "signal": {
        "decode_sigaction_flags": (
            lambda s: s.decode_sigaction_flags(action(s)),
            lambda s: "SA_RESTART" if s.k.init.sighand.action[16].sa_flags else "0",
        ),
        "decode_sigaction_flags_value": (
            lambda s: s.decode_sigaction_flags_value(s.prog, 0x10000000),
            lambda s: "SA_RESTART",
        ),
        "decode_sigset": (
            lambda s: [
                s.decode_sigset(x)
                for x in (s.t(s.busy).blocked, s.t(s.busy).signal.shared_pending.signal)
            ],
            lambda s: ["{SIGUSR1}", "{SIGUSR1}"],
        ),
        "sigaction_flags": (
            lambda s: s.sigaction_flags(s.prog)["SA_RESTART"],
            lambda s: 0x10000000,
        ),
        "signal_names": (lambda s: s.signal_names(s.prog)["SIGUSR1"], lambda s: 10),
        "signal_numbers": (lambda s: s.signal_numbers(s.prog)[10][0], lambda s: "SIGUSR1"),
        "sigpending_for_each": (
            lambda s: [
                q.si_signo.value_()
                for q in s.sigpending_for_each(s.t(s.busy).signal.shared_pending)
            ],
            lambda s: [10],
        ),
        "sigset_to_hex": (
            lambda s: s.sigset_to_hex(s.t(s.busy).blocked),
            lambda s: f"{s.busy.blocked:016x}",
        ),
    },
    "wait": {
        "waitqueue_active": (
            lambda s: (
                s.waitqueue_active(pipe_queue(s)),
                s.waitqueue_active(s.t(pipe(s)).wr_wait.address_of_()),
            ),
            lambda s: (True, False),
        ),
        "waitqueue_for_each_entry": (
            lambda s: [
                entry.private.value_() for entry in s.waitqueue_for_each_entry(pipe_queue(s))
            ],
            lambda s: our([s.reader]),
        ),
        "waitqueue_for_each_task": (
            lambda s: at(s.waitqueue_for_each_task(pipe_queue(s))),
            lambda s: our([s.reader]),
        ),
    },
    "completion": {
        "completion_done": (
            lambda s: s.completion_done(s.prog["kthreadd_done"].address_of_()),
            lambda s: bool(s.m.symbol("kthreadd_done").done),
        ),
        "completion_for_each_task": (
            lambda s: at(s.completion_for_each_task(s.prog["kthreadd_done"].address_of_())),
            lambda s: [],
        ),
    },
    "cpumask": {
        "cpu_online_mask": (lambda s: s.cpu_online_mask(s.prog).bits[0].value_(), lambda s: 1),
        "cpu_possible_mask": (lambda s: s.cpu_possible_mask(s.prog).bits[0].value_(), lambda s: 1),
        "cpu_present_mask": (lambda s: s.cpu_present_mask(s.prog).bits[0].value_(), lambda s: 1),
        "cpumask_to_cpulist": (lambda s: s.cpumask_to_cpulist(s.first.cpus_ptr), lambda s: "0"),
        "cpumask_weight": (
            lambda s: s.cpumask_weight(s.first.cpus_ptr),
            lambda s: s.sh.nr_cpus_allowed,
        ),
        "for_each_cpu": (
            lambda s: list(s.for_each_cpu(s.first.cpus_mask.address_of_())),
            lambda s: [0],
        ),
        "for_each_online_cpu": (lambda s: list(s.for_each_online_cpu(s.prog)), lambda s: [0]),
        "for_each_possible_cpu": (lambda s: list(s.for_each_possible_cpu(s.prog)), lambda s: [0]),
        "for_each_present_cpu": (lambda s: list(s.for_each_present_cpu(s.prog)), lambda s: [0]),
        "num_online_cpus": (lambda s: s.num_online_cpus(s.prog), lambda s: 1),
        "num_possible_cpus": (lambda s: s.num_possible_cpus(s.prog), lambda s: 1),
        "num_present_cpus": (lambda s: s.num_present_cpus(s.prog), lambda s: 1),
    },
    "percpu": {
        "per_cpu": (
            lambda s: s.per_cpu(s.prog["runqueues"], 0).curr.value_(),
            lambda s: s.m.current.address_,
        ),
        "per_cpu_ptr": (
            lambda s: s.per_cpu_ptr(s.prog["runqueues"].address_of_(), 0).value_(),
            lambda s: s.m.symbol("runqueues").address_,
        ),
    },
    "kthread": {
        "task_is_kthread": (
            lambda s: [s.task_is_kthread(s.t(t)) for t in s.k.tasks()],
            lambda s: [t.pid == 2 for t in s.k.tasks()],
        ),
    },
    "user": {
        "kuid_val": (lambda s: s.kuid_val(s.first.cred.uid), lambda s: s.sh.cred.uid),
    },
    "slab": {
        "find_slab_cache": (
            lambda s: task_cache(s).value_(),
            lambda s: s.m.static.task_struct_cachep.address_,
        ),
        "for_each_slab_cache": (lambda s: at(s.for_each_slab_cache(s.prog)), caches),
        "print_slab_caches": (lambda s: s.print_slab_caches(s.prog), lambda s: None),
        "slab_cache_is_merged": (
            lambda s: bool(s.slab_cache_is_merged(task_cache(s))),
            lambda s: False,
        ),
        "slab_cache_objects_per_slab": (
            lambda s: s.slab_cache_objects_per_slab(task_cache(s)),
            lambda s: s.m.static.task_struct_cachep.oo & 0xFFFF,
        ),
        "slab_cache_order": (
            lambda s: s.slab_cache_order(task_cache(s)),
            lambda s: s.m.static.task_struct_cachep.oo >> 16,
        ),
        "slab_cache_pages_per_slab": (
            lambda s: s.slab_cache_pages_per_slab(task_cache(s)),
            lambda s: 1 << (s.m.static.task_struct_cachep.oo >> 16),
        ),
    },
    "fs": {
        "fget": (
            lambda s: s.fget(s.first, 4).value_(),
            lambda s: s.m.read_u64(s.sh.files.fdt.fd + 32),
        ),
        "for_each_file": (
            lambda s: pairs(s.for_each_file(s.first)),
            lambda s: [(fd, s.m.read_u64(s.sh.files.fdt.fd + 8 * fd)) for fd in range(5)],
        ),
    },
    "mm": {
        "for_each_vma": (lambda s: list(s.for_each_vma(s.first.mm)), lambda s: []),
    },
}
