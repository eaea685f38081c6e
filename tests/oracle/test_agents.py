"""Real Linux decides: a hundred random programs of processes that signal, stop, adopt and wait."""

import concurrent.futures

import pytest

from tests.oracle import agents, fuzz

BLOCKS, PROGRAMS = 4, 25


@pytest.mark.needs_namespaces
@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_programs_tell_the_same_as_on_linux(block):
    seeds = range(block * PROGRAMS, (block + 1) * PROGRAMS)
    scripts = [agents.script(seed) for seed in seeds]
    with concurrent.futures.ProcessPoolExecutor(8) as pool:  # they mostly sleep
        for seed, words in zip(seeds, pool.map(fuzz.differs, scripts), strict=True):
            assert words == "", f"seed {seed}: {[str(c) for c in agents.script(seed)]}\n{words}"


def test_the_hundred_make_every_call_that_the_generator_knows():
    made = {c.name for seed in range(BLOCKS * PROGRAMS) for c in agents.script(seed)}
    assert made == set(agents.KINDS)


def test_a_difference_is_shrunk_to_the_commands_that_make_it(monkeypatch):
    def differs(commands):
        names = [c.name for c in commands]
        return "so it is" if "setsid" in names and "kill" in names else ""

    monkeypatch.setattr(fuzz, "differs", differs)
    found = next(s for s in map(agents.script, range(50)) if differs(s))
    left = [c.name for c in fuzz.shrunk(found) if c.name != "fork"]
    assert sorted(left) == ["kill", "setsid"]
