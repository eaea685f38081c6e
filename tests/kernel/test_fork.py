"""What a child has, field by field: kernel/fork.c as the fact sheet (5.4 … 5.6, 18) has it."""

import pytest

import kernelsim as ks
from kernelsim.include.linux import fs
from kernelsim.include.linux import sched as sched_h
from kernelsim.include.linux.sched.task import kernel_clone_args
from kernelsim.include.uapi.linux import sched as sched_flags
from kernelsim.kernel import fork
from kernelsim.kernel.sched import core
from tests.kernel import stage

VM, FS, FILES, SIGHAND, THREAD = 0x100, 0x200, 0x400, 0x800, 0x10000
PARENT, NEWPID, NEWUSER, NEWNS, PIDFD, DETACHED = (
    *(0x8000, 0x20000000, 0x10000000, 0x20000),
    *(0x1000, 0x400000),
)
SETTID, CLEARTID = 0x01000000, 0x00200000


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


# --- every member of the task_struct -----------------------------------------------------------


# "name value" pairs as a dict.
def table(text):
    words = text.split()
    return {name: int(value, 0) for name, value in zip(words[::2], words[1::2], strict=True)}


# Members that a child has from its parent as they are; the test gives each an odd value first.
INHERITED = table("""
    wakee_flips 71 wakee_flip_decay_ts 72 static_prio 125 normal_prio 125 rt_priority 3 policy 3
    nr_cpus_allowed 6 cpus_mask 0b111111 exit_code 74 personality 0x40000 sched_migrated 1
    in_iowait 1 in_execve 1 blocked 0x8004 real_blocked 0x11 saved_sigmask 0x12 self_exec_id 77
    sas_ss_sp 0x7000 sas_ss_size 0x800 sas_ss_flags 2 last_wakee 0 sched_task_group 0
""") | {"comm": b"parent"}
# Members that a child has of its own, whatever the parent had there.
OWN = table("""
    state 0 usage 1 ptrace 0 on_cpu 0 cpu 0 recent_used_cpu 0 wake_cpu 0 on_rq 1 prio 125
    exit_state 0 exit_signal 17 pdeath_signal 0 jobctl 0 sched_reset_on_fork 0
    sched_contributes_to_load 0 vfork_done 0 set_child_tid 0 clear_child_tid 0 utime 0 stime 0
    gtime 0 nvcsw 0 nivcsw 0 min_flt 0 maj_flt 0 ptracer_cred 0 task_works 0 alloc_lock 0 pi_lock 0
    rcu_users 2 stack_refcount 1 robust_list 0 futex_state 0
""")
# Members that must be looked at one by one.
SPECIAL = {
    *("thread_info", "stack", "flags", "wake_entry", "sched_class", "se", "rt", "dl", "cpus_ptr"),
    *("sched_info", "tasks", "mm", "active_mm", "restart_block", "pid", "tgid", "stack_canary"),
    *("real_parent", "parent", "children", "sibling", "group_leader", "ptraced", "ptrace_entry"),
    *("thread_pid", "pid_links", "thread_group", "thread_node", "start_time", "start_boottime"),
    *("real_cred", "cred", "fs", "files", "nsproxy", "signal", "sighand", "pending", "seccomp"),
    *("parent_exec_id", "rcu", "thread", "restore_sigmask", "prev_cputime"),
}
DIRTY = table("""
    prio 60 jobctl 5 pdeath_signal 9 utime 1 stime 2 gtime 3 nvcsw 40 nivcsw 41 min_flt 42
    maj_flt 43 set_child_tid 0x10 clear_child_tid 0x20 task_works 0xFFFF888000001000 alloc_lock 1
    cpu 0 recent_used_cpu 3 robust_list 0x7FFC00000000 futex_state 1
""")


def test_the_lists_of_members_are_complete():
    names = [f.name for f in sched_h.task_struct.fields_]
    assert set(names) == {*INHERITED, *OWN, *SPECIAL}
    assert len(names) == len(INHERITED) + len(OWN) + len(SPECIAL)


def test_a_child_inherits_what_it_should_and_nothing_else(k, sh):
    for name, value in (INHERITED | DIRTY).items():
        setattr(sh, name, value)
    sh.flags |= 0x100 | 0x20 | 0x400000  # SUPERPRIV, WQ_WORKER, RANDOMIZE
    sh.sched_info.pcount, sh.sched_info.last_queued = 5, 6
    sh.se.sum_exec_runtime += 10**6
    sh.prev_cputime.utime, sh.prev_cputime.stime, sh.prev_cputime.lock = 44, 45, 1
    child = k.task(k.call(sh, "fork"))
    values = {f.name: getattr(child, f.name) for f in sched_h.task_struct.fields_}
    values["comm"] = child.comm.string_()
    assert {name: values[name] for name in INHERITED} == INHERITED
    assert {name: values[name] for name in OWN} == OWN
    assert child.flags == (sh.flags & ~0x120) | 0x40
    assert list(child.sched_info.value_().values()) == [0, 0, 0, 0]
    assert (child.se.sum_exec_runtime, child.se.prev_sum_exec_runtime) == (0, 0)
    assert list(child.prev_cputime.value_().values()) == [0, 0, 0]
    assert child.parent_exec_id == 77
    assert child.cpus_ptr == child.address_of_("cpus_mask")
    for name, value in DIRTY.items():  # the parent keeps what is its own
        if name not in ("nvcsw", "nivcsw", "task_works"):
            assert int(getattr(sh, name)) == value, name
    sh.prio, sh.alloc_lock, sh.prev_cputime.lock = 125, 0, 0


def test_the_members_of_a_child_that_lead_elsewhere(k, sh):
    now = k.machine.u64[k.machine.static.clock]
    child = k.task(k.call(sh, "fork"))
    assert child.stack not in (0, sh.stack)
    assert child.stack % 0x4000 == 0
    assert k.machine.read_u64(child.stack) == 0x57AC6E9D
    assert child.stack < child.thread.sp < child.stack + 0x4000
    assert child.stack_canary not in (0, sh.stack_canary)
    assert child.stack_canary & 0xFF == 0
    assert (child.real_parent, child.parent, child.group_leader) == (sh, sh, child)
    for head in ("children", "ptraced", "ptrace_entry", "thread_group"):
        assert getattr(child, head).next == getattr(child, head).prev == getattr(child, head), head
    assert child.pending.list.next == child.pending.list
    assert (child.pending.signal, child.seccomp.mode) == (0, 0)
    assert child.thread_node.next == child.signal.thread_head == child.thread_node.prev
    assert sh.children.prev == child.sibling
    assert k.machine.symbol("init_task").tasks.prev == child.tasks
    assert child.mm == child.active_mm != sh.mm
    assert child.start_time == child.start_boottime >= now
    assert child.cred == child.real_cred != sh.cred
    assert child.thread_info.flags & 0x8 == 0 or child.on_rq  # a request to give way is not copied
    assert child.rt.run_list.next == child.rt.run_list
    assert (child.rt.time_slice, child.rt.timeout, child.rt.on_rq) == (25, 0, 0)
    assert (
        child.dl.rb_node.member_("__rb_parent_color") == child.dl.rb_node.address_
    )  # not on a tree
    assert (child.thread.fn, child.thread.arg) == (0, 0)


def test_a_request_to_give_way_and_a_pending_signal_stay_with_the_parent(k, sh):
    m = k.machine

    async def forked():
        sh.thread_info.flags |= 0x8  # TIF_NEED_RESCHED
        p = fork.copy_process(m, None, kernel_clone_args(exit_signal=17))
        flags = p.thread_info.flags, sh.thread_info.flags
        core.wake_up_new_task(m, p)
        return flags

    assert stage.inside(k, sh, forked()) == (0, 0x8)


# --- the worked examples (18) ------------------------------------------------------------------


def test_a_child_of_a_process_in_a_group_and_a_session(k):
    m, ns = k.machine, k.machine.symbol("init_pid_ns")
    leader = k.spawn("leader")  # session 50
    ns.idr.idr_next = 50
    session = k.task(k.call(leader, "fork"))
    k.call(session, "setsid")
    ns.idr.idr_next = 100
    p = k.task(k.call(session, "fork"))
    k.call(p, "setpgid", 0, 0)
    ns.idr.idr_next = 102
    child = k.task(k.call(p, "fork"))
    assert (p.pid, child.pid, child.tgid, ns.idr.idr_next) == (100, 102, 102, 103)
    assert [k.call(child, *c) for c in (["getppid"], ["getpgid", 0], ["getsid", 0])] == [
        100,
        100,
        50,
    ]
    assert child.exit_signal == 17
    pid = child.thread_pid
    assert pid.count == 1
    assert [stage.members(pid, kind) for kind in range(4)] == [[102], [102], [], []]
    assert stage.members(p.thread_pid, 2) == [102, 100]  # newest first
    assert stage.members(session.thread_pid, 3) == [102, 100, 50]
    stage.check(k)
    assert m.symbol("init_pid_ns").pid_allocated == (1 << 31) + len(k.tasks())


def test_a_clone_into_a_new_pid_namespace_is_1_there_and_500_here(k, sh):
    ns = k.machine.symbol("init_pid_ns")
    ns.idr.idr_next = 500
    before = k.now
    assert k.call(sh, "clone", NEWPID | 17) == 500
    child = k.task(500)
    pid = child.thread_pid
    assert (pid.level, pid.numbers[0].nr, pid.numbers[1].nr) == (1, 500, 1)
    assert (k.call(child, "getpid"), k.call(child, "getppid")) == (1, 0)
    inner = pid.numbers[1].ns
    assert (inner.level, inner.child_reaper, inner.kref) == (1, child, 2)  # nsproxy, struct pid
    assert child.signal.flags & 0x40  # SIGNAL_UNKILLABLE
    assert inner.pid_allocated == (1 << 31) + 1
    cache = inner.pid_cachep
    assert k.machine.read(cache.name, 6) == b"pid_2\0"
    assert cache.object_size == 128  # one more struct upid
    grandchild = k.call(child, "fork")
    assert grandchild == 2
    assert k.task(501).thread_pid.numbers[1].nr == 2
    order = [e for e in k.events(before) if e.name == "idr_alloc_cyclic" and e.kind == "enter"]
    assert len(order) == 4  # level 1, then level 0, for each
    stage.check(k)


# --- sharing by flag (5.6) ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "member", "count"),
    [
        (VM, "mm", "mm_users"),
        (FS, "fs", "users"),
        (FILES, "files", "count"),
        (VM | SIGHAND, "sighand", "count"),
    ],
)
def test_a_flag_makes_an_object_shared_and_counted(k, sh, flag, member, count):
    alone = k.task(k.call(sh, "fork"))
    assert getattr(alone, member) != getattr(sh, member)
    assert getattr(getattr(alone, member), count) == 1
    users = getattr(getattr(sh, member), count)
    child = stage.clone(k, sh, flag)
    assert getattr(child, member) == getattr(sh, member)
    assert getattr(getattr(sh, member), count) == users + 1
    stage.check(k)
    k.call(child, "exit_group", 0)
    k.call(sh, "waitpid", -1, 0)
    assert getattr(getattr(sh, member), count) == users
    stage.check(k)


def test_open_files_are_the_same_in_a_copied_table(k, sh):
    assert k.call(sh, "pipe") == (3, 4)
    child = k.task(k.call(sh, "fork"))
    ours, theirs = (t.files.fdt.fd + 8 * 3 for t in (sh, child))
    file = k.machine.read_u64(ours)
    assert k.machine.read_u64(theirs) == file
    assert fs.file(k.machine, file).f_count == 2
    k.call(child, "close", 3)
    assert (k.machine.read_u64(ours), k.machine.read_u64(theirs)) == (file, 0)
    assert fs.file(k.machine, file).f_count == 1
    assert k.call(sh, "write", 4, b"x") == 1


def test_tid_pointers_are_taken_only_with_their_flags(k, sh):
    for flags, expected in (
        (0, (0, 0)),
        (SETTID, (0x77, 0)),
        (CLEARTID, (0, 0x77)),
        (SETTID | CLEARTID, (0x77, 0x77)),
    ):
        child = stage.clone(k, sh, flags, child_tid=0x77)
        assert (child.set_child_tid, child.clear_child_tid) == expected


def test_a_sibling_is_a_child_of_the_callers_parent_with_the_leaders_signal(k, sh):
    middle = k.task(k.call(sh, "clone", 10))  # exit signal SIGUSR1
    sibling = k.task(k.call(middle, "clone", PARENT | 17))
    assert sibling.real_parent == sh
    assert sibling.exit_signal == 10
    assert sibling.parent_exec_id == middle.parent_exec_id
    assert k.call(sibling, "getppid") == sh.pid


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flags",
    [
        *(
            NEWNS | FS,
            NEWUSER | FS,
            THREAD,
            THREAD | VM,
            SIGHAND,
            SIGHAND | THREAD,
            PIDFD | DETACHED,
        ),
        *(
            THREAD | SIGHAND | VM | NEWPID,
            THREAD | SIGHAND | VM | NEWUSER,
            PIDFD | THREAD | SIGHAND | VM,
        ),
    ],
)
def test_flags_that_exclude_each_other_are_einval_before_anything_is_allocated(k, sh, flags):
    before, free = stage.ground(k), k.machine.symbol("contig_zone").free_pages
    stores = len(k.machine.journal)
    assert stage.clone(k, sh, flags) == -22
    assert stage.ground(k) == before
    assert k.machine.symbol("contig_zone").free_pages == free
    assert len(k.machine.journal) - stores < 60  # none but the trace of coming and going


@pytest.mark.parametrize("flags", [PARENT | 17, PARENT | NEWPID | 17])
def test_init_and_the_init_of_a_namespace_have_no_siblings(k, sh, flags):
    inner = k.task(k.call(sh, "clone", NEWPID | 17))
    for task in (k.init, inner):
        with pytest.raises(OSError, match="Invalid argument"):
            k.call(task, "clone", flags)


def test_a_task_whose_children_live_elsewhere_can_have_no_threads(k, sh):
    inner = k.task(k.call(sh, "clone", NEWPID | 17))
    proxy = sh.nsproxy
    sh.nsproxy = inner.nsproxy  # as unshare(CLONE_NEWPID) leaves it
    assert stage.clone(k, sh, stage.PTHREAD) == -22
    sh.nsproxy = proxy


def test_a_signal_that_waits_makes_fork_start_again(k, sh):
    async def with_signal():
        sh.pending.signal = 1 << 9
        sh.thread_info.flags |= 4
        result = fork.copy_process(k.machine, None, kernel_clone_args(exit_signal=17))
        sh.pending.signal = 0
        return result

    assert stage.inside(k, sh, with_signal()) == -513  # ERESTARTNOINTR


def test_an_ordinary_user_may_not_have_more_processes_than_its_limit_but_root_may(k, sh):
    k.task(k.call(sh, "fork"))
    limit = sh.signal.rlim[6]
    limit.rlim_cur = 3
    assert k.call(sh, "fork")  # root is exempt
    user = k.machine.define("another_user", type(sh.cred.user))
    user.processes, user.count, sh.cred.user = 3, 1, user
    before = stage.ground(k)
    assert k.call(sh, "fork")  # so is who has CAP_SYS_ADMIN
    sh.cred.cap_effective = 0
    before = stage.ground(k)
    with pytest.raises(BlockingIOError):  # EAGAIN
        k.call(sh, "fork")
    assert stage.ground(k) == before
    assert user.processes == 4
    limit.rlim_cur = 5
    assert k.call(sh, "fork")
    assert user.processes == 5


@pytest.mark.parametrize("memory_size", ["33M", "64M", "256M", "1G"])
def test_the_limit_of_threads_follows_from_memory(memory_size):
    k = ks.boot(memory=memory_size, record=False)
    pages = k.machine.symbol("contig_zone").managed_pages
    threads = max(20, pages * 4096 // (8 * 16384))
    assert k.machine.add("max_threads", 0) == threads
    assert k.init.signal.rlim[6].rlim_cur == k.init.signal.rlim[6].rlim_max == threads // 2


def test_only_the_low_half_of_the_flags_counts(k, sh):
    assert k.task(k.call(sh, "clone", 1 << 40 | 17)).exit_signal == 17
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(sh, "clone", sched_flags.CLONE_SIGHAND | 17)
