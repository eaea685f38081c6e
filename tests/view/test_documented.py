"""The examples in docs/pictures.md are drawn from the memory of booted kernels, and are what they draw today."""

import re
from pathlib import Path

import pytest

import kernelsim as ks
from kernelsim.include.linux.sched import signal, task_struct
from kernelsim.view import PictureBuilder, tasks

DOCS = Path(__file__).resolve().parents[2] / "docs"
THREAD, NEWPID, SIGSTOP = 0x00010900, 0x20000000, 19
AGAIN = "`python -m tests.view.test_documented` draws them anew"


# Without a record there is no event number in a picture that every change would move.
def shell():
    k = ks.boot(record=False)
    return k, k.spawn("bash")


# Tasks in every state: three children of a shell that waits in vfork(), a daemon with a thread.
def states():
    k, bash = shell()
    sshd = k.spawn("sshd")
    k.call(sshd, "clone", THREAD)
    k.call(k.task(k.call(bash, "fork")), "exit", 0)
    k.call(bash, "kill", k.call(bash, "fork"), SIGSTOP)
    k.call(sshd, "pause")
    k.call(bash, "vfork")
    return k, sshd


def task_list():
    before, _ = shell()
    k, bash = shell()
    k.call(bash, "fork")
    return ks.view.task_list(k, focus=bash, since=before)


def process_tree():
    return ks.view.process_tree(states()[0])


def thread_group():
    _, sshd = states()
    builder = PictureBuilder("A thread group", "LR", uniform=True)
    builder.cluster("group", f"tgid {sshd.tgid}: {sshd.signal.nr_threads} threads")
    for task in signal.for_each_thread(sshd):
        letter = tasks.state(task)
        label = [tasks.name(task), f"pid {task.pid} {tasks.WORDS[letter]}"]
        builder.node(task.address_, label, badge=letter, kind=tasks.kind(task))
        if task != sshd:
            offset = task_struct.offsetof_("group_leader")
            builder.edge(
                task.address_, None, task.group_leader.address_, name="group_leader", back=True,
                pointer=task.address_ + offset, target=task.group_leader.address_, route="elbow",
            )  # fmt: skip
    builder.legend("pointer", "group_leader")
    return builder.picture()


def namespaces():
    k, bash = shell()
    k.call(bash, "unshare", NEWPID)
    reaper = k.task(k.call(bash, "fork"))
    k.call(reaper, "fork")
    k.call(reaper, "unshare", NEWPID)
    k.call(reaper, "fork")
    return ks.view.namespaces(k)


def many():
    k, bash = shell()
    for _ in range(7):
        k.call(bash, "fork")
    return k


def runqueue():
    return ks.view.runqueue(many())


def idr():
    return ks.view.idr(many(), limit=5)


def idr_path():
    ids = ks.boot(record=False).idr()
    for number in (*range(64, 132), 5000):
        ids.alloc(start=number)
    return ids.picture(path=5000, nodes=3, limit=4)


def pid_hash():
    old = ks.boot(record=False).pid_hash(4)
    for _ in range(60):
        old.alloc()
    return old.picture(7)


def pid_tasks():
    k, bash = shell()
    k.call(bash, "setsid")
    k.call(bash, "fork")
    k.call(bash, "fork")
    return ks.view.pid_tasks(k, bash.signal.pids[2], "PGID")


def memory():
    _, bash = shell()
    start = task_struct.offsetof_("comm")
    data = bash.machine_.read(bash.comm.address_, 16)
    builder = PictureBuilder("The bytes of a name", "LR")
    builder.memory(
        bash.address_, ["task_struct bash", "comm"], data, start, b"init".ljust(16, b"\0")
    )
    return builder.picture()


def registers():
    call = {"orig_ax": 57, "ax": -38 % 2**64, "di": 0, "ip": 0x401000, "sp": 0x7FFFFFFFE000}
    builder = PictureBuilder("Registers around a system call", "LR")
    builder.registers("before", ["at the entry"], call)
    builder.registers("after", ["at the return"], call | {"ax": 4}, call)
    builder.edge("before", "ax", "after", "ax", name="ax", kind="next", route="direct")
    builder.legend("next", "what the call left there")
    return builder.picture()


SCENES = {
    scene.__name__: scene
    for scene in (
        task_list, process_tree, thread_group, namespaces, runqueue, idr, idr_path, pid_hash, pid_tasks,
        memory, registers,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_an_example_is_what_a_kernel_draws_today(name):
    stored = (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert stored.rstrip("\n") == SCENES[name]().svg.rstrip("\n"), AGAIN


def test_the_page_shows_every_example_with_words_and_no_other():
    page = (DOCS / "pictures.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]+)\]\(pictures/(\w+)\.svg\)", page)
    assert sorted(name for _, name in shown) == sorted(SCENES)
    assert all(len(words) > 20 for words, _ in shown)
    assert sorted(path.stem for path in (DOCS / "pictures").iterdir()) == sorted(SCENES)


def test_the_page_names_every_kind_of_node_and_edge():
    from kernelsim.view import style

    page = (DOCS / "pictures.md").read_text(encoding="utf-8")
    for kind in (*style.NODES, *style.EDGES, *style.RARE):
        assert f"`{kind}`" in page


def test_the_examples_have_every_state():
    letters = {node.badge for node in process_tree().nodes}
    assert letters == {"R", "S", "D", "T", "Z"}


if __name__ == "__main__":
    for name, scene in SCENES.items():
        scene().save(DOCS / "pictures" / f"{name}.svg")
