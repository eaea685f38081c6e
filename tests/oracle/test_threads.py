"""Real Linux decides on threads and futexes: C programs print there what ours print in the simulator."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import kernelsim as ks
from tests.oracle import thread_families, thread_programs

PROGRAMS = {f.__name__: f for f in (*thread_programs.ALL, *thread_families.ALL)}
SOURCE = Path(__file__).with_name("threads.c")
COMPILER = shutil.which("gcc")

pytestmark = pytest.mark.needs_namespaces  # and so Linux


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    if not COMPILER:
        lacking = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        lacking("gcc is not installed")
    program = tmp_path_factory.mktemp("threads") / "threads"
    subprocess.run([COMPILER, "-O1", "-o", program, SOURCE], check=True)
    return program


# Since 5.17 a process whose leader is gone has the status of its last thread; before, the leader's.
OLDER = {"a_dead_leader_waits_for_its_threads": ("reaped: 600", "reaped: 400")}


@pytest.mark.parametrize("name", PROGRAMS)
def test_threads_do_what_they_do_on_linux(compiled, name):
    real = subprocess.run([compiled, name], capture_output=True, text=True, timeout=60, check=True)
    simulated = ks.run(PROGRAMS[name], programs=thread_families.DISK)
    assert (simulated.status, simulated.notes) == (0, "")
    expected = real.stdout.replace(*OLDER[name]) if name in OLDER else real.stdout
    assert simulated.stdout.decode().splitlines() == expected.splitlines()


def test_each_program_in_c_has_its_twin():
    table = SOURCE.read_text(encoding="utf-8").partition("} programs[]")[2]
    assert re.findall(r"\bP\((\w+)\)", table)[1:] == list(PROGRAMS)
