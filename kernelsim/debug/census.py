"""Who refers to what in a machine at rest: the reference counts, recomputed by walking.

The kernel keeps a count in each shared object; here every pointer that the count stands for is
found, from the tasks, the files, the namespaces and the kernel stacks of those who wait.  What is
reached is also all that the slab caches may hold, so that a leak shows as a wrong count.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

from kernelsim.debug import counted, pollers, slabs, stack_locals
from kernelsim.fs import nsfs, select
from kernelsim.include.linux import (
    cred,
    fs,
    mm_types,
    nsproxy,
    sched,
    user_namespace,
)
from kernelsim.include.linux import file as file_h
from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import list as lists
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.sched import signal as sched_signal
from kernelsim.include.linux.wait import wait_queue_entry
from kernelsim.kernel import exit as kernel_exit
from kernelsim.lib import idr
from kernelsim.machine import machine, memory
from kernelsim.machine.ref import ValidationError, container_of
from kernelsim.mm import slab_common, slub

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Census", "validate_counts", "validate_slabs"]

STACK_PAGES = sched.THREAD_SIZE >> memory.PAGE_SHIFT


class Census:
    """Everything reachable in machine `m`.

    `tasks` are all threads, the idle task first; `refs` counts the pointers to each object by
    type and address; `queued` are the signals sent and not taken.
    """

    def __init__(self, m: Any) -> None:
        self.m = m
        self.refs: dict[type[Any], Counter[int]] = {t: Counter() for t in counted.COUNTERS}
        self.users: Counter[int] = Counter()  # of each mm_struct: tasks that live in it
        self.grabs: Counter[int] = Counter()  # … and tasks that only borrow it
        self.vforks: Counter[int] = Counter()  # of each task: callers of vfork() that count it
        self.queued: list[int] = []
        self.waiting: Counter[int] = Counter()  # of each user_struct: how many of these are its
        self.nodes = 0  # of radix trees
        self.pipes: dict[int, list[Any]] = {}  # the files of each pipe
        self.polls: list[Any] = []  # struct poll_wqueues of those who sleep in poll(2)
        self.tables: list[Any] = []  # fdtables that are no longer the embedded one
        self.tasks = list(_threads(m))
        for task in self.tasks:
            self._task(task)
        self._mms()
        for table in self._all(fs.files_struct):
            self._table(table)
        for task in self.tasks:
            if task.stack and task != m.current:
                self._held(task)
        self._namespaces()
        self._owners()
        pool = m.symbol("radix_tree_preloads")
        self.nodes += int(pool.nr)

    def _all(self, t: type[Any]) -> list[Any]:
        # References to the objects of type `t` reached so far, by address.
        return [t(self.m, address) for address in sorted(self.refs[t])]

    def _point(self, ref: Any) -> None:
        if ref:
            self.refs[type(ref)][ref.address_] += 1

    # --- tasks --------------------------------------------------------------------------------

    def _task(self, task: Any) -> None:
        for name in ("signal", "sighand", "files", "fs", "nsproxy", "cred", "real_cred"):
            self._point(getattr(task, name))
        self._poll(task)
        if task.mm:
            self.users[task.mm.address_] += 1
        elif task.active_mm:
            self.grabs[task.active_mm.address_] += 1
        self._signals(task.pending)
        if task == task.group_leader:
            self._signals(task.signal.shared_pending)
            for entry in lists.list_for_each_entry(
                wait_queue_entry, task.signal.wait_chldexit.head, "entry"
            ):
                if entry.func == machine.text_address("child_wait_callback"):
                    self._point(container_of(entry, kernel_exit.wait_opts, "child_wait").wo_pid)

    def _poll(self, task: Any) -> None:
        # Who polls holds the files: its waiters are found by their function, on its stack.
        for pwq in pollers.poll_tables(task):
            self.polls.append(pwq)
            for entry in pollers.poll_entries(pwq):
                file = entry.filp
                if not self.refs[fs.file][file.address_]:
                    self._file(file)
                self._point(file)

    def _signals(self, pending: Any) -> None:
        lists.validate_list(pending.list)
        entries = lists.list_for_each_entry(sched_signal.sigqueue, pending.list, "list")
        for entry in entries:
            self.queued.append(entry.address_)
            if not self.waiting[entry.user.address_]:  # all of a user's together hold it
                self._point(entry.user)
            self.waiting[entry.user.address_] += 1

    def _mms(self) -> None:
        prev = self.m.symbol("runqueues").prev_mm
        if prev:
            self.grabs[prev.address_] += 1
        for address in self.users:
            self.grabs[address] += 1  # all users together count as one
        self.grabs[self.m.symbol("init_mm").address_] += 1  # it lives for ever

    # --- files --------------------------------------------------------------------------------

    def _table(self, table: Any) -> None:
        fdt = table.fdt
        if fdt != table.fdtab:
            self.tables.append(fdt)
        n = int(fdt.max_fds)
        bits = int.from_bytes(self.m.read(fdt.open_fds, -(-n // 64) * 8), "little")
        files = self.refs[fs.file]
        for fd, address in enumerate(struct.unpack(f"<{n}Q", self.m.read(fdt.fd, 8 * n))):
            used = bits >> fd & 1
            if used != bool(address):
                file = fs.file(self.m, address)
                raise ValidationError(
                    f"{table!r}: bit {fd} of open_fds is {used}, but fd[{fd}] is {file!r}"
                )
            if address:
                if not files[address]:
                    self._file(fs.file(self.m, address))
                files[address] += 1

    def _file(self, file: Any) -> None:
        self._point(file.f_cred)
        if file.f_op == self.m.symbol("ns_file_operations"):
            kind = counted.KINDS[nsfs.get_proc_ns(file).ops.type]
            self._point(container_of(nsfs.get_proc_ns(file), kind, "ns"))
        elif any(
            file.f_op == self.m.symbol(f"proc_{name}_operations") for name in counted.USER_NS_FILES
        ):
            self._point(user_namespace.user_namespace(self.m, file.private_data))
        if file.f_op == self.m.symbol("pipefifo_fops"):
            self.pipes.setdefault(file.private_data, []).append(file)
        elif file.f_op in counted.pid_files(self.m):
            self._point(pid_h.pid(self.m, file.private_data))

    def _held(self, task: Any) -> None:
        # What the calls that `task` is in have counted.
        for held in stack_locals.stack_locals(self.m, task):
            if isinstance(held, file_h._fd):
                if not self.refs[fs.file][held.file.address_]:
                    self._file(held.file)
                self._point(held.file)
                continue
            self._point(held.pid)
            self.vforks[held.p.address_] += 1
            if held.p not in self.tasks:  # it is gone already
                for target in (held.p.signal, held.p.cred, held.p.real_cred):
                    self._point(target)

    # --- namespaces and pids ------------------------------------------------------------------

    def _namespaces(self) -> None:
        for proxy in self._all(nsproxy.nsproxy):
            for member in counted.MEMBERS:
                self._point(getattr(proxy, member))
        self._point(self.m.symbol("init_nsproxy").mnt_ns)  # init_mount_tree()
        self._point(self.m.symbol("init_pid_ns"))
        todo, seen = self._all(pid_h.pid_namespace), set()
        todo += [
            pid_h.ns_of_pid(pid) for pid in self._all(pid_h.pid)
        ]  # a pidfd may be all that is left
        while todo:
            ns = todo.pop()
            if ns in seen:
                continue
            seen.add(ns)
            self._point(ns.parent)
            self.nodes += idr_h.validate_idr(self.m, ns.idr)
            todo += [ns.parent] if ns.parent else []
            for address, nr in idr.idr_for_each_entry(self.m, ns.idr):
                todo += self._number(pid_h.pid(self.m, address), nr, ns)
        for pid in self._all(pid_h.pid):
            self._point(pid_h.ns_of_pid(pid))  # alloc_pid(): held until the pid is freed
        self._point(self.m.symbol("init_struct_pid"))

    def _owners(self) -> None:
        # Credentials and namespaces hold user namespaces, and those each other.
        for one in self._all(cred.cred):
            for member in ("group_info", "user", "user_ns"):
                self._point(getattr(one, member))
        for kind in counted.OWNED:
            for ns in self._all(kind):
                self._point(ns.user_ns)
                self._point(ns.ucounts)
        for address in self.grabs:
            mm: Any = mm_types.mm_struct(self.m, address)
            self._point(mm.user_ns)
        todo = self._all(user_namespace.user_namespace)
        seen = set(todo)
        while todo:
            ns = todo.pop()
            self._point(ns.parent)
            self._point(ns.ucounts)
            if ns.parent and ns.parent not in seen:
                seen.add(ns.parent)
                todo.append(ns.parent)

    def _number(self, pid: Any, nr: int, ns: Any) -> list[Any]:
        # The entry `nr` of the namespace `ns`; the namespaces in which `pid` has numbers.
        numbers = [pid.numbers[level] for level in range(pid.level + 1)]
        if pid.level < ns.level or (numbers[ns.level].nr, numbers[ns.level].ns) != (nr, ns):
            raise ValidationError(
                f"number {nr} of {ns!r} leads to {pid!r}, which is not that number there"
            )
        if ns.level == pid.level:
            self._point(pid)
        return [upid.ns for upid in numbers]

    # --- memory -------------------------------------------------------------------------------

    def objects(self) -> Iterator[int]:
        """Yield the address of every object reached, static ones too."""
        yield from {*(t.address_ for t in self.tasks), *self.vforks}
        yield from filter(None, (t.set_child_tid for t in self.tasks if t.flags & sched.PF_KTHREAD))
        for counter in self.refs.values():
            yield from counter
        yield from self.grabs
        yield from self.queued
        for address in self.pipes:
            pipe: Any = fs.pipe_inode_info(self.m, address)
            yield from (address, pipe.bufs.address_)
        for fdt in self.tables:
            yield from (fdt.address_, fdt.fd, fdt.open_fds)
        for pwq in self.polls:
            head: Any = select.poll_list(self.m, pwq.address_ + pollers.POLL_LIST)
            while head := head.next:
                yield head.address_

    def pages(self) -> int:
        """Return how many pages the objects reached hold by themselves: stacks, pipes, per-CPU data."""
        per_cpu = {
            address >> memory.PAGE_SHIFT
            for address, _ in self.m.symbols.values()
            if address < memory.IMAGE_MAP
        }
        stacks = sum(STACK_PAGES for t in self.tasks[1:] if t.stack)
        pipes: list[Any] = [fs.pipe_inode_info(self.m, address) for address in self.pipes]
        return (
            len(per_cpu)
            + stacks
            + sum(bool((p.bufs + i).page) for p in pipes for i in range(p.ring_size))
            + sum(len(pollers.poll_pages(pwq)) for pwq in self.polls)
        )


def _threads(m: Any) -> Iterator[Any]:
    for leader in (m.symbol("init_task"), *sched_signal.for_each_process(m)):
        yield from sched_signal.for_each_thread(leader)


# --- comparing -----------------------------------------------------------------------------


def _expect(ref: Any, member: str, expected: int, what: str) -> None:
    found = getattr(ref, member)
    if found != expected:
        raise ValidationError(f"{ref!r}->{member} is {found}, but {expected} {what}")


def validate_counts(census: Census) -> None:
    """Check every reference count against the pointers found, and what else counts tasks or files."""
    m = census.m
    initial = m.symbol("init_pid_ns")
    for t, (member, extra) in counted.COUNTERS.items():
        fixed = {m.symbol(name).address_: n for name, n in extra.items()}
        for address, n in sorted(census.refs[t].items()):
            if address != initial.address_:  # it is not counted
                _expect(t(m, address), member, n + fixed.get(address, 0), "pointers lead to it")
    for address in sorted(census.grabs):
        mm = mm_types.mm_struct(m, address)
        _expect(mm, "mm_count", census.grabs[address], "tasks live in it or borrow it")
        if mm != m.symbol("init_mm"):
            _expect(mm, "mm_users", census.users[address], "tasks live in it")
    for address, files in sorted(census.pipes.items()):
        pipe = fs.pipe_inode_info(m, address)
        _expect(pipe, "files", len(files), "open files are its ends")
        for member, mode, verb in (
            ("readers", fs.FMODE_READ, "read"),
            ("writers", fs.FMODE_WRITE, "written"),
        ):
            able = sum(bool(f.f_mode & mode) for f in files)
            _expect(pipe, member, able, f"of them can be {verb}")
    _task_counts(census)


def _task_counts(census: Census) -> None:
    m, tasks = census.m, census.tasks
    users = Counter(t.real_cred.user for t in tasks)
    for user, n in users.items():
        _expect(user, "processes", n, "threads are its")
        _expect(user, "sigpending", census.waiting[user.address_], "queued signals are its")
    groups: dict[Any, list[Any]] = {}
    for t in tasks:
        groups.setdefault(t.signal, []).append(t)
    for sig, group in groups.items():
        _expect(sig, "nr_threads", len(group), "threads have it")
        _expect(
            sig,
            "live",
            sum(not t.flags & sched.PF_EXITING for t in group),
            "threads are not exiting",
        )
    for name, n in (
        ("nr_threads", len(tasks) - 1),
        ("process_counts", sum(t == t.group_leader for t in tasks) - 1),
    ):
        found = m.s32[m.offset(m.symbol(name)) >> 2]
        if found != n:
            raise ValidationError(f"{name} at {m.symbol(name):#x} is {found}, but there are {n}")
    for ns in census._all(pid_h.pid_namespace):
        entries = sum(1 for _ in idr.idr_for_each_entry(m, ns.idr))
        if ns.pid_allocated & ~pid_h.PIDNS_ADDING != entries:
            raise ValidationError(
                f"{ns!r}->pid_allocated is {ns.pid_allocated:#x}, but {entries} numbers are in use"
            )


def validate_slabs(census: Census) -> None:
    """Check that the slab caches hold just what was reached, and that no page is lost."""
    m = census.m
    held: Counter[str] = Counter({"radix_tree_node": census.nodes})
    objects = slabs.Objects()
    for address in census.objects():
        found = objects.at(m, address)
        if found is None:
            continue  # a static object, in the kernel's image
        name, start, used = found
        if start != address or not used:
            raise ValidationError(
                f"{address:#x} is pointed to, but {name} has {'a used' if used else 'a free'} object at {start:#x}"
            )
        held[name] += 1
    pages = census.pages()
    s: Any
    for s in slab_common.caches(m):
        name, node = slab_common.cache_name(m, s), s.node
        held["kmem_cache"] += s != m.symbol("kmem_cache")
        free = slub.validate_slab_cache(m, s, objects.at)
        if node.total_objects - free != node.active_objects:
            raise ValidationError(
                f"{name} {s!r}: {node.active_objects} in use, but {free} of {node.total_objects} are free"
            )
        pages += node.nr_slabs << (s.oo >> 16)
    usage = slab_common.usage(m)
    wrong = {name: (n, held[name]) for name, n in usage.items() if n != held[name]}
    if wrong:
        raise ValidationError(f"in use, and reached: {wrong}")
    zone = m.symbol("contig_zone")
    if zone.managed_pages - zone.free_pages != pages:
        raise ValidationError(
            f"{zone!r}: {zone.managed_pages - zone.free_pages} pages in use, but {pages} are reached"
        )
