"""Who holds a counted structure: the pointers that its reference counts stand for, as far as they are found.

A count is a number; memory does not say who it stands for.  Here the known holders are walked: the
tasks, their tables of files, the namespaces, who waits.  What is left over has a holder that is not
among them, perhaps a kernel function that is under way.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from kernelsim.debug import pollers, stack_locals
from kernelsim.debug.places import looking, threads
from kernelsim.include.linux import cred, fs, mm_types, nsproxy, sched
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.wait import wait_queue_entry
from kernelsim.kernel import exit as kernel_exit
from kernelsim.lib import idr
from kernelsim.machine import machine
from kernelsim.machine.memory import Fault
from kernelsim.machine.ref import container_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernelsim.debug.places import Places

__all__ = ["Count", "counted", "counts"]

MOST_TASKS = 5000  # that are asked
MOST_NAMED = 8  # holders that are named


class Count(NamedTuple):
    """A counter: its member, its value, who is known to hold so many, and how many are unknown.

    `unknown` is negative where more holders are found than the count says: that is a bug.
    """

    member: str
    value: int
    holders: list[str]
    unknown: int

    def words(self) -> str:
        """Say who holds it, in one line."""
        named = self.holders[:MOST_NAMED]
        more = len(self.holders) - len(named)
        parts = named + ([f"{more} more"] if more else [])
        if self.unknown > 0:
            parts.append(
                "1 unknown holder" if self.unknown == 1 else f"{self.unknown} unknown holders"
            )
        if self.unknown < 0:
            parts.append(f"that is {-self.unknown} more than the count says")
        return "; ".join(parts) or "nobody"


class _Walk:
    # The holders in one machine.

    def __init__(self, places: Places) -> None:
        self.places, self.m = places, places.m
        self.tasks = list(itertools.islice(threads(self.m), MOST_TASKS))

    def name(self, task: Any) -> str:
        return self.places.name(sched.task_struct, task.address_)

    # The tasks that point to `address` with one of the members, each as often as it does.
    def pointers(self, address: int, *members: str) -> Iterator[str]:
        offsets = [(name, sched.task_struct.offsetof_(name) >> 3) for name in members]
        for task in self.tasks:
            first = self.m.offset(task.address_) >> 3
            for name, offset in offsets:
                if self.m.u64[first + offset] == address:
                    own = f"{name} of " if len(offsets) > 1 else ""
                    yield own + self.name(task)

    def all(self, t: Any, member: str) -> list[Any]:
        # The distinct structs that the tasks point to with `member`.
        found = dict.fromkeys(getattr(task, member).address_ for task in self.tasks)
        return [t(self.m, address) for address in found if address]


_STATIC = "its static initialiser"


# Whether it is the static object `name`, which its initialiser counts otherwise than a live one.
def _is(walk: _Walk, ref: Any, name: str) -> bool:
    return bool(ref.address_ == walk.m.symbol(name).address_)


def _tasks(*members: str) -> Callable[[_Walk, Any], Iterator[str]]:
    return lambda walk, ref: walk.pointers(ref.address_, *members)


def _cred(walk: _Walk, ref: Any) -> Iterator[str]:
    yield from walk.pointers(ref.address_, "real_cred", "cred")
    seen = set()
    for table in walk.all(fs.files_struct, "files"):
        fdt: Any = table.fdt
        for fd in range(min(fdt.max_fds, 4096)):
            file = fs.file(walk.m, walk.m.read_u64(fdt.fd + 8 * fd))
            if file and file not in seen and file.f_cred == ref:
                seen.add(file)
                who = next(iter(walk.pointers(table.address_, "files")), "a table")
                yield f"the file fd {fd} of {who}"
    if _is(walk, ref, "init_cred"):
        yield from [_STATIC] * 2


def _live(walk: _Walk, ref: Any) -> Iterator[str]:
    for task in walk.tasks:
        if task.signal == ref and not task.flags & sched.PF_EXITING:
            yield walk.name(task)


def _mm_users(walk: _Walk, ref: Any) -> Iterator[str]:
    yield from walk.pointers(ref.address_, "mm")
    if _is(walk, ref, "init_mm"):
        yield from [_STATIC] * 2


def _mm_count(walk: _Walk, ref: Any) -> Iterator[str]:
    if ref.mm_users > 0:
        yield "all of mm_users together"
    for task in walk.tasks:
        if not task.mm and task.active_mm == ref:
            yield f"{walk.name(task)}, which borrows it"
    if walk.m.symbol("runqueues").prev_mm == ref:
        yield "prev_mm of the run queue"


def _usage(walk: _Walk, ref: Any) -> Iterator[str]:
    if ref.rcu_users:
        yield "all of rcu_users together"
    if ref.flags & sched.PF_KTHREAD:
        yield from ["who waits for it in kthread_stop()"] * len(stack_locals.stoppers(ref))
    elif ref.vfork_done:
        yield "its parent, which waits in vfork()"
    if _is(walk, ref, "init_task"):
        yield _STATIC


def _rcu_users(walk: _Walk, ref: Any) -> Iterator[str]:
    if ref.thread_pid and not _is(walk, ref, "init_task"):
        yield "whoever reaps it, until release_task()"
    if ref.state != sched.TASK_DEAD or ref.on_cpu:
        yield "the scheduler, until it has left the CPU for the last time"


def _stack(walk: _Walk, ref: Any) -> Iterator[str]:
    if ref.stack:
        yield "the task itself"


def _processes(walk: _Walk, ref: Any) -> Iterator[str]:
    for task in walk.tasks:
        if task.real_cred and task.real_cred.user == ref:
            yield walk.name(task)


def _opened(walk: _Walk) -> Iterator[tuple[int, str]]:
    # Each descriptor: the address of its open file, and whose it is.
    for table in walk.all(fs.files_struct, "files"):
        fdt: Any = table.fdt
        who = ", ".join(itertools.islice(walk.pointers(table.address_, "files"), 2))
        for fd in range(min(fdt.max_fds, 4096)):
            address = walk.m.read_u64(fdt.fd + 8 * fd)
            if address:
                yield address, f"fd {fd} of {who}"


def _polled(walk: _Walk) -> Iterator[tuple[int, str]]:
    # Each file that somebody waits for in poll(2), and who.
    for task in walk.tasks:
        for pwq in pollers.poll_tables(task):
            for entry in pollers.poll_entries(pwq):
                yield entry.filp.address_, f"{walk.name(task)}, which polls it"


def _files(walk: _Walk, ref: Any) -> Iterator[str]:
    for address, who in itertools.chain(_opened(walk), _polled(walk)):
        if address == ref.address_:
            yield who


def _pid(walk: _Walk, ref: Any) -> Iterator[str]:
    m, upid = walk.m, ref.numbers[ref.level]
    if idr.idr_find(m, upid.ns.idr, upid.nr) == ref.address_:
        yield f"number {upid.nr} of {walk.places.at(upid.ns.address_).words}"
    for task in walk.tasks:
        if task == task.group_leader:
            queue = task.signal.wait_chldexit.head
            for entry in lists.list_for_each_entry(wait_queue_entry, queue, "entry"):
                if entry.func == machine.text_address("child_wait_callback"):
                    waits = container_of(entry, kernel_exit.wait_opts, "child_wait")
                    if waits.wo_pid == ref:
                        yield f"{walk.name(task)}, which waits for it"
    pidfds: dict[int, str] = {}
    for address, who in itertools.chain(_opened(walk), _polled(walk)):
        file: Any = fs.file(m, address)
        if file.f_op == m.symbol("pidfd_fops") and file.private_data == ref.address_:
            pidfds.setdefault(address, who)
    for who in pidfds.values():
        yield f"a pidfd, {who}"
    if _is(walk, ref, "init_struct_pid"):
        yield _STATIC


def _namespace(walk: _Walk, ref: Any) -> Iterator[str]:
    m = walk.m
    if _is(walk, ref, "init_pid_ns"):  # get_pid_ns() leaves it alone
        yield from [_STATIC] * 2
        return
    for proxy in walk.all(nsproxy.nsproxy, "nsproxy"):
        if proxy.pid_ns_for_children == ref:
            who = ", ".join(itertools.islice(walk.pointers(proxy.address_, "nsproxy"), 2))
            yield f"the nsproxy of {who}"
    for address, _ in idr.idr_for_each_entry(m, ref.idr):
        p: Any = pid_h.pid(m, address)
        if p.level == ref.level:
            yield f"{walk.places.at(address).words}, allocated in it"


_WAYS: dict[Any, dict[str, Callable[[_Walk, Any], Iterator[str]]]] = {
    sched.task_struct: {"usage": _usage, "rcu_users": _rcu_users, "stack_refcount": _stack},
    pid_h.pid: {"count": _pid},
    mm_types.mm_struct: {"mm_users": _mm_users, "mm_count": _mm_count},
    fs.files_struct: {"count": _tasks("files")},
    fs.fs_struct: {"users": _tasks("fs")},
    fs.file: {"f_count": _files},
    sched_signal.signal_struct: {
        "sigcnt": _tasks("signal"),
        "live": _live,
        "nr_threads": _tasks("signal"),
    },
    sched_signal.sighand_struct: {"count": _tasks("sighand")},
    nsproxy.nsproxy: {"count": _tasks("nsproxy")},
    cred.cred: {"usage": _cred},
    cred.user_struct: {"processes": _processes},
    pid_h.pid_namespace: {"kref": _namespace},
}


def counted(t: Any) -> bool:
    """Return whether the structs of type `t` are counted, and their holders can be looked for."""
    return t in _WAYS


def counts(places: Places, t: Any, address: int) -> list[Count]:
    """Return the counters of the struct of type `t` at `address`, with the holders that were found."""
    if t not in _WAYS:
        return []
    with looking(places.m):
        return _counts(_Walk(places), t, address)


def _counts(walk: _Walk, t: Any, address: int) -> list[Count]:
    ref = t(walk.m, address)
    found = []
    for member, way in _WAYS[t].items():
        names: list[str] = []
        try:
            value = getattr(ref, member)
            names.extend(way(walk, ref))
        except (Fault, LookupError) as fault:
            found.append(Count(member, 0, [f"it cannot be told: {fault}"], 0))
            continue
        found.append(Count(member, value, names, value - len(names)))
    return found
