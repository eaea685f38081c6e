"""What the Linux Test Project expects, where a program can't show it on the reader's own Linux.

Each case is named after the test of the Linux Test Project that publishes the expectation; the
words and the code are ours.  What plain Python can call on Linux too is in kernelsim/user/programs
and decided there (tests/oracle); docs/ltp.md has every case with its place.

Left out, each for what it needs:
- other users: unshare02 as nobody, prctl06
- regular files, directories, /proc: fork10, the working directory in clone02 and vfork01, unshare04,
  the second halves of gettid01 and prctl05; a pipe stands in for the files of fork07, fork08, exit02
- sysctls: unshare03 (nr_open)
- core files: bit 0x80 of the status in kill11 and waitpid01, CLD_DUMPED in waitid10
- namespaces but those of numbers: clone09, most of clone11 and clone304, a case of unshare01
- control groups: clone303; pidfds: a case each of clone301 and clone302; futexes: a step of clone08
- what a C library does: clone04 (a NULL stack), the environment in clone06 and fork04
- segments, areas and thread-local storage: fork05, fork14, clone10; siginfo: half of sigaction01
- what else prctl has: most of prctl02, prctl07 to prctl10
"""

import errno
import re
import struct
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import prctl
from kernelsim.include.uapi.linux import sched as flags
from kernelsim.user import programs
from tests.kernel import stage

SIGCHLD, USR1, USR2 = signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2
ROOT = Path(__file__).resolve().parent.parent.parent
THREAD = flags.CLONE_VM | flags.CLONE_SIGHAND | flags.CLONE_THREAD
BAD = (1 << 64) - 1  # (void *) -1


def fork(k, task):
    return k.task(k.call(task, "fork"))


# --- clone, clone3 ------------------------------------------------------------------------------


def test_clone01_clone03_wait_returns_what_clone_returned_and_the_child_is_it(k, sh):
    pid = k.call(sh, "clone", SIGCHLD)
    assert k.call(k.task(pid), "getpid") == pid
    k.call(k.task(pid), "exit", 0)
    assert k.call(sh, "wait") == (pid, 0)


ALL_SHARED = flags.CLONE_VM | flags.CLONE_FS | flags.CLONE_FILES | flags.CLONE_SIGHAND


@pytest.mark.parametrize("shared", [ALL_SHARED, 0], ids=["clone02-all", "clone02-none"])
def test_what_the_child_changes_is_the_parents_only_if_it_is_shared(k, sh, shared):
    fds, seen = k.call(sh, "pipe"), stage.handle(k, sh, USR2)
    child = k.task(k.call(sh, "clone", shared | SIGCHLD))
    k.call(child, "umask", 0o123)
    k.call(child, "close", fds[0])
    k.call(child, "rt_sigaction", USR2, (signal.SIG_IGN, 0), None, 8)
    k.call(child, "kill", sh.pid, USR2)
    assert (sh.mm == child.mm) == bool(shared)
    assert (k.call(sh, "umask", 0) == 0o123) == bool(shared)
    assert bool(seen) == (not shared)
    if shared:
        assert stage.refused(k, sh, "close", fds[0]) == errno.EBADF
    else:
        assert k.call(sh, "close", fds[0]) is None


def test_clone05_a_vfork_parent_goes_on_when_the_child_has_ended():
    async def main(libc):
        ended = []

        async def child(libc):
            for _ in range(100):
                await libc.sched_yield()
            ended.append(True)

        await libc.clone(flags.CLONE_VM | flags.CLONE_VFORK | SIGCHLD, child)
        await libc.write(1, f"{ended} {await libc.wait()}".encode())

    assert ks.run(main).stdout == b"[True] (3, 0)"


def test_clone07_a_child_that_returns_from_its_function_exits_with_0():
    async def main(libc):
        async def child(libc):
            return 0

        pid = await libc.clone(flags.CLONE_VM | SIGCHLD, child)
        await libc.write(1, f"{await libc.waitpid(pid, 0)}".encode())

    assert ks.run(main).stdout == b"(3, 0)"


def test_clone08_with_clone_parent_the_child_is_a_sibling(k, sh):
    middle = fork(k, sh)
    pid = k.call(middle, "clone", flags.CLONE_PARENT | SIGCHLD)
    assert k.call(k.task(pid), "getppid") == k.call(middle, "getppid") == sh.pid
    assert stage.refused(k, middle, "waitpid", pid, 0) == errno.ECHILD
    k.call(k.task(pid), 60, 0)
    assert k.call(sh, "waitpid", pid, 0) == (pid, 0)


@pytest.mark.parametrize("flag", ["CLONE_CHILD_SETTID", "CLONE_PARENT_SETTID"])
def test_clone08_a_child_finds_its_own_number(k, sh, flag):
    where = stage.place()
    pid = k.call(sh, 56, getattr(flags, flag) | SIGCHLD, 0, where, where, 0)
    assert k.call(k.task(pid), "getpid") == where.data == pid


def test_clone08_a_thread_has_the_process_s_number_and_clears_its_own_at_its_end(k, sh):
    where = stage.place(-1)
    tid = k.call(sh, 56, THREAD | flags.CLONE_CHILD_CLEARTID | SIGCHLD, 0, 0, where, 0)
    assert k.call(k.task(tid), "getpid") == sh.pid
    k.call(k.task(tid), 60, 0)
    assert where.data == 0


def clone_args(**given):
    names = "flags pidfd child_tid parent_tid exit_signal stack stack_size tls set_tid set_tid_size cgroup"
    return stage.place(struct.pack("<11Q", *(given.get(name, 0) for name in names.split())))


@pytest.mark.parametrize(
    ("given", "exit_signal"),
    [
        (0, SIGCHLD),
        (0, USR2),
        (flags.CLONE_FS, SIGCHLD),
        (flags.CLONE_NEWPID, SIGCHLD),
    ],
    ids=lambda value: f"clone301-{value:#x}",
)
def test_the_parent_is_told_of_the_end_by_the_exit_signal(k, sh, given, exit_signal):
    seen = stage.handle(k, sh, exit_signal)
    pid = k.call(sh, 435, clone_args(flags=given, exit_signal=exit_signal), 88)
    k.call(k.task(pid), "exit", 0)
    assert [number for number, *_ in seen] == [exit_signal]
    assert k.call(sh, "waitpid", pid, 0x40000000) == (pid, 0)  # __WALL


@pytest.mark.parametrize(
    ("args", "size", "error"),
    [
        (BAD, 88, errno.EFAULT),
        (clone_args(exit_signal=SIGCHLD), 0, errno.EINVAL),
        (clone_args(exit_signal=SIGCHLD), 63, errno.EINVAL),
        (clone_args(exit_signal=SIGCHLD), 89, errno.EFAULT),
        (clone_args(exit_signal=SIGCHLD, flags=flags.CLONE_SIGHAND), 88, errno.EINVAL),
        (clone_args(flags=flags.CLONE_THREAD), 88, errno.EINVAL),
        (clone_args(flags=flags.CLONE_THREAD, exit_signal=SIGCHLD), 88, errno.EINVAL),
        (clone_args(flags=flags.CLONE_FS | flags.CLONE_NEWNS, exit_signal=17), 88, errno.EINVAL),
        (clone_args(exit_signal=0x100), 88, errno.EINVAL),
        (clone_args(exit_signal=SIGCHLD, stack=0x7000), 88, errno.EINVAL),
        (clone_args(exit_signal=SIGCHLD, stack_size=4), 88, errno.EINVAL),
    ],
    ids=[
        "args",
        "zero-size",
        "short-size",
        "extra-size",
        "sighand-no-vm",
        "thread-no-sighand",
        "thread-with-signal",
        "fs-newns",
        "signal",
        "zero-stack-size",
        "stack",
    ],
)
def test_clone302_what_clone3_refuses(k, sh, args, size, error):
    before = stage.ground(k)
    assert stage.refused(k, sh, 435, args, size) == error
    assert stage.ground(k) == before


def test_clone11_clone304_a_namespace_needs_a_capability(k, sh):
    sh.cred.cap_effective = 0
    assert stage.refused(k, sh, "clone", flags.CLONE_NEWPID | SIGCHLD) == errno.EPERM
    args = clone_args(flags=flags.CLONE_NEWPID, exit_signal=SIGCHLD)
    assert stage.refused(k, sh, 435, args, 88) == errno.EPERM


def test_clone304_a_number_of_ones_choice_needs_a_capability(k, sh):
    k.machine.user_memory[0x7000] = stage.place((4711,))
    args = clone_args(set_tid=0x7000, set_tid_size=1, exit_signal=SIGCHLD)
    assert k.call(sh, 435, args, 88) == 4711
    sh.cred.cap_effective = 0
    k.machine.user_memory[0x7000] = stage.place((4712,))
    assert stage.refused(k, sh, 435, args, 88) == errno.EPERM


# --- vfork --------------------------------------------------------------------------------------


def test_vfork01_the_child_has_the_parents_mask_for_files_and_its_users(k, sh):
    k.call(sh, "umask", 0o27)
    assert k.call(sh, "vfork") is ks.PENDING
    child = k.tasks()[-1]
    assert k.call(child, "umask", 0o27) == 0o27
    assert (child.cred.uid, child.cred.euid) == (sh.cred.uid, sh.cred.euid)
    assert child.fs != sh.fs  # a copy, for CLONE_FS is not given


def test_vfork02_what_is_pending_in_the_parent_is_not_in_the_child(k, sh):
    k.call(sh, "sigprocmask", signal.SIG_BLOCK, {USR1})
    k.call(sh, "kill", sh.pid, USR1)
    assert k.call(sh, "sigpending") == {USR1}
    assert k.call(sh, "vfork") is ks.PENDING
    child = k.tasks()[-1]
    assert k.call(child, "sigpending") == set()
    assert child.blocked == sh.blocked


# --- the end ------------------------------------------------------------------------------------


def test_exit_group01_all_threads_are_gone_and_the_status_is_the_processs():
    async def main(libc):
        if await libc.fork() == 0:

            async def worker(libc):
                while True:
                    await libc.sched_yield()

            for _ in range(4):
                await libc.clone(THREAD, worker)
            await libc.exit_group(4)
        await libc.write(1, f"{await libc.wait()}".encode())

    assert ks.run(main).stdout == b"(3, 1024)"


# --- groups -------------------------------------------------------------------------------------


def test_setpgid03_the_group_of_a_child_is_fixed_by_its_exec(k, sh):
    k.machine.programs["new"] = None
    child = fork(k, sh)
    k.call(child, "execve", "new")
    assert stage.refused(k, sh, "setpgid", child.pid, sh.pid) == errno.EACCES
    assert k.call(child, "setpgid", 0, 0) is None  # of oneself it is not


# --- prctl, unshare -----------------------------------------------------------------------------


def test_prctl05_fifteen_bytes_of_a_name_are_kept(k, sh):
    for name, kept in (
        ("prctl05_test", b"prctl05_test"),
        ("prctl05_test_xxxxx", b"prctl05_test_xx"),
    ):
        k.call(sh, "prctl", prctl.PR_SET_NAME, name)
        assert k.call(sh, "prctl", prctl.PR_GET_NAME) == sh.comm.string_() == kept


@pytest.mark.parametrize("flag", ["CLONE_FILES", "CLONE_FS"])
def test_unshare01_a_table_for_oneself(k, sh, flag):
    table = {"CLONE_FILES": "files", "CLONE_FS": "fs"}[flag]
    child = k.task(k.call(sh, "clone", getattr(flags, flag) | SIGCHLD))
    assert getattr(child, table) == getattr(sh, table)
    k.call(child, "unshare", getattr(flags, flag))
    assert getattr(child, table) != getattr(sh, table)


def test_unshare05_the_first_child_after_it_is_number_1(k, sh):
    k.call(sh, "unshare", flags.CLONE_NEWPID)
    child = fork(k, sh)
    assert (k.call(child, "getpid"), k.call(child, "getppid")) == (1, 0)
    number = child.pid
    k.call(child, "exit", 0)
    assert k.call(sh, "wait") == (number, 0)


# --- the table ----------------------------------------------------------------------------------


# The cells of each row of docs/ltp.md: case, our tests, result.
def rows():
    page = (ROOT / "docs/ltp.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# The names of the tests in the files of tests/kernel that match `pattern`.
def written_in(pattern):
    files = sorted(Path(__file__).parent.glob(pattern))
    sources = [path.read_text(encoding="utf-8") for path in files]
    return {
        name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)
    }


def test_the_table_says_of_every_case_where_it_is_tested_or_why_not():
    table = rows()
    assert len({case for case, _, _ in table}) == len(table) > 100
    assert all(bool(ours) != result.startswith("left out: ") for _, ours, result in table)
    named = {name for _, ours, _ in table for name in re.findall(r"`(\w+)`", ours)}
    assert named - set(programs.ALL) - written_in("test_*.py") == set()


def test_the_table_has_every_test_that_was_written_for_it():
    page = (ROOT / "docs/ltp.md").read_text(encoding="utf-8")
    modules = (programs.copies, programs.reaping, programs.groups, programs.masks)
    written = {name for module in (*modules, programs.properties) for name in module.__all__}
    written |= {name for name in written_in("test_ltp*.py") if "_the_table_" not in name}
    assert [name for name in sorted(written) if f"`{name}`" not in page] == []
