"""Dying: zombies, orphans, who adopts them, who is told, and what is let go (fact sheet 7, 17, 18)."""

import pytest

import kernelsim as ks
from kernelsim.kernel import exit as kernel_exit
from tests.kernel import stage

NEWPID = 0x20000000


@pytest.fixture
def k():
    return ks.boot()


@pytest.fixture
def sh(k):
    return k.spawn("sh")


def fork(k, task):
    return k.task(k.call(task, "fork"))


def ppid(k, task):
    return k.call(task, "getppid")


# --- the status word (7.7, 18) -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "word"),
    [(0, 0), (3, 0x0300), (255, 0xFF00), (256, 0), (0x1FF, 0xFF00), (-1, 0xFF00)],
)
def test_an_exit_status_keeps_eight_bits_in_the_second_byte(k, sh, status, word):
    child = fork(k, sh)
    k.call(child, "exit_group", status)
    assert child.exit_code == word
    assert k.call(sh, "waitpid", -1, 0) == (4, word)


@pytest.mark.parametrize("sig", [1, 2, 9, 13, 15, 31, 64])
def test_a_signal_is_the_low_byte_of_the_status(k, sh, sig):
    child = fork(k, sh)
    k.call(sh, "kill", child.pid, sig)
    assert (child.exit_code, child.exit_state) == (sig, 0x20)
    assert k.call(sh, "waitpid", -1, 0) == (4, sig)


# --- the zombie --------------------------------------------------------------------------------


def test_a_zombie_has_let_go_of_everything_but_its_name_and_numbers(k, sh):
    k.call(sh, "pipe")
    child = fork(k, sh)
    number = child.pid
    k.call(child, "exit_group", 5)
    assert (child.state, child.exit_state, child.exit_code) == (0x80, 0x20, 0x500)
    assert (child.mm, child.files, child.fs, child.nsproxy) == (0, 0, 0, 0)
    assert child.flags & 0x4  # PF_EXITING
    assert child.signal.live == 0
    assert child.signal.nr_threads == 1
    assert child.comm.string_() == b"sh"
    assert child.thread_pid.numbers[0].nr == number
    assert k.task(number) == child
    assert (child.usage, child.rcu_users, child.stack, child.stack_refcount) == (1, 1, 0, 0)
    stage.check(k)
    k.machine.symbol("init_pid_ns").idr.idr_next = number
    assert k.call(sh, "fork") == number + 1  # its number is not free


def test_signals_do_nothing_to_a_zombie_and_say_that_they_worked(k, sh):
    child = fork(k, sh)
    number = child.pid
    k.call(child, "exit_group", 0)
    for sig in (9, 15, 18, 0):
        assert k.call(sh, "kill", number, sig) is None
    assert child.exit_state == 0x20
    assert k.call(sh, "waitpid", number, 0) == (number, 0)
    with pytest.raises(ProcessLookupError):
        k.call(sh, "kill", number, 0)


def test_reaping_gives_back_all_that_is_left(k, sh):
    stage.end(k, sh, k.call(sh, "fork"))
    before = stage.ground(k)
    child = fork(k, sh)
    pid = child.thread_pid
    signal, sighand, cred = child.signal, child.sighand, child.cred
    stage.end(k, sh, child.pid)
    assert stage.ground(k) == before
    for ref, member, who in (
        *((child, "pid", "free_task"), (pid, "count", "put_pid"), (cred, "usage", "put_cred")),
        *((signal, "sigcnt", "put_signal_struct"), (sighand, "count", "__cleanup_sighand")),
    ):
        with pytest.raises(ks.Fault, match=f"use after free, freed by {who} in task {sh.pid}"):
            ref.member_(member)


def test_a_number_lives_as_long_as_a_group_or_a_session_has_it(k, sh):
    leader = fork(k, sh)
    k.call(leader, "setsid")
    member = fork(k, leader)
    number, pid = leader.pid, leader.thread_pid
    stage.end(k, sh, number)
    ns = k.machine.symbol("init_pid_ns")
    assert (pid.count, [bool(pid.tasks[i].first) for i in range(4)]) == (
        1,
        [False, False, True, True],
    )
    with pytest.raises(LookupError):
        k.task(number)
    assert k.call(member, "getsid", 0) == k.call(member, "getpgid", 0) == number
    ns.idr.idr_next = number
    assert k.call(sh, "fork") != number  # still taken
    k.call(member, "exit_group", 0)  # init reaps
    with pytest.raises(ks.Fault, match="use after free, freed by put_pid"):
        _ = pid.count
    ns.idr.idr_next = number
    assert k.call(sh, "fork") == number
    stage.check(k)


# --- orphans -----------------------------------------------------------------------------------


def test_orphans_go_to_init_which_reaps_the_dead_among_them_at_once(k, sh):
    parent = fork(k, sh)
    living, zombie = fork(k, parent), fork(k, parent)
    living.exit_signal = 0
    k.call(zombie, "exit_group", 9)
    number, dead = parent.pid, zombie.pid
    begin = k.now
    k.call(parent, "exit_group", 0)
    assert (living.real_parent, living.parent, living.exit_signal) == (k.init, k.init, 17)
    assert ppid(k, living) == 1
    with pytest.raises(LookupError):
        k.task(dead)
    told = [
        (e.fields["sig"], e.fields["pid"]) for e in k.events(begin) if e.name == "signal_generate"
    ]
    assert told == [(17, 1), (17, sh.pid)]  # init for the zombie, then the shell for the parent
    assert parent.exit_state == 0x20
    assert k.call(sh, "waitpid", number, 0) == (number, 0)
    stage.check(k)


def test_orphans_join_the_end_of_their_new_parents_children_in_order(k, sh):
    own = [fork(k, k.init).pid for _ in range(2)]
    parent = fork(k, sh)
    orphans = [fork(k, parent).pid for _ in range(3)]
    k.call(parent, "exit_group", 0)
    names = {t.sibling.address_: t.pid for t in k.tasks()}
    found, node = [], k.init.children.next
    while node != k.init.children:
        found.append(names[node.address_])
        node = node.next
    assert found == [sh.pid, *own, *orphans]


def test_the_children_of_a_dead_zombie_are_not_left_behind(k, sh):
    parent = fork(k, sh)
    child = fork(k, parent)
    grandchild = fork(k, child)
    for task in (child, parent):
        k.call(task, "exit_group", 0)
    assert ppid(k, grandchild) == 1
    assert grandchild.real_parent == k.init
    stage.check(k)


def test_the_nearest_living_subreaper_adopts(k, sh):
    upper = fork(k, sh)
    upper.signal.is_child_subreaper = 1
    lower = fork(k, upper)
    assert (lower.signal.is_child_subreaper, lower.signal.has_child_subreaper) == (0, 1)
    lower.signal.is_child_subreaper = 1
    parent = fork(k, lower)
    orphan = fork(k, parent)
    assert orphan.signal.has_child_subreaper == 1
    k.call(parent, "exit_group", 0)
    assert orphan.real_parent == lower
    k.call(lower, "waitpid", -1, 0)
    k.call(lower, "exit_group", 0)
    assert orphan.real_parent == upper
    k.call(upper, "exit_group", 0)
    assert orphan.real_parent == k.init


def test_a_subreaper_outside_of_the_namespace_does_not_adopt(k, sh):
    sh.signal.is_child_subreaper = 1
    inner = k.task(k.call(sh, "clone", NEWPID | 17))
    k.call(inner, "fork")
    parent = k.tasks()[-1]
    assert k.call(parent, "fork") == 3
    orphan = k.tasks()[-1]
    k.call(parent, "exit_group", 0)
    assert orphan.real_parent == inner
    assert k.call(orphan, "getppid") == 1


def test_orphans_of_a_thread_go_to_a_thread_of_the_same_process(k, sh):
    leader = fork(k, sh)
    thread = stage.clone(k, leader, stage.PTHREAD)
    child = fork(k, thread)
    assert child.real_parent == thread
    stage.inside(k, thread, kernel_exit.do_exit(k.machine, 0))
    assert child.real_parent == leader
    assert child.exit_state == 0
    stage.check(k)


def test_a_parent_that_ignores_sigchld_has_no_zombies(k, sh):
    k.call(sh, "rt_sigaction", 17, (1, 0), None, 8)  # SIG_IGN
    before = k.slabs()
    child = fork(k, sh)
    number = child.pid
    begin = k.now
    k.call(child, "exit_group", 0)
    assert [e for e in k.events(begin) if e.name == "signal_generate"] == []
    with pytest.raises(ChildProcessError):
        k.call(sh, "waitpid", number, 0)
    assert k.slabs() == before


def test_a_parent_that_wants_no_zombies_is_told_all_the_same(k, sh):
    k.call(sh, "rt_sigaction", 17, (0, 2), None, 8)  # SIG_DFL, SA_NOCLDWAIT
    child = fork(k, sh)
    begin = k.now
    k.call(child, "exit_group", 0)
    assert [e.fields["sig"] for e in k.events(begin) if e.name == "signal_generate"] == [17]
    with pytest.raises(ChildProcessError):
        k.call(sh, "waitpid", -1, 0)


@pytest.mark.parametrize("sig", [0, 10, 65, 200])
def test_another_exit_signal_or_none_makes_a_zombie_all_the_same(k, sh, sig):
    k.call(sh, "rt_sigaction", 10, (1, 0), None, 8)
    k.call(sh, "rt_sigaction", 17, (1, 0), None, 8)  # it is not SIGCHLD that counts here
    child = k.task(k.call(sh, "clone", sig))
    begin = k.now
    k.call(child, "exit_group", 1)
    sent = [e.fields["sig"] for e in k.events(begin) if e.name == "signal_generate"]
    assert sent == ([10] if sig == 10 else [])
    assert child.exit_state == 0x20
    assert k.call(sh, "waitpid", -1, 0x40000000) == (4, 0x100)


def test_after_an_exec_the_parent_is_told_by_sigchld_whatever_was_agreed(k, sh):
    child = k.task(k.call(sh, "clone", 10))
    k.call(sh, "execve", "sh")  # self_exec_id is another now
    begin = k.now
    k.call(child, "exit_group", 0)
    assert [e.fields["sig"] for e in k.events(begin) if e.name == "signal_generate"] == [17]


# --- the end of everything ---------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [(0, "0x00000000"), (3, "0x00000300")])
def test_the_exit_of_init_is_a_panic_and_names_the_status(k, status, code):
    panic = k.call(k.init, "exit_group", status)
    assert isinstance(panic, ks.Panic)
    assert panic.reason == f"Attempted to kill init! exitcode={code}"
    assert k.init.exit_state == 0  # it has not got that far


def test_the_idle_task_can_not_exit(k):
    with pytest.raises(ks.Panic, match="Attempted to kill the idle task!"):
        drive(kernel_exit.do_exit(as_idle(k), 0))


def as_idle(k):
    assert k.machine.current.pid == 0
    return k.machine


def drive(coroutine):
    coroutine.send(None)


def test_one_that_dies_in_the_kernel_dies_of_a_segmentation_fault(k, sh):
    child = fork(k, sh)
    number = child.pid

    async def wild():
        return k.machine.read_u64(0x10)

    with pytest.raises(ks.Fault, match="NULL pointer"):
        stage.inside(k, child, wild())
    assert (child.exit_state, child.exit_code) == (0x20, 11)
    assert k.call(sh, "waitpid", number, 0) == (number, 11)
    assert [e.fields for e in k.events() if e.name == "oops"] == [{"pid": number}]


def test_one_that_meets_a_bug_of_ours_dies_too_and_the_others_go_on(k, sh):
    child = fork(k, sh)

    async def bug():
        raise KeyError("bug")

    with pytest.raises(KeyError):
        stage.inside(k, child, bug())
    assert k.call(sh, "waitpid", -1, 0) == (4, 11)
    stage.check(k)
