"""clone with its flags: threads, shared tables, vfork, clone3, unshare.  The expected values are 5.10's."""

import struct

import pytest

import kernelsim as ks
from kernelsim.include.linux import sched
from kernelsim.include.uapi.linux import sched as flags
from kernelsim.user.libc import UserBuffer
from tests.kernel import stage

SIGCHLD = 17
THREAD = (
    flags.CLONE_VM | flags.CLONE_FS | flags.CLONE_FILES | flags.CLONE_SIGHAND | flags.CLONE_THREAD
)
PTHREAD = 0x3D0F00  # what glibc's pthread_create() passes


def place(data):
    found = UserBuffer()
    found.data = data
    return found


SHARED = [
    (flags.CLONE_VM, "mm", "mm_users"),
    (flags.CLONE_FS, "fs", "users"),
    (flags.CLONE_FILES, "files", "count"),
    (flags.CLONE_VM | flags.CLONE_SIGHAND, "sighand", "count"),
]


@pytest.mark.parametrize(("flag", "member", "count"), SHARED)
def test_with_the_flag_the_object_is_shared_and_counted(k, sh, flag, member, count):
    child = k.task(k.call(sh, "clone", flag | SIGCHLD))
    assert getattr(child, member) == getattr(sh, member)
    assert getattr(getattr(sh, member), count) == 2
    k.call(child, "exit", 0)
    k.call(sh, "waitpid", -1, 0)  # a zombie still has its signal handlers
    assert getattr(getattr(sh, member), count) == 1


@pytest.mark.parametrize(("flag", "member", "count"), SHARED)
def test_without_the_flag_the_child_has_its_own(k, sh, flag, member, count):
    child = k.task(k.call(sh, "clone", SIGCHLD))
    assert getattr(child, member) != getattr(sh, member)
    assert getattr(getattr(sh, member), count) == getattr(getattr(child, member), count) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        flags.CLONE_THREAD,
        flags.CLONE_THREAD | flags.CLONE_VM,
        flags.CLONE_SIGHAND,
        THREAD | flags.CLONE_NEWPID,
        flags.CLONE_PTRACE | SIGCHLD,
        flags.CLONE_NEWIPC | flags.CLONE_SYSVSEM | SIGCHLD,
        flags.CLONE_NEWNS | flags.CLONE_FS | SIGCHLD,
        flags.CLONE_NEWUSER | flags.CLONE_FS | SIGCHLD,
    ],
)
def test_a_combination_that_cannot_be_is_refused(k, sh, wrong):
    before = len(k.tasks())
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(sh, "clone", wrong)
    assert len(k.tasks()) == before


def test_init_can_have_no_siblings(k):
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(k.init, "clone", flags.CLONE_PARENT | SIGCHLD)


# --- threads ----------------------------------------------------------------------------------


def test_a_thread_has_a_number_of_its_own_and_the_number_of_its_process(k, sh):
    tid = k.call(sh, "clone", PTHREAD)
    thread = k.task(tid)
    assert (thread.pid, thread.tgid) == (tid, sh.pid)
    assert thread.group_leader == sh
    assert thread.exit_signal == -1
    assert thread.real_parent == sh.real_parent
    assert k.call(thread, "getpid") == sh.pid
    assert k.call(thread, "gettid") == tid
    assert thread.address_ not in {task.address_ for task in k.tasks()}
    assert sh.signal.nr_threads == 2


def test_a_thread_that_ends_leaves_nothing_to_wait_for(k, sh):
    thread = k.task(k.call(sh, "clone", PTHREAD))
    k.call(thread, 60, 0)  # exit(2), not exit_group(2)
    assert sh.signal.nr_threads == 1
    with pytest.raises(ChildProcessError):
        k.call(k.task(k.call(sh, "clone", PTHREAD)), "waitpid", -1, 0)


def test_a_leader_that_ends_first_is_a_zombie_until_the_last_thread_has_ended(k, sh):
    shell = k.spawn("parent")
    leader = k.task(k.call(shell, "fork"))
    thread = k.task(k.call(leader, "clone", PTHREAD))
    k.call(leader, 60, 7)
    assert leader.exit_state == sched.EXIT_ZOMBIE
    assert k.call(shell, "waitpid", leader.pid, 1) == (0, 0)
    assert k.call(shell, "waitpid", leader.pid, 0) is ks.PENDING
    number = leader.pid
    k.call(thread, 60, 3)
    assert k.result(shell) == (number, 7 << 8)


@pytest.mark.parametrize("who", ["leader", "thread"])
def test_exit_group_ends_all_threads(k, who):
    shell = k.spawn("parent")
    leader = k.task(k.call(shell, "fork"))
    number = leader.pid
    threads = [k.task(k.call(leader, "clone", PTHREAD)) for _ in range(3)]
    k.call(leader if who == "leader" else threads[1], "exit_group", 9)
    assert k.call(shell, "waitpid", -1, 0) == (number, 9 << 8)
    with pytest.raises(LookupError):
        k.task(number)
    assert k.machine.add("nr_threads", 0) == 1 + len(k.tasks()) - 1


def test_a_fatal_signal_ends_all_threads(k):
    shell = k.spawn("parent")
    leader = k.task(k.call(shell, "fork"))
    number = leader.pid
    thread = k.task(k.call(leader, "clone", PTHREAD))
    k.call(shell, "kill", thread.pid, 15)
    assert k.call(shell, "waitpid", -1, 0) == (number, 15)


def test_a_thread_that_execs_becomes_the_process(k):
    shell = k.spawn("parent")
    leader = k.task(k.call(shell, "fork"))
    number, born = leader.pid, leader.start_time
    threads = [k.task(k.call(leader, "clone", PTHREAD)) for _ in range(2)]
    k.machine.programs["new"] = None
    k.call(threads[0], "execve", "new")
    survivor = k.task(number)
    assert survivor == threads[0]
    assert (survivor.pid, survivor.tgid, survivor.start_time) == (number, number, born)
    assert survivor.group_leader == survivor
    assert survivor.exit_signal == SIGCHLD
    assert survivor.signal.nr_threads == 1
    assert survivor.comm.string_() == b"new"
    k.call(survivor, "exit", 4)
    assert k.call(shell, "waitpid", -1, 0) == (number, 4 << 8)


def test_children_of_a_thread_are_inherited_by_another_thread(k, sh):
    thread = k.task(k.call(sh, "clone", PTHREAD))
    child = k.task(k.call(thread, "fork"))
    assert child.real_parent == thread
    k.call(thread, 60, 0)
    assert child.real_parent == sh


def test_exec_stops_sharing_files_and_handlers(k, sh):
    k.machine.programs["new"] = None
    shared = flags.CLONE_VM | flags.CLONE_FILES | flags.CLONE_SIGHAND
    child = k.task(k.call(sh, "clone", shared | SIGCHLD))
    k.call(sh, "rt_sigaction", 10, (0x5000, 0), None, 8)
    k.call(child, "execve", "new")
    assert (sh.files.count, sh.sighand.count, sh.mm.mm_users) == (1, 1, 1)
    assert child.files != sh.files
    assert child.sighand.action[9].sa_handler == 0
    assert sh.sighand.action[9].sa_handler == 0x5000


def test_an_exec_that_fails_leaves_everything_shared(k, sh):
    child = k.task(k.call(sh, "clone", flags.CLONE_FILES | SIGCHLD))
    before = stage.ground(k)
    with pytest.raises(FileNotFoundError):
        k.call(child, "execve", "nothing-there")
    assert child.files == sh.files
    assert sh.files.count == 2
    assert stage.ground(k) == before


def test_the_trace_tells_which_thread_has_taken_over():
    k = ks.boot()
    sh = k.spawn("sh")
    k.machine.programs["new"] = None
    thread = k.task(k.call(sh, "clone", PTHREAD))
    tid, now = thread.pid, k.now
    k.call(thread, "execve", "new")
    (told,) = [e.fields for e in k.events(now) if e.name == "sched_process_exec"]
    assert (told["pid"], told["old_pid"]) == (3, tid)


# --- vfork ------------------------------------------------------------------------------------


def test_vfork_waits_until_the_child_has_given_the_memory_back(k, sh):
    assert k.call(sh, "vfork") is ks.PENDING
    child = k.tasks()[-1]
    assert child.mm == sh.mm
    assert sh.state == sched.TASK_KILLABLE
    number = child.pid
    k.call(child, "exit", 5)
    assert k.result(sh) == number
    assert k.call(sh, "waitpid", -1, 0) == (number, 5 << 8)


def test_vfork_ends_at_the_childs_exec(k, sh):
    k.machine.programs["new"] = None
    assert k.call(sh, "vfork") is ks.PENDING
    child = k.tasks()[-1]
    k.call(child, "execve", "new")
    assert k.result(sh) == child.pid
    assert child.mm != sh.mm


def test_a_vfork_parent_can_be_killed_and_only_killed(k, sh):
    shell = k.spawn("killer")
    parent = k.task(k.call(shell, "fork"))
    number = parent.pid
    assert k.call(parent, "vfork") is ks.PENDING
    child = k.tasks()[-1]
    k.call(shell, "kill", number, 9)
    assert k.call(shell, "waitpid", number, 0) == (number, 9)
    assert not child.vfork_done
    k.call(child, "exit", 0)


# --- numbers stored in user memory --------------------------------------------------------------


def test_parent_settid_stores_the_number_where_the_parent_says(k, sh):
    where = UserBuffer()
    pid = k.call(sh, 56, flags.CLONE_PARENT_SETTID | SIGCHLD, 0, where, 0, 0)
    assert where.data == pid


def test_child_settid_stores_the_number_when_the_child_runs_first(k, sh):
    where = UserBuffer()
    pid = k.call(sh, 56, flags.CLONE_CHILD_SETTID | SIGCHLD, 0, 0, where, 0)
    k.call(k.task(pid), "getpid")
    assert where.data == pid


def test_child_cleartid_clears_it_when_the_thread_ends(k, sh):
    where = place(-1)
    tid = k.call(sh, 56, PTHREAD, 0, 0, where, 0)
    thread = k.task(tid)
    assert where.data == -1
    k.call(thread, 60, 0)
    assert where.data == 0


# --- clone3 -----------------------------------------------------------------------------------


def clone_args(**given):
    names = ["flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls", "set_tid", "set_tid_size", "cgroup"]  # fmt: skip
    return place(struct.pack("<11Q", *(given.get(name, 0) for name in names)))


def test_clone3_makes_a_process(k, sh):
    pid = k.call(sh, 435, clone_args(exit_signal=SIGCHLD), 88)
    assert k.task(pid).real_parent == sh


@pytest.mark.parametrize(
    ("args", "size", "error"),
    [
        (clone_args(), 4097, "Argument list too long"),
        (clone_args(), 63, "Invalid argument"),
        (None, 88, "Bad address"),
        (place(struct.pack("<11Q", *[0] * 11) + b"\1" * 8), 96, "Argument list too long"),
        (clone_args(set_tid_size=33, set_tid=1), 88, "Invalid argument"),
        (clone_args(set_tid_size=1), 88, "Invalid argument"),
        (clone_args(set_tid=1), 88, "Invalid argument"),
        (clone_args(set_tid=1, set_tid_size=1), 88, "Bad address"),
        (clone_args(exit_signal=0x100), 88, "Invalid argument"),
        (clone_args(exit_signal=65), 88, "Invalid argument"),
        (clone_args(flags=1 << 40), 88, "Invalid argument"),
        (clone_args(flags=flags.CLONE_DETACHED), 88, "Invalid argument"),
        (clone_args(flags=17), 88, "Invalid argument"),
        (clone_args(flags=flags.CLONE_PARENT, exit_signal=17), 88, "Invalid argument"),
        (clone_args(stack=4096), 88, "Invalid argument"),
        (clone_args(stack_size=4096), 88, "Invalid argument"),
        (clone_args(stack=1 << 47, stack_size=4096), 88, "Invalid argument"),
    ],
)
def test_clone3_checks_its_arguments(k, sh, args, size, error):
    with pytest.raises(OSError, match=error):
        k.call(sh, 435, args, size)


def test_clone3_takes_the_short_struct_of_older_programs(k, sh):
    assert k.call(sh, 435, place(clone_args(exit_signal=17).data[:64]), 64) > 0


def test_clear_sighand_resets_the_handlers_but_those_that_ignore(k, sh):
    action = sh.sighand.action
    action[9].sa_handler, action[11].sa_handler = 0x401000, 1
    child = k.task(k.call(sh, 435, clone_args(flags=flags.CLONE_CLEAR_SIGHAND, exit_signal=17), 88))
    assert (child.sighand.action[9].sa_handler, child.sighand.action[11].sa_handler) == (0, 1)
    assert action[9].sa_handler == 0x401000


# --- unshare ----------------------------------------------------------------------------------


def test_unshare_gives_a_task_tables_of_its_own(k, sh):
    child = k.task(k.call(sh, "clone", flags.CLONE_FS | flags.CLONE_FILES | SIGCHLD))
    k.call(child, "unshare", flags.CLONE_FS | flags.CLONE_FILES)
    assert child.fs != sh.fs
    assert child.files != sh.files
    assert (sh.fs.users, sh.files.count, child.fs.users, child.files.count) == (1, 1, 1, 1)


def test_unshare_newpid_moves_the_children_and_not_the_caller(k, sh):
    k.call(sh, "unshare", flags.CLONE_NEWPID)
    assert k.call(sh, "getpid") == sh.pid
    child = k.task(k.call(sh, "fork"))
    assert k.call(child, "getpid") == 1
    for refused in (THREAD,):
        with pytest.raises(OSError, match="Invalid argument"):
            k.call(sh, "clone", refused)
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(sh, "unshare", flags.CLONE_NEWPID)


@pytest.mark.parametrize(
    "refused", [flags.CLONE_PARENT, flags.CLONE_VFORK, 0x80000000000, flags.CLONE_PIDFD]
)
def test_unshare_refuses_what_cannot_be_unshared(k, sh, refused):
    with pytest.raises(OSError, match="Invalid argument"):
        k.call(sh, "unshare", refused)


def test_a_process_with_threads_cannot_unshare_its_memory_or_handlers(k, sh):
    k.call(sh, "clone", PTHREAD)
    for refused in (flags.CLONE_VM, flags.CLONE_SIGHAND, flags.CLONE_THREAD):
        with pytest.raises(OSError, match="Invalid argument"):
            k.call(sh, "unshare", refused)


# --- programs ---------------------------------------------------------------------------------


def test_a_programs_thread_runs_its_function_and_shares_the_memory():
    async def main(libc):
        seen = []

        async def worker(libc):
            seen.append(await libc.gettid())
            return 0

        tid = await libc.clone(PTHREAD, worker)
        while not seen:
            await libc.sched_yield()
        await libc.write(1, b"%d %d" % (await libc.getpid(), seen[0] - tid))

    run = ks.run(main)
    assert (run.stdout, run.status) == (b"2 0", 0)


def test_vfork_in_a_program_lets_the_child_go_first():
    async def main(libc):
        pid = await libc.vfork()
        if pid == 0:
            await libc.write(1, b"child ")
            await libc._exit(3)
        await libc.write(1, b"parent ")
        _, status = await libc.waitpid(pid, 0)
        await libc.write(1, b"%d" % status)

    assert ks.run(main).stdout == b"child parent 768"


def test_no_object_is_left_over(k):
    shell = k.spawn("parent")
    before = stage.ground(k)
    for kind in (PTHREAD, flags.CLONE_VM | SIGCHLD, flags.CLONE_FILES | flags.CLONE_FS | SIGCHLD):
        leader = k.task(k.call(shell, "fork"))
        child = k.task(k.call(leader, "clone", kind))
        k.call(leader, "exit_group", 0)
        if kind != PTHREAD:
            k.call(child, "exit_group", 0)
        k.call(shell, "waitpid", -1, 0)
        assert stage.ground(k) == before
