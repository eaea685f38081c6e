"""What drgn's helpers answer on the scene, and what we say to the same question.

AGREE: module -> helper -> (what it answers, what is expected).  docs/drgn.md has a row for each.
"""

from kernelsim.fs import _fdtable
from kernelsim.include.linux import fs, sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.kernel import kthread
from kernelsim.kernel import pid as kernel_pid
from kernelsim.mm import slab_common
from tests.debug import structures
from tests.debug.structures import at, entities, our, pairs


# All that runs or is queued, the running one first.
def fair_tasks(s):
    curr = s.m.symbol("runqueues").cfs.curr
    return our([curr] if curr else []) + entities(s)


def se_of(tasks):
    return [address + task_struct.offsetof_("se") for address in tasks]


def pipe(s):
    file = _fdtable.fcheck_files(s.m, s.reader.files, 3)
    return fs.pipe_inode_info(s.m, file.private_data)


def pipe_queue(s):
    return s.t(pipe(s)).rd_wait.address_of_()


def action(s):
    return s.t(s.k.init).sighand.action[16].sa


def task_cache(s):
    return s.find_slab_cache(s.prog, "task_struct")


def caches(s):
    return our(slab_common.caches(s.m))


TASKS = {
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
    "user": {
        "kuid_val": (lambda s: s.kuid_val(s.first.cred.uid), lambda s: s.sh.cred.uid),
        "find_user": (
            lambda s: [s.find_user(s.prog, 0).value_(), s.find_user(s.prog, 7).value_()],
            lambda s: [s.m.symbol("root_user").address_, 0],
        ),
        "for_each_user": (
            lambda s: at(s.for_each_user(s.prog)),
            lambda s: our([s.m.symbol("root_user")]),
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
        "kthread_data": (
            lambda s: s.kthread_data(s.t(s.thread)).value_(),
            lambda s: kthread.kthread_data(s.m, s.thread),
        ),
        "task_is_kthread": (
            lambda s: [s.task_is_kthread(s.t(t)) for t in s.k.tasks()],
            lambda s: [t.pid in {2, s.thread.pid} for t in s.k.tasks()],
        ),
        "to_kthread": (
            lambda s: [
                s.to_kthread(s.t(s.thread)).value_(),
                s.to_kthread(s.t(s.thread)).threadfn.value_(),
                s.to_kthread(s.t(s.thread)).exited.address_of_().value_(),
            ],
            lambda s: [
                s.thread.set_child_tid,
                kthread.kthread_func(s.m, s.thread),
                s.thread.vfork_done.address_,
            ],
        ),
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

ORDER = ("list", "pid", "idr", "radixtree", "xarray", "sched", "rbtree")
_ALL = structures.AGREE | TASKS
AGREE = {name: _ALL[name] for name in (*ORDER, *(n for n in _ALL if n not in ORDER))}
