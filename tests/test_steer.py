"""Who runs next: looked at, chosen, and chosen otherwise in a machine that branches off."""

import pytest

import kernelsim as ks
from kernelsim import steer
from kernelsim.include.uapi.linux import sched


async def race(libc):
    pid = await libc.fork()
    for _ in range(2):
        await libc.write(1, b"p" if pid else b"c")
        await libc.sched_yield()
    if pid:
        await libc.wait()


def raced():
    k = ks.boot()
    bash = k.spawn("bash")
    k.load("race", race)
    k.call(bash, "execve", "race")
    return k


def test_each_choice_between_two_tasks_is_noted_with_its_menu():
    k = raced()
    first = k.chooser.noted[0]
    assert {k.at(first.time).task(pid).address_ for pid in (3, 4)} == {*first.menu}
    assert first.ran == first.cfs
    assert all(len(choice.menu) > 1 for choice in k.chooser.noted)


def test_what_cfs_answers_is_the_task_with_the_least_vruntime_of_those_that_wait():
    k = raced()
    for choice in k.chooser.noted:
        waiting = [q.task.address_ for q in steer.queue(k.at(choice.time))]
        assert [a for a in waiting if a in choice.menu] == list(choice.menu)
        assert choice.cfs == choice.menu[0]


def test_in_a_branch_another_one_runs_next_and_all_before_is_the_same():
    k = raced()
    choice = k.chooser.noted[0]
    assert choice.menu[0] != choice.menu[1]
    other = k.branch(choice.time, k.at(choice.time).task(4))
    asis = k.branch(choice.time)
    assert asis.console == k.console
    assert asis.state_hash() == k.state_hash()
    noted = other.chooser.noted[0]
    assert (noted.time, noted.menu, noted.cfs) == (choice.time, choice.menu, choice.cfs)
    switched = next(e for e in other.events(choice.time) if e.name == "sched_switch")
    assert switched.fields["next_pid"] == other.at(choice.time).task(4).pid


def test_every_single_choice_can_be_turned_round_and_the_program_still_ends():
    k = raced()
    outputs = set()
    for choice in k.chooser.noted:
        for address in choice.menu:
            task = next(
                q.task for q in steer.queue(k.at(choice.time)) if q.task.address_ == address
            )
            other = k.branch(choice.time, task)
            assert sorted(other.console) == sorted(b"ppcc")
            assert [t.pid for t in other.tasks()] == [1, 2]
            outputs.add(other.console)
    assert len(outputs) > 1


def test_a_branch_of_a_branch_keeps_what_was_decided():
    k = raced()
    choice = k.chooser.noted[0]
    wish = next(a for a in choice.menu if a != choice.ran)
    task = next(q.task for q in steer.queue(k.at(choice.time)) if q.task.address_ == wish)
    other = k.branch(choice.time, task)
    assert other.branch().state_hash() == other.state_hash()
    assert other.branch().state_hash() != k.state_hash()


def test_who_could_not_run_cannot_be_chosen():
    k = raced()
    choice = k.chooser.noted[0]
    with pytest.raises(ValueError, match="is not one of those who could run next"):
        k.branch(choice.time, k.init)
    with pytest.raises(ValueError, match="is not one of those who could run next"):
        k.branch(choice.time - 1, k.at(choice.time).task(3))


def test_an_interrupt_lets_somebody_else_run_without_a_call():
    k = ks.boot()
    bash = k.spawn("bash")
    child = k.task(k.call(bash, "fork"))
    assert k.machine.current.pid == bash.pid
    t = k.now
    assert k.run_next(child).pid == child.pid
    assert [(q.task.pid, q.running) for q in steer.queue(k)] == [(3, False), (4, True)]
    names = [e.name for e in k.events(t)]
    assert names.count("sched_switch") == 1
    assert "sys_enter" not in names
    assert k.branch().state_hash() == k.state_hash()
    assert k.call(bash, "getpid") == bash.pid


def test_the_schedulers_own_answer_is_the_least_vruntime():
    k = ks.boot()
    bash = k.spawn("bash")
    for _ in range(3):
        k.call(bash, "fork")
    for _ in range(30):
        ran = k.run_next()
        least = min(q.lead for q in steer.queue(k))
        assert next(q.lead for q in steer.queue(k) if q.running) <= least + 2_000
        assert next(q.task.pid for q in steer.queue(k) if q.running) == ran.pid
    assert k.branch().state_hash() == k.state_hash()


def test_who_sleeps_cannot_run_next():
    k = ks.boot()
    with pytest.raises(ValueError, match="task 1 does not wait for the CPU: its state is S"):
        k.run_next(k.init)


def test_a_rebooted_machine_has_the_same_programs_and_parameters_and_no_past():
    k = raced()
    assert isinstance(k.call(k.init, "exit", 0), ks.Panic)
    again = k.reboot()
    assert (again.panic, [t.pid for t in again.tasks()]) == (None, [1, 2])
    bash = again.spawn("bash")
    again.call(bash, "execve", "race")
    assert again.console == k.console


def test_what_can_be_called_is_read_off_libc_and_the_table():
    calls = steer.libc_calls()
    assert list(calls["kill"][1]) == ["pid", "sig"]
    assert calls["getpid"] == ("The number of this process.", {})
    assert {"fork", "clone", "wait4", "exit_group"} <= steer.system_calls()
    assert "reboot" not in steer.system_calls()
    known = sched.CLONE_NEWPID | sched.CLONE_PARENT
    assert steer.clone_flags() & known == known
