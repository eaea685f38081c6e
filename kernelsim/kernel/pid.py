"""kernel/pid.c @ v5.10.188: process identifiers, their numbers and the tasks that use them.

Left out: pidmap_lock (one CPU), /proc's dentries; call_rcu() calls back at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelsim.fs import anon_inodes, file_table
from kernelsim.fs import file as fs_file
from kernelsim.include.linux import _links, hlist, proc_ns, rculist, sched, slab
from kernelsim.include.linux import _words as w
from kernelsim.include.linux import idr as idr_h
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux.pid import PIDNS_ADDING, ns_of_pid
from kernelsim.include.linux.poison import LIST_POISON2
from kernelsim.include.linux.sched import PIDTYPE_MAX, PIDTYPE_PID, task_struct
from kernelsim.include.uapi.asm import errno, fcntl
from kernelsim.include.uapi.linux import capability as caps
from kernelsim.include.uapi.linux.sched import CLONE_NEWPID
from kernelsim.kernel import capability, fork, pid_namespace, ptrace
from kernelsim.kernel.sched import core, wait
from kernelsim.lib import idr
from kernelsim.machine import memory
from kernelsim.machine.ctype import s32
from kernelsim.machine.memory import POISON
from kernelsim.mm import slub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernelsim.machine.machine import Machine

__all__ = [
    "alloc_pid",
    "attach_pid",
    "change_pid",
    "detach_pid",
    "disable_pid_allocation",
    "exchange_tids",
    "find_ge_pid",
    "find_get_pid",
    "find_pid_ns",
    "find_task_by_pid_ns",
    "find_task_by_vpid",
    "find_vpid",
    "free_pid",
    "get_pid",
    "get_pid_task",
    "get_task_pid",
    "pid_idr_init",
    "pid_nr_ns",
    "pid_static_init",
    "pid_task",
    "pid_vnr",
    "pidfd_create",
    "pidfd_get_pid",
    "pidfd_getfd",
    "put_pid",
    "set_pid_max",
    "sys_pidfd_getfd",
    "sys_pidfd_open",
    "task_active_pid_ns",
    "task_pid_nr_ns",
    "task_pid_vnr",
    "task_tgid_nr_ns",
    "task_tgid_vnr",
    "transfer_pid",
    "validate_pid",
]

RESERVED_PIDS = 300
PID_MAX_DEFAULT = 32768
PID_MAX_LIMIT = 4 * 1024 * 1024
PIDS_PER_CPU_DEFAULT = 1024
PIDS_PER_CPU_MIN = 8


def pid_static_init(m: Machine) -> None:
    """Lay down what Linux declares statically: init_struct_pid and init_pid_ns."""
    init_pid_ns, init_struct_pid = (
        m.define("init_pid_ns", pid_h.pid_namespace),
        m.define("init_struct_pid", pid_h.pid),
    )
    init_struct_pid.count = 1
    init_struct_pid.numbers[0].nr = 0
    init_struct_pid.numbers[0].ns = init_pid_ns
    wait.init_waitqueue_head(init_struct_pid.wait_pidfd)
    idr_h.idr_init(m, init_pid_ns.idr)
    init_pid_ns.kref = 2
    init_pid_ns.pid_allocated = PIDNS_ADDING
    init_pid_ns.child_reaper = m.symbol("init_task")
    init_pid_ns.user_ns = m.symbol("init_user_ns")
    init_pid_ns.ns.inum = proc_ns.PROC_PID_INIT_INO
    init_pid_ns.ns.ops = proc_ns._operations(
        m, "pidns_operations", "pid", CLONE_NEWPID, "pidns", get_parent="pidns_get_parent"
    )
    proc_ns._operations(
        m,
        "pidns_for_children_operations",
        "pid_for_children",
        CLONE_NEWPID,
        "pidns",
        get="pidns_for_children_get",
        get_parent="pidns_get_parent",
        real_ns_name="pid",
    )
    for name, value in (
        ("pid_max", PID_MAX_DEFAULT),
        ("pid_max_min", RESERVED_PIDS + 1),
        ("pid_max_max", PID_MAX_LIMIT),
    ):
        _set_int(m, m.define(name, s32), value)


def _set_int(m: Machine, address: int, value: int) -> None:
    m.write(address, value.to_bytes(4, "little"))


def _int(m: Machine, name: str) -> int:
    value: int = m.s32[m.offset(m.symbol(name)) >> 2]
    return value


def pid_idr_init(m: Machine, cpus: int = 1) -> None:
    """Set the limits for `cpus` (int) CPUs and make the cache of struct pid."""
    _set_int(
        m,
        m.symbol("pid_max"),
        min(PID_MAX_LIMIT, max(_int(m, "pid_max"), PIDS_PER_CPU_DEFAULT * cpus)),
    )
    _set_int(m, m.symbol("pid_max_min"), max(RESERVED_PIDS + 1, PIDS_PER_CPU_MIN * cpus))
    size = pid_h.pid.sizeof_
    flags = slab.SLAB_HWCACHE_ALIGN | slab.SLAB_PANIC | slab.SLAB_ACCOUNT
    m.symbol("init_pid_ns").pid_cachep = slub.kmem_cache_create(m, "pid", size, 0, flags)


def set_pid_max(m: Machine, value: int) -> int:
    """Set kernel.pid_max to `value` (int); 0, or -EINVAL outside [pid_max_min, pid_max_max]."""
    if not _int(m, "pid_max_min") <= value <= _int(m, "pid_max_max"):
        return -errno.EINVAL
    _set_int(m, m.symbol("pid_max"), value)
    return 0


# --- life of a struct pid ------------------------------------------------------------------


# Fork, exit and wait come here several times each, so these functions work on words of memory: `p`
# is the index of the first word of a struct pid, `t` of a task_struct (see include/linux/_words).


def get_pid(pid: Any) -> Any:
    """Take a reference to `pid` (struct pid *, may be NULL); return it."""
    if pid.address_:
        _add_count(pid, 1)
    return pid


def _add_count(pid: Any, n: int) -> None:
    m, p = pid.machine_, pid._o >> 3
    first = m.u64[p]
    if first == POISON:
        m.check(pid.address_, "struct pid", "count")
    if m.log is not None:
        m.log_word(p)
    m.u64[p] = first & ~w.LO | (first + n & w.LO)


def put_pid(m: Machine, pid: Any) -> None:
    """Drop a reference to `pid` (struct pid *); the last one frees it."""
    if not pid.address_:
        return
    if m.u64[pid._o >> 3] & w.LO != 1:
        _add_count(pid, -1)
        return
    ns = ns_of_pid(pid)
    slub.kmem_cache_free(m, ns.pid_cachep, pid.address_)
    pid_namespace.put_pid_ns(m, ns)


def free_pid(m: Machine, pid: Any) -> None:
    """Give the numbers of `pid` (struct pid *) back, at every level, and drop its first reference."""
    u64, p = m.u64, pid._o >> 3
    for i in range((u64[p + w.P_LEVEL_HI] >> 32) + 1):
        upid = p + w.P_NUMBERS + i * w.U_WORDS
        ns = pid_h.pid_namespace.ref_(m, u64[upid + w.U_NS])
        allocated = _add_allocated(m, ns, -1)
        if allocated in (1, 2):  # the namespace's init may wait for the others to be gone
            core.wake_up_process(m, ns.child_reaper)
        elif allocated == PIDNS_ADDING:  # its first process was never born
            ns.pid_allocated = 0
        idr.idr_remove(m, ns.idr, u64[upid + w.U_NR_LO] & w.LO)
    put_pid(m, pid)  # delayed_put_pid(), after a grace period in Linux


def _add_allocated(m: Machine, ns: Any, n: int) -> int:
    # Add `n` to pid_allocated, a word of its own but for padding; its new value.
    i = (ns._o >> 3) + w.N_ALLOCATED_LO
    allocated: int = m.u64[i] + n & w.LO
    if m.log is not None:
        m.log_word(i)
    m.u64[i] = allocated
    return allocated


def alloc_pid(m: Machine, ns: Any, set_tid: Sequence[int] = ()) -> Any:
    """Allocate a struct pid with a number in `ns` (struct pid_namespace *) and in every ancestor.

    Returns struct pid *, or a negative errno: EINVAL for a bad request, EPERM, EEXIST if a number
    asked for is taken, EAGAIN if none is left, ENOMEM, also if the namespace's init is dead.
    """
    level = ns.level
    if len(set_tid) > level + 1:
        return -errno.EINVAL
    address = slub.kmem_cache_alloc(m, ns.pid_cachep, slab.GFP_KERNEL)
    if not address:
        return -errno.ENOMEM
    pid, u64 = pid_h.pid.ref_(m, address), m.u64
    p = pid._o >> 3
    memory.put(m, p + w.P_LEVEL_HI, level << 32)  # the struct was zeroed
    tmp = ns
    for i in range(level, -1, -1):
        wanted = level - i < len(set_tid)
        nr = _set_number(m, tmp, set_tid[level - i]) if wanted else _alloc_number(m, tmp)
        if nr < 0:
            _undo_numbers(m, ns, pid, i)
            slub.kmem_cache_free(m, ns.pid_cachep, address)
            return nr
        upid = p + w.P_NUMBERS + i * w.U_WORDS
        if m.log is not None:
            m.log_words(upid + w.U_NR_LO, upid + w.U_NS)
        u64[upid + w.U_NR_LO] = nr
        u64[upid + w.U_NS] = tmp.address_
        if i:
            tmp = tmp.parent
    pid_namespace.get_pid_ns(ns)
    memory.put(m, p, level << 32 | 1)  # count
    wait.init_waitqueue_head(pid.wait_pidfd)
    if not ns.pid_allocated & PIDNS_ADDING:
        _undo_numbers(m, ns, pid, -1)
        pid_namespace.put_pid_ns(m, ns)
        slub.kmem_cache_free(m, ns.pid_cachep, address)
        return -errno.ENOMEM
    for i in range(level, -1, -1):  # only now can find_pid_ns() see it
        upid = p + w.P_NUMBERS + i * w.U_WORDS
        owner = pid_h.pid_namespace.ref_(m, u64[upid + w.U_NS])
        idr.idr_replace(m, owner.idr, address, u64[upid + w.U_NR_LO])
        _add_allocated(m, owner, 1)
    return pid


def _alloc_number(m: Machine, ns: Any) -> int:
    # The next free number of `ns`: cyclic, and not below 300 once the cursor has passed that.
    numbers = ns.idr
    pid_min = RESERVED_PIDS if numbers.idr_next > RESERVED_PIDS else 1
    idr.idr_preload(m, slab.GFP_KERNEL)
    nr = idr.idr_alloc_cyclic(m, numbers, 0, pid_min, m.add("pid_max", 0), slab.GFP_ATOMIC)
    idr_h.idr_preload_end(m)
    return -errno.EAGAIN if nr == -errno.ENOSPC else nr


def _set_number(m: Machine, ns: Any, tid: int) -> int:
    # The number that clone3() asked for.
    if tid < 1 or tid >= _int(m, "pid_max"):
        return -errno.EINVAL
    if tid != 1 and not ns.child_reaper:
        return -errno.EINVAL
    if not capability.ns_capable(
        m, ns.user_ns, caps.CAP_CHECKPOINT_RESTORE
    ) and not capability.ns_capable(m, ns.user_ns, caps.CAP_SYS_ADMIN):
        return -errno.EPERM
    idr.idr_preload(m, slab.GFP_KERNEL)
    nr = idr.idr_alloc(m, ns.idr, 0, tid, tid + 1, slab.GFP_ATOMIC)
    idr_h.idr_preload_end(m)
    return -errno.EEXIST if nr == -errno.ENOSPC else nr


def _undo_numbers(m: Machine, ns: Any, pid: Any, i: int) -> None:
    # Give back the numbers of the levels above `i`, deepest last.
    for level in range(i + 1, ns.level + 1):
        upid = pid.numbers[level]
        idr.idr_remove(m, upid.ns.idr, upid.nr)
    if ns.pid_allocated == PIDNS_ADDING:  # the very first one failed: the next gets 1 again
        ns.idr.idr_next = 0


def disable_pid_allocation(ns: Any) -> None:
    """Let nobody be born in `ns` (struct pid_namespace *) any more."""
    ns.pid_allocated &= ~PIDNS_ADDING & 0xFFFF_FFFF


# --- from number to pid to task ------------------------------------------------------------


def find_pid_ns(m: Machine, nr: int, ns: Any) -> Any:
    """Return the struct pid * with number `nr` (int) in `ns` (struct pid_namespace *), or NULL."""
    return pid_h.pid.ref_(m, idr.idr_find(m, ns.idr, nr))


def find_vpid(m: Machine, nr: int) -> Any:
    """Return the struct pid * with number `nr` as the running task counts, or NULL."""
    return find_pid_ns(m, nr, task_active_pid_ns(m.current))


def find_get_pid(m: Machine, nr: int) -> Any:
    """Return find_vpid(nr) with a reference taken."""
    return get_pid(find_vpid(m, nr))


def find_ge_pid(m: Machine, nr: int, ns: Any) -> Any:
    """Return the struct pid * with the lowest number from `nr` on in `ns`, or NULL."""
    found = idr.idr_get_next(m, ns.idr, nr)
    return pid_h.pid(m, found[0])


def pid_task(pid: Any, pid_type: int) -> Any:
    """Return the first task (struct task_struct *) that uses `pid` as its `pid_type`, or NULL."""
    if not pid.address_:
        return task_struct.ref_(pid.machine_, 0)
    first = pid.tasks[pid_type].first.address_
    return task_struct.ref_(pid.machine_, first - _LINKS[pid_type] if first else 0)


def find_task_by_pid_ns(m: Machine, nr: int, ns: Any) -> Any:
    """Return the task with number `nr` in `ns`, or NULL."""
    return pid_task(find_pid_ns(m, nr, ns), PIDTYPE_PID)


def find_task_by_vpid(m: Machine, nr: int) -> Any:
    """Return the task with number `nr` as the running task counts, or NULL."""
    return find_task_by_pid_ns(m, nr, task_active_pid_ns(m.current))


def get_pid_task(pid: Any, pid_type: int) -> Any:
    """Return pid_task(), with a reference (usage) taken."""
    task = pid_task(pid, pid_type)
    if task.address_:
        task.usage += 1
    return task


def get_task_pid(task: Any, pid_type: int) -> Any:
    """Return the struct pid * that `task` uses as `pid_type`, with a reference taken."""
    return get_pid(_task_pid(task, pid_type))


def _pid_word(m: Machine, t: int, pid_type: int) -> int:
    # The index of the word that holds the pid of a type: of the task, or of its process.
    if pid_type == PIDTYPE_PID:
        return t + w.T_THREAD_PID
    return m.index(m.u64[t + w.T_SIGNAL]) + w.S_PIDS + pid_type


def _task_pid(task: Any, pid_type: int) -> Any:
    m = task.machine_
    return pid_h.pid.ref_(m, m.u64[_pid_word(m, task._o >> 3, pid_type)])


# --- links between pid and task ------------------------------------------------------------

_TASKS = pid_h.pid.offsetof_("tasks")
_LINKS = [task_struct.offsetof_(f"pid_links[{t}]") for t in range(PIDTYPE_MAX)]


def attach_pid(task: Any, pid_type: int) -> None:
    """Link `task` into the list of its pid for `pid_type`; newest first."""
    m = task.machine_
    head = m.u64[_pid_word(m, task._o >> 3, pid_type)] + _TASKS + 8 * pid_type
    _links.hlist_insert_rcu(m, task.address_ + _LINKS[pid_type], head)


def __change_pid(m: Machine, task: Any, pid_type: int, new: Any) -> None:
    # Unlink, and free the pid when no task uses it in any way.
    word = _pid_word(m, task._o >> 3, pid_type)
    pid = m.u64[word]
    _links.hlist_remove(m, task.address_ + _LINKS[pid_type], None, LIST_POISON2)  # hlist_del_rcu()
    memory.put(m, word, 0 if new is None else new.address_)
    users = m.index(pid) + w.P_TASKS
    if not any(m.u64[users : users + PIDTYPE_MAX]):
        free_pid(m, pid_h.pid.ref_(m, pid))


def detach_pid(m: Machine, task: Any, pid_type: int) -> None:
    """Unlink `task` from its pid for `pid_type`; a pid that nothing uses gives its numbers back."""
    __change_pid(m, task, pid_type, None)


def change_pid(m: Machine, task: Any, pid_type: int, pid: Any) -> None:
    """Make `pid` (struct pid *) the one that `task` uses as `pid_type`."""
    __change_pid(m, task, pid_type, pid)
    attach_pid(task, pid_type)


def exchange_tids(left: Any, right: Any) -> None:
    """Let two threads swap their numbers: struct pid, the list on it, and `pid` itself."""
    pid1, pid2 = left.thread_pid, right.thread_pid
    rculist.hlists_swap_heads_rcu(pid1.tasks[PIDTYPE_PID], pid2.tasks[PIDTYPE_PID])
    left.thread_pid, right.thread_pid = pid2, pid1
    left.pid, right.pid = pid_h.pid_nr(pid2), pid_h.pid_nr(pid1)


def transfer_pid(old: Any, new: Any, pid_type: int) -> None:
    """Let `new` take the place of `old` in the list of old's pid for `pid_type`."""
    if pid_type == PIDTYPE_PID:
        new.thread_pid = old.thread_pid
    rculist.hlist_replace_rcu(old.pid_links[pid_type], new.pid_links[pid_type])


# --- numbers -------------------------------------------------------------------------------


def pid_nr_ns(pid: Any, ns: Any) -> int:
    """Return the number (pid_t) of `pid` in `ns`, 0 if it has none there."""
    if not pid.address_:
        return 0
    m, p, level = pid.machine_, pid._o >> 3, ns.level
    if m.u64[p] == POISON:
        m.check(pid.address_, "struct pid", "level")
    if level <= m.u64[p + w.P_LEVEL_HI] >> 32:
        upid = p + w.P_NUMBERS + w.U_WORDS * level
        if m.u64[upid + w.U_NS] == ns.address_:
            return m.s32[upid + w.U_NR_LO << 1]
    return 0


def task_active_pid_ns(task: Any) -> Any:
    """Return the namespace (struct pid_namespace *) in which `task` was born."""
    m = task.machine_
    p = m.index(m.u64[(task._o >> 3) + w.T_THREAD_PID])
    upid = p + w.P_NUMBERS + w.U_WORDS * (m.u64[p + w.P_LEVEL_HI] >> 32)
    return pid_h.pid_namespace.ref_(m, m.u64[upid + w.U_NS])


def pid_vnr(m: Machine, pid: Any) -> int:
    """Return the number (pid_t) of `pid` as the running task counts."""
    return pid_nr_ns(pid, task_active_pid_ns(m.current))


def task_pid_vnr(m: Machine, task: Any) -> int:
    """Return the number (pid_t) of `task` as the running task counts."""
    return pid_vnr(m, task.thread_pid)


def task_pid_nr_ns(task: Any, ns: Any) -> int:
    """Return the number (pid_t) of `task` in `ns`, 0 if it can't be seen from there."""
    return pid_nr_ns(task.thread_pid, ns)


def task_tgid_nr_ns(task: Any, ns: Any) -> int:
    """Return the process number (pid_t) of `task` in `ns`."""
    return pid_nr_ns(task.signal.pids[sched.PIDTYPE_TGID], ns)


def task_tgid_vnr(m: Machine, task: Any) -> int:
    """Return the process number (pid_t) of `task` as the running task counts."""
    return task_tgid_nr_ns(task, task_active_pid_ns(m.current))


# --- pidfds: descriptors that stand for a process -------------------------------------------


def pidfd_get_pid(m: Machine, fd: int) -> tuple[Any, int]:
    """Return (struct pid *, with a reference taken, and the file's f_flags) of the pidfd `fd`; or (-EBADF, 0)."""
    f = fs_file.fdget(m, fd)
    if not f.file:
        return -errno.EBADF, 0
    pid, flags = fork.pidfd_pid(m, f.file), 0
    if not isinstance(pid, int):
        get_pid(pid)
        flags = f.file.f_flags
    fs_file.fdput(m, f)
    return pid, flags


def pidfd_create(m: Machine, pid: Any, flags: int) -> int:
    """Open a descriptor that stands for `pid` (struct pid *) and is closed at exec; -EMFILE, -ENOMEM."""
    fops = m.symbol("pidfd_fops")
    flags |= fcntl.O_RDWR | fcntl.O_CLOEXEC
    fd = anon_inodes.anon_inode_getfd(m, "[pidfd]", fops, get_pid(pid).address_, flags)
    if fd < 0:
        put_pid(m, pid)
    return fd


def sys_pidfd_open(m: Machine, pid: int, flags: int) -> int:
    """pidfd_open(2): a pidfd for the process `pid`; `flags` may be O_NONBLOCK.

    -EINVAL for other flags, what is no number, and a thread that does not lead its process; -ESRCH.
    """
    if flags & ~fcntl.O_NONBLOCK or pid <= 0:
        return -errno.EINVAL
    p = find_get_pid(m, pid)
    if not p:
        return -errno.ESRCH
    leads = pid_h.pid_has_task(p, sched.PIDTYPE_TGID)
    fd = pidfd_create(m, p, flags) if leads else -errno.EINVAL
    put_pid(m, p)
    return fd


def __pidfd_fget(m: Machine, task: Any, fd: int) -> Any:
    # The open file (struct file *) of `task`, counted once more; -EPERM or -EBADF.
    if not ptrace.ptrace_may_access(m, task, ptrace.PTRACE_MODE_ATTACH_REALCREDS):
        return -errno.EPERM
    return fs_file.fget_task(m, task, fd) or -errno.EBADF


def pidfd_getfd(m: Machine, pid: Any, fd: int) -> int:
    """Return a descriptor for the open file that the process `pid` (struct pid *) has as `fd`.

    -ESRCH when it is gone, -EPERM, -EBADF, -EMFILE, -ENOMEM.
    """
    task = get_pid_task(pid, PIDTYPE_PID)
    if not task:
        return -errno.ESRCH
    file = __pidfd_fget(m, task, fd)
    fork.put_task_struct(m, task)
    if isinstance(file, int):
        return file
    new_fd = fs_file.get_unused_fd_flags(m, fcntl.O_CLOEXEC)  # receive_fd()
    if new_fd >= 0:
        fs_file.fd_install(m, new_fd, file_table.get_file(file))
    file_table.fput(m, file)
    return new_fd


def sys_pidfd_getfd(m: Machine, pidfd: int, fd: int, flags: int) -> int:
    """pidfd_getfd(2): as pidfd_getfd(); -EINVAL for any `flags`, -EBADF for what is no pidfd."""
    if flags:
        return -errno.EINVAL
    f = fs_file.fdget(m, pidfd)
    if not f.file:
        return -errno.EBADF
    pid = fork.pidfd_pid(m, f.file)
    ret = pid if isinstance(pid, int) else pidfd_getfd(m, pid, fd)
    fs_file.fdput(m, f)
    return ret


def validate_pid(m: Machine, pid: Any) -> None:
    """Check `pid` (struct pid *): its numbers lead to it, and its lists' nodes belong to tasks that name it.

    Raises AssertionError with both addresses.
    """
    for i in range(pid.level + 1):
        upid = pid.numbers[i]
        found = find_pid_ns(m, upid.nr, upid.ns)
        if found.address_ != pid.address_:
            raise AssertionError(
                f"number {upid.nr} at level {i} leads to {found!r}, not to {pid!r}"
            )
    for pid_type in range(PIDTYPE_MAX):
        for task in hlist.hlist_for_each_entry(
            task_struct, pid.tasks[pid_type], f"pid_links[{pid_type}]"
        ):
            if _task_pid(task, pid_type).address_ != pid.address_:
                raise AssertionError(
                    f"{task!r} is linked to {pid!r} but uses {_task_pid(task, pid_type)!r}"
                )
