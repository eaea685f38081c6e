"""Driving puppets: what belongs to a task must not outlive it."""

import kernelsim as ks


def test_a_puppet_at_the_address_of_a_dead_one_is_not_taken_for_it():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    dead = k.task(k.call(sh, "fork"))
    k.call(dead, "exit_group", 0)
    k.call(sh, "waitpid", -1, 0)
    born = k.task(k.call(sh, "fork"))
    assert born.address_ == dead.address_
    for _ in range(3):  # each call interrupts the other one in user mode
        assert k.call(born, "getpid") == born.pid
        assert k.call(sh, "getpid") == sh.pid


def test_a_puppet_killed_in_its_sleep_leaves_its_address_free_as_well():
    k = ks.boot(record=False)
    sh = k.spawn("sh")
    dead = k.task(k.call(sh, "fork"))
    k.call(dead, "fork")
    assert k.call(dead, "waitpid", -1, 0) is ks.PENDING
    k.call(sh, "kill", dead.pid, 9)
    k.call(sh, "waitpid", dead.pid, 0)
    born = k.task(k.call(sh, "fork"))
    assert born.address_ == dead.address_
    for _ in range(3):
        assert k.call(born, "getpid") == born.pid
        assert k.call(sh, "getpid") == sh.pid
