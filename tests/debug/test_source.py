"""Where functions stand in Linux's source: the stored table against the mirror, and against the kernel."""

import os
import re
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.debug import source, source_table

OURS = {name for names in source_table.OURS.values() for name in names}
AGAIN = "write the table anew: python -m kernelsim.debug.source_table linux-5.10.188"


def test_every_mirrored_function_has_its_line_or_a_reason_why_it_has_none():
    lacking = source_table.mirrored().keys() - source.table().keys() - OURS
    assert sorted(lacking) == [], AGAIN


def test_what_is_ours_is_not_said_to_stand_in_linux():
    assert sorted(OURS & source.table().keys()) == []
    assert len(OURS) == sum(len(names) for names in source_table.OURS.values())


def test_the_table_is_in_order_and_holds_a_path_and_a_line_for_each_name():
    lines = source.TABLE.read_text(encoding="utf-8").splitlines()
    names = [line.split("\t")[0] for line in lines]
    assert names == sorted(set(names))
    assert all(re.fullmatch(r"\w+\t[\w./-]+\.[chS]\t[1-9]\d*", line) for line in lines)


# Looked up by hand, one of each kind: function, system call, macro, assembly, inline, of four the
# one that x86-64 has.
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("copy_process", "kernel/fork.c:1857"),
        ("__x64_sys_wait4", "kernel/exit.c:1712"),
        ("list_for_each_entry", "include/linux/list.h:627"),
        ("entry_SYSCALL_64", "arch/x86/entry/entry_64.S:95"),
        ("ktime_get_ns", "include/linux/timekeeping.h:152"),
        ("sys_clone", "kernel/fork.c:2604"),
        ("kmem_cache_create", "mm/slab_common.c:405"),
    ],
)
def test_a_function_has_the_line_that_names_it(name, place):
    assert str(source.place(name)) == place


def test_a_link_leads_to_the_line_and_a_function_of_ours_has_none():
    site = "https://elixir.bootlin.com/linux/v5.10.188/source"
    assert source.link("copy_process") == f"{site}/kernel/fork.c#L1857"
    assert source.link("validate_list") == ""
    assert source.link('"><img src=x>') == ""


def test_every_function_that_a_machine_enters_can_be_read():
    k = ks.boot()
    sh = k.spawn("sh")
    k.call(sh, "fork")
    k.call(sh, "waitpid", -1, 0)
    entered = {event.name for event in k.events() if event.kind == "enter"}
    assert {name for name in entered if source.place(name) is None} <= OURS


@pytest.mark.skipif("KERNELSIM_LINUX" not in os.environ, reason="no kernel source is given")
def test_the_table_is_what_the_kernel_source_says():
    tree = Path(os.environ["KERNELSIM_LINUX"])
    assert source_table.table(tree) == source.table()
    texts = {}
    for name, (path, line) in source.table().items():
        if path not in texts:
            texts[path] = (tree / path).read_text(encoding="utf-8", errors="replace").splitlines()
        text = texts[path][line - 1]
        wanted = name.removeprefix("sys_") if text.startswith("SYSCALL_DEFINE") else name
        assert re.search(rf"\b{wanted}\b", text), f"{path}:{line} does not name {name}"
