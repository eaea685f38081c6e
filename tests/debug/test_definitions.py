"""The links to the definitions of the structs; the facts were found in the source of the release."""

import re

from kernelsim import session  # so that all structs are declared
from kernelsim.debug import definitions
from kernelsim.machine import ctype

# What the lines of the release say, for some of them: copied from the source, once.
FIRST_LINES = {
    "task_struct": ("include/linux/sched.h", 644),
    "list_head": ("include/linux/types.h", 178),
    "pid": ("include/linux/pid.h", 59),
    "upid": ("include/linux/pid.h", 54),
    "cred": ("include/linux/cred.h", 111),
    "signal_struct": ("include/linux/sched/signal.h", 82),
    "wait_opts": ("kernel/exit.c", 1003),
    "rq": ("kernel/sched/sched.h", 897),
    "xa_node": ("include/linux/xarray.h", 1122),
    "kmem_cache": ("include/linux/slub_def.h", 83),
}


def test_the_lines_are_those_of_the_release():
    assert {name: definitions.DEFINED[name] for name in FIRST_LINES} == FIRST_LINES


def test_every_entry_is_a_struct_that_we_have_and_a_file_of_the_kernel():
    for name, (path, line) in definitions.DEFINED.items():
        assert ctype.REGISTRY[name].__module__.startswith("kernelsim."), name
        assert re.fullmatch(r"(fs|include|kernel|mm|arch/x86)/[\w/.-]+\.[ch]", path)
        assert line > 0


def test_a_link_names_the_pinned_release_and_an_unknown_struct_has_none():
    assert definitions.link(ctype.REGISTRY["task_struct"]) == (
        "https://elixir.bootlin.com/linux/v5.10.188/source/include/linux/sched.h#L644"
    )
    assert definitions.link(ctype.u32) == definitions.link(None) == ""
    assert session.boot
