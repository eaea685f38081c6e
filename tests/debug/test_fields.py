"""A structure as a table: every byte is told, values are decoded, changes have their old value."""

import pytest

from kernelsim.debug import fields
from kernelsim.debug.places import Places
from kernelsim.include.linux import pid as pid_h
from kernelsim.machine import ctype
from tests.debug import family


def table(k, ref, t=None, since=None):
    t = t or type(ref)
    old = then = None
    if since is not None:
        then = Places(since.machine)
        old = then.m.read(ref.address_, fields.size_of(then.m, t, ref.address_))
    return fields.table(Places(k.machine), t, ref.address_, old, then)


def by_path(rows):
    return {row.path: row for row in rows}


def structures(k):
    bash, m = k.task(3), k.machine
    yield from (bash, bash.files, bash.signal, bash.sighand, bash.cred, bash.thread_pid, bash.mm)
    yield from (m.symbol(n) for n in ("init_pid_ns", "runqueues", "contig_zone", "kmem_cache"))


def test_every_byte_belongs_to_a_member_or_to_padding():
    k, *_ = family.booted()
    for ref in structures(k):
        rows = table(k, ref)
        size = fields.size_of(k.machine, type(ref), ref.address_)
        told = [0] * size
        for row in rows:
            if row.depth == 0 and not row.bits:
                for i in range(row.offset, row.offset + row.size):
                    told[i] += 1
        bits = {i for r in rows if r.depth == 0 and r.bits for i in range(r.offset, r.offset + 4)}
        assert all(n == 1 or i in bits for i, n in enumerate(told)), ref


def test_each_member_of_the_declaration_has_a_row_where_the_declaration_says():
    k, bash, *_ = family.booted()
    rows = by_path(table(k, bash))
    for field in type(bash).fields_:
        assert rows[field.name].offset == field.offset
    assert rows["tasks.next"].offset == type(bash).offsetof_("tasks.next")
    assert (rows["tasks.next"].depth, rows["tasks.next"].name) == (1, "next")


def test_values_are_decoded():
    k, bash, zombie, _ = family.booted()
    rows = by_path(table(k, bash))
    assert (rows["pid"].value, rows["comm"].value) == ("3", '"bash"')
    assert rows["state"].words == "TASK_RUNNING"
    assert rows["exit_signal"].words == "SIGCHLD"
    assert rows["real_parent"].words == "task 1 (init)"
    assert rows["tasks.next"].words == "tasks of task 4 (bash)"
    assert rows["tasks"].words == "→ tasks of task 4 (bash)  ← tasks of task 2 ([kthreadd])"
    assert rows["ptraced.next"].words == "itself"
    assert rows["sched_class"].words == "fair_sched_class"
    assert (rows["mm"].target, rows["vfork_done"].target) == (bash.mm.address_, 0)
    assert (rows["vfork_done"].value, rows["vfork_done"].words) == ("NULL", "")
    dead = by_path(table(k, zombie))
    assert dead["exit_state"].words == "EXIT_ZOMBIE"
    assert (dead["exit_code"].value, dead["exit_code"].words) == ("1792", "exit status 7")
    assert "PF_EXITING" in dead["flags"].words
    assert by_path(table(k, k.task(2)))["flags"].words.endswith("PF_KTHREAD")


def test_bit_fields_share_their_bytes():
    k, bash, *_ = family.booted()
    bash.sched_migrated = 1
    rows = by_path(table(k, bash))
    one, other = rows["sched_migrated"], rows["sched_reset_on_fork"]
    assert (one.value, other.value) == ("1", "0")
    assert one.offset == other.offset
    assert (one.bits, other.bits) == ((2, 1), (0, 1))
    assert one.ctype == "unsigned int : 1"


def test_a_union_shows_all_its_members_over_the_same_bytes():
    k, bash, *_ = family.booted()
    rows = table(k, bash)
    union = next(row for row in rows if row.ctype == "union")
    inside = [r for r in by_path(rows).values() if r.path in {"rcu_users", "rcu"}]
    assert {row.offset for row in inside} == {union.offset}
    assert union.size == max(row.size for row in inside)


def test_what_repeats_in_an_array_is_told_once_and_a_changed_element_by_itself():
    k, bash, *_ = family.booted()
    before = k.now
    k.call(bash, "rt_sigaction", 10, (1, 0), None, 8)
    rows = table(k, bash.sighand, since=k.at(before))
    action = [r.name for r in rows if r.path.startswith("action[") and "." not in r.path]
    assert action == ["[0 … 8]", "[9]", "[10 … 63]"]
    changed = by_path(rows)["action[9].sa_handler"]
    assert (changed.words, changed.was) == ("SIG_IGN", "NULL (SIG_DFL)")
    assert by_path(rows)["action"].changed


def test_a_change_has_its_old_value_and_marks_the_groups_around_it():
    k, bash, *_ = family.booted()
    before = k.now
    k.call(bash, "fork")
    rows = by_path(table(k, k.task(5), since=k.at(before)))
    assert rows["tasks.next"].was.endswith("(tasks of task 0 (init_task))")
    assert rows["tasks"].changed
    assert not rows["pid"].changed
    assert rows["pid"].was is None


def test_freed_memory_is_poison_and_nothing_faults():
    k, bash, zombie, _ = family.booted()
    k.call(bash, "waitpid", zombie.pid, 0)
    rows = by_path(table(k, zombie))
    assert rows["pid"].words == "poison: 0x6b in every byte"
    assert rows["comm"].words.endswith("the letter k")
    assert rows["real_parent"].value == "0x6b6b6b6b6b6b6b6b"


def test_a_pid_has_as_many_numbers_as_its_level_says():
    k, bash, *_ = family.booted()
    k.call(bash, "unshare", 0x20000000)
    inner = k.task(k.call(bash, "fork"))
    rows = by_path(table(k, inner.thread_pid))
    assert [rows[f"numbers[{i}].nr"].value for i in (0, 1)] == [str(inner.pid), "1"]
    size = fields.size_of(k.machine, pid_h.pid, inner.thread_pid.address_)
    assert size == pid_h.pid.sizeof_ + pid_h.upid.sizeof_


def test_tagged_pointers_are_untangled():
    k, *_ = family.booted()
    rows = by_path(table(k, k.machine.symbol("init_pid_ns")))
    head = rows["idr.idr_rt.xa_head"]
    assert head.words.endswith("bit 1 says: a node")
    assert head.target == int(head.value, 16) - 2


@pytest.mark.parametrize("t", [ctype.array(ctype.ulong, 8), ctype.char, ctype.u32])
def test_what_is_no_struct_is_a_table_too(t):
    k, bash, *_ = family.booted()
    rows = fields.table(Places(k.machine), t, bash.address_, None, None)
    assert rows
    assert rows[0].offset == 0


def test_the_text_of_a_type_is_c():
    assert fields.type_text("list_head") == "struct list_head"
    assert fields.type_text(ctype.ptr(ctype.func)) == "void (*)()"
    assert fields.type_text(ctype.bits(ctype.u32, 3)) == "unsigned int : 3"
    assert fields.type_text(ctype.array(ctype.ptr("file"), 4)) == "struct file * [4]"
