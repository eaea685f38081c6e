"""The steps of copy_process() as rungs: which were reached, where it turned back, what was undone.

The steps are read from the functions that the machine recorded, what each has taken from memory:
objects of the slab caches, pages, and the counts of what the parent owns.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from kernelsim.include.linux import slab
from kernelsim.include.linux.list import list_for_each_entry
from kernelsim.include.uapi.asm import errno
from kernelsim.view import moment
from kernelsim.view.builder import PictureBuilder
from kernelsim.view.film import Film, Frame
from kernelsim.view.graph import Field
from kernelsim.view.picture import Picture

__all__ = ["RUNGS", "Climb", "Undone", "climb", "climbed", "ladder"]

FLAGS, SIGNAL, NPROC, THREADS = "flags fit?", "signal pending?", "RLIMIT_NPROC?", "max_threads?"
FAMILY, PUBLISH = "parent, last checks", "into lists and hashes"
RUNGS = (
    *(FLAGS, SIGNAL, "dup_task_struct", NPROC, "copy_creds", THREADS, "sched_fork", "copy_files"),
    *("copy_fs", "copy_sighand", "copy_signal", "copy_mm", "copy_namespaces", "copy_thread"),
    *("alloc_pid", FAMILY, PUBLISH, "sched_post_fork"),
)
"""The steps in order; those with a question mark are checks within copy_process() itself."""

_SEEN_AS = {"recalc_sigpending": SIGNAL, "attach_pid": PUBLISH}
_LABELS = {
    "free_pid": "pid",
    "cleanup_namespaces": "nsproxy, nsproxy.count",
    "cleanup_mm": "mm_struct, mm.mm_users",
    "cleanup_signal": "signal_cache",
    "cleanup_sighand": "sighand_cache, sighand.count",
    "cleanup_fs": "fs_cache, fs.users",
    "cleanup_files": "files_cache, files.count",
    "cleanup_count": "cred_jar, cred.usage, processes",
}  # what each label of copy_process() gives back; bad_fork_free the rest
_COUNTS = (
    *("mm.mm_users", "fs.users", "files.count", "sighand.count", "signal.sigcnt"),
    *("nsproxy.count", "cred.usage", "cred.user.processes"),
)
_ERRORS = {v: k for k, v in vars(errno).items() if k.startswith("E") and isinstance(v, int)}


class Undone(NamedTuple):
    """What was given back: the label of copy_process() that does it, and what it was."""

    label: str
    took: str


@dataclasses.dataclass(frozen=True)
class Climb:
    """One copy_process(): what each rung took (in their order), where it turned back, what was undone.

    `failed` is the rung at which it turned back, "" if it came to the end; `error` the errno's name.
    """

    comm: str
    pid: int
    took: dict[str, str]
    failed: str
    error: str
    undone: tuple[Undone, ...]


def climb(k: Any, since: int = 0) -> Climb | None:
    """Read the last copy_process() that ended before the machine's time, None if there is none.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: nothing before this event counts.
    """
    m = moment.machine(k)
    present = getattr(m, "present", m)
    until = moment.time(m) or 0
    last = next((e for e in _backwards(present, since, until) if _is(e, "exit")), None)
    if last is None:
        return None
    first = next(e for e in _backwards(present, 0, last.t) if _is(e, "enter") and e.pid == last.pid)
    calls = _calls(present, first.t + 1, last.t)
    start, parent = present.at(first.t), present.at(first.t).current
    ledger = _Ledger(present, parent.address_)
    failed, error, count = _turned(present, calls, last)
    took = _taken(ledger, calls[:count], failed)
    undone = _undone(ledger, calls, count, last.t) if failed else ()
    comm = start.current.comm.string_().decode("utf-8", "replace")
    return Climb(comm, last.pid, took, failed, error, tuple(undone))


def _is(event: Any, kind: str) -> bool:
    return bool(event.kind == kind and event.name == "copy_process")


def _backwards(present: Any, since: int, until: int) -> Any:
    return (present.trace.event(t) for t in range(until - 1, since - 1, -1))


# The functions that copy_process() itself calls: (name, entered at, left at).
def _calls(present: Any, since: int, until: int) -> list[tuple[str, int, int]]:
    found, depth, begun = [], 0, since
    for event in present.trace.events(since, until):
        if event.kind == "enter":
            begun = event.t if not depth else begun
            depth += 1
        elif event.kind == "exit":
            depth -= 1
            if not depth:
                found.append((event.name, begun, event.t))
    return found


# The rung at which it turned back, the errno, and how many of the calls were steps upward.
def _turned(present: Any, calls: list[tuple[str, int, int]], last: Any) -> tuple[str, str, int]:
    names = [name for name, _, _ in calls]
    if "attach_pid" in names:
        return "", "", len(calls)
    steps = [n for n, name in enumerate(names) if _SEEN_AS.get(name, name) in RUNGS]
    error = _ERRORS.get(-_result(present, last), "an error")
    if not steps:
        return FLAGS, error, 0
    count = steps[-1] + 1
    rung = _SEEN_AS.get(names[steps[-1]], names[steps[-1]])
    checks = {"dup_task_struct": NPROC, "copy_creds": THREADS}
    if rung in checks and error == "EAGAIN":
        rung = checks[rung]
    elif rung == "alloc_pid" and "free_pid" in names:
        rung = FAMILY
    return rung, error, count


# What the system call returned around it.
def _result(present: Any, last: Any) -> int:
    for event in present.trace.events(last.t, present.trace.now):
        if event.name == "sys_exit" and event.pid == last.pid:
            return int(event.fields["ret"])
    return 0


# How many objects of each slab cache are in use.
def _objects(m: Any) -> dict[str, int]:
    return {
        bytes(m.read(cache.name, 32)).split(b"\0", 1)[0].decode(): cache.node.active_objects
        for cache in list_for_each_entry(slab.kmem_cache, m.symbol("slab_caches"), "list")
    }


class _Ledger:
    # What is in use at a time, by name: objects by cache, pages, and what counts for the parent.

    def __init__(self, present: Any, parent: int) -> None:
        self.present, self.parent = present, parent
        self.kept: dict[int, dict[str, int]] = {}

    def at(self, t: int) -> dict[str, int]:
        if t not in self.kept:
            m = self.present.at(t)
            parent = m.current
            found = _objects(m)
            zone = m.symbol("contig_zone")
            found["pages"] = zone.managed_pages - zone.free_pages
            for path in _COUNTS:
                owner, _, count = path.partition(".")
                ref = parent.member_(owner)
                found[path.replace("cred.user.", "")] = ref.member_(count) if ref else 0
            found["nr_threads"] = int.from_bytes(m.read(m.symbols["nr_threads"][0], 4), "little")
            self.kept[t] = found
        return self.kept[t]

    # What changed in [since, until): in words, and the names.
    def change(self, since: int, until: int) -> tuple[str, list[str]]:
        before, after = self.at(since), self.at(until)
        names = [name for name in after if after[name] != before.get(name, 0)]
        return ", ".join(_said(name, before.get(name, 0), after[name]) for name in names), names


def _said(name: str, before: int, after: int) -> str:
    if "." in name or name in {"processes", "nr_threads"}:
        return f"{name} {before} → {after}"
    step = after - before
    word = "page" if name == "pages" and abs(step) == 1 else name
    return f"{'+' if step > 0 else '−'}{abs(step)} {word}"  # noqa: RUF001 - a minus


def _taken(ledger: _Ledger, calls: list[tuple[str, int, int]], failed: str) -> dict[str, str]:
    took: dict[str, str] = {}
    reached = [_SEEN_AS.get(name, name) for name, _, _ in calls]
    spans = {_SEEN_AS.get(name, name): (since, until) for name, since, until in calls[::-1]}
    if PUBLISH in spans:
        spans[PUBLISH] = spans["alloc_pid"][1], spans["sched_post_fork"][0]
    highest = max((RUNGS.index(r) for r in reached if r in RUNGS), default=-1)
    for place, rung in enumerate(RUNGS):
        if rung == failed or place > highest:
            break
        took[rung] = ledger.change(*spans[rung])[0] if rung in spans else ""
    return took


def _undone(
    ledger: _Ledger, calls: list[tuple[str, int, int]], count: int, end: int
) -> list[Undone]:
    if not count:
        return []
    found: list[Undone] = []
    since = calls[count - 1][2]
    for until in [*(until for _, _, until in calls[count:]), end]:
        words, names = ledger.change(since, until)
        label = _label(names)
        if found and found[-1].label == label:
            found[-1] = Undone(label, f"{found[-1].took}, {words}")
        elif names:
            found.append(Undone(label, words))
        since = until
    return found


def _label(names: list[str]) -> str:
    labels = (label for label, given in _LABELS.items() if set(names) & set(given.split(", ")))
    return f"bad_fork_{next(labels, 'free')}" if names else ""


def climbed(k: Any, since: int = 0, still: int = -1) -> Film:
    """Return a film of the last copy_process(): a frame for each rung, then one for each thing undone.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: nothing before this event counts.
    :param still: the frame that is shown where nothing can be stepped.
    """
    found = climb(k, since)
    if found is None:
        return Film("copy_process", [])
    frames = [Frame(_drawn(found, 0, 0), f"{found.comm} has called copy_process().")]
    for n, (rung, took) in enumerate(found.took.items(), 1):
        said = took or ("passed" if rung.endswith(("?", "checks")) else "nothing new is taken")
        frames.append(Frame(_drawn(found, n, 0), f"{rung}: {said}."))
    up = len(found.took)
    if found.failed:
        words = f"{found.failed}: {found.error}. It turns back."
        frames.append(Frame(_drawn(found, up + 1, 0), words))
    for n, (label, took) in enumerate(found.undone, 1):
        frames.append(Frame(_drawn(found, up + 1, n), f"{label}: {took}."))
    return Film("copy_process", frames, still)


def ladder(k: Any, since: Any = None) -> Picture:
    """Draw the last copy_process(): its rungs, and beside them what was undone if it turned back.

    :param k: a Kernel, a Kernel at an earlier time, or a Machine.
    :param since: an earlier time, Kernel or Machine; what ended before does not count.
    """
    begin = 0 if since is None else moment.time(moment.earlier(k, since)) or 0
    found = climb(k, begin)
    up = 0 if found is None else len(found.took) + bool(found.failed)
    return _drawn(found, up, 0 if found is None else len(found.undone))


# The ladder with the first `up` rungs taken and the first `down` things undone.
def _drawn(found: Climb | None, up: int, down: int) -> Picture:
    builder = PictureBuilder("The ladder of copy_process", "LR", ranksep=70)
    rows = []
    for place, rung in enumerate(RUNGS):
        value, here = "", False
        if found is not None and place < up:
            if rung == found.failed:
                value, here = f"{found.error}: back", True
            else:
                value = found.took[rung] or "ok"
        last = found is not None and place == up - 1 and not down
        rows.append(Field(rung, value or "·", port=f"r{place}", changed=last or here))
    who = "nobody has called it" if found is None else f"called by {found.comm} (pid {found.pid})"
    builder.record("ladder", ["copy_process()", who], rows, kind="head", words="copy_process()")
    if found is None or not found.failed or up <= len(found.took):
        return builder.picture()
    back = [
        Field(one.label, one.took if n < down else "·", port=f"u{n}", changed=n == down - 1)
        for n, one in enumerate(found.undone)
    ]
    if back:
        builder.record("undone", ["turning back", "in this order"], back, kind="fault")
        port = f"r{RUNGS.index(found.failed)}"
        builder.edge("ladder", port, "undone", "u0", kind="prev", name="goto")
        builder.legend("prev", "goto: the step failed")
    return builder.picture()
