"""Driving puppets: what belongs to a task must not outlive it."""

import pytest

import kernelsim as ks


def by_exit(k, sh, victim):
    k.call(victim, "exit_group", 0)


def by_a_signal_in_its_sleep(k, sh, victim):
    k.call(victim, "fork")
    assert k.call(victim, "waitpid", -1, 0) is ks.PENDING
    k.call(sh, "kill", victim.pid, 9)


@pytest.mark.parametrize("die", [by_exit, by_a_signal_in_its_sleep])
def test_a_puppet_at_the_address_of_a_dead_one_is_not_taken_for_it(die):
    k = ks.boot(record=False)
    sh, other = k.spawn("sh"), k.spawn("other")
    dead = k.task(k.call(sh, "fork"))
    die(k, sh, dead)
    k.call(sh, "waitpid", dead.pid, 0)
    born = k.task(k.call(sh, "fork"))
    assert born.address_ == dead.address_
    k.call(sh, "exit_group", 0)  # the CPU goes to another one, which waits there in user mode
    k.call(other, "getpid")  # … until it is interrupted there
    assert k.machine.current == other
    assert k.call(born, "getpid") == born.pid


def test_the_result_of_a_dead_puppet_is_not_that_of_the_next_one_at_its_address():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    sleeper = k.task(k.call(sh, "fork"))
    r, w = k.call(sh, "pipe")
    reader = k.task(k.call(sh, "fork"))
    assert k.call(reader, "read", r, 1) is ks.PENDING
    k.call(sh, "write", w, b"x")  # the reader has its answer, and nobody asks for it
    k.call(sh, "kill", reader.pid, 9)
    k.call(sh, "waitpid", reader.pid, 0)
    again = k.task(k.call(sh, "fork"))
    assert again == reader
    assert k.result(again) is None
    assert sleeper
