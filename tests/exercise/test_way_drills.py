"""The ways of a task are those of Linux: each hop, in order."""

import pytest

from kernelsim.exercise.way_drills import way_of

DIES = "TASK_RUNNING → TASK_RUNNING with EXIT_ZOMBIE → TASK_DEAD with EXIT_ZOMBIE"


@pytest.mark.parametrize(
    ("start", "deeds", "way"),
    [
        ("run", ("pause",), "TASK_RUNNING → TASK_INTERRUPTIBLE"),
        ("run", ("exit",), DIES),
        ("pause", ("SIGTERM",), f"TASK_INTERRUPTIBLE → TASK_WAKING → {DIES}"),
        ("pause", ("SIGSTOP",), "TASK_INTERRUPTIBLE → TASK_WAKING → TASK_RUNNING → TASK_STOPPED"),
        ("pause", ("SIGCONT",), "TASK_INTERRUPTIBLE, as before"),
        ("stop", ("SIGTERM",), "TASK_STOPPED, as before"),
        ("stop", ("SIGTERM", "SIGCONT"), f"TASK_STOPPED → TASK_WAKING → {DIES}"),
        ("stop", ("SIGKILL",), f"TASK_STOPPED → TASK_WAKING → {DIES}"),
        ("vfork", ("SIGSTOP",), "TASK_KILLABLE, as before"),
        ("vfork", ("SIGTERM",), f"TASK_KILLABLE → TASK_WAKING → {DIES}"),
        ("exit", ("SIGKILL",), "TASK_DEAD with EXIT_ZOMBIE, as before"),
        (
            "exit",
            ("wait",),
            "TASK_DEAD with EXIT_ZOMBIE → TASK_DEAD with EXIT_DEAD → no task_struct any more",
        ),
    ],
)
def test_a_task_goes_this_way(start, deeds, way):
    assert way_of(start, *deeds) == way
