"""Every view and every widget there is, over machines whose tasks have the names that one gives them."""

import inspect

import kernelsim as ks
from kernelsim.exercise import Question
from kernelsim.view import PictureBuilder, text

NEWPID = 0x20000000


def named(task, name):
    """Write a name into the sixteen bytes that hold it, as prctl(PR_SET_NAME) does."""
    task.machine_.write(task.comm.address_, name.encode()[:15].ljust(16, b"\0"))


def family(*names):
    """A shell with a child, a namespace below, and a call; each task has one of the names."""
    k = ks.boot(memory="64M")
    bash = k.spawn("bash")
    child = k.task(k.call(bash, "fork"))
    k.call(child, "unshare", NEWPID)
    k.call(child, "fork")
    if names:
        for place, task in enumerate(k.tasks()):
            named(task, names[place % len(names)])
    k.call(bash, "fork")
    return k, bash


def pictures(k, bash):
    """Every view of a machine, by name."""
    since = k.now // 2
    yield "task_list", ks.view.task_list(k, focus=bash, since=since, limit=6)
    yield "process_tree", ks.view.process_tree(k, focus=bash, since=since)
    yield "namespaces", ks.view.namespaces(k, since=since)
    yield "runqueue", ks.view.runqueue(k, since=since)
    yield "idr", ks.view.idr(k, since=since)
    yield "identifiers", ks.view.identifiers(k, since=since)
    yield "pid_tasks", ks.view.pid_tasks(k, bash.signal.pids[2], "PGID", since)


def hand_made(name):
    """A picture in which every text is the name."""
    builder = PictureBuilder(name, "LR", subtitle=name)
    builder.cluster("frame", name)
    builder.node("a", [name, name], badge=name or "?", words=name)
    builder.cluster("frame.inner", name)
    builder.registers("r", [name], {name: 1}, {name: 2})
    builder.cluster()
    builder.memory("m", [name], text.printable(name).encode()[:24])
    builder.fold("f", 3, name, detail=name)
    builder.edge("a", None, "m", label=name, name=name, kind="next")
    builder.legend("next", name)
    builder.note(name)
    return builder.picture()


def widgets(k, bash):
    """Every widget there is, over one machine."""
    yield ks.widget.explore(k, "both", focus=bash)
    yield ks.widget.PictureView(ks.view.task_list(k))
    yield ks.widget.SyscallPanel(k)
    yield ks.widget.Timeline(k)
    yield ks.widget.play(k)
    comm = text.printable(bash.comm.string_())
    yield ks.widget.Predict(Question(f"Who is {comm}?", [comm, f"not {comm}"], lambda: comm))
    for name in ("Inspector", "StackPane", "GraphPane", "StracePane", "TerminalPane"):
        pane = getattr(ks.widget, name)
        assert inspect.signature(pane).parameters
        yield pane(k)
