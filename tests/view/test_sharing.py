"""What two tasks share: one box where memory has one object, two where it has two."""

import itertools

import pytest

import kernelsim as ks
from kernelsim.include.uapi.linux import sched
from kernelsim.view.sharing import OBJECTS

SIGCHLD = 17
FLAGS = {
    "mm": sched.CLONE_VM,
    "fs": sched.CLONE_FS,
    "files": sched.CLONE_FILES,
    "sighand": sched.CLONE_SIGHAND,
    "signal": sched.CLONE_THREAD,
    "cred": sched.CLONE_THREAD,
}


def shell():
    k = ks.boot(memory="64M")
    return k, k.spawn("bash")


def boxes(picture):
    return [node for node in picture.nodes if node.id not in {n.id for n in picture.nodes[:2]}]


# Every combination of the five flags that clone takes.
def combinations():
    names = ("VM", "FS", "FILES", "SIGHAND", "THREAD")
    for count in range(6):
        for chosen in itertools.combinations(names, count):
            if "SIGHAND" in chosen and "VM" not in chosen:
                continue
            if "THREAD" in chosen and "SIGHAND" not in chosen:
                continue
            yield sum(getattr(sched, f"CLONE_{name}") for name in chosen)


@pytest.mark.parametrize("flags", list(combinations()), ids=hex)
def test_each_flag_makes_one_box_of_two(flags):
    k, bash = shell()
    signal = 0 if flags & sched.CLONE_THREAD else SIGCHLD
    k.call(bash, "clone", flags | signal)
    picture = ks.view.sharing(k)
    shared = {edge.src_port for edge in picture.edges if edge.src == picture.nodes[0].id}
    assert shared == {one.member for one in OBJECTS}
    targets = [edge.target for edge in picture.edges]
    for one in OBJECTS:
        ends = {edge.target for edge in picture.edges if edge.src_port == one.member}
        expected = one.member == "nsproxy" or bool(flags & FLAGS[one.member])
        assert (len(ends) == 1) == expected, one.member
    assert len(boxes(picture)) == len(set(targets))
    said = picture.summary.rpartition("Shared by ")[2].rstrip(".").split(" | ")
    named = sum(getattr(sched, name) for name in said) if "Shared by" in picture.summary else 0
    assert named == flags


def test_every_arrow_is_a_word_of_memory_and_every_count_too():
    k, bash = shell()
    then = k.now
    k.call(bash, "clone", sched.CLONE_VM | sched.CLONE_FS | SIGCHLD)
    picture = ks.view.sharing(k, since=then)
    for edge in picture.edges:
        assert k.machine.read_u64(edge.pointer) == edge.target
    for node in boxes(picture):
        for field in node.fields:
            assert int(field.value) == int.from_bytes(
                k.machine.read(node.address + field.offset, field.size), "little"
            )
    (mm,) = [node for node in boxes(picture) if node.label.startswith("mm_struct")]
    assert (mm.change, mm.fields[0].was, mm.fields[0].value) == ("changed", "1", "2")
    (files, own) = [node for node in boxes(picture) if node.label.startswith("files_struct")]
    assert (files.change, own.change) == ("", "new")


def test_a_kernel_thread_has_no_mm_and_init_is_found_by_number():
    k, _ = shell()
    picture = ks.view.sharing(k, 1, 2)
    rows = {field.name: field.value for field in picture.nodes[1].fields}
    assert rows["mm"] == "NULL"
    assert sum(node.label.startswith("mm_struct") for node in picture.nodes) == 1
    assert picture.svg
    with pytest.raises(LookupError):
        ks.view.sharing(k, 1, 99)


def test_a_new_world_for_pids_is_an_nsproxy_of_its_own():
    k, bash = shell()
    k.call(bash, "clone", sched.CLONE_NEWPID | SIGCHLD)
    assert sum(node.label.startswith("nsproxy") for node in ks.view.sharing(k).nodes) == 2
