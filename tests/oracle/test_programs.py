"""Real Linux decides: every program prints the same there and in the simulator."""

from collections import defaultdict
from typing import Any

import pytest

import kernelsim as ks
from kernelsim import host
from kernelsim.user import programs

pytestmark = pytest.mark.needs_namespaces

# In these no two processes ever run side by side, so that each call's result is certain too.
SEQUENTIAL = [name for module in (programs.descriptors, programs.exits) for name in module.__all__]


# Each process's calls in its own order: how processes interleave is the scheduler's affair.
def _calls(run: host.Run) -> dict[int, list[tuple[Any, ...]]]:
    calls = defaultdict(list)
    for call in run.records:
        calls[call.pid].append((call.name, call.args, call.result))
    return calls


@pytest.mark.parametrize("name", programs.ALL)
def test_program_prints_and_ends_as_on_linux(name: str) -> None:
    real = host.run(programs.ALL[name])
    simulated = ks.run(programs.ALL[name])
    assert simulated.stdout == real.stdout
    assert simulated.status == real.status


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_program_makes_the_calls_that_it_makes_on_linux(name: str) -> None:
    real = host.run(programs.ALL[name])
    simulated = ks.run(programs.ALL[name])
    assert _calls(simulated) == _calls(real)
