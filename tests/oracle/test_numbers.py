"""Real Linux decides which number the next process gets: ns_last_pid, frees, the wrap, EAGAIN."""

import json
import os
import platform
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.exercise import family

pytestmark = [
    pytest.mark.needs_namespaces,
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="ns_last_pid wants root"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare"),
]

# The first process of a PID namespace does what it is told, and prints the number of each child.
INSIDE = r"""
import json, os, signal, sys
steps, pid_max = json.loads(sys.argv[1])
def store(name, value):
    with open("/proc/sys/kernel/" + name, "w") as file:
        file.write(str(value))
if pid_max:
    store("pid_max", pid_max)
found, alive = [], []
second = os.fork()  # number 2, which is kthreadd's in the simulator
if second == 0:
    signal.pause()
for what, value in steps:
    if what == "last":
        store("ns_last_pid", value)
    elif what == "free":
        pid = alive.pop(value % len(alive))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    else:
        try:
            pid = os.fork()
        except OSError as error:
            found.append(-error.errno)
            continue
        if pid == 0:
            signal.pause()
        alive.append(pid)
        found.append(pid)
print(json.dumps(found), flush=True)
for pid in (*alive, second):
    os.kill(pid, signal.SIGKILL)
"""


def on_linux(steps, pid_max):
    asked = json.dumps([steps, pid_max])
    done = subprocess.run(
        ["unshare", "-pf", "--mount-proc", sys.executable, "-c", INSIDE, asked],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"this machine has no such namespace: {done.stderr.strip()[-200:]}")
    return json.loads(done.stdout)


# The same here.
def simulated(steps, pid_max):
    k = ks.boot(memory="64M", record=False, pid_max=pid_max)
    found, alive = [], []
    for what, value in steps:
        if what == "last":
            family.start_numbers_at(k, value + 1)
        elif what == "free":
            pid = alive.pop(value % len(alive))
            k.call(pid, "exit", 0)
        else:
            try:
                pid = k.call(1, "fork")
            except OSError as error:
                found.append(-error.errno)
                continue
            alive.append(pid)
            found.append(pid)
    return found


def own_pid_max():
    major, minor = map(int, re.match(r"(\d+)\.(\d+)", platform.release()).groups())
    return (major, minor) >= (6, 14)  # from then on each PID namespace has its own


@pytest.mark.parametrize("seed", range(6))
def test_the_next_number_is_linuxs_after_frees_and_jumps_of_the_cursor(seed):
    chance = random.Random(seed)
    now = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
    pid_max = 32768 if own_pid_max() else now
    steps = [("last", chance.choice([50, 290, 298, 299, 300, 301, 1000, pid_max - 4]))]
    forks = 0
    for _ in range(40):
        what = chance.choice(["fork", "fork", "fork", "free", "last"])
        if what == "free" and not forks:
            continue
        forks += {"fork": 1, "free": -1, "last": 0}[what]
        values = {
            "last": [299, 300, 303, pid_max - 3, pid_max - 1, 500],
            "free": range(40),
            "fork": [0],
        }
        steps.append((what, chance.choice(values[what])))
    given = on_linux(steps, pid_max if own_pid_max() else 0)
    assert given == simulated(steps, pid_max)
    assert len(given) > 15


# With the cursor at 300, and not beyond it, the lower end of the search is still 1.
@pytest.mark.skipif(not own_pid_max(), reason="pid_max is that of the whole machine here")
@pytest.mark.parametrize("last", [298, 299, 300, 301, 303])
def test_low_numbers_are_given_as_long_as_the_cursor_is_not_beyond_300(last):
    fill = [("last", 299), *[("fork", 0)] * 4]
    steps = [*fill, ("last", last), *[("fork", 0)] * 3]
    given = on_linux(steps, 304)
    assert given == simulated(steps, 304)
    assert given[:4] == [300, 301, 302, 303]
    assert (given[4] > 0) == (last <= 299)


@pytest.mark.skipif(not own_pid_max(), reason="pid_max is that of the whole machine here")
@pytest.mark.parametrize("pid_max", [301, 304, 320])
def test_fork_fails_with_eagain_where_it_does_on_linux(pid_max):
    steps = [("last", pid_max - 20), *[("fork", 0)] * 24, ("free", 0), *[("fork", 0)] * 2]
    given = on_linux(steps, pid_max)
    assert given == simulated(steps, pid_max)
    assert -11 in given
