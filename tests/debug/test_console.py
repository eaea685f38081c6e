"""Who wrote what to the serial lines."""

import kernelsim as ks
from kernelsim.debug import console


def test_every_piece_knows_its_writer_and_its_line():
    k = ks.boot()
    sh = k.spawn("sh")
    child = k.task(k.call(sh, "fork"))
    k.call(sh, "write", 1, b"one")
    k.call(child, "write", 2, b"two")
    k.call(sh, "write", 1, b"")
    k.call(child, "write", 1, b"one")
    found = console.Console(k.machine).writes()
    assert [(w.pid, w.line, w.data) for w in found] == [
        (3, 1, b"one"),
        (4, 2, b"two"),
        (4, 1, b"one"),
    ]
    assert [k.machine.trace.event(w.t).name for w in found] == ["tty_write"] * 3


def test_what_it_tells_is_what_left_the_machine_and_it_grows_with_it():
    k = ks.boot()
    sh = k.spawn("sh")
    tty = console.Console(k.machine)
    for number in range(5):
        k.call(sh, "write", 1 + number % 2, b"%d" % number)
        tty.writes()
    found = tty.writes()
    for line in (1, 2):
        assert [w.data for w in found if w.line == line] == k.lines[line]
    assert found == console.Console(k.machine).writes()


def test_a_descriptor_stands_for_what_it_stood_for_then():
    k = ks.boot()
    sh = k.spawn("sh")
    k.call(sh, "write", 1, b"to one")
    k.call(sh, "dup2", 2, 1)
    k.call(sh, "write", 1, b"to two")
    assert [w.line for w in console.Console(k.machine).writes()] == [1, 2]
    assert [k.lines[1], k.lines[2]] == [[b"to one"], [b"to two"]]


def test_what_goes_into_a_pipe_is_not_on_the_terminal():
    k = ks.boot()
    sh = k.spawn("sh")
    k.call(sh, "pipe")
    k.call(sh, "write", 4, b"into the pipe")
    assert console.Console(k.machine).writes() == []
