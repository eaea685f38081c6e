"""fs/proc/base.c @ v5.10.188: what is in the folder of a process.

There is one /proc, mounted from the initial PID namespace.  So far it has, of each task, its
numbers (stat, status), its namespaces and the maps of its user namespace.  Left out: everything else, listing folders.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kernelsim.fs import file_table
from kernelsim.fs.proc import array, namespaces
from kernelsim.include.linux import fs, sched
from kernelsim.include.linux import pid as pid_h
from kernelsim.include.linux import user_namespace as user_ns_h
from kernelsim.include.linux.sched import coredump
from kernelsim.include.uapi.asm import errno, fcntl
from kernelsim.include.uapi.linux.capability import CAP_DAC_OVERRIDE, CAP_SYS_ADMIN
from kernelsim.kernel import _userns_maps as maps
from kernelsim.kernel import capability, user_namespace
from kernelsim.kernel import pid as kernel_pid
from kernelsim.machine import machine

if TYPE_CHECKING:
    from kernelsim.include.linux.sched import task_struct
    from kernelsim.machine.machine import Machine

__all__ = [
    "proc_id_map_open",
    "proc_id_map_read",
    "proc_id_map_release",
    "proc_init",
    "proc_open",
    "proc_readlink",
    "proc_single_open",
    "proc_single_read",
    "proc_single_release",
    "task_dump_owner",
]

_PATH = re.compile(r"/proc/(self|thread-self|[1-9]\d*)(?:/task/([1-9]\d*))?/([\w/]+)")
_MAPS = {"uid_map": "proc_uid_map_write", "gid_map": "proc_gid_map_write"}
_MAPS |= {"setgroups": "proc_setgroups_write"}
_SHOWN = ("stat", "status")


def proc_init(m: Machine) -> None:
    """Set up the operations of the files."""
    for name, write in _MAPS.items():
        ops = m.define(f"proc_{name}_operations", fs.file_operations)
        ops.read = machine.text_address("proc_id_map_read")
        ops.write = machine.text_address(write)
        ops.release = machine.text_address("proc_id_map_release")
    for kind in ("tgid", "tid"):
        for name in _SHOWN:
            ops = m.define(f"proc_{kind}_{name}_operations", fs.file_operations)
            ops.read = machine.text_address("proc_single_read")
            ops.release = machine.text_address("proc_single_release")


def _find(m: Machine, path: str) -> tuple[task_struct, str] | None:
    # The task whose folder `path` names, and what in it; None if there is no such task.
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    who, thread, rest = match.groups()
    if who in ("self", "thread-self"):
        task = m.current if who == "thread-self" else m.current.group_leader
    else:
        task = kernel_pid.find_task_by_pid_ns(m, int(who), m.symbol("init_pid_ns"))
    if thread and task:
        other = kernel_pid.find_task_by_pid_ns(m, int(thread), m.symbol("init_pid_ns"))
        task = other if other and other.signal == task.signal else None
    return (task, rest) if task else None


def proc_open(m: Machine, path: str, mode: int, flags: int) -> Any:
    """Open `path` in /proc for what `mode` (fmode_t) says; struct file * or a negative errno.

    -ENOENT for what is not there, -EACCES, -ENOMEM.
    """
    found = _find(m, path)
    if found is None:
        return -errno.ENOENT
    task, name = found
    folder, _, entry = name.partition("/")
    if folder == "ns" and entry in namespaces.ns_entries:
        if mode & fs.FMODE_WRITE:  # an inode that nobody may write: S_IMMUTABLE
            return -errno.EPERM
        return namespaces.proc_ns_get_link(m, task, entry, fs.FMODE_READ, flags)
    if name in _MAPS:
        return proc_id_map_open(m, task, name, mode, flags)
    if name in _SHOWN:
        kind = "tid" if "/task/" in path else "tgid"
        return proc_single_open(m, task, f"proc_{kind}_{name}_operations", mode, flags)
    return -errno.ENOENT


def proc_readlink(m: Machine, path: str) -> str | int:
    """Return what the link `path` in /proc says, or -ENOENT, -EINVAL for what is no link, -EACCES."""
    if path == "/proc/self":
        return str(kernel_pid.task_tgid_nr_ns(m.current, m.symbol("init_pid_ns")))
    found = _find(m, path)
    if found is None:
        return -errno.ENOENT
    task, name = found
    folder, _, entry = name.partition("/")
    if folder == "ns" and entry in namespaces.ns_entries:
        return namespaces.proc_ns_readlink(m, task, entry)
    return -errno.EINVAL if name in _MAPS or name in _SHOWN else -errno.ENOENT


def task_dump_owner(m: Machine, task: task_struct) -> int:
    """Return who (kuid_t) owns the files of `task`: its user, or root of what can't be looked into."""
    mm = task.mm
    if task.flags & sched.PF_KTHREAD or not mm:
        return 0
    if coredump.get_dumpable(mm) == coredump.SUID_DUMP_USER:
        uid: int = task.real_cred.euid
        return uid
    root = user_namespace.make_kuid(mm.user_ns, 0)
    return 0 if root == 0xFFFF_FFFF else root


# --- the maps of the user namespace ------------------------------------------------------------


def proc_id_map_open(m: Machine, task: task_struct, name: str, mode: int, flags: int) -> Any:
    """Open the file `name` of the user namespace of `task`: uid_map, gid_map or setgroups.

    Returns struct file *, -EACCES for writing what is another's, -EPERM, -ENOMEM.
    """
    ns, writing = task.real_cred.user_ns, bool(mode & fs.FMODE_WRITE)
    foreign = writing and m.current.cred.fsuid != task_dump_owner(m, task)
    if foreign and not capability.capable(m, CAP_DAC_OVERRIDE):
        return -errno.EACCES
    if writing and name == "setgroups" and not capability.ns_capable(m, ns, CAP_SYS_ADMIN):
        return -errno.EACCES
    user_ns_h.get_user_ns(ns)
    operations = m.symbol(f"proc_{name}_operations")
    file = file_table.alloc_file(m, operations, mode, ns.address_, flags & ~fcntl.O_CREAT)
    if isinstance(file, int):
        user_namespace.put_user_ns(m, ns)
    return file


async def proc_id_map_read(m: Machine, file: Any, buf: Any, count: int) -> int:
    """Read the map from the file's position: seq_read()."""
    ns = user_ns_h.user_namespace(m, file.private_data)
    name = m.symbol_name(file.f_op.address_).removeprefix("proc_").removesuffix("_operations")
    text = maps.show(ns, name, file.f_cred.user_ns)
    start = file.f_pos
    buf.data = text[start : start + count]
    file.f_pos = start + len(buf.data)
    return len(buf.data)


def proc_id_map_release(m: Machine, file: Any) -> int:
    """The file is closed: drop the user namespace."""
    user_namespace.put_user_ns(m, user_ns_h.user_namespace(m, file.private_data))
    return 0


# --- what is shown of a task ---------------------------------------------------------------------


def proc_single_open(m: Machine, task: task_struct, ops: str, mode: int, flags: int) -> Any:
    """Open a file that shows `task`, with the operations `ops` (a symbol); struct file *, -EACCES, -ENOMEM.

    The file keeps the task's struct pid: once the task is reaped, reading gives -ESRCH.
    """
    if mode & fs.FMODE_WRITE and not capability.capable(m, CAP_DAC_OVERRIDE):
        return -errno.EACCES
    pid = kernel_pid.get_pid(task.thread_pid)
    file = file_table.alloc_file(m, m.symbol(ops), mode, pid.address_, flags)
    if isinstance(file, int):
        kernel_pid.put_pid(m, pid)
    return file


async def proc_single_read(m: Machine, file: Any, buf: Any, count: int) -> int:
    """Read what the file shows from its position, as it is now; how many bytes, or -ESRCH."""
    pid = pid_h.pid(m, file.private_data)
    task = kernel_pid.pid_task(pid, sched.PIDTYPE_PID)
    if not task:
        return -errno.ESRCH
    _, kind, name, _ = m.symbol_name(file.f_op.address_).split("_")
    ns = m.symbol("init_pid_ns")
    if name == "status":
        text = array.proc_pid_status(m, ns, pid, task, file.f_cred.user_ns)
    else:
        text = array.do_task_stat(m, ns, pid, task, whole=kind == "tgid")
    start = file.f_pos
    buf.data = text.encode("utf-8", "surrogateescape")[start : start + count]
    file.f_pos = start + len(buf.data)
    return len(buf.data)


def proc_single_release(m: Machine, file: Any) -> int:
    """The file is closed: drop the struct pid."""
    kernel_pid.put_pid(m, pid_h.pid(m, file.private_data))
    return 0
