"""strace's text: the same lines as the real strace prints of the same calls."""

import re
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.debug import strace, strace_args
from kernelsim.include.uapi.asm import signal
from kernelsim.user.libc import UserBuffer

DATA = Path(__file__).resolve().parents[1] / "data" / "strace"
BUFFER = re.compile(r"\b0x7f\w+")


# --- against the real one --------------------------------------------------------------------


# The puppets' calls of family.c: nothing here but its steps.
class Family:
    def __init__(self):
        self.k = ks.boot()
        self.k.machine.symbol("init_pid_ns").idr.idr_next = 5000  # no pid looks like a descriptor
        self.me = self.k.spawn("family")
        self.start, self.pid = self.k.now, self.me.pid
        self.begin()
        self.killed()
        self.refused()
        self.files()

    def call(self, *call, by=None):
        try:
            return self.k.call(by or self.me, *call)
        except OSError as error:
            return -error.errno

    def fork(self, *call):
        return self.k.task(self.call(*(call or ("fork",))))

    def begin(self):
        self.call("umask", 0o77)
        self.call("umask", 0o22)
        self.call("pipe2", 0)
        child = self.fork()
        self.call("read", 3, 10, by=child)
        self.call("nanosleep", 0, 50_000_000)
        self.call("write", 4, b"hi\n")
        self.call(61, child.pid, UserBuffer(), 2 | 8, None)
        self.call("write", 1, b'a\x011\x02x\v\f\r\t\n"\\\x7f\x80', by=child)
        self.call("write", 1, b"the quick brown fox jumps over the lazy dog\n", by=child)
        self.call("close", 77, by=child)
        self.call("exit_group", 300, by=child)

    def killed(self):
        child = self.fork()
        self.call("pause", by=child)
        self.call("nanosleep", 0, 50_000_000)
        self.call("kill", child.pid, signal.SIGTERM)
        self.call(61, -1, UserBuffer(), 0, None)
        child = self.fork("clone", signal.SIGCHLD)
        self.call("read", 3, 10, by=child)
        self.call("nanosleep", 0, 50_000_000)
        self.call("kill", child.pid, signal.SIGKILL)
        self.call(61, child.pid, None, 0x40000000, None)

    def refused(self):
        self.call(61, -1, UserBuffer(), 1, None)
        self.call(61, -1, None, 0x60, None)
        for sig in (signal.SIGUSR1, 34, 0):
            self.call("kill", 999999, sig)
        restart = signal.SA_NOCLDSTOP | signal.SA_RESTART
        for sig, action in (
            (signal.SIGCHLD, (1, 0)),
            (signal.SIGCHLD, (0, restart)),
            (signal.SIGKILL, (1, 0)),
        ):
            self.call("rt_sigaction", sig, action, None, 8)
        self.call("read", 77, 10)
        self.call("lseek", 3, 5, 1)

    def files(self):
        self.call("dup", 4)
        self.call("dup2", 4, 9)
        self.call("setpgid", 0, 0)
        self.call("setsid")
        self.call("open", "/dev/null", 2, 0)
        self.call("open", "/no/such\n", 0o4101, 0o666)
        self.call("pipe2", 0o2004000)
        self.call("pipe2", 1)
        self.call("sched_yield")
        self.call(9999, 1, 2, 3)
        self.call("getpid")
        self.call("exit_group", 5)


# Every process's lines, whole: the halves of a call that was cut are put together; processes by
# the order in which they appear, their numbers and the addresses of user memory as names.
def by_process(text, first):
    numbers = [
        first,
        *map(
            int,
            re.findall(r"(?:fork\(\)|clone\(.*|fork resumed>\)|clone resumed>\)) += (\d+)", text),
        ),
    ]
    lines = {number: [] for number in numbers}
    for line in text.splitlines():
        prefix, _, rest = line.rpartition("] ") if line.startswith("[pid") else ("", "", line)
        lines.setdefault(int(prefix[4:]) if prefix else first, []).append(rest)
    names = {str(number): f"P{i}" for i, number in enumerate(numbers)}
    named = re.compile(rf"\b({'|'.join(names)})\b")
    whole = (join(lines[number]) for number in numbers)
    return [
        [BUFFER.sub("BUFFER", named.sub(lambda m: names[m[0]], line)) for line in process]
        for process in whole
    ]


def join(lines):
    out = []
    for line in lines:
        half = re.fullmatch(r"<\.\.\. \w+ resumed>(.*)", line)
        if half and out and out[-1].endswith(" <unfinished ...>"):
            out[-1] = out[-1].removesuffix(" <unfinished ...>") + half[1]
        else:
            out.append(line)
    return [re.sub(r"\) += ", ") = ", line) for line in out if not line.startswith("--- SIGCHLD")]


def test_the_lines_of_every_process_are_those_of_the_real_strace():
    family = Family()
    real = (DATA / "family.txt").read_text(encoding="utf-8")
    first = int(re.search(r"^getpid\(\) += (\d+)", real, re.MULTILINE)[1])
    ours = by_process(family.k.strace(family.start), family.pid)
    theirs = by_process(real, first)
    assert len(theirs) == 4
    for mine, real_lines in zip(ours, theirs, strict=True):
        assert mine == real_lines


# --- the text by itself ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def text():
    family = Family()
    return family.k.strace(family.start)


def test_the_equals_signs_stand_in_column_40_where_there_is_room(text):
    real = (DATA / "family.txt").read_text(encoding="utf-8")
    for lines in (text.splitlines(), real.splitlines()):
        calls = [m for line in lines if (m := re.match(r"(.*?\)) +(?== )", line))]
        assert [m.end() for m in calls] == [max(40, len(m[1]) + 1) for m in calls]
        assert len(calls) > 30


def test_every_line_says_whose_it_is(text):
    assert all(re.match(r"\[pid +\d+\] ", line) for line in text.splitlines())


def test_a_call_that_sleeps_is_cut_and_resumed():
    k = ks.boot()
    sh, since = k.spawn("sh"), k.now
    child = k.task(k.call(sh, "fork"))
    k.call(sh, "waitpid", -1, 0)
    k.call(child, "getpid")
    k.call(child, "exit_group", 1)
    assert k.strace(since) == (
        "[pid     3] fork()                      = 4\n"
        "[pid     3] wait4(-1,  <unfinished ...>\n"
        "[pid     4] getpid()                    = 4\n"
        "[pid     4] exit_group(1)               = ?\n"
        "[pid     4] +++ exited with 1 +++\n"
        "[pid     3] <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 1}], 0, NULL) = 4\n"
    )


def test_a_handler_for_a_signal_and_the_call_that_it_interrupts_are_shown():
    k = ks.boot()
    sh, since = k.spawn("sh"), k.now
    k.call(sh, "exit_group", 9)  # init, in pause(), hears of it
    lines = k.strace(since).splitlines()
    siginfo = "si_code=CLD_EXITED, si_pid=3, si_uid=0, si_status=9, si_utime=0, si_stime=0"
    assert lines[2:5] == [
        "[pid     1] pause()                     = ? ERESTARTNOHAND (To be restarted if no handler)",
        f"[pid     1] --- SIGCHLD {{si_signo=SIGCHLD, {siginfo}}} ---",
        "[pid     1] wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 9}], WNOHANG, NULL) = 3",
    ]
    assert lines[-1] == "[pid     1] pause( <unfinished ...>"


def test_a_window_begins_and_ends_anywhere():
    family = Family()
    k, whole = family.k, family.k.strace()
    for t in range(0, k.now, 97):
        before, after = k.strace(0, t), k.strace(t)
        whole_lines = {line.partition(" <unfinished")[0] for line in whole.splitlines()}
        for line in before.splitlines()[:-1]:
            assert line.partition(" <unfinished")[0] in whole_lines
        assert after.count("+++") + before.count("+++") == whole.count("+++")


def test_without_a_record_there_is_nothing_to_print():
    k = ks.boot(record=False)
    k.spawn("sh")
    assert k.strace() == ""


# --- words, as strace 6.1 printed them -------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", '""'),
        (b'a\0011\2x\v\f\r\t\n"\\\177\200', r'"a\0011\2x\v\f\r\t\n\"\\\177\200"'),
        (b"abcdefghijklmnopqrstuvwxyz012345", '"abcdefghijklmnopqrstuvwxyz012345"'),
        (b"abcdefghijklmnopqrstuvwxyz0123456", '"abcdefghijklmnopqrstuvwxyz012345"...'),
    ],
)
def test_a_string_is_quoted_as_in_c_and_cut(data, expected):
    assert strace_args.quote(data) == expected


@pytest.mark.parametrize(
    ("sig", "expected"),
    [
        (0, "0"),
        (-1, "-1"),
        (9, "SIGKILL"),
        (31, "SIGSYS"),
        (32, "SIGRTMIN"),
        (33, "SIGRT_1"),
        (64, "SIGRT_32"),
        (65, "65"),
    ],
)
def test_a_signal_has_the_name_that_it_has_there(sig, expected):
    assert strace_args.signal_name(sig) == expected


def wait4(status, ret=7):
    place = UserBuffer()
    place.data = status
    return strace_args.arguments("wait4", (-1, place, 0, None), ret)[1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x2C00, "[{WIFEXITED(s) && WEXITSTATUS(s) == 44}]"),
        (11, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV}]"),
        (11 | 0x80, "[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}]"),
        (0x137F, "[{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}]"),
        (0xFFFF, "[{WIFCONTINUED(s)}]"),
    ],
)
def test_a_status_word_is_taken_apart(status, expected):
    assert wait4(status) == expected


# strace 6.1 of `env -i /xxx…`: a path is whole, a string is not.
_LONG = f'"/{"x" * 100}", ["/{"x" * 31}"...], 0x7ffc0000 /* 0 vars */'


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        (
            "wait4",
            (-1, None, -1, None),
            "-1, NULL, WNOHANG|WEXITED|WSTOPPED|WCONTINUED|WNOWAIT|__WCLONE|__WALL|__WNOTHREAD|0x1efffff0, NULL",
        ),
        ("wait4", (1, None, 0x10, None), "1, NULL, 0x10 /* W??? */, NULL"),
        ("clone", (0x10000200,), "child_stack=NULL, flags=CLONE_FS|CLONE_NEWUSER"),
        ("clone", (0x100FF | 0x200,), "child_stack=NULL, flags=CLONE_FS|CLONE_THREAD|255"),
        ("clone", (0xA0000011,), "child_stack=NULL, flags=CLONE_NEWPID|CLONE_IO|SIGCHLD"),
        ("clone", (17,), "child_stack=NULL, flags=SIGCHLD"),
        ("rt_sigaction", (17, None, None, 8), "SIGCHLD, NULL, NULL, 8"),
        (
            "rt_sigaction",
            (9, (0, 0x10000005, 0), None, 8),
            "SIGKILL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=SA_RESTART|SA_SIGINFO|SA_NOCLDSTOP}, NULL, 8",
        ),
        (
            "rt_sigaction",
            (9, (0x401000, 7, 1 << 16), None, 8),
            "SIGKILL, {sa_handler=0x401000, sa_mask=[CHLD], sa_flags=SA_SIGINFO|SA_NOCLDSTOP|SA_NOCLDWAIT}, NULL, 8",
        ),
        (
            "rt_sigaction",
            (99, (1, 0, (1 << 64) - 1), None, 8),
            "99, {sa_handler=SIG_IGN, sa_mask=~[], sa_flags=0}, NULL, 8",
        ),
        ("nanosleep", (-1, 2000000000), "{tv_sec=-1, tv_nsec=2000000000}, NULL"),
        ("lseek", (0, 0, 3), "0, 0, SEEK_DATA"),
        ("lseek", (0, 0, 5), "0, 0, 0x5 /* SEEK_??? */"),
        ("umask", (0,), "000"),
        ("umask", (0o777777,), "0177777"),
        ("open", ("/nope\n", 0o2000002, 0o777), '"/nope\\n", O_RDWR|O_CLOEXEC'),
        ("execve", ("/bin/true",), '"/bin/true"'),
        ("execve", ("/" + "x" * 100, ["/" + "x" * 100], []), _LONG),
        (
            "execve",
            ("/x", [b"x", b"a\n"], [b"A=b"]),
            '"/x", ["x", "a\\n"], 0x7ffc0000 /* 1 var */',
        ),
        ("execve", ("/x", [b"x"], []), '"/x", ["x"], 0x7ffc0000 /* 0 vars */'),
        ("execve", ("/x", None, None), '"/x", NULL, NULL'),
        ("fcntl", (3, 1, 7), "3, F_GETFD"),
        ("fcntl", (3, 2, 3), "3, F_SETFD, FD_CLOEXEC|0x2"),
        ("fcntl", (3, 2, 0), "3, F_SETFD, 0"),
        ("fcntl", (3, 3, 0), "3, F_GETFL"),
        ("fcntl", (3, 4, 0o6002), "3, F_SETFL, O_RDWR|O_APPEND|O_NONBLOCK"),
        ("fcntl", (3, 4, 0o4030000), "3, F_SETFL, O_RDONLY|O_SYNC|FASYNC"),
        ("fcntl", (3, 0, 10), "3, F_DUPFD, 10"),
        ("fcntl", (3, 1030, 12884901900), "3, F_DUPFD_CLOEXEC, 12884901900"),
        ("fcntl", (3, 99, 7), "3, 0x63 /* F_??? */, 0x7"),
        ("fcntl", (-1, 1, 0), "-1, F_GETFD"),
        (
            "fcntl",
            (3, 4, -1),
            (
                "3, F_SETFL, O_ACCMODE|O_CREAT|O_EXCL|O_NOCTTY|O_TRUNC|O_APPEND|O_NONBLOCK|O_SYNC"
                "|O_DIRECT|O_LARGEFILE|O_NOFOLLOW|O_NOATIME|O_CLOEXEC|O_PATH|O_TMPFILE|FASYNC"
                "|0xff80003c"
            ),
        ),
        ("dup3", (3, 10, 0o2000000), "3, 10, O_CLOEXEC"),
        ("dup3", (3, 3, 1), "3, 3, 0x1 /* O_??? */"),
        ("close_range", (3, 4294967295, 0), "3, 4294967295, 0"),
        ("close_range", (5, 3, 2), "5, 3, CLOSE_RANGE_UNSHARE"),
        ("close_range", (5, 3, 9), "5, 3, 0x9 /* CLOSE_RANGE_??? */"),
    ],
)
def test_arguments_are_decoded_as_there(name, args, expected):
    assert ", ".join(strace_args.arguments(name, args, -22)) == expected


@pytest.mark.parametrize(
    ("name", "ret", "expected"),
    [
        ("getpid", 12, "12"),
        ("umask", 0, "000"),
        ("umask", 0o22, "022"),
        ("fork", -11, "-1 EAGAIN (Resource temporarily unavailable)"),
        ("read", -512, "? ERESTARTSYS (To be restarted if SA_RESTART is set)"),
        ("fork", -513, "? ERESTARTNOINTR (To be restarted)"),
        ("pause", -514, "? ERESTARTNOHAND (To be restarted if no handler)"),
        ("nanosleep", -516, "? ERESTART_RESTARTBLOCK (Interrupted by signal)"),
    ],
)
def test_results_are_worded_as_there(name, ret, expected):
    assert strace_args.result(name, ret) == expected


@pytest.mark.parametrize(
    ("cmd", "ret", "expected"),
    [
        (1, 1, "0x1 (flags FD_CLOEXEC)"),
        (1, 0, "0"),
        (3, 0x800, "0x800 (flags O_RDONLY|O_NONBLOCK)"),
        (3, 0x8000, "0x8000 (flags O_RDONLY|O_LARGEFILE)"),
        (0, 11, "11"),
        (3, -9, "-1 EBADF (Bad file descriptor)"),
    ],
)
def test_what_fcntl_returns_is_worded_as_there(cmd, ret, expected):
    assert strace_args.result("fcntl", ret, (3, cmd, 0)) == expected


# --- rows, for who follows a machine ----------------------------------------------------------


def test_rows_that_are_read_piece_by_piece_are_those_read_at_once():
    family = Family()
    m = family.k.machine
    whole, piecewise = strace.Strace(m).rows(), strace.Strace(m)
    for t in [*range(0, m.trace.now, 37), m.trace.now]:
        rows = piecewise.rows(t)
        assert [(r.t, r.pid) for r in rows] == [(r.t, r.pid) for r in whole if r.t < t]
    assert rows == whole
    assert "".join(f"[pid {row.pid:5}] {row.text}\n" for row in whole) == family.k.strace()


def test_a_row_knows_what_was_on_the_screen_before_it_was_finished():
    k = ks.boot()
    sh, since = k.spawn("sh"), k.now
    k.call(sh, "pipe")
    k.call(sh, "fork")
    k.call(sh, "waitpid", -1, 0)
    pipe, fork, wait = strace.Strace(k.machine, since).rows()
    assert pipe.text[: pipe.known] == "pipe2("
    assert fork.text[: fork.known] == "fork("
    assert wait.text[: wait.known] == wait.text == "wait4(-1,  <unfinished ...>"
    assert pipe.t < pipe.end < fork.t < fork.end < wait.t == wait.end
    assert k.machine.trace.event(fork.end).fields["ret"] == 4
