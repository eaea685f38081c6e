"""Namespaces, users, names, pidfds and polling in words: what strace 6.1 has printed of a C program."""

import pytest

import kernelsim as ks
from kernelsim.include.uapi.linux import sched

POLLIN, POLLOUT = 1, 4


def words(*calls):
    k = ks.boot()
    sh = k.spawn("sh")
    since, answers = k.now, []
    for name, *args in calls:
        try:
            answers.append(k.call(sh, name, *args))
        except OSError:
            answers.append(None)
    rows = [row for row in k.strace(since).splitlines() if "---" not in row]
    return [row.partition("] ")[2].replace("  ", "") for row in rows if "[pid     3]" in row]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (("unshare", 0x24000000), "unshare(CLONE_NEWUTS|CLONE_NEWPID)= 0"),
        (("unshare", 17), "unshare(0x11 /* CLONE_??? */)= -1 EINVAL (Invalid argument)"),
        (("sethostname", "box"), 'sethostname("box", 3)= 0'),
        (("setns", 99, sched.CLONE_NEWUTS), "setns(99, CLONE_NEWUTS)= -1 EBADF (Bad file"),
        (("setns", 99, 5), "setns(99, 0x5 /* CLONE_NEW??? */)= -1 EBADF"),
        (("uname",), 'uname({sysname="Linux", nodename="(none)", ...}) = 0'),
        (
            ("readlink", "/proc/self/ns/pid"),
            'readlink("/proc/self/ns/pid", "pid:[4026531836]", 4096) = 16',
        ),
        (("setgroups", [4, 5]), "setgroups(2, [4, 5])= 0"),
        (("getgroups",), "getgroups(65536, []) = 0"),
        (("setresuid", 1000, -1, 0), "setresuid(1000, -1, 0)= 0"),
        (("setreuid", -1, 1000), "setreuid(-1, 1000)= 0"),
        (("getresuid",), "getresuid([0], [0], [0])= 0"),
        (("pidfd_open", 1, 0o4000), "pidfd_open(1, PIDFD_NONBLOCK)= 3"),
        (("pidfd_open", 1, 1), "pidfd_open(1, 0x1 /* PIDFD_??? */)= -1 EINVAL"),
        (("pidfd_send_signal", 9, 15), "pidfd_send_signal(9, SIGTERM, NULL, 0)= -1 EBADF"),
        (("poll", [], 0), "poll([], 0, 0)= 0 (Timeout)"),
        (("poll", [(-1, POLLIN)], 0), "poll([{fd=-1}], 1, 0)= 0 (Timeout)"),
        (
            ("poll", [(0, POLLOUT), (99, POLLIN | POLLOUT)], 1000),
            (
                "poll([{fd=0, events=POLLOUT}, {fd=99, events=POLLIN|POLLOUT}], 2, 1000) = "
                "2 ([{fd=0, revents=POLLOUT}, {fd=99, revents=POLLNVAL}])"
            ),
        ),
        (
            ("ppoll", [(-1, 0)], (0, 5)),
            "ppoll([{fd=-1}], 1, {tv_sec=0, tv_nsec=5}, NULL, 8) = 0 (Timeout)",
        ),
        (
            ("clone_pidfd", 17),
            "clone(child_stack=NULL, flags=CLONE_PIDFD|SIGCHLD, parent_tid=[3]) = 4",
        ),
    ],
)
def test_a_call_reads_as_with_strace(call, expected):
    (found,) = words(call)[:1]
    assert found.replace(" = ", "= ").startswith(expected.replace(" = ", "= "))
