"""What came of a call, in words. The oracle for statuses and errno is the host's own os module."""

import errno as host_errno
import os
import sys

import pytest

import kernelsim as ks
from kernelsim.include.uapi.asm import errno
from kernelsim.widget import answers

WHO = "task 3 (bash)"


def test_every_errno_of_the_kernel_has_words():
    ours = {n for n, v in vars(errno).items() if n.startswith("E") and v < 512}
    assert ours == set(answers.ERRNO)


@pytest.mark.skipif(sys.platform != "linux", reason="the host's errno are Linux's on Linux only")
def test_errno_are_named_as_on_the_host():
    for number, name in host_errno.errorcode.items():
        if name in answers.ERRNO and name != "EWOULDBLOCK":
            answer = answers.failure(WHO, "f()", OSError(number, ""))
            assert f" {name}" in answer.head


def test_a_wait_status_means_what_the_hosts_macros_say():
    for word in range(0x10000):
        words = answers.status(word)
        if os.WIFEXITED(word):
            assert words == f"exited with status {os.WEXITSTATUS(word)}"
        elif os.WIFSIGNALED(word):
            assert words.startswith("killed by")
        elif os.WIFSTOPPED(word):
            assert words.startswith("stopped by")
        elif os.WIFCONTINUED(word):
            assert words == "goes on"
    assert answers.status(9) == "killed by SIGKILL"
    assert answers.status(19 << 8 | 0x7F) == "stopped by SIGSTOP"


def test_a_result_a_void_result_and_no_result_differ():
    assert str(answers.answer(WHO, "fork()", 4)).startswith(f"{WHO}: fork() = 4: the child is 4")
    assert answers.answer(WHO, "close(3)", None).head == f"{WHO}: close(3) = 0"
    gone = answers.answer(WHO, "exit(0)", None, alive=False)
    assert (gone.kind, gone.head) == ("gone", f"{WHO}: exit(0)")
    assert "does not return" in gone.tail


def test_a_call_that_sleeps_says_where():
    answer = answers.answer(WHO, "waitpid(-1, 0)", ks.PENDING, sleeps_in="do_wait")
    assert answer.kind == "pending"
    assert answer.tail == "sleeps in do_wait(); it returns when the kernel wakes it"


def test_end_of_file_and_bytes_read_differ():
    assert answers.answer(WHO, "read(3, 10)", b"").tail.startswith("end of file")
    assert answers.answer(WHO, "read(3, 10)", b"hi").tail == "2 bytes"


def test_errors_of_every_sort_become_sentences():
    cases = {
        OSError(10, "x"): "errno",
        ks.Panic("Attempted to kill init!"): "panic",
        ks.DeadTask("task 4 is dead: Z"): "refused",
        KeyError("x"): "refused",
        ZeroDivisionError("x"): "refused",
    }
    for error, kind in cases.items():
        answer = answers.failure(WHO, "f()", error)
        assert answer.kind == kind
        assert answer.tail
        assert "Traceback" not in str(answer)
    assert "please report it" in answers.failure(WHO, "f()", ZeroDivisionError("x")).tail
