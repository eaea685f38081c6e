"""Arguments as the reader types them, and calls as C writes them."""

import inspect

import pytest

import kernelsim as ks
from kernelsim.user import libc
from kernelsim.widget import calls


def test_every_call_offered_is_one_of_libcs_and_takes_as_many_parameters():
    for name, call in calls.CALLS.items():
        assert call.words
        if name == calls.BOMB:
            continue
        parameters = inspect.signature(getattr(libc.Libc, name)).parameters.values()
        needed = sum(p.default is p.empty for p in parameters) - 1
        assert needed <= len(call.parameters) < len(parameters), name


def test_every_call_of_libc_with_plain_arguments_is_offered():
    missing = libc.CALLS - calls.CALLS.keys()
    assert missing <= {"printf", "fflush", "_exit", "exit_group", "wait", "load", "store"} | {
        name for name in libc.CALLS if not plain(name)
    }


def plain(name):
    _, *parameters = inspect.signature(getattr(libc.Libc, name)).parameters.values()
    return all(p.annotation in {"int", "bytes", "str"} for p in parameters)


def test_what_the_form_begins_with_is_accepted_but_for_a_pid_that_only_the_reader_knows():
    for name, call in calls.CALLS.items():
        texts = [p.default or "4" for p in call.parameters]
        assert len(calls.arguments(call, texts)) == len(call.parameters), name


def test_numbers_names_and_text_become_arguments():
    waitpid, kill, write = (calls.CALLS[name] for name in ("waitpid", "kill", "write"))
    assert calls.arguments(waitpid, [" -1 ", "WNOHANG"]) == (-1, 1)
    assert calls.arguments(waitpid, ["\N{MINUS SIGN}1", "0x8"]) == (-1, 8)
    assert calls.arguments(kill, ["4", "SIGKILL"]) == (4, 9)
    assert calls.arguments(kill, ["4", "15"]) == (4, 15)
    assert calls.arguments(write, ["4", " hi€"]) == (4, b" hi\xe2\x82\xac")


@pytest.mark.parametrize(
    ("name", "texts", "words"),
    [
        ("exit", ["abc"], "status is a number, not 'abc'"),
        ("exit", [""], "status is empty: give a number"),
        ("exit", ["1.5"], "status is a number, not '1.5'"),
        ("kill", ["4", "SIGFOO"], "sig is a number, not 'SIGFOO'"),
        ("kill", ["4"], "kill() takes 2 arguments, not 1"),
    ],
)
def test_what_cannot_be_an_argument_is_refused_with_a_sentence(name, texts, words):
    with pytest.raises(ValueError, match=r".") as caught:
        calls.arguments(calls.CALLS[name], texts)
    assert str(caught.value) == words


def test_a_call_is_written_as_in_c():
    assert calls.written("fork", ()) == "fork()"
    assert calls.written("kill", (4, 9)) == "kill(4, SIGKILL)"
    assert calls.written("write", (4, b'a"b\n')) == 'write(4, "a\\"b\\n")'
    assert calls.written("frok", (1,)) == "frok(1)"


def test_flags_are_given_by_name_and_written_so():
    clone, waitpid = calls.CALLS["clone"], calls.CALLS["waitpid"]
    assert calls.arguments(clone, ["CLONE_VM|CLONE_FILES|SIGCHLD"]) == (0x500 | 17,)
    assert calls.arguments(clone, ["CLONE_THREAD|no signal"]) == (0x10000,)
    assert calls.written("clone", (0x500 | 17,)) == "clone(CLONE_VM|CLONE_FILES|SIGCHLD)"
    assert calls.written("clone", (0x500,)) == "clone(CLONE_VM|CLONE_FILES|no signal)"
    assert calls.arguments(waitpid, ["-1", "__WCLONE|WNOHANG"]) == (-1, 1 - (1 << 31))
    assert calls.written("waitpid", (-1, 1 - (1 << 31))) == "waitpid(-1, WNOHANG|__WCLONE)"
    assert calls.written("waitpid", (-1, 0)) == "waitpid(-1, 0)"


def test_an_unknown_call_is_refused_by_name():
    with pytest.raises(ValueError, match="no call 'frok'; it has fork, exit"):
        ks.widget.explore(ks.boot(), calls=["fork", "frok"])
