"""The flags of clone() in words.  The oracle for what is refused is the kernel itself."""

import errno
import itertools

import pytest

import kernelsim as ks
from kernelsim import steer
from kernelsim.include.uapi.linux import sched
from kernelsim.widget import SyscallPanel, clone
from tests.widget import scene

NAMES = [
    *("VM", "FS", "SIGHAND", "THREAD", "NEWPID", "NEWNS", "NEWUSER", "PARENT", "PIDFD"),
    *("NEWIPC", "SYSVSEM", "PTRACE"),
]


def value(*names):
    return sum(getattr(sched, f"CLONE_{name}") for name in names)


def test_every_flag_of_clone_has_words():
    known = {flag.value for flag in clone.CLONE.values()}
    all_flags = {v for n, v in vars(sched).items() if n.startswith("CLONE_") and v < 1 << 32}
    not_for_clone = {sched.CLONE_DETACHED, sched.CLONE_NEWTIME}
    assert known == all_flags - not_for_clone
    assert all(flag.on and flag.group in clone.GROUPS for flag in clone.CLONE.values())


def combinations():
    for count in range(4):
        for names in itertools.combinations(NAMES, count):
            yield value(*names), names


@pytest.mark.parametrize("is_init", [False, True])
def test_a_reason_is_given_for_just_the_combinations_that_the_kernel_refuses(is_init):
    k, bash = scene.booted()
    built = steer.clone_flags()
    for flags, names in combinations():
        caller = k.init if is_init else bash
        try:
            k.call(caller, "clone", flags)
            refused = False
        except OSError as error:
            refused = error.errno == errno.EINVAL
        assert bool(clone.refused(flags, built, is_init=is_init)) == refused, names


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("THREAD",), "CLONE_THREAD needs CLONE_SIGHAND"),
        (("SIGHAND",), "CLONE_SIGHAND needs CLONE_VM"),
        (("NEWNS", "FS"), "CLONE_NEWNS and CLONE_FS exclude each other"),
        (("VM", "SIGHAND", "THREAD", "NEWPID"), "CLONE_THREAD and CLONE_NEWPID exclude"),
        (("NEWIPC", "SYSVSEM"), "CLONE_NEWIPC and CLONE_SYSVSEM exclude each other"),
        (("PTRACE",), "CLONE_PTRACE is not simulated yet"),
    ],
)
def test_a_refused_combination_is_fired_and_answered_with_the_reason(names, words):
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    answer = panel.fire("clone", value(*names))
    assert answer.kind == "errno"
    assert answer.head.endswith("= −1 EINVAL")  # noqa: RUF001
    assert answer.tail.startswith(words)


def test_what_is_not_simulated_is_marked_as_the_kernel_says(monkeypatch):
    notes = {flag["name"]: flag["note"] for flag in flags_of("clone")}
    for name, flag in clone.CLONE.items():
        assert bool(notes[name]) == (not flag.value & steer.clone_flags())
    monkeypatch.setattr(steer.fork, "UNSUPPORTED", sched.CLONE_VM)
    marked = [flag["name"] for flag in flags_of("clone") if flag["note"]]
    assert marked == ["CLONE_VM"]


def flags_of(name):
    panel = SyscallPanel(ks.boot(), names=[name])
    (parameter,) = panel.calls[0]["parameters"]
    return parameter["flags"]


@pytest.mark.parametrize("label", clone.PRESETS)
def test_what_every_system_uses_works(label):
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    panel.heard({"do": "fire", "call": "clone", "texts": [clone.PRESETS[label]]})
    assert panel.answers[0][0] in {"result", "pending"}


def test_a_thread_is_offered_as_a_task_that_makes_calls():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    panel.heard({"do": "fire", "call": "clone", "texts": [clone.PRESETS["a thread"]]})
    (address,) = [a for a, label in panel.tasks if label == "task 4 (bash), thread of 3"]
    panel.task = address
    assert panel.fire("getpid").head.endswith("getpid() = 3")
    assert panel.fire("gettid").head.endswith("gettid() = 4")


def test_every_kind_of_namespace_can_be_had_by_clone_and_by_unshare():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    named = [flag for flag in clone.UNSHARE.values() if flag.group == "names"]
    assert len(named) == 8
    for flag in named:
        if flag.name in clone.CLONE:
            assert panel.fire("clone", flag.value).kind == "result", flag.name
    for flag in named:
        assert panel.fire("unshare", flag.value).kind == "result", flag.name


def test_unshare_is_refused_with_a_reason():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    assert "not for unshare()" in panel.fire("unshare", sched.CLONE_PARENT).tail
    assert panel.fire("unshare", sched.CLONE_NEWPID).kind == "result"
    assert panel.fire("unshare", sched.CLONE_NEWPID).tail == (
        "the caller has a new PID namespace for its children already"
    )
    panel.heard({"do": "fire", "call": "clone", "texts": ["CLONE_VM|SIGCHLD"]})
    assert "somebody shares the memory" in panel.fire("unshare", sched.CLONE_VM).tail
    both = panel.fire("unshare", sched.CLONE_NEWPID | sched.CLONE_NEWUSER).tail
    assert "already, or somebody shares" in both


def test_whose_children_are_numbered_elsewhere_has_no_threads():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    assert panel.fire("unshare", sched.CLONE_NEWPID).kind == "result"
    for names in (("VM", "SIGHAND", "THREAD"), ("NEWPID",)):
        assert "in another PID namespace" in panel.fire("clone", value(*names)).tail


def test_who_may_not_have_a_namespace_is_told_what_it_needs():
    k, bash = scene.booted()
    panel = SyscallPanel(k, bash)
    assert panel.fire("setuid", 1000).kind == "result"
    for call in ("clone", "unshare"):
        answer = panel.fire(call, sched.CLONE_NEWUTS)
        assert answer.head.endswith("= −1 EPERM")  # noqa: RUF001
        assert "CAP_SYS_ADMIN" in answer.tail
    assert panel.fire("unshare", sched.CLONE_NEWUSER).kind == "result"
