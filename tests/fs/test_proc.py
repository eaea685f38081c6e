"""/proc/PID/stat and status: what they say of a task, in Linux's words."""

import os
from pathlib import Path

import psutil
import pytest

import kernelsim as ks
from kernelsim import host
from kernelsim.include.linux import sched
from kernelsim.include.uapi.asm import signal
from kernelsim.include.uapi.linux import sched as flags
from tests.kernel import stage

# The fields of proc(5), by name; what belongs to memory and to the build is left out.
FIELDS = {
    name: i
    for i, name in enumerate(
        [
            "pid",
            "comm",
            "state",
            "ppid",
            "pgrp",
            "session",
            "tty_nr",
            "tpgid",
            "flags",
            "minflt",
            "cminflt",
            "majflt",
            "cmajflt",
            "utime",
            "stime",
            "cutime",
            "cstime",
            "priority",
            "nice",
            "num_threads",
            "itrealvalue",
            "starttime",
            "vsize",
            "rss",
            "rsslim",
            "startcode",
            "endcode",
            "startstack",
            "kstkesp",
            "kstkeip",
            "signal",
            "blocked",
            "sigignore",
            "sigcatch",
            "wchan",
            "nswap",
            "cnswap",
            "exit_signal",
            "processor",
            "rt_priority",
            "policy",
            "delayacct",
            "guest_time",
            "cguest_time",
            "start_data",
            "end_data",
            "start_brk",
            "arg_start",
            "arg_end",
            "env_start",
            "env_end",
            "exit_code",
        ]
    )
}


def fields(text):
    head, _, tail = text.rpartition(")")
    number, _, comm = head.partition(" (")
    return dict(zip(FIELDS, [number, comm, *tail.split()], strict=True))


def read(k, task, path):
    fd = k.call(task, "open", path, 0)
    data = b""
    while chunk := k.call(task, "read", fd, 100):
        data += chunk
    k.call(task, "close", fd)
    return data.decode()


def status(text):
    return dict(line.split(":\t", 1) for line in text.splitlines())


@pytest.fixture
def kernel():
    return stage.booted()


def test_the_letters_are_those_of_the_states(kernel):
    k, sh = kernel
    child = k.task(k.call(sh, "fork"))
    stat = f"/proc/{child.pid}/stat"
    assert k.call(child, "pause") is ks.PENDING
    assert fields(read(k, sh, stat))["state"] == "S"
    k.call(sh, "kill", child.pid, signal.SIGSTOP)
    assert fields(read(k, sh, stat))["state"] == "T"
    k.call(sh, "kill", child.pid, signal.SIGKILL)
    assert fields(read(k, sh, stat))["state"] == "Z"
    assert "State:\tZ (zombie)" in read(k, sh, f"/proc/{child.pid}/status")
    kept = k.call(sh, "open", stat, 0)
    k.call(sh, "waitpid", child.pid, 0)
    with pytest.raises(OSError, match="No such process"):
        k.call(sh, "read", kept, 100)
    with pytest.raises(OSError, match="No such file"):
        k.call(sh, "open", stat, 0)
    stage.check(k)
    idle, parked = k.kthread_run("idle"), k.kthread_run("parked")
    k.kthread_park(parked)
    assert fields(read(k, sh, f"/proc/{idle.pid}/stat"))["state"] == "I"
    assert fields(read(k, sh, f"/proc/{parked.pid}/stat"))["state"] == "P"
    k.call(sh, "fork")
    vforks = k.task(k.call(sh, "fork"))
    assert k.call(vforks, "vfork") is ks.PENDING
    assert fields(read(k, sh, f"/proc/{vforks.pid}/stat"))["state"] == "D"


def test_kthreadd_reads_as_on_real_linux(kernel):
    k, sh = kernel
    path = Path("/proc/2/stat")
    if not path.exists() or "(kthreadd)" not in path.read_text():
        pytest.skip("pid 2 of this machine can't be seen")
    real, ours = fields(path.read_text()), fields(read(k, sh, "/proc/2/stat"))
    for name in FIELDS.keys() - {"starttime", "stime", "utime", "wchan", "processor", "policy"}:
        assert ours[name] == real[name], name


def test_psutil_parses_what_we_write(kernel, tmp_path):
    k, sh = kernel
    child = k.task(k.call(sh, "clone", flags.CLONE_NEWPID | 17))
    for task in (k.init, sh, child):
        folder = tmp_path / str(task.pid)
        folder.mkdir()
        for name in ("stat", "status"):
            (folder / name).write_text(read(k, sh, f"/proc/{task.pid}/{name}"))
    (tmp_path / "stat").write_text("btime 0\n")
    before, psutil.PROCFS_PATH = psutil.PROCFS_PATH, str(tmp_path)
    try:
        found = psutil.Process(child.pid)
        assert (found.ppid(), found.name(), found.num_threads()) == (sh.pid, "sh", 1)
        assert found.uids() == (0, 0, 0)
        assert found.status() == psutil.STATUS_RUNNING
        assert psutil.Process(sh.pid).ppid() == 1
    finally:
        psutil.PROCFS_PATH = before


def test_each_level_of_namespaces_has_its_number(kernel):
    k, sh = kernel
    first = k.task(k.call(sh, "clone", flags.CLONE_NEWPID | 17))
    k.call(first, "clone", flags.CLONE_NEWPID | 17)
    deepest = k.tasks()[-1]
    lines = status(read(k, sh, f"/proc/{deepest.pid}/status"))
    assert lines["NSpid"].split() == [str(deepest.pid), "2", "1"]
    assert lines["NStgid"] == lines["NSpid"]
    assert lines["NSsid"].split()[1:] == ["0", "0"]
    assert (lines["Pid"], lines["PPid"]) == (str(deepest.pid), str(first.pid))


def test_a_thread_has_a_folder_in_its_processs(kernel):
    k, sh = kernel
    thread = k.call(sh, "clone", stage.PTHREAD)
    assert status(read(k, sh, "/proc/self/status"))["Threads"] == "2"
    lines = status(read(k, sh, f"/proc/self/task/{thread}/status"))
    assert (lines["Pid"], lines["Tgid"]) == (str(thread), str(sh.pid))
    with pytest.raises(OSError, match="No such file"):
        k.call(sh, "open", f"/proc/1/task/{thread}/status", 0)


# What does not depend on the machine: signals, threads, the name, users, the umask.
async def _program(libc):
    async def handler(sig):
        pass

    await libc.signal(signal.SIGUSR1, handler)
    await libc.signal(signal.SIGHUP, signal.SIG_IGN)
    await libc.sigprocmask(0, [signal.SIGTERM, signal.SIGUSR2])
    await libc.kill(await libc.getpid(), signal.SIGTERM)
    await libc.prctl(15, "a) (b\\")
    await libc.umask(0o27)
    fd = await libc.open("/proc/self/stat", 0)
    words = fields((await libc.read(fd, 4000)).decode())
    names = ("comm", "state", "tty_nr", "nice", "priority", "num_threads", "itrealvalue", "signal")
    names += ("blocked", "exit_signal", "rt_priority", "policy", "cguest_time", "exit_code")
    await libc.write(1, repr([words[name] for name in names]).encode())
    bits = 1 << signal.SIGUSR1 - 1 | 1 << signal.SIGHUP - 1
    await libc.write(
        1, f"{int(words['sigignore']) & bits} {int(words['sigcatch']) & bits}".encode()
    )
    fd = await libc.open("/proc/self/status", 0)
    lines = status((await libc.read(fd, 8000)).decode())
    for name in ("Name", "Umask", "State", "TracerPid", "Uid", "Gid", "SigPnd", "ShdPnd", "SigBlk"):
        await libc.write(1, f"{name} {lines[name]!r}\n".encode())
    await libc.write(1, f"{sorted(set(lines) & {'NSpid', 'NStgid', 'NSpgid', 'NSsid'})}".encode())


@pytest.mark.needs_namespaces
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs real root")
def test_a_program_reads_of_itself_what_it_reads_on_linux():
    assert ks.run(_program).stdout.decode() == host.run(_program).stdout.decode()


def test_flags_are_those_of_the_task(kernel):
    k, sh = kernel
    words = fields(read(k, sh, "/proc/2/stat"))
    assert int(words["flags"]) == sched.PF_KTHREAD | sched.PF_NOFREEZE | sched.PF_FORKNOEXEC
    k.call(sh, "nice", 5)
    words = fields(read(k, sh, "/proc/self/stat"))
    assert (words["nice"], words["priority"]) == ("5", "25")
