"""Real Linux decides: every program prints the same there and in the simulator."""

import pytest

import kernelsim as ks
from kernelsim import host
from kernelsim.user import programs

pytestmark = pytest.mark.needs_namespaces


@pytest.mark.parametrize("name", programs.ALL)
def test_program_prints_and_ends_as_on_linux(name):
    real = host.run(programs.ALL[name])
    simulated = ks.run(programs.ALL[name])
    assert simulated.stdout == real.stdout
    assert simulated.status == real.status
