"""drgn's own helpers on the simulated memory, and what they find against what the kernel says."""

import importlib
import re
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.debug.validate import validate_machine
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import sched
from kernelsim.include.linux.sched import task_struct
from kernelsim.machine import ctype
from tests.debug.helpers import AGREE
from tests.debug.lacking import LACK
from tests.debug.life import Life
from tests.debug.scene import Scene

pytestmark = pytest.mark.needs_drgn

WHOLE = set(AGREE) - {"fs", "mm"}  # modules of which every helper is in one table or the other
DOC = Path(__file__).resolve().parents[2] / "docs" / "drgn.md"
EACH_AGREEING = [(module, name) for module, names in AGREE.items() for name in names]
EACH_LACKING = [(module, name) for module, names in LACK.items() for name in names]


@pytest.fixture(scope="module")
def scene():
    return Scene()


# --- every helper --------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "name"), EACH_AGREEING)
def test_the_helper_runs_and_agrees_with_the_kernel(scene, module, name):
    answer, expected = AGREE[module][name]
    assert hasattr(importlib.import_module(f"drgn.helpers.linux.{module}"), name)
    assert expected(scene) == answer(scene)


@pytest.mark.parametrize(("module", "name"), EACH_LACKING)
def test_the_helper_that_can_not_run_says_what_it_misses(scene, module, name):
    call, word = LACK[module][name]
    with pytest.raises(Exception, match=re.escape(word)):  # drgn raises whatever comes
        call(scene)


@pytest.mark.parametrize("module", sorted(WHOLE))
def test_every_helper_of_the_module_is_in_one_of_the_tables(scene, module):
    offered = set(importlib.import_module(f"drgn.helpers.linux.{module}").__all__)
    assert offered == set(AGREE[module]) | set(LACK.get(module, {}))


def test_the_document_has_a_row_for_each_helper_and_says_what_is_the_case():
    rows = dict(
        re.findall(r"^\| `(\w+)` \| (yes|no)\b", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    )
    names = {name: "yes" for _, name in EACH_AGREEING} | {name: "no" for _, name in EACH_LACKING}
    assert rows == names


def test_the_example_in_the_document_runs(capsys):
    (block,) = re.findall(
        r"^```py\n(.*?)^```$", DOC.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    exec(compile(block, str(DOC), "exec"), {})  # noqa: S102 - our own text
    expected = "1 S b'init'\n2 S b'kthreadd'\n3 R b'bash'\n(char [16])\"init\"\n"
    assert capsys.readouterr().out == expected


# --- a long life ---------------------------------------------------------------------------


# What drgn sees of all tasks: number, address, letter, parent, children, in the order of the pids.
def as_drgn_sees(prog):
    helper = importlib.import_module("drgn.helpers.linux")
    out = []
    for task in helper.for_each_task(prog):
        children = helper.list_for_each_entry(
            "struct task_struct", task.children.address_of_(), "sibling"
        )
        letter = helper.task_state_to_char(task)
        parent = task.real_parent.value_()
        out.append(
            (task.pid.value_(), task.value_(), letter, parent, [c.value_() for c in children])
        )
    return out


def as_the_kernel_says(k):
    out = []
    for t in sorted(k.tasks(), key=lambda t: t.pid):
        children = [
            c.address_ for c in lists.list_for_each_entry(task_struct, t.children, "sibling")
        ]
        out.append(
            (t.pid, t.address_, sched.task_state_to_char(t), t.real_parent.address_, children)
        )
    return out


def check_look_ups(prog, k, numbers):
    helper = importlib.import_module("drgn.helpers.linux")
    living = {t.pid: t for t in k.tasks()}
    for nr in numbers:
        task = living.get(nr)
        assert helper.find_task(prog, nr).value_() == (task.address_ if task else 0)
        assert (
            helper.find_pid(prog, nr).value_()
            == helper.idr_find(prog["init_pid_ns"].idr.address_of_(), nr).value_()
        )
    found = helper.for_each_pid(prog)
    assert [p.numbers[0].nr.value_() for p in found] == [
        nr for nr, _ in helper.idr_for_each(prog["init_pid_ns"].idr.address_of_())
    ]
    queued = {
        helper.sched_entity_to_task(se).value_()
        for se, *_ in helper.cfs_rq_for_each_entity(prog["runqueues"].cfs.address_of_())
    }
    assert queued == {t.address_ for t in k.tasks() if t.on_rq}
    order = helper.list_for_each_entry(
        "struct task_struct", prog["init_task"].tasks.address_of_(), "tasks"
    )
    assert [t.value_() for t in order] == [t.address_ for t in k.tasks()]


def test_a_thousand_random_calls_leave_everything_sound_and_nothing_behind():
    life = Life(2026)
    k = life.k
    before, prog = k.slabs(), ks.debug.drgn_program(k)
    for i in range(1000):
        life.step()
        validate_machine(k)
        if i % 20 == 0:
            assert as_drgn_sees(prog) == as_the_kernel_says(k)
            check_look_ups(prog, k, range(1, 40))
    assert life.pending > 5, "nobody ever slept: the test has lost its point"
    life.end()
    validate_machine(k)
    assert [t.pid for t in k.tasks()] == [1, 2]
    assert as_drgn_sees(prog) == as_the_kernel_says(k)
    after = k.slabs()
    pid_caches = sum(name.startswith("pid_") for name in after) - sum(
        name.startswith("pid_") for name in before
    )
    after["kmem_cache"] -= pid_caches  # one for each depth of namespaces, for good, as in Linux
    assert {name: n for name, n in after.items() if n} == {
        name: n for name, n in before.items() if n
    }


# --- types ---------------------------------------------------------------------------------


def declared():
    names = {
        name for name, cls in ctype.REGISTRY.items() if cls.__module__.startswith("kernelsim.")
    }
    return sorted(
        names - {"sigset_t", "k_sigaction"}
    )  # in C a typedef, and a struct around another


# (name, offset in bits, size in bits or None) of the members, those of anonymous unions too.
def members_of(t, base=0):
    for member in t.members:
        if member.name is None:
            yield from members_of(member.type, base + member.bit_offset)
        else:
            yield member.name, base + member.bit_offset, member.bit_field_size


@pytest.mark.parametrize("name", declared())
def test_a_struct_has_for_drgn_the_size_and_the_members_that_it_has_for_us(scene, name):
    cls, t = ctype.REGISTRY[name], scene.prog.type(f"struct {name}")
    expected = [(f.name, 8 * f.offset + f.bit, getattr(f.type, "width", None)) for f in cls.fields_]
    assert (t.size, list(members_of(t))) == (cls.sizeof_, expected)
    sizes = {f.name: f.type.sizeof_ for f in cls.fields_ if not isinstance(f.type, ctype.Bits)}
    assert {member: scene.drgn.sizeof(t.member(member).type) for member in sizes} == sizes


@pytest.mark.parametrize(
    ("name", "size"),  # of 5.10 on x86-64, by hand
    [
        ("pid_t", 4),
        ("u8", 1),
        ("__s64", 8),
        ("refcount_t", 4),
        ("atomic_long_t", 8),
        ("spinlock_t", 4),
        ("sigset_t", 8),
        ("struct k_sigaction", 32),
        ("struct sigaction", 32),
        ("struct list_head", 16),
        ("struct hlist_node", 16),
        ("struct rb_node", 24),
        ("struct upid", 16),
        ("struct idr", 24),
        ("struct xa_node", 576),
        ("struct page", 64),
        ("kernel_cap_t", 8),
        ("enum pid_type", 4),
        ("struct task_struct **", 8),
    ],
)
def test_a_type_has_the_size_that_it_has_in_linux(scene, name, size):
    assert scene.drgn.sizeof(scene.prog.type(name)) == size


def test_what_is_a_struct_around_one_word_in_c_is_one_for_drgn(scene):
    task = scene.first
    assert task.usage.refs.counter.value_() == scene.sh.usage
    assert task.alloc_lock.rlock.raw_lock.val.counter.value_() == 0
    assert task.blocked.sig[0].value_() == 0
    assert task.cred.uid.val.value_() == 0
    assert task.real_cred.cap_effective.cap[0].value_() == 0xFFFFFFFF
    assert scene.ns.kref.refcount.refs.counter.value_() == 2


def test_bit_fields_arrays_and_strings_read_as_in_c(scene):
    page = scene.m.static.task_struct_cachep.cpu_slab.page
    assert (scene.t(page).objects.value_(), scene.t(page).frozen.value_()) == (page.objects, 1)
    assert scene.first.comm.string_() == b"sh"
    assert len(scene.first.signal.rlim) == 16
    assert scene.first.signal.rlim[7].rlim_cur.value_() == 1024


def test_an_unknown_name_is_an_error_of_drgns(scene):
    for look in (lambda: scene.prog.type("struct nonsense"), lambda: scene.prog["nonsense"]):
        with pytest.raises(LookupError, match="nonsense"):
            look()


# --- names ---------------------------------------------------------------------------------


def test_every_symbol_of_the_machine_is_an_object_at_its_address(scene):
    for name, (address, t) in scene.m.symbols.items():
        found = scene.prog[name]
        assert (found.address_, scene.drgn.sizeof(found)) == (address, t.sizeof_)


def test_symbols_and_functions_are_found_by_name_and_by_address(scene):
    symbol = scene.prog.symbol("init_task")
    assert (symbol.address, symbol.size) == (
        scene.m.symbol("init_task").address_,
        task_struct.sizeof_,
    )
    assert scene.prog.symbol(symbol.address + 8).name == "init_task"
    pick = scene.prog["fair_sched_class"].pick_next_task
    assert scene.prog.symbol(pick).name == "pick_next_task_fair"
    assert scene.prog["pick_next_task_fair"].address_ == pick.value_()


def test_enumerators_are_constants_of_their_enum(scene):
    values = {
        name: scene.prog.constant(name).value_()
        for name in ("PIDTYPE_PID", "PIDTYPE_SID", "PIDTYPE_MAX")
    }
    assert values == {"PIDTYPE_PID": 0, "PIDTYPE_SID": 3, "PIDTYPE_MAX": 4}
    assert scene.prog["PIDTYPE_TGID"].type_.type_name() == "enum pid_type"


# --- memory --------------------------------------------------------------------------------


def test_container_of_subtracts_as_ours_does(scene):
    node = scene.t(scene.sh).pid_links[2].address_of_()
    assert (
        scene.drgn.container_of(node, "struct task_struct", "pid_links[2]").value_()
        == scene.sh.address_
    )


def test_reading_where_nothing_is_faults(scene):
    for address in (0, 0x1000, 0xFFFF888000000000 + scene.m.size, 0xDEAD000000000100):
        with pytest.raises(scene.drgn.FaultError):
            scene.prog.read(address, 8)


def test_a_freed_object_reads_as_poison(scene):
    gone = scene.k.spawn("gone")
    scene.k.call(gone, "exit_group", 0)
    assert scene.t(gone).real_parent.value_() == 0x6B6B6B6B6B6B6B6B


def test_a_program_over_the_past_stays_there_and_one_over_the_present_follows():
    k = ks.boot()
    sh = k.spawn("sh")
    times, pids = [], []
    for _ in range(3):
        times.append(k.now)
        pids.append([t.pid for t in k.tasks()])
        k.call(sh, "fork")
    live, past = ks.debug.drgn_program(k.machine), [ks.debug.drgn_program(k.at(t)) for t in times]
    helper = importlib.import_module("drgn.helpers.linux")
    k.call(k.task(4), "exit_group", 0)
    assert [[t.pid.value_() for t in helper.for_each_task(prog)] for prog in past] == pids
    assert helper.task_state_to_char(helper.find_task(live, 4)) == "Z"
    k.call(sh, "waitpid", 4, 0)
    assert [t.pid.value_() for t in helper.for_each_task(live)] == [1, 2, 3, 5, 6]
    assert [helper.task_state_to_char(t) for t in helper.for_each_task(past[2])] == [
        "S",
        "S",
        "R",
        "R",
        "R",
    ]
