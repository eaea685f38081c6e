"""Where pointers lead, and what is meant by what a reader types."""

import pytest

from kernelsim.debug import fields, goto
from kernelsim.debug.places import Places
from kernelsim.machine.ctype import type_name
from tests.debug import family


@pytest.fixture
def here():
    k, *_ = family.booted()
    return Places(k.machine)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("init_task", "struct task_struct init_task +"),
        ("init_task.tasks", "struct task_struct init_task +tasks"),
        (" &init_task.pid_links[1] ", "struct task_struct init_task +pid_links[1]"),
        ("init_task+0x10", "struct task_struct init_task +state"),
        ("(struct cred *)init_task", "struct cred init_task +"),
        ("(task_struct *)init_task", "struct task_struct init_task +"),
        ("pid_max", "int pid_max +"),
        ("cache_name.pid", "char[4] cache_name.pid +"),
        ("contig_zone.free_area[2]", "struct zone contig_zone +free_area[2]"),
    ],
)
def test_a_symbol_a_member_a_cast_is_found(here, text, found):
    view = goto.find(here, text)
    name = next(n for n, (a, _) in here.m.symbols.items() if a == view.address)
    assert f"{type_name(view.type)} {name} +{view.member}" == found


def test_an_address_shows_the_whole_object_and_the_member_that_was_meant(here):
    task = goto.find(here, "task 3")
    assert task.type.__name__ == "task_struct"
    offset = task.type.offsetof_("sibling")
    for text in (hex(task.address + offset), str(task.address + offset)):
        assert goto.find(here, text) == (task.type, task.address, "sibling")
    assert goto.find(here, f"(struct task_struct *){task.address:#x}") == task
    spread = f"0x{task.address:016x}"
    assert goto.find(here, f"{spread[:10]}_{spread[10:]}") == task


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Type an address such as"),
        ("frob", "“frob” is neither an address nor a symbol"),
        ("<img src=x onerror=alert(1)>", "“<img src=x onerror=alert(1)>” is neither"),
        ("0x0", "NULL points to nothing"),
        ("3", "For the task with that number type task 3"),
        ("task 99", "There is no task 99"),
        ("task 99999999999999999999999999", "There is no task"),
        ("0xdead000000000122", "LIST_POISON2"),
        ("0xffffffffffffff00", "No memory stands behind"),
        ("0x" + "f" * 30, "is no address: those have 64 bits"),
        ("-1", "is no address"),
        ("init_task.nope", "init_task is struct task_struct: it has no member nope"),
        ("init_task.tasks.nope", "it has no member tasks.nope"),
        ("init_task + x", "“x” is no number"),
        ("(struct nothing *)init_task", "There is no struct nothing here"),
        ("(struct cred *)frob", "casts no address and no symbol"),
        ("do_exit", "Code is not simulated"),
        ("(((", "is neither"),
        ("a\nb" * 1000, "is neither"),
        ("\U0001f600", "is neither"),
    ],
)
def test_what_leads_nowhere_is_answered_with_a_sentence(here, text, words):
    found = goto.find(here, text)
    assert isinstance(found, str)
    assert words in found
    assert found.endswith(".")
    assert len(found) < 300


def test_pointers_of_every_kind_lead_somewhere():
    k, *_ = family.booted()
    here = Places(k.machine)
    for pid in (0, 2, 3, 4, 5):
        task = k.task(pid)
        rows = fields.table(here, type(task), task.address_, None, None)
        for row in rows:
            if row.target is not None:
                found = goto.follow(here, row.target, row.pointee)
                if not isinstance(found, str):
                    assert fields.table(here, found.type, found.address, None, None)


def test_a_pointer_to_pointers_shows_as_many_as_there_are():
    k, bash, *_ = family.booted()
    here = Places(k.machine)
    fdt = bash.files.fdt
    view = goto.follow(here, fdt.fd, type(fdt).field_("fd")[0].target)
    assert type_name(view.type) == "struct file *[64]"
    name = k.machine.symbol("kmem_cache").name
    text = goto.follow(here, name, type(k.machine.symbol("kmem_cache")).field_("name")[0].target)
    assert text.type.sizeof_ == len("kmem_cache") + 1


def test_void_leads_to_what_lies_there():
    k, bash, *_ = family.booted()
    here = Places(k.machine)
    stack = goto.view_of(here, bash.stack)
    assert (type_name(stack.type), stack.address) == ("unsigned long[2048]", bash.stack)
    assert goto.view_of(here, bash.cpus_ptr) == (type(bash), bash.address_, "cpus_mask")
    pipe = goto.view_of(here, bash.files.fd_array[3].private_data)
    assert type_name(pipe.type) == "unsigned long[16]"
