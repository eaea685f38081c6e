"""References to struct pids, as a reader holds them: counted, refused, told in a branch."""

import errno

import pytest

import kernelsim as ks


@pytest.fixture
def kernel():
    k = ks.boot(memory="40M", pid_max=302)
    k.spawn("sh")
    k.machine.symbol("init_pid_ns").idr.idr_next = 300
    k.call(3, "fork")
    return k


def end(k, number):
    k.call(number, "exit", 0)
    k.call(3, "waitpid", number, 0)


def test_a_reference_outlives_the_number_and_never_leads_to_the_next_who_has_it(kernel):
    k = kernel
    held = k.get_pid(300)
    assert held.pid.count == 2
    assert held.task() == k.task(300)
    end(k, 300)
    assert held.pid.count == 1
    assert [k.call(3, "fork"), k.call(3, "fork")] == [301, 300]
    assert not held.task()
    assert k.task(300).thread_pid != held.pid


def test_the_last_reference_frees_the_struct_pid(kernel):
    k = kernel
    held = k.get_pid(300)
    end(k, 300)
    held.put()
    with pytest.raises(ks.Fault, match="freed by put_pid"):
        held.task()
    with pytest.raises(ks.Fault):
        held.put()


def test_a_number_that_nobody_has_and_a_kind_that_is_none_are_refused(kernel):
    with pytest.raises(OSError, match="No such process") as caught:
        kernel.get_pid(299)
    assert caught.value.errno == errno.ESRCH
    with pytest.raises(TypeError):
        kernel.get_pid("300")
    with pytest.raises(ValueError, match="PID, TGID, PGID, SID"):
        kernel.get_pid(300).task("PPID")


def test_a_branch_holds_what_was_held():
    k = ks.boot(memory="40M")
    k.spawn("sh")
    child = k.call(3, "fork")
    held = k.get_pid(child)
    branch = k.branch()
    assert branch.task(child).thread_pid.count == 2
    held.put()
    assert k.task(child).thread_pid.count == 1
    assert k.branch().task(child).thread_pid.count == 1
    assert branch.task(child).thread_pid.count == 2
