"""The corpus itself: every program is plain, named once and says what it shows."""

import inspect

import pytest

from kernelsim.user import programs


def test_there_are_at_least_45_and_no_name_is_used_twice():
    names = [name for module in programs.MODULES for name in module.__all__]
    assert len(names) == len(set(names)) == len(programs.ALL) >= 45


def test_every_public_coroutine_is_listed():
    for module in programs.MODULES:
        defined = {
            name
            for name, thing in inspect.getmembers(module, inspect.iscoroutinefunction)
            if thing.__module__ == module.__name__ and not name.startswith("_")
        }
        assert defined == set(module.__all__)


@pytest.mark.parametrize("name", programs.ALL)
def test_program_takes_libc_says_what_it_shows_and_closes_over_nothing(name):
    program = programs.ALL[name]
    assert list(inspect.signature(program).parameters) == ["libc"]
    assert program.__name__ == name
    assert program.__doc__
    assert "\n" not in program.__doc__
    assert program.__closure__ is None
